#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Who gets in: tokens that were made, with their scopes, until they expire or are revoked."""
import json
import os
import sqlite3
import stat
import time

import lib_tap
from lib_daemon import Daemon
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent

CLOSED = {'api.local': 'off'}
SCOPES = ('read', 'add', 'manage', 'admin')
# What each kind of request needs: enough of them to tell every scope from every other.
NEEDS = [('GET', '/', 'read'), ('GET', '/alldata', 'read'), ('GET', '/healthz', 'read'), ('POST', '/addtorrentfile', 'add'),
         ('POST', '/stoptorrent', 'manage'), ('GET', '/stoptorrent', 'manage'), ('GET', '/debug/actors', 'admin'),
         ('GET', '/api/v1/tokens', 'admin'), ('POST', '/api/v1/tokens', 'admin'), ('DELETE', '/api/v1/tokens/1', 'admin')]


def bearer(token):
    return {'Authorization': f'Bearer {token}'}


def ask(d, method, path, token=None, body=None, **headers):
    """(status, what the JSON says or None)"""
    reply = d.http(method, path, None, json.dumps(body) if body is not None else None,
                   {**(bearer(token) if token else {}), **headers})
    kind = reply.headers['Content-Type'] or ''
    return reply.status, json.loads(reply.body) if 'json' in kind and reply.body else None


def make(d, admin, name, **wish):
    status, made = ask(d, 'POST', '/api/v1/tokens', admin, {'name': name, **wish})
    equal(status, 201, made)
    return made


def listed(d, admin):
    status, told = ask(d, 'GET', '/api/v1/tokens', admin)
    equal(status, 200, told)
    return {t['name']: t for t in told['tokens']}


@case
def the_first_start_makes_a_token_for_its_owner_alone():
    with Daemon(CLOSED) as d:
        path = os.path.join(d.state, 'api.token')
        equal(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        first = d.first_token()
        check(len(first) >= 32, 'a short token', first)
        check(path in wait_for(d.stdout, 'a line'), 'the path is not told')
        check(first not in d.stdout() and first not in d.log(), 'the token is told')
        equal(ask(d, 'GET', '/alldata', first)[0], 200)
        d.restart()
        equal(d.first_token(), first, 'the next start makes no other')
        equal(ask(d, 'GET', '/alldata', first)[0], 200)
    with Daemon({'api.token': 'correct-horse-battery'}) as d:
        check(not os.path.exists(os.path.join(d.state, 'api.token')), 'made beside the configured one')


@case
def every_endpoint_wants_credentials_that_suffice():
    with Daemon(CLOSED) as d:
        admin = d.first_token()
        tokens = {scope: make(d, admin, scope, scopes=scope)['token'] for scope in SCOPES}
        gone = make(d, admin, 'gone', expires_in=1)['token']
        wait_for(lambda: ask(d, 'GET', '/', gone)[0] == 401, 'the token expires')
        paths = [('GET', path.split()[-1]) for path in ask(d, 'GET', '/', admin)[1]['endpoints']]
        check(len(paths) > 30, 'few endpoints', paths)
        for method, path in paths + [(method, path) for method, path, _ in NEEDS]:
            path = path.replace('{id}', '1').replace('{hash}', '00')
            for token in (None, gone, 'td-' + 48 * '0', admin[:-1], admin + '0', ''):
                reply = d.http(method, path, None, None, bearer(token) if token is not None else {})
                equal(reply.status, 401, (method, path, token))
                check('Bearer' in reply.headers['WWW-Authenticate'], reply.headers)
        for method, path, needed in NEEDS:
            for scope, token in tokens.items():
                status = ask(d, method, path, token, **{'X-Requested-With': 'x'})[0]
                check((status == 403) == (scope != needed), method, path, 'with', scope, 'got', status)


@case
def what_is_made_is_listed_without_its_secret_and_is_stored_as_a_digest():
    with Daemon(CLOSED) as d:
        admin = d.first_token()
        made = make(d, admin, 'phone', scopes='read,add', expires_in=3600)
        equal(made['scopes'], ['read', 'add'])
        check(abs(made['expires'] - time.time() - 3600) < 60, made)
        seen = listed(d, admin)
        equal(sorted(seen), ['first start', 'phone'])
        equal([seen[name]['current'] for name in sorted(seen)], [True, False])
        check('token' not in seen['phone'], seen)
        equal(seen['phone']['used'], None)
        equal(ask(d, 'GET', '/alldata', made['token'])[0], 200)
        check(listed(d, admin)['phone']['used'] is not None, 'its use is not told')
        for secret in (admin, made['token']):
            for name in os.listdir(d.state):
                with open(os.path.join(d.state, name), 'rb') as f:
                    check(secret.encode() not in f.read() or name == 'api.token', 'the secret is in', name)
            check(secret not in d.log(), 'the secret is in the log')


@case
def what_makes_no_sense_is_refused():
    with Daemon(CLOSED) as d:
        admin = d.first_token()
        for wish in ({}, {'name': ''}, {'name': 65 * 'x'}, {'name': 'x', 'scopes': 'all'}, {'name': 'x', 'scopes': 'read,'},
                     {'name': 'x', 'expires_in': 0}, {'name': 'x', 'expires_in': -1}, {'name': 'x', 'expires_in': 'y'},
                     {'name': 'x', 'more': 'y'}):
            equal(ask(d, 'POST', '/api/v1/tokens', admin, wish)[0], 422, wish)
        for wrong in ('0', '-1', 'x', '99999999999'):
            equal(ask(d, 'DELETE', f'/api/v1/tokens/{wrong}', admin)[0], 422, wrong)
        equal(ask(d, 'DELETE', '/api/v1/tokens/99', admin)[0], 404)
        equal(sorted(listed(d, admin)), ['first start'])


@case
def nobody_gives_what_they_do_not_have():
    with Daemon(CLOSED) as d:
        clerk = make(d, d.first_token(), 'clerk', scopes='admin,read')['token']
        equal(ask(d, 'POST', '/api/v1/tokens', clerk, {'name': 'x', 'scopes': 'manage'})[0], 403)
        equal(make(d, clerk, 'x')['scopes'], ['read', 'admin'])


@case
def a_token_that_is_revoked_is_out_at_once_and_stays_out():
    with Daemon(CLOSED) as d:
        admin = d.first_token()
        made = make(d, admin, 'phone')
        equal(ask(d, 'GET', '/alldata', made['token'])[0], 200)
        equal(ask(d, 'DELETE', f'/api/v1/tokens/{made["id"]}', admin)[0], 204)
        equal(ask(d, 'GET', '/alldata', made['token'])[0], 401)
        d.restart(clean=False)
        equal(ask(d, 'GET', '/alldata', made['token'])[0], 401)
        equal(sorted(listed(d, admin)), ['first start'])
        # The last one revokes itself: then the next start makes the first again.
        equal(ask(d, 'DELETE', f'/api/v1/tokens/{listed(d, admin)["first start"]["id"]}', admin)[0], 204)
        d.restart()
        check(d.first_token() != admin, 'the old one is back')
        equal(ask(d, 'GET', '/alldata', d.first_token())[0], 200)


@case
def tokens_outlive_kill_9_from_the_moment_they_are_shown():
    with Daemon(CLOSED) as d:
        admin, made = d.first_token(), []
        for i in range(5):
            made.append(make(d, admin, f'number {i}', scopes='read'))
            d.restart(clean=False)
            for one in made:
                equal(ask(d, 'GET', '/alldata', one['token'])[0], 200, one['name'])
        equal(len(listed(d, admin)), 6)


@case
def a_row_that_makes_no_sense_lets_nobody_in():
    with Daemon(CLOSED) as d:
        admin = d.first_token()
        made = [make(d, admin, f'number {i}')['token'] for i in range(3)]
        d.terminate()
        with sqlite3.connect(os.path.join(d.state, 'torrentd.db')) as db:
            db.execute("UPDATE token SET digest = x'00' WHERE name = 'number 0'")
            db.execute("UPDATE token SET kind = 9 WHERE name = 'number 1'")
            db.execute("UPDATE token SET scopes = 0 WHERE name = 'number 2'")
        db.close()
        d.start()
        equal([ask(d, 'GET', '/', t)[0] for t in made], [401, 401, 403])
        equal(ask(d, 'GET', '/', admin)[0], 200)


@case
def who_is_on_this_machine_needs_none_unless_that_is_off():
    t = Torrent('local', 1000)
    with Daemon() as d:
        d.add(t, start='false')
        equal(ask(d, 'GET', '/api/v1/tokens')[0], 200, 'and may do everything')
        equal(ask(d, 'GET', '/alldata', 'wrong')[0], 401, 'who shows a wrong token is told so')
        d.write_config('[api]\nlocal = off\n')
        d.process.send_signal(1)
        wait_for(lambda: ask(d, 'GET', '/alldata')[0] == 401, 'a reload closes it')
        equal(ask(d, 'GET', '/alldata', d.first_token())[0], 200)


if __name__ == '__main__':
    lib_tap.main()
