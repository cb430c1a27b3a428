# SPDX-License-Identifier: GPL-2.0-or-later
"""modprobe.d, the indexes of modules and the embedded table, by somebody who means harm."""
import os
import struct

from machine import DONE, FREE, RULES, case_list

CASES, case = case_list()
MODULES = f"lib/modules/{os.uname().release}"
MARK = "/etc/executed"


def check_mark(m):
    if os.path.exists(m.path(MARK[1:])):
        raise ValueError("a line of modprobe.d was executed")


@case("install lines are never executed")
def _(m):
    for name in ("vfio_pci", "vfio-pci", "vfio_iommu_type1", "vfio", "*"):
        m.write(f"etc/modprobe.d/{len(name)}.conf",
                f"install {name} touch {MARK}\nremove {name} touch {MARK}\n"
                f"softdep {name} pre: evil post: evil\nalias {name} evil\n"
                f"options {name} x=$(touch {MARK})\n")
    m.run()
    check_mark(m)
    for name in ("vfio_pci", "vfio_iommu_type1"):
        m.remove(f"sys/module/{name}")
    m.remove("sys/bus/pci/drivers/vfio-pci")
    for address in (FREE, DONE):
        m.remove(f"{m.place(address)}/driver")
    m.write(f"{m.place(FREE)}/driver_override", "(null)\n")
    m.run(code=1, bound=[], says=["the module vfio_pci is not in this image"])
    check_mark(m)


@case("modprobe.d is a FIFO")
def _(m):
    m.fifo("etc/modprobe.d")
    m.run(code=1, says=["modprobe.d cannot be read"], bound=[DONE])


@case("a FIFO in modprobe.d")
def _(m):
    m.fifo("etc/modprobe.d/x.conf")
    m.run(code=1, says=["modprobe.d cannot be read"], bound=[DONE])


@case("modprobe.d of directories, circles and includes")
def _(m):
    m.folder("etc/modprobe.d/a.conf")
    m.link("etc/modprobe.d/b.conf", "b.conf")
    m.link("etc/modprobe.d/c.conf", "/nowhere")
    m.write("etc/modprobe.d/d.conf", "include /etc/modprobe.d\ninclude d.conf\n")
    m.link("etc/modprobe.d/e.conf", ".")
    m.run()


@case("a modprobe.d of 10 MiB")
def _(m):
    m.write("proc/cmdline", f"{RULES} rd.earlybind.timeout=60\n")
    m.write("etc/modprobe.d/a.conf", "alias a b\n" * (1 << 20))
    m.write("etc/modprobe.d/b.conf", b"options vfio-pci ids=" + b"9" * (10 << 20))
    m.run(code=1, says=["ids= is longer than 4096 characters"])


@case("a modprobe.d of bytes")
def _(m):
    m.write("etc/modprobe.d/a.conf", bytes(range(256)) * 400)
    m.write("etc/modprobe.d/b.conf", b"\\\n" * 10000)
    m.write("etc/modprobe.d/c.conf", b"options\n" * 10 + b"options vfio-pci\nalias\n install \n")
    m.write("etc/modprobe.d/d.conf", b"options vfio-pci \0ids=1af4:1041\n")
    m.run()


@case("100,000 options of vfio-pci")
def _(m):
    m.write("etc/modprobe.d/a.conf", "options vfio-pci ids=10ee:5000\n" * 100000)
    m.run()


def index_case(name, spoil, **expected):
    @case(f"modules.*.bin {name}")
    def _(m):
        for module in ("vfio_pci", "vfio_iommu_type1"):
            m.remove(f"sys/module/{module}")
        for file in ("dep", "alias", "symbols", "softdep", "builtin", "builtin.alias"):
            spoil(m, f"{MODULES}/modules.{file}.bin")
        m.write(f"{MODULES}/kernel/vfio-pci.ko", b"\x7fELF" + bytes(1000))
        # A vfio-pci whose folder is there may be a part of the kernel: this one is not.
        m.remove("sys/bus/pci/drivers/vfio-pci")
        m.remove(f"{m.place(DONE)}/driver")
        m.write(f"{m.place(FREE)}/driver_override", "(null)\n")
        m.run(code=1, bound=(),
              **{"says": [f"{FREE} [10ee:5000] not bound", "vfio_pci"], **expected})


def head(root, version=0x00020001):
    return struct.pack(">III", 0xB007F457, version, root)


def circle():
    """A node whose only child is itself."""
    node = 12 | 0x20000000
    return head(node) + b"vv" + struct.pack(">I", node)


def values(count):
    return head(12 | 0x40000000) + struct.pack(">I", count) + struct.pack(">I", 0) + b"x" * 64


index_case("empty", lambda m, path: m.write(path, ""))
index_case("cut behind the head", lambda m, path: m.write(path, head(12 | 0xE0000000)))
index_case("with the root beyond the end", lambda m, path: m.write(path, head(0xEFFFFFFF)))
index_case("in a circle", lambda m, path: m.write(path, circle()))
index_case("with 4 billion values", lambda m, path: m.write(path, values(0xFFFFFFFF)))
index_case("of another version", lambda m, path: m.write(path, head(12, 0x7FFF0000) + bytes(99)))
index_case("of ones", lambda m, path: m.write(path, b"\xff" * 65536))
index_case("a directory", lambda m, path: m.folder(path))
index_case("a FIFO", lambda m, path: m.fifo(path))
index_case("a circle of links", lambda m, path: m.link(path, os.path.basename(path)))


def dep_of(name, file):
    value = f"{file}:".encode()
    return head(12 | 0xC0000000) + name.encode() + b"\0" + struct.pack(">II", 1, 0) + value + b"\0"


def module_case(name, write, says):
    @case(f"vfio-pci.ko {name}")
    def _(m):
        m.remove("sys/module/vfio_pci")
        m.remove("sys/bus/pci/drivers/vfio-pci")
        m.remove(f"{m.place(DONE)}/driver")
        m.write(f"{m.place(FREE)}/driver_override", "(null)\n")
        m.write(f"{MODULES}/modules.dep.bin", dep_of("vfio_pci", write(m)))
        m.run(code=1, bound=(), says=says)


def put(name, content):
    def write(m):
        m.write(f"{MODULES}/{name}", content)
        return name
    return write


def put_fifo(m):
    m.fifo(f"{MODULES}/vfio-pci.ko")
    return "vfio-pci.ko"


def put_folder(m):
    m.folder(f"{MODULES}/vfio-pci.ko")
    return "vfio-pci.ko"


FAILED = ["the module vfio_pci could not be loaded"]
module_case("that is missing", lambda m: "vfio-pci.ko",
            ["the module vfio_pci is not in this image"])
module_case("that is text", put("vfio-pci.ko", "hello\n"), FAILED)
module_case("that is empty", put("vfio-pci.ko", ""), FAILED)
module_case("that is broken zstd", put("vfio-pci.ko.zst", b"\x28\xb5\x2f\xfd" + b"\xff" * 999),
            FAILED)
module_case("that is broken xz", put("vfio-pci.ko.xz", b"\xfd7zXZ\0" + b"\xff" * 999), FAILED)
module_case("that is broken gzip", put("vfio-pci.ko.gz", b"\x1f\x8b\x08" + b"\xff" * 999), FAILED)
module_case("that is a FIFO", put_fifo, FAILED)
module_case("that is a directory", put_folder, FAILED)
module_case("that is far away", lambda m: "../" * 40 + "proc/cmdline", FAILED)


@case("the state of a module blocks")
def _(m):
    m.fifo("sys/module/vfio_pci/initstate")
    m.run(code=1, bound=[DONE], says=["vfio_pci was not loaded when the time was up"])


@case("the state of a module is bytes")
def _(m):
    m.write("sys/module/vfio_pci/initstate", bytes(1 << 20))
    m.run()


# ---- the embedded table --------------------------------------------------------------------

DAMAGED = ["\"embedded table\": it is damaged: rebuild the image"]


def table_case(name, patch, says):
    @case(f"a table {name}")
    def _(m):
        with open(m.tools["table"], "rb") as file:
            binder = bytearray(file.read())
        at = binder.index(b"earlybnd" + struct.pack("<I", 1))
        patch(binder, at)
        m.binder = os.path.join(m.tools["work"], "case", "patched")
        with open(m.binder, "wb") as out:
            out.write(binder)
        m.run(code=1, says=says)


def set_bytes(offset, value):
    def patch(binder, at):
        binder[at + offset:at + offset + len(value)] = value
    return patch


def flip(offset):
    def patch(binder, at):
        binder[at + offset] ^= 0x10
    return patch


table_case("of a newer version", set_bytes(8, struct.pack("<I", 2)),
           ["it is of a newer version than this binder: rebuild the image"])
table_case("with a flipped bit", flip(24 + 3), DAMAGED)
table_case("with a flipped bit in its checksum", flip(20), DAMAGED)
table_case("that is all ones", set_bytes(0, b"\xff" * 65536), DAMAGED)
table_case("that is all zeroes", set_bytes(0, bytes(65536)), DAMAGED)
table_case("longer than its section", set_bytes(16, b"\xff\xff\xff\x7f"), DAMAGED)
table_case("longer by one than its section", set_bytes(16, struct.pack("<I", 65513)), DAMAGED)
table_case("that was cut", lambda binder, at: set_bytes(24 + 9, bytes(20))(binder, at), DAMAGED)
