#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Where the API listens: several addresses, a path of the file system, sockets that a service manager passes."""
import http.client
import json
import os
import re
import socket
import stat
import sys

import lib_tap
from lib_daemon import Answer, Daemon, free_port, run_binary
from lib_tap import PATIENCE, case, check, equal, wait_for
from lib_torrent import Torrent

# Does what systemd does: listens, and hands the descriptors on from 3 up. What: "path" or "address port" each.
MANAGER = '''
import os, socket, sys
n, wheres = int(sys.argv[1]), sys.argv[2:]
listeners = []
for where in wheres[:n]:
    if where.startswith('udp'):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    elif where.startswith('/'):
        s = socket.socket(socket.AF_UNIX)
        s.bind(where)
    else:
        host, port = where.split(' ')
        s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
        s.bind((host, int(port)))
    if s.type == socket.SOCK_STREAM:
        s.listen()
    listeners.append(os.dup(s.fileno()))
high = [os.dup2(fd, 100 + i) for i, fd in enumerate(listeners)]
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i, inheritable=True)
    os.close(fd)
for fd in range(3 + n, 60):
    try:
        os.close(fd)
    except OSError:
        pass
os.environ.update(LISTEN_FDS=str(n), LISTEN_PID=str(os.getpid()))
os.execv(wheres[n], wheres[n:])
'''


class ByPath(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__('localhost', timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self.path)


def ask(path, method, target, body=None, **headers):
    connection = ByPath(path)
    try:
        connection.request(method, target, body=body, headers=headers)
        reply = connection.getresponse()
        return Answer(reply.status, reply.headers, reply.read())
    finally:
        connection.close()


def session(path, **headers):
    reply = ask(path, 'GET', '/api/v1/session', **headers)
    equal(reply.status, 200, reply.body)
    return json.loads(reply.body)


def refused(*options, root):
    """What the daemon says when it does not start."""
    status, _, said = run_binary(f'--state.dir={root}/state2', f'--download.dir={root}', '--peers.port=0', '--peers.bind=127.0.0.1',
                                 '--dht.enabled=false', '--portmap.enabled=false', *options, home=root)
    check(status != 0, 'it started', options)
    return said


@case
def a_path_is_there_for_its_owner_while_the_daemon_runs():
    with Daemon() as d:
        d.terminate()
        path = d.options['api.socket'] = os.path.join(d.root, 's')
        d.start()
        told = wait_for(d.stdout, 'a line')
        check(f'http://127.0.0.1:{d.api_port}/  socket {path}  state ' in told, told)
        equal(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        t = Torrent('by-path', 1000)
        equal(ask(path, 'POST', '/addtorrentfile?start=false', t.data).status, 200)
        equal(len(json.loads(ask(path, 'GET', '/alldata').body)['sessions']), 1)
        seen = session(path)
        equal((seen['local'], seen['client'], seen['user'], seen['scopes']), (True, 'unix', os.getuid(), ['read', 'add', 'manage', 'admin']))
        equal(json.loads(d.get('/api/v1/session').body)['user'], None)
        said = refused(f'--api.socket={path}', '--api.bind=', root=d.root)
        check(f'another program listens at {path}' in said, said)
        equal(ask(path, 'GET', '/alldata').status, 200, 'it is still ours')
        d.kill()
        check(os.path.exists(path), 'what a killed process leaves')
        for mode, bits in (('0660', 0o660), ('0666', 0o666)):
            d.options['api.socket_mode'] = mode
            d.start()
            equal(stat.S_IMODE(os.stat(path).st_mode), bits)
            equal(ask(path, 'GET', '/alldata').status, 200)
            d.terminate()
            check(not os.path.exists(path), 'it stays')
        d.start()


@case
def a_path_alone_is_enough_and_nothing_else_is_taken_away():
    with Daemon() as d:
        path = os.path.join(d.root, 'file')
        with open(path, 'w', encoding='ascii') as f:
            f.write('keep')
        said = refused(f'--api.socket={path}', '--api.bind=', root=d.root)
        check(f'{path} is there and is no socket' in said, said)
        with open(path, encoding='ascii') as f:
            equal(f.read(), 'keep')
        said = refused(f'--api.socket={d.root}/{100 * "x"}', root=d.root)
        check('api.socket' in said, said)
        said = refused(f'--api.socket={d.root}/none/s', '--api.bind=', root=d.root)
        check('No such file or directory' in said, said)
        said = refused('--api.bind=', root=d.root)
        check('listens nowhere: set api.bind or api.socket' in said, said)
        d.terminate()
        path = os.path.join(d.root, 's')
        d.options.update({'api.socket': path, 'api.bind': ''})
        d.is_up = lambda: os.path.exists(path) and ask(path, 'GET', '/healthz').status == 200
        d.start()
        check(f': socket {path}  state ' in d.stdout(), d.stdout())
        try:
            d.get('/')
            raise AssertionError('the port is open')
        except OSError:
            pass


@case
def who_comes_by_a_path_is_held_to_the_same_rules():
    with Daemon() as d:
        d.terminate()
        path = d.options['api.socket'] = os.path.join(d.root, 's')
        d.start()
        equal(ask(path, 'GET', '/alldata', Host='evil.example').status, 421)
        equal(ask(path, 'GET', '/alldata', Host='127.0.0.1:1').status, 200)
        equal(ask(path, 'GET', '/alldata', Via='1.1 proxy').status, 401)
        equal(ask(path, 'GET', '/alldata', **{'X-Forwarded-For': '127.0.0.1'}).status, 401)
        equal(session(path, **{'X-Forwarded-For': '203.0.113.7'})['client'], 'unix', 'nobody is believed')
        d.terminate()
        d.options.update({'api.trusted_proxies': 'unix', 'api.hosts': 'box.example'})
        d.start()
        far = {'X-Forwarded-For': '203.0.113.7', 'X-Forwarded-Proto': 'https', 'Host': 'box.example'}
        seen = session(path, **far)
        equal((seen['client'], seen['scheme'], seen['trusted_proxy'], seen['local']), ('203.0.113.7', 'https', True, False))
        equal(ask(path, 'GET', '/alldata', **far).status, 401)
        equal(ask(path, 'GET', '/alldata', **far, Authorization=f'Bearer {d.first_token()}').status, 200)
        equal(json.loads(d.http('GET', '/api/v1/session', headers={'X-Forwarded-For': '203.0.113.7'}).body)['client'], '127.0.0.1',
              'others are not believed')
        d.terminate()
        d.options.update({'api.local': 'off'})
        d.is_up = lambda: os.path.exists(path) and ask(path, 'GET', '/livez').status == 200
        d.start()
        equal(ask(path, 'GET', '/alldata').status, 401)


@case
def several_addresses_are_served_at_one_port():
    with Daemon({'api.bind': '127.0.0.1, 127.0.0.2, ::1'}) as d:
        for host in ('127.0.0.1', '127.0.0.2', '::1'):
            d.host = host
            equal(d.get('/alldata').status, 200, host)
        d.host = '127.0.0.3'
        try:
            d.get('/')
            raise AssertionError('it listens where it was not told')
        except OSError:
            d.host = '127.0.0.1'
        said = refused('--api.bind=127.0.0.9, 127.0.0.2', f'--api.port={d.api_port}', root=d.root)
        check(f'port {d.api_port} at 127.0.0.2 is in use: set api.port' in said, said)


def manager(*wheres):
    return [sys.executable, '-c', MANAGER, str(len(wheres)), *wheres]


@case
def sockets_that_are_passed_take_the_place_of_the_ports():
    with Daemon() as d:
        d.terminate()
        path, port, was = os.path.join(d.root, 'passed'), free_port(), d.api_port
        d.wrap, d.api_port = manager(f'127.0.0.1 {port}', path, f'::1 {port}'), port
        d.start()
        for host in ('127.0.0.1', '::1'):
            d.host = host
            equal(d.get('/alldata').status, 200, host)
        seen = session(path)
        equal((seen['client'], seen['local']), ('unix', True))
        d.host, d.api_port = '127.0.0.1', was
        try:
            d.get('/')
            raise AssertionError('api.port is open')
        except OSError:
            d.api_port = port
        told = wait_for(d.stdout, 'a line')
        check(re.search(rf'http://127\.0\.0\.1:{port}/  state ', told), told)
        d.terminate()
        check(os.path.exists(path), 'what is the manager\'s was removed')


@case
def what_is_passed_and_is_no_listener_is_refused():
    with Daemon() as d:
        d.terminate()
        for wheres, words in ((('udp',), 'does not listen for streams'),
                              ((f'127.0.0.1 {free_port()}', f'127.0.0.1 {free_port()}'), 'let all be at one')):
            d.wrap = manager(*wheres)
            d.spawn()
            equal(d.process.wait(timeout=PATIENCE), 1)
            check(words in d.log(), d.log())
        d.wrap = []
        d.start()


@case
def where_others_can_come_nobody_is_local():
    with Daemon() as d:
        d.terminate()
        port = free_port()
        d.wrap, d.api_port = manager(f'0.0.0.0 {port}'), port
        d.start()
        equal(d.get('/alldata').status, 401)
        equal(d.http('GET', '/alldata', headers={'Authorization': f'Bearer {d.first_token()}'}).status, 200)


if __name__ == '__main__':
    lib_tap.main()
