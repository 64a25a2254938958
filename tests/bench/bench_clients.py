# SPDX-License-Identifier: MIT
"""Every client of the bench, driven in the same way: start, add, is it complete, recheck, end.

All of them get the same: plain TCP, no DHT, no local discovery, no peer exchange, no encryption, no preallocation,
100 upload slots, one address, one tracker.  Everything else is as their makers ship it.
"""
import base64
import os
import socket
import subprocess

from bench_lab import HERE, ROOT, Failure, package_version, poll
import clients

SLOTS = 100


class Client:
    """One client process.  ip and port are where it takes peers; space is its network namespace, if it has its own."""

    key = title = package = ''
    control_host = HERE
    patience = 120  # seconds that any step may take

    def __init__(self, lab, number, folder, space=None, env=None):
        self.lab, self.folder, self.space, self.env = lab, folder, space, env or {}
        self.ip, self.port, self.control = f'10.78.1.{number}', 6000 + number, 7000 + number
        if space is not None:
            self.ip = space.ip
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

    def dial(self):
        """A connection to where it takes orders."""
        if self.space is not None:
            return self.space.connect(self.control, timeout=30)
        return socket.create_connection((self.control_host, self.control), timeout=30)

    def add(self, torrent, folder):
        file = os.path.join(self.home, 'add.torrent')
        with open(file, 'wb') as out:
            out.write(torrent.metainfo)
        self.add_file(file, folder)

    def wait(self, torrent, what='is complete', pause=0.02):
        def complete():
            self.process.check()
            return self.complete(torrent)
        poll(complete, self.patience, f'{self.key} {what}', pause)

    def pause(self, torrent, paused):
        """Stops it and starts it again; a client that maps files lets go of them meanwhile.  Others need not."""

    def end(self):
        if self.process is not None:
            self.lab.end(self.process)


class Torrentd(clients.Torrentd, Client):
    key, title, control_host = 'torrentd', 'torrentd', '127.0.0.1'
    options = {}

    @classmethod
    def version(cls):
        with open(os.path.join(ROOT, 'config/VERSION'), encoding='ascii') as file:
            return file.read().strip()

    def launch(self):
        options = {'state.dir': os.path.join(self.home, 'state'), 'download.dir': self.folder,
                   'download.roots': f'{self.lab.memory}, {self.lab.disk}', 'peers.bind': self.ip,
                   'tracker.allow_private': 'true', 'peers.allow_local': 'true', 'peers.port': self.port,
                   'api.port': self.control, 'peers.upload_slots': SLOTS, 'peers.encryption': 'off',
                   'dht.enabled': 'false', 'portmap.enabled': 'false', **self.options}
        self.spawn([self.lab.daemon] + [f'--{key}={value}' for key, value in options.items()])

        def answers():
            self.process.check()
            return self.request('GET', '/healthz')[0] == 200
        poll(answers, 20, 'torrentd answers')

    def view(self, torrent):
        view = super().view(torrent)
        if view['error']:
            raise Failure(f'torrentd: {view["error"]}')
        return view

    def complete(self, torrent):
        view = self.view(torrent)
        return view['status'] == 'seeding' and view['left_bytes'] == 0

    def pause(self, torrent, paused):
        self.call('POST', '/stoptorrent' if paused else '/starttorrent', infohash=torrent.infohash)

    def recheck(self, torrent):
        self.call('POST', '/rechecktorrent', infohash=torrent.infohash)

    def checking(self, torrent):
        return self.view(torrent)['status'] == 'checking'


class Libtorrent(clients.Libtorrent, Client):
    key, title, package, high = 'libtorrent', 'libtorrent (default)', 'python3-libtorrent', False
    settings = {}

    def launch(self):
        self.spawn(self.arguments(self.address, high=self.high, slots=SLOTS, connections=3000, settings={
            'outgoing_interfaces': self.ip, 'in_enc_policy': 2, 'unchoke_slots_limit': SLOTS, 'connections_limit': 3000,
            'listen_queue_size': 1000, **self.settings,
        }), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.popen = self.process.popen
        self.call('hello')

    def pause(self, torrent, paused):
        self.call('pause', infohash=torrent.infohash, paused=paused)

    def recheck(self, torrent):
        self.call('recheck', infohash=torrent.infohash)

    def checking(self, torrent):
        return self.view(torrent)['state'].startswith('checking')


class LibtorrentHigh(Libtorrent):
    key, title, high = 'libtorrent-hp', 'libtorrent (high_performance_seed)', True


class Transmission(clients.Transmission, Client):
    key, title, package = 'transmission', 'Transmission', 'transmission-daemon'

    def launch(self):
        self.spawn(self.arguments(self.home, {
            'bind-address-ipv4': self.ip, 'bind-address-ipv6': '::1', 'peer-port': self.port,
            'rpc-bind-address': HERE, 'rpc-port': self.control, 'encryption': 0,
            'upload-slots-per-torrent': SLOTS, 'peer-limit-global': 1000, 'peer-limit-per-torrent': 1000,
        }))
        poll(lambda: self.call('session-get'), 20, 'transmission answers')

    def recheck(self, torrent):
        self.call('torrent-verify', ids=[torrent.infohash])

    def checking(self, torrent):
        return self.view(torrent)['status'] in (1, 2)


class Aria2(clients.Aria2, Client):
    key, title, package = 'aria2', 'aria2', 'aria2'

    def launch(self):
        self.spawn([*self.ARGUMENTS, f'--listen-port={self.port}', f'--rpc-listen-port={self.control}',
                    '--rpc-listen-all=true', '--rpc-max-request-size=16M', '--quiet=true', '--bt-require-crypto=false',
                    '--bt-min-crypto-level=plain', f'--dir={self.folder}'])
        poll(lambda: self.call('aria2.getVersion'), 20, 'aria2 answers')

    def add_file(self, file, folder):
        text = base64.b64encode(clients.read(file)).decode()
        self.gid = self.call('aria2.addTorrent', text, [], {'dir': folder})

    def complete(self, torrent):
        view = self.call('aria2.tellStatus', self.gid, ['status', 'completedLength', 'totalLength', 'errorMessage'])
        if view['status'] == 'error':
            raise Failure(f'aria2: {view.get("errorMessage")}')
        return view['completedLength'] == view['totalLength'] == str(torrent.size)


class Rtorrent(clients.Rtorrent, Client):
    key, title, package = 'rtorrent', 'rTorrent', 'rtorrent'

    def launch(self):
        self.spawn(self.arguments(self.home, [
            f'directory.default.set = {self.folder}', f'network.bind_address.set = {self.ip}',
            f'network.port_range.set = {self.port}-{self.port}', 'trackers.use_udp.set = no',
            'protocol.encryption.set = none', 'system.file.allocate.set = 0',
            f'throttle.max_uploads.set = {SLOTS}', f'throttle.max_uploads.global.set = {SLOTS}',
            'throttle.max_peers.normal.set = 1000', 'throttle.max_peers.seed.set = 1000',
            'network.xmlrpc.size_limit.set = 16M', 'pieces.memory.max.set = 4096M',
        ]))

        def answers():
            self.process.check()
            return self.call('system.client_version')
        poll(answers, 20, 'rtorrent answers')


ALL = {c.key: c for c in (Torrentd, Libtorrent, LibtorrentHigh, Transmission, Aria2, Rtorrent)}
OURS = Torrentd.key
