#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Rate limits on real sockets.

A busy machine may slow anything down, so what is checked strictly is that a limit is never exceeded; the simulated
swarms check the other side. All peers here are neighbours of the daemon, hence lan.limited.
"""
import signal
import struct
import threading
import time

import lib_tap
from lib_daemon import Daemon
from lib_peer import (Closed, HAVE_ALL, HAVE_NONE, INTERESTED, REQUEST, Seed, UNCHOKE, Wire, message, triple)
from lib_tap import case, check, wait_for
from lib_torrent import BLOCK, Torrent

KIB, MIB = 1024, 1024 * 1024
LIMITED = {'lan.limited': 'true'}


class Leech:
    """Keeps `depth` blocks asked for, in a thread, and looks at nothing but the number of bytes."""

    def __init__(self, daemon, torrent, depth, source='127.0.0.50'):
        self.torrent, self.depth, self.bytes, self.stopping = torrent, depth, 0, False
        self.wire = Wire.open(daemon, torrent, fast=True, source=source)
        self.wire.send(HAVE_NONE)
        self.wire.send(INTERESTED)
        self.wire.wait(UNCHOKE)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        blocks = [triple(REQUEST, piece, *block)
                  for piece in range(self.torrent.pieces) for block in self.torrent.blocks(piece)]
        asked, sock = 0, self.wire.sock
        try:
            while not self.stopping:
                missing = self.depth - (asked - self.bytes // (BLOCK + 13))
                if missing > 0:
                    sock.sendall(b''.join(blocks[(asked + i) % len(blocks)] for i in range(missing)))
                    asked += missing
                got = len(sock.recv(1 << 20))
                if got == 0:
                    return
                self.bytes += got
        except (OSError, Closed):
            return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.wire.close()
        self.thread.join(5)


def watch(count, rate, seconds, least):
    """count() grows by at most rate in every stretch from the beginning, and by `least` of it in all."""
    start, before = time.monotonic(), count()
    while True:
        now = count() - before  # first the bytes, then the time: a pause between them excuses nothing
        took = time.monotonic() - start
        check(now <= rate * (took + 1 / 12) + 128, f'{now} bytes in {took:.2f} s at {rate} B/s')
        if took >= seconds:
            break
        time.sleep(0.02)
    check(now >= least * rate * took, f'only {now} bytes in {took:.2f} s at {rate} B/s')


@case
def an_upload_at_4_kib_holds():
    with Daemon(LIMITED) as d:
        t = Torrent('trickle', 256 * KIB)
        d.seed(t, maxup=4)
        with Leech(d, t, 8) as leech:
            watch(lambda: leech.bytes, 4 * KIB, 10, 0.85)


@case
def a_download_at_4_kib_holds():
    with Daemon(LIMITED) as d:
        t = Torrent('trickle', 3 * BLOCK, piece_length=BLOCK)
        d.add(t, maxdown=4)
        started = time.monotonic()
        with Seed(t).dial(d):
            d.wait_done(t)
        took = time.monotonic() - started
        check(11.6 < took < 15, f'48 KiB at 4 KiB/s took {took:.1f} s')


@case
def an_upload_at_100_mib_holds():
    with Daemon(LIMITED) as d:
        t = Torrent('flood', 64 * MIB, piece_length=MIB)
        d.seed(t)
        d.ok('/setglobaluprate', rate=100 * KIB)
        with Leech(d, t, 400) as leech:
            watch(lambda: leech.bytes, 100 * MIB, 4, 0.3)


def serve_quickly(wire, torrent):
    """Answers requests without looking at anything else."""
    wire.send_raw(message(HAVE_ALL) + message(UNCHOKE))
    content = torrent.content
    try:
        while True:
            kind, payload = wire.recv()
            if kind != REQUEST:
                continue
            piece, begin, length = struct.unpack('>III', payload)
            at = piece * torrent.piece_length + begin
            wire.piece(piece, begin, content[at:at + length])
    except (OSError, Closed):
        return


@case
def a_download_at_100_mib_holds():
    with Daemon(LIMITED) as d:
        t = Torrent('flood', 200 * MIB, piece_length=MIB)
        d.add(t)
        d.ok('/setglobaldownrate', rate=100 * KIB)
        started = time.monotonic()
        with Wire.open(d, t, fast=True) as wire:
            thread = threading.Thread(target=serve_quickly, args=(wire, t), daemon=True)
            thread.start()
            wait_for(lambda: d.view(t)['status'] == 'seeding', 'it is done')
            took = time.monotonic() - started
        thread.join(5)
        check(1.9 < took < 7, f'200 MiB at 100 MiB/s took {took:.1f} s')


@case
def neighbours_are_limited_by_their_own_limits_live():
    with Daemon(config='[upload]\nmax_rate = 20KiB/s\n') as d:
        t = Torrent('near', 4 * MIB, piece_length=64 * KIB)
        d.seed(t, maxup=20)

        def reload(text):
            changed = d.log().count('config_changed')
            d.write_config('[upload]\nmax_rate = 20KiB/s\n[lan]\n' + text)
            d.process.send_signal(signal.SIGHUP)
            wait_for(lambda: d.log().count('config_changed') > changed, 'it is reloaded')
            time.sleep(0.3)

        with Leech(d, t, 8) as leech:
            wait_for(lambda: leech.bytes > 8 * MIB, 'it is not limited')
            reload('upload_max_rate = 100KiB/s\n')
            watch(lambda: leech.bytes, 100 * KIB, 2, 0.6)
            reload('upload_max_rate = 100KiB/s\nlimited = true\n')
            watch(lambda: leech.bytes, 20 * KIB, 2, 0.6)
            before = leech.bytes
            reload('limited = false\n')
            wait_for(lambda: leech.bytes > before + 8 * MIB, 'it is not limited any more')


@case
def a_download_limit_holds():
    with Daemon(LIMITED) as d:
        for setting in ('add', 'set', 'global'):
            t = Torrent(f'slow {setting}', 1500 * KIB, seed=len(setting), piece_length=64 * KIB)
            d.add(t, **({'maxdown': 300} if setting == 'add' else {}))
            if setting == 'set':
                d.ok('/setdownrate', infohash=t.hex, rate=300)
            if setting == 'global':
                d.ok('/setglobaldownrate', rate=300)
            started = time.monotonic()
            with Seed(t).dial(d):
                d.wait_done(t)
            took = time.monotonic() - started
            check(took > 3.0, f'{setting}: 1500 KiB at 300 KiB/s took {took:.1f} s')
            d.ok('/setdownrate', infohash=t.hex, rate=0)


@case
def the_smaller_of_two_limits_counts():
    with Daemon(LIMITED) as d:
        t = Torrent('two', MIB, piece_length=64 * KIB)
        d.seed(t)
        for own, everything in ((300, 0), (300, 100), (50, 100), (0, 100)):
            d.ok('/setuprate', infohash=t.hex, rate=own)
            d.ok('/setglobaluprate', rate=everything)
            with Leech(d, t, 8) as leech:
                watch(lambda: leech.bytes, KIB * min(n for n in (own, everything) if n), 2, 0.6)


@case
def shards_share_the_global_limit():
    rate = 400 * KIB
    with Daemon({**LIMITED, 'peers.shards': '2'}) as d:
        first, second = (next(t for t in (Torrent(f'{n} {i}', MIB, seed=i) for i in range(100))
                              if t.infohash[0] % 2 == n) for n in (0, 1))
        d.seed(first)
        d.seed(second)
        d.ok('/setglobaluprate', rate=400)
        with Leech(d, first, 32) as a:
            time.sleep(2)  # until the other shard has given its share away
            watch(lambda: a.bytes, rate, 3, 0.8)
            with Leech(d, second, 32, source='127.0.0.51') as b:
                time.sleep(2)
                before = a.bytes, b.bytes
                watch(lambda: a.bytes + b.bytes, rate, 3, 0.8)
                part = (b.bytes - before[1]) / max(a.bytes - before[0], 1)
                check(0.6 < part < 1.6, f'one gets {part:.2f} of what the other gets')
            time.sleep(2)
            watch(lambda: a.bytes, rate, 2, 0.8)


@case
def a_limit_lifted_is_felt_at_once():
    with Daemon(LIMITED) as d:
        t = Torrent('lifted', 4 << 20, piece_length=64 * KIB)
        d.add(t, maxdown=50)
        with Seed(t).dial(d):
            d.wait_view(t, lambda v: v['downloaded'] > 0, 'it runs')
            check(d.view(t)['status'] == 'downloading', 'limited')
            d.ok('/setdownrate', infohash=t.hex, rate=0)
            d.wait_done(t, patience=30)


lib_tap.main()
