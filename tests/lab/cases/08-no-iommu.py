"""No IOMMU: nothing can be bound. Every function has its native driver, the boot completes,
and the report and the log say why and what to do.
"""

from facts import expect
from machine import MGMT, USER
from platforms import ALL

ON = ALL
CONFIG = "table"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=off vfio-pci.ids=10ee:5000,10ee:5001"
IOMMU = False


def check(facts, native):
    facts.check_native()
    facts.check_others(native, changed=())
    for address in (MGMT, USER):
        device = facts.reported(address, verdict={"refused", "restored"}, reason="iommu-off")
        expect(
            "intel_iommu=on" in device["message"],
            f"the report's message for {address} does not name the remedy",
        )
    facts.check_log("intel_iommu=on")
