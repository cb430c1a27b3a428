"""With earlybind, IDs on the command line, and the table ignored: the card is on vfio-pci in
the booted system, lspci still names its native modules, and nothing else changed its driver.
"""

from facts import expect
from machine import MGMT, USER
from platforms import ALL

ON = ALL
CONFIG = "table"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on vfio-pci.ids=10ee:5000,10ee:5001 rd.earlybind.table=0"


def check(facts, native):
    facts.check_bound_at_boot(native, "command line")
    for address in (MGMT, USER):
        facts.check_log(f"{address} .*bound to vfio-pci")
    expect(facts.text("status.rc").strip() == "0", "earlybind status does not exit with 0")
