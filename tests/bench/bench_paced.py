# SPDX-License-Identifier: MIT
"""The rates that people have: lines of 160 and 800 Mbit, and fifty peers that give or take a little each.

Two hosts, each a network namespace, are joined by a bridge with the packets of an Ethernet. What leaves the one that
sends is paced by the kernel (tc, tbf). The client that is measured has the other host, or, when it serves, the paced
one. A flat-out generator hides what such a line shows: what each wake-up costs.
"""
import os
import shutil
import subprocess
import threading
import time

from bench_clients import ALL, OURS
from bench_lab import MIB, Clock, Failure, Space, Stats, Tracker, lines_of_json, poll, sh
from bench_rows import BLAST_PORT, FLOOR_PORT, PATIENCE, Bench, interleave, say

FAR_BLOCK = 16  # the third byte of the addresses that generators have
MANY = 50


class Line:
    """Two hosts and the paced line from `far` to `near`."""

    made = None

    def __init__(self):
        self.far, self.near = Space(Space.ETHERNET), Space(Space.ETHERNET)
        self.addresses = self.far.addresses(FAR_BLOCK, MANY)

    @classmethod
    def get(cls):
        cls.made = cls.made or cls()
        return cls.made


def floor_receive(lab, torrent, line, how):
    """The floor program takes one stream over the line."""
    folder = lab.folder()
    where, floor = f'{line.near.ip}:{FLOOR_PORT}', lab.programs['floor']
    out = os.path.join(folder, torrent.name)
    with open(os.path.join(folder, 'out'), 'w+', encoding='ascii') as text:
        receiver = lab.start([floor, how, where, out, str(torrent.size), str(torrent.piece_length)], folder,
                             'floor.log', stdout=text, space=line.near)
        lab.warm_memory(torrent.size)
        sender = lab.start([floor, 'send', where, torrent.path, str(torrent.size), '1'], folder, 'send.log',
                           space=line.far)
        try:
            receiver.popen.wait(PATIENCE)
            text.seek(0)
            told = lines_of_json(text.read())[0]
            if not torrent.same(out):
                raise Failure('the floor program received wrong bytes')
        finally:
            lab.end(sender)
            lab.end(receiver)
            shutil.rmtree(folder)
    return {'wall': told['wall'], 'cpu': told['user'] + told['sys'], 'user': told['user'], 'sys': told['sys'],
            'bytes': torrent.size}


class Watch(threading.Thread):
    """Asks the API twenty times a second while a run lasts; how long each answer took."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client, self.over, self.took = client, threading.Event(), []

    def run(self):
        while not self.over.wait(0.05):
            began = time.monotonic()
            if self.client.request('GET', '/healthz')[0] == 200:
                self.took.append(time.monotonic() - began)

    def stop(self):
        self.over.set()
        self.join(10)
        self.took.sort()
        return self.took[int(len(self.took) * 0.99)] if self.took else None


def receive(lab, kind, torrent, line, seeder, storage, watched=False):
    """One download by a fresh process on the near host; seeder: a real client, or None for the generators."""
    folder, blast, client, watch = lab.folder(storage), None, None, None
    try:
        if seeder is None:
            peers = [(ip, BLAST_PORT) for ip in line.addresses]
            blast = lab.blast(torrent, [f'{a}:{p}' for a, p in peers], folder, line.far)
        else:
            peers = [(seeder.ip, seeder.port)]
        lab.tracker.give(peers)
        client = kind(lab, 1, lab.folder(), space=line.near)
        target = os.path.join(folder, 'out')
        os.mkdir(target)
        time.sleep(0.3)
        lab.warm_memory(torrent.size)
        if watched:
            watch = Watch(client)
            watch.start()
        clock = Clock(client.pid)
        client.add(torrent, target)
        if blast is not None:
            poll(lambda: blast.stats.bytes >= torrent.size, PATIENCE, f'{client.key} asks for all', 0.005)
        # Asking costs the client, too: seldom, where no moment after the last byte is to be measured.
        client.wait(torrent, pause=0.2 if blast is None else 0.005)
        run = dict(clock.stop(), bytes=torrent.size)
        if blast is not None:
            run['tail'] = max(0.0, (time.monotonic_ns() - blast.stats.last) / 1e9)
            run['transfer'] = (time.monotonic_ns() - blast.stats.first) / 1e9
        if watch is not None:
            run['api_p99'] = watch.stop()
        client.end()
        if not torrent.same(os.path.join(target, torrent.name)):
            raise Failure('what was downloaded differs from the payload')
        return run
    finally:
        if watch is not None:
            watch.over.set()
        if client is not None:
            client.end()
        if blast is not None:
            lab.end(blast)
        shutil.rmtree(folder, ignore_errors=True)


def download(lab, key, size, mbit, many, opponents, budget, storage='tmpfs'):
    line = Line.get()
    speed = f'{mbit} Mbit' if mbit else 'unpaced'
    who = f'{MANY} generators' if many else '1 libtorrent seed'
    bench = Bench(key, f'download from {who}, {speed}, {size // MIB} MiB, {storage}')
    torrent = lab.torrent(size, Tracker.url(Space.HUB))
    seeder = None
    line.far.pace(mbit)
    try:
        if not many:
            lab.tracker.give([])
            seeder = ALL['libtorrent'](lab, 90, lab.folder(), space=line.far)
            seeder.add(torrent, torrent.folder)
            seeder.wait(torrent, 'seeds')
        rows = {'floor': lambda _: floor_receive(lab, torrent, line, 'recv'),
                'floor (lowat)': lambda _: floor_receive(lab, torrent, line, 'recvlowat')}
        for name in opponents:
            rows[name] = lambda _, kind=ALL[name]: receive(lab, kind, torrent, line, seeder, storage)
        rows['torrentd, watched'] = lambda _: receive(lab, ALL[OURS], torrent, line, seeder, storage, True)
        interleave(bench, rows, budget)
    finally:
        line.far.pace(0)
        if seeder is not None:
            seeder.end()
    return bench


def serve_run(lab, client, torrent, line, share):
    """The generators' leechers on the far host take their shares from the client."""
    folder = lab.folder()
    clock = Clock(client.pid)
    sink = lab.sink(torrent, client.address, MANY, share, folder, source=line.addresses[0], space=line.far)
    try:
        sink.popen.wait(PATIENCE)
        run = clock.stop()
        stats = sink.stats
        if stats.wrong or stats.errors or stats.bytes < MANY * share:
            raise Failure(f'{stats.wrong} wrong blocks, {stats.errors} broken connections, {stats.bytes >> 20} MiB came')
        run.update(bytes=stats.bytes, wall=stats.seconds())
        return run
    except subprocess.TimeoutExpired:
        raise Failure(f'{Stats(sink.stats.path).bytes >> 20} MiB in {PATIENCE} s') from None
    finally:
        lab.end(sink)
        shutil.rmtree(folder)


def floor_send(lab, torrent, line):
    """The floor program sends over one stream: blocking sends to fifty would wait for each other."""
    where, floor = f'{line.far.ip}:{FLOOR_PORT + 1}', lab.programs['floor']
    drain = lab.start([floor, 'drain', where, str(torrent.size), '1'], lab.memory, 'drain.log', space=line.far)
    try:
        with line.near:
            told = lines_of_json(sh(floor, 'send', where, torrent.path, str(torrent.size), '1', timeout=PATIENCE))[0]
        drain.popen.wait(60)
    finally:
        lab.end(drain)
    return {'wall': told['wall'], 'cpu': told['user'] + told['sys'], 'user': told['user'], 'sys': told['sys'],
            'bytes': torrent.size}


def seeding(lab, key, size, mbit, opponents, budget):
    line = Line.get()
    bench = Bench(key, f'seeding to {MANY} leechers, {mbit} Mbit, {size // MIB} MiB in all, tmpfs')
    torrent = lab.torrent(size, Tracker.url(Space.HUB))
    lab.tracker.give([])
    clients, home = {}, lab.folder()
    line.near.pace(mbit)
    try:
        for i, name in enumerate(opponents):
            try:
                clients[name] = ALL[name](lab, 50 + i, home, space=line.near)
                clients[name].add(torrent, torrent.folder)
                clients[name].wait(torrent, 'has checked the payload', 0.1)
            except (Failure, OSError) as error:
                bench.fail(name, error)
                say(f'{bench.key} {name}: {error}')
        rows = {'floor': lambda _: floor_send(lab, torrent, line)}
        for name, client in clients.items():
            rows[name] = lambda _, c=client: serve_run(lab, c, torrent, line, size // MANY)
        interleave(bench, rows, budget)
    finally:
        line.near.pace(0)
        for client in clients.values():
            client.end()
    return bench
