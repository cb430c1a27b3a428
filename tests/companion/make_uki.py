#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes a unified kernel image: a program of EFI with sections and nothing that runs.

usage: make_uki.py FILE NAME=CONTENT...      NAME=@FILE takes a file; .cmdline='ro quiet'
"""
import struct
import sys


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sections = []
    for word in sys.argv[2:]:
        name, _, data = word.partition("=")
        if data.startswith("@"):
            with open(data[1:], "rb") as source:
                sections.append((name, source.read()))
        else:
            sections.append((name, data.encode()))
    offset = 64 + 24 + 40 * len(sections)
    head = b"MZ".ljust(0x3c, b"\0") + struct.pack("<I", 64)
    head += b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, len(sections), 0, 0, 0, 0, 0)
    body = b""
    for name, data in sections:
        room = len(data) + -len(data) % 16
        head += name.encode().ljust(8, b"\0") + struct.pack(
            "<IIIIIIHHI", len(data), offset, room, offset + len(body), 0, 0, 0, 0, 0)
        body += data.ljust(room, b"\0")
    with open(sys.argv[1], "wb") as out:
        out.write(head + body)


main()
