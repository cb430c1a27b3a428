#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One judgement: what the commands say of a device, suggest and do is the same.

usage: consistency.py [--seconds N] [--only NAME] FOLDER...

Each FOLDER has descriptions of machines (*.tree, see mktree.py); descriptions of tests/companion/trees
can be included. For every function of each machine, with the rules that are there:

  guards    add D --dry-run refuses if and only if check --only guards D fails, and explain D has
            the sentence that add says
  group     list, plan, check, explain and export agree on whether a VM can use the IOMMU group
  suggest   each command that any output suggests succeeds on that machine with --dry-run, and
            has something to change

With --seconds the machines are looked at until the time is up: the order is by lot, with the
date as the seed, so that other days look at other machines. Prints each contradiction: machine,
command lines, sentences.
"""
import argparse
import concurrent.futures
import datetime
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
EARLYBIND = os.environ.get("EARLYBIND", "build/earlybind")
EDITS = ("add", "keep", "remove")
FORMATS = ("qemu", "libvirt", "proxmox", "kubevirt", "prometheus", "json", "dot")
# What stands for something that the reader fills in.
PLACEHOLDER = re.compile(r"\b[A-Z]{4,}\b")


class Machine:
    def __init__(self, name, root):
        self.name = name
        self.root = root
        self.said = {}
        self.suggested = {}  # command: the command line whose output has it

    def run(self, *words):
        """Exit code, output and errors; a command is run once."""
        if words not in self.said:
            done = subprocess.run([EARLYBIND, *words, "--sysroot", self.root], text=True, errors="replace",
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
            self.said[words] = done.returncode, done.stdout, done.stderr
        return self.said[words]

    def collect(self, *words):
        for text in self.run(*words)[1:]:
            for command in suggestions(text):
                self.suggested.setdefault(command, " ".join(words))


def line_of(text):
    return re.sub(r"\s+", " ", text).strip()


def paragraphs(text):
    """The paragraphs of an output, each as one line: a line that is indented deeper goes on."""
    parts = []
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if parts and indent > parts[-1][0] or (parts and indent > 0 and indent == parts[-1][1]):
            parts[-1][1] = indent
            parts[-1][2] += " " + line.strip()
        else:
            parts.append([indent, 0, line.strip()])
    return [part[2] for part in parts]


def suggestions(text):
    found = set()
    for part in paragraphs(text):
        found.update(match.group(1) for match in re.finditer(r'"earlybind ([a-z]+[^"]*)"', part))
        bare = re.sub(r'"earlybind [^"]*"', "", part)
        for match in re.finditer(r"earlybind (add|keep|remove|bind|release|cmdline)((?: [-0-9a-z.:*+/=,]*[0-9=:.-][-0-9a-z.:*+/=,]*)*)",
                                 bare):
            found.add((match.group(1) + match.group(2)).rstrip(".,:;"))
    return found


class Test:
    def __init__(self):
        self.contradictions = []
        self.counts = {"guards": 0, "group": 0, "suggest": 0}

    def differs(self, kind, machine, *sentences):
        self.contradictions.append((kind, machine.name, sentences))

    def guards(self, machine, device):
        address = device["address"]
        self.counts["guards"] += 1
        added, _, why = machine.run("add", address, "--dry-run")
        checked, findings, _ = machine.run("check", address, "--only", "guards")
        explained = line_of(machine.run("explain", address)[1])
        if (added == 0) != (checked == 0):
            self.differs("guards", machine, f"add {address} --dry-run: exit {added}: {line_of(why)}",
                         f"check {address} --only guards: exit {checked}: {line_of(findings)}")
        if added == 0:
            return
        # "ADDRESS [ID] Name: sentence; remedy": the sentence up to its first clause.
        for line in paragraphs(why):
            match = re.match(r"(?:earlybind: )?[0-9a-f:.]+ \[[^]]*\][^:]*: (.*)", line)
            sentence = match and match.group(1).split(":")[0].split(";")[0]
            if sentence and sentence not in explained:
                self.differs("guards", machine, f"add {address} --dry-run: {line}", f"explain {address}: {explained}")

    def group(self, machine, device):
        """Bound devices only where a plan speaks of them: it is about the next boot."""
        number = device["iommu_group"]
        if number is None or self.plan_groups.get(number) is None:
            return
        self.counts["group"] += 1
        viable = self.plan_groups[number]
        address = device["address"]
        checked = line_of(machine.run("check", "--only", "groups", address)[1])
        if viable != (f"FAIL groups: group {number}," not in checked):
            self.differs("group", machine, f"plan: group {number} viable: {viable}",
                         f"check {address} --only groups: {checked}")
        explained = line_of(machine.run("explain", address)[1])
        blocked = re.search(r"No VM can use it while [^.]*[^.]*\.[^A-Z]*belongs? to the host", explained)
        if viable and blocked:
            self.differs("group", machine, f"plan: group {number} viable: {viable}", f"explain {address}: {blocked.group(0)}")
        listed = line_of(machine.run("list")[1])
        match = re.search(rf"IOMMU group {number}: (.*?)(?= [0-9a-f]{{4}}:[0-9a-f]{{2}}:)", listed)
        if match and viable == (match.group(1).startswith("not viable") and "next boot" not in match.group(1)):
            self.differs("group", machine, f"plan: group {number} viable: {viable}", f"list: {match.group(0)}")

    def suggest(self, machine):
        for command, source in sorted(machine.suggested.items()):
            words = command.split()
            if words[0] not in EDITS + ("bind", "release", "cmdline") or PLACEHOLDER.search(command) or \
                    command in ("bind", "release", "add", "keep", "remove"):
                continue
            self.counts["suggest"] += 1
            if words[0] == "cmdline" and "--set" not in words and "--remove" not in words:
                continue
            code, out, err = machine.run(*words, *([] if "--dry-run" in words else ["--dry-run"]))
            if words[0] == "bind" and "root" in err:
                continue
            if code != 0 or "nothing to change" in out:
                self.differs("suggest", machine, f"{source}: suggests: earlybind {command}",
                             f"earlybind {command} --dry-run: exit {code}: {line_of(err) or line_of(out)}")

    def machine(self, machine):
        code, out, _ = machine.run("list", "--json")
        if code != 0:
            return
        try:
            devices = json.loads(out)["devices"]
            plan = json.loads(machine.run("plan", "--json")[1] or "{}")
        except ValueError:
            return
        self.plan_groups = {group["id"]: group["viable"] for group in plan.get("groups", [])}
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            commands = [("list",), ("plan",), ("check",), ("status",), ("remove", "10ee:5000", "--dry-run")]
            commands += [("export", form) for form in FORMATS]
            for device in devices:
                address = device["address"]
                commands += [("add", address, "--dry-run"), ("check", address), ("explain", address),
                             ("check", address, "--only", "guards"), ("bind", address, "--dry-run")]
            list(pool.map(lambda command: machine.collect(*command), commands))
        for device in devices:
            self.guards(machine, device)
            self.group(machine, device)
        self.suggest(machine)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--only")
    parser.add_argument("folders", nargs="+")
    args = parser.parse_args()
    files = [os.path.join(folder, name) for folder in args.folders
             for name in sorted(os.listdir(folder)) if name.endswith(".tree")]
    if args.only:
        files = [file for file in files if args.only in os.path.basename(file)]
    if args.seconds:
        random.Random(datetime.date.today().isoformat()).shuffle(files)
    end = time.monotonic() + args.seconds if args.seconds else None
    test = Test()
    count = 0
    with tempfile.TemporaryDirectory() as work:
        for folder in [os.path.join(HERE, "trees"), *args.folders]:
            for name in os.listdir(folder):
                if name.endswith((".tree", ".inc")) and not os.path.exists(os.path.join(work, name)):
                    shutil.copy(os.path.join(folder, name), work)
        for file in files:
            if end and time.monotonic() > end:
                break
            name = os.path.basename(file)
            root = os.path.join(work, "machine")
            made = subprocess.run([os.path.join(HERE, "mktree.py"), os.path.join(work, name), root], check=False)
            if made.returncode == 0:
                test.machine(Machine(name, root))
                count += 1
            shutil.rmtree(root, ignore_errors=True)
    for kind, name, sentences in test.contradictions:
        print(f"{kind} {name}:")
        for sentence in sentences:
            print(f"    {sentence[:700]}")
    found = {kind: sum(kind == c[0] for c in test.contradictions) for kind in test.counts}
    print(f"{count} of {len(files)} machines: " +
          ", ".join(f"{kind}: {test.counts[kind]} looked at, {found[kind]} contradictions" for kind in test.counts))
    return 1 if test.contradictions else 0


if __name__ == "__main__":
    sys.exit(main())
