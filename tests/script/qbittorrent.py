#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The Web API of qBittorrent: every endpoint, who may what, types and keys, categories and tags, what is malformed."""
import http.client
import json
import os
import re

import lib_tap
from lib_daemon import Daemon
from lib_peer import Seed
from lib_qbit import FORM, Mirror, Qbit, multipart
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent
from lib_tracker import HttpTracker, http_reply, reply_body

CLOSED = {'api.local': 'off'}
PASSWORD, HASH = 'correct horse', '$y$j9T$abcdefghijklmnopqrstu.$pk06PwnbQa631foWNYhw6N.E9wx6lICleH/SnT.xzi0'
UNKNOWN = '0123456789abcdef0123456789abcdef01234567'
SOURCE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), 'http', 'qbittorrent')

INT, REAL, TEXT, BOOL, NUMBER = {int}, {float}, {str}, {bool}, {int, float}
TORRENT = {
    **dict.fromkeys(['added_on', 'amount_left', 'availability', 'completed', 'completion_on', 'dl_limit', 'dlspeed', 'downloaded',
                     'downloaded_session', 'eta', 'inactive_seeding_time_limit', 'last_activity', 'max_inactive_seeding_time',
                     'max_seeding_time', 'num_complete', 'num_incomplete', 'num_leechs', 'num_seeds', 'popularity', 'priority',
                     'reannounce', 'seeding_time', 'seeding_time_limit', 'seen_complete', 'size', 'time_active', 'total_size',
                     'trackers_count', 'up_limit', 'uploaded', 'uploaded_session', 'upspeed'], INT),
    **dict.fromkeys(['progress', 'ratio'], REAL), **dict.fromkeys(['ratio_limit', 'max_ratio'], NUMBER),
    **dict.fromkeys(['category', 'comment', 'content_path', 'download_path', 'hash', 'infohash_v1', 'infohash_v2', 'magnet_uri',
                     'name', 'root_path', 'save_path', 'state', 'tags', 'tracker'], TEXT),
    **dict.fromkeys(['auto_tmm', 'f_l_piece_prio', 'force_start', 'has_metadata', 'private', 'seq_dl', 'super_seeding'], BOOL)}
PROPERTIES = {
    **dict.fromkeys(['addition_date', 'completion_date', 'creation_date', 'dl_limit', 'dl_speed', 'dl_speed_avg', 'eta', 'last_seen',
                     'nb_connections', 'nb_connections_limit', 'peers', 'peers_total', 'piece_size', 'pieces_have', 'pieces_num',
                     'popularity', 'reannounce', 'seeding_time', 'seeds', 'seeds_total', 'time_elapsed', 'total_downloaded',
                     'total_downloaded_session', 'total_size', 'total_uploaded', 'total_uploaded_session', 'total_wasted',
                     'up_limit', 'up_speed', 'up_speed_avg'], INT),
    **dict.fromkeys(['comment', 'created_by', 'download_path', 'hash', 'infohash_v1', 'infohash_v2', 'name', 'save_path'], TEXT),
    **dict.fromkeys(['has_metadata', 'is_private', 'private'], BOOL), 'share_ratio': REAL}
TRANSFER = {**dict.fromkeys(['dht_nodes', 'dl_info_data', 'dl_info_speed', 'dl_rate_limit', 'up_info_data', 'up_info_speed',
                             'up_rate_limit'], INT), 'connection_status': TEXT}
STATE = {**TRANSFER, **dict.fromkeys(['alltime_dl', 'alltime_ul', 'average_time_queue', 'free_space_on_disk', 'queued_io_jobs',
                                      'refresh_interval', 'total_buffers_size', 'total_peer_connections', 'total_queued_size',
                                      'total_wasted_session'], INT),
         **dict.fromkeys(['global_ratio', 'read_cache_hits', 'read_cache_overload', 'write_cache_overload'], TEXT),
         **dict.fromkeys(['queueing', 'use_alt_speed_limits', 'use_subcategories'], BOOL)}


def has_shape(value, shape, what):
    equal(set(value), set(shape), f'keys of {what}')
    for key, kinds in shape.items():
        check(type(value[key]) in kinds, what, key, value[key])


def endpoints():
    """(kind, path, scope) of every line of the table."""
    with open(os.path.join(SOURCE, 'methods.def'), encoding='utf-8') as f:
        for kind, path, rest in re.findall(r'^(LIST|TEXT|EXPORT|CHANGE)\("([^"]+)", (.*)\)$', f.read(), re.M):
            yield kind, path, {'CHANGE': rest.split(',')[0].lower(), 'EXPORT': 'manage'}.get(kind, 'read')


def token(d, scopes):
    reply = d.http('POST', '/api/v1/tokens', None, json.dumps({'name': scopes, 'scopes': scopes}),
                   {'Authorization': f'Bearer {d.first_token()}'})
    equal(reply.status, 201, reply.body)
    return json.loads(reply.body)


def log_in(d, user, password):
    """The answer, and a client with the cookie that it set."""
    reply = Qbit(d).post('auth/login', username=user, password=password)
    cookie = reply.headers['Set-Cookie']
    return reply, Qbit(d, {'Cookie': cookie} if cookie else {})


@case
def every_endpoint_wants_credentials_that_suffice():
    with Daemon(CLOSED) as d:
        everything = list(endpoints())
        check(len(everything) > 70, len(everything))
        clients = {s: Qbit(d, {'Authorization': f'Bearer {token(d, s)["token"]}'}) for s in ('read', 'add', 'manage', 'admin')}
        for kind, path, scope in everything:
            equal(Qbit(d).post(path).status, 403, path)
            equal(Qbit(d, {'Cookie': 'SID=' + 'x' * 51}).post(path).status, 403, path)
            for name, client in clients.items():
                if path != 'app/shutdown':
                    equal(client.post(path).status == 403, name != scope, f'{path} with {name}')
            if kind == 'CHANGE':
                equal(clients[scope].get(path).status, 405, path)
            else:
                equal(clients[scope].get(path).status, clients[scope].post(path).status, path)
        equal(Qbit(d, {'Authorization': 'Bearer nonsense'}).get('app/version').status, 403)
        equal(Qbit(d).get('auth/login').status, 405)
        equal(clients['read'].get('rss/items').status, 404)


@case
def apps_log_in_with_user_and_password_and_send_a_cookie():
    with Daemon({**CLOSED, 'api.user': 'me', 'api.password': HASH}) as d:
        for user, password in (('me', 'wrong'), ('me', ''), ('', '')):
            reply, _ = log_in(d, user, password)
            equal((reply.status, reply.body, reply.headers['Set-Cookie']), (200, b'Fails.', None))
        reply, qbit = log_in(d, 'me', PASSWORD)
        equal((reply.status, reply.body), (200, b'Ok.'))
        check(re.fullmatch(r'SID=td-\S+; HttpOnly; SameSite=Strict; path=/', reply.headers['Set-Cookie']), reply.headers['Set-Cookie'])
        qbit.ok('torrents/createTags', tags='x')
        equal(qbit.json('torrents/tags'), ['x'])
        sid = reply.headers['Set-Cookie'].split(';')[0]
        others = Qbit(d, {'Cookie': f'SID=other; a=b; {sid}'})
        equal(others.get('app/version').status, 403, 'the first of two counts')
        equal(Qbit(d, {'Cookie': f'a=b; {sid}'}).get('app/version').body, b'v5.0.5')
        equal(d.http('GET', '/alldata', headers={'Cookie': sid}).status, 401, 'it is for this interface alone')
        equal(Qbit(d, {'Cookie': sid, 'Origin': 'https://evil.example'}).post('torrents/createTags', tags='y').status, 403)
        equal(Qbit(d, {'Cookie': sid, 'User-Agent': 'Mozilla/5.0'}).post('torrents/createTags', tags='y').status, 403)
        qbit.ok('auth/logout')
        equal(qbit.get('app/version').status, 403)
        _, again = log_in(d, 'me', PASSWORD)
        again.ok('app/setPreferences', json=json.dumps({'pex': False}))
        equal(again.get('app/version').status, 200, 'a change of options logs nobody out')
        d.restart()
        equal(again.get('app/version').status, 403, 'it is not kept')
        check(PASSWORD not in d.log(), 'the password is in the log')


@case
def a_token_in_the_place_of_the_password_has_its_scopes_until_it_is_revoked():
    with Daemon(CLOSED) as d:
        made = token(d, 'read')
        reply, qbit = log_in(d, 'anybody', made['token'])
        equal(reply.body, b'Ok.')
        equal(qbit.json('torrents/info'), [])
        qbit.no(403, 'torrents/createTags', tags='x')
        admin = {'Authorization': f'Bearer {d.first_token()}'}
        equal(d.http('DELETE', f'/api/v1/tokens/{made["id"]}', headers=admin).status, 204)
        equal(qbit.get('torrents/info').status, 403)
        equal(log_in(d, 'anybody', made['token'])[0].body, b'Fails.')


@case
def who_is_wrong_too_often_waits():
    with Daemon({**CLOSED, 'api.user': 'me', 'api.password': HASH}) as d:
        def shut_out():
            return log_in(d, 'me', 'wrong')[0].status == 429
        wait_for(shut_out, 'too many wrong ones')
        wait_for(lambda: log_in(d, 'me', PASSWORD)[0].body == b'Ok.', 'after a while the right one counts')


@case
def who_is_on_this_machine_needs_no_password():
    with Daemon() as d:
        reply, qbit = log_in(d, '', '')
        equal(reply.body, b'Ok.')
        equal(qbit.ok('torrents/createTags', tags='x'), '')
        equal(log_in(d, 'admin', 'adminadmin')[0].body, b'Fails.', 'what is wrong is told all the same')
        equal(Qbit(d).get('app/webapiVersion').body, b'2.11.2')
        equal(Qbit(d).get('app/defaultSavePath').body.decode(), d.downloads)
        equal(Qbit(d).json('app/buildInfo')['platform'], 'linux')
        equal((Qbit(d).json('log/main'), Qbit(d).json('log/peers')), ([], []))


@case
def what_is_shown_has_the_keys_and_types_that_apps_read():
    with Daemon() as d, HttpTracker(lambda _: http_reply(reply_body(complete=3, incomplete=4))) as tracker:
        qbit = Qbit(d)
        t = Torrent('one', [('a', 70000), ('b/c', 30000)], trackers=[tracker.url()], extra={'comment': 'so', 'url-list': 'http://x.test/'})
        qbit.add(t)
        d.wait_ready(t)
        with Seed(t).dial(d):
            d.wait_done(t)
            peers = qbit.json('sync/torrentPeers', hash=t.hex)
        equal((peers['full_update'], peers['rid']), (True, 1))
        for name, peer in peers['peers'].items():
            equal(f"{peer['ip']}:{peer['port']}", name)
            equal((type(peer['progress']), type(peer['dl_speed']), type(peer['flags'])), (float, int, str))
        wait_for(lambda: qbit.one(t)['num_complete'] == 3, 'what the tracker counts')
        one = qbit.one(t)
        has_shape(one, TORRENT, 'torrent')
        wanted = {'hash': t.hex, 'name': 'one', 'size': 100000, 'total_size': 100000, 'progress': 1.0, 'amount_left': 0,
                  'completed': 100000, 'downloaded': 100000, 'comment': 'so', 'save_path': d.downloads, 'eta': 8640000,
                  'content_path': d.downloads + '/one', 'root_path': d.downloads + '/one', 'ratio_limit': -2, 'max_ratio': -1,
                  'tracker': tracker.url(), 'trackers_count': 1, 'num_incomplete': 4, 'private': False, 'category': '', 'tags': ''}
        equal({k: one[k] for k in wanted}, wanted)
        check(one['state'] in ('uploading', 'stalledUP') and one['completion_on'] >= one['added_on'] > 0, one)
        properties = qbit.json('torrents/properties', hash=t.hex)
        has_shape(properties, PROPERTIES, 'properties')
        equal([properties[k] for k in ('pieces_num', 'pieces_have', 'piece_size', 'total_size', 'seeds_total', 'save_path')],
              [4, 4, 32768, 100000, 3, d.downloads])
        trackers = qbit.json('torrents/trackers', hash=t.hex)
        equal([x['url'] for x in trackers], ['** [DHT] **', '** [PeX] **', '** [LSD] **', tracker.url()])
        equal({k: trackers[3][k] for k in ('status', 'tier', 'num_seeds', 'num_leeches')},
              {'status': 2, 'tier': 0, 'num_seeds': 3, 'num_leeches': 4})
        equal(qbit.json('torrents/webseeds', hash=t.hex), [{'url': 'http://x.test/'}])
        files = qbit.json('torrents/files', hash=t.hex)
        equal([(f['index'], f['name'], f['size'], f['progress'], f['priority'], f['piece_range']) for f in files],
              [(0, 'one/a', 70000, 1.0, 1, [0, 2]), (1, 'one/b/c', 30000, 1.0, 1, [2, 3])])
        equal([f['is_seed'] for f in files[:1]], [True])
        equal([f['index'] for f in qbit.json('torrents/files', hash=t.hex, indexes='1')], [1])
        equal(qbit.get('torrents/files', hash=t.hex, indexes='0|2').status, 409)
        equal(qbit.json('torrents/pieceStates', hash=t.hex), [2, 2, 2, 2])
        hashes = qbit.json('torrents/pieceHashes', hash=t.hex)
        equal((len(hashes), len(hashes[0])), (4, 40))
        reply = qbit.get('torrents/export', hash=t.hex)
        equal((reply.body, reply.headers['Content-Type']), (t.data, 'application/x-bittorrent'))
        has_shape(qbit.json('transfer/info'), TRANSFER, 'transfer')
        equal(qbit.json('transfer/info')['dl_info_data'], 100000)
        for path in ('properties', 'trackers', 'webseeds', 'files', 'pieceStates', 'pieceHashes', 'export'):
            equal(qbit.get('torrents/' + path).status, 400, path)
            equal(qbit.get('torrents/' + path, hash=UNKNOWN).status, 404, path)
            equal(qbit.get('torrents/' + path, hash='nonsense').status, 404, path)
        full = Mirror(qbit).follow()
        has_shape(full.state, STATE, 'server_state')
        equal((full.state['alltime_dl'], full.trackers), (100000, {tracker.url(): [t.hex]}))


@case
def a_magnet_is_a_torrent_without_metadata():
    with Daemon() as d:
        qbit = Qbit(d)
        equal(qbit.ok('torrents/add', urls=f'magnet:?xt=urn:btih:{UNKNOWN}&dn=m\n\n {"f" * 40}', category='new'), 'Ok.')
        equal(qbit.get('torrents/count').body, b'2')
        one = qbit.info(hashes=UNKNOWN)[0]
        equal((one['state'], one['has_metadata'], one['private'], one['name'], one['category']), ('metaDL', False, None, 'm', 'new'))
        equal(qbit.json('torrents/files', hash=UNKNOWN), [])
        equal(qbit.json('torrents/pieceStates', hash=UNKNOWN), [])
        properties = qbit.json('torrents/properties', hash=UNKNOWN)
        equal((properties['has_metadata'], properties['private'], properties['pieces_num']), (False, None, -1))
        equal(qbit.get('torrents/export', hash=UNKNOWN).status, 409)
        qbit.no(409, 'torrents/filePrio', hash=UNKNOWN, id='0', priority='0')
        qbit.ok('torrents/setForceStart', hashes=UNKNOWN, value='true')
        equal(qbit.info(hashes=UNKNOWN)[0]['state'], 'forcedMetaDL')


@case
def torrents_are_added_with_all_that_apps_say_of_them():
    with Daemon() as d:
        qbit = Qbit(d)
        there = os.path.join(d.downloads, 'there')
        a, b = Torrent('a', 50000), Torrent('b', 60000, seed=2)
        reply = qbit.send({'savepath': there, 'category': 'tv', 'tags': 'x, y', 'stopped': 'true', 'skip_checking': 'true',
                           'sequentialDownload': 'true', 'firstLastPiecePrio': 'true', 'upLimit': '1000', 'dlLimit': '2000',
                           'ratioLimit': '1.5', 'seedingTimeLimit': '90', 'inactiveSeedingTimeLimit': '-1', 'autoTMM': 'false',
                           'contentLayout': 'Original', 'root_folder': 'true', 'rename': '', 'cookie': ''}, a.data, b.data)
        equal((reply.status, reply.body), (200, b'Ok.'))
        d.wait_ready(a)
        wanted = {'save_path': there, 'category': 'tv', 'tags': 'x, y', 'seq_dl': True, 'f_l_piece_prio': True, 'up_limit': 1000,
                  'dl_limit': 2000, 'ratio_limit': 1.5, 'max_ratio': 1.5, 'seeding_time_limit': 90, 'inactive_seeding_time_limit': -1}
        for one in qbit.info():
            equal({k: one[k] for k in wanted}, wanted)
        wait_for(lambda: {x['state'] for x in qbit.info()} == {'stoppedDL'}, 'they are stopped')
        equal(qbit.send({}, a.data).body, b'Fails.', 'it is there')
        equal(qbit.send({'urls': f'magnet:?xt=urn:btih:{UNKNOWN}', 'paused': 'true'}, a.data).body, b'Ok.', 'one of them is new')
        qbit.ok('torrents/createCategory', category='here', savePath='sub')
        c = Torrent('c', 1000, seed=3)
        qbit.add(c, category='here', forced='true')
        equal((qbit.one(c)['save_path'], qbit.one(c)['force_start']), (d.downloads + '/sub', True))
        refused = Torrent('r', 1000, seed=4)
        for status, fields in ((409, {'rename': 'x'}), (409, {'contentLayout': 'NoSubfolder'}), (409, {'root_folder': 'false'}),
                               (409, {'useDownloadPath': 'true'}), (409, {'stopCondition': 'FilesChecked'}),
                               (400, {'upLimit': 'x'}), (400, {'ratioLimit': '1e99'}), (400, {'tags': 'x' * 101}),
                               (400, {'category': '/x'}), (400, {'urls': 'https://x.test/a.torrent'})):
            reply = qbit.send(fields, refused.data)
            equal(reply.status, status, f'{fields} {reply.body}')
            check(len(reply.body) > 10, reply.body)
        equal(qbit.info(hashes=refused.hex), [], 'nothing was added')
        equal(qbit.send({'savepath': '/etc'}, refused.data).body, b'Fails.')
        equal(qbit.send({}).status, 400)
        equal(qbit.send({}, b'nonsense').status, 415)
        equal(qbit.ok('torrents/add', urls='magnet:?xt=nonsense'), 'Fails.')


@case
def the_list_is_filtered_sorted_and_cut():
    with Daemon() as d:
        qbit = Qbit(d)
        for i, name in enumerate('abcde'):
            qbit.add(Torrent(name, 1000 * (i + 1), seed=i), paused='true', category='tv' if i < 2 else '', tags='t' if i > 3 else '')
        hashes = {t['name']: t['hash'] for t in qbit.info()}
        for params, wanted in (({}, 'abcde'), ({'sort': 'size', 'reverse': 'true'}, 'edcba'), ({'sort': 'name', 'limit': 2}, 'ab'),
                               ({'limit': 2, 'offset': 1}, 'bc'), ({'offset': -2}, 'de'), ({'offset': 99}, ''), ({'limit': -1}, 'abcde'),
                               ({'category': 'tv'}, 'ab'), ({'category': ''}, 'cde'), ({'category': 'no'}, ''), ({'tag': 't'}, 'e'),
                               ({'tag': ''}, 'abcd'), ({'filter': 'stopped'}, 'abcde'), ({'filter': 'paused'}, 'abcde'),
                               ({'filter': 'running'}, ''), ({'filter': 'completed'}, ''), ({'filter': 'nonsense'}, 'abcde'),
                               ({'filter': 'active'}, ''), ({'filter': 'inactive'}, 'abcde'), ({'private': 'true'}, ''),
                               ({'sort': 'nonsense'}, 'abcde'), ({'sort': 'category'}, 'cdeab'),
                               ({'hashes': hashes['d'] + '|' + hashes['a'].upper() + '|x'}, 'ad'), ({'hashes': 'all'}, 'abcde'),
                               ({'hashes': UNKNOWN}, '')):
            wait_for(lambda: qbit.names(**params) in (wanted, wanted), f'{params}: {qbit.names(**params)}, wanted {wanted}')
        many = '|'.join([*hashes.values(), *(f'{i:040x}' for i in range(30))])
        equal(qbit.names(hashes=many), 'abcde')
        body = multipart({'filter': 'stopped', 'sort': 'size', 'reverse': 'true'})
        equal([t['name'] for t in json.loads(d.http('POST', '/api/v2/torrents/info', None, *body).body)], list('edcba'))


@case
def torrents_are_changed_by_their_hashes():
    with Daemon({'queue.downloads': 2}) as d:
        qbit = Qbit(d)
        a, b = Torrent('a', 50000), Torrent('b', 60000, seed=2)
        qbit.add(a)
        qbit.add(b)
        d.wait_ready(a)
        d.wait_ready(b)

        def both(key):
            return [t[key] for t in qbit.info()]
        for path, state in (('stop', 'stoppedDL'), ('resume', 'stalledDL'), ('pause', 'stoppedDL'), ('start', 'stalledDL')):
            qbit.ok('torrents/' + path, hashes='all')
            wait_for(lambda: both('state') == [state] * 2, path)
        qbit.ok('torrents/setForceStart', hashes=a.hex, value='true')
        equal((both('force_start'), qbit.one(a)['state']), ([True, False], 'forcedDL'))
        qbit.ok('torrents/setForceStart', hashes=a.hex, value='false')
        equal(both('force_start'), [False, False])
        for path, key in (('toggleSequentialDownload', 'seq_dl'), ('toggleFirstLastPiecePrio', 'f_l_piece_prio')):
            qbit.ok('torrents/' + path, hashes=b.hex)
            equal(both(key), [False, True])
            qbit.ok('torrents/' + path, hashes=f'{a.hex}|{b.hex}')
            equal(both(key), [True, False])
        qbit.ok('torrents/setUploadLimit', hashes=a.hex, limit=5000)
        qbit.ok('torrents/setDownloadLimit', hashes='all', limit=7000)
        equal((both('up_limit'), both('dl_limit')), ([5000, 0], [7000, 7000]))
        equal(qbit.json('torrents/uploadLimit', hashes=f'{a.hex}|{b.hex}'), {a.hex: 5000, b.hex: 0})
        equal(qbit.json('torrents/downloadLimit', hashes='all'), {a.hex: 7000, b.hex: 7000})
        qbit.ok('torrents/setShareLimits', hashes='all', ratioLimit='2.25', seedingTimeLimit='-1', inactiveSeedingTimeLimit='5')
        equal((both('ratio_limit'), both('seeding_time_limit'), both('inactive_seeding_time_limit')), ([2.25] * 2, [-1] * 2, [5] * 2))
        qbit.ok('torrents/setShareLimits', hashes=a.hex, ratioLimit='-2', seedingTimeLimit='-2')
        equal((both('ratio_limit'), both('inactive_seeding_time_limit')), ([-2, 2.25], [5, 5]))
        equal(both('priority'), [1, 2])
        for path, wanted in (('topPrio', [2, 1]), ('bottomPrio', [1, 2]), ('increasePrio', [2, 1]), ('decreasePrio', [1, 2])):
            qbit.ok('torrents/' + path, hashes=b.hex)
            equal(both('priority'), wanted, path)
        qbit.ok('torrents/filePrio', hash=a.hex, id='0', priority='7')
        equal(qbit.json('torrents/files', hash=a.hex)[0]['priority'], 7)
        qbit.ok('torrents/filePrio', hash=a.hex, id='0', priority='0')
        equal(qbit.json('torrents/files', hash=a.hex)[0]['priority'], 0)
        for path in ('recheck', 'reannounce'):
            qbit.ok('torrents/' + path, hashes=a.hex)
        qbit.ok('torrents/setLocation', hashes='all', location=d.downloads)
        for path in ('setSuperSeeding', 'setAutoManagement'):
            qbit.ok('torrents/' + path, hashes='all', value='false', enable='false')
            qbit.no(409, 'torrents/' + path, hashes='all', value='true', enable='true')
        b.write(d.downloads)
        qbit.ok('torrents/stop', hashes=UNKNOWN)  # what is not there is left out, as they do
        qbit.ok('torrents/delete', hashes=a.hex, deleteFiles='false')
        qbit.ok('torrents/recheck', hashes=b.hex)
        d.wait_status(b, 'seeding')
        equal(qbit.one(b)['progress'], 1)
        qbit.ok('torrents/delete', hashes='all', deleteFiles='true')
        equal(qbit.info(), [])
        wait_for(lambda: not os.path.exists(os.path.join(d.downloads, 'b')), 'its data is gone')


@case
def limits_on_everything_and_preferences():
    with Daemon({'peers.max': None}) as d:
        qbit = Qbit(d)
        qbit.ok('transfer/setDownloadLimit', limit=50000)
        qbit.ok('transfer/setUploadLimit', limit=60000)
        equal((qbit.get('transfer/downloadLimit').body, qbit.get('transfer/uploadLimit').body), (b'50000', b'60000'))
        equal((d.all()['maxdown'], qbit.json('transfer/info')['up_rate_limit']), (50000 / 1024, 60000))
        equal(qbit.get('transfer/speedLimitsMode').body, b'0')
        qbit.ok('transfer/setSpeedLimitsMode', mode=0)
        qbit.no(409, 'transfer/setSpeedLimitsMode', mode=1)
        qbit.no(409, 'transfer/toggleSpeedLimitsMode')
        prefs = qbit.json('app/preferences')
        for name, value in {'save_path': d.downloads, 'max_ratio_enabled': False, 'max_ratio': -1, 'max_seeding_time': -1,
                            'max_ratio_act': 0, 'queueing_enabled': False, 'dht': False, 'listen_port': d.peer_port,
                            'dl_limit': 50000, 'resume_data_storage_type': 'SQLite'}.items():
            equal(prefs[name], value, name)

        def put(**wish):
            qbit.ok('app/setPreferences', json=json.dumps(wish))
            return qbit.json('app/preferences')
        equal(put(**prefs), prefs, 'what they were told they may send')
        now = put(max_connec=77, max_ratio_enabled=True, max_ratio=1.5, max_seeding_time_enabled=True, max_seeding_time=90,
                  queueing_enabled=True, max_active_downloads=4, up_limit=7000, pex=False, unknown=1)
        equal([now[k] for k in ('max_connec', 'max_ratio', 'max_seeding_time', 'max_active_downloads', 'max_active_uploads',
                                'up_limit', 'pex')], [77, 1.5, 90, 4, 3, 7000, False])
        now = put(max_ratio_enabled=False, queueing_enabled=False)
        equal((now['max_ratio'], now['max_active_downloads'], now['queueing_enabled']), (-1, -1, False))
        for status, wish in ((409, {'locale': 'de'}), (409, {'web_ui_port': 1}), (400, {'max_connec': 'x'}), (400, {'pex': 1}),
                             (400, {'encryption': 9}), (400, {'max_ratio_enabled': True, 'max_ratio': 'x'})):
            qbit.no(status, 'app/setPreferences', json=json.dumps({**wish, 'max_connec_per_torrent': 9}))
        check(put()['max_connec_per_torrent'] != 9, 'none or all')
        for text in ('', '[]', '{', '3'):
            qbit.no(400, 'app/setPreferences', json=text)
        d.restart()
        equal(Qbit(d).json('app/preferences')['max_connec'], 77)


@case
def categories_and_tags_are_labels_and_outlive_a_restart():
    with Daemon() as d:
        qbit = Qbit(d)
        t, u = Torrent('t', 1000), Torrent('u', 1000, seed=2)
        qbit.ok('torrents/createCategory', category='tv', savePath=d.downloads + '/tv')
        qbit.ok('torrents/createCategory', category='films/new', savePath='')
        qbit.no(409, 'torrents/createCategory', category='tv')
        qbit.no(400, 'torrents/createCategory', category='')
        for name in ('a,b', '/a', 'a/', 'a//b', 'a\\b', 'x' * 101, 'a\nb'):
            qbit.no(409, 'torrents/createCategory', category=name)
        qbit.ok('torrents/editCategory', category='films/new', savePath='films')
        qbit.no(409, 'torrents/editCategory', category='none', savePath='x')
        qbit.ok('torrents/createTags', tags='one, two,,one')
        qbit.no(409, 'torrents/createTags', tags='tv')
        wanted = {'tv': {'name': 'tv', 'savePath': d.downloads + '/tv'}, 'films/new': {'name': 'films/new', 'savePath': 'films'}}
        equal(qbit.json('torrents/categories'), wanted)
        qbit.add(t, paused='true', category='tv', tags='two')
        qbit.add(u, paused='true')
        equal(qbit.one(t)['save_path'], d.downloads + '/tv')
        d.restart()
        qbit = Qbit(d)
        equal((qbit.json('torrents/categories'), qbit.json('torrents/tags')), (wanted, ['one', 'two']))
        equal((qbit.one(t)['category'], qbit.one(t)['tags']), ('tv', 'two'))
        qbit.ok('torrents/addTags', hashes=f'{t.hex}|{u.hex}', tags='three,one')
        qbit.ok('torrents/removeTags', hashes=t.hex, tags='two')
        equal([(x['category'], x['tags']) for x in qbit.info()], [('tv', 'three, one'), ('', 'three, one')])
        equal(d.view(t)['labels'], ['tv', 'three', 'one'], 'as the native API has them')
        qbit.ok('torrents/setCategory', hashes='all', category='films/new')
        qbit.no(409, 'torrents/setCategory', hashes='all', category='none')
        equal([x['category'] for x in qbit.info()], ['films/new'] * 2)
        qbit.ok('torrents/removeTags', hashes=u.hex, tags='')
        qbit.ok('torrents/setCategory', hashes=u.hex, category='')
        equal([(x['category'], x['tags']) for x in qbit.info()], [('films/new', 'three, one'), ('', '')])
        d.ok('/setlabels', infohash=u.hex, labels='other,tv,one')
        equal((qbit.one(u)['category'], qbit.one(u)['tags']), ('tv', 'other, one'))
        equal(qbit.json('torrents/tags'), ['one', 'other', 'three', 'two'])
        qbit.ok('torrents/deleteTags', tags='one,other')
        equal((qbit.json('torrents/tags'), qbit.one(u)['tags'], qbit.one(t)['tags']), (['three', 'two'], '', 'three'))
        qbit.ok('torrents/removeCategories', categories='tv\nfilms/new\nnone')
        equal((qbit.json('torrents/categories'), [x['category'] for x in qbit.info()]), ({}, ['', '']))
        d.restart()
        equal((Qbit(d).json('torrents/categories'), Qbit(d).json('torrents/tags')), ({}, ['three', 'two']))


@case
def what_cannot_be_done_is_said():
    with Daemon() as d:
        qbit = Qbit(d)
        t = Torrent('t', 1000)
        qbit.add(t, paused='true')
        for path, params in (('torrents/rename', {'hash': t.hex, 'name': 'x'}), ('torrents/renameFile', {'hash': t.hex}),
                             ('torrents/renameFolder', {'hash': t.hex}), ('torrents/addTrackers', {'hash': t.hex, 'urls': 'http://x/'}),
                             ('torrents/editTracker', {'hash': t.hex}), ('torrents/removeTrackers', {'hash': t.hex}),
                             ('torrents/addPeers', {'hashes': t.hex, 'peers': '1.2.3.4:5'}), ('transfer/banPeers', {'peers': 'x'}),
                             ('torrents/setLocation', {'hashes': t.hex, 'location': '/srv'}),
                             ('torrents/setSavePath', {'id': t.hex, 'path': '/srv'}), ('torrents/topPrio', {'hashes': t.hex})):
            qbit.no(409, path, **params)


@case
def what_is_malformed_is_refused_and_the_daemon_lives():
    with Daemon({'api.body_limit': '4MiB'}) as d:
        qbit = Qbit(d)
        t = Torrent('t', 1000)
        qbit.add(t, paused='true')
        for path in ('stop', 'start', 'recheck', 'delete', 'setCategory', 'addTags', 'setShareLimits', 'filePrio', 'setLocation',
                     'setForceStart', 'toggleSequentialDownload', 'setUploadLimit', 'createCategory', 'createTags', 'removeCategories'):
            qbit.no(400, 'torrents/' + path)
        qbit.no(400, 'torrents/setUploadLimit', hashes=t.hex, limit='x')
        qbit.no(400, 'torrents/setUploadLimit', hashes=t.hex, limit='9' * 40)
        qbit.no(400, 'torrents/setShareLimits', hashes=t.hex, ratioLimit='nan', seedingTimeLimit='1')
        qbit.no(400, 'torrents/setShareLimits', hashes=t.hex, ratioLimit='1', seedingTimeLimit='1e300')
        qbit.no(400, 'torrents/filePrio', hash=t.hex, id='0', priority='3')
        qbit.no(400, 'torrents/filePrio', hash=t.hex, id='x', priority='1')
        qbit.no(409, 'torrents/filePrio', hash=t.hex, id='1', priority='1')
        qbit.no(400, 'torrents/filePrio', hash=t.hex, id='4294967295', priority='1')
        for hashes in ('', '|', '|' * 100000, 'x' * 100000, '|'.join(f'{i:040x}' for i in range(50000)), 'all|all'):
            qbit.ok('torrents/stop', hashes=hashes)
            equal(qbit.post('torrents/info', hashes=hashes or 'x').body, b'[]')
        for rid in ('', 'x', '-1', '0', '1', '99999999999999999999', '2147483648'):
            check(qbit.json('sync/maindata', rid=rid)['full_update'], rid)
        kind = {'Content-Type': 'multipart/form-data; boundary=x'}
        for headers, body in ((kind, b''), (kind, b'--x'), (kind, b'--x\r\n\r\n\r\n--x--'), (kind, b'--x\r\nA: b\r\n\r\nq\r\n--x--'),
                              (kind, b'--x\r\nContent-Disposition: form-data; name="\r\n\r\nq\r\n--x--'),
                              ({'Content-Type': 'multipart/form-data'}, b'--x--'), (FORM, b'&&=&%&%4&%zz=%00&' * 5000),
                              (FORM, b'a=b&' * 1000000), ({}, b'\0' * 1000), ({'Content-Type': 'application/json'}, b'{}')):
            reply = d.http('POST', '/api/v2/torrents/add', None, body, headers)
            equal(reply.status, 400, f'{headers} {body[:40]} {reply.body}')
            d.alive()
        equal([x['name'] for x in qbit.info()], ['t'])
        reply = d.http('POST', '/api/v2/torrents/add', None, b'x' * 5000000, FORM)
        equal(reply.status, 413)


@case
def the_daemon_ends_when_it_is_asked_to():
    with Daemon() as d:
        try:
            equal(Qbit(d).ok('app/shutdown'), '')
        except (ConnectionError, http.client.HTTPException) as e:
            check(False, 'no answer', e)
        wait_for(lambda: d.process.poll() is not None, 'the daemon ends')
        equal(d.process.returncode, 0)
        d.start()


if __name__ == '__main__':
    lib_tap.main()
