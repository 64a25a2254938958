#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make deps beside another apt: it waits and says so, and fails at once when something else is wrong."""
import os
import subprocess
import tempfile

import lib_tap
from lib_tap import case, check, equal

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../config/deps.sh')
LOCKED = 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1 (apt-get)'


def run(*updates):
    """deps.sh with stand-ins; each update is what apt-get update says, '' for success."""
    with tempfile.TemporaryDirectory(prefix='td-') as folder:
        def tool(name, text):
            path = os.path.join(folder, name)
            with open(path, 'w', encoding='utf-8') as f:
                f.write('#!/bin/sh\n' + text)
            os.chmod(path, 0o755)

        log = os.path.join(folder, 'log')
        for i, text in enumerate(updates):
            with open(os.path.join(folder, f'update.{i}'), 'w', encoding='utf-8') as f:
                f.write(text)
        tool('dpkg-query', 'exit 1\n')
        tool('sleep', f'echo sleep "$@" >>{log}\n')
        tool('sudo', 'exec "$@"\n')
        tool('apt-get', f'''echo apt-get "$@" >>{log}
case "$*" in *update*) ;; *) exit 0 ;; esac
n=$(grep -c 'update' {log}); n=$((n - 1))
[ -s {folder}/update.$n ] || exit 0
cat {folder}/update.$n >&2; exit 100
''')
        done = subprocess.run(['sh', SCRIPT, 'one', 'two'], capture_output=True, text=True, timeout=60,
                              env={**os.environ, 'PATH': folder + ':' + os.environ['PATH']}, check=False)
        with open(log, encoding='utf-8') as f:
            return done, f.read().splitlines()


@case
def the_locks_of_dpkg_are_waited_for():
    done, calls = run('')
    equal(done.returncode, 0, done.stderr)
    equal(len(calls), 2, calls)
    check(all('DPkg::Lock::Timeout=600' in c for c in calls), calls)
    check('another apt' not in done.stdout, done.stdout)


@case
def the_lock_of_the_lists_is_waited_for_and_said():
    done, calls = run(LOCKED, LOCKED, LOCKED, '')
    equal(done.returncode, 0, done.stderr)
    equal([c.split()[0] for c in calls], ['apt-get', 'sleep'] * 3 + ['apt-get', 'apt-get'])
    equal(done.stdout.count('another apt is at work'), 1, done.stdout)


@case
def other_failures_are_shown_at_once():
    done, calls = run('E: The repository has no Release file')
    check(done.returncode != 0, done.returncode)
    equal(len(calls), 1, calls)
    check('no Release file' in done.stderr, done.stderr)


@case
def waiting_ends():
    done, calls = run(*[LOCKED] * 100)
    check(done.returncode != 0, done.returncode)
    check('Could not get lock' in done.stderr, done.stderr)
    equal(sum(c.startswith('sleep') for c in calls), 60)


lib_tap.main()
