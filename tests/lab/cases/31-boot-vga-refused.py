"""The machine's screen is a VGA controller with the firmware's framebuffer. A rule that names it
without allow=console is refused, in words, and the screen stays as it is.
"""

from facts import expect

VGA = "0000:00:04.0"

CONFIG = "none"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on vga=0x317 rd.earlybind.bind=00:04.0"
DEVICES = "-device VGA,addr=4.0"


def check(facts, native):
    expect("vesafb: framebuffer at" in facts.text("dmesg"), "the firmware left no framebuffer")
    facts.reported(VGA, action="refuse", verdict="refused", reason="console")
    facts.check_log(f"{VGA} .*not bound: it drives the console: .*add allow=console")
    expect("which goes dark now" not in facts.text("dmesg"), "the screen was said to go dark")
    # Its own driver has it, and the console is on it.
    facts.check_driver(VGA, "bochs-drm")
    expect(facts.text("fb").startswith("0 bochs-drm"), f"/proc/fb is {facts.text('fb')!r}")
    facts.check_others(native, changed=())
