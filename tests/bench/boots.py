"""What earlybind costs a whole boot: from the kernel's start to the first process of the real root.

Called by bench.py for --only boots. The images are made by update-initramfs as those of the lab's
cases are, and differ in earlybind only. The real root has one program, boot-init.c, and is a file
in memory: with the clock of instructions the time jumps while a disk is waited for.

A round boots every variant once; every other round does so in the opposite order. What is
compared are two boots of the same round. With the clock of instructions (bench.py: counting())
a boot does not depend on what else this machine does. What is left of chance is the kernel's
own: addresses and random numbers.
"""

import concurrent.futures
import lzma
import shutil
import struct

from interval import differences, interval
from machine import BUILD, MGMT, USER, EarlyPanic, LabError, Machine, cached, run

IDS = "vfio-pci.ids=10ee:5000,10ee:5001"

# Each variant: the configuration of its image, whether earlybind is in that, what is added to the
# kernel command line, and the drivers that the cards must have in the end.
NATIVE, VFIO = ("xclmgmt", "xocl"), ("vfio-pci", "vfio-pci")
VARIANTS = {
    "without": ("none", False, "", NATIVE),
    "no rule": ("none", True, "", NATIVE),
    "two cards": ("none", True, IDS, VFIO),
    "modprobe": ("boots", False, "", VFIO),
    "binder": ("boots", True, "", VFIO),
}

# What is compared, with earlybind and without it: by the clock of instructions, and by time.
COMPARED = {
    "counted": [("no rule", "without"), ("binder", "modprobe"), ("two cards", "without")],
    "two": [("no rule", "without"), ("binder", "modprobe")],
}

# How often a boot is begun again if the emulator crashed, or the kernel before it ran anything of
# the image: both is told, and happens once in some hundred boots without KVM.
AGAIN = 2


def smaller(machine):
    """The machine without what no boot here is about."""
    left = [line for line in machine.splitlines()
            if not any(word in line for word in ("rp2", "hda"))]
    return "\n".join(left).replace("-m 1536", "-m 512")


def make_root(program, folder):
    """A file system with one program, and the folders that an initramfs moves its mounts to."""
    tree = folder / "root"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("dev", "proc", "run", "sys", "etc"):
        (tree / name).mkdir(parents=True)
    shutil.copy(program, tree / "lab-init")
    disk = folder / "root.img"
    run(["mke2fs", "-q", "-t", "ext4", "-L", "lab", "-O", "^has_journal", "-d", str(tree),
         str(disk), "8M"], folder / "log")
    return disk


def read_channel(lines, what):
    """The lines of boot-init as pairs of a word and the rest."""
    if not lines or lines[-1] != "end":
        raise LabError(f"{what}: boot-init told nothing")
    pairs = [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]
    errors = [rest for word, rest in pairs if word == "error"]
    if errors:
        raise LabError(f"{what}: {'; '.join(errors[:5])}")
    return pairs


def with_unpacked_kernel(base, folder):
    """The same base, whose kernel QEMU starts as an ELF file, by its PVH note.

    To unpack it takes the emulator a third of a boot, and the kernel's clock does not run yet.
    """
    image = (base / "vmlinuz").read_bytes()
    # Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length
    at, length = struct.unpack_from("<II", image, 0x248)
    at += (image[0x1F1] + 1) * 512
    into = folder / "base"
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    for path in base.iterdir():
        (into / path.name).symlink_to(path)
    try:
        kernel = lzma.LZMADecompressor().decompress(image[at:at + length])
    except lzma.LZMAError:
        return into
    (into / "vmlinuz").unlink()
    (into / "vmlinuz").write_bytes(kernel)
    return into


def run_again(boot):
    """Calls boot(), which runs a machine; once more if that machine itself broke down."""
    for left in reversed(range(AGAIN + 1)):
        try:
            return boot()
        except LabError as error:
            is_crash = isinstance(error, EarlyPanic) or "ended with status -" in str(error)
            if left == 0 or not is_crash:
                raise
            print(f"  {error}; once more", flush=True)


def boot_once(options, name, place, machine, folder):
    """Boots one variant; gives the microseconds from the kernel's start to the real root.

    @place are the base, the image and the file of the real root.
    """
    _, _, cmdline, drivers = VARIANTS[name]
    base, image, root = place
    channel = run_again(lambda: Machine(folder, base).run(
        image, f"intel_iommu=on quiet root=/dev/loop0 init=/lab-init {cmdline}",
        f"{options.programs}/preinit", machine=machine, with_disk=False,
        insert=["loop.ko"], extra={"root.img": root}))
    pairs = read_channel(channel.read_text(errors="replace").splitlines(), f"boot {name}")
    found = dict(rest.split() for word, rest in pairs if word == "driver")
    if (found.get(MGMT), found.get(USER)) != drivers:
        raise LabError(f"boot {name}: the cards have {found.get(MGMT)} and {found.get(USER)}")
    return int(next(rest for word, rest in pairs if word == "boot"))


def boot_rounds(options, title, images, machine, jobs):
    """The times of all variants, one for each round."""
    work = BUILD / f"lab/boots-{title}"
    base = with_unpacked_kernel(cached("base.sh", options.suite), work.with_name("boots-base"))
    root = make_root(f"{options.programs}/boot-init", work)
    names = [name for name in VARIANTS if any(name in pair for pair in COMPARED[title])]
    order = [(number, name) for number in range(options.pairs)
             for name in names[::1 if number % 2 == 0 else -1]]
    times = {name: [None] * options.pairs for name in names}

    def one(number, name):
        folder = work / f"{name.replace(' ', '-')}-{number}"
        times[name][number] = boot_once(options, name, (base, images[name], root), machine,
                                        folder)
        shutil.rmtree(folder)
        print(f"  {title} {number + 1:>2} {name:<10}{times[name][number] / 1000:>10.1f} ms",
              flush=True)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        try:
            for done in [pool.submit(one, *which) for which in order]:
                done.result()
        finally:
            pool.shutdown(cancel_futures=True)
    return times


def make_images(options):
    """The folder with each variant's image."""
    return {
        name: cached("image.sh", options.suite, "initramfs-tools", config,
                     *([options.stage] if has_earlybind else []))
        for name, (config, has_earlybind, _, _) in VARIANTS.items()
    }


def measure(options, machines):
    """All boots: with the clock of instructions, which may run beside each other, and by time."""
    images = make_images(options)
    result = {"sizes": {name: (image / "initrd.img").stat().st_size
                        for name, image in images.items()}}
    for title, jobs in (("counted", 2), ("two", 1)):
        times = boot_rounds(options, title, images, smaller(machines[title]), jobs)
        result[title] = times
        for pair in COMPARED[title]:
            median, low, high = interval(differences(times, pair))
            print(f"  {title}: {pair[0]} - {pair[1]}: {median / 1000:.1f} ms "
                  f"({low / 1000:.1f} to {high / 1000:.1f})")
    return result
