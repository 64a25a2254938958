#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A router of our own at a loopback address is asked for the port; a file says which port to listen at."""
import json
import os
import random
import signal
import socket
import struct

import lib_tap
from lib_daemon import Daemon, free_port
from lib_node import Node
from lib_peer import PORT, Wire, hello, new_id
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent
from lib_tracker import HttpTracker

from gateway import NATPMP, NONE, PCP, Gateway


def somewhere():
    """A loopback address that no other test has: the port is the same for all."""
    return f'127.{random.randrange(40, 99)}.{random.randrange(256)}.{random.randrange(2, 250)}'


class Mapped:
    """A daemon, its router, and a tracker that is told the port."""

    def __init__(self, speaks=PCP, external='1.2.3.4', options=None, **attributes):
        self.router = Gateway(somewhere(), speaks, external)
        for name, value in attributes.items():
            setattr(self.router, name, value)
        self.tracker = HttpTracker()
        self.d = Daemon({'portmap.enabled': 'true', 'portmap.gateway': self.router.host, 'portmap.upnp': 'false',
                         **(options or {})})

    def __enter__(self):
        self.tracker.__enter__()
        self.d.__enter__()
        return self

    def __exit__(self, *what):
        try:
            self.d.__exit__(*what)
        finally:
            self.tracker.__exit__(*what)
            self.router.close()

    def network(self):
        return json.loads(self.d.get('/network').body)

    def wait(self, condition, what):
        """The first view of which the condition holds."""
        def seen():
            view = self.network()
            return view if condition(view) else None
        return wait_for(seen, lambda: f'{what}: {self.network()}\n{self.d.log()[-2000:]}')

    def announce(self):
        """A torrent that announces at once."""
        self.d.add(Torrent('x', 20000, trackers=[self.tracker.url()]))

    def told(self, port):
        wait_for(lambda: any(a.get('port') == str(port) for a in self.tracker.announces),
                 lambda: f'a tracker told port {port}: {[a.get("port") for a in self.tracker.announces]}')


def tcp_udp(view):
    return [m['external'] if m['mapped'] else None for m in view['mappings']]


@case
def pcp_maps_both_and_the_given_port_is_announced():
    with Mapped(fixed={'tcp': 45678}) as m:
        port = m.d.peer_port
        view = m.wait(lambda v: tcp_udp(v) == [45678] * 2, 'both are mapped at the port that TCP was given')
        equal((view['announced_tcp'], view['announced_udp'], view['port']), (45678, 45678, port))
        equal((view['external'], view['gateway'], view['advice']), ('1.2.3.4', m.router.host, ''))
        equal({x['method'] for x in view['mappings']}, {'pcp'})
        m.announce()
        m.told(45678)
        check(3000 < view['mappings'][0]['expires'] <= 3600, view)
    equal(sorted(m.router.removed), ['tcp', 'udp'], 'what is taken away at the end')
    equal(m.router.mapped, {})


@case
def natpmp_where_there_is_no_pcp():
    with Mapped(NATPMP) as m:
        view = m.wait(lambda v: tcp_udp(v) == [m.d.peer_port] * 2, 'both are mapped')
        equal((view['external'], {x['method'] for x in view['mappings']}), ('1.2.3.4', {'nat-pmp'}))
    equal(m.router.mapped, {})


@case
def a_restarted_router_is_asked_anew_and_told_of_a_new_port():
    with Mapped(options={'portmap.lease': '10s'}) as m:
        port = m.d.peer_port
        m.wait(lambda v: tcp_udp(v) == [port] * 2, 'both are mapped')
        m.announce()
        m.told(port)
        wait_for(lambda: len(m.router.asked) >= 4, 'both are renewed')
        m.router.fixed = {'tcp': 45679, 'udp': 45679}
        m.router.restart()
        m.wait(lambda v: tcp_udp(v) == [45679] * 2 and v['announced_tcp'] == 45679, 'another port')
        equal(set(m.router.mapped), {'tcp', 'udp'}, 'both are mapped again')
        m.told(45679)
        ports = [line.split('external_tcp=')[1].split()[0] for line in m.d.log().splitlines() if ' port_mapped ' in line]
        equal(ports, [str(port), '45679'], 'nothing in between is told')


@case
def peers_are_told_the_port_of_udp():
    dht = {'dht.enabled': 'true', 'dht.bootstrap': '127.0.0.9:9'}
    with Mapped(NATPMP, options=dht, fixed={'tcp': 45678, 'udp': 45680}) as m:
        m.wait(lambda v: (v['announced_tcp'], v['announced_udp']) == (45678, 45680), 'each at a port of its own')
        t = Torrent('told', 20000)
        m.d.seed(t)

        def told():
            with Wire.dial(m.d) as wire:
                wire.send_raw(hello(t.infohash, new_id(), b'\0' * 7 + b'\1'))
                wire.read_hello()
                return struct.unpack('>H', wire.wait(PORT)[1])[0]
        wait_for(lambda: told() == 45680, lambda: f'the port of its node is {told()}')

        def waits():
            return json.loads(m.d.get('/dht').body)['waits']
        wait_for(lambda: f'UDP from port {m.d.peer_port} ' in waits(), lambda: f'the port to open here: {waits()}')


@case
def nodes_are_told_of_a_moved_port():
    with Node('127.0.0.2') as node:
        dht = {'dht.enabled': 'true', 'dht.bootstrap': node.address, 'dht.new_nodes': '0', 'portmap.lease': '10s'}

        def told(port):
            wait_for(lambda: any(said[b'port'] == port for _, said, _ in node.announced),
                     lambda: f'a node told port {port}: {[said[b"port"] for _, said, _ in node.announced]}')
        with Mapped(options=dht) as m:
            m.d.seed(Torrent('nodes', 20000))
            told(m.d.peer_port)
            m.router.fixed = {'tcp': 45679, 'udp': 45679}
            m.router.restart()
            told(45679)


@case
def refusals_are_said_in_words():
    for result, words in ((2, 'does not allow'), (8, 'no room'), (12, 'another router between')):
        with Mapped(result=result) as m:
            view = m.wait(lambda v, w=words: w in v['mappings'][0]['why'], f'result {result}')
            check(words in view['advice'], view)
            equal(view['announced_tcp'], m.d.peer_port)
            check('port_not_mapped' in m.d.log(), 'the log says so')


@case
def a_taken_port_gives_another():
    with Mapped(result=11, lease=30) as m:
        wait_for(lambda: len({suggested for _, _, suggested, _ in m.router.asked}) >= 3, 'other ports are asked for')


@case
def a_router_behind_another_is_told_to_people():
    with Mapped(external='192.168.7.2') as m:
        view = m.wait(lambda v: '192.168.7.2' in v['advice'], 'the advice names the outer address')
        equal(tcp_udp(view), [m.d.peer_port] * 2)
        check('double_nat' in m.d.log(), m.d.log()[-500:])


@case
def a_silent_router_keeps_nobody_waiting():
    with Mapped(NONE) as m:
        equal(m.network()['announced_tcp'], m.d.peer_port)
        check('not answered yet' in m.network()['mappings'][0]['why'], m.network())
        check(m.d.terminate() < 3, 'the stop is quick')


@case
def it_is_turned_off_and_on_by_a_reload():
    with Mapped(options={'portmap.enabled': None}) as m:
        m.wait(lambda v: tcp_udp(v) == [m.d.peer_port] * 2, 'both are mapped')
        m.d.write_config('[portmap]\nenabled = false\n')
        m.d.process.send_signal(signal.SIGHUP)
        m.wait(lambda v: v['mappings'] == [], 'nothing is mapped')
        wait_for(lambda: m.router.mapped == {}, 'what was mapped is taken away')


@case
def the_listeners_follow_a_router_that_changes_no_port():
    with Mapped(NATPMP, options={'portmap.follow': 'true'}) as m:
        old = m.d.peer_port
        m.wait(lambda v: tcp_udp(v) == [old] * 2, 'both are mapped')
    given = free_port()
    with Mapped(NATPMP, options={'portmap.follow': 'true'}, fixed={'tcp': given}) as m:
        m.wait(lambda v: v['port'] == given and v['announced_udp'] == given, 'it listens at the external port')
        socket.create_connection(('127.0.0.1', given)).close()
        equal({internal for _, internal, _, _ in m.router.asked}, {m.d.peer_port}, 'what is asked for stays as it is')


# --- the port file

def listens(port):
    try:
        socket.create_connection(('127.0.0.1', port), timeout=2).close()
        return True
    except ConnectionRefusedError:
        return False


def udp_answers(port):
    """Whether a SYN of uTP is answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.5)
        s.connect(('127.0.0.1', port))
        try:
            s.send(b'\x41\0\0\7' + bytes(8) + b'\0\x10\0\0' + b'\0\1\0\0')
            return len(s.recv(100)) == 20
        except (TimeoutError, ConnectionRefusedError):
            return False


@case
def a_port_file_is_followed():
    with HttpTracker() as tracker:
        d = Daemon()
        path = os.path.join(d.root, 'forwarded')
        d.options['peers.port_file'] = path
        first, second, taken = free_port(), free_port(), free_port()
        with open(path, 'w') as f:
            f.write(f'{first}\n')
        with d:
            check(listens(first) and udp_answers(first), 'it begins at the port of the file')
            d.add(Torrent('x', 20000, trackers=[tracker.url()]))
            wait_for(lambda: any(a.get('port') == str(first) for a in tracker.announces), 'it is announced')
            with open(path + '.new', 'w') as f:
                f.write(f'  {second}  ')
            os.rename(path + '.new', path)
            wait_for(lambda: listens(second) and udp_answers(second), 'it moves to the new port')
            check(not listens(first) and not udp_answers(first), 'and leaves the old one')
            wait_for(lambda: any(a.get('port') == str(second) for a in tracker.announces), 'which is announced')
            # What cannot be used changes nothing, and is said.
            def said():
                return json.loads(d.get('/network').body)['port_file']
            for junk in ('', 'none', '0', '70000'):
                with open(path, 'w') as f:
                    f.write(junk)
                wait_for(lambda: 'a port from 1 to 65535' in said(), lambda j=junk: f'{j!r} is complained about')
                check(listens(second), 'it still listens')
                with open(path, 'w') as f:
                    f.write(f'{second}')
                wait_for(lambda: said() == 'followed', lambda j=junk: f'after {j!r} all is well again: {said()}')
            with socket.socket() as other:
                other.bind(('0.0.0.0', taken))
                other.listen()
                with open(path, 'w') as f:
                    f.write(str(taken))
                wait_for(lambda: 'in use' in json.loads(d.get('/network').body)['port_file'], 'it is taken')
                check(listens(second), 'it still listens')
            wait_for(lambda: listens(taken) and udp_answers(taken), 'it is free now, and it moves there')
            equal(json.loads(d.get('/network').body)['announced_tcp'], taken)


lib_tap.main()
