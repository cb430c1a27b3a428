#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""earlybind check on small images: good ones of every shape, and each way to be broken.

usage: check_images.py [-u] WORK      -u writes the golden output anew

Uses $EARLYBIND and $BINDER; results go to $RESULTS, as those of $SUITE. Trees for --sysroot are in WORK.
"""
import json
import lzma
import os
import re
import subprocess
import sys

import images
from images import (BINDER, DRACUT_UNIT, RELEASE, UNITS, WANTS, cpio, file, folder, link,
                    order, script)

HERE = os.path.dirname(os.path.abspath(__file__))
EARLYBIND = os.environ["EARLYBIND"]
SYSROOT = "configured"
CONFIGS = ("--config", "etc/earlybind.conf")
failures = 0


def record(name, problem=None):
    global failures
    print(f"FAIL {name}: {problem}" if problem else f"PASS {name}")
    suite = os.environ["SUITE"]
    words = ("fail", suite, name, problem) if problem else ("pass", suite, name)
    with open(os.environ["RESULTS"], "a", encoding="utf-8") as out:
        out.write("\t".join(re.sub(r"[\t\n]", " ", word) for word in words) + "\n")
    failures += bool(problem)


def run(*arguments):
    done = subprocess.run([EARLYBIND, "check", *arguments], capture_output=True, check=False,
                          timeout=60)
    return done.returncode, done.stdout, done.stderr.decode()


def check(name, image, code, *findings, arguments=("--sysroot", SYSROOT)):
    """The exit code and the findings that are not "pass", each (verdict, check, pattern): all
    of those that must be there; every FAIL must be expected."""
    path = f"{name}.img"
    with open(path, "wb") as out:
        out.write(image)
    got, out, err = run("--image", path, "--json", *arguments)
    if code in (2, 3):
        wanted = findings[0] if findings else ""
        problem = None if re.search(wanted, err) else f"says {err!r}, not {wanted!r}"
        record(name, f"exit code {got}, not {code}: {err}" if got != code else problem)
        return
    try:
        found = json.loads(out)["checks"]
    except (ValueError, KeyError):
        record(name, f"exit code {got}, no JSON: {err or out!r}")
        return
    problems = [] if got == code else [f"exit code {got}, not {code}"]
    failing = [item for item in found if item["verdict"] == "FAIL"]
    for verdict, part, pattern in findings:
        hits = [item for item in found if item["verdict"] == verdict and item["name"] == part
                and re.search(pattern, item["message"])]
        if not hits:
            problems.append(f"no {verdict} {part}: {pattern}")
        failing = [item for item in failing if item not in hits]
    problems += [f"not expected: {item['name']}: {item['message']}" for item in failing]
    if problems:
        problems.append(json.dumps(found))
    record(name, "; ".join(problems))


def golden(name, image, update, *arguments):
    """The output for people; sizes are of no interest."""
    with open("image", "wb") as out:
        out.write(image)
    code, out, err = run("--image", "image", *arguments)
    text = re.sub(r"(?m)^    at \d+: (\w+), .*$", r"    at N: \1, ...", out.decode())
    text += "".join(f"! {line}\n" for line in err.splitlines()) + f"=> {code}\n"
    text = re.sub(r"\b0\.\d+\.\d+\b", "VERSION", text)
    path = f"{HERE}/golden/{name}.txt"
    if update:
        with open(path, "w", encoding="utf-8") as new:
            new.write(text)
    with open(path, encoding="utf-8") as old:
        if old.read() != text:
            record(name, f"the output differs from golden/{name}.txt: {text}")
            return
    record(name)


def embedded(*arguments):
    """The binder with the table of a configuration."""
    subprocess.run([EARLYBIND, "embed", "--binder", os.environ["BINDER"], "--output", "embedded",
                    *arguments], check=True, stdout=subprocess.DEVNULL)
    with open("embedded", "rb") as binder:
        return binder.read()


def with_config(text):
    with open("other.conf", "w", encoding="utf-8") as out:
        out.write(text)
    return embedded("--config", "other.conf")


def changed(tree, changes):
    """A tree with some entries replaced, or taken away by None."""
    tree = {**tree, **changes}
    return {name: entry for name, entry in tree.items() if entry is not None}


def fail(part, pattern):
    return ("FAIL", part, pattern)


def note(part, pattern):
    return ("note", part, pattern)


def good(binder):
    for name, shape in images.SHAPES.items():
        flavour = "systemd" in name
        wanted = {"mkinitcpio": "hook earlybind", "initramfs-tools": "init-top",
                  "dracut": "pre-udev/00-earlybind.sh"}.get(name, "earlybind.service")
        check(f"check-{name}", cpio(shape(binder)), 0, ("pass", "image", "all of it"),
              ("pass", "binder", "static"), ("pass", "table", "6 rules of 3 files"),
              ("pass", "order", wanted), ("pass", "modules", RELEASE),
              note("drivers", "xclmgmt is in the image and will lose: 0000:01:00.0"),
              note("drivers", "xocl is built into the kernel and gets 0000:01:00.1"))
        document = json.loads(run("--image", f"check-{name}.img", "--json")[1])
        problem = None
        if document["schema"] != 1 or document["generator"] != name.removesuffix("-systemd"):
            problem = f"generator {document['generator']}"
        elif document["systemd"] != flavour or document["kernels"] != [RELEASE]:
            problem = "systemd or kernels"
        record(f"check-{name}-json", problem)
    check("check-by-id", cpio(images.initramfs_tools(with_config("bind 10ee:5000\n"))), 0,
          note("drivers", "xclmgmt .* 10ee:5000"),
          arguments=("--config", "other.conf", "--sysroot", "no-machine"))


def losers(name, image, *arguments):
    """What "check --image" says of the drivers that will lose."""
    with open(f"{name}.img", "wb") as out:
        out.write(image)
    found = json.loads(run("--image", f"{name}.img", "--json", *arguments)[1])["checks"]
    return [item["message"] for item in found if item["name"] == "drivers"]


def drivers():
    """The drivers that lose, for a rule of each kind: on the machine, and for any machine."""
    kinds = {"id": "10ee:5000", "subsystem": "10ee:5000:10ee:000e", "address": "01:00.0",
             "claim": "01:00.0+10ee:5000", "path": "path=00:01.0/00.0", "class": "class=12",
             "serial": "serial=00-0a-35-00-00-00-00-02", "slot": "slot=4", "accel": "accel=alveo-mgmt"}
    for kind, rule in kinds.items():
        image = cpio(images.initramfs_tools(with_config(f"bind {rule}\n")))
        for machine, wanted in (("image-drivers", "0000:01:00.0"), ("no-machine", rule)):
            said = losers("check-losers", image, "--config", "other.conf", "--sysroot", machine)
            # By its place, its serial number or a class that no alias has, no card is known.
            is_known = machine != "no-machine" or kind in ("id", "subsystem", "claim", "accel")
            want = [f"xclmgmt is in the image and will lose: {wanted} is bound before it can load"]
            record(f"check-losers-{kind}-{machine}",
                   None if said == (want if is_known else []) else f"says {said}")
    for name, rule, machine, want in (
            ("refused", "class=03", "image-drivers", []),  # the console's card stays
            ("class-of-any", "class=0300", "no-machine", ["nouveau is in the image and will lose: class=0300"])):
        image = cpio(images.initramfs_tools(with_config(f"bind {rule}\n")))
        said = losers("check-losers", image, "--config", "other.conf", "--sysroot", machine)
        record(f"check-losers-{name}", None if [text[:len(want[0])] if want else text for text in said] == want
               else f"says {said}")
    # The module's own IDs, from the image's modprobe.d.
    tree = changed(images.initramfs_tools(with_config("")),
                   {"etc/modprobe.d/vfio.conf": images.file("options vfio-pci ids=10ee:5000\n")})
    said = losers("check-losers", cpio(tree), "--config", "other.conf", "--sysroot", "image-drivers")
    record("check-losers-module-ids", None if any("xclmgmt" in text for text in said) else f"says {said}")


def options(binder):
    """The image's modprobe.d against the machine's, which has none of vfio."""
    vfio = "options vfio-pci ids=10ee:5000,10ee:5001\n"
    for name, shape in images.SHAPES.items():
        tree = changed(shape(binder), {"etc/modprobe.d/vfio.conf": images.file(vfio)})
        check(f"check-options-extra-{name}", cpio(tree), 1,
              fail("modprobe.d", "still has .options vfio_pci ids=10ee:5000,10ee:5001"))
    tree = changed(images.initramfs_tools(binder),
                   {"usr/lib/modprobe.d/v.conf": images.file("softdep xclmgmt pre: vfio-pci\n")})
    check("check-options-softdep", cpio(tree), 1, fail("modprobe.d", "softdep xclmgmt"))
    os.makedirs("with-options/etc/modprobe.d", exist_ok=True)
    with open("with-options/etc/modprobe.d/vfio.conf", "w", encoding="utf-8") as out:
        out.write(vfio + "blacklist xclmgmt\n")
    where = ("--sysroot", "with-options", "--config", "other.conf")
    tree = images.initramfs_tools(with_config("bind 10ee:5000\n"))
    check("check-options-missing", cpio(tree), 1,
          fail("modprobe.d", "lacks .options vfio_pci ids=10ee:5000,10ee:5001"),
          note("modprobe.d", "lacks .blacklist xclmgmt"), arguments=where)
    tree = changed(tree, {"etc/modprobe.d/any.conf": images.file("blacklist xclmgmt\n" + vfio)})
    check("check-options-same", cpio(tree), 0, arguments=where)
    for entry in ("etc/modprobe.d/x.conf", "etc/modprobe.d/../../x.conf"):
        check("check-options-link", cpio(changed(tree, {entry: link("/dev/zero")})), 0,
              arguments=where)


def cut(name, image):
    """What comes before the cut may be there or not."""
    with open(f"{name}.img", "wb") as out:
        out.write(image)
    code, out, err = run("--image", f"{name}.img", "--sysroot", SYSROOT)
    text = " ".join((out.decode() + err).split())
    is_fine = code in (1, 3) and "cannot be unpacked: " in text
    record(name, None if is_fine else f"exit code {code}: {text}")


def containers(binder):
    """All that surrounds the files."""
    tree = images.initramfs_tools(binder)
    whole = cpio(tree)
    half = len(tree) // 2
    parts = [dict(list(tree.items())[:half]), dict(list(tree.items())[half:])]
    for name, compress in images.COMPRESSIONS.items():
        data = compress(whole)
        check(f"check-{name}", data, 0, ("pass", "modules", ""))
        cut(f"check-{name}-cut", data[:len(data) // 2])
        early = images.pad(cpio({"kernel/x86/microcode/GenuineIntel.bin": file("code")}), 512)
        check(f"check-early-and-{name}", early + data, 0, note("image", "microcode"))
        # LZ4 takes what follows for a block unless there are NULs.
        appended = images.pad(data + bytes(4), 4) + cpio({"extra": file("x")})
        check(f"check-{name}-and-more", appended, 0, ("pass", "image", ""))
        check(f"check-{name}-and-compressed",
              compress(cpio(parts[0], trailer=False)) + bytes(4) + compress(cpio(parts[1])), 0)
    check("check-crc", cpio(tree, magic=b"070702"), 0)
    wrong = cpio(tree, magic=b"070702").replace(b"module vfio_pci", b"module vfiO_pci")
    check("check-crc-wrong", wrong, 1, fail("image", "checksum"), fail("modules", ""))
    check("check-archives-in-a-stream",
          images.COMPRESSIONS["gzip"](cpio(parts[0]) + bytes(512) + cpio(parts[1])), 0)
    check("check-xz-crc64", lzma.compress(whole), 3, "--check=crc32")
    check("check-lz4-frame", images.run(["lz4", "-cq"], whole), 3, "lz4 -l")
    odd = images.COMPRESSIONS["gzip"](whole)
    odd += bytes(-len(odd) % 4 + 1)
    check("check-unpadded", odd + cpio({"extra": file()}), 1,
          fail("image", f"offset {len(odd)}: .*no multiple of 4.*invalid magic"))
    check("check-unpadded-plain", whole + b"\0" + images.COMPRESSIONS["gzip"](whole), 1,
          fail("image", f"offset {len(whole) + 1}: .*no multiple of 4"))
    check("check-cut", whole[:-3000], 1, fail("image", "cut"), fail("modules", ""))
    check("check-behind", whole + b"what is this?", 1, fail("image", f"offset {len(whole)}: "))
    check("check-garbage", b"\x7fELF" + bytes(range(256)) * 16, 3, "nothing of it can be unpacked")
    check("check-empty", b"", 3, "empty")
    check("check-nothing", bytes(4096), 3, "there is no file")
    check("check-old-cpio", b"070707" + b"0" * 200, 3, "newc")


def unpacking(binder):
    """Later entries replace earlier ones; links lead where they lead on the machine."""
    tree = images.initramfs_tools(binder)
    plain = cpio(tree)
    late = order("udev", "00-earlybind")
    check("check-replaced", plain + cpio({"scripts/init-top/ORDER": late}), 1,
          fail("order", "after udev"))
    check("check-replaced-first", cpio({"scripts/init-top/ORDER": late}) + plain, 0)
    # A folder in place of the link "lib" takes the link away.
    check("check-merged-usr", cpio(changed(tree, {BINDER: None})) +
          cpio({"lib": link("usr/lib"), "lib/earlybind/binder": file(binder, 0o755)}), 0)
    check("check-usr-unmerged", plain + cpio({"lib": folder()}), 1,
          fail("modules", "vfio_pci is not found"), fail("modules", "type1 is not found"))
    check("check-hard-links", cpio(changed(tree, {BINDER: None})) + cpio(
        {"usr/lib/earlybind": folder()}) + images.hard_links(
            [BINDER, "usr/bin/other"], file(binder, 0o755)), 0)
    check("check-symbolic-link", cpio(changed(tree, {
        BINDER: link("../../bin/../bin/real"), "usr/bin/real": file(binder, 0o755)})), 1,
        fail("binder", "large"))
    loop = changed(tree, {BINDER: link("binder")})
    check("check-link-in-a-circle", cpio(loop), 1, fail("binder", "not in the image"))
    lost = images.header(b"no/such/folder/file", file("x"), 99, 1) + b"x\0\0\0"
    check("check-lost", plain + lost, 0, note("image", "folder is missing"))


def binders(binder):
    tree = images.initramfs_tools(binder)
    for name, shape, remedy in (
            ("initramfs-tools", images.initramfs_tools, f"update-initramfs -u -k {RELEASE}"),
            ("dracut", images.dracut_plain, f"dracut --force --kver {RELEASE}"),
            ("mkinitcpio", images.mkinitcpio, "HOOKS .* mkinitcpio -P")):
        check(f"check-no-binder-{name}", cpio(changed(shape(binder), {BINDER: None})), 1,
              fail("binder", f"not in the image.*{remedy}"))
    check("check-no-binder-booster", cpio({"init": script(), "etc/booster.init.yaml": file()}), 1,
          fail("binder", "image --append check-no-binder-booster.img"))
    check("check-not-executable", cpio(changed(tree, {BINDER: file(binder, 0o644)})), 1,
          fail("binder", "not executable"))
    check("check-no-elf", cpio(changed(tree, {BINDER: script()})), 1,
          fail("binder", "no ELF"), fail("table", "damaged"))
    check("check-cut-binder", cpio(changed(tree, {BINDER: file(binder[:100000], 0o755)})), 1,
          fail("binder", "cut"), fail("table", "damaged"))
    with open("/bin/ls", "rb") as other:
        check("check-dynamic", cpio(changed(tree, {BINDER: file(other.read(), 0o755)})), 1,
              fail("binder", "not static"), fail("table", "no section"))
    stack = binder.index(b"\x51\xe5\x74\x64")  # PT_GNU_STACK becomes PT_INTERP
    other = binder[:stack] + b"\3\0\0\0" + binder[stack + 4:]
    check("check-interpreter", cpio(changed(tree, {BINDER: file(other, 0o755)})), 1,
          fail("binder", "not static"))
    other = bytearray(binder)
    other[18] = 0x28  # EM_ARM
    check("check-other-processor", cpio(changed(tree, {BINDER: file(bytes(other), 0o755)})), 1,
          fail("binder", "another kind of processor"))
    version = re.sub(rb"earlybind binder \d", b"earlybind binder 9", binder)
    check("check-other-version", cpio(changed(tree, {BINDER: file(version, 0o755)})), 0,
          note("binder", "of version 9"))


def tables(binder):
    def shape(text):
        return cpio(images.initramfs_tools(with_config(text)))

    check("check-stale", cpio(images.initramfs_tools(embedded("--sysroot", "empty"))), 1,
          fail("table", r'older.*lacks "bind 10ee:5000,10ee:5001" \(/etc/earlybind.conf:2\)'
                        rf'.*update-initramfs -u -k {RELEASE}'))
    check("check-extra", cpio(images.initramfs_tools(binder)), 1,
          fail("table", 'still has "bind 10ee:5000,10ee:5001"'),
          arguments=("--sysroot", "no-machine"))
    image = shape("bind 10ee:5000\nbind 10ee:5001\n[profile x]\nbind 1234:5678\n")
    config = ("--config", "other.conf", "--sysroot", "no-machine")

    def against(name, text, code, *findings):
        with open("other.conf", "w", encoding="utf-8") as out:
            out.write(text)
        check(name, image, code, *findings, arguments=config)

    against("check-same", "bind 10ee:5000\nbind 10ee:5001\n[profile x]\nbind 1234:5678\n", 0,
            ("pass", "table", "3 rules of other.conf"))
    against("check-lines", "# moved\n\nbind  10ee:5000 # a\nbind 10ee:5001\n[profile x]\n"
            "bind 1234:5678\n", 0, note("table", "line numbers"))
    against("check-swapped", "bind 10ee:5001\nbind 10ee:5000\n[profile x]\nbind 1234:5678\n", 1,
            fail("table", "another order"))
    against("check-profile", "bind 10ee:5000\nbind 10ee:5001\n[profile y]\nbind 1234:5678\n", 1,
            fail("table", 'lacks "bind 1234:5678"'), fail("table", 'still has "bind 1234:5678"'))
    against("check-changed", "bind 10ee:5000 optional\nbind 10ee:5001\n[profile x]\n"
            "bind 1234:5678\n", 1, fail("table", 'lacks "bind 10ee:5000 optional"'),
            fail("table", 'still has "bind 10ee:5000"'))
    against("check-typo", "bindd 10ee:5000\n", 1, fail("table", "embed --check"))
    check("check-no-rules", cpio(images.initramfs_tools(embedded("--sysroot", "empty"))), 0,
          ("pass", "table", "empty"), arguments=("--sysroot", "empty"))
    at = binder.index(b"earlybnd\1")
    for name, offset, pattern in (("checksum", 24, "checksum"), ("length", 19, "checksum"),
                                  ("magic", 0, "magic"), ("version", 8, "newer")):
        damaged = bytearray(binder)
        damaged[at + offset] ^= 0x7f
        check(f"check-table-{name}", cpio(images.initramfs_tools(bytes(damaged))), 1,
              fail("table", f"damaged.*{pattern}"))


def orders(binder):
    def tools(name, changes, *findings, code=1):
        check(f"check-{name}", cpio(changed(images.initramfs_tools(binder), changes)), code,
              *findings)

    init_top = "scripts/init-top"
    tools("renamed", {f"{init_top}/00-earlybind": None, f"{init_top}/zz-earlybind": script(),
                      f"{init_top}/ORDER": order("blacklist", "udev", "zz-earlybind")},
          fail("order", "zz-earlybind runs after udev.*rename it to 00-earlybind"))
    tools("prerequisite", {f"{init_top}/ORDER": order("blacklist", "udev", "00-earlybind")},
          fail("order", "00-earlybind runs after udev.*PREREQ must be empty"))
    tools("not-in-order", {f"{init_top}/ORDER": order("blacklist", "udev")},
          fail("order", "does not run 00-earlybind"))
    tools("no-order", {f"{init_top}/ORDER": None}, fail("order", "no /scripts/init-top/ORDER"))
    tools("script-mode", {f"{init_top}/00-earlybind": file()},
          fail("order", "not in the image as an executable"))
    tools("first", {f"{init_top}/00-a": script("modprobe xclmgmt\n"),
                    f"{init_top}/ORDER": order("00-a", "00-earlybind", "udev")},
          note("order", "run before it: 00-a, of which one loads modules"), code=0)

    def unit(name, text, *findings, code=1, shape=images.dracut_systemd, **more):
        changes = {f"{UNITS}/earlybind.service": file(text) if text else None, **more}
        check(f"check-unit-{name}", cpio(changed(shape(binder), changes)), code, *findings)

    for service in ("systemd-modules-load", "systemd-udevd", "systemd-udev-trigger"):
        unit(f"not-before-{service}", DRACUT_UNIT.replace(f"{service}.service", ""),
             fail("order", f"no Before= for {service}.service,"))
    unit("after", DRACUT_UNIT.replace("[Service]", "After=systemd-udevd.service\n[Service]"),
         fail("order", "After=systemd-udevd.service"))
    dropin = f"{UNITS}/earlybind.service.d"
    unit("reset", DRACUT_UNIT, *(fail("order", rf"no Before=.* {service}.*/{dropin}/50-x.conf")
                                 for service in ("systemd-modules-load", "systemd-udevd",
                                                 "systemd-udev-trigger")),
         **{f"{dropin}/50-x.conf": file("[Unit]\nBefore=\nBefore=sysinit.target\n")})
    unit("reset-hidden", DRACUT_UNIT, code=0,
         **{f"{dropin}/50-x.conf": file("[Unit]\nBefore=\n"),
            "etc/systemd/system/earlybind.service.d/50-x.conf": link("/dev/null")})
    unit("set-again", DRACUT_UNIT, code=0,
         **{f"{dropin}/50-x.conf": file("[Unit]\nBefore=\n"),
            "etc/systemd/system/earlybind.service.d/60-y.conf": file(
                "[Unit]\nBefore=systemd-modules-load.service \\\n  systemd-udevd.service \\\n"
                "# both\n systemd-udev-trigger.service\n")})
    unit("reset-for-all", DRACUT_UNIT, fail("order", "no limit of time"),
         **{"etc/systemd/system/service.d/10-t.conf": file(
             "[Service]\nTimeoutStartSec=infinity\n")})
    unit("no-limit", DRACUT_UNIT.replace("TimeoutStartSec=5min\n", ""),
         fail("order", "no limit of time"))
    unit("other-command", DRACUT_UNIT.replace("/usr/lib/earlybind/binder", "/usr/bin/true"),
         fail("order", "does not run"))
    unit("dependencies", DRACUT_UNIT.replace("DefaultDependencies=no\n", ""),
         fail("order", "DefaultDependencies=no"))
    unit("condition", DRACUT_UNIT, fail("order", "needs /etc/initrd-release"),
         **{"etc/initrd-release": None})
    unit("masked", DRACUT_UNIT, fail("order", "masked by /etc/systemd/system"),
         **{"etc/systemd/system/earlybind.service": link("/dev/null")})
    unit("empty", "", fail("order", "masked"),
         **{f"{UNITS}/earlybind.service": file()})
    unit("dangling", "", fail("order", "leads nowhere"),
         **{f"{UNITS}/earlybind.service": link("nowhere")})
    unit("not-wanted", DRACUT_UNIT, fail("order", "sysinit.target.wants"), **{WANTS: None})
    unit("wanted-in-etc", DRACUT_UNIT, code=0, **{
        WANTS: None, "etc/systemd/system/sysinit.target.wants/earlybind.service":
        link(f"/{UNITS}/earlybind.service")})
    unit("want-masked", DRACUT_UNIT, fail("order", "sysinit.target.wants"), **{
        "etc/systemd/system/sysinit.target.wants/earlybind.service": link("/dev/null")})
    unit("and-hook", DRACUT_UNIT, fail("order", "pre-udev/00-earlybind.sh in an image with"),
         **{"var/lib/dracut/hooks/pre-udev/00-earlybind.sh": script()})
    unit("hook-only", "", fail("order", "pre-udev/00-earlybind.sh"),
         fail("order", "no unit"), **{
             WANTS: None, "var/lib/dracut/hooks/pre-udev/00-earlybind.sh": script()})
    unit("mkinitcpio", DRACUT_UNIT.replace("systemd-udevd.service", ""),
         fail("order", "no Before= for systemd-udevd.service, so.*mkinitcpio -P"),
         shape=images.mkinitcpio_systemd)

    hooks = {f"{place}/dracut/hooks/pre-udev/00-{name}.sh": script() for place, name in
             (("etc", "a"), ("var/lib", "b"), ("usr/lib", "zz"))}
    check("check-hook-not-first", cpio(changed(images.dracut_plain(binder), hooks)), 0,
          note("order", "before it and may load drivers: (00-a.sh, 00-b|00-b.sh, 00-a).sh$"))
    for name, hook, changes, *findings in (
            ("late", "udev earlybind", {}, fail("order", "udev starts before earlybind")),
            ("none", "udev", {}, fail("order", "not among EARLYHOOKS|udev starts before")),
            ("first", "plymouth earlybind udev", {}, note("order", "plymouth")),
            ("mode", "earlybind udev", {"hooks/earlybind": file()},
             fail("order", "/hooks/earlybind is not"))):
        check(f"check-early-hooks-{name}", cpio(changed(images.mkinitcpio(binder), {
            "config": file(f"EARLYHOOKS='{hook}'\n"), **changes})),
            0 if name == "first" else 1, *findings)


def first_process(binder):
    tree = changed(images.initramfs_tools(binder), {
        BINDER: None, "scripts/init-top/00-earlybind": None,
        "scripts/init-top/ORDER": order("udev"),
        **{name: None for name in images.modules() if "vfio" in name}})
    image = images.COMPRESSIONS["zstd"](cpio(tree)) + bytes(4)
    image = images.pad(image) + cpio(images.appended(binder))
    os.makedirs("rdinit/proc", exist_ok=True)
    for name, cmdline, code, verdict, pattern in (
            ("rdinit", "quiet rdinit=/usr/lib/earlybind/binder", 0, "pass", "rdinit="),
            ("no-rdinit", "rdinit=/usr/lib/earlybind/binder rdinit=/bin/sh", 1, "FAIL",
             "no rdinit=.*boot loader"),
            ("for-init", "-- rdinit=/usr/lib/earlybind/binder", 1, "FAIL", "no rdinit="),
            ("unknown-cmdline", None, 0, "cannot tell", "command line")):
        root = "no-machine" if cmdline is None else "rdinit"
        if cmdline:
            with open("rdinit/proc/cmdline", "w", encoding="utf-8") as out:
                out.write(cmdline + "\n")
        check(f"check-{name}", image, code, (verdict, "order", pattern),
              note("order", "nothing in the image starts the binder"),
              ("pass", "modules", RELEASE),
              arguments=("--sysroot", root, *CONFIGS))
    tree = changed(tree, {"init": None, **{name: None for name in tree
                                           if name.endswith(("/init", "bin/sh"))}})
    check("check-no-init", cpio(tree) + cpio(images.appended(binder)), 1,
          fail("order", "there is no /init: as the first process"),
          arguments=("--sysroot", "rdinit", *CONFIGS))


def kernels(binder):
    tree = images.initramfs_tools(binder)
    place = f"usr/lib/modules/{RELEASE}"

    def modules(name, changes, *findings, code=1, arguments=()):
        check(f"check-{name}", cpio(changed(tree, changes)), code, *findings,
              arguments=("--sysroot", SYSROOT, *arguments))

    def dep(*entries):
        return {f"{place}/modules.dep.bin": file(images.index(entries))}

    modules("no-module", dep(("vfio_iommu_type1", "kernel/drivers/vfio/vfio.ko:")),
            fail("modules", f"kernel {RELEASE}: vfio_pci is neither"))
    modules("module-file", {f"{place}/kernel/drivers/vfio/pci/vfio-pci.ko": None},
            fail("modules", "vfio_pci needs .*/kernel/drivers/vfio/pci/vfio-pci.ko, which"))
    modules("dependency", {f"{place}/kernel/drivers/vfio/vfio.ko": None},
            fail("modules", "vfio_pci needs .*/vfio.ko, which is not"),
            fail("modules", "vfio_iommu_type1 needs .*/vfio.ko, which is not"))
    modules("no-index", {f"{place}/modules.dep.bin": None},
            fail("modules", "no modules.dep.bin, so that vfio_pci"),
            fail("modules", "no modules.dep.bin, so that vfio_iommu"))
    modules("damaged-index", {f"{place}/modules.dep.bin": file(b"\xb0\x07\xf4\x57" + bytes(3))},
            fail("modules", "damaged.*vfio_pci"), fail("modules", "damaged.*vfio_iommu"))
    modules("builtin", {**dep(), f"{place}/modules.builtin.bin": file(
        images.index([("vfio_pci", ""), ("vfio_iommu_type1", "")]))},
            ("pass", "modules", r"vfio_pci \(built in\)"), code=0)
    modules("builtin-text", {**dep(), f"{place}/modules.builtin": file(
        "kernel/drivers/vfio/pci/vfio-pci.ko\nkernel/drivers/vfio/vfio_iommu_type1.ko\n")},
            ("pass", "modules", r"vfio_pci \(built in\)"), code=0)
    xz = {**{name: None for name in images.modules()}, **images.modules(suffix=".ko.xz")}
    modules("compressed-modules", xz, ("pass", "modules", r"vfio_pci \(xz\)"), code=0)
    lz4 = {**{name: None for name in images.modules()}, **images.modules(suffix=".ko.lz4")}
    modules("unknown-format", lz4, fail("modules", "vfio-pci.ko.lz4 is compressed"),
            fail("modules", "type1.ko.lz4 is compressed"))
    newer = images.modules("usr/lib/modules/6.12.0-1-amd64")
    modules("two-kernels", newer, ("pass", "modules", RELEASE),
            ("pass", "modules", "6.12.0-1-amd64"), code=0)
    broken = {name: entry for name, entry in newer.items() if not name.endswith("vfio-pci.ko")}
    modules("second-kernel", broken, fail("modules", "kernel 6.12.0-1-amd64: vfio_pci"))
    modules("other-kernel-not-asked", broken, code=0, arguments=("--kernel", RELEASE))
    modules("wrong-kernel", {}, fail("modules", "no modules for kernel 5.10.*-k 5.10"),
            arguments=("--kernel", "5.10"))
    modules("no-modules", {name: None for name in images.modules()}, code=0,
            *[("cannot tell", "modules", "no modules in the image")])


def goldens(binder, update):
    root = ("--sysroot", SYSROOT)
    tools = images.initramfs_tools(binder)
    golden("check-initramfs-tools", images.COMPRESSIONS["zstd"](cpio(tools)), update, *root)
    golden("check-dracut-systemd", cpio(images.dracut_systemd(binder)), update, *root)
    golden("check-older", cpio(images.initramfs_tools(embedded("--sysroot", "empty"))), update,
           *root)
    golden("check-missing", cpio(changed(tools, {BINDER: None})), update, *root)
    golden("check-broken", cpio(changed(images.dracut_systemd(binder), {
        f"{UNITS}/earlybind.service.d/50-x.conf": file("[Unit]\nBefore=\n"),
        f"usr/lib/modules/{RELEASE}/kernel/drivers/vfio/vfio.ko": None})), update, *root)
    golden("check-no-image", b"no image at all", update, *root)


def main():
    update = sys.argv[1] == "-u"
    os.chdir(sys.argv[-1])
    os.makedirs("no-machine", exist_ok=True)
    binder = embedded("--sysroot", SYSROOT)
    good(binder)
    drivers()
    options(binder)
    containers(binder)
    unpacking(binder)
    binders(binder)
    tables(binder)
    orders(binder)
    with open(f"{SYSROOT}/etc/earlybind.conf", encoding="utf-8") as config:
        os.makedirs("etc", exist_ok=True)
        with open("etc/earlybind.conf", "w", encoding="utf-8") as copy:
            copy.write(config.read())
    first_process(embedded(*CONFIGS))
    kernels(binder)
    goldens(binder, update)
    return failures > 0


sys.exit(main())
