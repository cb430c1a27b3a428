#!/usr/bin/python3
"""How the files depend on each other, from the symbols of their objects.

Usage: nm -A OBJECT... | mk/graph.py BUILD/release/ [--quiet] [TEST-SOURCE...]

Prints the circles of files, and how many of the exported symbols only one other file uses: within
a folder, across folders, and of both those that a test uses as well; those that are left without
tests and main.c have no other reason to be exported than where a file ends. Code 1 if a circle has more
than CIRCLE_MAX files, or there were no objects.
"""

import collections
import os
import re
import sys

CIRCLE_MAX = 4


def read(lines, root):
    home, uses = {}, collections.defaultdict(set)
    for line in lines:
        file, _, rest = line.partition(":")
        kind, symbol = rest.split()[-2:]
        file = os.path.splitext(file.removeprefix(root))[0]
        if kind == "U":
            uses[symbol].add(file)
        elif kind.isupper():
            home[symbol] = file
    return home, uses


def circles(graph):
    """Sets of files that reach each other."""
    def reach(start):
        seen, left = set(), [start]
        while left:
            for file in graph[left.pop()] - seen:
                seen.add(file)
                left.append(file)
        return seen
    reached = {file: reach(file) for file in list(graph)}
    return {frozenset(other for other in reached[file] if file in reached.get(other, ()))
            for file in reached if file in reached[file]}


def main():
    root, *others = sys.argv[1:]
    home, uses = read(sys.stdin, root)
    words = set()
    for file in others:
        if file.endswith((".c", ".h")):
            with open(file, encoding="utf-8") as source:
                words |= set(re.findall(r"\w+", source.read()))
    graph = collections.defaultdict(set)
    for symbol, files in uses.items():
        for file in files - {home.get(symbol)}:
            if symbol in home:
                graph[file].add(home[symbol])
    found = sorted(circles(graph), key=len, reverse=True)
    alone = {symbol: next(iter(uses[symbol])) for symbol in home if len(uses[symbol]) == 1}
    within = {symbol for symbol, user in alone.items() if os.path.dirname(user) == os.path.dirname(home[symbol])}
    if "--quiet" not in others:
        for circle in found:
            print(f"circle of {len(circle)}: {' '.join(sorted(circle))}")
        print(f"{len(set(home.values()))} objects, {len(home)} exported symbols")
        print(f"used by one other file: {len(alone)}; within a folder {len(within)}, of which tests use "
              f"{len(within & words)}; across folders {len(alone) - len(within)}, of which tests use "
              f"{len((alone.keys() - within) & words)}")
        doors = {symbol for symbol, user in alone.items() if os.path.basename(user) == "main"}
        print(f"neither a command that main.c calls nor what a test calls: {len(alone.keys() - words - doors)}")
    too_large = [circle for circle in found if len(circle) > CIRCLE_MAX]
    for circle in too_large:
        print(f"a circle of more than {CIRCLE_MAX} files: {' '.join(sorted(circle))}")
    return 1 if too_large or not home else 0


if __name__ == "__main__":
    sys.exit(main())
