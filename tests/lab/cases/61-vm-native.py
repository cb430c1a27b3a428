"""The twin of 60 and 62, without earlybind and with the popular parameter: the card's own driver has it,
so QEMU finds no group to open, and libvirt does not start the domain.
"""

import runpy

from machine import LAB

given = runpy.run_path(str(LAB / "cases/60-vm.py"))

CONFIG = "vmhost"
EARLYBIND = "none"
VMHOST = True
CMDLINE = "intel_iommu=on lab.late=refused vfio-pci.ids=10ee:5000,10ee:5001"
DEVICES = given["DEVICES"]
IDENTITIES = given["IDENTITIES"]
IN_GROUP = given["IN_GROUP"]
TEST_ON = []


def check(facts, native):
    facts.check_driver(given["CARD"], "xclmgmt")
    facts.check_driver(given["SECOND"], "xocl")
    given["expect_said"](
        facts,
        r"vfio 0000:03:00\.0: failed to open /dev/vfio/\d+: No such file or directory\n=> 1\n",
        r"\$ virsh start card\nerror: Failed to start domain 'card'\nerror: .*"
        r"Unmanaged PCI device 0000:03:00\.0 must be manually detached from the host\n\n=> 1\n",
    )
