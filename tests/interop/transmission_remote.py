#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Debian's transmission-remote against us, option by option, and our answers beside those of transmission-daemon.

The answers are compared by their shape: the keys, and of which type each value is.
"""
import base64
import hashlib
import json
import os
import re
import subprocess

from lib_case import Program, run
from lib_clients import Transmission
from lib_lab import Failure
from lib_ours import API, Torrentd
from bencode import bencode
import clients

PIECE = 32768


class Made:
    """A torrent of three files in a folder, with a tracker that nobody asks."""

    def __init__(self, random, folder, name='many'):
        data = random.randbytes(3 * 50000)
        info = {'name': name, 'piece length': PIECE,
                'files': [{'length': 50000, 'path': [f'f{i}']} for i in range(3)],
                'pieces': b''.join(hashlib.sha1(data[i:i + PIECE]).digest() for i in range(0, len(data), PIECE))}
        self.metainfo = bencode({'announce': 'http://127.0.0.1:9/announce', 'comment': 'words', 'info': info})
        self.infohash = hashlib.sha1(bencode(info)).hexdigest()
        self.file = os.path.join(folder, name + '.torrent')
        with open(self.file, 'wb') as out:
            out.write(self.metainfo)


class Remote:
    """transmission-remote, run on the daemon's host."""

    def __init__(self, host):
        self.host = host

    def run(self, *arguments):
        done = subprocess.run(['transmission-remote', f'127.0.0.1:{API}', *arguments],
                              preexec_fn=self.host.join, capture_output=True, text=True, check=False, timeout=30)
        return done.returncode, done.stdout + done.stderr

    def expect(self, arguments, *patterns):
        status, text = self.run(*arguments)
        for pattern in patterns:
            if not re.search(pattern, text):
                raise Failure(f'{" ".join(arguments)} said {text!r} ({status}), not {pattern!r}')
        return text


# Options, and what they say: of what there is, of what cannot be had, of what is told afterwards.
DONE = r'responded: "success"'
OURS = r'set by the command line'  # as this program starts us
ONE = ('-t', '1')
OPTIONS = [
    (('-l',), r'1\s+0%\s+None\s+Unknown.*Stopped\s+many', r'Sum:'),
    ((*ONE, '-i'), r'Name: many', r'Hash: [0-9a-f]{40}', r'State: Stopped', r'Total size: 150\.0 kB', r'Comment: words',
     r'Piece Count: 5', r'Download Limit: Unlimited', r'Peer limit: 100'),
    ((*ONE, '-f'), r'many \(3 files\)', r'0:\s+0% Normal\s+Yes\s+50\.00 kB\s+many/f0'),
    ((*ONE, '-it'), r'Tracker 0: \S*127\.0\.0\.1:9'),
    ((*ONE, '-ic'), r'0{5}'),
    ((*ONE, '-pi'), r'Address'),
    ((*ONE, '-G', '1,2'), DONE), ((*ONE, '-g', '2'), DONE),
    ((*ONE, '-ph', '0'), DONE), ((*ONE, '-pl', '2'), DONE),
    ((*ONE, '-f'), r'0:\s+0% High\s+Yes', r'1:\s+0% Normal\s+No', r'2:\s+0% Low\s+Yes'),
    ((*ONE, '-g', 'all'), DONE), ((*ONE, '-pn', 'all'), DONE),
    ((*ONE, '-f'), r'0:\s+0% Normal\s+Yes', r'1:\s+0% Normal\s+Yes', r'2:\s+0% Normal\s+Yes'),
    ((*ONE, '-d', '70'), DONE), ((*ONE, '-u', '30'), DONE),
    ((*ONE, '-i'), r'Download Limit: 70 kB/s', r'Upload Limit: 30 kB/s'),
    ((*ONE, '-D'), DONE), ((*ONE, '-U'), DONE), ((*ONE, '-i'), r'Download Limit: Unlimited', r'Upload Limit: Unlimited'),
    ((*ONE, '-sr', '1.5'), DONE), ((*ONE, '-i'), r'Ratio Limit: 1\.50?'),
    ((*ONE, '-SR'), DONE), ((*ONE, '-i'), r'Ratio Limit: Unlimited'),
    ((*ONE, '-srd'), DONE), ((*ONE, '-i'), r'Ratio Limit: Default'),
    ((*ONE, '-hl'), DONE), ((*ONE, '-HL'), r'honorsSessionLimits must be true'),
    ((*ONE, '-Bn'), DONE), ((*ONE, '-Bh'), r'all torrents are alike'), ((*ONE, '-Bl'), r'all torrents are alike'),
    ((*ONE, '-pr', '7'), r'peer-limit cannot be set'), ((*ONE, '-L', 'tv,new'), DONE),
    ((*ONE, '-i'), r'Labels: tv, new'), ((*ONE, '-L', ''), r'labels|success'),
    ((*ONE, '-td', 'http://x/announce'), r'trackers stay'), ((*ONE, '-tr', '0'), r'trackers stay'),
    ((*ONE, '--move', '/srv'), r'stays where'), ((*ONE, '--find', '/srv'), r'stays where'),
    ((*ONE, '-s'), DONE), ((*ONE, '-l'), r'many'), ((*ONE, '--reannounce'), DONE), ((*ONE, '-v'), DONE),
    ((*ONE, '-S'), DONE), (('-t', 'all', '-s'), DONE), (('-t', 'active', '-l'), r'Sum:'), (('-t', '1-1', '-S'), DONE),
    (('-d', '500'), DONE), (('-u', '50'), DONE),
    (('-si',), r'Download speed limit: 500 kB/s', r'Upload speed limit: 50 kB/s', r'Daemon version: 4\.0\.6 \(torrentd',
     r'RPC version: 17', r'Listenport: 6681', r'Portforwarding enabled: No', r'Distributed hash table enabled: No'),
    (('-D',), DONE), (('-U',), DONE), (('-si',), r'Download speed limit: Unlimited', r'Upload speed limit: Unlimited'),
    (('-pr', '333'), DONE), (('-X',), DONE), (('-si',), r'Peer exchange allowed: No'), (('-x',), DONE),
    (('-Y',), DONE), (('-y',), OURS), (('-O',), DONE), (('-o',), OURS), (('-M',), DONE), (('-m',), OURS), (('-p', '6681'), DONE),
    (('-p', '7000'), OURS),
    (('-er',), DONE), (('-si',), r'Encryption: required', r'Peer limit: 333'), (('-et',), DONE), (('-ep',), DONE),
    (('-gsr', '3'), DONE), (('-si',), r'Default seed ratio limit: 3\.00?'), (('-GSR',), DONE),
    (('-e', '32'), DONE), (('-st',), r'CURRENT SESSION', r'Uploaded:', r'TOTAL'),
    (('-as',), r'cannot be changed'), (('-AS',), DONE), (('-asd', '10'), r'cannot be changed'), (('-asu', '10'), r'cannot be changed'),
    (('-asc',), r'cannot be changed'), (('-ASC',), DONE), (('--alt-speed-days', '1-2'), r'cannot be changed'),
    (('--alt-speed-time-begin', '1000'), r'cannot be changed'), (('--alt-speed-time-end', '1000'), r'cannot be changed'),
    (('-c', '/srv'), r'cannot be changed'), (('-C',), DONE), (('--utp',), r'cannot be changed'), (('--no-utp',), DONE),
    (('--torrent-done-script', '/bin/true'), r'cannot be changed'), (('--no-torrent-done-script',), DONE),
    (('--start-paused',), r'cannot be changed'), (('--no-start-paused',), DONE),
    (('--trash-torrent',), r'cannot be changed'), (('--no-trash-torrent',), DONE),
    (('-P',), r'cannot be changed'), (('-w', '/srv'), r'cannot be changed'),
    (('-pt',), r"Couldn't test port"), (('--blocklist-update',), r'there is no blocklist'),
    (('-b', '-l'), r'torrent-get', r'many'),
]


def every_option(lab, random):
    host = lab.host()
    folder = lab.place('downloads')
    daemon = Torrentd(host, folder)
    remote, torrent, other = Remote(host), Made(random, lab.folder), Made(random, lab.folder, 'second')
    remote.expect(['-a', torrent.file], DONE)
    remote.expect(['-t', '1', '-S'], DONE)
    for arguments, *patterns in OPTIONS:
        remote.expect(arguments, *patterns)
    remote.expect(['-a', f'magnet:?xt=urn:btih:{other.infohash}&dn=linked', '-w', os.path.join(folder, 'sub')], DONE)
    remote.expect(['-l'], r'linked')
    remote.expect(['-a', other.file], r'torrent-duplicate|success')
    remote.expect(['-a', '/etc/hostname', '-w', folder], r'invalid or corrupt')
    remote.expect(['-t', torrent.infohash, '-r'], DONE)
    remote.expect(['-t', other.infohash, '-rad'], DONE)
    remote.expect(['-l'], r'Sum:\s+None')
    remote.expect(['--exit'], DONE)
    daemon.process.wait(timeout=10)


# --- beside transmission-daemon 3.00

FIELDS = '''activityDate addedDate bandwidthPriority comment corruptEver creator dateCreated desiredAvailable doneDate
downloadDir downloadedEver downloadLimit downloadLimited editDate error errorString eta etaIdle file-count files fileStats
hashString haveUnchecked haveValid honorsSessionLimits id isFinished isPrivate isStalled labels leftUntilDone magnetLink
manualAnnounceTime maxConnectedPeers metadataPercentComplete name peer-limit peers peersConnected peersFrom
peersGettingFromUs peersSendingToUs percentDone pieces pieceCount pieceSize priorities queuePosition
rateDownload rateUpload recheckProgress secondsDownloading secondsSeeding seedIdleLimit seedIdleMode seedRatioLimit
seedRatioMode sizeWhenDone startDate status trackers trackerStats totalSize torrentFile uploadedEver uploadLimit
uploadLimited uploadRatio wanted webseeds webseedsSendingToUs'''.split()

# Where ours differ, and why.
ALLOWED = {
    'session-get: .default-trackers': 'came with 4.0',
    'session-get: .script-torrent-added-enabled': 'came with 4.0',
    'session-get: .script-torrent-added-filename': 'came with 4.0',
    'session-get: .script-torrent-done-seeding-enabled': 'came with 4.0',
    'session-get: .script-torrent-done-seeding-filename': 'came with 4.0',
    'session-get: .rpc-version-semver': 'came with 4.0',
    'session-get: .tcp-enabled': 'came with 4.0',
    'torrent-get: .torrents[].trackers[].sitename': 'came with 4.0',
    'torrent-get: .torrents[].trackerStats[].sitename': 'came with 4.0',
    'free-space: .total_size': 'came with 4.0',
}


def shape(value, path=''):
    """{path: type} of all that is in it; of lists, what any entry has."""
    found = {}
    if isinstance(value, dict):
        for key, item in value.items():
            found.update(shape(item, f'{path}.{key}'))
    elif isinstance(value, list):
        found[path] = 'list'
        for item in value:
            found.update(shape(item, path + '[]'))
    else:
        found[path] = {bool: 'bool', int: 'integer', float: 'real', str: 'text', type(None): 'null'}[type(value)]
    return found


def differences(method, theirs, ours):
    theirs, ours = shape(theirs), shape(ours)
    for path in sorted(theirs.keys() | ours.keys()):
        a, b = theirs.get(path, 'missing'), ours.get(path, 'missing')
        # A whole number may be all that theirs has of a real one, and ours may be real only where theirs can be.
        if a != b and {a, b} != {'integer', 'real'} and f'{method}: {path}' not in ALLOWED:
            yield f'{method}: {path}: {a} there, {b} here'


# Numbers that Transmission has as real ones; everywhere else they are whole here, too.
REAL = {'metadataPercentComplete', 'percentDone', 'recheckProgress', 'seedRatioLimit', 'uploadRatio', 'progress'}


def whole_numbers(method, ours):
    for path, kind in shape(ours).items():
        if kind == 'real' and path.rsplit('.', 1)[-1] not in REAL:
            yield f'{method}: {path} is real'


class Ours(clients.Transmission):
    """We, by the client that is made for Transmission."""

    def __init__(self, host):
        self.host = host

    def dial(self):
        return self.host.connect(API)


def result_of(client, method, arguments):
    """The words of the answer, and what it has."""
    body = json.dumps({'method': method, 'arguments': arguments, 'tag': 5}).encode()
    client.call('session-get')  # has the session id now
    _, _, data = clients.exchange(client.dial(), 'POST', '/transmission/rpc', body,
                                  {'X-Transmission-Session-Id': client.session})
    answer = json.loads(data)
    return answer['result'], answer


REQUESTS = [
    ('torrent-add', lambda t, folder: {'metainfo': t, 'paused': True, 'download-dir': folder}),
    ('torrent-add', lambda t, folder: {'metainfo': t, 'paused': True}),
    ('session-get', lambda t, folder: {}),
    ('session-stats', lambda t, folder: {}),
    ('torrent-get', lambda t, folder: {'fields': FIELDS}),
    ('torrent-get', lambda t, folder: {'fields': FIELDS, 'ids': 1}),
    ('torrent-get', lambda t, folder: {'fields': FIELDS, 'ids': 'recently-active'}),
    ('torrent-get', lambda t, folder: {'fields': ['id', 'name'], 'format': 'table'}),
    ('torrent-get', lambda t, folder: {'fields': ['id'], 'ids': [99]}),
    ('torrent-set', lambda t, folder: {'ids': [1], 'downloadLimit': 5, 'downloadLimited': True, 'files-unwanted': [1]}),
    ('torrent-verify', lambda t, folder: {'ids': [1]}),
    ('torrent-start', lambda t, folder: {'ids': [1]}),
    ('torrent-start-now', lambda t, folder: {'ids': [1]}),
    ('torrent-reannounce', lambda t, folder: {'ids': [1]}),
    ('torrent-stop', lambda t, folder: {'ids': [1]}),
    ('queue-move-top', lambda t, folder: {'ids': [1]}),
    ('session-set', lambda t, folder: {'speed-limit-down': 5, 'speed-limit-down-enabled': True}),
    ('free-space', lambda t, folder: {'path': folder}),
    ('torrent-remove', lambda t, folder: {'ids': [1]}),
    ('nonsense', lambda t, folder: {}),
]


def beside_transmission(lab, random):
    folder = lab.place('downloads')
    daemon = Torrentd(lab.host(), folder)
    theirs, ours = Transmission(lab.host()), Ours(daemon.host)
    torrent = base64.b64encode(Made(random, lab.folder).metainfo).decode()
    wrong = []
    for method, make in REQUESTS:
        words, answer = result_of(theirs, method, make(torrent, folder))
        our_words, our_answer = result_of(ours, method, make(torrent, folder))
        if words != our_words:
            wrong.append(f'{method}: {words!r} there, {our_words!r} here')
        wrong += differences(method, answer['arguments'], our_answer['arguments'])
        wrong += whole_numbers(method, our_answer['arguments'])
        if our_answer['tag'] != 5:
            wrong.append(f'{method}: the tag is {our_answer["tag"]}')
    if wrong:
        raise Failure('; '.join(sorted(set(wrong))))


def main():
    program = Program()
    program.add('every option of transmission-remote', every_option, needs=('transmission-remote',))
    program.add('answers have the shape of those of transmission-daemon', beside_transmission,
                needs=('transmission-daemon',))
    run(program)


if __name__ == "__main__":
    main()
