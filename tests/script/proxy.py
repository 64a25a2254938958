#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""proxy.url: what goes by the proxy goes by it alone, whether it is there or not.

Debian's dante, microsocks and tinyproxy run at the host behind tun0, where trackers, seeds and servers have addresses
that are routed by wan0 and names that only that host can look up.  What leaves by either device is captured.
"""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import lib_tap
import nameserver
import netns
from lib_daemon import Daemon
from lib_peer import Seed
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent
from lib_tracker import HttpTracker, UdpTracker, http_reply, reply_body
from lib_ways import HERE, ROUTER, THERE, Capture, Net, servers_of_the_system
from lib_webserver import WebServer

INSIDE = 'PROXY_INSIDE'
TARGET = '5.6.7.8'  # of all that the daemon wants; to us it is somewhere in the Internet
PORT = 1080
NAMES = {'web.example': TARGET, 'files.example': TARGET, 'list.example': TARGET}
LOUD = {'dht.enabled': 'true', 'peers.lsd': 'true', 'portmap.enabled': 'true', 'tracker.allow_privileged': 'true',
        'tracker.allow_private': 'false', 'dht.bootstrap': f'{TARGET}:6881', 'peers.allow_local': 'true',
        'blocklist.sources': 'http://list.example/list'}
DANTE = f'''logoutput: /dev/null
internal: {THERE} port = {PORT}
external: {THERE}
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: nobody
client pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
socks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
'''
TINY = f'''Port {PORT}
Listen {THERE}
Timeout 60
MaxClients 50
BasicAuth me s3cret
'''


class Proxy:
    """A program at the host behind tun0; `with` ends it."""

    def __init__(self, net, *argv, conf=None):
        self.net = net
        self.conf = None
        if conf is not None:
            with tempfile.NamedTemporaryFile('w', prefix='proxy-', delete=False) as f:
                f.write(conf)
            os.chmod(f.name, 0o644)
            self.conf = f.name
        self.argv = [self.conf if a == 'CONF' else a for a in argv]
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.argv, preexec_fn=self.net.far.join, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

        def answers():
            try:
                self.net.far.connect(PORT, THERE, timeout=1).close()
                return True
            except OSError:
                return False
        wait_for(answers, f'{self.argv[0]} listens')

    def stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
        if self.conf is not None:
            os.unlink(self.conf)


def dante(net):
    return Proxy(net, 'danted', '-f', 'CONF', '-N', '1', conf=DANTE)


def microsocks(net):
    return Proxy(net, 'microsocks', '-i', THERE, '-p', str(PORT), '-u', 'me', '-P', 's3cret')


def tinyproxy(net):
    return Proxy(net, 'tinyproxy', '-d', '-c', 'CONF', conf=TINY)


class World:
    """What there is behind the proxy, under names, and what has left our host but to the proxy."""

    def __init__(self, net):
        self.stack, self.net = contextlib.ExitStack(), net
        with net.far:
            netns.ip_batch([f'addr add {TARGET}/32 dev lo'])
            self.plain, webbed = Torrent('bound', 20 * 32768), Torrent('webbed', 8 * 32768)
            self.seed = self.stack.enter_context(Seed(self.plain, source=TARGET).listen())
            self.web = self.stack.enter_context(
                HttpTracker(lambda _: http_reply(reply_body([self.seed.address], 5)), TARGET))
            self.udp = self.stack.enter_context(UdpTracker(host=TARGET))
            self.files = self.stack.enter_context(WebServer(webbed, host=TARGET))
            self.names = self.stack.enter_context(nameserver.NameServer(NAMES, THERE, 53))
        self.named = Torrent('bound', 20 * 32768, trackers=[[self.web.url().replace(TARGET, 'web.example')]])
        self.webbed = Torrent('webbed', 8 * 32768, extra={'url-list': [
            self.files.url('/webbed').replace(TARGET, 'files.example')]})
        self.stack.enter_context(servers_of_the_system(THERE))
        self.tun = Capture('tun0')
        self.stack.callback(self.tun.close)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def beside(self):
        """All that has left our host and was not for the proxy."""
        at_proxy = socket.inet_aton(THERE), 6, PORT.to_bytes(2, 'big')
        return self.net.capture.words() + [w for p, w in zip(list(self.tun.seen), self.tun.words())
                                           if (p[16:20], p[9], p[22:24]) != at_proxy]


@contextlib.contextmanager
def world():
    with Net() as net, World(net) as w:
        yield net, w


def works_by(make, url):
    with world() as (net, w), make(net), Daemon({**LOUD, 'proxy.url': url}) as d:
        udp = Torrent('udp', 32768, trackers=[[w.udp.url()]])
        d.add(udp)
        for t in (w.named, w.webbed):
            d.add(t)
            d.wait_done(t)
        wait_for(lambda: 'web.example' in w.names.asked, 'the proxy asks for the name')
        why = d.wait_view(udp, lambda v: v['trackers'][0]['message'], 'the UDP tracker was tried')['trackers'][0]['message']
        check('does not carry UDP' in why, why)
        check('proxy' in d.get('/dht').body.decode(), 'the DHT says why it is off')
        time.sleep(1)  # for what comes by itself
        equal(w.beside(), [])
        check('s3cret' not in d.log() and 's3cret' not in d.get('/api/v1/settings').body.decode(), 'the password is kept')


@case
def all_goes_by_dante():
    works_by(dante, f'socks5://{THERE}:{PORT}')


@case
def all_goes_by_microsocks_with_a_password():
    works_by(microsocks, f'socks5://me:s3cret@{THERE}:{PORT}')


@case
def all_goes_by_http():
    works_by(tinyproxy, f'http://me:s3cret@{THERE}:{PORT}')


@case
def without_a_proxy_it_would_be_seen():
    with world() as (_, w), Daemon(LOUD) as d:
        d.add(Torrent('udp', 32768, trackers=[[w.udp.url()]]))
        d.add(w.named)
        wait_for(lambda: any(f'{TARGET} protocol 17' in s for s in w.beside()), 'UDP to the tracker and the DHT')
        wait_for(lambda: any(f'{TARGET} protocol 6' in s for s in w.beside()), 'TCP to the tracker')
        wait_for(lambda: any(s.startswith(f'{THERE} protocol 17') for s in w.beside()), 'names are looked up')


@case
def while_it_is_away_nothing_leaves_and_then_work_goes_on():
    with world() as (net, w), dante(net) as proxy:
        w.seed.rate = 100000
        with Daemon({**LOUD, 'proxy.url': f'socks5://{THERE}:{PORT}', 'peers.connect_timeout': '2s'}) as d:
            d.add(w.named)
            d.wait_view(w.named, lambda v: v['pieces_have'] > 1, 'the download has begun')
            proxy.stop()
            wait_for(lambda: 'proxy_away' in d.log(), 'the loss is noticed')
            late = Torrent('late', 32768, trackers=[[w.web.url()], [f'http://{TARGET}/a'], [f'udp://{TARGET}:6969/a']])
            d.add(late)
            wait_for(lambda: all(x['contacted'] for x in d.view(late)['trackers']), 'its trackers were tried')
            equal(w.beside(), [])
            w.seed.rate = None
            proxy.start()
            d.wait_done(w.named)
            check('proxy_back' in d.log(), 'the return is noticed')
            equal(w.beside(), [])


@case
def a_wrong_password_is_not_the_peers_fault():
    with world() as (net, w):
        with net.far:
            web = HttpTracker(lambda _: http_reply(reply_body([w.seed.address], 5)), THERE)
        url = f'socks5://me:wr0ng-word@{THERE}:{PORT}'
        with web, microsocks(net) as proxy, Daemon({'proxy.url': url, 'proxy.for': 'peers'}) as d:
            t = Torrent('bound', 20 * 32768, trackers=[[web.url()]])
            d.add(t)
            wait_for(lambda: 'proxy_away' in d.log(), 'it is turned away')
            check('what=refused' in d.log() and 'wr0ng-word' not in d.log(), 'the log says so, without the password')
            equal([s for s in w.beside() if TARGET in s], [])
            proxy.stop()
            with Proxy(net, 'microsocks', '-i', THERE, '-p', str(PORT), '-u', 'me', '-P', 'wr0ng-word'):
                d.wait_done(t)
            equal([s for s in w.beside() if TARGET in s], [])


@case
def trackers_say_that_it_is_the_proxy():
    with world() as (_, w), Daemon({**LOUD, 'proxy.url': f'socks5://{THERE}:{PORT}'}) as d:
        d.add(w.named)
        seen = d.wait_view(w.named, lambda v: v['trackers'][0]['status'] == 'error', 'the tracker was tried')
        check('the proxy is not there' in seen['trackers'][0]['message'], seen['trackers'][0])
        equal(w.beside(), [])


@case
def what_is_not_named_goes_without_it():
    with world() as (net, w), dante(net):
        with Daemon({**LOUD, 'proxy.url': f'socks5://{THERE}:{PORT}', 'proxy.for': 'peers, webseeds'}) as d:
            d.add(Torrent('udp', 32768, trackers=[[w.udp.url()]]))
            wait_for(lambda: any(f'{TARGET} protocol 17' in s for s in w.beside()), 'a tracker is asked directly')
        with Daemon({**LOUD, 'proxy.url': f'socks5://{THERE}:{PORT}', 'proxy.incoming': 'true'}) as d:
            with net.far:
                socket.create_connection((HERE, d.peer_port), timeout=10).close()
        with Daemon({**LOUD, 'proxy.url': f'socks5://{THERE}:{PORT}'}) as d, net.far:
            try:
                socket.create_connection((HERE, d.peer_port), timeout=10).close()
                check(False, 'somebody was let in')
            except ConnectionRefusedError:
                pass


@case
def machines_nearby_are_not_asked_for():
    """The proxy would look such a name up for whoever made the torrent."""
    with world() as (net, w), dante(net), Daemon({**LOUD, 'proxy.url': f'socks5://{THERE}:{PORT}'}) as d:
        for i, host in enumerate(('localhost', 'printer', 'nas.local', '127.0.0.1', ROUTER)):
            t = Torrent(f'near{i}', 32768, trackers=[[f'http://{host}:80/announce']])
            d.add(t)
            seen = d.wait_view(t, lambda v: v['trackers'][0]['status'] == 'error', 'the tracker was tried')
            check('not allowed' in seen['trackers'][0]['message'], host, seen['trackers'][0])
        equal([n for n in w.names.asked if n in ('localhost', 'printer', 'nas.local')], [])
        equal(w.beside(), [])


@case
def by_an_interface_and_a_proxy():
    with world() as (net, w), dante(net):
        with Daemon({**LOUD, 'proxy.url': f'socks5://{THERE}:{PORT}', 'network.interface': 'tun0'}) as d:
            d.add(w.named)
            d.wait_done(w.named)
            check(json.loads(d.get('/network').body)['interface_there'], 'the interface is there')
            equal(w.beside(), [])


if __name__ == '__main__':
    why = netns.enter(INSIDE)
    for tool in ('danted', 'microsocks', 'tinyproxy'):
        if shutil.which(tool) is None:
            why = why or f'{tool} is needed'
    if why:
        print(f'1..0 # SKIP {why}')
        sys.exit(0)
    netns.ip_batch(['link set lo up'])
    lib_tap.main()
