"""libvirt starts a domain with what `earlybind export libvirt` prints, which is valid by libvirt's
schema. In the VM both functions work (60 is QEMU alone). When the domain has ended the card is where it
was; also when a domain with managed='yes' was started and destroyed. A function whose group the
graphics card shares is refused, with QEMU's words.
"""

import runpy

from machine import LAB

given = runpy.run_path(str(LAB / "cases/60-vm.py"))

CONFIG = "vmhost"
EARLYBIND = "installed"
VMHOST = True
CMDLINE = f"intel_iommu=on lab.late=libvirt {given['AWAKE']} {given['RULES']}"
DEVICES = given["DEVICES"]
IDENTITIES = given["IDENTITIES"]
IN_GROUP = given["IN_GROUP"]
TEST_ON = []

VALID = r"\$ virt-xml-validate /tmp/domain domain\n/tmp/domain validates\n=> 0\n"


def check(facts, native):
    stayed = given["STAYED"]
    given["expect_said"](
        facts,
        r"<hostdev mode='subsystem' type='pci' managed='no'>\n",
        VALID,
        r"\$ virsh start card\nDomain 'card' started\n",
        given["WORKED"].format(bus="10"),
        r"\$ virsh domstate card\nshut off\n\n=> 0\n" + stayed,
        VALID,
        r"\$ virsh start managed\nDomain 'managed' started\n\n=> 0\n" + stayed,
        r"\$ virsh destroy managed\nDomain 'managed' destroyed\n\n=> 0\n" + stayed,
        r"\$ earlybind status\n(?:.*\n)*0000:03:00\.0 .* bound to vfio-pci at boot and still is\n",
        r"\$ virsh start engine\nerror: Failed to start domain 'engine'\n"
        r".*vfio 0000:01:00\.2: group 1 is not viable\n",
    )
