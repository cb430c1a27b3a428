"""The machine starts the same kernel again by kexec: the card is bound there, too. It stays so when its
own drivers are loaded and loaded again, when udev goes through all devices once more, and when driverctl
is installed. When driverctl moves a function, `status` and `explain` say what has it now.
"""

import runpy

from facts import expect
from machine import LAB

given = runpy.run_path(str(LAB / "cases/60-vm.py"))

CONFIG = "vmhost"
EARLYBIND = "installed"
VMHOST = True
CMDLINE = f"intel_iommu=on lab.late=kexec {given['AWAKE']} {given['RULES']}"
DEVICES = given["DEVICES"] + (
    " -drive file={initrd},format=raw,if=none,id=initrd,readonly=on"
    " -device nvme,serial=initrd,drive=initrd"
)
IDENTITIES = given["IDENTITIES"]
IN_GROUP = given["IN_GROUP"]
TEST_ON = []

STAYED = given["STAYED"]
MOVED = "driver of 03:00.0: vfio-pci, override: vfio-pci\ndriver of 03:00.1: xocl, override: xocl\n"
GIVEN_UP = MOVED.replace("override: xocl", r"override: \(null\)")
TRIGGERED = r"\$ udevadm settle\n=> 0\n" + STAYED


def check(facts, native):
    console = (facts.folder.parent / "console.log").read_text(errors="replace")
    expect(console.count("Linux version ") == 2, "there were not two kernels")
    expect("kexec_core: Starting new kernel" in console, "kexec did not start a kernel")
    expect("lab.late=after" in facts.text("cmdline"), "this is not the second kernel")
    facts.check_bound_at_boot(native, "command line")
    given["expect_said"](
        facts,
        STAYED,
        r"\$ modprobe xclmgmt\n=> 0\n\$ rmmod xclmgmt\n=> 0\n\$ modprobe xclmgmt\n=> 0\n",
        r"\$ modprobe xocl\n=> 0\n\$ rmmod xocl\n=> 0\n\$ modprobe xocl\n=> 0\n" + STAYED,
        TRIGGERED,
        r'earlybind_device_bound\{address="0000:03:00\.0".*"bound"\} 1\n',
        r"\$ promtool check metrics\n=> 0\n",
        r"\$ driverctl list-overrides\n(?:.*\n)*0000:03:00\.0 vfio-pci\n0000:03:00\.1 vfio-pci\n",
        TRIGGERED,
        r"\$ driverctl --nosave set-override 0000:03:00\.1 xocl\n=> 0\n" + MOVED,
        r"0000:03:00\.1 .* bound to vfio-pci at boot but changed since: xocl has it now\n",
        r" +moved: at 20[0-9: -]+ UTC or before, by (?:udev's last event about it|the first look at .*)\n",
        r' +moved: kernel log, [0-9.]+ s after its start: "xocl 0000:03:00\.1: .*"\n',
        r" +moved: who did it is not recorded: no override of driverctl and no domain",
        r"driver_override was changed to xocl by another program \(driverctl, libvirt\)",
        r"\$ driverctl unset-override 0000:03:00\.1\n=> 0\n" + GIVEN_UP,
        r"\$ earlybind bind 03:00\.1\n(?:.*\n)*?=> 0\n" + STAYED,
        r" +moved: driverctl has an override of it: /etc/driverctl\.d/pci-0000:03:00\.1 names xocl\n",
        r"0000:03:00\.1 .* bound to vfio-pci by hand \(was xocl\) and still is\n",
    )
