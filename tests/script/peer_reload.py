#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A reload reaches the torrents that are running: upload slots, request queues, patience with a request."""
import signal

import lib_tap
from lib_daemon import Daemon
from lib_peer import BITFIELD, EXTENDED, HAVE_ALL, INTERESTED, REJECT, REQUEST, UNCHOKE, Wire, parse_extended, triple
from lib_tap import case, check, equal, wait_for
from lib_torrent import BLOCK, Torrent, bits_of

PIECE_LENGTH = 32768


def make():
    return Torrent('reloaded', 3 * PIECE_LENGTH, PIECE_LENGTH)


def reload(d, text):
    seen = d.log().count('config_changed')
    d.write_config(f'[peers]\n{text}\n')
    d.process.send_signal(signal.SIGHUP)
    wait_for(lambda: d.log().count('config_changed') > seen, 'it is reloaded')


def gets_a_slot(wire, patience):
    try:
        wire.wait(UNCHOKE, patience=patience)
        return True
    except TimeoutError:
        return False


@case
def upload_slots():
    t = make()
    with Daemon(config='[peers]\nupload_slots = 1\n') as d:
        d.seed(t)
        wires = [Wire.open(d, t, source=f'127.0.0.{i + 2}') for i in range(6)]
        for wire in wires:
            wire.send(INTERESTED)
        waiting = [wire for wire in wires if not gets_a_slot(wire, 0.5)]
        check(len(waiting) >= 2, 'with one slot', len(waiting), 'of 6 wait')
        reload(d, 'upload_slots = 8')
        for wire in waiting:
            wire.wait(UNCHOKE, patience=25)  # by the next round
        for wire in wires:
            wire.close()


def told_queue(d, t):
    """What a peer that comes now is told it may leave unanswered."""
    with Wire.open(d, t, extended=True, source='127.0.0.3') as wire:
        return parse_extended(wire.wait(EXTENDED)[1])[b'reqq']


@case
def request_queue():
    t = make()
    with Daemon(config='[peers]\nrequest_queue = 77\n') as d:
        d.seed(t)
        equal(told_queue(d, t), 77)
        with Wire.open(d, t, fast=True, source='127.0.0.2') as wire:
            wire.wait(HAVE_ALL)
            wire.send(INTERESTED)
            wire.wait(UNCHOKE)
            reload(d, 'request_queue = 1')
            wait_for(lambda: told_queue(d, t) == 1, 'a new peer is told the new queue')
            asked = [triple(REQUEST, piece, 0, BLOCK) for piece in range(t.pieces)] * 20
            wire.send_raw(b''.join(asked))  # in one: more than one, fewer than 77
            wire.wait(REJECT)


@case
def request_timeout():
    t = Torrent('timeout', 2 * BLOCK)  # as much as is asked of whom nothing is known
    with Daemon() as d:
        d.add(t)
        with Wire.open(d, t) as wire:
            wire.send(BITFIELD, bits_of(t.pieces, range(t.pieces)))
            wire.send(UNCHOKE)
            asked = {wire.wait(REQUEST)[1] for _ in range(t.size // BLOCK)}
            equal(len(asked), t.size // BLOCK, 'blocks that were asked')
            try:
                wire.wait(REQUEST, patience=3)
                check(False, 'it asked again although nothing was late')
            except TimeoutError:
                pass
            reload(d, 'request_timeout = 1s')
            again = {wire.wait(REQUEST)[1] for _ in asked}  # a peer that is merely slow is asked for a few
            equal(again, asked, 'blocks that were asked again')


lib_tap.main()
