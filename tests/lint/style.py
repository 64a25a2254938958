#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a reader may rely on in every file: no banned function, short functions and files, one layout."""
import ast
import collections
import os
import re
import shutil
import subprocess
import sys

import lib_tree

OUT = os.environ.get('OUT', os.path.join(lib_tree.ROOT, 'build/release'))

BANNED = ('sprintf vsprintf strcpy stpcpy strcat strncat strncpy strtok strtok_r atoi atol atoll atof alloca gets '
          'rand srand random time localtime gmtime ctime asctime mktemp tmpnam setjmp longjmp system').split()
# One thread, no strangers: what a test may use all the same.
TEST_ALLOWED = {'time', 'setjmp', 'longjmp', 'system', 'strtok_r'}

# A typedef of a function that returns one is fine.
TYPEDEF = r'\btypedef\s+(struct|union|enum)\b[^;({]*[;{]'

FILE_MAX = 600
FUNCTION_MAX = 60
PAGE = ('.ts', '.tsx', '.mjs', '.css')
SOURCES = ('.c', '.h', '.def', '.py', '.sh', '.mk', '.md', '.in', '.html') + PAGE
# Spelled in parts, so that this file does not find itself.
UNDONE = r'\b(' + '|'.join(('TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'not ' + 'implemented')) + r')\b'
MACHINE = r'(?<![\w.])/(' + '|'.join(('wo' + 'rk/', 'ro' + 'ot/')) + ')'

GENERATED = (
    ('torrentd', ['--print-default-config'], 'config/torrentd.conf.example'),
    ('torrentd', ['--print-man-1'], 'config/torrentd.1'),
    ('torrentd', ['--print-man-5'], 'config/torrentd.conf.5'),
    ('torrentctl', ['--print-man'], 'docs/torrentctl.1'),
    ('torrentctl', ['completion', 'bash'], 'docs/torrentctl.bash'),
    ('torrentctl', ['completion', 'zsh'], 'docs/torrentctl.zsh'),
    ('torrentctl', ['completion', 'fish'], 'docs/torrentctl.fish'),
)


def c_files():
    return [p for p in lib_tree.files('.c', '.h') if not p.startswith('tests/data/')]


def check_banned():
    pattern = r'(?<![\w.>])(' + '|'.join(BANNED) + r')\s*\('
    for path in c_files():
        for place, match in lib_tree.findall(pattern, path, lib_tree.code(path)):
            if not (path.startswith('tests/') and match.group(1) in TEST_ALLOWED):
                yield f'{place}: {match.group(1)}() is banned'


def check_assert():
    for path in c_files():
        if path.startswith('tests/'):
            continue
        for place, _ in lib_tree.findall(r'(?<![\w.>])assert\s*\(', path, lib_tree.code(path)):
            yield f'{place}: use must(), which stays on in every build'


def check_typedef():
    for path in c_files():
        for place, _ in lib_tree.findall(TYPEDEF, path, lib_tree.code(path)):
            yield f'{place}: no typedef of structs'


def check_spdx():
    for path in lib_tree.files('.c', '.h', '.def', '.py', '.sh', '.mk', *PAGE) + ['Makefile']:
        if not any('SPDX-License-Identifier: MIT' in line for line in lib_tree.read(path).split('\n')[:3]):
            yield f'{path}: the SPDX line is missing'


def check_purpose():
    """After the SPDX line comes a comment that says what the file is."""
    for path in lib_tree.files('.c', '.h'):
        lines = lib_tree.read(path).split('\n')
        if len(lines) < 2 or not lines[1].startswith('/*'):
            yield f'{path}: the second line must begin the comment that says what the file is'


def check_page_purpose():
    """The same of the page's sources."""
    for path in lib_tree.files(*PAGE):
        lines = lib_tree.read(path).split('\n')
        if len(lines) < 2 or not lines[1].startswith(('//', '/*')):
            yield f'{path}: the second line must be the comment that says what the file is'


# The policy of the page forbids what these do, and an address from the root breaks it beneath a path.
PAGE_BANNED = {
    r'dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(': 'text must not become markup or code',
    r'\bstyle="': 'styles are objects or classes: the policy forbids style attributes',
    r'(?:href|src|action)="/|(?:get|post|fetch|address)(?:<[^>]*>)?\(\'/|url\(["\']?/': 'an address from the root breaks the page beneath a path',
}
LITERAL = r'>[^<>{}()=;\n]*[A-Za-z]{3}[^<>{}()=;\n]*</\w'


def check_page_rules():
    for path in lib_tree.files('.ts', '.tsx', '.css', under='http/web'):
        text = lib_tree.read(path)
        for pattern, why in PAGE_BANNED.items():
            for place, match in lib_tree.findall(pattern, path, text):
                yield f'{place}: {match.group(0)}: {why}'
        if path.endswith('.tsx'):
            for place, match in lib_tree.findall(LITERAL, path, text):
                yield f'{place}: "{match.group(0)[1:-3]}": words belong in src/i18n'


def check_file_length():
    for path in lib_tree.files('.c', '.h', '.def', '.py', '.sh', *PAGE):
        lines = lib_tree.read(path).count('\n')
        if lines > FILE_MAX:
            yield f'{path}: {lines} lines, more than {FILE_MAX}'


def functions(path):
    """Yields (line, name, length).  A function's braces stand alone in the first column."""
    name, start, head = '', 0, ''
    for number, line in enumerate(lib_tree.code(path).split('\n'), 1):
        if line.startswith('{') and not start:
            match = re.search(r'(\w+)\s*\([^{}]*$', head)
            name, start = match.group(1) if match else '?', number
        elif line.startswith('}') and start:
            yield start, name, number - start + 1
            start, head = 0, ''
        elif not start:
            head = line if re.match(r'[A-Za-z_]', line) else head + line


def check_function_length():
    for path in lib_tree.files('.c', '.h', '.py'):
        for line, name, length in python_functions(path) if path.endswith('.py') else functions(path):
            if length > FUNCTION_MAX:
                yield f'{path}:{line}: {name}() has {length} lines, more than {FUNCTION_MAX}'


def python_functions(path):
    """Yields (line, name, length)."""
    for node in ast.walk(ast.parse(lib_tree.read(path))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.name, node.end_lineno - node.lineno + 1


def check_layout():
    if shutil.which('clang-format') is None:
        raise lib_tree.Skip('clang-format is not installed')
    done = subprocess.run(['clang-format', '--dry-run', '-Werror', '--ferror-limit=1', *c_files()],
                          cwd=lib_tree.ROOT, capture_output=True, text=True, check=False)
    for match in re.finditer(r'^([^\s:]+:\d+):\d+: error', done.stderr, re.MULTILINE):
        yield f'{match.group(1)}: clang-format would change this (make format)'
    if done.returncode != 0 and ': error' not in done.stderr:
        yield f'clang-format failed: {done.stderr.strip()[:200]}'


def check_whitespace():
    for path in lib_tree.files(*SOURCES):
        text = lib_tree.read(path)
        for place, _ in lib_tree.findall(r'[ \t\r]+$', path, text):
            yield f'{place}: spaces at the end of the line'
        if text and not text.endswith('\n'):
            yield f'{path}: the last line has no newline'


def check_undone():
    for path in lib_tree.files(*SOURCES) + ['Makefile']:
        for place, match in lib_tree.findall(UNDONE, path, lib_tree.read(path)):
            yield f'{place}: "{match.group(1)}": do it, or leave it out'


def check_machine_paths():
    for path in lib_tree.files(*SOURCES) + ['Makefile']:
        for place, match in lib_tree.findall(MACHINE, path, lib_tree.read(path)):
            yield f'{place}: "{match.group(0)}" is a path of one machine'


def check_magics():
    owners = collections.defaultdict(list)
    for path in c_files():
        if path.startswith('tests/'):
            continue
        for place, match in lib_tree.findall(r'^#define\s+(\w*MAGIC\w*)\s+(0x[0-9a-fA-F]+)', path,
                                             lib_tree.code(path)):
            owners[int(match.group(2), 16)].append(f'{match.group(1)} at {place}')
    for value, names in sorted(owners.items()):
        if len(names) > 1:
            yield f'0x{value:08x} is {" and ".join(names)}'


def check_generated():
    if not os.path.exists(os.path.join(OUT, 'torrentd')):
        raise lib_tree.Skip('the daemon is not built; the unit tests check this too')
    for program, words, path in GENERATED:
        done = subprocess.run([os.path.join(OUT, program), *words], capture_output=True, text=True, check=False)
        if done.returncode != 0 or done.stdout != lib_tree.read(path):
            yield f'{path} is stale: run make docs'


def check_charts():
    done = subprocess.run([sys.executable, os.path.join(lib_tree.ROOT, 'docs/charts.py'), '--check'],
                          capture_output=True, text=True, check=False)
    yield from (done.stdout + done.stderr).splitlines()


def check_scripts():
    for path in lib_tree.files('.sh'):
        done = subprocess.run(['sh', '-n', os.path.join(lib_tree.ROOT, path)], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            yield f'{path}: {done.stderr.strip()[:200]}'
    for path in lib_tree.files('.py'):
        try:
            compile(lib_tree.read(path), path, 'exec')
        except SyntaxError as error:
            yield f'{path}: {error}'


lib_tree.run([
    ('no banned function', check_banned),
    ('must() instead of assert()', check_assert),
    ('no typedef of structs', check_typedef),
    ('every file names its licence', check_spdx),
    ('every C file says what it is', check_purpose),
    ('every file of the page says what it is', check_page_purpose),
    ('the page keeps to its policy', check_page_rules),
    ('files are short', check_file_length),
    ('functions are short', check_function_length),
    ('clang-format agrees', check_layout),
    ('no spaces at ends of lines', check_whitespace),
    ('nothing is left undone', check_undone),
    ('no paths of one machine', check_machine_paths),
    ('magics are unique', check_magics),
    ('generated files are fresh', check_generated),
    ('charts are fresh', check_charts),
    ('scripts parse', check_scripts),
])
