#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Downloads from scripted seeds that are slow, disordered, corrupt or stall, and serving what came."""
import os
import random
import struct
import time

import lib_tap
from lib_daemon import Daemon
from lib_peer import (ALLOWED_FAST, BITFIELD, Closed, HAVE, HAVE_ALL, HAVE_NONE, INTERESTED,
                      PIECE, REJECT, REQUEST, SUGGEST, Seed, UNCHOKE, Wire, triple)
from lib_tap import Skip, at_once, case, check, equal, never, wait_for
from lib_torrent import BLOCK, Torrent, bits_of
from lib_tracker import HttpTracker, http_reply, reply_body

KIB = 1024


def multi(name='multi', seed=1, **more):
    return Torrent(name, [('a.bin', 70001), ('empty', 0), ('d\u00fcr/tief/b', 1), ('dir/c', 32768),
                          ('dir/d', 131072 + 7), ('z/empty too', 0), ('z/e', 3)], seed=seed, **more)


def tracked(*seeds):
    """A tracker that gives these listening seeds."""
    return HttpTracker(lambda a: http_reply(reply_body([s.address for s in seeds])))


@case
def in_order_every_shape():
    with Daemon() as d:
        shapes = [Torrent('one byte', 1), Torrent('one block', BLOCK), Torrent('odd', BLOCK + 1),
                  Torrent('last byte', 3 * 32768 + 1), multi(), Torrent('in a folder', [('f', 100000)]),
                  Torrent('big pieces', 5 << 20, piece_length=4 << 20),
                  Torrent('small pieces', 40 * KIB, piece_length=1024)]
        for t in shapes:
            d.add(t)
            with Seed(t).dial(d) as seed:
                d.wait_done(t)
                equal(seed.sent, t.size, f'{t.name}: bytes that were fetched')
            equal(d.view(t)['wasted'], 0, t.name)


@case
def blocks_in_random_order():
    noise = random.Random(3)
    with Daemon() as d:
        t = Torrent('shuffled', 3 << 20, piece_length=256 * KIB)
        d.add(t)
        with Seed(t, pick=lambda pending: noise.randrange(len(pending))).dial(d) as seed:
            d.wait_done(t)
            equal(seed.sent, t.size)


@case
def the_newest_request_answered_first():
    with Daemon() as d:
        t = Torrent('backwards', 2 << 20, piece_length=64 * KIB)
        d.add(t)
        with Seed(t, fast=False, pick=lambda pending: len(pending) - 1).dial(d) as seed:
            d.wait_done(t)
            equal(seed.sent, t.size)


@case
def two_halves_from_two_seeds_over_ipv4_and_ipv6():
    with Daemon() as d:
        t = Torrent('halves', 40 * 32768 + 9)
        d.add(t)
        with Seed(t, have=range(0, t.pieces, 2)).dial(d) as even, \
                Seed(t, have=range(1, t.pieces, 2), source='::1', extended=True).dial(d) as odd:
            d.wait_done(t)
            equal(even.sent + odd.sent, t.size)
            check(all(p % 2 == 0 for p, _, _ in even.requests), 'asked for what it has not')
            check(all(p % 2 == 1 for p, _, _ in odd.requests), 'asked for what it has not')


@case
def seeds_that_a_tracker_names_are_dialled():
    with Daemon() as d:
        t0 = Torrent('dialled', 30 * 32768)
        with Seed(t0).listen() as four, Seed(t0, source='::1').listen() as six, \
                tracked(four, six) as tracker:
            t = Torrent('dialled', 30 * 32768, trackers=[tracker.url()])
            d.add(t)
            d.wait_done(t)
            check(four.sent + six.sent >= t.size, 'sent')
            check(four.connections and six.connections, 'dialled', four.connections, six.connections)


@case
def a_block_sent_twice_is_wasted_and_harmless():
    with Daemon() as d:
        t = Torrent('twice', 1 << 20, piece_length=64 * KIB)
        d.add(t)

        def twice(conn, piece, begin, length):
            data = t.block(piece, begin, length)
            conn.piece(piece, begin, data)
            conn.piece(piece, begin, data)
            return True

        with Seed(t, extra=twice, source='127.0.0.2').dial(d) as seed:
            wait_for(lambda: seed.requests, 'a request')
            v = d.wait_view(t, lambda v: v['wasted'] >= 16, 'the second block is counted as wasted')
            equal(v['failed_pieces'], 0, 'pieces with a wrong hash')
            with Seed(t).dial(d):
                d.wait_done(t)


@case
def who_sends_only_corrupt_blocks_is_banned():
    with Daemon() as d:
        t = Torrent('poisoned', 4 << 20, piece_length=128 * KIB)
        d.add(t)
        with Seed(t, source='127.0.0.2', alter=lambda p, b, data: bytes(len(data))).dial(d) as bad:
            with Seed(t, source='127.0.0.3', rate=3 << 20).dial(d) as good:
                view = d.wait_done(t)
                check(view['wasted'] >= 16, 'wasted', view['wasted'])
                check(view['failed_pieces'] >= 1, 'failed pieces', view['failed_pieces'])
                check(good.sent >= t.size, 'the honest seed gave all of it')
                wait_for(lambda: bad.closed == 1, 'the bad seed is let go')
        check(bad.sent <= 64 * 128 * KIB, 'it sent', bad.sent)
        with Wire.open(d, t, source='127.0.0.3'):
            pass  # the honest one is welcome
        with Wire.dial(d, '127.0.0.2') as wire:
            try:
                wire.shake(t.infohash)
                raise AssertionError('the bad one is let in again')
            except Closed:
                pass


@case
def who_was_banned_is_not_let_in_again():
    with Daemon() as d:
        t = Torrent('barred', 1 << 20, piece_length=64 * KIB)
        d.add(t)
        with Seed(t, source='127.0.0.2', alter=lambda p, b, data: bytes(len(data))).dial(d) as bad:
            wait_for(lambda: bad.closed == 1, 'banned: it was alone, so no doubt who did it')
        with Wire.dial(d, '127.0.0.2') as wire:
            try:
                wire.shake(t.infohash)
                wire.wait_closed(patience=5)
            except Closed:
                pass
        equal(d.pieces(t), [])
        with Seed(t, source='127.0.0.3').dial(d):
            d.wait_done(t)


@case
def what_a_banned_peer_left_is_not_blamed_on_the_next():
    noise = random.Random(8)
    with Daemon() as d:
        t = Torrent('blame', 4 << 20, piece_length=128 * KIB)
        d.add(t)
        with Seed(t, source='127.0.0.2', alter=lambda p, b, data: bytes(len(data)),
                  pick=lambda pending: noise.randrange(len(pending))).dial(d) as bad:
            wait_for(lambda: bad.closed == 1, 'banned')
        with Seed(t, source='127.0.0.3').dial(d) as good:
            d.wait_done(t)
            check(good.sent >= t.size, 'all of it came from the honest one')


@case
def one_corrupt_block_among_two_seeds():
    with Daemon() as d:
        t = Torrent('spoilt', 4 << 20, piece_length=256 * KIB)
        d.add(t)
        spoilt = []

        def alter(piece, begin, data):
            if not spoilt:
                spoilt.append(piece)
                return bytes(len(data))
            return data

        with Seed(t, source='127.0.0.2', alter=alter, rate=4 << 20).dial(d), \
                Seed(t, source='127.0.0.3', rate=4 << 20).dial(d):
            view = d.wait_done(t)
            check(spoilt, 'nothing was spoilt')
            check(16 <= view['wasted'] <= 3 * 256, 'wasted KiB', view['wasted'])


@case
def nothing_unverified_is_announced_or_served():
    """Piece 1 always fails its hash, piece 2 never becomes whole; all others come."""
    with Daemon() as d:
        t = Torrent('truth', 10 * 65536, piece_length=65536)
        d.add(t)

        def swallow(conn, piece, begin, length):
            return piece == 2 and begin == 3 * BLOCK

        with Wire.open(d, t, source='127.0.0.4') as leech:
            leech.send(INTERESTED)
            leech.wait(UNCHOKE)
            told = set()
            seeds = []
            try:
                # Each dies at its first corrupt piece; a new one comes from another address.
                for n in range(12):
                    seeds.append(Seed(t, source=f'127.0.0.{10 + n}', extra=swallow,
                                      alter=lambda p, b, x: bytes(len(x)) if p == 1 else x).dial(d))
                    wait_for(lambda: seeds[-1].closed or d.view(t)['pieces_have'] == 8, 'it goes on')
                    if d.view(t)['pieces_have'] == 8:
                        break
                d.wait_view(t, lambda v: v['pieces_have'] == 8, 'all good pieces')
                while len(told) < 8:
                    _, payload = leech.wait(HAVE)
                    told.add(struct.unpack('>I', payload)[0])
                equal(sorted(told), [0] + list(range(3, 10)), 'announced')
                for piece in (1, 2):
                    for begin, length in t.blocks(piece):
                        leech.request(piece, begin, length)
                leech.request(0, 0, BLOCK)
                kind, payload = leech.wait(PIECE)
                equal(payload[:8], bytes(8), 'an unverified block was served')
                equal(payload[8:], t.block(0, 0, BLOCK))
                with Wire.open(d, t, source='127.0.0.5') as other:
                    kind, payload = other.recv()
                    equal((kind, payload), (BITFIELD, bits_of(10, [0] + list(range(3, 10)))))
            finally:
                for seed in seeds:
                    seed.stop()


@case
def a_seed_that_stalls_is_replaced():
    with Daemon({'peers.request_timeout': '2s'}) as d:
        t = Torrent('stalled', 2 << 20, piece_length=64 * KIB)
        d.add(t)
        with Seed(t, source='127.0.0.2') as lazy:
            lazy.pick = lambda pending: None if lazy.blocks >= 20 else 0
            lazy.dial(d)
            wait_for(lambda: lazy.blocks >= 20, 'a start')
            with Seed(t, source='127.0.0.3').dial(d) as good:
                d.wait_done(t, patience=90)
                check(good.sent > 0, 'the other took over')


@case
def a_silent_seed_alone_then_it_goes_on():
    with Daemon({'peers.request_timeout': '1s'}) as d:
        t = Torrent('pause', 1 << 20, piece_length=64 * KIB)
        d.add(t)
        with Seed(t) as seed:
            seed.pick = lambda pending: None if seed.blocks >= 5 else 0
            seed.dial(d)
            wait_for(lambda: seed.blocks >= 5, 'a start')
            time.sleep(3)  # longer than the request timeout: that is what is tested
            seed.pick = None
            d.wait_done(t, patience=90)


@case
def a_seed_that_stalls_for_long_is_not_asked_twice():
    with Daemon() as d:
        t = Torrent('patience', 2 << 20, piece_length=64 * KIB)
        d.add(t)
        with Seed(t) as seed:
            seed.pick = lambda pending: None if seed.blocks >= 20 else 0
            seed.dial(d)
            wait_for(lambda: seed.blocks >= 20, 'a start')
            time.sleep(23)  # longer than a peer may be silent before it loses its requests: 20 s
            seed.pick = None
            view = d.wait_done(t)
            equal(view['wasted'], 0)
            equal(seed.sent, t.size, 'bytes that were sent')
            equal(len(seed.requests), t.size // BLOCK, 'requests')


@case
def a_stalled_seed_hears_what_others_brought():
    with Daemon({'peers.request_timeout': '2s'}) as d:
        t = Torrent('overtaken', 2 << 20, piece_length=64 * KIB)
        d.add(t)
        with Seed(t, source='127.0.0.2') as lazy:
            lazy.pick = lambda pending: None if lazy.blocks >= 20 else 0
            lazy.dial(d)
            wait_for(lambda: lazy.blocks >= 20, 'a start')
            wait_for(lambda: len(lazy.requests) >= 30, 'requests that it sits on')
            time.sleep(4)  # its requests are given up
            with Seed(t, source='127.0.0.3', rate=400 * KIB).dial(d) as good:
                wait_for(lambda: lazy.cancels, 'a cancel')
                lazy.pick = None
                view = d.wait_done(t, patience=90)
                check(good.sent > 0 and view['wasted'] <= 256, 'wasted KiB', view['wasted'])


@case
def the_end_game_cancels_what_is_late():
    with Daemon() as d:
        t = Torrent('endgame', 1 << 20, piece_length=64 * KIB)
        d.add(t)
        with Seed(t, source='127.0.0.2', rate=5 * KIB).dial(d) as slow:
            wait_for(lambda: slow.requests, 'the slow one is asked')
            with Seed(t, source='127.0.0.3', rate=1 << 20).dial(d) as quick:
                view = d.wait_done(t)
                check(quick.sent > slow.sent, 'who sent most')
                wait_for(lambda: slow.cancels, 'a cancel reaches the slow one')
                check(view['wasted'] <= 256, 'wasted KiB', view['wasted'])


def forget(path, offset):
    """Drops a file from the page cache; skips where what lies at offset stays there."""
    fd = os.open(path, os.O_RDWR)
    try:
        os.fdatasync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.preadv(fd, [bytearray(1)], offset, os.RWF_NOWAIT)
    except BlockingIOError:
        return
    except OSError as error:
        raise Skip(f'nobody can say what is in memory: {error}') from None
    finally:
        os.close(fd)
    raise Skip('the file system keeps all in memory')


@case
def what_is_read_for_one_is_suggested_to_the_other():
    with Daemon({'store.read_cache': '1MiB'}) as d:
        t = Torrent('hinted', 8 << 20, piece_length=64 * KIB)
        d.seed(t)
        path = t.file_path(d.downloads, None)
        with Wire.open(d, t, fast=True) as one, Wire.open(d, t, fast=True, source='127.0.0.2') as two:
            for wire in (one, two):
                wire.send(HAVE_NONE)
                wire.send(INTERESTED)
                wire.wait(UNCHOKE)

            def get(piece):
                one.request(piece, 0, BLOCK)
                equal(one.wait(PIECE, SUGGEST, REJECT)[0], PIECE, 'what comes to who asked')

            def served_from_map():
                get(0)
                return d.has_mapped(path)
            wait_for(served_from_map, 'it maps the file')
            get(1)  # in memory
            forget(path, 100 * t.piece_length)
            get(100)
            equal(two.wait(SUGGEST)[1], struct.pack('>I', 100), 'the piece that had to be read')


@case
def a_choking_seed_is_asked_only_what_it_allows():
    with Daemon() as d:
        t = Torrent('allowed', 8 * 32768)
        d.add(t)
        with Wire.open(d, t, fast=True) as wire:
            wire.send(HAVE_ALL)
            wire.wait(INTERESTED)
            never(lambda: wire.is_open() and wire_has_request(wire), 'a request while choked', 0.7)
            for piece in (2, 5):
                wire.send(ALLOWED_FAST, struct.pack('>I', piece))
            got = set()
            while len(got) < 4:
                _, payload = wire.wait(REQUEST)
                piece, begin, length = struct.unpack('>III', payload)
                check(piece in (2, 5), 'asked for piece', piece)
                got.add((piece, begin))
                wire.piece(piece, begin, t.block(piece, begin, length))
            d.wait_view(t, lambda v: v['pieces_have'] == 2, 'both pieces')
            equal(d.pieces(t), [2, 5])


def wire_has_request(wire):
    at = 0
    while at + 4 < len(wire.buffer):
        if wire.buffer[at + 4] == REQUEST:
            return True
        at += 4 + struct.unpack('>I', wire.buffer[at:at + 4])[0]
    return False


@case
def seeds_that_leave_early_lose_nothing():
    with Daemon() as d:
        t = Torrent('relay', 3 << 20, piece_length=64 * KIB)
        d.add(t)
        sent = 0
        for n in range(6):
            with Seed(t, source=f'127.0.0.{2 + n}', rate=2 << 20).dial(d) as seed:
                wait_for(lambda: seed.blocks >= 24 or seed.closed, 'some blocks')
            sent += seed.sent
        with Seed(t, source='127.0.0.100').dial(d) as seed:
            d.wait_done(t)
        sent += seed.sent
        # What was on its way at each parting may be lost, nothing else.
        check(sent <= t.size + 6 * (4 << 20) / 16, 'sent', sent, 'of', t.size)


@case
def stop_and_start_fetches_nothing_again():
    with Daemon() as d:
        t = Torrent('halt', 3 << 20, piece_length=64 * KIB)
        d.add(t)
        with Seed(t, rate=2 << 20).dial(d) as first:
            d.wait_view(t, lambda v: v['pieces_have'] >= 10, 'ten pieces')
            d.ok('/stoptorrent', infohash=t.hex)
            wait_for(lambda: first.closed, 'let go')
        had = set(wait_for(lambda: d.pieces(t), 'pieces while stopped'))
        check(len(had) >= 10, 'pieces after the stop', len(had))
        d.start_torrent(t)
        with Seed(t).dial(d) as second:
            d.wait_done(t)
            check(not had & {p for p, _, _ in second.requests}, 'verified pieces were asked for again')


# --- serving


def fetch(d, t, fast=True, depth=30, order=None, source='127.0.0.50', sizes=None):
    """A leech that takes the whole torrent; returns its bytes."""
    asks = []
    for piece in range(t.pieces):
        size, at = t.piece_size(piece), 0
        while at < size:
            length = min(sizes() if sizes else BLOCK, size - at)
            asks.append((piece, at, length))
            at += length
    if order:
        order(asks)
    out, standing = bytearray(t.size), set()
    with Wire.open(d, t, fast=fast, source=source) as wire:
        wire.send_raw(b'')
        if fast:
            wire.send(HAVE_NONE)
        wire.send(INTERESTED)
        wire.wait(UNCHOKE)
        asks.reverse()
        while asks or standing:
            batch = b''
            while asks and len(standing) < depth:
                ask = asks.pop()
                standing.add(ask)
                batch += triple(REQUEST, *ask)
            if batch:
                wire.send_raw(batch)
            kind, payload = wire.recv()
            if kind == REJECT:
                ask = struct.unpack('>III', payload)
                standing.discard(ask)
                asks.insert(0, ask)
            if kind != PIECE:
                continue
            piece, begin = struct.unpack('>II', payload[:8])
            ask = (piece, begin, len(payload) - 8)
            check(ask in standing, 'served what was not asked:', ask)
            standing.discard(ask)
            start = piece * t.piece_length + begin
            out[start:start + len(payload) - 8] = payload[8:]
    return bytes(out)


@case
def serving_whole_torrents():
    noise = random.Random(9)
    with Daemon() as d:
        for t, more in [
                (Torrent('serve', 5 << 20, piece_length=512 * KIB), {}),
                (Torrent('mixed', (2 << 20) + 777, seed=2), {'order': noise.shuffle}),
                (multi(seed=3), {'sizes': lambda: noise.choice([1000, 5000, 16384, 32768])}),
                (multi('odd', seed=4), {'fast': False, 'order': noise.shuffle}),
                (Torrent('reverse', 3 << 20, seed=5), {'order': lambda asks: asks.reverse()})]:
            d.seed(t)
            equal(fetch(d, t, **more), t.content, t.name)
            wait_for(lambda: abs(d.view(t)['uploaded'] - t.size / 1024) < 0.01, 'uploaded is counted')


@case
def serving_a_long_queue_of_requests():
    with Daemon() as d:
        t = Torrent('deep', 7 << 20, piece_length=256 * KIB)
        d.seed(t)
        equal(fetch(d, t, depth=448), t.content)


@case
def serving_many_leeches_at_once():
    with Daemon({'peers.upload_slots': '20'}) as d:
        t = Torrent('many', 2 << 20, piece_length=128 * KIB)
        d.seed(t)
        fetched = at_once(lambda n: fetch(d, t, source=f'127.0.0.{50 + n}', depth=8), range(12))
        check(fetched == [t.content] * 12, 'not all have it')


@case
def more_leeches_than_slots_are_all_served_in_the_end():
    with Daemon({'peers.upload_slots': '2'}) as d:
        t = Torrent('queue', 512 * KIB)
        d.seed(t)
        fetched = at_once(lambda n: patient_fetch(d, t, f'127.0.0.{50 + n}'), range(5))
        check(fetched == [t.content] * 5, 'not all have it')


def patient_fetch(d, t, source):
    """One that waits for its turn, and leaves when it has all."""
    return fetch(d, t, source=source, depth=4)


@case
def what_is_downloaded_is_served_while_it_comes():
    with Daemon() as d:
        t = Torrent('through', 2 << 20, piece_length=64 * KIB)
        d.add(t)
        got = {}
        with Wire.open(d, t, fast=True, source='127.0.0.6') as leech, \
                Seed(t, rate=3 << 20).dial(d):
            leech.send(HAVE_NONE)
            leech.send(INTERESTED)
            unchoked, known = False, []
            while len(got) < t.pieces * 4:
                kind, payload = leech.recv()
                if kind == UNCHOKE:
                    unchoked = True
                elif kind == 0:
                    unchoked = False
                elif kind == HAVE:
                    known.append(struct.unpack('>I', payload)[0])
                elif kind == PIECE:
                    piece, begin = struct.unpack('>II', payload[:8])
                    equal(payload[8:], t.block(piece, begin, BLOCK), f'block {piece} {begin}')
                    got[piece, begin] = True
                elif kind == REJECT:
                    known.append(struct.unpack('>I', payload[:4])[0])
                while unchoked and known:
                    piece = known.pop()
                    for begin, length in t.blocks(piece):
                        if (piece, begin) not in got:
                            leech.request(piece, begin, length)
            d.wait_done(t)


lib_tap.main()
