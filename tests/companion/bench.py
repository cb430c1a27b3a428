#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How long earlybind list and plan take on 10,000 functions, beside a loop that only reads, and
what a hundred rules cost (tests/bench/matching.c).

usage: bench.py EARLYBIND MATCHING [COUNT]

Prints processor time (the best of several runs) and its ratio to the loop's. What a program
costs on this machine at this moment is no pass or fail.
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
RUNS = 3


def seconds(*command):
    best = None
    for _ in range(RUNS):
        child = os.fork()
        if child == 0:
            null = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)
            os.execvp(command[0], command)
        usage = os.wait4(child, 0)[2]
        used = usage.ru_utime + usage.ru_stime
        best = used if best is None else min(best, used)
    return best


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    earlybind, matching = sys.argv[1:3]
    count = sys.argv[3] if len(sys.argv) == 4 else "10000"
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as work:
        tree, floor = os.path.join(work, "tree"), os.path.join(work, "floor")
        subprocess.run([os.path.join(HERE, "big.py"), count, tree], check=True)
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", floor,
                        os.path.join(HERE, "floor.c")], check=True)
        base = seconds(floor, os.path.join(tree, "sys"))
        print(f"{count} functions: reading {base:.3f} s")
        for words in (["list"], ["list", "--json"], ["plan"], ["plan", "--json"]):
            used = seconds(earlybind, *words, "--sysroot", tree)
            print(f"  earlybind {' '.join(words):12} {used:.3f} s  {used / base:.1f} times")
        print(f"{count} functions, medians of processor time:", flush=True)
        subprocess.run([matching, tree], check=True)


main()
