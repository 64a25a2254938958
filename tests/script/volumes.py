#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The room on the volumes that downloads go to."""
import json
import os

import lib_tap
from lib_daemon import Daemon
from lib_tap import case, check, equal


def ask(d, params):
    return d.http('GET', '/api/v1/volumes', params)


def volumes(d, **params):
    reply = ask(d, params)
    equal(reply.status, 200, reply.body)
    return json.loads(reply.body)['volumes']


def judge(volume, path):
    space = os.statvfs(path)
    equal(volume['error'], None)
    equal(volume['total'], space.f_blocks * space.f_frsize)
    free = space.f_bavail * space.f_frsize
    check(abs(volume['free'] - free) < 1 << 30, volume, 'but free are', free)
    equal(volume['id'], f'{os.stat(path).st_dev:x}')


@case
def roots_on_one_volume_are_one_entry():
    with Daemon() as d:
        other = os.path.join(d.root, 'other')
        os.mkdir(other)
        d.options['download.roots'] = f'{d.downloads},{other}'
        d.restart()
        volume, = volumes(d)
        equal(volume['paths'], [d.downloads, other])
        judge(volume, d.downloads)


@case
def volumes_are_told_apart():
    with Daemon() as d:
        d.options['download.roots'] = f'{d.downloads},/dev/shm/torrents'
        d.restart()
        here, there = volumes(d)
        equal((here['paths'], there['paths']), ([d.downloads], ['/dev/shm/torrents']))
        judge(here, d.downloads)
        judge(there, '/dev/shm')  # the directory is not there yet: it will be made on this volume
        check(not os.path.exists('/dev/shm/torrents'))


@case
def a_directory_beneath_a_root_has_its_own():
    with Daemon() as d:
        volume, = volumes(d, path=d.downloads + '/films/2026')
        equal(volume['paths'], [d.downloads + '/films/2026'])
        judge(volume, d.downloads)
        for path in ('/etc', d.downloads + '/../..', 'films', d.root):
            reply = ask(d, {'path': path})
            equal((reply.status, json.loads(reply.body)['code']), (422, 'not_beneath_a_root'), path)


@case
def what_cannot_be_looked_at_says_why():
    with Daemon() as d:
        d.options['download.dir'] = None
        d.write_config(f'[download]\ndir = {d.root}/log.0/x\n')
        d.options['download.roots'] = f'{d.downloads},{d.root}/log.0/x'
        d.restart()
        here, there = volumes(d)
        judge(here, d.downloads)
        check(there['error'] and 'free' not in there, there)


lib_tap.main()
