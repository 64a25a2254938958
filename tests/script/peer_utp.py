#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Who tries uTP first hears at once that there is none; nothing else is answered, nor more than a few."""
import os
import socket
import struct
import time

import lib_tap
from lib_abused import Abused
from lib_tap import PATIENCE, case, check, equal

SYN, RESET = 0x41, 0x31


def syn(connection, seq=1, extension=b'\0', rest=b''):
    return struct.pack('>B', SYN) + extension + struct.pack('>HIIIHH', connection, 12345, 0, 1 << 20, seq, 0) + rest


def udp(daemon, source='127.0.0.5'):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((source, 0))
    sock.settimeout(PATIENCE)
    sock.connect(('127.0.0.1', daemon.peer_port))
    return sock


@case
def a_syn_is_answered_by_a_reset():
    with Abused() as a, udp(a.d) as sock:
        for question in (syn(0x1234, 77), syn(0xffff, 0, b'\2', b'\0\x08' + bytes(8))):
            sock.send(question)
            answer = sock.recv(2000)
            kind, extension, connection, _, _, window, _, ack = struct.unpack('>BBHIIIHH', answer)
            equal((kind, extension, window), (RESET, 0, 0))
            equal((connection, ack), struct.unpack('>H', question[2:4]) + struct.unpack('>H', question[16:18]))


@case
def nothing_else_is_answered():
    with Abused() as a, udp(a.d) as sock:
        for junk in (b'', b'x', syn(5)[:19], syn(5) + b'payload', bytes([RESET]) + syn(5)[1:], bytes([0x01]) + syn(5)[1:],
                     b'd1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe', os.urandom(1400), syn(5) * 60):
            sock.send(junk)
        sock.send(syn(0x4321))
        equal(struct.unpack('>H', sock.recv(2000)[2:4])[0], 0x4321, 'the first answer is to the SYN')


@case
def a_flood_gets_few_answers_and_harms_nobody():
    with Abused() as a, udp(a.d) as sock:
        begin = time.monotonic()
        for i in range(20000):
            sock.send(syn(i & 0xffff))
        a.d.alive()
        sock.settimeout(1)
        answers = 0
        try:
            while True:
                equal(len(sock.recv(2000)), 20)
                answers += 1
        except TimeoutError:
            pass
        most = 1100 * (time.monotonic() - begin) + 100
        check(0 < answers < most, answers, 'answers, at most', most, 'were allowed')


lib_tap.main()
