"""A rule names the card, with=group and allow=console: the display and the audio function that share
its IOMMU group come along, and the group can be used, by our word and by the kernel's. The root
ports are left to their driver, and nobody has touched anything else.
"""

from facts import expect
from machine import GPU, GPU_AUDIO, MGMT, USER

CONFIG = "none"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on rd.earlybind.bind=10ee:5000,10ee:5001;with=group;allow=console"


def check(facts, native):
    facts.check_card_bound()
    for address in (GPU, GPU_AUDIO):
        facts.check_driver(address, "vfio-pci")
        facts.reported(address, action="bind", verdict="bound", rule="10ee:5000")
        facts.reported(address, note=f"comes along with {MGMT}")
        facts.check_log(f"{address} .*bound to vfio-pci, group 1, .*; comes along with {MGMT}")
    for address in (MGMT, USER):
        facts.reported(address, action="bind", verdict="bound", note=None)
    facts.check_others(native, changed=(MGMT, USER, GPU, GPU_AUDIO))
    facts.reported_group(1, viable=True, blockers=[])
    group = next(g for g in facts.report()["groups"] if g["id"] == 1)
    expect(group["kernel"] == "viable", f"the kernel says of the group: {group['kernel']}")
    expect(facts.report()["all_bound"], "not all is bound")
