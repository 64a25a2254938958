#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Ours against real clients in paired runs: CPU seconds per GiB, rate, calls, memory.

    tests/bench/bench.py --out build/release [--quick] [--only NAME,NAME] [--minutes N] [--no-disk] [--sites]

A whole run takes about three quarters of an hour and writes docs/benchmarks.md at its end; result.json and result.md in build/bench
are written after each bench.  --quick takes small payloads and few rounds, shows that every row works, and writes only
to build/bench/.  Nothing else should run.  `--only block --sites` says besides who allocates.
"""
import argparse
import json
import os
import shutil
import signal
import sys
import time
import traceback

import bench_block
import bench_encrypted
import bench_lab
import bench_paced
import bench_report
import bench_rows
from bench_clients import ALL
from bench_lab import GIB, MIB

LIBTORRENTS = ['torrentd', 'libtorrent', 'libtorrent-hp']
DOWNLOADERS = LIBTORRENTS + ['aria2', 'rtorrent', 'transmission']
SEEDERS = LIBTORRENTS + ['rtorrent']
AT_HOME = ['torrentd', 'libtorrent', 'aria2']  # over a line such as people have
LEAN = ['transmission']  # 3.00 is interested after 10 s, and then asks once a second
TOOLS = ('unshare', 'ip', 'tc', 'mount', 'openssl', 'fincore', 'transmission-daemon', 'aria2c', 'rtorrent', 'valgrind', 'perf')


def plan(lab, quick, sites):
    """(name, minutes, function of the seconds to fill) of every bench in order."""
    size = 256 * MIB if quick else 2 * GIB
    less = 128 * MIB if quick else GIB
    return [
        ('picker', 2.5, lambda _: bench_block.picker(
            lab, [1000, 10000] if quick else [1000, 10000, 100000, 1000000], 30,
            [(100000, 50)] if quick else [(100000, 500), (1000000, 100)])),
        ('download-1', 7, lambda time: bench_rows.download(
            lab, 'download-1', f'download, 1 seeder, {size >> 20} MiB, tmpfs', size, 1, DOWNLOADERS, time, lean=LEAN)),
        ('download-20', 3, lambda time: bench_rows.download(
            lab, 'download-20', f'download, 20 seeders at once, {size >> 20} MiB, tmpfs', size, 20, LIBTORRENTS, time)),
        ('seed-1', 2, lambda time: bench_rows.seeding(
            lab, 'seed-1', f'seeding to 1 leecher, {size >> 20} MiB, tmpfs', size, 1, SEEDERS, time)),
        ('seed-20', 2, lambda time: bench_rows.seeding(
            lab, 'seed-20', f'seeding to 20 leechers, {size >> 20} MiB in all, tmpfs', size, 20, SEEDERS, time)),
        ('encrypted-in', 2, lambda time: bench_encrypted.encrypted(lab, 'encrypted-in', less, False, time)),
        ('encrypted-out', 2, lambda time: bench_encrypted.encrypted(lab, 'encrypted-out', less, True, time)),
        ('block', 1.5, lambda _: bench_block.per_block(lab, size, (1, 20), sites)),
        ('swarm', 4.5, lambda time: bench_rows.swarm(lab, 64 * MIB if quick else 256 * MIB, time)),
        ('download-disk', 3.5, lambda time: bench_rows.download(
            lab, 'download-disk', f'download, 1 seeder, {less >> 20} MiB, onto the disk', less, 1,
            ['torrentd', 'libtorrent', 'rtorrent', 'transmission'], time, 'disk', LEAN)),
        ('seed-disk', 2, lambda time: bench_rows.seeding(
            lab, 'seed-disk', f'seeding to 1 leecher, {less >> 20} MiB, from the disk, cold', less, 1,
            ['torrentd', 'libtorrent', 'rtorrent'], time, 'disk')),
        ('line-160', 2.5, lambda time: bench_paced.download(
            lab, 'line-160', (32 if quick else 192) * MIB, 160, False, AT_HOME, time)),
        ('line-800', 2.5, lambda time: bench_paced.download(
            lab, 'line-800', size // 2, 800, False, AT_HOME, time)),
        ('line-free', 2, lambda time: bench_paced.download(
            lab, 'line-free', size // 2, 0, False, AT_HOME, time)),
        ('line-disk', 2, lambda time: bench_paced.download(
            lab, 'line-disk', size // 2, 0, False, AT_HOME, time, 'disk')),
        ('line-50', 2.5, lambda time: bench_paced.download(
            lab, 'line-50', (64 if quick else 384) * MIB, 400, True, AT_HOME, time)),
        ('line-seed-50', 2, lambda time: bench_paced.seeding(
            lab, 'line-seed-50', (50 if quick else 400) * MIB, 400, ['torrentd', 'libtorrent', 'rtorrent'], time)),
        ('recheck', 2, lambda time: bench_rows.recheck(
            lab, size if quick else 4 * GIB, ['torrentd', 'libtorrent', 'transmission'], time)),
    ]


def versions():
    found = {kind.title: kind.version() for kind in ALL.values()}
    found['libtorrent-rasterbar2.0'] = bench_lab.package_version('libtorrent-rasterbar2.0')
    found['libssl3'] = bench_lab.package_version('libssl3')
    return found


def write(result, folder):
    """What there is so far, for programs and for people."""
    os.makedirs(folder, exist_ok=True)
    for name, content in (('result.json', json.dumps(result, indent=1)), ('result.md', bench_report.markdown(result))):
        path = os.path.join(folder, name)
        with open(path + '.new', 'w', encoding='utf-8') as file:
            file.write(content)
        os.replace(path + '.new', path)


class Timetable:
    """Deals what is left of the time to what is left of the benches, so that a slow one makes the later ones shorter."""

    def __init__(self, benches, minutes):
        self.benches, self.began = benches, time.monotonic()
        minutes = minutes or sum(bench[1] for bench in benches)
        self.scale = 60 * minutes / sum(bench[1] for bench in benches)
        self.end = self.began + 60 * minutes

    def share(self, i):
        """The seconds for bench i, as it starts; at least half of what it would have had, to be of any use."""
        rest = sum(bench[1] for bench in self.benches[i:])
        left = max(self.end - time.monotonic(), 0)
        return max(left / rest, self.scale / 2) * self.benches[i][1]

    def tell(self, i):
        name, now = self.benches[i][0], time.time()
        clock = [time.strftime('%H:%M', time.localtime(now + s)) for s in (0, self.share(i), self.end - time.monotonic())]
        print(f'{name}, {i + 1} of {len(self.benches)}: {clock[0]} to about {clock[1]}, all to about {clock[2]}', flush=True)


def run_bench(result, name, bench, seconds):
    """Adds what a bench gives, or what it gave until it broke off; only an end from outside ends the others too."""
    began, bench_rows.Bench.latest = time.monotonic(), bench_rows.Bench(name, name)
    try:
        bench(seconds)
    except BaseException as error:
        bench_rows.Bench.latest.note = f'broke off: {error!r}'
        if not isinstance(error, Exception):
            raise
        traceback.print_exc()
    finally:
        result['benches'].append(dict(bench_rows.Bench.latest.dump(), seconds=time.monotonic() - began))


def run(lab, options):
    """Runs what is asked for and writes it down after each bench."""
    result = {
        'quick': options.quick, 'whole': False, 'date': time.strftime('%Y-%m-%d', time.gmtime()),
        'machine': bench_lab.machine(), 'versions': versions(),
        'command': ' '.join(['tests/bench/bench.py'] + sys.argv[1:]), 'benches': [],
    }
    every = plan(lab, options.quick, options.result if options.sites else None)
    benches = [b for b in every if (not options.only or b[0] in options.only.split(','))
               and not (options.no_disk and b[0].endswith('disk'))]
    if not benches:
        sys.exit('bench: the names are ' + ', '.join(name for name, _, _ in every))
    timetable = Timetable(benches, options.minutes or (4 if options.quick else None))
    stolen = bench_lab.steal_seconds()
    for i, (name, _, bench) in enumerate(benches):
        timetable.tell(i)
        try:
            run_bench(result, name, bench, 0 if options.quick else timetable.share(i))
            result['whole'] = i + 1 == len(every)
        finally:
            ended = bench_lab.steal_seconds()
            result['seconds'] = time.monotonic() - timetable.began
            result['steal'] = (ended[0] - stolen[0]) / (ended[1] - stolen[1])
            write(result, options.result)
    return result


def check_tools():
    """Says what is missing: a client that is not there only leaves its row empty."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        print(f'not installed: {", ".join(missing)}; `make deps-bench` installs all that the benches need', flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--out', default='build/release', help='where the daemon and the programs were built')
    parser.add_argument('--quick', action='store_true', help='small payloads, two rounds, no docs/benchmarks.md')
    parser.add_argument('--only', default='', help='names of benches, joined by commas')
    parser.add_argument('--minutes', type=float, help='about how long it may take; 42 for all of them')
    parser.add_argument('--no-disk', action='store_true')
    parser.add_argument('--sites', action='store_true', help='list the callers of malloc in sites-*.txt beside the results')
    parser.add_argument('--result', default='build/bench', help='where the results go')
    options = parser.parse_args()
    os.chdir(bench_lab.ROOT)
    bench_lab.enter()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit('bench: ended by a signal; what was measured is in ' + options.result))
    try:
        lab = bench_lab.Lab(options.out)
    except bench_lab.Failure as error:
        sys.exit(f'bench: {error}')
    try:
        check_tools()
        result = run(lab, options)
    except KeyboardInterrupt:
        sys.exit('bench: interrupted; what was measured is in ' + options.result)
    finally:
        lab.close()
    if result['whole'] and not options.quick:
        shutil.copyfile(os.path.join(options.result, 'result.md'), 'docs/benchmarks.md')
    print(bench_report.markdown(result))


if __name__ == '__main__':
    main()
