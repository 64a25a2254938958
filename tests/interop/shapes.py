#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Torrents of many shapes, both ways: empty and odd files, deep folders, names in many scripts, tiny torrents."""
from lib_case import Program, run
from lib_clients import Libtorrent, Transmission
from lib_made import make
from lib_ours import Torrentd
from lib_swarm import Swarm
from lib_trackers import Opentracker

PIECE = 64 << 10

ODD = [
    (('empty at first',), 0),
    (('one byte',), 1),
    (('piece less one',), PIECE - 1),
    (('piece',), PIECE),
    (('piece and one',), PIECE + 1),
    (('empty in between',), 0),
    (('empty again',), 0),
    (('block',), 16384),
    (('block and one',), 16385),
    (('three pieces',), 3 * PIECE),
    (('large and odd',), (5 << 20) + 12345),
    *(((f'small {number:03}',), number * 7 + 1) for number in range(60)),
    (('one byte more',), 1),
    (('empty at last',), 0),
]

NESTED = [
    (('a', 'b', 'c', 'd', 'e', 'f', 'g', 'deep.bin'), 300001),
    (('a', 'same name'), 70000),
    (('b', 'same name'), 70001),
    (('b', 'a', 'same name'), 1),
    (('a', 'b', 'nothing'), 0),
    (('only', 'empty', 'here'), 0),
    (('top.bin',), 2 << 20),
]

NAMES = [
    (('grün und weiß', 'Müßiggang – “quoted”.txt'), 100001),
    (('中文目錄', '檔案 一.bin'), 200003),
    (('日本語', 'ファイル.bin'), 3),
    (('עברית', 'العربية.txt'), 4096),
    (('🎉 party', '👩‍👩‍👧‍👦 family.jpg'), 65537),
    (('with two  spaces', "quote ' $HOME `x` &; [a] {b} ~#%(1)"), 999),
    (('e\u0301 decomposed', '\u00e9 composed'), 12),
    (('x' * 200, 'ж' * 100 + '.bin'), 33333),
]

# Transmission strips what these keep.
AWKWARD = [
    (('  spaces around  ', ' two  spaces .txt '), 17),
    (('.hidden', '..dots...'), 99999),
    (('-rf', '--help'), 3),
    (('con', 'aux.txt', 'colon: "quotes" <and> *?|'), 70000),
]

LINKED = [(('lib', 'libx.so.1.2'), 300001), (('include', 'x.h'), 5000), (('README',), 70000)]
LINKS = {('lib', 'libx.so'): ('lib', 'libx.so.1.2'), ('to readme',): ('README',),
         ('include', 'deep', 'er', 'lib'): ('lib', 'libx.so')}

TREES = {'odd sizes and empty files': ('odd sizes', ODD), 'nested folders': ('nested', NESTED),
         'names in UTF-8': ('Ünïcödé 名前 🎈', NAMES)}


def transfer(lab, random, name, files, seed, leech, links=None):
    original = lab.place('original')
    torrent = make(original, name, files, PIECE, random, links=links)
    tracker = Opentracker(lab.host(), [torrent])
    swarm = Swarm(lab, torrent, original, tracker)
    swarm.seed(seed)
    swarm.leech(leech)
    swarm.finish()


def main():
    program = Program(jobs=4)
    for client in (Transmission, Libtorrent):
        needs = (*client.needs, 'opentracker')
        for what, (name, files) in TREES.items():
            program.add(f'{what}, {client.name} to us', transfer, name, files, client, Torrentd, needs=needs)
            program.add(f'{what}, us to {client.name}', transfer, name, files, Torrentd, client, needs=needs)
    needs = (*Libtorrent.needs, 'opentracker')
    program.add('awkward names, libtorrent to us', transfer, 'awkward', AWKWARD, Libtorrent, Torrentd, needs=needs)
    program.add('awkward names, us to libtorrent', transfer, 'awkward', AWKWARD, Torrentd, Libtorrent, needs=needs)
    program.add('symbolic links, libtorrent to us', transfer, 'linked', LINKED, Libtorrent, Torrentd, LINKS, needs=needs)
    program.add('symbolic links, us to libtorrent', transfer, 'linked', LINKED, Torrentd, Libtorrent, LINKS, needs=needs)
    for size in (1, 16384, PIECE, PIECE + 1):
        program.add(f'a torrent of {size} bytes, libtorrent to us', transfer, 'tiny', size, Libtorrent, Torrentd,
                    needs=needs)
        program.add(f'a torrent of {size} bytes, us to libtorrent', transfer, 'tiny', size, Torrentd, Libtorrent,
                    needs=needs)
    run(program)


if __name__ == '__main__':
    main()
