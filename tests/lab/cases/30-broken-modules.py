"""The image's vfio-pci is cut off and its vfio_iommu_type1 is another kernel's: the report names
both files and says what is wrong with each. Nothing is unbound: a driver that is built in
keeps its device, and the card gets its own.
"""

from facts import expect

SERIAL = "0000:00:05.0"

CONFIG = "broken-modules"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on vfio-pci.ids=10ee:5000,10ee:5001 rd.earlybind.bind=1b36:0002"
DEVICES = "-chardev null,id=nowhere -device pci-serial,addr=5.0,chardev=nowhere"


def check(facts, native):
    facts.check_native()
    facts.check_driver(SERIAL, "serial")
    device = facts.reported(SERIAL, driver="serial", after="serial", reason="module-failed")
    expect(
        "vfio-pci.ko is damaged: reinstall the kernel's package" in device["message"],
        f"the report does not say what is wrong with vfio-pci.ko: {device['message']}",
    )
    modules = {module["name"]: module for module in facts.report()["modules"]}
    # ENOEXEC, "Exec format error", is what the kernel says to both.
    expect(
        [modules[name]["errno"] for name in ("vfio_iommu_type1", "vfio_pci")] == [8, 8],
        f"the kernel refused the modules with other errors: {modules}",
    )
    message = modules["vfio_iommu_type1"]["message"]
    expect(
        "vfio_iommu_type1.ko is built for kernel 7.2.1-61-" in message,
        f"the report does not say whose vfio_iommu_type1.ko is: {message}",
    )
    facts.check_log("vfio-pci.ko is damaged")
