#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The layering of the tree, read off its #include lines.

proto knows nothing of the system, the kernel nothing of BitTorrent, an actor nothing of another actor, http
nothing of the protocol's logic; each foreign library is known to one file.  MAY and FACES are the whole of it.
"""
import os
import re

import lib_tree

INCLUDE = r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]'

# What proto may use of the system: pure functions and types; atomics count the users of what is immutable.
PURE = {'cpuid.h', 'ctype.h', 'endian.h', 'immintrin.h', 'inttypes.h', 'limits.h', 'stdarg.h', 'stdatomic.h',
        'stdbool.h', 'stddef.h', 'stdint.h', 'stdio.h', 'stdlib.h', 'string.h', 'sys/queue.h', 'sys/types.h'}

# L1: what a folder may include, besides itself.  A folder that is not here may include nothing.
BASE, KERNEL, MSG = 'proto/base', 'actors/kernel', 'actors/msg'
MAY = {
    'proto/base': (),
    'proto/meta': (BASE,),
    'proto/wire': (BASE, 'proto/meta'),
    'proto/picker': (BASE,),
    'proto/peerlist': (BASE,),
    'proto/tracker': (BASE, 'proto/meta'),
    'proto/utp': (BASE,),
    'proto/lsd': (BASE,),
    'proto/webseed': (BASE, 'proto/meta'),
    'proto/mse': (BASE, 'proto/meta'),
    'proto/portmap': (BASE,),
    'proto/blocklist': (BASE,),
    'proto/dht': (BASE, 'proto/meta'),
    'proto/proxy': (BASE,),
    'proto/swarm': (BASE, 'proto/meta', 'proto/wire', 'proto/picker', 'proto/peerlist'),
    'config': (BASE,),
    'actors/kernel': (BASE,),
    'actors/msg': (BASE, KERNEL, 'proto/meta', 'proto/mse', 'proto/peerlist', 'proto/blocklist', 'config'),
    'actors/fetch': (BASE, KERNEL, MSG, 'config', 'proto/blocklist'),
    'actors/session': (BASE, KERNEL, MSG, 'config', 'proto/meta', 'proto/swarm', 'proto/tracker'),
    'actors/peers': (BASE, KERNEL, MSG, 'config', 'proto/blocklist', 'proto/meta', 'proto/mse', 'proto/wire', 'proto/swarm', 'proto/utp',
                     'proto/proxy', 'actors/fetch'),
    'actors/store': (BASE, KERNEL, MSG, 'config', 'proto/meta'),
    'actors/worker': (BASE, KERNEL, MSG, 'config', 'proto/meta', 'proto/swarm'),
    'actors/state': (BASE, KERNEL, MSG, 'config', 'proto/meta'),
    'actors/webseed': (BASE, KERNEL, MSG, 'config', 'proto/blocklist', 'proto/meta', 'proto/wire', 'proto/webseed', 'actors/fetch'),
    'actors/tracker': (BASE, KERNEL, MSG, 'config', 'proto/blocklist', 'proto/tracker', 'actors/fetch'),
    'actors/dht': (BASE, KERNEL, MSG, 'config', 'proto/blocklist', 'proto/dht', 'actors/fetch'),
    'actors/blocklist': (BASE, KERNEL, MSG, 'config', 'proto/meta', 'proto/blocklist', 'actors/fetch'),
    'actors/lsd': (BASE, KERNEL, MSG, 'config', 'proto/lsd'),
    'actors/status': (BASE, KERNEL, MSG, 'config', 'actors/ports'),
    'actors/ports': (BASE, KERNEL, MSG, 'config'),
    'actors/doctor': (BASE, MSG, 'config'),
    'actors/portmap': (BASE, KERNEL, MSG, 'config', 'proto/portmap', 'actors/ports'),
    'actors/main': (BASE, KERNEL, MSG, 'config', 'actors/state', 'actors/status', 'actors/ports', 'actors/doctor', 'proto/swarm', 'proto/wire'),
    'http/access': (BASE, KERNEL, MSG, 'proto/meta'),
    'http/server': (BASE, KERNEL, MSG, 'config', 'proto/meta', 'http/access'),
    'http/dialect': (BASE, KERNEL, MSG),
    'http/transmission': (BASE, KERNEL, MSG, 'config', 'proto/meta', 'http/server', 'http/dialect'),
    'http/qbittorrent': (BASE, KERNEL, MSG, 'config', 'proto/meta', 'http/access', 'http/server', 'http/dialect'),
    'http/api': (BASE, KERNEL, MSG, 'config', 'proto/meta', 'proto/wire', 'http/access', 'http/server', 'actors/doctor'),
    'http/web': (BASE, KERNEL, MSG, 'config', 'http/access', 'http/server'),
    'http/ctl': (BASE, MSG, 'config', 'proto/meta'),
}

# L2: the headers of a folder that others may include.  ALL: every header that is not called priv.h or *_priv.h.
ALL = None
FACES = {
    'proto/base': ALL,
    'proto/meta': ('bencode.h', 'magnet.h', 'metainfo.h', 'layout.h', 'hash.h', 'wanted.h'),
    'proto/wire': ('wire.h', 'ext.h', 'ext_metadata.h', 'pex.h', 'peer_id.h'),
    'proto/picker': ('picker.h',),
    'proto/peerlist': ('peerlist.h', 'source.h'),
    'proto/swarm': ('swarm.h', 'choker.h', 'rate.h', 'bandwidth.h', 'smartban.h'),
    'proto/tracker': ('announce.h', 'http.h', 'udp.h'),
    'proto/utp': ('utp.h',),
    'proto/lsd': ('lsd.h',),
    'proto/webseed': ALL,
    'proto/mse': ('mse.h', 'dh.h', 'rc4.h'),
    'proto/portmap': ('pcp.h', 'mapper.h', 'igd.h'),
    'proto/blocklist': ('blocklist.h',),
    'proto/dht': ('kad.h', 'krpc.h', 'id.h', 'item.h', 'table.h', 'ed25519.h'),
    'proto/proxy': ('dial.h',),
    'config': ('config.h', 'proxy.h', 'args.h', 'load.h', 'report.h', 'paths.h', 'life.h', 'options.h', 'units.h', 'man.h'),
    'actors/kernel': ALL,
    'actors/msg': ALL,
    'actors/fetch': ('web.h', 'address_filter.h', 'resolve.h'),
    'actors/state': ('state.h',),
    'actors/status': ('status.h',),
    'actors/ports': ('ports.h',),
    'actors/doctor': ('doctor.h',),
    'http/access': ALL,
    'http/server': ('server.h', 'streaming.h', 'pour.h', 'range.h', 'form.h'),
    'http/dialect': ALL,
}

LIBRARIES = {
    'crypt.h': {'http/access/basic.c'},
    # Between our threads go pointers, without a thread of ZeroMQ's; strangers are met in another context.
    'zmq.h': {'actors/kernel/mailbox.c', 'actors/status/outlet.c'},
    'zlib.h': {'http/server/gzip.c', 'actors/blocklist/unpack.c'},
    'curl/curl.h': {'actors/fetch/priv.h', 'http/ctl/client.c'},
    'ares.h': {'actors/fetch/dns.c'},
    'miniupnpc/': {'actors/portmap/upnp.c'},
    'openssl/': {'proto/meta/hash.c', 'proto/mse/dh.c', 'proto/dht/ed25519.c'},
}
ONE_FILE = ('sqlite3.h', 'liburing.h')
HTTP_ONLY = ('jansson.h', 'microhttpd.h')


def includes(folder):
    """Yields (place, path, is_system, name) for the C files of a folder and those below it."""
    for path in lib_tree.files('.c', '.h', '.def', under=folder):
        for place, match in lib_tree.findall(INCLUDE, path, lib_tree.read(path)):
            yield place, path, match.group(1) == '<', match.group(2)


def product_includes():
    for folder in lib_tree.PRODUCT:
        yield from includes(folder)


def check_proto():
    for place, _, system, name in includes('proto'):
        if system and name not in PURE and not name.startswith('openssl/'):
            yield f'{place}: proto is pure and may not include <{name}>'


def check_folders():
    for place, path, system, name in product_includes():
        here, there = os.path.dirname(path), os.path.dirname(name)
        if name.startswith('build/'):
            continue  # what the build makes for this file alone
        if not system and here != there and there not in MAY.get(here, ()):
            yield f'{place}: {here} may not include "{name}" (tests/lint/layers.py, MAY)'


def check_acyclic():
    done = set()

    def visit(folder, above):
        if folder in above:
            return above[above.index(folder):] + [folder]
        if folder in done:
            return None
        done.add(folder)
        for below in MAY.get(folder, ()):
            circle = visit(below, above + [folder])
            if circle:
                return circle
        return None
    for folder in MAY:
        circle = visit(folder, [])
        if circle:
            yield ' -> '.join(circle)
            return


def check_homes():
    """Every source lies in a folder of the table: none lies flat in proto/, actors/ or http/."""
    for folder in lib_tree.PRODUCT:
        for path in lib_tree.files('.c', '.h', under=folder):
            if os.path.dirname(path) not in MAY:
                yield f'{path}: {os.path.dirname(path)} is not in the table of folders (tests/lint/layers.py, MAY)'


ROW = r'^\| `([a-z0-9]+(?:/[a-z0-9]+)?)` \|[^|]*\| ([^|;]*)[^|]*\|$'


def check_page():
    """docs/architecture.md shows the same table: the last part of each name, what is behind a semicolon is for people."""
    page = lib_tree.read('docs/architecture.md')
    shown = {match.group(1): set(match.group(2).replace('nothing', '').replace(',', ' ').split())
             for _, match in lib_tree.findall(ROW, 'docs/architecture.md', page)}
    for folder, below in MAY.items():
        names = {name.rsplit('/', 1)[-1] for name in below}
        if folder not in shown:
            yield f'docs/architecture.md: the table of folders lacks {folder}, which stands on {", ".join(sorted(names))}'
        elif shown[folder] != names:
            yield (f'docs/architecture.md: {folder} stands on {", ".join(sorted(names)) or "nothing"} (MAY), '
                   f'the page says {", ".join(sorted(shown[folder])) or "nothing"}')
    for folder in sorted(set(shown) - set(MAY)):
        yield f'docs/architecture.md: {folder} is not in MAY'


TRIP = r'^\*\*[^*\n]+\*\*.*?(?=^\s*$)'


def check_trips():
    """The trips of docs/architecture.md: files that are there, each once."""
    page = lib_tree.read('docs/architecture.md')
    trips = re.findall(TRIP, page.partition('## Five trips')[2].partition('\n## ')[0] + '\n', re.MULTILINE | re.DOTALL)
    if len(trips) != 5:
        yield f'docs/architecture.md: there are {len(trips)} of the five trips'
    for trip in trips:
        name = trip.split('**')[1]
        files = re.findall(r'`([\w/]+/\w+\.(?:c|def))`', trip)
        for path in files:
            if not os.path.exists(os.path.join(lib_tree.ROOT, path)):
                yield f'docs/architecture.md: {name}: there is no {path}'
        for path in sorted({path for path in files if files.count(path) > 1}):
            yield f'docs/architecture.md: {name}: {path} is passed twice'


def is_face(name):
    folder, base = os.path.split(name)
    faces = FACES.get(folder, ())
    if faces is ALL:
        return not base.endswith('priv.h')
    return base in faces


def check_faces():
    for place, path, system, name in product_includes():
        if system or not name.endswith('.h') or os.path.dirname(path) == os.path.dirname(name):
            continue
        if not is_face(name):
            yield f'{place}: "{name}" is private to {os.path.dirname(name)} (tests/lint/layers.py, FACES)'


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
    ('every source has a home', check_homes),
    ('L1: folders include only what they stand on', check_folders),
    ('L1: no circle among folders', check_acyclic),
    ('L1: docs/architecture.md shows the same folders', check_page),
    ('docs/architecture.md: the five trips pass files that are there, each once', check_trips),
    ('L2: a header that is no face stays in its folder', check_faces),
    ('libraries stay in their files', check_libraries),
    ('sqlite and uring are in one file each', check_one_file),
    ('headers are named from the root', check_paths),
])
