#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""One torrent from every side: overview, files, peers, trackers, pieces."""
import base64
import json

import lib_tap
from lib_daemon import Daemon
from lib_peer import Seed
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent
from lib_tracker import HttpTracker, http_reply, reply_body

PIECE = 32768
FILES = [('a.mp4', 4 * PIECE), ('b', 4 * PIECE), ('c.jpg', 4 * PIECE + 100), ('empty', 0)]


def make(name='one', **more):
    return Torrent(name, FILES, piece_length=PIECE,
                   extra={'comment': 'made for a test', 'created by': 'nobody/1', 'creation date': 1500000000}, **more)


def look(d, t, side='', **params):
    reply = d.get(f'/api/v1/torrents/{t.hex}{side}', **params)
    equal(reply.status, 200, f'{side}: {reply.body[:300]}')
    return json.loads(reply.body)


def patch(d, path, **members):
    return d.http('PATCH', path, body=json.dumps(members).encode(), headers={'Content-Type': 'application/json'})


def bucket(view, strip):
    return list(base64.b64decode(view[strip]))


@case
def overview():
    with HttpTracker() as tracker, Daemon({'seed.ratio': '1.5'}) as d:
        t = make(trackers=[tracker.url()])
        d.add(t, maxdown=100)
        d.ok('/setlabels', infohash=t.hex, labels='tv,new')
        d.ok('/setseedlimits', infohash=t.hex, time=3600)
        one = look(d, t)
        row = json.loads(d.get('/api/v1/torrents').body)
        row = dict(zip(row['fields'], row['add'][0]))
        equal({k: one[k] for k in ('n', 'hash', 'name', 'size', 'path', 'added', 'private', 'labels')},
              {k: row[k] for k in ('n', 'hash', 'name', 'size', 'path', 'added', 'private', 'labels')})
        check(row.keys() <= one.keys(), row.keys() - one.keys(), 'are missing')
        equal(one['labels'], ['tv', 'new'])
        equal(one['limits'], {'down': 102400, 'up': 0})
        equal(one['seed_limits'], {'ratio': {'value': 1.5, 'origin': 'configured'},
                                   'time': {'value': 3600, 'origin': 'torrent'},
                                   'idle': {'value': None, 'origin': 'configured'}})
        equal((one['comment'], one['created_by'], one['created']), ('made for a test', 'nobody/1', 1500000000))
        equal((one['pieces'], one['pieces_have'], one['piece_length']), (13, 0, PIECE))
        equal((one['files_n'], one['trackers_n'], one['webseeds_n']), (4, 1, 0))
        check(t.hex in one['magnet'], one['magnet'])
        with Seed(t, have=range(12)).dial(d):
            wait_for(lambda: look(d, t)['pieces_have'] == 12, 'all that the peer has')
            equal(look(d, t)['peers_by_kind']['incoming'], 1)
            wait_for(lambda: look(d, t)['downloaded'] == 12 * PIECE, 'what was counted')


@case
def unknown_and_bad():
    with Daemon() as d:
        t = make()
        equal(d.get(f'/api/v1/torrents/{t.hex}').status, 404)
        equal(d.get(f'/api/v1/torrents/{t.hex}/peers').status, 404)
        equal(d.get('/api/v1/torrents/xyz/files').status, 422)
        d.add(t)
        for side, params, word in (('/files', {'fields': 'i,nothing'}, b'nothing'),
                                   ('/files', {'fields': ','}, b'names none'),
                                   ('/pieces', {'buckets': '0'}, b'buckets'),
                                   ('/pieces', {'buckets': '4097'}, b'4096'),
                                   ('/peers', {'what': '1'}, b'what')):
            reply = d.get(f'/api/v1/torrents/{t.hex}{side}', **params)
            equal(reply.status, 422, f'{side} {params}')
            check(word in reply.body, reply.body)


@case
def files_are_chosen():
    with Daemon() as d:
        t = make()
        d.add(t)
        files = look(d, t, '/files')['files']
        equal([(f['i'], f['path'], f['size'], f['done'], f['priority'], f['wanted'], f['first_piece'], f['last_piece'],
                f['type']) for f in files],
              [(0, 'one/a.mp4', 4 * PIECE, 0, 'normal', True, 0, 3, 'video/mp4'),
               (1, 'one/b', 4 * PIECE, 0, 'normal', True, 4, 7, None),
               (2, 'one/c.jpg', 4 * PIECE + 100, 0, 'normal', True, 8, 12, 'image/jpeg'),
               (3, 'one/empty', 0, 0, 'normal', True, None, None, None)])
        equal(look(d, t, '/files', fields='path')['files'][1], {'i': 1, 'path': 'one/b'})
        path = f'/api/v1/torrents/{t.hex}/files'
        reply = patch(d, path, ranges='0,2-3', priority='skip')
        equal(reply.status, 200, reply.body)
        rev = json.loads(reply.body)['rev']
        check(json.loads(d.get('/api/v1/torrents').body)['rev'] >= rev, 'a revision of the future')
        equal([f['priority'] for f in look(d, t, '/files')['files']], ['skip', 'normal', 'skip', 'skip'])
        for members in ({'ranges': '0'}, {'priority': 'low'}, {'ranges': 'x', 'priority': 'low'},
                        {'ranges': '0', 'priority': 'best'}, {'ranges': '4', 'priority': 'low'},
                        {'files': '0', 'priority': 'low'}, {'infohash': t.hex, 'ranges': '0', 'priority': 'low'}):
            equal(patch(d, path, **members).status, 422, f'{members}')
        equal([f['priority'] for f in look(d, t, '/files')['files']], ['skip', 'normal', 'skip', 'skip'])
        d.restart(clean=False)
        d.wait_ready(t)
        equal([f['priority'] for f in look(d, t, '/files')['files']], ['skip', 'normal', 'skip', 'skip'])


@case
def peers_in_words():
    with Daemon() as d:
        t = make()
        d.add(t)
        equal(look(d, t, '/peers'), {'peers': []})
        with Seed(t, have=range(12)).dial(d):
            wait_for(lambda: look(d, t)['pieces_have'] == 12, 'all that the peer has')
            peer = look(d, t, '/peers')['peers'][0]
            equal((peer['addr'], peer['source'], peer['progress']), ('127.0.0.1', 'incoming', round(12 / 13, 9)))
            equal(peer['flags'], ['incoming'])
            equal(peer['downloaded'], 12 * PIECE)
            check(peer['id'] == f"127.0.0.1:{peer['port']}" and peer['since'] > 1500000000, peer)


@case
def trackers_and_other_sources():
    answer = http_reply(reply_body(complete=7, incomplete=3))
    with HttpTracker(lambda announce: answer) as good, HttpTracker() as bad, Daemon({'dht.enabled': 'true', 'dht.bootstrap': ''}) as d:
        t = make(trackers=[[good.url()], [bad.url()]])
        hidden = make('hidden', private=True)
        d.add(t)
        d.add(hidden)
        good.wait_event('started')
        wait_for(lambda: look(d, t, '/trackers')['trackers'][0]['state'] == 'working', 'the tracker has answered')
        rows = look(d, t, '/trackers')['trackers']
        equal([(r['kind'], r.get('tier'), r['state']) for r in rows],
              [('tracker', 0, 'working'), ('tracker', 1, 'waiting'), ('dht', None, 'working'), ('pex', None, 'working'),
               ('lsd', None, 'disabled')])
        first = rows[0]
        equal((first['url'], first['message']), (good.url(), None))
        check(first['last'] <= first['min_next'] <= first['next'], first)
        equal([(r['kind'], r['state']) for r in look(d, hidden, '/trackers')['trackers']],
              [('dht', 'private'), ('pex', 'private'), ('lsd', 'private')])


@case
def pieces_in_buckets_and_runs():
    with Daemon() as d:
        t = make()
        d.add(t, skip='1')
        view = look(d, t, '/pieces')
        equal((view['pieces'], view['buckets'], view['pieces_have'], view['copies']), (13, 13, 0, 0))
        equal(bucket(view, 'wanted'), [255] * 4 + [0] * 4 + [255] * 5)
        equal(bucket(view, 'have'), [0] * 13)
        equal(look(d, t, '/pieces', full='true')['runs'], [['w', 4], ['s', 4], ['w', 5]])
        equal(bucket(look(d, t, '/pieces', buckets='2'), 'wanted'), [1 + 4 * 253 // 6, 1 + 5 * 253 // 7])
        with Seed(t, have=range(12)).dial(d):
            wait_for(lambda: look(d, t)['pieces_have'] == 8, 'all that the peer has')
            view = look(d, t, '/pieces')
            equal(bucket(view, 'have'), [255] * 4 + [0] * 4 + [255] * 4 + [0])
            equal((bucket(view, 'min_copies'), view['copies']), ([1] * 12 + [0], round(12 / 13, 9)))
            equal(bucket(look(d, t, '/pieces', buckets='2'), 'min_copies'), [1, 0])
        wait_for(lambda: look(d, t, '/pieces')['copies'] == 0, 'nobody has any')
        runs = [['h', 4], ['s', 4], ['h', 4], ['w', 1]]
        equal(look(d, t, '/pieces', full='true')['runs'], runs)
        d.restart()
        d.wait_ready(t)
        equal(look(d, t, '/pieces', full='true')['runs'], runs)


lib_tap.main()
