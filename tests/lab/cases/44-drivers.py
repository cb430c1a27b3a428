"""Other drivers than vfio-pci, by the rules of the table, in an image whose hook has put their
modules in: driver=auto gives the card's first function the better one of two variants, whose
driver has another name than its module, and plain vfio-pci to the second, for which there is
none; the audio function is on pci-stub. All of the group has left the host: it is viable.
"""

from facts import expect
from machine import GPU, GPU_AUDIO, MGMT, USER

CONFIG = "drivers"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on"

WANTED = {
    MGMT: "labcard-vfio-pci",
    USER: "vfio-pci",
    GPU: "vfio-pci",
    GPU_AUDIO: "pci-stub",
}


def check(facts, native):
    for address, driver in WANTED.items():
        facts.check_driver(address, driver)
        expect(
            facts.functions[address].override == driver,
            f"{address} has driver_override {facts.functions[address].override}",
        )
        facts.reported(
            address, verdict="bound", action="bind", before=None, wanted=driver, after=driver
        )
        facts.check_log(f"{address} .* bound to {driver}, group 1")
    expect("labany" not in facts.text("lsmod"), "the other variant is loaded as well")
    facts.reported_group(1, viable=True, blockers=[])
