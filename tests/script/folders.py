#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The directories beneath the download roots, for who chooses one."""
import json
import os

import lib_tap
from lib_daemon import Daemon, is_root
from lib_tap import case, check, equal


def ask(d, **params):
    reply = d.http('GET', '/api/v1/fs', params)
    return reply.status, json.loads(reply.body)


def names(got):
    return [f['name'] for f in got['folders']]


@case
def roots_and_what_lies_in_them():
    with Daemon() as d:
        for name in ('films/2026', 'a & b', '.hidden', 'gr\u00fc\u00df'):
            os.makedirs(os.path.join(d.downloads, name))
        open(os.path.join(d.downloads, 'file'), 'wb').close()
        os.symlink('/etc', os.path.join(d.downloads, 'link'))
        status, got = ask(d)
        equal((status, got['path'], names(got)), (200, None, [d.downloads]))
        equal(got['folders'][0], {'name': d.downloads, 'path': d.downloads, 'writable': True})
        status, got = ask(d, path=d.downloads)
        equal((status, names(got), got['top'], got['more']), (200, ['a & b', 'films', 'gr\u00fc\u00df'], True, False))
        space = os.statvfs(d.downloads)
        equal(got['total'], space.f_blocks * space.f_frsize)
        status, got = ask(d, path=got['folders'][1]['path'])
        equal((names(got), got['top'], got['writable']), (['2026'], False, True))
        equal(names(ask(d, path=got['folders'][0]['path'])[1]), [])


@case
def nothing_outside_is_told():
    with Daemon() as d:
        os.symlink('/etc', os.path.join(d.downloads, 'link'))
        open(os.path.join(d.downloads, 'file'), 'wb').close()
        for path in ('/etc', '/', d.root, d.downloads + '/..', d.downloads + '/../state', 'films', d.downloads + '/link',
                     d.downloads + '/link/ssl', d.downloads + 'x'):
            status, got = ask(d, path=path)
            check(status in (422, 404) and 'folders' not in got, path, status, got)
        equal(ask(d, path=d.downloads + '/not there')[1]['code'], 'no_such_folder')
        status, got = ask(d, path=d.downloads + '/file')
        check(status != 200 and 'folders' not in got, status, got)


@case
def very_many_are_cut_and_it_is_said():
    with Daemon() as d:
        for i in range(1001):
            os.mkdir(os.path.join(d.downloads, f'n{i}'))
        got = ask(d, path=d.downloads)[1]
        equal((len(got['folders']), got['more']), (1000, True))


@case
def what_may_not_be_written():
    with Daemon() as d:
        os.mkdir(os.path.join(d.downloads, 'closed'), 0o500)
        equal(ask(d, path=d.downloads)[1]['folders'][0]['writable'], is_root())


if __name__ == '__main__':
    lib_tap.main()
