#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Files: chosen when added and while it runs, kept over a crash, shown, and what is fetched of them."""
import json
import os
import random
import re
import time

import lib_tap
from lib_daemon import Daemon
from lib_peer import Seed
from lib_tap import case, check, equal, never, wait_for
from lib_torrent import Torrent
from lib_tracker import HttpTracker

PIECE = 32768
# Pieces: a 0 to 3, b 4 to 7 (aligned), c 8 to 11 and a bit of 12, d the rest of 12.
FILES = [('a', 4 * PIECE), ('b', 4 * PIECE), ('c', 4 * PIECE + 100), ('d', 1000)]


def make(name='chosen', **more):
    return Torrent(name, FILES, piece_length=PIECE, **more)


def priorities(view):
    return [f['priority'] for f in view['files']]


def pieces_of(seed):
    return {piece for piece, _, _ in seed.requests}


def file_is_right(d, t, name):
    for path, data in t.each_file(d.downloads):
        if path.endswith('/' + name):
            with open(path, 'rb') as f:
                return f.read() == data
    return False


@case
def files_are_shown():
    with Daemon() as d:
        t = make()
        d.add(t)
        view = d.view(t)
        equal([(f['index'], f['path'].rsplit('/', 1)[-1], f['length_bytes'], f['done_bytes'], f['priority'])
               for f in view['files']],
              [(i, path, size, 0, 'normal') for i, (path, size) in enumerate(FILES)])
        check('files' not in d.all()['sessions'][0], 'the long list has files')
        check('files' not in json.loads(d.get('/torrentdata', infohash=t.hex, files='false').body))
        whole = json.loads(d.get('/alldata', files='true').body)
        equal(len(whole['sessions'][0]['files']), 4)


@case
def skipped_files_are_not_fetched():
    with HttpTracker() as tracker, Daemon() as d:
        t = make(trackers=[tracker.url()])
        d.add(t, skip='0-1,3')
        equal(priorities(d.view(t)), ['skip', 'skip', 'normal', 'skip'])
        wanted = 4 * PIECE + t.piece_size(12)
        equal(d.view(t)['wanted_bytes'], wanted)
        equal(int(tracker.wait_event('started')['left']), t.size, 'left of the tracker')
        with Seed(t).dial(d) as seed:
            view = d.wait_status(t, 'seeding')
            equal(view['left_bytes'], 0)
            equal(view['progress'], 1)
            equal(pieces_of(seed), {8, 9, 10, 11, 12})
            check(file_is_right(d, t, 'c'), 'c is wrong')
            for name in 'abd':
                check(not os.path.exists(os.path.join(d.downloads, t.name, name)), name, 'was made')
            equal(view['files'][2]['done_bytes'], 4 * PIECE + 100)
            # Who has a part of it is no seed: it has completed nothing, and lacks the rest.
            d.ok('/stoptorrent', infohash=t.hex)
            stopped = tracker.wait_event('stopped')
            equal((int(stopped['left']), int(stopped['downloaded'])), (t.size - wanted, wanted))
            equal(tracker.events().count('completed'), 0)
            d.ok('/setfilepriority', infohash=t.hex, files='all', priority='normal')
            d.ok('/starttorrent', infohash=t.hex)
            wait_for(lambda: tracker.events().count('started') == 2, 'the second start')
            again = [a for a in tracker.announces if a.event == 'started'][-1]
            equal((int(again['left']), int(again['downloaded'])), (t.size - wanted, 0), 'since the start')
        with Seed(t).dial(d):
            equal(int(tracker.wait_event('completed')['left']), 0)


@case
def more_is_wanted_and_it_completes_again():
    with Daemon() as d:
        t = make()
        d.add(t, skip='all', high='1')
        with Seed(t).listen() as seed:
            seed.dial(d)
            first = d.wait_status(t, 'seeding')
            equal(d.pieces(t), [4, 5, 6, 7])
            d.ok('/setfilepriority', infohash=t.hex, files='0', priority='low')
            equal(priorities(d.view(t)), ['low', 'high', 'skip', 'skip'])
            wait_for(lambda: d.view(t)['left_bytes'] > 0 or d.view(t)['pieces_have'] > 4, 'more is wanted')
            seed.dial(d)
            d.wait_view(t, lambda v: v['status'] == 'seeding' and v['pieces_have'] == 8, 'the file a')
            check(first['completed'], 'no date')
            d.ok('/setfilepriority', infohash=t.hex, files='all', priority='normal')
            wait_for(lambda: d.view(t)['status'] == 'downloading' or d.view(t)['pieces_have'] > 8, 'more')
            seed.dial(d)
            d.wait_done(t)
            equal([f['done_bytes'] for f in d.view(t)['files']], [size for _, size in FILES])


@case
def skipping_the_rest_completes_it():
    with Daemon() as d:
        t = make()
        d.add(t)
        with Seed(t, have=range(8)).dial(d):
            d.wait_view(t, lambda v: v['pieces_have'] == 8, 'eight pieces')
            equal(d.view(t)['status'], 'downloading')
            d.ok('/setfilepriority', infohash=t.hex, files='2,3', priority='skip')
            d.wait_status(t, 'seeding')


@case
def choices_survive_a_crash():
    with Daemon() as d:
        t = make()
        d.add(t, start='false')
        d.ok('/setfilepriority', infohash=t.hex, files='0', priority='skip')
        d.ok('/setfilepriority', infohash=t.hex, files='2-3', priority='high')
        d.ok('/setsequential', infohash=t.hex, on='true')
        d.ok('/setfirstlast', infohash=t.hex, on='true')
        d.ok('/setseedlimits', infohash=t.hex, ratio='1.25', idle='60')
        d.restart(clean=False)
        view = d.wait_ready(t)
        equal(priorities(view), ['skip', 'normal', 'high', 'high'])
        equal((view['sequential'], view['firstlast']), (True, True))
        equal(view['seed_limits'], {'ratio': 1.25, 'time': -1, 'idle': 60})
        d.ok('/setfilepriority', infohash=t.hex, files='all', priority='normal')
        d.restart(clean=False)
        equal(priorities(d.wait_ready(t)), ['normal'] * 4)
        with Seed(t).dial(d):
            d.start_torrent(t)
        with Seed(t).dial(d):
            d.wait_done(t)


@case
def in_order_when_asked():
    with Daemon() as d:
        t = Torrent('ordered', 40 * PIECE, piece_length=PIECE)
        d.add(t, sequential='true')
        with Seed(t).dial(d) as seed:
            d.wait_done(t)
            order = [piece for piece, begin, _ in seed.requests if begin == 0]
            early = order[:20]
            check(max(early) < 30, 'the first twenty pieces asked for are', early)


@case
def high_before_normal_before_low():
    with Daemon() as d:
        t = make()
        d.add(t, low='0', high='2')
        with Seed(t).dial(d) as seed:
            d.wait_done(t)
            order = [piece for piece, begin, _ in seed.requests if begin == 0]
            check(set(order[:5]) == {8, 9, 10, 11, 12}, 'asked for in the order', order)
            check(set(order[-4:]) == {0, 1, 2, 3}, 'asked for in the order', order)


@case
def first_and_last_first():
    with Daemon() as d:
        t = Torrent('edges', [('x', 20 * PIECE), ('y', 20 * PIECE)], piece_length=PIECE)
        d.add(t, firstlast='true')
        with Seed(t).dial(d) as seed:
            d.wait_done(t)
            order = [piece for piece, begin, _ in seed.requests if begin == 0]
            equal(set(order[:4]), {0, 19, 20, 39}, f'asked for in the order {order}')


@case
def priorities_changed_while_it_comes_are_followed():
    with Daemon() as d:
        t = Torrent('live', [(name, 60 * PIECE) for name in 'abc'], piece_length=PIECE)
        d.add(t, skip='2')
        with Seed(t, rate=1 << 20, fast=False).dial(d) as seed:
            wait_for(lambda: seed.blocks > 20, 'it comes')
            d.ok('/setfilepriority', infohash=t.hex, files='1', priority='low')
            d.ok('/setfilepriority', infohash=t.hex, files='2', priority='high')
            wait_for(lambda: any(p >= 120 for p, _, _ in seed.requests), 'what is high now is asked for')
            before = len(seed.requests)
            d.wait_done(t)
            after = [piece for piece, begin, _ in seed.requests[before:] if begin == 0]
            check(all(p >= 120 for p in after[:40]), 'after the change', after[:50])
            late = after[-40:]
            check(all(60 <= p < 120 for p in late), 'the last of all', late)
            equal(seed.sent, t.size, 'bytes that were sent')


@case
def choices_that_change_all_the_time_cost_no_byte():
    """Pieces span many files; each is skipped and wanted again while its data comes, over a crash too."""
    noise = random.Random(3)
    with Daemon(options={'store.checkpoint_interval': '100ms'}) as d:
        t = Torrent('restless', [(f'f{n:02}', noise.choice([0, 1, 700, PIECE, 3 * PIECE + 11, 9000]))
                                 for n in range(40)] + [('big', 60 * PIECE)], piece_length=PIECE)
        d.add(t, skip='0-40')
        sent = 0
        for crash in (True, False):
            with Seed(t, rate=1500_000, fast=False).dial(d) as seed:
                for _ in range(30):
                    first = noise.randrange(41)
                    d.ok('/setfilepriority', infohash=t.hex, files=f'{first}-{noise.randrange(first, 41)}',
                         priority=noise.choice(['skip', 'skip', 'low', 'normal', 'high']))
                    if not seed.live and d.view(t)['left_bytes'] > 0:
                        seed.dial(d)
                    time.sleep(0.03)
                for path, data in t.each_file(d.downloads):  # never a hole where a file claims to be whole
                    if data and os.path.exists(path):
                        check(os.path.getsize(path) <= len(data), path, 'is too long')
                sent += seed.sent
                if crash:
                    d.restart(clean=False)
                    d.wait_ready(t)
        d.ok('/setfilepriority', infohash=t.hex, files='all', priority='normal')
        with Seed(t, fast=False).dial(d) as seed:
            d.wait_done(t)
            sent += seed.sent
        # What was under way at the crash may come again, and what came of pieces that were not whole.
        check(sent <= t.size * 1.3, 'sent', sent, 'of', t.size)
        wait_for(lambda: os.listdir(d.downloads) == [t.name], lambda: os.listdir(d.downloads))


@case
def wrong_choices_are_refused():
    with Daemon() as d:
        t = make()
        d.add(t)
        for params, word in (({'files': '4', 'priority': 'skip'}, b'0 to 3'),
                             ({'files': '2-9', 'priority': 'skip'}, b'0 to 3'),
                             ({'files': '3-2', 'priority': 'skip'}, b"'files'"),
                             ({'files': '1,', 'priority': 'skip'}, b"'files'"),
                             ({'files': '', 'priority': 'skip'}, b"'files'"),
                             ({'files': '99999999999', 'priority': 'skip'}, b"'files'"),
                             ({'files': '-1', 'priority': 'skip'}, b"'files'"),
                             ({'priority': 'skip'}, b"'files'"),
                             ({'files': '0'}, b"'priority'"),
                             ({'files': '0', 'priority': 'highest'}, b'skip, low, normal, high')):
            reply = d.get('/setfilepriority', infohash=t.hex, **params)
            equal(reply.status, 422, params)
            check(word in reply.body, params, reply.body)
        equal(d.get('/setsequential', infohash=t.hex).status, 422)
        reply = d.http('POST', '/addtorrentfile', {'skip': '7'}, make('other').data)
        equal((reply.status, b'0 to 3' in reply.body), (422, True), reply.body)
        equal(len(d.all()['sessions']), 1)


@case
def two_torrents_do_not_share_a_place():
    with Daemon() as d:
        one, two = make('same', seed=1), make('same', seed=2)
        d.add(one)
        reply = d.http('POST', '/addtorrentfile', {}, two.data)
        equal(reply.status, 409)
        check(one.hex.encode() in reply.body and b'another path' in reply.body, reply.body)
        os.makedirs(os.path.join(d.downloads, 'elsewhere'))
        d.add(two, path='elsewhere')
        d.ok('/removetorrent', infohash=one.hex)
        wait_for(lambda: d.get('/torrentdata', infohash=one.hex).status == 404, 'it is gone')
        d.add(make('same', seed=3))


class ChosenPort(Daemon):
    """Its API's port is told by the line it prints at its start."""

    def is_up(self):
        found = re.search(r'http://127\.0\.0\.1:(\d+)/', self.stdout())
        if not found:
            return False
        self.api_port = int(found.group(1))
        return super().is_up()


@case
def a_tracker_cannot_reach_the_api_at_a_port_of_the_systems_choice():
    with ChosenPort(options={'api.port': 0}) as d:
        t = Torrent('own', 100, trackers=[f'http://127.0.0.1:{d.api_port}/ok/announce'])
        d.add(t)
        view = d.wait_view(t, lambda v: v['trackers'][0]['contacted'], 'the tracker was tried')
        check('not allowed' in view['trackers'][0]['message'], view['trackers'])
        never(lambda: d.view(t)['trackers'][0]['status'] == 'working', 'the API answers as a tracker', 0.2)


lib_tap.main()
