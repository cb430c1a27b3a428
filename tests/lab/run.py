"""Runs the lab's cases and judges them. Called by run.sh, which prepares what it needs.

Usage: run.py --preinit FILE [--stage FOLDER] [--all] [--jobs N] [NAME...]

Without NAME: the boots of `make test`; with --all every boot. A NAME chooses among all of
them: SUITE/GENERATOR/CASE, or the beginning of a case's name; * stands for anything.

One line per boot goes to standard output; what the machines are at goes to standard error.

A case is a file of cases/; its docstring is what it shows. It says
    CONFIG      folder of config/ that its image and disk are made with
    EARLYBIND   "installed", "none", or "appended": the image is made without it, and
                `earlybind image --append` adds it, to run as PID 1
    CMDLINE     what is added to the kernel command line
    ON          optional: platforms that it boots on (platforms.py); else HOME
    TEST_ON     optional: those of them that `make test` boots; else HOME, or the first
    DEVICES     optional: further arguments for QEMU
    IDENTITIES  optional: further entries for lab_identity.ko
    PLUG        optional: devices to plug in after boot, as arguments of QMP's device_add;
                the guest asks for them (guest/usr/lib/lab/late)
    INSERT      optional: modules of the lab, or of the kernel if they are not compressed,
                that are loaded before /init in this order, with parameters;
                "xclmgmt.ko probe_ms=20000 &" is loaded meanwhile
    LIMIT       optional: seconds that the boot may take, if not the usual limit
    TYPE        optional: pairs of a pattern to wait for on the console, and a line to type
    SESSIONS    optional: how many boots there are, one after another with the same disk; at
                each the guest types the commands of its config's session.N, and the next boot
                has the image that is then on the disk. check() gets the last one's facts;
                those of the others are in boot-N/facts beside them.
    LAST        optional: what is added to the command line of the last of them
    VMHOST      optional: True for a second disk, of the label vmhost, with QEMU and libvirt (vmhost.sh)
    IOMMU       optional: False if the machine is to come up without IOMMU groups
    check(facts, native)
                raises Wrong; `native` are the facts of the first case, which has no
                earlybind, on the same release
"""

import argparse
import concurrent.futures
import fnmatch
import json
import os
import pathlib
import runpy
import signal
import sys
import threading
import time

from facts import Facts, Wrong
from machine import BOOT_LIMIT, BUILD, LAB, TOP, LabError, Machine, cached, make_disk, put_image, run, take_image, vm_host
from platforms import HOME, SUITES

NATIVE = "01-native-wins"

# Limit of a boot in which images are made, in seconds.
SESSION_LIMIT = 1500


class Case:
    """One file of cases/."""

    def __init__(self, path):
        self.name = path.stem
        names = runpy.run_path(str(path))
        self.config = names["CONFIG"]
        self.earlybind = names["EARLYBIND"]
        self.cmdline = names["CMDLINE"]
        self.devices = names.get("DEVICES", "").split()
        self.identities = names.get("IDENTITIES", [])
        self.plug = names.get("PLUG", [])
        self.type = names.get("TYPE", [])
        self.insert = names.get("INSERT", [])
        self.limit = names.get("LIMIT", SESSION_LIMIT if "SESSIONS" in names else BOOT_LIMIT)
        self.sessions = names.get("SESSIONS", 0)
        self.last = names.get("LAST", "")
        self.iommu = names.get("IOMMU", True)
        self.vmhost = names.get("VMHOST", False)
        self.in_group = names.get("IN_GROUP", [])
        self.has_slept = names.get("HAS_SLEPT", False)
        self.check = names["check"]
        self.on = names.get("ON", [HOME])
        self.test_on = names.get("TEST_ON", [HOME] if HOME in self.on else self.on[:1])


class Boot:
    """A case on a platform."""

    def __init__(self, case, platform):
        self.case = case
        self.suite, self.generator = platform.split("/")
        self.name = f"{platform}/{case.name}"
        self.passed = False
        self.seconds = 0

    def is_native(self):
        """Whether other boots are compared with this one."""
        return self.case.name == NATIVE

    def is_chosen(self, word):
        """Whether a NAME of the command line means this boot."""
        if "/" in word:
            return fnmatch.fnmatch(self.name, word + ("" if word.count("/") == 2 else "/*"))
        return fnmatch.fnmatch(self.case.name, word + "*")


class Run:
    """All that the boots of one run share."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.results = pathlib.Path(os.environ.get("RESULTS") or BUILD / "results.tsv")
        self.lock = threading.Lock()
        self.machines = []
        # By release, the facts of the first case once it has booted.
        self.native = {}

    def image(self, boot, folder):
        """The folder with the image of a boot, and what it adds to the command line."""
        stage = self.options.stage
        if boot.case.earlybind != "none" and not stage:
            raise LabError("earlybind could not be built and installed (see above)")
        with_it = [stage] if boot.case.earlybind == "installed" else []
        image = cached("image.sh", boot.suite, boot.generator, boot.case.config, *with_it)
        if boot.case.earlybind != "appended":
            return image, {}
        return self.append(boot, image, folder)

    def append(self, boot, image, folder):
        """The image with earlybind appended; `next` makes it PID 1 after the lab's part."""
        base = cached("base.sh", boot.suite)
        to = folder / "appended"
        to.mkdir()
        (to / "files").symlink_to(image / "files")
        command = [f"{self.options.stage}/usr/bin/earlybind", "image"]
        command += ["--append", str(image / "initrd.img"), "--output", str(to / "initrd.img")]
        command += ["--binder", f"{self.options.stage}/usr/lib/earlybind/binder"]
        command += ["--kernel", (base / "version").read_text().strip()]
        command += ["--sysroot", str(base / "tree")]
        command += ["--config", str(LAB / "config/table/root/etc/earlybind.conf")]
        run(command, folder / "lab.log")
        (to / "next").write_text("/usr/lib/earlybind/binder\n")
        return to, {"next": to / "next"}

    def boot(self, boot):
        """Boots one machine; gives its facts."""
        base = cached("base.sh", boot.suite)
        machine = Machine(self.folder / boot.name, base)
        image, extra = self.image(boot, machine.folder)
        with self.lock:
            self.machines.append(machine)
        self.say(f"{boot.name}: booting")
        begin = time.monotonic()
        case = boot.case
        more = {
            "devices": case.devices + (vm_host(boot.suite) if case.vmhost else []),
            "extra": extra,
            "insert": case.insert,
            "identities": case.identities,
            "plug": case.plug,
            "limit": case.limit,
            "typed": case.type,
        }
        if case.sessions:
            self.boot_sessions(machine, image, case, more)
        else:
            machine.boot(image, case.cmdline, self.options.preinit, **more)
        boot.seconds = time.monotonic() - begin
        return Facts(machine.folder / "facts", boot.generator)

    def boot_sessions(self, machine, image, case, more):
        """The boots of a case with SESSIONS."""
        disk = machine.folder / "kept.img"
        version = (machine.base / "version").read_text().strip()
        make_disk(machine.base, image / "files", disk, machine.log)
        put_image(image / "initrd.img", version, disk, machine.log)
        more |= {"disk": disk}
        for number in range(1, case.sessions + 1):
            cmdline = f"{case.cmdline} lab.session={number}"
            if number == case.sessions:
                cmdline += f" {case.last}"
            machine.boot(image, cmdline, self.options.preinit, **more)
            if number < case.sessions:
                kept = machine.folder / f"boot-{number}"
                kept.mkdir()
                for name in ("facts", "console.log"):
                    (machine.folder / name).rename(kept / name)
                take_image(disk, kept / "initrd.img", machine.log)
                image = kept
        disk.unlink()

    def run_boot(self, boot):
        """Boots and judges one case; prints its line."""
        native = self.native[boot.suite]
        try:
            try:
                facts = self.boot(boot)
                facts.check_machine(boot.case.iommu, boot.case.in_group, boot.case.has_slept)
            except Exception as error:
                if boot.is_native():
                    native.set_exception(error)
                raise
            if boot.is_native():
                native.set_result(facts)
            try:
                native_facts = native.result()
            except Exception:
                raise LabError(f"{NATIVE} has no facts to compare with") from None
            boot.case.check(facts, native_facts)
            reason = None
        except (Wrong, LabError, OSError) as error:
            reason = " ".join(str(error).split())
        except (KeyError, TypeError, AttributeError) as error:
            reason = f"the report lacks something: {error!r}"
        boot.passed = reason is None
        self.tell(boot, reason)

    def tell(self, boot, reason):
        """Prints the line of a boot and adds it to the results."""
        where = self.folder / boot.name
        if where.is_relative_to(TOP):
            where = where.relative_to(TOP)
        with self.lock:
            if reason is None:
                print(f"PASS lab: {boot.name} ({boot.seconds:.0f} s)", flush=True)
            else:
                print(f"FAIL lab: {boot.name}: {reason} (artefacts: {where})", flush=True)
            self.results.parent.mkdir(parents=True, exist_ok=True)
            with open(self.results, "a", encoding="utf-8") as out:
                row = ["pass", "lab", boot.name]
                if reason is not None:
                    row = ["fail", "lab", boot.name, reason]
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
                name = machine.folder.relative_to(self.folder)
                self.say(f"{name}: {machine.milestone()}")

    def stop(self):
        """Ends every machine that runs."""
        with self.lock:
            machines = list(self.machines)
        for machine in machines:
            machine.stop()


def choose(cases, options):
    """The boots that are wanted; the first case of every release comes with them, first."""
    every = [Boot(c, p) for c in cases for p in c.on]
    if options.names:
        chosen = [b for b in every if any(b.is_chosen(w) for w in options.names)]
        for word in options.names:
            if not any(b.is_chosen(word) for b in every):
                names = "\n  ".join(b.name for b in every)
                sys.exit(f"lab: there is no boot {word}; there are:\n  {names}")
    elif options.all:
        chosen = every
    else:
        chosen = [b for b in every if b.name.rpartition("/")[0] in b.case.test_on]
    suites = {b.suite for b in chosen}
    chosen += [b for b in every if b.is_native() and b.suite in suites and b not in chosen]
    # By release: what its boots share is made once, while those of the one before run.
    return sorted(chosen, key=lambda b: (SUITES.index(b.suite), not b.is_native()))


def write_summary(path, boots, options, seconds):
    """What matrix.py makes its table from."""
    bases = {suite: cached("base.sh", suite) for suite in {b.suite for b in boots}}
    packages = {
        suite: dict(line.split() for line in (base / "packages").read_text().splitlines())
        for suite, base in bases.items()
    }
    rows = [
        {
            "suite": b.suite,
            "generator": b.generator,
            "kernel": (bases[b.suite] / "version").read_text().strip(),
            "packages": packages[b.suite],
            "case": b.case.name,
            "passed": b.passed,
            "seconds": round(b.seconds, 1),
        }
        for b in boots
    ]
    summary = {
        "run": "some" if options.names else "all" if options.all else "test",
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "seconds": round(seconds),
        "boots": rows,
    }
    path.write_text(json.dumps(summary, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stage")
    parser.add_argument("--preinit", required=True)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()

    cases = [Case(path) for path in sorted((LAB / "cases").glob("[0-9]*.py"))]
    boots = choose(cases, options)
    begin = time.monotonic()
    run_ = Run(options, BUILD / "lab")
    run_.native = {b.suite: concurrent.futures.Future() for b in boots}

    # A signal ends the machines, which ends the threads that wait for them.
    def interrupted(number, _frame):
        run_.stop()
        os._exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)

    # The first case is the first to be taken up, so nobody waits for it in vain.
    done = threading.Event()
    progress = threading.Thread(target=run_.tell_progress, args=(done,))
    progress.start()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(run_.run_boot, boots))
    done.set()
    progress.join()
    write_summary(BUILD / "lab/boots.json", boots, options, time.monotonic() - begin)
    return 0 if all(b.passed for b in boots) else 1


if __name__ == "__main__":
    sys.exit(main())
