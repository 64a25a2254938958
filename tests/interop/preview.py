#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A magnet link is looked at with another client as the seed; then its third file alone is fetched, and nothing else is on disk."""
import json
import os

from lib_case import Program, run
from lib_clients import Aria2, Libtorrent, Rtorrent, Transmission
from lib_lab import Failure, poll
from lib_made import compare_file, make
from lib_ours import Torrentd
from lib_swarm import PATIENCE, Swarm, start
from lib_trackers import Opentracker

PIECE = 32 << 10
FILES = [(('first.bin',), 5 * PIECE + 11), (('second.bin',), 3 * PIECE), (('sub', 'third.bin'), 7 * PIECE + 5), (('fourth.bin',), PIECE)]
CHOSEN = 2


def ask(client, method, path, body=None, status=200):
    got, data = client.request(method, path, None if body is None else json.dumps(body))
    if got != status:
        raise Failure(f'{path}: {got} {data}')
    return json.loads(data)


def on_disk(folder):
    return {os.path.relpath(os.path.join(where, name), folder) for where, _, names in os.walk(folder) for name in names}


def same(what, got, wanted):
    if got != wanted:
        raise Failure(f'{what}: {got}, not {wanted}')


def look(lab, random, seed):
    original, folder = lab.place('original'), lab.place('copy')
    torrent = make(original, 'looked', FILES, PIECE, random)
    tracker = Opentracker(lab.host(), [torrent])
    Swarm(lab, torrent, original, tracker).seed(seed)
    client = start(lab, Torrentd, folder)
    link = f'magnet:?xt=urn:btih:{torrent.infohash}&tr={tracker.http}'
    made = ask(client, 'POST', '/api/v1/previews', {'source': link}, status=201)

    def preview():
        return ask(client, 'GET', f'/api/v1/previews/{made["id"]}')

    poll(lambda: preview()['state'] == 'ready', PATIENCE, 'the preview is ready')
    same('files', [(f['path'], f['size']) for f in preview()['files']], [('/'.join(('looked', *path)), size) for path, size in FILES])
    same('on disk', on_disk(folder), set())
    same('listed', json.loads(client.call('GET', '/alldata'))['sessions'], [])
    others = ','.join(str(i) for i in range(len(FILES)) if i != CHOSEN)
    ask(client, 'POST', '/api/v1/torrents', {'preview': made['id'], 'path': folder, 'files': {'skip': others}}, status=201)
    poll(lambda: client.view(torrent)['status'] == 'seeding', PATIENCE, 'the chosen file is there')
    path = '/'.join(('looked', *FILES[CHOSEN][0]))
    same('on disk', {name for name in on_disk(folder) if not name.endswith('.parts')}, {path})
    compare_file(path, os.path.join(original, path), os.path.join(folder, path))


def main():
    program = Program(jobs=2)
    for client in (Libtorrent, Transmission, Aria2, Rtorrent):
        program.add(f'we look at what {client.name} seeds', look, client, needs=(*client.needs, 'opentracker'))
    run(program)


if __name__ == '__main__':
    main()
