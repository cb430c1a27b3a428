"""The card works: a program does with it what a virtual machine monitor does, through VFIO. A card
in a group of its own moves memory in both directions through the IOMMU and interrupts, and what is
not mapped for it is out of its reach. The card whose group the graphics card shares cannot be had: the kernel
says of the group that it is not viable, as our report does.
"""

import re

from facts import expect
from machine import BUILD, GPU, GPU_AUDIO, MGMT, USER

CARD = "0000:03:00.0"
ENGINE = "0000:01:00.2"

CONFIG = "table"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on lab.late=dma"
DEVICES = (
    "-device pcie-root-port,id=rp3,chassis=3,slot=3,addr=3.0 -device edu,bus=rp3"
    " -device edu,bus=rp1,addr=0.2"
    f" -fw_cfg name=opt/lab/dma,file={BUILD}/lab/bin/dma"
)
# edu, the engine for tests, as a third function of the card and as a card of its own.
IDENTITIES = [f"{CARD}=10ee:5000:120000:10ee:000e", f"{ENGINE}=10ee:5001:120000:10ee:000e"]

IN_GROUP = [ENGINE]

# 4 patterns in sizes of 1 to 4095 bytes; each transfer ends with an interrupt.
WORKED = r"""\$ dma {address}
dma: group \d+ is viable
dma: interrupts by INTx: 2
dma: interrupts by MSI: 2
dma: refused: a write to an address that is not mapped: yes
dma: refused: a write to memory that may only be read: yes
dma: refused: a read of an address that is not mapped: yes
dma: refused: a write to memory that is mapped no longer: yes
dma: 31028 bytes to the device and 31028 back in 36 transfers each way, all as sent
dma: interrupts by MSI, all in all: 82
=> 0
"""
REFUSED = r"""\$ dma {address}
dma: group \d+ is not viable: VFIO_GROUP_SET_CONTAINER: Operation not permitted
=> 3
"""

# What the IOMMU stopped, in the order of the program's lines.
FAULTS = ["Write 0x800000", "Write 0x200000", "Read 0x900000", "Write 0x102000"]


def check_program(facts, address, lines):
    said = facts.text("late")
    expect(re.search(lines.format(address=address), said), f"the program said: {said!r}")


def check_faults(facts, address):
    """The IOMMU stopped them; the function is named as the IOMMU names it."""
    device = re.escape(address.removeprefix("0000:"))
    for what in FAULTS:
        way, where = what.split()
        fault = rf"DMAR: \[DMA {way}.*\[{device}\] fault addr {where}\b"
        expect(re.search(fault, facts.text("dmesg")), f"the kernel log has no fault of {what}")


def check(facts, native):
    for address in (CARD, ENGINE, MGMT, USER):
        facts.check_driver(address, "vfio-pci")
    check_program(facts, CARD, WORKED)
    check_faults(facts, CARD)
    check_program(facts, ENGINE, REFUSED)
    facts.reported_group(1, viable=False, blockers=[GPU, GPU_AUDIO])
