"""What the lab's machines run: a Debian release, and the generator of their images.

A platform is written SUITE/GENERATOR, for example trixie/dracut-systemd.
"""

SUITES = ["bookworm", "trixie", "forky"]

# dracut-plain: an image without systemd.
GENERATORS = ["initramfs-tools", "dracut-systemd", "dracut-plain"]

# Where all cases run unless they say otherwise.
HOME = "bookworm/initramfs-tools"

ALL = [f"{suite}/{generator}" for suite in SUITES for generator in GENERATORS]
