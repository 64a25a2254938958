#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Data goes to the trash and back, to other directories, and under other names: nothing lost, nothing doubled, also over kill -9."""
import http.client
import json
import os
import random
import threading
import time

import lib_tap
from lib_actions import act, gone, make, post, removed, restore, undo
from lib_daemon import Daemon
from lib_peer import Seed
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent

PIECE = 32768


def tree(folder):
    """Every file beneath it, relative."""
    return sorted(os.path.relpath(os.path.join(at, f), folder) for at, _, files in os.walk(folder) for f in files)


def folders(folder):
    return sorted(os.path.relpath(os.path.join(at, f), folder) for at, names, _ in os.walk(folder) for f in names)


def several():
    return Torrent('t', [('one.bin', 70000), ('sub/two.bin', 50000), ('sub/three.bin', 40000)], piece_length=PIECE, seed=5)


def go(d, t, what, status=204, **args):
    reply = post(d, f'/api/v1/torrents/{t.hex}/{what}', args)
    equal(reply.status, status, (what, args, reply.body))
    return reply


def files(d, t):
    return [f['path'] for f in json.loads(d.get('/torrentdata', infohash=t.hex, files='true').body)['files']]


def never_hashed(d):
    lines = [line for line in d.log().splitlines() if 'torrent_ready' in line]
    check(lines and all('hashed=0' in line for line in lines[-1:]), lines)


def content(t):
    """The bytes of its files, in their order."""
    return [data for _, data in t.each_file('/')]


def is_whole(d, t):
    """All its files are where it says they are, with what must be in them, and nothing else is there."""
    view = d.view(t)
    for path, data in zip(files(d, t), content(t)):
        with open(os.path.join(view['path'], path), 'rb') as f:
            check(f.read() == data, path, 'has other content')


@case
def trash_and_back():
    with Daemon() as d:
        t, other = several(), make('o')[0]
        d.seed(other)
        d.seed(t)
        open(os.path.join(d.downloads, 't', 'mine'), 'w').close()
        data = json.loads(d.get(f'/api/v1/torrents/{t.hex}/data').body)
        check(data['bytes'] >= t.size and data['trash'] and data['volume'], data)
        equal(d.get(f'/api/v1/torrents/{"ab" * 20}/data').status, 404)
        done = act(d, 'remove', (t,), data='trash')
        gone(d, t)
        equal(removed(d)[0]['data'], 'trash')
        where = f'.trash/{t.hex}/t/'
        equal(tree(d.downloads), sorted([where + 'one.bin', where + 'sub/two.bin', where + 'sub/three.bin', 'o', 't/mine']))
        d.restart(clean=False)
        equal(undo(d, done)['done'], 1)
        d.wait_done(t)
        never_hashed(d)
        equal(tree(d.downloads), ['o', 't/mine', 't/one.bin', 't/sub/three.bin', 't/sub/two.bin'])
        check('.trash' not in folders(d.downloads), folders(d.downloads))


@case
def trash_is_emptied():
    with Daemon() as d:
        a, b = make('ab')
        for t in (a, b):
            d.seed(t)
        act(d, 'remove', (a, b), data='trash')
        gone(d, a), gone(d, b)
        equal(d.http('DELETE', '/api/v1/removed/' + a.hex).status, 204)
        wait_for(lambda: tree(d.downloads) == [f'.trash/{b.hex}/b'], lambda: tree(d.downloads))
        equal([r['hash'] for r in removed(d)], [b.hex])
        # Where somebody else has the name by now nothing is written over.
        with open(os.path.join(d.downloads, 'b'), 'w') as f:
            f.write('mine')
        restore(d, b, 409)
        d.options['trash.keep'] = '1s'
        d.restart(clean=False)
        wait_for(lambda: tree(d.downloads) == ['b'] and removed(d) == [], lambda: tree(d.downloads))
        equal(d.all()['sessions'], [])
        for name in ('.trash', '.trash/x'):
            equal(d.http('POST', '/addtorrentfile', {'path': name + '/y'}, make('z')[0].data).status, 409)
    with Daemon({'trash.keep': '0'}) as d:
        d.seed(a)
        equal(act(d, 'remove', (a,), data='trash')['failed'][0]['code'], 'invalid')


@case
def a_torrent_moves_and_goes_on():
    with Daemon() as d:
        t = Torrent('t', [('one.bin', 200000), ('sub/two.bin', 150000)], piece_length=PIECE, seed=5)
        d.add(t)
        with Seed(t, have=range(4)).dial(d):
            d.wait_view(t, lambda v: v['pieces_have'] == 4, 'four pieces')
        go(d, t, 'move', path='new/deep')
        view = d.wait_ready(t)
        equal((view['path'], view['pieces_have'], view['status']), (d.downloads + '/new/deep', 4, 'downloading'))
        never_hashed(d)
        check(all(f.startswith('new/deep/') for f in tree(d.downloads)), tree(d.downloads))
        check('t' not in folders(d.downloads), folders(d.downloads))
        d.restart(clean=False)
        equal(d.wait_ready(t)['path'], d.downloads + '/new/deep')
        with Seed(t).dial(d):
            d.wait_done(t, folder=d.downloads + '/new/deep')
        go(d, t, 'move', path=d.downloads + '/new/deep')
        go(d, t, 'move', path='.')
        d.wait_done(t)
        act(d, 'remove', (t,), data='delete')
        wait_for(lambda: tree(d.downloads) == [], lambda: tree(d.downloads))


@case
def a_move_that_cannot_be_changes_nothing():
    with Daemon() as d:
        t, other = several(), make('o')[0]
        d.seed(t)
        d.seed(other)
        before = tree(d.downloads)
        go(d, t, 'move', 422)
        go(d, t, 'move', 422, path='/elsewhere')
        go(d, t, 'move', 422, path='../elsewhere')
        go(d, t, 'move', 409, path='o')
        os.makedirs(d.downloads + '/full/t/sub')
        with open(d.downloads + '/full/t/sub/two.bin', 'w') as f:
            f.write('mine')
        check('two.bin' in go(d, t, 'move', 409, path='full').body.decode(), 'it does not say what')
        with open(d.downloads + '/full/t/sub/two.bin') as f:
            equal(f.read(), 'mine')
        os.symlink('/tmp', d.downloads + '/link')
        equal(post(d, f'/api/v1/torrents/{t.hex}/move', {'path': 'link/x'}).status >= 400, True)
        equal(tree(d.downloads), sorted(before + ['full/t/sub/two.bin']))
        equal(post(d, f'/api/v1/torrents/{"ab" * 20}/move', {'path': 'x'}).status, 404)
        d.wait_done(t)
        d.restart(clean=False)
        d.wait_done(t)


@case
def files_and_directories_get_other_names():
    with Daemon() as d:
        t = several()
        d.add(t)
        with Seed(t, have=[0, 1, 2]).dial(d):
            d.wait_view(t, lambda v: v['pieces_have'] == 3, 'three pieces')
        go(d, t, 'rename', file=0, path='t/eins.bin')
        go(d, t, 'rename', **{'from': 't/sub', 'path': 't/unter/wegs'})
        go(d, t, 'rename', **{'from': 't', 'path': 'name'})
        names = ['name/eins.bin', 'name/unter/wegs/two.bin', 'name/unter/wegs/three.bin']
        equal(files(d, t), names)
        check(all(f in names or f.endswith('.parts') for f in tree(d.downloads)), tree(d.downloads))
        equal(d.view(t)['name'], 'name')
        d.restart(clean=False)
        equal((files(d, t), d.wait_ready(t)['pieces_have']), (names, 3))
        with Seed(t).dial(d):
            d.wait_status(t, 'seeding')
        is_whole(d, t)
        equal(tree(d.downloads), sorted(names))
        d.ok('/rechecktorrent', infohash=t.hex)
        d.wait_status(t, 'seeding')
        act(d, 'remove', (t,), data='keep')
        gone(d, t)
        restore(d, t)
        d.wait_status(t, 'seeding')
        is_whole(d, t)
        act(d, 'remove', (t,), data='delete')
        wait_for(lambda: tree(d.downloads) == [], lambda: tree(d.downloads))


@case
def names_that_cannot_be_are_refused():
    with Daemon() as d:
        t, single = several(), make('s')[0]
        d.seed(t)
        d.seed(single)
        for args, status in (({'file': 9, 'path': 't/x'}, 422), ({'file': 0}, 422), ({'path': 't/x'}, 422),
                             ({'file': 0, 'from': 't', 'path': 'x'}, 422), ({'from': 'nothing', 'path': 't/x'}, 422),
                             ({'file': 0, 'path': 'other/x'}, 409), ({'file': 0, 'path': '/t/x'}, 422),
                             ({'file': 0, 'path': 't/../x'}, 422), ({'file': 0, 'path': 't//x'}, 422),
                             ({'file': 0, 'path': 't/a\nb'}, 422), ({'file': 0, 'path': 't/' + 'x' * 256}, 422),
                             ({'file': 0, 'path': 't/sub/two.bin'}, 409), ({'file': 0, 'path': 't/sub'}, 409),
                             ({'file': 0, 'path': 't/sub/two.bin/x'}, 409), ({'from': 't', 'path': 's'}, 409)):
            go(d, t, 'rename', status, **args)
        for path in ('x/y', '.' + 'a' * 40 + '.parts', '.trash', 't'):
            check(post(d, f'/api/v1/torrents/{single.hex}/rename', {'file': 0, 'path': path}).status in (409, 422), path)
        with open(d.downloads + '/t/mine', 'w') as f:
            f.write('mine')
        go(d, t, 'rename', 409, file=0, path='t/mine')
        is_whole(d, t)
        go(d, single, 'rename', file=0, path='S')
        is_whole(d, single)


@case
def transmission_moves_and_renames():
    def rpc(method, **arguments):
        body = json.dumps({'method': method, 'arguments': arguments}).encode()
        session = d.http('POST', '/transmission/rpc', body=body).headers['X-Transmission-Session-Id']
        reply = d.http('POST', '/transmission/rpc', body=body, headers={'X-Transmission-Session-Id': session})
        return json.loads(reply.body)

    with Daemon() as d:
        t = several()
        d.seed(t)
        equal(rpc('torrent-set-location', ids=[t.hex], location=d.downloads + '/there', move=True)['result'], 'success')
        equal(d.wait_status(t, 'seeding')['path'], d.downloads + '/there')
        answer = rpc('torrent-rename-path', ids=[t.hex], path='t/sub', name='unter')
        equal((answer['result'], answer['arguments']['name']), ('success', 'unter'))
        d.wait_status(t, 'seeding')
        answer = rpc('torrent-rename-path', ids=[t.hex], path='t', name='other')
        d.wait_status(t, 'seeding')
        equal(rpc('torrent-get', ids=[t.hex], fields=['name'])['arguments']['torrents'][0]['name'], 'other')
        is_whole(d, t)
        equal(tree(d.downloads), ['there/other/one.bin', 'there/other/unter/three.bin', 'there/other/unter/two.bin'])


@case
def whatever_moment_it_dies_at():
    rng = random.Random(7)
    with Daemon() as d:
        t = Torrent('t', [(f'{i // 20}/{i}', 3000) for i in range(400)], piece_length=PIECE, seed=5)
        d.seed(t)
        for i in range(12):
            body = json.dumps({'path': f'place{i}'}).encode()

            def ask(body=body):
                try:
                    d.http('POST', f'/api/v1/torrents/{t.hex}/move', body=body, headers={'Content-Type': 'application/json'})
                except (OSError, http.client.HTTPException):  # the line is cut
                    pass

            asking = threading.Thread(target=ask)
            asking.start()
            time.sleep(rng.random() * 0.05)  # some moment in the midst of it
            d.kill()
            asking.join()
            d.start()
            d.wait_status(t, 'seeding')
            is_whole(d, t)
            equal(len(tree(d.downloads)), 400, 'files')


lib_tap.main()
