#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a tree for --sysroot from a compact description.

usage: mktree.py DESCRIPTION DIR

  include FILE                     another description, beside this one
  machine FILE                     the functions of a machine.tsv of tests/fixtures
  device ADDRESS IDS CLASS KEY=VALUE...
                                   IDS is vendor:device[:subvendor:subdevice]; keys: group,
                                   driver, override, rev, boot_vga, vfs, totalvfs, vfdevice, physfn,
                                   reset (methods, with commas),
                                   bridge (the bus behind it, hexadecimal: what is on it
                                   stands below it), serial (as the attribute), dsn (in
                                   config space), pcie (config space with this type: root,
                                   up, down, end, topci; none: conventional), acs (in it:
                                   capability:control, hexadecimal), wired (a port to a slot),
                                   state (power_state), node (numa_node)
  set ADDRESS KEY=VALUE...         changes a device; an empty value takes the key away
  remove ADDRESS
  iommu NAME                       an entry of /sys/class/iommu
  cmdline TEXT                     /proc/cmdline
  release TEXT                     of the kernel; modules are below /lib/modules/TEXT
  module NAME ALIAS...             a module and what it can drive
  builtin NAME ALIAS...            the same as a part of the kernel
  class CLASS NAME PLACE KEY=VALUE...
                                   a device of a class; PLACE is the device or other class
                                   device that it belongs to, with folders if need be, or
                                   "virtual"; keys are attributes, or slaves and uppers: NAMES
  kernel TEXT NAME...              another kernel that is installed, with these modules
  file PATH                        followed by its lines, each behind "| "
  bytes PATH HEX...                a file of bytes
  drop PATH                        takes a file away
  link PATH TARGET                 a symbolic link, as it is: that of an open file in /proc
"""
import os
import struct
import sys


class Tree:
    def __init__(self):
        self.devices = {}
        self.iommus = []
        self.modules = {}
        self.builtins = {}
        self.classes = {}
        self.release = None
        self.kernels = {}
        self.files = {}
        self.links = {}


def parse_machine(path, tree):
    """ADDRESS, IDS, SUBSYSTEM, CLASS and properties, as tests/fixtures/convert.py writes them."""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            if line[0] in "#\n" or line.startswith("builtin "):
                continue
            keys = dict(field.partition("=")[::2] for field in fields[4:])
            if "boot_vga" in keys:
                keys["boot_vga"] = "1"
            tree.devices[fields[0]] = {"ids": f"{fields[1]}:{fields[2]}", "class": fields[3],
                                       **keys}


def parse(path, tree):
    current = None
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            line = line.rstrip("\n")
            if line.startswith("|"):
                tree.files[current].append(line[2:])
                continue
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            kind, rest = words[0], words[1:]
            if kind == "include":
                parse(os.path.join(os.path.dirname(path), rest[0]), tree)
            elif kind == "machine":
                parse_machine(os.path.join(os.path.dirname(path), rest[0]), tree)
            elif kind == "device":
                keys = dict(word.split("=", 1) for word in rest[3:])
                tree.devices[rest[0]] = {"ids": rest[1], "class": rest[2], **keys}
            elif kind == "set":
                tree.devices[rest[0]].update(word.split("=", 1) for word in rest[1:])
            elif kind == "remove":
                del tree.devices[rest[0]]
            elif kind == "iommu":
                tree.iommus.append(rest[0])
            elif kind == "cmdline":
                tree.files["proc/cmdline"] = [line.split(None, 1)[1]]
            elif kind == "release":
                tree.release = rest[0]
            elif kind == "module":
                tree.modules[rest[0]] = rest[1:]
            elif kind == "builtin":
                tree.builtins[rest[0]] = rest[1:]
            elif kind == "class":
                tree.classes[rest[0], rest[1]] = rest[2:]
            elif kind == "kernel":
                tree.kernels[rest[0]] = rest[1:]
            elif kind == "bytes":
                tree.files[rest[0]] = bytes.fromhex("".join(rest[1:]))
            elif kind == "drop":
                del tree.files[rest[0]]
            elif kind == "file":
                current = rest[0]
                tree.files[current] = []
            elif kind == "link":
                tree.links[rest[0]] = rest[1]
            else:
                sys.exit(f"{path}:{number}: {kind}?")


def write(root, path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(text if isinstance(text, bytes) else text.encode())


def link(root, path, target):
    """A relative link, as in sysfs: nothing points out of the tree."""
    path, target = os.path.join(root, path), os.path.join(root, target)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.makedirs(target, exist_ok=True)
    os.symlink(os.path.relpath(target, os.path.dirname(path)), path)


def bus_of(address):
    """Domain and bus, as names in sysfs have them."""
    return address.rsplit(":", 1)[0]


def place_of(devices, address):
    """Where the kernel has a device: below the bridge that its bus is behind, if any."""
    bus = bus_of(address)
    for parent, keys in devices.items():
        domain = parent.split(":", maxsplit=1)[0]
        if keys.get("bridge") and f"{domain}:{int(keys['bridge'], 16):02x}" == bus:
            return f"{place_of(devices, parent)}/{address}"
    return f"sys/devices/pci{bus}/{address}"


PCIE_TYPES = {"end": 0, "root": 4, "up": 5, "down": 6, "topci": 7}


def config_space(device, address, others):
    """What IOMMU groups depend on."""
    vendor, number = (int(part, 16) for part in device["ids"].split(":")[:2])
    space = bytearray(4096)
    struct.pack_into("<HH", space, 0, vendor, number)
    is_one_of_several = sum(other[:-1] == address[:-1] for other in others) > 1
    space[0x0e] = (1 if device.get("bridge") else 0) | (0x80 if is_one_of_several else 0)
    space[0x19] = int(device.get("bridge") or "0", 16)
    if device["pcie"] == "none":
        return bytes(space)
    struct.pack_into("<H", space, 0x06, 0x10)
    space[0x34] = 0x40
    flags = 2 | PCIE_TYPES[device["pcie"]] << 4 | (0x100 if device.get("wired") else 0)
    struct.pack_into("<HH", space, 0x40, 0x10, flags)
    if device.get("acs"):
        capability, control = (int(part, 16) for part in device["acs"].split(":"))
        struct.pack_into("<IHH", space, 0x100, 0x1000d, capability, control)
    return bytes(space)


def write_device(root, address, device, place, others=()):
    ids = [int(part, 16) for part in device["ids"].split(":")]
    vendor, number, subvendor, subdevice = ids + [0] * (4 - len(ids))
    kind = int(device["class"], 16)
    link(root, f"sys/bus/pci/devices/{address}", place)
    write(root, f"{place}/modalias",
          f"pci:v{vendor:08X}d{number:08X}sv{subvendor:08X}sd{subdevice:08X}"
          f"bc{kind >> 16:02X}sc{kind >> 8 & 255:02X}i{kind & 255:02X}\n")
    for name, value in (("vendor", vendor), ("device", number),
                        ("subsystem_vendor", subvendor), ("subsystem_device", subdevice)):
        write(root, f"{place}/{name}", f"0x{value:04x}\n")
    write(root, f"{place}/class", f"0x{kind:06x}\n")
    write(root, f"{place}/revision", f"0x{device.get('rev', '0'):0>2}\n")
    write(root, f"{place}/driver_override", (device.get("override") or "(null)") + "\n")
    if device.get("boot_vga"):
        write(root, f"{place}/boot_vga", device["boot_vga"] + "\n")
    if device.get("reset"):
        write(root, f"{place}/reset_method", device["reset"].replace(",", " ") + "\n")
    if device.get("vfs"):
        write(root, f"{place}/sriov_numvfs", device["vfs"] + "\n")
        for number in range(int(device["vfs"])):
            link(root, f"{place}/virtfn{number}", "sys/devices/virtual")
    if device.get("vfdevice"):
        write(root, f"{place}/sriov_vf_device", device["vfdevice"] + "\n")
    if device.get("totalvfs"):
        write(root, f"{place}/sriov_totalvfs", device["totalvfs"] + "\n")
    if device.get("bridge"):
        write(root, f"{place}/secondary_bus_number", f"{int(device['bridge'], 16)}\n")
    if device.get("serial"):
        write(root, f"{place}/serial_number", device["serial"] + "\n")
    if device.get("dsn"):
        number = int(device["dsn"].replace("-", ""), 16)
        capability = struct.pack("<IQ", 0x00010003, number)
        write(root, f"{place}/config", (bytes(256) + capability).ljust(4096, b"\0"))
    if device.get("pcie"):
        write(root, f"{place}/config", config_space(device, address, others))
    if device.get("state"):
        write(root, f"{place}/power_state", device["state"] + "\n")
    if device.get("node"):
        write(root, f"{place}/numa_node", device["node"] + "\n")
    if device.get("driver"):
        link(root, f"{place}/driver", f"sys/bus/pci/drivers/{device['driver']}")
    if device.get("group"):
        group = f"sys/kernel/iommu_groups/{device['group']}"
        link(root, f"{place}/iommu_group", group)
        link(root, f"{group}/devices/{address}", place)


def write_class(root, kind, name, place, *keys):
    owner, _, below = place.partition("/")
    for parent in (f"sys/bus/pci/devices/{owner}", f"sys/class/{kind}/{owner}"):
        if os.path.exists(os.path.join(root, parent)):
            place = os.path.relpath(os.path.realpath(os.path.join(root, parent)), root)
            break
    else:
        place, below = "sys/devices/virtual", below or kind
    place = os.path.normpath(f"{place}/{below}/{name}")
    link(root, f"sys/class/{kind}/{name}", place)
    for key, value in (word.split("=", 1) for word in keys):
        if key == "slaves":
            for slave in value.split(","):
                link(root, f"{place}/slaves/{slave}", os.path.relpath(os.path.realpath(
                    os.path.join(root, f"sys/class/{kind}/{slave}")), root))
        elif key == "uppers":
            for upper in value.split(","):
                write(root, f"{place}/upper_{upper}", "")
                # The kernel makes both (net/core/dev.c: __netdev_adjacent_dev_insert()).
                write(root, f"sys/devices/virtual/{kind}/{upper}/lower_{name}", "")
        else:
            write(root, f"{place}/{key}", f"{value}\n")


def index(entries):
    """The index format of libkmod (libkmod-index.c): a radix tree, big-endian."""
    tree = {}
    for key, value in entries:
        node = tree
        for character in key:
            node = node.setdefault(character, {})
        node.setdefault("", []).append(value)
    out = bytearray(12)

    def emit(node, prefix):
        while len(node) == 1 and "" not in node:
            character, node = next(iter(node.items()))
            prefix += character
        children = {ord(c): emit(child, "") for c, child in node.items() if c}
        offset = len(out)
        if prefix:
            offset |= 0x80000000
            out.extend(prefix.encode() + b"\0")
        if children:
            offset |= 0x20000000
            first, last = min(children), max(children)
            out.extend(bytes((first, last)))
            for character in range(first, last + 1):
                out.extend(struct.pack(">I", children.get(character, 0)))
        if node.get(""):
            offset |= 0x40000000
            out.extend(struct.pack(">I", len(node[""])))
            for value in node[""]:
                out.extend(struct.pack(">I", 0) + value.encode() + b"\0")
        return offset

    root = emit(tree, "")
    struct.pack_into(">III", out, 0, 0xB007F457, 0x00020001, root)
    return bytes(out)


def write_modules(root, release, modules, builtins):
    place = f"lib/modules/{release}"

    def aliases(modules):
        return [(alias, name) for name in modules for alias in modules[name]]

    names = [(name, f"kernel/{name}.ko:") for name in modules]
    for file, entries in (("dep", names), ("alias", aliases(modules)), ("symbols", []),
                          ("builtin", [(name, "") for name in builtins]),
                          ("builtin.alias", aliases(builtins))):
        write(root, f"{place}/modules.{file}.bin", index(entries))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    tree, root = Tree(), sys.argv[2]
    parse(sys.argv[1], tree)
    for place in ("sys/bus/pci/devices", "sys/kernel/iommu_groups", "sys/class/iommu", "proc",
                  "etc", "run"):
        os.makedirs(os.path.join(root, place))
    for address, device in tree.devices.items():
        place = place_of(tree.devices, address)
        write_device(root, address, device, place, tree.devices)
        if device.get("physfn"):
            link(root, f"{place}/physfn", place_of(tree.devices, device["physfn"]))
    for (kind, name), rest in tree.classes.items():
        write_class(os.path.realpath(root), kind, name, *rest)
    for name in tree.iommus:
        os.makedirs(os.path.join(root, "sys/class/iommu", name))
    if tree.release:
        write(root, "proc/sys/kernel/osrelease", tree.release + "\n")
        if tree.modules:
            write_modules(root, tree.release, tree.modules, tree.builtins)
    for release, names in tree.kernels.items():
        write_modules(root, release, {name: [] for name in names}, {})
    for path, lines in tree.files.items():
        write(root, path, lines if isinstance(lines, bytes)
              else "".join(line + "\n" for line in lines))
    for path, target in tree.links.items():
        os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
        os.symlink(target, os.path.join(root, path))


if __name__ == "__main__":
    main()
