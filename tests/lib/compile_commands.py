# SPDX-License-Identifier: MIT
"""Reads what `make -Bn` would run and prints compile_commands.json."""
import json
import os
import re
import shlex
import sys

COMPILE = re.compile(r'(?:^|; )([^;]* -c -o \S+ (\S+\.c))$')


def main():
    found = {}
    for line in sys.stdin:
        match = COMPILE.search(line.strip())
        if match:
            arguments = [word for word in shlex.split(match.group(1)) if not word.endswith('ccache')]
            found[match.group(2)] = {'directory': os.getcwd(), 'file': match.group(2), 'arguments': arguments}
    json.dump(list(found.values()), sys.stdout, indent=1)
    print()


if __name__ == '__main__':
    main()
