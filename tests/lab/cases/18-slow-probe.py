"""Drivers are in their probe when the binder comes. xclmgmt's takes 20 s: the function is
recovered when it is done. xocl has one function and is busy with the next for 30 s: the kernel
makes drivers/xocl/unbind only afterwards. All of them end bound within recovery-timeout.
"""

from facts import expect
from machine import MGMT, USER, cards

SLOW = "0000:03:00.0"

CONFIG = "none"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on rd.earlybind.bind=01:00.*,03:00.0"
DEVICES = cards(3)
IDENTITIES = [f"{SLOW}=10ee:5005:120000:10ee:000e"]
INSERT = ["xclmgmt.ko probe_ms=20000 &", f"xocl.ko only={SLOW} probe_ms=30000 &"]


def check(facts, native):
    facts.check_order(
        f"xclmgmt {MGMT}: xclmgmt: probe",
        f"earlybind: {MGMT} [10ee:5000] is held by xclmgmt",
        f"xclmgmt {MGMT}: xclmgmt: probed",
        f"xclmgmt {MGMT}: xclmgmt: removed",
    )
    facts.check_order(
        f"xocl {USER}: xocl: probed",
        f"xocl {SLOW}: xocl: probe",
        f"earlybind: {USER} [10ee:5001] is held by xocl",
        f"xocl {SLOW}: xocl: probed",
        f"xocl {USER}: xocl: removed",
    )
    facts.check_card_bound()
    facts.check_driver(SLOW, "vfio-pci", "xocl")
    facts.check_others(native)
    for address, driver in ((MGMT, "xclmgmt"), (USER, "xocl"), (SLOW, "xocl")):
        facts.reported(
            address, action="recover", verdict="bound", before=driver, reason=None, errno=0
        )
        facts.check_seconds(address, 0, 32)
        facts.check_log(f"{address} .*bound to vfio-pci .*was {driver}")
    facts.check_log("still waiting for the kernel: ")
    seconds = facts.report()["microseconds"] / 1e6
    expect(seconds < 40, f"the binder took {seconds:.1f} s")
