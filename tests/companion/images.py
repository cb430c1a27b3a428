# SPDX-License-Identifier: GPL-2.0-or-later
"""Images of the initramfs for tests: cpio in and out, all compressions, one shape for each
generator. A tree is a dictionary from names to Entry, in the order of the archive."""
import bz2
import gzip
import lzma
import stat
import subprocess
from collections import namedtuple

from mktree import index

Entry = namedtuple("Entry", "mode data")

RELEASE = "6.1.0-18-amd64"
DRACUT_UNIT = """\
[Unit]
DefaultDependencies=no
ConditionPathExists=/etc/initrd-release
Before=systemd-modules-load.service systemd-udevd.service systemd-udev-trigger.service
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=-/usr/lib/earlybind/binder
TimeoutStartSec=5min
"""
UNITS = "usr/lib/systemd/system"
WANTS = f"{UNITS}/sysinit.target.wants/earlybind.service"
BINDER = "usr/lib/earlybind/binder"


def file(data="", mode=0o644):
    return Entry(stat.S_IFREG | mode, data.encode() if isinstance(data, str) else data)


def script(data="#!/bin/sh\n"):
    return file(data, 0o755)


def folder():
    return Entry(stat.S_IFDIR | 0o755, b"")


def link(target):
    return Entry(stat.S_IFLNK | 0o777, target.encode())


# ---- cpio ----------------------------------------------------------------------------------

def pad(data, multiple=4):
    return data + bytes(-len(data) % multiple)


def header(name, entry, ino, size, nlink=1, magic=b"070701"):
    check = sum(entry.data) & 0xffffffff if magic == b"070702" else 0
    fields = (ino, entry.mode, 0, 0, nlink, 0, size, 0, 0, 0, 0, len(name) + 1, check)
    return pad(magic + b"".join(b"%08X" % field for field in fields) + name + b"\0")


def cpio(tree, trailer=True, magic=b"070701"):
    """An archive of newc or crc. Folders that are missing are put in front."""
    out, done = bytearray(), set()

    def put(name, entry):
        out.extend(header(name.encode(), entry, len(done) + 1, len(entry.data), 1, magic))
        out.extend(pad(entry.data))
        done.add(name)

    for name, entry in tree.items():
        parts = name.split("/")
        for i in range(1, len(parts)):
            parent = "/".join(parts[:i])
            if parent not in done and parent not in tree:
                put(parent, folder())
        put(name, entry)
    if trailer:
        out.extend(header(b"TRAILER!!!", Entry(0, b""), 0, 0))
    return bytes(out)


def hard_links(names, entry):
    """An archive of one file with several names: the last one has the data."""
    out = bytearray()
    for name in names:
        data = entry.data if name == names[-1] else b""
        out.extend(header(name.encode(), entry, 7, len(data), len(names)) + pad(data))
    out.extend(header(b"TRAILER!!!", Entry(0, b""), 0, 0))
    return bytes(out)


def read_cpio(data, at=0):
    """The entries of an archive that begins at @at, and where it ends."""
    tree = {}
    while data[at:at + 6] in (b"070701", b"070702"):
        field = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        name = data[at + 110:at + 109 + field[11]].decode()
        start = at + (110 + field[11] + 3) // 4 * 4
        body = data[start:start + field[6]]
        at = start + field[6] + -(start + field[6]) % 4
        if name == "TRAILER!!!":
            break
        tree[name] = Entry(field[1], body)
    return tree, at


# ---- compressions --------------------------------------------------------------------------

def run(command, data):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


COMPRESSIONS = {
    "gzip": lambda data: gzip.compress(data, 6, mtime=0),
    "bzip2": bz2.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "xz": lambda data: lzma.compress(data, lzma.FORMAT_XZ, lzma.CHECK_CRC32),
    "lzo": lambda data: run(["lzop", "-c"], data),
    "lz4": lambda data: run(["lz4", "-lcq"], data),
    "zstd": lambda data: run(["zstd", "-cq"], data),
}


# ---- shapes --------------------------------------------------------------------------------

def modules(place=f"usr/lib/modules/{RELEASE}", suffix=".ko"):
    """vfio, and the drivers of the Alveo machine."""
    vfio = f"kernel/drivers/vfio/vfio{suffix}"
    paths = {"vfio": (vfio, ()),
             "vfio_pci": (f"kernel/drivers/vfio/pci/vfio-pci{suffix}", (vfio,)),
             "vfio_iommu_type1": (f"kernel/drivers/vfio/vfio_iommu_type1{suffix}", (vfio,)),
             "xclmgmt": (f"kernel/drivers/fpga/xclmgmt{suffix}", ()),
             "nouveau": (f"kernel/drivers/gpu/nouveau{suffix}", ())}
    aliases = [("pci:v000010EEd00005000sv*sd*bc*sc*i*", "xclmgmt"),
               ("pci:v000010DEd*sv*sd*bc03sc*i*", "nouveau"),
               ("vfio_pci:v*d*sv*sd*bc*sc*i*", "vfio_pci")]
    dep = [(name, f"{path}: {' '.join(needs)}".rstrip()) for name, (path, needs) in paths.items()]
    tree = {f"{place}/{path}": file(f"module {name}") for name, (path, _) in paths.items()}
    tree[f"{place}/modules.dep.bin"] = file(index(dep))
    tree[f"{place}/modules.alias.bin"] = file(index(aliases))
    tree[f"{place}/modules.builtin.bin"] = file(index([("pci_stub", "")]))
    tree[f"{place}/modules.builtin.alias.bin"] = file(
        index([("pci:v000010EEd00005001sv*sd*bc*sc*i*", "xocl")]))
    return tree


def common(binder):
    tree = {name: link(f"usr/{name}") for name in ("bin", "lib", "sbin")}
    tree.update({"usr/bin": folder(), "usr/lib": folder(), "usr/sbin": folder()})
    tree[BINDER] = file(binder, 0o755)
    return tree


def order(*names):
    return file("".join(f'/scripts/init-top/{name} "$@"\n'
                        "[ -e /conf/param.conf ] && . /conf/param.conf\n" for name in names))


def initramfs_tools(binder):
    return {**common(binder), "init": script(), "conf/initramfs.conf": file("MODULES=most\n"),
            "scripts/functions": file(),
            "scripts/init-top/00-earlybind": script(), "scripts/init-top/udev": script(),
            "scripts/init-top/blacklist": script(),
            "scripts/init-top/ORDER": order("00-earlybind", "blacklist", "udev"),
            **modules()}


def dracut_plain(binder):
    hooks = "usr/lib/dracut/hooks"
    return {**common(binder), "init": script(), "etc/initrd-release": file(),
            f"{hooks}/cmdline/01-parse-kernel.sh": script(),
            f"{hooks}/pre-udev/00-earlybind.sh": script(),
            f"{hooks}/pre-udev/50-ifname-genrules.sh": script(), **modules()}


def systemd(binder):
    return {**common(binder), "init": link("usr/lib/systemd/systemd"),
            "usr/lib/systemd/systemd": script(), "etc/initrd-release": file(),
            f"{UNITS}/earlybind.service": file(DRACUT_UNIT),
            WANTS: link("../earlybind.service"), **modules()}


def dracut_systemd(binder):
    return {**systemd(binder), "usr/lib/dracut/hooks/pre-udev/50-ifname.sh": script()}


def mkinitcpio(binder):
    return {**common(binder), "init": script(), "init_functions": file(), "buildconfig": file(),
            "config": file("MODULES=\"\"\nEARLYHOOKS=\"earlybind udev\"\nHOOKS=\"udev\"\n"),
            "hooks/udev": script(), "hooks/earlybind": script(), **modules(suffix=".ko.zst")}


def mkinitcpio_systemd(binder):
    return {**systemd(binder), "buildconfig": file(), "config": file("EARLYHOOKS=\"\"\n"),
            "hooks": folder()}


def appended(binder):
    """What goes behind an image that nobody may rebuild: names are merged as it is there."""
    return {BINDER: file(binder, 0o755),
            **modules(f"usr/lib/earlybind/modules/{RELEASE}")}


SHAPES = {"initramfs-tools": initramfs_tools, "dracut": dracut_plain,
          "dracut-systemd": dracut_systemd, "mkinitcpio": mkinitcpio,
          "mkinitcpio-systemd": mkinitcpio_systemd}
