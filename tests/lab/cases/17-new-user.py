"""What a new user types, from the installed package to the card on vfio-pci: two commands, a
reboot, and a look. The terminal's recording is compared with recordings/new-user.txt.
"""

from facts import Facts, check_recording
from machine import LAB

CONFIG = "new-user"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on"
SESSIONS = 2


def check(facts, native):
    before = Facts(facts.folder.parent / "boot-1/facts", facts.generator)
    before.check_native()
    facts.check_card_bound()
    facts.check_others(native)
    facts.check_rule_origin("/etc/earlybind.conf")
    text = f"{before.session()}# reboot\n{facts.session()}"
    check_recording(LAB / "recordings/new-user.txt", text)
