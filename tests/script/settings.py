#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Options changed over the API: checked, in force at once, kept over restarts and kills, and undone."""
import json

import lib_tap
from lib_daemon import Daemon, free_port
from lib_tap import at_once, case, check, equal


def options(d):
    reply = d.get('/api/v1/settings')
    equal(reply.status, 200, reply.body)
    return {o['name']: o for s in json.loads(reply.body)['sections'] for o in s['options']}


def change(d, **wishes):
    return patch(d, json.dumps({name.replace('__', '.'): value for name, value in wishes.items()}))


def patch(d, body):
    return d.http('PATCH', '/api/v1/settings', body=body)


def changed(d, *restart, **wishes):
    reply = change(d, **wishes)
    equal(reply.status, 200, reply.body)
    answer = json.loads(reply.body)
    equal(answer['changed'], len(wishes))
    equal(answer['restart'], list(restart))


def refused(reply, status, code, *words):
    equal(reply.status, status, reply.body)
    equal(reply.headers['Content-Type'], 'application/problem+json')
    problem = json.loads(reply.body)
    equal((problem['status'], problem['code']), (status, code))
    for word in words:
        check(word in problem['detail'], word, 'is not in', problem['detail'])


@case
def every_option_says_what_it_is():
    with Daemon(config='[peers]\nupload_slots = 7\n', env={'TORRENTD_PEERS_MAX': '99'}) as d:
        got = options(d)
        slots = got['peers.upload_slots']
        equal((slots['value'], slots['type'], slots['locked']), (7, 'int', None))
        equal((slots['origin']['kind'], slots['origin']['where'], slots['origin']['line']), ('file', d.config_path, 2))
        equal(got['peers.max']['origin'], {'kind': 'environment', 'where': 'TORRENTD_PEERS_MAX'})
        check('environment' in got['peers.max']['locked'])
        check('command line' in got['log.level']['locked'])
        check('configuration file' in got['download.roots']['locked'])
        equal(got['api.timeout']['value'], 15.0)
        equal(got['peers.encryption']['choices'], ['off', 'tolerated', 'preferred', 'required'])
        equal(got['api.token']['value'], False)  # whether it is set, never what it is
        for name, o in got.items():
            check(o['doc'] and o['default'] is not None, name, o)


@case
def a_change_counts_at_once_and_is_kept():
    with Daemon(config='[download]\nmax_rate = 1MiB/s\n') as d:
        equal(options(d)['download.max_rate']['value'], 1 << 20)
        changed(d, 'store.workers', download__max_rate='2MiB/s', peers__upload_slots=9, store__workers=3)
        for again in (d.restart, lambda: (d.kill(), d.start())):
            got = options(d)
            equal(got['download.max_rate']['value'], 2 << 20)
            equal(got['download.max_rate']['origin'], {'kind': 'api', 'where': 'API'})
            equal(got['peers.upload_slots']['value'], 9)
            again()
        got = options(d)
        equal(got['store.workers']['value'], 3)  # it needed a restart
        changed(d, download__max_rate=None, peers__upload_slots=None)
        got = options(d)
        equal((got['download.max_rate']['value'], got['download.max_rate']['origin']['kind']), (1 << 20, 'file'))
        equal(got['peers.upload_slots']['origin']['kind'], 'default')
        d.restart()
        equal(options(d)['download.max_rate']['value'], 1 << 20)


@case
def numbers_are_in_plain_units():
    with Daemon() as d:
        changed(d, download__max_rate=12345, tracker__numwant=17, peers__encryption_payload='rc4')
        got = options(d)
        equal(got['download.max_rate']['value'], 12345)
        equal(got['tracker.numwant']['value'], 17)
        equal(got['peers.encryption_payload']['value'], 'rc4')
        changed(d, download__max_rate=0.5e6)
        equal(options(d)['download.max_rate']['value'], 500000)


@case
def what_is_wrong_changes_nothing():
    with Daemon() as d:
        before = options(d)
        refused(change(d, tracker__numwant=17, peers__upload_slot=9), 422, 'no_such_option', 'did you mean "peers.upload_slots"')
        refused(change(d, tracker__numwant=17, peers__upload_slots='many'), 422, 'bad_value', 'peers.upload_slots',
                'whole number')
        refused(change(d, tracker__numwant=-1), 422, 'bad_value', 'below the minimum')
        refused(change(d, tracker__numwant='1\nmax = 7'), 422, 'bad_value', 'control character')
        refused(change(d, tracker__numwant={'a': 1}), 422, 'invalid', 'list')
        refused(change(d, tracker__numwant=[1]), 422, 'invalid', 'texts')
        for name, value in (('api.token', 'x' * 32), ('api.bind', '0.0.0.0'), ('state.dir', '/tmp'),
                            ('download.dir', '/etc'), ('download.roots', ['/']), ('log.level', 'debug')):
            refused(change(d, **{name.replace('.', '__'): value}), 409, 'locked', name)
        refused(patch(d, '[]'), 400, 'bad_request', 'object')
        refused(patch(d, '{"a": 1, "a": 2}'), 400, 'bad_request', 'duplicate')
        refused(patch(d, '{}'), 422, 'invalid', 'at least one option')
        refused(patch(d, ''), 400, 'bad_request', 'JSON')
        equal(options(d), before)
        d.restart()
        equal(options(d), before)


def with_port_of_peers_in_the_file():
    d = Daemon()
    d.options['peers.port'] = None
    d.write_config(f'[peers]\nport = {d.peer_port}\n')
    return d


@case
def what_does_not_fit_together_is_refused():
    with with_port_of_peers_in_the_file() as d:
        changed(d, tracker__numwant=11)
        refused(change(d, tracker__numwant=12, peers__port=d.api_port), 422, 'bad_value', 'api.port and peers.port')
        d.write_config('[peers]\nupload_slots = nonsense\n')
        refused(change(d, tracker__numwant=12), 422, 'bad_value', d.config_path, 'upload_slots')
        equal(options(d)['tracker.numwant']['value'], 11)
        d.write_config(f'[peers]\nport = {d.peer_port}\n')
        changed(d, tracker__numwant=12)


@case
def what_the_command_line_sets_goes_before():
    with Daemon() as d:
        changed(d, tracker__numwant=11, peers__upload_slots=9)
        d.options['tracker.numwant'] = '33'
        d.restart()
        got = options(d)
        equal((got['tracker.numwant']['value'], got['peers.upload_slots']['value']), (33, 9))
        refused(change(d, tracker__numwant=12), 409, 'locked', 'command line')
        changed(d, tracker__numwant=None)
        del d.options['tracker.numwant']
        d.restart()
        equal(options(d)['tracker.numwant']['origin']['kind'], 'default')


@case
def what_fits_no_more_is_left_out_and_kept():
    """A daemon that starts without what a person has changed says so; one that does not start says nothing."""
    with with_port_of_peers_in_the_file() as d:
        d.options['api.port'] = free_port()
        changed(d, 'peers.port', peers__port=d.options['api.port'], tracker__numwant=11)
        d.api_port = d.options['api.port']
        d.restart()
        got = options(d)
        equal((got['peers.port']['value'], got['tracker.numwant']['origin']['kind']), (d.peer_port, 'default'))
        check('does not fit the configuration any more' in d.log(), d.log())
        refused(change(d, tracker__numwant=12), 422, 'bad_value', 'api.port and peers.port')
        changed(d, peers__port=None)  # what is in the way is taken back; the rest was kept
        equal(options(d)['tracker.numwant']['value'], 11)


@case
def many_at_once_are_all_or_nothing():
    with Daemon() as d:
        replies = at_once(lambda i: change(d, tracker__numwant=100 + i, peers__upload_slots=20 + i), range(8))
        statuses = [r.status for r in replies]
        check(set(statuses) <= {200, 503} and 200 in statuses, statuses)
        got = options(d)
        equal(got['tracker.numwant']['value'] - 100, got['peers.upload_slots']['value'] - 20)
        d.kill()
        d.start()
        again = options(d)
        equal(again['tracker.numwant'], got['tracker.numwant'])


lib_tap.main()
