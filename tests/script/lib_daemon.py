# SPDX-License-Identifier: MIT
"""A daemon under test: its own ports and directories, its API, and a stop that is judged."""
import atexit
import base64
import collections
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

from lib_tap import PATIENCE, check, wait_for
from lib_torrent import bits_list

BINARY = os.environ.get('TORRENTD') or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), '../../build/release/torrentd')
# Only such a binary has the memory and the speed of the program: a sanitizer keeps what was freed.
MEASURABLE = '/build/release/' in os.path.realpath(BINARY)
SUPPRESSIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib', 'tsan.supp')
# What every daemon gets besides, as in TEST_OPTIONS="peers.shards=3 store.workers=3".
MORE_OPTIONS = dict(word.split('=', 1) for word in os.environ.get('TEST_OPTIONS', '').split())
STOP_LIMIT = 5.0  # seconds that a stop may take, whatever trackers and disks do
REPORTS = re.compile(r'ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|\bpanic\b|'
                     r'LeakSanitizer|assertion .*failed|stop_forced', re.IGNORECASE)

Answer = collections.namedtuple('Answer', 'status headers body')
LIVE = set()


def kill_all():
    for process in list(LIVE):
        if process.poll() is None:
            process.kill()
            process.wait()


atexit.register(kill_all)


_reserved = []  # open for as long as this process lives


def _reserve(port):
    """Of all test programs only one gets a port, and only once: it holds a name in the kernel."""
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind(f'\0torrentd-test-port-{port}')
    except OSError:
        name.close()
        return False
    _reserved.append(name)
    return True


def free_port(kind=socket.SOCK_STREAM):
    """A port below those that the system hands out by itself: nobody else takes it meanwhile."""
    while True:
        port = random.SystemRandom().randrange(10000, 32000)
        if not _reserve(port):
            continue
        try:
            for family, host in ((socket.AF_INET, '0.0.0.0'), (socket.AF_INET6, '::')):
                with socket.socket(family, kind) as s:
                    if family == socket.AF_INET6:
                        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    s.bind((host, port))
            return port
        except OSError:
            continue


def environment(home, more=None):
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(('TORRENTD_', 'XDG_')) and not k.lower().endswith('_proxy')}
    env.setdefault('TSAN_OPTIONS', f'suppressions={SUPPRESSIONS}')
    env.update(HOME=home, **(more or {}))
    return env


def run_binary(*args, home='/nonexistent', env=None, timeout=PATIENCE, binary=None):
    """Runs the daemon to its end: (status, standard output, standard error)."""
    done = subprocess.run([binary or BINARY, *args], env=environment(home, env), timeout=timeout,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors='surrogateescape')
    return done.returncode, done.stdout, done.stderr


class Daemon:
    """with Daemon() as d: ... starts it, and stops it with SIGTERM at the end, judged."""

    def __init__(self, options=None, config='', wrap=(), env=None, root=None):
        self.own_root = root is None
        self.root = root or tempfile.mkdtemp(prefix='td-')
        self.state = os.path.join(self.root, 'state')
        self.downloads = os.path.join(self.root, 'downloads')
        os.makedirs(self.downloads, exist_ok=True)
        self.config_path = os.path.join(self.root, 'torrentd.conf')
        self.write_config(config)
        self.api_port, self.peer_port = free_port(), free_port()
        self.options = {
            'api.port': self.api_port, 'peers.port': self.peer_port, 'state.dir': self.state,
            'download.dir': self.downloads, 'log.level': 'debug', 'tracker.min_interval': '1s',
            'tracker.allow_private': 'true', 'peers.allow_local': 'true', 'dht.enabled': 'false', 'peers.lsd': 'false',
            'portmap.enabled': 'false',
            'peers.encryption': 'off',  # scripted peers that are dialled wait for plain handshakes
        }
        self.options.update(MORE_OPTIONS)
        self.options.update(options or {})
        self.wrap, self.env = list(wrap), env
        self.process, self.logs = None, []
        self.host = '127.0.0.1'

    def write_config(self, text):
        with open(self.config_path, 'w') as f:
            f.write(text)

    # --- life

    def arguments(self):
        return [f'--config={self.config_path}'] + [
            f'--{k}={v}' for k, v in self.options.items() if v is not None]

    def spawn(self):
        self.logs.append(os.path.join(self.root, f'log.{len(self.logs)}'))
        with open(self.logs[-1], 'wb') as err, open(self.logs[-1] + '.out', 'wb') as out:
            self.process = subprocess.Popen(
                self.wrap + [BINARY] + self.arguments(), stdin=subprocess.DEVNULL, stdout=out,
                stderr=err, env=environment(self.root, self.env), start_new_session=False)
        LIVE.add(self.process)

    def start(self):
        self.spawn()
        wait_for(self.is_up, lambda: 'the daemon answers; its log:\n' + self.log()[-3000:])
        return self

    def is_up(self):
        check(self.process.poll() is None, 'the daemon ended with', self.process.returncode, '\n',
              self.log()[-3000:])
        try:
            return self.http('GET', '/healthz').status in (200, 401)
        except OSError:
            return False
        except http.client.HTTPException:
            return False

    def kill(self):
        """kill -9: what a power cut leaves of a process."""
        self.process.kill()
        self.process.wait()
        LIVE.discard(self.process)

    def terminate(self):
        """SIGTERM; returns the seconds it took and judges status and log."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            log = self.log()[-3000:]
            self.kill()
            raise AssertionError('SIGTERM did not end the daemon; its log:\n' + log) from None
        took = time.monotonic() - started
        LIVE.discard(self.process)
        self.judge_log()
        check(status == 0, f'SIGTERM ended the daemon with {status} after {took:.1f} s; its log:\n',
              self.log()[-3000:])
        check(took < STOP_LIMIT, f'the stop took {took:.1f} s; its log:\n', self.log()[-3000:])
        return took

    def judge_log(self):
        for path in self.logs:
            with open(path, errors='replace') as f:
                text = f.read()
            found = REPORTS.search(text)
            check(found is None, 'the daemon reports:\n',
                  text[max(0, found.start() - 500):found.start() + 4000] if found else '')

    def restart(self, clean=True):
        if clean:
            self.terminate()
        else:
            self.kill()
        return self.start()

    def log(self):
        try:
            with open(self.logs[-1], errors='replace') as f:
                return f.read()
        except (OSError, IndexError):
            return ''

    def stdout(self):
        with open(self.logs[-1] + '.out', errors='replace') as f:
            return f.read()

    def alive(self):
        check(self.process.poll() is None, 'the daemon died with', self.process.returncode, '\n',
              self.log()[-6000:])
        return True

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.clean_up()
            raise

    def __exit__(self, kind, error, trace):
        try:
            if self.process is None or self.process.poll() is not None:
                check(kind is not None or self.process is None or self.process in self.ended(),
                      'the daemon ended by itself with', self.process and self.process.returncode,
                      '\n', self.log()[-3000:])
                self.judge_log()
            elif kind is None:
                self.terminate()
            else:
                for line in self.log()[-6000:].splitlines():
                    print('#  log:', line)
        finally:
            self.clean_up()

    def ended(self):
        """Processes that ended because the scenario ended them."""
        return [] if self.process in LIVE else [self.process]

    def clean_up(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        if self.own_root:
            for folder, _, _ in os.walk(self.root):
                os.chmod(folder, 0o700)
            shutil.rmtree(self.root, ignore_errors=True)

    # --- the API

    def http(self, method, path, params=None, body=None, headers=None, timeout=PATIENCE):
        if params:
            path += '?' + urllib.parse.urlencode(params, encoding='utf-8', errors='surrogateescape')
        connection = http.client.HTTPConnection(self.host, self.api_port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            reply = connection.getresponse()
            return Answer(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def first_token(self):
        """What the first start made."""
        with open(os.path.join(self.state, 'api.token'), encoding='ascii') as f:
            return f.read().strip()

    def get(self, path, **params):
        return self.http('GET', path, params)

    def ok(self, path, **params):
        reply = self.http('POST', path, params)
        check(reply.status == 200, path, params, 'answered', reply.status, reply.body)
        return reply

    def add(self, torrent, **params):
        """Adds it (an object, or the bytes of a .torrent); of an object, waits until peers may come."""
        reply = self.http('POST', '/addtorrentfile', params, getattr(torrent, 'data', torrent))
        check(reply.status == 200, 'add answered', reply.status, reply.body)
        if hasattr(torrent, 'infohash'):
            self.wait_ready(torrent)

    def wait_ready(self, torrent):
        """Waits until its files are looked at and peers are told of it."""
        self.wait_status(torrent, 'stopped', 'downloading', 'seeding', 'error')
        # This view asks the peers' actor after it was told of the torrent: now it knows.
        return self.view(torrent)

    def start_torrent(self, torrent):
        self.ok('/starttorrent', infohash=torrent.hex)
        return self.wait_ready(torrent)

    def all(self):
        reply = self.get('/alldata')
        check(reply.status == 200, '/alldata answered', reply.status, reply.body)
        return json.loads(reply.body)

    def view(self, torrent):
        reply = self.get('/torrentdata', infohash=torrent.hex)
        check(reply.status == 200, '/torrentdata answered', reply.status, reply.body)
        return json.loads(reply.body)

    def pieces(self, torrent):
        """Indices of the pieces that it says it has."""
        view = self.view(torrent)
        return bits_list(base64.b64decode(view['bitfield_base64']), view['bitfield_length'])

    def wait_status(self, torrent, *status, patience=None):
        """Waits until the torrent has one of these states; returns its view."""
        seen = {}

        def look():
            self.alive()
            seen.update(self.view(torrent))
            return seen['status'] in status

        wait_for(look, lambda: f'{torrent.name} becomes {status}; it is {seen.get("status")}, '
                               f'have {seen.get("pieces_have")}, error {seen.get("error")}', patience)
        return seen

    def wait_view(self, torrent, condition, what, patience=None):
        seen = {}

        def look():
            self.alive()
            seen.clear()
            seen.update(self.view(torrent))
            return condition(seen)

        def words():
            lean = {k: v for k, v in seen.items() if k != 'bitfield_base64'}
            return f'{what}; the torrent is {lean}'

        wait_for(look, words, patience)
        return seen

    def wait_done(self, torrent, patience=None, folder=None):
        """Waits until all is there, and compares every byte with what it must be."""
        view = self.wait_status(torrent, 'seeding', patience=patience)
        wrong = torrent.differences(folder or self.downloads)
        check(not wrong, 'wrong data:', wrong)
        return view

    def seed(self, torrent, **params):
        """Puts the content on disk, adds the torrent, waits until it seeds."""
        torrent.write(self.downloads)
        self.add(torrent, **params)
        return self.wait_status(torrent, 'seeding')

    def has_mapped(self, path):
        with open(f'/proc/{self.process.pid}/maps', encoding='utf-8') as f:
            return path in f.read()

    def raw(self, data, timeout=PATIENCE):
        """Sends bytes to the API and returns all that comes until the other side closes."""
        with socket.create_connection((self.host, self.api_port), timeout=timeout) as s:
            return exchange(s, data)


def exchange(s, data):
    out = b''
    try:
        s.sendall(data)
        while True:
            got = s.recv(65536)
            if not got:
                return out
            out += got
    except (ConnectionResetError, BrokenPipeError):
        return out


def is_root():
    return os.geteuid() == 0


if __name__ == '__main__':
    sys.exit('a library of the scenarios')
