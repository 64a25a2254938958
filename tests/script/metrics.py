#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What watchers ask for: probes, and numbers in the text format of Prometheus."""
import re
import socket

import lib_tap
from lib_daemon import Daemon
from lib_peer import Seed
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent

SAMPLE = re.compile(r'^(torrentd_[a-z_]+)(?:\{([a-z]+)="([^"\\]*)"\})? (\d+(?:\.\d+)?)$')


def metrics(d):
    """Every sample by (name, value of its label); each line is judged."""
    reply = d.get('/metrics')
    equal(reply.status, 200)
    check(reply.headers['Content-Type'].startswith('text/plain; version=0.0.4'), reply.headers['Content-Type'])
    text = reply.body.decode()
    check(text.endswith('\n'))
    found, kinds, helped = {}, {}, set()
    for line in text.splitlines():
        if line.startswith('# HELP '):
            helped.add(line.split()[2])
        elif line.startswith('# TYPE '):
            _, _, name, kind = line.split()
            check(name in helped and name not in kinds and kind in ('gauge', 'counter'), line)
            kinds[name] = kind
        elif not line.startswith('torrentd_info{'):
            name, _, value, number = SAMPLE.match(line).groups()
            check(name in kinds and (name, value) not in found, line)
            check(name.endswith('_total') == (kinds[name] == 'counter'), line)
            found[name, value] = float(number)
    return found


@case
def numbers_are_in_the_format_and_follow_what_happens():
    with Daemon() as d:
        before = metrics(d)
        equal(before['torrentd_torrents', 'downloading'], 0)
        t = Torrent('watched', 600 * 1024)
        d.add(t)
        d.ok('/setglobaldownrate', rate='512')
        with Seed(t).dial(d):
            d.wait_done(t)
        d.add(Torrent('resting', 1000, seed=2), start='false')
        after = metrics(d)
        equal((after['torrentd_torrents', 'seeding'], after['torrentd_torrents', 'stopped']), (1, 1))
        equal(after['torrentd_download_limit_bytes_per_second', None], 512 * 1024)
        for name in ('torrentd_actor_turns_total', 'torrentd_actor_messages_in_total'):
            check(after[name, 'session'] > before[name, 'session'], name)
        equal({k for k in after if k[0] != 'torrentd_torrents'}, {k for k in before if k[0] != 'torrentd_torrents'})
        check(len(after) < 1000, len(after), 'series')


@case
def probes_ask_nobody_who_they_are():
    token = 'a-token-of-sixteen'
    with Daemon({'api.token': token, 'api.local': 'off'}) as d:
        for path in ('/livez', '/readyz'):
            equal((d.get(path).status, d.get(path).body), (200, b'ok\n'))
        equal(d.get('/metrics').status, 401)
        equal(d.http('GET', '/metrics', headers={'Authorization': f'Bearer {token}'}).status, 200)


@case
def who_leaves_before_the_answer_costs_nothing():
    with Daemon() as d:
        for _ in range(200):
            with socket.create_connection(('127.0.0.1', d.api_port)) as s:
                s.sendall(f'GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:{d.api_port}\r\n\r\n'.encode())
        wait_for(lambda: d.get('/readyz').status == 200, 'it is ready')
        equal(d.get('/metrics').status, 200)


lib_tap.main()
