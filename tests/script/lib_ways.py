# SPDX-License-Identifier: MIT
"""A network with two ways out: tun0 leads to a host that has all there is, wan0 to the default route, and is listened at."""
import contextlib
import os
import socket
import struct
import subprocess
import tempfile
import threading

import netns

HERE, THERE = '10.81.0.1', '10.81.0.2'  # by tun0
LEAK, ROUTER = '10.82.0.1', '10.82.0.2'  # by wan0
OUTGOING = 4


class Capture:
    """TCP, UDP and other IPv4 that leaves by a device."""

    def __init__(self, device):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.sock.bind((device, 0))
        self.sock.settimeout(0.1)
        self.seen, self.stopping = [], False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stopping:
            try:
                data, address = self.sock.recvfrom(2048)
            except OSError:
                continue
            kind = struct.unpack('>H', data[12:14])[0]
            if address[2] == OUTGOING and (kind == 0x0800 or (kind == 0x86dd and data[20] in (6, 17))):
                self.seen.append(data[14:])

    def words(self):
        return [f'{socket.inet_ntoa(p[16:20])} protocol {p[9]} {p[20:].hex()[:32]}' if p[0] >> 4 == 4 else p[:44].hex()
                for p in self.seen]

    def close(self):
        self.stopping = True
        self.thread.join()
        self.sock.close()


class Net:
    """Our host with two devices, and a host behind each."""

    def __enter__(self):
        self.far, self.router = netns.Namespace(), netns.Namespace()
        self.raise_tun()
        netns.ip_batch([f'link add wan0 type veth peer name eth0 netns /proc/self/fd/{self.router.fd}',
                        f'addr add {LEAK}/24 dev wan0', 'link set wan0 up'])
        with self.router:
            netns.ip_batch(['link set lo up', f'addr add {ROUTER}/24 dev eth0', 'link set eth0 up'])
        netns.ip_batch([f'route add default via {ROUTER}'])
        self.capture = Capture('wan0')
        return self

    def raise_tun(self):
        netns.ip_batch([f'link add tun0 type veth peer name eth0 netns /proc/self/fd/{self.far.fd}',
                        f'addr add {HERE}/24 dev tun0', 'link set tun0 up'])
        with self.far:
            netns.ip_batch(['link set lo up', f'addr add {THERE}/24 dev eth0', 'link set eth0 up'])

    def drop_tun(self):
        netns.ip_batch(['link del tun0'])

    def __exit__(self, *_):
        self.capture.close()
        for device in ('tun0', 'wan0'):
            try:
                netns.ip_batch([f'link del {device}'])
            except OSError:
                pass  # a case has taken it away
        self.far.close()
        self.router.close()


@contextlib.contextmanager
def servers_of_the_system(*addresses):
    """What /etc/resolv.conf says meanwhile, in our mount namespace."""
    with tempfile.NamedTemporaryFile('w', prefix='resolv-') as f:
        f.write(''.join(f'nameserver {a}\n' for a in addresses))
        f.flush()
        os.chmod(f.name, 0o644)
        subprocess.run(['mount', '--bind', f.name, '/etc/resolv.conf'], check=True)
        try:
            yield
        finally:
            subprocess.run(['umount', '/etc/resolv.conf'], check=True)
