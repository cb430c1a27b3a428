"""What a new user types, from the installation to the card on vfio-pci: two commands, a
reboot, and a look. The terminal's recording is compared with recordings/new-user.txt.

The image was made by update-initramfs on the machine itself, which recorded its critical devices:
a third boot with the ID of the root disk's controller in vfio-pci.ids= comes up from that disk all
the same, and says why.
"""

from facts import Facts, check_recording, expect
from machine import LAB

CONFIG = "new-user"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on"
SESSIONS = 3
LAST = "vfio-pci.ids=1b36:0010"

ORIGIN = "recorded with the image:1"


def check_root_disk_is_kept(facts):
    """A rule for the controller of the root disk is refused, by what the image build recorded."""
    disks = [f.address for f in facts.functions.values() if f.driver == "nvme"]
    expect(len(disks) == 1, f"{len(disks)} functions have the driver nvme, not one")
    told = facts.reported(
        disks[0],
        action="refuse",
        verdict="refused",
        reason="critical-storage",
        before=None,
        after=None,
    )
    expect(
        told["message"].startswith("the machine needs a disk on it (nvme0n1: mounted on /"),
        f"the report says of the root disk's controller: {told['message']}",
    )
    rules = [r for r in facts.report()["rules"] if r["kind"] == "critical"]
    expect(
        [r["origin"] for r in rules] == [ORIGIN] and rules[0]["text"].startswith("path="),
        f"the report has the critical rules {rules}",
    )


def check(facts, native):
    before, after = (
        Facts(facts.folder.parent / f"boot-{n}/facts", facts.generator) for n in (1, 2)
    )
    before.check_native()
    after.check_card_bound()
    after.check_others(native)
    after.check_rule_origin("/etc/earlybind.conf")
    facts.check_card_bound()
    facts.check_others(native)
    check_root_disk_is_kept(facts)
    text = f"{before.session()}# reboot\n{after.session()}"
    check_recording(LAB / "recordings/new-user.txt", text)
