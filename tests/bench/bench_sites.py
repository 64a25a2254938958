# SPDX-License-Identifier: MIT
"""Who allocates: reads the table of call chains that count.c keeps, and names them."""
import bisect
import os
import struct
import subprocess

DEPTH = 15  # as in count.c
SITE = struct.Struct(f'{1 + DEPTH}Q')


class Sites:
    """The table of one process, and what is mapped where in it."""

    def __init__(self, path, pid):
        self.path, self.pid, self.maps = path, pid, []

    def take(self):
        """{chain of return addresses: calls} as of now."""
        with open(self.path, 'rb') as file:
            rows = list(SITE.iter_unpack(file.read()))
        with open(f'/proc/{self.pid}/maps', encoding='utf-8') as file:
            for line in file:
                words = line.split()
                if len(words) == 6 and 'x' in words[1] and words[5].startswith('/'):
                    begin, end = (int(x, 16) for x in words[0].split('-'))
                    self.maps.append((begin, end, int(words[2], 16), words[5]))
        self.maps = sorted(set(self.maps))
        found = {}
        for n, *chain in rows:
            if n:
                chain = tuple(filter(None, chain))
                found[chain] = found.get(chain, 0) + n
        return found

    def place(self, address):
        """(file, offset in it) of the call before a return address."""
        i = bisect.bisect_right(self.maps, (address - 1, 1 << 64)) - 1
        if i < 0 or address > self.maps[i][1]:
            return '?', address
        begin, _, offset, path = self.maps[i]
        return path, address - 1 - begin + offset

    def names(self, addresses):
        """{address: words}"""
        files, named = {}, {}
        for address in addresses:
            path, offset = self.place(address)
            files.setdefault(path, {})[offset] = address
        for path, offsets in files.items():
            words = symbols(path, list(offsets))
            for (_, address), word in zip(offsets.items(), words):
                named[address] = word
        return named

    def report(self, before, after, unit):
        """Lines: calls per unit of each chain that allocated between two takings, most first."""
        more = {chain: n - before.get(chain, 0) for chain, n in after.items() if n > before.get(chain, 0)}
        names = self.names({address for chain in more for address in chain})
        for chain, n in sorted(more.items(), key=lambda row: -row[1]):
            yield f'{n / unit:10.1f}  ' + ' < '.join(names[address] for address in chain)


def symbols(path, offsets):
    base = os.path.basename(path)
    if not os.path.exists(path):
        return [f'{base}+{o:#x}' for o in offsets]
    told = subprocess.run(['addr2line', '-sfe', path] + [f'{virtual(path, o):#x}' for o in offsets], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.split('\n')
    words = []
    for i, offset in enumerate(offsets):
        name, line = (told + ['??'] * 2 * len(offsets))[2 * i:2 * i + 2]
        where = line.split(' ')[0] if not line.startswith('??') else base
        words.append(f'{name if name != "??" else hex(offset)} ({where})')
    return words


def virtual(path, offset):
    """The address that a place in an ELF file has in its symbol table."""
    with open(path, 'rb') as file:
        head = file.read(64)
        table, size, n = *struct.unpack_from('<Q', head, 32), *struct.unpack_from('<HH', head, 54)
        file.seek(table)
        for row in struct.iter_unpack('<IIQQQQQQ', file.read(size * n)):
            if row[0] == 1 and row[2] <= offset < row[2] + row[5]:
                return offset - row[2] + row[3]
    return offset
