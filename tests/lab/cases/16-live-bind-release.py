"""On the running system, without any rule, the card's user function is bound to vfio-pci by hand
and released again: once to its driver that is there, once to the one that udev must load. The
management function is refused: xclmgmt may hang when it is told to let go.
"""

from facts import expect
from machine import MGMT, USER
from platforms import HOME

ON = [HOME, "trixie/dracut-systemd", "forky/initramfs-tools"]
CONFIG = "none"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on lab.late=hand"

# The command, its exit code, the driver afterwards, and what it must have said.
STEPS = [
    ("release 01:00.1", 0, "xocl", "is not on vfio-pci: xocl has it"),
    ("bind 01:00.0", 1, "xocl", "nothing was touched"),
    ("bind 01:00.1", 0, "vfio-pci", "bound to vfio-pci (was xocl)"),
    ("status 01:00.1", 0, "vfio-pci", "bound to vfio-pci by hand"),
    ("release 01:00.1", 0, "xocl", "xocl has it now"),
    ("bind 01:00.1", 0, "vfio-pci", "bound to vfio-pci (was xocl)"),
    ("release 01:00.1", 0, "xocl", "xocl has it now"),
    ("explain 01:00.1", 0, "xocl", "released by hand"),
]


def check(facts, native):
    said = facts.text("late").split("$ earlybind ")[1:]
    expect(len(said) == len(STEPS), f"{len(said)} commands were run, not {len(STEPS)}")
    for text, (command, code, driver, words) in zip(said, STEPS):
        expect(text.startswith(command + "\n"), f"{text.splitlines()[0]}, not {command}")
        expect(f"=> {code}, driver: {driver}\n" in text, f"{command}: {text}")
        expect(words in " ".join(text.split()), f"{command} did not say {words!r}: {text}")
    facts.check_native()
    facts.check_others(native, changed=())
    facts.check_log(f"{USER} .*bound to vfio-pci .*was xocl")
    facts.check_log(f"{USER} released by hand: xocl")
    expect(
        f"xclmgmt {MGMT}: xclmgmt: removed" not in facts.text("dmesg"),
        "xclmgmt had to let go of the management function",
    )
