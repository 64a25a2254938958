#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the doctor says: of a daemon that runs, over HTTP and by --doctor, and of a machine where none does."""
import json
import os
import socket
import threading

import lib_tap
from lib_daemon import Daemon, run_binary
from lib_tap import case, check, equal


def page(d, **params):
    answer = d.http('GET', '/api/v1/doctor', params)
    equal(answer.status, 200)
    return answer.body.decode()


def checks(d):
    found = json.loads(page(d))
    check(found['verdict'] in ('ok', 'warn', 'bad'), found)
    worst = max((c['verdict'] for c in found['checks']), key=('ok', 'warn', 'bad').index)
    equal(found['verdict'], worst)
    return found['checks']


def named(found, name):
    some = [c for c in found if c['name'] == name]
    check(some, name, 'is looked at', found)
    return some[0]


def consult(d, *more):
    return run_binary('--doctor', *d.arguments(), *more, home=d.root)


@case
def a_daemon_that_runs_is_asked():
    with Daemon() as d:
        found = checks(d)
        for name in ('listening', 'interface', 'mapping', 'proxy', 'resolver', 'clock', 'IPv6', 'descriptors', 'disk', 'DHT'):
            named(found, name)
        check(str(d.peer_port) in named(found, 'listening')['seen'], found)
        check(d.downloads in named(found, 'disk')['seen'] and 'free' in named(found, 'disk')['seen'], found)
        equal(named(found, 'DHT')['seen'], 'switched off: dht.enabled')
        status, out, err = consult(d)
        equal((out, err), (page(d, text='true'), ''))
        equal(status, 1 if any(c['verdict'] == 'bad' for c in found) else 0)


@case
def what_is_missing_is_said_and_what_to_do():
    with Daemon({'network.interface': 'nosuch0', 'network.dns': '127.0.0.53'}) as d:
        found = checks(d)
        for name, words in (('listening', 'nosuch0'), ('interface', 'nosuch0'), ('resolver', '127.0.0.53')):
            equal(named(found, name)['verdict'], 'bad')
            check(words in named(found, name)['seen'], named(found, name))
        for name in ('interface', 'resolver'):
            check(named(found, name)['advice'], named(found, name))
        status, out, _ = consult(d)
        equal(status, 1)
        check('-> bring it up' in out, out)


@case
def a_root_that_is_gone_is_noticed():
    with Daemon() as d:
        gone = os.path.join(d.root, 'gone')
        os.rename(d.downloads, gone)
        try:
            disk = named(checks(d), 'disk')
            equal(disk['verdict'], 'warn')
            check('is not there' in disk['seen'] and disk['advice'], disk)
        finally:
            os.rename(gone, d.downloads)


@case
def the_proxy_is_shown_without_its_password():
    with Daemon({'proxy.url': 'socks5://me:s3cret@127.0.0.1:1'}) as d:
        seen = named(checks(d), 'proxy')['seen']
        check('SOCKS5 at 127.0.0.1:1' in seen and 'peers' in seen, seen)
        check('s3cret' not in page(d) and 's3cret' not in page(d, text='true') and 's3cret' not in consult(d)[1], 'the password')
        check('because of the proxy' in named(checks(d), 'listening')['seen'], page(d))


@case
def who_may_not_read_is_not_answered():
    with Daemon({'api.local': 'off', 'api.token': 'a-token-of-sixteen'}) as d:
        equal(d.http('GET', '/api/v1/doctor').status, 401)
        status, out, _ = consult(d)  # the token stands in its configuration
        check('listening' in out, status, out)
        status, out, _ = consult(d, '--api.token=another-of-sixteen')
        equal(status, 1)
        check('wants a token' in out, out)


@case
def without_a_daemon_the_machine_is_looked_at():
    d = Daemon()
    status, out, err = consult(d)
    equal(err, '')
    check('none answers' in out and f'port {d.peer_port} is free' in out and d.downloads in out, out)
    with socket.socket() as s:
        s.bind(('0.0.0.0', d.peer_port))
        s.listen()
        status, out, _ = consult(d)
        equal(status, 1)
        check('is in use' in out, out)
    status, out, _ = consult(d, f'--download.dir={d.root}/nowhere', f'--download.roots={d.root}/nowhere')
    equal(status, 1)
    check('nowhere: is not there' in out, out)


@case
def who_else_answers_there_is_no_daemon():
    d = Daemon()
    with socket.socket() as s:
        s.bind(('127.0.0.1', d.api_port))
        s.listen()

        def greet():
            with s.accept()[0] as c:
                c.recv(1000)
                c.sendall(b'SSH-2.0-what\r\n')
        t = threading.Thread(target=greet)
        t.start()
        status, out, _ = consult(d)
        t.join()
    equal(status, 1)
    check('no daemon that can be asked' in out, out)


if __name__ == '__main__':
    lib_tap.main()
