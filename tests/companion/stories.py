#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Types the commands of the stories in docs/stories, and compares what they print.

usage: stories.py [-u] STORY...     -u writes output and figures anew

A story is a Markdown file. The lines of its ``` blocks that begin with "~# " are typed, in their
order, as root in a chroot of its own: a tree of mktree.py with the programs of this machine,
earlybind, and a stand-in for update-initramfs that makes images. Output follows, and "=> CODE" where
the exit code is not 0. Comments tell what nobody types:

  <!-- machine TREE -->     the machine from here on; /etc and /boot of the one before come along
  <!-- rules TEXT -->       a rule that it has from before; it has booted with it
  <!-- boot WORD... -->     words for the kernel command line of the boots from here on
  <!-- at the end ADDRESS DRIVER, ... -->
  <!-- figures: ... -->     commands and wrong turns: counted, and compared with "before"

A wrong turn is a command that was refused or not understood: exit code 1 or 2, and a message. Codes from
3 on are answers of "status".
A reboot is played: the binder of the image runs dry on the tree, and each device that it would bind gets
vfio-pci and the verdict "bound"; all others get their own drivers. Real boots are those of tests/lab.
Uses $EARLYBIND and $BINDER.
"""
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios

HERE = pathlib.Path(__file__).resolve().parent
EARLYBIND, BINDER = os.environ["EARLYBIND"], os.environ["BINDER"]
KERNEL = "6.1.0-18-amd64"
IMAGE = f"boot/initrd.img-{KERNEL}"
SECONDS_MAX = 120
PROMPT = "~# "
COMMENT = re.compile(r"<!-- (machine|rules|boot|at the end|figures:) ?(.*) -->")
ENTER = """mount --rbind / "$1/host" && mount --rbind /dev "$1/dev" && mount -t tmpfs none "$1/tmp" &&
cd "$1" && exec chroot . env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 sh -c "$2" """
GENERATOR = f"""#!/bin/sh
set -e
echo "update-initramfs: Generating /boot/initrd.img-$3"
earlybind embed --output /stand-in/binder >/dev/null
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 /host{HERE}/make_image.py initramfs-tools /stand-in/binder "/boot/initrd.img-$3" "$3"
"""


def link_all(root, folder):
    """What this machine has in a folder, as links to it."""
    (root / folder).mkdir(parents=True, exist_ok=True)
    for entry in pathlib.Path("/", folder).iterdir():
        if not os.path.lexists(root / folder / entry.name):
            (root / folder / entry.name).symlink_to(f"/host/{folder}/{entry.name}")


class Machine:
    def __init__(self, root, tree, before=None):
        self.root, self.words = root, []
        subprocess.run([HERE / "mktree.py", HERE / f"trees/{tree}.tree", root], check=True)
        for folder in ("host", "dev", "tmp", "stand-in", "boot", "usr/lib/earlybind", "usr/sbin"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / f"lib/modules/{KERNEL}").mkdir(parents=True, exist_ok=True)
        shutil.copy(EARLYBIND, self.place("usr/bin/earlybind"))
        shutil.copy(BINDER, root / "usr/lib/earlybind/binder")
        self.write("usr/sbin/update-initramfs", GENERATOR).chmod(0o755)
        for folder in ("usr/bin", "usr/lib", "usr/lib64"):
            if pathlib.Path("/", folder).is_dir():
                link_all(root, folder)
        for folder in ("bin", "lib64"):
            if not os.path.lexists(root / folder):
                (root / folder).symlink_to(f"/host/{folder}")
        link_all(root, "lib")
        # No rules but those of the story.
        for name in ("etc/earlybind.conf", "etc/earlybind.conf.d", "etc/modprobe.d"):
            path = root / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        self.cmdline = re.sub(r" vfio-pci\.ids=\S+", "", (root / "proc/cmdline").read_text().strip())
        self.native = {d.name: self.driver(d.name) for d in (root / "sys/bus/pci/devices").iterdir()}
        if before:
            for folder in ("etc", "boot", "stand-in"):
                shutil.copytree(before.root / folder, root / folder, dirs_exist_ok=True)
        else:
            self.write("etc/default/grub", 'GRUB_CMDLINE_LINUX="quiet intel_iommu=on"\n')
            self.write("boot/grub/grub.cfg", "")
            (root / "etc/grub.d").mkdir()
            self.place("usr/sbin/update-grub").symlink_to("/host/usr/bin/true")
            self.make_image()
        self.boot()

    def make_image(self):
        code, _, errors = self.run(f"/usr/sbin/update-initramfs -u -k {KERNEL}")
        if code:
            sys.exit(f"no image could be made: {errors}")

    def place(self, name):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, name, text):
        path = self.place(name)
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def link(self, address):
        return self.root / "sys/bus/pci/devices" / address / "driver"

    def driver(self, address):
        link = self.link(address)
        return os.path.basename(os.readlink(link)) if link.is_symlink() else None

    def set_driver(self, address, name):
        link = self.link(address)
        if link.is_symlink():
            link.unlink()
        (link.parent / "driver_override").write_text("vfio-pci\n" if name == "vfio-pci" else "(null)\n")
        if name:
            drivers = self.root / "sys/bus/pci/drivers" / name
            drivers.mkdir(parents=True, exist_ok=True)
            link.symlink_to(os.path.relpath(drivers, link.parent.resolve()))

    def run(self, command):
        """The exit code, what a terminal of 80 columns shows, and the errors."""
        shown, (terminal, side) = b"", pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
            with subprocess.Popen(["timeout", str(SECONDS_MAX), "unshare", "--user", "--map-root-user", "--mount",
                                   "sh", "-c", ENTER, "-", self.root, command],
                                  stdin=subprocess.DEVNULL, stdout=side, stderr=errors) as child:
                os.close(side)
                with contextlib.suppress(OSError):  # the other side is gone
                    while data := os.read(terminal, 65536):
                        shown += data
                os.close(terminal)
            errors.seek(0)
            # What a line has before "\r" is overwritten.
            text = re.sub(r"[^\n]*\r", "", shown.decode().replace("\r\n", "\n"))
            return child.returncode, text, errors.read()

    def boot(self):
        """The next one, with the binder of the image."""
        for address, name in self.native.items():
            self.set_driver(address, name)
        shutil.rmtree(self.root / "run/earlybind", ignore_errors=True)
        self.write("proc/cmdline", " ".join([self.cmdline, *self.words]) + "\n")
        said = subprocess.run([self.root / "stand-in/binder", "--sysroot", self.root], capture_output=True,
                              timeout=SECONDS_MAX, check=False).stdout
        if not said:
            return
        report = json.loads(said)
        report["dry_run"] = False
        for device in report["devices"]:
            if device["action"] in ("bind", "recover"):
                device.update(verdict="bound", after=device["wanted"], microseconds=12345)
                self.set_driver(device["address"], device["wanted"])
            elif device["action"] == "refuse":
                device["verdict"] = "refused"
        report["all_bound"] = all(d["verdict"] == "bound" for d in report["devices"] if d["action"] != "keep")
        self.write("run/earlybind/report.json", json.dumps(report))


class Story:
    def __init__(self, path, work):
        self.path, self.work = path, work
        self.machine = None
        self.commands = self.wrong = 0
        self.failures, self.lines = [], []

    def type(self, line):
        self.commands += 1
        self.lines.append(line)
        command = line.removeprefix(PROMPT)
        if command == "reboot":
            self.machine.boot()
            return
        code, shown, errors = self.machine.run(command)
        self.wrong += code in (1, 2) and bool(errors.strip())
        said = re.sub(r"in \d+ s\b", "in N s", shown + errors)
        # The image's size, which is that of the binder in it: only if it is right.
        image = self.machine.root / IMAGE
        if image.exists():
            said = re.sub(rf"\b{image.stat().st_size} bytes", "N bytes", said)
        self.lines += said.splitlines()
        if code:
            self.lines.append(f"=> {code}")

    def figures(self, text):
        before = text.partition("before: ")[2]
        commands, wrong = before.split("/")
        if self.wrong > 0 or self.commands > int(commands):
            self.failures.append(f"{self.commands} commands, {self.wrong} wrong turns; before: {before}")
        return (f"<!-- figures: before: {before} -->\n\n"
                f"{self.commands} commands, {self.wrong} wrong turns; in an earlier version {commands} commands"
                + (f", {wrong} wrong turns." if wrong.isdigit() else "."))

    def obey(self, what, text):
        """A comment; what follows it in the file."""
        if what == "machine":
            root = self.work / f"{self.path.stem}-{text}"
            self.machine = Machine(root, text, self.machine)
        elif what == "rules":
            self.machine.write("etc/earlybind.conf", text + "\n")
            self.machine.make_image()
            self.machine.boot()
        elif what == "boot":
            self.machine.words = text.split()
        elif what == "at the end":
            for pair in text.split(", "):
                address, driver = pair.split()
                has = self.machine.driver(f"0000:{address}")
                if has != driver:
                    self.failures.append(f"{address} has the driver {has}, not {driver}")

    def tell(self):
        is_block, skips = False, 0
        for line in self.path.read_text(encoding="utf-8").splitlines():
            comment = COMMENT.fullmatch(line)
            if line.startswith("```"):
                is_block = not is_block
            elif is_block:
                if line.startswith(PROMPT):
                    self.type(line)
                continue
            elif comment and comment[1] == "figures:":
                self.lines.append(self.figures(comment[2]))
                skips = 2
                continue
            elif comment:
                self.obey(*comment.groups())
            elif skips:
                skips -= 1
                continue
            self.lines.append(line)
        return "\n".join(self.lines) + "\n"


def main():
    names = sys.argv[1:]
    is_update = names[:1] == ["-u"]
    failures = 0
    for name in names[is_update:]:
        path = pathlib.Path(name).resolve()
        with tempfile.TemporaryDirectory() as work:
            story = Story(path, pathlib.Path(work))
            text = story.tell()
        if is_update:
            path.write_text(text, encoding="utf-8")
        elif text != path.read_text(encoding="utf-8"):
            new = subprocess.run(["diff", "-u", path, "-"], input=text, capture_output=True, encoding="utf-8",
                                 check=False).stdout
            story.failures.append(f"it is not what was recorded:\n{new}")
        for failure in story.failures:
            print(f"{path.name}: {failure}")
        failures += len(story.failures)
        print(f"{path.name}: {story.commands} commands, {story.wrong} wrong turns")
    sys.exit(failures > 0)


main()
