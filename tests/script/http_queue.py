#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Whose turn it is, in what order, and when seeding ends; over a crash as well."""
import signal

import lib_tap
from lib_daemon import Daemon
from lib_peer import INTERESTED, PIECE as BLOCK, UNCHOKE, Seed, Wire
from lib_tap import case, check, equal, never, wait_for
from lib_torrent import Torrent

PIECE = 32768


def make(names, pieces=8):
    return [Torrent(name, pieces * PIECE, piece_length=PIECE, seed=ord(name)) for name in names]


def states(d):
    """'aD bq': names and states, in the order of the queue."""
    marks = {'stopped': 'S', 'checking': 'C', 'downloading': 'D', 'seeding': 'U', 'queued': 'q', 'error': 'E'}
    listed = sorted(d.all()['sessions'], key=lambda s: s['queue_position'])
    equal([s['queue_position'] for s in listed], list(range(1, len(listed) + 1)), 'positions')
    return ' '.join(s['name'] + marks[s['status']] for s in listed)


def wait_states(d, wanted):
    wait_for(lambda: states(d) == wanted, lambda: f'{wanted}; it is {states(d)}')


def add_all(d, torrents):
    for t in torrents:
        reply = d.http('POST', '/addtorrentfile', {}, t.data)
        equal(reply.status, 200)


@case
def one_downloads_and_the_next_follows():
    with Daemon({'queue.downloads': 1}) as d:
        a, b, c = make('abc')
        add_all(d, (a, b, c))
        wait_states(d, 'aD bq cq')
        with Seed(a).dial(d):
            wait_states(d, 'aU bD cq')
        with Seed(b).dial(d):
            wait_states(d, 'aU bU cD')
        check(not a.differences(d.downloads) and not b.differences(d.downloads), 'wrong data')


@case
def a_queued_torrent_talks_to_nobody():
    with Daemon({'queue.downloads': 1}) as d:
        a, b = make('ab')
        add_all(d, (a, b))
        wait_states(d, 'aD bq')
        with Seed(b) as seed:
            try:
                seed.dial(d)
            except OSError:
                pass
            never(lambda: seed.blocks > 0, 'a block of a torrent that waits', 0.5)
            d.ok('/starttorrent', infohash=b.hex, force='true')
            wait_for(lambda: d.view(b)['forced'] and d.view(b)['status'] == 'downloading', 'it is forced')
            seed.dial(d)
            wait_states(d, 'aD bU')


@case
def moves_change_who_works_and_survive_a_crash():
    with Daemon({'queue.downloads': 2}) as d:
        a, b, c, e = make('abce')
        add_all(d, (a, b, c, e))
        wait_states(d, 'aD bD cq eq')
        d.ok('/queuemove', infohash=e.hex, to='top')
        equal(states(d), 'eD aD bq cq')
        d.ok('/queuemove', infohash=a.hex, to='down')
        equal(states(d), 'eD bD aq cq')
        d.ok('/queuemove', infohash=c.hex, position='2')
        equal(states(d), 'eD cD bq aq')
        d.ok('/queuemove', infohash=e.hex, to='bottom')
        equal(states(d), 'cD bD aq eq')
        d.ok('/queuemove', infohash=e.hex, to='up')
        d.restart(clean=False)
        wait_states(d, 'cD bD eq aq')
        reply = d.http('POST', '/addtorrentfile', {'top': 'true'}, make('z')[0].data)
        equal(reply.status, 200)
        wait_states(d, 'zD cD bq eq aq')
        d.ok('/removetorrent', infohash=c.hex)
        wait_states(d, 'zD bD eq aq')


@case
def wrong_moves_are_refused():
    with Daemon() as d:
        a = make('a')[0]
        d.add(a)
        for params in ({}, {'to': 'front'}, {'position': '0'}, {'position': 'x'}, {'to': 'up', 'position': '1'}):
            equal(d.get('/queuemove', infohash=a.hex, **params).status, 422, params)
        equal(d.get('/queuemove', infohash='0' * 40, to='up').status, 404)
        for params in ({}, {'ratio': '1.'}, {'ratio': '-2'}, {'time': '1.5'}, {'idle': 'x'}):
            equal(d.get('/setseedlimits', infohash=a.hex, **params).status, 422, params)


@case
def a_stalled_one_is_not_counted():
    with Daemon({'queue.downloads': 1, 'queue.stalled': '1s'}) as d:
        a, b = make('ab')
        add_all(d, (a, b))
        wait_for(lambda: states(d) == 'aD bD' and d.view(a)['stalled'], lambda: states(d))
        with Seed(a, rate=60_000).dial(d):
            wait_for(lambda: not d.view(a)['stalled'], 'something moves again')


@case
def limits_follow_a_reload():
    with Daemon(config='[queue]\ndownloads = 1\n') as d:
        a, b = make('ab')
        add_all(d, (a, b))
        wait_states(d, 'aD bq')
        d.write_config('[queue]\ndownloads = 0\n')
        d.process.send_signal(signal.SIGHUP)
        wait_states(d, 'aD bD')
        d.write_config('[queue]\ndownloads = 1\n')
        d.process.send_signal(signal.SIGHUP)
        wait_states(d, 'aD bq')


@case
def who_is_stalled_counts_again_after_a_reload():
    with Daemon(config='[queue]\ndownloads = 1\nstalled = 1s\n') as d:
        a, b = make('ab')
        add_all(d, (a, b))
        wait_for(lambda: states(d) == 'aD bD' and d.view(a)['stalled'], lambda: states(d))
        d.write_config('[queue]\ndownloads = 1\nstalled = 0\n')
        d.process.send_signal(signal.SIGHUP)
        wait_states(d, 'aD bq')


def leech(d, t):
    """Fetches all of t from the daemon."""
    with Wire.open(d, t) as w:
        w.send(INTERESTED)
        w.wait(UNCHOKE)
        for i in range(t.pieces):
            for begin, length in t.blocks(i):
                w.request(i, begin, length)
                w.wait(BLOCK)


@case
def seeding_ends_by_ratio():
    with Daemon({'seed.ratio': '1.5'}) as d:
        a = make('a')[0]
        d.seed(a)
        leech(d, a)
        wait_for(lambda: d.view(a)['ratio'] >= 1, 'the upload is counted')
        equal(d.view(a)['status'], 'seeding')
        leech(d, a)
        view = d.wait_status(a, 'stopped')
        equal((view['limit_reached'], view['started']), (True, False))
        d.restart(clean=False)
        view = d.wait_ready(a)
        equal((view['status'], view['limit_reached']), ('stopped', True))
        d.start_torrent(a)
        leech(d, a)
        never(lambda: d.view(a)['status'] == 'stopped', 'a person has started it', 1)


@case
def seeding_ends_by_time_which_is_kept():
    with Daemon() as d:
        a = make('a')[0]
        d.seed(a)
        wait_for(lambda: d.view(a)['seeding_seconds'] >= 2, 'two seconds')
        d.restart()
        d.wait_status(a, 'seeding')
        check(d.view(a)['seeding_seconds'] >= 2, 'the time was not kept')
        d.ok('/setseedlimits', infohash=a.hex, time='3')
        d.wait_status(a, 'stopped')


@case
def seeding_ends_when_nobody_wants_it():
    with Daemon({'seed.idle': '1s'}) as d:
        a, b = make('ab')
        d.add(b)
        d.seed(a)
        d.wait_status(a, 'stopped')
        equal(d.view(b)['status'], 'downloading')
        d.ok('/setseedlimits', infohash=a.hex, idle='0')
        d.start_torrent(a)
        never(lambda: d.view(a)['status'] == 'stopped', 'it has no limit', 1.5)


lib_tap.main()
