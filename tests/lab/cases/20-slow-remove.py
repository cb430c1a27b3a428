"""xclmgmt's remove takes 20 s, xocl's never returns from one function. The first is recovered, the
other is given up after recovery-timeout and left alone; what comes behind it is bound, and the
boot completes. A bridge and a model on vfio-pci's denylist are not touched.
"""

from facts import expect
from machine import MGMT, USER, cards
from platforms import HOME

PORT = "0000:00:03.0"
STUCK = "0000:03:00.0"
NEXT = "0000:04:00.0"
DENIED = "0000:05:00.0"

ON = [HOME, "bookworm/dracut-systemd"]
CONFIG = "table"
EARLYBIND = "installed"
LIMIT = 600
CMDLINE = (
    "intel_iommu=on rd.earlybind.recovery_timeout=30"
    " rd.earlybind.bind=00:03.0,03:00.0,04:00.0,05:00.0"
)
DEVICES = cards(3, 4, 5)
IDENTITIES = [
    f"{STUCK}=10ee:5005:120000:10ee:000e",
    f"{NEXT}=10ee:5004:120000:10ee:000e",
    f"{DENIED}=8086:37c8:0b4000:8086:0000",
]
INSERT = [f"xclmgmt.ko only={MGMT} remove_ms=20000", f"xocl.ko only={STUCK} remove_ms=-1"]


def check(facts, native):
    facts.check_order(
        f"xclmgmt {MGMT}: xclmgmt: remove",
        f"xclmgmt {MGMT}: xclmgmt: removed",
        f"xocl {STUCK}: xocl: remove",
        f"xclmgmt {NEXT}: xclmgmt: removed",
    )
    expect(f"{STUCK}: xocl: removed" not in facts.text("dmesg"), "xocl's remove came back")

    facts.check_card_bound()
    facts.check_driver(NEXT, "vfio-pci", "xclmgmt")
    for address in (MGMT, USER, NEXT):
        facts.reported(address, action="recover", verdict="bound", reason=None, errno=0)
    facts.check_seconds(MGMT, 19, 25)
    facts.check_seconds(USER, 0, 5)
    facts.check_seconds(NEXT, 0, 5)

    sentence = (
        "the kernel did not come back from unbind: the device is not touched again, and a reboot"
        " may hang on it; then SysRq-b, a hardware watchdog or the power switch helps"
    )
    facts.reported(STUCK, action="recover", verdict="stuck", reason="stuck", message=sentence)
    facts.check_seconds(STUCK, 29, 35)
    facts.check_log(f"{STUCK} .*a reboot may hang")
    expect(facts.functions[STUCK].driver is None, f"{STUCK} has a driver again")
    expect(STUCK in facts.text("list"), f"earlybind list does not name {STUCK}")

    facts.check_driver(PORT, "pcieport")
    facts.reported(PORT, action="refuse", verdict="refused", reason="bridge", after="pcieport")
    facts.check_log(f"{PORT} .*it is a bridge, which stays with the host")
    facts.check_driver(DENIED, "xclmgmt")
    facts.reported(DENIED, action="refuse", verdict="refused", reason="denylisted")
    facts.check_log(f"{DENIED} .*vfio-pci refuses this model")
    for address in (PORT, DENIED):
        expect(facts.functions[address].override is None, f"{address} has a driver_override")

    facts.check_others(native)
    seconds = facts.report()["microseconds"] / 1e6
    expect(seconds < 65, f"the binder took {seconds:.1f} s")
