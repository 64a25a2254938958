# SPDX-License-Identifier: MIT
"""What scenarios of actions, removal and undo share: asking for them, and looking at what came of it."""
import json
import sys

from lib_tap import check, equal, wait_for
from lib_torrent import Torrent

PIECE = 32768


def make(names):
    return [Torrent(name, 2 * PIECE, piece_length=PIECE, seed=ord(name[0])) for name in names]


def post(d, path, value):
    return d.http('POST', path, body=json.dumps(value).encode(), headers={'Content-Type': 'application/json'})


def act(d, action, hashes=None, filter=None, **args):
    """What an action answers that is good."""
    body = {'action': action, 'args': args}
    if hashes is not None:
        body['hashes'] = [getattr(t, 'hex', t) for t in hashes]
    if filter is not None:
        body['filter'] = filter
    reply = post(d, '/api/v1/torrents/actions', body)
    check(reply.status == 200, body, 'answered', reply.status, reply.body)
    return json.loads(reply.body)


def rows(d, *fields):
    """By name: a list of these fields."""
    reply = json.loads(d.get('/api/v1/torrents', fields='name,' + ','.join(fields)).body)
    at = [reply['fields'].index(f) for f in fields]
    name = reply['fields'].index('name')
    return {row[name]: [row[i] for i in at] for row in reply['add']}


def undo(d, reply, status=200):
    """Undoes what an action has answered."""
    got = post(d, '/api/v1/undo/' + (reply if isinstance(reply, str) else reply['undo']), {})
    check(got.status == status, 'undo answered', got.status, got.body)
    return json.loads(got.body)


def removed(d):
    return json.loads(d.get('/api/v1/removed').body)['removed']


def gone(d, t):
    """Waits until its removal has ended."""
    wait_for(lambda: t.hex in [r['hash'] for r in removed(d)], f'{t.name} is among the removed')


def restore(d, t, status=204):
    reply = d.http('POST', f'/api/v1/removed/{t.hex}/restore')
    equal(reply.status, status, reply.body)
    return reply


if __name__ == '__main__':
    sys.exit('a library of the scenarios')
