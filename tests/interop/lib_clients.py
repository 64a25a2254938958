# SPDX-License-Identifier: MIT
"""The other clients on hosts of the lab, each driven in the same way: start, add a torrent, ask how far it is."""
import os
import subprocess

from lib_lab import Failure, poll
import clients

PORT = 6881


class Transmission(clients.Transmission):
    """transmission-daemon over its RPC."""

    needs = ('transmission-daemon',)
    empty_files = False  # 3.00 does not create them
    RPC = 9091

    def __init__(self, host, up_rate=0, encryption=1, pex=False, lsd=False):
        self.host = host
        folder = os.path.join(host.folder, 'transmission')
        os.mkdir(folder)
        host.spawn(self.arguments(folder, {
            'peer-port': PORT, 'rpc-bind-address': '127.0.0.1', 'rpc-port': self.RPC, 'encryption': encryption,
            'speed-limit-up': up_rate // 1000, 'speed-limit-up-enabled': up_rate > 0, 'rename-partial-files': True,
            'pex-enabled': pex, 'lpd-enabled': lsd,
        }) + ['--log-info'], 'transmission.log')
        poll(lambda: self.call('session-get'), 20, 'transmission answers')

    def dial(self):
        return self.host.connect(self.RPC)

    def uploaded(self, torrent):
        return self.view(torrent, 'uploadedEver')['uploadedEver']


class Aria2(clients.Aria2):
    """aria2c over its JSON-RPC; it is handed its one torrent when it starts."""

    needs = ('aria2c',)
    litter = '.aria2'  # its control file outlives the download by moments
    RPC = 6800

    def __init__(self, host, up_rate=0, encryption=(), pex=False):
        self.host, self.up_rate, self.encryption, self.pex = host, up_rate, encryption, pex

    def dial(self):
        return self.host.connect(self.RPC)

    def add_file(self, file, folder):
        self.host.spawn([*self.ARGUMENTS, f'--listen-port={PORT}', f'--rpc-listen-port={self.RPC}',
                         '--check-integrity=true', '--bt-hash-check-seed=true', '--console-log-level=info',
                         f'--max-overall-upload-limit={self.up_rate}', f'--enable-peer-exchange={str(self.pex).lower()}',
                         f'--dir={folder}', *self.encryption, file], 'aria2.log')
        poll(lambda: self.call('aria2.tellActive'), 20, 'aria2 answers')

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


class Libtorrent(clients.Libtorrent):
    """libtorrent, which connects at once again to whoever went away."""

    needs = ('libtorrent',)

    def __init__(self, host, up_rate=0, encryption=None, pex=False, lsd=False):
        self.host = host
        self.popen = host.spawn(self.arguments(f'{host.ip4}:{PORT},[{host.ip6}]:{PORT}', limit_all=True, alerts=True, plugins=pex, settings={
            'upload_rate_limit': up_rate, 'in_enc_policy': 1, 'allow_multiple_connections_per_ip': True,
            'min_reconnect_time': 1, 'max_failcount': 1000, 'connection_speed': 100,
            'announce_to_all_tiers': True, 'announce_to_all_trackers': True, 'rate_limit_ip_overhead': False,
            'mixed_mode_algorithm': 0, 'enable_lsd': lsd, **(encryption or {}),
        }, extensions=('ut_metadata',)), 'libtorrent.log', stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.call('hello')

    def connect(self, torrent, address, port):
        self.call('connect', infohash=torrent.infohash, address=address, port=port)

    def uploaded(self, torrent):
        return self.view(torrent)['uploaded']


class Rtorrent(clients.Rtorrent):
    """rtorrent over SCGI."""

    needs = ('rtorrent',)
    litter = '.meta'  # what it got by a magnet link

    def __init__(self, host, up_rate=0, encryption='allow_incoming', pex=False):
        self.host = host
        folder = os.path.join(host.folder, 'rtorrent')
        os.mkdir(folder)
        host.spawn(self.arguments(folder, [
            f'session.path.set = {folder}', f'network.port_range.set = {PORT}-{PORT}', 'trackers.use_udp.set = yes',
            f'protocol.encryption.set = {encryption}', f'throttle.global_up.max_rate.set_kb = {up_rate // 1000}',
            f'protocol.pex.set = {"yes" if pex else "no"}',
        ]), 'rtorrent.log')
        poll(lambda: self.call('system.client_version'), 20, 'rtorrent answers')

    def uploaded(self, torrent):
        return self.call('d.up.total', torrent.infohash.upper())


CLIENTS = (Transmission, Libtorrent, Aria2)
