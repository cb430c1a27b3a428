"""A dracut image with only what the machine needs ("strict"): instmods would leave out what
the machine that builds the image has no use for. The vfio modules are there all the same.
"""

from platforms import SUITES

ON = [f"{suite}/dracut-hostonly" for suite in SUITES]
TEST_ON = []
CONFIG = "table"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on"


def check(facts, native):
    facts.check_bound_at_boot(native, "earlybind.conf")
