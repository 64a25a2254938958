# SPDX-License-Identifier: MIT
"""Waiting for what other processes do: for a condition, with a deadline, never for a fixed time.

Sanitizer builds and busy machines are several times slower: PATIENCE in the environment says how long is too long.
"""
import os
import time

PATIENCE = float(os.environ.get('PATIENCE', '45'))  # seconds that a condition may take to come true

# What a server that is not there yet looks like, and one that goes.
ABSENT = (ConnectionError, TimeoutError, EOFError, FileNotFoundError)


class Failure(AssertionError):
    """What was expected and did not come."""


def wait_for(condition, what, patience=None, every=0.03, absent=()):
    """Waits until condition() is true and returns its value; an exception among `absent` means "not yet".

    what: words for what is waited for, or a function that gives them at the end.
    """
    patience = patience or PATIENCE
    end = time.monotonic() + patience
    while True:
        try:
            value = condition()
        except absent:
            value = None
        if value:
            return value
        if time.monotonic() > end:
            seen = what() if callable(what) else what
            raise Failure(f'not within {patience:.0f} s: {seen}')
        time.sleep(every)


def poll(condition, timeout, what, every=0.02):
    """Waits for what a server says that may not be there yet."""
    return wait_for(condition, what, timeout, every, absent=ABSENT)
