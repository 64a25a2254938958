# SPDX-License-Identifier: MIT
"""Our own daemon on a host, driven over its HTTP API."""
import base64
import os
import signal

from lib_lab import Failure, poll
import clients

# As for the scripted tests: TEST_OPTIONS="peers.shards=3".
MORE_OPTIONS = dict(word.split('=', 1) for word in os.environ.get('TEST_OPTIONS', '').split())
PORT = 6681
API = 8080


def pieces(session):
    """The set of pieces that a session's bitfield claims."""
    bits = base64.b64decode(session['bitfield_base64'])
    return {piece for piece in range(session['bitfield_length']) if bits[piece >> 3] & (0x80 >> (piece & 7))}


class Torrentd(clients.Torrentd):
    """The daemon; a kill and a start again keep its state directory."""

    needs = ()

    def __init__(self, host, roots, **options):
        self.host = host
        self.options = {'state.dir': os.path.join(host.folder, 'state'), 'download.dir': roots,
                        'peers.bind': f'{host.ip4}, {host.ip6}', 'peers.port': PORT, 'api.port': API,
                        'tracker.allow_private': 'true', 'peers.allow_local': 'true', 'dht.enabled': 'false', 'peers.lsd': 'false',
                        'portmap.enabled': 'false',
                        'log.level': 'debug' if os.environ.get('INTEROP_DEBUG') else 'info',
                        **MORE_OPTIONS, **options}
        self.process = None
        self.spawn()
        self.ready()

    def spawn(self):
        argv = [os.environ['TORRENTD']] + [f'--{key}={value}' for key, value in self.options.items()]
        self.process = self.host.spawn(argv, 'torrentd.log')

    def ready(self):
        def answers():
            if self.process.poll() is not None:
                raise Failure(f'torrentd ended with {self.process.returncode}')
            return self.request('GET', '/healthz')[0] == 200
        poll(answers, 20, 'torrentd is ready')

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """A clean end, which may take 5 s."""
        self.process.send_signal(signal.SIGTERM)
        poll(lambda: self.process.poll() is not None, 6, 'torrentd stops on SIGTERM')
        if self.process.returncode != 0:
            raise Failure(f'torrentd ended with {self.process.returncode} after SIGTERM')

    def dial(self):
        return self.host.connect(API)

    def pieces(self, torrent):
        return pieces(self.view(torrent))

    def complete(self, torrent):
        view = self.view(torrent)
        if view['error']:
            raise Failure(f'torrentd: {view["error"]}')
        return view['bitfield_length'] == torrent.pieces and len(pieces(view)) == torrent.pieces

    def uploaded(self, torrent):
        return round(self.view(torrent)['uploaded'] * 1024)
