"""Boots the lab's machine, lets bench.c measure in its initramfs, and collects what it wrote.

Usage: bench.py --stage FOLDER --programs FOLDER --debug BINDER [--suite SUITE] [--scale N,N]
                [--only NAME,NAME] [--pairs N]

The results go to build/lab/bench.json; page.py makes docs/benchmarks.md of them.

In the boots "two" and "one" the guest's clock is this machine's; one has two processors, the
other one: with two, the emulator also counts what waking the other one costs it, which grows
with what else this machine does. In "counted" the clock advances by 2 ns with every
instruction of the only processor, and at once to the next timer when that is idle: the
figures are the same on a busy machine and an idle one, to a tenth of a percent, and tell
whether a change of the binder made it faster. They leave out what TCG spends on new code,
which is most of what a shell script costs here.

"boots" (boots.py) and "coldplug" (coldplug.py) boot through to the real root.

The numbers are of an emulated machine; their ratios are what counts. Goals that are missed
are said, and are no failure: a measurement that fails a build is measured until it passes.
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lab"))

import boots  # noqa: E402
import coldplug  # noqa: E402
from machine import BUILD, MACHINE, LabError, Machine, cached  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
BINDER = "/usr/lib/earlybind/binder"
RESULTS = BUILD / "lab/bench.json"

# What the binder asks for; the kernel's dependencies come with them.
WANTED = ["vfio_iommu_type1", "vfio_pci"]

# The cards: buses 01, and 03 to 05, of eight functions each. As many as are bound have the first
# so many of these IDs.
BUSES = [1, 3, 4, 5]
COUNTS = {1: ["10ee:5000"], 2: ["10ee:5001"], 8: ["10ee:5002"], 32: ["10ee:5003"]}
ROUNDS = {1: 8, 2: 16, 8: 6, 32: 4}
LIST_MAX = 10000

# A release whose modules are compressed (.ko.xz) for the boot "compressed".
COMPRESSED_SUITE = "trixie"

# Functions of the binder at which a part of the run begins, in the order of a run.
MARKS = {
    "run_read_policy": "sources",
    "policy_read_inventory": "snapshot",
    "plan_make": "plan",
    "apply_plan": "claim",
    "modload_load": "modules",
    "steps_try_bind": "bind",
    "verify_device": "verify",
    "report_log": "report",
}
FLOOR_MARKS = {
    "claim": "claim", "load_modules": "modules", "bind_left": "bind", "verify": "verify",
}


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


def addresses():
    return [f"0000:{bus:02x}:00.{function}" for bus in BUSES for function in range(8)]


def id_of(number):
    return next(ids[0] for count, ids in COUNTS.items() if number < count)


def identities():
    """The entries of lab_identity.ko but for the first two, which the lab itself has."""
    return [f"{address}={id_of(i)}:120000:10ee:000e"
            for i, address in enumerate(addresses()) if i >= 2]


def with_cards(machine):
    """The machine with all cards in it."""
    more = [f"-device e1000e,bus=rp1,addr=0.{function},romfile=" for function in range(2, 8)]
    for bus in BUSES[1:]:
        more.append(f"-device pcie-root-port,id=rp{bus},chassis={bus},slot={bus},addr={bus}.0")
        more += [f"-device e1000e,bus=rp{bus},addr=0.{function},romfile="
                 + (",multifunction=on" if function == 0 else "") for function in range(8)]
    return machine + " " + " ".join(more)


def counting(machine):
    """The machine with a clock that counts instructions."""
    machine = machine.replace(
        "-accel tcg,thread=multi", "-accel tcg,thread=single -icount shift=1,sleep=off"
    )
    return machine.replace("-smp 2", "-smp 1")


def offset_of(program, symbols):
    """Where in the program's file these functions begin."""
    code = None
    segments = subprocess.run(["readelf", "-lW", program], capture_output=True, text=True,
                              check=True).stdout
    for line in segments.splitlines():
        words = line.split()
        if words[:1] == ["LOAD"] and "E" in "".join(words[6:8]):
            code = int(words[2], 16) - int(words[1], 16)
    found = {}
    names = subprocess.run(["nm", program], capture_output=True, text=True, check=True).stdout
    for line in names.splitlines():
        address, _, name = line.rpartition(" ")
        if name in symbols:
            found[name] = int(address.split()[0], 16) - code
    missing = set(symbols) - set(found)
    if missing:
        raise LabError(f"{program} has no {', '.join(sorted(missing))}")
    return found


def marks_text(options):
    """The probes, one a line."""
    lines = ["p:eb/mark_override driver_set_override"]
    for program, path, symbols in (
        (options.debug, BINDER, MARKS),
        (f"{options.programs}/floor", "/lab/floor", FLOOR_MARKS),
    ):
        found = offset_of(program, symbols)
        for symbol, part in symbols.items():
            name = "mark_" + part + ("_floor" if symbols is FLOOR_MARKS else "")
            lines.append(f"p:eb/{name} {path}:{found[symbol]:#x}")
    return "\n".join(lines) + "\n"


def driverctl_files(base, work):
    """driverctl of Debian and what its shell needs, as names in /lab; {} if it cannot be had."""
    work.mkdir(parents=True, exist_ok=True)
    if not list(work.glob("driverctl_*.deb")):
        got = subprocess.run(["apt-get", "download", "driverctl"], cwd=work, check=False,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if got.returncode != 0:
            print("bench: driverctl is left out: apt-get download driverctl failed")
            return {}
    subprocess.run(["dpkg-deb", "-x", str(next(work.glob("driverctl_*.deb"))),
                    str(work / "root")], check=True)
    library = next((base / "tree/usr/lib").rglob("libtinfo.so.6"))
    return {"driverctl": work / "root/usr/sbin/driverctl", "bash": base / "tree/usr/bin/bash",
            "libtinfo.so.6": library.resolve(), "driverctl.sh": HERE / "driverctl.sh"}


def bind_cases(has_driverctl):
    """The contenders, with each number of devices."""
    lines = []
    for count in COUNTS:
        chosen = addresses()[:count]
        ids = ",".join(dict.fromkeys(id_of(i) for i in range(count)))
        contenders = {
            "floor": ["/lab/floor", "/lab/modules", *chosen],
            "floor-ids": ["/lab/floor", "/lab/modules", "--ids", *ids.split(",")],
            "binder": [BINDER, "--cmdline", f"intel_iommu=on vfio-pci.ids={ids}"],
            "shell": ["/bin/sh", "/lab/shell-recipe.sh", *chosen],
            "shell-ids": ["/bin/sh", "/lab/shell-ids.sh", *ids.split(",")],
            "modprobe": ["/sbin/modprobe", "vfio-pci", f"ids={ids}"],
            "driverctl": ["/bin/sh", "/lab/driverctl.sh", *chosen],
        }
        for name, words in contenders.items():
            if name != "driverctl" or has_driverctl:
                lines.append("\t".join(["bind", name, str(count), str(ROUNDS[count]), *words]))
    idlers = {
        "cmdline": ["/lab/reader", "cmdline"],
        "off": [BINDER, "--cmdline", "vfio-pci.ids=10ee:5000,10ee:5001 rd.earlybind=0"],
        "sources": ["/lab/reader", "sources"],
        "norule": [BINDER, "--cmdline", "intel_iommu=on quiet"],
    }
    lines += ["\t".join(["idle", name, "0", "100", *words]) for name, words in idlers.items()]
    return lines


def scale_cases(count):
    """The bare loops, a run that is about none of so many functions, and list: that takes minutes
    where there are more than 10,000."""
    rounds = "6" if count <= LIST_MAX else "3"
    lines = [
        "\t".join(["look", "reader", str(count), rounds, "/lab/reader", "bus"]),
        "\t".join(["look", "binder", str(count), rounds, BINDER, "--dry-run", "--cmdline",
                   "intel_iommu=on rd.earlybind.bind=10ee:dead;optional"]),
    ]
    return lines if count > LIST_MAX else [
        *lines,
        "\t".join(["look", "list-floor", str(count), "4", "/lab/list-floor", "/sys"]),
        "\t".join(["look", "list", str(count), "4", "/lab/earlybind", "list"]),
        "\t".join(["look", "list-json", str(count), "4", "/lab/earlybind", "list", "--json"]),
    ]


def boot(options, name, cases, machine, suite, insert=(), limit=900):
    """Boots the machine; gives what bench.c wrote."""
    base = cached("base.sh", suite)
    image = cached("image.sh", suite, "initramfs-tools", "none", options.stage)
    guest = Machine(BUILD / "lab" / name, base)
    programs = pathlib.Path(options.programs)
    extra = {name: programs / name for name in ("bench", "floor", "reader")}
    for script in ("shell-recipe.sh", "shell-ids.sh"):
        extra[script] = HERE / script
    extra["list-floor"] = programs / "list-floor"
    extra["earlybind"] = options.debug.replace("binder.debug", "earlybind")
    extra.update(driverctl_files(base, BUILD / "lab/driverctl"))
    for file, text in (
        ("modules", "\n".join(module_files(base)) + "\n"),
        ("devices", "\n".join(addresses()) + "\n"),
        ("marks", marks_text(options)),
        ("cases", "\n".join(cases("driverctl" in extra)) + "\n"),
    ):
        extra[file] = guest.folder / file
        extra[file].write_text(text)
    channel = guest.run(
        image,
        # Not the speed of a serial console: the binder says what it did, the floor nothing.
        "intel_iommu=on quiet",
        programs / "preinit",
        limit=limit,
        with_disk=False,
        extra=extra,
        insert=insert,
        identities=identities() if "bus=rp5" in machine else [],
        machine=machine,
    )
    lines = channel.read_text(errors="replace").splitlines()
    if not lines or lines[-1] != "end":
        raise LabError("the measurement broke off")
    return parse(lines, guest.folder / "report.json")


def parse(lines, report):
    """The lines that bench.c wrote; the binder's last report goes to a file."""
    result = {"run": {}, "idle": {}, "at": {}, "count": {}}
    said, errors = [], []
    for line in lines:
        word, _, rest = line.partition(" ")
        fields = rest.split()
        if word == "run":
            rows = result["run"].setdefault(f"{fields[0]} {fields[1]}", [])
            rows.append([int(field) for field in fields[2:]])
        elif word == "idle":
            result["idle"][fields[0]] = [int(field) for field in fields[1:]]
        elif word in ("at", "count"):
            name = f"{fields[0]} {fields[1]}"
            result[word].setdefault(name, []).append(
                [field if field.startswith("mark") else int(field) for field in fields[2:]])
        elif word == "report":
            said.append(rest)
        elif word == "error":
            errors.append(rest)
    report.write_text("\n".join(said) + "\n")
    if errors:
        raise LabError("; ".join(errors[:5]))
    return result


def median(boots, name, field=0):
    return statistics.median(row[field] for row in boots["run"][name])


def goal(text, value, limit, unit=""):
    """One line: what, how much, how much is wanted."""
    verdict = "reached" if value <= limit else "MISSED"
    print(f"  {text:<34}{value:>8.2f}{unit:<5} goal: at most {limit}{unit}  {verdict}")


def show(title, result):
    """What one boot measured, and the goals."""
    print(f"\n{title:<16}{'devices':>8}{'wall ms':>10}{'faults':>8}{'switches':>9}{'peak KiB':>10}")
    for name in result["run"]:
        contender, count = name.split()
        print(f"  {contender:<14}{count:>8}{median(result, name) / 1000:>10.1f}"
              f"{median(result, name, 4):>8.0f}{median(result, name, 5):>9.0f}"
              f"{median(result, name, 3):>10.0f}")
    for count in COUNTS:
        floor = median(result, f"floor {count}")
        binder = median(result, f"binder {count}")
        goal(f"binder / floor, {count} devices", binder / floor,
             1.15 if title in ("two", "one") else 1.02)
        for peer, limit in (("shell", 1 / 3), ("driverctl", 0.1)):
            if f"{peer} {count}" in result["run"] and title in ("two", "one"):
                goal(f"binder / {peer}, {count} devices",
                     binder / median(result, f"{peer} {count}"), limit)
    for name, (wall, user) in result["idle"].items():
        print(f"  {name:<14}{wall:>8} us wall{user:>6} us user")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stage", required=True)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--debug", required=True)
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--scale", default="100,1000,10000")
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    one = MACHINE.replace("-smp 2", "-smp 1")
    machines = {"two": MACHINE, "one": one, "counted": counting(MACHINE)}
    results = json.loads(RESULTS.read_text()) if options.only and RESULTS.exists() else {}
    wanted = options.only.split(",") if options.only else [
        *machines, "compressed", "scale", "boots", "coldplug"]
    results["suite"] = options.suite
    try:
        for name in [name for name in machines if name in wanted]:
            results[name] = boot(options, f"bench-{name}", bind_cases,
                                 with_cards(machines[name]), options.suite)
            show(name, results[name])
            RESULTS.write_text(json.dumps(results, indent=1))
        if "compressed" in wanted:
            results["compressed"] = boot(
                options, "bench-compressed", lambda _: bind_cases(False),
                with_cards(machines["counted"]), COMPRESSED_SUITE)
            show("compressed", results["compressed"])
            RESULTS.write_text(json.dumps(results, indent=1))
        for count in [int(word) for word in options.scale.split(",") if "scale" in wanted]:
            scale = boot(options, f"bench-{count}", lambda _, n=count: scale_cases(n), one,
                         options.suite, insert=[f"lab_bus.ko functions={count}"], limit=1800)
            results.setdefault("scale", {})[str(count)] = scale
            for name in scale["run"]:
                print(f"  {name:<20}{median(scale, name) / 1000:>10.1f} ms")
            RESULTS.write_text(json.dumps(results, indent=1))
        for name, measure in (("boots", boots.measure), ("coldplug", coldplug.measure)):
            if name in wanted:
                results[name] = measure(options, machines)
                RESULTS.write_text(json.dumps(results, indent=1))
    except LabError as error:
        sys.exit(f"bench: {error}")


if __name__ == "__main__":
    main()
