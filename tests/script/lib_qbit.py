# SPDX-License-Identifier: MIT
"""A client of qBittorrent's Web API, and a mirror that follows it as their apps do."""
import json
import urllib.parse

from lib_tap import check, equal

FORM = {'Content-Type': 'application/x-www-form-urlencoded'}


def multipart(fields, files=()):
    """(body, headers) of a form with files, each of which is a part named torrents."""
    out = b''
    for name, value in fields.items():
        out += f'--b0undary\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    for i, data in enumerate(files):
        out += (f'--b0undary\r\nContent-Disposition: form-data; name="torrents"; filename="{i}.torrent"\r\n'
                f'Content-Type: application/x-bittorrent\r\n\r\n').encode() + data + b'\r\n'
    return out + b'--b0undary--\r\n', {'Content-Type': 'multipart/form-data; boundary=b0undary'}


class Qbit:
    def __init__(self, daemon, headers=None):
        self.daemon, self.headers = daemon, dict(headers or {})

    def get(self, path, /, **params):
        return self.daemon.http('GET', '/api/v2/' + path, params, headers=self.headers)

    def post(self, path, /, **params):
        return self.daemon.http('POST', '/api/v2/' + path, None, urllib.parse.urlencode(params).encode(),
                                {**self.headers, **FORM})

    def json(self, path, /, **params):
        reply = self.get(path, **params)
        equal(reply.status, 200, f'{path} {params} answered {reply.body!r}')
        return json.loads(reply.body)

    def ok(self, path, /, **params):
        reply = self.post(path, **params)
        equal(reply.status, 200, f'{path} {params} answered {reply.body!r}')
        return reply.body.decode()

    def no(self, status, path, /, **params):
        """It is refused, in words."""
        reply = self.post(path, **params)
        equal(reply.status, status, f'{path} {params} answered {reply.body!r}')
        check(len(reply.body) > 10, path, reply.body)

    def send(self, fields, *files):
        body, headers = multipart(fields, files)
        return self.daemon.http('POST', '/api/v2/torrents/add', None, body, {**self.headers, **headers})

    def add(self, torrent, **fields):
        reply = self.send(fields, torrent.data)
        equal((reply.status, reply.body), (200, b'Ok.'), fields)

    def info(self, **params):
        return self.json('torrents/info', **params)

    def one(self, torrent):
        return self.info(hashes=torrent.hex)[0]

    def names(self, **params):
        return ''.join(t['name'] for t in self.info(**params))


class Mirror:
    """What an app keeps, brought up to date by what maindata says."""

    def __init__(self, qbit):
        self.qbit, self.rid, self.full, self.last = qbit, 0, 0, {}
        self.torrents, self.categories, self.tags, self.trackers, self.state = {}, {}, set(), {}, {}

    def follow(self):
        news = self.last = self.qbit.json('sync/maindata', rid=self.rid)
        if news.get('full_update'):
            self.full += 1
            self.torrents, self.categories, self.tags, self.trackers = {}, {}, set(), {}
        for name, values in news.get('torrents', {}).items():
            self.torrents.setdefault(name, {}).update(values)
        for name in news.get('torrents_removed', []):
            self.torrents.pop(name, None)
        self.categories.update(news.get('categories', {}))
        self.tags.update(news.get('tags', []))
        self.trackers.update(news.get('trackers', {}))
        self.state.update(news['server_state'])
        self.rid = news['rid']
        return self
