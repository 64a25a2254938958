#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Keeping a list: who takes the list once and then what changed has, whatever happens, what a new list has."""
import http.client
import json
import os
import random
import threading
import time

import lib_tap
from lib_daemon import MEASURABLE, Daemon
from lib_events import Ended, Events, Follower
from lib_peer import Seed
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent
from lib_tracker import HttpTracker, http_reply, reply_body

SEED = int(os.environ.get('S', '1'))


def cpu_us(d):
    """CPU time that the daemon has used."""
    total = 0
    for task in os.listdir(f'/proc/{d.process.pid}/task'):
        with open(f'/proc/{d.process.pid}/task/{task}/schedstat', encoding='utf-8') as f:
            total += int(f.read().split()[0])
    return total / 1000


def resident(d):
    with open(f'/proc/{d.process.pid}/status', encoding='utf-8') as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith('RssAnon'))


def ask(d, **params):
    reply = d.get('/api/v1/torrents', **params)
    check(reply.status == 200, params, 'answered', reply.status, reply.body)
    return json.loads(reply.body)


class Mirror:
    """What a client keeps: rows by n, and how far it is."""

    def __init__(self):
        self.rows, self.fields, self.epoch, self.rev = {}, [], None, 0
        self.resets = 0

    @property
    def point(self):
        return f'{self.epoch}.{self.rev}'

    def apply(self, news, overlaps=False):
        """overlaps: some of it may be known already, by a list that is younger than where the news begin."""
        if news['reset']:
            self.rows, self.resets = {}, self.resets + 1
        else:
            equal(news['epoch'], self.epoch, 'epoch')
            check(news['rev'] >= self.rev, 'from', self.rev, 'back to', news['rev'])
        for n in news['gone']:
            self.rows.pop(n, None)
        for row in news['add']:
            equal(len(row), len(news['fields']), 'values of a row')
            row = dict(zip(news['fields'], row))
            check(overlaps or row['n'] not in self.rows, row, 'came twice')
            self.rows[row['n']] = row
        for n, values in news['set']:
            check(n in self.rows, 'a change of', n, 'which was never told')
            check(values.keys() <= self.rows[n].keys(), 'unknown fields in', values)
            self.rows[n].update(values)
        self.epoch, self.rev = news['epoch'], news['rev']
        return self

    def follow(self, d, **params):
        return self.apply(ask(d, since=self.point, **params) if self.epoch else ask(d, **params))

    def follow_anew(self, d):
        return self.apply(ask(d))

    def pages(self, d, limit):
        """The whole list in pages."""
        page = ask(d, limit=limit)
        self.apply(page)
        while page['next'] is not None:
            check(len(page['add']) <= limit, len(page['add']), 'rows in a page of', limit)
            page = ask(d, limit=limit, cursor=page['next'])
            self.apply(page)
        return self


def agree(d, *mirrors):
    """Each of them, brought to the same revision, is the list as it is."""
    def same():
        fresh = Mirror().follow(d)
        for m in mirrors:
            if m.follow(d).rev != fresh.rev:
                return False
            if m.rows != fresh.rows:
                wrong = {n: (m.rows.get(n), fresh.rows.get(n)) for n in m.rows.keys() | fresh.rows.keys()
                         if m.rows.get(n) != fresh.rows.get(n)}
                raise AssertionError(f'at {m.point} (kept, as it is): {wrong}')
        return True
    wait_for(same, 'two answers of one revision')


def as_shown(d):
    """What the whole view, which is made anew for each question, says of what rows say."""
    shown = sorted(d.all()['sessions'], key=lambda s: s['queue_position'])
    return [(s['infohash'], s['name'], s['status'], s['error'], s['size_bytes'], s['wanted_bytes'], s['left_bytes'],
             s['path'], s['private'], s['forced'], s['sequential'], s['maxdown'], s['maxup']) for s in shown]


def as_listed(mirror):
    rows = sorted(mirror.rows.values(), key=lambda r: r['queue'])
    return [(r['hash'], r['name'], r['state'], r['error'], r['size'], r['wanted'], r['left'], r['path'], r['private'],
             r['forced'], r['sequential'], r['down_limit'] / 1024, r['up_limit'] / 1024) for r in rows]


def wait_shown(d, mirror):
    """Nothing that people see changes without a revision."""
    seen = {}

    def look():
        seen['shown'] = as_shown(d)
        seen['listed'] = as_listed(mirror.follow(d))
        return seen['shown'] == seen['listed']

    wait_for(look, lambda: f'the list is what the view says: {seen}')


@case
def a_list_and_what_changed():
    with Daemon() as d:
        a, b = (Torrent(name, 100000, seed=i) for i, name in enumerate('ab'))
        m = Mirror().follow(d)
        equal((m.rows, m.resets), ({}, 1))
        d.add(a, start='false')
        row = next(iter(m.follow(d).rows.values()))
        equal((row['hash'], row['name'], row['state'], row['why'], row['progress'], row['size'], row['left'], row['eta'],
               row['completed'], row['error']),
              (a.hex, 'a', 'stopped', 'stopped_user', 0, 100000, 100000, -1, None, None))
        equal(row['path'], d.downloads)
        equal(m.resets, 1)
        news = ask(d, since=m.point)
        equal((news['rev'], news['add'], news['set'], news['gone']), (m.rev, [], [], []), 'nothing new')
        d.seed(b)
        m.follow(d)
        wait_shown(d, m)
        equal([(r['name'], r['state'], r['progress'], r['why']) for r in m.rows.values() if r['name'] == 'b'],
              [('b', 'seeding', 1, 'seeding_idle')])
        d.ok('/setdownrate', infohash=a.hex, rate=12)
        news = ask(d, since=m.point)
        equal((news['add'], news['gone'], len(news['set'])), ([], [], 1))
        n, values = news['set'][0]
        equal((n, values['down_limit']), (row['n'], 12 * 1024))
        check('name' not in values and 'progress' not in values, 'told what has not changed:', values)
        d.ok('/removetorrent', infohash=a.hex)
        equal([r['name'] for r in m.follow(d).rows.values()], ['b'])
        agree(d, m)


@case
def fields_pages_and_what_is_refused():
    with Daemon() as d:
        torrents = [Torrent(f'page {i}', 1000 + i, seed=i) for i in range(7)]
        for t in torrents:
            d.add(t, start='false')
        some = ask(d, fields='name,state')
        equal(some['fields'], ['n', 'name', 'state'])
        equal(sorted(row[1:] for row in some['add']), [[t.name, 'stopped'] for t in torrents])
        point = f'{some["epoch"]}.{some["rev"]}'
        d.ok('/setdownrate', infohash=torrents[0].hex, rate=3)
        equal(ask(d, fields='name,hash,size', since=point)['set'], [], 'a change of what was not asked for')
        for limit in (1, 2, 3, 7, 8):
            agree(d, Mirror().pages(d, limit))
        # What comes and goes between two pages is told by the deltas that follow.
        first = ask(d, limit=3)
        d.ok('/removetorrent', infohash=torrents[0].hex)
        d.ok('/removetorrent', infohash=torrents[5].hex)
        m = Mirror().apply(first)
        wait_for(lambda: len(ask(d)['add']) == 5, 'they are gone')
        d.add(Torrent('in the midst', 5), start='false')
        page = first
        while page['next']:
            page = ask(d, limit=2, cursor=page['next'])
            check(not page['reset'], 'a page that begins anew')
            equal(page['rev'], first['rev'], 'the revision of later pages')
            m.apply(page)
        m.apply(ask(d, since=m.point), overlaps=True)
        agree(d, m)
        for bad in ({'since': 'x'}, {'since': '0123456789abcdef'}, {'since': '0123456789abcdef.'}, {'fields': 'nam'},
                    {'fields': ','}, {'cursor': '1.2.3'}, {'limit': '0'}, {'limit': 'x'}, {'sinc': '1'},
                    {'since': point, 'cursor': point + '.1'}, {'since': '0123456789abcdef.99999999999999999999'}):
            reply = d.get('/api/v1/torrents', **bad)
            equal((reply.status, json.loads(reply.body)['status']), (422, 422), bad)


@case
def another_epoch_and_the_future_begin_anew():
    with Daemon() as d:
        t = Torrent('stays', 1000)
        d.add(t, start='false')
        m = Mirror().follow(d)
        cursor = f'{m.epoch}.{m.rev}.1'
        for point in (f'{m.epoch}.{m.rev + 1}', f'{"0" * 16}.0'):
            news = ask(d, since=point)
            equal((news['reset'], len(news['add']), news['set'], news['gone']), (True, 1, [], []), point)
        old = m.epoch
        d.restart(clean=False)
        d.wait_ready(t)
        m.follow(d)
        check(m.epoch != old, 'the epoch is the same after a restart')
        equal((m.resets, len(m.rows)), (2, 1))
        page = ask(d, limit=1, cursor=cursor)
        equal((page['reset'], page['epoch'], len(page['add'])), (True, m.epoch, 1), 'a page of before')


@case
def who_came_between_two_pages_and_went_is_named():
    """A page may have one that the revision of the first page knows nothing of: that it went must be told."""
    with Daemon() as d:
        here = [Torrent(f'here {i}', 10, seed=i) for i in range(3)]
        for t in here:
            d.add(t, start='false')
        m = Mirror()
        page = ask(d, limit=2)
        m.apply(page)
        short = Torrent('short', 10)
        d.add(short, start='false')
        while page['next']:
            page = ask(d, limit=2, cursor=page['next'])
            m.apply(page)
        equal(sorted(r['name'] for r in m.rows.values()), ['here 0', 'here 1', 'here 2', 'short'])
        d.ok('/removetorrent', infohash=short.hex)
        m.apply(ask(d, since=m.point), overlaps=True)
        equal(sorted(r['name'] for r in m.rows.values()), ['here 0', 'here 1', 'here 2'])
        agree(d, m)


@case
def rates_and_peers_are_told_and_end_with_zeros():
    with Daemon({'lan.limited': 'true'}) as d:
        t = Torrent('moves', 40 * 32768)
        d.add(t)
        m = Mirror().follow(d)
        row = next(iter(m.rows.values()))
        wait_for(lambda: m.follow(d) and row_of(m)['why'] == 'no_sources', lambda: f'nobody is there: {m.rows}')
        d.ok('/setdownrate', infohash=t.hex, rate=300)
        with Seed(t) as seed:
            seed.dial(d)
            wait_for(lambda: m.follow(d) and row_of(m)['down'] > 0, lambda: f'it moves: {m.rows}')
            now = row_of(m)
            equal((now['peers'], now['seeds'], now['n']), (1, 1, row['n']))
            check(now['why'] in ('moving', 'limit_torrent'), now)
            check(now['eta'] > 0 and now['active_at'] is not None, now)
            wait_for(lambda: m.follow(d) and row_of(m)['state'] == 'seeding', lambda: f'it seeds: {m.rows}', 60)
        wait_for(lambda: m.follow(d) and (row_of(m)['down'], row_of(m)['peers']) == (0, 0), lambda: f'{m.rows}')
        now = row_of(m)
        equal((now['progress'], now['left'], now['eta'], now['why'], now['peers'], now['seeds']),
              (1, 0, -1, 'seeding_idle', 0, 0))
        check(now['downloaded'] >= t.size and now['completed'], now)
        wait_shown(d, m)
        agree(d, m)


@case
def what_trackers_say_is_told():
    with Daemon() as d, HttpTracker(lambda _: http_reply(reply_body(complete=7, incomplete=3))) as tracker:
        dead = 'http://127.0.0.1:1/announce'
        fails, works = Torrent('fails', 1000, trackers=[dead]), Torrent('works', 2000, trackers=[dead, tracker.url()])
        for t in (fails, works):
            d.add(t)
        m = Mirror().follow(d)

        def told():
            rows = {r['name']: r for r in m.follow(d).rows.values()}
            return [(rows[t.name]['why'], rows[t.name]['swarm_seeds'], rows[t.name]['swarm_peers'])
                    for t in (fails, works)]
        wait_for(lambda: told() == [('tracker_error', -1, -1), ('no_sources', 7, 3)], lambda: f'{told()}')
        agree(d, m)


def row_of(mirror):
    return next(iter(mirror.rows.values()))


class Chaos:
    """What people do, at random but from a seed."""

    def __init__(self, d, rng):
        self.d, self.rng, self.made = d, rng, 0
        self.there = []

    def add(self):
        self.made += 1
        t = Torrent(f'chaos {self.made}', self.rng.randrange(1, 200000), seed=self.made,
                    private=self.rng.random() < 0.3)
        if self.rng.random() < 0.4:
            t.write(self.d.downloads)
        reply = self.d.http('POST', '/addtorrentfile',
                            {'start': self.rng.choice(('true', 'false')), 'top': self.rng.choice(('true', 'false'))}, t.data)
        equal(reply.status, 200, reply.body)
        self.there.append(t)

    def remove(self):
        t = self.there.pop(self.rng.randrange(len(self.there)))
        self.d.ok('/removetorrent', infohash=t.hex, delete=self.rng.choice(('true', 'false')))

    def change(self):
        path, params = self.rng.choice((
            ('/starttorrent', {}), ('/stoptorrent', {}), ('/starttorrent', {'force': 'true'}), ('/rechecktorrent', {}),
            ('/setdownrate', {'rate': self.rng.randrange(5)}), ('/setuprate', {'rate': self.rng.randrange(5)}),
            ('/setsequential', {'on': self.rng.choice(('true', 'false'))}),
            ('/setfilepriority', {'files': 'all', 'priority': self.rng.choice(('skip', 'normal'))}),
            ('/queuemove', {'to': self.rng.choice(('top', 'up', 'down', 'bottom'))})))
        self.d.ok(path, infohash=self.rng.choice(self.there).hex, **params)

    def step(self):
        if not self.there or (len(self.there) < 12 and self.rng.random() < 0.3):
            self.add()
        elif self.rng.random() < 0.2:
            self.remove()
        else:
            self.change()


@case
def whatever_happens_a_kept_list_is_the_list():
    rng = random.Random(SEED)
    with Daemon({'queue.downloads': 2, 'queue.seeds': 2}) as d:
        chaos = Chaos(d, rng)
        often, seldom = Mirror().follow(d), Mirror().follow(d)
        live = Live(d)
        for turn in range(6):
            for _ in range(25):
                chaos.step()
                often.follow(d)
            agree(d, often, seldom, Mirror().pages(d, 5))
            wait_shown(d, often)
            live.agrees_with(often)
            if turn % 3 == 2:
                d.restart(clean=turn % 2 == 0)
        wait_shown(d, often)
        agree(d, often, seldom)
        live.agrees_with(often.follow(d))
        live.follower.close()
        equal(live.mirror.resets, 3, 'lists that were taken: one each run')


# --- events

class Live:
    """A list that is kept by events: taken when it is said that it has to be, and then only what the events say."""

    def __init__(self, d):
        self.d, self.mirror, self.lock = d, Mirror(), threading.Lock()
        self.follower = Follower(d, self.take, every=250)

    def take(self, name, data):
        with self.lock:
            if name == 'reset' or (name == 'hello' and self.mirror.epoch is None):
                self.mirror.follow_anew(self.d)
            elif name == 'torrents' and data['rev'] > self.mirror.rev:
                self.mirror.apply(data, overlaps=True)

    def agrees_with(self, mirror):
        def same():
            check(self.follower.error is None, 'the follower failed:', self.follower.error)
            with self.lock:
                return self.mirror.rows == mirror.follow(self.d).rows
        wait_for(same, lambda: f'events told all: {self.mirror.rows} and {mirror.rows}')


@case
def events_begin_go_on_and_end():
    with Daemon() as d:
        with Events(d, every=250) as stream:
            equal((stream.status, stream.headers['content-type'], stream.headers['cache-control'],
                   stream.headers['x-accel-buffering']), (200, 'text/event-stream; charset=utf-8', 'no-store', 'no'))
            name, hello = stream.next()
            equal((name, hello['rev'], hello['every']), ('hello', 0, 250))
            check(len(hello['epoch']) == 16 and hello['version'] and hello['now'], hello)
            equal(stream.last_id, f'{hello["epoch"]}.0')
            equal(stream.wait('stats')['counts']['stopped'], 0)
            t = Torrent('event', 1000)
            d.add(t, start='false')
            told = stream.wait('torrents')
            equal((told['reset'], [dict(zip(told['fields'], row))['name'] for row in told['add']]), (False, ['event']))
            check('next' not in told, 'a page in a stream')
            equal(stream.wait('stats')['counts']['stopped'], 1)
            point = stream.last_id
            d.ok('/setdownrate', infohash=t.hex, rate=7)
            told = stream.wait('torrents')
            equal((told['add'], told['set'][0][1]['down_limit']), ([], 7 * 1024))
            # Who comes back hears what it missed, by the header of a browser that does by itself, too.
            for more in ({'since': point}, {'headers': {'Last-Event-ID': point}},
                         {'headers': {'Last-Event-ID': point}, 'since': 'ffffffffffffffff.3'}):
                with Events(d, **more) as again:
                    equal(again.next()[0], 'hello')
                    equal([n for n, _ in again.next()[1]['set']], [told['set'][0][0]])
            with Events(d, since='ffffffffffffffff.3') as other:
                equal([other.next()[0], other.next()], ['hello', ('reset', {'reason': 'restarted'})])
            with Events(d, since=hello['epoch'] + '.99999') as future:
                equal([future.next()[0], future.next()], ['hello', ('reset', {'reason': 'too_old'})])
            d.terminate()
            equal(stream.wait('bye'), {'reason': 'stopping'})
            try:
                got = stream.next()
                check(False, 'after the end', got)
            except Ended:
                pass
        d.start()
        for bad in ({'every': '249'}, {'every': '10001'}, {'every': 'x'}, {'since': 'x'}, {'fields': 'x'}, {'to': '1'}):
            equal(d.get('/api/v1/events', **bad).status, 422, bad)
        equal(d.http('POST', '/api/v1/events').status, 405)
        equal(d.http('HEAD', '/api/v1/events').status, 200)
        with Events(d, fields='name') as stream:
            stream.wait('hello')
            d.ok('/setdownrate', infohash=t.hex, rate=8)
            d.ok('/setuprate', infohash=t.hex, rate=8)
            d.add(Torrent('another', 5), start='false')
            told = stream.wait('torrents')
            equal((told['fields'], told['set'], told['add'][0][1]), (['n', 'name'], [], 'another'))


@case
def a_heartbeat_outlives_the_timeout_of_the_api():
    with Daemon({'api.timeout': '2s'}) as d:
        with Events(d) as stream:
            started = time.monotonic()
            for _ in range(2):
                name, data = stream.next()
                while name != 'tick':
                    name, data = stream.next()
                check(abs(data['now'] - time.time()) < 5, data)
            check(17 < time.monotonic() - started < 30, 'two ticks took', time.monotonic() - started)


@case
def so_many_streams_and_no_more():
    with Daemon({'api.connections': 70}) as d:
        streams = [Events(d, every=250) for _ in range(64)]
        for s in streams:
            equal(s.next()[0], 'hello')
        with Events(d) as refused:
            equal(refused.status, 503)
        # They have none of the places of others.
        idle = [http.client.HTTPConnection(d.host, d.api_port) for _ in range(60)]
        for c in idle:
            c.request('GET', '/healthz')
            equal(c.getresponse().read() != b'', True)
        d.add(Torrent('for all', 1000), start='false')
        for s in streams:
            equal(len(s.wait('torrents')['add']), 1)
        for s in streams[:5]:
            s.close()

        def free():
            with Events(d) as one:
                return one.status == 200
        wait_for(free, 'a place is free again')
        for s in streams[5:] + idle:
            s.close()


@case
def who_stops_reading_costs_nothing():
    with Daemon() as d:
        torrents = [Torrent(f'{"long " * 30}{i}', 1000, seed=i) for i in range(40)]
        for t in torrents:
            d.add(t, start='false')
        stuck = [Events(d, every=250, size=4096) for _ in range(40)]
        reader = Events(d, every=250)
        reader.wait('stats')

        def stir(n):
            for i in range(n):
                for t in torrents:
                    d.ok('/setdownrate', infohash=t.hex, rate=i + 1)
                    d.ok('/setuprate', infohash=t.hex, rate=i + 1)
                reader.wait('torrents')
        stir(5)
        before = resident(d)
        stir(25)
        if MEASURABLE:
            grown = resident(d) - before
            check(grown < 4 << 20, f'{grown} bytes more for 40 streams that nobody reads')
        started = time.monotonic()
        equal(d.get('/healthz').status, 200)
        check(time.monotonic() - started < 1, 'an answer took', time.monotonic() - started)
        # One that reads on is told all that it missed at once, not step by step.
        late, last = stuck[0], {}
        until = time.monotonic() + 20
        while len(last) < len(torrents) or set(last.values()) != {25 * 1024}:
            check(time.monotonic() < until, 'it never got there:', set(last.values()))
            name, data = late.next()
            if name == 'torrents':
                last.update((n, v['up_limit']) for n, v in data['set'] if 'up_limit' in v)
        took = d.terminate()
        check(took < 2, 'a stop with streams that nobody reads took', took)
        for s in stuck + [reader]:
            s.close()


@case
def a_change_among_ten_thousand_costs_what_a_change_costs():
    if not MEASURABLE:
        raise lib_tap.Skip('a figure of the program, not of a sanitizer')
    n, changed = 10000, 50
    with Daemon({'log.level': 'error'}) as d:
        hashes = []
        connection = http.client.HTTPConnection(d.host, d.api_port)
        for i in range(n):
            t = Torrent(f'one of many {i}', 16, seed=i, piece_length=16384)
            connection.request('POST', '/addtorrentfile?start=false', t.data)
            reply = connection.getresponse()
            equal((reply.status, reply.read() and 0), (200, 0))
            hashes.append(t.hex)
        wait_for(lambda: all(row[1] == 'stopped' for row in ask(d, fields='state')['add']), 'all are there')
        used = cpu_us(d)
        m = Mirror().follow(d)
        print(f'# the list of {n}: {(cpu_us(d) - used) / 1000:.1f} ms of CPU time')
        equal(len(m.rows), n)
        costs = []
        for turn in range(10):
            for h in hashes[turn * changed:(turn + 1) * changed]:
                d.ok('/setdownrate', infohash=h, rate=turn + 1)
            used = cpu_us(d)
            news = ask(d, since=m.point)
            costs.append(cpu_us(d) - used)
            equal((len(news['set']), news['add']), (changed, []))
            m.apply(news)
        print(f'# {changed} changed of {n}: {sorted(costs)[5]:.0f} us of CPU time (median), '
              f'{len(json.dumps(news))} bytes')
        stream = Events(d, every=250)
        stream.wait('stats')
        time.sleep(0.5)
        used = cpu_us(d)
        time.sleep(4)
        print(f'# a stream with nothing to tell: {(cpu_us(d) - used) / 4:.0f} us of CPU time a second')
        check(sorted(costs)[5] < 20000, 'it costs as much as all of them would:', costs)
        agree(d, m)
        stream.close()


if __name__ == '__main__':
    lib_tap.main()
