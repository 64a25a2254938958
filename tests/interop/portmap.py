#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Our port at a router: Debian's miniupnpd by PCP, NAT-PMP and UPnP, reached from outside; and UPnP routers of our own.

What miniupnpd has mapped is seen by upnpc and natpmpc, and by connecting to it from the other side.
"""
import json
import os
import re
import socket
import subprocess

from lib_case import Program, run
from lib_lab import Failure, poll
from lib_ours import PORT, Torrentd
import netns
from gateway import Gateway, Igd

OUTSIDE = '5.6.7.8'
NEEDS = ('miniupnpd', 'nft', 'upnpc', 'natpmpc')
RULES = '''table inet miniupnpd {
chain forward {
type filter hook forward priority 0
policy accept
jump miniupnpd
}
chain prerouting {
type nat hook prerouting priority -100
jump prerouting_miniupnpd
}
chain postrouting {
type nat hook postrouting priority 100
jump postrouting_miniupnpd
}
chain miniupnpd {
}
chain prerouting_miniupnpd {
}
chain postrouting_miniupnpd {
}
}
'''


class Network:
    """A machine, its router, and somebody on the other side of it."""

    def __init__(self, lab):
        self.lab, self.inside, self.router = lab, lab.host(), lab.host()
        self.outside = netns.Namespace()
        with self.router:
            netns.ip_batch([f'link add ext0 type veth peer name eth0 netns /proc/self/fd/{self.outside.fd}',
                            f'addr add {OUTSIDE}/24 dev ext0', 'link set ext0 up'])
            with open('/proc/sys/net/ipv4/ip_forward', 'w', encoding='ascii') as f:
                f.write('1')
        with self.outside:
            netns.ip_batch(['link set lo up', 'addr add 5.6.7.9/24 dev eth0', 'link set eth0 up'])
        with self.inside:
            netns.ip_batch(['route del default', f'route add default via {self.router.ip4}'])
        self.daemon = None

    def close(self):
        self.outside.close()

    def run(self, host, *argv, text=None):
        done = subprocess.run(argv, input=text, text=True, check=False, preexec_fn=host.join, timeout=20,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.stdout

    def start_router(self, **more):
        self.run(self.router, 'nft', '-f', '-', text='flush ruleset\n' + RULES)
        path = os.path.join(self.router.folder, 'miniupnpd.conf')
        settings = {'ext_ifname': 'ext0', 'listening_ip': 'eth0', 'port': 5555, 'enable_natpmp': 'yes',
                    'enable_upnp': 'yes', 'secure_mode': 'yes', 'min_lifetime': 20,
                    'max_lifetime': 86400, 'upnp_table_name': 'miniupnpd', 'upnp_nat_table_name': 'miniupnpd',
                    'upnp_forward_chain': 'miniupnpd', 'upnp_nat_chain': 'prerouting_miniupnpd',
                    'upnp_nat_postrouting_chain': 'postrouting_miniupnpd', 'system_uptime': 'no',
                    'uuid': '00000000-0000-0000-0000-000000000001', **more}
        with open(path, 'w', encoding='ascii') as f:
            f.writelines(f'{key}={value}\n' for key, value in settings.items() if value is not None)
            f.write('allow 1024-65535 0.0.0.0/0 1024-65535\ndeny 0-65535 0.0.0.0/0 0-65535\n')
        self.daemon = self.router.spawn(['miniupnpd', '-d', '-f', path, '-P', path + '.pid'], 'miniupnpd.log')
        poll(lambda: os.path.exists(path + '.pid') or self.daemon.poll() is not None, 10, 'miniupnpd runs')
        if self.daemon.poll() is not None:
            raise Failure('miniupnpd ended')

    def stop_router(self):
        self.daemon.terminate()
        self.daemon.wait()

    def reached(self, port=PORT):
        """From outside: the daemon answers a handshake for no torrent by closing, a router alone by a refusal or silence."""
        with self.outside, socket.socket() as s:
            s.settimeout(2)
            try:
                s.connect((OUTSIDE, port))
                s.sendall(b'\x13BitTorrent protocol' + bytes(8) + bytes(20) + b'-XX0000-000000000000')
                return s.recv(1) == b''
            except ConnectionResetError:
                return True
            except OSError:
                return False

    def connects(self, host, address, port):
        with host, socket.socket() as s:
            s.settimeout(2)
            try:
                s.connect((address, port))
                return True
            except OSError:
                return False

    def reached_by_udp(self, port=PORT):
        with self.outside, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(1)
            try:
                s.connect((OUTSIDE, port))
                s.send(b'\x41\0\0\7' + bytes(8) + b'\0\x10\0\0\0\1\0\0')
                return len(s.recv(100)) == 20
            except OSError:
                return False

    def listed(self):
        """What upnpc says is mapped: {(proto, external): 'host:port'}."""
        text = self.run(self.inside, 'upnpc', '-u', f'http://{self.router.ip4}:5555/rootDesc.xml', '-l')
        return {(proto.lower(), int(external)): to
                for proto, external, to in re.findall(r'^ *\d+ +(TCP|UDP) +(\d+)->(\S+)', text, re.MULTILINE)}


def network(ours):
    return json.loads(ours.call('GET', '/network'))


def wait(ours, condition, what, patience=30):
    def seen():
        view = network(ours)
        return view if condition(view) else None
    try:
        return poll(seen, patience, what)
    except Failure as error:
        raise Failure(f'{error}; {network(ours)}') from None


def mapped(view, method=None):
    """The external ports of TCP and UDP that a method has."""
    return [m['external'] for m in view['mappings'] if m['mapped'] and method in (None, m['method'])]


def start(net, lab, **options):
    return Torrentd(net.inside, lab.folder, **{'portmap.enabled': 'true', **options})


def with_network(case):
    def whole(lab, random, *arguments):
        net = Network(lab)
        try:
            case(net, lab, random, *arguments)
        finally:
            net.close()
    return whole


def expect_open(net, ours, method, port=PORT):
    view = wait(ours, lambda v: mapped(v, method) == [port, port], f'{method} has mapped both')
    if view['external'] != OUTSIDE or view['announced_tcp'] != port or view['gateway'] != net.router.ip4:
        raise Failure(f'not as the router has it: {view}')
    poll(lambda: net.reached(port), 5, 'TCP is reached from outside')
    poll(lambda: net.reached_by_udp(port), 5, 'UDP is reached from outside')
    to = f'{net.inside.ip4}:{PORT}'
    if method == 'upnp' and net.listed() != {('tcp', port): to, ('udp', port): to}:
        raise Failure(f'upnpc lists {net.listed()}')


def expect_closed(net, ours, port=PORT):
    """Nothing leads in any more, though somebody listens there."""
    ours.stop()
    with net.inside:
        tcp = socket.create_server((net.inside.ip4, PORT))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((net.inside.ip4, PORT))
    with tcp, udp:
        if not net.connects(net.router, net.inside.ip4, PORT):
            raise Failure('the test does not listen')
        if net.connects(net.outside, OUTSIDE, port):
            raise Failure('TCP still leads in')
        with net.outside, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b'still?', (OUTSIDE, port))
        udp.settimeout(1)
        try:
            raise Failure(f'UDP still leads in: {udp.recv(100)}')
        except TimeoutError:
            pass


@with_network
def by(net, lab, _random, method):
    """Mapped, reached, and taken away at the end."""
    net.start_router(**{'pcp': {}, 'upnp': {'enable_natpmp': 'no'}, 'nat-pmp': {}}[method])
    if method == 'nat-pmp':  # the router does not see what is not of version 0
        net.run(net.router, 'nft', '-f', '-', text='table inet x {\nchain i {\ntype filter hook input priority 0\n'
                'udp dport 5351 @th,64,8 2 drop\n}\n}\n')
    ours = start(net, lab)
    expect_open(net, ours, method)
    if method != 'upnp' and f'Public IP address : {OUTSIDE}' not in net.run(net.inside, 'natpmpc', '-g', net.router.ip4):
        raise Failure('natpmpc sees another address')
    expect_closed(net, ours)


@with_network
def taken(net, lab, _random, method):
    """Somebody else has the port at the router."""
    net.start_router(**{'pcp': {}, 'upnp': {'enable_natpmp': 'no'}}[method])
    other = lab.host()
    with other:
        netns.ip_batch(['route del default', f'route add default via {net.router.ip4}'])
    url = f'http://{net.router.ip4}:5555/rootDesc.xml'
    poll(lambda: 'is redirected' in net.run(other, 'upnpc', '-u', url, '-a', other.ip4, '1234', str(PORT), 'TCP'), 10,
         'another machine has the port')
    ours = start(net, lab)
    view = wait(ours, lambda v: len(mapped(v, method)) == 2 and len(set(mapped(v, method))) == 1, 'another port')
    port = mapped(view, method)[0]
    if port == PORT or view['announced_tcp'] != port:
        raise Failure(f'announced as {view["announced_tcp"]}: {view}')
    poll(lambda: net.reached(port), 5, 'it is reached there')
    expect_closed(net, ours, port)


@with_network
def restarted(net, lab, _random, method):
    """The router forgets all; it is asked again long before the lease is over."""
    only = {'pcp': {}, 'upnp': {'enable_natpmp': 'no'}}[method]
    net.start_router(**only)
    ours = start(net, lab, **{'portmap.lease': '20s'})
    expect_open(net, ours, method)
    net.stop_router()
    net.start_router(**only)
    poll(lambda: net.reached(), 30, 'TCP is reached again')
    poll(lambda: net.reached_by_udp(), 10, 'UDP is reached again')
    expect_closed(net, ours)


@with_network
def ladder(net, lab, _random, refusals, wanted):
    """A UPnP router of ours refuses, one error after the other."""
    left = list(refusals)

    def refuse(action, arguments):
        if action == 'AddPortMapping' and left:
            error, wrong = left[0]
            if wrong(arguments):
                return error
        return 0
    with net.router:
        igd = Igd(net.router.ip4, refuse)
    ours = start(net, lab)
    view = wait(ours, lambda v: len(mapped(v, 'upnp')) == 2, 'both are mapped')
    port = mapped(view, 'upnp')[0]
    lease = {lease for _, _, lease in igd.mapped.values()}
    if not wanted(port, lease):
        raise Failure(f'port {port}, lease {lease}: {igd.calls}')
    if set(igd.mapped) != {('tcp', port), ('udp', port)}:
        raise Failure(f'the router has {igd.mapped}')
    ours.stop()
    if igd.mapped:
        raise Failure(f'left at the router: {igd.mapped}')
    igd.close()


@with_network
def liar(net, lab, _random):
    """Who answers the search for somebody else is not asked for its description."""
    other = lab.host()
    with other:
        named = Igd(other.ip4, searched=False)
    with net.router:
        igd = Igd(net.router.ip4, location=named.location)
    ours = start(net, lab)
    wait(ours, lambda v: any('no UPnP' in m['why'] for m in v['mappings']), 'no router is found')
    if not igd.searches:
        raise Failure('nobody has searched')
    if named.fetched or named.mapped:
        raise Failure(f'asked of somebody else: {named.fetched} {named.mapped}')
    ours.stop()
    igd.close()
    named.close()


@with_network
def roaming(net, lab, _random):
    """The default route goes to another router, and so do we; without one that is said."""
    with net.router:
        first = Gateway(net.router.ip4, external='1.1.1.1')
    other = lab.host()
    with other:
        second = Gateway(other.ip4, external='2.2.2.2')
    ours = start(net, lab)
    wait(ours, lambda v: v['external'] == '1.1.1.1', 'the first router')
    with net.inside:
        netns.ip_batch(['route del default', f'route add default via {other.ip4}'])
    wait(ours, lambda v: v['external'] == '2.2.2.2' and v['gateway'] == other.ip4, 'the second router')
    poll(lambda: not first.mapped, 5, 'the first one is told that we leave')
    with net.inside:
        netns.ip_batch(['route del default'])
    wait(ours, lambda v: v['gateway'] is None and 'default route' in v['advice'], 'no router, and what to do')
    ours.stop()
    first.close()
    second.close()


def main():
    program = Program(jobs=2)
    for method in ('pcp', 'upnp', 'nat-pmp'):
        program.add(f'miniupnpd by {method}', by, method, needs=NEEDS)
    for method in ('pcp', 'upnp'):
        program.add(f'the port is taken, {method}', taken, method, needs=NEEDS)
        program.add(f'the router restarts, {method}', restarted, method, needs=NEEDS, limit=90)
    timed = lambda a: a['NewLeaseDuration'] != '0'
    program.add('725: for ever alone', ladder, [(725, timed)], lambda port, lease: port == PORT and lease == {0})
    program.add('402 until the lease is a week', ladder, [(402, lambda a: a['NewLeaseDuration'] != '604800')],
                lambda port, lease: port == PORT and lease == {604800})
    program.add('718: another port', ladder, [(718, lambda a: a['NewExternalPort'] == str(PORT))],
                lambda port, lease: 40000 <= port < 50000 and lease == {3600})
    program.add('718 of UDP alone: both move', ladder,
                [(718, lambda a: a['NewProtocol'] == 'UDP' and a['NewExternalPort'] == str(PORT))],
                lambda port, lease: 40000 <= port < 50000)
    program.add('an answer that leads elsewhere', liar)
    program.add('another router, and none', roaming)
    run(program)


if __name__ == '__main__':
    main()
