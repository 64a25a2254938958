#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Web seeds (BEP 19): files over HTTP, and servers that lack some, refuse, lie or fall silent."""
import os
import threading
import urllib.parse

import lib_tap
from lib_daemon import Daemon
from lib_peer import Seed
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent
from lib_webserver import WebServer

PIECE = 32768
# The last piece of one file is the first of the next; names have what a URL must not.
FILES = [('a b+c/d#1', 5 * PIECE + 100), ('a b+c/\u00e4%20[x]?', 3 * PIECE), ('empty', 0), ('z&;=', PIECE // 2)]
# Test servers are on this machine, which a torrent may not name unless it is allowed to.
LOCAL = {'tracker.allow_private': 'true', 'tracker.allow_privileged': 'true'}


def make(*urls, files=FILES, **more):
    return Torrent('web & seed', files, piece_length=PIECE, extra={'url-list': list(urls)}, **more)


def served(files=FILES, **more):
    """A server with the files of make(), whose torrent has its address."""
    return WebServer(make(files=files), **more)


def seeds(d, t):
    return d.view(t)['webseeds']


def wait_seed(d, t, state, words=''):
    def look():
        found = seeds(d, t)
        return found and found[0]['state'] == state and words in found[0]['error'] and found[0]
    return wait_for(look, f'a web seed that is {state}: {words}')


@case
def many_files():
    with served() as w, Daemon(LOCAL) as d:
        t = make(w.url())
        d.add(t)
        d.wait_done(t)
        equal(t.differences(d.downloads), [])
        equal(w.paths(), {f'/{t.name}/{path}' for path, size in FILES if size > 0})
        check(all(wanted for _, wanted in w.asked), 'a file was asked for as a whole')


@case
def one_file():
    with served(files=20 * PIECE + 7) as w, Daemon(LOCAL) as d:
        t = make(w.url('/web%20%26%20seed'), files=20 * PIECE + 7)
        d.add(t)
        d.wait_done(t)
        equal(t.differences(d.downloads), [])


@case
def encryption_is_for_peers():
    with served() as w, Daemon({**LOCAL, 'peers.encryption': 'required'}) as d:
        t = make(w.url())
        d.add(t)
        d.wait_done(t)


@case
def blocks_are_asked_for_in_runs():
    size = 64 * PIECE
    with served(files=size) as w, Daemon(LOCAL) as d:
        t = make(w.url(), files=size)
        d.add(t)
        d.wait_done(t)
        check(len(w.asked) < size // 16384 // 2, len(w.asked), 'requests for', size // 16384, 'blocks')
        check(w.connections <= 4, w.connections, 'connections')


@case
def a_server_at_a_private_address_is_not_asked():
    with served() as w, Daemon({'tracker.allow_private': 'false'}) as d:
        t = make(w.url())
        d.add(t)
        wait_seed(d, t, 'resting', 'not allowed')
        equal(w.asked, [])


@case
def a_missing_file_costs_no_other():
    missing = f'/web & seed/{FILES[1][0]}'
    with served(rule=lambda path, _: (404, {}, b'gone') if path == missing else None) as w, Daemon(LOCAL) as d:
        t = make(w.url())
        d.add(t)
        # Pieces 0 to 4 are whole in the first file, the last one in the last.
        d.wait_view(t, lambda v: v['pieces_have'] >= 5, 'the pieces of other files')
        found = wait_for(lambda: [s for s in seeds(d, t) if s['files_missing'] == 1], 'a file is missing')
        check('does not have' in found[0]['error'] or found[0]['error'] == '', found[0])
        with Seed(t).dial(d):
            d.wait_done(t)
        equal(t.differences(d.downloads), [])
        check(sum(path == missing for path, _ in w.asked) <= 8, 'it was asked for again and again')


@case
def a_server_without_any_file_is_left_alone():
    with WebServer(make(files=1)) as w, Daemon(LOCAL) as d:
        t = make(w.url())
        d.add(t)
        wait_seed(d, t, 'empty', 'does not have the file')


@case
def a_file_of_another_length_is_another_file():
    with served(files=20 * PIECE) as w, Daemon(LOCAL) as d:
        t = make(w.url(), files=20 * PIECE + 1)
        d.add(t)
        wait_seed(d, t, 'empty', 'instead of')


@case
def garbage_is_never_taken_and_its_server_is_banned():
    def lie(path, wanted):
        status, headers, body = w.serve(path, wanted)
        return status, headers, bytes(len(body))

    with served() as w, served() as good, Daemon(LOCAL) as d:
        w.rule = lie
        t = make(w.url(), good.url())
        d.add(t)
        d.wait_done(t)
        equal(t.differences(d.downloads), [])


@case
def a_liar_alone_is_banned():
    def lie(path, wanted):
        status, headers, body = w.serve(path, wanted)
        return status, headers, bytes(len(body))

    with served() as w, Daemon(LOCAL) as d:
        w.rule = lie
        t = make(w.url())
        d.add(t)
        wait_seed(d, t, 'banned', 'does not match')
        asked = len(w.asked)
        with Seed(t).dial(d):
            d.wait_done(t)
        equal(t.differences(d.downloads), [])
        equal(len(w.asked), asked, 'requests after the ban')


@case
def a_busy_server_is_asked_later():
    busy = [True]

    def rule(_path, _wanted):
        return (503, {'Retry-After': '3600'}, b'busy') if busy[0] else None

    with served(rule=rule) as w, Daemon(LOCAL) as d:
        t = make(w.url())
        d.add(t)
        found = wait_seed(d, t, 'resting', 'status 503')
        check(found['next_try'] is not None, found)
        busy[0] = False
        with Seed(t).dial(d):
            d.wait_done(t)
        check(len(w.asked) <= 8, w.asked)


@case
def a_server_without_ranges_still_gives_small_files():
    with served(ranges=False) as w, Daemon(LOCAL) as d:
        t = make(w.url())
        d.add(t)
        d.wait_done(t)
        equal(t.differences(d.downloads), [])


@case
def short_answers_lose_no_block_that_came():
    def cut(path, wanted):
        status, headers, body = w.serve(path, wanted)
        return status, {**headers, 'Content-Length': str(len(body))}, body[:-1]

    with served(files=20 * PIECE) as w, Daemon(LOCAL) as d:
        w.rule = cut
        t = make(w.url(), files=20 * PIECE)
        d.add(t)
        wait_seed(d, t, 'resting')
        with Seed(t).dial(d):
            d.wait_done(t)
        equal(t.differences(d.downloads), [])


@case
def redirects_are_followed_to_another_host():
    with served() as there:
        def move(path, _wanted):
            return 302, {'Location': there.url(urllib.parse.quote(path))}, b''
        with served(rule=move) as w, Daemon(LOCAL) as d:
            t = make(w.url())
            d.add(t)
            d.wait_done(t)
            equal(t.differences(d.downloads), [])
            check(there.asked and w.asked, 'who was asked')


@case
def a_silent_server_does_not_hold_the_others():
    wake = threading.Event()

    def sleep(_path, _wanted):
        wake.wait(60)
        return 503, {}, b''

    with served(rule=sleep) as w, Daemon({**LOCAL, 'webseed.timeout': '1s'}) as d:
        t = make(w.url())
        d.add(t)
        wait_seed(d, t, 'resting', 'sends nothing')
        with Seed(t).dial(d):
            d.wait_done(t)
        wake.set()


@case
def limits_hold_for_them():
    size = 40 * PIECE
    with served(files=size) as w, Daemon(LOCAL) as d:
        t = make(w.url(), files=size)
        d.add(t, maxdown=100)
        d.wait_view(t, lambda v: v['pieces_have'] > 0, 'a piece')
        view = d.view(t)
        check(view['pieces_have'] < 40, 'all came at once')
        d.ok('/setdownrate', infohash=t.hex, rate=0)
        d.wait_done(t)


@case
def stopped_torrents_ask_nobody():
    size = 40 * PIECE
    with served(files=size) as w, Daemon(LOCAL) as d:
        t = make(w.url(), files=size)
        d.add(t, maxdown=50)
        wait_for(lambda: w.asked, 'a request')
        d.ok('/stoptorrent', infohash=t.hex)
        d.wait_status(t, 'stopped')
        wait_for(lambda: seeds(d, t) == [], 'no web seed at work')
        d.ok('/setdownrate', infohash=t.hex, rate=0)
        d.ok('/starttorrent', infohash=t.hex)
        d.wait_done(t)
        equal(t.differences(d.downloads), [])
        os.stat(d.downloads)


if __name__ == '__main__':
    lib_tap.main()
