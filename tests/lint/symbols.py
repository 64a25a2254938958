#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the archives need and what they keep: proto calls nothing of the system, nobody has writable globals.

Tables of constants with pointers lie in .data.rel.ro, which is read-only once the program runs; so the section
decides, not nm's letter.
"""
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
CRYPTO_FILES = {'hash.o', 'mse.o'}

# Process-wide by nature, each written under its own rule in the kernel.
WRITABLE = {'libkernel.a': {
    'actor_name',  # thread-local: whose thread this is
    'ring',        # thread-local: the actor's last events
    'hand',        # thread-local: the message being handled
    'level_now',   # atomic: the log level
    'panicking',   # atomic: the first panic wins
}}


def archive(name):
    path = os.path.join(OUT, name)
    if not os.path.exists(path):
        raise lib_tree.Skip(f'{name} is not built')
    return path


def run_tool(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False,
                          env=dict(os.environ, LC_ALL='C'))
    if done.returncode != 0:
        raise lib_tree.Skip(f'{argv[0]} failed: {done.stderr.strip()[:100]}')
    return done.stdout


def undefined(path):
    """Yields (member, symbol) of what no member of the archive defines."""
    member, needs, defined = '', [], set()
    for line in run_tool('nm', path).splitlines():
        fields = line.split()
        if line.endswith('.o:'):
            member = line[:-1]
        elif len(fields) == 2 and fields[0] in 'Uw':
            needs.append((member, fields[1]))
        elif len(fields) == 3:
            defined.add(fields[2])
    return [(m, s) for m, s in needs if s not in defined]


def check_proto_needs():
    for member, symbol in undefined(archive('libproto.a')):
        if symbol in ALLOWED or symbol.startswith(SANITIZERS):
            continue
        if member in CRYPTO_FILES and CRYPTO.match(symbol):
            continue
        yield f'{member} calls {symbol}'


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


def check_writable(name):
    def check():
        allowed = WRITABLE.get(name, set())
        for member, symbol in writable(archive(name)):
            if symbol not in allowed and not symbol.startswith(SANITIZERS):
                yield f'{member} has the writable global {symbol}'
    return check


lib_tree.run([('proto calls nothing of the system', check_proto_needs)] + [
    (f'{name} has no writable globals', check_writable(name))
    for name in ('libproto.a', 'libkernel.a', 'libseam.a', 'libconfig.a', 'libactors.a', 'libhttp.a')])
