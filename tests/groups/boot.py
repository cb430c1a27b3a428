"""One boot of a machine: a kernel, an initramfs of two programs, no root file system."""

import os
import subprocess
import time

# A boot takes about 8 s; the rest is for busy machines.
SECONDS = 240
COMMAND_LINE = ("console=ttyS0 intel_iommu=on quiet loglevel=4 no_timer_check panic=-1 "
                "random.trust_cpu=on")


class BootError(Exception):
    pass


def make_image(path, files):
    """An initramfs (newc): name, mode, bytes."""
    with open(path, "wb") as image:
        for at, (name, mode, data) in enumerate(files + [("TRAILER!!!", 0, b"")]):
            raw = name.encode() + b"\0"
            fields = (at + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0)
            head = b"070701" + b"".join(b"%08X" % field for field in fields)
            for part in (head + raw, data):
                image.write(part + bytes(-len(part) % 4))


def boot(folder, machine, kernel, image):
    """Boots it; what the guest has sent is then in the folder. Gives the seconds."""
    os.makedirs(folder, exist_ok=True)
    channel = f"{folder}/channel"
    command = ["qemu-system-x86_64", "-M", "q35,kernel-irqchip=split", "-accel", "tcg",
               "-cpu", "qemu64", "-m", "512", "-nodefaults", "-display", "none", "-no-reboot",
               "-serial", f"file:{folder}/console.log", "-serial", f"file:{channel}",
               "-kernel", kernel, "-initrd", image,
               "-append", f"{COMMAND_LINE} {machine.words}".strip(),
               "-device", "intel-iommu"] + machine.qemu()
    begin = time.monotonic()
    with open(f"{folder}/qemu.log", "wb") as log:
        log.write((" ".join(command) + "\n").encode())
        log.flush()
        try:
            code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                  timeout=SECONDS, check=False).returncode
        except subprocess.TimeoutExpired:
            raise BootError(f"no end within {SECONDS} s") from None
    if code != 0:
        with open(f"{folder}/qemu.log", encoding="utf-8", errors="replace") as log:
            raise BootError(f"QEMU ended with {code}: {log.read().splitlines()[-1]}")
    unpack(folder, channel)
    return time.monotonic() - begin


def unpack(folder, channel):
    with open(channel, "rb") as file:
        while True:
            head = file.readline()
            if head == b"END\n":
                return
            words = head.split()
            if len(words) != 3 or words[0] != b"FILE":
                raise BootError("the machine went off before it had told all")
            with open(f"{folder}/{os.path.basename(words[1].decode())}", "wb") as to:
                to.write(file.read(int(words[2])))
