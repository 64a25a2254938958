# SPDX-License-Identifier: MIT
"""Running torrentctl: to its end, in the background, and on a terminal of some width."""
import collections
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
import threading

import lib_daemon
from lib_daemon import BINARY, environment
from lib_tap import PATIENCE, check, equal, wait_for

CTL = os.path.join(os.path.dirname(BINARY), 'torrentctl')

Run = collections.namedtuple('Run', 'status out err')

# What a terminal obeys.
SEQUENCE = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]')


def arguments(daemon, words):
    return [CTL, '--url', f'http://127.0.0.1:{daemon.api_port}', *words] if daemon else [CTL, *words]


def ctl(daemon, *words, stdin='', env=None, home='/nonexistent', wrap=()):
    """Of a daemon, or, for None, of the one that it finds by itself."""
    done = subprocess.run([*wrap, *arguments(daemon, words)], input=stdin.encode() if isinstance(stdin, str) else stdin,
                          capture_output=True, env=environment(home, env), timeout=PATIENCE)
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())


def ctl_ok(daemon, *words, **more):
    done = ctl(daemon, *words, **more)
    equal((done.status, done.err), (0, ''), words)
    return done.out


class Running:
    """In the background; what it prints is read as it comes.  On a terminal if columns are given.

    argv: another program in its place.
    """

    def __init__(self, daemon, *words, columns=0, lines=24, env=None, home='/nonexistent', argv=None):
        self.text, self.status = '', None
        if columns:
            ours, theirs = pty.openpty()
            fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', lines, columns, 0, 0))
        else:
            ours, theirs = os.pipe()
        self.process = subprocess.Popen(argv or arguments(daemon, words), stdin=theirs if columns else subprocess.DEVNULL,
                                        stdout=theirs, stderr=theirs if columns else subprocess.PIPE,
                                        env=environment(home, env))
        lib_daemon.LIVE.add(self.process)
        os.close(theirs)
        self.ours = ours
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        raw = b''
        while True:
            try:
                got = os.read(self.ours, 65536)
            except OSError:  # a terminal whose other end is closed
                break
            if not got:
                break
            raw += got
            self.text = raw.decode(errors='replace')

    def write(self, text):
        os.write(self.ours, text.encode())

    def shown(self):
        """Without what a terminal obeys."""
        return SEQUENCE.sub('', self.text).replace('\r\n', '\n')

    def wait_text(self, *texts):
        wait_for(lambda: all(t in self.shown() for t in texts), lambda: f'{texts} to be shown; it is {self.shown()[-2000:]!r}')
        return self

    def wait_end(self):
        self.status = self.process.wait(timeout=PATIENCE)
        self.thread.join(PATIENCE)
        lib_daemon.LIVE.discard(self.process)
        return self.status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.wait_end()
        os.close(self.ours)
        if self.process.stderr:
            self.process.stderr.close()


HALVES = {' ': (0, 0), '▄': (0, 1), '▀': (1, 0), '█': (1, 1)}


def scan(text):
    """What another program reads off the QR code that a terminal shows."""
    lines = [line.replace('\x1b[30;107m', '') for line in text.replace('\x1b[0m', '').splitlines() if '\x1b[30;107m' in line]
    rows = [[HALVES[c][half] for c in line] for line in lines for half in (0, 1)]
    check(rows and len({len(row) for row in rows}) == 1, 'no QR code in', repr(text))
    large = [[dot for dot in row for _ in range(4)] for row in rows for _ in range(4)]
    with tempfile.NamedTemporaryFile('w', suffix='.pbm') as f:
        f.write(f'P1\n{len(large[0])} {len(large)}\n' + '\n'.join(' '.join(map(str, row)) for row in large) + '\n')
        f.flush()
        return subprocess.run(['zbarimg', '-q', '--raw', '-Sdisable', '-Sqrcode.enable', f.name], capture_output=True,
                              text=True).stdout.strip()


if __name__ == '__main__':
    check(False, 'a library of the scenarios')
    sys.exit(1)
