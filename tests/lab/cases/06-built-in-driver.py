"""A driver that is built into the kernel has the device long before any program runs:
8250_pci (its name on the bus is `serial`) and QEMU's pci-serial. The device is recovered.
"""

from facts import expect

SERIAL = "0000:00:05.0"

CONFIG = "none"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on rd.earlybind.bind=1b36:0002"
DEVICES = "-chardev null,id=nowhere -device pci-serial,addr=5.0,chardev=nowhere"


def check(facts, native):
    # The kernel's line about the port shows that the driver had the device.
    expect(f"{SERIAL}: ttyS" in facts.text("dmesg"), "the built-in driver never had the port")
    facts.check_driver(SERIAL, "vfio-pci")
    facts.check_others(native, changed=())
    facts.reported(SERIAL, driver="serial", wanted="vfio-pci", action="recover", verdict="bound")
    facts.check_log(f"{SERIAL} .*bound to vfio-pci .*was serial")
