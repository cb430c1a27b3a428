"""Boots the lab's machine, lets bench.c measure in its initramfs, prints the medians.

Usage: bench.py --stage FOLDER --programs FOLDER [--suite SUITE]

Three boots. In the first two the guest's clock is this machine's; one has two processors, the
other one: with two, the emulator also counts what waking the other one costs it, which grows
with what else this machine does. In the third the clock advances by 2 ns with every
instruction of the only processor, and at once to the next timer when that is idle: the
figures are the same on a busy machine and an idle one, to a tenth of a percent, and tell
whether a change of the binder made it faster. They leave out what TCG spends on new code,
which is most of what a shell script costs here.

The numbers are of an emulated machine; their ratios are what counts. Goals that are missed
are said, and are no failure: a measurement that fails a build is measured until it passes.
"""

import argparse
import pathlib
import re
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lab"))

from machine import BUILD, MACHINE, LabError, Machine, cached  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent

TITLES = {"floor": "floor", "binder": "binder", "shell": "shell recipe"}

# What the binder asks for; the kernel's dependencies come with them.
WANTED = ["vfio_iommu_type1", "vfio_pci"]


def module_files(base):
    """The files of the vfio modules as paths in the guest, each after what it depends on."""
    version = (base / "version").read_text().strip()
    folder = f"/lib/modules/{version}"
    depends = {}
    for line in (base / "tree" / folder.lstrip("/") / "modules.dep").read_text().splitlines():
        path, _, needs = line.partition(":")
        depends[path] = needs.split()
    files = []

    def add(path):
        for need in depends[path]:
            add(need)
        if path not in files:
            files.append(path)

    for name in WANTED:
        pattern = re.compile(rf".*/{name.replace('_', '[-_]')}\.ko(\..*)?")
        add(next(path for path in depends if pattern.fullmatch(path)))
    return [f"{folder}/{path}" for path in files]


def counting(machine):
    """The machine with a clock that counts instructions."""
    machine = machine.replace(
        "-accel tcg,thread=multi", "-accel tcg,thread=single -icount shift=1,sleep=off"
    )
    return machine.replace("-smp 2", "-smp 1")


def boot(options, name, machine=MACHINE):
    """Boots the machine; gives what bench.c wrote: runs by name, and idle runs by name."""
    folder = BUILD / "lab" / name
    base = cached("base.sh", options.suite)
    image = cached("image.sh", options.suite, "initramfs-tools", "none", options.stage)
    guest = Machine(folder, base)
    modules = folder / "modules"
    modules.write_text("\n".join(module_files(base)) + "\n")
    programs = pathlib.Path(options.programs)
    channel = guest.run(
        image,
        # Not the speed of a serial console: the binder says what it did, the floor nothing.
        "intel_iommu=on quiet",
        programs / "preinit",
        limit=300,
        with_disk=False,
        extra={
            "bench": programs / "bench",
            "floor": programs / "floor",
            "shell-recipe.sh": HERE / "shell-recipe.sh",
            "modules": modules,
        },
        machine=machine,
    )
    lines = channel.read_text(errors="replace").splitlines()
    if not lines or lines[-1] != "end":
        raise LabError("the measurement broke off")
    return parse(lines, folder / "report.json")


def parse(lines, report):
    """The lines that bench.c wrote; the binder's last report goes to a file."""
    runs, idle, said, errors = {}, {}, [], []
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "run":
            name, *fields = rest.split()
            runs.setdefault(name, []).append([int(field) for field in fields])
        elif word == "idle":
            name, *fields = rest.split()
            idle[name] = [int(field) for field in fields]
        elif word == "report":
            said.append(rest)
        elif word == "error":
            errors.append(rest)
    report.write_text("\n".join(said) + "\n")
    if errors:
        raise LabError("; ".join(errors))
    if set(runs) != set(TITLES) or set(idle) != {"off", "norule"}:
        raise LabError("not everything was measured")
    return runs, idle


def wall(runs, name):
    """The median of a contender's wall times, in milliseconds."""
    return statistics.median(row[0] for row in runs[name]) / 1000


def goal(text, value, limit, unit=""):
    """One line: what, how much, how much is wanted."""
    verdict = "reached" if value <= limit else "MISSED"
    print(f"  {text:<24}{value:>8.2f}{unit:<5} goal: at most {limit}{unit}  {verdict}")


def show(title, runs, idle):
    """What one boot measured, and the goals."""
    print(f"\n{title:<26}{'wall':>8}   {'lowest':>8}   {'highest':>8}   {'peak memory':>11}")
    for name, contender in TITLES.items():
        walls = [row[0] / 1000 for row in runs[name]]
        print(
            f"  {contender:<24}{wall(runs, name):>8.1f} ms{min(walls):>8.1f} ms"
            f"{max(walls):>8.1f} ms{max(row[3] for row in runs[name]):>8} KiB"
        )
    goal("binder / floor", wall(runs, "binder") / wall(runs, "floor"), 1.25)
    if title != "clock of instructions":
        goal("binder / shell recipe", wall(runs, "binder") / wall(runs, "shell"), 0.5)
    goal("binder, peak memory", max(row[3] for row in runs["binder"]), 1536, " KiB")
    goal("switched off, user time", idle["off"][2] / 1000, 1, " ms")
    goal("no rule, user time", idle["norule"][2] / 1000, 1, " ms")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stage", required=True)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--suite", default="bookworm")
    options = parser.parse_args()
    one = MACHINE.replace("-smp 2", "-smp 1")
    try:
        boots = [
            ("two processors", *boot(options, "bench")),
            ("one processor", *boot(options, "bench-one", one)),
            ("clock of instructions", *boot(options, "bench-counted", counting(MACHINE))),
        ]
    except LabError as error:
        sys.exit(f"bench: {error}")

    print("bench: two functions are bound to vfio-pci in the initramfs, before udev;")
    print(f"medians of {len(boots[0][1]['binder'])} rounds in one boot each, in QEMU (TCG)")
    for title, runs, idle in boots:
        show(title, runs, idle)


if __name__ == "__main__":
    main()
