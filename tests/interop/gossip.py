#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Peers found without a tracker that knows them: by what peers tell each other, and in the local network.

Every leech here knows one peer, which has next to nothing to give; whoever becomes complete has learnt of the seed.  A
private torrent stays silent: what leaves our host is read off its wire.
"""
import http.server
import os
import socket
import threading
import time

from lib_case import Program, note, run
from lib_clients import Aria2, Libtorrent, PORT as THEIRS, Rtorrent, Transmission
from lib_lab import Failure, HUB, poll
from lib_made import bencode, compare, make
from lib_ours import PORT as OURS, Torrentd
from lib_swarm import start

PIECE = 64 << 10
SIZE = (2 << 20) + 1
DRIBBLE = 5000  # bytes/s of who is there to tell, not to serve
ETH_ALL, LSD_PORT = 3, 6771


class Referrer:
    """A tracker that tells everybody of the same peers."""

    def __init__(self, peers):
        body = {'interval': 1800, 'peers': b''.join(
            socket.inet_aton(host.ip4) + port.to_bytes(2, 'big') for host, port in peers)}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(bencode(body))

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer((f'10.77.0.{HUB}', 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f'http://10.77.0.{HUB}:{self.server.server_address[1]}/announce'


class Capture:
    """What passes a host's one cable, from now on."""

    def __init__(self, host):
        with host:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_ALL))
            self.socket.bind(('eth0', 0))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.setblocking(False)
        self.bytes = []

    def read(self):
        try:
            while True:
                packet, where = self.socket.recvfrom(1 << 16)
                self.bytes.append((where[2] == socket.PACKET_OUTGOING, packet))
        except BlockingIOError:
            pass
        return self.bytes

    def said(self, text):
        """How many packets that left have that in them."""
        return sum(outgoing and text in packet for outgoing, packet in self.read())

    def datagrams(self, port):
        """How many UDP datagrams left for that port."""
        def is_one(p):
            at = 14 + (40 if p[12:14] == b'\x86\xdd' else 20)
            proto = p[20] if p[12:14] == b'\x86\xdd' else p[23]
            return proto == 17 and int.from_bytes(p[at + 2:at + 4], 'big') == port
        return sum(outgoing and is_one(packet) for outgoing, packet in self.read())


def original(lab, random, name, private=False):
    """The content on disk, and a torrent of it, which no other case has."""
    folder = lab.place('original')
    return folder, make(folder, name, SIZE, PIECE, random, private)


def write(lab, torrent, *trackers):
    return torrent.write(lab.place(f'file{time.monotonic_ns()}'), [t.url for t in trackers])


def seed_of(lab, torrent, folder, **more):
    seed = start(lab, Libtorrent, folder, **more)
    seed.add_file(write(lab, torrent, Referrer([])), folder)
    poll(lambda: seed.complete(torrent), 30, 'the seed is complete')
    return seed


def expect(torrent, client, folder, copy, patience):
    began = time.monotonic()
    poll(lambda: client.complete(torrent), patience, f'{client.name} becomes complete')

    def is_same():
        try:
            compare(torrent, folder, copy, getattr(client, 'litter', '/'))
        except Failure:
            return False
        return True
    poll(is_same, 5, 'the copy is the original')  # what is verified may not be on the disk yet
    note(f'{client.name} is complete after {time.monotonic() - began:.1f} s')


def teach(lab, random, kind):
    """A seed dials us; a leech that knows only us hears of it from us."""
    folder, torrent = original(lab, random, f'teach-{kind.name}.bin')
    ours = start(lab, Torrentd, lab.payload, **{'download.max_rate': f'{DRIBBLE}B/s', 'lan.limited': 'on',
                                               'upload.max_rate': f'{DRIBBLE}B/s'})
    ours.add_file(write(lab, torrent, Referrer([])), lab.place('ours'))
    seed = seed_of(lab, torrent, folder)
    seed.connect(torrent, ours.host.ip4, OURS)
    copy = lab.place('copy')
    leech = start(lab, kind, copy, pex=True)
    leech.add_file(write(lab, torrent, Referrer([(ours.host, OURS)])), copy)
    expect(torrent, leech, folder, copy, 50)


def learn(lab, random, kind, patience):
    """A client that knows us and a seed tells us of it."""
    folder, torrent = original(lab, random, f'learn-{kind.name}.bin')
    seed = seed_of(lab, torrent, folder, up_rate=400000)
    copy = lab.place('copy')
    ours = start(lab, Torrentd, lab.payload)
    ours.add_file(write(lab, torrent, Referrer([])), copy)
    # It must not be complete before it says who it is connected to: two seeds part.
    hub = start(lab, kind, lab.place('hub'), up_rate=DRIBBLE, pex=True)
    hub.add_file(write(lab, torrent, Referrer([(ours.host, OURS), (seed.host, THEIRS)])), lab.place('hub-copy'))
    expect(torrent, ours, folder, copy, patience)


def near(lab, random, kind, we_seed):
    """Two in one network, and no tracker."""
    folder, torrent = original(lab, random, f'near-{kind.name}-{we_seed}.bin')
    copy = lab.place('copy')
    nobody = Referrer([])
    ours = start(lab, Torrentd, lab.payload, **{'peers.lsd': 'true', 'peers.allow_local': 'false'})
    theirs = start(lab, kind, copy if we_seed else folder, lsd=True)
    for client, place in ((ours, folder), (theirs, copy)) if we_seed else ((theirs, folder), (ours, copy)):
        client.add_file(write(lab, torrent, nobody), place)
    expect(torrent, theirs if we_seed else ours, folder, copy, 40)


def two_of_us(lab, random):
    folder, torrent = original(lab, random, 'near-ours.bin')
    copy, nobody = lab.place('copy'), Referrer([])
    ours = [start(lab, Torrentd, lab.payload, **{'peers.lsd': 'true', 'peers.allow_local': 'false'}) for _ in range(2)]
    ours[0].add_file(write(lab, torrent, nobody), folder)
    ours[1].add_file(write(lab, torrent, nobody), copy)
    expect(torrent, ours[1], folder, copy, 20)


def moved(lab, random):
    """Neighbours are told of a port that has changed, well before the next announcement would be due."""
    folder, torrent = original(lab, random, 'moved.bin')
    path = os.path.join(lab.place('port'), 'port')

    def move(port):
        with open(path + '.new', 'w', encoding='ascii') as file:
            file.write(str(port))
        os.rename(path + '.new', path)
    move(OURS)
    ours = start(lab, Torrentd, lab.payload, **{'peers.lsd': 'true', 'peers.port_file': path})
    capture = Capture(ours.host)
    ours.add_file(write(lab, torrent, Referrer([])), folder)
    announced = torrent.infohash.encode()
    poll(lambda: capture.said(announced) >= 2 * 3, 20, 'it is announced three times by each protocol')
    if capture.said(announced) != capture.said(f'Port: {OURS}\r\n'.encode()):
        raise Failure('it is announced at another port than ours')
    move(OURS + 1)
    poll(lambda: capture.said(f'Port: {OURS + 1}\r\n'.encode()) >= 2, 20, 'the new port is announced')


def silent(lab, random, private):
    """Of a public torrent our host speaks in every way it has, of a private one in none."""
    folder, torrent = original(lab, random, f'silent-{private}.bin', private)
    copy = lab.place('copy')
    ours = start(lab, Torrentd, lab.payload, **{'peers.lsd': 'true', 'peers.encryption': 'off', 'upload.max_rate': '300KiB/s', 'lan.limited': 'on'})
    capture = Capture(ours.host)
    tracker = Referrer([(ours.host, OURS)])
    ours.add_file(write(lab, torrent, Referrer([])), folder)
    leeches = [start(lab, Libtorrent, copy, pex=True, lsd=True) for _ in range(2)]
    leeches[0].add_file(write(lab, torrent, tracker), copy)
    leeches[1].add_file(write(lab, torrent, tracker), lab.place('another'))
    for leech in leeches:
        expect(torrent, leech, folder, copy, 40)
    words = {'ut_pex': capture.said(b'6:ut_pexi') > capture.said(b'6:ut_pexi0e'),
             'ut_metadata': capture.said(b'11:ut_metadatai') > capture.said(b'11:ut_metadatai0e'),
             'gossip': capture.said(b'5:added') > 0, 'the local network': capture.datagrams(LSD_PORT) > 0}
    note(', '.join(f'{what}: {"yes" if said else "no"}' for what, said in words.items()))
    if private and any(words.values()):
        raise Failure(f'of a private torrent it said {words}')
    if not private and not all(said for what, said in words.items() if what != 'ut_metadata'):
        raise Failure(f'of a public torrent it said {words}')


def main():
    program = Program(jobs=5)
    # Of those that tell us: the others speak after 60 s and more, and are complete by then.
    program.add('we learn, libtorrent', learn, Libtorrent, 60, needs=Libtorrent.needs, limit=90)
    for kind in (Libtorrent, Transmission, Aria2, Rtorrent):
        program.add(f'we teach, {kind.name}', teach, kind, needs=(*kind.needs, 'libtorrent'), limit=90)
    for kind in (Libtorrent, Transmission):
        for we_seed in (True, False):
            program.add(f'in the local network, {kind.name} {"fetches" if we_seed else "has"}', near, kind, we_seed,
                        needs=kind.needs, limit=90)
    program.add('in the local network, two of us', two_of_us)
    program.add('in the local network, the port moves', moved)
    for private in (False, True):
        program.add(f'{"private" if private else "public"}, on the wire', silent, private, needs=('libtorrent',), limit=90)
    run(program)


if __name__ == '__main__':
    main()
