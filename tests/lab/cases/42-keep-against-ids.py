"""Two identical cards, whose ID vfio-pci.ids= names; a keep rule in the table names one of them.
vfio-pci is loaded without that ID: the kept card ends on its own driver, the other one on vfio-pci.
"""

from machine import MGMT, cards

KEPT = "0000:03:00.0"

CONFIG = "keep"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on vfio-pci.ids=10ee:5000"
DEVICES = cards(3)
IDENTITIES = [f"{KEPT}=10ee:5000:120000:10ee:000e"]


def check(facts, native):
    facts.check_driver(KEPT, "xclmgmt", "xclmgmt")
    facts.check_driver(MGMT, "vfio-pci", "xclmgmt")
    facts.check_others(native, changed=(MGMT,))
    facts.reported(KEPT, driver=None, action="keep", verdict=None, reason="kept")
    facts.reported(MGMT, driver=None, action="bind", verdict="bound")
    facts.check_log(f"{KEPT} .*left alone: a keep rule protects it")
