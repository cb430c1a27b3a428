"""Boots the lab's machine once, lets bench.c measure in its initramfs, prints the medians.

Usage: bench.py --stage FOLDER --programs FOLDER [--suite SUITE]

The numbers are of an emulated machine; their ratios are what counts. Goals that are missed
are said, and are no failure: a measurement that fails a build is measured until it passes.
"""

import argparse
import pathlib
import re
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lab"))

from machine import BUILD, LabError, Machine, cached  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent

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


def boot(options):
    """Boots the machine; gives the lines that bench.c wrote."""
    folder = BUILD / "lab/bench"
    base = cached("base.sh", options.suite)
    image = cached("image.sh", options.suite, "none", options.stage)
    machine = Machine(folder, base)
    modules = folder / "modules"
    modules.write_text("\n".join(module_files(base)) + "\n")
    programs = pathlib.Path(options.programs)
    channel = machine.run(
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
    )
    lines = channel.read_text(errors="replace").splitlines()
    if not lines or lines[-1] != "end":
        raise LabError("the measurement broke off")
    return lines, (base / "version").read_text().strip()


def goal(text, value, limit, unit=""):
    """One line: what, how much, how much is wanted."""
    verdict = "reached" if value <= limit else "MISSED"
    print(f"  {text:<24}{value:>8.2f}{unit:<5} goal: at most {limit}{unit}  {verdict}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stage", required=True)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--suite", default="bookworm")
    options = parser.parse_args()
    try:
        lines, version = boot(options)
    except LabError as error:
        sys.exit(f"bench: {error}")

    errors = [line for line in lines if line.startswith("error ")]
    runs = {}
    idle = {}
    for line in lines:
        word, *rest = line.split() or [""]
        if word == "run":
            runs.setdefault(rest[0], []).append([int(field) for field in rest[1:]])
        elif word == "idle":
            idle[rest[0]] = [int(field) for field in rest[1:]]
    report = [line.removeprefix("report ") for line in lines if line.startswith("report ")]
    (BUILD / "lab/bench/report.json").write_text("\n".join(report) + "\n")
    for line in errors:
        print(f"bench: {line}", file=sys.stderr)
    if errors or not {"floor", "binder", "shell"} <= set(runs) or len(idle) != 2:
        sys.exit("bench: not everything could be measured")

    median = {n: [statistics.median(column) for column in zip(*rows)] for n, rows in runs.items()}
    rounds = len(runs["binder"])
    print(f"bench: Linux {version} in QEMU (TCG), one boot, before udev: two functions are")
    print(f"bound to vfio-pci; medians of {rounds} rounds\n")
    print(f"  {'':<24}{'wall':>8}   {'lowest':>8}   {'highest':>8}   {'peak memory':>11}")
    for name, title in (("floor", "floor"), ("binder", "binder"), ("shell", "shell recipe")):
        walls = [row[0] / 1000 for row in runs[name]]
        print(
            f"  {title:<24}{median[name][0] / 1000:>8.1f} ms{min(walls):>8.1f} ms"
            f"{max(walls):>8.1f} ms{max(row[3] for row in runs[name]):>8} KiB"
        )
    print()
    goal("binder / floor", median["binder"][0] / median["floor"][0], 1.25)
    goal("binder / shell recipe", median["binder"][0] / median["shell"][0], 0.5)
    goal("binder, peak memory", max(row[3] for row in runs["binder"]), 1536, " KiB")
    goal("switched off, user time", idle["off"][2] / 1000, 1, " ms")
    goal("no rule, user time", idle["norule"][2] / 1000, 1, " ms")
    print(
        f"\n  a run from fork to exit: switched off {idle['off'][1] / 1000:.1f} ms,"
        f" no rule {idle['norule'][1] / 1000:.1f} ms"
    )


if __name__ == "__main__":
    main()
