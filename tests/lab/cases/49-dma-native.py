"""The twin of 47, without earlybind: vfio-pci has no device, so a program that wants one finds no
group to open. Where only some of a group are bound, 47 has the kernel's answer.
"""

import runpy

from machine import LAB, MGMT, USER

alone = runpy.run_path(str(LAB / "cases/47-dma.py"))

CONFIG = "recipe"
EARLYBIND = "none"
CMDLINE = "intel_iommu=on lab.late=dma vfio-pci.ids=10ee:5000,10ee:5001"
DEVICES = alone["DEVICES"]
IDENTITIES = alone["IDENTITIES"]
IN_GROUP = alone["IN_GROUP"]
TEST_ON = []

ABSENT = r"""\$ dma {address}
dma: /dev/vfio/\d+: No such file or directory
=> 1
"""


def check(facts, native):
    facts.check_driver(MGMT, "xclmgmt")
    facts.check_driver(USER, "xocl")
    for address in (alone["CARD"], alone["ENGINE"]):
        alone["check_program"](facts, address, ABSENT)
