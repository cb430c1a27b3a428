"""No IDs on the command line: the rules are in /etc/earlybind.conf only, and reach the boot
as the table that the image's generator embedded in the binder.
"""

from machine import MGMT, USER
from platforms import ALL

ON = ALL
CONFIG = "table"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on"


def check(facts, native):
    facts.check_card_bound()
    facts.check_others(native)
    for address in (MGMT, USER):
        facts.reported(address, wanted="vfio-pci", action="bind", verdict="bound")
    facts.check_rule_origin("earlybind.conf")
