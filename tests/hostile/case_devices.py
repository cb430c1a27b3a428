# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices whose attributes lie, vanish or block, names that are none, and very many of them."""
import os
import time

from machine import DONE, FREE, RULES, TIMES, Failure, case_list

CASES, case = case_list()
OTHER = "0000:03:00.0"
GOOD = b"pci:v000010EEd00005000sv00000000sd00000000bc12sc00i00"


def with_other(m, driver=None, rule="8086:1572"):
    """A third device that a rule names: the one that means harm."""
    m.add(OTHER, "8086:1572", 3, driver)
    m.write("proc/cmdline", f"{RULES} rd.earlybind.bind={rule} {TIMES}\n")
    return m.place(OTHER)


def unreadable(name, spoil, **expected):
    """The modalias of a function, in many ways: the others are bound, and it is said."""
    @case(f"modalias {name}")
    def _(m):
        place = with_other(m)
        spoil(m, f"{place}/modalias")
        m.run(code=1, **{"says": ["1 PCI functions could not be read"], **expected})


unreadable("is gone", lambda m, path: m.remove(path), says=["no such device is present"])
unreadable("is a directory", lambda m, path: m.folder(path))
unreadable("is empty", lambda m, path: m.write(path, ""))
unreadable("is 1 MiB long", lambda m, path: m.write(path, GOOD * 20000))
unreadable("is all NULs", lambda m, path: m.write(path, bytes(60)))
unreadable("has a NUL behind it", lambda m, path: m.write(path, GOOD + b"\0"))
unreadable("is another bus's", lambda m, path: m.write(path, "usb:v1D6Bp0002\n"))
unreadable("is a FIFO", lambda m, path: m.fifo(path))
unreadable("is a circle of links", lambda m, path: m.link(path, "modalias"))
unreadable("is binary", lambda m, path: m.write(path, bytes(range(256))))


@case("modalias without a line end")
def _(m):
    m.write(f"{m.place(FREE)}/modalias", GOOD)
    m.run()


@case("a FIFO that somebody holds open instead of modalias")
def _(m):
    place = with_other(m)
    m.fifo(f"{place}/modalias")
    fd = os.open(m.path(f"{place}/modalias"), os.O_RDWR | os.O_NONBLOCK)
    m.run(code=1, says=["1 PCI functions could not be read"])
    os.close(fd)


@case("a driver that is no link")
def _(m):
    place = with_other(m)
    m.folder(f"{place}/driver")
    m.run(code=1, says=["1 PCI functions could not be read"])


@case("a driver whose link leads nowhere")
def _(m):
    place = with_other(m)
    m.link(f"{place}/driver", "../../../bus/pci/drivers/gone")
    m.run(code=1, says=["is held by gone", f"{OTHER} [8086:1572] not bound",
                        "its driver could not be unbound: no such file"])


@case("a driver with an endless name")
def _(m):
    place = with_other(m)
    m.link(f"{place}/driver", "../drivers/" + "d" * 250)
    m.run(code=1, says=["1 PCI functions could not be read"])


@case("a driver's link of 4,095 bytes")
def _(m):
    place = with_other(m)
    m.link(f"{place}/driver", ("../" * 1365)[:4090] + "/nvme"[:5])
    m.run(code=1)


@case("a driver with an empty name")
def _(m):
    place = with_other(m)
    m.link(f"{place}/driver", "../../drivers/")
    m.run(code=1)


@case("a driver named ..")
def _(m):
    place = with_other(m)
    m.link(f"{place}/driver", "../..")
    m.run(code=1)


@case("a device that is a link in a circle")
def _(m):
    with_other(m)
    m.link(f"sys/bus/pci/devices/{OTHER}", OTHER)
    m.run(code=1, says=["1 PCI functions could not be read"])


@case("a device that leads to another one")
def _(m):
    with_other(m)
    m.link(f"sys/bus/pci/devices/{OTHER}", DONE)
    m.run(code=1)


@case("a device whose link dangles")
def _(m):
    with_other(m)
    m.link(f"sys/bus/pci/devices/{OTHER}", "../../../devices/gone")
    m.run(code=1, says=["no such device is present"])


@case("groups that are no numbers")
def _(m):
    for number, group in enumerate(("x", "-1", "99999999999999999999", "0x10", "1 ")):
        address = f"0000:04:00.{number}"
        m.add(address, "1234:5678", 4, "vfio-pci")
        m.link(f"{m.place(address)}/iommu_group", f"../../../kernel/iommu_groups/{group}")
    m.write("proc/cmdline", f"{RULES} rd.earlybind.bind=1234:5678 {TIMES}\n")
    m.run(code=0)


@case("a group whose members are not there")
def _(m):
    for number in range(200):
        m.link(f"sys/kernel/iommu_groups/1/devices/0000:{number:02x}:1f.7", "/nowhere")
    m.fifo("sys/kernel/iommu_groups/1/devices/0000:ff:1f.6")
    m.run(code=0)


@case("numbers that are none")
def _(m):
    place = with_other(m, "vfio-pci")
    m.write(f"{place}/modalias", GOOD.replace(b"10EE", b"8086").replace(b"5000", b"1572")
            .replace(b"bc12", b"bc03"))
    m.write(f"{place}/boot_vga", "9" * 40)
    m.write(f"{place}/sriov_numvfs", "99999999999999999999999\n")
    m.fifo(f"{place}/secondary_bus_number")
    m.run(code=0)


@case("driver_override blocks for ever")
def _(m):
    place = with_other(m)
    m.fifo(f"{place}/driver_override")
    m.run(code=1, bound=[DONE, FREE], says=[
        f"{OTHER} [8086:1572] stuck: the kernel did not come back from driver_override"])


@case("driver_override is gone")
def _(m):
    place = with_other(m)
    m.remove(f"{place}/driver_override")
    m.run(code=1, says=[f"{OTHER} [8086:1572] not bound"])


@case("driver_override is a directory")
def _(m):
    place = with_other(m)
    m.folder(f"{place}/driver_override")
    m.run(code=1, says=["the kernel did not take driver_override: it is a directory"])


@case("a bind that blocks for ever")
def _(m):
    m.fifo("sys/bus/pci/drivers/vfio-pci/bind")
    with_other(m)
    m.run(code=1, says=[f"{OTHER} [8086:1572] stuck: the kernel did not come back from bind"])


@case("a bind that says yes and does nothing")
def _(m):
    with_other(m)
    m.run(code=1, says=[f"{OTHER} [8086:1572] not bound", "vfio-pci refused it"])


@case("no bind in the folder of the driver")
def _(m):
    with_other(m)
    m.remove("sys/bus/pci/drivers/vfio-pci/bind")
    m.run(code=1, says=["vfio-pci refused it: no such file"])


@case("an unbind that blocks for ever")
def _(m):
    with_other(m, "ice")
    m.fifo("sys/bus/pci/drivers/ice/unbind")
    m.run(code=1, says=["is held by ice: unbinding it, at most 2 s",
                        "stuck (ice): the kernel did not come back from unbind"])


@case("an unbind that says yes and does nothing")
def _(m):
    with_other(m, "ice")
    m.run(code=1, says=["the driver ice took it in the meantime and holds it"])


@case("a driver without unbind")
def _(m):
    with_other(m, "ice")
    m.remove("sys/bus/pci/drivers/ice/unbind")
    m.run(code=1, says=["its driver could not be unbound: no such file"])


@case("config space that blocks for ever")
def _(m):
    place = with_other(m, rule="serial=00-11-22-33-44-55-66-77")
    m.fifo(f"{place}/config")
    m.run(code=1)


@case("config space that is too short, all ones, a circle")
def _(m):
    capability = b"\x03\x00\x01\x10" + bytes(8)
    for number, content in enumerate((b"\xff" * 4096, bytes(256) + capability, bytes(4096),
                                      bytes(256) + b"\x01\x00\x01\x10" + bytes(3836))):
        address = f"0000:04:00.{number}"
        m.add(address, "1234:5678", 4)
        m.write(f"{m.place(address)}/config", content)
    m.write("proc/cmdline",
            f"{RULES} rd.earlybind.bind=serial=00-11-22-33-44-55-66-77;optional {TIMES}\n")
    m.run(code=0)


@case("names that are no addresses")
def _(m):
    for name in ("foo", "0000:01:00.8", "0000:1:00.0", "0000:01:20.0", "00000:01:00.0", "x" * 255,
                 "0000:01:00.0 ", "0000:01:00.0\n", "100000000:01:00.0", "%s%n", "\xff\xfe"):
        m.link(f"sys/bus/pci/devices/{name}", f"../../../../{m.place(DONE)}")
    m.run()


@case("domains of more than 16 bits")
def _(m):
    wide = ("10000:01:00.0", "7fffffff:02:00.0", "ffffffff:ff:1f.7")
    for address in wide:
        m.add(address, "1234:5678", 4, "vfio-pci")
    m.write("proc/cmdline", f"{RULES} rd.earlybind.bind=1234:5678 "
                            f"rd.earlybind.bind=7fffffff:02:00.0 {TIMES}\n")
    m.run(bound=(FREE, DONE, *wide))


def add_many(m, count):
    """As few files as there may be: most of them are read at most once."""
    for number in range(count):
        address = f"{number >> 16:04x}:{number >> 8 & 255:02x}:{number >> 3 & 31:02x}.{number & 7}"
        place = m.path(m.place(address))
        if os.path.exists(place):
            continue
        os.makedirs(place)
        with open(f"{place}/modalias", "w", encoding="ascii") as out:
            out.write("pci:v00001AF4d00001041sv00000000sd00000000bc02sc00i00\n")
        os.symlink(f"../../../../{m.place(address)}",
                   m.path(f"sys/bus/pci/devices/{address}"))


def measure(m, name, bound=(FREE, DONE), **expected):
    started = time.monotonic()
    child = m.start()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - started
    m.finish(child)
    m.check(child.returncode, expected["code"], expected["says"], bound)
    print(f"MEASURED {name}: {seconds * 1000:.0f} ms, {usage.ru_maxrss} KiB", flush=True)
    if seconds > 120 or usage.ru_maxrss > 128 * 1024:
        raise Failure(f"{seconds} s, {usage.ru_maxrss} KiB")


@case("65,536 functions, two of them named, then all, then too many")
def _(m):
    add_many(m, 65536)
    m.write("proc/cmdline", f"{RULES} rd.earlybind.timeout=60\n")
    measure(m, "65,536 functions, 2 named", code=0, says=[])
    m.write("proc/cmdline", f"{RULES} rd.earlybind.bind=1af4:*\n")
    m.write("dev/kmsg", "")
    measure(m, "65,536 functions, all named", code=1, bound=(), says=[
        "nothing was done: a limit of this program was passed: memory for devices"])
    m.write("proc/cmdline", f"{RULES} rd.earlybind.timeout=60\n")
    m.write("dev/kmsg", "")
    add_many(m, 65600)
    measure(m, "65,600 functions, 2 named", code=1, bound=(),
            says=["more than 65536 PCI functions: the rest is not known"])
