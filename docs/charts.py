#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Pages made from the .def files: docs/messages.md, and the table of the API in README.md.

`make docs` writes them; --check says what is stale, and fails.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BEGIN, END = '<!-- made from http/api/routes.def by make docs -->\n', '<!-- until here -->\n'
METHODS = {'G': 'GET', 'P': 'POST', 'PATCH': 'PATCH', 'DELETE': 'DELETE', 'CHANGES': 'GET, POST'}


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as f:
        return f.read()


def unquoted(literals):
    """What the compiler makes of string literals, one after the other."""
    return re.sub(r'\\(.)', r'\1', ''.join(re.findall(r'"((?:\\.|[^"\\])*)"', literals)))


def entries(text, macro):
    """The arguments of each macro(...) of a .def file, and before them the comments that open a group."""
    token = re.compile(r'/\*(.*?)\*/|^' + macro + r'\((.*?)\)$', re.DOTALL | re.MULTILINE)
    for found in token.finditer(text):
        if found.group(1) is not None:
            yield 'group', ' '.join(found.group(1).replace('\n *', '\n').split())
            continue
        words = re.findall(r'(?:"(?:\\.|[^"\\])*"\s*)+|[^,"]+', found.group(2))
        words = [w.strip() for w in words if w.strip()]
        yield 'entry', [unquoted(w) if w[0] == '"' else w for w in words]


def roles(expression):
    return ', '.join(r.lower() for r in re.findall(r'\bR\((\w+)\)', expression)) or 'any'


def deadline(milliseconds):
    ms = int(milliseconds)
    if ms == 0:
        return 'cast'
    for unit, size in (('h', 3600000), ('min', 60000), ('s', 1000)):
        if ms % size == 0:
            return f'call, {ms // size} {unit}'
    return f'call, {ms} ms'


def messages():
    lines = ['# Messages', '', 'Made from `actors/msg/msg.def` by `make docs`. A call gets exactly one reply, in the same '
             'struct, or an error at its', 'deadline; a cast gets none, and is bounded by what stands beside it. Payloads are in '
             '`actors/msg/msg.h`.', '']
    table = False
    for kind, what in entries(read('actors/msg/msg.def'), 'MSG'):
        if kind == 'group':
            if 'SPDX' not in what and 'MSG(' not in what:
                lines += ([''] if table else []) + [f'## {what.rstrip(".")}', '', '| message | from | to | kind | payload |',
                                                    '|---|---|---|---|---|']
                table = True
            continue
        name, payload, sender, receiver, limit, *more = what
        kind = f'cast: {more[0]}' if more else deadline(limit)
        row = [name, roles(sender), roles(receiver), kind, f'`{payload}`']
        lines.append('| ' + ' | '.join(row) + ' |')
    return '\n'.join(lines) + '\n'


def api():
    lines = ['| endpoint | scope | parameters | |', '|---|---|---|---|']
    for kind, what in entries(read('http/api/routes.def'), 'ROUTE'):
        if kind == 'entry':
            path, methods, scope, _, _, *rest = what
            params, doc = rest if len(rest) == 2 else ('', rest[0])
            words = ', '.join(f'`{p}`' for p in params.split())
            lines.append(f'| `{path}` {METHODS[methods]} | {scope.lower()} | {words} | {doc} |')
    return '\n'.join(lines) + '\n'


def readme():
    before, rest = read('README.md').split(BEGIN)
    return before + BEGIN + api() + END + rest.split(END)[1]


def main():
    stale = 0
    for path, text in (('docs/messages.md', messages()), ('README.md', readme())):
        if '--check' not in sys.argv:
            with open(os.path.join(ROOT, path), 'w', encoding='utf-8') as f:
                f.write(text)
        elif not os.path.exists(os.path.join(ROOT, path)) or read(path) != text:
            print(f'{path} is stale: run make docs')
            stale = 1
    return stale


if __name__ == '__main__':
    sys.exit(main())
