# SPDX-License-Identifier: MIT
"""The tree's files and TAP output, for the lint programs: one case a rule, its findings as comments."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PRODUCT = ('proto', 'actors', 'http', 'config')
SHOWN = 50  # findings of one rule

TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def files(*suffixes, under=None):
    """Paths from the root of all files with such an ending; build results and hidden folders left out."""
    found = []
    for folder, folders, names in os.walk(os.path.join(ROOT, under or '')):
        folders[:] = sorted(f for f in folders if not f.startswith('.') and f not in ('build', '__pycache__'))
        found += [os.path.relpath(os.path.join(folder, n), ROOT) for n in sorted(names)
                  if n.endswith(suffixes) and not n.startswith('.')]
    return found


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8', errors='replace') as f:
        return f.read()


def code(path):
    """The text of a C file without comments and with empty literals; lines keep their numbers."""
    def blank(match):
        text = match.group(0)
        return ('""' if text[0] in '"\'' else ' ') + '\n' * text.count('\n')
    return TOKEN.sub(blank, read(path))


def findall(pattern, path, text):
    """Yields (place, match) for each match in the text."""
    for match in re.finditer(pattern, text, re.MULTILINE):
        yield f'{path}:{text.count(chr(10), 0, match.start()) + 1}', match


class Skip(Exception):
    """Raised by a rule that cannot be checked here; the text is the reason."""


def run(rules):
    """rules: (name, function).  A function yields its findings as text; '#'-led ones only warn."""
    failed = 0
    for number, (name, function) in enumerate(rules, 1):
        try:
            findings = list(function())
        except Skip as reason:
            print(f'ok {number} - {name} # SKIP {reason}')
            continue
        wrong = [f for f in findings if not f.startswith('#')]
        print(f'{"not ok" if wrong else "ok"} {number} - {name}')
        for finding in findings[:SHOWN]:
            print(f'# {finding.lstrip("# ")}')
        if len(findings) > SHOWN:
            print(f'# and {len(findings) - SHOWN} more')
        failed += bool(wrong)
    print(f'1..{len(rules)}')
    sys.exit(1 if failed else 0)
