"""The card works: a program does with it what a virtual machine monitor does, through VFIO. A card
in a group of its own moves memory in both directions through the IOMMU and interrupts, and what it
writes elsewhere is stopped. The card whose group the graphics card shares cannot be had: the kernel
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

WORKED = r"""\$ dma {address}
dma: group \d+ is viable
dma: the registers of BAR 0 answer: yes
dma: an interrupt came by eventfd: yes
dma: what was sent came back from the device unchanged: yes
dma: DMA outside the mapping reached no memory of ours: yes
=> 0
"""
REFUSED = r"""\$ dma {address}
dma: group \d+ is not viable
=> 3
"""


def check_program(facts, address, lines):
    said = facts.text("late")
    expect(re.search(lines.format(address=address), said), f"the program said: {said!r}")


def check_fault(facts, address):
    """The IOMMU stopped the write; the function is named as the IOMMU names it."""
    fault = rf"DMAR: \[DMA Write.*\[{address.removeprefix('0000:')}\] fault addr 0x800000"
    expect(re.search(fault, facts.text("dmesg")), "the kernel log has no fault of the IOMMU")


def check(facts, native):
    for address in (CARD, ENGINE, MGMT, USER):
        facts.check_driver(address, "vfio-pci")
    check_program(facts, CARD, WORKED)
    check_fault(facts, CARD)
    check_program(facts, ENGINE, REFUSED)
    facts.reported_group(1, viable=False, blockers=[GPU, GPU_AUDIO])
