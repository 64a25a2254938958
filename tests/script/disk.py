#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Disks that are full, read-only, forbidden or gone.

The file systems are tmpfs mounts in a mount namespace of this program, which a plain user gets only where
user namespaces are allowed; otherwise those cases are skipped.
"""
import ctypes
import os
import struct
import subprocess
import sys
import tempfile

import lib_tap
from lib_daemon import Daemon, is_root
from lib_peer import Closed, HAVE_NONE, INTERESTED, PIECE, REJECT, Seed, UNCHOKE, Wire
from lib_tap import Skip, case, check, equal, wait_for
from lib_torrent import BLOCK, Torrent

KIB = 1024
INSIDE = 'TORRENTD_TEST_IN_NAMESPACE'
RETRIED = 150  # seconds: a refused write is tried again every minute


def enter_namespace():
    """Runs this program again in a mount namespace of its own, when the machine allows it."""
    if INSIDE in os.environ:
        return
    command = ['unshare', '-m'] if is_root() else ['unshare', '-rm']
    if subprocess.run(command + ['true'], capture_output=True, check=False).returncode == 0:
        os.environ[INSIDE] = '1'
        os.execvp(command[0], command + [sys.executable, *sys.argv])


class Volume:
    """with Volume('2m') as path: a small file system of its own."""

    def __init__(self, size):
        self.size = size

    def __enter__(self):
        if INSIDE not in os.environ:
            raise Skip('no mount namespace: needs root or user namespaces')
        self.path = tempfile.mkdtemp(prefix='td-vol-')
        done = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={self.size}', 'none', self.path],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            os.rmdir(self.path)
            raise Skip(f'mount: {done.stderr.strip()}')
        return self.path

    def remount(self, options):
        subprocess.run(['mount', '-o', f'remount,bind,{options}', self.path], check=True)

    def __exit__(self, *_):
        subprocess.run(['umount', '-l', self.path], check=False)
        os.rmdir(self.path)


def fill(path, free):
    """Leaves this many free bytes on the volume."""
    stat = os.statvfs(path)
    size = stat.f_bavail * stat.f_frsize - free
    with open(os.path.join(path, 'filler'), 'wb') as f:
        while size > 0:
            size -= f.write(bytes(min(size, 1 << 20)))
        f.flush()


def serves(d, t, piece):
    with Wire.open(d, t, source='127.0.0.7') as leech:
        leech.send(INTERESTED)
        leech.wait(UNCHOKE)
        leech.request(piece, 0, BLOCK)
        _, payload = leech.wait(PIECE)
        equal(payload[8:], t.block(piece, 0, BLOCK), 'served')


@case
def a_full_disk_stops_the_download_and_not_the_seeding():
    volume = Volume('8m')
    with volume as path, Daemon({'download.dir': path}) as d:
        old, t = Torrent('old', 256 * KIB, seed=1), Torrent('big', 4 << 20, piece_length=64 * KIB)
        d.downloads = path
        d.seed(old)
        d.add(t)
        fill(path, 1 << 20)
        with Seed(t, source='127.0.0.2').listen() as seed:
            seed.dial(d)
            view = d.wait_view(t, lambda v: v['error'], 'an error')
            check('space' in view['error'].lower() or 'full' in view['error'].lower(), view['error'])
            check('\n' not in view['error'], 'one line')
            check(view['started'], 'it is still started')
            had = d.pieces(t)
            check(had, 'pieces before the disk was full')
            equal(d.view(old)['error'], None, 'the other torrent')
            serves(d, old, 0)
            serves(d, t, had[0])
            os.unlink(os.path.join(path, 'filler'))
        with Seed(t, source='127.0.0.3') as seed:
            d.start_torrent(t)
            seed.dial(d)
            d.wait_done(t, patience=RETRIED, folder=path)
        wait_for(lambda: not d.view(t)['error'], 'the error goes')


@case
def a_disk_with_room_again_goes_on_by_itself():
    volume = Volume('8m')
    with volume as path, Daemon({'download.dir': path}) as d:
        t = Torrent('retried', 4 << 20, piece_length=64 * KIB)
        d.downloads = path
        d.add(t)
        fill(path, 1 << 20)
        with Seed(t).dial(d) as seed:
            d.wait_view(t, lambda v: v['error'], 'an error')
            os.unlink(os.path.join(path, 'filler'))
            wait_for(lambda: d.view(t)['status'] == 'seeding' or
                     (seed.live or seed.dial(d)) and False, 'done', patience=RETRIED, every=1)
            d.wait_done(t, folder=path)


@case
def a_volume_that_becomes_read_only():
    volume = Volume('16m')
    with volume as path, Daemon({'download.dir': path, 'store.open_files': '8'}) as d:
        t = Torrent('frozen', [(f'f{i}', 512 * KIB) for i in range(12)], piece_length=64 * KIB)
        d.downloads = path
        d.add(t)
        with Seed(t, have=range(0, 40)).dial(d):
            d.wait_view(t, lambda v: v['pieces_have'] >= 40, 'forty pieces')
        d.terminate()
        volume.remount('ro')
        d.start()
        d.wait_ready(t)
        with Seed(t, source='127.0.0.2').dial(d):
            view = d.wait_view(t, lambda v: v['error'], 'an error')
            check('read-only' in view['error'].lower() or 'writ' in view['error'].lower(), view['error'])
        serves(d, t, 3)
        volume.remount('rw')
        d.start_torrent(t)
        with Seed(t, source='127.0.0.3').dial(d):
            d.wait_done(t, patience=RETRIED, folder=path)


@case
def a_directory_without_permission():
    if is_root() and not drop_possible():
        raise Skip('root may write everywhere')
    with Daemon(wrap=without_override() if is_root() else ()) as d:
        os.chmod(d.root, 0o755)
        t = Torrent('forbidden', 5 * 32768)
        folder = os.path.join(d.downloads, 'locked')
        os.mkdir(folder)
        os.chmod(folder, 0o555)
        equal(d.http('POST', '/addtorrentfile', {'path': 'locked'}, t.data).status, 200)
        d.wait_ready(t)
        if not d.view(t)['error']:
            with Seed(t).dial(d):
                d.wait_view(t, lambda v: v['error'], 'an error')
        check('ermission' in d.view(t)['error'] or 'allow' in d.view(t)['error'], d.view(t)['error'])
        os.chmod(folder, 0o777)
        d.start_torrent(t)
        with Seed(t, source='127.0.0.2').dial(d):
            d.wait_done(t, patience=RETRIED, folder=folder)


def drop_possible():
    return subprocess.run(without_override() + ['true'], capture_output=True, check=False).returncode == 0


def without_override():
    """Root without the right to ignore permissions."""
    return ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--inh-caps=-dac_override,-dac_read_search',
            '--']


@case
def a_target_directory_that_is_missing_at_the_first_start_is_made():
    with Daemon() as d:
        t = Torrent('fresh', 5 * 32768)
        d.add(t, path='a/b/c')
        with Seed(t).dial(d):
            d.wait_done(t, folder=os.path.join(d.downloads, 'a/b/c'))


@case
def a_file_in_the_way_of_a_directory():
    with Daemon() as d:
        t = Torrent('blocked', [('x', 50000), ('y/z', 50000)])
        with open(os.path.join(d.downloads, 'blocked'), 'w') as f:
            f.write('in the way')
        equal(d.http('POST', '/addtorrentfile', None, t.data).status, 200)
        d.wait_ready(t)
        if not d.view(t)['error']:
            with Seed(t).dial(d):
                d.wait_view(t, lambda v: v['error'], 'an error')
        with open(os.path.join(d.downloads, 'blocked')) as f:
            equal(f.read(), 'in the way')
        d.all()


@case
def a_symlink_in_the_way_is_not_followed():
    with Daemon() as d:
        outside = os.path.join(d.root, 'outside')
        os.mkdir(outside)
        t = Torrent('linked', [('dir/x', 50000), ('y', 50000)])
        os.mkdir(os.path.join(d.downloads, 'linked'))
        os.symlink(outside, os.path.join(d.downloads, 'linked/dir'))
        equal(d.http('POST', '/addtorrentfile', None, t.data).status, 200)
        d.wait_ready(t)
        if not d.view(t)['error']:
            with Seed(t).dial(d):
                d.wait_view(t, lambda v: v['error'], 'an error')
        equal(os.listdir(outside), [], 'written outside the target directory')


@case
def directories_that_were_made_go_with_the_data():
    with Daemon() as d:
        os.mkdir(os.path.join(d.downloads, 'mine'))
        t = Torrent('deep', [('dir/x', 50000), ('y', 50000)])
        d.add(t, path='mine/made/also')
        with Seed(t).dial(d):
            d.wait_done(t, folder=os.path.join(d.downloads, 'mine/made/also'))
        d.restart()
        d.wait_ready(t)
        d.ok('/removetorrent', infohash=t.hex, delete='true')
        wait_for(lambda: os.listdir(d.downloads) == ['mine'], 'its files are gone')
        wait_for(lambda: os.listdir(os.path.join(d.downloads, 'mine')) == [], 'and what was made for them')


@case
def a_file_cut_short_while_it_is_served_from_its_map():
    with Daemon() as d:
        t = Torrent('cut', 40 * 64 * KIB, piece_length=64 * KIB)
        d.seed(t)
        path = t.file_path(d.downloads, None)
        with Wire.open(d, t, source='127.0.0.7', fast=True) as leech:
            leech.send(HAVE_NONE)
            leech.send(INTERESTED)
            leech.wait(UNCHOKE)

            def ask(piece):
                leech.request(piece, 0, BLOCK)
                return leech.wait(PIECE, REJECT)

            def served_from_map():
                equal(ask(0)[1][8:], t.block(0, 0, BLOCK), 'served')
                return d.has_mapped(path)
            wait_for(served_from_map, 'it maps the file')
            for piece in range(t.pieces):
                equal(ask(piece)[1][8:], t.block(piece, 0, BLOCK), 'served')
            # Not read yet: what cannot leave is queued from the map, and then gone.
            for piece in range(t.pieces):
                for begin in range(0, 64 * KIB, BLOCK):
                    leech.request(piece, begin, BLOCK)
            os.truncate(path, 100 * KIB)
            try:
                while True:
                    kind, payload = leech.wait(PIECE, REJECT)
                    if kind == PIECE:
                        piece, begin = struct.unpack('>II', payload[:8])
                        if piece == 0: # what is being cut at that moment may be zeros already
                            equal(payload[8:], t.block(piece, begin, BLOCK), 'what was left')
            except Closed:
                pass
        d.wait_view(t, lambda v: v['pieces_have'] == 1, 'it believes what is left alone')
        d.ok('/removetorrent', infohash=t.hex)
        wait_for(lambda: not d.has_mapped(path), 'the map is gone with the torrent')


@case
def the_download_directory_vanishes_while_it_downloads():
    with Daemon({'store.open_files': '8'}) as d:
        t = Torrent('pulled', [(f'f{i}', 128 * KIB) for i in range(40)], piece_length=64 * KIB)
        d.add(t)
        with Seed(t, rate=1 << 20).dial(d):
            d.wait_view(t, lambda v: v['pieces_have'] >= 5, 'five pieces')
            os.rename(t.file_path(d.downloads, None), t.file_path(d.downloads, None) + '.away')
            wait_for(lambda: d.view(t)['error'] or d.view(t)['status'] == 'seeding', 'it notices or goes on',
                     patience=90)
        d.all()


enter_namespace()
# What is mounted here must not be seen outside.
if INSIDE in os.environ:
    ctypes.CDLL(None).mount(b'none', b'/', None, 0x4000 | 0x40000, None)  # MS_REC | MS_PRIVATE
lib_tap.main()
