#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Previews: what a link or a file is, before it is added; what is handed over when it is; and that nothing else comes of it."""
import base64
import json
import os

import lib_tap
from lib_daemon import Daemon
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent
from lib_tracker import HttpTracker, http_reply, reply_body

PIECE = 32768
FILES = [('a', 4 * PIECE), ('sub/b', 3 * PIECE + 77), ('c', PIECE), ('d', PIECE)]
UNREACHABLE = 'http://127.0.0.1:9/announce'


def link(torrent, seed=None, more=''):
    return f'magnet:?xt=urn:btih:{torrent.hex}&dn={torrent.name}{more}' + (f'&x.pe=127.0.0.1:{seed.peer_port}' if seed else '')


def post(daemon, path, body):
    reply = daemon.http('POST', path, None, json.dumps(body).encode())
    return reply.status, json.loads(reply.body)


def preview(daemon, source, status=201):
    got = post(daemon, '/api/v1/previews', {'source': source})
    equal(got[0], status, got[1])
    return got[1]


def look(daemon, made):
    reply = daemon.get(f'/api/v1/previews/{made["id"]}')
    return json.loads(reply.body) if reply.status == 200 else reply.status


def ready(daemon, made):
    wait_for(lambda: look(daemon, made)['state'] != 'resolving', lambda: f'the preview ends: {look(daemon, made)}')
    got = look(daemon, made)
    equal(got['state'], 'ready', got)
    return got


def add(daemon, **wishes):
    return post(daemon, '/api/v1/torrents', wishes)


def on_disk(daemon):
    return sorted(os.path.relpath(os.path.join(folder, name), daemon.downloads)
                  for folder, _, names in os.walk(daemon.downloads) for name in names)


def paths_and_sizes(got):
    return [(f['i'], f['path'], f['size']) for f in got['files']]


def all_files(torrent):
    return [(i, f'{torrent.name}/{path}', size) for i, (path, size) in enumerate(torrent.files)]


def listed_anywhere(daemon):
    listed = json.loads(daemon.get('/api/v1/torrents').body)
    return listed['add'], daemon.all()['sessions']


@case
def a_link_shows_its_files_and_nothing_is_listed_stored_or_written():
    t = Torrent('looked at', FILES, piece_length=PIECE, trackers=[UNREACHABLE])
    with Daemon() as seed, Daemon() as d:
        seed.seed(t)
        made = preview(d, link(t, seed, f'&tr={UNREACHABLE}2'))
        equal((made['hash'], made['name'], made['duplicate']), (t.hex, t.name, False))
        got = ready(d, made)
        equal(paths_and_sizes(got), all_files(t))
        equal((got['size'], got['piece_length'], got['pieces'], got['private']), (t.size, PIECE, t.pieces, False))
        equal((got['trackers'], got['created'], got['comment']), ([UNREACHABLE + '2'], None, None))
        wait_for(lambda: look(d, made)['peers'] == {'asked': 1, 'answered': 1}, lambda: f'the peer is counted: {look(d, made)["peers"]}')
        equal(listed_anywhere(d), ([], []))
        equal(d.get('/torrentdata', infohash=t.hex).status, 404)
        equal(d.http('POST', '/starttorrent', {'infohash': t.hex}).status, 404)
        equal(d.http('POST', '/removetorrent', {'infohash': t.hex}).status, 404)
        equal(on_disk(d), [])
        d.restart()
        equal(listed_anywhere(d), ([], []))
        equal(look(d, made), 404)


@case
def the_third_file_only_is_fetched_and_its_peers_are_handed_over():
    t = Torrent('third', FILES, piece_length=PIECE)
    with Daemon() as seed, Daemon() as d:
        seed.seed(t)
        made = preview(d, link(t, seed))
        ready(d, made)
        wait_for(lambda: seed.view(t)['Peers'], 'the seed has a peer')
        status, got = add(d, preview=made['id'], files={'skip': '0-1,3'}, labels=['tv'], limits={'down': 500000})
        equal((status, got['hash']), (201, t.hex))
        view = d.wait_status(t, 'seeding')
        equal([f['priority'] for f in view['files']], ['skip', 'skip', 'normal', 'skip'])
        equal(view['labels'], ['tv'])
        equal([x for x in on_disk(d) if not x.endswith('.parts')], ['third/c'])
        equal(look(d, made)['state'], 'ready')
        d.restart(clean=False)
        d.wait_status(t, 'seeding')


@case
def added_before_the_list_came():
    t = Torrent('early', FILES, piece_length=PIECE)
    peers = []
    with Daemon() as seed, Daemon() as d, HttpTracker(lambda announce: http_reply(reply_body(peers, interval=1))) as tracker:
        made = preview(d, link(t, None, f'&tr={tracker.url()}'))
        tracker.wait_event('started')
        equal(look(d, made)['state'], 'resolving')
        equal(add(d, preview=made['id'], start=True)[0], 201)
        equal(d.view(t)['status'], 'metadata')
        seed.seed(t)
        peers.append(('127.0.0.1', seed.peer_port))
        d.wait_done(t)
        equal(paths_and_sizes(look(d, made)), all_files(t))


@case
def added_by_another_link_while_it_is_looked_at():
    t = Torrent('other link', FILES, piece_length=PIECE)
    for found in (False, True):
        with Daemon() as seed, Daemon() as d:
            seed.seed(t)
            made = preview(d, link(t, seed if found else None))
            if found:
                ready(d, made)
            equal(add(d, magnet=link(t, seed, f'&tr={UNREACHABLE}'))[0], 201)
            d.wait_done(t)
            equal([x['url'] for x in d.view(t)['trackers']], [UNREACHABLE])
            equal(look(d, made)['state'], 'ready')


@case
def added_stopped_by_its_file_while_it_is_looked_at():
    t = Torrent('by file', FILES, piece_length=PIECE)
    with Daemon() as seed, Daemon() as d:
        made = preview(d, link(t, seed))
        equal(add(d, start=False, file=base64.b64encode(t.data).decode())[0], 201)
        d.wait_view(t, lambda v: (v['status'], v['size_bytes']) == ('stopped', t.size), 'it is stopped, with its files')
        equal(look(d, made)['state'], 'ready')
        d.restart(clean=False)
        d.wait_status(t, 'stopped')
        seed.seed(t)
        d.ok('/starttorrent', infohash=t.hex)
        d.wait_status(t, 'downloading')


@case
def a_second_look_brings_what_its_link_knows():
    t = Torrent('second', FILES, piece_length=PIECE)
    with Daemon() as seed, Daemon() as d:
        seed.seed(t)
        first = preview(d, link(t))
        equal(look(d, first)['state'], 'resolving')
        ready(d, preview(d, link(t, seed)))
        equal(paths_and_sizes(ready(d, first)), all_files(t))


@case
def one_that_is_here_is_a_duplicate_and_shows_its_files():
    t = Torrent('here', FILES, piece_length=PIECE)
    with Daemon() as d:
        d.add(t, start='false')
        made = preview(d, link(t))
        equal((made['duplicate'], made['state']), (True, 'ready'))
        equal(paths_and_sizes(look(d, made)), all_files(t))
        status, problem = add(d, preview=made['id'])
        equal((status, problem['code']), (409, 'duplicate'))
        d.ok('/removetorrent', infohash=t.hex)
        equal(look(d, made)['state'], 'ready')


@case
def a_magnet_that_is_removed_while_it_is_looked_at():
    t = Torrent('leaves', FILES, piece_length=PIECE)
    with Daemon() as d:
        d.http('POST', '/addmagnet', {'url': link(t)})
        made = preview(d, t.hex)
        equal((made['duplicate'], made['state']), (True, 'resolving'))
        d.ok('/removetorrent', infohash=t.hex)
        wait_for(lambda: look(d, made)['state'] == 'failed', 'the preview fails')
        equal(look(d, made)['code'], 'removed')
        again = preview(d, t.hex)
        equal((again['duplicate'], again['state']), (False, 'resolving'))


@case
def a_file_in_each_form():
    t = Torrent('file', FILES, piece_length=PIECE, private=True, trackers=[UNREACHABLE],
                extra={'comment': 'a \x1b comment', 'creation date': 1700000000})
    with Daemon() as d:
        forms = [post(d, '/api/v1/previews', {'file': base64.b64encode(t.data).decode()})[1]]
        reply = d.http('POST', '/api/v1/previews', None, t.data, {'Content-Type': 'application/x-bittorrent'})
        forms.append(json.loads(reply.body))
        for made in forms:
            got = look(d, made)
            equal((got['state'], got['private'], got['trackers']), ('ready', True, [UNREACHABLE]))
            equal((got['created'], got['name']), (1700000000, 'file'))
            check('\x1b' not in got['comment'], repr(got['comment']))
            equal(paths_and_sizes(got), all_files(t))
        equal(listed_anywhere(d), ([], []))
        equal(add(d, preview=forms[0]['id'], files={'skip': '0-2'}, start=False)[0], 201)
        equal([f['priority'] for f in d.wait_status(t, 'stopped')['files']], ['skip'] * 3 + ['normal'])


@case
def trackers_hear_of_it_and_of_its_end():
    t = Torrent('announced', FILES, piece_length=PIECE)
    with HttpTracker() as tracker, Daemon() as d:
        made = preview(d, link(t, None, f'&tr={tracker.url()}'))
        tracker.wait_event('started')
        equal(d.http('DELETE', f'/api/v1/previews/{made["id"]}').status, 204)
        tracker.wait_event('stopped')
        equal(look(d, made), 404)
        equal(d.http('DELETE', f'/api/v1/previews/{made["id"]}').status, 404)


@case
def two_looks_at_one_link_end_one_by_one():
    t = Torrent('two', FILES, piece_length=PIECE)
    with HttpTracker() as tracker, Daemon() as d:
        first, second = (preview(d, link(t, None, f'&tr={tracker.url()}')) for _ in range(2))
        tracker.wait_event('started')
        check(first['id'] != second['id'], first)
        equal(d.http('DELETE', f'/api/v1/previews/{first["id"]}').status, 204)
        equal(look(d, second)['state'], 'resolving')
        equal(d.http('DELETE', f'/api/v1/previews/{second["id"]}').status, 204)
        tracker.wait_event('stopped')


@case
def no_more_than_eight_and_those_in_use_stay():
    with Daemon() as d:
        made = [preview(d, f'{i:040x}') for i in range(1, 9)]
        status, problem = post(d, '/api/v1/previews', {'source': f'{9:040x}'})
        equal((status, problem['code']), (503, 'too_many_previews'))
        equal([look(d, one)['state'] for one in made], ['resolving'] * 8)
        equal(d.http('DELETE', f'/api/v1/previews/{made[3]["id"]}').status, 204)
        preview(d, f'{9:040x}')
        equal(look(d, made[3]), 404)


@case
def what_is_no_torrent_is_refused_and_changes_nothing():
    t = Torrent('bad', FILES, piece_length=PIECE)
    rows = [({}, 'invalid'), ({'source': link(t), 'file': 'eA=='}, 'invalid'), ({'source': 'x'}, 'bad_torrent'),
            ({'source': f'magnet:?xt=urn:btmh:1220{"ab" * 32}'}, 'bad_torrent'), ({'file': 'eA=='}, 'bad_torrent'), ({'file': '*'}, 'bad_torrent'),
            ({'sauce': 'x'}, 'invalid')]
    with Daemon() as d:
        for body, code in rows:
            status, problem = post(d, '/api/v1/previews', body)
            equal((status, problem['code']), (422, code), f'{body} {problem}')
        for name in ('x', '0' * 15, 'g' * 16):
            equal(d.get(f'/api/v1/previews/{name}').status, 422)
        equal(d.get('/api/v1/previews/0000000000000000').status, 404)
        equal(add(d, preview='1111111111111111')[1]['code'], 'no_such_preview')
        equal(add(d, preview='x')[0], 422)
        made = preview(d, link(t))
        equal(add(d, preview=made['id'], path='/etc')[1]['code'], 'not_beneath_a_root')
        equal(look(d, made)['state'], 'resolving')
        equal(listed_anywhere(d), ([], []))


@case
def files_that_do_not_exist_and_places_that_are_taken_are_told_before():
    t, other = Torrent('same name', FILES, piece_length=PIECE), Torrent('same name', 1000)
    with Daemon() as seed, Daemon() as d:
        seed.seed(t)
        made = preview(d, link(t, seed))
        ready(d, made)
        equal(add(d, preview=made['id'], files={'skip': '9'})[1]['code'], 'no_such_file')
        d.add(other)
        equal(add(d, preview=made['id'])[1]['code'], 'place_taken')
        equal(add(d, preview=made['id'], path='elsewhere')[0], 201)
        d.wait_done(t, folder=os.path.join(d.downloads, 'elsewhere'))


if __name__ == '__main__':
    lib_tap.main()
