#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Magnet links: added, kept, completed by what peers have, and refused with words when they are none."""
import json
import urllib.parse

import lib_tap
from lib_daemon import Daemon
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent

PIECE = 32768
FILES = [('a', 4 * PIECE), ('b', 3 * PIECE + 77), ('c', PIECE)]
LOCAL = {'peers.allow_local': 'true', 'dht.enabled': 'false', 'peers.lsd': 'false'}


def link(torrent, peers=(), **more):
    fields = {'xt': f'urn:btih:{torrent.hex}', 'dn': torrent.name, **more}
    text = 'magnet:?' + '&'.join(f'{k}={urllib.parse.quote(str(v), safe=":")}' for k, v in fields.items())
    return text + ''.join(f'&x.pe={p}' for p in peers)


def at(daemon):
    return f'127.0.0.1:{daemon.peer_port}'


def add(daemon, url, status=200, **more):
    reply = daemon.http('POST', '/addmagnet', None, json.dumps({'url': url, **more}).encode())
    equal(reply.status, status, reply.body)
    return reply.body.decode()



@case
def from_a_link_to_the_files():
    t = Torrent('by link', FILES, piece_length=PIECE)
    with Daemon(LOCAL) as seed, Daemon(LOCAL) as d:
        seed.seed(t)
        add(d, link(t, [at(seed)]))
        d.wait_done(t)
        equal(t.differences(d.downloads), [])
        view = d.view(t)
        check(view['magnet'].startswith(f'magnet:?xt=urn:btih:{t.hex}'), view['magnet'])
        equal(view['metadata'], None)
        equal(len(view['files']), len(FILES))


@case
def metadata_of_many_pieces():
    t = Torrent('long', [('long ' * 30 + f'name/number {i} ' + 'of many ' * 20, 1000) for i in range(250)], piece_length=PIECE)
    with Daemon(LOCAL) as seed, Daemon(LOCAL) as d:
        seed.seed(t)
        add(d, link(t, [at(seed)]))
        d.wait_done(t)
        equal(t.differences(d.downloads), [])


@case
def it_waits_is_listed_and_survives():
    t = Torrent('waits', FILES, piece_length=PIECE)
    with Daemon(LOCAL) as seed, Daemon(LOCAL) as d:
        add(d, link(t, [at(seed)]), maxdown=100)
        view = d.view(t)
        equal((view['name'], view['status'], view['size_bytes'], view['progress']), (t.name, 'metadata', 0, 0))
        equal(view['maxdown'], 100)
        equal(view['metadata']['size_bytes'], 0)
        d.ok('/stoptorrent', infohash=t.hex)
        d.ok('/setdownrate', infohash=t.hex, rate=0)
        seed.seed(t)
        d.kill()
        d.start()
        d.wait_status(t, 'stopped')
        d.ok('/starttorrent', infohash=t.hex)
        d.wait_done(t)
        d.restart()
        d.wait_done(t)
        equal(t.differences(d.downloads), [])


@case
def only_some_files_are_wanted():
    t = Torrent('some', FILES, piece_length=PIECE)
    with Daemon(LOCAL) as seed, Daemon(LOCAL) as d:
        seed.seed(t)
        add(d, link(t, [at(seed)], so='1'))
        view = d.wait_status(t, 'seeding')
        equal([f['priority'] for f in view['files']], ['skip', 'normal', 'skip'])


@case
def the_torrent_file_completes_it():
    t = Torrent('completed', FILES, piece_length=PIECE)
    with Daemon(LOCAL) as d:
        add(d, link(t))
        equal(d.view(t)['status'], 'metadata')
        d.ok('/stoptorrent', infohash=t.hex)
        reply = d.http('POST', '/addtorrentfile', None, t.data)
        check(reply.status in (200, 409), reply)
        d.wait_view(t, lambda v: v['size_bytes'] == t.size, 'the metainfo')


@case
def a_second_time_is_409_and_removal_is_clean():
    t = Torrent('twice', FILES, piece_length=PIECE)
    with Daemon(LOCAL) as d:
        add(d, link(t))
        add(d, link(t), status=409)
        d.ok('/removetorrent', infohash=t.hex, delete='true')
        wait_for(lambda: d.all()['sessions'] == [], 'it is gone')
        add(d, link(t))


@case
def bad_links_and_bodies_are_refused_with_words():
    t = Torrent('bad', 1000)
    rows = [('', 422), ('http://example.org/', 0), ('magnet:?dn=x', 0), ('magnet:?xt=urn:btih:123', 0),
            (f'magnet:?xt=urn:btmh:1220{"ab" * 32}', 0), (f'magnet:?xs=urn:btpk:{"ab" * 32}', 0)]
    with Daemon(LOCAL) as d:
        for url, status in rows:
            reply = d.http('POST', '/addmagnet', None, json.dumps({'url': url}).encode())
            check(reply.status == (status or reply.status) and 400 <= reply.status < 500, url, reply)
            check(len(reply.body) > 20, url, reply.body)
        for body, status in ((b'{', 400), (b'[]', 400), (b'{"url":[]}', 422), (b'{"nosuch":1}', 422),
                             (json.dumps({'url': link(t), 'path': 'a', 'targetdir': 'b'}).encode(), 422),
                             (json.dumps({'url': link(t), 'targetdir': '/etc'}).encode(), None),
                             (json.dumps({'url': link(t), 'maxdown': -1}).encode(), 422)):
            reply = d.http('POST', '/addmagnet', None, body)
            check(reply.status == (status or reply.status) and 400 <= reply.status < 500, body, reply)
        equal(d.all()['sessions'], [])
        equal(d.http('POST', '/addmagnet', {'url': link(t)}).status, 200)


@case
def targetdir_and_the_other_wishes_hold():
    t = Torrent('wishes', FILES, piece_length=PIECE)
    with Daemon(LOCAL) as seed, Daemon(LOCAL) as d:
        seed.seed(t)
        add(d, link(t, [at(seed)]), targetdir=d.downloads + '/deep/er', maxup=12.5, sequential=True, discreet=True)
        view = d.wait_status(t, 'seeding')
        equal((view['path'], view['maxup'], view['sequential']), (d.downloads + '/deep/er', 12.5, True))
        equal(t.differences(d.downloads + '/deep/er'), [])


if __name__ == '__main__':
    lib_tap.main()
