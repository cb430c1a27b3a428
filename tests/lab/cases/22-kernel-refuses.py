"""vfio-pci itself refuses three functions by its denylist, which earlybind believes to be lifted:
what stands behind "--" is no parameter for the kernel, and modprobe takes it nevertheless. The one
that xclmgmt had gets it back, the one with hold is kept from xocl, the other is xocl's.
"""

from facts import expect
from machine import cards

BACK = "0000:03:00.0"
HELD = "0000:04:00.0"
FREE = "0000:05:00.0"

CONFIG = "none"
EARLYBIND = "installed"
CMDLINE = (
    "intel_iommu=on vfio-pci.disable_denylist=1 rd.earlybind.bind=01:00.*,03:00.0,05:00.0"
    " rd.earlybind.bind=04:00.0;on-failure=hold -- vfio-pci.disable_denylist=0"
)
DEVICES = cards(3, 4, 5)
IDENTITIES = [
    f"{BACK}=8086:37c8:0b4000:8086:0000",
    f"{HELD}=8086:37c9:0b4000:8086:0000",
    f"{FREE}=8086:37c9:0b4000:8086:0000",
]
INSERT = [f"xclmgmt.ko only={BACK}"]


def check(facts, native):
    dmesg = facts.text("dmesg")
    refused = {
        "reason": "bind-refused",
        "message": "vfio-pci refused it: invalid argument (EINVAL): this kernel's denylist has its"
        " model, or the IOMMU is not cache-coherent; see the kernel log",
        "errno": 22,
    }
    for address in (BACK, HELD, FREE):
        expect(
            f"vfio-pci: probe of {address} failed with error -22" in dmesg,
            f"vfio-pci did not refuse {address}",
        )

    facts.check_order(
        f"xclmgmt {BACK}: xclmgmt: removed",
        f"vfio-pci: probe of {BACK} failed with error -22",
        f"earlybind: {BACK} [8086:37c8] not bound, left to its own driver (xclmgmt)",
    )
    expect(dmesg.count(f"xclmgmt {BACK}: xclmgmt: probed") == 2, f"{BACK} was not probed again")
    facts.check_driver(BACK, "xclmgmt")
    facts.reported(
        BACK, action="recover", verdict="restored", before="xclmgmt", after="xclmgmt", **refused
    )

    expect(facts.functions[HELD].driver is None, f"{HELD} has a driver")
    expect(facts.functions[HELD].override == "vfio-pci", f"{HELD} is not held")
    facts.reported(HELD, action="bind", verdict="held", after=None, **refused)
    facts.check_log(f"{HELD} .*held back from every driver")

    facts.check_driver(FREE, "xocl")
    facts.reported(FREE, action="bind", verdict="restored", after=None, **refused)
    for address in (BACK, FREE):
        expect(facts.functions[address].override is None, f"{address} has a driver_override")

    facts.check_card_bound()
    facts.check_others(native)
