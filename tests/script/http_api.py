#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The API as documented: every endpoint, every field and its type, every status and its words."""
import base64
import json
import os
import re

import lib_tap
from lib_daemon import Daemon
from lib_peer import Seed, Wire
from lib_tap import at_once, case, check, equal, wait_for
from lib_torrent import Torrent, bencode
from lib_tracker import HttpTracker

RFC3339 = re.compile(r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$')
NUMBER = (int, float)
UNKNOWN = '0123456789abcdef0123456789abcdef01234567'

SESSION = {
    'name': str, 'infohash_base64': str, 'bitfield_base64': str, 'bitfield_length': int,
    'timestarted': str, 'wasted': NUMBER, 'downloaded': NUMBER, 'uploaded': NUMBER,
    'error': (str, type(None)), 'trackers': list, 'Peers': list,
}
TRACKER = {'url': str, 'status': str, 'leechers': int, 'seeders': int, 'peers': int,
           'lastannounce': (str, type(None))}
PEER = {'ID': str, 'host': str, 'bitfield_base64': str, 'bitfield_length': int, 'downrate': NUMBER,
        'uprate': NUMBER, 'downloaded': NUMBER, 'uploaded': NUMBER, 'connected': bool,
        'relevence': NUMBER}


def fields(got, wanted, what):
    for name, kind in wanted.items():
        check(name in got, what, 'lacks', name, got)
        good = isinstance(got[name], kind) and (kind is bool or not isinstance(got[name], bool))
        check(good, what, name, 'is', repr(got[name]))


def refused(reply, status, *words):
    """An error: this status, one line of plain text with these words; of the native API a problem with them."""
    equal(reply.status, status, f'status, body {reply.body!r}')
    if reply.headers['Content-Type'] == 'application/problem+json':
        problem = json.loads(reply.body)
        equal(problem['status'], status)
        check(problem['code'] and all(word in problem['detail'] for word in words), problem, 'lacks one of', words)
        return
    check(reply.headers['Content-Type'].startswith('text/plain'), reply.headers['Content-Type'])
    text = reply.body.decode('utf-8')
    check(text.endswith('\n') and text.count('\n') == 1 and len(text) > 3, 'not one line:', repr(text))
    check(all(ord(c) >= 32 for c in text[:-1]), 'control characters in', repr(text))
    for word in words:
        check(word in text, repr(word), 'is not in', repr(text))


@case
def alldata_of_nothing():
    with Daemon() as d:
        reply = d.get('/alldata')
        equal(reply.status, 200)
        check(reply.headers['Content-Type'].startswith('application/json'))
        got = json.loads(reply.body)
        check(RFC3339.match(got['time']), got['time'])
        equal(got['sessions'], [])


@case
def every_field_of_a_session_with_tracker_and_peers():
    with Daemon() as d, HttpTracker() as tracker:
        t = Torrent('fields', 10 * 32768 + 5, trackers=[tracker.url()])
        d.add(t)
        peer_id = b'-\xff\xfe\x00\n"\\<>\x80' + bytes(range(120, 130))
        with Seed(t, have={0, 1, 2}, peer_id=peer_id, choking=True).dial(d), \
                Wire.open(d, t, source='::1') as other:
            other.send(5, bytes(2))
            d.wait_view(t, lambda v: len(v['Peers']) == 2 and all(p['connected'] for p in v['Peers'])
                        and any(p['relevence'] > 0 for p in v['Peers']), 'two peers')
            tracker.wait_event('started')
            d.wait_view(t, lambda v: v['trackers'][0]['status'] == 'working', 'the tracker works')
            s = d.view(t)
            equal(d.all()['sessions'][0].keys(), s.keys() - {'files', 'magnet'}, 'fields of /alldata and /torrentdata')
        fields(s, SESSION, 'session')
        equal(s['name'], 'fields')
        equal(base64.b64decode(s['infohash_base64'], validate=True), t.infohash)
        equal(s['bitfield_length'], 11)
        equal(base64.b64decode(s['bitfield_base64'], validate=True), bytes(2))
        check(RFC3339.match(s['timestarted']), s['timestarted'])
        equal((s['wasted'], s['downloaded'], s['uploaded'], s['error']), (0, 0, 0, None))
        tracker_view = s['trackers'][0]
        fields(tracker_view, TRACKER, 'tracker')
        equal(tracker_view['url'], tracker.url())
        equal(tracker_view['status'], 'working')
        check(RFC3339.match(tracker_view['lastannounce']), tracker_view['lastannounce'])
        for p in s['Peers']:
            fields(p, PEER, 'peer')
            check(re.match(r'^(127\.0\.0\.1|\[::1\]):\d+$', p['host']), p['host'])
            equal(p['bitfield_length'], 11)
            equal(len(base64.b64decode(p['bitfield_base64'], validate=True)), 2)
        check(any(p['host'].startswith('[::1]:') for p in s['Peers']), 'an IPv6 host in brackets')
        seed = next(p for p in s['Peers'] if p['relevence'] > 0)
        check(abs(seed['relevence'] - 3 / 11) < 1e-6, 'relevence', seed['relevence'])
        equal(base64.b64decode(seed['bitfield_base64']), b'\xe0\0')


@case
def times_and_counters_of_a_download_are_in_kib():
    with Daemon() as d:
        t = Torrent('counted', 8 * 32768)
        d.add(t)
        with Seed(t).dial(d) as seed:
            view = d.wait_done(t)
            equal(view['downloaded'], t.size / 1024, 'downloaded KiB')
            equal(view['wasted'], 0, 'wasted KiB')
            equal(seed.sent, t.size)
            equal(base64.b64decode(view['bitfield_base64']), t.all_set())
            view = d.view(t)
            for p in view['Peers']:
                equal(p['downloaded'], t.size / 1024, 'downloaded from the peer')


@case
def torrents_are_listed_in_the_order_of_their_coming():
    with Daemon() as d:
        names = [f't{i}' for i in (3, 1, 2)]
        for i, name in enumerate(names):
            d.add(Torrent(name, 1000, seed=i), start='false')
        equal([s['name'] for s in d.all()['sessions']], names)


@case
def names_in_any_script_give_valid_json():
    with Daemon() as d:
        for i, name in enumerate(['gr\u00fc\u00df \u732b \U0001f40b', 'quote"\\', 'tab\tbell\x07']):
            t = Torrent(name, 1000, seed=i)
            d.add(t, start='false')
            check(d.view(t)['name'], 'a name')
        raw = bencode({'info': {'name': b'latin \xe9', 'piece length': 16384, 'length': 1,
                                'pieces': bytes(20)}})
        d.add(raw, start='false')
        equal(len(d.all()['sessions']), 4)


@case
def add_to_a_path_with_limits_and_not_started():
    with Daemon() as d:
        t = Torrent('there', 100000)
        d.add(t, path='sub/folder', start='false', maxdown='77', maxup='33')
        v = d.view(t)
        equal((v['maxdown'], v['maxup'], v['started']), (77, 33, False))
        equal(v['path'], os.path.join(d.downloads, 'sub/folder'))
        d.start_torrent(t)
        with Seed(t).dial(d):
            d.wait_done(t, folder=v['path'])


@case
def an_absolute_path_beneath_a_root_is_taken():
    with Daemon() as d:
        other = os.path.join(d.root, 'elsewhere')
        os.mkdir(other)
        d.terminate()
        d.options['download.roots'] = f'{d.downloads}, {other}'
        d.start()
        refused(d.http('POST', '/addtorrentfile', {'path': '/etc'}, Torrent('etc', 1000).data), 422,
                f' beneath {d.downloads}, {other};')
        t = Torrent('abs', 1000)
        d.add(t, path=other)
        equal(d.view(t)['path'], other)


@case
def a_path_outside_the_roots_is_refused():
    with Daemon() as d:
        outside = ['/', '/tmp', '..', '../x', 'a/../../x', d.downloads + '/../x', d.downloads + 'x',
                   './..', '/../..' + d.downloads + '/../..', 'a/b/../../../c']
        for i, path in enumerate(outside):
            t = Torrent(f'p{i}', 1000, seed=i)
            refused(d.http('POST', '/addtorrentfile', {'path': path}, t.data), 422, 'path',
                    'download.roots', f' beneath {d.downloads};')
        equal(d.all()['sessions'], [])
        equal(sorted(os.listdir(d.root)), sorted(['state', 'downloads', 'torrentd.conf', 'log.0',
                                                  'log.0.out']))


@case
def a_torrent_whose_files_leave_the_target_stays_inside():
    with Daemon() as d:
        for i, path in enumerate([['..', 'x'], ['a', '..', '..', 'x'], ['/etc/x'], ['', 'x'], ['.']]):
            info = {'name': f'evil{i}', 'piece length': 16384, 'pieces': bytes(20),
                    'files': [{'length': 5, 'path': path}]}
            d.http('POST', '/addtorrentfile', None, bencode({'info': info}))
        for i, name in enumerate(['..', '../evil', '/evil', '.', '']):
            info = {'name': name, 'piece length': 16384, 'pieces': bytes(20), 'length': 5 + i}
            d.http('POST', '/addtorrentfile', None, bencode({'info': info}))
        for s in d.all()['sessions']:
            equal(s['path'], d.downloads)
        d.alive()
        equal(sorted(os.listdir(d.root)), sorted(['state', 'downloads', 'torrentd.conf', 'log.0',
                                                  'log.0.out']))


@case
def bodies_that_are_no_torrent_are_400_and_say_why():
    good = Torrent('good', 100)
    info = {'name': 'x', 'piece length': 16384, 'length': 5, 'pieces': bytes(20)}
    bad = [b'', b'x', b'd', b'de', b'i1e', good.data[:-1], good.data + b'x', b'd4:infoi1ee',
           bencode({'info': {**info, 'pieces': bytes(19)}}),
           bencode({'info': {**info, 'pieces': bytes(40)}}),
           bencode({'info': {**info, 'length': -1}}),
           bencode({'info': {**info, 'piece length': 0}}),
           bencode({'info': {k: v for k, v in info.items() if k != 'length'}}),
           b'd4:info' + b'd' * 100000, b'l' * 200000, b'<html>no</html>', os.urandom(1000)]
    with Daemon() as d:
        for body in bad:
            refused(d.http('POST', '/addtorrentfile', None, body), 400)
        reply = d.http('POST', '/addtorrentfile', None, good.data[:50])
        check(re.search(rb'at byte \d+', reply.body), 'where:', reply.body)
        equal(d.all()['sessions'], [])


@case
def unknown_torrents_are_404_everywhere():
    with Daemon() as d:
        for path in ('/torrentdata', '/starttorrent', '/stoptorrent', '/removetorrent', '/rechecktorrent'):
            refused(d.get(path, infohash=UNKNOWN), 404)
        for path in ('/setdownrate', '/setuprate', '/settorrentdownrate', '/settorrentuprate'):
            refused(d.get(path, infohash=UNKNOWN, rate=5), 404)
        for path in ('/nothing', '/alldata/', '//alldata', '/ALLDATA', '/%61lldata/x'):
            refused(d.get(path), 404)


@case
def other_methods_are_405_with_allow():
    with Daemon() as d:
        for method, path, allow in [
                ('POST', '/alldata', 'GET'), ('POST', '/torrentdata', 'GET'), ('POST', '/healthz', 'GET'),
                ('GET', '/addtorrentfile', 'POST'), ('DELETE', '/alldata', 'GET'),
                ('PUT', '/addtorrentfile', 'POST'), ('PATCH', '/starttorrent', 'GET, POST'),
                ('DELETE', '/removetorrent', 'GET, POST'), ('HEAD', '/removetorrent', 'GET, POST'),
                ('OPTIONS', '/alldata', 'GET'), ('TRACE', '/alldata', 'GET')]:
            reply = d.http(method, path)
            equal(reply.status, 405, f'{method} {path}')
            got = {m.strip() for m in reply.headers['Allow'].split(',')}
            check(set(allow.split(', ')) <= got, method, path, 'allows', got)


@case
def head_is_get_without_a_body():
    with Daemon() as d:
        reply = d.http('HEAD', '/alldata')
        equal((reply.status, reply.body), (200, b''))


@case
def parameters_missing_or_malformed_are_422_and_named():
    with Daemon() as d:
        t = Torrent('params', 1000)
        d.add(t, start='false')
        for path in ('/torrentdata', '/starttorrent', '/stoptorrent', '/removetorrent',
                     '/setdownrate', '/setuprate', '/settorrentdownrate', '/settorrentuprate'):
            refused(d.get(path), 422, 'infohash')
            for bad in ('', 'x', t.hex[:-1], t.hex + '0', t.hex[:-1] + 'g', ' ' + t.hex[1:]):
                refused(d.get(path, infohash=bad), 422, 'infohash')
        for path in ('/setdownrate', '/setuprate', '/settorrentdownrate', '/settorrentuprate'):
            refused(d.get(path, infohash=t.hex), 422, 'rate')
            for bad in ('', 'x', '-1', '1.5.', '.', '5k', '1e3', '1,5', '99999999999999999999', '1 ', '+1', '0x5', '١'):
                refused(d.get(path, infohash=t.hex, rate=bad), 422, 'rate')
        for path in ('/setglobaldownrate', '/setglobaluprate'):
            refused(d.get(path), 422, 'rate')
            refused(d.get(path, rate='fast'), 422, 'rate')
        refused(d.get('/removetorrent', infohash=t.hex, delete='yess'), 422, 'delete')
        new = Torrent('new', 1000, seed=2)
        for key, value in (('start', 'maybe'), ('start', '2'), ('maxdown', '-5'), ('maxup', 'x')):
            refused(d.http('POST', '/addtorrentfile', {key: value}, new.data), 422, key)
        equal(len(d.all()['sessions']), 1)


@case
def values_are_taken_as_tools_write_them():
    with Daemon() as d:
        t = Torrent('lenient', 1000)
        form = (b'--B0\r\nContent-Disposition: form-data; name="torrent"; filename="x.torrent"\r\n'
                b'Content-Type: application/x-bittorrent\r\n\r\n' + t.data + b'\r\n--B0--\r\n')
        reply = d.http('POST', '/addtorrentfile', {'start': '0', 'path': '', 'maxup': '', 'maxdown': '0.5', 'skip': ''},
                       form, {'Content-Type': 'multipart/form-data; boundary=B0'})
        equal(reply.status, 200, reply.body)
        view = d.wait_ready(t)
        equal((view['started'], view['maxdown'], view['maxup'], view['path']), (False, 0.5, 0, d.downloads))
        for word in ('True', '1', 'YES', 'on'):
            d.ok('/setsequential', infohash=t.hex, on=word)
            equal(d.view(t)['sequential'], True, word)
            d.ok('/setsequential', infohash=t.hex, on={'True': 'FALSE', '1': '0', 'YES': 'no', 'on': 'Off'}[word])
            equal(d.view(t)['sequential'], False, word)
        d.ok('/setdownrate', infohash=t.hex, rate='0.0001')
        check(0 < d.view(t)['maxdown'] < 0.1, 'a limit of nearly nothing became none')
        d.ok('/removetorrent', infohash=t.hex, delete='yes')


@case
def a_form_with_more_than_a_file_is_refused():
    with Daemon() as d:
        t = Torrent('form', 1000)
        part = b'--B0\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        form = part % (b'torrent', t.data) + part % (b'start', b'false') + b'--B0--\r\n'
        refused(d.http('POST', '/addtorrentfile', None, form, {'Content-Type': 'multipart/form-data; boundary=B0'}),
                400, 'more than one part', 'query')
        equal(d.all()['sessions'], [])


@case
def unknown_parameters_are_refused_by_name():
    with Daemon() as d:
        t = Torrent('unknown', 1000)
        refused(d.http('POST', '/addtorrentfile', {'Start': 'false'}, t.data), 422, "'Start'", 'start', 'maxdown')
        equal(d.all()['sessions'], [])
        d.add(t, start='false')
        for endpoint in json.loads(d.get('/').body)['endpoints']:
            method, _, path = endpoint.rpartition(' ')
            if path.startswith('/api/v2/'):
                continue  # apps of qBittorrent send more than it knows, and so it is there
            query = {'nosuch': '1'} if '{' in path else {'infohash': t.hex, 'nosuch': '1'}
            path = path.replace('{infohash}', t.hex)
            reply = d.http(method or 'GET', path, query)
            if reply.status == 405:
                reply = d.http(reply.headers['Allow'].split(', ')[-1], path, query)
            refused(reply, 422, 'is not known')
        refused(d.get('/removetorrent', infohash=t.hex, Delete='true'), 422, "'Delete'")
        equal(len(d.all()['sessions']), 1)


@case
def adding_twice_is_409():
    with Daemon() as d:
        t = Torrent('twice', 1000)
        d.add(t, start='false')
        refused(d.http('POST', '/addtorrentfile', None, t.data), 409)
        equal(len(d.all()['sessions']), 1)


@case
def adding_the_same_many_times_at_once_adds_one():
    with Daemon() as d:
        t = Torrent('race', 1000)
        got = at_once(lambda _: d.http('POST', '/addtorrentfile', None, t.data).status, range(12))
        equal(sorted(got), [200] + [409] * 11)
        equal(len(d.all()['sessions']), 1)


@case
def bodies_over_the_limit_are_413():
    with Daemon({'api.body_limit': '4KiB'}) as d:
        refused(d.http('POST', '/addtorrentfile', None, b'd' * 4097), 413, 'api.body_limit')
        d.add(Torrent('small', 1000), start='false')


@case
def uppercase_infohash_and_post_are_the_same():
    with Daemon() as d:
        t = Torrent('case', 1000)
        d.add(t, start='false')
        equal(d.get('/torrentdata', infohash=t.hex.upper()).status, 200)
        for method in ('GET', 'POST'):
            for path in ('/starttorrent', '/stoptorrent'):
                equal(d.http(method, path, {'infohash': t.hex}).status, 200, f'{method} {path}')


@case
def start_and_stop_are_idempotent():
    with Daemon() as d:
        t = Torrent('again', 1000)
        d.add(t)
        for path, started in (('/starttorrent', True), ('/stoptorrent', False), ('/stoptorrent', False),
                              ('/starttorrent', True), ('/starttorrent', True)):
            d.ok(path, infohash=t.hex)
            equal(d.view(t)['started'], started, path)


@case
def a_stopped_torrent_leaves_its_peers_and_takes_none():
    with Daemon() as d:
        t = Torrent('quiet', 100000)
        d.add(t)
        with Seed(t, choking=True).dial(d) as seed:
            d.wait_view(t, lambda v: len(v['Peers']) == 1, 'a peer')
            d.ok('/stoptorrent', infohash=t.hex)
            wait_for(lambda: seed.closed == 1, 'the peer is let go')
            equal(d.view(t)['Peers'], [])
        d.start_torrent(t)
        with Seed(t).dial(d):
            d.wait_done(t)


@case
def rates_are_set_by_every_alias():
    with Daemon() as d:
        t = Torrent('rates', 1000)
        d.add(t, start='false')
        for n, (path, key) in enumerate([('/setdownrate', 'maxdown'), ('/settorrentdownrate', 'maxdown'),
                                         ('/setuprate', 'maxup'), ('/settorrentuprate', 'maxup')], 100):
            d.ok(path, infohash=t.hex, rate=n)
            equal(d.view(t)[key], n, path)
            d.ok(path, infohash=t.hex, rate=0)
            equal(d.view(t)[key], 0, path)
        for path, key in (('/setglobaldownrate', 'maxdown'), ('/setglobaluprate', 'maxup')):
            d.ok(path, rate=321)
            equal(d.all()[key], 321, path)


@case
def remove_without_delete_leaves_the_data():
    with Daemon() as d:
        t = Torrent('keep', [('a', 100), ('sub/b', 50000)])
        d.seed(t)
        d.ok('/removetorrent', infohash=t.hex)
        refused(d.get('/torrentdata', infohash=t.hex), 404)
        equal(t.differences(d.downloads), [])
        d.add(t)
        d.wait_status(t, 'seeding')


@case
def remove_with_delete_takes_its_files_and_no_others():
    with Daemon() as d:
        t = Torrent('gone', [('a', 100), ('sub/b', 50000), ('sub/deep/c', 7), ('empty/d', 0)])
        d.seed(t)
        foreign = t.file_path(d.downloads, 'sub/mine')
        with open(foreign, 'w') as f:
            f.write('mine')
        d.ok('/removetorrent', infohash=t.hex, delete='true')
        refused(d.get('/torrentdata', infohash=t.hex), 404)
        wait_for(lambda: not any(os.path.exists(p) for p, _ in t.each_file(d.downloads)), 'files deleted')
        wait_for(lambda: not os.path.exists(t.file_path(d.downloads, 'empty')), 'empty folders deleted')
        with open(foreign) as f:
            equal(f.read(), 'mine')
        d.add(t)
        with Seed(t).dial(d):
            d.wait_done(t)


@case
def remove_deletes_a_single_file_and_its_download_folder_stays():
    with Daemon() as d:
        t = Torrent('one', 1000)
        d.seed(t)
        d.ok('/removetorrent', infohash=t.hex, delete='true')
        wait_for(lambda: os.listdir(d.downloads) == [], 'the file is deleted')


@case
def remove_while_it_downloads_then_add_again():
    with Daemon() as d:
        t = Torrent('midway', 64 * 32768)
        for _ in range(3):
            d.add(t)
            with Seed(t, rate=200_000).dial(d):
                d.wait_view(t, lambda v: v['pieces_have'] > 2, 'a few pieces')
                d.ok('/removetorrent', infohash=t.hex, delete='true')
        d.add(t)
        with Seed(t).dial(d):
            d.wait_done(t)


@case
def data_that_is_there_already_is_checked_and_seeded():
    with Daemon() as d:
        t = Torrent('present', [('x', 70000), ('y/z', 123457)])
        d.seed(t)
        equal(d.view(t)['downloaded'], 0)


@case
def healthz_names_every_actor():
    with Daemon() as d:
        reply = d.get('/healthz')
        equal(reply.status, 200)
        got = json.loads(reply.body)
        equal(got['ok'], True)
        names = {a['name'].rstrip('0123456789.-') for a in got['actors']}
        check({'session', 'store', 'state', 'tracker', 'http', 'peers'} <= names, names)


@case
def the_index_lists_every_endpoint():
    with Daemon() as d:
        reply = d.get('/')
        equal(reply.status, 200)
        for path in ('/alldata', '/torrentdata', '/addtorrentfile', '/starttorrent', '/stoptorrent',
                     '/removetorrent', '/setdownrate', '/setuprate', '/settorrentdownrate',
                     '/settorrentuprate', '/setglobaldownrate', '/setglobaluprate', '/healthz'):
            check(path.encode() in reply.body, path, 'is not listed')


@case
def a_kept_connection_serves_many_requests():
    import http.client
    with Daemon() as d:
        c = http.client.HTTPConnection('127.0.0.1', d.api_port, timeout=30)
        for _ in range(200):
            c.request('GET', '/alldata')
            reply = c.getresponse()
            equal(reply.status, 200)
            reply.read()
        c.close()


lib_tap.main()
