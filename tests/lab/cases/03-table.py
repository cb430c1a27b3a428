"""No IDs on the command line: the rules are in /etc/earlybind.conf only, and reach the boot
as the table that the image's generator embedded in the binder. The image is one as the release
makes it, with all drivers.
"""

from platforms import ALL

ON = ALL
CONFIG = "release"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on"


def check(facts, native):
    facts.check_bound_at_boot(native, "earlybind.conf")
