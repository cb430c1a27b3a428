"""xclmgmt has the management function before the binder runs: a script of the image that
sorts before earlybind's loaded it. The function is recovered.
"""

from facts import expect
from machine import MGMT, USER

CONFIG = "grab"
EARLYBIND = True
CMDLINE = "intel_iommu=on vfio-pci.ids=10ee:5000,10ee:5001"


def check(facts, native):
    expect(
        f"xclmgmt {MGMT}: xclmgmt: removed" in facts.text("dmesg"),
        "xclmgmt never had the function: there was nothing to recover",
    )
    facts.check_card_bound()
    facts.check_others(native)
    facts.reported(MGMT, driver="xclmgmt", wanted="vfio-pci", action="recover", verdict="bound")
    facts.reported(USER, driver=None, wanted="vfio-pci", action="bind", verdict="bound")
    facts.check_log(f"{MGMT} .*bound to vfio-pci .*was xclmgmt")
