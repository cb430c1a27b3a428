"""Prints what two boots came to, side by side: what `lspci -nnk` says of the card."""

import re
import sys
import textwrap

from facts import Facts
from machine import BUILD, MGMT, USER
from platforms import HOME

WITHOUT, WITH = (
    BUILD / "lab" / HOME / name / "facts" for name in ("01-native-wins", "02-cmdline-ids")
)


def said(facts, address, what):
    """The value of one of the indented lines of lspci -nnk."""
    match = re.search(rf"^\s+{what}: (.*)$", facts.lspci(address), re.M)
    return match[1] if match else "-"


def title(facts, address):
    """The line that names the function; the long name of the class goes, to fit."""
    line = facts.lspci(address).splitlines()[0]
    return re.sub(r"^(\S+) .*? \[[0-9a-f]{4}\]: ", r"\1 ", line)[:78]


def main():
    if not (WITHOUT.exists() and WITH.exists()):
        sys.exit("demo: a machine did not come up; see above")
    without, with_ = Facts(WITHOUT), Facts(WITH)
    ids = re.search(r"vfio-pci\.ids=\S+", with_.text("cmdline"))
    print(f"\nThe same machine, the same kernel, booted with {ids[0]}\n")
    print(f"{'lspci -nnk':<26}{'without earlybind':<22}with earlybind")
    for address in (MGMT, USER):
        print(title(with_, address))
        for what in ("Kernel driver in use", "Kernel modules"):
            print(f"    {what:<22}{said(without, address, what):<22}{said(with_, address, what)}")
    log = re.findall(r"earlybind: .*", with_.text("dmesg"))
    if log:
        print("\nWhat earlybind said to the kernel log:")
    for line in log:
        print(textwrap.fill(line, 78, initial_indent="    ", subsequent_indent="        "))


if __name__ == "__main__":
    main()
