#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes an index of depmod's in which a search goes in circles, as a damaged one may (kmod: libkmod-index.c).

usage: circle_index.py FILE
"""
import struct
import sys

MAGIC, VERSION = 0xB007F457, 0x00020001
HAS_PREFIX, HAS_CHILDREN = 0x80000000, 0x20000000
ROOT = HAS_PREFIX | HAS_CHILDREN | 12  # behind the head

# A node that any name matches, with itself as the child behind each letter that matches all.
node = b"\0" + b"**" + struct.pack(">I", ROOT)
with open(sys.argv[1], "wb") as index:
    index.write(struct.pack(">III", MAGIC, VERSION, ROOT) + node)
