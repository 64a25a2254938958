#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Actions on many torrents by one request: who is named, what is done, who fails, and what is refused."""
import json
import socket

import lib_tap
from lib_actions import act, make, post, rows
from lib_daemon import Daemon
from lib_tap import case, check, equal, wait_for

UNKNOWN = '0123456789abcdef0123456789abcdef01234567'


@case
def each_action_does_what_it_says_and_survives_a_crash():
    with Daemon() as d:
        a, b, c = make('abc')
        for t in (a, b, c):
            d.add(t)
        equal(act(d, 'stop', (a, b))['done'], 2)
        equal(rows(d, 'state'), {'a': ['stopped'], 'b': ['stopped'], 'c': ['downloading']})
        act(d, 'force', (a,))
        act(d, 'limits', (a, b), down=1000, up=2048, ratio=1.5)
        act(d, 'labels', (a, b), labels=['tv', 'new'])
        act(d, 'labels', (a,), add=['tv', 'hd'])
        act(d, 'labels', (b,), remove=['new', 'other'])
        act(d, 'sequential', (c,), on=True)
        act(d, 'queue', (b, c), to='top')
        act(d, 'files', (c,), files=[0], priority='high')
        act(d, 'discreet', (c,), on=True)
        act(d, 'encryption', (c,), encryption='required')
        act(d, 'reannounce', (a, b, c))
        for clean in (True, False):
            equal(rows(d, 'state', 'forced'),
                  {'a': ['downloading', True], 'b': ['stopped', False], 'c': ['downloading', False]})
            equal(rows(d, 'down_limit', 'up_limit')['b'], [1000, 2048])
            equal((d.view(a)['labels'], d.view(b)['labels']), (['tv', 'new', 'hd'], ['tv']))
            seen = {t.name: d.view(t) for t in (a, b, c)}
            equal([seen[n]['queue_position'] for n in 'cba'], [1, 2, 3])
            check(seen['c']['sequential'] and seen['c']['encryption'] == 'required', seen['c'])
            equal(seen['b']['seed_limits']['ratio'], 1.5)
            d.restart(clean=clean)
            for t in (a, b, c):
                d.wait_ready(t)


@case
def the_answer_names_a_revision_that_has_it_all():
    with Daemon() as d:
        torrents = make([chr(ord('A') + i) for i in range(40)])
        for t in torrents:
            d.add(t)
        reply = act(d, 'stop', torrents)
        equal((reply['done'], reply['failed']), (40, []))
        check(len(reply['undo']) == 12, reply)
        since = json.loads(d.get('/api/v1/torrents', since=f"{reply['epoch']}.{reply['rev']}", fields='state').body)
        equal(since['set'], [], 'changes behind the revision')
        equal(set(v[0] for v in rows(d, 'state').values()), {'stopped'})


@case
def who_is_not_there_is_named_and_the_others_are_done():
    with Daemon() as d:
        a, b = make('ab')
        d.add(a)
        reply = act(d, 'stop', (b, a, UNKNOWN))
        equal(reply['done'], 1)
        equal(sorted((f['hash'], f['code']) for f in reply['failed']),
              sorted((h, 'no_such_torrent') for h in (b.hex, UNKNOWN)))
        equal(d.view(a)['status'], 'stopped')
        equal(act(d, 'stop', (a,))['undo'], None, 'the undo of nothing')


@case
def a_filter_chooses():
    with Daemon() as d:
        a, b, ab = make(['a', 'b', 'ab'])
        for t in (a, b, ab):
            d.add(t)
        equal(act(d, 'stop', filter={'name': 'A'})['done'], 2)
        equal(rows(d, 'state'), {'a': ['stopped'], 'b': ['downloading'], 'ab': ['stopped']})
        equal(act(d, 'start', filter={'state': ['stopped'], 'name': 'b'})['done'], 1)
        equal(d.view(ab)['status'], 'downloading')
        equal(act(d, 'stop', filter={'path': d.downloads + '/other'})['done'], 0)
        equal(act(d, 'stop', filter={'path': d.downloads})['done'], 3)


@case
def nothing_is_done_where_nothing_or_nonsense_is_named():
    with Daemon() as d:
        a = make('a')[0]
        d.add(a)
        for body in ({'action': 'stop'}, {'action': 'stop', 'hashes': []}, {'action': 'stop', 'filter': {}},
                     {'action': 'stop', 'hashes': [a.hex], 'filter': {'state': 'stopped'}},
                     {'action': 'stop', 'hashes': [a.hex[:39]]}, {'action': 'stop', 'hashes': [[a.hex]]},
                     {'action': 'stop', 'hashes': [a.hex, '']}, {'action': 'stop', 'hashes': a.hex, 'args': {'why': 1}},
                     {'action': 'fly', 'hashes': [a.hex]}, {'hashes': [a.hex]},
                     {'action': 'stop', 'filter': {'state': 'flying'}}, {'action': 'stop', 'filter': {'stat': 'error'}},
                     {'action': 'remove', 'hashes': [a.hex]}, {'action': 'remove', 'hashes': [a.hex], 'data': 'burn'},
                     {'action': 'limits', 'hashes': [a.hex]}, {'action': 'limits', 'hashes': [a.hex], 'down': -1},
                     {'action': 'labels', 'hashes': [a.hex], 'args': {'add': 'x', 'remove': 'y'}},
                     {'action': 'queue', 'hashes': [a.hex]}, {'action': 'files', 'hashes': [a.hex]},
                     {'action': 'stop', 'hashes': [a.hex] * 10001}):
            reply = post(d, '/api/v1/torrents/actions', body)
            equal(reply.status, 422, (str(body)[:200], reply.body))
        equal(post(d, '/api/v1/torrents/actions', [a.hex]).status, 400)
        equal(d.view(a)['status'], 'downloading')


@case
def ten_thousand_hashes_fit():
    with Daemon() as d:
        a = make('a')[0]
        d.add(a)
        reply = act(d, 'stop', [f'{i:040x}' for i in range(9999)] + [a.hex])
        equal((reply['done'], len(reply['failed'])), (1, 9999))


@case
def an_action_goes_on_when_the_client_leaves():
    with Daemon() as d:
        torrents = make([chr(ord('A') + i) for i in range(50)])
        for t in torrents:
            d.add(t)
        body = json.dumps({'action': 'stop', 'hashes': [t.hex for t in torrents]}).encode()
        with socket.create_connection((d.host, d.api_port)) as s:
            s.sendall(b'POST /api/v1/torrents/actions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
                      b'Content-Length: %d\r\n\r\n' % len(body) + body)
        wait_for(lambda: set(v[0] for v in rows(d, 'state').values()) == {'stopped'}, 'all are stopped')


lib_tap.main()
