"""How many processes udev's coldplug starts for the rules of a boot, by the kernel's own count.

Called by bench.py for --only coldplug. Each boot has a rule of another kind on its command line,
and a bus with FUNCTIONS functions of one ID, without a driver (tests/lab/modules/lab_bus.c).
udev looks at all devices twice: in the initramfs and, by the same rules in /run, in the real
root. The kernel traces each exec from its start on (boot-init.c).
"""

import shutil

from boots import read_channel, run_again, smaller, with_unpacked_kernel
from machine import BUILD, LabError, Machine, cached

FUNCTIONS = 128

# The rule, and what it is. The invented functions are 8086:1889, class 0200.
RULES = [
    ("10ee:5000", "an ID"),
    ("class=12", "a class"),
    ("0000:01:00.0", "an address"),
    ("accel=alveo", "accel=, another vendor"),
    ("accel=qat", "accel=, the same vendor"),
    ("10ee:5000+serial=52-54-00-ff-ff-12-34-56", "serial= with an ID"),
    ("serial=52-54-00-ff-ff-12-34-56", "serial= alone"),
    ("0000:01:00.0;with=functions", "with=functions, an address"),
    ("10ee:5000;with=functions", "with=functions, an ID"),
    ("0000:01:00.0;with=group", "with=group, an address"),
]


def boot_once(options, rule, base, machine, folder):
    """Boots with one rule; gives what boot-init told."""
    image = cached("image.sh", options.suite, "initramfs-tools", "none", options.stage)
    root = folder / "with-init"

    def boot():
        guest = Machine(folder, base)
        shutil.copytree(image / "files", root / "files", symlinks=True)
        shutil.copy(f"{options.programs}/boot-init", root / "files/lab-init")
        shutil.copy(image / "initrd.img", root / "initrd.img")
        return guest.run(
            root,
            "intel_iommu=on quiet init=/lab-init lab.coldplug log_buf_len=16M "
            "printk.devkmsg=on trace_event=sched:sched_process_exec trace_buf_size=16M "
            + (f"rd.earlybind.bind={rule}" if rule else ""),
            f"{options.programs}/preinit", machine=machine, limit=1800,
            insert=[f"lab_bus.ko functions={FUNCTIONS}"])

    channel = run_again(boot)
    shutil.rmtree(root)
    return read_channel(channel.read_text(errors="replace").splitlines(), f"coldplug {rule}")


def count(pairs):
    """Processes and lines of the log: those of the boot's own run, of the initramfs, of the root."""
    root = int(next(rest for word, rest in pairs if word == "root"))
    starts = [int(rest.split()[0]) for word, rest in pairs if word == "exec"]
    lines = [rest.partition(" ") for word, rest in pairs if word == "log"]
    if not starts:
        raise LabError("coldplug: the kernel saw no run of the binder, not even the boot's")
    # The boot's own run comes first, and ends before udevd begins.
    late = min(starts[1:], default=root)
    seen = {"processes": [0, 0], "lines": [0, 0], "own": 0, "example": ""}
    for start in starts[1:]:
        seen["processes"][start >= root] += 1
    for stamp, _, text in lines:
        if int(stamp) < late:
            seen["own"] += 1
        else:
            seen["lines"][int(stamp) >= root] += 1
            seen["example"] = text
    return seen


def measure(options, machines):
    """One boot for each kind of rule, and one without any."""
    base = with_unpacked_kernel(cached("base.sh", options.suite), BUILD / "lab/coldplug-base")
    rows = []
    for number, (rule, kind) in enumerate([("", "none"), *RULES]):
        folder = BUILD / f"lab/coldplug-{number}"
        pairs = boot_once(options, rule, base, smaller(machines["two"]), folder)
        seen = count(pairs)
        drivers = [rest for word, rest in pairs if word == "driver"]
        rows.append({"rule": rule, "kind": kind, "functions": FUNCTIONS,
                     "bound": sum(rest.endswith(" vfio-pci") for rest in drivers), **seen})
        print(f"  {kind:<28}{seen['processes'][0]:>6}{seen['processes'][1]:>6} processes"
              f"{seen['lines'][0]:>6}{seen['lines'][1]:>6} lines  {seen['example']}", flush=True)
    return rows
