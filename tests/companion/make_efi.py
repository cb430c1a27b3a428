#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the entry of the firmware that started a boot, as efibootmgr does, into a tree.

usage: make_efi.py TREE NUMBER LABEL PARTITION PROGRAM OPTIONS
"""
import os
import struct
import sys

GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
ATTRIBUTES = struct.pack("<I", 7)


def words(text):
    return text.encode("utf-16-le")


def node(kind, subtype, data):
    return struct.pack("<BBH", kind, subtype, 4 + len(data)) + data


def write(tree, name, data):
    folder = os.path.join(tree, "sys/firmware/efi/efivars")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, f"{name}-{GLOBAL}"), "wb") as out:
        out.write(ATTRIBUTES + data)


def main():
    if len(sys.argv) != 7:
        sys.exit(__doc__)
    tree, number, label, partition, program, options = sys.argv[1:]
    path = (node(4, 1, struct.pack("<I", int(partition)) + bytes(34))
            + node(4, 4, words(program + "\0")) + node(0x7f, 0xff, b""))
    write(tree, "BootCurrent", struct.pack("<H", int(number, 16)))
    write(tree, f"Boot{number}", struct.pack("<IH", 1, len(path)) + words(label + "\0")
          + path + words(options))


main()
