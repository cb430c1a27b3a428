"""A rule has virtual functions made: nvme gets the controllers in the booted system, udev tells
the one that the rule is about to make two, and they are bound; the controllers stay.
"""

from facts import expect

PF, OTHER = "0000:03:00.0", "0000:04:00.0"
VFS = ["0000:03:00.1", "0000:03:00.2"]

CONFIG = "vfs-made"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on"
DEVICES = "".join(
    f" -device pcie-root-port,id=rp{n},chassis={n},slot={n},addr={n}.0"
    f" -device nvme-subsys,id=subsystem{n}"
    f" -device nvme,bus=rp{n},serial=made{n},subsys=subsystem{n},sriov_max_vfs=4,sriov_vq_flexible=8,"
    "sriov_vi_flexible=4,max_ioqpairs=10,msix_qsize=9"
    for n in (3, 4)
)


def check(facts, native):
    facts.check_driver(PF, "nvme")
    facts.check_driver(OTHER, "nvme")
    made = [f.address for f in facts.functions.values() if f.address[:7] in ("0000:03", "0000:04")]
    expect(sorted(made) == [PF, *VFS, OTHER], f"there are {' '.join(made)}")
    for address in VFS:
        facts.check_driver(address, "vfio-pci")
        # No driver had it first: that would be said behind the name of the driver.
        facts.check_log(f"{address} .*bound to vfio-pci, group")
    status = " ".join(facts.text("status").split())
    for words in (
        "pf=03:00.0+1b36:0010 vfs=2 (/etc/earlybind.conf:2): 2 of 0000:03:00.0 are there",
        "those of 0000:04:00.0 are 1b36:0010, which the rule does not name",
    ):
        expect(words in status, f"earlybind status does not say: {words}")
    facts.check_others(native, changed=())
