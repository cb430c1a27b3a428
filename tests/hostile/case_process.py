# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits, descriptors, signals and arguments of the process; two of them; killed ones."""
import errno
import os
import resource
import signal
import time

import machine
from machine import DONE, FREE, RULES, TIMES, Failure, case_list

CASES, case = case_list()


@case("fork fails")
def _(m):
    m.run(code=1, bound=[DONE], before=lambda: machine.forbid("fork", errno.EAGAIN),
          says=["not bound", "no process could do it: try again"])


@case("no socket pair")
def _(m):
    m.run(code=1, bound=[DONE], before=lambda: machine.forbid("socketpair", errno.EMFILE),
          says=["not bound", "no process could do it: too many open files"])


@case("few descriptors")
def _(m):
    for limit in range(17):
        m.write("dev/kmsg", "")
        m.remove(f"{m.place(FREE)}/driver")
        m.serve(FREE)
        # Whatever comes of it: not a crash, not a hang, not 0 without a word.
        child = m.start(limits=[(resource.RLIMIT_NOFILE, limit)])
        code = m.finish(child)
        if code not in (0, 1) or (code == 1 and "earlybind: " not in m.text):
            raise Failure(f"with {limit} descriptors: code {code}: {m.text}")
    m.check(code, 0, [], (FREE, DONE))


@case("little memory")
def _(m):
    m.write("etc/modprobe.d/a.conf", "options vfio-pci ids=1af4:1041\n" * 300000)
    codes = set()
    for limit in (26, 27, 28, 30, 34, 50):
        m.write("dev/kmsg", "")
        m.remove(f"{m.place(FREE)}/driver")
        m.serve(FREE)
        child = m.start(limits=[(resource.RLIMIT_AS, limit << 20)])
        code = m.finish(child)
        if code not in (0, 1) or (code == 1 and "earlybind: " not in m.text):
            raise Failure(f"with {limit} MiB: code {code}: {m.text}")
        codes.add(code)
    m.check(code, 1, [], (FREE, DONE))


@case("a small stack")
def _(m):
    m.run(limits=[(resource.RLIMIT_STACK, 160 << 10)])


@case("no file may grow")
def _(m):
    m.put_over("/dev/null", "dev/kmsg")
    m.put_over("/dev/null", f"{m.place(FREE)}/power/control")
    child = m.start(limits=[(resource.RLIMIT_FSIZE, 0)], stderr=open_pipe(m))
    code = m.finish(child)
    if code != 0:
        raise Failure(f"code {code}")
    if os.path.exists(m.path("run/earlybind/report.json")):
        raise Failure("a report that is empty")


def open_pipe(m):
    """A pipe that nobody closes and nobody reads."""
    m.ends = os.pipe()
    return m.ends[1]


@case("a report that is cut")
def _(m):
    m.run(limits=[(resource.RLIMIT_FSIZE, 1000)],
          says=["the report cannot be written"])


@case("no standard descriptors")
def _(m):
    for close in ((0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2)):
        m.write("dev/kmsg", "")
        m.remove(f"{m.place(FREE)}/driver")
        m.serve(FREE)
        m.run(close=close)


@case("no standard descriptors and no kernel log")
def _(m):
    m.remove("dev")
    for close in ((2,), (1, 2), (0, 1, 2)):
        m.remove(f"{m.place(FREE)}/driver")
        m.remove("run/earlybind")
        m.serve(FREE)
        code = m.finish(m.start(close=close))
        if code != 0:
            raise Failure(f"code {code}: {m.text}")
        if not os.path.islink(m.path(f"{m.place(FREE)}/driver")):
            raise Failure("not bound")
        m.check_report()


@case("an error output that nobody reads")
def _(m):
    m.remove("dev")
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, bytes(4096))
    except BlockingIOError:
        os.set_blocking(writer, True)
    code = m.finish(m.start(stderr=writer))
    os.close(reader)
    os.close(writer)
    m.check(code, 0, [], [])


@case("an error output that is closed")
def _(m):
    m.remove("dev")
    reader, writer = os.pipe()
    os.close(reader)
    code = m.finish(m.start(stderr=writer))
    os.close(writer)
    m.check(code, 0, [], [])


@case("signals ignored by the caller")
def _(m):
    m.run(ignore=[signal.SIGCHLD, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP,
                  signal.SIGPIPE, signal.SIGTERM])


@case("no argument, not even a name")
def _(m):
    m.run(without_argv=True)


@case("a large environment")
def _(m):
    m.run(environment={"SYNTH_UUID": "x" * 100000, "GETOPT": "-", "POSIXLY_CORRECT": "1"})


@case("wrong usage")
def _(m):
    for arguments in (["--nonsense"], ["x"], ["--device"], ["--device", "x"],
                      ["--device", "0000:01:00.8"], ["--cmdline"], ["--sysroot", "/nowhere"],
                      ["--sysroot", "/" * 5000], ["--sysroot", "/proc/cmdline"]):
        m.run(*arguments, code=2, bound=[], says=["binder: " if len(arguments) > 1 or
                                                  arguments[0] != "x" else "usage: "])


@case("not an initramfs")
def _(m):
    # procfs is none, and can be mounted in these namespaces.
    m.mount("proc", None, "proc")
    fd = os.open(m.install(), os.O_PATH)
    m.run(code=2, bound=[], says=["this is not an initramfs"], keep=[fd],
          program=f"/self/fd/{fd}", before=lambda: os.chroot("/proc"))
    os.close(fd)


@case("started twice, one behind the other")
def _(m):
    m.run()
    m.write("dev/kmsg", "")
    m.run(says=[f"{FREE} [10ee:5000] was already bound"])


@case("started twice at the same time")
def _(m):
    children = [m.start() for _ in range(4)]
    for child in children:
        if m.finish(child) != 0:
            raise Failure(m.text)
    m.check(0, 0, [], (FREE, DONE))


def wait_for_worker(child):
    until = time.monotonic() + 5
    while time.monotonic() < until:
        pids = machine.children(child.pid)
        if pids:
            time.sleep(0.3)
            return pids[0]
        time.sleep(0.01)
    raise Failure("there is no worker")


def has_ended(pid):
    """This program is PID 1 here: what the binder leaves behind is its child."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return True
        time.sleep(0.01)
    return False


def with_third(m):
    """A third device: its driver_override blocks until somebody is killed."""
    m.add("0000:00:01.0", "8086:1572", 3)
    m.write("proc/cmdline", f"{RULES} rd.earlybind.bind=8086:1572 {TIMES}\n")
    place = m.place("0000:00:01.0")
    m.fifo(f"{place}/driver_override")
    return place


@case("killed in the middle, then started again")
def _(m):
    place = with_third(m)
    child = m.start()
    worker = wait_for_worker(child)
    child.kill()
    child.wait()
    if not has_ended(worker):
        raise Failure("the worker outlives the binder")
    m.write(f"{place}/driver_override", "(null)\n")
    m.run(code=1, says=["0000:00:01.0 [8086:1572] not bound"])


@case("its worker killed in the middle of a job")
def _(m):
    place = with_third(m)
    child = m.start()
    os.kill(wait_for_worker(child), signal.SIGKILL)
    # From here on there is room for what the next one writes.
    fifo = os.open(m.path(f"{place}/driver_override"), os.O_RDWR | os.O_NONBLOCK)
    m.check(m.finish(child), 1, [
        "0000:00:01.0 [8086:1572] not bound, left to its own driver: no process could do it: "
        "it was killed before it was done"], (FREE, DONE))
    os.close(fifo)


@case("its worker stopped in the middle of a job")
def _(m):
    with_third(m)
    child = m.start()
    os.kill(wait_for_worker(child), signal.SIGSTOP)
    m.check(m.finish(child), 1, ["0000:00:01.0 [8086:1572] stuck"], (DONE,))


@case("stopped itself for longer than its time")
def _(m):
    with_third(m)
    child = m.start()
    wait_for_worker(child)
    os.kill(child.pid, signal.SIGSTOP)
    time.sleep(6)
    os.kill(child.pid, signal.SIGCONT)
    m.check(m.finish(child), 1, ["0000:00:01.0 [8086:1572] stuck"], (DONE,))


# ---- late devices --------------------------------------------------------------------------


def late(name, spoil, **expected):
    @case(f"--device with {name}")
    def _(m):
        spoil(m)
        m.run("--device", FREE, **{"code": 1, "bound": [], **expected})


late("rules that are a FIFO", lambda m: m.fifo("run/earlybind/rules"), code=0)
late("rules that are a directory", lambda m: m.folder("run/earlybind/rules"),
     says=["cannot be read"], bound=[FREE])
late("rules of 10 MiB", lambda m: m.write("run/earlybind/rules", "x" * (10 << 20)),
     bound=[FREE])
late("rules of bytes", lambda m: m.write("run/earlybind/rules", bytes(range(256)) * 99),
     code=0, bound=[FREE])
late("a list of the judged that is a FIFO", lambda m: m.fifo("run/earlybind/judged"),
     code=0, bound=[FREE])
late("a list of the judged of 10 MiB", lambda m: m.write(
    "run/earlybind/judged", f"{FREE} 10ee:5000 stuck\n" * (10 << 14)), bound=[FREE], code=0)
late("a verdict of bytes", lambda m: m.write(
    f"run/earlybind/devices/{FREE}.verdict", bytes(range(256))), code=0, bound=[FREE])
late("a verdict that is a directory", lambda m: m.folder(
    f"run/earlybind/devices/{FREE}.verdict"), code=0, bound=[FREE],
     says=["its verdict cannot be written"])
late("a device that is not there", lambda m: m.remove(f"sys/bus/pci/devices/{FREE}"),
     says=["there is no such device"])
