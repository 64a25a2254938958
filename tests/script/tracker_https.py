#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Announces over HTTPS: a certificate that is good, one that nobody vouches for, one for somebody else."""
import os
import ssl
import subprocess

import lib_tap
from lib_daemon import Daemon
from lib_tap import case, check, equal, wait_for
from lib_torrent import Torrent
from lib_tracker import HttpTracker, http_reply

SIZE = 10 * 32768 + 77


class Authority:
    """Signs certificates; made anew for each run with the openssl command."""

    def __init__(self, folder):
        self.folder = folder
        self.file = self.path('ca.pem')
        self.run('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=test authority',
                 '-keyout', self.path('ca.key'), '-out', self.file)

    def path(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def run(*arguments):
        subprocess.run(['openssl', *arguments], check=True, capture_output=True)

    def server(self, name):
        """A context for a server that is called so (an openssl subjectAltName)."""
        extra, key = self.path('extra'), self.path('server.key')
        with open(extra, 'w', encoding='ascii') as f:
            f.write(f'subjectAltName={name}\n')
        self.run('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=server', '-keyout', key,
                 '-out', self.path('server.csr'))
        self.run('x509', '-req', '-in', self.path('server.csr'), '-CA', self.file, '-CAkey', self.path('ca.key'),
                 '-CAcreateserial', '-days', '2', '-extfile', extra, '-out', self.path('server.pem'))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path('server.pem'), key)
        return context


class HttpsTracker(HttpTracker):
    def __init__(self, context):
        self.context = context
        super().__init__()

    def url(self, path='/announce'):
        return f'https://127.0.0.1:{self.port}{path}'

    def serve(self, sock):
        try:
            secure = self.context.wrap_socket(sock, server_side=True)
        except (ssl.SSLError, OSError):
            sock.close()
            return
        super().serve(secure)


def contacted(d, t):
    def look():
        d.alive()
        tracker = d.view(t)['trackers'][0]
        return tracker if tracker['contacted'] else None

    return wait_for(look, 'the tracker is contacted')


def announce(name, options):
    """The tracker's view after one announce to a server with a certificate for name."""
    with Daemon() as d:
        authority = Authority(d.root)
        d.options.update({k: v.replace('CA', authority.file) for k, v in options.items()})
        d.restart()
        with HttpsTracker(authority.server(name)) as tracker:
            t = Torrent('secret', SIZE, trackers=[tracker.url()])
            d.add(t)
            return contacted(d, t), [a.event for a in tracker.announces if a.path == '/announce']


@case
def a_certificate_that_is_vouched_for_is_good():
    view, events = announce('IP:127.0.0.1', {'tracker.ca_file': 'CA'})
    equal((view['status'], events[:1]), ('working', ['started']))


@case
def a_certificate_that_nobody_vouches_for_is_refused():
    view, events = announce('IP:127.0.0.1', {})
    equal((view['status'], events), ('error', []))
    check('certificate' in view['message'].lower(), view['message'])


@case
def a_certificate_for_somebody_else_is_refused():
    view, events = announce('DNS:tracker.example', {'tracker.ca_file': 'CA'})
    equal((view['status'], events), ('error', []))


@case
def it_is_taken_when_the_operator_says_so():
    view, events = announce('IP:127.0.0.1', {'tracker.verify_tls': 'false'})
    equal((view['status'], events[:1]), ('working', ['started']))


@case
def https_is_not_left_for_http():
    with Daemon() as d:
        authority = Authority(d.root)
        d.options['tracker.ca_file'] = authority.file
        d.restart()
        with HttpsTracker(authority.server('IP:127.0.0.1')) as secure, HttpTracker() as plain:
            secure.answer = lambda a: http_reply(b'', '302 Found', [f'Location: {plain.url()}?passkey=1'])
            t = Torrent('downgrade', SIZE, trackers=[secure.url()])
            d.add(t)
            view = contacted(d, t)
            equal((view['status'], plain.announces), ('error', []))
            check('https' in view['message'], view['message'])


lib_tap.main()
