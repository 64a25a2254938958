#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""network.interface: all that leaves, leaves by that device, and nothing leaves while it is away.

A network of its own: tun0 leads to a host that has all there is, wan0 to the default route.  What leaves by wan0 is
captured.
"""
import contextlib
import json
import socket
import sys
import time

import lib_tap
import nameserver
import netns
from lib_daemon import Daemon
from lib_peer import Seed, Wire
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent
from lib_tracker import HttpTracker, UdpTracker, http_reply, reply_body
from lib_ways import HERE, LEAK, ROUTER, THERE, Net, servers_of_the_system
from lib_webserver import WebServer

INSIDE = 'BINDING_INSIDE'
# All that makes packets by itself, and may do so in a private network.
LOUD = {'dht.enabled': 'true', 'peers.lsd': 'true', 'portmap.enabled': 'true', 'tracker.allow_privileged': 'true',
        'dht.bootstrap': f'{ROUTER}:6881', 'peers.connect_timeout': '1s'}


def there(daemon):
    return lambda: json.loads(daemon.get('/network').body)['interface_there']


def torrent(*trackers, **more):
    urls = [t.url() for t in trackers]
    return Torrent('bound', 20 * 32768, trackers=[[url] for url in urls + [f'http://{ROUTER}:80/a', f'udp://{ROUTER}:6969/a']],
                   **more)


@case
def everything_goes_by_the_interface():
    plain, webbed = Torrent('bound', 20 * 32768), Torrent('webbed', 8 * 32768)
    with Net() as net:
        with net.far:
            seed = Seed(plain, source=THERE).listen()
            web, udp = HttpTracker(lambda _: http_reply(reply_body([seed.address, (ROUTER, 6881)], 5)), THERE), UdpTracker(host=THERE)
            files = WebServer(webbed, host=THERE)
        with seed, web, udp, files, Daemon({**LOUD, 'network.interface': 'tun0'}) as d:
            t = torrent(web)
            other = Torrent('other', 32768, trackers=[[udp.url()]])
            webbed = Torrent('webbed', 8 * 32768, extra={'url-list': [files.url('/webbed'), f'http://{ROUTER}/webbed']})
            for one in (t, other, webbed):
                d.add(one)
            d.wait_done(t)
            d.wait_done(webbed)
            udp.wait_event('started')
            with net.far, Wire.dial(d, THERE, host=HERE) as wire:
                wire.shake(t.infohash)
            check(there(d)(), 'the interface is there')
            time.sleep(1)  # for all that comes by itself
            equal(net.capture.words(), [])


def named_world(net):
    """Trackers, a web seed and a name server beyond tun0, all of which have names alone."""
    stack = contextlib.ExitStack()
    plain, webbed = Torrent('bound', 20 * 32768), Torrent('webbed', 8 * 32768)
    with net.far:
        seed = stack.enter_context(Seed(plain, source=THERE).listen())
        web = stack.enter_context(HttpTracker(lambda _: http_reply(reply_body([seed.address], 5)), THERE))
        udp = stack.enter_context(UdpTracker(host=THERE))
        files = stack.enter_context(WebServer(webbed, host=THERE))
        names = stack.enter_context(nameserver.NameServer(
            {'web.example': THERE, 'udp.example': THERE, 'files.example': THERE}, THERE, 53))
    named = Torrent('bound', 20 * 32768, trackers=[[web.url().replace(THERE, 'web.example')]])
    other = Torrent('other', 32768, trackers=[[udp.url().replace(THERE, 'udp.example')]])
    webbed = Torrent('webbed', 8 * 32768, extra={'url-list': [files.url('/webbed').replace(THERE, 'files.example')]})

    def work(daemon):
        for one in (named, webbed, other):
            daemon.add(one)
        daemon.wait_done(named)
        daemon.wait_done(webbed)
        udp.wait_event('started')
    return stack, work, names


@case
def names_are_asked_for_by_the_interface():
    with Net() as net, servers_of_the_system(THERE):
        stack, work, names = named_world(net)
        with stack, Daemon({**LOUD, 'network.interface': 'tun0', 'dht.bootstrap': 'router.example:6881',
                            'blocklist.sources': 'http://list.example/list'}) as d:
            work(d)
            for name in ('router.example', 'list.example'):
                wait_for(lambda n=name: n in names.asked, f'{name} is asked for')
            equal(net.capture.words(), [])


@case
def a_name_server_elsewhere_is_not_asked_then():
    with Net() as net, servers_of_the_system(ROUTER):
        with Daemon({**LOUD, 'network.interface': 'tun0'}) as d:
            t = Torrent('named', 32768, trackers=[['http://web.example/announce'], ['udp://udp.example:6969']])
            d.add(t)
            wait_for(lambda: any(x['contacted'] for x in d.view(t)['trackers']), 'its trackers were tried')
            equal(net.capture.words(), [])
        with Daemon(LOUD) as d:  # that it would be seen
            d.add(Torrent('named', 32768, trackers=[['http://web.example/announce']]))
            wait_for(lambda: any(f'{ROUTER} protocol 17' in w and '0035' in w.split()[3][4:8] for w in net.capture.words()),
                     'routes lead to it')


@case
def the_option_says_who_is_asked():
    with Net() as net, servers_of_the_system(ROUTER):
        stack, work, _ = named_world(net)
        with stack, Daemon({**LOUD, 'network.interface': 'tun0', 'network.dns': THERE}) as d:
            work(d)
            equal(net.capture.words(), [])


@case
def without_it_routes_decide():
    with Net() as net, Daemon(LOUD) as d:
        d.add(torrent())
        wait_for(lambda: any(f'{ROUTER} protocol 6' in w for w in net.capture.words()), 'TCP leaves by the default route')
        wait_for(lambda: any(f'{ROUTER} protocol 17' in w for w in net.capture.words()), 'and UDP')


@case
def nobody_comes_in_by_another_interface():
    with Net() as net, Daemon({'network.interface': 'tun0'}) as d:
        t = Torrent('bound', 32768)
        d.add(t)
        d.wait_ready(t)
        with net.router:
            try:
                with Wire.dial(d, ROUTER, host=LEAK):
                    check(False, 'the daemon listens at the other interface')
            except ConnectionRefusedError:
                pass
        with net.far, Wire.dial(d, THERE, host=HERE) as wire:
            wire.shake(t.infohash)


@case
def while_it_is_away_nothing_leaves_and_then_work_goes_on():
    plain = Torrent('bound', 20 * 32768)
    with Net() as net:
        with net.far:
            seed = Seed(plain, source=THERE, rate=100000).listen()
            web = HttpTracker(lambda _: http_reply(reply_body([seed.address, (ROUTER, 6881)], 5)), THERE)
        with seed, web, Daemon({**LOUD, 'network.interface': 'tun0'}) as d:
            t = torrent(web)
            d.add(t)
            d.wait_view(t, lambda v: v['pieces_have'] > 1, 'the download has begun')
            net.drop_tun()
            wait_for(lambda: not there(d)(), 'the loss is noticed')
            late = Torrent('late', 32768, trackers=['http://tracker.example/announce', f'http://{ROUTER}/a',
                                                    f'udp://{ROUTER}:6969/a'])
            d.add(late)
            wait_for(lambda: any(x['contacted'] for x in d.view(late)['trackers']), 'its trackers were tried')
            time.sleep(2)
            equal(net.capture.words(), [])
            check(d.view(t)['pieces_have'] < t.pieces, 'it was not done before')
            seed.rate = None
            net.raise_tun()
            wait_for(there(d), 'the interface is back')
            with net.far, Wire.dial(d, THERE, host=HERE) as wire:
                wire.shake(t.infohash)
            d.wait_done(t)
            equal(net.capture.words(), [])


@case
def a_daemon_that_starts_without_it_waits_for_it():
    with Net() as net:
        net.drop_tun()
        with Daemon({**LOUD, 'network.interface': 'tun0'}) as d:
            t = torrent()
            d.add(t)
            wait_for(lambda: 'interface_away' in d.log(), 'it is in the log')
            check('tun0' in d.get('/network').body.decode(), 'people are told')
            time.sleep(1)
            net.raise_tun()
            wait_for(there(d), 'the interface is there')
            with net.far, Wire.dial(d, THERE, host=HERE) as wire:
                wire.shake(t.infohash)
            ping = b'd1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe'
            with net.far:
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            with s:
                s.settimeout(1)

                def answers():
                    s.sendto(ping, (HERE, d.peer_port))
                    try:
                        return b'1:y1:r' in s.recv(2048)
                    except TimeoutError:
                        return False
                wait_for(answers, 'the node of the DHT answers')
            equal(net.capture.words(), [])


if __name__ == '__main__':
    why = netns.enter(INSIDE)
    if why:
        print(f'1..0 # SKIP {why}')
        sys.exit(0)
    netns.ip_batch(['link set lo up'])
    lib_tap.main()
