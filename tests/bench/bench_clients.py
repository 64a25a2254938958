# SPDX-License-Identifier: MIT
"""Every client of the bench, driven in the same way: start, add, is it complete, recheck, end.

All of them get the same: plain TCP, no DHT, no local discovery, no peer exchange, no encryption, no preallocation,
100 upload slots, one address, one tracker.  Everything else is as their makers ship it.
"""
import base64
import http.client
import json
import os
import socket
import subprocess
import xmlrpc.client

from bench_lab import HERE, Failure, package_version, poll

SLOTS = 100


def exchange(space, port, method, path, body=None, headers=(), host=HERE):
    """One HTTP request; (status, headers, body)."""
    connection = http.client.HTTPConnection(host, port, timeout=30)
    if space is not None:
        with space:
            connection.sock = socket.create_connection((host, port), timeout=30)
    try:
        connection.request(method, path, body=body, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()


class Client:
    """One client process.  ip and port are where it takes peers; space is its network namespace, if it has its own."""

    key = title = package = ''
    patience = 120  # seconds that any step may take

    def __init__(self, lab, number, folder, space=None, env=None):
        self.lab, self.folder, self.space, self.env = lab, folder, space, env or {}
        self.ip, self.port, self.control = f'10.78.1.{number}', 6000 + number, 7000 + number
        self.host = HERE
        if space is not None:
            self.ip, self.host = space.ip, '127.0.0.1'
        self.home = os.path.join(folder, f'{self.key}{number}')
        os.mkdir(self.home)
        self.process = None
        self.launch()

    @classmethod
    def version(cls):
        return package_version(cls.package)

    @property
    def pid(self):
        return self.process.pid

    @property
    def address(self):
        return f'{self.ip}:{self.port}'

    def spawn(self, argv, **more):
        self.process = self.lab.start(argv, self.home, f'{self.key}.log', env=self.env,
                                      space=self.space, **more)

    def add(self, torrent, folder):
        file = os.path.join(self.home, 'add.torrent')
        with open(file, 'wb') as out:
            out.write(torrent.metainfo)
        self.add_file(torrent, file, folder)

    def wait(self, torrent, what='is complete', pause=0.02):
        def complete():
            self.process.check()
            return self.complete(torrent)
        poll(complete, self.patience, f'{self.key} {what}', pause)

    def end(self):
        if self.process is not None:
            self.lab.end(self.process)


class Torrentd(Client):
    key, title = 'torrentd', 'torrentd'
    options = {}

    @classmethod
    def version(cls):
        from bench_lab import ROOT
        with open(os.path.join(ROOT, 'config/VERSION'), encoding='ascii') as file:
            return file.read().strip()

    def launch(self):
        options = {'state.dir': os.path.join(self.home, 'state'), 'download.dir': self.folder,
                   'download.roots': f'{self.lab.memory}, {self.lab.disk}', 'peers.bind': self.ip,
                   'peers.port': self.port, 'api.port': self.control, 'peers.upload_slots': SLOTS, **self.options}
        self.spawn([self.lab.daemon] + [f'--{key}={value}' for key, value in options.items()])

        def answers():
            self.process.check()
            return self.request('GET', '/healthz')[0] == 200
        poll(answers, 20, 'torrentd answers')

    def request(self, method, path, body=None):
        status, _, data = exchange(self.space, self.control, method, path, body, host='127.0.0.1')
        return status, data

    def call(self, method, path, body=None):
        status, data = self.request(method, path, body)
        if status != 200:
            raise Failure(f'torrentd: {path}: {status} {data.decode("utf-8", "replace").strip()}')
        return data

    def add_file(self, torrent, file, folder):
        self.call('POST', f'/addtorrentfile?path={folder}', torrent.metainfo)

    def view(self, torrent):
        view = json.loads(self.call('GET', f'/torrentdata?infohash={torrent.infohash}'))
        if view['error']:
            raise Failure(f'torrentd: {view["error"]}')
        return view

    def complete(self, torrent):
        view = self.view(torrent)
        return view['status'] == 'seeding' and view['left_bytes'] == 0

    def recheck(self, torrent):
        self.call('POST', f'/rechecktorrent?infohash={torrent.infohash}')

    def checking(self, torrent):
        return self.view(torrent)['status'] == 'checking'


class Libtorrent(Client):
    key, title, package, profile = 'libtorrent', 'libtorrent (default)', 'python3-libtorrent', 'default'

    def launch(self):
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'bench_lt.py')
        self.spawn([self.lab.python, program, f'{self.ip}:{self.port}', self.profile],
                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.call('hello')

    def call(self, command, **arguments):
        pipe = self.process.popen
        pipe.stdin.write(json.dumps(dict(arguments, command=command)).encode() + b'\n')
        pipe.stdin.flush()
        line = pipe.stdout.readline()
        answer = json.loads(line) if line else {'error': f'the process has ended: {self.process.tail()}'}
        if 'error' in answer or answer.get('failure'):
            raise Failure(f'libtorrent: {command}: {answer.get("error") or answer["failure"]}')
        return answer

    def add_file(self, torrent, file, folder):
        self.call('add', file=file, folder=folder)

    def complete(self, torrent):
        return self.call('view', infohash=torrent.infohash)['state'] == 'seeding'

    def recheck(self, torrent):
        self.call('recheck', infohash=torrent.infohash)

    def checking(self, torrent):
        return self.call('view', infohash=torrent.infohash)['state'].startswith('checking')


class LibtorrentHigh(Libtorrent):
    key, title, profile = 'libtorrent-hp', 'libtorrent (high_performance_seed)', 'high'


class Transmission(Client):
    key, title, package = 'transmission', 'Transmission', 'transmission-daemon'

    def launch(self):
        self.session = ''
        settings = {
            'bind-address-ipv4': self.ip, 'bind-address-ipv6': '::1', 'peer-port': self.port,
            'rpc-bind-address': HERE, 'rpc-port': self.control, 'rpc-whitelist-enabled': False,
            'rpc-host-whitelist-enabled': False, 'rpc-authentication-required': False,
            'dht-enabled': False, 'lpd-enabled': False, 'pex-enabled': False, 'utp-enabled': False,
            'port-forwarding-enabled': False, 'blocklist-enabled': False, 'encryption': 0, 'preallocation': 0,
            'incomplete-dir-enabled': False, 'ratio-limit-enabled': False, 'idle-seeding-limit-enabled': False,
            'watch-dir-enabled': False, 'upload-slots-per-torrent': SLOTS, 'peer-limit-global': 1000,
            'peer-limit-per-torrent': 1000,
        }
        with open(os.path.join(self.home, 'settings.json'), 'w', encoding='ascii') as file:
            json.dump(settings, file)
        self.spawn(['transmission-daemon', '--foreground', '--config-dir', self.home])
        poll(lambda: self.call('session-get'), 20, 'transmission answers')

    def call(self, method, **arguments):
        body = json.dumps({'method': method, 'arguments': arguments})
        for _ in range(2):
            status, headers, data = exchange(None, self.control, 'POST', '/transmission/rpc', body,
                                             {'X-Transmission-Session-Id': self.session})
            if status != 409:
                break
            self.session = headers['X-Transmission-Session-Id']
        answer = json.loads(data) if status == 200 else {'result': f'HTTP {status}'}
        if answer['result'] != 'success':
            raise Failure(f'transmission: {method}: {answer["result"]}')
        return answer['arguments']

    def add_file(self, torrent, file, folder):
        text = base64.b64encode(torrent.metainfo).decode()
        self.call('torrent-add', metainfo=text, **{'download-dir': folder, 'paused': False})

    def view(self, torrent):
        view = self.call('torrent-get', ids=[torrent.infohash],
                         fields=['status', 'leftUntilDone', 'sizeWhenDone', 'error', 'errorString'])['torrents'][0]
        if view['error'] == 3:
            raise Failure(f'transmission: {view["errorString"]}')
        return view

    def complete(self, torrent):
        view = self.view(torrent)
        return view['status'] == 6 and view['leftUntilDone'] == 0

    def recheck(self, torrent):
        self.call('torrent-verify', ids=[torrent.infohash])

    def checking(self, torrent):
        return self.view(torrent)['status'] in (1, 2)


class Aria2(Client):
    key, title, package = 'aria2', 'aria2', 'aria2'

    def launch(self):
        self.spawn(['aria2c', '--no-conf=true', '--enable-dht=false', '--enable-dht6=false', '--bt-enable-lpd=false',
                    '--enable-peer-exchange=false', f'--listen-port={self.port}', '--seed-ratio=0.0',
                    '--file-allocation=none', '--enable-rpc=true', f'--rpc-listen-port={self.control}',
                    '--rpc-listen-all=true', '--rpc-max-request-size=16M',
                    '--allow-overwrite=true', '--summary-interval=0', '--enable-color=false', '--quiet=true',
                    '--bt-require-crypto=false', '--bt-min-crypto-level=plain', f'--dir={self.folder}'])
        poll(lambda: self.call('aria2.getVersion'), 20, 'aria2 answers')

    def call(self, method, *arguments):
        body = json.dumps({'jsonrpc': '2.0', 'id': '1', 'method': method, 'params': arguments})
        answer = json.loads(exchange(None, self.control, 'POST', '/jsonrpc', body)[2])
        if 'error' in answer:
            raise Failure(f'aria2: {method}: {answer["error"]}')
        return answer['result']

    def add_file(self, torrent, file, folder):
        text = base64.b64encode(torrent.metainfo).decode()
        self.gid = self.call('aria2.addTorrent', text, [], {'dir': folder})

    def complete(self, torrent):
        view = self.call('aria2.tellStatus', self.gid, ['status', 'completedLength', 'totalLength', 'seeder',
                                                        'errorMessage'])
        if view['status'] == 'error':
            raise Failure(f'aria2: {view.get("errorMessage")}')
        return view['completedLength'] == view['totalLength'] == str(torrent.size)


class Rtorrent(Client):
    key, title, package = 'rtorrent', 'rTorrent', 'rtorrent'

    def launch(self):
        self.socket = os.path.join(self.home, 'rpc')
        lines = (
            'system.daemon.set = true', f'network.scgi.open_local = {self.socket}',
            f'directory.default.set = {self.folder}', f'network.bind_address.set = {self.ip}',
            f'network.port_range.set = {self.port}-{self.port}', 'network.port_random.set = no',
            'protocol.encryption.set = none', 'dht.mode.set = disable', 'protocol.pex.set = no',
            'trackers.use_udp.set = no', 'pieces.hash.on_completion.set = no', 'system.file.allocate.set = 0',
            f'throttle.max_uploads.set = {SLOTS}', f'throttle.max_uploads.global.set = {SLOTS}',
            'throttle.max_peers.normal.set = 1000', 'throttle.max_peers.seed.set = 1000',
            'network.xmlrpc.size_limit.set = 16M', 'pieces.memory.max.set = 4096M',
        )
        path = os.path.join(self.home, 'rc')
        with open(path, 'w', encoding='ascii') as file:
            file.write('\n'.join(lines) + '\n')
        self.spawn(['rtorrent', '-n', '-o', f'import={path}'])

        def answers():
            self.process.check()
            return self.call('system.client_version')
        poll(answers, 20, 'rtorrent answers')

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

    def add_file(self, torrent, file, folder):
        self.call('load.start', '', file, f'd.directory.set="{folder}"')

    def complete(self, torrent):
        hash_ = torrent.infohash.upper()
        if hash_ not in self.call('download_list'):
            return False
        return self.call('d.complete', hash_) == 1 and self.call('d.hashing', hash_) == 0 \
            and self.call('d.is_active', hash_) == 1


ALL = {c.key: c for c in (Torrentd, Libtorrent, LibtorrentHigh, Transmission, Aria2, Rtorrent)}
OURS = Torrentd.key
