#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Ours against real clients in paired runs: CPU seconds per GiB, rate, calls, memory.

    tests/bench/bench.py --out build/release [--quick] [--only NAME,NAME] [--minutes N] [--no-disk]

A whole run takes about 36 minutes and writes build/bench/result.json, result.md and docs/benchmarks.md.  --quick takes
small payloads and few rounds, shows that every row works, and writes only to build/bench/.  Nothing else should run.
"""
import argparse
import json
import os
import signal
import sys
import time
import traceback

import bench_block
import bench_lab
import bench_report
import bench_rows
from bench_clients import ALL
from bench_lab import GIB, MIB

LIBTORRENTS = ['torrentd', 'libtorrent', 'libtorrent-hp']
DOWNLOADERS = LIBTORRENTS + ['transmission', 'aria2', 'rtorrent']
SEEDERS = LIBTORRENTS + ['rtorrent']


def plan(lab, quick, minutes):
    """(name, function) of every bench in order.  Times are shares of the whole in minutes."""
    unit = 60 * minutes / 38
    size = 256 * MIB if quick else 2 * GIB
    less = 128 * MIB if quick else GIB

    def share(n):
        return 0 if quick else n * unit
    return [
        ('picker', lambda: bench_block.picker(
            lab, [1000, 10000] if quick else [1000, 10000, 100000, 1000000], 30,
            [(100000, 50)] if quick else [(100000, 500), (1000000, 100)])),
        ('download-1', lambda: bench_rows.download(
            lab, 'download-1', f'download, 1 seeder, {size >> 20} MiB, tmpfs', size, 1, DOWNLOADERS, share(9))),
        ('download-20', lambda: bench_rows.download(
            lab, 'download-20', f'download, 20 seeders at once, {size >> 20} MiB, tmpfs', size, 20, LIBTORRENTS,
            share(5))),
        ('seed-1', lambda: bench_rows.seeding(
            lab, 'seed-1', f'seeding to 1 leecher, {size >> 20} MiB, tmpfs', size, 1, SEEDERS, share(3.5))),
        ('seed-20', lambda: bench_rows.seeding(
            lab, 'seed-20', f'seeding to 20 leechers, {size >> 20} MiB in all, tmpfs', size, 20, SEEDERS,
            share(3.5))),
        ('block', lambda: bench_block.per_block(lab, size, (1, 20))),
        ('swarm', lambda: bench_rows.swarm(lab, 64 * MIB if quick else 256 * MIB, share(5))),
        ('download-disk', lambda: bench_rows.download(
            lab, 'download-disk', f'download, 1 seeder, {less >> 20} MiB, onto the disk', less, 1,
            ['torrentd', 'libtorrent', 'transmission', 'rtorrent'], share(3), 'disk')),
        ('seed-disk', lambda: bench_rows.seeding(
            lab, 'seed-disk', f'seeding to 1 leecher, {less >> 20} MiB, from the disk, cold', less, 1,
            ['torrentd', 'libtorrent', 'rtorrent'], share(2), 'disk')),
        ('recheck', lambda: bench_rows.recheck(
            lab, size if quick else 4 * GIB, ['torrentd', 'libtorrent', 'transmission'], share(3))),
    ]


def versions():
    found = {kind.title: kind.version() for kind in ALL.values()}
    found['libtorrent-rasterbar2.0'] = bench_lab.package_version('libtorrent-rasterbar2.0')
    found['libssl3'] = bench_lab.package_version('libssl3')
    return found


def run(lab, options):
    """Runs what is asked for; a bench that breaks as a whole says why and the next one comes."""
    result = {
        'quick': options.quick, 'whole': not options.only and not options.no_disk,
        'date': time.strftime('%Y-%m-%d', time.gmtime()), 'machine': bench_lab.machine(), 'versions': versions(),
        'command': ' '.join(['tests/bench/bench.py'] + sys.argv[1:]), 'benches': [],
    }
    began, stolen = time.monotonic(), bench_lab.steal_seconds()
    for name, bench in plan(lab, options.quick, options.minutes):
        if options.only and name not in options.only.split(',') or options.no_disk and name.endswith('disk'):
            continue
        print(f'{name} ({time.monotonic() - began:.0f} s)', flush=True)
        try:
            result['benches'].append(bench().dump())
        except Exception as error:  # one bench less is better than none
            traceback.print_exc()
            result['benches'].append({'key': name, 'title': name, 'note': f'could not run: {error!r}', 'rows': {},
                                      'facts': {}})
    ended = bench_lab.steal_seconds()
    result['seconds'] = time.monotonic() - began
    result['steal'] = (ended[0] - stolen[0]) / (ended[1] - stolen[1])
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--out', default='build/release', help='where the daemon and the programs were built')
    parser.add_argument('--quick', action='store_true', help='small payloads, two rounds, no docs/benchmarks.md')
    parser.add_argument('--only', default='', help='names of benches, joined by commas')
    parser.add_argument('--minutes', type=float, default=32, help='about how long a whole run may take')
    parser.add_argument('--no-disk', action='store_true')
    parser.add_argument('--result', default='build/bench', help='where the results go')
    options = parser.parse_args()
    os.chdir(bench_lab.ROOT)
    bench_lab.enter()
    lab = bench_lab.Lab(options.out)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit('ended by a signal'))
    try:
        result = run(lab, options)
    finally:
        lab.close()
    os.makedirs(options.result, exist_ok=True)
    with open(os.path.join(options.result, 'result.json'), 'w', encoding='utf-8') as file:
        json.dump(result, file, indent=1)
    text = bench_report.markdown(result)
    with open(os.path.join(options.result, 'result.md'), 'w', encoding='utf-8') as file:
        file.write(text)
    if result['whole'] and not options.quick:
        with open('docs/benchmarks.md', 'w', encoding='utf-8') as file:
            file.write(text)
    print(text)


if __name__ == '__main__':
    main()
