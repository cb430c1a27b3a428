"""The IOMMU does not remap interrupts: the card is bound, and the log and the report say that
no VM can use it, why, and what to do.
"""

from facts import expect
from machine import MGMT, USER

CONFIG = "none"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on intremap=off vfio-pci.ids=10ee:5000,10ee:5001 rd.earlybind.bind=02:00.1"


def check(facts, native):
    for address in (MGMT, USER):
        facts.check_driver(address, "vfio-pci")
        facts.reported(address, verdict="bound", reason=None)
    expect("IR-IO-APIC" not in facts.text("dmesg"), "interrupts are remapped")
    facts.check_log("no VM can use it: interrupts are not remapped: remove intremap=off from")
