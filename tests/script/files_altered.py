#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Files that somebody removes, replaces, cuts short or moves while they are downloaded or served.

Whatever happens to them: what the daemon says it has is true, also after a stop and after a kill, and nobody is
ever given a wrong byte.
"""
import os
import random
import time

import lib_tap
from lib_daemon import Daemon
from lib_peer import INTERESTED, PIECE, REJECT, Seed, UNCHOKE, Wire
from lib_tap import case, check, equal, wait_for
from lib_torrent import BLOCK, Torrent

KIB = 1024
FAST = {'store.checkpoint_interval': '200ms'}


def true_pieces(t, folder):
    """The pieces whose every byte is in the files."""
    data = b''
    for path, size in t.files:
        try:
            with open(t.file_path(folder, path), 'rb') as f:
                part = f.read(size)
        except OSError:
            part = b''
        data += part + b'\xff' * (size - len(part))
    step = t.piece_length
    return {i for i in range(t.pieces) if data[i * step:i * step + t.piece_size(i)] == t.piece(i)}


def claims_hold(d, t, when):
    """What it claims is on the disk, once it has had time for a checkpoint."""
    lies = set(d.pieces(t)) - true_pieces(t, d.downloads)
    check(not lies, when, 'it claims pieces that are not on the disk:', sorted(lies)[:20])


def settle(d, t):
    d.wait_view(t, lambda v: v['status'] not in ('opening', 'checking'), 'it comes to rest')


def finish(d, t):
    """Peers come again and again until it is complete: a look at the files sends them away."""
    others = iter(range(100, 250))

    def step():
        if d.view(t)['status'] == 'error':
            d.ok('/rechecktorrent', infohash=t.hex)
        elif d.view(t)['status'] in ('downloading', 'seeding'):
            with Seed(t, source=f'127.0.0.{next(others)}').dial(d):
                time.sleep(0.3)
        if d.view(t)['status'] != 'seeding':
            return False
        if t.differences(d.downloads):  # altered when it was complete: found by who reads it, or at a start
            time.sleep(0.5)
            d.restart()
            settle(d, t)
        return not t.differences(d.downloads)
    wait_for(step, lambda: f'done; it is {d.view(t)["status"]}, {d.view(t)["error"]}, {t.differences(d.downloads)}')


def half(d, t, pieces):
    """Adds the torrent and brings so many pieces; the seed sends no more."""
    d.add(t)
    seed = Seed(t, rate=4 << 20, have=range(pieces))
    seed.dial(d)
    d.wait_view(t, lambda v: v['pieces_have'] >= pieces, f'{pieces} pieces')
    return seed


@case
def a_file_removed_while_it_is_downloaded():
    for options in ({}, {'store.open_files': '8'}):
        with Daemon({**FAST, **options}) as d:
            t = Torrent('removed', [(f'f{i}', 256 * KIB) for i in range(16)], piece_length=32 * KIB)
            with half(d, t, 60):
                os.unlink(t.file_path(d.downloads, 'f3'))
            with Seed(t, source='127.0.0.2').dial(d):
                view = d.wait_view(t, lambda v: v['status'] == 'error', 'an error')
            check('f3' in view['error'], view['error'])
            check(not os.path.exists(t.file_path(d.downloads, 'f3')), 'it was made again')
            claims_hold(d, t, 'at once')
            d.restart()
            settle(d, t)
            claims_hold(d, t, 'after a stop')
            d.start_torrent(t)
            finish(d, t)


@case
def the_only_file_removed_while_it_is_open():
    with Daemon(FAST) as d:
        t = Torrent('only', 200 * 32 * KIB)
        with half(d, t, 60):
            os.unlink(t.file_path(d.downloads, None))
        with Seed(t, source='127.0.0.2').dial(d):
            view = d.wait_view(t, lambda v: v['status'] == 'error', 'an error')
        check('only' in view['error'] and not view['completed'], view['error'], view['completed'])


@case
def a_file_moved_away_while_it_is_open():
    with Daemon(FAST) as d:
        t = Torrent('moved', [('a', 1 << 20), ('b', 1 << 20)])
        with half(d, t, 50):
            path = t.file_path(d.downloads, 'b')
            os.rename(path, path + '.away')
        with Seed(t, source='127.0.0.2', rate=1 << 20).dial(d):
            d.wait_view(t, lambda v: v['status'] == 'error', 'an error')
            claims_hold(d, t, 'moved')
            d.terminate()
        os.rename(path + '.away', path)
        d.start()
        settle(d, t)
        claims_hold(d, t, 'and back')
        if d.view(t)['error']:
            d.start_torrent(t)
        finish(d, t)


@case
def a_file_cut_short_while_it_is_downloaded():
    for options in ({}, {'store.open_files': '8'}):
        with Daemon({**FAST, **options}) as d:
            t = Torrent('short', [(f'f{i}', 256 * KIB) for i in range(16)], piece_length=32 * KIB)
            with half(d, t, 60):
                os.truncate(t.file_path(d.downloads, 'f7'), 0)
            finish(d, t)  # only that file is fetched again, and nobody has to be asked


@case
def a_file_replaced_while_it_is_downloaded():
    with Daemon(FAST) as d:
        t = Torrent('replaced', [(f'f{i}', 256 * KIB) for i in range(16)], piece_length=32 * KIB)
        with half(d, t, 60):
            path = t.file_path(d.downloads, 'f7')
            with open(path + '.new', 'wb') as f:
                f.write(b'mine' * (64 * KIB))
            os.replace(path + '.new', path)
        with Seed(t, source='127.0.0.2').dial(d):
            view = d.wait_view(t, lambda v: v['status'] == 'error', 'an error')
        check('f7' in view['error'], view['error'])
        with open(path, 'rb') as f:
            equal(f.read(4), b'mine', 'a file of somebody else')
        claims_hold(d, t, 'replaced')
        d.start_torrent(t)
        finish(d, t)


@case
def a_complete_file_cut_short_is_mended_by_itself():
    with Daemon(FAST) as d:
        t = Torrent('mended', [('a', 512 * KIB), ('b', 512 * KIB)])
        d.seed(t)
        os.truncate(t.file_path(d.downloads, 'b'), 0)
        with Wire.open(d, t, source='127.0.0.7', fast=True) as leech:
            leech.send(INTERESTED)
            leech.wait(UNCHOKE)
            leech.request(t.pieces - 1, 0, BLOCK)
            wait_for(lambda: d.view(t)['pieces_have'] == t.pieces // 2, 'the other file is still believed')
        with Seed(t, source='127.0.0.2').dial(d) as seed:
            d.wait_done(t)
            check(min(p for p, _, _ in seed.requests) >= t.pieces // 2, 'no more than that was fetched')


def alter(rng, path):
    """One thing that may happen to a file."""
    if not os.path.exists(path):
        return
    what = rng.choice(('remove', 'replace', 'cut', 'move', 'away and back'))
    print(f'#   {what} {os.path.basename(path)}', flush=True)
    if what == 'remove':
        os.unlink(path)
    elif what == 'replace':
        with open(path + '.new', 'wb') as f:
            f.write(bytes(os.stat(path).st_size))
        os.replace(path + '.new', path)
    elif what == 'cut':
        os.truncate(path, rng.randrange(os.stat(path).st_size + 1))
    else:
        os.rename(path, path + '.away')
        if what != 'move':
            time.sleep(rng.random() / 4)
            os.rename(path + '.away', path)


@case
def anything_at_any_moment():
    seed_of = int(os.environ.get('S', random.randrange(1 << 30)))
    print(f'# S={seed_of}')
    rng = random.Random(seed_of)
    for _ in range(3):
        files = rng.choice((8, 64))
        with Daemon({**FAST, 'store.open_files': str(files), 'store.workers': str(rng.choice((1, 3)))}) as d:
            t = Torrent('any', [(f'f{i}', rng.randrange(1, 300 * KIB)) for i in range(12)], piece_length=32 * KIB)
            d.add(t)
            for turn in range(6):
                with Seed(t, source=f'127.0.0.{turn + 2}', rate=3 << 20).dial(d) as seed:
                    time.sleep(0.1 + rng.random() / 2)
                    alter(rng, t.file_path(d.downloads, rng.choice(t.files)[0]))
                    time.sleep(rng.random())
                    del seed
                end = rng.choice(('stop', 'kill', None))
                if end == 'kill':
                    d.kill()
                    d.start()
                elif end == 'stop':
                    d.restart()
                settle(d, t)
                with Seed(t, have=()).dial(d):
                    pass
                if end is not None:
                    claims_hold(d, t, f'turn {turn}, {end}')
                if d.view(t)['status'] == 'error':
                    d.ok('/rechecktorrent', infohash=t.hex)
                    settle(d, t)
            finish(d, t)


if __name__ == '__main__':
    lib_tap.main()
