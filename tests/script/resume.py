#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What survives the end of the process, clean or not, and what is looked at again at the next start."""
import os
import random
import re
import signal
import threading
import time

import lib_tap
from lib_daemon import Daemon
from lib_peer import Seed
from lib_tap import case, check, equal, never, wait_for
from lib_torrent import Torrent

KIB = 1024


def hashed(d, t):
    """How many pieces of the torrent this run has hashed from the disk before it was ready."""
    found = re.findall(rf'torrent_ready ih={t.hex[:8]} have=(\d+)/(\d+) hashed=(\d+)', d.log())
    check(found, 'no torrent_ready in the log:', d.log()[-2000:])
    return int(found[0][2])


def wait_ready(d, *torrents):
    for t in torrents:
        d.wait_ready(t)


@case
def a_clean_restart_keeps_everything_and_hashes_nothing():
    with Daemon() as d:
        done, half = Torrent('done', 20 * 32768, seed=1), Torrent('half', 100 * 32768, seed=2)
        idle, limited = Torrent('idle', 5000, seed=3), Torrent('limited', 5000, seed=4)
        d.add(done)
        with Seed(done).dial(d):
            d.wait_done(done)
        d.add(half)
        with Seed(half, rate=1 << 20).dial(d) as seed:
            d.wait_view(half, lambda v: v['pieces_have'] >= 20, 'twenty pieces')
            seed.serving = False
            d.add(idle, start='false')
            d.add(limited, path='else/where', maxdown=11, maxup=22)
            d.ok('/setglobaldownrate', rate=5000)
            d.ok('/setglobaluprate', rate=6000)
            d.wait_view(half, lambda v: v['downrate'] == 0, 'it rests')
            before = {s['name']: s for s in d.all()['sessions']}
        d.restart()
        wait_ready(d, done, half, idle, limited)
        after = {s['name']: s for s in d.all()['sessions']}
        equal(list(after), list(before), 'order and names')
        for name in before:
            for key in ('bitfield_base64', 'path', 'maxdown', 'maxup', 'started', 'added', 'completed',
                        'downloaded_ever', 'uploaded_ever', 'wasted_ever', 'status', 'infohash'):
                equal(after[name][key], before[name][key], f'{name}: {key}')
            equal(after[name]['downloaded'], 0, 'downloaded since the start')
        equal((d.all()['maxdown'], d.all()['maxup']), (5000, 6000))
        for t in (done, half, idle, limited):
            equal(hashed(d, t), 0, f'{t.name}: pieces hashed')
        d.ok('/setglobaldownrate', rate=0)
        had = set(d.pieces(half))
        with Seed(half).dial(d) as seed:
            d.wait_done(half)
            check(not had & {p for p, _, _ in seed.requests}, 'pieces that were there were fetched again')


@case
def a_finished_torrent_survives_a_kill_without_hashing_once_synced():
    with Daemon({'store.checkpoint_interval': '100ms'}) as d:
        t = Torrent('synced', 40 * 32768)
        d.add(t)
        with Seed(t).dial(d):
            d.wait_done(t)
        time.sleep(1.5)  # several checkpoint intervals, on a busy machine too
        d.restart(clean=False)
        d.wait_status(t, 'seeding')
        equal(hashed(d, t), 0, 'pieces hashed')


@case
def killed_many_times_nothing_verified_is_fetched_again():
    noise = random.Random(time.time_ns() % 1000)
    size = 24 << 20
    with Daemon({'store.checkpoint_interval': '1s'}) as d:
        t = Torrent('killed', size - 12345, piece_length=64 * KIB)
        d.add(t)
        sent, kills, known = 0, 0, set()
        while True:
            with Seed(t, rate=16 << 20).dial(d) as seed:
                end = time.monotonic() + noise.uniform(0.05, 0.35)
                while time.monotonic() < end and d.view(t)['status'] != 'seeding':
                    known |= set(d.pieces(t))
                if d.view(t)['status'] == 'seeding':
                    sent += seed.sent
                    break
                d.kill()
                kills += 1
                seed.stop()
            sent += seed.sent
            d.start()
            d.wait_ready(t)
            lost = known - set(d.pieces(t))
            check(not lost, 'verified pieces were lost by kill', kills, sorted(lost))
            check(kills < 200, 'it does not advance')
        d.wait_done(t)
        check(kills >= 3, 'only', kills, 'kills')
        # At each kill, blocks under way and pieces not whole may be lost: the seed's rate bounds them.
        check(sent <= t.size + kills * (3 << 20), f'{sent} bytes were sent of {t.size} with {kills} kills')
        print(f'# {kills} kills, {sent - t.size} bytes fetched twice')


@case
def after_a_kill_each_piece_that_was_seen_verified_is_not_requested():
    with Daemon() as d:
        t = Torrent('proof', 8 << 20, piece_length=64 * KIB)
        d.add(t)
        for n in range(4):
            with Seed(t, rate=6 << 20, source=f'127.0.0.{2 + n}').dial(d) as seed:
                goal = 20 * (n + 1)
                d.wait_view(t, lambda v: v['pieces_have'] >= goal, f'{goal} pieces')
                had = set(d.pieces(t))
                d.kill()
            d.start()
            d.wait_ready(t)
            check(had <= set(d.pieces(t)), 'lost', had - set(d.pieces(t)))
        with Seed(t, source='127.0.0.50').dial(d) as seed:
            d.wait_done(t)
            check(not had & {p for p, _, _ in seed.requests}, 'verified pieces were asked for again')


@case
def a_torrent_acknowledged_is_there_after_a_kill():
    with Daemon() as d:
        for n in range(12):
            t = Torrent(f'ack{n}', 1000 + n, seed=n)
            reply = d.http('POST', '/addtorrentfile', {'start': 'false', 'maxup': n}, t.data)
            equal(reply.status, 200)
            d.restart(clean=False)
            names = {s['name']: s for s in d.all()['sessions']}
            equal(len(names), n + 1, 'torrents')
            equal(names[t.name]['maxup'], n)


@case
def changes_acknowledged_are_there_after_a_kill():
    with Daemon() as d:
        t = Torrent('change', 1000)
        d.add(t)
        for path, params, key, value in [
                ('/stoptorrent', {}, 'started', False), ('/setdownrate', {'rate': 5}, 'maxdown', 5),
                ('/setuprate', {'rate': 7}, 'maxup', 7), ('/starttorrent', {}, 'started', True),
                ('/setdownrate', {'rate': 0}, 'maxdown', 0)]:
            d.ok(path, infohash=t.hex, **params)
            d.restart(clean=False)
            equal(d.view(t)[key], value, path)
        d.ok('/setglobaluprate', rate=99)
        d.restart(clean=False)
        equal(d.all()['maxup'], 99)
        d.ok('/removetorrent', infohash=t.hex)
        d.restart(clean=False)
        equal(d.all()['sessions'], [])


@case
def a_removal_with_data_is_finished_after_a_kill():
    with Daemon() as d:
        for n in range(5):
            t = Torrent(f'rm{n}', [(f'd{i}/f', 1000) for i in range(50)], seed=n)
            d.seed(t)
            d.ok('/removetorrent', infohash=t.hex, delete='true')
            d.restart(clean=False)
            equal(d.get('/torrentdata', infohash=t.hex).status, 404)
            wait_for(lambda: not os.path.exists(t.file_path(d.downloads, None)), 'the data is deleted')


@case
def adds_under_way_at_a_kill_are_there_or_not_but_whole():
    with Daemon() as d:
        answered, stop = [], threading.Event()

        def add(n):
            while not stop.is_set():
                t = Torrent(f'storm{n}-{time.monotonic_ns()}', 1000, seed=n)
                try:
                    if d.http('POST', '/addtorrentfile', {'start': 'false'}, t.data).status == 200:
                        answered.append(t)
                except Exception:  # noqa: the daemon was killed under it
                    return

        for _ in range(3):
            stop.clear()
            threads = [threading.Thread(target=add, args=(n,)) for n in range(6)]
            for thread in threads:
                thread.start()
            goal = len(answered) + 10
            wait_for(lambda: len(answered) >= goal, 'some adds')
            d.kill()
            stop.set()
            for thread in threads:
                thread.join()
            d.start()
            names = {s['name'] for s in d.all()['sessions']}
            check({t.name for t in answered} <= names, 'lost:', {t.name for t in answered} - names)


@case
def only_a_changed_file_is_checked_and_fetched_again():
    with Daemon() as d:
        t = Torrent('edited', [(f'f{i}', 4 * 32768) for i in range(10)])
        d.add(t)
        with Seed(t).dial(d):
            d.wait_done(t)
        d.terminate()
        path = t.file_path(d.downloads, 'f3')
        with open(path, 'r+b') as f:
            f.seek(32768 + 5)
            f.write(b'XXXX')
        d.start()
        d.wait_ready(t)
        d.wait_status(t, 'downloading')
        equal(sorted(set(range(40)) - set(d.pieces(t))), [13], 'the piece that is gone')
        check(hashed(d, t) <= 5, 'pieces hashed', hashed(d, t))
        with Seed(t).dial(d) as seed:
            d.wait_done(t)
            equal({p for p, _, _ in seed.requests}, {13}, 'fetched again')


@case
def a_changed_file_after_a_kill_is_found_too():
    with Daemon({'store.checkpoint_interval': '100ms'}) as d:
        t = Torrent('edited dead', [(f'f{i}', 4 * 32768) for i in range(10)])
        d.add(t)
        with Seed(t).dial(d):
            d.wait_done(t)
        time.sleep(1)  # several checkpoint intervals
        d.kill()
        with open(t.file_path(d.downloads, 'f7'), 'r+b') as f:
            f.truncate(32768 + 1)
        d.start()
        d.wait_ready(t)
        missing = set(range(40)) - set(d.pieces(t))
        check({29, 30, 31} <= missing <= {28, 29, 30, 31}, 'missing', missing)
        with Seed(t).dial(d):
            d.wait_done(t)


@case
def a_deleted_file_holds_the_torrent_with_an_error():
    with Daemon() as d:
        t = Torrent('vanished', [(f'f{i}', 4 * 32768) for i in range(5)])
        d.add(t)
        with Seed(t).dial(d):
            d.wait_done(t)
        d.terminate()
        os.unlink(t.file_path(d.downloads, 'f2'))
        d.start()
        view = d.wait_view(t, lambda v: v['error'], 'an error')
        check('f2' in view['error'], view['error'])
        with Seed(t) as seed:
            try:
                seed.dial(d)
            except OSError:
                pass
            never(lambda: seed.sent, 'it is fetched again in silence', 1.5)
        check(not os.path.exists(t.file_path(d.downloads, 'f2')), 'the file was made again')
        # Asked to by a person, it goes on.
        d.ok('/rechecktorrent', infohash=t.hex)
        d.wait_status(t, 'downloading', 'seeding')
        with Seed(t, source='127.0.0.2').dial(d):
            d.wait_done(t)


@case
def a_missing_directory_holds_the_torrent_and_is_not_created():
    with Daemon() as d:
        t = Torrent('unmounted', 10 * 32768)
        d.add(t, path='volume')
        folder = os.path.join(d.downloads, 'volume')
        with Seed(t).dial(d):
            d.wait_done(t, folder=folder)
        d.terminate()
        os.rename(folder, folder + '.away')
        d.start()
        view = d.wait_view(t, lambda v: v['error'], 'an error')
        check('volume' in view['error'] or 'missing' in view['error'], view['error'])
        check(not os.path.exists(folder), 'the directory was made again')
        os.rename(folder + '.away', folder)
        d.start_torrent(t)
        d.wait_status(t, 'seeding')
        check(not d.view(t)['error'], 'the error stays')


@case
def a_recheck_on_demand_with_progress():
    with Daemon({'store.check_rate': '8MiB/s'}) as d:
        t = Torrent('recheck', 32 << 20, piece_length=64 * KIB)
        d.add(t)
        with Seed(t).dial(d):
            d.wait_done(t)
        with open(t.file_path(d.downloads, None), 'r+b') as f:
            f.seek(50 * 64 * KIB)
            f.write(b'damage')
            stat = os.fstat(f.fileno())
        os.utime(t.file_path(d.downloads, None), ns=(stat.st_atime_ns, stat.st_mtime_ns))
        d.ok('/rechecktorrent', infohash=t.hex)
        seen = set()

        def progress():
            view = d.view(t)
            if view['status'] == 'checking':
                check(0 <= view['checked'] <= 1, view['checked'])
                seen.add(view['checked'])
                return False
            return seen and view['status'] == 'downloading'

        wait_for(progress, lambda: f'the check ends; seen {sorted(seen)}, {d.view(t)["status"]}')
        check(len(seen) >= 3, 'progress seen:', sorted(seen))
        equal(sorted(set(range(t.pieces)) - set(d.pieces(t))), [50])
        with Seed(t).dial(d) as seed:
            d.wait_done(t)
            equal({p for p, _, _ in seed.requests}, {50})


@case
def a_recheck_reads_holes_too():
    with Daemon() as d:
        t = Torrent('holes', 20 * 32768, zeros=(3, 4, 19))
        path = t.file_path(d.downloads, None)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            for i in set(range(t.pieces)) - {3, 4, 19}:
                f.seek(i * t.piece_length)
                f.write(t.piece(i))
            f.truncate(t.size)
        d.add(t)
        wait_ready(d, t)
        equal(sorted(set(range(t.pieces)) - set(d.pieces(t))), [3, 4, 19])  # nothing was ever written there
        d.ok('/rechecktorrent', infohash=t.hex)
        d.wait_status(t, 'seeding')


@case
def a_check_keeps_to_its_rate_until_that_is_changed():
    with Daemon(config='[store]\ncheck_rate = 4MiB/s\n') as d:
        t = Torrent('rate', 96 << 20, piece_length=256 * KIB)
        t.write(d.downloads)
        equal(d.http('POST', '/addtorrentfile', None, t.data).status, 200)
        d.wait_view(t, lambda v: v['status'] == 'checking' and v['checked'] > 0.05, 'it checks')
        seen = [(time.monotonic(), d.view(t)['checked'] * t.size)]
        while seen[-1][0] < seen[0][0] + 10:
            time.sleep(0.1)
            seen.append((time.monotonic(), d.view(t)['checked'] * t.size))
        rate = (seen[-1][1] - seen[0][1]) / (seen[-1][0] - seen[0][0])
        check(0.9 * (4 << 20) < rate < 1.1 * (4 << 20), f'{rate / (1 << 20):.2f} MiB/s')
        d.write_config('[store]\ncheck_rate = 0\n')
        d.process.send_signal(signal.SIGHUP)
        began = time.monotonic()
        d.wait_status(t, 'seeding')
        check(time.monotonic() - began < 5, 'the limit is still kept')


@case
def killed_while_it_checks():
    with Daemon({'store.check_rate': '1MiB/s'}) as d:
        t = Torrent('check cut', 4 << 20, piece_length=64 * KIB)
        t.write(d.downloads)
        equal(d.http('POST', '/addtorrentfile', None, t.data).status, 200)
        for _ in range(2):
            d.wait_view(t, lambda v: v['status'] == 'checking' and v['checked'] > 0.05, 'it checks')
            d.restart(clean=False)
        d.wait_status(t, 'seeding')
        equal(d.view(t)['downloaded'], 0)


@case
def stopped_while_it_checks():
    with Daemon({'store.check_rate': '1MiB/s'}) as d:
        t = Torrent('check stop', 4 << 20, piece_length=64 * KIB)
        t.write(d.downloads)
        equal(d.http('POST', '/addtorrentfile', None, t.data).status, 200)
        d.wait_view(t, lambda v: v['status'] == 'checking' and v['checked'] > 0.05, 'it checks')
        d.restart()
        d.wait_status(t, 'seeding')


@case
def many_torrents_come_back():
    with Daemon() as d:
        torrents = [Torrent(f'many{n}', 1000 + n, seed=n) for n in range(150)]
        for t in torrents:
            equal(d.http('POST', '/addtorrentfile', {'start': 'false'}, t.data).status, 200)
        d.restart()
        equal([s['name'] for s in d.all()['sessions']], [t.name for t in torrents])


lib_tap.main()
