# SPDX-License-Identifier: MIT
"""Scripted trackers in threads: over HTTP (raw sockets, so that they can misbehave) and over UDP."""
import gzip
import ipaddress
import random
import socket
import struct
import threading
import urllib.parse

from lib_tap import PATIENCE, wait_for
from lib_torrent import bencode


def compact(peers):
    """(host, port)... as the bytes of BEP 23 and BEP 7."""
    return b''.join(ipaddress.ip_address(h).packed + struct.pack('>H', p) for h, p in peers)


def reply_body(peers=(), interval=1800, as_dicts=False, **more):
    """A tracker's answer; IPv6 peers go to peers6."""
    four = [p for p in peers if ':' not in p[0]]
    six = [p for p in peers if ':' in p[0]]
    body = {'interval': interval}
    if as_dicts:
        body['peers'] = [{'ip': h, 'port': p, 'peer id': b'-XX0001-%012d' % p} for h, p in peers]
    else:
        body['peers'] = compact(four)
        if six:
            body['peers6'] = compact(six)
    body.update({k.replace('_', ' '): v for k, v in more.items()})
    return bencode(body)


def http_reply(body, status='200 OK', headers=()):
    head = [f'HTTP/1.1 {status}', f'Content-Length: {len(body)}', 'Connection: close', *headers]
    return '\r\n'.join(head).encode() + b'\r\n\r\n' + body


def gzipped(body):
    return http_reply(gzip.compress(body), headers=['Content-Encoding: gzip'])


class Announce(dict):
    """The parameters of one announce, decoded; path is what came before the '?'."""

    path = ''

    @property
    def event(self):
        return self.get('event', '')


class HttpTracker:
    """answer(announce) gives the reply's bytes, an iterator of bytes, or None for silence."""

    def __init__(self, answer=None, host='127.0.0.1'):
        self.answer = answer or (lambda announce: http_reply(reply_body()))
        self.announces, self.live = [], []
        self.stopping = False
        self.listener = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
        self.listener.bind((host, 0))
        self.listener.listen(50)
        self.host, self.port = host, self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def url(self, path='/announce'):
        host = f'[{self.host}]' if ':' in self.host else self.host
        return f'http://{host}:{self.port}{path}'

    def accept(self):
        while not self.stopping:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.live.append(sock)
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        try:
            sock.settimeout(PATIENCE)
            head = b''
            while b'\r\n\r\n' not in head:
                got = sock.recv(65536)
                if not got:
                    return
                head += got
            self.respond(sock, parse_head(head))
        except OSError:
            pass
        finally:
            sock.close()

    def respond(self, sock, announce):
        self.announces.append(announce)
        answer = self.answer(announce)
        if answer is None:
            while sock.recv(65536):  # silence, until the other side has had enough
                pass
            return
        for part in [answer] if isinstance(answer, bytes) else answer:
            sock.sendall(part)

    def events(self):
        return [a.event for a in list(self.announces)]

    def wait_event(self, event):
        """The first announce with this event."""
        return wait_for(lambda: next((a for a in list(self.announces) if a.event == event), None),
                        lambda: f'announce with event {event!r}; got {self.events()}')

    def close(self):
        self.stopping = True
        shut(self.listener)
        for sock in self.live:
            shut(sock)
        self.thread.join(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def shut(sock):
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()


def parse_head(head):
    line, *rest = head.split(b'\r\n\r\n')[0].decode('latin-1').split('\r\n')
    target = line.split(' ')[1]
    path, _, query = target.partition('?')
    announce = Announce()
    announce.path = path
    announce.headers = dict(h.lower().split(': ', 1) for h in rest if ': ' in h)
    for pair in query.split('&'):
        key, _, value = pair.partition('=')
        raw = urllib.parse.unquote_to_bytes(value)
        announce[key] = raw if key in ('info_hash', 'peer_id') else raw.decode('latin-1')
    return announce


class UdpTracker:
    """BEP 15.  answer(announce) gives the peers, bytes for a raw reply, an Exception for an error
    packet, or None for silence; on_connect(transaction) may replace the answer to a connect."""

    EVENTS = {0: '', 1: 'completed', 2: 'started', 3: 'stopped'}

    def __init__(self, answer=None, on_connect=None, host='127.0.0.1', interval=1800):
        self.answer, self.on_connect, self.interval = answer or (lambda a: []), on_connect, interval
        self.announces, self.connects = [], []
        self.six = ':' in host
        self.sock = socket.socket(socket.AF_INET6 if self.six else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, 0))
        self.sock.settimeout(0.1)
        self.host, self.port = host, self.sock.getsockname()[1]
        self.ids, self.stopping = set(), False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def url(self, path='/announce'):
        host = f'[{self.host}]' if self.six else self.host
        return f'udp://{host}:{self.port}{path}'

    def run(self):
        while not self.stopping:
            try:
                data, source = self.sock.recvfrom(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            reply = self.handle(data)
            if reply is not None:
                self.sock.sendto(reply, source)

    def handle(self, data):
        if len(data) < 16:
            return None
        connection, action, transaction = struct.unpack('>QII', data[:16])
        if action == 0:
            self.connects.append((connection, transaction))
            if self.on_connect:
                return self.on_connect(transaction)
            return self.connect_reply(transaction)
        if action != 1 or len(data) < 98:
            return None
        if connection not in self.ids:
            return struct.pack('>II', 3, transaction) + b'connection id is not known'
        return self.announce_reply(transaction, parse_udp(data))

    def connect_reply(self, transaction):
        connection = random.getrandbits(64)
        self.ids.add(connection)
        return struct.pack('>IIQ', 0, transaction, connection)

    def announce_reply(self, transaction, announce):
        announce.transaction = transaction
        self.announces.append(announce)
        answer = self.answer(announce)
        if answer is None or isinstance(answer, bytes):
            return answer
        if isinstance(answer, Exception):
            return struct.pack('>II', 3, transaction) + str(answer).encode()
        return udp_reply(transaction, answer, self.interval)

    def wait_event(self, event):
        return wait_for(lambda: next((a for a in list(self.announces) if a.event == event), None),
                        lambda: f'announce with event {event!r}; got '
                                f'{[a.event for a in list(self.announces)]}')

    def close(self):
        self.stopping = True
        self.thread.join(PATIENCE)
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def udp_reply(transaction, peers, interval=1800, leechers=3, seeders=2):
    return struct.pack('>IIIII', 1, transaction, interval, leechers, seeders) + compact(peers)


def parse_udp(data):
    fields = struct.unpack('>QII20s20sQQQIIIiH', data[:98])
    names = ('connection', 'action', 'transaction', 'info_hash', 'peer_id', 'downloaded', 'left',
             'uploaded', 'event', 'ip', 'key', 'numwant', 'port')
    announce = Announce(zip(names, fields))
    announce['event'] = UdpTracker.EVENTS.get(announce['event'], '?')
    announce.tail = data[98:]
    return announce


def tracker_of(d, t, n=0):
    return d.view(t)['trackers'][n]


def contacted(d, t):
    """Whether its first tracker was; the tracker actor may not have the torrent yet."""
    return any(tracker['contacted'] for tracker in d.view(t)['trackers'][:1])


def wait_tracker(d, t, status, n=0, patience=None):
    """Waits until its tracker was contacted and has this status; returns its view."""
    seen = []

    def look():
        d.alive()
        seen[:] = d.view(t)['trackers'][n:n + 1]  # none, until the tracker actor has the torrent
        return seen and seen[0]['contacted'] and seen[0]['status'] == status

    wait_for(look, lambda: f'tracker becomes {status}; it is {seen}', patience)
    return seen[0]
