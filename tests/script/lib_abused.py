# SPDX-License-Identifier: MIT
"""A daemon to be abused: it downloads half of a torrent and has the other half to serve, and must be well after."""
import struct

from lib_daemon import Daemon
from lib_peer import Closed, INTERESTED, PIECE, Seed, UNCHOKE, Wire
from lib_tap import equal
from lib_torrent import BLOCK, Torrent, bits_of

PIECE_LENGTH = 32768


class Abused:
    """with Abused() as a: a daemon a.d with the first pieces of a.t; at the end both are proven well."""

    def __init__(self, pieces=13, have=5, options=None, last=1):
        self.t = Torrent('abused', (pieces - 1) * PIECE_LENGTH + last, PIECE_LENGTH)
        self.have = have
        self.almost = bits_of(pieces, range(1, pieces))  # all but one: a leech, whose interest counts
        self.d = Daemon(options)

    def __enter__(self):
        self.d.__enter__()
        path = self.t.file_path(self.d.downloads, None)
        with open(path, 'wb') as f:  # the rest is a hole, which no piece matches
            f.write(self.t.content[:self.have * PIECE_LENGTH])
            f.truncate(self.t.size)
        self.d.add(self.t)
        equal(self.d.pieces(self.t), list(range(self.have)), 'pieces at the start')
        return self

    def __exit__(self, kind, error, trace):
        try:
            if kind is None:
                self.prove()
        except BaseException as failure:
            self.d.__exit__(type(failure), failure, None)
            raise
        self.d.__exit__(kind, error, trace)

    def prove(self):
        """The daemon serves and downloads as if nothing had been."""
        self.d.alive()
        self.prove_serving()
        with Seed(self.t, source='127.0.0.9').dial(self.d) as seed:
            self.d.wait_done(self.t)
            equal(sorted({r[0] for r in seed.requests}), list(range(self.have, self.t.pieces)),
                  'pieces that were asked of the honest seed')

    def prove_serving(self):
        with Wire.open(self.d, self.t, source='127.0.0.8') as leech:
            leech.send(INTERESTED)
            leech.wait(UNCHOKE)
            self.ask(leech, 1, BLOCK, BLOCK)

    def open(self, **more):
        return Wire.open(self.d, self.t, **more)

    def unchoked(self, **more):
        wire = self.open(**more)
        wire.send(INTERESTED)
        wire.wait(UNCHOKE)
        return wire

    def ask(self, wire, piece, begin, length):
        wire.request(piece, begin, length)
        self.take(wire, piece, begin, length)

    def take(self, wire, piece, begin, length):
        """The next block is this one, with the right content."""
        _, payload = wire.wait(PIECE)
        equal(payload, struct.pack('>II', piece, begin) + self.t.block(piece, begin, length),
              f'block {piece} {begin} {length}')


def closes(wire, words=''):
    try:
        return wire.wait_closed()
    except TimeoutError:
        raise AssertionError(f'not closed after: {words}') from None


def closes_raw(wire):
    try:
        while True:
            wire.take(1)
    except Closed:
        pass
