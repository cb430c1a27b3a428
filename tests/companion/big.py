#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a tree for --sysroot of a machine with many functions: as many as there are, of few
kinds, virtual functions for the most part.

usage: big.py COUNT DIR
"""
import os
import sys

import mktree

KINDS = (
    # IDs, class, driver, more
    ("8086:1889:8086:0000", "020000", "iavf", {}),
    ("15b3:101e:15b3:0083", "020000", "mlx5_core", {}),
    ("144d:a824:144d:a801", "010802", "nvme", {}),
    ("1b36:000c:1b36:0000", "060400", "pcieport", {}),
)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    count, root = int(sys.argv[1]), sys.argv[2]
    for place in ("sys/bus/pci/devices", "sys/kernel/iommu_groups", "sys/class/iommu/dmar0",
                  "proc", "etc", "run"):
        os.makedirs(os.path.join(root, place))
    for i in range(count):
        domain, bus, rest = i >> 16, i >> 8 & 255, i & 255
        address = f"{domain:04x}:{bus:02x}:{rest >> 3:02x}.{rest & 7}"
        ids, kind, driver, more = KINDS[i % 16 // 5]
        mktree.write_device(root, address,
                            {"ids": ids, "class": kind, "driver": driver, "group": str(i),
                             "reset": "flr", **more},
                            f"sys/devices/pci{domain:04x}:00/{address}")
    modules = {"iavf": ["pci:v00008086d00001889sv*sd*bc*sc*i*"],
               "mlx5_core": ["pci:v000015B3d0000101Esv*sd*bc*sc*i*"],
               "nvme": ["pci:v*d*sv*sd*bc01sc08i02*"]}
    mktree.write(root, "proc/sys/kernel/osrelease", "6.12.0-big\n")
    mktree.write(root, "proc/cmdline", "intel_iommu=on\n")
    mktree.write(root, "etc/earlybind.conf", "bind class=0200+15b3:*\nbind class=0108\n")
    mktree.write_modules(root, "6.12.0-big", modules, {})


main()
