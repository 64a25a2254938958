#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A change that is sent again with the same Idempotency-Key is made once, and answered as the first time."""
import concurrent.futures
import json
import socket

import lib_tap
from lib_daemon import Daemon
from lib_tap import case, check, equal
from lib_torrent import Torrent

CLOSED = {'api.local': 'off'}


def send(d, token, key, path, body=None, method='POST', **headers):
    said = {'Authorization': f'Bearer {token}', **headers, **({'Idempotency-Key': key} if key is not None else {})}
    return d.http(method, path, None, json.dumps(body) if isinstance(body, dict) else body, said)


def names(d, token):
    return sorted(t['name'] for t in json.loads(send(d, token, None, '/api/v1/tokens', method='GET').body)['tokens'])


@case
def the_first_answer_comes_again():
    with Daemon(CLOSED) as d:
        admin = d.first_token()
        first = send(d, admin, 'k1', '/api/v1/tokens', {'name': 'phone', 'scopes': 'read,add,manage,admin'})
        equal((first.status, first.headers['Idempotent-Replayed']), (201, None))
        again = send(d, admin, 'k1', '/api/v1/tokens', {'name': 'phone', 'scopes': 'read,add,manage,admin'})
        equal((again.status, again.body, again.headers['Content-Type']), (201, first.body, first.headers['Content-Type']))
        equal(again.headers['Idempotent-Replayed'], 'true')
        equal(names(d, admin), ['first start', 'phone'])
        other = send(d, admin, 'k1', '/api/v1/tokens', {'name': 'tablet'})
        equal((other.status, json.loads(other.body)['code']), (422, 'key_was_used'))
        equal(send(d, admin, 'k1', '/api/v1/pairings', {'name': 'phone'}).status, 422, 'another path')
        equal(send(d, admin, 'k2', '/api/v1/tokens', {'name': 'tablet'}).status, 201)
        phone = json.loads(first.body)['token']
        equal(send(d, phone, 'k1', '/api/v1/tokens', {'name': 'of the phone'}).status, 201, 'keys are their asker\'s own')
        equal(names(d, admin), ['first start', 'of the phone', 'phone', 'tablet'])


@case
def a_torrent_is_added_once_also_across_a_kill():
    with Daemon(CLOSED) as d:
        admin, t = d.first_token(), Torrent('once', 1000)
        for replayed in (None, 'true', 'true'):
            reply = send(d, admin, 'add', '/addtorrentfile?start=false', t.data)
            equal((reply.status, reply.headers['Idempotent-Replayed']), (200, replayed), reply.body)
        equal(send(d, admin, 'add', '/addtorrentfile?start=true', t.data).status, 422, 'another parameter')
        equal(send(d, admin, 'add', '/addtorrentfile?start=false', t.data + b' ').status, 422, 'another body')
        equal(send(d, admin, None, '/addtorrentfile?start=false', t.data).status, 409)
        d.restart(clean=False)
        equal(send(d, admin, 'add', '/addtorrentfile?start=false', t.data).status, 409, 'it is there')
        view = json.loads(send(d, admin, None, '/alldata', method='GET').body)
        equal([s['infohash'] for s in view['sessions']], [t.hex])


@case
def what_failed_may_be_tried_again():
    with Daemon(CLOSED) as d:
        admin, t = d.first_token(), Torrent('later', 1000)
        stop = f'/stoptorrent?infohash={t.hex}'
        equal(send(d, admin, 'stop', stop).status, 404)
        equal(send(d, admin, None, '/addtorrentfile', t.data).status, 200)
        reply = send(d, admin, 'stop', stop)
        equal((reply.status, reply.headers['Idempotent-Replayed']), (200, None))
        equal(send(d, admin, 'stop', stop).headers['Idempotent-Replayed'], 'true')
        equal(send(d, admin, 'stop', '/alldata', method='GET').headers['Idempotent-Replayed'], None, 'a look has no key')


@case
def of_many_at_once_one_is_done():
    with Daemon(CLOSED) as d:
        admin = d.first_token()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            replies = list(pool.map(lambda _: send(d, admin, 'many', '/api/v1/tokens', {'name': 'one'}), range(48)))
        made = {r.body for r in replies if r.status == 201}
        equal(len(made), 1, 'different answers')
        for r in replies:
            check(r.status == 201 or (r.status == 409 and json.loads(r.body)['code'] == 'under_way'
                                      and r.headers['Retry-After'] == '1'), r)
        equal(names(d, admin), ['first start', 'one'])
        # Who left before the answer asks again, as a phone does.
        body = json.dumps({'name': 'two'})
        with socket.create_connection((d.host, d.api_port)) as s:
            s.sendall((f'POST /api/v1/tokens HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {admin}\r\n'
                       f'Idempotency-Key: left\r\nContent-Length: {len(body)}\r\n\r\n{body}').encode())
        lib_tap.wait_for(lambda: send(d, admin, 'left', '/api/v1/tokens', {'name': 'two'}).status == 201, 'an answer')
        equal(names(d, admin), ['first start', 'one', 'two'])


@case
def keys_have_a_form_and_open_endpoints_none():
    with Daemon(CLOSED) as d:
        admin = d.first_token()
        for key in ('', 'a b', 'ä'.encode(), 201 * 'x'):
            equal(send(d, admin, key, '/api/v1/tokens', {'name': 'x'}).status, 422, key)
        equal(names(d, admin), ['first start'])
        code = json.loads(send(d, admin, None, '/api/v1/pairings').body)['code']
        for status in (200, 401):
            equal(d.http('POST', '/api/v1/pair', None, json.dumps({'code': code, 'want': 'token'}), {'Idempotency-Key': 'x'}).status, status)


if __name__ == '__main__':
    lib_tap.main()
