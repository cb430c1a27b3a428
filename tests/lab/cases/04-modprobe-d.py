"""No IDs on the command line: they are in /etc/modprobe.d/vfio.conf only, as they were
before earlybind was installed.
"""

CONFIG = "modprobe"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on"


def check(facts, native):
    facts.check_bound_at_boot(native, "modprobe.d")
