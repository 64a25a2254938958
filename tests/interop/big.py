#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A torrent of 3 GiB, most of it holes: offsets beyond 2 GiB, thousands of pieces, in memory where there is room."""
import os
import time

from lib_case import Program, Skip, note, run
from lib_clients import Libtorrent
from lib_made import make_sparse
from lib_ours import Torrentd
from lib_swarm import Swarm
from lib_trackers import Opentracker

PIECE = 1 << 20
SIZE = (3 << 30) + 4097
ISLAND = 300000
ROOM = SIZE + (1 << 30)


def available():
    with open('/proc/meminfo', encoding='ascii') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('MemAvailable')) << 10


def choose_place(lab):
    """Memory if the copy fits there easily, else the disk."""
    disk = os.statvfs(lab.folder)
    if available() > ROOM + (2 << 30):
        lab.use_memory(ROOM)
    elif disk.f_bavail * disk.f_frsize < ROOM:
        raise Skip(f'{ROOM >> 20} MiB of free memory or disk are needed')


def transfer(lab, random):
    original = lab.place('original')  # on the disk: holes of a tmpfs fill when they are mapped and read
    choose_place(lab)
    offsets = [0, (1 << 31) - ISLAND // 2, SIZE - ISLAND] + [random.randrange(SIZE - ISLAND) for _ in range(12)]
    islands = {offset: random.randbytes(ISLAND) for offset in offsets}
    torrent = make_sparse(original, 'three gigabytes.bin', SIZE, islands, PIECE)
    tracker = Opentracker(lab.host(), [torrent])
    swarm = Swarm(lab, torrent, original, tracker)
    swarm.seed(Libtorrent)
    started = time.monotonic()
    ours = swarm.leech(Torrentd)
    swarm.complete(patience=120)
    note(f'{SIZE / (time.monotonic() - started) / (1 << 20):.0f} MiB/s')
    swarm.finish()
    note(f'{os.stat(os.path.join(swarm.copies[0][1], torrent.name)).st_blocks >> 11} MiB allocated')
    ours.stop()


def main():
    program = Program()
    program.add('3 GiB from libtorrent', transfer, needs=(*Libtorrent.needs, 'opentracker'), limit=200)
    run(program)


if __name__ == '__main__':
    main()
