#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What peers tell each other of peers (BEP 11), and what a private torrent does not say (BEP 27)."""
import signal
import socket

import lib_tap
from lib_daemon import Daemon
from lib_peer import BITFIELD, EXTENDED, HAVE_NONE, INTERESTED, UNCHOKE, Seed, Wire, parse_extended
from lib_tap import case, check, equal, never
from lib_torrent import Torrent, bdecode, bencode, bits_of

OURS = 33  # what the scripted peers call ut_pex


def compact(ip, port):
    return socket.inet_aton(ip) + port.to_bytes(2, 'big')


def shake(daemon, torrent, source, port=None, pex=True):
    """A connection that has said what it takes, and what the daemon offers."""
    wire = Wire.open(daemon, torrent, fast=True, extended=True, source=source)
    wire.send(HAVE_NONE)
    says = {'m': {'ut_pex': OURS} if pex else {}}
    if port:
        says['p'] = port
    wire.send(EXTENDED, b'\0' + bencode(says))
    wire.offers = parse_extended(wire.wait(EXTENDED)[1])
    return wire


def name_peer(wire, ip, port, their_id=None):
    message = bencode({'added': compact(ip, port), 'added.f': b'\0', 'dropped': b''})
    wire.send(EXTENDED, bytes([their_id or wire.offers[b'm'][b'ut_pex']]) + message)


def hear(wire):
    """The next message of gossip."""
    while True:
        payload = wire.wait(EXTENDED)[1]
        if payload[0] == OURS:
            return bdecode(payload[1:])


@case
def who_is_connected_is_told_to_the_others_at_once():
    with Daemon() as d:
        t = Torrent('taught', 10 * 32768)
        d.seed(t)
        with shake(d, t, '127.0.0.2') as one, shake(d, t, '127.0.0.3', port=7777):
            said = hear(one)
            equal(said[b'added'], compact('127.0.0.3', 7777))
            equal(said[b'added.f'], b'\0', 'flags')
            equal(sorted(said), [b'added', b'added.f', b'added6', b'added6.f', b'dropped', b'dropped6'])


@case
def a_seed_that_a_peer_names_is_enough():
    with Daemon() as d, Seed(t := Torrent('learnt', 20 * 32768), source='127.0.0.4').listen() as seed:
        d.add(t)
        d.wait_ready(t)
        with shake(d, t, '127.0.0.2') as one:
            name_peer(one, *seed.address)
            d.wait_done(t)


@case
def a_flood_ends_the_connection():
    with Daemon() as d:
        t = Torrent('flood', 10 * 32768)
        d.seed(t)
        with shake(d, t, '127.0.0.2') as one:
            for i in range(7):  # one is taken, six come too early
                name_peer(one, '127.0.0.9', 2000 + i)
            one.send(INTERESTED)
            one.wait(UNCHOKE)
            name_peer(one, '127.0.0.9', 2007)
            one.wait_closed()


@case
def a_private_torrent_says_and_hears_nothing():
    with Daemon() as d, Seed(t := Torrent('private', 20 * 32768, private=True), source='127.0.0.4').listen() as seed:
        d.add(t)
        d.wait_ready(t)
        with shake(d, t, '127.0.0.2') as one, shake(d, t, '127.0.0.3', port=7777) as two:
            for wire in one, two:
                check(b'ut_pex' not in wire.offers[b'm'], 'it offers', wire.offers)
                check(b'ut_metadata' not in wire.offers[b'm'], 'it offers', wire.offers)
                name_peer(wire, *seed.address, their_id=1)
            never(lambda: seed.connections, 'it dials whom a peer has named', 2)
            for wire in one, two:
                wire.send(BITFIELD, bits_of(t.pieces, []))
                heard = []
                try:
                    while True:
                        heard.append(wire.recv(0.5))
                except TimeoutError:
                    pass
                check(not [m for m in heard if m[0] == EXTENDED], 'it says', heard)


@case
def it_may_be_switched_off_and_on():
    with Daemon(config='[peers]\npex = false\n') as d:
        t = Torrent('off', 10 * 32768)
        d.seed(t)
        with shake(d, t, '127.0.0.2') as one, shake(d, t, '127.0.0.3', port=7777):
            check(b'ut_pex' not in one.offers[b'm'], 'it offers', one.offers)
            d.write_config('[peers]\npex = true\n')
            d.process.send_signal(signal.SIGHUP)
            offers = parse_extended(one.wait(EXTENDED)[1])
            check(offers[b'm'][b'ut_pex'] > 0, 'it offers', offers)
            equal(hear(one)[b'added'], compact('127.0.0.3', 7777))


lib_tap.main()
