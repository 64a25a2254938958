#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Encrypted connections by hand: cuts, long pads, floods of keys, policies, and the second try by a new connection."""
import os
import socket
import time

import lib_tap
from lib_daemon import Daemon
from lib_mse import EITHER, PLAIN, RC4, SecretWire, public
from lib_peer import (HAVE_NONE, INTERESTED, PIECE, PROTOCOL, REQUEST, UNCHOKE, Closed, Wire, hello, message, new_id,
                      reserved, triple)
from lib_tap import PATIENCE, case, check, equal, wait_for
from lib_torrent import BLOCK, Torrent
from lib_tracker import HttpTracker, http_reply, reply_body

ON = {'peers.encryption': 'tolerated'}
FAST = reserved(True, False)


def fetch(wire, t, pieces):
    """Takes whole pieces off an open connection and compares them."""
    wire.send(HAVE_NONE)
    wire.send(INTERESTED)
    wire.wait(UNCHOKE)
    for piece in pieces:
        for begin, length in t.blocks(piece):
            wire.request(piece, begin, length)
    for piece in pieces:
        for begin, length in t.blocks(piece):
            _, payload = wire.wait(PIECE)
            equal(payload[8:], t.block(piece, begin, length), f'piece {piece}, {begin}')


def open_secretly(d, t, ia=68, source='127.0.0.1', **how):
    """The handshake, ia bytes of ours along with it; the rest and their answer under the cipher."""
    mine = hello(t.infohash, new_id(), FAST)
    wire = SecretWire.meet(d, t.infohash, source, first=mine[:ia], **how)
    if mine[ia:]:
        wire.send_raw(mine[ia:])
    wire.read_hello()
    equal(wire.their_hash, t.infohash)
    return wire


def read_to_end(wire):
    try:
        while True:
            wire.fill(PATIENCE)
    except Closed:
        pass


@case
def every_method_and_cut():
    with Daemon({**ON, 'peers.handshake_timeout': '60s'}) as d:
        t = Torrent('ways', 8 * 32768)
        d.seed(t)
        for provide, method, shown in ((PLAIN, PLAIN, 'handshake'), (RC4, RC4, 'rc4'), (EITHER, PLAIN, 'handshake')):
            for ia, step in ((68, 1 << 20), (0, 1), (30, 7), (68, 95)):
                with open_secretly(d, t, ia, provide=provide, step=step, pads=(os.urandom(512), os.urandom(512))) as wire:
                    equal(wire.method, method)
                    fetch(wire, t, [0, 3])
                    equal([p['encryption'] for p in d.view(t)['Peers']], [shown])
                wait_for(lambda: not d.view(t)['Peers'], 'the connection is over')


@case
def what_comes_along_may_be_longer_than_a_handshake():
    with Daemon(ON) as d:
        t = Torrent('long', 8 * 32768)
        d.seed(t)
        first = (hello(t.infohash, new_id(), FAST) + message(HAVE_NONE) + message(INTERESTED)
                 + b''.join(triple(REQUEST, 1, begin, length) for begin, length in t.blocks(1)))
        for provide in (PLAIN, RC4):
            with SecretWire.meet(d, t.infohash, provide=provide, first=first) as wire:
                wire.read_hello()
                wire.wait(UNCHOKE)
                for begin, length in t.blocks(2):
                    wire.request(2, begin, length)
                while True:
                    _, payload = wire.wait(PIECE)
                    at = int.from_bytes(payload[:4], 'big'), int.from_bytes(payload[4:8], 'big')
                    equal(payload[8:], t.block(*at, len(payload) - 8))
                    if at == (2, 32768 - BLOCK):
                        break


@case
def a_slow_reader_gets_every_byte_once():
    """What is encrypted and not taken by the kernel is held, and small messages do not cut into blocks."""
    with Daemon(ON) as d:
        t = Torrent('slow', 40 * 32768)
        d.seed(t)
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(('127.0.0.1', d.peer_port))
        with SecretWire(sock) as wire:
            wire.greet(t.infohash, provide=RC4, first=hello(t.infohash, new_id(), FAST))
            wire.read_hello()
            wire.send(HAVE_NONE)
            wire.send(INTERESTED)
            wire.wait(UNCHOKE)
            for piece in range(40):
                for begin, length in t.blocks(piece):
                    wire.request(piece, begin, length)
            time.sleep(0.3)  # it fills what the kernel has for it
            for piece in range(40):
                for begin, length in t.blocks(piece):
                    _, payload = wire.wait(PIECE)
                    equal(payload[8:], t.block(piece, begin, length), f'piece {piece}, {begin}')


@case
def a_torrent_is_found_in_any_shard():
    with Daemon({**ON, 'peers.shards': 3}) as d:
        torrents = [Torrent(f'shard{i}', 2 * 32768, seed=i) for i in range(9)]
        for t in torrents:
            d.seed(t)
        for t in torrents:
            with open_secretly(d, t, provide=RC4) as wire:
                fetch(wire, t, [1])
        try:
            SecretWire.meet(d, os.urandom(20), first=b'')
            check(False, 'a torrent that is not here was answered')
        except Closed:
            pass
        d.alive()


@case
def handshakes_that_end_anywhere():
    with Daemon({**ON, 'peers.handshake_timeout': '2s'}) as d:
        t = Torrent('ends', 2 * 32768)
        d.seed(t)
        silent = []
        for i, size in enumerate((1, 19, 20, 95, 96, 97, 607, 608, 609, 627, 628, 700, 1500)):
            wire = Wire.dial(d, f'127.{1 + i}.0.1')
            try:
                wire.send_raw((public()[1] + os.urandom(2000))[:size])
            except Closed:
                pass
            if size % 2:
                wire.close()
            else:
                silent.append(wire)
        for wire in silent:
            read_to_end(wire)
        for unsound in (bytes(96), bytes(95) + b'\1', b'\xff' * 96):
            wire = Wire.dial(d)
            wire.send_raw(unsound)
            equal(wire.wait_closed(), [], 'an unsound key is answered by nothing')
        with open_secretly(d, t) as wire:
            fetch(wire, t, [0])


@case
def a_flood_of_keys_is_answered_with_measure():
    """Strangers get few keys a second, are gone with the timeout, and keep nobody out for long."""
    with Daemon({**ON, 'peers.handshake_timeout': '3s', 'peers.max': 1000}) as d:
        t = Torrent('flood', 2 * 32768)
        d.seed(t)
        flood, begun = [], time.monotonic()
        for i in range(120):
            wire = Wire.dial(d, f'127.{1 + i // 4}.0.1')
            wire.send_raw(public()[1])
            flood.append(wire)
        with Wire.open(d, t, fast=True) as plain:
            fetch(plain, t, [0])
        answered = sum(1 for wire in flood if answers(wire))
        most = 32 + 50 * (time.monotonic() - begun) + 1
        check(0 < answered <= most, answered, 'were answered, of at most', most)
        for wire in flood:
            read_to_end(wire)
        with open_secretly(d, t) as wire:
            fetch(wire, t, [1])


def answers(wire):
    wire.sock.setblocking(False)
    try:
        return len(wire.sock.recv(4096, socket.MSG_PEEK)) > 0
    except (BlockingIOError, ConnectionResetError):
        return False
    finally:
        wire.sock.settimeout(PATIENCE)


@case
def policies_and_the_wish_of_a_torrent():
    with Daemon({'peers.encryption': 'required'}) as d:
        t = Torrent('policy', 2 * 32768)
        d.seed(t)

        def plainly():
            try:
                Wire.open(d, t, fast=True).close()
                return True
            except Closed:
                return False

        def secretly():
            try:
                open_secretly(d, t).close()
                return True
            except Closed:
                return False
        equal((d.view(t)['encryption'], plainly(), secretly()), ('default', False, True))
        d.ok('/setencryption', infohash=t.hex, encryption='off')
        equal((d.view(t)['encryption'], plainly(), secretly()), ('off', True, False))
        d.ok('/setencryption', infohash=t.hex, encryption='tolerated')
        equal((plainly(), secretly()), (True, True))
        with Wire.open(d, t, fast=True) as wire:
            d.ok('/setencryption', infohash=t.hex, encryption='required')
            wire.wait_closed()
        equal(d.get('/setencryption', infohash=t.hex, encryption='maybe').status, 422)
        equal(d.get('/setencryption', infohash=t.hex).status, 422)
        d.restart()
        d.wait_status(t, 'seeding')
        equal((d.view(t)['encryption'], plainly(), secretly()), ('required', False, True))


def greetings(policy, wanted):
    """Whether each of the daemon's dials begins plainly; all are hung up on."""
    listener = socket.create_server(('127.0.0.1', 0))
    listener.settimeout(PATIENCE)
    with Daemon({'peers.encryption': policy}) as d, listener, HttpTracker(
            lambda a: http_reply(reply_body([('127.0.0.1', listener.getsockname()[1])], 1800))) as tracker:
        t = Torrent('greeted', 2 * 32768, trackers=[tracker.url()])
        d.add(t)
        seen, begun = [], time.monotonic()
        for _ in wanted:
            sock, _ = listener.accept()
            with sock:
                sock.settimeout(PATIENCE)
                data = b''
                while len(data) < 68:
                    data += sock.recv(4096)
                seen.append(data[:20] == PROTOCOL)
        equal(seen, wanted, policy)
        check(time.monotonic() - begun < 10, 'the second try waits')
        wait_for(lambda: d.view(t)['mute_dials'] == 1, 'it is counted')
        listener.settimeout(1)
        try:
            listener.accept()[0].close()
            check(False, policy, 'it dials once more')
        except TimeoutError:
            pass
        equal(d.view(t)['mute_dials'], 1, 'it is counted once')


@case
def what_is_not_understood_is_tried_the_other_way():
    greetings('preferred', [False, True])
    greetings('tolerated', [True, False])
    greetings('required', [False])
    greetings('off', [True])


lib_tap.main()
