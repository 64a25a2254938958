#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The RPC interface of Transmission: the session id, every method in both dialects, what is malformed, who may what."""
import base64
import http.client
import json
import os
import socket

import lib_daemon
import lib_tap
from lib_daemon import Daemon
from lib_peer import Seed
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent
from lib_tracker import HttpTracker, http_reply, reply_body

HEADER = 'X-Transmission-Session-Id'
UNKNOWN = '0123456789abcdef0123456789abcdef01234567'


class Rpc:
    """A client that fetches its session id once."""

    def __init__(self, daemon, path='/transmission/rpc', headers=None):
        self.daemon, self.path, self.headers = daemon, path, dict(headers or {})
        reply = self.send(b'')
        equal(reply.status, 409, f'the first answer, {reply.body!r}')
        self.headers[HEADER] = reply.headers[HEADER]

    def send(self, body, method='POST'):
        return self.daemon.http(method, self.path, body=body, headers=self.headers)

    def raw(self, request):
        reply = self.send(json.dumps(request).encode())
        equal(reply.status, 200, f'{request} answered {reply.body!r}')
        return json.loads(reply.body)

    def ask(self, method, **arguments):
        """The whole answer in the dialect of 4.0."""
        return self.raw({'method': method, 'arguments': {k.replace('_', '-'): v for k, v in arguments.items()}})

    def ok(self, method, **arguments):
        answer = self.ask(method, **arguments)
        equal(answer['result'], 'success', f'{method} {arguments}')
        return answer['arguments']

    def call(self, method, **params):
        """The result in the dialect of JSON-RPC."""
        answer = self.raw({'jsonrpc': '2.0', 'id': 7, 'method': method, 'params': params})
        equal((answer['jsonrpc'], answer['id']), ('2.0', 7))
        check('error' not in answer, method, params, 'answered', answer)
        return answer['result']

    def get(self, *fields, **arguments):
        return self.ok('torrent-get', fields=list(fields), **arguments)['torrents']

    def add(self, torrent, **arguments):
        return self.ok('torrent-add', metainfo=base64.b64encode(torrent.data).decode(), **arguments)


@case
def the_session_id_is_needed_and_told():
    with Daemon() as d:
        ids = set()
        for method, path in (('GET', ''), ('POST', ''), ('GET', '/'), ('POST', '/')):
            reply = d.http(method, '/transmission/rpc' + path)
            equal(reply.status, 409)
            ids.add(reply.headers[HEADER])
            equal(reply.headers['Access-Control-Expose-Headers'], HEADER)
        equal(len(ids), 1)
        check(len(ids.pop()) >= 32, 'a short id')
        equal(d.http('POST', '/transmission/rpc', body=b'{}', headers={HEADER: 'x' * 48}).status, 409)
        rpc = Rpc(d)
        equal(rpc.send(None, 'GET').status, 405)
        equal(rpc.ok('session-get')['session-id'], rpc.headers[HEADER])
        slash = Rpc(d, '/transmission/rpc/')
        equal(slash.headers[HEADER], rpc.headers[HEADER])
        d.restart()
        check(Rpc(d).headers[HEADER] != rpc.headers[HEADER], 'the id lives on')


@case
def browsers_of_other_sites_stay_out_and_the_header_is_enough_for_others():
    with Daemon() as d:
        browser = {'User-Agent': 'Mozilla/5.0', 'Content-Type': 'application/x-www-form-urlencoded'}
        rpc = Rpc(d, headers=browser)
        rpc.ok('session-get')
        equal(d.http('POST', '/transmission/rpc', body=b'{}', headers={
            **rpc.headers, 'Origin': 'https://evil.example'}).status, 403)
        equal(d.http('POST', '/transmission/rpc', body=b'{}', headers={
            **rpc.headers, 'Sec-Fetch-Site': 'cross-site'}).status, 403)


@case
def a_torrent_is_added_seen_started_stopped_and_removed():
    with Daemon() as d:
        rpc = Rpc(d)
        t, other = Torrent('one', 6 * 32768), Torrent('two', 40000, seed=3)
        equal(rpc.get('id'), [])
        equal(rpc.add(t, paused=True), {'torrent-added': {'id': 1, 'name': 'one', 'hashString': t.hex}})
        equal(rpc.add(t), {'torrent-duplicate': {'id': 1, 'name': 'one', 'hashString': t.hex}})
        equal(rpc.add(other, paused=True)['torrent-added']['id'], 2)
        d.wait_ready(t)
        fields = ['id', 'name', 'status', 'totalSize', 'percentDone', 'leftUntilDone', 'downloadDir', 'hashString']
        one = {'id': 1, 'name': 'one', 'status': 0, 'totalSize': t.size, 'percentDone': 0.0, 'leftUntilDone': t.size,
               'downloadDir': d.downloads, 'hashString': t.hex}
        equal(rpc.get(*fields, ids=1), [one])
        equal(rpc.get(*fields, ids=[t.hex.upper()]), [one])
        equal(rpc.get('id', ids=[2, 1, 99, UNKNOWN, 'nonsense']), [{'id': 1}, {'id': 2}])
        equal(rpc.get('id', ids=[]), [])
        rpc.ok('torrent-start', ids=[1])
        with Seed(t).dial(d):
            d.wait_done(t)
        one.update(status=6, percentDone=1, leftUntilDone=0)
        equal(rpc.get(*fields, ids=1), [one])
        rpc.ok('torrent-stop')
        equal([x['status'] for x in rpc.get('status')], [0, 0])
        rpc.ok('torrent-start-now', ids=[t.hex])
        equal([x['status'] for x in rpc.get('status')], [6, 0])
        check(d.view(t)['forced'], 'it is forced')
        rpc.ok('torrent-remove', ids=[1], delete_local_data=True)
        equal([x['id'] for x in rpc.get('id')], [2])
        wait_for(lambda: not os.path.exists(os.path.join(d.downloads, 'one')), 'its data is gone')


@case
def what_is_malformed_is_refused_and_the_daemon_lives():
    with Daemon({'api.body_limit': '4MiB'}) as d:
        rpc = Rpc(d)
        for body, code in ((b'', -32700), (b'{', -32700), (b'\xff\xfe', -32700), (b'{"method":"session-get"} x', -32700),
                           (b'[' * 500000, -32600), (b'[' * 100000, -32700), (b'{"a":' * 100000, -32700),
                           (b'[]', -32600), (b'[' + b'1,' * 64 + b'1]', -32600), (b'[' + b'1,' * 300000 + b'1]', -32600),
                           (b'1', -32600), (b'"x"', -32600), (b'null', -32600), (b'{"jsonrpc":"1.0","id":1}', -32600),
                           (b'{"jsonrpc":"2.0","id":[],"method":"session_get"}', -32600),
                           (b'{"jsonrpc":"2.0","id":1,"method":"session_get","params":[]}', -32602),
                           (b'{"jsonrpc":"2.0","id":1,"method":"nonsense"}', -32601)):
            reply = rpc.send(body)
            equal(reply.status, 200, f'{body[:60]!r}')
            answer = json.loads(reply.body)
            equal(answer['error']['code'], code, f'{body[:60]!r}')
            check(answer['error']['message'] and answer['error']['data']['error_string'], answer)
            d.alive()
        equal(rpc.raw({})['result'], 'no method name')
        equal(rpc.raw({'method': 7})['result'], 'no method name')
        equal(rpc.raw({'method': 'torrent-gets'}), {'arguments': {}, 'result': 'method name not recognized'})
        equal(rpc.raw({'method': 'torrent-get', 'arguments': 3})['result'], 'no fields specified')
        for ids in (2**62, -1, 0, [2**62, -2**62, None, {}, [[]], 1.5, True], {'a': 1}, '', 'x' * 100000, list(range(9999))):
            equal(rpc.get('id', ids=ids), [])
            rpc.ok('torrent-stop', ids=ids)
        equal(rpc.get('nonsense', 7, None, 'id' * 1000), [])
        for arguments, words in (({}, 'no filename or metainfo specified'), ({'metainfo': '???'}, 'corrupt'),
                                 ({'metainfo': 'aGVsbG8='}, 'corrupt'), ({'filename': '/etc/passwd'}, 'unrecognized info'),
                                 ({'filename': 'http://127.0.0.1/x.torrent'}, 'unrecognized info'),
                                 ({'filename': 'magnet:?xt=nonsense'}, 'corrupt'),
                                 ({'metainfo': 'aGVsbG8=', 'download-dir': 'x'}, 'absolute')):
            result = rpc.raw({'method': 'torrent-add', 'arguments': arguments})['result']
            check(words in result, arguments, result)


@case
def tags_ids_batches_and_notifications():
    with Daemon() as d:
        rpc = Rpc(d)
        t = Torrent('one', 40000)
        equal(rpc.raw({'method': 'torrent-get', 'arguments': {'fields': ['id']}, 'tag': 39}),
              {'arguments': {'torrents': []}, 'result': 'success', 'tag': 39})
        for call_id in (1, 'webui', None, 1.5, -3):
            equal(rpc.raw({'jsonrpc': '2.0', 'id': call_id, 'method': 'torrent_get', 'params': {'fields': ['id']}}),
                  {'jsonrpc': '2.0', 'id': call_id, 'result': {'torrents': []}})
        meta = base64.b64encode(t.data).decode()
        batch = [{'jsonrpc': '2.0', 'id': 1, 'method': 'torrent_add', 'params': {'metainfo': meta, 'paused': True}},
                 {'jsonrpc': '2.0', 'method': 'torrent_start_now', 'params': {'ids': [t.hex]}},
                 {'jsonrpc': '2.0', 'id': 'two', 'method': 'torrent_get', 'params': {'fields': ['hash_string', 'id']}},
                 3, {'jsonrpc': '2.0', 'id': 4, 'method': 'nonsense'}]
        answers = rpc.raw(batch)
        equal([a['id'] for a in answers], [1, 'two', None, 4])
        equal(answers[0]['result'], {'torrent_added': {'hash_string': t.hex, 'id': 1, 'name': 'one'}})
        equal(answers[1]['result'], {'torrents': [{'hash_string': t.hex, 'id': 1}]})
        equal([a['error']['code'] for a in answers[2:]], [-32600, -32601])
        check(d.wait_ready(t)['forced'], 'the notification in a batch is carried out')
        reply = rpc.send(json.dumps({'jsonrpc': '2.0', 'method': 'torrent_stop'}).encode())
        equal((reply.status, reply.body), (204, b''))
        wait_for(lambda: not d.view(t)['started'], 'a notification is carried out')


@case
def tables_recently_active_and_numbers_after_a_restart():
    with Daemon() as d:
        rpc = Rpc(d)
        torrents = [Torrent(f't{i}', 1000, seed=i) for i in range(5)]
        for t in torrents:
            rpc.add(t, paused=True)
        equal(rpc.get('name', 'id', 'name', ids=[2], format='table'), [['name', 'id'], ['t1', 2]])
        rpc.ok('torrent-remove', ids=[2, torrents[3].hex])
        recent = rpc.ok('torrent-get', ids='recently-active', fields=['id'])
        equal([x['id'] for x in recent['torrents']], [1, 3, 5])
        equal(sorted(recent['removed']), [2, 4])
        equal(rpc.add(torrents[1])['torrent-added']['id'], 6)
        d.restart()
        rpc = Rpc(d)
        rpc.ok('torrent-remove', ids=[1])  # without a look at the list before
        equal([(x['id'], x['name']) for x in rpc.get('id', 'name')], [(2, 't2'), (3, 't4'), (4, 't1')])


@case
def the_queue_moves_those_named_together():
    with Daemon() as d:
        rpc = Rpc(d)
        for i in range(5):
            rpc.add(Torrent(f't{i}', 1000, seed=i), paused=True)

        def order():
            return ''.join(x['name'][1] for x in sorted(rpc.get('name', 'queuePosition'), key=lambda x: x['queuePosition']))
        for method, ids, wanted in (('top', [4, 3], '23014'), ('up', [2, 5], '23140'), ('down', [3, 2], '32410'),
                                    ('bottom', [4, 3], '41032'), ('top', 1, '04132')):
            rpc.ok('queue-move-' + method, ids=ids)
            equal(order(), wanted, f'{method} {ids}')


@case
def preferences_are_told_and_set():
    with Daemon({'peers.max': None}) as d:
        rpc = Rpc(d)
        prefs = rpc.ok('session-get')
        for name, value in {'download-dir': d.downloads, 'peer-port': d.peer_port, 'rpc-version': 17, 'rpc-version-minimum': 14,
                            'dht-enabled': False, 'speed-limit-down': 100, 'speed-limit-down-enabled': False,
                            'seedRatioLimit': 2, 'seedRatioLimited': False, 'encryption': 'tolerated'}.items():
            equal(prefs[name], value, name)
        check(prefs['version'].startswith('4.0.6 (torrentd'), prefs['version'])
        check(prefs['download-dir-free-space'] > 0, prefs['download-dir-free-space'])
        equal(rpc.ok('session-get', fields=['version', 'nonsense', 'units']).keys(), {'version', 'units'})
        snake = rpc.call('session_get')
        equal(snake['rpc_version'], 18)
        equal(len(snake), len(prefs))
        equal({k for k in snake if '-' in k or k != k.lower()}, set())

        def now(*names):
            return [rpc.ok('session-get')[name] for name in names]
        rpc.ok('session-set', **{'speed-limit-down': 70})
        equal(now('speed-limit-down', 'speed-limit-down-enabled'), [70, False])
        rpc.ok('session-set', **{'speed-limit-down-enabled': True})
        equal(now('speed-limit-down', 'speed-limit-down-enabled'), [70, True])
        equal(d.all()['maxdown'], 70000 / 1024)
        rpc.call('session_set', speed_limit_up=5, speed_limit_up_enabled=True, speed_limit_down_enabled=False)
        equal((d.all()['maxdown'], d.all()['maxup']), (0, 5000 / 1024))
        equal(now('speed-limit-down'), [70])
        rpc.ok('session-set', **{'peer-limit-global': 77, 'seedRatioLimit': 1.5, 'seedRatioLimited': True, 'pex-enabled': False,
                                 'download-queue-size': 3, 'download-queue-enabled': True, 'idle-seeding-limit': 20})
        wait_for(lambda: now('peer-limit-global', 'seedRatioLimit', 'seedRatioLimited', 'pex-enabled', 'download-queue-size',
                             'idle-seeding-limit', 'idle-seeding-limit-enabled') == [77, 1.5, True, False, 3, 20, False],
                 'options are set')
        for name, value in (('alt-speed-enabled', True), ('download-dir', '/srv'), ('utp-enabled', True),
                            ('script-torrent-done-enabled', True), ('peer-limit-global', -1), ('peer-limit-global', 'x'),
                            ('speed-limit-up', 1e300), ('encryption', 'nonsense'), ('pex-enabled', 3)):
            check(rpc.ask('session-set', **{name: value})['result'] != 'success', name, value)
        rpc.ok('session-set', **{'alt-speed-enabled': False, 'nonsense': 1, 'rpc-version': 3, 'utp-enabled': False})
        rpc.ok('session-set', **rpc.ok('session-get'))  # what the command line sets, too
        check('command line' in rpc.ask('session-set', **{'lpd-enabled': True})['result'], 'it is not set there')
        d.restart()
        rpc = Rpc(d)
        equal(now('peer-limit-global', 'speed-limit-up', 'download-queue-size'), [77, 5, 3])


@case
def statistics_room_port_blocklist_groups_and_the_end():
    with Daemon() as d:
        rpc = Rpc(d)
        t = Torrent('one', 6 * 32768)
        rpc.add(t)
        rpc.add(Torrent('two', 1000, seed=2), paused=True)
        with Seed(t).dial(d):
            d.wait_done(t)
        stats = rpc.ok('session-stats')
        equal((stats['torrentCount'], stats['pausedTorrentCount']), (2, 1))
        equal(stats['current-stats']['downloadedBytes'], t.size)
        equal(rpc.call('session_stats')['cumulative_stats']['downloaded_bytes'], t.size)
        room = rpc.ok('free-space', path=d.downloads)
        check(0 < room['size-bytes'] <= room['total_size'] and room['path'] == d.downloads, room)
        for path, words in (('relative', 'not absolute'), ('/etc', 'beneath none'), (d.downloads + '/../..', 'beneath none'), (7, 'missing')):
            answer = rpc.ask('free-space', path=path)
            check(words in answer['result'], path, answer)
        check("Couldn't test port" in rpc.ask('port-test')['result'], 'port-test')
        check('no blocklist' in rpc.ask('blocklist-update')['result'], 'blocklist-update')
        equal(rpc.ok('group-get'), {'group': []})
        rpc.ok('session-close')
        wait_for(lambda: d.process.poll() is not None, 'the daemon ends')
        lib_daemon.LIVE.discard(d.process)
        equal(d.process.returncode, 0)


@case
def a_torrent_is_changed():
    with Daemon() as d:
        rpc = Rpc(d)
        t = Torrent('many', [(f'f{i}', 40000) for i in range(6)])
        other = Torrent('two', 1000, seed=2)
        rpc.add(t, paused=True, files_unwanted=[5], priority_high=[0])
        rpc.add(other, paused=True)
        d.wait_ready(t)

        def one(*fields):
            return [rpc.get(*fields, ids=1)[0][f] for f in fields]

        def files():
            return one('wanted', 'priorities')
        equal(files(), [[1, 1, 1, 1, 1, 0], [1, 0, 0, 0, 0, 0]])
        equal([x['name'] for x in one('files')[0]], [f'many/f{i}' for i in range(6)])
        stats = one('fileStats')[0]
        equal([(x['wanted'], x['priority']) for x in stats], [(True, 1)] + [(True, 0)] * 4 + [(False, 0)])
        rpc.ok('torrent-set', ids=[1], files_unwanted=[], priority_low=[1])
        equal(files(), [[0] * 6, [0] * 6])
        rpc.ok('torrent-set', ids=[1], files_wanted=[1, 2, 5], priority_low=[1, 3], priority_high=[2])
        equal(files(), [[0, 1, 1, 0, 0, 1], [0, -1, 1, 0, 0, 0]])
        rpc.ok('torrent-set', ids=[1], files_wanted=[])
        equal(files(), [[1] * 6, [0, -1, 1, 0, 0, 0]])
        equal(rpc.ask('torrent-set', ids=[1], files_wanted=[6])['result'], 'file index out of range')
        equal(rpc.ask('torrent-set', ids=[1], priority_high=[-1])['result'], 'file index out of range')

        limits = ('downloadLimit', 'downloadLimited', 'uploadLimit', 'uploadLimited')
        equal(one(*limits), [0, False, 0, False])
        rpc.ok('torrent-set', ids=[1], downloadLimit=20, downloadLimited=True, uploadLimited=True)
        equal(one(*limits), [20, True, 100, True])
        equal(d.view(t)['maxdown'], 20000 / 1024)
        rpc.ok('torrent-set', ids=[1], downloadLimited=False, uploadLimit=7)
        equal(one(*limits), [0, False, 7, True])

        seeding = ('seedRatioMode', 'seedRatioLimit', 'seedIdleMode', 'seedIdleLimit')
        rpc.ok('torrent-set', ids=[1], seedRatioMode=1, seedRatioLimit=1.25, seedIdleMode=1, seedIdleLimit=5)
        equal(one(*seeding), [1, 1.25, 1, 5])
        equal(d.view(t)['seed_limits'], {'ratio': 1.25, 'time': -1, 'idle': 300})
        rpc.call('torrent_set', ids=t.hex, seed_ratio_mode=2, seed_idle_mode=0)
        equal((one('seedRatioMode', 'seedIdleMode')), [2, 0])

        equal(one('queuePosition'), [0])
        rpc.ok('torrent-set', ids=[1], queuePosition=1)
        equal(one('queuePosition'), [1])
        rpc.call('torrent_set', ids=[1], sequential_download=True)
        equal(rpc.call('torrent_get', ids=[1], fields=['sequential_download']), {'torrents': [{'sequential_download': True}]})


@case
def what_a_torrent_cannot_have_is_refused_and_changes_nothing():
    with Daemon() as d:
        rpc = Rpc(d)
        t = Torrent('one', 100000, trackers=['http://127.0.0.1:1/announce'])
        rpc.add(t, paused=True)
        was = d.wait_ready(t)
        for name, value in {'bandwidthPriority': 1, 'honorsSessionLimits': False, 'labels': ['x,y'], 'peer-limit': 3, 'group': 'g',
                            'location': '/srv', 'trackerAdd': ['http://x/announce'], 'trackerList': 'http://x/announce',
                            'trackerRemove': [0], 'downloadLimit': 'x', 'downloadLimit ': 1, 'seedRatioMode': 3,
                            'seedRatioLimit': -1, 'queuePosition': -1}.items():
            arguments = {'ids': [1], 'uploadLimit': 99, name.strip(): value}
            if name == 'downloadLimit ':  # nothing is wrong with it alone
                arguments['downloadLimit'] = -5
            answer = rpc.raw({'method': 'torrent-set', 'arguments': arguments})
            check(answer['result'] != 'success' and len(answer['result']) > 20, name, answer)
            equal({**d.view(t), 'trackers': None}, {**was, 'trackers': None}, name)
        limit = rpc.ok('session-get')['peer-limit-per-torrent']
        rpc.raw({'method': 'torrent-set', 'arguments': {
            'ids': [1], 'bandwidthPriority': 0, 'honorsSessionLimits': True, 'labels': [], 'peer-limit': limit, 'group': '',
            'location': d.downloads, 'trackerAdd': [],
            'trackerList': rpc.get('trackerList')[0]['trackerList']}})
        rpc.ok('torrent-set-location', ids=[1], location=d.downloads, move=True)
        check('"move": true' in rpc.ask('torrent-set-location', ids=[1], location='/srv')['result'])
        equal(rpc.ask('torrent-set-location', ids=[1], location='x')['result'], 'new location path is not absolute')
        check('beneath' in rpc.ask('torrent-set-location', ids=[1], location='/srv', move=True)['result'])
        for name in ('', 'a/b', '..'):
            check(rpc.ask('torrent-rename-path', ids=[1], path='many', name=name)['result'] != 'success', name)
        check(rpc.ask('group-set', name='x')['result'] != 'success')
        check('labels' in rpc.ask('torrent-add', metainfo='aGVsbG8=', labels=[''])['result'])


@case
def labels_are_kept():
    with Daemon() as d:
        rpc = Rpc(d)
        t = Torrent('one', 1000)
        rpc.add(t, paused=True, labels=['tv', 'gr\u00fcn', 'tv'])

        def now():
            return rpc.get('labels', ids=[t.hex])[0]['labels']
        equal(now(), ['tv', 'gr\u00fcn'])
        d.restart(clean=False)
        rpc = Rpc(d)
        equal(now(), ['tv', 'gr\u00fcn'])
        equal(d.view(t)['labels'], now())
        for labels in (['a', 'b c'], [], [f'{i}' for i in range(50)], ['x' * 100]):
            rpc.ok('torrent-set', ids=t.hex, labels=labels)
            equal(now(), labels)
            d.restart()
            rpc = Rpc(d)
            equal(now(), labels)
        for labels in ([''], ['a,b'], ['a\nb'], ['x' * 101], [f'{i}' for i in range(51)], [3], 'tv', {'a': 'b'}):
            check('labels' in rpc.ask('torrent-set', ids=t.hex, labels=labels)['result'], labels)
        d.ok('/setlabels', infohash=t.hex, labels='film,old')
        equal(now(), ['film', 'old'])
        equal(d.http('POST', '/setlabels', {'infohash': t.hex, 'labels': 'a,,b'}).status, 422)
        d.ok('/setlabels', infohash=t.hex)
        equal(now(), [])


@case
def announces_checks_and_what_peers_and_trackers_are_shown_as():
    with Daemon() as d, HttpTracker(lambda a: http_reply(reply_body(**{'min interval': 1}))) as tracker:
        rpc = Rpc(d)
        t = Torrent('one', 10 * 32768, trackers=[tracker.url()])
        rpc.add(t)
        tracker.wait_event('started')
        with Seed(t, have={0, 1, 2}, choking=True).dial(d):
            d.wait_view(t, lambda v: len(v['Peers']) == 1 and v['Peers'][0]['connected'], 'a peer')
            view = rpc.get('peers', 'peersConnected', 'peersFrom', 'trackerStats', 'availability', 'desiredAvailable', ids=1)[0]
            equal(view['peersConnected'], 1)
            peer = view['peers'][0]
            equal((peer['address'], peer['isIncoming'], peer['clientIsChoked'], peer['progress']), ('127.0.0.1', True, True, 0.3))
            equal(view['peersFrom']['fromIncoming'], 1)
            equal(view['availability'], [1, 1, 1] + [0] * 7)
            equal(view['desiredAvailable'], 3 * 32768)
            stat = view['trackerStats'][0]
            equal((stat['announce'], stat['hasAnnounced'], stat['tier'], stat['id']), (tracker.url(), True, 0, 0))
        before = len(tracker.announces)
        rpc.ok('torrent-reannounce', ids=[1])
        wait_for(lambda: len(tracker.announces) > before, 'another announce')
        rpc.ok('torrent-verify', ids=[1])
        rpc.ok('torrent-stop')
        rpc.ok('torrent-reannounce')


@case
def credentials_are_needed_and_scopes_are_looked_at():
    with Daemon({'api.local': 'off'}) as d:
        first = {'Authorization': f'Bearer {d.first_token()}'}

        def client(scopes):
            made = d.http('POST', '/api/v1/tokens', body=json.dumps({'name': scopes, 'scopes': scopes}), headers=first)
            return Rpc(d, headers={'Authorization': f'Bearer {json.loads(made.body)["token"]}'})
        reply = d.http('POST', '/transmission/rpc', body=b'{}')
        equal(reply.status, 401)
        check(HEADER not in reply.headers, 'the session id is told to a stranger')
        clients = {scopes: client(scopes) for scopes in ('read', 'read,add', 'read,manage', 'read,manage,admin')}
        stranger = d.http('POST', '/transmission/rpc', body=b'{}', headers={HEADER: clients['read'].headers[HEADER]})
        equal(stranger.status, 401)
        needs = {'torrent-get': ('', {'fields': ['id']}), 'session-get': ('', {}), 'session-stats': ('', {}), 'group-get': ('', {}),
                 'free-space': ('', {'path': d.downloads}), 'torrent-add': ('add', {'filename': 'magnet:?xt=urn:btih:' + UNKNOWN}),
                 'torrent-start': ('manage', {}), 'torrent-start-now': ('manage', {}), 'torrent-stop': ('manage', {}),
                 'torrent-verify': ('manage', {'ids': []}), 'torrent-reannounce': ('manage', {}), 'torrent-set': ('manage', {}),
                 'queue-move-up': ('manage', {}), 'torrent-remove': ('manage', {'ids': []}),
                 'session-set': ('manage', {'speed-limit-down': 7}), 'session-close': ('admin', None)}
        for method, (scope, arguments) in needs.items():
            for scopes, rpc in clients.items():
                may = scope == '' or scope in scopes
                if arguments is None and may:
                    continue
                reply = rpc.send(json.dumps({'method': method, 'arguments': arguments}).encode())
                equal(reply.status, 200 if may else 403, f'{method} with {scopes}: {reply.body!r}')
                check(not may or json.loads(reply.body)['result'] == 'success', method, scopes, reply.body)
        option = json.dumps({'method': 'session-set', 'arguments': {'peer-limit-global': 50}}).encode()
        equal([clients[s].send(option).status for s in clients], [403, 403, 403, 200])
        batch = [{'jsonrpc': '2.0', 'id': 1, 'method': 'torrent_get', 'params': {'fields': ['id']}},
                 {'jsonrpc': '2.0', 'method': 'torrent_remove'}]
        equal(clients['read,add'].send(json.dumps(batch).encode()).status, 403)
        equal(len(clients['read'].get('id')), 1)


@case
def the_port_is_the_one_that_is_listened_at():
    with Daemon({'peers.port': 0}) as d:
        port = Rpc(d).ok('session-get')['peer-port']
        with socket.create_connection((d.host, port)):
            pass


def post(d, rpc, request):
    """A request that nobody waits for the answer of: its socket."""
    body = json.dumps(request).encode()
    s = socket.create_connection((d.host, d.api_port))
    s.sendall((f'POST /transmission/rpc HTTP/1.1\r\nHost: 127.0.0.1:{d.api_port}\r\n{HEADER}: {rpc.headers[HEADER]}\r\n'
               f'Content-Length: {len(body)}\r\n\r\n').encode() + body)
    return s


@case
def who_leaves_has_asked_all_the_same_and_a_stop_waits_for_nobody():
    with Daemon() as d:
        rpc = Rpc(d)
        torrents = [Torrent(f't{i}', 1000, seed=i) for i in range(200)]
        for t in torrents:
            rpc.add(t)
        all_of = {'method': 'torrent-stop', 'arguments': {'ids': [t.hex for t in torrents]}}
        post(d, rpc, all_of).close()
        wait_for(lambda: all(x['status'] == 0 for x in rpc.get('status')), 'all are stopped')
        get = {'method': 'torrent-get', 'arguments': {'fields': ['id', 'files', 'peers', 'trackerStats', 'pieces']}}
        for i in range(40):
            post(d, rpc, {**get, 'tag': i}).close()
        equal(len(rpc.get('id')), 200)
        waiting = [post(d, rpc, {**request, 'tag': i}) for i in range(20) for request in (
            get, {'method': 'torrent-start', 'arguments': {}}, {'method': 'torrent-stop', 'arguments': {}},
            {'method': 'session-set', 'arguments': {'speed-limit-down': i + 1, 'speed-limit-down-enabled': True}})]
        d.terminate()
        for s in waiting:
            s.close()


@case
def a_stop_in_the_midst_of_what_nobody_waits_for():
    with Daemon() as d:
        rpc = Rpc(d)
        torrents = [Torrent(f't{i}', 1000, seed=i) for i in range(100)]
        for t in torrents:
            rpc.add(t, paused=True)
        for i in range(20):
            op = 'torrent-start' if i % 2 else 'torrent-stop'
            post(d, rpc, {'method': op}).close()
            post(d, rpc, {'method': 'torrent-get', 'arguments': {'fields': ['files'], 'ids': list(range(1, 15))}}).close()
            reply = rpc.send(json.dumps({'jsonrpc': '2.0', 'method': op.replace('-', '_')}).encode())
            equal(reply.status, 204)
        d.terminate()


@case
def more_than_can_be_done_at_once_is_refused_and_the_daemon_goes_on():
    with Daemon() as d:
        rpc = Rpc(d)
        for i in range(100):
            rpc.add(Torrent(f't{i}', 1000, seed=i), paused=True)
        connection = http.client.HTTPConnection(d.host, d.api_port, timeout=60)
        seen = set()
        for i in range(3000):
            op = 'torrent_start' if i % 2 else 'torrent_stop'
            connection.request('POST', '/transmission/rpc', json.dumps({'jsonrpc': '2.0', 'method': op}), rpc.headers)
            reply = connection.getresponse()
            reply.read()
            seen.add(reply.status)
        connection.close()
        equal(seen, {204, 503}, 'answers')
        ask = json.dumps({'method': 'torrent-get', 'arguments': {'fields': ['id']}})

        def goes_on():
            reply = d.http('POST', '/transmission/rpc', body=ask, headers=rpc.headers)
            return reply.status == 200 and len(json.loads(reply.body)['arguments']['torrents']) == 100
        wait_for(goes_on, 'it goes on')  # once what was under way is done


@case
def the_same_question_is_answered_once_for_all_and_never_with_what_was_before_a_change():
    with Daemon() as d:
        rpc = Rpc(d)
        t = Torrent('one', 1000)
        rpc.add(t, paused=True)
        for i in range(1, 30):
            rpc.ok('torrent-set', ids=[1], downloadLimited=True, downloadLimit=i)
            equal(rpc.get('downloadLimit'), [{'downloadLimit': i}])
            d.ok('/setuprate', infohash=t.hex, rate=i)
            equal(rpc.get('uploadLimited', 'uploadLimit'), [{'uploadLimited': True, 'uploadLimit': i * 1024 // 1000}])
            rpc.ok('torrent-set', ids=[1], uploadLimited=False)
            equal(d.all()['sessions'][0]['maxup'], 0)


lib_tap.main()
