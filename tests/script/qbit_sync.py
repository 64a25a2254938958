#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""sync/maindata of qBittorrent's Web API: who takes everything once and then what changed has what a new app has."""
import os
import random
import time

import lib_tap
from lib_daemon import Daemon
from lib_peer import Seed
from lib_qbit import Mirror, Qbit
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent

SEED = int(os.environ.get('S', '1'))
# What the clock alone changes.
CLOCK = {'seeding_time', 'time_active'}


def seen(mirror):
    return ({h: {k: v for k, v in t.items() if k not in CLOCK} for h, t in mirror.torrents.items()}, mirror.categories,
            mirror.tags, mirror.trackers)


def agree(qbit, mirror):
    """The mirror, brought up to date, has what somebody has who asks for the first time."""
    what = {}

    def same():
        what['kept'] = seen(mirror.follow())
        what['new'] = seen(Mirror(qbit).follow())
        return what['kept'] == what['new']

    def words():
        for kept, new in zip(what['kept'], what['new']):
            if kept != new:
                both = [(k, kept.get(k), new.get(k)) for k in {*kept, *new} if kept.get(k) != new.get(k)] if isinstance(kept, dict) else (kept, new)
                return f'deltas lead to the list; they differ (kept, new): {both}'
        return 'deltas lead to the list'
    wait_for(same, words)


@case
def what_changes_is_told_and_nothing_else():
    with Daemon() as d:
        qbit = Qbit(d)
        a, b = Torrent('a', 1000, trackers=['http://x.test/announce']), Torrent('b', 1000, seed=2)
        for t in (a, b):
            qbit.add(t, paused='true')
            d.wait_ready(t)
        m = Mirror(qbit)
        agree(qbit, m)
        equal((m.full, set(m.torrents), m.trackers), (1, {a.hex, b.hex}, {'http://x.test/announce': [a.hex]}))
        check('hash' not in m.torrents[a.hex], 'it is the key')
        equal(set(m.follow().last), {'rid', 'server_state'})
        check(0 < m.rid < 2**31, m.rid)
        qbit.ok('torrents/toggleSequentialDownload', hashes=a.hex)
        news = m.follow().last
        equal(set(news), {'rid', 'server_state', 'torrents'})
        equal((set(news['torrents']), news['torrents'][a.hex]['seq_dl']), ({a.hex}, True))
        check('name' not in news['torrents'][a.hex] and 'downloaded' not in news['torrents'][a.hex], news)
        qbit.ok('torrents/addTags', hashes=b.hex, tags='x')
        equal(m.follow().last['tags'], ['x'])
        qbit.ok('torrents/delete', hashes=b.hex, deleteFiles='false')
        wait_for(lambda: m.follow().last.get('torrents_removed') == [b.hex], 'who went is named')
        equal(m.full, 1)
        qbit.ok('torrents/createCategory', category='c')
        agree(qbit, m)
        equal((m.categories, m.full), ({'c': {'name': 'c', 'savePath': ''}}, 2))


@case
def who_went_and_came_back_is_there():
    with Daemon() as d:
        qbit = Qbit(d)
        t = Torrent('t', 1000)
        qbit.add(t, paused='true')
        m = Mirror(qbit).follow()
        qbit.ok('torrents/delete', hashes=t.hex, deleteFiles='false')
        wait_for(lambda: qbit.send({'paused': 'true'}, t.data).body == b'Ok.', 'it is added again')
        news = m.follow().last
        equal((set(news['torrents']), news.get('torrents_removed')), ({t.hex}, None))
        agree(qbit, m)


@case
def an_answer_of_another_run_means_everything():
    with Daemon() as d:
        qbit = Qbit(d)
        qbit.add(Torrent('t', 1000), paused='true')
        m = Mirror(qbit).follow()
        equal(m.follow().full, 1)
        d.restart()
        equal(m.follow().full, 2)
        agree(qbit, m)


@case
def places_in_the_queue_follow_those_that_move():
    with Daemon({'queue.downloads': 1}) as d:
        qbit = Qbit(d)
        torrents = [Torrent(f't{i}', 1000, seed=i) for i in range(4)]
        for t in torrents:
            qbit.add(t, paused='true')
        m = Mirror(qbit)
        agree(qbit, m)
        qbit.ok('torrents/topPrio', hashes=torrents[3].hex)
        m.follow()
        equal([m.torrents[t.hex]['priority'] for t in torrents], [2, 3, 4, 1])
        qbit.ok('torrents/delete', hashes=torrents[0].hex, deleteFiles='false')
        agree(qbit, m)
        equal(([m.torrents[t.hex]['priority'] for t in torrents[1:]], m.full), ([2, 3, 1], 1))


@case
def a_tracker_that_nobody_has_any_more_is_gone():
    with Daemon() as d:
        qbit = Qbit(d)
        a = Torrent('a', 1000, trackers=['http://a.test/announce', 'http://b.test/announce'])
        b = Torrent('b', 1000, seed=2, trackers=['http://b.test/announce'])
        m, late = Mirror(qbit), Mirror(qbit)
        for t in (a, b):
            qbit.add(t, paused='true')
            agree(qbit, m)
        late.follow()
        qbit.ok('torrents/delete', hashes=a.hex, deleteFiles='false')
        agree(qbit, m)
        equal(m.trackers, {'http://b.test/announce': [b.hex]})
        agree(qbit, late)


class Chaos:
    """Random changes by two dialects and a swarm."""

    def __init__(self, d, rng):
        self.d, self.qbit, self.rng, self.torrents, self.n = d, Qbit(d), rng, {}, 0

    def add(self):
        self.n += 1
        urls = self.rng.sample(['http://a.test/announce', 'http://b.test/announce', 'udp://c.test:80'], self.rng.randrange(3))
        t = Torrent(f't{self.n}', self.rng.randrange(1, 100000), seed=self.n, trackers=urls)
        self.qbit.add(t, paused=self.rng.choice(['true', 'false']), category=self.rng.choice(['', 'tv', 'films']),
                      tags=self.rng.choice(['', 'x', 'y,z']))
        self.torrents[t.hex] = t

    def remove(self):
        t = self.torrents.pop(self.rng.choice(list(self.torrents)))
        self.qbit.ok('torrents/delete', hashes=t.hex, deleteFiles=self.rng.choice(['true', 'false']))

    def fetch(self):
        t = self.torrents[self.rng.choice(list(self.torrents))]
        self.qbit.ok('torrents/setForceStart', hashes=t.hex, value='true')
        self.d.wait_ready(t)
        with Seed(t).dial(self.d):
            self.d.wait_done(t)

    def act(self):
        some = '|'.join(self.rng.sample(list(self.torrents), self.rng.randrange(1, len(self.torrents) + 1)))
        path, params = self.rng.choice([
            ('start', {}), ('stop', {}), ('toggleSequentialDownload', {}), ('toggleFirstLastPiecePrio', {}),
            ('setForceStart', {'value': self.rng.choice(['true', 'false'])}), ('setUploadLimit', {'limit': self.rng.randrange(9) * 1000}),
            ('setShareLimits', {'ratioLimit': self.rng.randrange(-2, 5), 'seedingTimeLimit': 900, 'inactiveSeedingTimeLimit': -1}),
            ('addTags', {'tags': self.rng.choice('uvwx')}), ('removeTags', {'tags': self.rng.choice('uvwx')}), ('recheck', {}),
            ('topPrio', {}), ('bottomPrio', {}), ('increasePrio', {})])
        self.qbit.ok('torrents/' + path, hashes=some, **params)

    def name(self):
        name = self.rng.choice(['tv', 'films', 'new'])
        path = self.rng.choice(['createCategory', 'removeCategories', 'createTags', 'deleteTags'])
        key = {'createCategory': 'category', 'removeCategories': 'categories'}.get(path, 'tags')
        reply = self.qbit.post('torrents/' + path, **{key: name})
        check(reply.status in (200, 409), path, name, reply.status)

    def label(self):
        self.d.ok('/setlabels', infohash=self.rng.choice(list(self.torrents)), labels=self.rng.choice(['', 'tv,q', 'q,r', 'films']))

    def step(self):
        steps = [self.act] * 6 + [self.add] * 3 + [self.remove, self.label, self.name, self.fetch]
        self.rng.choice(steps if len(self.torrents) > 2 else [self.add])()


@case
def deltas_over_random_changes_lead_to_the_list():
    with Daemon({'queue.downloads': 3}) as d:
        chaos = Chaos(d, random.Random(SEED))
        always, seldom = Mirror(chaos.qbit), Mirror(chaos.qbit)
        for i in range(150):
            chaos.step()
            always.follow()
            if i % 15 == 0:
                agree(chaos.qbit, always)
            if i % 40 == 0:
                agree(chaos.qbit, seldom)
        agree(chaos.qbit, always)
        agree(chaos.qbit, seldom)
        check(always.full < 60, always.full, 'of 150 answers were whole lists')


@case
def a_delta_of_a_long_list_is_short():
    """Fifty of a thousand, or of as many as TORRENTS says."""
    with Daemon() as d:
        qbit = Qbit(d)
        n = int(os.environ.get('TORRENTS', '1000'))
        links = [f'magnet:?xt=urn:btih:{i:040x}&dn=t{i}' for i in range(1, n + 1)]
        for at in range(0, n, 500):
            qbit.ok('torrents/add', urls='\n'.join(links[at:at + 500]), stopped='true')
        m = Mirror(qbit)
        began = time.monotonic()
        m.follow()
        full = time.monotonic() - began
        equal(len(m.torrents), n)
        agree(qbit, m)
        times = []
        for i in range(10):
            some = '|'.join(f'{k:040x}' for k in random.Random(i).sample(range(1, n + 1), 50))
            qbit.ok('torrents/toggleSequentialDownload', hashes=some)
            began = time.monotonic()
            m.follow()
            times.append(time.monotonic() - began)
            equal(len(m.last['torrents']), 50)
        print(f'# {n} torrents: all of them in {full * 1000:.1f} ms; 50 that changed in {sorted(times)[5] * 1000:.1f} ms (median of 10)')


if __name__ == '__main__':
    lib_tap.main()
