"""Functions depend on devices that are late, so that the kernel puts every probe of them off. The
first one's never comes: it is given back, and does not keep the others waiting. The second one's
comes while the binder waits, and it is bound.
"""

from facts import expect
from machine import cards

NEVER = "0000:03:00.0"
LATE = "0000:04:00.0"

CONFIG = "none"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on rd.earlybind.timeout=20 rd.earlybind.bind=01:00.*,03:00.0,04:00.0"
DEVICES = cards(3, 4)
IDENTITIES = [
    f"{NEVER}=10ee:5004:120000:10ee:000e",
    f"{LATE}=10ee:5004:120000:10ee:000e",
]
INSERT = [f"lab_supplier.ko of={NEVER},{LATE} after_ms=-1,10000"]


def check(facts, native):
    facts.check_order(
        f"pci {LATE}: depends on lab-supplier.1",
        "lab-supplier lab-supplier.1: the supplier is there: 1",
        f"earlybind: {LATE} [10ee:5004] bound to vfio-pci",
    )
    facts.check_driver(LATE, "vfio-pci", "xclmgmt")
    facts.reported(LATE, action="bind", verdict="bound", reason=None, errno=0)
    facts.check_seconds(LATE, 0, 20)

    sentence = (
        "the kernel deferred its binding until the deadline: a device that it needs is not"
        " there yet"
    )
    facts.reported(
        NEVER, action="bind", verdict="restored", after=None, reason="deferred", message=sentence
    )
    expect(facts.functions[NEVER].driver is None, f"{NEVER} has a driver")
    expect(facts.functions[NEVER].override is None, f"{NEVER} has a driver_override")

    facts.check_card_bound()
    facts.check_others(native)
    seconds = facts.report()["microseconds"] / 1e6
    expect(seconds < 24, f"the binder took {seconds:.1f} s")
