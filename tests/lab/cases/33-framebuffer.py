"""The firmware's framebuffer is on a display controller that is no VGA controller (class 038000):
vfio-pci does not take it away. It is released, and the memory is free for a guest.
"""

from facts import expect
from machine import GPU

CONFIG = "none"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on vga=0x340 rd.earlybind.bind=02:00.0;allow=console"


def check(facts, native):
    dmesg = facts.text("dmesg")
    expect("vesafb: framebuffer at" in dmesg, "the firmware left no framebuffer")
    said = dmesg.find(f"{GPU} drives the screen, which goes dark now; the machine goes on")
    dark = dmesg.find("switching to colour dummy device")
    released = dmesg.find(f"{GPU}: the firmware's framebuffer (vesa-framebuffer) is released")
    expect(0 < said < dark, f"not said beforehand: {said}, dark at {dark}")
    expect(released > 0, "the framebuffer was not released")
    facts.reported(GPU, wanted="vfio-pci", action="bind", verdict="bound", reason=None)
    facts.check_driver(GPU, "vfio-pci")
    iomem = facts.text("iomem")
    expect(f" : {GPU}\n" in iomem, "/proc/iomem does not name the device's memory")
    expect("vesafb" not in iomem, "the framebuffer still has its memory")
    expect(facts.text("fb") == "", f"/proc/fb is {facts.text('fb')!r}")
    facts.check_others(native, changed=[GPU])
