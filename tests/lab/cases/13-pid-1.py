"""An image that nobody made for earlybind: `earlybind image --append` adds the binder, its
table and the vfio modules, and it runs as PID 1 before the image's own /init.
"""

from facts import expect

TEST_ON = ["bookworm/initramfs-tools"]
ON = TEST_ON + ["bookworm/dracut-systemd", "trixie/initramfs-tools", "forky/dracut-systemd"]
CONFIG = "none"
EARLYBIND = "appended"
CMDLINE = "intel_iommu=on"


def check(facts, native):
    facts.check_bound_at_boot(native, "earlybind.conf")
    expect(not facts.text("failed-units").strip(), f"failed: {facts.text('failed-units')}")
