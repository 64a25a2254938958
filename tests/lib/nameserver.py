# SPDX-License-Identifier: MIT
"""A name server: A records of the names it is told, no such name for all others, and a note of what it was asked."""
import socket
import struct
import threading

A, IN = 1, 1
NO_SUCH_NAME = 3


def question_of(query):
    """(name, type, where it ends)"""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += query[at] + 1
    return '.'.join(labels).lower(), struct.unpack('>H', query[at + 1:at + 3])[0], at + 5


class NameServer:
    """Serves at once; `with` ends it.  names: {name: IPv4 address}, and may be changed meanwhile."""

    def __init__(self, names, host='127.0.0.1', port=0):
        self.names, self.asked = dict(names), []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, port))
        self.host, self.port = self.sock.getsockname()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            query, client = self.sock.recvfrom(2048)
            if len(query) <= 12:
                return  # from close()
            name, kind, end = question_of(query)
            self.asked.append(name)
            known = self.names.get(name)
            answers = []
            if known is not None and kind == A:
                answers.append(b'\xc0\x0c' + struct.pack('>HHIH', A, IN, 60, 4) + socket.inet_aton(known))
            flags = 0x8180 if known is not None else 0x8180 | NO_SUCH_NAME
            self.sock.sendto(query[:2] + struct.pack('>HHHHH', flags, 1, len(answers), 0, 0) + query[12:end] + b''.join(answers),
                             client)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.sendto(b'end', (self.host, self.port))
        self.thread.join()
        self.sock.close()
