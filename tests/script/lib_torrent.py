# SPDX-License-Identifier: MIT
"""Torrents made on the spot whose content follows from a seed number."""
import hashlib
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'lib'))
from bencode import bdecode, bencode, decode_at  # noqa: E402, F401: the path to it comes first; for all who have us

BLOCK = 16384


class Torrent:
    """A torrent with its content: files is a size (one file) or a list of (path, size); zeros names pieces of zeros."""

    def __init__(self, name, files, piece_length=32768, seed=1, trackers=(), private=False, extra=None, zeros=()):
        self.name, self.piece_length = name, piece_length
        self.single = isinstance(files, int)
        self.files = [(None, files)] if self.single else list(files)
        self.size = sum(size for _, size in self.files)
        self.content = random.Random(seed).randbytes(self.size)
        for i in zeros:
            at = i * piece_length
            end = min(at + piece_length, self.size)
            self.content = self.content[:at] + bytes(end - at) + self.content[end:]
        self.pieces = -(-self.size // piece_length)
        hashes = b''.join(hashlib.sha1(self.piece(i)).digest() for i in range(self.pieces))
        info = {'name': name, 'piece length': piece_length, 'pieces': hashes}
        if self.single:
            info['length'] = self.size
        else:
            info['files'] = [{'length': size, 'path': path.split('/')} for path, size in self.files]
        if private:
            info['private'] = 1
        meta = {'info': info}
        tiers = [[t] if isinstance(t, str) else list(t) for t in trackers]
        if tiers:
            meta['announce'] = tiers[0][0]
            meta['announce-list'] = tiers
        meta.update(extra or {})
        self.data = bencode(meta)
        self.infohash = hashlib.sha1(bencode(info)).digest()
        self.hex = self.infohash.hex()

    def piece_size(self, index):
        return min(self.piece_length, self.size - index * self.piece_length)

    def piece(self, index):
        start = index * self.piece_length
        return self.content[start:start + self.piece_length]

    def block(self, index, begin, length):
        start = index * self.piece_length + begin
        return self.content[start:start + length]

    def blocks(self, index):
        """(begin, length) of each block of a piece."""
        size = self.piece_size(index)
        return [(b, min(BLOCK, size - b)) for b in range(0, size, BLOCK)]

    def file_path(self, folder, path):
        return os.path.join(folder, self.name, *([path] if path else []))

    def each_file(self, folder):
        """(path on disk, its bytes) of every file beneath the target directory."""
        at = 0
        for path, size in self.files:
            yield self.file_path(folder, path), self.content[at:at + size]
            at += size

    def write(self, folder):
        """Puts the content on disk, so that the daemon can seed it."""
        for path, data in self.each_file(folder):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'wb') as f:
                f.write(data)

    def differences(self, folder):
        """What is not as it must be beneath the target directory: a list of sentences."""
        wrong = []
        for path, data in self.each_file(folder):
            try:
                with open(path, 'rb') as f:
                    got = f.read()
            except OSError as error:
                wrong.append(f'{path}: {error.strerror}')
                continue
            if len(got) != len(data):
                wrong.append(f'{path}: {len(got)} bytes instead of {len(data)}')
            elif got != data:
                at = next(i for i, (a, b) in enumerate(zip(got, data)) if a != b)
                wrong.append(f'{path}: differs from byte {at} on')
        return wrong

    def all_set(self):
        return bits_of(self.pieces, range(self.pieces))


def bits_of(count, indices):
    """A bitfield as bytes: the first piece is the highest bit of the first byte."""
    out = bytearray(-(-count // 8))
    for i in indices:
        out[i // 8] |= 0x80 >> (i % 8)
    return bytes(out)


def bits_list(data, count):
    return [i for i in range(count) if data[i // 8] & (0x80 >> (i % 8))]
