# SPDX-License-Identifier: MIT
"""The cases of one test program: each gets a network of its own and a time limit, and prints one line of TAP.

INTEROP_SEED fixes everything random, INTEROP_ONLY runs the cases whose name has that text in it, INTEROP_KEEP leaves
the files of every case where they are.
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback

import lib_lab
from lib_lab import Failure

LIBTORRENT_PYTHON = '/usr/bin/python3'


class Skip(Exception):
    """Why a case cannot be run here."""


class Overtime(Exception):
    """The case took longer than it may."""


def _alarm(*_):
    raise Overtime()


def missing(tool):
    """Why a tool cannot be used, or None."""
    if tool == 'libtorrent':
        done = subprocess.run([LIBTORRENT_PYTHON, '-c', 'import libtorrent'], check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return 'python3-libtorrent is not installed' if done.returncode else None
    return None if shutil.which(tool) else f'{tool} is not installed'


class Program:
    """A list of cases, and their run."""

    def __init__(self):
        self.cases = []
        self.seed = int(os.environ.get('INTEROP_SEED') or random.SystemRandom().randrange(1 << 32))

    def add(self, name, function, *arguments, needs=(), limit=60):
        self.cases.append((name, function, arguments, needs, limit))

    def run_case(self, function, arguments, needs, limit):
        """Returns the text that stands behind the case's name."""
        for tool in needs:
            why = missing(tool)
            if why:
                raise Skip(why)
        lab = lib_lab.Lab()
        try:
            signal.alarm(limit)
            function(lab, random.Random(self.seed), *arguments)
        except Skip:
            raise
        except Exception:
            signal.alarm(0)
            for line in lab.tails():
                print(f'# {line}')
            raise
        finally:
            signal.alarm(0)
            lab.close()

    def report(self, number, case):
        name, function, arguments, needs, limit = case
        started = time.monotonic()
        failed = False
        try:
            self.run_case(function, arguments, needs, limit)
            print(f'ok {number} - {name}')
        except Skip as reason:
            print(f'ok {number} - {name} # SKIP {reason}')
        except Failure as failure:
            failed = True
            print(f'not ok {number} - {name}: {failure}')
        except Overtime:
            failed = True
            print(f'not ok {number} - {name}: not within {limit} s')
        except Exception as error:  # a broken test fails like a broken daemon
            failed = True
            for line in traceback.format_exc().splitlines():
                print(f'# {line}')
            print(f'not ok {number} - {name}: {error!r}')
        print(f'# {time.monotonic() - started:.1f} s', flush=True)
        return failed

    def main(self):
        if not os.access(os.environ.get('TORRENTD', ''), os.X_OK):
            print('Bail out! TORRENTD does not name a daemon')
            return 1
        only = os.environ.get('INTEROP_ONLY', '')
        cases = [case for case in self.cases if only in case[0]]
        os.environ['INTEROP_SEED'] = str(self.seed)
        why = lib_lab.enter()
        if why:
            print(f'1..0 # SKIP {why}')
            return 0
        signal.signal(signal.SIGALRM, _alarm)
        lib_lab.Lab.raise_hub()
        print(f'# INTEROP_SEED={self.seed}')
        print(f'1..{len(cases)}', flush=True)
        failures = [self.report(number, case) for number, case in enumerate(cases, 1)]
        return 1 if any(failures) else 0


def note(text):
    print(f'# {text}', flush=True)


def run(program):
    sys.exit(program.main())
