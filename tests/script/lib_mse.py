# SPDX-License-Identifier: MIT
"""Message stream encryption by hand: the other side of a handshake, in either role, and a Wire under its cipher."""
import hashlib
import os
import struct

from lib_peer import Wire
from lib_tap import check, equal

P = int('FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD'
        'EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A63A36210000000000090563', 16)
PLAIN, RC4, EITHER = 1, 2, 3
VC = bytes(8)


class Cipher:
    """RC4 with its first 1,024 bytes dropped."""

    def __init__(self, key):
        self.s, self.x, self.y = list(range(256)), 0, 0
        j = 0
        for i in range(256):
            j = (j + self.s[i] + key[i % len(key)]) & 255
            self.s[i], self.s[j] = self.s[j], self.s[i]
        self.apply(bytes(1024))

    def apply(self, data):
        s, x, y, out = self.s, self.x, self.y, bytearray(data)
        for i, byte in enumerate(out):
            x = (x + 1) & 255
            a = s[x]
            y = (y + a) & 255
            b = s[y]
            s[x], s[y] = b, a
            out[i] = byte ^ s[(a + b) & 255]
        self.x, self.y = x, y
        return bytes(out)


def sha(*parts):
    return hashlib.sha1(b''.join(parts)).digest()


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def public():
    """(private, what is sent)"""
    private = int.from_bytes(os.urandom(20), 'big')
    return private, pow(2, private, P).to_bytes(96, 'big')


class SecretWire(Wire):
    """A connection to the daemon that begins encrypted; it goes on under whatever was selected."""

    def __init__(self, sock):
        super().__init__(sock)
        self.into = self.out = None
        self.method = 0

    def send_raw(self, data):
        super().send_raw(self.out.apply(data) if self.out else data)

    def fill(self, timeout):
        before = len(self.buffer)
        super().fill(timeout)
        if self.into:
            self.buffer = self.buffer[:before] + self.into.apply(self.buffer[before:])

    def send_cut(self, data, step):
        for at in range(0, len(data), step):
            Wire.send_raw(self, data[at:at + step])

    def greet(self, infohash, provide=EITHER, first=b'', pads=(b'', b''), step=1 << 20):
        """The handshake of who dials; first goes as IA.  Each send is at most step bytes."""
        private, mine = public()
        self.send_cut(mine + pads[0], step)
        secret = pow(int.from_bytes(self.take(96), 'big'), private, P).to_bytes(96, 'big')
        out, into = Cipher(sha(b'keyA', secret, infohash)), Cipher(sha(b'keyB', secret, infohash))
        sealed = out.apply(VC + struct.pack('>IH', provide, len(pads[1])) + pads[1] + struct.pack('>H', len(first)) + first)
        self.send_cut(sha(b'req1', secret) + xor(sha(b'req2', infohash), sha(b'req3', secret)) + sealed, step)
        self.take_behind_pad(into.apply(VC))
        self.method, pad = struct.unpack('>IH', into.apply(self.take(6)))
        into.apply(self.take(pad))
        self.begin(into, out)
        return self

    def answer(self, infohash, select=PLAIN):
        """The handshake of who was dialled; what came as IA is read next."""
        private, mine = public()
        secret = pow(int.from_bytes(self.take(96), 'big'), private, P).to_bytes(96, 'big')
        self.send_raw(mine)
        into, out = Cipher(sha(b'keyA', secret, infohash)), Cipher(sha(b'keyB', secret, infohash))
        self.take_behind_pad(sha(b'req1', secret))
        equal(self.take(20), xor(sha(b'req2', infohash), sha(b'req3', secret)), 'the torrent that is asked for')
        vc, provided, pad = struct.unpack('>8sIH', into.apply(self.take(14)))
        equal(vc, VC)
        check(provided & select, f'{select} is not among {provided}')
        into.apply(self.take(pad))
        ia = into.apply(self.take(*struct.unpack('>H', into.apply(self.take(2)))))
        self.send_raw(out.apply(VC + struct.pack('>IH', select, 0)))
        self.method = select
        self.begin(into, out)
        self.buffer = ia + self.buffer
        return self

    def take_behind_pad(self, needle):
        while (at := self.buffer.find(needle)) < 0:
            check(len(self.buffer) <= 512 + len(needle), 'what ends the pad is not within the longest one')
            self.fill(10)
        self.take(at + len(needle))

    def begin(self, into, out):
        """What was selected counts from here on."""
        if self.method == RC4:
            self.buffer = into.apply(self.buffer)
            self.into, self.out = into, out

    @classmethod
    def meet(cls, daemon, infohash, source='127.0.0.1', **how):
        return cls.dial(daemon, source).greet(infohash, **how)
