#!/usr/bin/python3
"""Puts a mark of its own into everything in a tree that a recording could take over.

Usage: mark.py TREE        prints the marks, one "MARK WHERE" a line

Every file gets one at the end of its first line and one as a line of its own; every folder a file
and a folder whose names are marks; every folder of links a link to a name that is a mark.
"""
import os
import sys

count = 0


def mark(where):
    global count
    count += 1
    text = f"qz{count:05d}zq"
    print(text, where)
    return text


def mark_file(path):
    with open(path, "rb") as f:
        lines = f.read().split(b"\n")
    lines[0] += b" " + mark(path + " (first line)").encode()
    lines.append(mark(path + " (own line)").encode())
    with open(path, "wb") as f:
        f.write(b"\n".join(lines) + b"\n")


def main(tree):
    for folder, folders, files in list(os.walk(tree)):
        links = [n for n in folders + files if os.path.islink(f"{folder}/{n}")]
        for name in files:
            if name not in links:
                mark_file(f"{folder}/{name}")
        where = os.path.relpath(folder, tree)
        for ending in ("", ".conf", ".json", ".cfg", ".efi"):
            name = mark(f"{where} (name of a file){ending}")
            with open(f"{folder}/{name}{ending}", "w") as f:
                f.write(f"bind vfio {mark(where + ' (its content)')}\nroot={mark(where)}\n")
        os.makedirs(f"{folder}/{mark(where + ' (name of a folder)')}/slaves")
        os.symlink("../" + mark(where + " (target)"), f"{folder}/{mark(where + ' (link)')}")


main(sys.argv[1])
