#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""We are the only seed and show ourselves as one who has nothing: every client still gets everything.

By itself (auto) a copy and little more is sent to three of one kind, who find each other by the tracker; a lone leech
is not slower than from a plain seed.
"""
import time

from lib_case import Program, note, run
from lib_clients import CLIENTS, Rtorrent, Transmission
from lib_lab import Failure
from lib_made import make
from lib_ours import Torrentd
from lib_swarm import Swarm
from lib_trackers import Opentracker

PIECE = 128 << 10
SIZE = (16 << 20) + 1
RATE = '4MiB/s'  # of our line, so that there is something to save
# Without the fast extension: by itself we are plain to them.  (Three rTorrents do not find each other, too.)
WITHOUT_FAST = (Transmission, Rtorrent)


def begin(lab, random, mode, **options):
    original = lab.place('original')
    torrent = make(original, 'new.bin', SIZE, PIECE, random)
    swarm = Swarm(lab, torrent, original, Opentracker(lab.host(), [torrent]))
    seed = swarm.seed(Torrentd, **{'seed.super': mode, **options})
    return swarm, torrent, seed


def spread(lab, random, kind, mode):
    swarm, torrent, seed = begin(lab, random, mode, **{'upload.max_rate': RATE, 'lan.limited': 'on'})
    for _ in range(3):
        swarm.leech(kind)
    swarm.finish(patience=200)  # three rtorrent, one piece each at a time, take 65 s
    copies = seed.uploaded(torrent) / torrent.total
    note(f'{copies:.2f} copies sent')
    if copies > 2 and not (mode == 'auto' and kind in WITHOUT_FAST) and kind is not Rtorrent:
        raise Failure(f'{copies:.2f} copies sent: it did not super-seed')


def alone(lab, random, kind, mode):
    swarm, torrent, seed = begin(lab, random, mode)
    began = time.monotonic()
    swarm.leech(kind)
    swarm.finish()
    note(f'{time.monotonic() - began:.1f} s, {seed.uploaded(torrent) / torrent.total:.2f} copies sent')


def main():
    program = Program(jobs=2)
    for kind in (Torrentd, *CLIENTS, Rtorrent):
        needs = (*kind.needs, 'opentracker')
        for mode in ('auto', 'on'):
            program.add(f'three {kind.name}, {mode}', spread, kind, mode, needs=needs, limit=230)
        program.add(f'a lone {kind.name}, auto', alone, kind, 'auto', needs=needs)
    run(program)


if __name__ == '__main__':
    main()
