#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Names that would break out of their places, and whether they did.

Usage: hostile_names.py make TREE         puts them into TREE: names of files, modules, drivers,
                                          cards, slots, kernels, and text of a report
       hostile_names.py check FORMAT      the standard input is such output: text, json, libvirt,
                                          kubevirt, prometheus, dot, complete, config
"""

import json
import os
import re
import sys
import xml.dom.minidom

# A line end with a rule behind it, ESC, C1, lines of Unicode, quotes, no UTF-8, the end of a
# comment, an override of the direction, a byte order mark, what XML does not have.
NAMES = [
    b"a\nbind 02:00.0\nb",
    b"a\x1b[2J\x07b\x7f",
    "a\u2028bind 02:00.0\u2029b\u0085c\u009b2Jd".encode(),
    b"a\"b'c\\d`e$(f)",
    b"a\xff\xfe\xc0\xafb\xed\xa0\x80",
    "a-->b--c\u202ed\ufeffe\uffff f".encode(),
]
ADDRESSES = ["0000:01:00.0", "0000:01:00.1", "0000:02:00.0", "0000:02:00.1"]


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def make(tree):
    tree = os.fsencode(tree)
    devices = tree + b"/sys/bus/pci/devices/"
    one_line = [n.replace(b"\n", b" ") for n in NAMES]
    ids = b"10de  " + one_line[2] + one_line[3] + b"\n"
    ids += b"\t2489  " + b" ".join(one_line) + b"\n\t228b  " + one_line[5] + b"\n"
    ids += b"10ee  " + one_line[1] + one_line[4] + b"\n\t5000  " + one_line[5] + b"\n"
    write(tree + b"/usr/share/misc/pci.ids", ids + b"C 12  " + one_line[3] + b"\n")
    for i, name in enumerate(NAMES):
        if i < len(ADDRESSES):
            driver = devices + ADDRESSES[i].encode() + b"/driver"
            if os.path.lexists(driver) and b"vfio-pci" not in os.readlink(driver):
                os.unlink(driver)
                os.symlink(b"../../../bus/pci/drivers/" + name, driver)
            write(devices + ADDRESSES[i].encode() + b"/driver_override", name + b"\n")
        number = b"%d" % (i + 1)
        ids_line = b"options vfio-pci ids=10ee:500" + number + b"\n"
        write(tree + b"/etc/modprobe.d/" + name + b".conf", ids_line)
        write(tree + b"/etc/driverctl.d/" + name, b"vfio-pci\n")
        write(tree + b"/etc/libvirt/qemu/" + name + b".xml",
              b"<domain><devices><hostdev mode='subsystem' type='pci'><source><address "
              b"domain='0x0000' bus='0x01' slot='0x00' function='0x1'/></source></hostdev>"
              b"</devices></domain>\n")
        write(tree + b"/etc/pve/qemu-server/" + name + b".conf", b"hostpci0: 01:00." +
              b"%d" % (i % 2) + b"\n")
        write(tree + b"/sys/bus/pci/slots/" + name + b"/address", b"0000:0%d:00\n" %
              (i % 2 + 1))
        write(tree + b"/etc/default/grub.d/" + name + b".cfg",
              b"GRUB_CMDLINE_LINUX='a=" + name.replace(b"'", b"") + b"'\n")
        write(tree + b"/boot/loader/entries/" + name + b".conf",
              b"title " + name + b"\nlinux /vmlinuz\noptions root=" + name + b"\n")
        os.makedirs(tree + b"/lib/modules/6.1-" + name, exist_ok=True)


# No control character but a line end, no other line end, nothing else that NAMES has.
BAD = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
                 "\ufeff\ufffe\uffff\ud800-\udfff]")
LABELS = r'\{(\w+="(\\[\\"n]|[^\\"])*",?)*\}'
LINES = {
    "kubevirt": r'permittedHostDevices:|  pciHostDevices:|  - pciVendorSelector: "\w+:\w+"|'
    r'    resourceName: "[\w/-]+" # .*',
    "prometheus": r"# (HELP|TYPE) \w+ .*|\w+(" + LABELS + r")? \d+",
    "dot": r'digraph earlybind \{|\t(rankdir|node|graph).*|\t+"([\d:a-f.]+|legend( \w+)?)" '
    r'\[fillcolor=\w+, (color=\w+, penwidth=\d, )?label="(\\[\\"n]|[^\\"])*"\];|\t+subgraph "\w+" \{|\t+label="[\w :;]+";|\t+color=\w+;|'
    r'\t*\}|\t"[\d:a-f.]+" -> "[\d:a-f.]+";',
    "complete": r"\S[^\t]*\t[^\t]*",
    "config": r"# .*|",
}


def check(form, data):
    text = data.decode("utf-8")  # all of it is UTF-8
    bad = BAD.search(text.replace("\t", " ") if form in ("complete", "dot") else text)
    if bad:
        sys.exit(f"there is {bad.group()!r} in {text[max(0, bad.start() - 30):][:60]!r}")
    if form == "json":
        json.loads(text)
    if form == "libvirt":
        whole = xml.dom.minidom.parseString("<domain>" + text + "</domain>")
        if any(n.nodeName not in ("hostdev", "#comment", "#text")
               for n in whole.documentElement.childNodes):
            sys.exit("there are other elements")
    for line in text.split("\n")[:-1] if form in LINES else []:
        if not re.fullmatch(LINES[form], line):
            sys.exit(f"not a line of {form}: {line!r}")


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2])
    else:
        check(sys.argv[2], sys.stdin.buffer.read())
