#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A torrent's files over HTTP: ranges, what is not here yet, players that stop reading, and the end of all."""
import json
import os
import socket

import lib_tap
from lib_daemon import Daemon
from lib_peer import Seed
from lib_tap import at_once, case, check, equal, wait_for
from lib_torrent import Torrent

KIB = 1024


def path(t, file):
    return f'/api/v1/torrents/{t.hex}/files/{file}/content'


def seeding(d, t):
    t.write(d.downloads)
    d.add(t)
    d.wait_status(t, 'seeding')
    return t


def fetch(d, t, file, rng=None, **more):
    headers = dict(more.pop('headers', {}))
    if rng is not None:
        headers['Range'] = rng
    return d.http('GET', path(t, file), more or None, headers=headers)


def refused(reply, status, code):
    equal((reply.status, json.loads(reply.body)['code']), (status, code))


def data_of(t, file):
    return list(t.each_file(''))[file][1]


def several():
    return Torrent('things', [('a.mkv', 300 * KIB + 17), ('sub/b ü "x".html', 5), ('c.MP3', 70 * KIB), ('empty', 0)],
                   piece_length=64 * KIB)


@case
def whole_files_are_what_they_were():
    with Daemon() as d:
        t = seeding(d, several())
        for file, kind, how in ((0, 'video/x-matroska', 'inline'), (1, 'application/octet-stream', 'attachment'),
                                (2, 'audio/mpeg', 'inline'), (3, 'application/octet-stream', 'attachment')):
            reply = fetch(d, t, file)
            equal(reply.status, 200)
            equal(reply.body, data_of(t, file))
            equal((reply.headers['Content-Type'], reply.headers['Content-Disposition'].split(';')[0]), (kind, how))
            equal(reply.headers['X-Content-Type-Options'], 'nosniff')
            check("default-src 'none'" in reply.headers['Content-Security-Policy'])
        equal(fetch(d, t, 1).headers['Content-Disposition'], "attachment; filename*=UTF-8''b%20%C3%BC%20%22x%22.html")
        equal(fetch(d, t, 0, save='true').headers['Content-Disposition'], "attachment; filename*=UTF-8''a.mkv")
        head = d.http('HEAD', path(t, 0))
        equal((head.status, head.body, int(head.headers['Content-Length'])), (200, b'', 300 * KIB + 17))


@case
def ranges_are_parts_of_it():
    with Daemon() as d:
        t = seeding(d, several())
        data = data_of(t, 0)
        size = len(data)
        tag = fetch(d, t, 0).headers['ETag']
        for rng, a, b in (('bytes=0-0', 0, 1), ('bytes=65530-65545', 65530, 65546), ('bytes=100-', 100, size),
                          ('bytes=-7', size - 7, size), (f'bytes={size - 1}-{size + 9}', size - 1, size)):
            for headers in ({}, {'If-Range': tag}):
                reply = fetch(d, t, 0, rng, headers=headers)
                equal(reply.status, 206)
                equal(reply.headers['Content-Range'], f'bytes {a}-{b - 1}/{size}')
                equal(reply.body, data[a:b])
        equal(fetch(d, t, 0, 'bytes=1-2', headers={'If-Range': '"another"'}).status, 200)
        equal(fetch(d, t, 0, 'bytes=1-2,5-6').body, data)
        reply = fetch(d, t, 0, f'bytes={size}-')
        refused(reply, 416, 'no_such_range')
        equal(reply.headers['Content-Range'], f'bytes */{size}')


@case
def what_is_not_there_is_refused():
    with Daemon() as d:
        t = seeding(d, several())
        refused(fetch(d, t, 4), 404, 'no_such_file')
        refused(fetch(d, t, 'x'), 422, 'invalid')
        refused(fetch(d, t, -1), 422, 'invalid')
        equal(d.http('GET', path(t, 0).replace(t.hex, '00' * 20)).status, 404)
        equal(d.http('GET', path(t, 0).replace(t.hex, 'zz')).status, 422)
        equal(d.http('POST', path(t, 0)).status, 405)


@case
def only_verified_bytes_leave():
    with Daemon() as d:
        t = Torrent('half.mp4', 10 * 64 * KIB, piece_length=64 * KIB)
        d.add(t)
        refused(fetch(d, t, 0), 409, 'incomplete')
        with Seed(t, have={0, 1, 2, 5}).dial(d):
            d.wait_view(t, lambda v: set(d.pieces(t)) == {0, 1, 2, 5}, 'what the seed has')
            data = data_of(t, 0)
            refused(fetch(d, t, 0), 409, 'incomplete')
            reply = fetch(d, t, 0, 'bytes=10-')
            equal((reply.status, reply.headers['Content-Range']), (206, f'bytes 10-{3 * 64 * KIB - 1}/{len(data)}'))
            equal(reply.body, data[10:3 * 64 * KIB])
            refused(fetch(d, t, 0, f'bytes={3 * 64 * KIB}-'), 409, 'incomplete')
            at = 5 * 64 * KIB + 3
            equal(fetch(d, t, 0, f'bytes={at}-{at + 9}').body, data[at:at + 10])


@case
def the_torrent_file_comes_back_as_it_went_in():
    with Daemon() as d:
        t = seeding(d, several())
        where = f'/api/v1/torrents/{t.hex}/torrent'
        reply = d.http('GET', where)
        equal((reply.status, reply.headers['Content-Type']), (200, 'application/x-bittorrent'))
        equal(reply.body, t.data)
        equal(reply.headers['Content-Disposition'], "attachment; filename*=UTF-8''things.torrent")
        bare = '12' * 20
        equal(d.http('POST', '/addmagnet', {'url': f'magnet:?xt=urn:btih:{bare}'}).status, 200)
        refused(d.http('GET', where.replace(t.hex, bare)), 409, 'no_metadata')
        equal(d.http('GET', where.replace(t.hex, '00' * 20)).status, 404)


def slow_reader(d, t):
    """A connection that has asked for the file and reads nothing."""
    s = socket.create_connection(('127.0.0.1', d.api_port))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.sendall(f'GET {path(t, 0)} HTTP/1.1\r\nHost: 127.0.0.1:{d.api_port}\r\n\r\n'.encode())
    return s


@case
def readers_that_stop_cost_a_run_each_and_places_are_bounded():
    with Daemon() as d:
        t = seeding(d, Torrent('long.mkv', 8 << 20, piece_length=1 << 20))
        readers = [slow_reader(d, t) for _ in range(64)]
        wait_for(lambda: fetch(d, t, 0, 'bytes=0-0').status == 503, 'all places are taken')
        equal(d.get('/healthz').status, 200)
        for s in readers[:32]:
            s.close()
        wait_for(lambda: fetch(d, t, 0, 'bytes=0-0').status == 206, 'a place is free again')
        equal(fetch(d, t, 0).body, data_of(t, 0))
        for s in readers[32:]:
            s.close()


@case
def many_at_once_get_what_they_ask_for():
    with Daemon() as d:
        t = seeding(d, Torrent('long.mkv', 6 << 20, piece_length=1 << 20))
        data = data_of(t, 0)

        def one(i):
            a = i * 400001
            reply = fetch(d, t, 0, f'bytes={a}-{a + 700000}')
            return reply.status == 206 and reply.body == data[a:a + 700001]
        equal(at_once(one, range(12)), [True] * 12)


@case
def a_file_that_is_gone_ends_the_answer_and_is_said():
    with Daemon() as d:
        t = seeding(d, Torrent('gone.mkv', 3 << 20, piece_length=1 << 20))
        os.truncate(t.file_path(d.downloads, None), 1 << 20)
        try:
            reply = fetch(d, t, 0)
            check(len(reply.body) < 3 << 20, 'bytes that are not there came')
        except Exception as broken:  # noqa: the connection is closed before the end
            check('IncompleteRead' in repr(broken) or 'Reset' in repr(broken), repr(broken))
        d.wait_view(t, lambda v: v['error'] or v['status'] != 'seeding', 'somebody is told')


@case
def a_stop_ends_them_all():
    with Daemon() as d:
        t = seeding(d, Torrent('long.mkv', 8 << 20, piece_length=1 << 20))
        readers = [slow_reader(d, t) for _ in range(5)]
        for s in readers:
            s.recv(1)
        for _ in range(5):  # those whose first run is being read while it stops
            readers += [slow_reader(d, t) for _ in range(40)]
            d.restart()
        equal(fetch(d, t, 0, 'bytes=5-6').status, 206)
        for s in readers:
            s.close()


lib_tap.main()
