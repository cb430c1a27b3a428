#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the exports for KubeVirt and Proxmox VE must be, by what these publish.

usage: exports.py trees FOLDER...     what each of these machines exports
       exports.py damaged FOLDER      the same of one machine, damaged in several ways: must not pass
       exports.py kubevirt FOLDER     the machine's KubeVirt export as JSON, for another parser

KubeVirt 1.7: permittedHostDevices of its configuration, V1PermittedHostDevices and V1PciHostDevice of
the published OpenAPI document. A resource name is Kubernetes' qualified name
(apimachinery: validation.IsQualifiedName()), with a domain in front (IsExtendedResourceName()).
Proxmox VE: the format pve-qm-hostpci of qemu-server, src/PVE/QemuServer/PCI.pm, as of version 6 and
of version 9, which takes longer domains; parse_hostpci_devices() and choose_hostpci_devices() for
what is asked of the lines together.
"""
import json
import os
import re
import subprocess
import sys

import yaml

EARLYBIND = os.environ.get("EARLYBIND", "earlybind")
HOSTPCI_MAX = 16
ADDRESS = r"(?:[a-f0-9]{%s}:)?[a-f0-9]{2}:[a-f0-9]{2}(?:\.[a-f0-9])?"
HOST = r"{0}(?:;{0})*"
BOOLEAN = re.compile("0|1|yes|no|on|off|true|false")
ID = re.compile("0x[0-9a-fA-F]{4}")
HOSTPCI = {
    "mapping": re.compile("[A-Za-z][A-Za-z0-9_-]+"), "rombar": BOOLEAN, "pcie": BOOLEAN, "x-vga": BOOLEAN,
    "legacy-igd": BOOLEAN, "romfile": re.compile("[^,;]+"), "mdev": re.compile("[^/.:]+"),
    "vendor-id": ID, "device-id": ID, "sub-vendor-id": ID, "sub-device-id": ID,
}
LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"


def expect(holds, message):
    if not holds:
        raise ValueError(message)


def check_resource(name):
    domain, slash, rest = name.partition("/")
    expect(slash and re.fullmatch(rf"{LABEL}(\.{LABEL})*", domain) and len(domain) <= 253, f"domain of {name}")
    expect(re.fullmatch("([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]", rest) and len(rest) <= 63, f"name of {name}")
    expect("kubernetes.io" not in domain and not domain.startswith("requests."), f"{name} is Kubernetes' own")


def check_kubevirt(text):
    """The number of IDs."""
    whole = yaml.safe_load(text)
    expect(list(whole) == ["permittedHostDevices"], f"keys {list(whole)}")
    permitted = whole["permittedHostDevices"]
    expect(list(permitted) == ["pciHostDevices"], f"keys {list(permitted)}")
    devices = permitted["pciHostDevices"]
    for device in devices:
        expect(set(device) <= {"pciVendorSelector", "resourceName", "externalResourceProvider"}, f"keys {list(device)}")
        expect(isinstance(device.get("pciVendorSelector"), str), "pciVendorSelector is no string")
        expect(re.fullmatch("[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4}", device["pciVendorSelector"]), device["pciVendorSelector"])
        expect(isinstance(device.get("resourceName"), str), "resourceName is no string")
        check_resource(device["resourceName"])
        expect(isinstance(device.get("externalResourceProvider", False), bool), "externalResourceProvider")
    for key in ("pciVendorSelector", "resourceName"):
        expect(len({d[key] for d in devices}) == len(devices), f"a {key} is there twice")
    return len(devices)


def check_value(value):
    """A property string: the key of its default is host. Its addresses."""
    seen = {}
    for part in value.split(","):
        key, equals, rest = part.partition("=")
        if not equals:
            key, rest = "host", part
        expect(key not in seen, f"{key} is there twice")
        seen[key] = rest
        if key == "host":
            old, new = (re.fullmatch(HOST.format(ADDRESS % digits), rest) for digits in ("4", "4,"))
            expect(new and (old or re.search("[a-f0-9]{5,}:", rest)), f"host {rest}")
        else:
            expect(key in HOSTPCI and HOSTPCI[key].fullmatch(rest), part)
    expect(("host" in seen) != ("mapping" in seen), "either host or mapping")
    return seen["host"].split(";") if "host" in seen else []


def check_proxmox(text):
    """The number of lines."""
    used = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        name, colon, value = line.partition(": ")
        expect(colon and name == f"hostpci{number}", line)
        used += check_value(value)
    expect(len(set(used)) == len(used), "a device is assigned more than once")
    for address in used:
        expect("." in address or not any(a.startswith(address + ".") for a in used), f"{address} and its functions")
    return len(lines)


CHECKS = {"kubevirt": check_kubevirt, "proxmox": check_proxmox}


def export(form, tree):
    done = subprocess.run([EARLYBIND, "export", form, "--sysroot", tree], text=True, errors="replace",
                          capture_output=True, timeout=60, check=False)
    # What a VM of Proxmox cannot take is said.
    if form == "proxmox" and len(done.stdout.splitlines()) > HOSTPCI_MAX:
        expect("hostpci16" in done.stderr, "more than 16 cards, and nobody says so")
    return done.stdout


def check_trees(trees):
    counts = {form: 0 for form in CHECKS}
    for tree in trees:
        for form, check in CHECKS.items():
            text = export(form, tree)
            if text:
                try:
                    counts[form] += check(text)
                except (ValueError, yaml.YAMLError) as error:
                    sys.exit(f"{tree}: {form}: {error}\n{text}")
    print(" ".join(f"{form}: {count}" for form, count in counts.items()))
    if min(counts.values()) < 10:
        sys.exit("too few devices")


DAMAGES = {
    "kubevirt": [("pciVendorSelector", "vendor"), ("10DE", "10D"), ('"earlybind/', '"early bind/'), ('"earlybind/', '"'),
                 ("permittedHostDevices", "hostDevices"), ("pciHostDevices", "pciDevices"), ('resourceName: "', 'resourceName: 1 #"'),
                 ("    resourceName", "  resourceName"), ('Selector: "', "Selector: *")],
    "proxmox": [("hostpci0", "hostpci7"), (",pcie=1", ",pcie=2"), (",pcie=1", ",pci=1"), ("0000:", "000:"),
                (",pcie=1", ",pcie=1,pcie=1"), (":00", ":0g"), ("hostpci0: ", "hostpci0: pcie=1,"), (": ", ":")],
}


def check_damaged(tree):
    for form, damages in DAMAGES.items():
        text = export(form, tree)
        CHECKS[form](text)
        for old, new in damages:
            damaged = text.replace(old, new, 1)
            expect(damaged != text, f"{form}: there is no {old!r}")
            try:
                CHECKS[form](damaged)
            except (ValueError, AttributeError, TypeError, yaml.YAMLError):
                continue
            sys.exit(f"{form}: {old!r} as {new!r} passed")


if __name__ == "__main__":
    if sys.argv[1] == "trees":
        check_trees(sys.argv[2:])
    elif sys.argv[1] == "damaged":
        check_damaged(sys.argv[2])
    else:
        print(json.dumps(yaml.safe_load(export("kubevirt", sys.argv[2]))))
