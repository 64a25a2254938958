#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes the seed inputs of the bencode and metainfo fuzz targets."""
import os
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.join(TESTS, "fuzz", "corpus")
sys.path.insert(0, os.path.join(TESTS, "lib"))
from bencode import bencode  # noqa: E402: the path to it comes first


def write(target, name, data):
    folder = os.path.join(ROOT, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


BENCODE = {
    "int": b"i-9223372036854775808e",
    "int-overflow": b"i9223372036854775808e",
    "int-minus-zero": b"i-0e",
    "int-zeros": b"i007e",
    "int-empty": b"ie",
    "str": b"4:spam",
    "str-empty": b"0:",
    "str-short": b"9:spam",
    "str-length-overflow": b"18446744073709551616:a",
    "list": bencode([1, "a", [], {}, [[2]]]),
    "dict": bencode({"": 1, "a": {"b": ["c"]}, "zz": "x" * 300}),
    "dict-unsorted": b"d1:bi1e1:ai2ee",
    "dict-duplicate": b"d1:ai1e1:ai2ee",
    "dict-no-value": b"d1:ae",
    "dict-int-key": b"di1ei2ee",
    "deep": b"l" * 64 + b"e" * 64,
    "too-deep": b"l" * 65 + b"e" * 65,
    "trailing": b"lex",
    "krpc": bencode({"a": {"id": b"\xff" * 20}, "q": "ping", "t": "aa", "y": "q"}),
    "tracker": bencode({"interval": 1800, "peers": b"\x7f\0\0\1\x1a\xe1" * 3}),
}


def info(**kw):
    d = {"name": "n", "piece length": 16384, "pieces": b"h" * 20}
    d.update({k.replace("_", " "): v for k, v in kw.items()})
    return {k: v for k, v in d.items() if v is not None}


def torrent(i, **kw):
    d = {"info": i}
    d.update({k.replace("_", "-"): v for k, v in kw.items()})
    return bencode(d)


def entry(length, *path, **kw):
    return dict({"length": length, "path": list(path)}, **kw)


METAINFO = {
    "single": torrent(info(length=10), announce="http://t/announce", comment="c"),
    "private": torrent(info(length=10, private=1)),
    "multi": torrent(info(files=[entry(3, "a", "b"), entry(0, "e"), entry(7, "c")])),
    "tiers": torrent(info(length=1), announce="a", announce_list=[["b", "c"], [" d "], "e", [1]]),
    "urls": torrent(info(length=1), url_list=["http://a/", "http://b/"]),
    "url": torrent(info(length=1), url_list="http://a/"),
    "traversal": torrent(info(files=[entry(5, "..", "..", "etc", "passwd"), entry(5, "a/../b")])),
    "collision": torrent(info(files=[entry(1, "a"), entry(1, "a"), entry(1, "a", "b"), entry(1, "a.1")])),
    "pads": torrent(info(files=[entry(3, "a"), entry(5, ".pad", "5", attr="p"),
                                entry(2, "_____padding_file_0")])),
    "symlink": torrent(info(files=[entry(0, "l", attr="l", **{"symlink path": [".."]}), entry(9, "l", attr="x")])),
    "latin1": torrent({**info(files=[entry(9, b"caf\xe9")]), "name": b"\xe4\xf6\xfc"}),
    "utf8": torrent({**info(files=[{**entry(9, "x"), "path.utf-8": ["\u00e4\u202e"]}]), "name.utf-8": "\u20ac"}),
    "long-name": torrent(info(name="\u20ac" * 200 + ".mkv", length=9)),
    "no-name": torrent(info(name="..", length=9)),
    "v2": bencode({"info": {"file tree": {}, "meta version": 2, "name": "n", "piece length": 16384}}),
    "hybrid": torrent({**info(length=9), "meta version": 2, "file tree": {}}),
    "unsorted": b"d4:infod4:name1:n6:lengthi9e12:piece lengthi16e6:pieces20:" + b"h" * 20 + b"ee\n",
    "pieces-twice": b"d4:infod4:name1:n6:lengthi9e12:piece lengthi16e6:pieces20:" + b"h" * 20 +
                    b"6:pieces20:" + b"i" * 20 + b"ee",
    "pieces-39": torrent(info(length=9, pieces=b"h" * 39)),
    "pieces-few": torrent(info(length=99999)),
    "pieces-none": torrent(info(length=9, pieces=None)),
    "empty": torrent(info(length=0, pieces=b"")),
    "negative": torrent(info(files=[entry(-5, "a"), entry(14, "b")])),
    "overflow": torrent(info(files=[entry(2**63 - 1, "a"), entry(2**63 - 1, "b")])),
    "truncated": torrent(info(length=9))[:-5],
}

if __name__ == "__main__":
    for name, data in BENCODE.items():
        write("bencode", name, data)
    for name, data in METAINFO.items():
        write("metainfo", name, data)
