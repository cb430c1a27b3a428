"""xclmgmt has the management function before anything of the image runs. The function is
recovered. The rules are in the table only.
"""

from facts import expect
from machine import MGMT, USER
from platforms import ALL

ON = ALL
# Each release and each generator is there; "make test-all" has them all.
TEST_ON = ["bookworm/initramfs-tools", "trixie/dracut-plain", "forky/initramfs-tools",
           "forky/dracut-systemd"]
CONFIG = "table"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on"
INSERT = ["xclmgmt.ko"]


def check(facts, native):
    expect(
        f"xclmgmt {MGMT}: xclmgmt: removed" in facts.text("dmesg"),
        "xclmgmt never had the function: there was nothing to recover",
    )
    facts.check_card_bound()
    facts.check_others(native)
    facts.reported(MGMT, driver="xclmgmt", wanted="vfio-pci", action="recover", verdict="bound")
    facts.reported(USER, driver=None, wanted="vfio-pci", action="bind", verdict="bound")
    facts.check_log(f"{MGMT} .*bound to vfio-pci .*was xclmgmt")
