# SPDX-License-Identifier: GPL-2.0-or-later
"""Places that are missing, read-only, full or something else: /proc, /sys, /run, /dev."""
import os

from machine import DONE, FREE, RULES, TIMES, case_list

CASES, case = case_list()


@case("a machine as it should be")
def _(m):
    m.run(says=["bound to vfio-pci, group 1", "was already bound"])


@case("no /proc: the table counts")
def _(m):
    m.binder = m.tools["table"]
    m.remove("proc")
    m.run(code=1, says=["\"command line\": cannot be read: only the table counts"])


@case("/proc/cmdline is a FIFO")
def _(m):
    # libkmod reads it as well, in the worker, and waits there until the time is up.
    m.binder = m.tools["table"]
    m.fifo("proc/cmdline")
    m.run(code=1, bound=[DONE], says=["vfio_pci was not loaded when the time was up"])


@case("/proc/cmdline is a directory")
def _(m):
    m.binder = m.tools["table"]
    m.folder("proc/cmdline")
    m.run(code=1, says=["\"command line\": cannot be read: only the table counts"])


@case("a command line of 32 KiB")
def _(m):
    m.write("proc/cmdline", "x" * 16000 + " " + "y=z " * 4000 + f"{RULES} {TIMES}\n")
    m.run(says=["may have been cut here"])


@case("a command line of 1 MiB is cut")
def _(m):
    m.write("proc/cmdline", f"{RULES} {TIMES} " + "x" * (1 << 20))
    m.run(says=["may have been cut here"])


@case("a command line with NULs and control characters")
def _(m):
    m.write("proc/cmdline", f"a\x01b \xff\x7f {RULES} {TIMES} \0\0rd.earlybind.\0=\0")
    m.run()


@case("a command line of 1,200 rules")
def _(m):
    words = " ".join(f"rd.earlybind.bind={n:04x}:1111;optional" for n in range(1200))
    m.write("proc/cmdline", f"{RULES} {TIMES} {words}")
    m.run(says=["more than 1024 rules: this one is ignored"])


@case("no /sys")
def _(m):
    m.remove("sys")
    m.run(code=1, bound=(), says=["nothing was done: there is no PCI bus in /sys"])


@case("/sys without a PCI bus")
def _(m):
    m.remove("sys/bus/pci")
    m.run(code=1, bound=(), says=["nothing was done: there is no PCI bus in /sys"])


@case("/sys/bus/pci/devices is a file")
def _(m):
    m.remove("sys/bus/pci/devices")
    m.write("sys/bus/pci/devices", "")
    m.run(code=1, bound=(), says=["nothing was done: there is no PCI bus in /sys"])


@case("/sys is read-only")
def _(m):
    m.write(f"{m.place(FREE)}/driver_override", "(null)\n")
    m.lock("sys")
    m.run(code=1, bound=[DONE], says=["the kernel did not take driver_override: read-only"])


@case("no /run")
def _(m):
    m.remove("run")
    m.run(says=["the report cannot be written: no such file",
                "devices that appear later will not be bound: no such file"])


@case("/run is a file")
def _(m):
    m.remove("run")
    m.write("run", "")
    m.run(code=1, says=["the report cannot be written: it is no directory"])


@case("/run is read-only")
def _(m):
    m.lock("run")
    m.run(says=["the report cannot be written: read-only",
                "devices that appear later will not be bound: read-only"])


@case("/run is full")
def _(m):
    m.mount("run", "size=4k")
    m.write("run/filler", bytes(4096))
    m.run(says=["the report cannot be written: no space left"])
    if os.path.exists(m.path("run/earlybind/.report.json.new")):
        raise ValueError("half a report is left behind")


@case("/run becomes full in the middle of the report")
def _(m):
    m.mount("run", "size=4k")
    m.write("proc/cmdline", f"{RULES} {TIMES} " + "rd.earlybind.bind=1:1,2:2,3:3 " * 20)
    m.run(says=["the report cannot be written: no space left"])
    if "report.json" in os.listdir(m.path("run/earlybind")):
        raise ValueError("half a report is left behind")


@case("/run without inodes")
def _(m):
    m.mount("run", "nr_inodes=1")
    m.run(says=["the report cannot be written: no space left"])


@case("/run/earlybind leads elsewhere")
def _(m):
    m.folder("elsewhere")
    m.link("run/earlybind", "/elsewhere")
    m.run(says=["the report cannot be written: it is no directory"])
    if os.listdir(m.path("elsewhere")):
        raise ValueError("a link was followed")


@case("a FIFO where the report is prepared")
def _(m):
    m.fifo("run/earlybind/.report.json.new")
    m.run()


@case("a directory where the report belongs")
def _(m):
    m.folder("run/earlybind/report.json/x")
    m.run(says=["the report cannot be written: it is a directory"])


@case("no /dev: the error output has the lines")
def _(m):
    m.remove("dev")
    m.run()


@case("/dev/kmsg is a FIFO without a reader")
def _(m):
    m.fifo("dev/kmsg")
    m.run()


@case("/dev/kmsg is a FIFO that is full")
def _(m):
    m.fifo("dev/kmsg")
    fd = os.open(m.path("dev/kmsg"), os.O_RDWR | os.O_NONBLOCK)
    try:
        while True:
            os.write(fd, bytes(4096))
    except BlockingIOError:
        m.read = lambda path: b""
    m.run()


@case("/dev/kmsg takes nothing")
def _(m):
    m.put_over("/dev/full", "dev/kmsg")
    m.read = lambda path: b""
    m.run()


@case("/etc/cmdline.d of dracut is hostile")
def _(m):
    m.fifo("etc/cmdline.d/a.conf")
    m.folder("etc/cmdline.d/b.conf")
    m.link("etc/cmdline.d/c.conf", "c.conf")
    m.write("etc/cmdline.d/d.conf", bytes(1 << 20))
    m.write("etc/cmdline.d/\x01\x7f.conf", b"\0\xff rd.earlybind.bind=\0")
    m.run(code=1, says=["longer than 16383 bytes", "\"/etc/cmdline.d/b.conf\": cannot be read"])


@case("too many files in /etc/cmdline.d")
def _(m):
    for number in range(40):
        m.write(f"etc/cmdline.d/z{number}.conf", "x")
    m.run(code=1, says=["more than 32 files: some of them do not count"])
