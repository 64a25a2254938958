# SPDX-License-Identifier: MIT
"""Trackers: Debian's opentracker (HTTP and UDP, IPv4 alone), and a small one of our own that also speaks IPv6.

    lib_trackers.py ADDRESS PORT    runs the small one: HTTP and UDP announces and scrapes on one address
"""
import http.client
import ipaddress
import os
import select
import socket
import struct
import sys
import urllib.parse

from lib_lab import in_user_namespace, poll
from lib_made import bencode

PORT = 6969


def _counts(body):
    """complete and incomplete from a scrape's answer with one torrent."""
    def number(key):
        at = body.find(key)
        return int(body[at + len(key):body.index(b'e', at + len(key))]) if at >= 0 else 0
    return number(b'8:completei'), number(b'10:incompletei')


class Tracker:
    """What both kinds have in common."""

    def __init__(self, host, address):
        self.host, self.address = host, address
        where = f'[{address}]' if ':' in address else address
        self.http, self.udp = f'http://{where}:{PORT}/announce', f'udp://{where}:{PORT}/announce'

    def scrape(self, torrent):
        """(seeds, leeches) as the tracker counts them."""
        connection = http.client.HTTPConnection(self.address, PORT, timeout=5)
        connection.sock = self.host.connect(PORT, self.address)
        try:
            query = urllib.parse.quote_from_bytes(bytes.fromhex(torrent.infohash), safe='')
            connection.request('GET', f'/scrape?info_hash={query}')
            return _counts(connection.getresponse().read())
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()

    def wait(self, torrent, seeds, leeches=0):
        def counted():
            complete, incomplete = self.scrape(torrent)
            return complete >= seeds and incomplete >= leeches
        poll(counted, 30, f'the tracker counts {seeds} seeds and {leeches} leeches')


class Opentracker(Tracker):
    """Debian builds it with a white list, and it never runs as root."""

    needs = ('opentracker',)

    def __init__(self, host, torrents):
        super().__init__(host, host.ip4)
        with open(os.path.join(host.folder, 'whitelist'), 'w', encoding='ascii') as file:
            file.writelines(f'{torrent.infohash}\n' for torrent in torrents)
        argv = ['opentracker', '-i', host.ip4, '-p', str(PORT), '-P', str(PORT), '-d', host.folder, '-w', 'whitelist']
        if in_user_namespace():  # the only user there is root: a further namespace gives us another name
            argv = ['unshare', '--user', '--map-user=65534', '--map-group=65534'] + argv
        host.spawn(argv, 'opentracker.log')
        poll(lambda: host.connect(PORT, host.ip4).close() is None, 10, 'opentracker answers')


class SmallTracker(Tracker):
    needs = ()

    def __init__(self, host, address):
        super().__init__(host, address)
        host.spawn([sys.executable, os.path.abspath(__file__), address, str(PORT)], 'tracker.log')
        poll(lambda: host.connect(PORT, address).close() is None, 10, 'the tracker answers')


class Swarms:
    """Who is where: {infohash: {(address, port): whether it is a seed}}."""

    def __init__(self):
        self.swarms = {}

    def announce(self, infohash, peer, left, event):
        swarm = self.swarms.setdefault(infohash, {})
        if event == 'stopped':
            swarm.pop(peer, None)
        else:
            swarm[peer] = left == 0
        return [other for other in swarm if other != peer]

    def counts(self, infohash):
        seeds = list(self.swarms.get(infohash, {}).values())
        return sum(seeds), len(seeds) - sum(seeds)


def _compact(peers, version):
    return b''.join(ipaddress.ip_address(address).packed + struct.pack('>H', port) for address, port in peers
                    if ipaddress.ip_address(address).version == version)


def _http_answer(swarms, target, address):
    path, _, query = target.partition('?')
    values = {key: urllib.parse.unquote_to_bytes(value)
              for key, _, value in (pair.partition('=') for pair in query.split('&'))}
    infohash = values['info_hash']
    if path == '/scrape':
        seeds, leeches = swarms.counts(infohash)
        return bencode({'files': {infohash: {'complete': seeds, 'downloaded': 0, 'incomplete': leeches}}})
    peers = swarms.announce(infohash, (address, int(values['port'])), int(values['left']),
                            values.get('event', b'').decode())
    seeds, leeches = swarms.counts(infohash)
    return bencode({'interval': 1800, 'complete': seeds, 'incomplete': leeches,
                    'peers': _compact(peers, 4), 'peers6': _compact(peers, 6)})


def _serve_http(listener, swarms):
    connection, (address, *_) = listener.accept()
    with connection:
        connection.settimeout(5)
        data = b''
        while b'\r\n\r\n' not in data and (more := connection.recv(4096)):
            data += more
        if b'\r\n\r\n' not in data:
            return
        print(address, data.split(b'\r\n')[0], flush=True)
        body = _http_answer(swarms, data.split(b' ')[1].decode(), address)
        connection.sendall(b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n' % len(body) + body)


def _udp_answer(swarms, data, address):
    """BEP 15; the answer to an announce holds addresses of the kind that asked."""
    connection, action, transaction = struct.unpack('>QII', data[:16])
    if action == 0 and connection == 0x41727101980:
        return struct.pack('>IIQ', 0, transaction, 77)
    if connection != 77:
        return struct.pack('>II', 3, transaction) + b'unknown connection'
    if action == 2:
        counts = [swarms.counts(data[at:at + 20]) for at in range(16, len(data) - 19, 20)]
        return struct.pack('>II', 2, transaction) + b''.join(
            struct.pack('>III', seeds, 0, leeches) for seeds, leeches in counts)
    infohash, left = data[16:36], struct.unpack('>Q', data[64:72])[0]
    event, port = struct.unpack('>I', data[80:84])[0], struct.unpack('>H', data[96:98])[0]
    peers = swarms.announce(infohash, (address, port), left, 'stopped' if event == 3 else '')
    seeds, leeches = swarms.counts(infohash)
    return (struct.pack('>IIIII', 1, transaction, 1800, leeches, seeds)
            + _compact(peers, ipaddress.ip_address(address).version))


def _serve_udp(sock, swarms):
    data, sender = sock.recvfrom(2048)
    print(sender, data[:16].hex(), flush=True)
    sock.sendto(_udp_answer(swarms, data, sender[0]), sender)


def main():
    address, port = sys.argv[1], int(sys.argv[2])
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.bind((address, port))
    listener.listen(64)
    datagrams = socket.socket(family, socket.SOCK_DGRAM)
    datagrams.bind((address, port))
    swarms = Swarms()
    while True:
        for ready in select.select([listener, datagrams], [], [])[0]:
            try:
                (_serve_http if ready is listener else _serve_udp)(ready, swarms)
            except (OSError, ValueError, KeyError, IndexError, struct.error) as error:
                print('refused:', repr(error), flush=True)


if __name__ == '__main__':
    main()
