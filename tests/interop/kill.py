#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""kill -9 at 20 random moments of a download, and a start again after each.

Held at every moment: the torrent is listed, no verified piece is lost, no piece that somebody gets from us fails its
hash.  Held at the end: the file is the original, and the seed sent no more than the size and, for each kill, what was
on its way.  What is on its way: the window of requests, and the pieces that the window can have opened.
"""
import base64
import json
import time

from lib_case import Program, note, run
from lib_clients import Libtorrent
from lib_lab import Failure, poll
from lib_made import make
from lib_ours import PORT, Torrentd, pieces
from lib_swarm import Swarm
from lib_trackers import Opentracker

PIECE = 256 << 10
SIZE = 192 << 20
RATE = 24 << 20
KILLS = 20
EARLY = 5  # of the kills come within the first moments of a start
WINDOW = 64  # requests
BLOCK = 16384
IN_FLIGHT = WINDOW * BLOCK
OPENED = (IN_FLIGHT // PIECE + 2) * PIECE


def session(ours, torrent):
    """The torrent as the list has it; that it is listed is half of what is asked."""
    views = json.loads(ours.call('GET', '/alldata'))['sessions']
    if len(views) != 1 or views[0]['bitfield_length'] != torrent.pieces:
        raise Failure(f'the torrent is not listed: {views}')
    if views[0]['error']:
        raise Failure(f'the torrent has an error: {views[0]["error"]}')
    return views[0]


def settled(ours, torrent):
    """The pieces at the first look after the torrent has been checked."""
    view = session(ours, torrent)
    return None if view['status'] == 'checking' else (pieces(view),)


def live(ours, torrent, random, held):
    """One life: nothing is lost, some pieces come, then the kill.  Returns the pieces at the last look before it."""
    def ahead(wanted):
        now = pieces(session(ours, torrent))
        return now if len(now) >= wanted or len(now) == torrent.pieces else None

    ours.ready()
    known, = poll(lambda: settled(ours, torrent), 15, 'the torrent is checked')
    if not held <= known:
        raise Failure(f'of {len(held)} verified pieces {len(held - known)} are lost')
    wanted = len(known) + random.randint(1, max(1, torrent.pieces // KILLS))
    held = poll(lambda: ahead(wanted), 30, f'the download goes on from {len(known)} to {wanted} pieces')
    ours.kill()
    return held


def kills(lab, random):
    original = lab.place('original')
    torrent = make(original, 'killed.bin', SIZE, PIECE, random)
    tracker = Opentracker(lab.host(), [torrent])
    swarm = Swarm(lab, torrent, original, tracker)
    seed = swarm.seed(Libtorrent, up_rate=RATE)
    ours = swarm.leech(Torrentd, **{'peers.request_queue': WINDOW})
    witness = Libtorrent(lab.host())
    copy = lab.place('witness')
    witness.add_file(torrent.write(copy), copy)
    early = set(random.sample(range(KILLS), EARLY))
    held, sizes = set(), []
    for number in range(KILLS):
        if number in early:
            time.sleep(random.random() * 0.15)  # the moment is the input here, nothing is waited for
            ours.kill()
        else:
            witness.connect(torrent, ours.host.ip4, PORT)
            held = live(ours, torrent, random, held)
        sizes.append(len(held))
        ours.spawn()
    ours.ready()
    witness.connect(torrent, ours.host.ip4, PORT)
    swarm.finish(patience=60)
    judge(torrent, seed, witness, sizes)


def judge(torrent, seed, witness, sizes):
    sent, allowed = seed.uploaded(torrent), torrent.total + KILLS * (IN_FLIGHT + OPENED)
    view = witness.view(torrent)
    note(f'pieces at the kills: {sizes}')
    note(f'sent {sent} of {torrent.total} bytes ({sent / torrent.total:.3f}), allowed {allowed}; '
         f'the witness got {view["downloaded"]} bytes, {view["failed"]} pieces failed')
    if len(set(sizes)) < 5:
        raise Failure(f'the kills did not hit the download: {sizes}')
    if sent > allowed:
        raise Failure(f'the seed sent {sent} bytes, more than {allowed}')
    if view['failed'] or view['downloaded'] == 0:
        raise Failure(f'the witness got {view["downloaded"]} bytes and {view["failed"]} pieces that fail their hash')


def acknowledged(lab, random):
    """What the API has said 200 to is true after a kill at that very moment."""
    folder = lab.place('downloads')
    ours, listed = Torrentd(lab.host(), folder), set()
    for number in range(10):
        original = lab.place(f'original{number}')
        torrent = make(original, f'torrent {number}', random.randint(1, 3 * PIECE), PIECE, random)
        if number % 3 == 2:
            gone = listed.pop()
            ours.call('POST', '/removetorrent', infohash=gone, delete='true')
        else:
            ours.add_file(torrent.write(original), folder)
            listed.add(torrent.infohash)
        ours.kill()
        ours.spawn()
        ours.ready()
        views = json.loads(ours.call('GET', '/alldata'))['sessions']
        found = {base64.b64decode(view['infohash_base64']).hex() for view in views}
        if found != listed:
            raise Failure(f'round {number}: {len(listed - found)} torrents are lost, {len(found - listed)} came back')


def main():
    program = Program()
    program.add('20 kills, nothing lost, nothing fetched twice', kills, needs=(*Libtorrent.needs, 'opentracker'), limit=150)
    program.add('added and removed, then killed at once', acknowledged)
    run(program)


if __name__ == '__main__':
    main()
