#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Damages what the companion reads and runs it: it may refuse, it may not crash.

usage: mutate.py SEED COUNT FILE COMMAND...    "@" in COMMAND stands for the damaged file

MUTATE_SHARE=N: one Nth of COUNT, where a run takes longer.
"""
import os
import random
import subprocess
import sys
import tempfile

HOT = 4096  # bytes at both ends that are hit more often: headers


def damage(data, chance):
    data = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        place = chance.choice((chance.randrange(len(data)),
                               chance.randrange(min(HOT, len(data))),
                               len(data) - 1 - chance.randrange(min(HOT, len(data)))))
        data[place] = chance.choice((0, 0xff, 0x7f, data[place] ^ 1 << chance.randrange(8)))
    return data[:chance.randrange(len(data))] if chance.random() < 0.2 else data


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    chance = random.Random(int(sys.argv[1]))
    count = int(sys.argv[2]) // int(os.environ.get("MUTATE_SHARE", 1))
    with open(sys.argv[3], "rb") as file:
        original = file.read()
    with tempfile.NamedTemporaryFile() as file:
        command = [file.name if word == "@" else word for word in sys.argv[4:]]
        for number in range(count):
            data = damage(original, chance)
            with open(file.name, "wb") as out:
                out.write(data)
            done = subprocess.run(command, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=60, check=False)
            if done.returncode < 0 or done.returncode > 7:
                sys.exit(f"mutation {number}: ended with {done.returncode}")


main()
