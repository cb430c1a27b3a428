"""The lab's machine: its QEMU command line, its image and disk, one boot with a time limit.

The Alveo machine of the design: an accelerator card at 01:00 behind root port 00:01.0, a
graphics card at 02:00 behind 00:01.1, no ACS, so that all six functions are in one group.
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time

LAB = pathlib.Path(__file__).resolve().parent
TOP = LAB.parent.parent
BUILD = TOP / os.environ.get("BUILD", "build")

os.environ["PATH"] += ":/usr/sbin:/sbin"  # mke2fs and debugfs, for ordinary users

# Hard limit of one boot, in seconds. A boot takes 30 to 60; the rest is for busy machines.
BOOT_LIMIT = 420

MGMT = "0000:01:00.0"
USER = "0000:01:00.1"
GPU = "0000:02:00.0"
GPU_AUDIO = "0000:02:00.1"
PORTS = ["0000:00:01.0", "0000:00:01.1"]

# address=vendor:device:class:subvendor:subdevice, the parameter of lab_identity.ko
IDENTITY = f"{MGMT}=10ee:5000:120000:10ee:000e,{USER}=10ee:5001:120000:10ee:000e"

# no_timer_check: a busy machine emulates the timer too slowly for the kernel's test of it.
BASE_CMDLINE = "console=ttyS0 panic=-1 root=LABEL=lab ro rdinit=/lab/preinit no_timer_check"

# What the cases do not need is off: every device and every feature of the processor is a
# module that coldplug loads, at emulated speed.
MACHINE = """
    -M q35,kernel-irqchip=split,sata=off,smbus=off,i8042=off,vmport=off -accel tcg,thread=multi -cpu qemu64,-svm -smp 2 -m 1536
    -nodefaults -display none -monitor none -no-reboot
    -device intel-iommu,intremap=on
    -device pcie-root-port,id=rp1,chassis=1,slot=1,addr=1.0,multifunction=on,disable-acs=on
    -device pcie-root-port,id=rp2,chassis=2,slot=2,addr=1.1,disable-acs=on
    -device e1000e,bus=rp1,addr=0.0,multifunction=on,romfile=
    -device e1000e,bus=rp1,addr=0.1,romfile=
    -device bochs-display,bus=rp2,addr=0.0,multifunction=on
    -device ich9-intel-hda,bus=rp2,addr=0.1
"""


def cards(*numbers):
    """QEMU's arguments for further cards: number N is at N:00.0, behind root port 00:N.0."""
    return " ".join(
        f"-device pcie-root-port,id=rp{n},chassis={n},slot={n},addr={n}.0"
        f" -device e1000e,bus=rp{n},romfile="
        for n in numbers
    )


def vm_host(suite):
    """QEMU's arguments for the disk with QEMU and libvirt: what is written to it is thrown away.

    The processor has SVM, which TCG emulates: a VM in the machine runs by KVM, three times as fast
    as by TCG.
    """
    disk = cached("vmhost.sh", suite) / "vmhost.img"
    drive = f"file={disk},format=raw,if=none,id=vmhost,snapshot=on"
    disk = ["-drive", drive, "-device", "nvme,serial=vmhost,drive=vmhost"]
    return ["-cpu", "qemu64,+svm,+npt", *disk]


# Slots with the names that their root ports have (slot=N of cards()): QEMU leaves hot plugging to
# the kernel's pciehp. Else acpiphp names them after QEMU's ACPI tables: 0, 0-2, 0-3, by their order.
NAMED_SLOTS = " -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"


# What a guest says on its console when it wants the devices of a case to be plugged in, and
# when all that it has to tell is on the channel.
READY = b"lab: ready for devices"
SENT = b"lab: all is sent"

# How often a boot is begun again whose kernel panicked before it ran anything of the image. QEMU
# without KVM now and then runs a kernel's code while that is being patched ("Oops: int3").
EARLY_PANICS = 2


class LabError(Exception):
    """The lab itself could not do its work; the text says what."""


class EarlyPanic(LabError):
    """The kernel panicked before /init: nothing of ours has run."""


def run(command, log, **kwargs):
    """Runs a command of the lab's own; its output goes to the file `log`."""
    with open(log, "ab") as out:
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False, **kwargs
        )
    if result.returncode != 0:
        raise LabError(f"{command[0]} failed with status {result.returncode} (see {log})")


def cached(script, *arguments):
    """Asks base.sh or image.sh for a folder of the cache; they say on stderr what they do."""
    result = subprocess.run(
        [str(LAB / script), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
        text=True,
    )
    if result.returncode != 0:
        raise LabError(f"{script} {' '.join(arguments)} failed")
    return pathlib.Path(result.stdout.split()[-1])


def find_module(base, name):
    """The file of a module: the lab's, or the kernel's own."""
    own = base / "modules" / name
    if own.exists():
        return own
    found = next((base / "tree/lib/modules").rglob(name), None)
    if not found:
        raise LabError(f"there is no module {name}")
    return found


def append_lab_segment(image, base, preinit, extra, insert, identities, into, log):
    """Writes `into`: the image, NULs up to a multiple of 4, and the lab's own cpio archive.

    At least four: they end an image compressed by lz4 (lib/decompress_unlz4.c: unlz4()).

    The image stays what its generator made. `extra` maps names in /lab to files; `insert`
    are lines for preinit: the lab's modules that are loaded before /init, after the card got
    its identity. `identities` are those of further functions.
    """
    tree = into.parent / "segment"
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "lab").mkdir(parents=True)
    shutil.copy(preinit, tree / "lab/preinit")
    insert = [f"lab_identity.ko map={','.join([IDENTITY, *identities])}", *insert]
    (tree / "lab/insert").write_text("\n".join(insert) + "\n")
    for name in {line.split()[0] for line in insert}:
        shutil.copy(find_module(base, name), tree / "lab")
    for name, source in extra.items():
        shutil.copy(source, tree / "lab" / name)
    names = "\n".join(["lab"] + sorted(f"lab/{p.name}" for p in (tree / "lab").iterdir()))
    with open(log, "ab") as err:
        segment = subprocess.run(
            ["cpio", "-o", "-H", "newc", "--quiet", "-R", "0:0"],
            cwd=tree,
            input=names.encode(),
            stdout=subprocess.PIPE,
            stderr=err,
            check=True,
        ).stdout
    shutil.rmtree(tree)
    with open(into, "wb") as out:
        with open(image, "rb") as source:
            shutil.copyfileobj(source, out)
        out.write(b"\0" * (4 + -out.tell() % 4))
        out.write(segment)


def make_disk(base, files, into, log):
    """Copies the suite's disk and writes the files of the configuration onto it.

    The booted system must hold what the image was made from. debugfs needs neither root
    nor a mount; as it always exits with 0, what it wrote is read back and compared.
    """
    run(["cp", "--sparse=always", "--reflink=auto", str(base / "disk.img"), str(into)], log)
    into.chmod(0o644)
    commands = []
    readback = into.parent / "readback"
    regular = []
    for path in sorted(files.rglob("*")):
        name = "/" + str(path.relative_to(files))
        if path.is_symlink():
            commands += [f'rm "{name}"', f'symlink "{name}" "{os.readlink(path)}"']
        elif path.is_dir():
            commands.append(f'mkdir "{name}"')
        else:
            regular.append((path, name))
            commands += [f'rm "{name}"', f'write "{path}" "{name}"']
    if not commands:
        return
    shutil.rmtree(readback, ignore_errors=True)
    readback.mkdir()
    dumps = [f'dump "{name}" "{readback}/{i}"' for i, (_, name) in enumerate(regular)]
    script = into.parent / "debugfs.commands"
    script.write_text("\n".join(commands + dumps) + "\n")
    run(["debugfs", "-w", "-f", str(script), str(into)], log)
    for i, (path, name) in enumerate(regular):
        copy = readback / str(i)
        if not copy.exists() or copy.read_bytes() != path.read_bytes():
            raise LabError(f"could not write {name} to the disk (see {log})")
    shutil.rmtree(readback)
    script.unlink()


def put_image(image, version, disk, log):
    """Writes the kernel's image to a disk, where the guest expects it."""
    name = f"/boot/initrd.img-{version}"
    commands = disk.parent / "debugfs.commands"
    commands.write_text(f'rm "{name}"\nwrite "{image}" "{name}"\n')
    run(["debugfs", "-w", "-f", str(commands), str(disk)], log)
    commands.unlink()


def take_image(disk, into, log):
    """Copies the kernel's image from a disk that a guest has run with, as a boot loader does.

    The guest was switched off without an unmount. Status 1 of e2fsck: it mended something.
    """
    run(["sh", "-c", 'e2fsck -fp "$1" || [ $? -le 2 ]', "e2fsck", str(disk)], log)
    ls = ["debugfs", "-R", "ls -p /boot", str(disk)]
    names = subprocess.run(ls, capture_output=True, text=True, check=True).stdout
    name = re.search(r"/(initrd\.img-[^/]+)/", names)
    if not name:
        raise LabError("the disk has no image in /boot")
    run(["debugfs", "-R", f'dump "/boot/{name[1]}" "{into}"', str(disk)], log)
    if not into.exists() or into.stat().st_size == 0:
        raise LabError(f"could not read {name[1]} from the disk (see {log})")


class Machine:
    """One machine, in a folder of its own, with all that a later look needs:

    console.log (kernel and systemd), lab.log (preparations), qemu.cmd, channel and facts/
    (what the guest sent, as it came and unpacked).
    """

    def __init__(self, folder, base):
        self.folder = folder
        self.base = base
        self.log = folder / "lab.log"
        self.console = folder / "console.log"
        self.process = None
        self.keyboard = self.guest_end = None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def boot(self, image, cmdline, preinit, **more):
        """Boots into the real root and unpacks what the guest collected there."""
        for left in reversed(range(EARLY_PANICS + 1)):
            try:
                channel = self.run(image, cmdline, preinit, **more)
                break
            except EarlyPanic as panic:
                if left == 0:
                    raise
                print(f"lab: {self.folder}: {panic}; once more", file=sys.stderr, flush=True)
                self.console.rename(self.folder / f"console-panic-{left}.log")
        self._unpack(channel)

    def run(
        self,
        image,
        cmdline,
        preinit,
        devices=(),
        limit=BOOT_LIMIT,
        with_disk=True,
        extra=None,
        insert=(),
        identities=(),
        plug=(),
        machine=MACHINE,
        disk=None,
        typed=(),
    ):
        """Runs the machine until it has told all or goes off; gives the file that its second
        port wrote.

        Raises LabError if that took longer than `limit` seconds. `extra` maps names in /lab
        to files; `insert` are modules to load before /init; `identities` are further entries for lab_identity.ko; `plug` are arguments of QMP's
        device_add for devices that are plugged in when the guest is ready for them. `disk` is
        a file that the disk stays in, and comes from if it is there. `typed` are pairs of a
        pattern to wait for on the console and a line to type then.
        """
        initrd = self.folder / "initrd.img"
        drive = disk or self.folder / "disk.img"
        channel = self.folder / "channel"
        append_lab_segment(
            image / "initrd.img",
            self.base,
            preinit,
            extra or {},
            insert,
            identities,
            initrd,
            self.log,
        )
        # `timeout` as well as our own limit: it still holds when this program is killed.
        command = ["timeout", "--kill-after=5", str(limit + 10), "qemu-system-x86_64"]
        command += shlex.split(machine) + [d.replace("{initrd}", str(initrd)) for d in devices]
        if with_disk:
            if not drive.exists():
                make_disk(self.base, image / "files", drive, self.log)
            command += ["-drive", f"file={drive},format=raw,if=none,id=d0,cache=unsafe"]
            command += ["-device", "nvme,serial=lab,drive=d0"]
        command += self._console(typed) + ["-serial", f"file:{channel}"]
        command += ["-kernel", str(self.base / "vmlinuz"), "-initrd", str(initrd)]
        command += ["-append", f"{BASE_CMDLINE} {cmdline}"]
        if plug:
            command += ["-chardev", "stdio,id=qmp", "-mon", "chardev=qmp,mode=control"]
        (self.folder / "qemu.cmd").write_text(shlex.join(command) + "\n")
        try:
            self._run(command, limit, plug, typed)
        finally:
            initrd.unlink()
            if not disk:
                drive.unlink(missing_ok=True)
        return channel

    def _console(self, typed):
        """QEMU's options of the first serial port: a file, or also a socket to type into."""
        if not typed:
            return ["-serial", f"file:{self.console}"]
        self.keyboard, self.guest_end = socket.socketpair()
        chardev = f"socket,id=console,fd={self.guest_end.fileno()},logfile={self.console}"
        return ["-chardev", chardev, "-serial", "chardev:console"]

    def _type(self, typed):
        """Types each line once its text is there; what comes out is read, or QEMU waits."""
        said = b""
        typed = list(typed)
        with self.keyboard as keyboard:
            while part := keyboard.recv(4096):
                said += part
                while typed and (match := re.search(typed[0][0].encode(), said)):
                    said = said[match.end() :]
                    # A shell that has just printed its prompt may yet flush its input.
                    time.sleep(1)
                    keyboard.sendall(typed.pop(0)[1].encode() + b"\n")

    def _run(self, command, limit, plug, typed):
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if plug else subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                pass_fds=[self.guest_end.fileno()] if typed else [],
            )
            if typed:
                self.guest_end.close()
                threading.Thread(target=self._type, args=(typed,), daemon=True).start()
            end = time.monotonic() + limit
            try:
                if plug:
                    self._plug(plug, end)
                has_told = self._wait_for(SENT, end)
                if not has_told and self.is_running():
                    raise LabError(f"no end within {limit} s; QEMU was killed")
            finally:
                self.stop()
        # Not every machine goes off: the kernel's shutdown waits for a driver that hangs.
        if not has_told and self.process.returncode != 0:
            raise LabError(f"QEMU ended with status {self.process.returncode} (see {self.log})")
        said = self._said()
        if b"Kernel panic" in said and b"as init process" not in said:
            raise EarlyPanic("the kernel panicked before it ran anything of the image")

    def _said(self):
        """What the guest said on its console."""
        return self.console.read_bytes() if self.console.exists() else b""

    def _wait_for(self, words, end):
        """Waits for words on the console; False if the machine went off or time is up."""
        while self.is_running() and time.monotonic() < end:
            if words in self._said():
                return True
            time.sleep(0.25)
        return words in self._said()

    def _plug(self, devices, end):
        """Plugs the devices in once the guest is ready; QMP's answers are in lab.log."""
        if not self._wait_for(READY, end):
            raise LabError("the guest was never ready for devices")
        commands = [{"execute": "qmp_capabilities"}]
        commands += [{"execute": "device_add", "arguments": d} for d in devices]
        for command in commands:
            self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()

    def is_running(self):
        """Whether QEMU runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """Ends QEMU if it still runs."""
        if self.is_running():
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def milestone(self):
        """The last line on the console that a person can read, for progress only."""
        if not self.process or not self.console.exists():
            return "preparing"
        text = self.console.read_bytes()[-4096:].decode(errors="replace")
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
        lines = [re.sub(r"^\[[ 0-9.]+\] ", "", line).strip() for line in text.splitlines()]
        return next((line for line in reversed(lines[:-1]) if line), "starting")

    def _unpack(self, channel):
        if not channel.exists() or channel.stat().st_size == 0:
            raise LabError("the machine went off without a word on its result channel")
        try:
            with tarfile.open(channel, "r:gz") as archive:
                archive.extractall(self.folder)
        except (tarfile.TarError, EOFError, OSError) as error:
            raise LabError(f"the result channel broke off: {error}") from None
        complete = self.folder / "complete"
        if not complete.exists():
            raise LabError("the result channel has no end mark")
        complete.unlink()
