# SPDX-License-Identifier: MIT
"""A reader of text/event-stream by hand: a socket, chunks, events with a deadline."""
import json
import socket
import sys
import threading
import time
import urllib.parse

from lib_tap import PATIENCE, check


class Ended(Exception):
    """The other side ended the stream."""


class Events:
    """One stream; its events are taken one by one: (name, data)."""

    def __init__(self, daemon, headers=None, size=None, **params):
        self.sock = socket.socket()
        if size:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
        self.sock.settimeout(PATIENCE)
        self.sock.connect((daemon.host, daemon.api_port))
        query = '?' + urllib.parse.urlencode(params) if params else ''
        lines = [f'GET /api/v1/events{query} HTTP/1.1', f'Host: {daemon.host}:{daemon.api_port}']
        lines += [f'{k}: {v}' for k, v in (headers or {}).items()]
        self.sock.sendall(('\r\n'.join(lines) + '\r\n\r\n').encode())
        self.raw, self.text, self.last_id = b'', '', None
        head = self.until(b'\r\n\r\n').decode()
        self.status = int(head.split()[1])
        self.headers = dict(line.lower().split(': ', 1) for line in head.split('\r\n')[1:] if line)

    def fill(self):
        got = self.sock.recv(1 << 16)
        if not got:
            raise Ended
        self.raw += got

    def until(self, mark):
        while mark not in self.raw:
            self.fill()
        out, self.raw = self.raw.split(mark, 1)
        return out

    def chunk(self):
        size = int(self.until(b'\r\n'), 16)
        while len(self.raw) < size + 2:
            self.fill()
        out, self.raw = self.raw[:size], self.raw[size + 2:]
        if size == 0:
            raise Ended
        return out.decode()

    def next(self, patience=PATIENCE):
        """The next event; comments and what is no event are passed over."""
        self.sock.settimeout(patience)
        while True:
            while '\n\n' not in self.text:
                self.text += self.chunk()
            block, self.text = self.text.split('\n\n', 1)
            fields = dict(line.split(': ', 1) for line in block.split('\n') if not line.startswith(':'))
            if 'event' in fields:
                self.last_id = fields['id']
                return fields['event'], json.loads(fields['data'])

    def wait(self, name, patience=PATIENCE):
        """The data of the next event of that name."""
        end = time.monotonic() + patience
        while True:
            check(time.monotonic() < end, 'no event', name)
            got, data = self.next(patience)
            if got == name:
                return data

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Follower:
    """Follows a daemon, over its ends, in a thread: every event is given to take(name, data)."""

    def __init__(self, daemon, take, **params):
        self.daemon, self.take, self.params = daemon, take, params
        self.point, self.error, self.ended = None, None, False
        self.stream = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def follow(self):
        params = dict(self.params, **({'since': self.point} if self.point else {}))
        with Events(self.daemon, **params) as self.stream:
            while not self.ended:
                self.take(*self.stream.next())
                self.point = self.stream.last_id

    def run(self):
        while not self.ended:
            try:
                self.follow()
            except (OSError, Ended):
                time.sleep(0.02)
            except Exception as error:  # noqa: it is reported by who asks
                self.error = error
                return

    def close(self):
        self.ended = True
        if self.stream is not None:
            try:
                self.stream.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join(PATIENCE)
        if self.error is not None:
            raise self.error


if __name__ == '__main__':
    sys.exit('a library of the scenarios')
