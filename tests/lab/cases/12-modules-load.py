"""modules-load.d names the card's native driver, as the packages of some drivers do:
systemd-modules-load loads it before dracut's own hooks run. The unit is earlier still.
"""

import re

from facts import expect
from platforms import SUITES

ON = [f"{suite}/dracut-systemd" for suite in SUITES]
TEST_ON = []
CONFIG = "modules-load"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on"


def check(facts, native):
    journal = facts.text("journal")
    unit = re.search(r"systemd\[1\]: Finished earlybind\.service", journal)
    loaded = re.search(r"systemd-modules-load\[\d+\]: Inserted module 'xclmgmt'", journal)
    expect(loaded, "systemd-modules-load did not load xclmgmt: there was no race")
    expect(unit, "the journal has no word of earlybind.service")
    starting = re.search(r"systemd\[1\]: Starting systemd-modules-load", journal)
    expect(unit.start() < starting.start(), "systemd-modules-load did not wait for the unit")
    facts.check_bound_at_boot(native, "earlybind.conf")
