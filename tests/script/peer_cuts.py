#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Streams that end anywhere or come in odd pieces, peers that choke, reject or say nothing, and too many of them.

As in peer_wire.py, the daemon must serve and complete its download after each case.
"""
import os
import random
import signal
import socket
import struct
import time

import lib_tap
from lib_abused import Abused, closes_raw
from lib_peer import (ALLOWED_FAST, BITFIELD, CANCEL, CHOKE, Closed, EXTENDED, FAST, HAVE, HAVE_ALL,
                      HAVE_NONE, INTERESTED, NOT_INTERESTED, PIECE, PORT, REJECT, REQUEST, SUGGEST, UNCHOKE,
                      Wire, hello, message, new_id, piece_message, reserved, triple)
from lib_tap import case, check, equal, wait_for
from lib_torrent import BLOCK, bencode, bits_of


# --- cuts


def session_bytes(t, have):
    """A whole session of a peer that uploads some blocks and asks for some, as one stream."""
    out = [hello(t.infohash, new_id(), reserved(True, True)), message(BITFIELD, t.all_set()),
           message(EXTENDED, b'\0' + bencode({'m': {'x': 1}, 'v': 'cut'})), message(INTERESTED),
           message(UNCHOKE), bytes(4), message(HAVE, struct.pack('>I', 1)), message(PORT, b'\x1a\xe1'),
           triple(REQUEST, 0, 0, 100), triple(REQUEST, 1, 50, 200), triple(CANCEL, 1, 50, 200),
           message(ALLOWED_FAST, struct.pack('>I', 2)), message(SUGGEST, struct.pack('>I', 3)),
           piece_message(have, 0, b'not asked for'), triple(REJECT, have, 0, BLOCK), message(CHOKE),
           message(NOT_INTERESTED), message(77, b'unknown'), bytes(4)]
    return b''.join(out)


@case
def a_stream_cut_at_every_byte():
    with Abused() as a:
        whole = session_bytes(a.t, a.have)
        for cut in range(len(whole) + 1):
            wire = Wire.dial(a.d, f'127.0.0.{10 + cut % 100}')
            try:
                wire.send_raw(whole[:cut])
            except Closed:
                pass
            wire.close()
            if cut % 50 == 0:
                a.d.alive()
        wait_for(lambda: a.d.view(a.t)['Peers'] == [] or
                 not any(p['connected'] for p in a.d.view(a.t)['Peers']), 'all are gone')


@case
def a_stream_cut_at_every_byte_of_a_block_asked_for():
    with Abused(pieces=8) as a:
        data = a.t.block(5, 0, BLOCK)
        for cut in list(range(0, 20)) + [100, 1000, BLOCK, BLOCK + 12]:
            with a.open(source=f'127.0.0.{10 + cut % 100}') as wire:
                wire.send(BITFIELD, bits_of(a.t.pieces, [5]))
                wire.wait(INTERESTED)
                wire.send(UNCHOKE)
                _, ask = wire.wait(REQUEST)
                piece, begin, length = struct.unpack('>III', ask)
                equal(piece, 5)
                whole = piece_message(piece, begin, data if begin == 0 else a.t.block(5, begin, length))
                wire.send_raw(whole[:cut])


@case
def a_stream_shut_for_writing_at_every_message():
    with Abused() as a:
        for count in range(6):
            with Wire.dial(a.d) as wire:
                parts = [hello(a.t.infohash, new_id()), message(BITFIELD, a.t.all_set()),
                         message(INTERESTED), triple(REQUEST, 0, 0, BLOCK), message(UNCHOKE)]
                wire.send_raw(b''.join(parts[:count]))
                wire.sock.shutdown(socket.SHUT_WR)
                closes_raw(wire)


@case
def the_last_bytes_and_the_end_of_a_stream_in_one_event():
    with Abused() as a, a.open() as wire:
        os.kill(a.d.process.pid, signal.SIGSTOP)
        try:
            wire.send(INTERESTED)
            wire.sock.shutdown(socket.SHUT_WR)
            time.sleep(0.2)
        finally:
            os.kill(a.d.process.pid, signal.SIGCONT)
        closes_raw(wire)


@case
def a_session_byte_by_byte_and_in_one_segment():
    with Abused() as a:
        asks = [(0, 0, BLOCK), (1, 7, 5000), (4, BLOCK, BLOCK)]
        stream = hello(a.t.infohash, new_id(), FAST) + message(HAVE_NONE) + message(INTERESTED)
        tail = bytes(4) + b''.join(triple(REQUEST, *r) for r in asks) + message(NOT_INTERESTED)
        for cut in (1, 1 << 20):
            with Wire.dial(a.d) as wire:
                send_cut(wire, stream.replace(stream[48:68], new_id()), cut)
                wire.read_hello()
                wire.wait(UNCHOKE)
                send_cut(wire, tail[:-5], cut)
                for ask in asks:
                    a.take(wire, *ask)
                send_cut(wire, tail[-5:], cut)


def send_cut(wire, data, size):
    for at in range(0, len(data), size):
        wire.send_raw(data[at:at + size])


@case
def a_block_received_byte_by_byte():
    with Abused(pieces=7, last=333) as a, a.open() as wire:
        wire.send(BITFIELD, bits_of(a.t.pieces, [6]))
        wire.wait(INTERESTED)
        wire.send(UNCHOKE)
        _, ask = wire.wait(REQUEST)
        equal(struct.unpack('>III', ask), (6, 0, 333))
        send_cut(wire, piece_message(6, 0, a.t.piece(6)), 1)
        wait_for(lambda: 6 in a.d.pieces(a.t), 'the piece is there')
        a.prove = a.prove_serving  # the last piece need not come from the honest seed


# --- choking, rejecting, silence


@case
def choke_in_the_middle_gives_the_blocks_to_others():
    with Abused() as a:
        for fast in (False, True):
            with a.open(fast=fast, source='127.0.0.4') as wire:
                wire.send(BITFIELD, a.almost)
                wire.wait(INTERESTED)
                for _ in range(5):
                    wire.send(UNCHOKE)
                    wire.wait(REQUEST)
                    wire.send(CHOKE)
                wire.send(INTERESTED)
                wire.wait(UNCHOKE)


@case
def a_peer_that_rejects_everything():
    with Abused() as a, a.open(fast=True, source='127.0.0.4') as wire:
        wire.send(HAVE_ALL)
        wire.wait(INTERESTED)
        wire.send(UNCHOKE)
        asked = 0
        end = time.monotonic() + 1.5
        try:
            while time.monotonic() < end:
                kind, payload = wire.recv(patience=0.3)
                if kind == REQUEST:
                    asked += 1
                    wire.send(REJECT, payload)
        except (TimeoutError, Closed):
            pass
        check(0 < asked < 20000, 'asked', asked, 'times of one who rejects all')
        a.prove()
        a.prove = a.prove_serving


@case
def rejects_of_what_was_never_asked_are_harmless():
    with Abused() as a, a.unchoked(fast=True) as wire:
        for reject in [(0, 0, BLOCK), (5, 0, BLOCK), (99999, 0, BLOCK), (5, 1, 2)]:
            wire.reject(*reject)
        wire.request(0, 0, BLOCK)
        wire.wait(PIECE)


@case
def a_silent_peer_is_ended():
    with Abused(options={'peers.idle_timeout': '10s'}) as a:
        with a.open() as wire:
            wire.wait_closed(patience=60)


@case
def more_connections_than_allowed():
    with Abused(options={'peers.max': '20', 'peers.max_per_torrent': '10'}) as a:
        wires, refused = [], 0
        for n in range(120):
            try:
                wire = Wire.dial(a.d, f'127.0.0.{20 + n}')
                wires.append(wire)
                wire.send_raw(hello(a.t.infohash, new_id()))
                wire.read_hello()
            except (Closed, ConnectionResetError):
                refused += 1
        check(refused >= 100, 'only', refused, 'of 120 were refused')
        check(len(a.d.view(a.t)['Peers']) <= 20, 'peers', len(a.d.view(a.t)['Peers']))
        for wire in wires:
            wire.close()
        wait_for(lambda: not any(p['connected'] for p in a.d.view(a.t)['Peers']), 'all are gone')


@case
def garbage_after_a_good_handshake():
    with Abused() as a:
        noise = random.Random(5)
        for n in range(150):
            with Wire.dial(a.d, f'127.0.0.{10 + n}') as wire:
                try:
                    wire.send_raw(hello(a.t.infohash, new_id(), noise.randbytes(8)))
                    if n % 3 == 0:
                        wire.send_raw(noise.randbytes(3000))
                    for _ in range(40):
                        kind = noise.randrange(24)
                        wire.send(kind, noise.randbytes(noise.choice([0, 1, 2, 4, 8, 12, 13, 50])))
                except Closed:
                    pass
        a.d.alive()


lib_tap.main()
