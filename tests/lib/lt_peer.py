# SPDX-License-Identifier: MIT
"""A libtorrent session that takes commands as lines of JSON: lt_peer.py LISTEN_INTERFACES TOLD

TOLD is JSON: `settings` go on top of the defaults, or of libtorrent's own high_performance_seed when `high` is true;
`slots` and `connections` are of every torrent; `limit_all` has its limits hold for private addresses too, which it
exempts by itself; `alerts` has it count failed pieces; `extensions` are the names of those it has; `plugins` has it
exchange peers and metadata.  Whatever it is told, it speaks plain TCP.
"""
import json
import sys

import libtorrent

PLAIN = {
    'enable_dht': False, 'enable_lsd': False, 'enable_upnp': False, 'enable_natpmp': False,
    'enable_outgoing_utp': False, 'enable_incoming_utp': False, 'out_enc_policy': 2, 'alert_mask': 0,
}


class Peer:
    def __init__(self, interfaces, told):
        self.told, self.handles, self.failed_pieces = told, {}, 0
        settings = libtorrent.high_performance_seed() if told.get('high') else {}
        settings.update(PLAIN, listen_interfaces=interfaces, **told.get('settings', {}))
        if told.get('alerts'):
            category = libtorrent.alert.category_t
            settings['alert_mask'] = category.error_notification | category.status_notification
        # Without `plugins` none of the extensions that would find peers on its own; 1 is all of its defaults.
        self.session = libtorrent.session(settings, 1 if told.get('plugins') else 0)
        for name in () if told.get('plugins') else told.get('extensions', ()):
            self.session.add_extension(name)
        if told.get('limit_all'):  # bit 0 is the class that all of the session share
            everybody = libtorrent.ip_filter()
            everybody.add_rule('0.0.0.0', '255.255.255.255', 1)
            everybody.add_rule('::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 1)
            self.session.set_peer_class_filter(everybody)

    def do_hello(self):
        return {'version': libtorrent.version}

    def do_add(self, file, folder):
        info = libtorrent.torrent_info(file)
        handle = self.session.add_torrent({'ti': info, 'save_path': folder})
        if 'slots' in self.told:
            handle.set_max_uploads(self.told['slots'])
        if 'connections' in self.told:
            handle.set_max_connections(self.told['connections'])
        self.handles[str(info.info_hash())] = handle
        return {}

    def do_add_link(self, link, folder):
        wanted = libtorrent.parse_magnet_uri(link)
        wanted.save_path = folder
        handle = self.session.add_torrent(wanted)
        self.handles[str(handle.info_hash())] = handle
        return {}

    def do_connect(self, infohash, address, port):
        self.handles[infohash].connect_peer((address, port))
        return {}

    def do_recheck(self, infohash):
        self.handles[infohash].force_recheck()
        return {}

    def do_pause(self, infohash, paused):
        handle = self.handles[infohash]
        handle.unset_flags(libtorrent.torrent_flags.auto_managed)
        handle.pause() if paused else handle.resume()
        return {}

    def do_dht_node(self, address, port):
        self.session.add_dht_node((address, port))
        return {}

    def do_dht(self):
        return {'nodes': self.session.status().dht_nodes}

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
    peer = Peer(sys.argv[1], json.loads(sys.argv[2]))
    for line in sys.stdin:
        try:
            answer = peer.obey(line)
        except Exception as error:  # told to the suite, which knows what to make of it
            answer = {'error': repr(error)}
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
