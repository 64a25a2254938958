# SPDX-License-Identifier: MIT
"""Torrents made for a case: their payload, their metainfo, and the comparison of what arrived, byte by byte."""
import hashlib
import os

from lib_lab import Failure
from bencode import bencode


class Torrent:
    """The metainfo of a payload, and where its .torrent lies."""

    def __init__(self, name, sizes, piece_length, piece_hashes, single, private=False, links=None):
        self.name, self.sizes, self.piece_length, self.single = name, sizes, piece_length, single
        self.links = links or {}
        self.total = sum(sizes.values())
        self.pieces = len(piece_hashes)
        info = {'name': name, 'piece length': piece_length, 'pieces': b''.join(piece_hashes)}
        if single:
            info['length'] = self.total
        else:
            info['files'] = [{'length': size, 'path': list(path)} for path, size in sizes.items()]
            info['files'] += [{'attr': 'l', 'length': 0, 'path': list(path), 'symlink path': list(target)}
                              for path, target in self.links.items()]
        if private:
            info['private'] = 1
        self.info = bencode(info)
        self.infohash = hashlib.sha1(self.info).hexdigest()

    def metainfo(self, trackers):
        """Each tracker is a tier of its own."""
        announce = b'' if not trackers else bencode('announce') + bencode(trackers[0])
        tiers = b'' if len(trackers) < 2 else bencode('announce-list') + bencode([[url] for url in trackers])
        return b'd' + announce + tiers + bencode('info') + self.info + b'e'

    def write(self, folder, trackers=()):
        path = os.path.join(folder, f'{self.infohash}.torrent')
        with open(path, 'wb') as file:
            file.write(self.metainfo(list(trackers)))
        return path

    def paths(self, folder):
        """(path in the torrent, path on the disk) of every file."""
        for path in self.sizes:
            yield path, os.path.join(folder, self.name, *path)


def _read_pieces(paths, piece_length):
    """The SHA-1 of every piece of the files one after the other."""
    digest, have = hashlib.sha1(), 0
    for path in paths:
        with open(path, 'rb') as file:
            while data := file.read(piece_length - have):
                digest.update(data)
                have += len(data)
                if have == piece_length:
                    yield digest.digest()
                    digest, have = hashlib.sha1(), 0
    if have:
        yield digest.digest()


def make(folder, name, files, piece_length, random, private=False, links=None):
    """Writes random payload beneath folder; files is a size, or a list of (path, size) with path a tuple of names.

    links: symbolic ones, {path: target}, both from the top directory on (BEP 47).
    """
    single = isinstance(files, int)
    sizes = {(): files} if single else dict(files)
    paths = [os.path.join(folder, name, *path) for path in sizes]
    for path, size in zip(paths, sizes.values()):
        path = path.rstrip('/')
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as file:
            for done in range(0, size, 1 << 20):
                file.write(random.randbytes(min(1 << 20, size - done)))
    hashes = list(_read_pieces([path.rstrip('/') for path in paths], piece_length))
    for path, target in (links or {}).items():
        at, to = os.path.join(folder, name, *path), os.path.join(folder, name, *target)
        os.makedirs(os.path.dirname(at), exist_ok=True)
        os.symlink(os.path.relpath(to, os.path.dirname(at)), at)
    return Torrent(name, sizes, piece_length, hashes, single, private, links)


def make_sparse(folder, name, size, islands, piece_length):
    """One file of holes with a few islands {offset: bytes}; only the pieces that an island touches are hashed."""
    path = os.path.join(folder, name)
    with open(path, 'wb') as file:
        file.truncate(size)
        for offset, data in islands.items():
            file.seek(offset)
            file.write(data)
    touched = {piece for offset, data in islands.items()
               for piece in range(offset // piece_length, (offset + len(data) - 1) // piece_length + 1)}
    count = -(-size // piece_length)
    touched.add(count - 1)
    hashes = [hashlib.sha1(bytes(piece_length)).digest()] * count
    with open(path, 'rb') as file:
        for piece in touched:
            file.seek(piece * piece_length)
            hashes[piece] = hashlib.sha1(file.read(piece_length)).digest()
    return Torrent(name, {(): size}, piece_length, hashes, True)


def digest(path):
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def _found(folder):
    for at, _, names in os.walk(folder):
        for name in names:
            yield os.path.relpath(os.path.join(at, name), folder)


def compare_file(name, mine, theirs):
    if not os.path.isfile(theirs):
        raise Failure(f'{name} is missing')
    if os.path.getsize(theirs) != os.path.getsize(mine):
        raise Failure(f'{name} has {os.path.getsize(theirs)} bytes, not {os.path.getsize(mine)}')
    if digest(theirs) != digest(mine):
        raise Failure(f'{name} differs')


def compare_links(torrent, copy):
    for path, target in torrent.links.items():
        at, to = os.path.join(copy, torrent.name, *path), os.path.join(copy, torrent.name, *target)
        if not os.path.islink(at):
            raise Failure(f'{"/".join(path)} is no symbolic link')
        if os.path.isabs(os.readlink(at)) or os.path.realpath(at) != os.path.realpath(to):
            raise Failure(f'{"/".join(path)} leads to {os.readlink(at)}')


def compare(torrent, original, copy, litter='/', empty_files=True):
    """Every file of the torrent is there with the same bytes, and nothing beside them.

    litter: what the names end in of files that the client keeps for itself; empty_files: whether it makes those.
    """
    for (path, theirs), (_, mine) in zip(torrent.paths(copy), torrent.paths(original)):
        if empty_files or torrent.sizes[path] > 0:
            compare_file('/'.join(path) or torrent.name, mine.rstrip('/'), theirs.rstrip('/'))
    compare_links(torrent, copy)
    wanted = {os.path.join(torrent.name, *path).rstrip('/') for path in (*torrent.sizes, *torrent.links)}
    extra = {path for path in _found(copy) if not path.endswith(litter)} - wanted
    if extra:
        raise Failure(f'there is more than the torrent has: {sorted(extra)[:5]}')
