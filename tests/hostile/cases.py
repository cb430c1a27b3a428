#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the hostile cases. usage: cases.py WORK [CASE...], as root of namespaces of its own."""
import os
import shutil
import signal
import subprocess
import sys
import time

import case_devices
import case_modules
import case_places
import case_process
from machine import Failure, Machine

CASE_SECONDS = 300


def embed(tools, build, work):
    """A binder with a table: its rules are those of the command line of other cases."""
    conf = os.path.join(work, "rules.conf")
    with open(conf, "w", encoding="ascii") as out:
        out.write("bind 10ee:5000\nbind 10de:2204\noption timeout=4\noption recovery-timeout=2\n")
    tools["table"] = os.path.join(work, "binder-with-table")
    subprocess.run([os.path.join(build, "earlybind"), "embed", "--binder", tools["binder"],
                    "--config", conf, "--output", tools["table"]], check=True,
                   stdout=subprocess.DEVNULL)


def run_case(function, work, tools):
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    machine = Machine(work, tools)
    signal.alarm(CASE_SECONDS)
    try:
        function(machine)
    except (Failure, OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
        machine.close()
    return None


def give_up(_number, _frame):
    raise Failure(f"the case did not end within {CASE_SECONDS} s")


def main():
    signal.signal(signal.SIGALRM, give_up)
    work, wanted, build = sys.argv[1], sys.argv[2:], os.environ["BUILD"]
    tools = {"binder": os.path.join(build, "binder"), "work": work}
    embed(tools, build, work)
    failures = 0
    with open(os.environ["RESULTS"], "a", encoding="utf-8", buffering=1) as results:
        for cases in (case_places, case_devices, case_modules, case_process):
            for name, function in cases.CASES:
                if wanted and not any(word in name for word in wanted):
                    continue
                started = time.monotonic()
                reason = run_case(function, os.path.join(work, "case"), tools)
                seconds = time.monotonic() - started
                if reason:
                    line = reason.replace("\n", " ").replace("\t", " ")[:600]
                    results.write(f"fail\thostile\t{name}\t{line}\n")
                    print(f"FAIL hostile: {name}: {reason}", flush=True)
                    failures += 1
                else:
                    results.write(f"pass\thostile\t{name}\n")
                    print(f"PASS hostile: {name} ({seconds:.1f} s)", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
