#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Looking into a running daemon: messages are traced by name, actors counted, and nobody outside writes the log's fields."""
import json
import signal

import lib_tap
from lib_daemon import Daemon
from lib_tap import case, check, wait_for
from lib_torrent import Torrent


def traced(daemon, message):
    return [line for line in daemon.log().splitlines() if f' trace message={message} ' in line]


@case
def messages_are_traced_by_name_and_by_reload():
    with Daemon(config='[log]\ntrace = torrent_view\n') as d:
        t = Torrent('seen', 20000)
        d.add(t)
        d.view(t)
        lines = traced(d, 'TORRENT_VIEW')
        check(any('kind=call from=http to=session' in x and f'ih={t.hex[:8]}' in x for x in lines), lines)
        check(any('kind=reply from=session to=http err=OK age_us=' in x for x in lines), lines)
        check(not traced(d, 'STORE_OPEN'), 'nothing else is traced')
        d.write_config('[log]\ntrace = STORE_CHECK, NO_SUCH\n')
        d.process.send_signal(signal.SIGHUP)
        wait_for(lambda: 'log_trace unknown=NO_SUCH' in d.log(), 'a wrong name is said')
        before = len(traced(d, 'TORRENT_VIEW'))
        d.ok('/rechecktorrent', infohash=t.hex)
        wait_for(lambda: traced(d, 'STORE_CHECK'), 'the new one is traced')
        check(' slot=' in traced(d, 'STORE_CHECK')[0], traced(d, 'STORE_CHECK'))
        check(len(traced(d, 'TORRENT_VIEW')) == before, 'the old one no more')


@case
def a_torrents_name_forges_no_field():
    name = 'x err=OK ih=00000000 text="y'
    with Daemon() as d:
        t = Torrent(name, 20000)
        d.seed(t)
        lines = [line for line in d.log().splitlines() if 'err=OK ih=0000' in line]
        check(lines, 'the name is in the log')
        check(all('="x err=OK ih=00000000 text=' in line for line in lines), lines)


def counters(daemon):
    """{actor: what is counted of it}"""
    return {a['name']: a for a in json.loads(daemon.get('/debug/actors').body)['actors']}


@case
def what_actors_do_is_counted():
    with Daemon() as d:
        t = Torrent('seen', 200000)
        d.seed(t)
        before = counters(d)
        check(set(before) >= {'main', 'http', 'session', 'peers', 'store', 'worker', 'state', 'tracker'}, before)
        for _ in range(20):
            d.view(t)
        d.ok('/rechecktorrent', infohash=t.hex)
        wait_for(lambda: counters(d)['worker']['messages'].get('WORKER_HASH') != before['worker']['messages'].get('WORKER_HASH'),
                 'a recheck is work for the workers')
        after = counters(d)

        def grown(actor, key):
            return after[actor][key] - before[actor][key]

        def messages(name):
            views = [c['session']['messages'].get('TORRENT_VIEW', {'in': 0, 'out': 0}) for c in (before, after)]
            return views[1][name] - views[0][name]
        check(messages('in') == messages('out') >= 1, 'each look is a call and its reply', before, after)
        check(grown('http', 'calls') >= messages('in'), after['http'])
        check(grown('state', 'messages_in') >= 1, 'a recheck is committed first', after['state'])
        for name, a in after.items():
            check(a['turns'] >= a['wakeups'] > 0, name, a)
            check(a['messages_in'] == sum(m['in'] for m in a['messages'].values()), name, a)
            check(a['messages_out'] == sum(m['out'] for m in a['messages'].values()), name, a)
            check(0 <= a['mailbox'] <= a['mailbox_most'] < 1000, name, a)
            check(0 <= a['turned_us_ago'] < 60e6 and a['calls_timed_out'] == 0, name, a)
        check(after['main']['handling'] == 'COUNTERS', 'who answers has the question in hand', after['main'])
        made, freed = (sum(a[k] for a in after.values()) for k in ('messages_made', 'messages_freed'))
        check(0 <= made - freed < 1000, made, freed)


lib_tap.main()
