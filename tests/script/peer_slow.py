#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A reader that stops in mid-block while the memory of the served file is taken away: what it gets is right.

The pages of a mapped file go as they do when memory is short (MADV_PAGEOUT on the daemon's map, then the page cache
drops them); rejects and HAVEs that are due meanwhile may not cut into the block that has begun.
"""
import ctypes
import fcntl
import os
import re
import socket
import struct
import termios
import time

import lib_tap
from lib_daemon import Daemon
from lib_peer import INTERESTED, PIECE, REJECT, UNCHOKE, Wire
from lib_tap import case, check, equal, wait_for
from lib_torrent import BLOCK, Torrent

PIECE_LENGTH = 1 << 20
MADV_PAGEOUT = 21
SYS_PIDFD_OPEN, SYS_PROCESS_MADVISE = 434, 440
LIBC = ctypes.CDLL(None, use_errno=True)


class Iovec(ctypes.Structure):
    _fields_ = [('base', ctypes.c_void_p), ('length', ctypes.c_size_t)]


def page_out(pid, path):
    """The pages of the file leave the daemon's map and the page cache; False: this kernel does not do it."""
    with open(f'/proc/{pid}/maps', encoding='ascii') as f:
        spans = [re.match(r'([0-9a-f]+)-([0-9a-f]+)', line).groups() for line in f if path in line]
    pidfd = LIBC.syscall(SYS_PIDFD_OPEN, pid, 0)
    if pidfd < 0:
        return False
    done = bool(spans)
    for begin, end in spans:
        vector = Iovec(int(begin, 16), int(end, 16) - int(begin, 16))
        done &= LIBC.syscall(SYS_PROCESS_MADVISE, pidfd, ctypes.byref(vector), 1, MADV_PAGEOUT, 0) >= 0
    os.close(pidfd)
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)
    return done


def slow_reader(d, t):
    """A connection with little room, on which requests wait and a block has begun."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    sock.bind(('127.0.0.7', 0))
    sock.connect(('127.0.0.1', d.peer_port))
    wire = Wire(sock)
    wire.shake(t.infohash, fast=True)
    wire.send(INTERESTED)
    wire.wait(UNCHOKE)
    return wire


def stuck(wire):
    """Nothing moves: both buffers are full (what the daemon has sent is in one of them)."""
    def unread():
        out = bytearray(4)
        fcntl.ioctl(wire.sock, termios.FIONREAD, out)
        return struct.unpack('i', out)[0]
    last = [-1]

    def still():
        before, last[0] = last[0], unread()
        return last[0] > 0 and last[0] == before
    wait_for(still, 'full buffers', every=0.3)


@case
def nothing_cuts_into_a_block_that_has_begun():
    t = Torrent('slow', 4 * PIECE_LENGTH, PIECE_LENGTH)
    with Daemon({'peers.upload_slots': '8', 'peers.idle_timeout': '60s'}) as d:
        path = t.file_path(d.downloads, None)
        with open(path, 'wb') as f:
            f.write(t.content[:3 * PIECE_LENGTH])
            f.truncate(t.size)
        d.add(t)
        with Wire.open(d, t, fast=True, source='127.0.0.8') as first:  # has the file mapped
            first.send(INTERESTED)
            first.wait(UNCHOKE)
            first.request(2, 0, BLOCK)
            first.wait(PIECE)
            wait_for(lambda: d.has_mapped(path), 'a map')
            for turn in range(4):
                with slow_reader(d, t) as wire:
                    asked = [(p, i * BLOCK) for p in range(2) for i in range(64)]
                    for piece, begin in asked:
                        wire.request(piece, begin, BLOCK)
                    stuck(wire)
                    time.sleep(1.1)  # what was in memory is looked at again after a second
                    if not page_out(d.process.pid, path):
                        raise lib_tap.Skip('this kernel takes no pages away')
                    for i in range(3):
                        wire.request(3, i * BLOCK, BLOCK)  # of a piece it has not: to be rejected
                    take_all(wire, t, asked, turn)


def take_all(wire, t, asked, turn):
    left, rejects = set(asked), 0
    while left or rejects < 3:
        kind, payload = wire.wait(PIECE, REJECT)
        piece, begin = struct.unpack('>II', payload[:8])
        if kind == REJECT:
            equal(piece, 3, 'the rejected piece')
            rejects += 1
            continue
        check((piece, begin) in left, 'turn', turn, 'not asked for:', piece, begin)
        left.remove((piece, begin))
        check(payload[8:] == t.block(piece, begin, BLOCK), 'turn', turn, 'a wrong block:', piece, begin)


lib_tap.main()
