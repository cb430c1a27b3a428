#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Set-ups of other tools, and what import and check say of them.

usage: setups.py EARLYBIND FOLDER WORK
       setups.py --figures FOLDER   how many there are, of which systems: the table of docs/setups.md

FOLDER has *.setups; a set-up is a tree of mktree.py behind the line "setup NAME", with what a
person would make of it (a '?' behind the first word: it may be so):

  rule SELECTOR [OPTION...]   a rule that is proposed
  lost SELECTOR               a rule that is offered: nothing binds the device today
  refused SELECTOR            a rule that is not proposed: the host keeps its devices
  delete FILE[:LINE]          the line, or the file, may be deleted
  words FILE:LINE WORD        these words may be deleted
  find LINT FILE[:LINE]       a mistake that is named
  nothing                     no rule can be proposed
  look                        somebody has to look at a part of it
  mistake                     check may fail; anything else is right, and must not

Prints "NAME<tab>" and what differs, for each; nothing differs where all is as it should be.
"""
import glob
import json
import os
import shutil
import subprocess
import sys

WANTS = ("rule", "lost", "refused", "delete", "words", "find")
FLAGS = ("nothing", "look", "mistake")

# By how the names of the set-ups begin.
SYSTEMS = {
    "Alpine": ("alpine",),
    "Arch, CachyOS": ("arch", "cachyos"),
    "Debian, Armbian, Raspberry Pi": ("debian", "armbian", "raspberry"),
    "Fedora, RHEL": ("fedora", "rhel"),
    "Gentoo": ("gentoo",),
    "Guix": ("guix",),
    "Harvester, Talos": ("harvester", "talos"),
    "NixOS": ("nixos",),
    "openSUSE": ("opensuse",),
    "Proxmox": ("proxmox", "pve"),
    "Qubes, Xen, XCP-ng": ("qubes", "xen", "xcp"),
    "Slackware": ("slackware", "lilo"),
    "TrueNAS": ("truenas",),
    "Ubuntu, Pop!_OS": ("ubuntu", "pop"),
    "Universal Blue, bootc": ("ublue", "bootc"),
    "Unraid": ("unraid",),
    "Void": ("void",),
}
OTHERS = "any: spellings, boot loaders, tools"


def read(folder):
    """The set-ups of all files: name, lines of the tree, what is wanted, and flags."""
    setups = []
    for path in sorted(glob.glob(os.path.join(folder, "*.setups"))):
        with open(path, encoding="utf-8") as lines:
            for line in lines.read().splitlines():
                word, _, rest = line.partition(" ")
                if word == "setup":
                    setups.append((rest, [], {want: ([], []) for want in WANTS}, set()))
                elif word in FLAGS:
                    setups[-1][3].add(word)
                elif word.rstrip("?") in WANTS:
                    setups[-1][2][word.rstrip("?")][word.endswith("?")].append(rest)
                elif setups:
                    setups[-1][1].append(line)
    return setups


def run(earlybind, *arguments):
    done = subprocess.run([earlybind, *arguments, "--json"], capture_output=True, text=True,
                          check=False, timeout=60)
    return json.loads(done.stdout)


def place(item):
    return item["file"] + (f":{item['line']}" if item["line"] else "")


def said(out):
    """What import says, in the words of the set-ups."""
    shown = [item for item in out["found"] if not item["generated"]]
    rules = {state: [" ".join(filter(None, (rule["selector"], rule["options"])))
                     for rule in out["rules"] if rule["state"] == state]
             for state in ("new", "lost", "refused")}
    gone = [item for item in shown if item["fate"] == "delete"]
    return {
        "rule": rules["new"],
        "lost": rules["lost"],
        "refused": rules["refused"],
        "delete": [place(item) for item in gone if item["extent"] != "words"],
        "words": [f"{place(item)} {item['text']}" for item in gone
                  if item["extent"] == "words"],
        "find": [f"{item['lint']} {place(item)}" for item in out["findings"]],
    }, any(item["fate"] == "look" for item in shown)


def differences(earlybind, tree, wants, flags):
    out = run(earlybind, "import", "--sysroot", tree)
    says, is_look = said(out)
    found = []
    for want, (needed, allowed) in wants.items():
        found += [f"-{want} {text}" for text in needed if text not in says[want]]
        found += [f"+{want} {text}" for text in dict.fromkeys(says[want])
                  if text not in needed + allowed]
    if is_look != ("look" in flags):
        found.append("+look" if is_look else "-look")
    if not sum((wants[want][0] for want in WANTS[:3]), []) and "nothing" not in flags:
        found.append("the set-up has no rule")
    if "mistake" not in flags:
        checks = run(earlybind, "check", "--only", "recipes", "--sysroot", tree)["checks"]
        found += [f"+FAIL {item['message']}" for item in checks
                  if item["verdict"].lower() == "fail"]
    return found


def system_of(name):
    first = name.split("-")[0]
    return next((system for system, names in SYSTEMS.items() if first in names), OTHERS)


def print_figures(folder):
    counts = {system: [0, 0, 0, 0] for system in (*SYSTEMS, OTHERS)}
    for name, _, wants, _ in read(folder):
        count = counts[system_of(name)]
        count[0] += 1
        for column, words in ((1, ("rule", "lost")), (2, ("find",)), (3, ("delete", "words"))):
            count[column] += sum(len(wants[word][0]) for word in words)
    print("| system | set-ups | rules | mistakes | to delete |\n|---|--:|--:|--:|--:|")
    for system, count in counts.items():
        print(f"| {system} |", *(f"{number} |" for number in count))
    print("| all |", *(f"{sum(column)} |" for column in zip(*counts.values())))


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--figures":
        print_figures(sys.argv[2])
        return
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    earlybind, folder, work = sys.argv[1:]
    os.makedirs(work, exist_ok=True)
    for path in glob.glob(os.path.join(folder, "*.inc")):
        shutil.copy(path, work)
    for name, lines, wants, flags in read(folder):
        description = os.path.join(work, f"{name}.tree")
        with open(description, "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")
        tree = os.path.join(work, name)
        subprocess.run([os.path.join(os.path.dirname(os.path.abspath(__file__)), "mktree.py"),
                        description, tree], check=True)
        print(name, "; ".join(differences(earlybind, tree, wants, flags)), sep="\t")


if __name__ == "__main__":
    main()
