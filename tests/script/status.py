#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Status by ZeroMQ: what is published, to whom, and that who comes late or reads slowly can have all of it."""
import json
import os
import random
import stat
import subprocess
import sys
import threading
import time

import zmq

import lib_daemon
import lib_tap
from lib_actions import act
from lib_daemon import BINARY, Daemon, free_port, run_binary
from lib_peer import Seed
from lib_tap import PATIENCE, case, check, equal, never, wait_for
from lib_torrent import Torrent

SEED = int(os.environ.get('S', '1'))
DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../docs/subscribe.md')


class Publishing(Daemon):
    """One that publishes at files of its own, or at ports for who has a key."""

    def __init__(self, tcp=False, **options):
        super().__init__({k.replace('__', '.'): v for k, v in {'status__every': '100ms', **options}.items()})
        if tcp:
            self.at, self.snapshot_at = (f'tcp://127.0.0.1:{free_port()}' for _ in range(2))
        else:
            self.at, self.snapshot_at = (f'ipc://{self.root}/{name}' for name in ('status', 'snapshot'))
        self.options.update({'status.bind': self.at, 'status.snapshot_bind': self.snapshot_at})


class Subscriber:
    """One that keeps what it was told: topic -> (sequence, data)."""

    def __init__(self, d, *prefixes, keys=None, server=None, hwm=0):
        self.context = zmq.Context()
        self.sub, self.ask = self.context.socket(zmq.SUB), self.context.socket(zmq.REQ)
        self.sub.setsockopt(zmq.RCVHWM, hwm)
        for sock in (self.sub, self.ask):
            sock.setsockopt(zmq.LINGER, 0)
            sock.setsockopt(zmq.RCVTIMEO, int(PATIENCE * 1000))
            if keys:
                sock.curve_publickey, sock.curve_secretkey = keys
                sock.curve_serverkey = server
        self.sub.connect(d.at)
        self.ask.connect(d.snapshot_at)
        self.seen, self.gaps, self.log = {}, [], []
        self.subscribed = []
        for prefix in prefixes:
            self.sub.subscribe(prefix)

    def snapshot(self, prefix=''):
        self.ask.send_string(prefix)
        topics = json.loads(self.ask.recv())['topics']
        return {t['topic']: (t['sequence'], t['data']) for t in topics}

    def take(self, flags=0):
        """One message; False: there is none."""
        try:
            topic, sequence, data = self.sub.recv_multipart(flags)
        except zmq.Again:
            return False
        topic, sequence, data = topic.decode(), int.from_bytes(sequence, 'little'), json.loads(data)
        if 'subscribed' in data:
            equal((topic, sequence), (data['subscribed'], 0), 'what says that the subscription counts')
            self.subscribed.append(topic)
            return True
        self.log.append((topic, sequence, data))
        before = self.seen.get(topic)
        if data.get('state') == 'removed':  # one that is added again begins anew, further on
            self.seen = {t: was for t, was in self.seen.items() if not t.startswith(topic[:49])}
        if before and sequence <= before[0]:
            return True
        if before and sequence > before[0] + 1 and before[1].get('state') != 'removed':
            self.gaps.append(topic)
        self.seen[topic] = (sequence, data)
        return True

    def drain(self):
        while self.take(zmq.NOBLOCK):
            pass
        return self

    def wait_subscribed(self, n=1):
        while len(self.subscribed) < n:
            check(self.take(), 'the subscription is not acknowledged')
        return self

    def states(self):
        return {topic.split('/')[1]: data['state'] for topic, (_, data) in self.seen.items()
                if topic.endswith('/state') and data['state'] != 'removed'}

    def close(self):
        self.context.destroy(linger=0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def listed(d):
    answer = json.loads(d.get('/api/v1/torrents').body)
    return [dict(zip(answer['fields'], row)) for row in answer['add']]


def messages_of(d, actor):
    """{message: how often that actor sent it}"""
    actors = json.loads(d.get('/debug/actors').body)['actors']
    messages = next(a for a in actors if a['name'] == actor)['messages']
    return {name: m['out'] for name, m in messages.items() if m['out'] > 0}


@case
def nothing_is_made_for_nobody():
    with Publishing() as d:
        d.add(Torrent('alone', 1000), start='false')
        never(lambda: 'TORRENT_ROWS' in messages_of(d, 'status'), 'a question for nobody', 1.0)
        with Subscriber(d, 'session/') as s:
            s.wait_subscribed()
            wait_for(lambda: messages_of(d, 'status').get('TORRENT_ROWS', 0) > 1, 'questions for somebody')
            d.ok('/setglobaldownrate', rate=100)
            wait_for(lambda: s.drain().seen.get('session/stats', (0, {}))[1].get('down_limit') == 102400, 'stats')
            equal(list(s.seen), ['session/stats'])
            check('STORE_PIECES' not in messages_of(d, 'status'), 'pieces were asked for')

        def rests():
            before = messages_of(d, 'status')['TORRENT_ROWS']
            time.sleep(0.5)
            return messages_of(d, 'status')['TORRENT_ROWS'] == before
        wait_for(rests, 'no questions once the subscriber has gone')


@case
def topics_of_a_torrent():
    a, b = Torrent('watched', 400000, seed=1), Torrent('other', 400000, seed=2)
    with Publishing() as d, Subscriber(d, f'torrent/{a.hex}/', f'torrent/{b.hex}/piece') as s:
        s.wait_subscribed(2)
        d.add(a)
        d.add(b)
        with Seed(a) as one, Seed(b) as two:
            one.dial(d)
            two.dial(d)
            d.wait_done(a)
            d.wait_done(b)

            def whole():
                s.drain()
                got = {t: sorted(p for topic, _, data in s.log if topic == f'torrent/{t.hex}/piece' for p in data['pieces'])
                       for t in (a, b)}
                return got == {a: list(range(a.pieces)), b: list(range(b.pieces))}
            wait_for(whole, lambda: f'all pieces: {s.log}')
        row = [r for r in listed(d) if r['hash'] == a.hex][0]

        def as_listed():
            s.drain()
            told = {}
            for kind in ('state', 'progress'):
                told.update(s.seen.get(f'torrent/{a.hex}/{kind}', (0, {}))[1])
            return told == [r for r in listed(d) if r['hash'] == a.hex][0]
        wait_for(as_listed, lambda: f'{row}: {s.seen}')
        states = [data['state'] for topic, _, data in s.log if topic == f'torrent/{a.hex}/state']
        equal(states[-1], 'seeding')
        path = os.path.join(d.downloads, 'watched')
        os.unlink(path)
        os.mkdir(path)
        d.ok('/rechecktorrent', infohash=a.hex)
        d.wait_status(a, 'downloading', 'error')
        with Seed(a).dial(d):
            wait_for(lambda: s.drain().seen.get(f'torrent/{a.hex}/error', (0, {}))[1].get('error'), lambda: f'the error: {s.seen}')
        d.ok('/removetorrent', infohash=a.hex)
        wait_for(lambda: s.drain().seen[f'torrent/{a.hex}/state'][1] == {'hash': a.hex, 'state': 'removed'}, 'it is gone')
        equal((s.gaps, {t.split('/')[1] for t in s.seen}), ([], {a.hex, b.hex}))
        equal({t for t in s.seen if b.hex in t}, {f'torrent/{b.hex}/piece'}, 'what was not subscribed to')


def churn(d, torrents, ended):
    """Changes at random, until it is told to end."""
    chance, there = random.Random(SEED), set()
    while not ended.is_set():
        t = chance.choice(torrents)
        if t not in there:
            d.add(t.data, start=chance.choice(('true', 'false')))
            there.add(t)
        elif chance.random() < 0.2:
            there.discard(t)
            d.ok('/removetorrent', infohash=t.hex)
            wait_for(lambda: d.get('/torrentdata', infohash=t.hex).status == 404, 'removed')
        else:
            d.ok(chance.choice(('/starttorrent', '/stoptorrent')), infohash=t.hex)


class Documented:
    """The program of docs/subscribe.md."""

    def __init__(self, d, prefix):
        with open(DOCS, encoding='utf-8') as f:
            lines = f.read().split('    import json, sys, zmq\n')[1].split('\n\n(')[0]
        code = 'import json, sys, zmq\n' + '\n'.join(line[4:] for line in lines.split('\n'))
        self.process = subprocess.Popen([sys.executable, '-c', code, d.at, d.snapshot_at, prefix], stdout=subprocess.PIPE, text=True)
        lib_daemon.LIVE.add(self.process)
        self.states = {}
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            topic, data = line.split(' ', 1)
            data = json.loads(data)
            if topic.endswith('/state'):
                self.states[data['hash']] = data['state']

    def close(self):
        self.process.kill()
        self.process.wait()
        lib_daemon.LIVE.discard(self.process)
        self.thread.join(PATIENCE)
        self.process.stdout.close()


@case
def who_comes_late_misses_nothing():
    torrents = [Torrent(f't{i}', 1000 + i, seed=i) for i in range(12)]
    with Publishing() as d:
        ended = threading.Event()
        changes = threading.Thread(target=churn, args=(d, torrents, ended), daemon=True)
        changes.start()
        programs = []
        try:
            for prefix in ('torrent/', '', f'torrent/{torrents[0].hex}/'):
                programs.append((prefix, Documented(d, prefix)))
                wait_for(lambda: programs[-1][1].states or prefix.count('/') == 2, 'it is told something')
            for _ in range(5):  # and one that checks each sequence
                with Subscriber(d, 'torrent/') as s:
                    s.wait_subscribed()
                    s.seen = s.snapshot('torrent/')
                    wait_for(lambda: len(s.drain().log) > 20, 'news')
                    equal(s.gaps, [])
            ended.set()
            changes.join(PATIENCE)

            def agree():
                now = {r['hash']: r['state'] for r in listed(d)}
                return all({h: w for h, w in p.states.items() if w != 'removed'} ==
                           {h: w for h, w in now.items() if f'torrent/{h}/state'.startswith(prefix)} for prefix, p in programs)
            wait_for(agree, lambda: f'{listed(d)} is {[p.states for _, p in programs]}')
        finally:
            ended.set()
            for _, p in programs:
                p.close()


@case
def over_restarts():
    a = Torrent('kept', 1000, seed=1)
    with Publishing() as d, Subscriber(d, 'torrent/') as s:
        s.wait_subscribed()
        d.add(a, start='false')
        wait_for(lambda: s.drain().states() == {a.hex: 'stopped'}, 'it is told')
        for clean in (True, False):
            before = s.seen[f'torrent/{a.hex}/state'][0]
            n = len(s.subscribed)
            d.restart(clean)
            s.wait_subscribed(n + 1)
            snapshot = s.snapshot('torrent/')
            check(snapshot[f'torrent/{a.hex}/state'][0] > before, 'a sequence of before')
            equal(set(snapshot), {f'torrent/{a.hex}/{kind}' for kind in ('state', 'progress', 'error', 'piece')})
            s.seen = snapshot
            d.ok('/setdownrate', infohash=a.hex, rate=n)
            wait_for(lambda: s.drain().seen[f'torrent/{a.hex}/state'][1]['down_limit'] == n * 1024, 'it goes on')
        equal(s.gaps, [])


ROUNDS = 30  # of messages on the topics of all: more than may wait for one who does not read


@case
def a_slow_one_loses_its_own():
    torrents = [Torrent('much to say ' * 20 + str(i), 1000 + i, seed=i) for i in range(80)]
    with Publishing() as d:
        for t in torrents:
            d.add(t.data, start='false')
        with Subscriber(d, 'torrent/', hwm=1) as slow, Subscriber(d, 'torrent/') as quick:
            slow.wait_subscribed()
            slow.seen = slow.snapshot()
            quick.wait_subscribed()
            quick.seen = quick.snapshot()
            last = {f'torrent/{t.hex}/state' for t in torrents}
            for rate in range(1, ROUNDS + 1):
                act(d, 'limits', torrents, down=rate)
                wait_for(lambda rate=rate: all(quick.drain().seen[topic][1]['down_limit'] == rate for topic in last), 'a round')
            equal(quick.gaps, [], 'who reads loses nothing')
            # What was kept for it is taken now; the next message of a topic tells that there was more.
            rates = iter(range(1000, 100000))

            def is_told_again():
                slow.drain()
                rate = next(rates)
                act(d, 'limits', torrents, down=rate)
                wait_for(lambda: all(quick.drain().seen[topic][1]['down_limit'] == rate for topic in last), 'a round')
                end = time.monotonic() + 2
                while time.monotonic() < end and slow.sub.poll(500):
                    slow.drain()
                return all(slow.seen[topic][1]['down_limit'] == rate for topic in last)
            wait_for(is_told_again, 'who reads again is told again')
            check(slow.gaps, 'nothing was lost, or it cannot be told')
            snapshot = slow.snapshot()
            check(all(snapshot[topic] == slow.seen[topic] for topic in last), 'the snapshot goes on from there')


@case
def keys():
    good, other = zmq.curve_keypair(), zmq.curve_keypair()
    with Publishing(tcp=True, status__curve='true', status__clients=f'"{good[0].decode()}"') as d:
        path = os.path.join(d.state, 'status.key')
        equal(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(os.path.join(d.state, 'status.pub'), 'rb') as f:
            server = f.read().strip()
        d.add(Torrent('secret', 1000), start='false')
        with Subscriber(d, '', keys=good, server=server) as s, Subscriber(d, '', keys=other, server=server) as wrong, \
                Subscriber(d, '', keys=good, server=other[0]) as fooled, Subscriber(d, '') as plain:
            s.wait_subscribed()
            check(s.snapshot('session/'), 'no snapshot')
            for no in (wrong, fooled, plain):
                try:
                    no.ask.send_string('', zmq.NOBLOCK)
                except zmq.Again:
                    pass  # it has been turned away already, and has nobody to send to
            for i in range(3):
                d.ok('/setglobaldownrate', rate=i + 5)
                wait_for(lambda: s.drain().seen.get('session/stats', (0, {}))[1].get('down_limit') == (i + 5) * 1024, 'stats')
            for no in (wrong, fooled, plain):
                check(not no.take(zmq.NOBLOCK) and no.ask.poll(100) == 0, 'somebody without the key was told')
        check('status_refused' in d.log(), 'not logged')
        with open(path, 'rb') as f:
            secret = f.read()
        # Another client, without a start; the server stays who it was over one.
        d.options.pop('status.clients')
        d.write_config(f'[status]\nclients = "{other[0].decode()}"\n')
        d.restart()
        with open(path, 'rb') as f:
            equal(f.read(), secret)
        with Subscriber(d, '', keys=other, server=server) as s:
            s.wait_subscribed()
        d.write_config(f'[status]\nclients = "{good[0].decode()}"\n')
        d.process.send_signal(lib_daemon.signal.SIGHUP)

        def comes_in():
            """Who was turned away does not come again by itself."""
            with Subscriber(d, '', keys=good, server=server) as s:
                return s.sub.poll(2000) != 0 and bool(s.drain().subscribed)
        wait_for(comes_in, 'who was added by a reload comes in')


@case
def starts_that_are_refused():
    key = zmq.curve_keypair()[0].decode()
    for options, words in [
            ({'bind': 'tcp://0.0.0.0:8091'}, 'which others can reach'), ({'bind': 'tcp://192.0.2.7:8091', 'curve': 'true'}, 'which others'),
            ({'snapshot_bind': 'tcp://[2001:db8::1]:80', 'clients': f'"{key}"'}, 'which others can reach'),
            ({'bind': 'tcp://*:8091'}, 'ipc:// and the whole path'), ({'bind': 'tcp://localhost:1'}, 'ipc:// and'),
            ({'bind': 'ipc://relative'}, 'whole path'), ({'bind': 'udp://127.0.0.1:1'}, 'whole path'),
            ({'bind': 'ipc:///' + 'x' * 120}, 'whole path'), ({'clients': '"short"'}, '40 characters')]:
        status, _, err = run_binary('--check-config', *(f'--status.{k}={v}' for k, v in options.items()), home='/tmp')
        check(status == 2 and words in err, options, status, err)
    status, _, err = run_binary('--check-config', '--status.bind=tcp://0.0.0.0:8091', '--status.curve=true', f'--status.clients="{key}"', home='/tmp')
    equal((status, err), (0, ''), 'with keys')
    with Publishing() as d:
        precious = f'{d.root}/precious'
        with open(precious, 'w', encoding='ascii') as f:
            f.write('kept')
        for what, words in ((d.at, 'is taken'), (f'ipc://{precious}', 'is taken'), ('ipc:///nonexistent/x', 'cannot publish')):
            done = subprocess.run([BINARY, f'--state.dir={d.root}/other', f'--download.dir={d.downloads}', '--api.port=0',
                                   f'--peers.port={free_port()}', f'--status.bind={what}'], capture_output=True, text=True, timeout=PATIENCE)
            check(done.returncode == 1 and words in done.stderr, what, done)
        with open(precious, encoding='ascii') as f:
            equal(f.read(), 'kept')
        with Subscriber(d, '') as s:
            s.wait_subscribed()
        d.terminate()
        with open(os.path.join(d.state, 'status.key'), 'w', encoding='ascii') as f:
            f.write('no key\n')
        d.options['status.curve'] = 'true'
        d.spawn()
        equal(d.process.wait(PATIENCE), 1)
        lib_daemon.LIVE.discard(d.process)
        check('it holds none' in d.log(), d.log())


@case
def strangers_who_say_nonsense():
    with Publishing() as d:
        d.add(Torrent('here', 1000), start='false')
        context = zmq.Context()
        try:
            dealer, sub = context.socket(zmq.DEALER), context.socket(zmq.XSUB)
            dealer.connect(d.snapshot_at)
            sub.connect(d.at)
            for frames in ([b'x' * 1000], [b'', b'', b'', b'a', b'b'], [b''], [b'', b''], [b'torrent/'] * 5, [b'y' * 100000]):
                dealer.send_multipart(frames)
            for text in (b'\x01' + b'z' * 900, b'\x02what', b'', b'\x01\xff\xfe\x00', b'\x00never', b'\x01' + b'q' * 100000):
                sub.send(text)
            with Subscriber(d, 'torrent/') as s:
                s.wait_subscribed()
                equal(len(s.snapshot('torrent/')), 4)
                equal(s.snapshot('nothing like it'), {})
                equal(len(s.snapshot('torrent/' + 'f' * 300)), 0)
            d.alive()
        finally:
            context.destroy(linger=0)


if __name__ == '__main__':
    lib_tap.main()
