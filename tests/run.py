#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs test programs, reads their TAP, counts cases, and ends with one line.

    tests/run.py --out build/release unit corpus lint sim sim-long script interop browser browser-long [--only GLOB] [-j N]

Every program is a process group of its own with a time limit and a TMPDIR that is removed after it.  A
program fails as a whole, as one failed case named after it, when it dies, times out or breaks its plan.
"""
import argparse
import collections
import concurrent.futures
import fnmatch
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TAIL = 200  # lines of a failing program that are shown

Suite = collections.namedtuple('Suite', 'timeout jobs')
SUITES = {
    'unit': Suite(120, 2),
    'corpus': Suite(120, 2),
    'lint': Suite(120, 2),
    'sim': Suite(300, 2),
    'sim-long': Suite(1200, 1),
    'script': Suite(300, 4),  # they wait for most of their time: a sixth of two cores
    'interop': Suite(600, 2),
    'browser': Suite(300, 2),
    'browser-long': Suite(900, 1),
}

# What takes longest begins first: else the others have ended long before it.
LONGEST = ('s_hundred', 'peer_wire', 'limits', 'peer_download', 'resume', 'super', 'kill', 'big', 'metadata', 'portmap')

TEST_LINE = re.compile(r'^(not )?ok\b(?:\s+(\d+))?\s*(?:-\s*)?(.*)$')
PLAN_LINE = re.compile(r'^1\.\.(\d+)\s*(?:#\s*(?:skip\S*)?\s*(.*))?$', re.IGNORECASE)
SKIP = re.compile(r'#\s*skip\S*\s*(.*)$', re.IGNORECASE)


class Program:
    """One program to run and, afterwards, what became of it."""

    def __init__(self, suite, name, argv):
        self.suite, self.name, self.argv = suite, name, argv
        self.passed, self.failures, self.skips = 0, [], []
        self.output, self.seconds = '', 0.0

    @property
    def label(self):
        return f'{self.suite}/{self.name}'


def executables(pattern):
    return sorted(p for p in glob.glob(pattern)
                  if os.path.isfile(p) and os.access(p, os.X_OK) and not p.endswith(('.o', '.d')))


def python_programs(folder):
    return sorted(p for p in glob.glob(os.path.join(ROOT, 'tests', folder, '[a-z]*.py'))
                  if not os.path.basename(p).startswith('lib_'))


def find_corpus(out):
    for path in executables(os.path.join(out, 'tests/fuzz/f_*')):
        name = os.path.basename(path)[2:]
        yield name, [path, os.path.join(ROOT, 'tests/fuzz/corpus', name)]


def find_lint():
    for path in executables(os.path.join(ROOT, 'tests/lint/*.*')):
        if path.endswith(('.sh', '.py')):
            yield os.path.basename(path), [path]


def find_binaries(suite, out):
    """The programs whose sources are there: a build folder may still hold those of deleted ones."""
    below = {'sim-long': 'sim/long'}.get(suite, suite)
    folder = os.path.join(ROOT, 'tests', below)
    pattern = '**/t_*.c' if suite == 'unit' else 's_*.c'
    for source in sorted(glob.glob(os.path.join(folder, pattern), recursive=True)):
        name = os.path.relpath(source, folder)[:-2]
        path = os.path.join(out, 'tests', below, name)
        if os.path.exists(path):
            yield name, [path]


def find_browser(suite):
    """What is beside them under build/browser, make has put there (tests.mk)."""
    for path in sorted(glob.glob(os.path.join(ROOT, 'tests', suite, '[a-z]*.mjs'))):
        if not os.path.basename(path).startswith('lib_'):
            yield os.path.basename(path)[:-4], ['node', path]


def find_programs(suite, out):
    if suite == 'corpus':
        found = find_corpus(out)
    elif suite == 'lint':
        found = find_lint()
    elif suite in ('browser', 'browser-long'):
        found = find_browser(suite)
    elif suite in ('script', 'interop'):
        found = ((os.path.basename(p)[:-3], [sys.executable, p]) for p in python_programs(suite))
    else:
        found = find_binaries(suite, out)
    programs = [Program(suite, name, argv) for name, argv in found]
    return sorted(programs, key=lambda p: p.name not in LONGEST)


class Tap:
    """Reads TAP.  Several groups of one program each have a plan: the plans add up (cmocka)."""

    def __init__(self):
        self.planned, self.plans, self.seen = 0, 0, 0
        self.passed, self.failures, self.skips, self.bail = 0, [], [], None

    def feed(self, line):
        plan, test = PLAN_LINE.match(line), TEST_LINE.match(line)
        if plan:
            self.plans += 1
            self.planned += int(plan.group(1))
            if plan.group(1) == '0':
                self.skips.append(('all', plan.group(2) or 'no reason given'))
        elif test:
            self.feed_test(test)
        elif line.startswith('Bail out!'):
            self.bail = line

    def feed_test(self, test):
        failed, number, text = test.groups()
        skip = SKIP.search(text)
        self.seen += 1
        if skip:  # cmocka writes "not ok N # SKIP name" for a skipped test
            name = text[:skip.start()].strip()
            self.skips.append((name or skip.group(1), skip.group(1) if name else 'skipped'))
        elif failed:
            self.failures.append(text or f'case {number}')
        else:
            self.passed += 1

    def complaint(self):
        """What is wrong with the output as a whole, or None."""
        if self.bail:
            return self.bail
        if self.plans == 0:
            return 'printed no plan'
        if self.planned != self.seen:
            return f'planned {self.planned} cases and ran {self.seen}'
        return None


class Runner:
    def __init__(self, options):
        self.options = options
        self.live, self.lock, self.stopping = set(), threading.Lock(), False

    def environment(self, program, tmp):
        out = os.path.abspath(self.options.out)
        env = dict(os.environ, TMPDIR=tmp, OUT=out, CMOCKA_MESSAGE_OUTPUT='TAP', LC_ALL='C.UTF-8',
                   PYTHONDONTWRITEBYTECODE='1', PYTHONUNBUFFERED='1')
        for name in list(env):  # the operator's own settings are not under test
            if name.startswith('TORRENTD_'):
                del env[name]
        env['TORRENTD'] = os.path.join(out, 'torrentd')
        env.setdefault('TSAN_OPTIONS', f'suppressions={os.path.join(ROOT, "tests/lib/tsan.supp")}')
        if program.suite in ('script', 'interop'):
            lib = os.path.join(ROOT, 'tests', program.suite)
            env['PYTHONPATH'] = os.pathsep.join([lib, os.path.join(ROOT, 'tests/script')])
        return env

    def kill(self, process):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def spawn(self, program, tmp, log):
        with self.lock:
            if self.stopping:
                return None
            process = subprocess.Popen(program.argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=subprocess.STDOUT, start_new_session=True,
                                       env=self.environment(program, tmp))
            self.live.add(process)
            return process

    def run(self, program):
        limit = self.options.timeout or SUITES[program.suite].timeout
        started = time.monotonic()
        tmp = tempfile.mkdtemp(prefix=f'torrentd-{os.path.basename(program.name)}-')
        end = None
        # A file, not a pipe: a grandchild that keeps a pipe open would hold the runner.
        with tempfile.TemporaryFile() as log:
            try:
                process = self.spawn(program, tmp, log)
                if process is not None:
                    end = self.wait(process, limit)
            except OSError as error:
                end = f'could not be started: {error}'
            log.seek(0)
            program.output = log.read().decode('utf-8', 'replace')
        shutil.rmtree(tmp, ignore_errors=True)
        program.seconds = time.monotonic() - started
        self.judge(program, end)
        return program

    def wait(self, process, limit):
        """Returns None after a clean end, else what happened."""
        try:
            status = process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            self.kill(process)
            process.wait()
            return f'timed out after {limit} s'
        finally:
            self.kill(process)  # what it left running
            with self.lock:
                self.live.discard(process)
        if status < 0:
            return f'died of {signal.Signals(-status).name}'
        return f'ended with status {status}' if status else None

    @staticmethod
    def judge(program, end):
        tap = Tap()
        for line in program.output.splitlines():
            tap.feed(line)
        program.passed, program.failures, program.skips = tap.passed, tap.failures, tap.skips
        # A failed case explains a status of its own; anything else is one more failure.
        if end and not (tap.failures and end.startswith('ended with status')):
            program.failures.append(f'{program.name} {end}')
        elif tap.complaint():
            program.failures.append(f'{program.name} {tap.complaint()}')

    def stop(self):
        with self.lock:
            self.stopping = True
            for process in self.live:
                self.kill(process)


def report(program, verbose):
    counts = [f'{program.passed} passed']
    if program.failures:
        counts.append(f'{len(program.failures)} FAILED')
    if program.skips:
        counts.append(f'{len(program.skips)} skipped')
    print(f'{program.label:32} {", ".join(counts):32} {program.seconds:6.1f} s', flush=True)
    if not program.failures and not verbose:
        return
    lines = program.output.splitlines()
    if len(lines) > TAIL:
        print(f'    ... {len(lines) - TAIL} lines left out')
    for line in lines[-TAIL:]:
        print(f'    {line}')
    for failure in program.failures:
        print(f'    FAILED: {failure}', flush=True)


def is_meant(name, pattern):
    """The pattern is of the whole name, or of what it ends with: actors/kernel/t_log is t_log, style.py is style."""
    last = os.path.basename(name)
    return any(fnmatch.fnmatch(n, pattern) for n in (name, last, os.path.splitext(last)[0]))


def run_suite(runner, suite, options):
    programs = find_programs(suite, options.out)
    if options.only:
        programs = [p for p in programs if is_meant(p.name, options.only)]
        if not programs:
            return []
    if not programs:
        print(f'{suite + "/":32} nothing to run', flush=True)
        return []
    with concurrent.futures.ThreadPoolExecutor(options.jobs or SUITES[suite].jobs) as pool:
        futures = [pool.submit(runner.run, p) for p in programs]
        try:
            for future in concurrent.futures.as_completed(futures):
                report(future.result(), options.verbose)
        except BaseException:
            runner.stop()
            for future in futures:
                future.cancel()
            raise
    return programs


def summarise(programs):
    """Prints skips and the last line; returns the exit status."""
    skips = [(p, *skip) for p in programs for skip in p.skips]
    if skips:
        print('skipped:')
    for program, name, reason in skips:
        print(f'    {program.label}: {name}: {reason}')
    failures = [(p, f) for p in programs for f in p.failures]
    if failures:
        print('failed:')
    for program, failure in failures:
        print(f'    {program.label}: {failure}')
    passed = sum(p.passed for p in programs)
    line = f'{passed} passed, {len(failures)} failed'
    print(line + (f', {len(skips)} skipped' if skips else ''), flush=True)
    return 1 if failures or passed + len(skips) == 0 else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('suites', nargs='+', choices=list(SUITES), metavar='suite',
                        help=' '.join(SUITES))
    parser.add_argument('--out', default='build/release', help='the build folder')
    parser.add_argument('--only', metavar='GLOB', help='only programs with such a name')
    parser.add_argument('-j', '--jobs', type=int, default=0, help='programs at once')
    parser.add_argument('--timeout', type=int, default=0, help='seconds for each program')
    parser.add_argument('-v', '--verbose', action='store_true', help='show all output')
    options = parser.parse_args()
    runner = Runner(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    programs = []
    try:
        for suite in options.suites:
            programs += run_suite(runner, suite, options)
    except KeyboardInterrupt:
        runner.stop()
        print('interrupted', file=sys.stderr)
        return 130
    finally:
        runner.stop()
    return summarise(programs)


if __name__ == '__main__':
    sys.exit(main())
