#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make dist: an archive that has the page in it, and builds without npm."""
import os
import subprocess
import tarfile
import tempfile

import lib_tap
from lib_tap import Skip, case, check, equal

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..')


def make(folder, *arguments):
    env = {k: v for k, v in os.environ.items() if not k.startswith('MAKE') and k not in ('MFLAGS', 'FLAVOR')}
    done = subprocess.run(['make', '--no-print-directory', *arguments], cwd=folder, env=env, capture_output=True, text=True,
                          timeout=120, check=False)
    equal(done.returncode, 0, done.stderr)
    return done.stdout


@case
def the_archive_has_the_page_and_needs_no_npm():
    if not os.path.exists(os.path.join(ROOT, '.git')) or not os.path.exists(os.path.join(ROOT, 'build/web/mode.yes')):
        raise Skip('it is made from a checkout whose page was built')
    path = os.path.join(ROOT, make(ROOT, 'dist').split()[-1])
    with tempfile.TemporaryDirectory(prefix='td-') as folder:
        with tarfile.open(path) as archive:
            names = archive.getnames()
            top = names[0].split('/')[0]
            check(all(n == top or n.startswith(top + '/') for n in names), 'not beneath one directory')
            check(f'{top}/README.md' in names and not any('node_modules' in n for n in names))
        subprocess.run(['tar', '-xzf', path, '-C', folder], timeout=60, check=True)
        with open(os.path.join(ROOT, 'build/web/page.inc'), 'rb') as made, \
                open(os.path.join(folder, top, 'http/web/page.inc'), 'rb') as packed:
            equal(packed.read(), made.read(), 'the page')
        steps = make(os.path.join(folder, top), '-n', 'daemon')
        check('cp http/web/page.inc build/web/page.inc' in steps, steps[:2000])
        check('npm' not in steps and 'node ' not in steps, 'npm is asked for')
        check('npm' in make(ROOT, '-nB', 'daemon'), 'a checkout makes it')


lib_tap.main()
