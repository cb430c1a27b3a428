"""The reference machine as its owner wants it: the card and the graphics card that shares its IOMMU
group are all on vfio-pci, and a function of the card works through that group: memory in both
directions, interrupts, and faults for what is not mapped (47 is the card alone).
"""

import runpy

from facts import expect
from machine import GPU, GPU_AUDIO, LAB, MGMT, USER

alone = runpy.run_path(str(LAB / "cases/47-dma.py"))
ENGINE = alone["ENGINE"]

CONFIG = "none"
EARLYBIND = "installed"
CMDLINE = (
    "intel_iommu=on lab.late=dma"
    " rd.earlybind.bind=10ee:5000,10ee:5001;with=group;allow=console"
)
DEVICES = alone["DEVICES"]
IDENTITIES = alone["IDENTITIES"]
IN_GROUP = [ENGINE]


def check(facts, native):
    for address in (MGMT, USER, ENGINE, GPU, GPU_AUDIO):
        facts.check_driver(address, "vfio-pci")
    for address in (alone["CARD"], ENGINE):
        alone["check_program"](facts, address, alone["WORKED"])
        alone["check_faults"](facts, address)
    facts.reported_group(1, viable=True, blockers=[])
    expect(facts.report()["all_bound"], "not all is bound")
