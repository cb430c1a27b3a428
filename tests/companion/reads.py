#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How many times a program reads: the read system calls of PROGRAM ARGUMENT..., as the kernel counts.

Usage: reads.py PROGRAM ARGUMENT...
"""

import os
import subprocess
import sys

child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
# It has ended, but is still there to be asked.
os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
with open(f"/proc/{child.pid}/io", encoding="ascii") as counts:
    print(next(line.split()[1] for line in counts if line.startswith("syscr:")))
child.wait()
