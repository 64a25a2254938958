#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""UDP trackers (BEP 15) good and bad."""
import os
import socket
import struct
import time

import lib_tap
from lib_daemon import Daemon, free_port
from lib_peer import Seed
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent
from lib_tracker import HttpTracker, UdpTracker, contacted, tracker_of, udp_reply, wait_tracker

SIZE = 10 * 32768 + 77


@case
def started_completed_and_stopped_with_right_numbers():
    with UdpTracker() as tracker, Daemon() as d:
        t = Torrent('udp events', SIZE, trackers=[tracker.url()])
        d.add(t)
        first = tracker.wait_event('started')
        equal(first['info_hash'], t.infohash)
        equal(first['port'], d.peer_port)
        equal((first['uploaded'], first['downloaded'], first['left']), (0, 0, SIZE))
        equal(tracker.connects[0][0], 0x41727101980, 'the magic of a connect')
        view = wait_tracker(d, t, 'working')
        equal((view['seeders'], view['leechers']), (2, 3))
        with Seed(t).dial(d):
            d.wait_done(t)
            done = tracker.wait_event('completed')
        equal((done['downloaded'], done['left']), (SIZE, 0))
        equal((done['peer_id'], done['key']), (first['peer_id'], first['key']))
        d.ok('/stoptorrent', infohash=t.hex)
        equal(tracker.wait_event('stopped')['left'], 0)


@case
def stopped_is_said_at_the_end():
    with UdpTracker() as tracker, Daemon() as d:
        t = Torrent('udp end', SIZE, trackers=[tracker.url()])
        d.add(t)
        tracker.wait_event('started')
        d.terminate()
        tracker.wait_event('stopped')


@case
def peers_over_ipv4_and_ipv6_are_dialled():
    for n, host in enumerate(('127.0.0.1', '::1')):
        content = Torrent('udp peers', SIZE, seed=n)
        with Seed(content, source=host).listen() as seed, \
                UdpTracker(lambda a: [seed.address], host=host) as tracker, Daemon() as d:
            t = Torrent('udp peers', SIZE, seed=n, trackers=[tracker.url()])
            d.add(t)
            d.wait_done(t)


@case
def the_path_of_the_url_is_sent_as_an_option():
    with UdpTracker() as tracker, Daemon() as d:
        t = Torrent('udp path', SIZE, trackers=[tracker.url('/announce?pass=123')])
        d.add(t)
        announce = tracker.wait_event('started')
        if announce.tail:  # BEP 41, where it is spoken
            check(b'/announce?pass=123' in announce.tail, announce.tail)


@case
def an_error_packet_is_shown():
    for words in ('you are banned', '', 'x' * 1200, 'ctrl \x1b\n\x00'):
        with UdpTracker(lambda a: RuntimeError(words)) as tracker, Daemon() as d:
            t = Torrent('udp error', SIZE, trackers=[tracker.url()])
            d.add(t)
            view = wait_tracker(d, t, 'error')
            check(words[:4] in view['message'] or not words, view['message'])
            check(all(ord(c) >= 32 for c in view['message']), repr(view['message']))


@case
def an_error_to_the_connect_is_shown():
    with UdpTracker(on_connect=lambda tx: struct.pack('>II', 3, tx) + b'go away') as tracker, Daemon() as d:
        t = Torrent('udp refused', SIZE, trackers=[tracker.url()])
        d.add(t)
        check('go away' in wait_tracker(d, t, 'error')['message'], tracker_of(d, t))


@case
def answers_with_a_wrong_transaction_are_not_believed():
    peer = ('127.0.0.1', 1)

    def lie(announce):
        return udp_reply(announce.transaction ^ 1, [peer], seeders=99)

    with UdpTracker(lie) as tracker, Daemon({'tracker.timeout': '2s'}) as d:
        t = Torrent('udp liar', SIZE, trackers=[tracker.url()])
        d.add(t)
        equal(wait_tracker(d, t, 'error')['peers'], 0)
    with UdpTracker(on_connect=lambda tx: struct.pack('>IIQ', 0, tx ^ 1, 5)) as tracker, \
            Daemon({'tracker.timeout': '2s'}) as d:
        t = Torrent('udp liar', SIZE, trackers=[tracker.url()])
        d.add(t)
        wait_tracker(d, t, 'error')
        equal(tracker.announces, [])


@case
def answers_from_another_port_are_not_believed():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(('127.0.0.1', 0))
        sources = []

        def elsewhere(announce):
            other.sendto(udp_reply(announce.transaction, [('127.0.0.1', 1)], seeders=66), sources[-1])
            return None

        with UdpTracker(elsewhere) as tracker, Daemon({'tracker.timeout': '2s'}) as d:
            receive = tracker.sock.recvfrom

            class Spy:
                def __getattr__(self, name):
                    return getattr(tracker.real, name)

                def recvfrom(self, size):
                    data, source = receive(size)
                    sources.append(source)
                    return data, source

            tracker.real, tracker.sock = tracker.sock, Spy()
            t = Torrent('udp spoof', SIZE, trackers=[tracker.url()])
            d.add(t)
            view = wait_tracker(d, t, 'error')
            equal((view['peers'], view['seeders'] == 66), (0, False))


@case
def garbage_and_short_packets():
    def pick(tx, n):
        return [b'', b'x', bytes(7), bytes(8), struct.pack('>II', 1, tx), struct.pack('>II', 99, tx) + bytes(30),
                struct.pack('>II', 0, tx) + bytes(8), struct.pack('>IIII', 1, tx, 5, 5), os.urandom(100),
                udp_reply(tx, [])[:-1], struct.pack('>II', 3, tx)[:7]][n]

    with Daemon({'tracker.timeout': '2s'}) as d:
        trackers, torrents = [], []
        try:
            for n in range(11):
                trackers.append(UdpTracker(lambda a, n=n: pick(a.transaction, n)))
                torrents.append(Torrent(f'udp junk{n}', SIZE, seed=n, trackers=[trackers[-1].url()]))
                d.add(torrents[-1])
                trackers.append(UdpTracker(on_connect=lambda tx, n=n: pick(tx, n)))
                torrents.append(Torrent(f'udp hello{n}', SIZE, seed=100 + n, trackers=[trackers[-1].url()]))
                d.add(torrents[-1])
            for t in torrents:
                if t.name == 'udp hello6':  # a good answer to a connect, whose id the tracker denies
                    continue
                wait_tracker(d, t, 'error')
        finally:
            for tracker in trackers:
                tracker.close()


@case
def odd_tails_of_peers():
    for extra in (b'', b'\x7f', b'\x7f\0\0\1\0', bytes(6) * 1000):
        with UdpTracker(lambda a: udp_reply(a.transaction, []) + extra) as tracker, Daemon() as d:
            t = Torrent('udp tail', SIZE, trackers=[tracker.url()])
            d.add(t)
            wait_for(lambda: contacted(d, t), 'it is contacted')


@case
def intervals_out_of_bounds_do_not_hammer():
    for interval in (0, 1 << 31, 0xffffffff):
        with UdpTracker(interval=interval) as tracker, Daemon({'tracker.min_interval': '60s'}) as d:
            t = Torrent('udp interval', SIZE, trackers=[tracker.url()])
            d.add(t)
            wait_tracker(d, t, 'working')
            time.sleep(1)  # one who hammers would be seen in this time
            check(len(tracker.announces) == 1, len(tracker.announces), 'announces')


@case
def silence_is_repeated_and_then_an_error():
    with UdpTracker(lambda a: None) as tracker, Daemon({'tracker.timeout': '2s'}) as d:
        t = Torrent('udp mute', SIZE, trackers=[tracker.url()])
        d.add(t)
        wait_tracker(d, t, 'error')


@case
def silence_does_not_delay_the_stop():
    with UdpTracker(on_connect=lambda tx: None) as mute, UdpTracker(lambda a: None) as half, Daemon() as d:
        for n in range(20):
            d.add(Torrent(f'udp stop{n}', SIZE, seed=n, trackers=[(mute if n % 2 else half).url()]))
        wait_for(lambda: mute.connects and half.announces, 'both are asked')
        d.terminate()


@case
def a_lost_datagram_is_sent_again():
    lost = []

    def answer(announce):
        if len(lost) < 1:
            lost.append(announce)
            return None
        return []

    with UdpTracker(answer) as tracker, Daemon({'tracker.timeout': '60s'}) as d:
        t = Torrent('udp lost', SIZE, trackers=[tracker.url()])
        d.add(t)
        wait_tracker(d, t, 'working', patience=60)


@case
def udp_falls_over_to_http():
    with HttpTracker() as alive, Daemon({'tracker.timeout': '2s'}) as d:
        t = Torrent('udp dead', SIZE, trackers=[f'udp://127.0.0.1:{free_port()}/x', alive.url()])
        d.add(t)
        alive.wait_event('started')


lib_tap.main()
