# SPDX-License-Identifier: MIT
"""Nodes of the DHT by libtorrent that know each other: lt_nodes.py ADDRESS PORT COUNT.

They have nothing but the DHT, and go on until standard input ends.  Each command is a line of JSON, the answer as well.
"""
import hashlib
import json
import sys
import time

import libtorrent

# All are at one address, and beside the Internet.
OPEN = {
    'enable_dht': True, 'dht_restrict_routing_ips': False, 'dht_restrict_search_ips': False,
    'dht_prefer_verified_node_ids': False, 'dht_ignore_dark_internet': False, 'dht_block_ratelimit': 1000,
}
PLAIN = {'enable_lsd': False, 'enable_upnp': False, 'enable_natpmp': False}


def expanded(seed):
    """The private key that libtorrent wants, of the seed that others keep (RFC 8032, 5.1.5)."""
    key = bytearray(hashlib.sha512(seed).digest())
    key[0] &= 248
    key[31] = key[31] & 127 | 64
    return bytes(key)


class Nodes:
    def __init__(self, address, port, count):
        self.sessions = []
        for i in range(count):
            self.sessions.append(libtorrent.session({
                **PLAIN, **OPEN, 'listen_interfaces': f'{address}:{port + i}', 'alert_mask': 0x7fffffff,
                'dht_bootstrap_nodes': ''}, 0))
        for i, session in enumerate(self.sessions):
            for k in range(count):
                if k != i:
                    session.add_dht_node((address, port + k))

    def known(self):
        return [session.status().dht_nodes for session in self.sessions]

    def do_known(self):
        return {'known': self.known()}

    def wait(self, session, *kinds, patience=25):
        end = time.monotonic() + patience
        while time.monotonic() < end:
            session.wait_for_alert(200)
            for alert in session.pop_alerts():
                if isinstance(alert, kinds):
                    return alert
        raise TimeoutError('no alert')

    def do_put(self, value):
        target = self.sessions[-1].dht_put_immutable_item(value)
        alert = self.wait(self.sessions[-1], libtorrent.dht_put_alert)
        return {'target': str(target), 'stored': alert.num_success}

    def do_get(self, target):
        self.sessions[-1].dht_get_immutable_item(libtorrent.sha1_hash(bytes.fromhex(target)))
        alert = self.wait(self.sessions[-1], libtorrent.dht_immutable_item_alert)
        return {'value': alert.item if isinstance(alert.item, str) else repr(alert.item)}

    def do_put_signed(self, seed, key, value, salt):
        self.sessions[-1].dht_put_mutable_item(expanded(bytes.fromhex(seed)), bytes.fromhex(key), value.encode(),
                                               salt.encode())
        return {'stored': self.wait(self.sessions[-1], libtorrent.dht_put_alert).num_success}

    def do_get_signed(self, key, salt):
        self.sessions[-1].dht_get_mutable_item(bytes.fromhex(key), salt.encode())
        alert = self.wait(self.sessions[-1], libtorrent.dht_mutable_item_alert)
        return {'item': repr(alert.item), 'seq': alert.seq}


def main():
    nodes = Nodes(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    for line in sys.stdin:
        arguments = json.loads(line)
        try:
            answer = getattr(nodes, 'do_' + arguments.pop('command'))(**arguments)
        except Exception as error:  # told to the suite, which knows what to make of it
            answer = {'error': repr(error)}
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
