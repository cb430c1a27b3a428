"""Runs the lab's cases and judges them. Called by run.sh, which prepares what it needs.

Usage: run.py --preinit FILE [--stage FOLDER] [--suite SUITE] [--jobs N] [CASE...]

One line per case goes to standard output; what the machines are at goes to standard error.

A case is a file of cases/; its docstring is what it shows. It says
    CONFIG      folder of config/ that its image and disk are made with
    EARLYBIND   whether earlybind is installed
    CMDLINE     what is added to the kernel command line
    DEVICES     optional: further arguments for QEMU
    IOMMU       optional: False if the machine is to come up without IOMMU groups
    check(facts, native)
                raises Wrong; `native` are the facts of the first case, which has no earlybind
"""

import argparse
import concurrent.futures
import os
import pathlib
import runpy
import signal
import sys
import threading
import time

from facts import Facts, Wrong
from machine import BUILD, LAB, TOP, LabError, Machine, cached

NATIVE = "01-native-wins"


class Case:
    """One file of cases/."""

    def __init__(self, path):
        self.name = path.stem
        names = runpy.run_path(str(path))
        self.config = names["CONFIG"]
        self.earlybind = names["EARLYBIND"]
        self.cmdline = names["CMDLINE"]
        self.devices = names.get("DEVICES", "").split()
        self.iommu = names.get("IOMMU", True)
        self.check = names["check"]


class Run:
    """All that the cases of one run share."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.results = pathlib.Path(os.environ.get("RESULTS") or BUILD / "results.tsv")
        self.lock = threading.Lock()
        self.machines = []
        # The facts of the first case, once it has booted: others are compared with them.
        self.native = concurrent.futures.Future()

    def boot(self, case):
        """Boots the machine of one case; gives its facts."""
        stage = []
        if case.earlybind:
            if not self.options.stage:
                raise LabError("earlybind could not be built and installed (see above)")
            stage = [self.options.stage]
        image = cached("image.sh", self.options.suite, case.config, *stage)
        machine = Machine(self.folder / case.name, cached("base.sh", self.options.suite))
        with self.lock:
            self.machines.append(machine)
        self.say(f"{case.name}: booting")
        begin = time.monotonic()
        machine.boot(image, case.cmdline, self.options.preinit, case.devices)
        return Facts(machine.folder / "facts"), time.monotonic() - begin

    def run_case(self, case):
        """Boots and judges one case; prints its line. True if it passed."""
        seconds = 0
        try:
            try:
                facts, seconds = self.boot(case)
                facts.check_machine(case.iommu)
            except Exception as error:
                if case.name == NATIVE:
                    self.native.set_exception(error)
                raise
            if case.name == NATIVE:
                self.native.set_result(facts)
            try:
                native = self.native.result()
            except Exception:
                raise LabError(f"{NATIVE} has no facts to compare with") from None
            case.check(facts, native)
            reason = None
        except (Wrong, LabError, OSError) as error:
            reason = " ".join(str(error).split())
        except (KeyError, TypeError, AttributeError) as error:
            reason = f"the report lacks something: {error!r}"
        self.tell(case.name, seconds, reason)
        return reason is None

    def tell(self, name, seconds, reason):
        """Prints the line of a case and adds it to the results."""
        where = self.folder / name
        if where.is_relative_to(TOP):
            where = where.relative_to(TOP)
        with self.lock:
            if reason is None:
                print(f"PASS lab: {name} ({seconds:.0f} s)", flush=True)
            else:
                print(f"FAIL lab: {name}: {reason} (artefacts: {where})", flush=True)
            self.results.parent.mkdir(parents=True, exist_ok=True)
            with open(self.results, "a", encoding="utf-8") as out:
                row = ["pass", "lab", name] if reason is None else ["fail", "lab", name, reason]
                out.write("\t".join(row) + "\n")

    @staticmethod
    def say(text):
        """Progress, as lib.sh prints it."""
        start = int(os.environ.get("LAB_START", time.time()))
        print(f"lab: [{int(time.time()) - start:3d} s] {text[:66]}", file=sys.stderr, flush=True)

    def tell_progress(self, done):
        """Says every ten seconds what the machines are at, until `done` is set."""
        while not done.wait(10):
            with self.lock:
                machines = [m for m in self.machines if m.is_running()]
            for machine in machines:
                self.say(f"{machine.folder.name}: {machine.milestone()}")

    def stop(self):
        """Ends every machine that runs."""
        with self.lock:
            machines = list(self.machines)
        for machine in machines:
            machine.stop()


def choose(cases, wanted):
    """The cases whose names begin so; the first case comes with them."""
    if not wanted:
        return cases
    chosen = [c for c in cases if any(c.name.startswith(w) for w in wanted)]
    for word in wanted:
        if not any(c.name.startswith(word) for c in cases):
            sys.exit(f"lab: there is no case {word}; there are: {' '.join(c.name for c in cases)}")
    return [c for c in cases if c in chosen or c.name == NATIVE]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stage")
    parser.add_argument("--preinit", required=True)
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("cases", nargs="*")
    options = parser.parse_args()

    cases = [Case(path) for path in sorted((LAB / "cases").glob("[0-9]*.py"))]
    cases = choose(cases, options.cases)
    run = Run(options, BUILD / "lab")

    # A signal ends the machines, which ends the threads that wait for them.
    def interrupted(number, _frame):
        run.stop()
        os._exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)

    # The first case is the first to be taken up, so nobody waits for it in vain.
    done = threading.Event()
    progress = threading.Thread(target=run.tell_progress, args=(done,))
    progress.start()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        passed = list(pool.map(run.run_case, cases))
    done.set()
    progress.join()
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
