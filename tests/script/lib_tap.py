# SPDX-License-Identifier: MIT
"""Cases of one scenario program: named functions, run in order, reported as TAP.

A case passes when it returns, fails when it raises, and is skipped when it raises Skip.  Conditions are
waited for with a deadline (wait_for), never for a fixed time: sanitizer builds are several times slower.
"""
import fnmatch
import os
import signal
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'lib'))
from patience import PATIENCE, Failure, wait_for  # noqa: E402, F401: for all who have us

CASES = []


class Skip(Exception):
    """Raised by a case that the machine does not allow; the text says why."""


def case(function):
    """Marks a function as a case; its name, with spaces, is the name shown."""
    CASES.append(function)
    return function


def check(condition, *what):
    """An assertion that says what was seen and survives python -O."""
    if not condition:
        raise AssertionError(' '.join(str(w) for w in what) or 'check failed')


def equal(got, wanted, what=''):
    if got != wanted:
        raise AssertionError(f'{what}: got {shorten(got)}, wanted {shorten(wanted)}')


def shorten(value, limit=600):
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + f'... ({len(text)} characters)'


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


def run_one(number, function):
    name = function.__name__.replace('_', ' ')
    started = time.monotonic()
    try:
        function()
    except Skip as skip:
        print(f'ok {number} - {name} # SKIP {skip}', flush=True)
        return True
    except Exception:  # noqa: every failure is a report
        for line in traceback.format_exc().splitlines():
            print(f'# {line}')
        print(f'not ok {number} - {name}', flush=True)
        return False
    print(f'ok {number} - {name}', flush=True)
    print(f'# {time.monotonic() - started:.1f} s', flush=True)
    return True


def main():
    """Runs all cases, or those whose name matches a pattern on the command line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wanted = [f for f in CASES
              if not sys.argv[1:] or any(fnmatch.fnmatch(f.__name__, p) for p in sys.argv[1:])]
    print(f'1..{len(wanted)}', flush=True)
    results = [run_one(n, f) for n, f in enumerate(wanted, 1)]
    sys.stdout.flush()
    sys.exit(0 if all(results) else 1)
