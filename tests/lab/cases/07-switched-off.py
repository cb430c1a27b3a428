"""rd.earlybind=0: the machine of the first case, with earlybind and every source of rules
in place.
"""

from facts import expect
from platforms import ALL

ON = ALL
CONFIG = "table"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on vfio-pci.ids=10ee:5000,10ee:5001 rd.earlybind=0"


def check(facts, native):
    facts.check_native()
    facts.check_others(native, changed=())
    expect("vfio_pci" not in facts.text("lsmod"), "vfio_pci was loaded though all is off")
    facts.check_log("rd.earlybind=0")
