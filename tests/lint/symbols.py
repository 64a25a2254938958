#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the archives need and what they keep: proto calls nothing of the system, nobody has writable globals,
and inside a folder a leaf never calls its owner.

Tables of constants with pointers lie in .data.rel.ro, which is read-only once the program runs; so the section
decides, not nm's letter.
"""
import collections
import glob
import os
import re
import subprocess

import lib_tree

OUT = os.environ.get('OUT', os.path.join(lib_tree.ROOT, 'build/release'))

ALLOWED = set('''
    abort calloc free malloc realloc qsort bsearch
    memchr memcmp memcpy memmem memmove memrchr memset rawmemchr explicit_bzero
    strchr strchrnul strcmp strcspn strlen strncmp strnlen strrchr strspn strstr strpbrk strcasecmp strncasecmp
    snprintf vsnprintf __stack_chk_fail _GLOBAL_OFFSET_TABLE_ __popcountdi2
'''.split())
SANITIZERS = ('__asan_', '__ubsan_', '__tsan_', '__sanitizer_', '__sanitize_')
CRYPTO = re.compile(r'^(EVP|SHA\d*|MD5|OSSL|OPENSSL|CRYPTO|BN|DH|ERR)_')
CRYPTO_FILES = {'hash.o', 'dh.o', 'ed25519.o'}

# Process-wide by nature, each written under its own rule in the kernel.
WRITABLE = {'actors-kernel': {
    'actor_name',  # thread-local: whose thread this is
    'ring',        # thread-local: the actor's last events
    'hand',        # thread-local: the message being handled
    'level_now',   # atomic: the log level
    'panicking',   # atomic: the first panic wins
}}


def archives():
    """Yields (folder, path): every folder of the product is an archive; the kernel's seam is one besides."""
    paths = sorted(glob.glob(os.path.join(OUT, 'lib', '*.a')))
    if not paths:
        raise lib_tree.Skip('nothing is built')
    for path in paths:
        name = os.path.basename(path)[:-2]
        if name != 'sim':
            yield name, path


def run_tool(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False,
                          env=dict(os.environ, LC_ALL='C'))
    if done.returncode != 0:
        raise lib_tree.Skip(f'{argv[0]} failed: {done.stderr.strip()[:100]}')
    return done.stdout


def members(path):
    """{object: (names it defines and exports, names it needs)}"""
    found, member = {}, ''
    for line in run_tool('nm', path).splitlines():
        fields = line.split()
        if line.endswith('.o:'):
            member = line[:-1]
            found[member] = (set(), set())
        elif len(fields) == 2 and fields[0] in 'Uw':
            found[member][1].add(fields[1])
        elif len(fields) == 3 and fields[1].isupper():
            found[member][0].add(fields[2])
    return found


def weak(path):
    """Names that only stand in until another archive defines them."""
    return {line.split()[2] for line in run_tool('nm', path).splitlines() if re.match(r'^[0-9a-f]+ [WV] ', line)}


def check_proto_needs():
    proto = {(name, m): v for name, path in archives() if name.startswith('proto-')
             for m, v in members(path).items()}
    defined = set().union(*(exports for exports, _ in proto.values()))
    for (name, member), (_, needs) in sorted(proto.items()):
        for symbol in sorted(needs - defined):
            if symbol in ALLOWED or symbol.startswith(SANITIZERS):
                continue
            if member in CRYPTO_FILES and CRYPTO.match(symbol):
                continue
            yield f'{name}/{member} calls {symbol}'


def components(graph):
    """The strongly connected components of more than one node (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(v):
        index[v] = low[v] = len(index)
        stack.append(v)
        for w in graph[v]:
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in stack:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            circle = stack[stack.index(v):]
            del stack[stack.index(v):]
            if len(circle) > 1:
                found.append(sorted(circle))
    for v in graph:
        if v not in index:
            visit(v)
    return found


def arrows(objects):
    """{object: objects of the same folder that it calls or points to}"""
    home = {symbol: m for m, (exports, _) in objects.items() for symbol in exports}
    return {m: {home[s] for s in needs if home.get(s, m) != m} for m, (_, needs) in objects.items()}


def check_circles():
    for name, path in archives():
        objects = members(path)
        graph = arrows(objects)
        for circle in components(graph):
            yield f'{name}: {", ".join(circle)} call in a circle'
            for m in circle:
                for to in sorted(graph[m] & set(circle)):
                    names = sorted(objects[to][0] & objects[m][1])
                    yield f'#   {m} -> {to}: {", ".join(names[:6])}'


def check_prefixes():
    owners = collections.defaultdict(set)
    for name, path in archives():
        folder = 'actors-kernel' if name == 'seam' else name
        stand_ins = weak(path)
        for exports, _ in members(path).values():
            for symbol in exports - stand_ins:
                if not symbol.startswith(SANITIZERS) and symbol != 'main':
                    owners[symbol.split('_')[0]].add(folder)
    shared = {prefix for prefix, folders in owners.items() if len(folders) > 1}
    for prefix in sorted(shared):
        yield f'names in {prefix}_ are exported by {", ".join(sorted(owners[prefix]))}'


def is_writable(section):
    if section.startswith('.data.rel.ro'):
        return False
    return section.startswith(('.data', '.bss', '.tdata', '.tbss')) or section == '*COM*'


def writable(path):
    member = ''
    for line in run_tool('objdump', '-t', path).splitlines():
        if ': ' in line and 'file format' in line:
            member = line.split(':')[0]
        match = re.match(r'^[0-9a-f]{16} .{7} (\S+)\s+[0-9a-f]{16} (?:\.\w+ )?(\S+)$', line)
        if match and is_writable(match.group(1)) and not match.group(2).startswith('.'):
            yield member, match.group(2).split('.')[0]


def check_writable():
    for name, path in archives():
        allowed = WRITABLE.get(name, set())
        for member, symbol in writable(path):
            if symbol not in allowed and not symbol.startswith(SANITIZERS):
                yield f'{name}/{member} has the writable global {symbol}'


lib_tree.run([
    ('proto calls nothing of the system', check_proto_needs),
    ('no writable globals', check_writable),
    ('L3: no circle among the objects of a folder', check_circles),
    ('L4: an exported prefix belongs to one folder', check_prefixes),
])
