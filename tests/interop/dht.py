#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The DHT with real clients: torrents that have no other way to be found, and items, both ways.

A host has ten nodes of libtorrent, where everybody begins; the two who meet have only that in common.
"""
import json
import os
import socket
import subprocess

from lib_case import Program, run
from lib_clients import Aria2, Libtorrent, Rtorrent, Transmission
from lib_lab import HUB, Failure, poll
from lib_made import compare, make
from lib_ours import PORT as OUR_PORT, Torrentd
from bencode import bencode, decode_at
import clients
import lib_clients

PIECE = 64 << 10
SIZE = (2 << 20) + 1
NODES, FIRST = 10, 7001
SEED = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'
OPEN = {'enable_dht': True, 'dht_restrict_routing_ips': False, 'dht_restrict_search_ips': False,
        'dht_prefer_verified_node_ids': False, 'dht_ignore_dark_internet': False}
DEAD = f'http://10.77.0.{HUB}:9/announce'  # rTorrent takes no torrent without a tracker


class Backbone:
    """Ten nodes of libtorrent on a host of their own, which know each other."""

    needs = ('libtorrent',)

    def __init__(self, lab):
        self.host = lab.host()
        program = os.path.join(os.path.dirname(os.path.abspath(clients.__file__)), 'lt_nodes.py')
        self.popen = self.host.spawn([clients.LIBTORRENT_PYTHON, program, self.host.ip4, str(FIRST), str(NODES)],
                                     'nodes.log', stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.address = f'{self.host.ip4}:{FIRST}'
        poll(lambda: min(self.call('known')['known']) >= NODES - 2, 30, 'the nodes know each other')

    def call(self, command, **arguments):
        self.popen.stdin.write(json.dumps(dict(arguments, command=command)).encode() + b'\n')
        self.popen.stdin.flush()
        answer = json.loads(self.popen.stdout.readline() or '{"error": "the process has ended"}')
        if 'error' in answer:
            raise Failure(f'libtorrent: {command}: {answer["error"]}')
        return answer


def peers_at(address, port, infohash):
    """Whom that node names when it is asked for peers of a torrent."""
    query = bencode({'a': {'id': os.urandom(20), 'info_hash': bytes.fromhex(infohash)}, 'q': 'get_peers', 't': 'aaaa',
                     'y': 'q', 'ro': 1})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(1)
        s.sendto(query, (address, port))
        try:
            return decode_at(s.recv(3000), 0)[0].get(b'r', {}).get(b'values', [])
        except TimeoutError:
            return []


class DhtTransmission(Transmission):
    SETTINGS = {**Transmission.SETTINGS, 'dht-enabled': True}

    def __init__(self, host, entry):
        self.entry = entry
        super().__init__(host)

    def arguments(self, folder, own):
        with open(os.path.join(folder, 'dht.bootstrap'), 'w', encoding='ascii') as file:
            for i in range(NODES):
                file.write(f'{self.entry.split(":")[0]} {FIRST + i}\n')
        return super().arguments(folder, own)


class DhtAria2(Aria2):
    def __init__(self, host, entry):
        super().__init__(host)
        self.ARGUMENTS = [word for word in Aria2.ARGUMENTS if word != '--enable-dht=false'] + [
            '--enable-dht=true', f'--dht-listen-port={lib_clients.PORT}', f'--dht-entry-point={entry}',
            f'--dht-file-path={os.path.join(host.folder, "dht.dat")}']


class DhtRtorrent(Rtorrent):
    SETTINGS = tuple(word for word in Rtorrent.SETTINGS if not word.startswith('dht.mode')) + (
        'dht.mode.set = on', f'dht.port.set = {lib_clients.PORT}')

    def __init__(self, host, entry):
        super().__init__(host)
        for i in range(NODES):
            self.call('dht.add_node', '', f'{entry.split(":")[0]}:{FIRST + i}')


class DhtLibtorrent(Libtorrent):
    def __init__(self, host, entry):
        super().__init__(host, encryption={**OPEN, 'dht_bootstrap_nodes': ''})
        address, port = entry.split(':')
        count = NODES if int(port) == FIRST else 1
        for i in range(count):
            self.call('dht_node', address=address, port=int(port) + i)
        poll(lambda: self.call('dht')['nodes'] >= min(count, 5), 30, 'libtorrent knows nodes')


def ours(lab, entry, **more):
    return Torrentd(lab.host(), lab.payload,
                    **{'dht.enabled': 'true', 'dht.bootstrap': entry, 'dht.new_nodes': '0', **more})


def start(lab, kind, entry):
    return ours(lab, entry) if kind is Torrentd else kind(lab.host(), entry)


def port_of(client):
    return OUR_PORT if isinstance(client, Torrentd) else lib_clients.PORT


def transfer(lab, random, seed_kind, leech_kind):
    """The seed announces, the leech finds; nobody is told of anybody."""
    backbone = Backbone(lab)
    original, copy = lab.place('original'), lab.place('copy')
    torrent = make(original, 'found.bin', SIZE, PIECE, random)
    seed = start(lab, seed_kind, backbone.address)
    seed.add_file(torrent.write(lab.folder, [DEAD]), original)
    poll(lambda: seed.complete(torrent), 20, f'{seed.name} finds its data complete')
    announced = socket.inet_aton(seed.host.ip4) + port_of(seed).to_bytes(2, 'big')
    poll(lambda: any(announced in peers_at(backbone.host.ip4, FIRST + i, torrent.infohash) for i in range(NODES)), 100,
         f'{seed.name} announces the torrent')
    leech = start(lab, leech_kind, backbone.address)
    leech.add_file(torrent.write(lab.folder, [DEAD]), copy)
    poll(lambda: leech.complete(torrent), 100, f'{leech.name} becomes complete')
    compare(torrent, original, copy, getattr(leech, 'litter', '/'))


def we_keep_it(lab, random):
    """There is no node but ours: two of libtorrent meet by what it stores."""
    daemon = ours(lab, '')
    entry = f'{daemon.host.ip4}:{OUR_PORT}'
    original, copy = lab.place('original'), lab.place('copy')
    torrent = make(original, 'found.bin', SIZE, PIECE, random)
    seed = DhtLibtorrent(lab.host(), entry)
    seed.add_file(torrent.write(lab.folder), original)
    poll(lambda: seed.complete(torrent), 20, 'the seed finds its data complete')
    poll(lambda: peers_at(daemon.host.ip4, OUR_PORT, torrent.infohash), 60, 'it is announced at ours')
    leech = DhtLibtorrent(lab.host(), entry)
    leech.add_file(torrent.write(lab.folder), copy)
    poll(lambda: leech.complete(torrent), 60, 'the leech becomes complete')
    compare(torrent, original, copy)


def fetch(daemon, **query):
    """The item, as soon as a node has it and answers."""
    def look():
        status, data = daemon.request('GET', '/dht/get', **query)
        return status == 200 and json.loads(data)
    return poll(look, 40, 'we get their item')


def items(lab, random):
    backbone = Backbone(lab)
    daemon = ours(lab, backbone.address)
    poll(lambda: json.loads(daemon.call('GET', '/dht'))['ipv4']['good'] >= 8, 30, 'ours knows nodes')
    put = json.loads(daemon.call('POST', '/dht/put', b'12:Hello World!'))
    if put['target'] != 'e5f96f6f38320f0f33959cb4d3d656452117aadb' or put['stored'] < 4:
        raise Failure(f'what we put: {put}')
    got = backbone.call('get', target=put['target'])
    if 'Hello World!' not in got['value']:
        raise Failure(f'libtorrent got {got}')
    # libtorrent takes another id when it has learned its address: then nodes have to be met anew.
    theirs = backbone.call('put', value='from libtorrent')
    got = fetch(daemon, target=theirs['target'])
    if got['value'] != 'MTU6ZnJvbSBsaWJ0b3JyZW50':
        raise Failure(f'we got {got}')
    put = json.loads(daemon.call('POST', '/dht/put', b'4:ours', seed=SEED, salt='a', seq=7))
    got = backbone.call('get_signed', key=put['key'], salt='a')
    if 'ours' not in got['item'] or got['seq'] != 7:
        raise Failure(f'libtorrent got {got}')
    backbone.call('put_signed', seed=SEED, key=put['key'], value='theirs', salt='b')
    got = fetch(daemon, key=put['key'], salt='b')
    if got['value'] != 'Njp0aGVpcnM=' or got['seq'] < 1:
        raise Failure(f'we got {got}')


def main():
    program = Program(jobs=4, hosts=3)
    for kind, name in ((DhtLibtorrent, 'libtorrent'), (DhtTransmission, 'transmission'), (DhtAria2, 'aria2'),
                       (DhtRtorrent, 'rtorrent')):
        needs = (*kind.needs, *Backbone.needs)
        program.add(f'{name} finds us', transfer, Torrentd, kind, needs=needs, limit=240)
        program.add(f'we find {name}', transfer, kind, Torrentd, needs=needs, limit=240)
    program.add('two of libtorrent meet at ours', we_keep_it, needs=Backbone.needs, limit=120)
    program.add('items of BEP 44 to and from libtorrent', items, needs=Backbone.needs, limit=120)
    run(program)


if __name__ == '__main__':
    main()
