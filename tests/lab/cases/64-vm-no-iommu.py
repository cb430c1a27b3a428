"""Without an IOMMU, and without earlybind: a card that is given to vfio-pci by hand fails with the words
that users find in forums, "failed with error -22", and QEMU finds no group.
"""

import runpy

from facts import expect
from machine import LAB

given = runpy.run_path(str(LAB / "cases/60-vm.py"))

CONFIG = "vmhost"
EARLYBIND = "none"
VMHOST = True
CMDLINE = "intel_iommu=off lab.late=hand"
DEVICES = given["DEVICES"]
IDENTITIES = given["IDENTITIES"]
IOMMU = False
TEST_ON = []


def check(facts, native):
    expect(
        "vfio-pci: probe of 0000:03:00.0 failed with error -22" in facts.text("dmesg"),
        "the kernel log does not say that vfio-pci's probe failed",
    )
    given["expect_said"](
        facts,
        "driver of 03:00.0: , override: vfio-pci\n",
        r"vfio 0000:03:00\.0: no iommu_group found: No such file or directory\n=> 1\n",
    )
