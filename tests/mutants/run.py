#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the tests see small bugs: applies each of list.txt in a copy of the tree, and runs its tests.

usage: run.py [--only WORD,...] [--bad] [--search TEST,...] [--seconds N] [--limit N] [--jobs N]
              [--results FILE] [--again]

Each bug is a line or two that are replaced. Its tests (unit tests, or parts of the companion suite)
must then fail: caught. A bug whose tests pass survived. A copy that does not build is broken, and so
is one whose text stands in the file not exactly once. What FILE (build/mutants.tsv) has already is
not done again; --again begins anew, --bad does again what survived or was broken. --only: bugs with
one of these words in their name. --search: what survives is tried against these unit tests too, and
the one that catches it is named. --seconds: no new one is begun after that; --limit: of one build
or test (300). --jobs: copies that work beside each other (1); one of them has all bugs of a file, so
that a bug costs the compiler one file, and two where the file changes. Code 1 if one survived that has no "survives:", or is broken.
"""
import argparse
import concurrent.futures
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))


def read_list():
    mutants = []
    with open(os.path.join(HERE, "list.txt"), encoding="utf-8") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if line.startswith("- "):
                mutants[-1]["old"].append(line[2:])
            elif line.startswith("+ "):
                mutants[-1]["new"].append(line[2:])
            elif line and not line.startswith("#"):
                words, _, why = line.partition(" survives: ")
                name, file, *tests = words.split()
                mutants.append({"name": name, "file": file, "tests": tests, "why": why, "old": [], "new": []})
    return mutants


def run(limit, folder, *command, **variables):
    """Exit code; None: the time was up, and all that it started is gone."""
    with tempfile.TemporaryFile() as log, \
         subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                          start_new_session=True, env={**os.environ, **variables}) as process:
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None


def make_copy(folder):
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, check=True, capture_output=True).stdout
    for name in tracked.decode().split("\0"):
        source = os.path.join(TOP, name)
        if name and os.path.lexists(source):
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            shutil.copy2(source, os.path.join(folder, name), follow_symlinks=False)
    # With what is built already; objects know what they are made from.
    build = os.path.join(TOP, "build")
    large = shutil.ignore_patterns("lab*", "fuzz*", "coverage*", "debug*", "dist*", "plain*", "image*", "rpm*")
    if os.path.isdir(build):
        shutil.copytree(build, os.path.join(folder, "build"), symlinks=True,
                        ignore=lambda path, names: large(path, names) if path == build else [])


def is_well(folder, test, limit):
    """Whether a test passes; None: it does not build."""
    if test.startswith("part:"):
        if run(limit, folder, "make", "build/earlybind") != 0:
            return None
        return run(limit, folder, "tests/companion/run.sh", test[5:], RESULTS=os.path.join(folder, "build/mutant.tsv"),
                   EARLYBIND=os.path.join(folder, "build/earlybind"), BINDER=os.path.join(folder, "build/binder")) == 0
    program = f"build/check/test_{test}"
    if run(limit, folder, "make", program) != 0:
        return None
    return run(limit, folder, program) == 0


def search(folder, limit, tests):
    """Which of the unit tests fails with the bug that is in the folder now."""
    programs = [f"build/check/test_{test}" for test in tests]
    if not programs or run(limit, folder, "make", *programs) != 0:
        return "survived"
    for test, program in zip(tests, programs):
        if run(limit, folder, program) != 0:
            return f"survived, but {test} catches it"
    return "survived"


def judge(mutant, folder, limit, passing, others):
    path = os.path.join(folder, mutant["file"])
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for test in mutant["tests"]:
        if test not in passing:
            passing[test] = is_well(folder, test, limit)
        if not passing[test]:
            return f"broken: {test} fails without it"
    old, new = "\n".join(mutant["old"]) + "\n", "\n".join(mutant["new"]) + "\n"
    if ("\n" + text).count("\n" + old) != 1:
        return "broken: its text stands in the file not exactly once"
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(("\n" + text).replace("\n" + old, "\n" + new)[1:])
        for test in mutant["tests"]:
            well = is_well(folder, test, limit)
            if well is None:
                return "broken: it does not build, or not in time"
            if not well:
                return f"caught by {test}"
        return search(folder, limit, others)
    finally:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def work(todo, lock, results, args):
    """Does what is left of @todo, a file's bugs at a time, in a copy of its own."""
    end = time.monotonic() + args.seconds if args.seconds else None
    passing = {}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        make_copy(folder)
        # All of it is compiled anew, since commands name the folder; as long as that takes.
        if run(None, folder, "make", "build/check/libbinder.a", "build/earlybind", "build/binder") != 0:
            raise RuntimeError("the copy of the tree does not build")
        while True:
            with lock:
                if not todo:
                    return
                mutants = todo.pop(0)
            for mutant in mutants:
                start = time.monotonic()
                if end and start > end:
                    return
                what = judge(mutant, folder, args.limit, passing, args.search)
                with lock:
                    results[mutant["name"]] = what
                    print(f"{mutant['name']}: {what} ({time.monotonic() - start:.0f} s)", flush=True)
                    with open(args.results + ".new", "w", encoding="utf-8") as file:
                        file.writelines(f"{name}\t{what}\n" for name, what in results.items())
                    os.replace(args.results + ".new", args.results)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", type=lambda words: words.split(","), default=[""])
    parser.add_argument("--bad", action="store_true")
    parser.add_argument("--search", type=lambda words: words.split(","), default=[])
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--limit", type=float, default=300)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--results", default=os.path.join(TOP, "build/mutants.tsv"))
    parser.add_argument("--again", action="store_true")
    args = parser.parse_args()
    results, todo, lock = {}, {}, threading.Lock()
    if os.path.exists(args.results) and not args.again:
        with open(args.results, encoding="utf-8") as lines:
            results = dict(line.rstrip("\n").split("\t") for line in lines)
    mutants = [m for m in read_list() if any(word in m["name"] for word in args.only)]
    if args.bad:
        results = {name: what for name, what in results.items() if what.startswith("caught")}
    for mutant in mutants:
        if mutant["name"] not in results:
            todo.setdefault(mutant["file"], []).append(mutant)
    # The longest first: no copy ends long after the others.
    todo = sorted(todo.values(), key=len, reverse=True)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        workers = [pool.submit(work, todo, lock, results, args) for _ in range(min(args.jobs, len(todo)))]
    for worker in workers:
        worker.result()
    done = [(m, results[m["name"]]) for m in mutants if m["name"] in results]
    count = {word: sum(what.startswith(word) for _, what in done) for word in ("caught", "survived", "broken")}
    bad = [m["name"] for m, what in done if what.startswith("broken") or (what.startswith("survived") and not m["why"])]
    print(f"{len(done)} of {len(mutants)} bugs: {count['caught']} caught, {count['survived']} survived, "
          f"{count['broken']} broken" + (f"; to look at: {', '.join(bad)}" if bad else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
