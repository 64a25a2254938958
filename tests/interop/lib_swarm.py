# SPDX-License-Identifier: MIT
"""One swarm: a tracker, a seed with the original, and leeches that each end with a copy of it."""
from lib_lab import Failure, poll
from lib_made import compare
from lib_ours import Torrentd

PATIENCE = 90


def start(lab, kind, folder, **more):
    """A client of that kind on a host of its own."""
    host = lab.host()
    return Torrentd(host, lab.payload, **more) if kind is Torrentd else kind(host, **more)


class Swarm:
    def __init__(self, lab, torrent, original, tracker, urls=None):
        self.lab, self.torrent, self.original, self.tracker = lab, torrent, original, tracker
        self.file = torrent.write(lab.folder, urls or [tracker.http])
        self.copies = []

    def seed(self, kind, **more):
        """Starts a seed and waits until the tracker knows it."""
        client = start(self.lab, kind, self.original, **more)
        client.add_file(self.file, self.original)
        poll(lambda: client.complete(self.torrent), PATIENCE, f'{client.name} finds its data complete')
        self.tracker.wait(self.torrent, 1)
        return client

    def leech(self, kind, **more):
        """Starts a leech with an empty folder."""
        folder = self.lab.place(f'copy{len(self.copies)}')
        client = start(self.lab, kind, folder, **more)
        client.add_file(self.file, folder)
        self.copies.append((client, folder))
        return client

    def complete(self, patience=PATIENCE):
        """Every leech becomes complete."""
        for client, _ in self.copies:
            poll(lambda client=client: client.complete(self.torrent), patience, f'{client.name} becomes complete')

    def finish(self, patience=PATIENCE):
        """Every leech becomes complete, and its copy is the original."""
        self.complete(patience)
        for client, folder in self.copies:
            try:
                compare(self.torrent, self.original, folder, getattr(client, 'litter', '/'),
                        getattr(client, 'empty_files', True))
            except Failure as failure:
                raise Failure(f'{client.name}: {failure}') from None
