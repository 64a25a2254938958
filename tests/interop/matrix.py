#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Each client seeds to us and leeches from us: one file, its last piece of 1 byte, over an HTTP tracker."""
from lib_case import Program, run
from lib_clients import CLIENTS, Rtorrent
from lib_made import make
from lib_ours import Torrentd
from lib_swarm import Swarm
from lib_trackers import Opentracker

PIECE = 256 << 10
SIZE = (24 << 20) + 1


def transfer(lab, random, seed, leech):
    original = lab.place('original')
    torrent = make(original, 'one file.bin', SIZE, PIECE, random)
    tracker = Opentracker(lab.host(), [torrent])
    swarm = Swarm(lab, torrent, original, tracker)
    swarm.seed(seed)
    swarm.leech(leech)
    swarm.finish()
    tracker.wait(torrent, 2)


def main():
    program = Program(jobs=3)
    for client in (*CLIENTS, Rtorrent):
        needs = (*client.needs, 'opentracker')
        program.add(f'{client.name} seeds to us', transfer, client, Torrentd, needs=needs)
        program.add(f'{client.name} leeches from us', transfer, Torrentd, client, needs=needs)
    run(program)


if __name__ == '__main__':
    main()
