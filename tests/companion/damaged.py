#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each file of the trees is damaged in 16 ways, and something else stands in its place in 5: the
companion may refuse, it may not crash, hang or read past the tree.

usage: damaged.py [--seconds N] [--seed N] PROGRAM TREE...       TREE: a file of trees/

A file that several trees have alike is damaged once. The commands take turns. --seconds: no file is
begun after that; what was done is printed. Code 1 and the first finding if there is one.
"""
import argparse
import os
import random
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
COMMANDS = ["list --json", "check", "status", "import", "explain 01:00.0", "plan", "cmdline", "export json",
            "list --by group --why", "complete remove", "add 01:00.0 --dry-run --force"]
LIMIT = 60  # seconds, of one run
CODE_MAX = 7  # commands.h
LARGE = 70000  # more than one line or one read may have


def flip(data, at):
    data = bytearray(data)
    if data:
        data[at % len(data)] ^= 1 << at % 8
    return bytes(data)


def damages(data, lot):
    half = len(data) // 2
    return [
        b"", data[:half], data[:-1], data[half:], data + data, data + b"\0",
        flip(data, 0), flip(data, lot.randrange(1 << 20)), flip(data, len(data) - 1),
        data.replace(b"\n", b"\0"), data.replace(b"\n", b""), data.replace(b"0", b"9"),
        data[:half] + b"A" * LARGE + data[half:], b"\xff" * (len(data) + 1),
        bytes(lot.randrange(256) for _ in range(len(data) % 4096)), b"-1\n",
    ]


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as s:
        folder = os.open(os.path.dirname(path), os.O_PATH)
        s.bind(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
        os.close(folder)


# The link leads to a file of this machine, which must not be read.
OTHERS = [os.mkfifo, os.mkdir, make_socket, lambda path: os.symlink(os.path.basename(path), path),
          lambda path: os.symlink(os.path.abspath(__file__), path)]


def put(path, data):
    with open(path, "wb") as file:
        file.write(data)


class Runs:
    def __init__(self, program, found):
        self.program, self.found, self.count = program, found, 0
        # What a sanitizer finds in a child, which its parent only sees end, is in a file.
        options = f"exitcode=77:log_path={found}/log"
        self.variables = {**os.environ, "ASAN_OPTIONS": options, "UBSAN_OPTIONS": "print_stacktrace=1:" + options}

    def run(self, tree, what):
        command = COMMANDS[self.count % len(COMMANDS)]
        self.count += 1
        try:
            done = subprocess.run([self.program, *command.split(), "--sysroot", tree], stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=LIMIT, check=False, env=self.variables)
        except subprocess.TimeoutExpired:
            sys.exit(f"{what}: {command}: does not end")
        if done.returncode < 0 or done.returncode > CODE_MAX:
            sys.exit(f"{what}: {command}: code {done.returncode}: {done.stderr.decode(errors='replace')[-3000:]}")
        for log in os.listdir(self.found):
            with open(os.path.join(self.found, log), encoding="utf-8", errors="replace") as file:
                sys.exit(f"{what}: {command}: {file.read()[:3000]}")
        if b"it may not crash, hang" in done.stdout + done.stderr:
            sys.exit(f"{what}: {command}: shows a file of this machine")


def damage_file(runs, tree, path, lot):
    with open(path, "rb") as file:
        data = file.read()
    mode = os.stat(path).st_mode & 0o777
    name = os.path.relpath(path, os.path.dirname(tree))
    os.rename(path, path + ".kept")
    for number, damaged in enumerate(damages(data, lot)):
        put(path, damaged)
        os.chmod(path, mode)
        runs.run(tree, f"{name}, way {number}")
        os.unlink(path)
    for number, other in enumerate(OTHERS):
        other(path)
        runs.run(tree, f"{name}, other {number}")
        (os.rmdir if other is os.mkdir else os.unlink)(path)
    os.rename(path + ".kept", path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("program")
    parser.add_argument("trees", nargs="+")
    args = parser.parse_args()
    lot, seen, files = random.Random(args.seed), set(), 0
    end = time.monotonic() + args.seconds if args.seconds else None
    trees = list(args.trees)
    lot.shuffle(trees)
    with tempfile.TemporaryDirectory() as found, tempfile.TemporaryDirectory() as work:
        runs = Runs(os.path.abspath(args.program), found)
        for source in trees:
            tree = os.path.join(work, os.path.basename(source).removesuffix(".tree"))
            subprocess.run([sys.executable, os.path.join(HERE, "mktree.py"), source, tree], check=True)
            paths = sorted(os.path.join(folder, name) for folder, _, names in os.walk(tree) for name in names)
            for path in paths:
                if os.path.islink(path) or not os.path.isfile(path):
                    continue
                with open(path, "rb") as file:
                    key = (os.path.basename(path), file.read())
                if key in seen or (end and time.monotonic() > end):
                    continue
                seen.add(key)
                damage_file(runs, tree, path, lot)
                files += 1
        print(f"{runs.count} runs, {files} files: none crashed, hung or left its tree"
              + ("; the time was up" if end and time.monotonic() > end else ""))


if __name__ == "__main__":
    main()
