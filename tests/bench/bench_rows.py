# SPDX-License-Identifier: MIT
"""The timed benches: one peer or many, in and out, a swarm, a recheck.

Runs of all clients of a bench are interleaved, every second round in reverse order (A B C C B A), until its share of
the time is used; a ratio is taken between two runs of the same round.  Payload is verified after the clock stops.
"""
import os
import resource
import shutil
import statistics
import subprocess
import time

from bench_clients import ALL, OURS
from bench_lab import GIB, MIB, Clock, Failure, Space, Stats, Tracker, cpu_seconds, lines_of_json, poll, sh

ROUNDS = 5  # at least, of a whole run on a machine that is not much slower than expected
LEAN_ROUNDS, LEAN_SHARE = 3, 4  # a lean row has few rounds, and this part of the payload
SLOW, SLOW_ROUNDS = 40, 3  # a row that takes longer than this, in s, is not run more often than that
PATIENCE = 120  # s that a run may take
BLAST_PORT = 5000
FLOOR_PORT = 5900


class Bench:
    """One bench: its rows and all their runs."""

    latest = None  # the one that is being filled: what it has is kept when it breaks off

    def __init__(self, key, title, note=''):
        Bench.latest = self
        self.key, self.title, self.note = key, title, note
        self.rows, self.facts = {}, {}

    def add(self, row, run):
        self.rows.setdefault(row, {'runs': [], 'why': None})['runs'].append(run)

    def fail(self, row, why):
        self.rows.setdefault(row, {'runs': [], 'why': None})['why'] = str(why)

    def dump(self):
        return {'key': self.key, 'title': self.title, 'note': self.note, 'rows': self.rows, 'facts': self.facts}


def say(text):
    print(f'  {text}', flush=True)


def interleave(bench, rows, budget, lean=(), most=12):
    """rows: {name: function(round) -> run}.  A row that fails twice is left out, with its reason.

    budget: the seconds to fill with rounds; 0: two rounds.
    """
    began, rounds, failures = time.monotonic(), 0, {}
    order, least = list(rows), ROUNDS if budget > 0 else 2
    while rounds < most:
        at = time.monotonic()
        for name in order if rounds % 2 == 0 else reversed(order):
            slow = [run for run in bench.rows.get(name, {'runs': []})['runs'] if run['took'] > SLOW]
            if failures.get(name, 0) > 1 or len(slow) >= SLOW_ROUNDS or name in lean and rounds >= LEAN_ROUNDS:
                continue
            started = time.monotonic()
            try:
                run = dict(rows[name](rounds), round=rounds)
                run['took'] = time.monotonic() - started
                bench.add(name, run)
                say(f'{bench.key} {rounds} {name}: {run["wall"]:.2f} s, {run["cpu"]:.2f} CPU-s')
            except Exception as error:  # whatever it is, the other rows go on
                failures[name] = failures.get(name, 0) + 1
                bench.fail(name, error)
                say(f'{bench.key} {rounds} {name}: {error!r}')
        rounds += 1
        after = 2 * time.monotonic() - began - at  # what one round more would end at
        if after > budget and rounds >= least or after > 1.5 * budget and rounds >= min(least, LEAN_ROUNDS):
            break


# --- the floor and the generators ---

def floor_receive(lab, torrent, storage):
    folder = lab.folder(storage)
    where, floor = f'10.78.0.1:{FLOOR_PORT}', lab.programs['floor']
    out = os.path.join(folder, torrent.name)
    with open(os.path.join(folder, 'out'), 'w+', encoding='ascii') as text:
        receiver = lab.start([floor, 'recv', where, out, str(torrent.size), str(torrent.piece_length)], folder,
                             'floor.log', stdout=text)
        lab.warm_memory(torrent.size)
        try:
            sh(floor, 'send', where, torrent.path, str(torrent.size), '1', timeout=PATIENCE)
            receiver.popen.wait(60)
            text.seek(0)
            told = lines_of_json(text.read())[0]
            if not torrent.same(out):
                raise Failure('the floor program received wrong bytes')
        finally:
            lab.end(receiver)
            shutil.rmtree(folder)
    return {'wall': told['wall'], 'cpu': told['user'] + told['sys'], 'user': told['user'], 'sys': told['sys'],
            'bytes': torrent.size}


def floor_send(lab, torrent, how, connections):
    where, floor = f'10.78.0.1:{FLOOR_PORT + 1}', lab.programs['floor']
    drain = lab.start([floor, 'drain', where, str(torrent.size), str(connections)], lab.memory, 'drain.log')
    try:
        told = lines_of_json(sh(floor, how, where, torrent.path, str(torrent.size), str(connections), timeout=PATIENCE))[0]
        drain.popen.wait(60)
    finally:
        lab.end(drain)
    return {'wall': told['wall'], 'cpu': told['user'] + told['sys'], 'user': told['user'],
            'sys': told['sys'], 'bytes': torrent.size}


def seeders(n):
    return [(f'10.78.2.{i + 1}', BLAST_PORT) for i in range(n)]


def generator(lab, torrent, count, size):
    """The two load generators against each other: what the daemons stand between."""
    folder = lab.folder()
    blast = lab.blast(torrent, [f'{a}:{p}' for a, p in seeders(1)], folder)
    try:
        run = seed_run(lab, torrent, blast.pid, '%s:%d' % seeders(1)[0], count, size)
    finally:
        lab.end(blast)
        shutil.rmtree(folder)
    return run


# --- download ---

def download_run(lab, kind, torrent, count, storage, before_add=None, **more):
    """One download by a fresh process into a fresh folder."""
    folder = lab.folder(storage)
    client = blast = None
    try:
        blast = lab.blast(torrent, [f'{a}:{p}' for a, p in seeders(count)], folder)
        lab.tracker.give(seeders(count))
        home = folder if storage == 'tmpfs' else lab.folder()
        client = kind(lab, 1, home, **more)
        time.sleep(0.3)
        hook = before_add(client, blast) if before_add else None
        target = os.path.join(folder, 'out')
        os.mkdir(target)
        made = cpu_seconds(blast.pid)
        lab.warm_memory(torrent.size)
        clock = Clock(client.pid)
        client.add(torrent, target)

        def sent():
            client.process.check()
            return blast.stats.bytes >= torrent.size
        poll(sent, client.patience, f'{client.key} asks for all', 0.002)
        client.wait(torrent, pause=0.01)
        run = clock.stop()
        done = time.monotonic_ns()
        stats = blast.stats
        run.update(bytes=torrent.size, transfer=(done - stats.first) / 1e9, sent=stats.bytes,
                   generator=sum(cpu_seconds(blast.pid)) - sum(made))
        if hook:
            run.update(hook())
        client.end()
        if not torrent.same(os.path.join(target, torrent.name)):
            raise Failure('what was downloaded differs from the payload')
        return run
    finally:
        if client is not None:
            client.end()
        if blast is not None:
            lab.end(blast)
        shutil.rmtree(folder, ignore_errors=True)


def download(lab, key, title, size, count, opponents, budget, storage='tmpfs', lean=()):
    """lean: opponents that would take too long with the whole payload."""
    bench = Bench(key, title)
    torrent, less = lab.torrent(size), lab.torrent(size // LEAN_SHARE) if lean else None
    rows = {'floor': lambda _: floor_receive(lab, torrent, storage),
            'generator': lambda _: generator(lab, torrent, 1, size)}
    for name in opponents:
        rows[name] = lambda _, kind=ALL[name], t=less if name in lean else torrent: download_run(
            lab, kind, t, count, storage)
    interleave(bench, rows, budget, lean)
    return bench


# --- seeding ---

def seed_run(lab, torrent, pid, target, count, size):
    """count leechers take size bytes each from a process that seeds."""
    folder = lab.folder()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    clock = Clock(pid)
    sink = lab.sink(torrent, target, count, size, folder)
    try:
        sink.popen.wait(PATIENCE)
        run = clock.stop()
        stats = sink.stats
        if stats.wrong or stats.errors or stats.bytes < count * size:
            raise Failure(f'{stats.wrong} wrong blocks, {stats.errors} connections broke, {stats.bytes >> 20} MiB came')
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        run.update(bytes=stats.bytes, wall=stats.seconds(), checked=stats.checked,
                   generator=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return run
    except subprocess.TimeoutExpired:
        stats = Stats(sink.stats.path)
        raise Failure(f'{stats.bytes >> 20} MiB and {stats.finished} of {count} leechers in {PATIENCE} s') from None
    finally:
        lab.end(sink)
        shutil.rmtree(folder)


def drop_from_cache(path):
    """What share of the file stays cached all the same: the kernel keeps what a process has mapped."""
    with open(path, 'rb') as file:
        os.fdatasync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return int(sh('fincore', '-b', '-n', '-o', 'RES', path)) / os.path.getsize(path)


def start_all(lab, bench, torrent, opponents, storage='tmpfs'):
    """Starts a process of each and has it take up the payload; on the disk each has a copy of its own."""
    lab.tracker.give([])
    home, clients = lab.folder(), {}
    for i, name in enumerate(opponents):
        try:
            clients[name] = ALL[name](lab, i + 1, home)
            folder = torrent.folder
            if storage == 'disk':
                folder = lab.folder('disk')
                shutil.copy(torrent.path, folder)
            clients[name].file = os.path.join(folder, torrent.name)
            clients[name].add(torrent, folder)
            clients[name].wait(torrent, 'has checked the payload', 0.1)
        except (Failure, OSError) as error:
            bench.fail(name, error)
            say(f'{bench.key} {name}: {error}')
            if name in clients:
                clients.pop(name).end()
    time.sleep(1)
    return clients


def seeding(lab, key, title, size, count, opponents, budget, storage='tmpfs'):
    bench = Bench(key, title)
    torrent = lab.torrent(size)
    share = -(-size // count)
    clients = start_all(lab, bench, torrent, opponents, storage)

    def one(client):
        cached = {}
        if storage == 'disk':
            client.pause(torrent, True)
            time.sleep(1)
            cached['cached'] = drop_from_cache(client.file)
            client.pause(torrent, False)
            client.wait(torrent, 'seeds again', 0.1)
        client.process.check()
        return dict(seed_run(lab, torrent, client.pid, client.address, count, share), **cached)
    rows = {}
    if storage == 'tmpfs':
        rows['floor'] = lambda _: floor_send(lab, torrent, 'send', count)
        rows['floor (sendfile)'] = lambda _: floor_send(lab, torrent, 'sendfile', count)
        rows['generator'] = lambda _: generator(lab, torrent, count, share)
    for name, client in clients.items():
        rows[name] = lambda _, client=client: one(client)
    try:
        interleave(bench, rows, budget)
    finally:
        for client in clients.values():
            client.end()
            if storage == 'disk':
                shutil.rmtree(os.path.dirname(client.file))
    return bench


# --- swarm ---

def swarm_run(lab, torrent, kinds, spaces):
    """One libtorrent seeds; the others start together.  When each is done, from the first add."""
    folder, clients = lab.folder(), []
    lab.tracker.give(None)
    try:
        seed = ALL['libtorrent'](lab, 100, folder, space=spaces[0])
        clients.append(seed)
        seed.add(torrent, torrent.folder)
        seed.wait(torrent, 'seeds')
        leechers = []
        for i, name in enumerate(kinds):
            client = ALL[name](lab, 101 + i, folder, space=spaces[i + 1])
            clients.append(client)
            leechers.append(client)
            client.target = os.path.join(folder, f'out{i}')
            os.mkdir(client.target)
        time.sleep(0.5)
        before = [sum(cpu_seconds(c.pid)) for c in leechers]
        lab.warm_memory(torrent.size * len(leechers))
        clock, done, used = Clock(seed.pid), {}, {}
        for client in leechers:
            client.add(torrent, client.target)
        while len(done) < len(leechers):
            for i, client in enumerate(leechers):
                client.process.check()
                if i not in done and client.complete(torrent):
                    done[i] = time.monotonic() - clock.began
                    used[i] = sum(cpu_seconds(client.pid)) - before[i]
            if time.monotonic() - clock.began > PATIENCE:
                raise Failure(f'{len(done)} of {len(leechers)} done in {PATIENCE} s')
            time.sleep(0.05)
        run = clock.stop()
        total = [sum(cpu_seconds(c.pid)) - before[i] for i, c in enumerate(leechers)]
        for client in clients:
            client.end()
        for client in leechers:
            if not torrent.same(os.path.join(client.target, torrent.name)):
                raise Failure(f'what {client.key} downloaded differs from the payload')
        run.update(bytes=torrent.size * len(kinds), seed_cpu=run['cpu'], cpu=sum(total),
                   done=[[kinds[i], done[i], total[i]] for i in sorted(done)])
        for name in set(kinds):
            run[f'last {name}'] = max(done[i] for i in done if kinds[i] == name)
        return run
    finally:
        for client in clients:
            client.end()
        shutil.rmtree(folder, ignore_errors=True)


def swarm(lab, size, budget):
    bench = Bench('swarm', f'swarm: 1 libtorrent seed, 7 leechers, {size >> 20} MiB each')
    torrent = lab.torrent(size, Tracker.url(Space.HUB))
    spaces = [Space() for _ in range(8)]
    ours, theirs = OURS, 'libtorrent'
    mixed = [ours, theirs] * 3 + [ours]
    turned = [theirs, ours] * 3 + [ours]
    interleave(bench, {
        '7 torrentd': lambda _: swarm_run(lab, torrent, [ours] * 7, spaces),
        '7 libtorrent': lambda _: swarm_run(lab, torrent, [theirs] * 7, spaces),
        '4 torrentd, 3 libtorrent': lambda r: swarm_run(lab, torrent, mixed if r % 2 == 0 else turned, spaces),
    }, budget)
    return bench


# --- recheck ---

def recheck_run(client, torrent):
    """Asking whether it is done costs both sides CPU that hashing lacks: begun shortly before the end of the last run."""
    clock = Clock(client.pid)
    client.recheck(torrent)
    poll(lambda: client.checking(torrent), 5, f'{client.key} checks', 0.002)
    time.sleep(0.8 * getattr(client, 'recheck_wall', 0))
    client.wait(torrent, 'has checked', 0.01)
    run = dict(clock.stop(), bytes=torrent.size)
    client.recheck_wall = min(run['wall'], getattr(client, 'recheck_wall', run['wall']))
    return run


def hash_speed(cores):
    """Bytes per second of SHA-1 as `openssl speed` has it: one process, and one for each core at once."""
    def last(text):
        return float(text.strip().splitlines()[-1].split()[-1].rstrip('k')) * 1000
    base = ['openssl', 'speed', '-elapsed', '-evp', 'sha1', '-bytes', str(MIB), '-seconds', '1']
    return [statistics.median(last(sh(*base, *more)) for _ in range(3)) for more in ((), ('-multi', str(cores)))]


def recheck(lab, size, opponents, budget):
    bench = Bench('recheck', f'recheck of {size / GIB:g} GiB, cached')
    torrent = lab.torrent(size)
    one, all_ = hash_speed(os.cpu_count())
    bench.facts = {'openssl_one': one, 'openssl_all': all_, 'cores': os.cpu_count()}
    clients = start_all(lab, bench, torrent, opponents)
    try:
        interleave(bench, {name: lambda _, c=client: recheck_run(c, torrent) for name, client in clients.items()},
                   budget)
    finally:
        for client in clients.values():
            client.end()
    return bench
