#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""POST /api/v1/torrents: everything that can be wished of a torrent when it is added, and what is refused with which code."""
import base64
import json

import lib_tap
from lib_daemon import Daemon
from lib_peer import Seed
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent

PIECE = 32768
FILES = [('a', 4 * PIECE), ('b', 3 * PIECE), ('c', PIECE)]
UNREACHABLE = 'http://127.0.0.1:9/announce'


def magnet(torrent, more=''):
    return f'magnet:?xt=urn:btih:{torrent.hex}&dn={torrent.name}{more}'


def post(daemon, **wishes):
    reply = daemon.http('POST', '/api/v1/torrents', None, json.dumps(wishes).encode(), {'Content-Type': 'application/json'})
    return reply.status, json.loads(reply.body)


def base64_of(torrent):
    return base64.b64encode(torrent.data).decode()


def row(daemon, torrent):
    reply = json.loads(daemon.get('/api/v1/torrents').body)
    return next(dict(zip(reply['fields'], one)) for one in reply['add'] if one[reply['fields'].index('hash')] == torrent.hex)


@case
def a_file_with_every_wish():
    t = Torrent('wishes', FILES, piece_length=PIECE)
    wishes = {'path': 'films', 'labels': ['tv', 'new'], 'start': False, 'files': {'skip': '0', 'low': '1', 'high': '2'},
              'sequential': True, 'first_last': True, 'limits': {'down': 5000, 'up': 7000},
              'seed': {'ratio': 1.5, 'time': 3600}, 'encryption': 'required', 'discreet': True}
    with Daemon() as d:
        status, got = post(d, file=base64_of(t), **wishes)
        equal((status, got['hash']), (201, t.hex))
        for clean in (None, False, True):
            if clean is not None:
                d.restart(clean=clean)
            view = d.wait_status(t, 'stopped')
            equal([f['priority'] for f in view['files']], ['skip', 'low', 'high'])
            equal((view['path'], view['labels']), (d.downloads + '/films', ['tv', 'new']))
            equal((view['sequential'], view['firstlast'], view['encryption']), (True, True, 'required'))
            equal((view['maxdown'], view['maxup']), (5000 / 1024, 7000 / 1024))
            equal(view['seed_limits'], {'ratio': 1.5, 'time': 3600, 'idle': -1})


@case
def the_answer_says_from_which_revision_on_the_list_has_it():
    t = Torrent('listed', FILES, piece_length=PIECE)
    with Daemon() as d:
        before = json.loads(d.get('/api/v1/torrents').body)
        status, got = post(d, magnet=magnet(t))
        equal((status, got['epoch']), (201, before['epoch']))
        check(got['rev'] > before['rev'], got, before)
        news = json.loads(d.get('/api/v1/torrents', since=f'{before["epoch"]}.{got["rev"] - 1}').body)
        check(any(t.hex in one for one in news['add']), news)
        same = json.loads(d.get('/api/v1/torrents', since=f'{before["epoch"]}.{got["rev"]}').body)
        equal(same['add'], [])


@case
def the_bare_torrent_with_wishes_in_the_query():
    t = Torrent('bare', FILES, piece_length=PIECE)
    with Daemon() as d:
        reply = d.http('POST', '/api/v1/torrents', {'start': 'false', 'labels': 'x,y', 'down': 1024, 'skip': '0-1'},
                       t.data, {'Content-Type': 'application/x-bittorrent'})
        equal((reply.status, json.loads(reply.body)['hash']), (201, t.hex))
        view = d.wait_status(t, 'stopped')
        equal((view['labels'], view['maxdown']), (['x', 'y'], 1))
        equal([f['priority'] for f in view['files']], ['skip', 'skip', 'normal'])


@case
def choosing_first_stops_when_the_files_are_known_and_after_a_kill():
    t = Torrent('choose', FILES, piece_length=PIECE)
    with Daemon() as seed, Daemon() as d:
        seed.seed(t)
        equal(post(d, magnet=magnet(t, f'&x.pe=127.0.0.1:{seed.peer_port}'), choose_first=True)[0], 201)
        view = d.wait_status(t, 'stopped')
        equal((len(view['files']), view['downloaded']), (3, 0))
        d.restart(clean=False)
        equal(d.wait_status(t, 'stopped')['size_bytes'], t.size)
        d.ok('/setfilepriority', infohash=t.hex, files='0-1', priority='skip')
        d.ok('/starttorrent', infohash=t.hex)
        d.wait_status(t, 'seeding')
        d.restart()
        d.wait_status(t, 'seeding')


@case
def a_file_chosen_first_is_stopped_until_started():
    t = Torrent('file first', FILES, piece_length=PIECE)
    with Daemon() as d:
        equal(post(d, file=base64_of(t), choose_first=True)[0], 201)
        d.wait_status(t, 'stopped')
        d.ok('/starttorrent', infohash=t.hex)
        d.wait_status(t, 'downloading')


@case
def a_duplicate_changes_nothing_and_merge_adds_its_trackers():
    t = Torrent('twice', FILES, piece_length=PIECE)
    with_trackers = Torrent('twice', FILES, piece_length=PIECE, trackers=[UNREACHABLE, UNREACHABLE + '2'])
    equal(t.hex, with_trackers.hex)
    link = magnet(t, f'&tr={UNREACHABLE}3')
    with Daemon() as d:
        equal(post(d, file=base64_of(t), start=False)[0], 201)
        for what in ({'file': base64_of(with_trackers)}, {'magnet': link}):
            status, problem = post(d, **what)
            equal((status, problem['code'], problem['args']['hash']), (409, 'duplicate', t.hex))
            equal(problem['args']['trackers'], 2 if 'file' in what else 1)
            equal(d.view(t)['trackers'], [])
        status, got = post(d, file=base64_of(with_trackers), merge=True)
        equal((status, got['merged'], got['trackers']), (200, True, 2))
        status, got = post(d, magnet=link, merge=True)
        equal((status, got['trackers']), (200, 1))
        equal(post(d, magnet=link, merge=True)[1]['trackers'], 0)
        d.restart(clean=False)
        equal(sorted(x['url'] for x in d.wait_status(t, 'stopped')['trackers']), [UNREACHABLE + x for x in ('', '2', '3')])


@case
def a_private_one_takes_no_trackers_of_strangers():
    t = Torrent('private', FILES, piece_length=PIECE, private=True, trackers=[UNREACHABLE])
    with Daemon() as d:
        equal(post(d, file=base64_of(t), start=False)[0], 201)
        equal(post(d, magnet=magnet(t, '&tr=http://127.0.0.1:9/x'), merge=True)[1]['trackers'], 0)
        equal([x['url'] for x in d.view(t)['trackers']], [UNREACHABLE])


@case
def the_file_of_a_magnet_that_waits_completes_it():
    t = Torrent('completes', FILES, piece_length=PIECE)
    with Daemon() as d:
        equal(post(d, magnet=magnet(t), start=False)[0], 201)
        status, got = post(d, file=base64_of(t))
        equal((status, got['hash']), (200, t.hex))
        d.wait_view(t, lambda v: v['size_bytes'] == t.size, 'the metainfo')


@case
def another_torrents_place_is_not_taken():
    t, other = Torrent('same name', 1000), Torrent('same name', 2000)
    with Daemon() as d:
        equal(post(d, file=base64_of(t))[0], 201)
        status, problem = post(d, file=base64_of(other))
        equal((status, problem['code']), (409, 'place_taken'))
        check('args' not in problem, problem)


@case
def what_is_wrong_is_said_by_name_and_changes_nothing():
    t = Torrent('wrong', FILES, piece_length=PIECE)
    good = {'file': base64_of(t)}
    rows = [({}, 'invalid', 'magnet'), ({'magnet': magnet(t), **good}, 'invalid', 'one of'),
            ({'magnet': 'magnet:?dn=x'}, 'bad_torrent', 'magnet'), ({'file': '*'}, 'bad_torrent', 'base64'),
            ({'file': base64.b64encode(b'no torrent').decode()}, 'bad_torrent', 'torrent'),
            ({**good, 'paths': '/x'}, 'invalid', "'paths'"), ({**good, 'limits': {'sideways': 1}}, 'invalid', "'sideways'"),
            ({**good, 'limits': {'down': -1}}, 'invalid', "'down'"), ({**good, 'limits': {'down': 1.5}}, 'invalid', "'down'"),
            ({**good, 'limits': {'down': {'a': 1}}}, 'invalid', "'down'"),
            ({**good, 'files': {'skip': 'x'}}, 'invalid', "'skip'"), ({**good, 'files': {'skip': '3'}}, 'no_such_file', ''),
            ({**good, 'labels': ['a,b']}, 'invalid', "'labels'"), ({**good, 'labels': ['']}, 'invalid', "'labels'"),
            ({**good, 'labels': ['x' * 101]}, 'invalid', "'labels'"), ({**good, 'start': 'maybe'}, 'invalid', "'start'"),
            ({**good, 'encryption': 'some'}, 'invalid', "'encryption'"), ({**good, 'seed': {'ratio': 'x'}}, 'invalid', "'ratio'"),
            ({**good, 'path': '/etc'}, 'not_beneath_a_root', 'download.roots'), ({**good, 'path': '../..'}, 'not_beneath_a_root', '')]
    with Daemon() as d:
        for body, code, words in rows:
            status, problem = post(d, **body)
            equal((status, problem['code']), (422, code), f'{list(body)}: {problem}')
            check(words in problem['detail'], problem, words)
        for body in (b'', b'[]', b'{', b'{"magnet": "x", "magnet": "y"}'):
            equal(d.http('POST', '/api/v1/torrents', None, body).status, 400, body)
        reply = d.http('POST', '/api/v1/torrents', {'magnet': magnet(t)}, t.data, {'Content-Type': 'application/x-bittorrent'})
        equal(reply.status, 422)
        equal(d.all()['sessions'], [])


if __name__ == '__main__':
    lib_tap.main()
