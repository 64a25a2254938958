#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Clients that are slow, many or greedy: what the others see of it, and what memory it costs."""
import socket
import threading
import time

import lib_tap
from lib_daemon import MEASURABLE, Daemon, exchange
from lib_tap import PATIENCE, at_once, case, check, equal, wait_for
from lib_torrent import Torrent

MIB = 1 << 20


def rss(d):
    """Bytes of its own memory, without mapped files."""
    with open(f'/proc/{d.process.pid}/status', encoding='ascii') as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith('RssAnon'))


def connect(d):
    return socket.create_connection(('127.0.0.1', d.api_port), timeout=PATIENCE)


def send(s, data):
    """Sends what the other side takes; false: it has closed."""
    try:
        s.sendall(data)
        return True
    except OSError:
        return False


class Drips:
    """Connections that send a byte now and then."""

    def __init__(self, d, number, begin):
        self.sockets, self.lost, self.stop = [connect(d) for _ in range(number)], 0, threading.Event()
        for s in self.sockets:
            send(s, begin)
        self.thread = threading.Thread(target=self.drip)
        self.thread.start()

    def drip(self):
        while not self.stop.wait(0.5):
            self.lost = sum(not send(s, b'x') for s in self.sockets)

    def close(self):
        self.stop.set()
        self.thread.join()
        for s in self.sockets:
            s.close()


def dripping(begin):
    with Daemon({'api.connections': 32}) as d:
        drips = Drips(d, 32, begin)
        try:
            for _ in range(20):
                started = time.monotonic()
                equal(d.get('/healthz').status, 200)
                check(time.monotonic() - started < 5, 'it took', time.monotonic() - started, 's')
            check(at_once(lambda _: d.get('/alldata').status, range(24)) == [200] * 24, 'many at once')
        finally:
            drips.close()


@case
def headers_that_drip_take_nobodys_place():
    dripping(b'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ')


@case
def a_header_has_a_time_in_all():
    with Daemon() as d:
        drips = Drips(d, 3, b'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ')
        started = time.monotonic()
        try:
            wait_for(lambda: drips.lost == 3, 'those that drip are closed')
            check(time.monotonic() - started > 8, 'after', time.monotonic() - started, 's')
        finally:
            drips.close()


def upload(d, size, sent):
    """A connection on which that much of a body has been sent, as far as it was taken."""
    s = connect(d)
    s.sendall(b'POST /addtorrentfile HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n' % size)
    s.settimeout(5)
    send(s, b'd' * sent)
    return s


def is_given_back(d, before):
    if MEASURABLE:
        wait_for(lambda: rss(d) - before < 6 * MIB, lambda: f'memory is given back; {(rss(d) - before) / MIB:.0f} MiB')


@case
def bodies_under_way_are_bounded_together():
    with Daemon() as d:
        before = rss(d)
        held = at_once(lambda _: upload(d, 10 * MIB, 9 * MIB), range(40))
        most = rss(d) - before
        refused = [got for got in at_once(lambda s: exchange_some(s), held) if got.startswith(b'HTTP/1.1 503')]
        print(f'# 40 bodies of 9 MiB: {most / MIB:.0f} MiB, {len(refused)} refused')
        check(most < 110 * MIB or not MEASURABLE, f'{most / MIB:.0f} MiB')
        check(refused and all(b'Retry-After' in got for got in refused), 'nobody was told to come again')
        check(len(refused) < 40, 'all were refused')
        equal(d.get('/healthz').status, 200)
        for s in held:
            s.close()
        is_given_back(d, before)
        d.add(Torrent('after', 1000), start='false')


def exchange_some(s):
    """What has been answered so far."""
    s.settimeout(0.5)
    try:
        return s.recv(4096)
    except OSError:
        return b''


@case
def memory_of_garbage_is_given_back():
    with Daemon() as d:
        before = rss(d)
        noise = bytes(range(256)) * (40 * 1024)
        for _ in range(4):
            statuses = at_once(lambda _: d.http('POST', '/addtorrentfile', None, b'l' + noise[:-1]).status, range(12))
            check(set(statuses) <= {400, 503}, statuses)
        is_given_back(d, before)


@case
def an_endless_body_is_answered_in_its_midst():
    with Daemon({'api.body_limit': '64KiB'}) as d:
        with connect(d) as s:
            s.sendall(b'POST /addtorrentfile HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n')
            for _ in range(4):
                s.sendall(b'8000\r\n' + b'd' * 0x8000 + b'\r\n')
            got = exchange(s, b'')
            check(got.startswith(b'HTTP/1.1 413') and b'api.body_limit' in got, got[:300])
            equal(got.count(b'HTTP/1.1'), 1, 'answers')


if __name__ == '__main__':
    lib_tap.main()
