#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The layering of the tree, read off its #include lines.

proto knows nothing of the system, the kernel nothing of BitTorrent, an actor nothing of another actor, http
nothing of the protocol's logic; each foreign library is known to one file.
"""
import os
import re

import lib_tree

INCLUDE = r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]'

# What proto may use of the system: pure functions and types; atomics count the users of what is immutable.
PURE = {'cpuid.h', 'ctype.h', 'endian.h', 'immintrin.h', 'inttypes.h', 'limits.h', 'stdarg.h', 'stdatomic.h',
        'stdbool.h', 'stddef.h', 'stdint.h', 'stdio.h', 'stdlib.h', 'string.h', 'sys/queue.h', 'sys/types.h'}

# Values of the protocol that requests and views are made of.
HTTP_PROTO = {'base.h', 'bytes.h', 'base64.h', 'endpoint.h', 'bitfield.h', 'hash.h', 'metainfo.h', 'peer_id.h',
              'text.h', 'utf8.h', 'errors.def'}

KERNEL_PROTO = {'proto/base.h', 'proto/bytes.h', 'proto/errors.def', 'proto/endpoint.h'}

# What every actor shares.
COMMON = {'actors/msg.h', 'actors/msg_record.h', 'actors/msg_view.h', 'actors/msg.def', 'actors/actors.h',
          'actors/roles.def'}

# A store worker is the store's other half: one thread prefix of its own, one set of headers.
FAMILY = {'worker': 'store'}

LIBRARIES = {
    'zmq.h': {'actors/kernel/mailbox.c', 'actors/status.c', 'actors/status_pub.c'},
    'openssl/': {'proto/hash.c', 'proto/mse.c'},
}
ONE_FILE = ('curl/curl.h', 'sqlite3.h', 'liburing.h')
HTTP_ONLY = ('jansson.h', 'microhttpd.h')


def includes(folder, deep=True):
    """Yields (place, path, is_system, name) for the C files of a folder."""
    for path in lib_tree.files('.c', '.h', '.def', under=folder):
        if not deep and os.path.dirname(path) != folder:
            continue
        for place, match in lib_tree.findall(INCLUDE, path, lib_tree.read(path)):
            yield place, path, match.group(1) == '<', match.group(2)


def check_proto():
    for place, path, system, name in includes('proto'):
        if system and name not in PURE and not name.startswith('openssl/'):
            yield f'{place}: proto is pure and may not include <{name}>'
        if not system and not name.startswith('proto/'):
            yield f'{place}: proto may not include "{name}"'


def check_kernel():
    for place, _, system, name in includes('actors/kernel'):
        if not system and name not in KERNEL_PROTO and not name.startswith('actors/kernel/'):
            yield f'{place}: the kernel knows nothing of BitTorrent and may not include "{name}"'


def family(path):
    prefix = re.split(r'[_.]', os.path.basename(path))[0]
    return FAMILY.get(prefix, prefix)


def check_actors():
    for place, path, system, name in includes('actors', deep=False):
        if path == 'actors/main.c' and name == 'actors/state.h':
            continue  # main opens the database before any thread runs
        if system or name in COMMON or name.startswith(('actors/kernel/', 'proto/')):
            continue
        if name == 'config/config.h' or (path == 'actors/main.c' and name.startswith('http/')):
            continue
        if os.path.dirname(name) == 'actors' and family(name) == family(path):
            continue
        yield f'{place}: an actor may not include "{name}"'


def check_private_kernel():
    for folder in ('actors', 'http', 'config'):
        for place, path, _, name in includes(folder):
            if name.startswith('actors/kernel/') and name.endswith('_priv.h') and \
                    not path.startswith('actors/kernel/'):
                yield f'{place}: "{name}" is private to the kernel'
            if re.match(r'proto/\w+_priv\.h', name):
                yield f'{place}: "{name}" is private to proto'


def check_http():
    for place, _, system, name in includes('http'):
        if system or name in COMMON or name.startswith(('actors/kernel/', 'http/')):
            continue
        if name == 'config/config.h' or (name.startswith('proto/') and name[6:] in HTTP_PROTO):
            continue
        yield f'{place}: http may not include "{name}"'


def check_config():
    for place, _, system, name in includes('config'):
        if not system and not name.startswith('config/') and name not in ('proto/base.h', 'proto/bytes.h'):
            yield f'{place}: config may not include "{name}"'


def check_libraries():
    for folder in lib_tree.PRODUCT:
        for place, path, _, name in includes(folder):
            for library, allowed in LIBRARIES.items():
                if name.startswith(library) and path not in allowed:
                    yield f'{place}: {name} is only for {", ".join(sorted(allowed))}'
            if name in HTTP_ONLY and folder != 'http':
                yield f'{place}: {name} is only for http/'


def check_one_file():
    for library in ONE_FILE:
        users = sorted({path for folder in lib_tree.PRODUCT
                        for _, path, _, name in includes(folder) if name == library})
        if len(users) > 1:
            yield f'{library} belongs in one file and is in {", ".join(users)}'


def check_paths():
    for folder in lib_tree.PRODUCT:
        for place, _, system, name in includes(folder):
            if not system and ('/' not in name or '..' in name):
                yield f'{place}: "{name}": name headers from the root of the tree'


lib_tree.run([
    ('proto includes only proto and pure headers', check_proto),
    ('the kernel includes nothing of BitTorrent', check_kernel),
    ('an actor includes no other actor', check_actors),
    ('private headers stay in their layer', check_private_kernel),
    ('http includes messages and values only', check_http),
    ('config includes base types only', check_config),
    ('libraries stay in their files', check_libraries),
    ('curl, sqlite and uring are in one file each', check_one_file),
    ('headers are named from the root', check_paths),
])
