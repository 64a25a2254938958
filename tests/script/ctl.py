#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""torrentctl against the real daemon: every command, what it ends with, and what a terminal is shown."""
import http.server
import json
import os
import re
import signal
import subprocess
import threading

import lib_tap
from lib_ctl import CTL, Running, ctl, ctl_ok, scan
from lib_daemon import BINARY, Daemon, free_port
from lib_peer import Seed
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent

DONE, FAILED, USAGE, UNREACHABLE, DENIED, UNKNOWN = range(6)


def saved(d, torrent):
    path = os.path.join(d.root, torrent.hex + '.torrent')
    with open(path, 'wb') as f:
        f.write(torrent.data)
    return path


def listed(d, *words):
    return json.loads(ctl_ok(d, 'list', '--json', *words))


@case
def add_list_show_and_remove():
    a, b = Torrent('a film', [('x y.txt', 50000), ('sub/z', 90000), ('w', 100)], seed=1), Torrent('b', 70000, seed=2)
    with Daemon() as d:
        equal(ctl_ok(d, 'list'), '')
        equal(ctl_ok(d, 'add', saved(d, a), saved(d, b), '--paused'), f'added {a.hex[:8]} a film\nadded {b.hex[:8]} b\n')
        d.wait_ready(a)
        rows = listed(d)
        equal([(r['hash'], r['name'], r['state'], r['size']) for r in rows],
              [(a.hex, 'a film', 'stopped', a.size), (b.hex, 'b', 'stopped', b.size)])
        equal([r.split('\t')[:3] for r in ctl_ok(d, 'list', '--sort', 'name').splitlines()],
              [[a.hex, 'a film', 'stopped'], [b.hex, 'b', 'stopped']])
        equal([r['name'] for r in listed(d, '--sort', 'size')], ['a film', 'b'])
        equal([r['name'] for r in listed(d, 'b')], ['b'])
        equal(listed(d, '--state', 'seeding'), [])
        shown = ctl_ok(d, 'show', 'a film')
        for text in ('a film', a.hex, 'stopped', d.downloads):
            check(text in shown, text, 'is not in', shown)
        equal([v['infohash'] for v in json.loads(ctl_ok(d, 'show', a.hex[:5], b.hex.upper(), '-j'))], [a.hex, b.hex])
        equal([line.split('\t')[4] for line in ctl_ok(d, 'files', 'a film').splitlines()],
              ['a film/x y.txt', 'a film/sub/z', 'a film/w'])
        chosen = json.loads(ctl_ok(d, 'files', 'a film', '--skip', '0', '--high', '1-2', '--json'))
        equal([f['priority'] for f in chosen], ['skip', 'high', 'high'])
        equal(ctl(d, 'add', saved(d, a)).status, FAILED, 'twice')
        equal(ctl_ok(d, 'rm', 'b'), f'removed {b.hex[:8]} b\n')
        equal([r['name'] for r in listed(d)], ['a film'])


@case
def links_standard_input_and_wishes():
    a, b = Torrent('one', 50000, seed=3), Torrent('many', [(f'f{i}', 40000) for i in range(5)], seed=4)
    with Daemon() as d:
        equal(ctl_ok(d, 'add', f'magnet:?xt=urn:btih:{a.hex}&dn=one', '--paused'), f'added {a.hex[:8]} one\n')
        ctl_ok(d, 'add', '-', '-p', '--files', '1,3-4', '--down=1.5MiB/s', '--up', '10KiB/s', '--sequential', '--first-last',
               '--path', 'below', stdin=b.data)
        view = d.wait_view(b, lambda v: v['status'] == 'stopped', 'it is looked at')
        equal([view[k] for k in ('maxdown', 'maxup', 'sequential', 'firstlast', 'path')],
              [1536, 10, True, True, os.path.join(d.downloads, 'below')])
        equal([f['priority'] for f in json.loads(ctl_ok(d, 'files', 'many', '-j'))],
              ['skip', 'normal', 'skip', 'normal', 'normal'])
        equal({r['name']: r['state'] for r in listed(d)}, {'one': 'stopped', 'many': 'stopped'})
        other = Torrent('bare', 1000, seed=5)
        equal(json.loads(ctl_ok(d, 'add', other.hex, '--json'))[0]['hash'], other.hex)
        before = len(listed(d))
        for words in (['--files', '5'], ['--files', '3-1'], ['--files', 'x'], ['--down', '5'], ['--path', '/etc'],
                      ['--wait', '--paused'], ['--nope'], ['--state', 'x']):
            done = ctl(d, 'add', '-', *words, stdin=Torrent('bad', 10).data)
            check(done.status in (FAILED, USAGE) and done.err.startswith('torrentctl: '), words, done)
        for source, words in (('-', 'is no .torrent file'), ('/nonexistent', 'No such file'), ('magnet:?xt=x', 'is no magnet link'),
                              ('http://127.0.0.1:1/a.torrent', 'fetches no')):
            done = ctl(d, 'add', source, stdin='d4:infoe')
            equal(done.status, FAILED, source)
            check(words in done.err, done.err)
        equal(len(listed(d)), before, 'something was added all the same')


@case
def changes_and_names():
    a, b = Torrent('same name', 50000, seed=6), Torrent('same name', 50000, seed=7)
    with Daemon() as d:
        d.add(a)
        d.add(b, path='other')
        equal(ctl_ok(d, 'stop', a.hex), f'stopped {a.hex[:8]} same name\n')
        equal({r['hash']: r['state'] for r in listed(d)}, {a.hex: 'stopped', b.hex: 'downloading'})
        done = ctl(d, 'stop', 'same name')
        equal(done.status, UNKNOWN)
        check('2 torrents are called "same name"' in done.err, done.err)
        for word in ('nobody', a.hex[:3], '0' * 40, ''):
            equal(ctl(d, 'start', word).status, UNKNOWN, word)
        equal(json.loads(ctl_ok(d, 'start', a.hex[:12].upper(), a.hex, '--force', '--json'))['done'], 1)
        check(d.view(a)['forced'], 'not forced')
        ctl_ok(d, 'limit', a.hex, '--down', '100KiB/s', '--up', '0', '--ratio', '1.5')
        equal([d.view(a)[k] for k in ('maxdown', 'maxup', 'seed_limits')], [100, 0, {'ratio': 1.5, 'time': -1, 'idle': -1}])
        ctl_ok(d, 'limit', '--global', '--down', '1MiB/s')
        equal(d.all()['maxdown'], 1024)
        ctl_ok(d, 'recheck', a.hex)
        ctl_ok(d, 'announce', a.hex)
        equal([(r['hash'], r['why']) for r in json.loads(ctl_ok(d, 'why', '--json')) if r['hash'] == a.hex], [(a.hex, 'no_sources')])
        check('nobody who has it was found yet' in ctl_ok(d, 'why', a.hex), 'no words')
        for words in (['limit', a.hex], ['limit', '--down', '1KiB/s'], ['limit', '--global', '--ratio', '2'], ['stop'], ['nope'],
                      ['list', '--sort', 'colour'], ['stop', a.hex, '--wait'], ['files', a.hex, b.hex], ['list', '--url']):
            done = ctl(d, *words)
            equal((done.status, done.out), (USAGE, ''), words)


@case
def changes_are_taken_back():
    a, b = Torrent('one', 50000, seed=22), Torrent('two', 50000, seed=23)
    with Daemon() as d:
        d.add(a)
        d.add(b)
        done = json.loads(ctl_ok(d, 'stop', 'one', 'two', '--json'))
        equal((done['done'], [r['state'] for r in listed(d)]), (2, ['stopped', 'stopped']))
        equal(ctl_ok(d, 'undo', done['undo']), 'undone for 2 torrents\n')
        equal([r['state'] for r in listed(d)], ['downloading', 'downloading'])
        equal(ctl(d, 'undo', done['undo']).status, UNKNOWN, 'twice')
        equal(ctl(d, 'undo', '../x').status, USAGE)
        with Running(d, 'limit', 'one', '--down', '2KiB/s', columns=80) as r:
            equal(r.wait_end(), DONE)
            ctl_ok(d, 'undo', re.search(r'torrentctl undo (\w+)', r.shown()).group(1))
        equal(d.view(a)['maxdown'], 0)
        equal(ctl_ok(d, 'removed'), '')
        ctl_ok(d, 'rm', 'two')
        wait_for(lambda: [r['name'] for r in json.loads(ctl_ok(d, 'removed', '-j'))] == ['two'], 'it is among the removed')
        check(ctl_ok(d, 'removed').startswith(b.hex + '\ttwo\t48.8 KiB\t'), 'the table')
        equal(ctl(d, 'restore', 'one').status, UNKNOWN)
        equal(ctl_ok(d, 'restore', b.hex[:6]), f'restored {b.hex[:8]} two\n')
        equal(sorted(r['name'] for r in listed(d)), ['one', 'two'])


@case
def deleting_data_is_asked_for():
    a = Torrent('precious', 50000, seed=8)
    with Daemon() as d:
        d.seed(a)
        path = os.path.join(d.downloads, 'precious')
        done = ctl(d, 'rm', 'precious', '--data')
        equal((done.status, len(listed(d))), (FAILED, 1))
        check('--yes' in done.err, done.err)
        for answer, status in (('n\n', FAILED), ('\n', FAILED), ('y\n', DONE)):
            check(os.path.exists(path), 'deleted before', repr(answer))
            with Running(d, 'rm', 'precious', '--data', columns=80) as r:
                r.wait_text('precious', '[y/N]').write(answer)
                equal(r.wait_end(), status)
        wait_for(lambda: not os.path.exists(path), 'the data is deleted')
        equal(listed(d), [])


@case
def waiting_with_a_bar():
    a, b = Torrent('slow', 600000, seed=9), Torrent('fast', 100000, seed=10)
    with Daemon() as d:
        with Seed(a, serving=False) as seed, Running(d, 'add', saved(d, a), '--wait', columns=60) as r:
            wait_for(lambda: [r['state'] for r in listed(d)] == ['downloading'], 'it downloads')
            seed.dial(d)
            r.wait_text('] ', '0.0%')
            seed.serving = True
            equal(r.wait_end(), DONE, 'the end')
            check('100%' in r.shown(), r.shown())
            check(all(len(line) <= 60 for line in r.shown().replace('\r', '\n').split('\n')), 'wider than the terminal')
        d.wait_done(a)
        with Running(d, 'add', saved(d, b), '--wait', '--json') as r:
            wait_for(lambda: [r['state'] for r in listed(d, '--sort', 'name')] == ['downloading', 'seeding'], 'it downloads')
            check(r.process.poll() is None, 'it did not wait')
            d.ok('/removetorrent', infohash=b.hex)
            equal(r.wait_end(), FAILED, 'the end after a removal')
            equal(json.loads(r.text), [{'hash': b.hex, 'name': 'fast'}])


@case
def watching():
    a, b = Torrent('first', 50000, seed=11), Torrent('second', 50000, seed=12)
    with Daemon() as d:
        d.add(a, start='false')
        with Running(d, 'watch', '--json', '--every', '250') as lines, Running(d, 'watch', '--every', '250', columns=70) as table, \
                Running(d, 'events', '-j', '--every', '250') as events:
            lines.wait_text('first')
            table.wait_text('first', '1 torrents')
            events.wait_text('"event":"hello"')
            d.add(b, start='false')
            d.ok('/removetorrent', infohash=a.hex)
            table.wait_text('second')
            wait_for(lambda: [(r['name'], r['gone']) for r in map(json.loads, lines.text.splitlines()) if r['gone']] == [('first', True)],
                     'the removal is told')
            wait_for(lambda: any(b.hex in json.dumps(e['data']) for e in map(json.loads, events.text.splitlines())), 'the event')
            d.restart()
            d.add(a, start='false')
            wait_for(lambda: lines.text.splitlines() and json.loads(lines.text.splitlines()[-1])['name'] == 'first',
                     'what came after the restart is told')
            table.process.send_signal(signal.SIGINT)
            table.wait_end()
            equal(table.process.returncode, -signal.SIGINT)
            check(table.text.endswith('\x1b[?25h\x1b[?1049l'), 'the terminal is not given back:', repr(table.text[-60:]))


# root looks for the service; in a name space of its own it is nobody in particular, and may read what it may.
AS_USER = ('unshare', '--user') if os.geteuid() == 0 else ()


@case
def the_daemon_is_found_with_its_token():
    with Daemon() as d:
        d.terminate()
        folder = os.path.join(d.root, '.config', 'torrentd')
        os.makedirs(folder)
        with open(os.path.join(folder, 'torrentd.conf'), 'w') as f:
            f.write(f'[api]\nport = {d.api_port}\nlocal = off\n[state]\ndir = {d.state}\n[download]\ndir = {d.downloads}\n')
        d.options['api.local'] = 'off'
        d.start()
        equal(ctl(d, 'list').status, DENIED, 'without a token')
        equal(ctl(None, 'list', home=d.root, wrap=AS_USER), (DONE, '', ''), 'found')
        equal(ctl(None, 'list', home=d.root, wrap=AS_USER, env={'http_proxy': f'http://127.0.0.1:{free_port()}'}), (DONE, '', ''),
              'the token went to the proxy')
        token = d.first_token()
        equal(ctl(d, 'list', '--token', token).status, DONE)
        equal(ctl(d, 'list', env={'TORRENTCTL_TOKEN': token}).status, DONE)
        equal(ctl(d, 'list', '--token-file', os.path.join(d.state, 'api.token')).status, DONE)
        equal(ctl(None, 'list', env={'TORRENTCTL_TOKEN': token, 'TORRENTCTL_URL': f'http://localhost:{d.api_port}/'}).status, DONE)
        done = ctl(None, 'list', '--url', f'http://127.0.0.1:{d.api_port}', home=d.root, wrap=AS_USER)
        equal(done.status, DENIED, "this machine's token went to an address that was given")
        check('TORRENTCTL_TOKEN' in done.err, done.err)
        for words in (['--token-file', '/nonexistent'], ['--token', token, '--token-file', '/dev/null'], ['--url', 'ftp://x']):
            equal(ctl(None, 'list', *words, home=d.root).status, USAGE, words)
        equal(ctl(None, 'list', home=d.root, wrap=AS_USER, env={'TORRENTD_API_PORT': str(free_port())}).status, UNREACHABLE)


@case
def tokens_pairing_and_options():
    with Daemon({'api.local': 'off'}) as d:
        env = {'TORRENTCTL_TOKEN': d.first_token()}
        small = {'TORRENTCTL_TOKEN': ctl_ok(d, 'token', 'make', 'a reader', '--scopes', 'read', env=env).strip()}
        equal(ctl(d, 'list', env=small).status, DONE)
        for words in (['stop', 'x'], ['add', '-'], ['token'], ['config'], ['pair'], ['limit', '-g', '--up', '0']):
            done = ctl(d, *words, stdin=Torrent('x', 10).data, env=small)
            check(done.status == (UNKNOWN if words[0] == 'stop' else DENIED) and done.err, words, done)
        tokens = json.loads(ctl_ok(d, 'token', 'list', '-j', env=env))
        equal([(t['name'], t['scopes']) for t in tokens][1:], [('a reader', ['read'])])
        check('a reader' in ctl_ok(d, 'token', env=env), 'not listed')
        ctl_ok(d, 'token', 'revoke', str(tokens[1]['id']), env=env)
        equal(ctl(d, 'list', env=small).status, DENIED)
        for words, status in ((['revoke', '999'], UNKNOWN), (['revoke', '1/../2'], USAGE), (['make'], USAGE), (['x'], USAGE)):
            equal(ctl(d, 'token', *words, env=env).status, status, words)
        pairing = json.loads(ctl_ok(d, 'pair', '--scopes', 'read', '-j', env=env))
        reply = d.http('POST', '/api/v1/pair', body=json.dumps({'code': pairing['code'], 'name': 'phone', 'want': 'token'}))
        equal(ctl(d, 'list', '-t', json.loads(reply.body)['token']).status, DONE)
        check('#/pair/td-' in ctl_ok(d, 'pair', env=env), 'no link')
        equal(ctl_ok(d, 'config', 'get', 'peers.max', 'log.level', env=env).split(), ['500', 'debug'])
        ctl_ok(d, 'config', 'set', 'peers.max', '77', 'seed.ratio', '1.5', env=env)
        equal(ctl_ok(d, 'config', 'get', 'peers.max', 'seed.ratio', env=env).split(), ['77', '1.5'])
        check('peers.max\t77\tapi\n' in ctl_ok(d, 'config', env=env), 'where it comes from')
        ctl_ok(d, 'config', 'reset', 'peers.max', env=env)
        equal(ctl_ok(d, 'config', 'get', 'peers.max', env=env), '500\n')
        for words, status in ((['get', 'peers.mx'], UNKNOWN), (['set', 'peers.max', 'x'], FAILED), (['set', 'peers.max'], USAGE),
                              (['set', 'api.port', '1'], FAILED), (['reset'], USAGE)):
            done = ctl(d, 'config', *words, env=env)
            check(done.status == status and done.err.startswith('torrentctl: '), words, done)


@case
def links_are_scanned():
    with Daemon() as d:
        with Running(d, 'pair', columns=100) as r:
            equal(r.wait_end(), DONE)
            link = re.search(r'http://\S+', r.shown()).group()
            equal(scan(r.text), link, 'torrentctl pair')
        with Running(d, 'pair', columns=30) as r:
            equal(r.wait_end(), DONE)
            check(link.split('td-')[0] in r.shown() and '█' not in r.text, 'too narrow', r.text)
        check('█' not in ctl_ok(d, 'pair'), 'drawn for a program')
        rows = json.loads(ctl_ok(d, 'pair', '--json'))['qr']
        equal({len(row) for row in rows}, {len(rows)}, 'the code of the API')
        d.terminate()
        with Running(None, columns=100, argv=[BINARY, *d.arguments()], home=d.root) as r:
            r.wait_text('pair a device', 'torrentd 0.')
            equal(scan(r.text), re.search(r'minutes: (\S+)', r.shown()).group(1), 'the start at a terminal')
            r.process.terminate()
            equal(r.wait_end(), 0)
        d.start()


EVIL = 'a\x1b[2Jb\x07c\x9b31md\u202egpj.exe\ne'


class Liar(http.server.BaseHTTPRequestHandler):
    """A daemon whose words are meant for a terminal."""

    def do_GET(self):
        names = ['n', 'hash', 'name', 'state', 'why', 'error', 'progress', 'size', 'down', 'up', 'eta', 'ratio']
        row = [1, '\x1b]0;x\x07' + 'ab' * 20, EVIL, '\x1b[1m', '\x1b[2m', EVIL, 0.5, 1, 1, 1, 1, 1]
        answer = {'epoch': '0', 'rev': 1, 'fields': names, 'add': [row]} if 'torrents' in self.path else {'detail': EVIL}
        body = json.dumps(answer).encode()
        self.send_response(200 if 'torrents' in self.path else 409)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


@case
def words_of_strangers_and_widths():
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Liar)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = {'TORRENTCTL_URL': f'http://127.0.0.1:{server.server_port}'}
    for words in (['list'], ['why'], ['stop', EVIL], ['show', EVIL], ['config'], ['list', '--json']):
        with Running(None, *words, columns=80, env=env) as r:
            r.wait_end()
            for bad in ('\x1b', '\x07', '\x9b', '\u202e'):
                check(bad not in r.text, words, 'gave a terminal', repr(bad), repr(r.text))
    server.shutdown()
    server.server_close()
    wide = Torrent('漢字' * 40, 1000, seed=20)
    with Daemon() as d:
        d.add(wide, start='false')
        with Running(d, 'list', columns=90) as r:
            equal(r.wait_end(), DONE)
            lines = r.shown().splitlines()
        columns = [len(line) + sum(c >= '\u1100' and c != '…' for c in line) for line in lines]
        check('NAME' in lines[0] and '…' in lines[1] and max(columns) <= 90, 'widths', columns, lines)
        equal(ctl_ok(d, 'list').split('\t')[1], wide.name, 'nothing is cut for a program')


@case
def help_and_completion():
    equal(ctl(None, 'help').status, DONE)
    equal(ctl(None).status, USAGE)
    verbs = [line.split()[0] for line in ctl_ok(None, 'help').split('\n\n')[2].splitlines()]
    check({'add', 'list', 'watch', 'pair'} <= set(verbs), verbs)
    for verb in verbs:
        for words in (['help', verb], [verb, '--help']):
            check(ctl_ok(None, *words).startswith(f'torrentctl {verb}'), words)
    check(ctl_ok(None, '--version').startswith('torrentctl '), 'version')
    equal(ctl(None, 'completion', 'csh').status, USAGE)
    with Daemon() as d:
        t = Torrent('completed', 1000, seed=21)
        d.add(t, start='false')
        env = {'TORRENTCTL_URL': f'http://127.0.0.1:{d.api_port}', 'PATH': os.path.dirname(CTL) + ':' + os.environ['PATH']}
        for line, word in (('torrentctl st', 'stop'), ('torrentctl add --wa', '--wait'), (f'torrentctl stop {t.hex[:2]}', t.hex[:8])):
            script = (ctl_ok(None, 'completion', 'bash') + f'COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n'
                      '_torrentctl; printf "%s\\n" "${COMPREPLY[@]}"\n')
            done = subprocess.run(['bash', '-c', script], capture_output=True, text=True, env=env)
            equal(done.stderr, '')
            check(word in done.stdout.split(), line, 'completes to', done.stdout)


if __name__ == '__main__':
    lib_tap.main()
