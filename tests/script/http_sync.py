#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Keeping a list: who takes the list once and then what changed has, whatever happens, what a new list has."""
import json
import os
import random

import lib_tap
from lib_daemon import Daemon
from lib_peer import Seed
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent

SEED = int(os.environ.get('S', '1'))


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

    def apply(self, news):
        if news['reset']:
            self.rows, self.resets = {}, self.resets + 1
        else:
            equal(news['epoch'], self.epoch, 'epoch')
            check(news['rev'] >= self.rev, 'from', self.rev, 'back to', news['rev'])
        for row in news['add']:
            equal(len(row), len(news['fields']), 'values of a row')
            row = dict(zip(news['fields'], row))
            self.rows[row['n']] = row
        for n, values in news['set']:
            check(n in self.rows, 'a change of', n, 'which was never told')
            check(values.keys() <= self.rows[n].keys(), 'unknown fields in', values)
            self.rows[n].update(values)
        for n in news['gone']:
            check(self.rows.pop(n, None) is not None, n, 'went and was never there')
        self.epoch, self.rev = news['epoch'], news['rev']
        return self

    def follow(self, d, **params):
        return self.apply(ask(d, since=self.point, **params) if self.epoch else ask(d, **params))

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
        # One that was told, and one that never was, went: only the former is named.
        m.rows = {n: row for n, row in m.rows.items()}
        news = ask(d, since=m.point)
        for n in news['gone']:
            m.rows.setdefault(n, {})
        m.apply(news)
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
def who_came_and_went_meanwhile_is_not_named():
    with Daemon() as d:
        stays = Torrent('stays', 10)
        d.add(stays, start='false')
        m = Mirror().follow(d)
        before = m.point
        torrents = [Torrent(f'goes {i}', 1, seed=i) for i in range(40)]
        for _ in range(4):
            for t in torrents:
                equal(d.http('POST', '/addtorrentfile', {'start': 'false'}, t.data).status, 200)
            for t in torrents:
                d.ok('/removetorrent', infohash=t.hex)
            m.follow(d)
        equal((m.resets, ask(d, since=before)['gone']), (1, []), 'who came and went since is not named')
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
        for turn in range(6):
            for _ in range(25):
                chaos.step()
                often.follow(d)
            agree(d, often, seldom, Mirror().pages(d, 5))
            wait_shown(d, often)
            if turn % 3 == 2:
                d.restart(clean=turn % 2 == 0)
        wait_shown(d, often)
        agree(d, often, seldom)


if __name__ == '__main__':
    lib_tap.main()
