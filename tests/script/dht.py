#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The DHT of the daemon against nodes by hand: what it answers, what it asks, and what it never says."""
import contextlib
import json
import socket
import struct

import lib_tap
from lib_daemon import Daemon
from lib_mse import PLAIN, RC4, SecretWire
from lib_node import Node, compact
from lib_peer import PORT, Seed, Wire, hello, new_id
from lib_tap import PATIENCE, case, check, equal, never, wait_for
from lib_torrent import Torrent, bencode

DHT_BIT = 0x01  # of the last reserved byte


def daemon(*routers, **more):
    return Daemon({'dht.enabled': 'true', 'dht.bootstrap': ','.join(n.address for n in routers),
                   'dht.new_nodes': '0', **more})


def state(d):
    reply = d.get('/dht')
    equal(reply.status, 200, '/dht')
    return json.loads(reply.body)


def is_open(d):
    return state(d)['ipv4'] is not None


@case
def it_answers_what_a_node_must():
    with daemon() as d, Node('127.0.0.2') as n, Node('127.0.0.3') as other:
        wait_for(lambda: is_open(d), 'the node is open')
        pong = n.ask(d, 'ping')
        equal(pong[b'ip'], compact('127.0.0.2', n.port), 'our address as it sees us')
        equal(pong[b'r'][b'id'].hex(), state(d)['ipv4']['id'], 'its id')
        infohash = bytes(range(20))
        got = n.ask(d, 'get_peers', info_hash=infohash)
        token = got[b'r'][b'token']
        equal(len(token), 8, 'bytes of a token')
        check(b'values' not in got[b'r'], 'peers of a torrent that nobody has')
        for told, code in (({'token': b'12345678', 'port': 999}, 203), ({'token': token, 'port': 0}, 203),
                           ({'token': token}, 203)):
            refused = n.ask(d, 'announce_peer', info_hash=infohash, **told)
            equal((refused[b'y'], refused[b'e'][0]), (b'e', code), told)
        refused = other.ask(d, 'announce_peer', info_hash=infohash, token=token, port=999)
        equal(refused[b'e'][0], 203, 'the token of somebody else')
        equal(n.ask(d, 'announce_peer', info_hash=infohash, token=token, port=999)[b'y'], b'r')
        equal(n.ask(d, 'announce_peer', info_hash=infohash, token=token, port=1, implied_port=1)[b'y'], b'r')
        found = other.ask(d, 'get_peers', info_hash=infohash)[b'r'][b'values']
        equal(sorted(found), sorted([compact('127.0.0.2', 999), compact('127.0.0.2', n.port)]), 'peers')
        equal(n.ask(d, 'dance')[b'e'][0], 204, 'a method that is none')
        check(b'nodes' in n.ask(d, 'dance', target=infohash)[b'r'], 'with a target it is like find_node')
        equal(n.ask(d, 'find_node')[b'e'][0], 203, 'no target')
        samples = other.ask(d, 'sample_infohashes', target=infohash)[b'r']
        equal((samples[b'samples'], samples[b'num']), (infohash, 1), 'samples')
        check(state(d)['queries_in'] >= 12, state(d))


@case
def no_answer_to_a_stranger_is_much_larger_than_the_question():
    with daemon() as d, contextlib.ExitStack() as stack:
        wait_for(lambda: is_open(d), 'the node is open')
        infohash = bytes(20)
        for i in range(40):
            n = stack.enter_context(Node(f'127.0.1.{i + 1}'))
            token = n.ask(d, 'get_peers', info_hash=infohash)[b'r'][b'token']
            n.ask(d, 'announce_peer', info_hash=infohash, token=token, port=999)
        stranger = stack.enter_context(Node('127.0.2.1'))
        size = len(b'd1:ad2:id20:' + bytes(20) + b'9:info_hash20:' + bytes(20) + b'e1:q9:get_peers1:t4:aaaa1:y1:qe')
        answer = stranger.ask(d, 'get_peers', info_hash=infohash)
        got = len(bencode(answer))
        check(got + 28 <= 3 * (size + 28), got, 'bytes answer', size)
        check(1 <= len(answer[b'r'][b'values']) <= 20, answer)


@case
def a_torrent_without_trackers_is_found_and_announced():
    torrent = Torrent('found', 200000)
    with Seed(torrent).listen() as seed, Node('127.0.0.2') as far, Node('127.0.0.3', nodes=[far]) as near:
        far.values[torrent.infohash] = [('127.0.0.1', seed.port)]
        with daemon(near) as d:
            d.add(torrent)
            d.wait_done(torrent)
            infohash, told, sender = wait_for(lambda: far.announced, 'an announce')[0]
            equal(infohash, torrent.infohash)
            equal((told[b'port'], told[b'token']), (d.peer_port, far.token))
            equal(sender[1], d.peer_port, 'the port that it comes from')


@case
def a_private_torrent_never_appears():
    private, public = Torrent('private', 100000, private=True), Torrent('public', 100000, seed=2)
    with Node('127.0.0.2') as node, daemon(node) as d:
        for torrent in (private, public):
            torrent.write(d.downloads)
            d.add(torrent)
        d.wait_status(private, 'seeding')
        wait_for(lambda: node.was_asked_for(public.infohash), 'the public one is looked for')
        wait_for(lambda: any(a[0] == public.infohash for a in node.announced), 'and announced')
        with Wire.open(d, private) as wire:
            check(not wire.their_bits[7] & DHT_BIT, 'its handshake says that there is a DHT', wire.their_bits)
        with Wire.open(d, public) as wire:
            check(wire.their_bits[7] & DHT_BIT, 'the handshake of the public one must', wire.their_bits)
        never(lambda: node.was_asked_for(private.infohash), 'the private one was looked for')
        check(private.infohash not in [a[0] for a in node.announced], 'the private one was announced')


@case
def peers_tell_each_other_of_their_nodes():
    torrent = Torrent('port', 100000)
    with Node('127.0.0.1') as node, daemon() as d:
        wait_for(lambda: is_open(d), 'the node is open')
        d.seed(torrent)
        with Wire.dial(d) as wire:
            wire.send_raw(hello(torrent.infohash, new_id(), bytes(7) + bytes([DHT_BIT])))
            wire.read_hello()
            _, payload = wire.wait(PORT)
            equal(struct.unpack('>H', payload)[0], d.peer_port, 'the port of its node')
            wire.send(PORT, struct.pack('>H', node.port))
            wait_for(lambda: node.asked, 'our node is asked')


@case
def who_is_dialled_hears_of_the_node():
    for encryption, method in (('off', None), ('required', PLAIN), ('required', RC4)):
        with socket.create_server(('127.0.0.1', 0)) as listener, daemon(**{'peers.encryption': encryption}) as d:
            listener.settimeout(PATIENCE)
            t = Torrent('dialled', 100000)
            link = f'magnet:?xt=urn:btih:{t.hex}&x.pe=127.0.0.1:{listener.getsockname()[1]}'
            equal(d.http('POST', '/addmagnet', None, json.dumps({'url': link}).encode()).status, 200)
            with SecretWire(listener.accept()[0]) as wire:
                if method:
                    wire.answer(t.infohash, method)
                wire.read_hello()
                equal((wire.their_hash, wire.their_bits[7] & DHT_BIT), (t.infohash, DHT_BIT), encryption)


@case
def nodes_are_remembered():
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(Node(f'127.0.3.{i + 1}')) for i in range(10)]
        for i, n in enumerate(nodes):
            n.nodes = nodes[i:] + nodes[:i]
        with daemon(nodes[0]) as d:
            wait_for(lambda: state(d)['ipv4']['ready'], lambda: f'enough nodes: {state(d)}')
            own = state(d)['ipv4']['id']
            check(state(d)['waits'] is None, state(d))
            d.options['dht.bootstrap'] = ''
            d.restart()
            wait_for(lambda: state(d)['ipv4'] and state(d)['ipv4']['ready'], lambda: f'the same nodes: {state(d)}')
            equal(state(d)['ipv4']['id'], own, 'its id')


@case
def items_are_put_and_got():
    seed = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'
    with daemon() as a, daemon() as b:
        wait_for(lambda: is_open(a) and is_open(b), 'the nodes are open')
        a.options['dht.bootstrap'] = f'127.0.0.1:{b.peer_port}'
        a.restart()
        wait_for(lambda: (state(a)['ipv4'] or {}).get('good'), 'they know each other')
        put = a.http('POST', '/dht/put', {'seed': seed, 'salt': 'x', 'seq': 3}, b'5:hello')
        equal(put.status, 200, put.body)
        told = json.loads(put.body)
        equal(told['stored'], 1)
        got = json.loads(b.get('/dht/get', key=told['key'], salt='x').body)
        equal((got['seq'], got['value'], got['target']), (3, 'NTpoZWxsbw==', told['target']))
        equal(a.http('POST', '/dht/put', {'seed': seed, 'salt': 'x', 'seq': 2}, b'3:old').status, 409, 'an older one')
        equal(a.get('/dht/get', target='00' * 20).status, 404)
        for path, params, body, words in (
                ('/dht/put', {}, b'hello', b'bencoded'), ('/dht/put', {'seq': 1}, b'1:a', b'seed'),
                ('/dht/put', {'seed': 'xy'}, b'1:a', b'64 hexadecimal'),
                ('/dht/put', {'seed': seed, 'seq': '9' * 20}, b'1:a', b'63 bits'),
                ('/dht/put', {'seed': seed, 'cas': '3 '}, b'1:a', b'whole number'),
                ('/dht/put', {}, b'1001:' + bytes(1001), b'1000')):
            reply = a.http('POST', path, params, body)
            check(reply.status in (400, 422) and words in reply.body, path, params, reply)
        equal(a.get('/dht/get').status, 422)


@case
def it_says_what_it_waits_for():
    with Daemon() as d:
        seen = state(d)
        check(not seen['enabled'] and 'dht.enabled' in seen['waits'], seen)
        reply = d.get('/dht/get', target='00' * 20)
        check(b'switched off' in reply.body and reply.status >= 400, reply)
    with daemon(**{'dht.bootstrap': '127.0.0.1:9'}) as d:
        wait_for(lambda: 'nobody answers' in (state(d)['waits'] or ''), lambda: f'that nobody answers: {state(d)}')


lib_tap.main()
