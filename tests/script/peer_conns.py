#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Connections as a whole: its own address, limits, who gives way, peers that do not read."""
import os
import signal
import socket
import time

import lib_tap
from lib_daemon import Daemon
from lib_peer import BITFIELD, CANCEL, HAVE_NONE, INTERESTED, PIECE, REQUEST, Seed, UNCHOKE, Wire, triple
from lib_tap import case, check, equal, wait_for
from lib_torrent import BLOCK, Torrent, bits_of
from lib_tracker import HttpTracker, http_reply, reply_body

KIB = 1024


def resident(daemon):
    """KiB of memory that the daemon holds."""
    with open(f'/proc/{daemon.process.pid}/status') as f:
        return int(next(line for line in f if line.startswith('VmRSS:')).split()[1])


def flood(wire, data, total):
    """Sends up to `total` bytes and reads nothing; how many the daemon took."""
    wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    wire.sock.settimeout(1)
    sent = 0
    try:
        while sent < total:
            sent += wire.sock.send(data)
    except (TimeoutError, ConnectionResetError, BrokenPipeError):
        pass
    return sent


@case
def who_asks_without_end_and_does_not_read_costs_no_memory():
    with Daemon() as d:
        t = Torrent('flood', 40 * 32768)
        d.seed(t)
        before = resident(d)
        with Wire.open(d, t, fast=True) as choked:
            choked.send(BITFIELD, bits_of(t.pieces, range(20)))  # too many to be given any for nothing
            flood(choked, triple(REQUEST, 25, 0, BLOCK) * 4096, 64 << 20)
            check(resident(d) - before < 24 * KIB, 'it grew by', resident(d) - before, 'KiB')
        with Wire.open(d, t, fast=True) as wire:
            wire.send(HAVE_NONE)
            wire.send(INTERESTED)
            wire.wait(UNCHOKE)
            flood(wire, (triple(REQUEST, 25, 0, BLOCK) + triple(CANCEL, 25, 0, BLOCK)) * 4096, 64 << 20)
            check(resident(d) - before < 24 * KIB, 'it grew by', resident(d) - before, 'KiB')


@case
def its_own_address_is_dialled_once():
    with Daemon() as d:
        with HttpTracker(lambda a: http_reply(reply_body([('127.0.0.1', d.peer_port), ('::1', d.peer_port)], 5))) as tracker:
            t = Torrent('self', 10 * 32768, trackers=[tracker.url()])
            d.add(t)
            wait_for(lambda: d.log().count('what=self') >= 2, 'it finds itself')
            wait_for(lambda: len(tracker.announces) >= 2, 'another announce')
            time.sleep(2)
            # Both ends of one connection say so.
            equal(d.log().count('what=self'), 4, 'meetings with itself, by either end')


class Pits:
    """Addresses where a connection begins and is never answered."""

    def __init__(self, n):
        self.listeners, self.fillers = [], []
        for _ in range(n):
            s = socket.socket()
            s.bind(('127.0.0.1', 0))
            s.listen(0)
            self.listeners.append(s)
            self.addresses = [x.getsockname() for x in self.listeners]
            for _ in range(2):  # what the backlog takes
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(s.getsockname())
                self.fillers.append(filler)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for s in self.listeners + self.fillers:
            s.close()


def dialling(daemon, torrent):
    return [p['host'] for p in daemon.view(torrent)['Peers'] if not p['connected']]


def naming(addresses):
    return HttpTracker(lambda a: http_reply(reply_body(addresses)))


@case
def half_open_connections_are_few_and_all_get_their_turn():
    limit = 6
    with Pits(20) as pits, naming(pits.addresses) as tracker, \
            Daemon({'peers.half_open': limit, 'peers.connect_timeout': '1s'}) as d:
        # So that each shard has one: some torrents with the same dead peers.
        torrents = [Torrent(f'pits {n}', 4 * 32768, seed=n, trackers=[tracker.url()]) for n in range(4)]
        for t in torrents:
            d.add(t)
        most = 0

        def timed_out():
            return [d.log().count(f'peer={h}:{p} err=TIMEOUT') for h, p in pits.addresses]

        def look():
            nonlocal most
            # Each view has a time of its own, and a place may move from one torrent to the next between two of
            # them: too many last a second, and so are in several sums.
            most = max(most, min(sum(len(dialling(d, t)) for t in torrents) for _ in range(4)))
            return all(n >= len(torrents) for n in timed_out())

        wait_for(look, lambda: f'all are dialled: {timed_out()}', 60)
        check(1 < most <= limit, 'half open at once:', most)
        equal(timed_out(), [len(torrents)] * 20, 'dialled again before the time')


def naps(daemon):
    """How often the threads that serve peers went to sleep."""
    total = 0
    for task in os.listdir(f'/proc/{daemon.process.pid}/task'):
        base = f'/proc/{daemon.process.pid}/task/{task}/'
        with open(base + 'comm') as comm, open(base + 'status') as status:
            if comm.read().startswith('peers'):
                total += int(next(x for x in status if x.startswith('voluntary')).split()[1])
    return total


@case
def who_waits_for_room_costs_nothing_and_gets_it():
    with Daemon({'peers.max': 3, 'peers.shards': 1}) as d:
        first = Torrent('first', 40 * 32768, seed=9)
        with Seed(first, choking=True).listen() as a, Seed(first, choking=True).listen() as b, \
                Seed(first, choking=True).listen() as c, \
                naming([s.address for s in (a, b, c)]) as tracker:
            first = Torrent('first', 40 * 32768, seed=9, trackers=[tracker.url()])
            d.add(first)
            wait_for(lambda: a.connections + b.connections + c.connections == 3, 'all room is taken')
            others = [Torrent(f'other {n}', 32768, seed=n) for n in range(30)]
            seeds = [Seed(t).listen() for t in others]
            trackers = [naming([s.address]) for s in seeds]
            for t, tracker in zip(others, trackers):
                t = Torrent(t.name, 32768, seed=others.index(t), trackers=[tracker.url()])
                d.add(t)
            wait_for(lambda: all(x.announces for x in trackers), 'all have asked')
            time.sleep(1)
            before = naps(d)
            time.sleep(2)
            check(naps(d) - before < 60, 'the thread woke up', naps(d) - before, 'times in 2 s')
            check(not any(s.connections for s in seeds), 'more than peers.max')
            a.stop()
            started = time.monotonic()
            for t in others:
                d.wait_done(t)
            check(time.monotonic() - started < 10, 'they took turns in', time.monotonic() - started, 's')
            for s in seeds + trackers:
                getattr(s, 'stop', getattr(s, 'close', None))()


@case
def lowered_limits_close_who_is_missed_least():
    torrents = [Torrent(f'lowered {n}', 64 * BLOCK, seed=n) for n in range(2)]
    with Daemon(config='[peers]\nshards = 1\n') as d:
        wires = []
        for t in torrents:
            d.seed(t)
            wires += [Wire.open(d, t, source=f'127.0.0.{len(wires) + n + 2}') for n in range(5)]
        used = wires[3]
        used.send(INTERESTED)
        used.wait(UNCHOKE)

        def connected():
            used.request(0, 0, BLOCK)
            used.wait(PIECE)
            return [len(d.view(t)['Peers']) for t in torrents]

        def lower(text):
            d.write_config('[peers]\nshards = 1\n' + text)
            d.process.send_signal(signal.SIGHUP)
        wait_for(lambda: connected() == [5, 5], 'all are connected')
        lower('max_per_torrent = 3\n')
        wait_for(lambda: connected() == [3, 3], connected)
        lower('max = 3\n')
        wait_for(lambda: sum(connected()) == 3, connected)
        check(0 not in connected(), 'each torrent keeps a peer')
        lower('max = 3\nmax_per_torrent = 1\n')
        wait_for(lambda: connected() == [1, 1], connected)
        for wire in wires:
            wire.close()


lib_tap.main()
