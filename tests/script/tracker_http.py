#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""HTTP trackers good and bad: what is announced, which peers come of it, and what a bad answer may do."""
import itertools
import time

import lib_tap
from lib_daemon import Daemon, free_port
from lib_peer import Seed
from lib_tap import case, check, equal, never, wait_for
from lib_torrent import Torrent, bencode
from lib_tracker import HttpTracker, UdpTracker, contacted, gzipped, http_reply, reply_body, tracker_of, wait_tracker

SIZE = 10 * 32768 + 77


def announces(tracker):
    """Without the scrapes."""
    return [a for a in tracker.announces if a.path == '/announce']


def good(*peers, **more):
    return lambda announce: http_reply(reply_body(peers, **more))


@case
def started_completed_and_stopped_with_right_numbers():
    with HttpTracker() as tracker, Daemon() as d:
        t = Torrent('events', SIZE, trackers=[tracker.url('/announce?key1=a%20b')])
        d.add(t)
        first = tracker.wait_event('started')
        equal(first.path, '/announce')
        equal(first['key1'], 'a%20b'.replace('%20', ' '), 'the query of the url is kept')
        equal(first['info_hash'], t.infohash)
        equal(len(first['peer_id']), 20)
        equal(int(first['port']), d.peer_port)
        equal((first['uploaded'], first['downloaded'], first['left']), ('0', '0', str(SIZE)))
        equal(first['compact'], '1')
        check(1 <= int(first['numwant']) <= 1000, first['numwant'])
        check('user-agent' in first.headers and 'torrentd' in first.headers['user-agent'],
              first.headers)
        with Seed(t).dial(d):
            d.wait_done(t)
            done = tracker.wait_event('completed')
        equal((done['downloaded'], done['left']), (str(SIZE), '0'))
        equal(done['peer_id'], first['peer_id'])
        equal(done.get('key'), first.get('key'), 'the key stays')
        d.ok('/stoptorrent', infohash=t.hex)
        last = tracker.wait_event('stopped')
        equal((last['downloaded'], last['left']), (str(SIZE), '0'))
        equal([e for e in tracker.events() if e], ['started', 'completed', 'stopped'])


@case
def a_complete_torrent_says_no_completed_and_stops_at_the_end():
    with HttpTracker() as tracker, Daemon() as d:
        t = Torrent('seeding', SIZE, trackers=[tracker.url()])
        d.seed(t)
        equal(tracker.wait_event('started')['left'], '0')
        d.terminate()
        tracker.wait_event('stopped')
        equal([e for e in tracker.events() if e], ['started', 'stopped'])
        d.start()
        wait_for(lambda: tracker.events().count('started') == 2, 'started again')
        check('completed' not in tracker.events(), tracker.events())


@case
def removing_says_stopped():
    with HttpTracker() as tracker, Daemon() as d:
        t = Torrent('removed', SIZE, trackers=[tracker.url()])
        d.add(t)
        tracker.wait_event('started')
        d.ok('/removetorrent', infohash=t.hex)
        tracker.wait_event('stopped')


@case
def a_torrent_that_is_not_started_is_not_announced():
    with HttpTracker() as tracker, Daemon() as d:
        t = Torrent('idle', SIZE, trackers=[tracker.url()])
        d.add(t, start='false')
        never(lambda: tracker.announces, 'an announce', 0.7)
        d.ok('/starttorrent', infohash=t.hex)
        tracker.wait_event('started')


@case
def every_shape_of_peers_leads_to_a_download():
    with Daemon() as d:
        shapes = [('compact', '127.0.0.1', http_reply, {}), ('dicts', '127.0.0.1', http_reply, {'as_dicts': True}),
                  ('gzip', '127.0.0.1', gzipped, {}), ('peers6', '::1', http_reply, {}),
                  ('dicts v6', '::1', http_reply, {'as_dicts': True})]
        for n, (name, host, wrap, more) in enumerate(shapes):
            content = Torrent(name, SIZE, seed=n)
            with Seed(content, source=host).listen() as seed, HttpTracker(
                    lambda a: wrap(reply_body([seed.address], **more))) as tracker:
                t = Torrent(name, SIZE, seed=n, trackers=[tracker.url()])
                d.add(t)
                d.wait_done(t)
                equal(tracker_of(d, t)['peers'], 1, f'{name}: peers')


@case
def counts_of_seeders_and_leechers_are_shown():
    with HttpTracker(good(complete=7, incomplete=9)) as tracker, Daemon() as d:
        t = Torrent('counts', SIZE, trackers=[tracker.url()])
        d.add(t)
        view = wait_tracker(d, t, 'working')
        equal((view['seeders'], view['leechers']), (7, 9))


@case
def an_ipv6_tracker():
    with HttpTracker(host='::1') as tracker, Daemon() as d:
        t = Torrent('six', SIZE, trackers=[tracker.url()])
        d.add(t)
        wait_tracker(d, t, 'working')


@case
def a_chunked_answer_and_one_until_the_end_of_the_stream():
    body = reply_body(complete=5)
    chunked = (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
               b''.join(b'1\r\n%c\r\n' % c for c in body) + b'0\r\n\r\n')
    until_end = b'HTTP/1.0 200 OK\r\n\r\n' + body
    for answer in (chunked, until_end):
        with HttpTracker(lambda a: answer) as tracker, Daemon() as d:
            t = Torrent('transfer', SIZE, trackers=[tracker.url()])
            d.add(t)
            equal(wait_tracker(d, t, 'working')['seeders'], 5)


@case
def a_failure_reason_is_shown():
    for reason in (b'not registered here', b'gr\xc3\xbc\xc3\x9fe', b'\xff\x00\n\x1b[31mred', b'x' * 5000, b''):
        with HttpTracker(lambda a: http_reply(bencode({'failure reason': reason}))) as tracker, Daemon() as d:
            t = Torrent('failure', SIZE, trackers=[tracker.url()])
            d.add(t)
            view = wait_tracker(d, t, 'error')
            words = reason.decode('ascii', 'ignore')[:12].strip('\0\n\x1b') if reason.isascii() else ''
            if words.isprintable():
                check(words in view['message'], view['message'])
            check(all(ord(c) >= 32 for c in view['message']), repr(view['message']))
            check(len(view['message']) < 2000, 'length', len(view['message']))


@case
def a_redirect_is_followed():
    def answer(announce):
        if announce.path == '/new':
            return http_reply(reply_body(complete=3))
        return http_reply(b'', '302 Found', [f'Location: {tracker.url("/new")}?{query(announce)}'])

    with HttpTracker(answer) as tracker, Daemon() as d:
        t = Torrent('moved', SIZE, trackers=[tracker.url()])
        d.add(t)
        equal(wait_tracker(d, t, 'working')['seeders'], 3)


def query(announce):
    import urllib.parse
    return urllib.parse.urlencode(dict(announce), encoding='latin-1')


@case
def a_redirect_loop_and_redirects_to_elsewhere_are_errors():
    targets = ['{me}/announce', 'file:///etc/passwd', 'ftp://127.0.0.1/x', 'gopher://127.0.0.1:1/x',
               'dict://127.0.0.1:1/x', 'http://', '//', 'http://127.0.0.1:1/', 'udp://127.0.0.1:1/', '']
    for target in targets:
        with HttpTracker() as tracker, Daemon() as d:
            place = target.format(me=tracker.url('')[:-0 or None])
            tracker.answer = lambda a: http_reply(b'', '301 Moved', [f'Location: {place}'])
            t = Torrent('loop', SIZE, trackers=[tracker.url()])
            d.add(t)
            wait_tracker(d, t, 'error')
            check(len(tracker.announces) <= 50, 'requests', len(tracker.announces))


BAD = {
    'status 500': http_reply(b'oops', '500 Internal Server Error'),
    'status 404': http_reply(b'no', '404 Not Found'),
    'status 204': b'HTTP/1.1 204 No Content\r\n\r\n',
    'no http': b'\x00\x01\x02 garbage that is no http at all\r\n\r\n',
    'nothing': b'',
    'empty body': http_reply(b''),
    'html': http_reply(b'<html><body>welcome</body></html>'),
    'not bencode': http_reply(b'\xff' * 100),
    'list': http_reply(b'le'),
    'integer': http_reply(b'i5e'),
    'empty dict': http_reply(b'de'),
    'cut': http_reply(reply_body([('10.0.0.1', 5)])[:-3]),
    'trailing': http_reply(reply_body() + b'x'),
    'deep': http_reply(b'd5:peers' + b'l' * 100000 + b'e' * 100000 + b'e'),
    'odd compact': http_reply(bencode({'interval': 5, 'peers': b'12345'})),
    'peers is a number': http_reply(bencode({'interval': 5, 'peers': 7})),
    'huge string': http_reply(b'd8:intervali5e5:peers99999999999:xe'),
    'huge number': http_reply(b'd8:intervali' + b'9' * 500 + b'e5:peers0:e'),
    'bad gzip': http_reply(b'\x1f\x8b' + b'junk' * 50, headers=['Content-Encoding: gzip']),
    'short': b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nd5:peers',
    'negative length': b'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n' + reply_body(),
}
LENIENT = {'trailing', 'odd compact', 'empty dict', 'peers is a number', 'negative length'}  # may be taken as well


@case
def bad_answers_are_errors_with_words_and_nothing_worse():
    with HttpTracker() as tracker, Daemon() as d:
        tracker.answer = lambda a: list(BAD.values())[int(a.path[1:])]
        torrents = []
        for n, name in enumerate(BAD):
            torrents.append(Torrent(name, SIZE, seed=n, trackers=[tracker.url(f'/{n}')]))
            d.add(torrents[-1])
        for t in torrents:
            wait_for(lambda: contacted(d, t), t.name)
            view = tracker_of(d, t)
            if t.name not in LENIENT:
                equal(view['status'], 'error', t.name)
            if view['status'] == 'error':
                check(len(view['message']) > 3, t.name, view)
        d.alive()


@case
def strange_but_harmless_values():
    strange = [('0.0.0.0', 1), ('255.255.255.255', 5), ('127.0.0.1', 0), ('224.0.0.1', 80),
               ('127.0.0.1', 1), ('::', 5), ('ff02::1', 80), ('::ffff:127.0.0.1', 1)]
    bodies = [reply_body(strange * 50), reply_body(interval=-5), reply_body(interval=0),
              reply_body(interval=1 << 62), reply_body(min_interval=-(1 << 62)),
              reply_body(complete=-1, incomplete=1 << 62), reply_body(tracker_id=b'\0&x=y\xff'),
              bencode({'interval': 1800, 'peers': [{'ip': 'not an address', 'port': 5}, {'ip': '1.2.3.4'},
                                                   {'port': -1, 'ip': '1.2.3.4'}, 7, {}, []]}),
              bencode({'interval': b'x', 'peers': b''}), reply_body(warning_message=b'\xff\x00 careful')]
    with HttpTracker() as tracker, Daemon() as d:
        tracker.answer = lambda a: http_reply(bodies[int(a.path[1:])])
        torrents = [Torrent(f's{n}', SIZE, seed=n, trackers=[tracker.url(f'/{n}')]) for n in range(len(bodies))]
        for t in torrents:
            d.add(t)
        for t in torrents:
            wait_for(lambda: contacted(d, t), t.name)
        d.all()
        time.sleep(1.5)  # long enough to see one that takes "interval 0" at its word
        check(len(tracker.announces) < 100, len(tracker.announces), 'announces')


@case
def an_endless_body_and_endless_headers():
    def endless(head, part):
        return itertools.chain([head], itertools.repeat(part))

    answers = [lambda a: endless(b'HTTP/1.1 200 OK\r\n\r\nd5:peers', b'x' * 65536),
               lambda a: endless(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
                                 b'4000\r\n' + b'y' * 0x4000 + b'\r\n'),
               lambda a: endless(b'HTTP/1.1 200 OK\r\n', b'X-Filler: ' + b'z' * 1000 + b'\r\n'),
               lambda a: endless(b'', b'q' * 65536)]
    for answer in answers:
        with HttpTracker(answer) as tracker, Daemon({'tracker.reply_limit': '64KiB'}) as d:
            t = Torrent('endless', SIZE, trackers=[tracker.url()])
            d.add(t)
            wait_tracker(d, t, 'error')


@case
def a_zip_bomb_is_bounded():
    with HttpTracker(lambda a: gzipped(b'd5:peers' + b'0' * (64 << 20))) as tracker, \
            Daemon({'tracker.reply_limit': '64KiB'}) as d:
        t = Torrent('bomb', SIZE, trackers=[tracker.url()])
        d.add(t)
        wait_tracker(d, t, 'error')


@case
def an_answer_that_drips_is_given_up():
    def drip(announce):
        yield b'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n'
        while True:
            time.sleep(0.2)
            yield b'd'

    with HttpTracker(drip) as tracker, Daemon({'tracker.timeout': '2s'}) as d:
        t = Torrent('drip', SIZE, trackers=[tracker.url()])
        d.add(t)
        wait_tracker(d, t, 'error')


@case
def silence_times_out():
    with HttpTracker(lambda a: None) as tracker, Daemon({'tracker.timeout': '1s'}) as d:
        t = Torrent('silence', SIZE, trackers=[tracker.url()])
        d.add(t)
        wait_tracker(d, t, 'error')


@case
def silent_trackers_do_not_delay_the_stop_or_the_api():
    with HttpTracker(lambda a: None) as tracker, Daemon({'tracker.connections': '10'}) as d:
        torrents = [Torrent(f'mute{n}', SIZE, seed=n, trackers=[tracker.url(f'/{n}')]) for n in range(40)]
        for t in torrents:
            d.add(t)
        wait_for(lambda: len(tracker.announces) >= 5, 'half of the places are taken by one host')
        started = time.monotonic()
        d.all()
        check(time.monotonic() - started < 2, 'the API waits for a tracker')
        d.terminate()


@case
def trackers_that_answer_start_and_then_fall_silent():
    with HttpTracker() as tracker, Daemon() as d:
        torrents = [Torrent(f'later{n}', SIZE, seed=n, trackers=[tracker.url(f'/{n}')]) for n in range(20)]
        for t in torrents:
            d.add(t)
        wait_for(lambda: tracker.events().count('started') == 20, 'all announced')
        for t in torrents:
            wait_tracker(d, t, 'working')
        tracker.answer = lambda a: None
        d.terminate()


@case
def a_dead_tier_falls_over_to_the_next():
    with HttpTracker() as alive, HttpTracker(lambda a: http_reply(b'', '503 Busy')) as ill, Daemon() as d:
        dead = f'http://127.0.0.1:{free_port()}/announce'
        t = Torrent('tiers', SIZE, trackers=[[dead], [ill.url()], [alive.url()]])
        d.add(t)
        alive.wait_event('started')
        wait_for(lambda: [x['status'] for x in d.view(t)['trackers']] == ['error', 'error', 'working'],
                 lambda: d.view(t)['trackers'])


@case
def a_dead_tracker_falls_over_within_its_tier():
    with HttpTracker() as alive, Daemon() as d:
        dead = [f'http://127.0.0.1:{free_port()}/announce' for _ in range(3)]
        t = Torrent('tier', SIZE, trackers=[dead + [alive.url()]])
        d.add(t)
        alive.wait_event('started')


@case
def http_falls_over_to_udp():
    with UdpTracker() as alive, Daemon() as d:
        t = Torrent('mixed', SIZE, trackers=[f'http://127.0.0.1:{free_port()}/x', alive.url()])
        d.add(t)
        alive.wait_event('started')


@case
def the_interval_is_kept_and_the_tracker_id_sent_back():
    with HttpTracker(good(interval=1, tracker_id=b'id 5&')) as tracker, \
            Daemon({'tracker.min_interval': '1s'}) as d:
        t = Torrent('again', SIZE, trackers=[tracker.url()])
        d.add(t)
        wait_for(lambda: len(announces(tracker)) >= 3, 'three announces')
        equal([a.event for a in announces(tracker)[:3]], ['started', '', ''])
        equal(announces(tracker)[1].get('trackerid'), 'id 5&')
    with HttpTracker(good(interval=1)) as tracker, Daemon({'tracker.min_interval': '60s'}) as d:
        t = Torrent('not again', SIZE, trackers=[tracker.url()])
        d.add(t)
        wait_tracker(d, t, 'working')
        never(lambda: len(announces(tracker)) > 1, 'an announce before its time', 2.5)


@case
def addresses_that_are_no_trackers_are_errors_and_not_fetched():
    urls = ['file:///etc/passwd', 'ftp://127.0.0.1/x', 'wss://127.0.0.1/x', 'http://', 'http:///x', 'udp://',
            'nonsense', 'http://127.0.0.1:99999/x', 'http://[::1/x', 'http://127.0.0.1:1/\r\nX: y',
            'udp://127.0.0.1/announce', 'http://user:pass@127.0.0.1:1/x', 'gopher://127.0.0.1:1/']
    with HttpTracker() as alive, Daemon() as d:
        for n, url in enumerate(urls):
            t = Torrent(f'url{n}', SIZE, seed=n, trackers=[url, alive.url(f'/{n}')])
            reply = d.http('POST', '/addtorrentfile', None, t.data)
            check(reply.status in (200, 400), url, reply.status)
            if reply.status == 200:
                wait_for(lambda: f'/{n}' in [a.path for a in alive.announces], f'after {url!r} the next is asked')
        d.all()


@case
def trackers_on_this_machine_are_asked_only_when_that_is_allowed():
    with HttpTracker() as http, UdpTracker() as udp, Daemon({'tracker.allow_private': None}) as d:
        urls = [http.url(), f'http://localhost:{http.port}/announce', udp.url(), f'udp://localhost:{udp.port}']
        torrents = [Torrent(f'own{n}', SIZE, seed=n, trackers=[url]) for n, url in enumerate(urls)]
        for t in torrents:
            d.add(t)
        for t in torrents:
            message = wait_tracker(d, t, 'error')['message']
            check('not allowed' in message or 'denied' in message, message)
        equal((http.announces, udp.connects), ([], []))


@case
def peers_on_this_machine_are_dialled_only_when_that_is_allowed():
    t = Torrent('neighbour', SIZE)
    with Seed(t).listen() as seed, HttpTracker(good(('127.0.0.1', 1), complete=5)) as tracker, \
            Daemon({'peers.allow_local': None}) as d:
        tracker.answer = good(seed.address, complete=5)
        t = Torrent('neighbour', SIZE, trackers=[tracker.url()])
        d.add(t)
        equal(wait_tracker(d, t, 'working')['peers'], 1)
        never(lambda: seed.connections, 'a peer on loopback', 1)


@case
def many_trackers_in_one_torrent():
    with HttpTracker() as alive, Daemon() as d:
        urls = [alive.url(f'/{n}') for n in range(300)]
        t = Torrent('crowd', SIZE, trackers=urls)
        d.add(t)
        alive.wait_event('started')
        check(len(d.view(t)['trackers']) <= 300, 'trackers')


lib_tap.main()
