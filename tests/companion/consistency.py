#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One judgement: what the commands say of a device, suggest and do is the same.

usage: consistency.py [--seconds N] [--only NAME] [--lot COUNT [--seed N]] FOLDER...

Each FOLDER has descriptions of machines (*.tree, see mktree.py); descriptions of tests/companion/trees
can be included. For every function of each machine, with the rules that are there:

  guards    add D --dry-run refuses if and only if check --only guards D fails, and explain D has
            the sentence that add says
  group     list, plan, check and explain agree on whether a VM can use the IOMMU group
  boot      plan is what "binder --dry-run", with the rules embedded, says on the same machine as its
            initramfs has it: without virtual functions, and without drivers but those of ports
  suggest   each command that any output suggests succeeds on that machine with --dry-run, and
            has something to change

--lot: and as many machines made by lot, with displays, disks, routes, virtual functions, functions
of the chipset, and rules of all kinds. With --seconds it ends when the time is up. Prints each
contradiction: machine, command lines, sentences.
"""
import argparse
import concurrent.futures
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
EARLYBIND = os.environ.get("EARLYBIND", "build/earlybind")
BINDER = os.path.abspath(os.environ.get("BINDER", "build/binder"))
TAKEN = ("bind", "recover", "done")
EDITS = ("add", "keep", "remove")
FORMATS = ("qemu", "libvirt", "proxmox", "kubevirt", "prometheus", "json", "dot")


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


# IDs, class, driver
KINDS = {
    "gpu": ("10de:2489", "030000", "nvidia"),
    "audio": ("10de:228b", "040300", "snd_hda_intel"),
    "compute": ("10de:20b0", "030200", "nvidia"),
    "accelerator": ("10ee:5000", "120000", "xclmgmt"),
    "user": ("10ee:5001", "120000", "xocl"),
    "disk": ("144d:a808", "010802", "nvme"),
    "network": ("8086:1521", "020000", "igb"),
    "usb": ("1b73:1100", "0c0330", "xhci_hcd"),
    "denied": ("8086:19e2", "0b4000", "c3xxx"),
    "bmc": ("1a03:2000", "030000", "ast"),
    "usbc": ("10de:1ada", "0c8000", "nvidia-gpu"),
    "hba": ("1000:0097", "010700", "mpt3sas"),
    "vmd": ("8086:9a0b", "010400", "vmd"),
    "arc": ("8086:56c0", "038000", "i915"),
}

# What the machine is: the lines that say so, whether there is an IOMMU (None: by lot), a parameter.
PLACES = {
    "pc": ([], None, "intel_iommu=on"),
    "dom0": (["file sys/hypervisor/type", "| xen", "file sys/hypervisor/uuid",
              "| 00000000-0000-0000-0000-000000000000", "file proc/cpuinfo", "| vendor_id\t: GenuineIntel",
              "| flags\t\t: fpu vme de hypervisor lahf_lm"], False, ""),
    "guest": (["file proc/cpuinfo", "| vendor_id\t: AuthenticAMD", "| flags\t\t: fpu vme de hypervisor"], None, ""),
    "arm": (["file sys/firmware/devicetree/base/compatible", "| brcm,bcm2712", "file proc/cpuinfo",
             "| processor\t: 0", "| CPU implementer\t: 0x41"], None, "iommu.passthrough=0"),
    "power": (["file proc/cpuinfo", "| processor\t: 0", "| cpu\t\t: POWER9, altivec supported"], True, ""),
}


def draw_extras(lot, functions, group_of):
    """What processes have open, a driver-made bus, and the nodes of iommufd."""
    lines = []
    if lot.random() < 0.3 and functions:
        address = lot.choice(functions)[0]
        node = lot.choice(["xclmgmt1536", "accel/accel0", "nvidia0"])
        lines += [f"file sys/bus/pci/devices/0000:{address}/misc/{node.split('/')[-1]}/uevent", f"| DEVNAME={node}",
                  "file proc/4711/comm", "| tool", f"link proc/4711/fd/3 /dev/{node}"]
    if lot.random() < 0.15:
        group = group_of(70)
        lines += [f"device 0000:00:0e.0 {KINDS['vmd'][0]} {KINDS['vmd'][1]} driver=vmd{group}",
                  f"device 10000:e0:06.0 8086:9a09 060400 driver=pcieport bridge=e1{group}",
                  f"device 10000:e1:00.0 144d:a80a 010802 driver=nvme{group}"]
        functions.append(("00:0e.0", "vmd", KINDS["vmd"][0]))
    if lot.random() < 0.15:
        lines += ["file dev/iommu"]
    return lines


def draw_machine(lot):
    """The description of a machine, for mktree.py."""
    lines, functions, groups = ["release 6.12.0-amd64"], [], 1

    def add(address, kind, group, more=""):
        ids, code, driver = KINDS[kind]
        driver = lot.choice([driver] * 6 + ["", "vfio-pci"])
        lines.append(f"device 0000:{address} {ids} {code}" + (f" driver={driver}" if driver else "") +
                     (f" group={group}" if has_iommu else "") + more)
        functions.append((address, kind, ids))

    place, has_iommu, parameter = PLACES[lot.choice(["pc"] * 6 + ["dom0", "guest", "arm", "power"])]
    lines += place
    if has_iommu is None:
        has_iommu = lot.random() < 0.9
    if has_iommu:
        lines.append("iommu dmar0")
    for port in range(lot.randint(1, 6)):
        bus, group = port + 1, groups
        groups += lot.random() < 0.7
        in_group = f" group={group}" if has_iommu else ""
        lines.append(f"device 0000:00:{port + 1:02x}.0 8086:1901 060400 driver=pcieport bridge={bus}{in_group}")
        kind = lot.choice(["gpu", "compute", "accelerator", "disk", "network", "usb", "denied", "bmc", "hba", "arc"])
        more = f" boot_vga={lot.randint(0, 1)}" if kind in ("gpu", "bmc") else ""
        second = {"gpu": "audio", "accelerator": "user", "network": "network"}.get(kind)
        vfs = kind in ("network", "arc") and lot.random() < 0.4
        add(f"{bus:02x}:00.0", kind, group, more + (" totalvfs=7" + (" vfs=1" if vfs else "") if vfs else ""))
        if second and lot.random() < 0.7:
            add(f"{bus:02x}:00.1", second, group if lot.random() < 0.8 else groups + 20 + port)
            if kind == "gpu" and lot.random() < 0.3:
                add(f"{bus:02x}:00.2", "usb", group)
                add(f"{bus:02x}:00.3", "usbc", group)
        if vfs:
            add(f"{bus:02x}:10.0", kind, groups + 40 + port, f" physfn=0000:{bus:02x}:00.0")
        groups += 1
    for function in range(lot.randint(0, 3)):
        add(f"00:1f.{function + 3}", lot.choice(["audio", "network", "usb"]), 90)
    lines += draw_extras(lot, functions, lambda number: f" group={number}" if has_iommu else "")
    disks = [address for address, kind, _ in functions if kind == "disk"]
    hbas = [address for address, kind, _ in functions if kind == "hba"]
    networks = [address for address, kind, _ in functions if kind == "network"]
    if disks and lot.random() < 0.8:
        lines += [f"class block nvme0n1 0000:{lot.choice(disks)}/nvme/nvme0 dev=259:0", "file proc/self/mountinfo",
                  "| 22 1 259:0 / / rw,relatime - ext4 /dev/nvme0n1 rw"]
    elif hbas and lot.random() < 0.8:
        lines += [f"class block sda 0000:{lot.choice(hbas)}/host0/port-0:0/end_device-0:0/target0:0:0/0:0:0:0 dev=8:0",
                  "file proc/self/mountinfo", "| 22 1 8:0 / / rw,relatime - ext4 /dev/sda rw"]
    if networks and lot.random() < 0.8:
        lines += [f"class net eth0 0000:{lot.choice(networks)}/net flags=0x1003 carrier=1", "file proc/net/route",
                  "| Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT",
                  "| eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0"]
    rules, ids = [], []
    for address, _, number in functions:
        draw = lot.random()
        if draw < 0.1:
            ids.append(number)
        elif draw < 0.2:
            rules.append(f"| keep {address}")
        elif draw < 0.4:
            rules.append(f"| bind {lot.choice([address, number, address + '+' + number])}" +
                         lot.choice(["", "", " with=functions", " with=group", " allow=console", " allow=network", " optional"]))
    lines.append("cmdline root=/dev/sda1 ro" + (f" {parameter}" if has_iommu else "") +
                 (" vfio-pci.ids=" + ",".join(ids) if ids else ""))
    if lot.random() < 0.08:
        rules.insert(lot.randint(0, len(rules)), lot.choice(
            ["| bnd 10ee:5000", "| bind 10ee:500g", "| bind 10ee:5000 wth=group", "| keep", "| option timeout=soon"]))
    if rules:
        lines += ["file etc/earlybind.conf", *rules]
    return "\n".join(lines) + "\n"


def make_early(root, early):
    """The machine as its initramfs has it."""
    shutil.copytree(root, early, symlinks=True, ignore=shutil.ignore_patterns("virtfn*"))
    devices = os.path.join(early, "sys/bus/pci/devices")
    for address in os.listdir(devices):
        folder = os.path.join(devices, address)
        driver = os.path.join(folder, "driver")
        if os.path.lexists(os.path.join(folder, "physfn")):
            shutil.rmtree(os.path.realpath(folder))
            os.unlink(folder)
        elif os.path.lexists(driver) and os.path.basename(os.readlink(driver)) != "pcieport":
            os.unlink(driver)


def what_becomes(device):
    action = device["action"]
    return "taken" if action in TAKEN else f"{action}: {device['reason']}"


class Test:
    def __init__(self):
        self.contradictions = []
        self.counts = {"guards": 0, "group": 0, "boot": 0, "suggest": 0, "mistake": 0}

    def differs(self, kind, machine, *sentences):
        self.contradictions.append((kind, machine.name, sentences))

    def guards(self, machine, device):
        address = device["address"]
        self.counts["guards"] += 1
        added, _, why = machine.run("add", address, "--dry-run")
        checked, findings, _ = machine.run("check", address, "--only", "guards")
        explained = line_of(machine.run("explain", address)[1])
        # Nothing is written into a configuration with an error, whatever the device.
        if "correct the configuration first" in why:
            return
        if (added == 0) != (checked == 0):
            self.differs("guards", machine, f"add {address} --dry-run: exit {added}: {line_of(why)}",
                         f"check {address} --only guards: exit {checked}: {line_of(findings)}")
        marked = self.selected.get(address)
        if marked is not None and "kept by a rule" not in marked and \
                (added == 0) == ("; refused: " in marked):
            self.differs("guards", machine, f"add {address} --dry-run: exit {added}: {line_of(why)}",
                         f"select --plain: {line_of(marked)}")
        if added == 0:
            return
        # "ADDRESS [ID] Name: sentence; remedy": the sentence up to its first clause.
        for line in paragraphs(why):
            match = re.match(r"(?:earlybind: )?[0-9a-f:.]+ \[[^]]*\][^:]*: (.*)", line)
            sentence = match and match.group(1).split(":")[0].split(";")[0]
            if sentence and sentence.startswith("the rule keep"):
                sentence = "rule: keep"
            if sentence and sentence not in explained:
                self.differs("guards", machine, f"add {address} --dry-run: {line}", f"explain {address}: {explained}")

    def group(self, machine, device):
        """Bound devices only where a plan speaks of them: it is about the next boot."""
        number = device["iommu_group"]
        if self.plan_groups.get(number) is None or device["address"] not in self.planned:
            return
        self.counts["group"] += 1
        viable = self.plan_groups[number]
        address = device["address"]
        checked = line_of(machine.run("check", "--only", "groups", address)[1])
        if viable != (f"FAIL groups: group {number}," not in checked):
            self.differs("group", machine, f"plan: group {number} viable: {viable}",
                         f"check {address} --only groups: {checked}")
        explained = line_of(machine.run("explain", address)[1])
        blocked = re.search(r"no VM can use it while .*? belongs? to the host", explained)
        if viable and blocked:
            self.differs("group", machine, f"plan: group {number} viable: {viable}", f"explain {address}: {blocked.group(0)}")
        listed = line_of(machine.run("list", "-v")[1])
        match = re.search(rf"IOMMU group {number}: (.*?)(?= [0-9a-f]{{4,}}:[0-9a-f]{{2}}:)", listed)
        # Where it changes, list says both: "viable now; not viable after the next boot".
        is_listed = match and ("not viable after" not in match.group(1) and
                               (match.group(1).startswith("viable") or "; viable after" in match.group(1)))
        if match and viable != is_listed and match.group(1) != "only bridges":
            self.differs("group", machine, f"plan: group {number} viable: {viable}", f"list: {match.group(0)}")

    def boot(self, machine, plan):
        """What the plan says of each function, and the binder in the image."""
        early, binder = machine.root + "-early", machine.root + "-binder"
        try:
            if machine.run("embed", "--binder", BINDER, "--output", binder)[0] != 0:
                return
            make_early(machine.root, early)
            done = subprocess.run([binder, "--dry-run", "--sysroot", early], text=True, errors="replace",
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
            try:
                report = json.loads(done.stdout or "{}")
            except ValueError:
                report = {}
        finally:
            shutil.rmtree(early, ignore_errors=True)
            if os.path.exists(binder):
                os.unlink(binder)
        if "devices" not in report:
            return
        booted = {device["address"]: what_becomes(device) for device in report["devices"]}
        planned = {device["address"]: what_becomes(device) for device in plan["devices"]}
        for address in sorted(set(booted) | set(planned)):
            if os.path.lexists(os.path.join(machine.root, "sys/bus/pci/devices", address, "physfn")):
                continue
            self.counts["boot"] += 1
            # Some IOMMUs give the group when a driver probes, so the binder tries, and says the same then.
            if (planned.get(address), booted.get(address)) == ("refuse: no-iommu-group", "taken"):
                continue
            if booted.get(address) != planned.get(address):
                self.differs("boot", machine, f"plan: {address}: {planned.get(address)}",
                             f"binder --dry-run: {address}: {booted.get(address)}")

    def mistake(self, machine):
        """The configuration has an error: who suggests what is refused until it is corrected names the error."""
        said = machine.run("apply", "--dry-run")[2]
        place = re.search(r"^/etc/earlybind\.conf:[0-9]+", said, re.MULTILINE)
        if not place:
            self.differs("mistake", machine, f"apply --dry-run: {line_of(said)}")
            return
        for words, (_, out, err) in sorted(machine.said.items()):
            # Who asks for one part of check alone is not told of another one.
            if "--only" in words:
                continue
            self.counts["mistake"] += 1
            refused = [command for command in suggestions(out + err) if command.split()[0] in (*EDITS, "apply", "select")]
            if refused and place.group(0) not in out + err:
                self.differs("mistake", machine, f"{' '.join(words)}: suggests: earlybind {refused[0]}", line_of(said))

    def suggest(self, machine):
        for command, source in sorted(machine.suggested.items()):
            words = shlex.split(command)
            if words[0] not in EDITS + ("bind", "release", "cmdline") or len(words) == 1 or \
                    re.search(r"\b(DEVICE|GROUP)\b", command):
                continue
            self.counts["suggest"] += 1
            # A placeholder is no command: the device is known.
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
        self.planned = {planned["address"] for planned in plan.get("devices", [])
                        if planned["reason"] != "identity-mismatch"}
        self.plan_groups = {group["id"]: group["viable"] for group in plan.get("groups", [])}
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            commands = [("list", "-v"), ("plan",), ("check",), ("status",), ("import",), ("cmdline",), ("list",),
                        ("remove", "10ee:5000", "--dry-run")]
            commands += [("export", form) for form in FORMATS]
            for device in devices:
                address = device["address"]
                commands += [("add", address, "--dry-run"), ("check", address), ("explain", address),
                             ("check", address, "--only", "guards"), ("bind", address, "--dry-run")]
            list(pool.map(lambda command: machine.collect(*command), commands))
        self.selected = {}
        listed = re.sub(r"\n {8}", " ", machine.run("select", "--plain", "--dry-run")[1])
        for line in listed.splitlines():
            match = re.match(r" *[0-9]+ \[.\] ([0-9a-f:.]+) \[", line)
            if match:
                self.selected[match.group(1)] = line
        for device in devices:
            self.guards(machine, device)
            self.group(machine, device)
        self.boot(machine, plan)
        if "correct the configuration first" in machine.run("add", "1234:5678", "--dry-run")[2]:
            self.mistake(machine)
        else:
            self.suggest(machine)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--only")
    parser.add_argument("--lot", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("folders", nargs="+")
    args = parser.parse_args()
    files = [os.path.join(folder, name) for folder in args.folders
             for name in sorted(os.listdir(folder)) if name.endswith(".tree")]
    if args.only:
        files = [file for file in files if args.only in os.path.basename(file)]
    files += [f"lot-{args.seed + i}.tree" for i in range(args.lot)]
    end = time.monotonic() + args.seconds if args.seconds else None
    test = Test()
    count = 0
    with tempfile.TemporaryDirectory() as top:
        # Descriptions have ../../fixtures in them.
        os.symlink(os.path.join(HERE, "..", "fixtures"), os.path.join(top, "fixtures"))
        work = os.path.join(top, "companion", "trees")
        os.makedirs(work)
        for folder in [os.path.join(HERE, "trees"), *args.folders]:
            for name in os.listdir(folder):
                if name.endswith((".tree", ".inc")) and not os.path.exists(os.path.join(work, name)):
                    shutil.copy(os.path.join(folder, name), work)
        for file in files:
            if end and time.monotonic() > end:
                break
            name = os.path.basename(file)
            root = os.path.join(work, "machine")
            if name.startswith("lot-"):
                with open(os.path.join(work, name), "w", encoding="utf-8") as tree:
                    tree.write(draw_machine(random.Random(int(name[4:-5]))))
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
