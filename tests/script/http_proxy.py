#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Behind nginx and Caddy with the README's lines: TLS, a path of its own, a port, large torrents, a token that the proxy adds."""
import json
import os
import re

import lib_tap
from lib_daemon import Daemon
from lib_proxy import NAME, Caddy, Nginx
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


BEHIND = {'api.local': 'off', 'api.hosts': NAME, 'api.trusted_proxies': '127.0.0.1', 'api.base_path': '/torrents'}
PAGE = ('-H', 'Accept: text/html')


def page_is_whole(ask):
    """The page, and all that it names by an address relative to its own; ask(path, *curl's arguments)."""
    status, page = ask('/', *PAGE)
    equal(status, 200, page)
    named = re.findall(r'(?:src|href)="([^"]+)"', page.decode())
    check(len(named) > 4, 'the page names', named)
    for one in named + ['sw.js']:
        check(not one.startswith('/'), one, 'is not relative')
        equal(ask('/' + one)[0], 200, one)


def pair_by_link(n, token):
    """A device comes in by the link that who has the token is given, and has its cookie beneath the path alone."""
    status, made = n.curl('/api/v1/pairings', '-X', 'POST', '-H', f'Authorization: Bearer {token}')
    equal(status, 201, made)
    link = json.loads(made)['url']
    check(link.startswith(n.url('/#/pair/')), link, 'is no link to', n.url())
    jar = ('-b', f'{n.root}/jar', '-c', f'{n.root}/jar', '-H', 'X-Requested-With: x')
    secret = json.dumps({'secret': link.rpartition('/')[2]})
    status, said = n.curl('/api/v1/pair', *jar, '-i', '-d', secret)
    equal(status, 200, said)
    check(re.search(rb'(?i)set-cookie: \S+; Path=/torrents; HttpOnly; SameSite=Strict; Max-Age=\d+; Secure\r', said), said)
    return jar


def everything_works(n, token):
    status, where = n.curl('', '-i')
    check(status in (301, 302, 308) and re.search(rb'(?i)location: (https://[^/]+)?/torrents/\r', where), where)
    page_is_whole(n.curl)
    jar = pair_by_link(n, token)
    status, said = n.curl('/api/v1/session', *jar)
    equal(status, 200, said)
    session = json.loads(said)
    equal((session['scheme'], session['host'], session['base_path'], session['trusted_proxy'], session['local'],
           session['token']['kind']), ('https', f'{NAME}:{n.port}', '/torrents', True, False, 'device'))
    equal(n.curl('/alldata', *jar)[0], 200)
    equal(n.curl('/alldata')[0], 401)
    equal(n.curl('/transmission/rpc', *jar, '-d', '{}')[0], 409, 'the dialect gives its session id')
    equal(n.curl('/nothing', *jar)[0], 404)
    equal(n.curl('/api/v1/nothing', *jar)[0], 404)
    equal(n.curl('/api/v1/logout', *jar, '-X', 'POST')[0], 204)
    with open(f'{n.root}/jar', encoding='ascii') as f:
        check('torrentd-' not in f.read(), 'the cookie stays')


@case
def all_of_it_lies_beneath_a_path_whether_the_proxy_takes_it_away_or_not():
    for strips in (False, True):
        with Daemon(BEHIND) as d, Nginx(d, strips=strips) as n:
            everything_works(n, d.first_token())


@case
def caddy_passes_on_by_the_readmes_lines():
    with Daemon(BEHIND) as d, Caddy(d) as n:
        everything_works(n, d.first_token())


@case
def a_proxys_password_comes_before_the_cookie():
    with Daemon(BEHIND) as d, Nginx(d, password='hush') as n:
        equal(n.curl('/', *PAGE)[0], 401)
        equal(n.curl('/api/v1/session', '-u', 'me:loud')[0], 401)
        user = ('-u', 'me:hush')
        page_is_whole(lambda path, *more: n.curl(path, *user, *more))
        equal(n.curl('/alldata', *user)[0], 401, 'the daemon asks, too')
        secret = re.search(r'#/pair/(\S+)', d.stdout()).group(1)
        jar = (*user, '-b', f'{n.root}/jar', '-c', f'{n.root}/jar', '-H', 'X-Requested-With: x')
        equal(n.curl('/api/v1/pair', *jar, '-d', json.dumps({'secret': secret}))[0], 200)
        equal(n.curl('/alldata', *jar)[0], 200)


@case
def without_a_proxy_both_paths_lead_there():
    with Daemon({'api.base_path': '/torrents'}) as d:
        told = lib_tap.wait_for(d.stdout, 'lines')
        check(f'http://127.0.0.1:{d.api_port}/torrents/  state' in told, told)
        check(f'http://127.0.0.1:{d.api_port}/torrents/#/pair/' in told, told)
        for path in ('/alldata', '/torrents/alldata', '/torrents/', '/'):
            equal(d.get(path).status, 200, path)
        reply = d.get('/torrents?add=magnet:%3Fxt=urn:btih:0&more=%20')
        equal((reply.status, reply.headers['Location']), (308, '/torrents/?add=magnet:%3Fxt=urn:btih:0&more=%20'))
        equal(d.http('POST', '/torrents').status, 404)
        for path in ('/torrentsx/alldata', '/torrents/torrents/alldata', '/Torrents/alldata', '/torrents//alldata'):
            equal(d.get(path).status, 404, path)
        reply = d.http('GET', '/torrents', None, None, {'Host': 'evil.example'})
        equal(reply.status, 421, 'the guards come first')
        check(reply.headers['Location'] is None, 'led on')
        equal(d.get('/torrents/api/v1/nothing').headers['Content-Type'], 'application/problem+json')


if __name__ == '__main__':
    lib_tap.main()
