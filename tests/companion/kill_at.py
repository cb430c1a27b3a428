#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a kill leaves of a tree that a program changes.

Usage: kill_at.py [--root ROOT] TREE FOLDER... -- PROGRAM ARGUMENT...

The program runs on TREE, the current folder's, or with ROOT as its root folder; at the start
and the end of each of its system calls it is stopped. What it has started goes on, and is waited
for. A kill there leaves the files as they are then: each file below TREE/FOLDER must be as before
the run or as after it. Only a name that no program takes for configuration may stand beside them,
and nobody but its owner may read that file unless the file beside it is as open.

Whenever the files have changed, the program is also killed there for real, on a copy, and
run again: it must end as if it had not been killed, and leave nothing.
"""

import ctypes
import os
import shutil
import signal
import sys

LEFTOVER = ".earlybind-new"
TRACEME, SYSCALL, SETOPTIONS = 0, 24, 0x4200
SET_CHILD_SUBREAPER = 36
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


def start(command, trace, root):
    pid = os.fork()
    if pid == 0:
        null = os.open("/dev/null", os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        if trace:
            libc.ptrace(TRACEME, 0, None, None)
            os.kill(os.getpid(), signal.SIGSTOP)
        if root:
            os.chroot(root)
            os.chdir("/")
        os.execv(command[0], command)
    return pid


def run(command, root):
    status = os.waitstatus_to_exitcode(os.waitpid(start(command, False, root), 0)[1])
    if status != 0:
        sys.exit(f"exit code {status}")


def wait_for_orphans():
    try:
        while True:
            os.wait()
    except ChildProcessError:
        pass


def traced(command, stop, root):
    """Calls stop() at each system call until it says true, which kills; the number of stops."""
    pid = start(command, True, root)
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
            wait_for_orphans()
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
    words, root = sys.argv[1:], None
    if words[0] == "--root":
        root, words = words[1], words[2:]
    split = words.index("--")
    tree, folders, command = words[0], words[1:split], words[split + 1 :]
    libc.prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    fresh, before = tree + ".fresh", read(tree, folders)
    shutil.copytree(tree, fresh, symlinks=True)

    def again():
        shutil.rmtree(tree)
        shutil.copytree(fresh, tree, symlinks=True)

    run(command, root)
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
    stops = traced(command, look, root)
    if read(tree, folders) != after:
        sys.exit("it ends in another way when it is traced")
    for at, state in enumerate(states):
        again()
        traced(command, lambda s=state: read(tree, folders) == s, root)
        # What it has started may have changed more meanwhile.
        if read(tree, folders) not in states[at:]:
            sys.exit("killed, it leaves something else")
        run(command, root)
        if read(tree, folders) != after:
            sys.exit("run again after a kill, it does not end as without one: "
                     f"{sorted(read(tree, folders))}")
    shutil.rmtree(fresh)
    print(f"{stops} stops, {len(states)} states of the files")


if __name__ == "__main__":
    main()
