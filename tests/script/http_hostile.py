#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Requests that must not get in: other hosts and sites, ambiguous framing, floods, drips and garbage."""
import json
import os
import random
import socket
import time
import urllib.parse

import lib_tap
from lib_daemon import Daemon, exchange, run_binary
from lib_tap import PATIENCE, at_once, case, check, equal, wait_for
from lib_torrent import Torrent

TOKEN = 'correct-horse-battery'


def status_of(raw):
    """The status of the first answer in the bytes; 0 when there is none."""
    parts = raw.split(b' ', 2)
    return int(parts[1]) if raw.startswith(b'HTTP/1.') and len(parts) > 1 else 0


def leaks(raw):
    """Whether a second request, hidden in the body of the first, was answered."""
    return b'"sessions"' in raw


def raw_request(d, line='GET /alldata HTTP/1.1', headers=(), host='default', body=b''):
    """One request by hand; the answer's bytes until the daemon closes."""
    head = [line]
    if host is not None:
        head.append(f'Host: {f"127.0.0.1:{d.api_port}" if host == "default" else host}')
    head += ['Connection: close', *headers]
    return d.raw('\r\n'.join(head).encode('latin-1') + b'\r\n\r\n' + body)


def answers_still(d):
    started = time.monotonic()
    equal(d.get('/alldata').status, 200, 'the API answers')
    return time.monotonic() - started


@case
def the_host_header():
    with Daemon({'api.hosts': 'torrents.example, box'}) as d:
        port = d.api_port
        for host in (f'127.0.0.1:{port}', f'localhost:{port}', 'localhost', 'LocalHost', '127.0.0.1', '[::1]',
                     f'[::1]:{port}', '127.8.8.8'):
            equal(status_of(raw_request(d, host=host)), 200, host)
        # A proxy may be behind such a name.
        bearer = [f'Authorization: Bearer {d.first_token()}']
        for host in ('torrents.example', f'TORRENTS.example:{port}', 'box'):
            equal(status_of(raw_request(d, host=host)), 401, host)
            equal(status_of(raw_request(d, host=host, headers=bearer)), 200, host)
        for host in ('evil.example', f'evil.example:{port}', 'localhost.evil.example', '127.0.0.1.evil.example',
                     'torrents.example.evil.example', 'xbox', '', ':80', '[::1', '[::1]x', 'localhost:x',
                     'localhost:80:80', '127.0.0.1@evil', 'localhost/', 'local host', '[evil]', '0x7f.1',
                     f'0.0.0.0:{port}', f'[::]:{port}', f'[::ffff:7f00:1]:{port}', '[::ffff:127.0.0.1]',
                     '192.168.3.4', '8.8.8.8'):
            got = status_of(raw_request(d, host=host))
            check(got in (421, 400), repr(host), 'got', got)
        equal(status_of(raw_request(d, host='evil.example')), 421)
        equal(status_of(raw_request(d, host=None)), 400, 'no Host')
        equal(status_of(raw_request(d, host='localhost', headers=['Host: localhost'])), 400, 'two Hosts')
        equal(status_of(raw_request(d, 'GET /alldata HTTP/1.0', host=None)), 400, 'no Host in HTTP/1.0')


@case
def requests_that_another_site_makes():
    with Daemon() as d:
        me = f'http://127.0.0.1:{d.api_port}'
        t = Torrent('site', 1000)
        for origin in ('http://evil.example', 'https://evil.example', 'null', '', me + '.evil.example',
                       'http://127.0.0.1', f'http://127.0.0.1:{d.api_port + 1}', f'http://localhost:{d.api_port}',
                       'file://', me + '/', 'evil'):
            reply = d.http('POST', '/addtorrentfile', None, t.data, {'Origin': origin})
            equal(reply.status, 403, f'Origin {origin!r}')
        for site in ('cross-site', 'same-site', 'x', '', 'same-origin, cross-site'):
            equal(d.http('GET', '/alldata', headers={'Sec-Fetch-Site': site}).status, 403, f'site {site!r}')
        equal(d.all()['sessions'], [])
        equal(d.http('GET', '/alldata', headers={'Origin': me}).status, 200)
        for site in ('same-origin', 'none'):
            equal(d.http('GET', '/alldata', headers={'Sec-Fetch-Site': site}).status, 200, site)
        reply = d.get('/alldata')
        check(reply.headers['Access-Control-Allow-Origin'] is None, 'others may read it')
        equal(reply.headers['X-Content-Type-Options'], 'nosniff')


PAGE = {'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140', 'Accept': 'image/avif,image/webp,*/*;q=0.8'}
SHOWS_ITSELF = {'X-Requested-With': 'XMLHttpRequest'}


@case
def what_a_page_makes_a_browser_send_changes_nothing():
    for token in ('', TOKEN):
        with Daemon({'api.token': token, 'api.hosts': 'torrents.example'}) as d:
            t = Torrent('page', 1000)
            # A proxy adds the token to whatever passes.
            bearer = {'Authorization': f'Bearer {token or d.first_token()}'}
            equal(d.http('POST', '/addtorrentfile', {'start': 'false'}, t.data, bearer).status, 200)
            for host in ('torrents.example', f'127.0.0.1:{d.api_port}'):
                for method in ('GET', 'POST'):
                    for headers in (PAGE, {'Referer': 'http://evil.example/'}, {'Sec-Fetch-Site': 'none'},
                                    {'Accept': 'text/html,application/xhtml+xml'}, {'Upgrade-Insecure-Requests': '1'}):
                        reply = d.http(method, '/removetorrent', {'infohash': t.hex, 'delete': 'true'}, None,
                                       {'Host': host, **bearer, **headers})
                        equal(reply.status, 403, (host, method, headers))
                        check(b'X-Requested-With' in reply.body, reply.body)
            reply = d.http('GET', '/stoptorrent', {'infohash': t.hex}, None, {**PAGE, **bearer, **SHOWS_ITSELF})
            equal(reply.status, 200, reply.body)
            equal(d.http('GET', '/alldata', None, None, {**PAGE, **bearer}).status, 200, 'looking is free')
            equal(d.http('GET', '/removetorrent', {'infohash': t.hex}, None, bearer).status, 200, 'a program')


@case
def get_changes_nothing_when_that_is_off():
    with Daemon({'api.get_changes': 'off'}) as d:
        t = Torrent('off', 1000)
        d.add(t, start='false')
        reply = d.http('GET', '/starttorrent', {'infohash': t.hex}, None, SHOWS_ITSELF)
        equal((reply.status, reply.headers['Allow']), (405, 'POST'))
        equal(d.view(t)['started'], False)
        d.ok('/starttorrent', infohash=t.hex)


@case
def applications_of_listed_origins_may_use_it():
    app = 'https://app.example:8443'
    with Daemon({'api.origins': app, 'api.token': TOKEN}) as d:
        ask = {'Origin': app, 'Access-Control-Request-Method': 'POST', 'Sec-Fetch-Site': 'cross-site',
               'Access-Control-Request-Headers': 'authorization'}
        reply = d.http('OPTIONS', '/addtorrentfile', None, None, ask)
        equal((reply.status, reply.headers['Access-Control-Allow-Origin']), (204, app))
        check('Authorization' in reply.headers['Access-Control-Allow-Headers'], 'the token may not be sent')
        check('POST' in reply.headers['Access-Control-Allow-Methods'], 'POST is not allowed')
        right = {'Origin': app, 'Sec-Fetch-Site': 'cross-site', 'Authorization': f'Bearer {TOKEN}', **PAGE}
        t = Torrent('app', 1000)
        reply = d.http('POST', '/addtorrentfile', None, t.data, right)
        equal((reply.status, reply.headers['Access-Control-Allow-Origin']), (200, app))
        reply = d.http('GET', '/alldata', None, None, {'Origin': app})
        equal((reply.status, reply.headers['Access-Control-Allow-Origin']), (401, app), 'it may read why')
        for other in ('https://app.example', 'http://app.example:8443', 'https://evil.example'):
            reply = d.http('OPTIONS', '/addtorrentfile', None, None, {**ask, 'Origin': other})
            equal((reply.status, reply.headers['Access-Control-Allow-Origin']), (403, None), other)
        reply = d.http('GET', '/alldata', None, None, {'Authorization': f'Bearer {TOKEN}'})
        check('Origin' in reply.headers.get_all('Vary', ()), 'a cache would give one origin the answer of another')


@case
def the_token_is_wanted_everywhere():
    with Daemon({'api.token': TOKEN, 'api.trusted_proxies': '127.0.0.1'}) as d:
        paths = ['/', '/alldata', '/torrentdata', '/starttorrent', '/stoptorrent', '/removetorrent',
                 '/setdownrate', '/setuprate', '/settorrentdownrate', '/settorrentuprate',
                 '/setglobaldownrate', '/setglobaluprate', '/healthz', '/rechecktorrent', '/nothing']
        wrong = [None, '', TOKEN, f'Bearer {TOKEN}x', f'Bearer {TOKEN[:-1]}', 'Bearer ', 'Bearer',
                 f'Basic {TOKEN}', f'Bearer  {TOKEN}', f'Bearer {TOKEN.upper()}', 'Bearer ' + 'x' * 5000,
                 f'bearer{TOKEN}', f'Bearer {TOKEN}, Bearer x']
        for i, path in enumerate(paths):
            for k, value in enumerate(wrong if path == '/alldata' else wrong[:4]):
                # From an address of its own, which has not been wrong too often.
                headers = {'X-Forwarded-For': f'10.0.{i}.{k}'}
                if value is not None:
                    headers['Authorization'] = value
                reply = d.http('GET', path, headers=headers)
                equal(reply.status, 401, f'{path} {value!r}')
                check('Bearer' in reply.headers['WWW-Authenticate'], 'WWW-Authenticate')
                check(TOKEN.encode() not in reply.body, 'the token is told')
        t = Torrent('token', 1000)
        equal(d.http('POST', '/addtorrentfile', None, t.data).status, 401)
        equal(d.get('/alldata', token=TOKEN).status, 401, 'a token in the query')
        right = {'Authorization': f'Bearer {TOKEN}'}
        equal(d.http('POST', '/addtorrentfile', None, t.data, right).status, 200)
        equal(json.loads(d.http('GET', '/alldata', headers={'authorization': f'bearer {TOKEN}'}).body)
              ['sessions'][0]['name'], 'token')
        raw = raw_request(d, headers=[f'Authorization: Bearer {TOKEN}', 'Authorization: Bearer x'])
        equal(status_of(raw), 401, 'two Authorization headers')
        check(TOKEN not in d.log(), 'the token is in the log')


@case
def bound_elsewhere_everybody_needs_a_token():
    for bind in ('0.0.0.0', '::', '192.0.2.1'):
        status, _, words = run_binary(f'--api.bind={bind}', '--api.local=on', '--state.dir=/nonexistent/x',
                                      '--download.dir=/nonexistent/y')
        equal(status, 2, bind)
        check('api.local' in words and 'api.bind' in words, words)
    for options in ({}, {'api.token': TOKEN}):
        with Daemon({'api.bind': '0.0.0.0', **options}) as d:
            equal(d.get('/alldata').status, 401)
            token = options.get('api.token') or d.first_token()
            equal(d.http('GET', '/alldata', headers={'Authorization': f'Bearer {token}'}).status, 200)


@case
def ambiguous_framing_is_refused():
    with Daemon() as d:
        post = 'POST /addtorrentfile HTTP/1.1'
        smuggled = b'0\r\n\r\nGET /alldata HTTP/1.1\r\nHost: localhost\r\n\r\n'
        for headers in (['Content-Length: 5', 'Transfer-Encoding: chunked'],
                        ['Transfer-Encoding: chunked', 'Content-Length: 5'],
                        ['Content-Length: 5', 'Content-Length: 6'], ['Content-Length: 5', 'Content-Length: 5'],
                        ['Transfer-Encoding: gzip'], ['Transfer-Encoding: gzip, chunked'],
                        ['Transfer-Encoding: chunked, identity'], ['Transfer-Encoding: xchunked'],
                        ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
                        ['Transfer-Encoding : chunked'], ['Transfer-Encoding:\x0bchunked'],
                        ['Content-Length: -1'], ['Content-Length: +5'], ['Content-Length: 0x5'],
                        ['Content-Length: 5 5'], ['Content-Length: 5,5'], ['Content-Length: '],
                        ['Content-Length: 99999999999999999999999'], [' Content-Length: 5'],
                        ['Content-Length : 5'], ['Content-Length\t: 5'], ['Content-Length:\r\n 5'],
                        ['Transfer-Encoding\t: chunked'], ['Transfer-Encoding:\r\n chunked'], ['Content-Length2: 5'],
                        ['A: b\nContent-Length: 5'], ['A: b\rContent-Length: 5'], ['A: b\0c'], ['A: b\r\n c'],
                        ['nocolon'], [': x']):
            raw = raw_request(d, post, headers, body=smuggled)
            check(status_of(raw) in (400, 413, 0), headers, 'got', raw[:80])
            equal(raw.count(b'HTTP/1.1 4'), raw.count(b'HTTP/1.1 '), f'answers to {headers}')
            check(not leaks(raw), headers, 'a smuggled request was answered')
        raw = raw_request(d, 'POST /addtorrentfile HTTP/1.0', ['Transfer-Encoding: chunked'], body=smuggled)
        check(status_of(raw) in (400, 0), 'chunked in HTTP/1.0', raw[:80])
        check(not leaks(raw), 'smuggled')
        answers_still(d)


@case
def lines_that_do_not_end_as_they_should_are_refused():
    with Daemon() as d:
        for head in (b'GET /alldata HTTP/1.1\nHost: localhost\r\n\r\n',
                     b'GET /alldata HTTP/1.1\r\nHost: localhost\n\r\n',
                     b'GET /alldata HTTP/1.1\r\nHost: localhost\r\n\n', b'GET /alldata HTTP/1.1\r\nHost: localhost\n\n',
                     b'GET /alldata\0 HTTP/1.1\r\nHost: localhost\r\n\r\n',
                     b'GET /alldata HTTP/1.1\r\nHost: localhost\0evil\r\n\r\n'):
            raw = d.raw(head + b'GET /alldata HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
            check(status_of(raw) in (0, 400), head, 'got', raw[:80])
            check(not leaks(raw), head, 'what follows was answered')
        got = d.raw(b'\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'
                    b'GET /alldata?files=t%72ue HTTP/1.1\r\nHost: localhost\r\nCookie: a=b; c=d\r\n'
                    b'Connection: close\r\n\r\n')
        equal(got.count(b'HTTP/1.1 200'), 2, 'two requests in one go')


@case
def a_chunked_body_is_taken():
    with Daemon() as d:
        t = Torrent('chunked', 300000)
        body, noise, at = b'', random.Random(2), 0
        while at < len(t.data):
            n = noise.randrange(1, 60)
            part = t.data[at:at + n]
            body += b'%x\r\n%s\r\n' % (len(part), part)
            at += n
        raw = raw_request(d, 'POST /addtorrentfile HTTP/1.1', ['Transfer-Encoding: Chunked'],
                          body=body + b'0\r\n\r\n')
        equal(status_of(raw), 200, 'chunked')
        equal(d.view(t)['name'], 'chunked')


@case
def bad_chunks_are_refused():
    with Daemon() as d:
        for body in (b'x\r\n', b'-5\r\nhello\r\n0\r\n\r\n', b'5\r\nhelloXX0\r\n\r\n',
                     b'ffffffffffffffff\r\nx', b'5;' + b'x' * 100000, b'\r\n\r\n', b'5\nhello\n0\n\n'):
            s = socket.create_connection(('127.0.0.1', d.api_port), timeout=PATIENCE)
            with s:
                s.sendall(b'POST /addtorrentfile HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n'
                          b'Transfer-Encoding: chunked\r\n\r\n')
                try:
                    s.sendall(body)
                    s.shutdown(socket.SHUT_WR)
                    got = exchange(s, b'')
                except OSError:
                    got = b''
            check(status_of(got) in (400, 413, 0), body[:20], got[:60])
        answers_still(d)


@case
def bodies_over_the_limit_with_and_without_a_length():
    with Daemon({'api.body_limit': '64KiB'}) as d:
        equal(status_of(raw_request(d, 'POST /addtorrentfile HTTP/1.1', ['Content-Length: 65537'])), 413,
              'refused before the body is read')
        equal(status_of(raw_request(d, 'POST /addtorrentfile HTTP/1.1', ['Content-Length: 18446744073709551615'])),
              413)
        chunk = b'8000\r\n' + b'd' * 0x8000 + b'\r\n'
        with socket.create_connection(('127.0.0.1', d.api_port), timeout=PATIENCE) as s:
            sent = 0
            try:
                s.sendall(b'POST /addtorrentfile HTTP/1.1\r\nHost: localhost\r\n'
                          b'Transfer-Encoding: chunked\r\n\r\n')
                while sent < 400:
                    s.sendall(chunk)
                    sent += 1
            except OSError:
                pass
            check(sent < 400, 'an endless body was read for', sent * 0x8000, 'bytes')
        answers_still(d)


@case
def a_body_just_at_the_limit_is_read():
    with Daemon({'api.body_limit': '64KiB'}) as d:
        equal(d.http('POST', '/addtorrentfile', None, b'x' * 65536).status, 400)
        equal(d.http('POST', '/addtorrentfile', None, b'x' * 65537).status, 413)


@case
def huge_heads_are_refused():
    with Daemon() as d:
        for head in (b'GET /' + b'a' * 200000 + b' HTTP/1.1\r\n\r\n',
                     b'GET / HTTP/1.1\r\nHost: localhost\r\nX: ' + b'y' * 200000 + b'\r\n\r\n',
                     b'GET / HTTP/1.1\r\nHost: localhost\r\n' + b'X: y\r\n' * 50000 + b'\r\n',
                     b'GET /alldata?' + b'a=b&' * 50000 + b' HTTP/1.1\r\nHost: localhost\r\n\r\n'):
            got = d.raw(head)
            check(status_of(got) in (0, 400, 413, 414, 431), 'got', got[:60])
            answers_still(d)


@case
def garbage_bytes_instead_of_requests():
    noise = random.Random(11)
    with Daemon({'api.timeout': '1s'}) as d:
        samples = [b'\0' * 100, b'\r\n' * 1000, b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + bytes(500),
                   b'GET', b'GET /', b'GET / HTTP/9.9\r\nHost: localhost\r\n\r\n', b'GET / HTTP/1.1\r\n',
                   b'\x13BitTorrent protocol' + bytes(48), b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
                   b'GET http://localhost/alldata HTTP/1.1\r\nHost: localhost\r\n\r\n',
                   b'GET //// HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
                   b'GET * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
                   b'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n',
                   b'get /alldata HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
                   b'GET /all\0data HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
                   b'GET /alldata HTTP/1.1\r\nHost: localhost\r\nA\0: b\r\nConnection: close\r\n\r\n',
                   b'GET /alldata HTTP/1.1\r\nHost: localhost\r\n folded\r\nConnection: close\r\n\r\n']
        samples += [noise.randbytes(noise.randrange(1, 3000)) for _ in range(40)]
        for data in samples:
            with socket.create_connection(('127.0.0.1', d.api_port), timeout=PATIENCE) as s:
                try:
                    s.sendall(data)
                    s.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                exchange(s, b'')
        answers_still(d)


@case
def nul_duplicates_and_percent_signs_in_parameters():
    with Daemon() as d:
        t = Torrent('query', 1000)
        d.add(t, start='false')
        cases = [(f'infohash={t.hex}%00', 422), (f'infohash={t.hex}&infohash={t.hex}', 422),
                 (f'infohash={t.hex}%', 422), (f'infohash={t.hex}%zz', 422), (f'infohash=%{t.hex}', 422),
                 ('infohash', 422), ('infohash=', 422), (f'INFOHASH={t.hex}', 422), (f'infohash={t.hex}&a%00b=1', 422),
                 (f'infohash={t.hex}', 200),
                 ('infohash=' + ''.join(f'%{ord(c):02x}' for c in t.hex), 200),
                 (f'%69nfohash={t.hex}', 200), (f'unknown=1&infohash={t.hex}', 422),
                 (f'&&&infohash={t.hex}&', 200), (f'infohash={t.hex}#x', 422), (f'infohash=+{t.hex}', 422)]
        for query, wanted in cases:
            got = raw_request(d, f'GET /torrentdata?{query} HTTP/1.1')
            check(status_of(got) in ((wanted, 400) if wanted == 422 else (wanted,)), query, got[:300])
        new = Torrent('nul', 1000, seed=5)
        for path in ('a%00b', '%00', 'x&path=y', '..%2f..%2fx', '%2e%2e/x', '..%2f', 'a%2f..%2f..%2fx'):
            got = raw_request(d, f'POST /addtorrentfile?path={path} HTTP/1.1',
                              [f'Content-Length: {len(new.data)}'], body=new.data)
            equal(status_of(got), 422, path)
        for path in ('sp%20ace', 'pl+us', '%c3%bc', 'per%25cent', "quo'te%22"):
            got = raw_request(d, f'POST /addtorrentfile?path={path}&start=false HTTP/1.1',
                              [f'Content-Length: {len(new.data)}'], body=new.data)
            equal(status_of(got), 200, path)
            wanted = urllib.parse.unquote_plus(path)
            equal(d.view(new)['path'], os.path.join(d.downloads, wanted), path)
            d.ok('/removetorrent', infohash=new.hex)


@case
def a_path_that_is_not_utf8_gives_valid_json():
    with Daemon() as d:
        t = Torrent('bytes', 1000)
        got = raw_request(d, 'POST /addtorrentfile?path=%ff%fe&start=false HTTP/1.1',
                          [f'Content-Length: {len(t.data)}'], body=t.data)
        check(status_of(got) in (200, 422), got[:200])
        d.all()


@case
def idle_connections_do_not_shut_others_out():
    with Daemon() as d:
        idle = [socket.create_connection(('127.0.0.1', d.api_port), timeout=PATIENCE) for _ in range(200)]
        check(answers_still(d) < 5, 'slow')
        for s in idle[:100]:
            s.sendall(b'GET /alldata HTTP/1.1\r\nHost:')
        check(answers_still(d) < 5, 'slow')
        for s in idle:
            s.close()
        answers_still(d)


@case
def more_connections_than_allowed_then_fewer():
    with Daemon({'api.connections': '20', 'api.timeout': '2s'}) as d:
        flood = []
        for _ in range(100):
            flood.append(socket.create_connection(('127.0.0.1', d.api_port), timeout=PATIENCE))
        for s in flood:
            s.close()
        wait_for(lambda: d.is_up(), 'it answers again')
        held = [socket.create_connection(('127.0.0.1', d.api_port), timeout=PATIENCE) for _ in range(30)]
        # The silent ones are ended after api.timeout, which makes room.
        wait_for(lambda: d.is_up(), 'silent connections are ended')
        for s in held:
            s.close()


@case
def a_silent_and_a_dripping_client_are_ended():
    with Daemon({'api.timeout': '1s'}) as d:
        with socket.create_connection(('127.0.0.1', d.api_port), timeout=PATIENCE) as s:
            s.sendall(b'GET /alldata HT')
            exchange(s, b'')
        with socket.create_connection(('127.0.0.1', d.api_port), timeout=PATIENCE) as s:
            equal(exchange(s, b''), b'', 'silent')
        # One that drips holds no more than its connection.
        with socket.create_connection(('127.0.0.1', d.api_port), timeout=PATIENCE) as s:
            for c in b'GET /alldata HTTP/1.1\r\nHost: localhost\r\nX-Drip: yes\r\n':
                s.sendall(bytes([c]))
                check(answers_still(d) < 5, 'slow')


@case
def pipelined_requests_are_answered_in_order():
    with Daemon() as d:
        t = Torrent('pipe', 1000)
        d.add(t, start='false')
        one = b'GET /torrentdata?infohash=%s HTTP/1.1\r\nHost: localhost\r\n\r\n' % t.hex.encode()
        two = one.replace(t.hex.encode(), b'0' * 40)
        last = b'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
        got = d.raw((one + two) * 20 + last)
        statuses = [int(part[:3]) for part in got.split(b'HTTP/1.1 ')[1:]]
        equal(statuses, [200, 404] * 20 + [200])


@case
def a_client_that_leaves_while_it_waits():
    with Daemon() as d:
        t = Torrent('leaver', 1000)
        for n in range(60):
            with socket.create_connection(('127.0.0.1', d.api_port), timeout=PATIENCE) as s:
                data = Torrent(f'leaver{n}', 1000, seed=n).data
                s.sendall(b'POST /addtorrentfile?start=false HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n'
                          % len(data) + data)
                if n % 2:
                    s.sendall(b'GET /alldata HTTP/1.1\r\nHost: localhost\r\n\r\n' * 5)
        wait_for(lambda: len(d.all()['sessions']) == 60, lambda: len(d.all()['sessions']))
        check(t.hex not in str(d.all()), 'never added')


@case
def many_requests_at_once():
    with Daemon() as d:
        for n in range(20):
            d.add(Torrent(f'busy{n}', 5000, seed=n), start='false')
        statuses = at_once(lambda _: {d.get('/alldata').status for _ in range(25)}, range(20))
        check(set().union(*statuses) <= {200, 503}, statuses)


@case
def a_reader_that_never_reads():
    with Daemon() as d:
        for n in range(50):
            d.add(Torrent(f'bulk{n}', 5000, seed=n), start='false')
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.connect(('127.0.0.1', d.api_port))
            s.settimeout(2)
            try:
                s.sendall(b'GET /alldata HTTP/1.1\r\nHost: localhost\r\n\r\n' * 2000)
            except OSError:
                pass
            check(answers_still(d) < 5, 'slow')


lib_tap.main()
