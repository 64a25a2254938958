#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Who gets in: tokens that were made, with their scopes, until they expire or are revoked."""
import base64
import itertools
import json
import os
import re
import sqlite3
import stat
import time

import lib_tap
from lib_daemon import Daemon
from lib_events import Ended, Events
from lib_tap import PATIENCE, case, check, equal, wait_for
from lib_torrent import Torrent

CLOSED = {'api.local': 'off'}
SCOPES = ('read', 'add', 'manage', 'admin')
# What each kind of request needs: enough of them to tell every scope from every other.
NEEDS = [('GET', '/', 'read'), ('GET', '/alldata', 'read'), ('GET', '/healthz', 'read'), ('POST', '/addtorrentfile', 'add'),
         ('POST', '/stoptorrent', 'manage'), ('GET', '/stoptorrent', 'manage'), ('GET', '/debug/actors', 'admin'),
         ('GET', '/api/v1/tokens', 'admin'), ('POST', '/api/v1/tokens', 'admin'), ('DELETE', '/api/v1/tokens/1', 'admin')]


# Who knocks has no credentials yet.
OPEN = {'/api/v1/session', '/api/v1/login', '/api/v1/logout', '/api/v1/pair', '/api/v2/auth/login', '/livez', '/readyz'}


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
    with Daemon({**CLOSED, 'api.trusted_proxies': '127.0.0.1'}) as d:
        admin, count = d.first_token(), itertools.count()
        tokens = {scope: make(d, admin, scope, scopes=scope)['token'] for scope in SCOPES}
        gone = make(d, admin, 'gone', expires_in=1)['token']
        wait_for(lambda: ask(d, 'GET', '/', gone)[0] == 401, 'the token expires')
        paths = [('GET', path.split()[-1]) for path in ask(d, 'GET', '/', admin)[1]['endpoints']]
        check(len(paths) > 30, 'few endpoints', paths)
        for method, path in paths + [(method, path) for method, path, _ in NEEDS]:
            if path in OPEN:
                continue
            path = path.replace('{id}', '1').replace('{hash}', '00')
            for token in (None, gone, 'td-' + 48 * '0', admin[:-1], admin + '0', ''):
                # Each from an address of its own, which is not wrong too often.
                number = next(count)
                said = {'X-Forwarded-For': f'10.0.{number // 256}.{number % 256}'}
                reply = d.http(method, path, None, None, {**said, **(bearer(token) if token is not None else {})})
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
def a_stream_ends_with_its_token():
    with Daemon(CLOSED) as d:
        admin = d.first_token()
        made = make(d, admin, 'phone', scopes='read')
        stream, other = (Events(d, headers=bearer(t), every=250) for t in (made['token'], admin))
        for s in (stream, other):
            s.wait('hello')
        equal(ask(d, 'DELETE', f"/api/v1/tokens/{made['id']}", admin)[0], 204)
        ended, until = False, time.monotonic() + PATIENCE
        while not ended:
            check(time.monotonic() < until, 'the stream goes on')
            try:
                stream.next()
            except Ended:
                ended = True
        other.wait('tick')


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


def log_in(d, path, body, **headers):
    """The cookie that the answer sets: its value, and its attributes."""
    reply = d.http('POST', path, None, json.dumps(body), headers)
    equal(reply.status, 200, reply.body)
    value, *rest = reply.headers['Set-Cookie'].split('; ')
    name, _, secret = value.partition('=')
    equal(name, f'torrentd-{d.api_port}')
    check(secret.encode() not in reply.body, 'the secret is in the body, where scripts of a page can read it')
    return {'Cookie': value}, set(rest)


PAGE = {'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140'}


@case
def a_browser_shows_a_token_once_and_has_a_cookie_from_then_on():
    with Daemon(CLOSED) as d:
        admin = d.first_token()
        reader = make(d, admin, 'reader', scopes='read')['token']
        seen = ask(d, 'GET', '/api/v1/session')[1]
        equal((seen['authenticated'], seen['scopes'], seen['version'], seen['token']), (False, [], None, None))
        cookie, rest = log_in(d, '/api/v1/login', {'token': reader, 'name': 'phone'})
        equal(rest, {'Path=/', 'HttpOnly', 'SameSite=Strict', 'Max-Age=31536000'})
        seen = ask(d, 'GET', '/api/v1/session', **cookie)[1]
        equal((seen['authenticated'], seen['scopes'], seen['token']['name']), (True, ['read'], 'phone'))
        check(seen['version'], seen)
        equal(ask(d, 'GET', '/alldata', **cookie)[0], 200)
        equal(ask(d, 'POST', '/addtorrentfile', **cookie, **{'X-Requested-With': 'x'})[0], 403, 'no more than the token')
        equal(ask(d, 'GET', '/alldata', cookie['Cookie'].partition('=')[2])[0], 401, 'a cookie is no bearer')
        d.restart(clean=False)
        equal(ask(d, 'GET', '/alldata', **cookie)[0], 200, 'it outlives kill -9')
        equal(listed(d, admin)['phone']['kind'], 'device')
        reply = d.http('POST', '/api/v1/logout', None, None, {**cookie, 'X-Requested-With': 'x'})
        equal((reply.status, 'Max-Age=0' in reply.headers['Set-Cookie']), (204, True))
        equal(ask(d, 'GET', '/alldata', **cookie)[0], 401)
        check('phone' not in listed(d, admin), 'it is still listed')


@case
def a_cookie_ends_with_the_token_that_was_shown():
    with Daemon(CLOSED) as d:
        admin = d.first_token()
        shown, other = make(d, admin, 'shown', scopes='read'), make(d, admin, 'other', scopes='read')
        cookie, _ = log_in(d, '/api/v1/login', {'token': shown['token'], 'name': 'phone'})
        kept, _ = log_in(d, '/api/v1/login', {'token': other['token'], 'name': 'tablet'})
        equal(listed(d, admin)['phone']['parent'], shown['id'])
        equal(listed(d, admin)['shown']['parent'], None)
        equal(ask(d, 'DELETE', f"/api/v1/tokens/{shown['id']}", admin)[0], 204)
        for _ in range(2):
            equal([ask(d, 'GET', '/alldata', **c)[0] for c in (cookie, kept)], [401, 200])
            equal(sorted(listed(d, admin)), ['first start', 'other', 'tablet'])
            d.restart(clean=False)


@case
def a_cookie_changes_nothing_for_another_site():
    with Daemon(CLOSED) as d:
        admin = d.first_token()
        cookie, _ = log_in(d, '/api/v1/login', {'token': admin})
        t = Torrent('cookie', 1000)
        reply = d.http('POST', '/addtorrentfile', {'start': 'false'}, t.data, bearer(admin))
        equal(reply.status, 200, reply.body)
        change = f'/removetorrent?infohash={t.hex}'
        me = f'http://127.0.0.1:{d.api_port}'
        for headers in ({}, PAGE, {'Origin': 'http://evil.example'}, {'Origin': 'null'}, {'Sec-Fetch-Site': 'cross-site'},
                        {'Sec-Fetch-Site': 'same-site', 'Origin': me}, {'Origin': f'http://127.0.0.1:{d.api_port + 1}'},
                        {'Sec-Fetch-Site': 'none'}, {'Referer': me + '/'}):
            for method in ('GET', 'POST'):
                equal(ask(d, method, change, **cookie, **headers)[0], 403, (method, headers))
        # Nor is somebody logged in, or out, by another site.
        for path in ('/api/v1/login', '/api/v1/logout', '/api/v1/pair'):
            for headers in (PAGE, {**PAGE, 'Origin': 'http://evil.example'}, {'Origin': 'null'}):
                equal(ask(d, 'POST', path, None, {'token': admin}, **cookie, **headers)[0], 403, (path, headers))
        equal(ask(d, 'GET', '/alldata', **cookie)[0], 200)
        equal(ask(d, 'POST', change, **cookie, **PAGE, Origin=me)[0], 200, 'our own page')


@case
def the_cookie_is_for_tls_alone_when_a_trusted_proxy_says_so():
    https = {'X-Forwarded-Proto': 'https'}
    for trusted in ('', '127.0.0.1'):
        with Daemon({**CLOSED, 'api.trusted_proxies': trusted}) as d:
            _, rest = log_in(d, '/api/v1/login', {'token': d.first_token()}, **https)
            equal('Secure' in rest, bool(trusted))
            told = {**https, 'X-Forwarded-For': '203.0.113.7'}
            seen = ask(d, 'GET', '/api/v1/session', **told)[1]
            equal((seen['scheme'], seen['client'], seen['trusted_proxy'], seen['local']),
                  ('https', '203.0.113.7', True, False) if trusted else ('http', '127.0.0.1', False, False))


@case
def a_login_needs_the_right_secret_in_the_body():
    with Daemon(CLOSED) as d:
        admin = d.first_token()
        equal(ask(d, 'POST', '/api/v1/login', None, {'token': 'wrong'})[0], 401)
        equal(ask(d, 'POST', '/api/v1/login', None, {'code': 'AAAAAAAA'})[0], 401)
        for body in ({}, {'token': admin, 'more': 'x'}, {'token': admin, 'name': 65 * 'x'}, {'token': ''}):
            equal(ask(d, 'POST', '/api/v1/login', None, body)[0], 422, body)
        for path in (f'/api/v1/login?token={admin}', '/api/v1/pair?code=AAAAAAAA', '/api/v1/pair?secret=x'):
            equal(ask(d, 'POST', path)[0], 422, path)
            equal(ask(d, 'POST', path, None, {'name': 'x'})[0], 422, path)
        for raw in ('', 'x', '[]', '{"token": [["x"]]}', '{"token": 1'):
            status = d.http('POST', '/api/v1/login', None, raw).status
            check(status in (400, 422), raw, 'got', status)
        equal(sorted(listed(d, admin)), ['first start'])


@case
def a_device_is_paired_once():
    with Daemon(CLOSED) as d:
        admin = d.first_token()
        for used, by in ((lambda p: {'code': p['code']}, 'code'), (lambda p: {'secret': p['secret']}, 'link'),
                         (lambda p: {'code': p['code'][:4].lower() + '-' + p['code'][4:]}, 'as typed')):
            status, pairing = ask(d, 'POST', '/api/v1/pairings', admin, {'scopes': 'read,add'})
            equal((status, pairing['scopes']), (201, ['read', 'add']))
            equal(pairing['url'], f'http://127.0.0.1:{d.api_port}/#/pair/{pairing["secret"]}')
            check(0 < pairing['expires'] - time.time() <= 300, pairing)
            cookie, _ = log_in(d, '/api/v1/pair', {**used(pairing), 'name': by})
            equal(ask(d, 'GET', '/api/v1/session', **cookie)[1]['scopes'], ['read', 'add'])
            for again in ({'code': pairing['code']}, {'secret': pairing['secret']}):
                status, problem = ask(d, 'POST', '/api/v1/pair', None, again)
                equal((status, problem['code']), (401, 'pairing_unknown'), by)
        pairing = ask(d, 'POST', '/api/v1/pairings', admin)[1]
        status, made = ask(d, 'POST', '/api/v1/pair', None, {'code': pairing['code'], 'want': 'token', 'name': 'script'})
        equal((status, made['scopes']), (200, list(SCOPES)))
        equal(ask(d, 'GET', '/api/v1/tokens', made['token'])[0], 200)
        equal(sorted(listed(d, admin)), ['as typed', 'code', 'first start', 'link', 'script'])
        pairing = ask(d, 'POST', '/api/v1/pairings', admin)[1]
        cookie, _ = log_in(d, '/api/v1/login', {'code': pairing['code']})
        equal(ask(d, 'GET', '/alldata', **cookie)[0], 200, 'the login takes a code, too')


@case
def five_wrong_codes_end_those_that_wait():
    with Daemon(CLOSED) as d:
        admin = d.first_token()
        pairing = ask(d, 'POST', '/api/v1/pairings', admin)[1]
        for _ in range(5):
            equal(ask(d, 'POST', '/api/v1/pair', None, {'code': '22222222'})[0], 401)
        equal(ask(d, 'POST', '/api/v1/pair', None, {'code': pairing['code']})[0], 401)
        log_in(d, '/api/v1/pair', {'secret': pairing['secret']})


@case
def nobody_pairs_who_may_not():
    with Daemon(CLOSED) as d:
        reader = make(d, d.first_token(), 'reader', scopes='read,add,manage')['token']
        equal(ask(d, 'POST', '/api/v1/pairings', reader)[0], 403)
        clerk = make(d, d.first_token(), 'clerk', scopes='admin')['token']
        equal(ask(d, 'POST', '/api/v1/pairings', clerk, {'scopes': 'read'})[0], 403)
        for body in ({}, {'code': 'AAAAAAAA', 'secret': 'x'}, {'code': 'AAAAAAAA', 'want': 'x'}):
            equal(ask(d, 'POST', '/api/v1/pair', None, body)[0], 422, body)


@case
def the_first_start_pairs_a_device_by_its_link():
    with Daemon(CLOSED) as d:
        link = re.search(r'pair a device.*: (http://\S+)/#/pair/(\S+)', wait_for(d.stdout, 'lines'))
        check(link, d.stdout())
        equal(link.group(1), f'http://127.0.0.1:{d.api_port}')
        cookie, _ = log_in(d, '/api/v1/pair', {'secret': link.group(2)})
        equal(ask(d, 'GET', '/api/v1/session', **cookie)[1]['scopes'], list(SCOPES))
        equal(ask(d, 'POST', '/api/v1/pair', None, {'secret': link.group(2)})[0], 401)
        d.restart()
        check('pair' not in wait_for(d.stdout, 'a line'), 'a service that is started again shows no link')


PASSWORD, HASH = 'correct horse', '$y$j9T$abcdefghijklmnopqrstu.$pk06PwnbQa631foWNYhw6N.E9wx6lICleH/SnT.xzi0'


def basic(user, password):
    return {'Authorization': 'Basic ' + base64.b64encode(f'{user}:{password}'.encode()).decode()}


@case
def old_clients_come_with_user_and_password():
    with Daemon({**CLOSED, 'api.user': 'me', 'api.password': HASH}) as d:
        equal(ask(d, 'GET', '/alldata', **basic('me', PASSWORD))[0], 200)
        for user, password in (('me', 'wrong'), ('you', PASSWORD), ('me', HASH)):
            equal(ask(d, 'GET', '/alldata', **basic(user, password))[0], 401)
        began = time.monotonic()
        for _ in range(200):
            equal(ask(d, 'GET', '/', **basic('me', PASSWORD))[0], 200)
        check(time.monotonic() - began < 200 * 0.02 + 5, 'each request is checked anew')
        challenges = d.get('/').headers.get_all('WWW-Authenticate')
        equal([c.split()[0] for c in challenges], ['Bearer', 'Basic'])
        challenges = d.http('GET', '/', None, None, PAGE).headers.get_all('WWW-Authenticate')
        equal([c.split()[0] for c in challenges], ['Bearer'], 'no page makes a browser ask')
        check(PASSWORD not in d.log() and HASH not in d.log(), 'the password is in the log')
    with Daemon(CLOSED) as d:
        equal(ask(d, 'GET', '/', **basic('', ''))[0], 401, 'nobody is configured')


@case
def who_is_wrong_too_often_waits_and_nobody_else_does():
    with Daemon({**CLOSED, 'api.token': 'correct-horse-battery', 'api.trusted_proxies': '127.0.0.1'}) as d:
        made = make(d, 'correct-horse-battery', 'made')['token']
        here, there = {'X-Forwarded-For': '203.0.113.7'}, {'X-Forwarded-For': '203.0.113.8'}
        for _ in range(7):
            wait_for(lambda: ask(d, 'GET', '/alldata', 'wrong', **here)[0] == 401, 'a wrong token is looked at', 5)
        reply = d.http('GET', '/alldata', None, None, {**bearer('correct-horse-battery'), **here})
        equal(reply.status, 429, 'not even the right one is looked at')
        seconds = int(reply.headers['Retry-After'])
        check(1 <= seconds <= 2, 'wait', seconds)
        for path, body in (('/api/v1/login', {'token': 'correct-horse-battery'}), ('/api/v1/pair', {'code': 'AAAAAAAA'})):
            equal(ask(d, 'POST', path, None, body, **here)[0], 429, path)
        equal(ask(d, 'GET', '/alldata', made, **here)[0], 200, 'what cannot be guessed is not held up')
        for _ in range(20):
            equal(ask(d, 'GET', '/alldata', 'td-' + 48 * '0', **there)[0], 401, 'nor is who has one that was revoked')
        for other in (there, {}):
            equal(ask(d, 'GET', '/alldata', 'correct-horse-battery', **other)[0], 200, other)
        time.sleep(seconds)
        equal(ask(d, 'GET', '/alldata', 'correct-horse-battery', **here)[0], 200, 'it ends by itself')
        for _ in range(5):
            equal(ask(d, 'GET', '/alldata', 'wrong', **here)[0], 401, 'and a right one makes all free again')


@case
def answers_say_what_browsers_may_do_with_them():
    with Daemon(CLOSED) as d:
        for status, reply in ((401, d.get('/')), (200, d.http('GET', '/', None, None, bearer(d.first_token())))):
            equal(reply.status, status)
            for name, value in (('X-Content-Type-Options', 'nosniff'), ('X-Frame-Options', 'DENY'),
                                ('Referrer-Policy', 'no-referrer'), ('Cross-Origin-Resource-Policy', 'same-origin')):
                equal(reply.headers[name], value, name)


if __name__ == '__main__':
    lib_tap.main()
