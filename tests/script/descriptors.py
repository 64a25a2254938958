#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Few file descriptors: what is needed to go on is kept back, connections and files get what is left.

Strangers open far more connections than there are descriptors, to the peers' port and to the API; meanwhile the daemon
goes on, with its actors talking to each other and its files open, and when they have gone all is as before.
"""
import os
import re
import socket
import time

import lib_tap
from lib_daemon import BINARY, Daemon, run_binary
from lib_peer import Seed
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent

SMALL = {'store.workers': 1, 'peers.shards': 1}


def limited(n):
    return ['prlimit', f'--nofile={n}:{n}']


def held(daemon):
    return len(os.listdir(f'/proc/{daemon.process.pid}/fd'))


def cpu_seconds(daemon):
    with open(f'/proc/{daemon.process.pid}/stat', encoding='ascii') as f:
        fields = f.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def crowd(port, n):
    """Connections that say nothing; some may be refused."""
    found = []
    for _ in range(n):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(('127.0.0.1', port))
        found.append(s)
    return found


def hold_out(limit, options):
    with Daemon(options={**SMALL, **options}, wrap=limited(limit)) as d:
        t = Torrent('thin', [(f'{n}', 50000) for n in range(12)], seed=limit)
        crowds = crowd(d.peer_port, limit + 100)
        d.add(t)
        crowds += crowd(d.api_port, limit + 100)
        time.sleep(0.5)
        before = cpu_seconds(d)
        time.sleep(2)
        used = cpu_seconds(d) - before
        check(used < 1, f'it works for {used:.2f} s in 2 s with nothing to do')
        check(held(d) < limit, f'it holds {held(d)} of {limit}')
        for s in crowds:
            s.close()
        d.alive()
        wait_for(lambda: d.get('/healthz').status == 200, 'the API answers')
        with Seed(t) as seed:
            seed.dial(d)
            d.wait_done(t)
        check('err=NFILES' not in d.log(), 'it ran out of descriptors:', d.log()[-2000:])
        return d.log()


@case
def a_hundred_and_sixty_are_enough_to_live():
    log = hold_out(160, {})
    line = re.search(r'file_limit limit=160 peers.max=(\d+) store.open_files=(\d+) '
                     r'api.connections=(\d+) tracker.connections=(\d+)', log)
    check(line, 'it says what it cuts:', log[:1000])
    check(all(int(n) > 0 for n in line.groups()), line.group(0))


@case
def two_hundred_are_enough():
    check('file_limit limit=200' in hold_out(200, {}), 'it says what it cuts')


@case
def a_thousand_hold_what_was_asked_for():
    log = hold_out(1024, {})
    check('file_limit' not in log or 'limit=1024' in log, log[:1000])


@case
def what_fits_is_not_cut():
    with Daemon(options={**SMALL, 'peers.max': 50, 'api.connections': 20, 'tracker.connections': 10,
                         'store.open_files': 20}, wrap=limited(400)) as d:
        check('file_limit' not in d.log(), d.log()[:1000])


@case
def too_few_are_refused_with_what_to_do():
    with Daemon(options=SMALL) as d:
        d.terminate()
        for n in (24, 64):
            status, _, words = run_binary(f'--nofile={n}:{n}', BINARY, *d.arguments(), binary='/usr/bin/prlimit')
            equal(status, 1, words)
            check('LimitNOFILE' in words, words)


@case
def the_soft_limit_is_raised():
    with Daemon(options=SMALL, wrap=['prlimit', '--nofile=64:4096']) as d:
        with open(f'/proc/{d.process.pid}/limits', encoding='ascii') as f:
            check(re.search(r'Max open files\s+4096\s+4096', f.read()), 'it is 4096')


@case
def a_reload_stays_within():
    with Daemon(options={**SMALL, 'peers.max': None}, config='[peers]\nmax = 5\n', wrap=limited(200)) as d:
        d.write_config('[peers]\nmax = 5000\n')
        d.process.send_signal(1)
        wait_for(lambda: d.log().count('config_changed option=peers.max'), 'it is reloaded')
        check(re.search(r'file_limit limit=200 peers.max=\d\d? ', d.log()), d.log()[-1000:])


lib_tap.main()
