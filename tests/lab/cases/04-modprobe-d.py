"""No IDs on the command line: they are in /etc/modprobe.d/vfio.conf only, as they were
before earlybind was installed.
"""

from machine import MGMT, USER

CONFIG = "modprobe"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on"


def check(facts, native):
    facts.check_card_bound()
    facts.check_others(native)
    for address in (MGMT, USER):
        facts.reported(address, wanted="vfio-pci", action="bind", verdict="bound")
    facts.check_rule_origin("modprobe.d")
