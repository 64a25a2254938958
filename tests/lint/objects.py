#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Objects and messages are what they say: checked where they are handed in, cast down by one macro, named alike in the log."""
import os
import re

import lib_tree

# A function whose braces stand alone in the first column: its head, and its body.
FUNCTION = re.compile(r'^(?P<head>[A-Za-z_][^;{}#]*?)\n\{\n(?P<body>.*?)^\}', re.DOTALL | re.MULTILINE)
STRUCT = re.compile(r'^struct (\w+) \{\n\s*uint32_t magic;', re.MULTILINE)
PARAMETER = re.compile(r'(?:^|,)\s*(?:const )?struct (\w+) \*(\w+)\s*$')
# What checks the object for the caller.
CHECKS = ('CHECK_OBJ', 'actor_check_thread', 'life_of')

LOG = (r'\blog_event\(\s*[^,]+,\s*"(\w+)",\s*((?:"(?:\\.|[^"\\])*"|PRI\w+|\s)+)')


def product(*suffixes):
    for folder in lib_tree.PRODUCT:
        yield from lib_tree.files(*suffixes, under=folder)


def objects():
    """(folder, name) of the structs that begin with a magic: who else sees them has no business in them."""
    return {(os.path.dirname(path), name)
            for path in product('.c', '.h') for name in STRUCT.findall(lib_tree.code(path))}


def parameters(head):
    """(name, [(struct, parameter)]) of a function that is exported; None of another."""
    match = re.match(r'(?!static\b)[\w \*]*?(\w+)\((.*)\)\s*$', head, re.DOTALL)
    if match is None or 'static ' in head:
        return None
    found = [PARAMETER.search(' '.join(p.split())) for p in match.group(2).split(',')]
    return match.group(1), [(m.group(1), m.group(2)) for m in found if m]


def is_checked(name, body):
    if re.match(r'[^{}]*?(?:' + name + r'->magic = |memset\(' + name + r', 0|\*' + name + r' = \(struct )', body):
        return True  # it makes one
    use = re.search(r'(?<![\w.>])' + name + r'\s*->', body)
    check = re.search(r'\b(?:' + '|'.join(CHECKS) + r')\(\(?' + name + r'\b', body)
    return use is None or (check is not None and check.start() < use.start())


def check_objects():
    """Whoever only passes an object on leaves it to the function that looks into it."""
    known = objects()
    for path in product('.c'):
        text = lib_tree.code(path)
        for match in FUNCTION.finditer(text):
            found = parameters(match.group('head'))
            for struct, name in found[1] if found else ():
                if (os.path.dirname(path), struct) in known and not is_checked(name, match.group('body')):
                    line = text.count('\n', 0, match.start()) + 1
                    yield f'{path}:{line}: {found[0]}() looks into {name} before CHECK_OBJ'


def check_casts():
    for path in lib_tree.files('.c', '.h'):
        text = lib_tree.code(path)
        for place, _ in lib_tree.findall(r'\(struct msg \*\*\)\s*[&(\w]', path, text):
            yield f'{place}: a pointer to another pointer is no struct msg **: take the address of its h'
        if path.startswith('tests/') or path == 'actors/msg/msg.h':
            continue
        for place, match in lib_tree.findall(r'\((?:const )?struct (m_\w+) \*\)\s*[(&*\w]', path, text):
            yield f'{place}: MSG_AS(NAME, m) is the checked cast to struct {match.group(1)}'


def check_log_keys():
    """One torrent can be followed through the log, and so can one error."""
    for path in product('.c'):
        text = lib_tree.read(path)
        for place, match in lib_tree.findall(LOG, path, text):
            event, form = match.groups()
            keys = re.findall(r'(\w+)=', ''.join(re.findall(r'"((?:\\.|[^"\\])*)"', form)))
            for key in ('torrent', 'hash', 'infohash', 'slot'):
                if key in keys:
                    yield f'{place}: {event}: a torrent is ih= and the first 8 digits of its info-hash, not {key}='
            if 'row' in keys and 'ih' not in keys:
                yield f'{place}: {event}: row= says nothing to who reads the log: ih='
            if 'error' in keys:
                yield f'{place}: {event}: an error is err=, not error='


lib_tree.run([
    ('objects are checked where they are handed in', check_objects),
    ('messages are cast down by MSG_AS', check_casts),
    ('the log says ih= and err=', check_log_keys),
])
