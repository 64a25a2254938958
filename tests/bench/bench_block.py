# SPDX-License-Identifier: MIT
"""What one block costs in calls, messages and allocations, what an idle connection holds, what a pick costs.

The counting runs are separate from the timed ones.  Allocations and messages are counted from inside (count.c)
between a quarter and three quarters of a download or of seeding; system calls by the kernel's tracepoints (perf stat), which leave
the timing alone, over a whole download.
"""
import mmap
import os
import re
import shutil
import signal
import struct
import subprocess
import threading
import time

from bench_clients import ALL, Torrentd
from bench_lab import GIB, Failure, lines_of_json, poll, private_memory, sh
from bench_rows import Bench, download_run, say
from bench_sites import Sites

BLOCK = 16384
RECEIVES = ('read', 'readv', 'recvfrom', 'recvmsg', 'recvmmsg', 'preadv', 'pread64')
IDLE = 500  # within what every client opens under the usual limit of 1024 descriptors


class Counters:
    """The counters of count.c."""

    NAMES = ('allocations', 'messages')

    def __init__(self, path):
        with open(path, 'rb') as file:
            self.map = mmap.mmap(file.fileno(), 8 * len(self.NAMES), access=mmap.ACCESS_READ)

    def take(self):
        return struct.unpack_from(f'{len(self.NAMES)}Q', self.map)


class Watcher:
    """Counters per block, and a second, in the middle half of what a generator (blast or sink) moves.

    sites: who allocates is looked at too (bench_sites.Sites).
    """

    def __init__(self, path, generator, size, sites=None):
        self.counters, self.marks, self.sites, self.chains = Counters(path), [], sites, []
        self.thread = threading.Thread(target=self.look, args=(generator, size), daemon=True)
        self.thread.start()

    def look(self, generator, size):
        stats = generator.stats
        poll(lambda: os.path.getsize(stats.path) > 0, 20, 'the generator counts', 0.001)
        for share in (0.25, 0.75):
            while stats.bytes < share * size and generator.popen.poll() is None:
                time.sleep(0.001)
            self.marks.append((stats.bytes, time.monotonic(), *self.counters.take()))
            if self.sites is not None:
                self.chains.append(self.sites.take())

    def end(self):
        self.thread.join(5)
        if len(self.marks) != 2 or self.marks[1][0] == self.marks[0][0]:
            raise Failure('it was too short to be watched')
        blocks, seconds, *done = [b - a for a, b in zip(*self.marks)]
        per_block = {name: n * BLOCK / blocks for name, n in zip(Counters.NAMES, done)}
        return dict(per_block, allocations_a_second=done[0] / seconds, rate=blocks / seconds)


def counting(lab, path):
    return {'LD_PRELOAD': lab.programs['count.so'], 'COUNT_FILE': path}


def counted(lab, torrent, count):
    """Allocations and messages per block of a download."""
    path, watchers = os.path.join(lab.folder(), 'counters'), []

    def watch(_client, blast):
        watchers.append(Watcher(path, blast, torrent.size))
        return dict
    download_run(lab, Torrentd, torrent, count, 'tmpfs', watch, env=counting(lab, path))
    return watchers[0].end()


def write_sites(lab, torrent, count, folder):
    """Who allocates in a download, into a text file: calls per GiB of each chain of functions."""
    path, watchers = os.path.join(lab.folder(), 'counters'), []

    def watch(client, blast):
        watchers.append(Watcher(path, blast, torrent.size, Sites(path + '.sites', client.pid)))
        return dict
    download_run(lab, Torrentd, torrent, count, 'tmpfs', watch, env=dict(counting(lab, path), COUNT_SITES=path + '.sites'))
    watcher = watchers[0]
    watcher.end()
    blocks = watcher.marks[1][0] - watcher.marks[0][0]
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, f'sites-{count}.txt'), 'w', encoding='utf-8') as file:
        file.writelines(line + '\n' for line in watcher.sites.report(*watcher.chains, blocks / GIB))


def counted_seeding(lab, torrent, count):
    """The same of seeding to so many leechers."""
    folder = lab.folder()
    path = os.path.join(folder, 'counters')
    lab.tracker.give([])
    client, sink = Torrentd(lab, 1, folder, env=counting(lab, path)), None
    try:
        client.add(torrent, torrent.folder)
        client.wait(torrent, 'has checked the payload', 0.1)
        time.sleep(1)
        sink = lab.sink(torrent, client.address, count, torrent.size, folder)
        watcher = Watcher(path, sink, count * torrent.size)
        sink.popen.wait(120)
        return watcher.end()
    except subprocess.TimeoutExpired:
        raise Failure('the leechers have not finished in 120 s') from None
    finally:
        if sink is not None:
            lab.end(sink)
        client.end()
        shutil.rmtree(folder)


CALLS = RECEIVES + ('write', 'writev', 'sendto', 'sendmsg', 'sendfile64', 'pwrite64', 'pwritev', 'fdatasync', 'epoll_wait',
                    'epoll_pwait', 'epoll_pwait2', 'epoll_ctl', 'poll', 'futex', 'getpid', 'mprotect', 'madvise', 'mmap',
                    'munmap', 'fcntl', 'openat', 'sched_yield', 'clock_nanosleep')


def read_perf(text):
    """{thread: {call: count}} of perf stat --per-thread -x,"""
    threads = {}
    for line in text.splitlines():
        row = re.match(r'^(.+)-(\d+),(\d+),,(?:raw_)?syscalls:sys_enter(?:_(\w+))?,', line)
        if row and int(row.group(3)):
            thread = threads.setdefault(row.group(1).strip(), {})
            thread[row.group(4) or 'all'] = thread.get(row.group(4) or 'all', 0) + int(row.group(3))
    return threads


def read_strace(text):
    calls = {}
    for line in text.splitlines():
        row = re.match(r'^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?([a-z0-9_]+)$', line)
        if row:
            calls['all' if row.group(2) == 'total' else row.group(2)] = int(row.group(1))
    return {'peers and all others': calls}


def perf_events():
    """perf's arguments for the calls that this kernel knows; None when it counts none of them."""
    good = []
    for call in CALLS:
        try:
            sh('perf', 'stat', '-e', f'syscalls:sys_enter_{call}', 'true')
            good.append(f'syscalls:sys_enter_{call}')
        except (Failure, FileNotFoundError):
            continue
    return ','.join(good + ['raw_syscalls:sys_enter']) if good else None


def traced(lab, torrent, count):
    """System calls per block of a whole download, by thread and call."""
    path, found, events = os.path.join(lab.folder(), 'trace'), {}, perf_events()

    def watch(client, _blast):
        argv = ['perf', 'stat', '-x,', '--per-thread', '-e', events, '-o', path, '-p', str(client.pid)] if events else \
            ['strace', '-f', '-c', '-o', path, '-p', str(client.pid)]
        tracer = lab.start(argv, lab.memory, 'trace.log')
        time.sleep(1.5)
        tracer.check()

        def collect():
            lab.end(tracer, sign=signal.SIGINT)
            with open(path, encoding='utf-8', errors='replace') as file:
                text = file.read()
            found.update(read_perf(text) if events else read_strace(text))
            return {}
        return collect

    run = download_run(lab, Torrentd, torrent, count, 'tmpfs', watch)
    blocks = torrent.size / BLOCK
    if not found:
        raise Failure('no system call was counted')
    network = {name: calls for name, calls in found.items() if name.startswith('peers')}
    receiving = sum(n for calls in network.values() for call, n in calls.items() if call in RECEIVES)
    return {
        'tool': 'perf stat --per-thread' if events else 'strace -f -c, which slows the daemon down',
        'rate': torrent.size / run['wall'],
        'receiving': receiving / blocks,
        'network_thread': sum(calls['all'] for calls in network.values()) / blocks,
        'all': sum(calls.get('all', 0) for calls in found.values()) / blocks,
        'by_thread': {name: {call: n / blocks for call, n in sorted(calls.items(), key=lambda c: -c[1])}
                      for name, calls in found.items()},
    }


def idle_memory(lab, name, torrent):
    """Private bytes that each of many silent connections adds to a process that seeds."""
    folder = lab.folder()
    lab.tracker.give([])
    kind = ALL[name]
    if kind is Torrentd:
        kind = type('Roomy', (Torrentd,), {'options': {'peers.max': 3000, 'peers.max_per_torrent': 3000}})
    client, sink = kind(lab, 1, folder), None
    try:
        client.add(torrent, torrent.folder)
        client.wait(torrent, 'has checked the payload', 0.1)
        time.sleep(2)
        before = private_memory(client.pid)
        sink = lab.sink(torrent, client.address, IDLE, 0, folder)
        try:
            poll(lambda: sink.stats.connected >= IDLE, 20, '')
        except Failure:
            raise Failure(f'{sink.stats.connected} of {IDLE} connections in 20 s, {sink.stats.finished} ended') from None
        time.sleep(3)
        if sink.stats.finished:
            raise Failure(f'{sink.stats.finished} of {IDLE} idle connections were closed')
        return {'bytes': (private_memory(client.pid) - before) / IDLE, 'before': before}
    finally:
        if sink is not None:
            lab.end(sink)
        client.end()
        shutil.rmtree(folder)


def per_block(lab, size, seeds, sites=None):
    """sites: the folder for a list of who allocates; no such list is made without it."""
    bench = Bench('block', 'per block of a download, and per idle connection')
    torrent = lab.torrent(size)
    for count in seeds if sites else ():
        write_sites(lab, torrent, count, sites)
    for count in seeds:
        for key, measure in (('counted', counted), ('traced', traced)):
            try:
                bench.facts[f'{key} {count}'] = measure(lab, torrent, count)
            except (Failure, OSError) as error:
                bench.facts[f'{key} {count}'] = {'why': str(error)}
            say(f'block {key} {count}: {bench.facts[f"{key} {count}"]}')
    for count in seeds:
        try:
            bench.facts[f'counted seeding {count}'] = counted_seeding(lab, torrent, count)
        except (Failure, OSError) as error:
            bench.facts[f'counted seeding {count}'] = {'why': str(error)}
        say(f'block counted seeding {count}: {bench.facts[f"counted seeding {count}"]}')
    for name in ('torrentd', 'libtorrent'):
        try:
            bench.facts[f'idle {name}'] = idle_memory(lab, name, torrent)
        except (Failure, OSError) as error:
            bench.facts[f'idle {name}'] = {'why': str(error)}
        say(f'block idle {name}: {bench.facts[f"idle {name}"]}')
    return bench


OPERATIONS = {
    'have': 'HAVE', 'join_seed': 'a seed joins', 'leave_seed': 'a seed leaves',
    'join_few': 'a peer with 64 pieces joins', 'leave_few': 'a peer with 64 pieces leaves',
    'leave_half': 'a peer with half the pieces leaves, by the piece',
    'pick': 'pick, by the block', 'pick_few': 'pick for a peer with 64 pieces, by the call',
    'pick_late': 'pick when 64 pieces lack, by the call', 'receive': 'a block arrives',
}


def picker(lab, sizes, peers, native):
    """Instructions by callgrind, and nanoseconds without it for the sizes in native [(pieces, peers)]."""
    bench = Bench('picker', f'picker: instructions by callgrind, {peers} peers')
    program = lab.programs['b_picker']
    bench.facts = {'pieces': sizes, 'instructions': {}, 'native': [], 'operations': OPERATIONS, 'why': None}
    for operation in OPERATIONS:
        try:
            row = []
            for pieces in sizes:
                text = sh('valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', '--instr-atstart=no',
                          '--collect-atstart=no', program, operation, str(pieces), str(peers))
                collected = int(re.search(r'Collected : (\d+)', text).group(1))
                row.append(collected / lines_of_json(text)[0]['done'])
            bench.facts['instructions'][operation] = row
            say(f'picker {operation}: ' + ', '.join(f'{n:.0f}' for n in row))
        except (Failure, FileNotFoundError, AttributeError) as error:
            bench.facts['why'] = str(error)
            say(f'picker {operation}: {error}')
    for pieces, n in native:
        times = {row['operation']: row['ns'] for row in lines_of_json(sh(program, 'all', str(pieces), str(n)))}
        bench.facts['native'].append({'pieces': pieces, 'peers': n, 'ns': times})
    return bench
