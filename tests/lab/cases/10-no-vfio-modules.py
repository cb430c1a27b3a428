"""The image has no vfio modules: the boot completes, the native drivers have the card, and
the reason is given.
"""

from machine import MGMT, USER

CONFIG = "novfio"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on vfio-pci.ids=10ee:5000,10ee:5001"


def check(facts, native):
    facts.check_native()
    facts.check_others(native, changed=())
    for address in (MGMT, USER):
        facts.reported(address, verdict={"restored", "refused"}, reason="no-vfio")
    facts.check_log(f"{MGMT} ")
