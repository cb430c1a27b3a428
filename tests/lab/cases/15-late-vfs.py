"""Virtual functions of an NVMe controller are created after boot: nvme is loaded, as it has the
physical function, and takes them at once. They end on vfio-pci, the physical function stays.
"""

from facts import expect
from platforms import HOME

PF = "0000:03:00.0"
VFS = ["0000:03:00.1", "0000:03:00.2"]

ON = [HOME, "forky/dracut-systemd"]
CONFIG = "vfs"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on lab.late=vfs"
DEVICES = (
    "-device pcie-root-port,id=rp3,chassis=3,slot=3,addr=3.0"
    " -device nvme-subsys,id=subsystem"
    " -device nvme,bus=rp3,serial=late,subsys=subsystem,sriov_max_vfs=2,sriov_vq_flexible=4,"
    "sriov_vi_flexible=2,max_ioqpairs=6,msix_qsize=5"
)


def check(facts, native):
    facts.check_driver(PF, "nvme")
    for address in VFS:
        expect(address in facts.functions, f"there is no {address}: see facts/late")
        facts.check_driver(address, "vfio-pci")
        facts.check_log(f"{address} .*bound to vfio-pci")
        expect(address in facts.text("status"), f"earlybind status does not name {address}")
    facts.check_others(native, changed=())
