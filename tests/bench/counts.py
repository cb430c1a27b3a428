#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts what the programs do on trees of files: instructions by callgrind, system calls by
strace. Unlike times they are the same on every machine, so that a change of the code shows. (Page
faults are not: they differ by a third from run to run. make bench counts them in the lab.)

usage: counts.py [--write] BUILD

Compares with tests/bench/counts.tsv, beside this file, and fails where a count differs by more
than the tolerance: 2 %, and 4 system calls. --write writes the file anew. The counts
belong to the compiler that is named in its head: with another one nothing is compared.

"its worker" is the process that reads modprobe.d, with what the binder did until it forked: it runs
only where a file there has options of vfio's modules, as in the run before it. The runs of the binder are dry runs (--sysroot): nothing is
bound.
"""
import ctypes
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE / "counts.tsv"
COMPANION = HERE.parent / "companion"
PR_SET_CHILD_SUBREAPER = 36
TOLERANCE = 0.02
LEAST = {"instructions": 0, "calls": 4}

IDS = "intel_iommu=on vfio-pci.ids=10ee:5000,10ee:5001"


def rules(count):
    """A command line with so many rules, the last of which match the card."""
    words = [f"rd.earlybind.bind=1d0f:{n:04x};optional" for n in range(count - 2)]
    return " ".join(["intel_iommu=on", *words, "vfio-pci.ids=10ee:5000,10ee:5001"])


# The tree, the program's words behind --sysroot TREE. "matching": without --sysroot.
RUNS = {
    "binder, off": ("alveo", ["binder", "--cmdline", IDS + " rd.earlybind=0"]),
    "binder, no rule": ("alveo", ["binder", "--cmdline", "intel_iommu=on quiet"]),
    "binder, 2 IDs": ("alveo", ["binder", "--cmdline", IDS]),
    "binder, modprobe.d": ("refused", ["binder", "--cmdline", IDS]),
    "binder, 100 rules": ("alveo", ["binder", "--cmdline", rules(100)]),
    "binder, 900 rules, 32 KiB": ("alveo", ["binder", "--cmdline", rules(900)]),
    "binder, 1,000 functions": ("1000", ["binder", "--cmdline", IDS]),
    "binder, 10,000 functions": ("10000", ["binder", "--cmdline", IDS]),
    "earlybind plan": ("alveo", ["earlybind", "plan"]),
    "earlybind list": ("alveo", ["earlybind", "list"]),
    "earlybind list, 1,000 functions": ("1000", ["earlybind", "list"]),
    "earlybind list --json, 1,000 functions": ("1000", ["earlybind", "list", "--json"]),
    "matching, no rule": ("1000", ["matching", "0"]),
    "matching, 100 mixed rules": ("1000", ["matching", "1"]),
    "matching, 100 IDs": ("1000", ["matching", "2"]),
    "matching, 100 rules, plan": ("1000", ["matching", "3"]),
    "matching, 100 for all, plan": ("1000", ["matching", "4"]),
}


def command(build, tree, words):
    program, *rest = words
    if program == "matching":
        return [str(build / program), str(tree), *rest]
    return [str(build / program), *rest, "--sysroot", str(tree)]


def run(words, **more):
    """Runs it with the same few variables of the environment everywhere."""
    return subprocess.run(words, env={"PATH": os.environ["PATH"], "LC_ALL": "C"}, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False,
                          **more)


def instructions(words, work):
    """Of the process, and of its children together."""
    for old in work.glob("callgrind.*"):
        old.unlink()
    run(["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={work}/callgrind.%p",
         *words], stderr=subprocess.DEVNULL)
    # Nobody waits for a worker: it may still write what it counted.
    try:
        while os.wait():
            pass
    except ChildProcessError:
        pass
    totals = {}
    for file in work.glob("callgrind.*"):
        # Of a child that is killed there is none.
        found = re.search(r"^totals: (\d+)$", file.read_text(), re.MULTILINE)
        if found:
            totals[int(file.suffix[1:])] = int(found[1])
    first = min(totals)
    return totals.pop(first), sum(totals.values())


def calls(words, work):
    """System calls of the process and its children."""
    log = work / "strace"
    run(["strace", "-f", "-qq", "-o", str(log), *words], stderr=subprocess.DEVNULL)
    return sum(1 for line in log.read_text().splitlines()
               if "resumed>" not in line and "+++" not in line and "---" not in line)


def count_all(build, work):
    """The rows of the table by name."""
    for tree in sorted({tree for tree, _ in RUNS.values()}):
        made = ([str(COMPANION / "big.py"), tree, str(work / tree)] if tree.isdigit() else
                [str(COMPANION / "mktree.py"), str(COMPANION / "trees" / f"{tree}.tree"),
                 str(work / tree)])
        subprocess.run(made, check=True)
    rows = {}
    for name, (tree, words) in RUNS.items():
        whole = command(build, work / tree, words)
        own, children = instructions(whole, work)
        rows[name] = {"instructions": own, "calls": calls(whole, work)}
        if name == "binder, modprobe.d":
            rows["its worker"] = {"instructions": children, "calls": 0}
        print(f"  {name:40}{own:>12,} instructions{rows[name]['calls']:>9,} calls", flush=True)
    return rows


def compiler():
    return subprocess.run(["cc", "--version"], capture_output=True, text=True,
                          check=True).stdout.splitlines()[0]


def read_table():
    """The compiler of the file, and its rows."""
    head, rows = "", {}
    for line in TABLE.read_text().splitlines():
        if line.startswith("# compiler: "):
            head = line.removeprefix("# compiler: ")
        elif line and not line.startswith("#"):
            name, *fields = line.split("\t")
            rows[name] = dict(zip(LEAST, map(int, fields)))
    return head, rows


def write_table(rows):
    lines = ["# What the programs do on trees of files: written by make bench-counts WRITE=1,",
             "# compared by make bench-counts (tests/bench/counts.py).",
             f"# compiler: {compiler()}",
             "# name, instructions, system calls"]
    lines += ["\t".join([name, *(str(row[kind]) for kind in LEAST)]) for name, row in
              rows.items()]
    TABLE.write_text("\n".join(lines) + "\n")


def compare(rows, was):
    """How many counts are not what the file says. One that fell is to be written down, too."""
    wrong = 0
    for name in sorted(set(rows) | set(was)):
        for kind, least in LEAST.items():
            new, old = rows.get(name, {}).get(kind), was.get(name, {}).get(kind)
            if new is None or old is None or abs(new - old) > max(least, old * TOLERANCE):
                wrong += 1
                print(f"counts: {name}: {kind}: {new}, was {old}")
    return wrong


def main():
    words = [word for word in sys.argv[1:] if word != "--write"]
    if len(words) != 1:
        sys.exit(__doc__)
    # What its parent left is a child of this process.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    work = pathlib.Path(tempfile.mkdtemp(dir=place))
    try:
        rows = count_all(pathlib.Path(words[0]).resolve(), work)
    finally:
        shutil.rmtree(work)
    if "--write" in sys.argv:
        write_table(rows)
        return
    head, was = read_table()
    if head != compiler():
        print(f"counts: not compared: tests/bench/counts.tsv is of {head}")
        return
    wrong = compare(rows, was)
    if wrong:
        sys.exit(f"counts: {wrong} counts are not those of tests/bench/counts.tsv: "
                 "find out why, then make bench-counts WRITE=1")
    print("counts: all as in tests/bench/counts.tsv")


main()
