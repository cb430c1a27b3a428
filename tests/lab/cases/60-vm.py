"""A VM takes the card: QEMU in the booted machine, started with what `earlybind export qemu` prints. In
the VM, lspci shows both functions, and a program moves memory through each of them and counts its
interrupts. A function whose group the graphics card shares is refused by QEMU, as our report says.
"""

import re

from facts import expect
from machine import GPU, GPU_AUDIO

CARD = "0000:03:00.0"
SECOND = "0000:03:00.1"
ENGINE = "0000:01:00.2"

CONFIG = "vmhost"
EARLYBIND = "installed"
VMHOST = True
RULES = "rd.earlybind.bind=10ee:5000,10ee:5001"
# vfio-pci suspends what no VM uses, and earlybind does not wake it to compute the groups.
AWAKE = "vfio-pci.disable_idle_d3=1"
CMDLINE = f"intel_iommu=on lab.late=vm {AWAKE} {RULES}"
# The second function says that it is one of several, as those of real cards do: the lab's identity
# module finds it alone.
DEVICES = (
    "-device pcie-root-port,id=rp3,chassis=3,slot=3,addr=3.0"
    " -device edu,bus=rp3,addr=0.0,multifunction=on"
    " -device edu,bus=rp3,addr=0.1,multifunction=on"
    " -device edu,bus=rp1,addr=0.2"
)
IDENTITIES = [
    f"{CARD}=10ee:5000:120000:10ee:000e",
    f"{SECOND}=10ee:5001:120000:10ee:000e",
    f"{ENGINE}=10ee:5001:120000:10ee:000e",
]
IN_GROUP = [ENGINE]

EXPORTED = """\
-device pcie-root-port,id=earlybind0,chassis=101
-device vfio-pci,host=0000:03:00.0,bus=earlybind0,addr=00.0,multifunction=on
-device vfio-pci,host=0000:03:00.1,bus=earlybind0,addr=00.1
"""

# One pattern in sizes of 1 to 4095 bytes, there and back; each transfer ends with an interrupt.
WORKED = r"""\$ lspci -nn -d 10ee:
{bus}:00\.0 Processing accelerators \[1200\]: Xilinx .* \[10ee:5000\].*
{bus}:00\.1 Processing accelerators \[1200\]: Xilinx .* \[10ee:5001\].*
vm: 0000:{bus}:00\.0: 7757 bytes to the device and 7757 back in 9 transfers each way, all as sent
vm: 0000:{bus}:00\.0: interrupts by INTx: 18
vm: 0000:{bus}:00\.1: 7757 bytes to the device and 7757 back in 9 transfers each way, all as sent
vm: 0000:{bus}:00\.1: interrupts by INTx: 18
vm: done
"""
STAYED = """\
driver of 03:00.0: vfio-pci, override: vfio-pci
driver of 03:00.1: vfio-pci, override: vfio-pci
"""
NOT_VIABLE = r"""qemu-system-x86_64: .*: vfio 0000:01:00\.2: group 1 is not viable
Please ensure all devices within the iommu_group are bound to their vfio bus driver\.
=> 1
"""


def expect_said(facts, *patterns):
    """The guest said these, one after another."""
    said = facts.text("late").replace("\r", "")
    rest = said
    for pattern in patterns:
        match = re.search(pattern, rest)
        expect(match, f"not said: {pattern!r} in {said!r}")
        rest = rest[match.end() :]


def check(facts, native):
    for address in (CARD, SECOND, ENGINE):
        facts.check_driver(address, "vfio-pci")
    command = " ".join(EXPORTED.split())
    expect_said(
        facts,
        re.escape(f"{EXPORTED}$ vm {command}\n"),
        WORKED.format(bus="01") + r"(?:\[.*\n)*=> 0\n" + STAYED,
        NOT_VIABLE,
    )
    facts.reported_group(1, viable=False, blockers=[GPU, GPU_AUDIO])
