#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the tests of a build with --coverage have run: lines by folder, least covered files named.

    tests/cov.py build/cov
"""
import collections
import glob
import gzip
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORST = 15  # files that are named


def reports(out):
    """What gcov says of each object that was run."""
    found = [os.path.abspath(p) for p in glob.glob(os.path.join(out, '**', '*.gcda'), recursive=True)]
    with tempfile.TemporaryDirectory() as folder:
        for at in range(0, len(found), 50):
            subprocess.run(['gcov', '--json-format', '--preserve-paths', *found[at:at + 50]], cwd=folder, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for path in glob.glob(os.path.join(folder, '*.gcov.json.gz')):
            with gzip.open(path) as file:
                yield json.load(file)


def lines_of(out):
    """{source: {line: how often it was run}}"""
    found = collections.defaultdict(collections.Counter)
    for report in reports(out):
        for file in report['files']:
            path = os.path.relpath(os.path.join(ROOT, file['file']), ROOT)
            if path.startswith(('proto/', 'actors/', 'http/', 'config/')):
                for line in file['lines']:
                    found[path][line['line_number']] += line['count']
    return found


def percent(run, lines):
    return 100 * run / lines if lines else 100


def main():
    files = {path: (sum(n > 0 for n in lines.values()), len(lines)) for path, lines in lines_of(sys.argv[1]).items()}
    folders = collections.defaultdict(lambda: [0, 0])
    for path, (run, lines) in files.items():
        for name in (os.path.dirname(path), 'all'):
            folders[name][0] += run
            folders[name][1] += lines
    for name, (run, lines) in sorted(folders.items(), key=lambda f: (f[0] == 'all', f[0])):
        print(f'{name:20} {run:6} of {lines:6} lines {percent(run, lines):6.1f} %')
    print('least covered:')
    for path, (run, lines) in sorted(files.items(), key=lambda f: percent(*f[1]))[:WORST]:
        print(f'    {path:40} {percent(run, lines):6.1f} %')


if __name__ == '__main__':
    main()
