"""Two cards were reflashed since the image was made, and come up with other IDs: the rules by
serial number and by path bind them before the driver of the new ID can, and the report and the
kernel log say that the ID changed. Of a third card, which is as it was, nothing is said.
"""

from facts import expect

SERIAL, PATH, SAME = (f"0000:{n:02x}:00.0" for n in (3, 4, 5))

CONFIG = "reflashed"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on"
# The serial number of an e1000e is made of its MAC address.
DEVICES = " ".join(
    f"-device pcie-root-port,id=rp{n},chassis={n},slot={n},addr={n}.0"
    f" -device e1000e,bus=rp{n},romfile=,mac=00:0a:35:00:00:0{n - 2}"
    for n in (3, 4, 5)
)
IDENTITIES = [
    f"{SERIAL}=10ee:5000:120000:10ee:000e",
    f"{PATH}=10ee:5005:120000:10ee:000e",
    f"{SAME}=10ee:5004:120000:10ee:000e",
]
NOTES = {
    SERIAL: "its ID changed: 10ee:d000 when the image was built (reflashed?)",
    PATH: "its ID changed: 10ee:d004 or 10ee:d005 when the image was built"
    " (reflashed, or another card?)",
    SAME: None,
}


def check(facts, native):
    facts.check_others(native, changed=())
    for address, note in NOTES.items():
        facts.check_driver(address, "vfio-pci")
        facts.reported(address, action="bind", verdict="bound", reason=None, note=note)
    facts.check_log(r"0000:03:00\.0 \[10ee:5000\] bound to vfio-pci, .*; its ID changed: 10ee:d000 ")
    facts.check_log(r"0000:05:00\.0 \[10ee:5004\] bound to vfio-pci, group \d+, \d+ ms\n")
    expect(facts.report()["all_bound"], "a note keeps the report from all_bound")
    expect("known serial=" in facts.text("run/rules"), "a late run knows nothing of the cards")
    expect(len(facts.report()["rules"]) == 3, "known lines count as rules")
