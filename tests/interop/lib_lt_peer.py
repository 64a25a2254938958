# SPDX-License-Identifier: MIT
"""A libtorrent session that takes commands as lines of JSON: lib_lt_peer.py LISTEN_INTERFACES UPLOAD_LIMIT

Only what the wire of BEP 3 and 6 needs is on, and it connects at once again to whoever went away.
"""
import json
import sys

import libtorrent


class Peer:
    def __init__(self, interfaces, up_rate):
        self.handles, self.failed_pieces = {}, 0
        category = libtorrent.alert.category_t
        # Flags 0: none of the extensions that would find peers on its own.
        self.session = libtorrent.session({
            'listen_interfaces': interfaces, 'upload_rate_limit': up_rate,
            'enable_dht': False, 'enable_lsd': False, 'enable_upnp': False, 'enable_natpmp': False,
            'enable_outgoing_utp': False, 'enable_incoming_utp': False,
            'out_enc_policy': 2, 'in_enc_policy': 1, 'allow_multiple_connections_per_ip': True,
            'min_reconnect_time': 1, 'max_failcount': 1000, 'connection_speed': 100,
            'announce_to_all_tiers': True, 'announce_to_all_trackers': True, 'rate_limit_ip_overhead': False,
            'mixed_mode_algorithm': 0, 'alert_mask': category.error_notification | category.status_notification,
        }, 0)
        # By itself it exempts private addresses from its limits: bit 0 is the class that all of the session share.
        everybody = libtorrent.ip_filter()
        everybody.add_rule('0.0.0.0', '255.255.255.255', 1)
        everybody.add_rule('::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 1)
        self.session.set_peer_class_filter(everybody)

    def do_hello(self):
        return {'version': libtorrent.version}

    def do_add(self, file, folder):
        info = libtorrent.torrent_info(file)
        self.handles[str(info.info_hash())] = self.session.add_torrent({'ti': info, 'save_path': folder})
        return {}

    def do_connect(self, infohash, address, port):
        self.handles[infohash].connect_peer((address, port))
        return {}

    def do_view(self, infohash):
        for alert in self.session.pop_alerts():
            if isinstance(alert, libtorrent.hash_failed_alert):
                self.failed_pieces += 1
        status = self.handles[infohash].status()
        return {
            'state': str(status.state), 'progress': status.progress, 'uploaded': status.total_payload_upload,
            'downloaded': status.total_payload_download, 'peers': status.num_peers, 'failed': self.failed_pieces,
            'wasted': status.total_redundant_bytes, 'failure': status.errc.message() if status.errc.value() else '',
            'complete': status.num_complete, 'incomplete': status.num_incomplete,
        }

    def obey(self, line):
        arguments = json.loads(line)
        return getattr(self, 'do_' + arguments.pop('command'))(**arguments)


def main():
    peer = Peer(sys.argv[1], int(sys.argv[2]))
    for line in sys.stdin:
        try:
            answer = peer.obey(line)
        except Exception as error:  # told to the test, which knows what to make of it
            answer = {'error': repr(error)}
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
