"""The card is reset, then the machine is suspended to RAM and wakes up: vfio-pci still has the card
afterwards, it works, and `status` says that all is well.
"""

import re
import runpy

from facts import expect
from machine import LAB

alone = runpy.run_path(str(LAB / "cases/47-dma.py"))

CONFIG = "sleep"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on lab.late=sleep rd.earlybind.bind=10ee:5000,10ee:5001"
DEVICES = alone["DEVICES"]
IDENTITIES = alone["IDENTITIES"]
IN_GROUP = alone["IN_GROUP"]
TEST_ON = []
HAS_SLEPT = True

# What 47's program says, without its first line, which is the command.
WORKED = "driver: vfio-pci\n" + alone["WORKED"].partition("\n")[2]
RESET = r"\$ reset by .*bus.*\n=> 0\n" + WORKED
SLEPT = r"\$ rtcwake -m mem -s 10\n(?:.*\n)*?=> 0\n" + WORKED


def check(facts, native):
    said = facts.text("late")
    expect(re.search(RESET, said), f"after the reset: {said!r}")
    expect(re.search(SLEPT, said), f"after the suspend: {said!r}")
    expect("ACPI: PM: Waking up from system sleep state S3" in facts.text("dmesg"), "it did not sleep")
    expect(re.search(r"0000:03:00\.0 .* bound to vfio-pci at boot and still is", said), f"status: {said!r}")
