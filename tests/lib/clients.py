# SPDX-License-Identifier: MIT
"""The clients as every suite drives them alike: what they are told at their start, their RPC, add, is it complete.

A suite derives its own from these and says where a client runs and what else it is told.  All speak plain TCP: no DHT,
no local discovery, no peer exchange, no uTP; whatever two clients know of each other came from a tracker.
"""
import base64
import http.client
import json
import os
import socket
import urllib.parse
import xmlrpc.client

from patience import Failure

LIBTORRENT_PYTHON = '/usr/bin/python3'  # the one that Debian's python3-libtorrent is for


def exchange(connection, method, path, body=None, headers=()):
    """One HTTP request over a fresh connection, which it closes; (status, headers, body)."""
    request = http.client.HTTPConnection('127.0.0.1')
    request.sock = connection
    try:
        request.request(method, path, body=body, headers=dict(headers))
        answer = request.getresponse()
        return answer.status, answer.headers, answer.read()
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        request.close()


def read(file):
    with open(file, 'rb') as metainfo:
        return metainfo.read()


class Torrentd:
    """Our daemon over its HTTP API.  dial() is the suite's and returns a connection to it."""

    name = 'torrentd'

    def request(self, method, endpoint, body=None, **query):
        path = endpoint + ('?' + urllib.parse.urlencode(query) if query else '')
        status, _, data = exchange(self.dial(), method, path, body)
        return status, data

    def call(self, method, endpoint, body=None, **query):
        status, data = self.request(method, endpoint, body, **query)
        if status != 200:
            raise Failure(f'torrentd: {endpoint}: {status} {data.decode("utf-8", "replace").strip()}')
        return data

    def add_file(self, file, folder):
        self.call('POST', '/addtorrentfile', read(file), path=folder)

    def add_link(self, link, folder):
        self.call('POST', '/addmagnet', json.dumps({'url': link, 'targetdir': folder}))

    def view(self, torrent):
        return json.loads(self.call('GET', '/torrentdata', infohash=torrent.infohash))


class Transmission:
    """transmission-daemon 3.00 over its RPC.  dial() is the suite's."""

    name = 'transmission'
    session = ''
    SETTINGS = {
        'rpc-whitelist-enabled': False, 'rpc-host-whitelist-enabled': False, 'rpc-authentication-required': False,
        'dht-enabled': False, 'lpd-enabled': False, 'pex-enabled': False, 'utp-enabled': False,
        'port-forwarding-enabled': False, 'blocklist-enabled': False, 'preallocation': 0,
        'incomplete-dir-enabled': False, 'ratio-limit-enabled': False, 'idle-seeding-limit-enabled': False,
        'watch-dir-enabled': False,
    }

    def arguments(self, folder, own):
        """The command line; folder is where it keeps its settings."""
        with open(os.path.join(folder, 'settings.json'), 'w', encoding='ascii') as file:
            json.dump({**self.SETTINGS, **own}, file)
        return ['transmission-daemon', '--foreground', '--config-dir', folder]

    def call(self, method, **arguments):
        body = json.dumps({'method': method, 'arguments': arguments})
        for _ in range(2):
            status, headers, data = exchange(self.dial(), 'POST', '/transmission/rpc', body,
                                             {'X-Transmission-Session-Id': self.session})
            if status != 409:
                break
            self.session = headers['X-Transmission-Session-Id']
        answer = json.loads(data) if status == 200 else {'result': f'HTTP {status}'}
        if answer['result'] != 'success':
            raise Failure(f'transmission: {method}: {answer["result"]}')
        return answer['arguments']

    def add_file(self, file, folder):
        text = base64.b64encode(read(file)).decode()
        self.call('torrent-add', metainfo=text, **{'download-dir': folder, 'paused': False})

    def add_link(self, link, folder):
        self.call('torrent-add', filename=link, **{'download-dir': folder, 'paused': False})

    def view(self, torrent, *more):
        fields = ['status', 'leftUntilDone', 'percentDone', 'error', 'errorString', *more]
        view = self.call('torrent-get', ids=[torrent.infohash], fields=fields)['torrents'][0]
        if view['error'] == 3:
            raise Failure(f'transmission: {view["errorString"]}')
        return view

    def complete(self, torrent):
        view = self.view(torrent)
        return view['leftUntilDone'] == 0 and view['percentDone'] == 1 and view['status'] == 6


class Aria2:
    """aria2c 1.36 over its JSON-RPC.  dial() is the suite's."""

    name = 'aria2'
    ARGUMENTS = ['aria2c', '--no-conf=true', '--enable-dht=false', '--enable-dht6=false', '--bt-enable-lpd=false',
                 '--enable-peer-exchange=false', '--seed-ratio=0.0', '--file-allocation=none', '--enable-rpc=true',
                 '--allow-overwrite=true', '--summary-interval=0', '--enable-color=false']

    def call(self, method, *arguments):
        body = json.dumps({'jsonrpc': '2.0', 'id': '1', 'method': method, 'params': arguments})
        answer = json.loads(exchange(self.dial(), 'POST', '/jsonrpc', body)[2])
        if 'error' in answer:
            raise Failure(f'aria2: {method}: {answer["error"]}')
        return answer['result']


class Libtorrent:
    """libtorrent 2.0.8 in a process of its own (lt_peer.py), spoken to in lines of JSON through its popen."""

    name = 'libtorrent'

    @staticmethod
    def arguments(interfaces, **told):
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lt_peer.py')
        return [LIBTORRENT_PYTHON, program, interfaces, json.dumps(told)]

    def call(self, command, **arguments):
        self.popen.stdin.write(json.dumps(dict(arguments, command=command)).encode() + b'\n')
        self.popen.stdin.flush()
        line = self.popen.stdout.readline()
        answer = json.loads(line) if line else {'error': 'the process has ended'}
        if 'error' in answer:
            raise Failure(f'libtorrent: {command}: {answer["error"]}')
        return answer

    def add_file(self, file, folder):
        self.call('add', file=file, folder=folder)

    def add_link(self, link, folder):
        self.call('add_link', link=link, folder=folder)

    def view(self, torrent):
        view = self.call('view', infohash=torrent.infohash)
        if view['failure']:
            raise Failure(f'libtorrent: {view["failure"]}')
        return view

    def complete(self, torrent):
        return self.view(torrent)['state'] == 'seeding'


class Rtorrent:
    """rtorrent 0.9.8 without a terminal, over SCGI on a unix socket."""

    name = 'rtorrent'
    SETTINGS = ('system.daemon.set = true', 'network.port_random.set = no', 'dht.mode.set = disable',
                'protocol.pex.set = no', 'pieces.hash.on_completion.set = no')

    def arguments(self, folder, own):
        """The command line; folder is where it keeps its settings and its socket."""
        self.socket, path = os.path.join(folder, 'rpc'), os.path.join(folder, 'rc')
        with open(path, 'w', encoding='ascii') as file:
            file.write('\n'.join([*self.SETTINGS, f'network.scgi.open_local = {self.socket}', *own]) + '\n')
        return ['rtorrent', '-n', '-o', f'import={path}']

    def call(self, method, *arguments):
        body = xmlrpc.client.dumps(arguments, method).encode()
        head = b'CONTENT_LENGTH\0%d\0SCGI\x001\0' % len(body)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(self.socket)
            connection.sendall(b'%d:%s,%s' % (len(head), head, body))
            data = b''
            while more := connection.recv(65536):
                data += more
        try:
            return xmlrpc.client.loads(data.partition(b'\r\n\r\n')[2])[0][0]
        except xmlrpc.client.Fault as error:
            raise Failure(f'rtorrent: {method}: {error.faultString}') from error

    def add_file(self, file, folder):
        self.call('load.start', '', file, f'd.directory.set="{folder}"')

    add_link = add_file

    def complete(self, torrent):
        key = torrent.infohash.upper()
        try:
            return (key in self.call('download_list') and self.call('d.complete', key) == 1
                    and self.call('d.hashing', key) == 0 and self.call('d.is_active', key) == 1)
        except Failure as failure:  # what came by a link is taken out and put in again once its metadata is there
            if 'Could not find info-hash' in str(failure):
                return False
            raise
