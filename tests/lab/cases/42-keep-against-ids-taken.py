"""The same, but vfio-pci was loaded with its ids= before the binder runs, as one that is built in
would have read them: it has both cards. The kept one is taken from it, and ends on its own driver.
"""

from facts import expect
from machine import MGMT, cards

KEPT = "0000:03:00.0"

CONFIG = "keep"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on vfio-pci.ids=10ee:5000"
DEVICES = cards(3)
IDENTITIES = [f"{KEPT}=10ee:5000:120000:10ee:000e"]
INSERT = [
    "vfio.ko",
    "vfio_virqfd.ko",
    "irqbypass.ko",
    "vfio-pci-core.ko",
    "vfio-pci.ko ids=10ee:5000",
]


def check(facts, native):
    facts.check_driver(KEPT, "xclmgmt", "xclmgmt")
    facts.check_driver(MGMT, "vfio-pci", "xclmgmt")
    facts.check_others(native, changed=(MGMT,))
    facts.reported(
        KEPT, driver="vfio-pci", after=None, action="keep", verdict=None, reason="kept-given-back"
    )
    facts.reported(MGMT, driver="vfio-pci", action="done", verdict="bound")
    facts.check_log(f"{KEPT} .*given back: a keep rule protects it")
    override = facts.functions[KEPT].override
    expect(override is None, f"{KEPT} is left with driver_override {override}")
