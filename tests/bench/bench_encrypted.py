# SPDX-License-Identifier: MIT
"""What encryption costs: the same transfer plain, with an encrypted handshake and plain payload, and under RC4.

The other side is always our daemon, which takes what it is offered; the CPU time is that of the client in the row.
RC4 alone, as `openssl speed` has it in the same minutes, is among the facts: more than that no row under RC4 should
cost than its plain one.
"""
import os
import shutil
import time

from bench_clients import Libtorrent, Torrentd
from bench_lab import GIB, MIB, Clock, Failure, Tracker, sh
from bench_rows import Bench, interleave

WAYS = {
    'plain': ({'peers.encryption': 'off'}, {'in_enc_policy': 2, 'out_enc_policy': 2}),
    'handshake': ({'peers.encryption': 'required', 'peers.encryption_payload': 'plain'},
                  {'in_enc_policy': 0, 'out_enc_policy': 0, 'allowed_enc_level': 1}),
    'RC4': ({'peers.encryption': 'required', 'peers.encryption_payload': 'rc4'},
            {'in_enc_policy': 0, 'out_enc_policy': 0, 'allowed_enc_level': 2}),
}


class Other(Torrentd):
    """The far end."""

    options = {'peers.encryption': 'tolerated'}


def kinds():
    """(row, client) of everything measured."""
    for way, (ours, theirs) in WAYS.items():
        rest = '' if way == 'plain' else f', {way}'
        yield Torrentd.key + rest, type('Ours', (Torrentd,), {'options': ours})
        yield Libtorrent.key + rest, type('Theirs', (Libtorrent,), {'settings': theirs})


def rc4_speed():
    """CPU seconds a GiB."""
    text = sh('openssl', 'speed', '-provider', 'legacy', '-provider', 'default', '-evp', 'rc4', '-bytes', '16384',
              '-seconds', '1')
    return GIB / (float(text.strip().splitlines()[-1].split()[-1].rstrip('k')) * 1000)


def pair_run(lab, torrent, kind, seeds):
    """kind seeds to our daemon, or leeches from it."""
    folder, clients = lab.folder(), []
    try:
        seed, leech = (kind, Other) if seeds else (Other, kind)
        clients.append(seed(lab, 1, folder))
        clients[0].add(torrent, torrent.folder)
        clients[0].wait(torrent, 'seeds')
        lab.tracker.give([(clients[0].ip, clients[0].port)])
        clients.append(leech(lab, 2, folder))
        target = os.path.join(folder, 'out')
        os.mkdir(target)
        time.sleep(0.3)
        lab.warm_memory(torrent.size)
        clock = Clock(clients[0 if seeds else 1].pid)
        clients[1].add(torrent, target)
        clients[1].wait(torrent, pause=0.02)
        run = dict(clock.stop(), bytes=torrent.size)
        for client in clients:
            client.end()
        if not torrent.same(os.path.join(target, torrent.name)):
            raise Failure('what was downloaded differs from the payload')
        return run
    finally:
        for client in clients:
            client.end()
        shutil.rmtree(folder, ignore_errors=True)


def encrypted(lab, key, size, seeds, budget):
    what = 'seeding to' if seeds else 'download from'
    bench = Bench(key, f'encrypted: {what} 1 torrentd, {size // MIB} MiB, tmpfs')
    torrent = lab.torrent(size, Tracker.url())
    bench.facts['rc4'] = rc4_speed()
    bench.note = f'RC4 alone (openssl speed): {bench.facts["rc4"]:.2f} CPU-s/GiB.'
    interleave(bench, {row: lambda _, kind=kind: pair_run(lab, torrent, kind, seeds) for row, kind in kinds()}, budget)
    return bench
