"""A card with two functions is taken off the bus and found again while its drivers are loaded.
That of the first function takes 12 s to probe, and so long the kernel lets no driver at the
second one. Both end on vfio-pci.
"""

from facts import expect
from machine import MGMT, USER
from platforms import HOME

ON = [HOME]
CONFIG = "table"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on lab.late=rescan xclmgmt.probe_ms=12000"


def check(facts, native):
    dmesg = facts.text("dmesg")
    expect(
        f"xclmgmt {MGMT}: xclmgmt: probe" in dmesg,
        "xclmgmt never had the first function: there was nothing to wait for",
    )
    expect(f"xocl {USER}: xocl: probe" not in dmesg, "xocl had the second function")
    facts.check_driver(MGMT, "vfio-pci", "xclmgmt")
    facts.check_driver(USER, "vfio-pci", "xocl")
    facts.check_others(native, changed=(MGMT, USER))
    for address in (MGMT, USER):
        facts.check_log(f"{address} .*bound to vfio-pci")
