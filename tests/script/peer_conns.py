#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Connections as a whole: its own address, limits, who gives way, peers that do not read."""
import os
import socket
import struct
import time

import lib_tap
from lib_daemon import Daemon
from lib_peer import (BITFIELD, Closed, HAVE_NONE, INTERESTED, REJECT, REQUEST, Seed, UNCHOKE, Wire, hello,
                      new_id, reserved, triple)
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
            flood(wire, (triple(REQUEST, 25, 0, BLOCK) + triple(8, 25, 0, BLOCK)) * 4096, 64 << 20)
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


lib_tap.main()
