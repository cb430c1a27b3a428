"""on-failure=shell: the initramfs opens its own shell on the console, which says which devices
are not bound and why; what is typed there counts; and after "exit" the boot goes on. Without
an IOMMU nothing can be bound.
"""

import re

from facts import expect
from machine import MGMT, USER

ON = ["bookworm/initramfs-tools", "bookworm/dracut-systemd", "forky/dracut-plain"]
TEST_ON = ON[:1]
CONFIG = "table"
EARLYBIND = "installed"
# The lab's own panic=-1 would forbid the shell. Without a value the kernel keeps the former one.
CMDLINE = "intel_iommu=off rd.earlybind.on_failure=shell panic="
IOMMU = False
# As the images write it.
PROMPT = r"\(initramfs\) |earlybind:\S*# |sh-[0-9.]+# "
# Where root has no password sulogin asks for Enter first.
TYPE = [
    (f"{PROMPT}|Press Enter for maintenance", ""),
    # Images of dracut have no grep.
    (PROMPT, "dmesg | sed -n '/earlybind.* not bound: the IOMMU is off/p' >/run/earlybind/typed"),
    (PROMPT, "exit"),
]


def check(facts, native):
    facts.check_native()
    facts.check_others(native, changed=())
    for address in (MGMT, USER):
        facts.reported(address, verdict="refused", reason="iommu-off")
    line = rf"not bound: {MGMT} \(iommu-off\), {USER} \(iommu-off\); .*\"exit\" goes on with the boot"
    facts.check_log(f"on-failure=shell: {line}")
    console = (facts.folder.parent / "console.log").read_text(errors="replace")
    expect(re.search(f"earlybind: on-failure=shell: {line}", console), "the shell does not say why")
    typed = facts.text("run/typed").strip()
    expect(typed, "there was no shell to type in")
    lines = len(typed.splitlines())
    expect(lines == 2, f"what was typed has found {lines} lines, not 2: {typed}")
