#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a kill leaves of a tree that a program changes.

Usage: kill_at.py TREE FOLDER... -- PROGRAM ARGUMENT...

The program runs on TREE, the current folder's; at the start and the end of each of its system
calls it is stopped. A kill there leaves the files as they are then: each file below TREE/FOLDER
must be as before the run or as after it. Only a name that no program takes for
configuration may stand beside them, and nobody but its owner may read that file unless the file
beside it is as open.

Whenever the files have changed, the program is also killed there for real, on a copy, and
run again: it must end as if it had not been killed, and leave nothing.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys

LEFTOVER = ".earlybind-new"
TRACEME, SYSCALL, SETOPTIONS = 0, 24, 0x4200
SYSGOOD, EXITKILL = 1, 0x100000
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def read(tree, folders):
    """{path: (mode, content)}"""
    found = {}
    for folder in folders:
        for where, _, names in os.walk(os.path.join(tree, folder)):
            for name in names:
                path = os.path.join(where, name)
                with open(path, "rb") as file:
                    mode = os.fstat(file.fileno()).st_mode & 0o7777
                    found[os.path.relpath(path, tree)] = (mode, file.read())
    return found


def start(command, trace):
    pid = os.fork()
    if pid == 0:
        null = os.open("/dev/null", os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        if trace:
            libc.ptrace(TRACEME, 0, None, None)
            os.kill(os.getpid(), signal.SIGSTOP)
        os.execv(command[0], command)
    return pid


def run(command):
    status = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
    if status != 0:
        sys.exit(f"exit code {status}")


def traced(command, stop):
    """Calls stop() at each system call until it says true, which kills; the number of stops."""
    pid = start(command, True)
    os.waitpid(pid, 0)
    libc.ptrace(SETOPTIONS, pid, None, SYSGOOD | EXITKILL)
    stops = pending = 0
    while True:
        libc.ptrace(SYSCALL, pid, None, pending)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            return stops
        pending = os.WSTOPSIG(status)
        if pending != signal.SIGTRAP | 0x80:
            pending = 0 if pending == signal.SIGTRAP else pending
            continue
        pending = 0
        stops += 1
        if stop():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return stops


def judge(now, before, after):
    for path, (mode, content) in now.items():
        if os.path.basename(path) == LEFTOVER:
            if mode & 0o077 and (mode, content) not in after.values():
                sys.exit(f"{path} can be read with mode {mode:o}")
        elif (mode, content) not in (before.get(path), after.get(path)):
            sys.exit(f"{path} is neither as before nor as after: {mode:o} {content[:200]}")
    for path in before:
        if path in after and path not in now:
            sys.exit(f"{path} is gone for a moment")


def main():
    split = sys.argv.index("--")
    tree, folders, command = sys.argv[1], sys.argv[2:split], sys.argv[split + 1 :]
    fresh, before = tree + ".fresh", read(tree, folders)
    shutil.copytree(tree, fresh, symlinks=True)

    def again():
        shutil.rmtree(tree)
        shutil.copytree(fresh, tree, symlinks=True)

    run(command)
    after = read(tree, folders)
    if after == before:
        sys.exit("the program changes nothing")
    states = []

    def look():
        now = read(tree, folders)
        if not states or now != states[-1]:
            judge(now, before, after)
            states.append(now)

    again()
    stops = traced(command, look)
    if read(tree, folders) != after:
        sys.exit("it ends in another way when it is traced")
    for state in states:
        again()
        traced(command, lambda s=state: read(tree, folders) == s)
        if read(tree, folders) != state:
            sys.exit("killed, it leaves something else")
        run(command)
        if read(tree, folders) != after:
            sys.exit("run again after a kill, it does not end as without one: "
                     f"{sorted(read(tree, folders))}")
    shutil.rmtree(fresh)
    print(f"{stops} stops, {len(states)} states of the files")


if __name__ == "__main__":
    main()
