#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Three other clients at once in one swarm with us: one seed, everybody else leeches, everybody ends complete."""
from lib_case import Program, note, run
from lib_clients import CLIENTS, Aria2, Libtorrent, Transmission
from lib_lab import Failure
from lib_made import make
from lib_ours import Torrentd
from lib_swarm import Swarm
from lib_trackers import Opentracker

PIECE = 256 << 10
SIZE = (32 << 20) + 4321
NEEDS = (*Transmission.needs, *Libtorrent.needs, *Aria2.needs, 'opentracker')


def gather(lab, random, seed):
    original = lab.place('original')
    torrent = make(original, 'swarm.bin', SIZE, PIECE, random)
    tracker = Opentracker(lab.host(), [torrent])
    swarm = Swarm(lab, torrent, original, tracker)
    first = swarm.seed(seed, **({} if seed is Torrentd else {'up_rate': 6000000}))
    leeches = [swarm.leech(kind) for kind in (Torrentd, *CLIENTS) if kind is not seed]
    swarm.finish(patience=70)
    tracker.wait(torrent, len(leeches) + 1)
    sent = {client.name: client.uploaded(torrent) for client in (first, *leeches)}
    note(' '.join(f'{name}={count >> 20}MiB' for name, count in sent.items()))
    if sum(sent.values()) < torrent.total * len(leeches) - 4096:  # some count in KiB
        raise Failure(f'less was sent than arrived: {sent}')


def main():
    program = Program(jobs=2)
    for seed in (Torrentd, *CLIENTS):
        program.add(f'{seed.name} seeds, all others leech', gather, seed, needs=NEEDS, limit=110)
    run(program)


if __name__ == '__main__':
    main()
