#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Trackers over HTTP and UDP, IPv4 and IPv6, and the counts that we show of what they say."""
from lib_case import Program, run
from lib_clients import Libtorrent, Transmission
from lib_lab import Failure, poll
from lib_made import make
from lib_ours import Torrentd, pieces
from lib_swarm import Swarm
from lib_trackers import Opentracker, SmallTracker

PIECE = 64 << 10
SIZE = (4 << 20) + 77
DEAD = 'http://10.77.0.253:1/announce'


def check_tracker(ours, torrent, url):
    """What we show of a tracker that works: the counts that it gave, and when."""
    def shown():
        trackers = {view['url']: view for view in ours.view(torrent)['trackers']}
        if url not in trackers:
            raise Failure(f'{url} is not among the trackers: {sorted(trackers)}')
        view = trackers[url]
        return view if view['status'] == 'working' and view['lastannounce'] and view['seeders'] >= 1 else None
    poll(shown, 15, f'{url} is shown as working, with at least one seed')


def transfer(lab, random, kind, udp, six, seed, leech, dead=False):
    original = lab.place('original')
    torrent = make(original, 'tracked.bin', SIZE, PIECE, random)
    host = lab.host()
    tracker = Opentracker(host, [torrent]) if kind is Opentracker else SmallTracker(host, host.ip6 if six else host.ip4)
    url = tracker.udp if udp else tracker.http
    swarm = Swarm(lab, torrent, original, tracker, urls=[DEAD, url] if dead else [url])
    first = swarm.seed(seed)
    second = swarm.leech(leech)
    swarm.finish()
    tracker.wait(torrent, 2)
    check_tracker(first if seed is Torrentd else second, torrent, url)


def counts(lab, random):
    """What opentracker counts is what we show, and a slow transfer shows the peer it comes from."""
    original = lab.place('original')
    torrent = make(original, 'counted.bin', SIZE, PIECE, random)
    tracker = Opentracker(lab.host(), [torrent])
    swarm = Swarm(lab, torrent, original, tracker)
    seed = swarm.seed(Libtorrent, up_rate=1000000)
    ours = swarm.leech(Torrentd)
    peer = poll(lambda: [peer for peer in ours.view(torrent)['Peers'] if peer['downrate'] > 0], 15, 'a peer is shown')[0]
    wanted = {'host': f'{seed.host.ip4}:6881', 'bitfield_length': torrent.pieces, 'relevence': 1.0}
    if {key: peer[key] for key in wanted} != wanted or not peer['ID'] or pieces(peer) != set(range(torrent.pieces)):
        raise Failure(f'the seed is shown as {peer}')
    tracker.wait(torrent, 1, 1)
    swarm.finish()
    tracker.wait(torrent, 2)

    def shown():
        view = ours.view(torrent)['trackers'][0]
        return view['seeders'] == 2 and view['leechers'] == 0
    poll(shown, 15, 'after our "completed", two seeds and no leech are shown')


def stopped(lab, random):
    """Whoever stops a torrent, or the daemon, is gone from the tracker's count."""
    original = lab.place('original')
    torrent = make(original, 'stopped.bin', SIZE, PIECE, random)
    tracker = Opentracker(lab.host(), [torrent])
    swarm = Swarm(lab, torrent, original, tracker)
    ours = swarm.seed(Torrentd)
    ours.call('GET', '/stoptorrent', infohash=torrent.infohash)
    poll(lambda: tracker.scrape(torrent) == (0, 0), 15, 'the tracker forgets a stopped torrent')
    ours.call('GET', '/starttorrent', infohash=torrent.infohash)
    tracker.wait(torrent, 1)
    ours.stop()
    poll(lambda: tracker.scrape(torrent) == (0, 0), 5, 'the tracker forgets a daemon that ended')


def main():
    program = Program(jobs=4)
    for client in (Libtorrent, Transmission):
        needs = (*client.needs, 'opentracker')
        program.add(f'UDP tracker, {client.name} to us', transfer, Opentracker, True, False, client, Torrentd, needs=needs)
        program.add(f'UDP tracker, us to {client.name}', transfer, Opentracker, True, False, Torrentd, client, needs=needs)
        for udp, name in ((False, 'HTTP'), (True, 'UDP')):
            if udp and client is Transmission:
                continue  # 3.00 asks UDP trackers over IPv4 alone
            program.add(f'IPv6, {name} tracker, {client.name} to us', transfer, SmallTracker, udp, True, client, Torrentd,
                        needs=client.needs)
            program.add(f'IPv6, {name} tracker, us to {client.name}', transfer, SmallTracker, udp, True, Torrentd, client,
                        needs=client.needs)
    needs = (*Libtorrent.needs, 'opentracker')
    program.add('HTTP tracker behind a dead one', transfer, Opentracker, False, False, Libtorrent, Torrentd, True,
                needs=needs)
    program.add('UDP tracker behind a dead one', transfer, Opentracker, True, False, Libtorrent, Torrentd, True, needs=needs)
    program.add('counts and peers are shown', counts, needs=needs)
    program.add('stopped is told', stopped, needs=('opentracker',))
    run(program)


if __name__ == '__main__':
    main()
