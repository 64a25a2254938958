# SPDX-License-Identifier: MIT
"""Cases of one test program and their report as TAP, and waiting for what other processes do; for every suite.

A case passes when it returns, fails when it raises, and is skipped when it raises Skip.  Conditions are
waited for with a deadline (wait_for), never for a fixed time: sanitizer builds are several times slower.

Whoever needs a module of tests/lib has a link to it in the folder: each program is run by itself, too.
"""
import fnmatch
import os
import signal
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

PATIENCE = float(os.environ.get('PATIENCE', '45'))  # seconds that a condition may take to come true

CASES = []


class Skip(Exception):
    """Raised by a case that the machine does not allow; the text says why."""


class Failure(AssertionError):
    """What was expected and did not come."""


def case(function):
    """Marks a function as a case; its name, with spaces, is the name shown."""
    CASES.append(function)
    return function


def check(condition, *what):
    """An assertion that says what was seen and survives python -O."""
    if not condition:
        raise Failure(' '.join(str(w) for w in what) or 'check failed')


def equal(got, wanted, what=''):
    if got != wanted:
        raise Failure(f'{what}: got {shorten(got)}, wanted {shorten(wanted)}')


def shorten(value, limit=600):
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + f'... ({len(text)} characters)'


def wait_for(condition, what, patience=None, every=0.03):
    """Waits until condition() is true and returns its value; the Failure names what was waited for.

    A server that is not there yet, or a file, counts as not yet.
    """
    end = time.monotonic() + (patience or PATIENCE)
    while True:
        missing = ''
        try:
            value = condition()
        except (ConnectionError, TimeoutError, EOFError, FileNotFoundError) as error:
            value, missing = None, f' ({error!r})'
        if value:
            return value
        if time.monotonic() > end:
            seen = what() if callable(what) else what
            raise Failure(f'not within {patience or PATIENCE:.0f} s: {seen}{missing}')
        time.sleep(every)


def never(condition, what, seconds=1.0):
    """Watches for a while that a condition stays false."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        check(not condition(), 'happened and must not:', what)
        time.sleep(0.03)


def at_once(function, arguments):
    """Calls function with each of the arguments, all at the same time; what they returned, or the first failure."""
    arguments = list(arguments)
    with ThreadPoolExecutor(len(arguments)) as threads:
        return list(threads.map(function, arguments))


def note(text):
    for line in str(text).splitlines():
        print(f'# {line}', flush=True)


def report(name, function, number=''):
    """Runs a case and prints what came of it; whether it passed.  The number may be put in later."""
    started, line, passed = time.monotonic(), f'ok {number}{" " if number else ""}- {name}', True
    try:
        function()
    except Skip as reason:
        line += f' # SKIP {reason}'
    except Exception:  # a broken test fails like a broken daemon
        note(traceback.format_exc())
        line, passed = f'not {line}', False
    print(f'{line}\n# {time.monotonic() - started:.1f} s', flush=True)
    return passed


def main():
    """Runs all cases, or those whose name matches a pattern on the command line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wanted = [f for f in CASES
              if not sys.argv[1:] or any(fnmatch.fnmatch(f.__name__, p) for p in sys.argv[1:])]
    print(f'1..{len(wanted)}', flush=True)
    results = [report(f.__name__.replace('_', ' '), f, n) for n, f in enumerate(wanted, 1)]
    sys.stdout.flush()
    sys.exit(0 if all(results) else 1)
