# SPDX-License-Identifier: MIT
"""Bencode (BEP 3), written and read."""


def bencode(value):
    if isinstance(value, bool):
        raise TypeError('bencode has no booleans')
    if isinstance(value, int):
        return b'i%de' % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, (bytes, bytearray)):
        return b'%d:%s' % (len(value), bytes(value))
    if isinstance(value, (list, tuple)):
        return b'l' + b''.join(bencode(v) for v in value) + b'e'
    if isinstance(value, dict):
        items = sorted((k.encode() if isinstance(k, str) else k, v) for k, v in value.items())
        return b'd' + b''.join(bencode(k) + bencode(v) for k, v in items) + b'e'
    raise TypeError(type(value))


def decode_at(data, at):
    lead = data[at:at + 1]
    if lead == b'i':
        end = data.index(b'e', at)
        return int(data[at + 1:end]), end + 1
    if lead == b'l':
        out, at = [], at + 1
        while data[at:at + 1] != b'e':
            value, at = decode_at(data, at)
            out.append(value)
        return out, at + 1
    if lead == b'd':
        out, at = {}, at + 1
        while data[at:at + 1] != b'e':
            key, at = decode_at(data, at)
            out[key], at = decode_at(data, at)
        return out, at + 1
    colon = data.index(b':', at)
    size = int(data[at:colon])
    return data[colon + 1:colon + 1 + size], colon + 1 + size


def bdecode(data):
    value, end = decode_at(data, 0)
    if end != len(data):
        raise ValueError('bytes after the value')
    return value
