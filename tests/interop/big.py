#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A torrent of 3 GiB, most of it holes: offsets beyond 2 GiB, thousands of pieces, in memory where there is room."""
import os

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


def choose_folder(lab):
    """Memory if the copy fits there easily, else the disk."""
    def free(path):
        room = os.statvfs(path)
        return room.f_bavail * room.f_frsize
    if os.access('/dev/shm', os.W_OK) and free('/dev/shm') > ROOM and available() > ROOM + (2 << 30):
        return '/dev/shm'
    if free(lab.folder) > ROOM:
        return None
    raise Skip(f'{ROOM >> 20} MiB of free disk or memory are needed')


def transfer(lab, random):
    lab.move(choose_folder(lab))
    original = lab.place('original')
    offsets = [0, (1 << 31) - ISLAND // 2, SIZE - ISLAND] + [random.randrange(SIZE - ISLAND) for _ in range(12)]
    islands = {offset: random.randbytes(ISLAND) for offset in offsets}
    torrent = make_sparse(original, 'three gigabytes.bin', SIZE, islands, PIECE)
    tracker = Opentracker(lab.host(), [torrent])
    swarm = Swarm(lab, torrent, original, tracker)
    swarm.seed(Libtorrent)
    ours = swarm.leech(Torrentd)
    swarm.finish(patience=120)
    note(f'{os.stat(os.path.join(swarm.copies[0][1], torrent.name)).st_blocks >> 11} MiB allocated')
    ours.stop()


def main():
    program = Program()
    program.add('3 GiB from libtorrent', transfer, needs=(*Libtorrent.needs, 'opentracker'), limit=200)
    run(program)


if __name__ == '__main__':
    main()
