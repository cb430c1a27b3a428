"""Six identical cards, of which the IDs say nothing: one is bound by its address, one by the path
to it, one by its slot, one by its serial number. Their neighbours stay with their driver.

Card N is at N:00.0, behind root port 00:N.0, in slot N; its serial number is that of its MAC.
"""

import re

from facts import expect
from machine import MGMT, NAMED_SLOTS, USER, cards

NUMBERS = range(3, 9)
CARDS = {n: f"0000:0{n}:00.0" for n in NUMBERS}
RULES = {
    3: "03:00.0+10ee:5000",
    4: "path=00:04.0/00.0",
    5: "slot=5",
    6: "serial=52-54-00-ff-ff-00-00-06+10ee:5000",
}

CONFIG = "none"
EARLYBIND = "installed"
CMDLINE = f"intel_iommu=on rd.earlybind.log=debug rd.earlybind.bind={','.join(RULES.values())}"
DEVICES = re.sub(r"bus=rp(\d+)", r"bus=rp\1,mac=52:54:00:00:00:0\1", cards(*NUMBERS)) + NAMED_SLOTS
IDENTITIES = [f"{address}=10ee:5000:120000:10ee:000e" for address in CARDS.values()]


def check(facts, native):
    for number, address in CARDS.items():
        expect(facts.functions[address].id == "10ee:5000", f"{address} is not such a card")
        bound = number in RULES
        facts.check_driver(address, "vfio-pci" if bound else "xclmgmt", "xclmgmt")
        if bound:
            facts.reported(address, rule=RULES[number], action="bind", verdict="bound")
    named = {device["address"] for device in facts.report()["devices"]}
    expect(named == {CARDS[n] for n in RULES}, f"the rules are about {' '.join(sorted(named))}")
    expect(facts.report()["all_bound"], "not all is bound that the rules name")
    # One more of the kind, and the rest of the machine
    facts.check_driver(MGMT, "xclmgmt", "xclmgmt")
    facts.check_driver(USER, "xocl", "xocl")
    facts.check_others(native, changed=())
