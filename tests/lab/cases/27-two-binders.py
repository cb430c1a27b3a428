"""Two binders run at once: one works, the other waits for its turn and finds all done; the report
of the first is kept. The table of both is damaged: they say so, and obey the command line.
"""

import json

from facts import expect
from machine import MGMT, USER

CONFIG = "two-binders"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on vfio-pci.ids=10ee:5000,10ee:5001"
# Long enough for the other one to come.
INSERT = [f"xclmgmt.ko only={MGMT} remove_ms=4000"]


def check(facts, native):
    facts.check_card_bound()
    facts.check_others(native)
    facts.check_order(
        "another binder is at work: waiting for it",
        f"xclmgmt {MGMT}: xclmgmt: removed",
        f"{MGMT} [10ee:5000] bound to vfio-pci (was xclmgmt)",
    )
    first = facts.text("run/report-first.json")
    expect(first, "there is no report-first.json")
    former = {d["address"]: d for d in json.loads(first)["devices"]}
    expect(
        (former[MGMT]["action"], former[MGMT]["before"], former[MGMT]["verdict"])
        == ("recover", "xclmgmt", "bound"),
        f"the first report says of the card: {former[MGMT]}",
    )
    for address in (MGMT, USER):
        facts.reported(address, action="done", verdict="bound", reason=None)
    facts.check_log("embedded table.*it is damaged: rebuild the image")
