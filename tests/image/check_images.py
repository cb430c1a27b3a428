#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""earlybind check on real images: good as they are, and copies that are broken on purpose;
and what earlybind adds to them, in bytes.

usage: check_images.py FOLDER...

FOLDER is what tests/lab/image.sh prints: initrd.img, and files/ with the configuration. Uses
$EARLYBIND (build/earlybind); one line per check goes to $RESULTS (build/results.tsv).
"""
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/companion"))
import images  # noqa: E402

EARLYBIND = os.environ.get("EARLYBIND", str(TOP / "build/earlybind"))
RESULTS = os.environ.get("RESULTS", str(TOP / "build/results.tsv"))
HOOK = "dracut/hooks/pre-udev"
DROPIN = "etc/systemd/system/earlybind.service.d/50-broken.conf"
UNPACK = {"cpio": None, "zstd": ["zstd", "-dcq"], "gzip": ["gzip", "-dc"], "xz": ["xz", "-dc"],
          "lz4": ["lz4", "-dcq"], "bzip2": ["bzip2", "-dc"]}

# What earlybind may add to an image, uncompressed and without modules.
GROWTH_MAX = 400 * 1024
OURS = ("usr/lib/earlybind/", "scripts/init-top/00-earlybind", "/earlybind.service",
        "/00-earlybind.sh")

# What a script of an administrator needs of an image: shell-recipe.sh's tools.
RECIPE = TOP / "tests/bench/shell-recipe.sh"
TOOLS = ("sh", "modprobe", "readlink")
LIBRARIES = r"/(ld-linux-x86-64|libc|libkmod|libzstd|liblzma|libcrypto|libz|klibc-.*)\.so"


def record(name, problem=None):
    words = ("fail", "image", name, problem) if problem else ("pass", "image", name)
    print("FAIL" if problem else "PASS", name, problem or "")
    with open(RESULTS, "a", encoding="utf-8") as out:
        out.write("\t".join(re.sub(r"[\t\n]", " ", word) for word in words) + "\n")
    return not problem


def run(image, sysroot):
    done = subprocess.run([EARLYBIND, "check", "--json", "--image", image, "--sysroot", sysroot],
                          capture_output=True, check=False, timeout=120)
    if done.returncode > 1:
        return done.returncode, {"checks": []}, done.stderr.decode()
    return done.returncode, json.loads(done.stdout), ""


def judge(name, image, sysroot, findings):
    """The image fails for these reasons, each (check, pattern), and for no other."""
    code, document, error = run(image, sysroot)
    failing = [item for item in document["checks"] if item["verdict"] == "FAIL"]
    for part, pattern in findings:
        hits = [item for item in failing
                if item["name"] == part and re.search(pattern, item["message"])]
        if not hits:
            return record(name, f"no FAIL {part}: {pattern}; {error or document['checks']}")
        failing = [item for item in failing if item not in hits]
    if failing:
        return record(name, f"not expected: {failing}")
    return record(name, None if code == bool(findings) else f"exit code {code}: {error}")


def overlay(tree):
    """What is put behind an image: behind LZ4 there must be NULs."""
    return bytes(512) + images.cpio(tree)


def breakages(document):
    """Files that replace others, and what is said then."""
    if document["systemd"]:
        unit = images.DRACUT_UNIT.replace("systemd-udevd.service ", "")
        return {
            "reset": ({DROPIN: images.file("[Unit]\nBefore=\n")}, "no Before= for"),
            "unit": ({f"{images.UNITS}/earlybind.service": images.file(unit)},
                     "no Before= for systemd-udevd.service"),
            "masked": ({"etc/systemd/system/earlybind.service": images.link("/dev/null")},
                       "masked"),
            "hook": ({f"usr/lib/{HOOK}/00-earlybind.sh": images.script()}, "in an image with"),
        }
    if document["generator"] == "initramfs-tools":
        order = "scripts/init-top/ORDER"
        return {
            "late": ({order: images.order("udev", "00-earlybind")}, "after udev"),
            "lost": ({order: images.order("udev")}, "does not run 00-earlybind"),
            "mode": ({"scripts/init-top/00-earlybind": images.file()}, "executable"),
        }
    return {}


def unpack(data, document):
    """All files of an image, in the order in which the kernel makes them."""
    tree = {}
    for segment in document["segments"]:
        part = data[segment["offset"]:segment["offset"] + segment["size"]]
        if UNPACK[segment["compression"]]:
            part = images.run(UNPACK[segment["compression"]], part)
        at = 0
        while part[at:at + 1] == b"0":
            more, at = images.read_cpio(part, at)
            tree.update(more)
            while at < len(part) and part[at] == 0:
                at += 1
    return tree


def resolve(tree, path):
    """The entry that a path leads to, through links, in the place of merged folders."""
    for _ in range(8):
        entry = tree.get(path) or tree.get("usr/" + path)
        if entry is None or not stat.S_ISLNK(entry.mode):
            return path, entry
        target = entry.data.decode()
        path = os.path.normpath(os.path.join("/", os.path.dirname(path), target))[1:]
    return path, None


def growth(name, tree):
    """Says what earlybind added, and beside it what a shell recipe uses."""
    ours = sum(len(entry.data) for path, entry in tree.items()
               if any(part in path for part in OURS) and "/modules/" not in path)
    used = {}
    for tool in TOOLS:
        for place in ("usr/bin", "usr/sbin", "bin", "sbin"):
            path, entry = resolve(tree, f"{place}/{tool}")
            if entry:
                used[path.removeprefix("usr/")] = len(entry.data)
    for path, entry in tree.items():
        if re.search(LIBRARIES, path) and stat.S_ISREG(entry.mode):
            used[path.removeprefix("usr/")] = len(entry.data)
    recipe = RECIPE.stat().st_size
    print(f"SIZE {name}: earlybind adds {ours / 1024:.0f} KiB; a shell recipe {recipe} bytes,"
          f" and uses {sum(used.values()) / 1024:.0f} KiB of the image's tools")
    return record(f"{name}: adds at most {GROWTH_MAX // 1024} KiB",
                  None if 0 < ours <= GROWTH_MAX else f"{ours} bytes")


def check_folder(folder, work):
    name = re.sub(r"^image-|-[0-9a-f]{16}$", "", folder.name)
    sysroot = str(folder / "files")
    original = folder / "initrd.img"
    code, document, error = run(str(original), sysroot)
    bad = [item for item in document["checks"] if item["verdict"] not in ("pass", "note")]
    fine = record(f"{name}: good", f"{error} {bad}" if code != 0 or bad else None)
    if not fine:
        return False
    data = original.read_bytes()
    copy = Path(work) / "initrd.img"

    def broken(what, image, *findings):
        copy.write_bytes(image)
        return judge(f"{name}: {what}", str(copy), sysroot, findings)

    aligned = images.pad(data)
    for what, (tree, pattern) in breakages(document).items():
        fine &= broken(what, aligned + overlay(tree), ("order", pattern))
    binder = {images.BINDER: images.file((TOP / "build/binder").read_bytes(), 0o755)}
    fine &= broken("stale", aligned + overlay(binder), ("table", "lacks"))
    fine &= broken("script", aligned + overlay({images.BINDER: images.script()}),
                   ("binder", "no ELF"), ("table", "damaged"))
    fine &= broken("unpadded", aligned + b"\0" + images.cpio({"extra": images.file()}),
                   ("image", "no multiple of 4|NUL bytes in between, which LZ4 needs"))
    tree = unpack(data, document)
    fine &= growth(name, tree)
    fine &= broken("rewritten", images.cpio(tree))
    for what, module in (("module", "vfio-pci"), ("dependency", "irqbypass")):
        kept = {path: entry for path, entry in tree.items()
                if not re.search(rf"/{module}\.ko(\.\w+)?$", path)}
        kinds = [("modules", f"vfio_pci needs .*{module}.ko")]
        fine &= broken(f"no {what}", images.cpio(kept), *kinds)
    if document["generator"] == "dracut" and not document["systemd"]:
        kept = {path: entry for path, entry in tree.items() if "00-earlybind.sh" not in path}
        copy.write_bytes(images.cpio(kept))
        found = run(str(copy), sysroot)[1]["checks"]
        notes = [item for item in found if "rdinit=" in item["message"]]
        fine &= record(f"{name}: no hook", None if notes else str(found))
    return fine


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as work:
        results = [check_folder(Path(folder), work) for folder in sys.argv[1:]]
    return not all(results)


sys.exit(main())
