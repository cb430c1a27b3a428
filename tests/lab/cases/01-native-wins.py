"""Without earlybind the native drivers have the card, whatever the popular recipe says:
IDs on the command line, in /etc/modprobe.d and in /etc/initramfs-tools/modules.

If this case ever fails, the lab proves nothing: then there is no race to win.
"""

from facts import expect
from platforms import SUITES

ON = [f"{suite}/initramfs-tools" for suite in SUITES]
CONFIG = "recipe"
EARLYBIND = "none"
CMDLINE = "intel_iommu=on vfio-pci.ids=10ee:5000,10ee:5001"


def check(facts, native):
    facts.check_native()
    expect("vfio_pci" in facts.text("lsmod"), "vfio_pci was not loaded: the recipe was not tried")
    expect(
        "vfio_pci: add [10ee:5000" in facts.text("dmesg"),
        "vfio_pci did not get the IDs: the recipe was not tried",
    )
