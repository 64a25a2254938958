#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Behind nginx with the README's lines: TLS, a path of its own, a port, large torrents, and a token that it adds."""
import json
import os

import lib_tap
from lib_daemon import Daemon
from lib_nginx import NAME, Nginx
from lib_tap import case, check, equal
from lib_torrent import Torrent

TOKEN = '8f1c9a0e5b7d4c2f'


def large():
    """A .torrent of more than a megabyte."""
    t = Torrent('large', 70000 * 16, 16)
    check(len(t.data) > 1 << 20, 'only', len(t.data), 'bytes')
    return t


def put(d, name, data):
    path = os.path.join(d.root, name)
    with open(path, 'wb') as f:
        f.write(data)
    return '@' + path


@case
def the_readmes_lines_serve_programs_and_pages():
    with Daemon({'api.token': TOKEN, 'api.hosts': NAME}) as d, Nginx(d) as n:
        bearer = ('-H', f'Authorization: Bearer {TOKEN}')
        equal(n.curl('/alldata')[0], 401, 'the client brings the token')
        t = large()
        body = put(d, 'large.torrent', t.data)
        status, words = n.curl('/addtorrentfile?start=false', '--data-binary', body, *bearer)
        equal(status, 200, words)
        # A page of this address: its Origin has the port.
        page = ('-H', f'Origin: https://{NAME}:{n.port}', '-H', 'User-Agent: Mozilla/5.0', '-X', 'POST')
        status, words = n.curl(f'/stoptorrent?infohash={t.hex}', *page, *bearer)
        equal(status, 200, words)
        status, _ = n.curl(f'/stoptorrent?infohash={t.hex}', '-H', f'Origin: https://{NAME}', '-X', 'POST', *bearer)
        equal(status, 403, 'a page of another port')
        status, words = n.curl('/alldata', *bearer)
        equal((status, len(json.loads(words)['sessions'])), (200, 1))


@case
def a_token_that_the_proxy_adds_lets_every_program_in_and_no_page():
    with Daemon({'api.token': TOKEN, 'api.hosts': NAME}) as d, Nginx(d, token=TOKEN) as n:
        t = Torrent('added', 1000)
        equal(n.curl('/addtorrentfile?start=false', '--data-binary', put(d, 'x', t.data))[0], 200)
        equal(n.curl('/alldata')[0], 200)
        change = f'/stoptorrent?infohash={t.hex}'
        equal(n.curl(change, '-A', 'Mozilla/5.0')[0], 403, 'an image')
        equal(n.curl(change, '-A', 'Mozilla/5.0', '-H', 'X-Requested-With: x')[0], 200)
        equal(n.curl(change)[0], 200, 'a program')


@case
def who_comes_through_a_proxy_needs_a_token_whether_it_is_trusted_or_not():
    for trusted in ('', '127.0.0.1'):
        with Daemon({'api.trusted_proxies': trusted, 'api.hosts': NAME}) as d, Nginx(d) as n:
            bearer = ('-H', f'Authorization: Bearer {d.first_token()}')
            t = Torrent('who', 1000)
            d.add(t, start='false')
            for path in ('/', '/alldata', f'/stoptorrent?infohash={t.hex}'):
                for said in ((), ('-H', 'X-Forwarded-For: 203.0.113.7'), ('-H', 'X-Forwarded-For: 127.0.0.1')):
                    equal(n.curl(path, *said)[0], 401, f'trusted {trusted!r}, {path} {said}')
                    equal(n.curl(path, *said, *bearer)[0], 200, f'trusted {trusted!r}, {path} {said}')


if __name__ == '__main__':
    lib_tap.main()
