#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints companion/groups/quirks.def: what the kernel knows of devices that IOMMU groups depend on.

usage: mk/group-quirks.py SOURCE >companion/groups/quirks.def

SOURCE is a kernel's source, as in Debian's package linux-source-VERSION: Makefile,
drivers/pci/quirks.c and include/linux/pci_ids.h are read. The result has IDs and kinds only. A
quirk function that this script does not know ends it: read the function, then add it to KINDS.
"""
import re
import sys

NEEDED = {"SV", "RR", "CR", "UF"}  # drivers/iommu/iommu.c: REQ_ACS_FLAGS
ANY = "PCI_ANY_ID"

# Function: the kind, where its IDs are ("" for the table's own), the kind of all others.
KINDS = {
    "pci_quirk_amd_sb_acs": ("AMD_SOUTHBRIDGE", "", None),
    "pci_quirk_mf_endpoint_acs": ("ALWAYS", "", None),
    "pci_quirk_rciep_acs": ("RC_ENDPOINT", "", None),
    "pci_quirk_qcom_rp_acs": ("ALWAYS", "", None),
    "pci_quirk_intel_pch_acs": ("INTEL_PCH", "pci_quirk_intel_pch_acs_ids[]", None),
    "pci_quirk_intel_spt_pch_acs": ("INTEL_SPT", "pci_quirk_intel_spt_pch_acs_match(", None),
    "pci_quirk_cavium_acs": ("ROOT_PORT", "pci_quirk_cavium_acs_match(", None),
    "pci_quirk_xgene_acs": ("ALWAYS", "", None),
    "pci_quirk_brcm_acs": ("ALWAYS", "", None),
    "pci_quirk_loongson_acs": ("ALWAYS", "", None),
    "pci_quirk_al_acs": ("ROOT_PORT", "", None),
    "pci_quirk_nxp_rp_acs": ("ALWAYS", "", None),
    "pci_quirk_zhaoxin_pcie_ports_acs": ("PORT", "pci_quirk_zhaoxin_pcie_ports_acs(", "PORT_NEVER"),
    "pci_quirk_wangxun_nic_acs": ("ALWAYS", "pci_quirk_wangxun_nic_acs(", "NEVER"),
}
# What these kinds grant is read from registers, or is not all of NEEDED.
GRANT_BY_REGISTER = {"AMD_SOUTHBRIDGE": {"RR", "CR"}, "INTEL_SPT": None}

# Function of a fixup: kind, first devfn, how many. A function of the same slot for FUNCTION.
ALIASES = {
    "quirk_dma_func0_alias": [("FUNCTION", 0, 1)],
    "quirk_dma_func1_alias": [("FUNCTION", 1, 1)],
    "quirk_mic_x200_dma_alias": [("DEVFN", 0x80, 1), ("DEVFN", 0x88, 1), ("DEVFN", 0x93, 1)],
    "quirk_pex_vca_alias": [("EACH_SLOT", 0, 5)],
    "quirk_plx_ntb_dma_alias": [("DEVFN", 0, 256)],
    "quirk_bridge_cavm_thrx2_pcie_root": [("STOP", 0, 0)],
}


def fail(message):
    sys.exit(f"group-quirks.py: {message}")


def read(source, name):
    with open(f"{source}/{name}", encoding="utf-8") as file:
        return re.sub(r"/\*.*?\*/|//[^\n]*", "", file.read(), flags=re.S)


def body_of(text, start):
    """The block behind the first definition that has these words."""
    for found in re.finditer(re.escape(start), text):
        block = re.match(r"[^;{}]*\{(.*?)\n\}", text[found.end():], re.S)
        if block:
            return block[1]
    fail(f"{start} is not there")


def numbers(text, ids):
    """Ranges from "case A ... B:" and from lists."""
    found = re.findall(r"case\s+(\w+)(?:\s*\.\.\.\s*(\w+))?\s*:", text)
    if not found:
        found = [(word, "") for word in re.findall(r"\b0x[0-9a-fA-F]+\b", text)]
    return [(value(a, ids), value(b or a, ids)) for a, b in found]


def value(word, ids):
    if word == ANY:
        return 0xFFFF
    if word not in ids and not re.fullmatch(r"0x[0-9a-fA-F]+|\d+", word):
        fail(f"{word} is not known")
    return ids[word] if word in ids else int(word, 0)


def check_grant(text, function, kind):
    """That the function grants all that groups need, as the kind says."""
    granted = set(re.findall(r"PCI_ACS_([A-Z]+)", body_of(text, f"{function}(")))
    if kind in GRANT_BY_REGISTER:
        if GRANT_BY_REGISTER[kind] and not GRANT_BY_REGISTER[kind] <= granted:
            fail(f"{function} grants {granted}")
    elif not NEEDED <= granted:
        fail(f"{function} grants {granted} only")


def acs_quirks(text, ids):
    table = body_of(text, "pci_dev_acs_enabled[] =")
    for vendor, device, function in re.findall(r"\{\s*(\w+),\s*(\w+),\s*(\w+)\s*\}", table):
        if function not in KINDS:
            fail(f"{function} is not known: add it to KINDS")
        kind, place, rest = KINDS[function]
        check_grant(text, function, kind)
        ranges = [(value(device, ids),) * 2]
        if place:
            ranges = numbers(body_of(text, place), ids)
        elif device == ANY:
            ranges = [(0, 0xFFFF)]
        if rest:
            ranges_of_rest = [(rest, 0, 0xFFFF)]
        else:
            ranges_of_rest = []
        for name, first, last in [(kind, a, b) for a, b in ranges] + ranges_of_rest:
            yield f"ACS_QUIRK({name}, {value(vendor, ids):#06x}, {first:#06x}, {last:#06x})"


def dma_aliases(text, ids):
    fixups = re.findall(r"DECLARE_PCI_FIXUP_\w+\(\s*(\w+),\s*(\w+),\s*(quirk_\w+)\s*\)", text)
    for vendor, device, function in fixups:
        for kind, first, count in ALIASES.get(function, []):
            yield (f"DMA_ALIAS({kind}, {value(vendor, ids):#06x}, {value(device, ids):#06x}, "
                   f"0xffff, 0xffff, {first:#04x}, {count})")
    for sub in re.findall(r"\{\s*PCI_DEVICE_SUB\(([^)]*)\),\s*\.driver_data = PCI_DEVFN\((\d+), (\d+)\)",
                          body_of(text, "fixed_dma_alias_tbl[] =")):
        parts = ", ".join(f"{value(word.strip(), ids):#06x}" for word in sub[0].split(","))
        yield f"DMA_ALIAS(DEVFN, {parts}, {int(sub[1]) << 3 | int(sub[2]):#04x}, 1)"


def check_aliases(text):
    """Each function that makes an alias is known: one more would be left out in silence."""
    callers = set(re.findall(r"\nstatic void (quirk_\w+)\([^)]*\)\s*\{(?:(?!\n\}).)*?"
                             r"(?:pci_add_dma_alias|BRIDGE_XLATE_ROOT)", text, re.S))
    unknown = callers - set(ALIASES) - {"quirk_fixed_dma_alias"}
    # Its aliases are in the NTB's memory, which nothing here reads.
    unknown -= {"quirk_switchtec_ntb_dma_alias"}
    if unknown:
        fail(f"{', '.join(sorted(unknown))}: add to ALIASES")


def main():
    if len(sys.argv) != 2:
        fail("name the folder of a kernel's source")
    source = sys.argv[1]
    ids = {name: int(number, 0) for name, number in re.findall(
        r"#define\s+(PCI_(?:VENDOR|DEVICE)_ID_\w+)\s+(0x[0-9a-fA-F]+)",
        read(source, "include/linux/pci_ids.h"))}
    text = read(source, "drivers/pci/quirks.c")
    version = ".".join(re.findall(r"(?m)^(?:VERSION|PATCHLEVEL|SUBLEVEL) = (\d+)",
                                  read(source, "Makefile")))
    check_aliases(text)
    print("/* SPDX-License-Identifier: GPL-2.0-or-later */")
    print(f"/* Made by mk/group-quirks.py from Linux {version}, drivers/pci/quirks.c. Do not edit. */")
    print(f'QUIRKS_VERSION("{version}")')
    for line in [*acs_quirks(text, ids), *dma_aliases(text, ids)]:
        print(line)


if __name__ == "__main__":
    main()
