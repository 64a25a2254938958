#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What real clients do not say: bad handshakes, messages out of range or of bad length.

Each case abuses a daemon that downloads half of a torrent and has the other half to serve; it must live,
close the connections that BEP 3 and BEP 6 call wrong, serve an honest leech right after, and complete its
download from an honest seed, byte for byte.
"""
import os
import struct

import lib_tap
from lib_abused import Abused, PIECE_LENGTH, closes, closes_raw
from lib_peer import (ALLOWED_FAST, BITFIELD, CANCEL, CHOKE, Closed, EXTENDED, HAVE, HAVE_ALL, HAVE_NONE,
                      INTERESTED, NOT_INTERESTED, PIECE, PORT, PROTOCOL, REJECT, REQUEST, SUGGEST, UNCHOKE,
                      Wire, hello, message, new_id, triple)
from lib_tap import case, check, equal
from lib_torrent import BLOCK, bencode, bits_list, bits_of


# --- handshakes


@case
def bad_handshakes():
    with Abused() as a:
        good = hello(a.t.infohash, new_id())
        for what, data in [
                ('wrong first byte', b'\x12' + good[1:]),
                ('wrong protocol', good[:10] + b'X' + good[11:]),
                ('HTTP', b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n' + bytes(60)),
                ('encrypted noise', os.urandom(200)),
                ('zeros', bytes(100)),
                ('wrong info-hash', hello(os.urandom(20), new_id())),
                ('zero info-hash', hello(bytes(20), new_id()))]:
            with Wire.dial(a.d) as wire:
                wire.send_raw(data)
                got = b''
                try:
                    while True:
                        got += wire.take(1)
                except Closed:
                    pass
                check(a.t.infohash not in got, what, 'was told our info-hash')


@case
def its_own_peer_id():
    with Abused() as a:
        with a.open() as first:
            theirs = first.their_id
        with Wire.dial(a.d) as wire:
            wire.send_raw(hello(a.t.infohash, theirs))
            wire.read_hello()  # or who dialled would never learn that it met itself
            equal(wire.their_id, theirs)
            closes(wire, 'its own peer id')


@case
def a_peer_id_that_is_connected_already():
    with Abused() as a:
        me = new_id()
        with a.open(peer_id=me) as first, Wire.dial(a.d, '127.0.0.2') as second:
            second.send_raw(hello(a.t.infohash, me))
            closes(second, 'the same peer id')
            first.send_raw(message(INTERESTED))
            first.wait(UNCHOKE)


@case
def an_unready_handshake_is_ended_in_time():
    with Abused(options={'peers.handshake_timeout': '1s'}) as a:
        for part in (b'', PROTOCOL[:7], hello(a.t.infohash, new_id())[:67]):
            with Wire.dial(a.d) as wire:
                wire.send_raw(part)
                closes_raw(wire)


# --- lengths and ranges


@case
def oversized_messages():
    with Abused() as a:
        for size in (0xffffffff, 0x80000000, 1 << 24, (1 << 21) + 1):
            for kind in (b'', b'\x04', b'\x05', b'\x07', b'\x63', b'\x14'):
                with a.open() as wire:
                    try:
                        wire.send_raw(struct.pack('>I', size) + kind + bytes(5000))
                        closes(wire, f'a message of {size} bytes {kind}')
                    except Closed:
                        pass


@case
def messages_of_wrong_length():
    with Abused() as a:
        for kind, sizes in [(CHOKE, (1, 5)), (UNCHOKE, (1,)), (INTERESTED, (1,)), (NOT_INTERESTED, (2,)),
                            (HAVE, (0, 3, 5)), (REQUEST, (0, 11, 13)), (CANCEL, (0, 11, 13)),
                            (PIECE, (0, 7))]:
            for size in sizes:
                with a.open() as wire:
                    wire.send(kind, bytes(size))
                    closes(wire, f'message {kind} of {size} bytes')
        for kind, sizes in [(HAVE_ALL, (1,)), (HAVE_NONE, (4,)), (SUGGEST, (0, 3, 5)),
                            (REJECT, (0, 11, 13)), (ALLOWED_FAST, (0, 5))]:
            for size in sizes:
                with a.open(fast=True) as wire:
                    wire.send(kind, bytes(size))
                    closes(wire, f'message {kind} of {size} bytes')


@case
def requests_out_of_range_end_the_connection():
    with Abused(options={'peers.upload_slots': '50'}) as a:
        last = a.t.pieces - 1
        asks = [(0, 0, 0), (0, 0, 1 << 20), (0, 0, 0xffffffff), (0, PIECE_LENGTH, 1),
                (0, PIECE_LENGTH - 1, 2), (0, 0xffffffff, 1), (0, 0xffffffff, 0xffffffff),
                (a.t.pieces, 0, BLOCK), (0xffffffff, 0, BLOCK), (0x80000000, 0, BLOCK),
                (last, 0, BLOCK), (last, 1, 1), (0, 0x80000000, 0x80000000)]
        for fast in (False, True):
            wires = [a.open(fast=fast) for _ in asks]
            for wire in wires:
                wire.send(INTERESTED)
            for wire, ask in zip(wires, asks):
                wire.wait(UNCHOKE)
                wire.request(*ask)
                seen = closes(wire, f'request {ask}')
                check(all(kind != PIECE for kind, _ in seen), 'served', ask)
                wire.close()


@case
def requests_for_pieces_it_does_not_have_are_never_served():
    with Abused() as a:
        with a.unchoked(fast=True) as wire:
            for piece in range(a.have, a.t.pieces - 1):
                wire.request(piece, 0, BLOCK)
                _, payload = wire.wait(REJECT, PIECE)
                equal(payload, struct.pack('>III', piece, 0, BLOCK), 'reject')
        with a.unchoked() as wire:
            wire.request(a.have, 0, BLOCK)
            a.ask(wire, 0, 0, BLOCK)


@case
def blocks_of_odd_sizes_are_served():
    with Abused() as a, a.unchoked() as wire:
        for piece, begin, length in [(0, 0, 1), (0, PIECE_LENGTH - 1, 1), (2, 5, 777), (1, 1, 16383),
                                     (3, 0, PIECE_LENGTH), (4, 16000, 16768)]:
            a.ask(wire, piece, begin, length)


@case
def requests_while_choked_are_not_served():
    with Abused() as a:
        with a.open(fast=True) as wire:
            granted = set()
            wire.request(0, 0, BLOCK)
            while True:
                kind, payload = wire.recv()
                if kind == ALLOWED_FAST:
                    granted.add(struct.unpack('>I', payload)[0])
                if kind in (REJECT, PIECE):
                    break
            check(kind == REJECT or 0 in granted, 'served while choked')
        with a.open() as wire:
            wire.request(0, 0, BLOCK)
            wire.send(INTERESTED)
            kind, _ = wire.wait(UNCHOKE, PIECE)
            equal(kind, UNCHOKE, 'a block came while choked')


@case
def endless_bad_requests_end_the_connection():
    with Abused() as a, a.unchoked(fast=True) as wire:
        try:
            for _ in range(2000):
                wire.request(a.have, 0, BLOCK)
            closes(wire, '2000 requests for a piece that we lack')
        except Closed:
            pass


@case
def a_huge_queue_of_requests_is_bounded():
    with Abused() as a, a.unchoked(fast=True) as wire:
        asked = [(i % a.have, 0, BLOCK) for i in range(700)]
        for start in range(0, 700, 100):
            wire.send_raw(b''.join(triple(REQUEST, *r) for r in asked[start:start + 100]))
        answers = 0
        while answers < 700:
            kind, payload = wire.wait(PIECE, REJECT)
            answers += 1
            if kind == PIECE:
                piece, begin = struct.unpack('>II', payload[:8])
                equal(payload[8:], a.t.block(piece, begin, BLOCK), 'block')


@case
def cancel_of_what_was_never_asked_and_cancels_out_of_range():
    with Abused() as a, a.unchoked(fast=True) as wire:
        for cancel in [(0, 0, BLOCK), (0, 0, 0), (99999, 0, BLOCK), (0, 0xffffffff, 0xffffffff)]:
            wire.cancel(*cancel)
        a.ask(wire, 2, 0, BLOCK)


# --- what it has


@case
def have_out_of_range_ends_the_connection():
    with Abused() as a:
        for index in (a.t.pieces, 0xffffffff, 0x7fffffff):
            with a.open() as wire:
                wire.have(index)
                closes(wire, f'have {index}')
        for index in (a.t.pieces, 0xffffffff):
            for kind in (ALLOWED_FAST, SUGGEST):
                with a.open(fast=True) as wire:
                    wire.send(kind, struct.pack('>I', index))
                    closes(wire, f'{kind} {index}')


@case
def bad_bitfields_end_the_connection():
    with Abused() as a:
        full = a.t.all_set()
        for bits in (b'', full[:-1], full + b'\0', full[:-1] + b'\xff', full[:-1] + b'\xf9',
                     bytes(1000), full[:-1] + b'\x01'):
            with a.open() as wire:
                wire.send(BITFIELD, bits)
                closes(wire, f'bitfield {bits[:8]}')


@case
def a_bitfield_sent_twice_or_late_counts_as_more_pieces():
    """aria2 does so in place of many HAVEs; the connection lives and its pieces are known."""
    with Abused() as a:
        none, every = bytes(2), a.t.all_set()
        for messages in ([(BITFIELD, none), (BITFIELD, every)], [(HAVE, bytes(4)), (BITFIELD, every)],
                         [(INTERESTED, b''), (BITFIELD, every)]):
            with a.open() as wire:
                wire.send_raw(b''.join(message(k, p) for k, p in messages))
                wire.wait(INTERESTED)
        for messages in ([(HAVE_NONE, b''), (HAVE_ALL, b'')], [(HAVE_NONE, b''), (BITFIELD, every)],
                         [(BITFIELD, none), (HAVE_ALL, b'')], [(HAVE_ALL, b''), (HAVE_NONE, b'')]):
            with a.open(fast=True) as wire:
                wire.send_raw(b''.join(message(k, p) for k, p in messages))
                wire.wait(INTERESTED)
        with a.open() as wire:
            wire.send_raw(message(HAVE, bytes(4)) + message(BITFIELD, bytes(3)))
            closes(wire, 'a late bitfield of the wrong length')


@case
def fast_messages_without_the_fast_extension_end_the_connection():
    with Abused() as a:
        for kind, payload in [(HAVE_ALL, b''), (HAVE_NONE, b''), (SUGGEST, bytes(4)),
                              (ALLOWED_FAST, bytes(4)), (REJECT, struct.pack('>III', 0, 0, BLOCK))]:
            with a.open() as wire:
                wire.send(kind, payload)
                closes(wire, f'{kind} without the fast extension')


@case
def its_own_bitfield_tells_the_truth():
    with Abused() as a:
        with a.open() as wire:
            kind, payload = wire.recv()
            equal((kind, bits_list(payload, a.t.pieces)), (BITFIELD, list(range(a.have))))
            equal(payload, bits_of(a.t.pieces, range(a.have)), 'spare bits')
        with a.open(fast=True) as wire:
            kind, payload = wire.recv()
            equal((kind, payload), (BITFIELD, bits_of(a.t.pieces, range(a.have))))


# --- what is to be ignored


@case
def keep_alives_unknown_messages_and_ports_are_ignored():
    with Abused() as a, a.unchoked() as wire:
        wire.send_raw(bytes(4) * 1000)
        for kind in (10, 11, 12, 18, 19, 21, 99, 255):
            wire.send(kind)
            wire.send(kind, os.urandom(100))
        wire.send(PORT, struct.pack('>H', 6881))
        a.ask(wire, 0, 0, BLOCK)


@case
def extended_messages_good_and_bad():
    with Abused() as a:
        good = bencode({'m': {'ut_metadata': 3, 'ut_pex': 0}, 'v': b'\xff\x00\n', 'reqq': 5, 'p': 6881,
                        'yourip': b'\x7f\0\0\1', 'ipv6': b'short', 'deep': [[[[[1]]]]]})
        with a.unchoked(extended=True) as wire:
            wire.send(EXTENDED, b'\0' + good)
            wire.send(EXTENDED, b'\x07' + os.urandom(300))
            wire.send(EXTENDED, b'\0' + bencode({'reqq': -1, 'p': 99999999, 'm': {'x': -5, 'y': 1 << 40}}))
            wire.send(EXTENDED, b'\0' + b'l' * 70000)  # more than is kept for a message: passed over
            wire.request(0, 0, BLOCK)
            wire.wait(PIECE)
            a.d.view(a.t)
        for bad in (b'', b'\0', b'\0x', b'\0i5e', b'\0' + good[:-1], b'\0' + b'd' * 5000,
                    b'\0' + b'l' * 30000, b'\0d1:v999999999:xe'):
            with a.open(extended=True) as wire:
                wire.send(EXTENDED, bad)
                closes(wire, f'extended {bad[:20]}')


# --- blocks nobody asked for


@case
def pieces_never_asked_for_are_not_taken():
    with Abused() as a:
        for fast in (False, True):
            with a.open(fast=fast, source='127.0.0.3') as wire:
                wire.send(BITFIELD, a.almost)  # never unchokes, so nothing is asked for
                try:
                    for piece in range(a.have, a.t.pieces):
                        for begin, length in a.t.blocks(piece):
                            wire.piece(piece, begin, os.urandom(length))
                    wire.piece(0, 0, os.urandom(BLOCK))
                    wire.send(INTERESTED)
                    wire.wait(UNCHOKE, patience=5)
                except (Closed, TimeoutError):
                    pass
        equal(a.d.pieces(a.t), list(range(a.have)))


@case
def pieces_out_of_range_or_of_odd_length():
    with Abused() as a:
        for piece, begin, size in [(a.t.pieces, 0, BLOCK), (0xffffffff, 0, BLOCK), (5, 0xffffffff, BLOCK),
                                   (5, PIECE_LENGTH, BLOCK), (5, PIECE_LENGTH - 1, BLOCK), (5, 1, BLOCK),
                                   (5, 0, 0), (5, 0, 1), (5, 0, BLOCK - 1), (5, 0, BLOCK + 1),
                                   (5, 0, 1 << 17), (12, 0, BLOCK)]:
            with a.open(source='127.0.0.3') as wire:
                wire.send(BITFIELD, a.almost)
                wire.wait(INTERESTED)
                wire.send(UNCHOKE)
                wire.wait(REQUEST)
                try:
                    wire.piece(piece, begin, bytes(size))
                    wire.send(CHOKE)
                    wire.send(INTERESTED)
                    wire.wait(UNCHOKE, patience=3)
                except (Closed, TimeoutError):
                    pass
        equal(a.d.pieces(a.t), list(range(a.have)))


lib_tap.main()
