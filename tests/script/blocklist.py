#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Addresses that nobody is talked to at: lists from files and servers, kept, replaced, and who hears of them."""
import gzip
import http.server
import json
import os
import signal
import socket
import threading
import time

import lib_tap
from lib_daemon import Daemon, run_binary
from lib_peer import Closed, Seed, Wire, hello, new_id, reserved
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent
from lib_tracker import HttpTracker, UdpTracker, http_reply, reply_body, wait_tracker
from lib_webserver import WebServer

OPEN, SHUT = '127.0.0.8', '127.0.0.9'
PING = b'd1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe'


class ListServer:
    """Serves one list at any path, or says what is set."""

    def __init__(self, body):
        self.body, self.status, self.asked = body, 200, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                self.send_response(outer.status)
                self.send_header('Content-Length', str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def authority(self):
        return f'127.0.0.1:{self.server.server_port}'

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Listed:
    """A file with a list beneath a daemon's root, which exists before the daemon starts."""

    def __init__(self, text, options=None):
        self.daemon = Daemon()
        self.path = os.path.join(self.daemon.root, 'list.txt')
        self.write(text)
        self.daemon.options.update({'blocklist.sources': self.path, **(options or {})})

    def write(self, text):
        with open(self.path, 'wb') as f:
            f.write(text if isinstance(text, bytes) else text.encode())

    def __enter__(self):
        self.daemon.__enter__()
        return self.daemon

    def __exit__(self, *what):
        return self.daemon.__exit__(*what)


def state(d):
    return json.loads(d.get('/blocklist').body)


def settled(d):
    return wait_for(lambda: not (s := state(d))['updating'] and s, 'the lists are read')


def update(d):
    answer = d.http('POST', '/blocklist/update')
    equal(answer.status, 200)
    check(json.loads(answer.body)['updating'], 'an update has begun')
    return settled(d)


def is_refused(d, t, source):
    """Whether the daemon closes a connection from there without a word."""
    try:
        with Wire.dial(d, source) as wire:
            wire.send_raw(hello(t.infohash, new_id(), reserved(False, False)))
            wire.read_hello()
        return False
    except Closed:
        return True


def seeding(d):
    t = Torrent('seeded', 4 * 32768)
    d.seed(t)
    return t


@case
def who_connects_from_a_blocked_address_is_refused():
    with Listed(f'bad:{SHUT}-{SHUT}\n') as d:
        t = seeding(d)
        check(is_refused(d, t, SHUT), 'a blocked peer was let in')
        check(not is_refused(d, t, OPEN), 'another peer was refused')
        s = state(d)
        equal((s['enabled'], s['ranges'], s['error'], s['refused']), (True, 1, '', 1))
        equal([(x['ranges'], x['error'], x['bad_lines']) for x in s['sources']], [(1, '', 0)])
        check(abs(s['sources'][0]['updated'] - time.time()) < 60, 'when it was read')


@case
def a_blocked_address_is_not_dialled():
    t = Torrent('dialled', 4 * 32768)
    with Listed(SHUT) as d, Seed(t, source=OPEN) as good, Seed(t, source=SHUT) as bad:
        good.listen()
        bad.listen()
        with HttpTracker(lambda a: http_reply(reply_body([bad.address, good.address], 5))) as tracker:
            t = Torrent('dialled', 4 * 32768, trackers=[tracker.url()])
            d.add(t)
            d.wait_done(t)
            equal(bad.connections, 0)
            check(state(d)['refused'] > 0, 'it was counted')


@case
def who_is_connected_is_closed_when_a_list_comes():
    listed = Listed('192.0.2.1')
    with listed as d:
        t = seeding(d)
        with Wire.open(d, t, source=SHUT) as shut, Wire.open(d, t, source=OPEN) as stays:
            listed.write(f'192.0.2.1\n{SHUT}/32\n')
            equal(update(d)['ranges'], 2)
            shut.wait_closed()
            check(stays.is_open(), 'the other was closed, too')
        listed.write('192.0.2.1')
        equal(update(d)['ranges'], 1)
        check(not is_refused(d, t, SHUT), 'it is not blocked any more')


@case
def a_list_that_comes_holds_for_addresses_that_wait():
    full = threading.Event()

    def answer(_):
        full.wait(30)
        return http_reply(reply_body([bad.address], 5))
    t = Torrent('waiting', 4 * 32768)
    listed = Listed('192.0.2.1', {'peers.max_per_torrent': '1'})
    with listed as d, Seed(t, source=SHUT) as bad, HttpTracker(answer) as tracker:
        bad.listen()
        t = Torrent('waiting', 4 * 32768, trackers=[tracker.url()])
        d.add(t)
        d.wait_ready(t)
        with Wire.open(d, t, source=OPEN):
            full.set()
            wait_for(lambda: d.view(t)['trackers'][0]['peers'] == 1, 'the address is known')
            listed.write(SHUT)
            before = update(d)['refused']
        wait_for(lambda: state(d)['refused'] > before, 'it is forgotten when its turn comes')
        equal(bad.connections, 0)


@case
def a_reload_reads_files_and_takes_options():
    listed = Listed('192.0.2.1', {'blocklist.sources': None})
    config = f'[blocklist]\nsources = {listed.path}\n'
    listed.daemon.write_config(config)
    with listed as d:
        t = seeding(d)
        equal(settled(d)['ranges'], 1)
        listed.write(SHUT)
        d.process.send_signal(signal.SIGHUP)
        wait_for(lambda: is_refused(d, t, SHUT), 'the file is read at a reload')
        d.write_config(config + f'allow = {SHUT}\n')
        d.process.send_signal(signal.SIGHUP)
        wait_for(lambda: not is_refused(d, t, SHUT), 'who is allowed passes')
        d.write_config(config)
        d.process.send_signal(signal.SIGHUP)
        wait_for(lambda: is_refused(d, t, SHUT), 'and no more')
        d.write_config(config + 'enabled = false\n')
        d.process.send_signal(signal.SIGHUP)
        wait_for(lambda: not is_refused(d, t, SHUT), 'the lists are switched off')
        equal((state(d)['enabled'], state(d)['ranges']), (False, 0))


@case
def a_bad_file_leaves_the_last_good_list():
    listed = Listed(SHUT)
    with listed as d:
        t = seeding(d)
        for text, why in (('<html>\nno list\n</html>\n', 'no range'), ('', 'empty'), (b'PK\3\4...', 'zip'),
                          (gzip.compress(b'1.2.3.4')[:-9], 'gzip'), (b'\x1f\x8b\x08nonsense', 'gzip')):
            listed.write(text)
            s = update(d)
            equal(s['ranges'], 1)
            check(why in s['sources'][0]['error'], s)
            check(is_refused(d, t, SHUT), 'the last good list holds no more after', text)
        os.unlink(listed.path)
        check('no such file' in update(d)['sources'][0]['error'])
        check('blocklist_source' in d.log(), 'it is in the log')
        d.restart()
        s = settled(d)
        equal(s['ranges'], 1)
        check('no such file' in s['sources'][0]['error'])
        check(is_refused(d, t, SHUT), 'the last good list holds no more after a restart')
        listed.write(f'nonsense\n{OPEN}\nmore\n')
        s = update(d)
        equal((s['sources'][0]['error'], s['sources'][0]['bad_lines'], s['sources'][0]['bad_line']), ('', 2, 1))
        check(not is_refused(d, t, SHUT) and is_refused(d, t, OPEN), 'the new list holds')


@case
def a_list_packed_by_gzip_in_every_format():
    dat = '127.000.000.009 - 127.000.000.009 , 000 , bad\n'
    for plain in (f'bad:{SHUT}-{SHUT}\n', dat, f'{SHUT}/32\n'):
        packed = gzip.compress(plain.encode())
        with Listed(packed + gzip.compress(b'192.0.2.7\n')) as d:  # two members make one file
            t = seeding(d)
            equal(settled(d)['ranges'], 2)
            check(is_refused(d, t, SHUT), plain)


@case
def a_list_from_a_server_outlives_the_server():
    with ListServer(gzip.compress(f'x:{SHUT}-{SHUT}\n'.encode())) as w:
        url = f'http://me:secret1@{w.authority}/list.gz?pin=secret2'
        with Daemon({'blocklist.sources': url, 'tracker.allow_privileged': 'true'}) as d:
            t = seeding(d)
            wait_for(lambda: state(d)['ranges'] == 1, 'the list is fetched')
            check(is_refused(d, t, SHUT), 'a blocked peer was let in')
            equal(state(d)['sources'][0]['source'], f'http://{w.authority}/list.gz')
            asked = len(w.asked)
            w.status = 503
            s = update(d)
            check(len(w.asked) > asked, 'it was asked again')
            equal((s['ranges'], '503' in s['sources'][0]['error']), (1, True))
            w.status, w.body = 200, b'<html></html>'
            check('no range' in update(d)['sources'][0]['error'])
            check(is_refused(d, t, SHUT), 'the last good list holds')
            w.server.socket.close()
            d.restart()
            check(is_refused(d, t, SHUT), 'without a network there is no list')
            equal(state(d)['ranges'], 1)
            check('secret' not in d.log(), 'secrets are in the log')


@case
def a_fresh_list_is_not_fetched_again_at_a_restart():
    with ListServer(SHUT.encode()) as w, Daemon({'blocklist.sources': f'http://{w.authority}/x'}) as d:
        wait_for(lambda: state(d)['ranges'] == 1, 'the list is fetched')
        d.restart()
        equal(settled(d)['ranges'], 1)
        equal(len(w.asked), 1)


@case
def a_server_at_a_private_address_is_asked_if_that_is_allowed():
    with ListServer(SHUT.encode()) as w:
        with Daemon({'blocklist.sources': f'http://{w.authority}/x', 'tracker.allow_private': 'false'}) as d:
            check('not allowed' in settled(d)['sources'][0]['error'], state(d))
            equal(w.asked, [])


@case
def sources_that_are_not_configured_any_more_leave_nothing():
    listed = Listed(SHUT, {'blocklist.sources': None})
    listed.daemon.write_config(f'[blocklist]\nsources = {listed.path}\n')
    with listed as d:
        shelf = os.path.join(d.state, 'blocklist')
        settled(d)
        equal(len(os.listdir(shelf)), 1)
        d.write_config('')
        d.process.send_signal(signal.SIGHUP)
        wait_for(lambda: os.listdir(shelf) == [] and state(d)['sources'] == [], 'it is removed')
        equal(state(d)['ranges'], 0)


@case
def over_the_api_only_files_beside_the_configuration_can_be_named():
    listed = Listed(SHUT, {'blocklist.sources': None})
    with listed as d:
        def name(*sources):
            return d.http('PATCH', '/api/v1/settings', body=json.dumps({'blocklist.sources': list(sources)}))
        for path in ('/etc/passwd', '/nowhere/at/all', f'{d.root}/../list.txt', d.root + 'x/list.txt', d.root):
            reply = name('http://127.0.0.1:1/x', path)
            check(400 <= reply.status < 500 and b'beneath the directory of the configuration file' in reply.body, path, reply)
            equal(state(d)['sources'], [])
        equal(name(listed.path).status, 200)
        wait_for(lambda: state(d)['ranges'] == 1, 'the list is read')


def ping(d, source):
    """Whether the node of the DHT answers who asks from there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((source, 0))
        s.settimeout(1)
        s.sendto(PING, ('127.0.0.1', d.peer_port))
        try:
            return b'1:y1:r' in s.recv(2048)
        except TimeoutError:
            return False


@case
def the_dht_hears_and_answers_nobody_who_is_blocked():
    with Listed(SHUT, {'dht.enabled': 'true', 'dht.bootstrap': ''}) as d:
        wait_for(lambda: ping(d, OPEN), 'the node answers')
        before = state(d)['refused']
        check(not ping(d, SHUT), 'it answered who is blocked')
        equal(state(d)['refused'], before + 1)


@case
def trackers_are_asked_unless_the_lists_are_said_to_hold_for_them():
    for option in ('false', 'true'):
        with Listed(SHUT, {'blocklist.trackers': option}) as d, HttpTracker(host=SHUT) as web, UdpTracker(host=SHUT) as udp:
            for n, tracker in enumerate((web, udp)):
                t = Torrent(f'tracked {n}', 32768, trackers=[tracker.url()])
                d.add(t)
                if option == 'false':
                    tracker.wait_event('started')
                else:
                    wait_tracker(d, t, 'error')
            if option == 'true':
                equal((web.events(), udp.announces), ([], []))


@case
def web_seeds_are_asked_unless_the_lists_are_said_to_hold_for_them():
    for option in ('false', 'true'):
        t = Torrent('web', 4 * 32768)
        with Listed(SHUT, {'blocklist.webseeds': option}) as d, WebServer(t, host=SHUT) as w:
            t = Torrent('web', 4 * 32768, extra={'url-list': [w.url('/web')]})
            d.add(t)
            if option == 'false':
                d.wait_done(t)
            else:
                wait_for(lambda: any('not allowed' in s['error'] for s in d.view(t)['webseeds']), 'it is refused')
                equal(w.asked, [])


@case
def half_a_million_ranges_are_small_and_stall_nobody():
    text = ''.join(f'range {i}:{i // 65536 + 1}.{i // 256 % 256}.{i % 256}.4-{i // 65536 + 1}.{i // 256 % 256}.{i % 256}.7\n'
                   for i in range(500000))
    listed = Listed(SHUT)
    with listed as d:
        seeding(d)
        listed.write(text)
        slowest = 0
        equal(d.http('POST', '/blocklist/update').status, 200)
        while True:
            start = time.monotonic()
            d.all()
            slowest = max(slowest, time.monotonic() - start)
            if state(d)['ranges'] == 500000:
                break
        check(slowest < 1, 'an answer took', slowest, 's')
        check(state(d)['bytes'] < 10 << 20, state(d)['bytes'])


@case
def options_that_make_no_sense_are_refused():
    for option, words in (('--blocklist.sources=list.txt', 'path of a file'), ('--blocklist.sources=ftp://x/y', 'http://'),
                          ('--blocklist.sources=http://', 'http://'), ('--blocklist.allow=10.0.0.0/99', 'network'),
                          ('--blocklist.update=1m', '10m')):
        status, _, err = run_binary('--print-config', option)
        check(status != 0 and words in err, option, status, err)


lib_tap.main()
