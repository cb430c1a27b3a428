#!/usr/bin/python3
"""Boots the machines of tests/builtin and judges what became of their two network cards; see run.sh."""

import argparse
import json
import os
import shutil
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../groups"))
import boot  # noqa: E402

CARDS = ("0000:01:00.0", "0000:02:00.0")  # the first one has the network
ADDRESS = "ip=10.0.2.15::10.0.2.2:255.255.255.0::eth0:off"
IDS = "vfio-pci.ids=8086:10d3"
ALL = "builtin: network: 4096 of 4096 bytes came back"
NONE = "builtin: network: 0 of 4096 bytes came back"


class Machine:
    def __init__(self, words):
        self.words = f"{ADDRESS} loglevel=6 {words}"

    def qemu(self):
        return ["-device", "pcie-root-port,id=rp1,chassis=1,slot=1,addr=1.0", "-device", "e1000e,bus=rp1,netdev=net",
                "-netdev", "user,id=net,restrict=on,guestfwd=tcp:10.0.2.100:7-cmd:cat",
                "-device", "pcie-root-port,id=rp2,chassis=2,slot=2,addr=2.0", "-device", "e1000e,bus=rp2"]


class Facts:
    def __init__(self, folder):
        with open(f"{folder}/list.json", encoding="utf-8") as file:
            devices = json.load(file)["devices"]
        self.drivers = tuple(next(d["driver"] for d in devices if d["address"] == card) for card in CARDS)
        with open(f"{folder}/console.log", encoding="utf-8", errors="replace") as file:
            self.console = file.read()
        self.report = None
        with tarfile.open(f"{folder}/capture.tar.gz") as tar:
            for member in tar.getmembers():
                if member.isfile() and member.name.endswith("/report.json"):
                    self.report = json.load(tar.extractfile(member))


def expect(found, wanted, what):
    if found != wanted:
        raise AssertionError(f"{what}: {found}, not {wanted}")


def check_native(facts):
    """vfio-pci.ids= alone: the other driver of the kernel was there first, and has both."""
    expect(facts.drivers, ("e1000e", "e1000e"), "drivers")
    expect(ALL in facts.console, True, ALL)


def check_kept(facts):
    """The card that the kernel has brought up is kept, and the network works; the other one is taken."""
    expect(facts.drivers, ("e1000e", "vfio-pci"), "drivers")
    kept, taken = sorted(facts.report["devices"], key=lambda d: d["address"])
    expect((kept["verdict"], kept["reason"]), ("refused", "critical-network"), "the first one")
    expect("eth0 is up" in kept["message"], True, kept["message"])
    expect((taken["before"], taken["after"], taken["verdict"]), ("e1000e", "vfio-pci", "bound"), "the second one")
    outcomes = {m["name"]: m["outcome"] for m in facts.report["modules"]}
    expect(set(outcomes.values()), {"builtin"}, f"modules {outcomes}")
    expect(ALL in facts.console, True, ALL)


def check_allowed(facts):
    """With allow=network both are taken, and there is no network: so the case before can fail."""
    expect(facts.drivers, ("vfio-pci", "vfio-pci"), "drivers")
    expect(NONE in facts.console, True, NONE)


CASES = [
    ("native", f"rdinit=/init {IDS}", check_native),
    ("kept", f"rdinit=/binder {IDS}", check_kept),
    ("allowed", "rdinit=/binder rd.earlybind.bind=8086:10d3;allow=network", check_allowed),
]


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    parser = argparse.ArgumentParser()
    for name in ("kernel", "init", "next", "binder", "earlybind", "out", "results"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    os.makedirs(options.out)
    image = f"{options.out}/image.cpio"
    boot.make_image(image, [("dev", 0o040755, b"")] + [
        (name, 0o100755, read(getattr(options, name))) for name in ("init", "next", "binder", "earlybind")])
    failed = False
    for name, words, check in CASES:
        folder = f"{options.out}/{name}"
        try:
            seconds = boot.boot(folder, Machine(words), options.kernel, image)
            check(Facts(folder))
            line = f"pass\tbuiltin\t{name}"
            print(f"PASS builtin: {name} ({seconds:.0f} s)")
        except (boot.BootError, AssertionError, OSError, ValueError, KeyError, TypeError) as error:
            failed = True
            line = f"fail\tbuiltin\t{name}\t{error}"
            print(f"FAIL builtin: {name}: {error}")
        with open(options.results, "a", encoding="utf-8") as results:
            results.write(line.replace("\n", " ") + "\n")
    sys.exit(failed)


if __name__ == "__main__":
    main()
