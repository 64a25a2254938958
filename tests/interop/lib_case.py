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
import tempfile
import time
import traceback

import lib_lab
from lib_lab import Failure
from clients import LIBTORRENT_PYTHON

HOSTS = 8  # of one case, at most, unless the program says otherwise


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

    def __init__(self, jobs=1, hosts=HOSTS):
        self.cases, self.jobs, self.hosts, self.done = [], jobs, hosts, 0
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

    def report(self, case):
        """Runs a case and prints what came of it, without a number."""
        name, function, arguments, needs, limit = case
        started, line = time.monotonic(), f'ok - {name}'
        try:
            self.run_case(function, arguments, needs, limit)
        except Skip as reason:
            line += f' # SKIP {reason}'
        except Failure as failure:
            line = f'not {line}: {failure}'
        except Overtime:
            line = f'not {line}: not within {limit} s'
        except Exception as error:  # a broken test fails like a broken daemon
            for trace in traceback.format_exc().splitlines():
                print(f'# {trace}')
            line = f'not {line}: {error!r}'
        print(f'{line}\n# {time.monotonic() - started:.1f} s', flush=True)

    def start(self, index, case):
        """Runs a case in a process of its own, so that cases that mostly wait can run side by side."""
        output = tempfile.TemporaryFile()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            lib_lab.Lab.count = index * self.hosts
            self.report(case)
            os._exit(0)
        return pid, (case, output)

    def finish(self, case, output):
        """Prints the output of a case with its number; returns whether it failed."""
        self.done += 1
        output.seek(0)
        text, failed, told = output.read().decode('utf-8', 'replace'), False, False
        output.close()
        for line in text.splitlines():
            told = told or line.startswith(('ok ', 'not ok '))
            failed = failed or line.startswith('not ok ')
            print(line.replace('ok - ', f'ok {self.done} - ', 1) if line.startswith(('ok ', 'not ok ')) else line)
        if not told:
            print(f'not ok {self.done} - {case[0]}: the case ended without a word')
        sys.stdout.flush()
        return failed or not told

    def run_cases(self, cases):
        waiting, live, failed = list(enumerate(cases)), {}, False
        while waiting or live:
            while waiting and len(live) < self.jobs:
                pid, what = self.start(*waiting.pop(0))
                live[pid] = what
            pid, _ = os.wait()
            if pid in live:  # else an orphan that came to us, who are the first process here
                failed |= self.finish(*live.pop(pid))
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
        return 1 if self.run_cases(cases) else 0


def note(text):
    print(f'# {text}', flush=True)


def run(program):
    sys.exit(program.main())
