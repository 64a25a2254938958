# SPDX-License-Identifier: MIT
"""Waiting for what other processes do."""
import time


class Failure(Exception):
    """What was expected and did not come."""


def poll(condition, timeout, what, pause=0.02):
    """Waits until condition() is true and returns what it gave; a server that is not there yet counts as not yet."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            value = condition()
        except (ConnectionError, TimeoutError, EOFError, FileNotFoundError):
            value = None
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f'{what}: not within {timeout:.0f} s')
        time.sleep(pause)
