"""The real vfio-pci is loaded with every string of tests/ids/conformance.tsv, one after another:
what it registers, what it says, what the kernel refuses and which functions it takes are what
the table has, to which a unit test holds our own reading. LAB_UPDATE=1 writes the table anew.
"""

import os
import re

from facts import expect
from machine import BUILD, TOP, cards

TABLE = TOP / "tests/ids/conformance.tsv"

CONFIG = "ids"
EARLYBIND = "none"
# Nobody else has the card; and no line of a log is left out.
CMDLINE = (
    "intel_iommu=on lab.late=ids modprobe.blacklist=xclmgmt,xocl printk.devkmsg=on"
    " log_buf_len=4M loglevel=3 rcupdate.rcu_expedited=1"
)
# A device of which ffff is said: no wildcard, for the kernel.
DEVICES = (
    f"{cards(3)} -fw_cfg name=opt/lab/table,file={TABLE}"
    f" -fw_cfg name=opt/lab/ids,file={BUILD}/lab/bin/ids"
)
IDENTITIES = ["0000:03:00.0=10ee:ffff:120001:ffff:ffff"]

ADDED = re.compile(
    r"vfio_pci: add \[(\w+):(\w+)\[(\w+):(\w+)\]\] class (?:0x)?(\w+)/(\w+)", re.ASCII
)


def observe(text):
    """What the kernel log says of one string, as the columns of the table."""
    end = re.search(r"lab: ids \d+: (.*);(.*)", text)
    expect(end, "the kernel log has no end of a string's lines")
    expect("failed to add dynamic id" not in text, "the module failed to add an ID")
    added = [":".join(f"{int(field, 16):x}" for field in entry) for entry in ADDED.findall(text)]
    functions = sorted(end[2].split())
    return [
        end[1],
        " ".join(added) or "-",
        str(text.count("vfio_pci: invalid id string")),
        " ".join(function.removeprefix("0000:") for function in functions) or "-",
    ]


def check(facts, native):
    log = facts.text("dmesg")
    expect("lab: ids end" in log, "the guest did not come to the end: see facts/late")
    parts = re.split(r"lab: ids \d+$", log, flags=re.M)[1:]
    rows = TABLE.read_text().splitlines()
    said = iter(parts)
    new, wrong = [], []
    for row in rows:
        if row.startswith("#"):
            new.append(row)
            continue
        fields = row.split("\t")
        part = next(said, None)
        expect(part is not None, f"there are {len(parts)} strings in the log: too few")
        seen = observe(part)
        if fields[1:5] != seen:
            wrong.append(f"{fields[0][:80]}: {' | '.join(seen)}")
        new.append("\t".join([fields[0], *seen, *(fields[5:] or ["-"])]))
    expect(next(said, None) is None, "the log has more strings than the table")
    if os.environ.get("LAB_UPDATE"):
        TABLE.write_text("\n".join(new) + "\n")
        return
    expect(not wrong, f"{len(wrong)} strings are read otherwise than in the table: {wrong[:3]}")
