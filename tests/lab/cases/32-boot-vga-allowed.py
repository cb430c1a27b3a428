"""The same screen with allow=console: one line says that it goes dark, before it does. The VGA
controller is on vfio-pci, which has taken the firmware's framebuffer away itself. The other
display, which no rule allows to take, is refused: it is the last one.
"""

from facts import expect
from machine import GPU

VGA = "0000:00:04.0"

CONFIG = "none"
EARLYBIND = "installed"
CMDLINE = (
    "intel_iommu=on vga=0x317 rd.earlybind.bind=00:04.0;allow=console rd.earlybind.bind=02:00.0"
)
DEVICES = "-device VGA,addr=4.0"


def check(facts, native):
    dmesg = facts.text("dmesg")
    expect("vesafb: framebuffer at" in dmesg, "the firmware left no framebuffer")
    said = dmesg.find(f"{VGA} drives the screen, which goes dark now; the machine goes on")
    dark = dmesg.find("switching to colour dummy device")
    expect(0 < said < dark, f"not said beforehand: {said}, dark at {dark}")
    facts.reported(VGA, wanted="vfio-pci", action="bind", verdict="bound", reason=None)
    facts.check_driver(VGA, "vfio-pci")
    expect("is released" not in dmesg, "vfio-pci had not done it")
    expect("vesafb" not in facts.text("iomem"), "the framebuffer still has its memory")
    facts.reported(GPU, action="refuse", reason="last-display")
    facts.check_log(f"{GPU} .*not bound: it is the only display")
    facts.check_others(native, changed=())
