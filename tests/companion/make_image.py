#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes an image of the initramfs.

usage: make_image.py SHAPE BINDER FILE [RELEASE [PATH=TEXT...]]

SHAPE is one of images.SHAPES, or "booster"; BINDER goes into it, "-" for none. The files PATH are
added.
"""
import sys

import images


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    shape, binder, path = sys.argv[1:4]
    release = sys.argv[4] if len(sys.argv) > 4 else images.RELEASE
    data = b""
    if binder != "-":
        with open(binder, "rb") as source:
            data = source.read()
    if shape == "booster":
        tree = {"init": images.script(), "etc/booster.init.yaml": images.file()}
    else:
        tree = images.SHAPES[shape](data)
    if not data:
        tree.pop(images.BINDER, None)
    tree = {name.replace(images.RELEASE, release): entry for name, entry in tree.items()}
    for more in sys.argv[5:]:
        name, text = more.split("=", 1)
        tree[name] = images.file(text + "\n")
    with open(path, "wb") as out:
        out.write(images.cpio(tree))


main()
