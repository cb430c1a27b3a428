"""Two devices are plugged in after boot. One is a card like the others: its native driver is
loaded already and takes it at once. The other's driver is not: udev would load it.
"""

from facts import expect
from platforms import HOME

CARD = "0000:03:00.0"
NIC = "0000:04:00.0"

ON = [HOME, "trixie/dracut-plain", "forky/dracut-systemd"]
CONFIG = "late"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on vfio-pci.ids=8086:10d3 lab.late=plug"
DEVICES = (
    "-device pcie-root-port,id=rp3,chassis=3,slot=3,addr=3.0"
    " -device pcie-root-port,id=rp4,chassis=4,slot=4,addr=4.0"
)
IDENTITIES = [f"{CARD}=10ee:5000:120000:10ee:000e"]
PLUG = [
    {"driver": "e1000e", "bus": "rp3", "id": "late1", "romfile": ""},
    {"driver": "e1000e", "bus": "rp4", "id": "late2", "romfile": ""},
]


def check(facts, native):
    dmesg = facts.text("dmesg")
    expect(
        f"xclmgmt {CARD}: xclmgmt: probe" in dmesg,
        "xclmgmt never had the card: there was nothing to recover",
    )
    facts.check_driver(CARD, "vfio-pci", "xclmgmt")
    facts.check_driver(NIC, "vfio-pci", "e1000e")
    # The module is never loaded for this machine's only network card.
    expect(f"e1000e {NIC}" not in dmesg, "e1000e had the network card")
    facts.check_others(native, changed=())
    for address in (CARD, NIC):
        facts.check_log(f"{address} .*bound to vfio-pci")
        expect(address in facts.text("status"), f"earlybind status does not name {address}")
