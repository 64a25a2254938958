# SPDX-License-Identifier: MIT
"""A BitTorrent peer by hand: one connection message by message (Wire), and a scripted seed (Seed)."""
import os
import select
import socket
import struct
import threading
import time

from lib_tap import PATIENCE, check
from lib_torrent import bdecode, bencode, bits_list, bits_of

CHOKE, UNCHOKE, INTERESTED, NOT_INTERESTED, HAVE, BITFIELD, REQUEST, PIECE, CANCEL, PORT = range(10)
SUGGEST, HAVE_ALL, HAVE_NONE, REJECT, ALLOWED_FAST = range(13, 18)
EXTENDED = 20

FAST = bytes([0, 0, 0, 0, 0, 0, 0, 4])
EXTENSION = bytes([0, 0, 0, 0, 0, 0x10, 0, 0])
PLAIN = bytes(8)
PROTOCOL = b'\x13BitTorrent protocol'


class Closed(Exception):
    """The other side ended the connection."""


def new_id(prefix=b'-XX0001-'):
    return prefix + os.urandom(20 - len(prefix))


def reserved(fast, extended):
    return bytes(a | b for a, b in zip(FAST if fast else PLAIN, EXTENSION if extended else PLAIN))


def message(kind, payload=b''):
    return struct.pack('>IB', 1 + len(payload), kind) + payload


def triple(kind, piece, begin, length):
    return message(kind, struct.pack('>III', piece, begin, length))


def piece_message(piece, begin, data):
    return message(PIECE, struct.pack('>II', piece, begin) + data)


def hello(infohash, peer_id, bits=PLAIN):
    return PROTOCOL + bits + infohash + peer_id


class Wire:
    """One connection to the daemon, message by message, always with a deadline."""

    def __init__(self, sock):
        self.sock, self.buffer = sock, b''
        self.their_bits = self.their_id = self.their_hash = None
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @classmethod
    def dial(cls, daemon, source='127.0.0.1', host=None):
        host = host or ('::1' if ':' in source else '127.0.0.1')
        return cls(socket.create_connection((host, daemon.peer_port), timeout=PATIENCE,
                                            source_address=(source, 0)))

    @classmethod
    def open(cls, daemon, torrent, fast=False, extended=False, peer_id=None, source='127.0.0.1'):
        """Dials and shakes hands."""
        wire = cls.dial(daemon, source)
        wire.shake(torrent.infohash, fast, extended, peer_id)
        return wire

    def shake(self, infohash, fast=False, extended=False, peer_id=None):
        self.send_raw(hello(infohash, peer_id or new_id(), reserved(fast, extended)))
        self.read_hello()
        check(self.their_hash == infohash, 'the daemon answered with another info-hash')

    def read_hello(self):
        head = self.take(68)
        check(head[:20] == PROTOCOL, 'no BitTorrent handshake:', head)
        self.their_bits, self.their_hash, self.their_id = head[20:28], head[28:48], head[48:68]

    # --- bytes

    def send_raw(self, data):
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed(str(error)) from None

    def fill(self, timeout):
        self.sock.settimeout(timeout)
        try:
            got = self.sock.recv(1 << 18)
        except (ConnectionResetError, BrokenPipeError) as error:
            raise Closed(str(error)) from None
        finally:
            self.sock.settimeout(PATIENCE)
        if not got:
            raise Closed('end of stream')
        self.buffer += got

    def take(self, n, patience=None):
        end = time.monotonic() + (patience or PATIENCE)
        while len(self.buffer) < n:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f'{n} bytes did not come')
            self.fill(left)
        out, self.buffer = self.buffer[:n], self.buffer[n:]
        return out

    # --- messages

    def send(self, kind, payload=b''):
        self.send_raw(message(kind, payload))

    def request(self, piece, begin, length):
        self.send_raw(triple(REQUEST, piece, begin, length))

    def cancel(self, piece, begin, length):
        self.send_raw(triple(CANCEL, piece, begin, length))

    def piece(self, piece, begin, data):
        self.send_raw(piece_message(piece, begin, data))

    def reject(self, piece, begin, length):
        self.send_raw(triple(REJECT, piece, begin, length))

    def have(self, piece):
        self.send(HAVE, struct.pack('>I', piece))

    def recv(self, patience=None):
        """(kind, payload); kind is None for a keep-alive."""
        size = struct.unpack('>I', self.take(4, patience))[0]
        check(size <= 1 << 21, 'a message of', size, 'bytes')
        if size == 0:
            return None, b''
        body = self.take(size, patience)
        return body[0], body[1:]

    def wait(self, *kinds, patience=None):
        """The next message of one of these kinds; others are passed over."""
        end = time.monotonic() + (patience or PATIENCE)
        seen = []
        while True:
            left = end - time.monotonic()
            try:
                if left <= 0:
                    raise TimeoutError
                kind, payload = self.recv(left)
            except TimeoutError:
                raise TimeoutError(f'no message of kind {kinds}; seen: {seen}') from None
            if kind in kinds:
                return kind, payload
            seen.append(kind)

    def wait_closed(self, patience=None):
        """Reads until the daemon closes; returns the messages that came before."""
        end = time.monotonic() + (patience or PATIENCE)
        out = []
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError('the daemon did not close the connection')
            try:
                out.append(self.recv(left))
            except Closed:
                return out

    def is_open(self):
        """Whether the daemon still keeps it, judged by a zero-wait read."""
        try:
            if select.select([self.sock], [], [], 0)[0]:
                self.fill(1)
        except Closed:
            return False
        return True

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Seed:
    """A seed in a thread: serves a torrent on connections that it dials or accepts.

    What it does is steered by attributes, which may be changed while it runs:
    have      indices of its pieces          pick      function(pending) -> position to answer next
    serving   False: answers nothing         alter     function(piece, begin, data) -> data sent
    rate      bytes/s, None: no limit        extra     function(conn, piece, begin, length): called
    choking   does not unchoke                         instead of sending, True when it was taken care of
    """

    def __init__(self, torrent, fast=True, extended=False, have=None, peer_id=None, source='127.0.0.1',
                 pick=None, alter=None, extra=None, rate=None, serving=True, choking=False):
        self.torrent, self.fast, self.extended = torrent, fast, extended
        self.have = set(range(torrent.pieces)) if have is None else set(have)
        self.peer_id, self.source = peer_id or new_id(), source
        self.pick, self.alter, self.extra = pick, alter, extra
        self.rate, self.serving, self.choking = rate, serving, choking
        self.lock = threading.Lock()
        self.sent = self.blocks = 0
        self.requests, self.cancels, self.haves, self.log = [], [], [], []
        self.connections = self.closed = 0
        self.served = {}   # (piece, begin) -> how often it was sent
        self.live, self.stopping, self.threads = [], False, []
        self.listener = self.port = None
        self.error = None

    # --- how it meets the daemon

    def dial(self, daemon):
        sock = socket.create_connection(
            ('::1' if ':' in self.source else '127.0.0.1', daemon.peer_port), timeout=PATIENCE,
            source_address=(self.source, 0))
        self.spawn(sock, True)
        return self

    def listen(self, port=0):
        family = socket.AF_INET6 if ':' in self.source else socket.AF_INET
        self.listener = socket.socket(family)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((self.source, port))
        self.listener.listen(50)
        self.port = self.listener.getsockname()[1]
        thread = threading.Thread(target=self.accept, daemon=True)
        thread.start()
        self.threads.append(thread)
        return self

    @property
    def address(self):
        return self.source, self.port

    def accept(self):
        while not self.stopping:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.spawn(sock, False)

    def spawn(self, sock, first):
        thread = threading.Thread(target=self.run, args=(sock, first), daemon=True)
        self.threads.append(thread)
        thread.start()

    # --- one connection

    def run(self, sock, first):
        conn = Wire(sock)
        conn.pending, conn.choked, conn.interested, conn.budget = [], True, False, 0.0
        conn.since = time.monotonic()
        with self.lock:
            self.live.append(conn)
            self.connections += 1
        try:
            self.converse(conn, first)
        except (Closed, OSError, TimeoutError):
            pass
        except Exception as error:  # noqa: a thread must hand its failure over
            self.error = error
        finally:
            with self.lock:
                self.live.remove(conn)
                self.closed += 1
            conn.close()

    def converse(self, conn, first):
        mine = hello(self.torrent.infohash, self.peer_id, reserved(self.fast, self.extended))
        if first:
            conn.send_raw(mine)
        conn.read_hello()
        if conn.their_hash != self.torrent.infohash:
            return
        if not first:
            conn.send_raw(mine)
        conn.is_fast = self.fast and bool(conn.their_bits[7] & 4)
        self.greet(conn)
        while not self.stopping:
            self.turn(conn)

    def greet(self, conn):
        count = self.torrent.pieces
        if conn.is_fast and len(self.have) == count:
            conn.send(HAVE_ALL)
        elif conn.is_fast and not self.have:
            conn.send(HAVE_NONE)
        else:
            conn.send(BITFIELD, bits_of(count, self.have))
        if self.extended and conn.their_bits[5] & 0x10:
            conn.send(EXTENDED, b'\0' + bencode({'m': {}, 'v': 'scripted seed', 'reqq': 250}))

    def turn(self, conn):
        if not self.choking and conn.choked and conn.interested:
            conn.choked = False
            conn.send(UNCHOKE)
        wait = 0.0 if self.may_send(conn) else 0.02
        while select.select([conn.sock], [], [], wait)[0] or len(conn.buffer) >= 4:
            if not self.read_messages(conn):
                break
            wait = 0.0
        if self.may_send(conn):
            self.send_one(conn)

    def may_send(self, conn):
        if not conn.pending or not self.serving or conn.choked:
            conn.since = time.monotonic()
            return False
        if self.rate is None:
            return True
        now = time.monotonic()
        conn.budget = min(conn.budget + (now - conn.since) * self.rate, max(self.rate, 32768))
        conn.since = now
        return conn.budget >= conn.pending[0][2]

    def read_messages(self, conn):
        """Handles what is there; False when only part of a message is."""
        if select.select([conn.sock], [], [], 0)[0]:
            conn.fill(1)
        done = False
        while len(conn.buffer) >= 4:
            size = struct.unpack('>I', conn.buffer[:4])[0]
            if len(conn.buffer) < 4 + size:
                break
            body, conn.buffer = conn.buffer[4:4 + size], conn.buffer[4 + size:]
            if body:
                self.handle(conn, body[0], body[1:])
            done = True
        return done

    def handle(self, conn, kind, payload):
        if kind == REQUEST:
            ask = struct.unpack('>III', payload)
            self.requests.append(ask)
            conn.pending.append(ask)
        elif kind == CANCEL:
            ask = struct.unpack('>III', payload)
            self.cancels.append(ask)
            if ask in conn.pending:
                conn.pending.remove(ask)
                if conn.is_fast:
                    conn.reject(*ask)
        elif kind == HAVE:
            self.haves.append(struct.unpack('>I', payload)[0])
        elif kind == BITFIELD:
            self.haves += bits_list(payload, self.torrent.pieces)
        elif kind == HAVE_ALL:
            self.haves += range(self.torrent.pieces)
        elif kind == INTERESTED:
            conn.interested = True
        elif kind == NOT_INTERESTED:
            conn.interested = False
        self.log.append((kind, payload[:64]))

    def send_one(self, conn):
        at = self.pick(conn.pending) if self.pick else 0
        if at is None:
            time.sleep(0.02)
            return
        piece, begin, length = conn.pending.pop(at)
        conn.budget -= length
        if self.extra and self.extra(conn, piece, begin, length):
            return
        data = self.torrent.block(piece, begin, length)
        if self.alter:
            data = self.alter(piece, begin, data)
        # Counted before it goes out: what is counted may have arrived, what is not has not.
        with self.lock:
            self.sent += len(data)
            self.blocks += 1
            self.served[piece, begin] = self.served.get((piece, begin), 0) + 1
        conn.piece(piece, begin, data)

    # --- the end

    def drop(self):
        """Ends its connections, and goes on accepting."""
        with self.lock:
            live = list(self.live)
        for conn in live:
            try:
                conn.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.stopping = True
        if self.listener:
            try:
                self.listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.listener.close()
        self.drop()
        for thread in self.threads:
            thread.join(PATIENCE)
        if self.error:
            raise AssertionError(f'the scripted seed failed: {self.error!r}')

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            self.stop()
        except AssertionError:
            if kind is None:
                raise


def parse_extended(payload):
    """The dictionary of an extension handshake (BEP 10)."""
    check(payload[:1] == b'\0', 'not an extension handshake')
    return bdecode(payload[1:])
