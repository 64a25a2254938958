#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Message stream encryption with every client that has it: each of their settings against ours, whoever dials.

A case says which of the two dials: only that one has a tracker, which knows the other.  What was settled on is told by
our log: 0 plain, 1 an encrypted handshake and plain payload, 2 RC4.
"""
import http.server
import ipaddress
import os
import re
import struct
import threading

from lib_case import Program, run
from lib_clients import Aria2, Libtorrent, Rtorrent, Transmission
from lib_lab import HUB, Failure, poll
from lib_made import bencode, compare, make
from lib_ours import PORT as OUR_PORT, Torrentd
import lib_clients

PIECE = 64 << 10
SIZE = (3 << 20) + 1
PLAIN, HANDSHAKE, RC4 = '0', '1', '2'

# Settings of theirs.
LT = {
    'rc4': {'out_enc_policy': 0, 'in_enc_policy': 0, 'allowed_enc_level': 2},
    'plain payload': {'out_enc_policy': 0, 'in_enc_policy': 0, 'allowed_enc_level': 1},
    'forced': {'out_enc_policy': 0, 'in_enc_policy': 0, 'allowed_enc_level': 3},
    'prefers rc4': {'out_enc_policy': 1, 'in_enc_policy': 1, 'allowed_enc_level': 3, 'prefer_rc4': True},
    'default': {'out_enc_policy': 1, 'in_enc_policy': 1, 'allowed_enc_level': 3, 'prefer_rc4': False},
    'off': {'out_enc_policy': 2, 'in_enc_policy': 2},
}
TR = {'tolerated': 0, 'default': 1, 'required': 2}
A2 = {'default': (), 'required': ('--bt-require-crypto=true',), 'forced': ('--bt-force-encryption=true',),
      'rc4': ('--bt-require-crypto=true', '--bt-min-crypto-level=arc4')}
RT = {'default': 'allow_incoming', 'off': 'none', 'required': 'require', 'rc4': 'require,require_RC4'}


def settled(ours):
    """What the connections that opened were encrypted by."""
    with open(os.path.join(ours.host.folder, 'torrentd.log'), encoding='utf-8', errors='replace') as log:
        return [match[1] for match in re.finditer(r'peer_open .*encryption=(\d)', log.read())]


class OneTracker(http.server.ThreadingHTTPServer):
    """Knows one peer, if any, and nobody else."""

    daemon_threads = True

    def __init__(self, address=None, port=0):
        peers = ipaddress.ip_address(address).packed + struct.pack('>H', port) if address else b''
        body = bencode({'interval': 1800, 'peers': peers})

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__((f'10.77.0.{HUB}', 0), Answer)
        self.url = f'http://10.77.0.{HUB}:{self.server_port}/announce'
        threading.Thread(target=self.serve_forever, daemon=True).start()


def start(lab, kind, encryption):
    host = lab.host()
    if kind is Torrentd:
        return Torrentd(host, lab.payload, **{'log.level': 'debug', **encryption})
    return kind(host, encryption=encryption)


def begin(lab, random, kind, theirs, ours, we_dial):
    """A seed that waits, and a leech that dials it."""
    original, copy = lab.place('original'), lab.place('copy')
    torrent = make(original, 'secret.bin', SIZE, PIECE, random)
    kinds = [(kind, theirs), (Torrentd, ours)]
    (seed_kind, seed_words), (leech_kind, leech_words) = kinds if we_dial else kinds[::-1]
    seed = start(lab, seed_kind, seed_words)
    seed.add_file(torrent.write(lab.folder, [OneTracker().url]), original)  # rTorrent takes none without a tracker
    poll(lambda: seed.complete(torrent), 20, f'{seed.name} finds its data complete')
    tracker = OneTracker(seed.host.ip4, OUR_PORT if seed_kind is Torrentd else lib_clients.PORT)
    leech = start(lab, leech_kind, leech_words)
    leech.add_file(torrent.write(lab.folder, [tracker.url]), copy)
    return torrent, original, copy, seed, leech


def transfer(lab, random, kind, theirs, ours, we_dial, expected):
    torrent, original, copy, seed, leech = begin(lab, random, kind, theirs, ours, we_dial)
    poll(lambda: leech.complete(torrent), 40, f'{leech.name} becomes complete')
    compare(torrent, original, copy, getattr(leech, 'litter', '/'))
    found = settled(leech if we_dial else seed)
    if not found or set(found) != {expected}:
        raise Failure(f'the connections were encrypted by {found}, not {expected}')


def refuse(lab, random, kind, theirs, ours):
    """We dial and find no way: the peer that hung up is counted, and nothing came."""
    torrent, _, _, _, leech = begin(lab, random, kind, theirs, ours, True)
    poll(lambda: leech.view(torrent)['mute_dials'] > 0, 20, 'the peer hangs up')
    if settled(leech) or leech.pieces(torrent):
        raise Failure('there was a connection')


def main():
    program = Program(jobs=3, hosts=2)

    def add(kind, word, theirs, ours, *outcomes):
        """outcomes: of our dial, then of theirs."""
        options = dict(zip(('peers.encryption', 'peers.encryption_payload'), ours.split())) if ours else {}
        for we_dial, expected in zip((True, False), outcomes):
            if expected is not None:
                program.add(f'{kind.name} {word}, ours {ours or "default"}, {"we dial" if we_dial else "they dial"}',
                            transfer, kind, theirs, options, we_dial, expected, needs=kind.needs)

    add(Libtorrent, 'default', LT['default'], '', HANDSHAKE, PLAIN)
    add(Libtorrent, 'rc4', LT['rc4'], 'required', RC4, RC4)
    add(Libtorrent, 'plain payload', LT['plain payload'], 'required', HANDSHAKE, HANDSHAKE)
    add(Libtorrent, 'forced', LT['forced'], 'required rc4', RC4, RC4)
    add(Libtorrent, 'prefers rc4', LT['prefers rc4'], 'preferred', RC4, None)
    add(Libtorrent, 'forced', LT['forced'], 'tolerated', HANDSHAKE, HANDSHAKE)
    add(Libtorrent, 'off', LT['off'], 'preferred', PLAIN, PLAIN)
    add(Transmission, 'default', TR['default'], '', RC4, RC4)
    add(Transmission, 'required', TR['required'], 'required', RC4, RC4)
    add(Transmission, 'required', TR['required'], 'tolerated', RC4, None)
    add(Transmission, 'tolerated', TR['tolerated'], 'preferred', PLAIN, None)
    add(Aria2, 'default', A2['default'], '', HANDSHAKE, HANDSHAKE)
    add(Aria2, 'required', A2['required'], 'required', HANDSHAKE, HANDSHAKE)
    add(Aria2, 'forced', A2['forced'], 'required', RC4, RC4)
    add(Aria2, 'rc4', A2['rc4'], 'tolerated', RC4, None)
    add(Rtorrent, 'default', RT['default'], '', RC4, PLAIN)
    add(Rtorrent, 'required', RT['required'], 'required', RC4, HANDSHAKE)
    add(Rtorrent, 'required', RT['required'], 'required plain', HANDSHAKE, None)
    add(Rtorrent, 'rc4', RT['rc4'], 'required', RC4, RC4)
    add(Rtorrent, 'rc4', RT['rc4'], 'tolerated', RC4, None)
    add(Rtorrent, 'off', RT['off'], 'preferred', PLAIN, None)
    for kind, theirs in ((Libtorrent, LT['forced']), (Transmission, TR['required']), (Rtorrent, RT['rc4'])):
        program.add(f'{kind.name} required, ours off', refuse, kind, theirs, {'peers.encryption': 'off'},
                    needs=kind.needs)
    program.add('libtorrent off, ours required', refuse, Libtorrent, LT['off'], {'peers.encryption': 'required'},
                needs=Libtorrent.needs)
    run(program)


if __name__ == '__main__':
    main()
