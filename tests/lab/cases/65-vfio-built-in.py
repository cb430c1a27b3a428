"""vfio is a part of the kernel, as nearly as Debian's kernels can show it: its modules are there before
/init, and for the image they are built in (modules.builtin), so that it has no file of them. The card is
bound, and works as in 47.
"""

import runpy

from facts import expect
from machine import LAB, MGMT, USER

alone = runpy.run_path(str(LAB / "cases/47-dma.py"))

CONFIG = "built-in"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on lab.late=dma rd.earlybind.bind=10ee:5000,10ee:5001"
DEVICES = alone["DEVICES"]
IDENTITIES = alone["IDENTITIES"]
IN_GROUP = alone["IN_GROUP"]
INSERT = [
    "vfio.ko",
    "vfio_iommu_type1.ko",
    "vfio_virqfd.ko",
    "irqbypass.ko",
    "vfio-pci-core.ko",
    "vfio-pci.ko",
]
TEST_ON = []


def check(facts, native):
    for address in (alone["CARD"], alone["ENGINE"], MGMT, USER):
        facts.check_driver(address, "vfio-pci")
        facts.reported(address, action="bind", verdict="bound")
    alone["check_program"](facts, alone["CARD"], alone["WORKED"])
    outcomes = {m["name"]: m["outcome"] for m in facts.report()["modules"]}
    expect(outcomes.get("vfio_pci") == "builtin", f"the modules are reported as {outcomes}")
