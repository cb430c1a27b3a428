# SPDX-License-Identifier: GPL-2.0-or-later
"""A small machine in a chroot, the binder in it, and what must hold after every run.

The machine has two functions that the rules name. One is on vfio-pci already. The other has no
driver, and a servant in the place of the kernel: its driver_override is a FIFO that is full.
The servant hears that it is opened, makes the driver's link, and then makes room, so that the
device is bound by the time that the binder's write returns, without a race.
"""
import ctypes
import errno
import json
import os
import platform
import resource
import signal
import struct
import subprocess
import sys
import time

FREE, DONE = "0000:01:00.0", "0000:02:00.0"
RULES = "rd.earlybind.bind=10ee:5000,10de:2204"
TIMES = "rd.earlybind.timeout=4 rd.earlybind.recovery-timeout=2"
LIMIT = 60  # seconds that a run may take, on a machine that is busy
READ_MAX = 64 << 20
LIBC = ctypes.CDLL(None, use_errno=True)
IN_OPEN = 0x20
MS_RDONLY, MS_REMOUNT, MS_BIND, MNT_DETACH = 1, 32, 4096, 2
# Numbers of the system calls that the cases forbid.
CALLS = {"x86_64": {"fork": (56, 57, 58, 435), "socketpair": (53,), "arch": 0xC000003E},
         "aarch64": {"fork": (220, 435), "socketpair": (199,), "arch": 0xC00000B7}}


def call(result):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def mount(source, target, kind=None, flags=0, options=None):
    call(LIBC.mount(*(word.encode() if word else None for word in (source, target, kind)),
                    flags, options.encode() if options else None))


def forbid(name, error):
    """From here on this process cannot: a filter of seccomp says so in the kernel's place."""
    machine = CALLS[platform.machine()]
    code = [(0x20, 0, 0, 0)]
    for number in machine[name]:
        code += [(0x15, 0, 1, number), (6, 0, 0, 0x00050000 | error)]
    code += [(6, 0, 0, 0x7FFF0000)]
    filters = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *c) for c in code))
    program = struct.pack("HxxxxxxP", len(code), ctypes.addressof(filters))
    call(LIBC.prctl(38, 1, 0, 0, 0))
    call(LIBC.prctl(22, 2, program, 0, 0))


class Failure(Exception):
    pass


def open_now(path, flags):
    """Does not wait for the other end of a FIFO."""
    return os.open(path, flags | os.O_NONBLOCK)


def shorten(text):
    return text if len(text) < 2000 else f"{text[:1000]}\n...\n{text[-1000:]}"


def case_list():
    """The cases of a file, in their order, and what makes a function one of them."""
    cases = []

    def case(name):
        def add(function):
            cases.append((name, function))
            return function
        return add
    return cases, case


class Machine:
    def __init__(self, work, tools):
        self.root = os.path.join(work, "root")
        self.tools = tools
        self.binder = tools["binder"]
        self.servants = []
        self.mounts = []
        self.last = None
        os.makedirs(self.root, exist_ok=True)
        mount("tmpfs", self.root, "tmpfs", 0, "mode=0755")
        self.mounts.append(self.root)
        for folder in ("run", "dev", "etc", "proc", "sys/kernel/iommu_groups",
                       "sys/bus/pci/drivers/vfio-pci"):
            os.makedirs(self.path(folder))
        self.write("proc/cmdline", f"quiet {RULES} {TIMES}\n")
        self.write("dev/kmsg", "")
        for name in ("bind", "unbind"):
            self.write(f"sys/bus/pci/drivers/vfio-pci/{name}", "")
        self.write("sys/bus/pci/drivers_probe", "")
        for name in ("vfio_pci", "vfio_iommu_type1"):
            self.write(f"sys/module/{name}/initstate", "live\n")
        os.makedirs(self.path("sys/class/iommu/dmar0"))
        self.add(DONE, "10de:2204", 2, "vfio-pci")
        self.add(FREE, "10ee:5000", 1)
        self.serve(FREE)

    # ---- files -------------------------------------------------------------------------

    def path(self, path):
        return os.path.join(self.root, path)

    def write(self, path, content):
        full = self.path(path)
        self.remove(path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())

    def read(self, path):
        try:
            with open(self.path(path), "rb", opener=open_now) as file:
                return file.read(READ_MAX) or b""
        except OSError:
            return b""

    def remove(self, path):
        full = self.path(path)
        if os.path.isdir(full) and not os.path.islink(full):
            subprocess.run(["rm", "-rf", full], check=True)
        elif os.path.lexists(full):
            os.unlink(full)

    def fifo(self, path):
        self.remove(path)
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        os.mkfifo(self.path(path))

    def folder(self, path):
        self.remove(path)
        os.makedirs(self.path(path))

    def link(self, path, target):
        self.remove(path)
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        os.symlink(target, self.path(path))

    def mount(self, path, options, kind="tmpfs"):
        mount(kind, self.path(path), kind, 0, options)
        self.mounts.append(self.path(path))

    def put_over(self, source, path):
        mount(source, self.path(path), None, MS_BIND)
        self.mounts.append(self.path(path))

    def lock(self, path):
        """Makes a folder read-only."""
        mount(self.path(path), self.path(path), None, MS_BIND)
        mount(None, self.path(path), None, MS_REMOUNT | MS_BIND | MS_RDONLY)
        self.mounts.append(self.path(path))

    # ---- devices -----------------------------------------------------------------------

    @staticmethod
    def place(address):
        return f"sys/devices/pci{address.rsplit(':', 1)[0]}/{address}"

    def add(self, address, ids, group, driver=None):
        vendor, device = (int(word, 16) for word in ids.split(":"))
        place = self.place(address)
        self.write(f"{place}/modalias", f"pci:v{vendor:08X}d{device:08X}sv00000000"
                                        "sd00000000bc12sc00i00\n")
        self.write(f"{place}/driver_override", "(null)\n")
        self.write(f"{place}/power/control", "on\n")
        self.link(f"sys/bus/pci/devices/{address}", f"../../../../{place}")
        self.link(f"{place}/iommu_group", f"../../../kernel/iommu_groups/{group}")
        members = f"sys/kernel/iommu_groups/{group}/devices"
        self.link(f"{members}/{address}", f"../../../../../{place}")
        if driver:
            self.drive(address, driver)

    def drive(self, address, driver):
        for name in ("bind", "unbind"):
            path = f"sys/bus/pci/drivers/{driver}/{name}"
            if not os.path.lexists(self.path(path)):
                self.write(path, "")
        self.link(f"{self.place(address)}/driver", f"../../../bus/pci/drivers/{driver}")

    def serve(self, address):
        """Binds the device while its driver_override is being written."""
        path = self.path(f"{self.place(address)}/driver_override")
        link = self.path(f"{self.place(address)}/driver")
        self.fifo(f"{self.place(address)}/driver_override")
        # Full: who writes to it has to wait.
        fifo = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        try:
            while True:
                os.write(fifo, bytes(4096))
        except BlockingIOError:
            pass
        watch = LIBC.inotify_init1(0)
        if LIBC.inotify_add_watch(watch, path.encode(), IN_OPEN) < 0:
            raise OSError(ctypes.get_errno(), path)
        pid = os.fork()
        if pid == 0:
            try:
                os.read(watch, 4096)
                os.symlink("../../../bus/pci/drivers/vfio-pci", link)
                # What is cleared by an undo finds room as well.
                while True:
                    os.read(fifo, 4096)
            except BlockingIOError:
                signal.pause()
            finally:
                os._exit(0)
        os.close(watch)
        os.close(fifo)
        self.servants.append(pid)

    # ---- runs --------------------------------------------------------------------------

    def install(self):
        target = self.path("binder")
        if not os.path.exists(target):
            with open(self.binder, "rb") as source, open(target, "wb") as out:
                out.write(source.read())
            os.chmod(target, 0o755)
        return target

    def start(self, *arguments, limits=(), close=(), ignore=(), stderr=None,
              without_argv=False, environment=None, before=None, program="/binder",
              keep=()):
        """Starts the binder as a child that is confined to the root."""
        self.install()

        def prepare():
            os.chroot(self.root)
            os.chdir("/")
            for number in ignore:
                signal.signal(number, signal.SIG_IGN)
            if before:
                before()
            for kind, value in limits:
                resource.setrlimit(kind, (value, value))
            for fd in close:
                os.close(fd)
            if without_argv:
                nothing = (ctypes.c_char_p * 1)(None)
                LIBC.execve(b"/binder", nothing, nothing)
                os._exit(99)

        self.said = os.path.join(self.tools["work"], "said")
        with open(self.said, "wb") as out:
            return subprocess.Popen([program, *arguments], preexec_fn=prepare,
                                    pass_fds=keep,
                                    stdin=subprocess.DEVNULL, stdout=out,
                                    stderr=stderr or out,
                                    env={} if environment is None else environment)

    def finish(self, child, limit=LIMIT):
        started = time.monotonic()
        try:
            code = child.wait(limit)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            raise Failure(f"did not end within {limit} s") from None
        self.seconds = time.monotonic() - started
        if code < 0:
            raise Failure(f"ended by signal {-code}")
        with open(self.said, "rb") as said:
            self.text = (said.read() + self.read("dev/kmsg")).decode(errors="replace")
        return code

    def check(self, code, wanted, says, bound, hides=()):
        if code != wanted:
            raise Failure(f"code {code}, not {wanted}: {shorten(self.text)}")
        for words in says:
            if words not in self.text:
                raise Failure(f"does not say \"{words}\": {shorten(self.text)}")
        for words in hides:
            if words in self.text:
                raise Failure(f"says \"{words}\": {shorten(self.text)}")
        for address in bound:
            if not any(f"{address} [" in line and ("bound to vfio-pci" in line or
                                                  "already bound" in line)
                       for line in self.text.splitlines()):
                raise Failure(f"{address} is not bound: {shorten(self.text)}")
        self.check_report()

    def check_report(self):
        """No end without a word: whatever happened, the report can be read and explains."""
        for path in ("run/earlybind/report.json", f"run/earlybind/devices/{FREE}.json"):
            full = self.path(path)
            if not os.path.isfile(full):
                continue
            with open(full, "rb") as file:
                report = json.load(file)
            for device in report["devices"]:
                if device["verdict"] == "bound" or device["action"] == "keep":
                    continue
                if not device["verdict"] or not device["reason"] or not device["message"]:
                    raise Failure(f"unexplained: {device}")

    def run(self, *arguments, code=0, says=(), bound=(FREE, DONE), hides=(), limit=LIMIT,
            **settings):
        """The binder must end within the limit, by itself, with the code and the words."""
        child = self.start(*arguments, **settings)
        self.check(self.finish(child, limit), code, says, bound, hides)

    def close(self):
        for pid in self.servants:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for place in reversed(self.mounts):
            if LIBC.umount2(place.encode(), MNT_DETACH) != 0 and \
                    ctypes.get_errno() != errno.EINVAL:
                sys.exit(f"{place} cannot be unmounted")


def children(pid):
    """The children of a process, as the kernel lists them."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]
