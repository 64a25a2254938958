#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Looking into a running daemon: messages are traced by name, and nobody outside writes the log's fields."""
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


lib_tap.main()
