# SPDX-License-Identifier: MIT
"""A libtorrent session that takes commands as lines of JSON: bench_lt.py LISTEN_INTERFACE PROFILE

PROFILE is default or high (libtorrent's own high_performance_seed).  On top of either only what keeps to plain TCP,
the given address is set, room for many connections at once, and as many upload slots as all opponents get.
"""
import json
import sys

import libtorrent

PLAIN = {
    'enable_dht': False, 'enable_lsd': False, 'enable_upnp': False, 'enable_natpmp': False,
    'enable_outgoing_utp': False, 'enable_incoming_utp': False, 'out_enc_policy': 2, 'in_enc_policy': 2,
    'unchoke_slots_limit': 100, 'alert_mask': 0, 'connections_limit': 3000,
    'listen_queue_size': 1000,
}


class Peer:
    def __init__(self, interface, profile):
        settings = libtorrent.high_performance_seed() if profile == 'high' else {}
        settings.update(PLAIN, listen_interfaces=interface, outgoing_interfaces=interface.rpartition(':')[0])
        self.handles = {}
        # Flags 0: none of the extensions that would find peers on its own.
        self.session = libtorrent.session(settings, 0)

    def do_hello(self):
        return {'version': libtorrent.version}

    def do_add(self, file, folder, seed=False):
        info = libtorrent.torrent_info(file)
        handle = self.session.add_torrent({'ti': info, 'save_path': folder,
                                           'storage_mode': libtorrent.storage_mode_t.storage_mode_sparse})
        handle.set_max_uploads(100)
        handle.set_max_connections(3000)
        self.handles[str(info.info_hash())] = handle
        return {}

    def do_recheck(self, infohash):
        self.handles[infohash].force_recheck()
        return {}

    def do_view(self, infohash):
        status = self.handles[infohash].status()
        return {'state': str(status.state), 'progress': status.progress, 'peers': status.num_peers,
                'failure': status.errc.message() if status.errc.value() else ''}


def main():
    peer = Peer(sys.argv[1], sys.argv[2])
    for line in sys.stdin:
        try:
            arguments = json.loads(line)
            answer = getattr(peer, 'do_' + arguments.pop('command'))(**arguments)
        except Exception as error:  # told to the bench, which knows what to make of it
            answer = {'error': repr(error)}
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
