# SPDX-License-Identifier: MIT
"""The other clients, each driven in the same way: start, add a torrent, ask how far it is.

A client is started on a host and speaks plain TCP there: no DHT, no local discovery, no peer exchange, no uTP.  With
those off, whatever two clients know of each other came from the tracker of the case.
"""
import base64
import http.client
import json
import os
import socket
import subprocess
import xmlrpc.client

from lib_lab import Failure, poll
from lib_case import LIBTORRENT_PYTHON

PORT = 6881


def post(host, port, path, body, headers=(), timeout=10):
    """One HTTP request to a port of the host's own loopback."""
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=timeout)
    connection.sock = host.connect(port, timeout=timeout)
    try:
        connection.request('POST', path, body=body, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()


class Transmission:
    """transmission-daemon 3.00 over its RPC."""

    name, needs = 'transmission', ('transmission-daemon',)
    empty_files = False  # 3.00 does not create them
    RPC = 9091

    def __init__(self, host, up_rate=0):
        self.host, self.session = host, ''
        folder = os.path.join(host.folder, 'transmission')
        os.mkdir(folder)
        settings = {
            'peer-port': PORT,
            'rpc-bind-address': '127.0.0.1', 'rpc-port': self.RPC, 'rpc-whitelist-enabled': False,
            'rpc-host-whitelist-enabled': False, 'rpc-authentication-required': False,
            'dht-enabled': False, 'lpd-enabled': False, 'pex-enabled': False, 'utp-enabled': False,
            'port-forwarding-enabled': False, 'blocklist-enabled': False, 'encryption': 1,
            'speed-limit-up': up_rate // 1000, 'speed-limit-up-enabled': up_rate > 0,
            'incomplete-dir-enabled': False, 'preallocation': 0, 'rename-partial-files': True,
            'ratio-limit-enabled': False, 'idle-seeding-limit-enabled': False, 'watch-dir-enabled': False,
        }
        with open(os.path.join(folder, 'settings.json'), 'w', encoding='ascii') as file:
            json.dump(settings, file)
        host.spawn(['transmission-daemon', '--foreground', '--config-dir', folder, '--log-info'], 'transmission.log')
        poll(lambda: self.call('session-get'), 20, 'transmission answers')

    def call(self, method, **arguments):
        body = json.dumps({'method': method, 'arguments': arguments})
        for _ in range(2):
            status, headers, data = post(self.host, self.RPC, '/transmission/rpc', body,
                                         {'X-Transmission-Session-Id': self.session})
            if status != 409:
                break
            self.session = headers['X-Transmission-Session-Id']
        answer = json.loads(data) if status == 200 else {'result': f'HTTP {status}'}
        if answer['result'] != 'success':
            raise Failure(f'transmission: {method}: {answer["result"]}')
        return answer['arguments']

    def add(self, torrent, file, folder, trackers=()):
        with open(file, 'rb') as metainfo:
            text = base64.b64encode(metainfo.read()).decode()
        self.call('torrent-add', metainfo=text, **{'download-dir': folder, 'paused': False})

    def view(self, torrent):
        fields = ['status', 'percentDone', 'leftUntilDone', 'error', 'errorString', 'uploadedEver', 'corruptEver',
                  'downloadedEver', 'peers', 'trackerStats']
        view = self.call('torrent-get', ids=[torrent.infohash], fields=fields)['torrents'][0]
        if view['error'] == 3:
            raise Failure(f'transmission: {view["errorString"]}')
        return view

    def complete(self, torrent):
        view = self.view(torrent)
        return view['leftUntilDone'] == 0 and view['percentDone'] == 1 and view['status'] == 6

    def uploaded(self, torrent):
        return self.view(torrent)['uploadedEver']


class Aria2:
    """aria2c 1.36 over its JSON-RPC; it is handed its one torrent when it starts."""

    name, needs = 'aria2', ('aria2c',)
    litter = '.aria2'  # its control file outlives the download by moments
    RPC = 6800

    def __init__(self, host, up_rate=0):
        self.host, self.up_rate = host, up_rate

    def add(self, torrent, file, folder, trackers=()):
        self.host.spawn([
            'aria2c', '--no-conf=true', '--enable-dht=false', '--enable-dht6=false', '--bt-enable-lpd=false',
            '--enable-peer-exchange=false', f'--listen-port={PORT}', '--seed-ratio=0.0', '--check-integrity=true',
            '--bt-hash-check-seed=true', '--file-allocation=none', '--enable-rpc=true', f'--rpc-listen-port={self.RPC}',
            '--allow-overwrite=true', f'--max-overall-upload-limit={self.up_rate}', '--summary-interval=0',
            '--console-log-level=info', '--enable-color=false', '--dir=' + folder, file], 'aria2.log')
        poll(lambda: self.call('aria2.tellActive'), 20, 'aria2 answers')

    def call(self, method, *arguments):
        body = json.dumps({'jsonrpc': '2.0', 'id': '1', 'method': method, 'params': arguments})
        answer = json.loads(post(self.host, self.RPC, '/jsonrpc', body)[2])
        if 'error' in answer:
            raise Failure(f'aria2: {method}: {answer["error"]}')
        return answer['result']

    def view(self, torrent):
        for view in self.call('aria2.tellActive'):
            if view.get('infoHash') == torrent.infohash:
                return view
        for view in self.call('aria2.tellStopped', 0, 10):
            raise Failure(f'aria2: {view.get("errorMessage")}')
        return {'totalLength': '0', 'completedLength': '-1', 'uploadLength': '0'}

    def complete(self, torrent):
        view = self.view(torrent)
        return (int(view['completedLength']) == int(view['totalLength']) == torrent.total
                and view.get('seeder') == 'true' and 'verifiedLength' not in view)

    def uploaded(self, torrent):
        return int(self.view(torrent)['uploadLength'])


class Libtorrent:
    """libtorrent 2.0.8 in a process of its own, spoken to in lines of JSON."""

    name, needs = 'libtorrent', ('libtorrent',)

    def __init__(self, host, up_rate=0):
        self.host = host
        self.process = host.spawn(
            [LIBTORRENT_PYTHON, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib_lt_peer.py'),
             f'{host.ip4}:{PORT},[{host.ip6}]:{PORT}', str(up_rate)],
            'libtorrent.log', stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.call('hello')

    def call(self, command, **arguments):
        self.process.stdin.write(json.dumps(dict(arguments, command=command)).encode() + b'\n')
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Failure('libtorrent: the process has ended')
        answer = json.loads(line)
        if 'error' in answer:
            raise Failure(f'libtorrent: {command}: {answer["error"]}')
        return answer

    def add(self, torrent, file, folder, trackers=()):
        self.call('add', file=file, folder=folder)

    def connect(self, torrent, address, port):
        self.call('connect', infohash=torrent.infohash, address=address, port=port)

    def view(self, torrent):
        view = self.call('view', infohash=torrent.infohash)
        if view['failure']:
            raise Failure(f'libtorrent: {view["failure"]}')
        return view

    def complete(self, torrent):
        return self.view(torrent)['state'] == 'seeding'

    def uploaded(self, torrent):
        return self.view(torrent)['uploaded']


class Rtorrent:
    """rtorrent 0.9.8 on a terminal that nobody looks at, over SCGI on a unix socket."""

    name, needs = 'rtorrent', ('rtorrent',)

    def __init__(self, host, up_rate=0):
        self.host = host
        self.socket = os.path.join(host.folder, 'rpc')
        folder = os.path.join(host.folder, 'rtorrent')
        os.mkdir(folder)
        settings = [
            f'session.path.set={folder}', f'network.port_range.set={PORT}-{PORT}', 'network.port_random.set=no',
            'dht.mode.set=disable', 'protocol.pex.set=no', 'trackers.use_udp.set=yes',
            'protocol.encryption.set=allow_incoming', f'throttle.global_up.max_rate.set_kb={up_rate // 1000}',
            f'network.scgi.open_local={self.socket}', 'pieces.hash.on_completion.set=no']
        self.master, slave = os.openpty()
        argv = ['rtorrent', '-n'] + [word for setting in settings for word in ('-o', setting)]
        host.spawn(argv, 'rtorrent.log', env={'TERM': 'xterm', 'LINES': '50', 'COLUMNS': '200'}, stdin=slave, stdout=slave)
        os.close(slave)
        os.set_blocking(self.master, False)
        poll(lambda: self.call('system.client_version'), 20, 'rtorrent answers')

    def drain(self):
        """Reads away what it draws, else the terminal fills and it stops."""
        try:
            while os.read(self.master, 65536):
                pass
        except BlockingIOError:
            pass

    def call(self, method, *arguments):
        self.drain()
        body = xmlrpc.client.dumps(arguments, method).encode()
        head = b'CONTENT_LENGTH\0%d\0SCGI\x001\0' % len(body)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            try:
                connection.connect(self.socket)
            except FileNotFoundError:
                raise ConnectionError('no socket yet') from None
            connection.sendall(b'%d:%s,%s' % (len(head), head, body))
            answer = b''
            while more := connection.recv(65536):
                answer += more
        return xmlrpc.client.loads(answer.split(b'\r\n\r\n', 1)[1])[0][0]

    def add(self, torrent, file, folder, trackers=()):
        with open(file, 'rb') as metainfo:
            self.call('load.raw_start', '', xmlrpc.client.Binary(metainfo.read()), f'd.directory.set={folder}')

    def complete(self, torrent):
        key = torrent.infohash.upper()
        try:
            return self.call('d.complete', key) == 1 and self.call('d.hashing', key) == 0 and self.call('d.is_active', key)
        except xmlrpc.client.Fault:  # not loaded yet
            return False

    def uploaded(self, torrent):
        return self.call('d.up.total', torrent.infohash.upper())


CLIENTS = (Transmission, Libtorrent, Aria2)
