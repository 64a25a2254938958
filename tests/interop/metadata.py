#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The info dictionary of a torrent goes to and comes from other clients (BEP 9): all sizes, both directions.

Whoever gets it knows the info-hash and a tracker alone.  aria2 writes what it got into a file, which is compared; the
others show by the payload that they have it.
"""
import hashlib
import os

from lib_case import Program, run
from lib_clients import Aria2, Libtorrent, Rtorrent, Transmission
from lib_lab import Failure, poll
from lib_made import make
from lib_ours import Torrentd
from lib_swarm import PATIENCE, Swarm, start
from lib_trackers import Opentracker
from bencode import bencode

PIECE, SIZE = 32 << 10, (1 << 20) + 1
# Bytes of the info dictionary: its own few, just the pieces of BEP 9, and so many that no client has all in flight.
SIZES = {'a small dictionary': 0, 'a multiple of 16 KiB': 3 << 14, 'more than 1 MiB': (1 << 20) + 12345}

# Who gives it to us.  rTorrent sends nothing for the last piece of a multiple of 16 KiB, and neither it nor Transmission
# has sent more than 1 MiB within a minute.
SEEDS = {'a small dictionary': (Libtorrent, Transmission, Aria2, Rtorrent),
         'a multiple of 16 KiB': (Libtorrent, Transmission, Aria2), 'more than 1 MiB': (Libtorrent, Aria2)}


def stretch(torrent, size, random):
    """Gives the info dictionary a key of its own, behind all others, so that it has that size."""
    room = size - len(torrent.info) - len(b'2:zz')
    text = next(text for digits in range(1, 9) if len(text := bencode(random.randbytes(room - digits - 1))) == room)
    torrent.info = torrent.info[:-1] + b'2:zz' + text + b'e'
    torrent.infohash = hashlib.sha1(torrent.info).hexdigest()
    if len(torrent.info) != size:
        raise Failure(f'the dictionary has {len(torrent.info)} bytes')


def prepare(lab, random, size):
    original = lab.place('original')
    torrent = make(original, 'described.bin', SIZE, PIECE, random)
    if size:
        stretch(torrent, size, random)
    tracker = Opentracker(lab.host(), [torrent])
    return Swarm(lab, torrent, original, tracker), f'magnet:?xt=urn:btih:{torrent.infohash}&tr={tracker.http}'


def fetch(lab, random, seed, leech, size):
    swarm, link = prepare(lab, random, size)
    swarm.seed(seed)
    folder = lab.place('copy')
    client = start(lab, leech, folder)
    client.add_link(link, folder)
    swarm.copies.append((client, folder))
    swarm.finish()


def save(lab, random, size):
    """aria2 takes the dictionary from us and nothing else."""
    swarm, link = prepare(lab, random, size)
    swarm.seed(Torrentd)
    folder, host = lab.place('copy'), lab.host()
    process = host.spawn([*Aria2.ARGUMENTS, '--bt-metadata-only=true', '--bt-save-metadata=true', f'--dir={folder}',
                          '--enable-rpc=false', '--console-log-level=info', link], 'aria2.log')
    poll(lambda: process.poll() is not None, PATIENCE, 'aria2 ends')
    with open(os.path.join(folder, f'{swarm.torrent.infohash}.torrent'), 'rb') as file:
        if b'4:info' + swarm.torrent.info not in file.read():
            raise Failure('aria2 has saved another dictionary')


def main():
    program = Program(jobs=3)
    for what, size in SIZES.items():
        for client in (Libtorrent, Transmission, Rtorrent):
            program.add(f'{client.name} fetches {what} from us', fetch, Torrentd, client, size,
                        needs=(*client.needs, 'opentracker'))
        program.add(f'aria2 fetches {what} from us', save, size, needs=(*Aria2.needs, 'opentracker'))
        for client in SEEDS[what]:
            program.add(f'we fetch {what} from {client.name}', fetch, client, Torrentd, size,
                        needs=(*client.needs, 'opentracker'))
    run(program)


if __name__ == '__main__':
    main()
