# SPDX-License-Identifier: MIT
"""A node of the DHT by hand: it answers what it is told to, and keeps what it was asked (BEP 5)."""
import os
import socket
import struct
import threading

from lib_tap import PATIENCE, wait_for
from lib_torrent import bdecode, bencode


def compact(host, port):
    return socket.inet_aton(host) + struct.pack('>H', port)


class Node:
    """with Node() as n: answers in a thread; nodes: others that it names; values: {infohash: [(host, port)]}."""

    def __init__(self, host='127.0.0.1', nodes=(), values=None):
        self.host, self.id = host, os.urandom(20)
        self.nodes, self.values = list(nodes), values or {}
        self.token = b'aoeusnth'
        self.asked, self.announced = [], []  # (method, arguments, from); (infohash, arguments, from)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, 0))
        self.sock.settimeout(0.2)
        self.port = self.sock.getsockname()[1]
        self.waiting, self.stopped = {}, False
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped = True
        self.thread.join()
        self.sock.close()

    @property
    def address(self):
        return f'{self.host}:{self.port}'

    def compact(self):
        return self.id + compact(self.host, self.port)

    def serve(self):
        while not self.stopped:
            try:
                data, sender = self.sock.recvfrom(3000)
            except TimeoutError:
                continue
            message = bdecode(data)
            if message[b'y'] == b'q':
                self.answer(message, sender)
            else:
                self.waiting[message[b't']] = message

    def answer(self, query, sender):
        method, told = query[b'q'].decode(), query[b'a']
        self.asked.append((method, told, sender))
        reply = {'id': self.id}
        if method in ('find_node', 'get_peers', 'get'):
            reply['nodes'] = b''.join(n.compact() for n in self.nodes[:8])
        if method in ('get_peers', 'get'):
            reply['token'] = self.token
        if method == 'get_peers' and told[b'info_hash'] in self.values:
            reply['values'] = [compact(*peer) for peer in self.values[told[b'info_hash']]]
        if method == 'announce_peer':
            self.announced.append((told[b'info_hash'], told, sender))
        self.sock.sendto(bencode({'r': reply, 't': query[b't'], 'y': 'r', 'ip': compact(*sender)}), sender)

    def ask(self, daemon, method, host='127.0.0.1', **told):
        """Asks the daemon; its answer, as it came."""
        tid = os.urandom(4)
        self.sock.sendto(bencode({'a': {'id': self.id, **told}, 'q': method, 't': tid, 'y': 'q'}),
                         (host, daemon.peer_port))
        return wait_for(lambda: self.waiting.pop(tid, None), f'an answer to {method}', PATIENCE)

    def was_asked_for(self, infohash):
        return [m for m, told, _ in self.asked if told.get(b'info_hash') == infohash]
