#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Trackers that a person adds, moves, changes and removes: durable, and heard of by the trackers."""
import json
import urllib.parse

import lib_tap
from lib_daemon import Daemon
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent, bdecode
from lib_tracker import HttpTracker


def trackers(d, t):
    reply = d.get(f'/api/v1/torrents/{t.hex}/trackers')
    equal(reply.status, 200, reply.body)
    return [r for r in json.loads(reply.body)['trackers'] if r['kind'] == 'tracker']


def tiers(d, t):
    return [(r['tier'], r['url']) for r in trackers(d, t)]


def change(d, t, method, status=200, **members):
    path = f'/api/v1/torrents/{t.hex}/trackers'
    if method == 'DELETE':
        reply = d.http(method, path, params=members)
    else:
        reply = d.http(method, path, body=json.dumps(members).encode(), headers={'Content-Type': 'application/json'})
    equal(reply.status, status, f'{method} {members}: {reply.body}')
    return json.loads(reply.body)


def starts(tracker, t):
    return [a.event for a in tracker.announces].count('started')


@case
def added_moved_changed_removed():
    with HttpTracker() as one, HttpTracker() as two, HttpTracker() as three, Daemon() as d:
        t = Torrent('edited', 100000, trackers=[one.url()])
        d.add(t)
        one.wait_event('started')
        wait_for(lambda: trackers(d, t)[0]['state'] == 'working', 'the first works')
        answer = change(d, t, 'POST', url=two.url())
        check(answer['rev'] > 0 and len(answer['epoch']) == 16, answer)
        equal(tiers(d, t), [(0, one.url()), (1, two.url())])
        equal(trackers(d, t)[0]['state'], 'working', 'the first goes on')
        equal(([a.event for a in one.announces if a.event], len(two.announces)), (['started'], 0))
        # In front of the one that works it is asked at once.
        change(d, t, 'PATCH', url=one.url(), tier=5)
        equal(sorted(tiers(d, t)), [(0, two.url()), (1, one.url())])
        # In the place of one that was told that we are there comes another: both hear of it.
        change(d, t, 'PATCH', url=one.url(), new_url=three.url())
        one.wait_event('stopped')
        wait_for(lambda: {r['url'] for r in trackers(d, t)} == {two.url(), three.url()}, 'the list is right')
        wait_for(lambda: any(r['state'] == 'working' for r in trackers(d, t)), 'one of them works')
        change(d, t, 'DELETE', url=two.url())
        three.wait_event('started')
        equal(tiers(d, t), [(0, three.url())])
        change(d, t, 'DELETE', url=three.url())
        three.wait_event('stopped')
        equal(tiers(d, t), [])
        equal([a.event for a in one.announces if a.event], ['started', 'stopped'])


@case
def kept_over_a_kill():
    with HttpTracker() as one, HttpTracker() as two, Daemon() as d:
        t = Torrent('kept', 100000, trackers=[one.url()], extra={'comment': 'stays'})
        d.add(t)
        change(d, t, 'POST', url=two.url(), tier=0)
        change(d, t, 'DELETE', url=one.url())
        d.restart(clean=False)
        d.wait_ready(t)
        equal(tiers(d, t), [(0, two.url())])
        two.wait_event('started')
        made = bdecode(d.get(f'/api/v1/torrents/{t.hex}/torrent').body)
        equal((made[b'announce'], made[b'announce-list'], made[b'comment']),
              (two.url().encode(), [[two.url().encode()]], b'stays'))


@case
def magnets_and_private_ones():
    with HttpTracker() as one, HttpTracker() as two, Daemon() as d:
        secret = Torrent('secret', 100000, trackers=[one.url('/0123/announce')], private=True)
        d.add(secret)
        one.wait_event('started')
        change(d, secret, 'PATCH', url=one.url('/0123/announce'), new_url=one.url('/4567/announce'))
        wait_for(lambda: starts(one, secret) == 2, 'the new address is asked')
        equal(tiers(d, secret), [(0, one.url('/4567/announce'))])
        link = Torrent('link', 100000)
        magnet = f'magnet:?xt=urn:btih:{link.hex}&tr={urllib.parse.quote(one.url(), safe="")}'
        equal(d.http('POST', '/addmagnet', params={'url': magnet}).status, 200)
        change(d, link, 'POST', url=two.url())
        equal(tiers(d, link), [(0, one.url()), (1, two.url())])
        change(d, link, 'DELETE', url=one.url())
        d.restart(clean=False)
        wait_for(lambda: tiers(d, link) == [(0, two.url())], 'it is as it was')
        two.wait_event('started')


@case
def what_cannot_be():
    with HttpTracker() as one, Daemon() as d:
        t = Torrent('bad', 100000, trackers=[one.url()])
        change(d, t, 'POST', 404, url='http://x.invalid/announce')
        d.add(t)
        before = tiers(d, t)
        for method, status, members in (
                ('POST', 422, {}), ('POST', 422, {'url': 'ftp://x.invalid/'}), ('POST', 422, {'url': 'http://a b/'}),
                ('POST', 422, {'url': 'http://x.invalid/' + 2048 * 'x'}), ('POST', 409, {'url': one.url()}),
                ('POST', 422, {'url': 'http://x.invalid/', 'tier': -1}), ('PATCH', 422, {'url': one.url()}),
                ('PATCH', 404, {'url': 'http://x.invalid/', 'tier': 0}), ('DELETE', 404, {'url': 'http://x.invalid/'}),
                ('DELETE', 422, {}), ('POST', 422, {'url': 'http://x.invalid/', 'what': 1})):
            change(d, t, method, status, **members)
        equal(tiers(d, t), before)
        full = Torrent('full', 100000, trackers=[[f'http://x.invalid/{n}' for n in range(255)]])
        d.add(full, start='false')
        change(d, full, 'POST', url='http://x.invalid/255')
        change(d, full, 'POST', 400, url='http://x.invalid/256')
        equal(len(tiers(d, full)), 256)


@case
def announced_when_asked():
    with HttpTracker() as one, Daemon() as d:
        t = Torrent('asked', 100000, trackers=[one.url()])
        d.add(t)
        one.wait_event('started')
        wait_for(lambda: trackers(d, t)[0]['state'] == 'working', 'it has answered')
        equal(d.http('POST', f'/api/v1/torrents/{t.hex}/announce').status, 200)
        soonest = trackers(d, t)[0]
        check(soonest['min_next'] > 0 and soonest['next'] >= soonest['min_next'], soonest)


lib_tap.main()
