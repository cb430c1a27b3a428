"""The rules were written for the machine of case 40, where card N is at N:00.0. Since then a root
port was added in front of the cards, with a network card in it, and all their buses have moved
by one. An address leads to another device, which is refused and named, and so is the place where
the card is now, by its ID or its serial number; path, slot and serial number hold; the card whose
rule says follow is bound where it is now. The disk has moved, too, and nobody minds.
"""

import re

from facts import expect
from machine import MGMT, NAMED_SLOTS, USER, cards

NUMBERS = range(3, 9)
NOW = {n: f"0000:0{n + 1}:00.0" for n in NUMBERS}
NIC = "0000:03:00.0"
PORT, DISK = "0000:00:02.0", "0000:00:09.0"
BY_ADDRESS = "03:00.0+10ee:5020"
BY_BOTH = "04:00.0+serial=52-54-00-ff-ff-00-00-04"
FOLLOWED = "06:00.0+serial=52-54-00-ff-ff-00-00-06"
RULES = {
    5: "serial=52-54-00-ff-ff-00-00-05",
    6: FOLLOWED,
    7: "slot=7+10ee:5000",
    8: "path=00:08.0/00.0+10ee:5000",
}

CONFIG = "none"
EARLYBIND = "installed"
CMDLINE = (
    "intel_iommu=on rd.earlybind.log=debug"
    f" rd.earlybind.bind={','.join(RULES[n] for n in (5, 7, 8))}"
    f" rd.earlybind.bind={BY_ADDRESS},{BY_BOTH}"
    f" rd.earlybind.bind={FOLLOWED};follow"
)
DEVICES = (
    "-device pcie-root-port,id=rp2a,chassis=20,slot=20,addr=2.0"
    " -device e1000e,bus=rp2a,mac=52:54:00:00:00:20,romfile= "
) + re.sub(r"bus=rp(\d+)", r"bus=rp\1,mac=52:54:00:00:00:0\1", cards(*NUMBERS)) + NAMED_SLOTS
IDENTITIES = [
    f"{address}=10ee:{5020 if n == 3 else 5000}:120000:10ee:000e" for n, address in NOW.items()
]


def check(facts, native):
    expect(facts.functions[NIC].id == "8086:10d3", f"{NIC} is not the network card")
    facts.check_driver(NIC, "e1000e", "e1000e")
    refused = facts.reported(
        NIC, rule=BY_ADDRESS, verdict="refused", reason="identity-mismatch"
    )
    expect(
        refused["message"] == "another device sits in this place: 8086:10d3 is there now;"
        f" a 10ee:5020 is at {NOW[3]}; correct the rule",
        f"the refusal says: {refused['message']}",
    )
    facts.check_log(f"{NIC} .*not bound.*8086:10d3 is there now; a 10ee:5020 is at {NOW[3]}")
    refused = facts.reported(
        NOW[3], rule=BY_BOTH, verdict="refused", reason="identity-mismatch"
    )
    expect(
        f"the card with this serial number is now at {NOW[4]}" in refused["message"],
        f"the refusal says: {refused['message']}",
    )
    # The ones at whose old addresses something else sits are nobody's now.
    facts.check_driver(NOW[3], "xclmgmt", "xclmgmt")
    facts.check_driver(NOW[4], "xclmgmt", "xclmgmt")

    for number, rule in RULES.items():
        facts.check_driver(NOW[number], "vfio-pci", "xclmgmt")
        facts.reported(NOW[number], rule=rule, action="bind", verdict="bound")
    followed = facts.reported(NOW[6])
    expect(
        followed["note"]
        == f"followed: the rule says 0000:06:00.0, the card is at {NOW[6]} now",
        f"the note is {followed['note']}",
    )
    facts.check_log(f"{NOW[6]} .*bound to vfio-pci.*; followed: the rule says 0000:06:00.0")
    # The first of the kind, and the rest of the machine
    facts.check_driver(MGMT, "xclmgmt", "xclmgmt")
    facts.check_driver(USER, "xocl", "xocl")
    facts.check_driver(PORT, "pcieport")
    facts.check_driver(DISK, "nvme", "nvme")
    facts.check_others(native, changed=(PORT,))
    expect(not facts.report()["all_bound"], "the report does not say that a rule is wrong")
