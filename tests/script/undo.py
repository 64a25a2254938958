#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What was done is undone: after a crash too, once, and only where nobody has changed it since; removed ones come back."""
import json
import os
import sqlite3

import lib_tap
from lib_actions import act, gone, make, post, removed, restore, undo
from lib_daemon import Daemon
from lib_peer import Seed
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent


def picture(d, torrents):
    keys = ('status', 'forced', 'labels', 'queue_position', 'maxdown', 'maxup', 'sequential', 'firstlast', 'encryption',
            'seed_limits')
    out = []
    for t in torrents:
        view = d.wait_ready(t)
        out.append({k: view[k] for k in keys})
        out[-1]['priorities'] = [f['priority'] for f in json.loads(
            d.get('/torrentdata', infohash=t.hex, files='true').body)['files']]
    return out


ACTIONS = (('stop', {}), ('force', {}), ('limits', {'down': 5000, 'up': 6000, 'ratio': 2, 'idle': 60}),
           ('labels', {'labels': ['x', 'y']}), ('labels', {'add': ['z']}), ('queue', {'to': 'top'}),
           ('queue', {'to': 'bottom'}), ('sequential', {'on': True}), ('firstlast', {'on': True}),
           ('files', {'files': [0], 'priority': 'skip'}), ('encryption', {'encryption': 'off'}))


@case
def each_action_is_undone_after_a_crash():
    with Daemon() as d:
        torrents = [Torrent(n, [('one', 40000), ('two', 30000)], seed=i) for i, n in enumerate(['a', 'b', 'c'], 1)]
        for t in torrents:
            d.add(t)
        act(d, 'labels', torrents[:1], labels=['old'])
        act(d, 'limits', torrents[1:2], down=777)
        for action, args in ACTIONS:
            before = picture(d, torrents)
            done = act(d, action, torrents[:2], **args)
            check(done['undo'], action, 'has no undo:', done)
            check(picture(d, torrents) != before, action, 'has changed nothing')
            if action in ('stop', 'files', 'queue'):
                d.restart(clean=False)
            got = undo(d, done)
            equal((got['failed'], got['done'] > 0), ([], True))
            equal(picture(d, torrents), before, action)
        d.restart(clean=False)
        equal(picture(d, torrents), before)


@case
def it_is_undone_once():
    with Daemon() as d:
        a = make('a')[0]
        d.add(a)
        done = act(d, 'stop', (a,))
        undo(d, done)
        equal(undo(d, done, 404)['code'], 'no_such_undo')
        equal(undo(d, '0' * 12, 404)['code'], 'no_such_undo')
        for bad in ('0', 'x' * 12, '0' * 13):
            equal(post(d, '/api/v1/undo/' + bad, {}).status, 422)


@case
def what_was_changed_since_stays():
    with Daemon() as d:
        a, b = make('ab')
        for t in (a, b):
            d.add(t)
        done = act(d, 'labels', (a, b), labels=['x'])
        act(d, 'labels', (a,), labels=['mine'])
        got = undo(d, done)
        equal([(f['hash'], f['code']) for f in got['failed']], [(a.hex, 'changed_since')])
        equal(got['done'], 1)
        equal((d.view(a)['labels'], d.view(b)['labels']), (['mine'], []))


@case
def an_undo_ends_after_a_day():
    with Daemon() as d:
        a = make('a')[0]
        d.add(a)
        done = act(d, 'stop', (a,))
        d.terminate()
        with sqlite3.connect(os.path.join(d.state, 'torrentd.db')) as db:
            equal(db.execute('UPDATE undo SET at = at - 24 * 3600 - 1').rowcount, 1)
        db.close()
        d.start()
        undo(d, done, 404)
        equal(d.view(a)['status'], 'stopped')


@case
def a_bulk_removal_is_undone_with_all_that_there_was():
    with Daemon() as d:
        torrents = make('abcd')
        for t in torrents:
            t.write(d.downloads)
            d.add(t)
            d.wait_status(t, 'seeding')
        act(d, 'labels', torrents[:2], labels=['tv'])
        act(d, 'limits', torrents[1:3], up=4096)
        d.ok('/stoptorrent', infohash=torrents[3].hex)
        before = picture(d, torrents)
        done = act(d, 'remove', torrents, data='keep')
        equal(d.all()['sessions'], [])
        got = undo(d, done)
        equal((got['done'], got['failed']), (4, []))
        equal(picture(d, torrents), before)
        check('hashed=0' in [line for line in d.log().splitlines() if 'torrent_ready' in line][-1], 'it was hashed')
        equal(removed(d), [])
        for t in torrents[:3]:
            d.wait_done(t)


@case
def removed_ones_survive_a_crash_and_come_back():
    with Daemon() as d:
        a = Torrent('a', 8 * 32768, piece_length=32768, seed=3)
        d.add(a)
        with Seed(a, have=[0, 1, 2]).dial(d):
            d.wait_view(a, lambda v: v['pieces_have'] == 3, 'three pieces')
        act(d, 'labels', (a,), labels=['keepsake'])
        d.ok('/removetorrent', infohash=a.hex)
        gone(d, a)
        one = removed(d)[0]
        equal((one['name'], one['size'], one['path'], one['data']), ('a', a.size, d.downloads, 'keep'))
        equal(one['until'] - one['removed'], 24 * 3600)
        d.restart(clean=False)
        equal([r['hash'] for r in removed(d)], [a.hex])
        equal(d.all()['sessions'], [])
        restore(d, a)
        view = d.wait_ready(a)
        equal((view['pieces_have'], view['labels']), (3, ['keepsake']))
        check(view['downloaded_ever'] >= 3 * 32, view['downloaded_ever'])
        restore(d, a, 409)
        d.restart(clean=False)
        equal(d.wait_ready(a)['pieces_have'], 3)
        with Seed(a).dial(d):
            d.wait_done(a)


@case
def added_again_it_has_what_it_had():
    with Daemon() as d:
        a = make('a')[0]
        d.seed(a)
        act(d, 'labels', (a,), labels=['mine'])
        d.ok('/removetorrent', infohash=a.hex)
        d.add(a)
        equal((d.wait_status(a, 'seeding')['labels'], removed(d)), (['mine'], []))
        # Elsewhere, or with wishes of its own, it is another one.
        os.mkdir(d.downloads + '/sub')
        d.ok('/removetorrent', infohash=a.hex)
        d.add(a, path='sub')
        view = d.wait_ready(a)
        equal((view['labels'], view['pieces_have'], removed(d)), ([], 0, []))


@case
def files_that_were_changed_meanwhile_are_hashed():
    with Daemon() as d:
        a, b = make('ab')
        for t in (a, b):
            d.seed(t)
        act(d, 'remove', (a, b), data='keep')
        gone(d, a), gone(d, b)
        with open(os.path.join(d.downloads, 'a'), 'r+b') as f:
            f.write(b'other')
        os.unlink(os.path.join(d.downloads, 'b'))
        restore(d, a), restore(d, b)
        equal(d.wait_ready(a)['pieces_have'], 1)
        d.wait_status(b, 'error')


@case
def a_place_that_was_taken_is_not_given_back():
    with Daemon() as d:
        a, other = make('a')[0], Torrent('a', 70000, seed=99)
        d.seed(a)
        d.ok('/removetorrent', infohash=a.hex)
        gone(d, a)
        os.unlink(os.path.join(d.downloads, 'a'))
        d.add(other)
        reply = restore(d, a, 409)
        check(other.hex in reply.body.decode(), reply.body)
        equal([r['hash'] for r in removed(d)], [a.hex])
        d.ok('/removetorrent', infohash=other.hex, delete='true')
        wait_for(lambda: f'torrent_removed ih={other.hex[:8]}' in d.log(), 'the other is gone')
        a.write(d.downloads)
        restore(d, a)
        d.wait_status(a, 'seeding')


@case
def deleted_ones_and_forgotten_ones_are_gone():
    with Daemon() as d:
        a, b = make('ab')
        for t in (a, b):
            d.seed(t)
        act(d, 'remove', (a,), data='delete')
        wait_for(lambda: not os.path.exists(os.path.join(d.downloads, 'a')), 'its data is deleted')
        act(d, 'remove', (b,), data='keep')
        gone(d, b)
        equal([r['hash'] for r in removed(d)], [b.hex])
        equal(d.http('DELETE', '/api/v1/removed/' + b.hex).status, 204)
        equal(removed(d), [])
        equal(d.http('DELETE', '/api/v1/removed/' + b.hex).status, 404)
        restore(d, b, 404)
        equal(b.differences(d.downloads), [])
        d.restart()
        equal((removed(d), d.all()['sessions']), ([], []))


@case
def they_go_by_themselves():
    with Daemon({'trash.keep': '1s'}) as d:
        a, b = make('ab')
        d.add(a)
        d.add(b)
        d.ok('/removetorrent', infohash=a.hex)
        wait_for(lambda: removed(d) == [], 'it is forgotten')
        d.add(a)
    with Daemon({'trash.keep': '0'}) as d:
        d.add(a)
        d.ok('/removetorrent', infohash=a.hex)
        equal(removed(d), [])
        d.add(a)


@case
def a_magnet_comes_back():
    with Daemon() as d:
        link = f'magnet:?xt=urn:btih:{"ab" * 20}&dn=film'
        equal(d.http('POST', '/addmagnet', {'url': link}).status, 200)
        done = act(d, 'remove', ['ab' * 20], data='keep')
        equal(undo(d, done)['done'], 1)
        equal(json.loads(d.get('/torrentdata', infohash='ab' * 20).body)['name'], 'film')


lib_tap.main()
