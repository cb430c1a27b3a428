#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Uses "earlybind select" on a pseudo terminal: keys, sizes, signals, and the way out.

usage: terminal.py EARLYBIND TREE    TREE is a --sysroot of the Alveo machine
"""
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import sys
import termios
import time

LIMIT = 20  # seconds for anything to happen
LIMIT_OF_ALL = 300
FOOT = "q: no change"
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Session:
    def __init__(self, program, tree, *arguments, rows=24, columns=80, term="xterm"):
        self.output = ""
        self.fd, side = pty.openpty()
        self.before = termios.tcgetattr(side)
        self.resize(rows, columns)
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            # Whatever this test's own caller ignores: what is ignored stays so.
            for number in INTERRUPTS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            fcntl.ioctl(side, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(side, fd)
            os.environ["TERM"] = term
            os.execv(program, [program, "select", "--sysroot", tree, *arguments])
        os.close(side)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        """Some output; False at its end."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # the other side is gone
            return False
        self.output += data.decode()
        return bool(data)

    def expect(self, text):
        """Reads until @text; what came up to it is taken off."""
        end = time.monotonic() + LIMIT
        while text not in self.output:
            if time.monotonic() > end or not self.read(0.2):
                if text not in self.output:
                    sys.exit(f"no {text!r} in {self.output!r}")
        seen, self.output = self.output.split(text, 1)
        return seen + text

    def press(self, keys, text=FOOT):
        os.write(self.fd, keys.encode())
        return self.expect(text)

    def finish(self):
        """The rest of the output and the wait status; the terminal is as it was before."""
        end = time.monotonic() + LIMIT
        while self.read(0.2):
            if time.monotonic() > end:
                sys.exit(f"it does not end: {self.output!r}")
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                break
        else:
            status = os.waitpid(self.pid, 0)[1]
        while self.read(0) and select.select([self.fd], [], [], 0)[0]:
            pass
        self.check_restored()
        return self.output, status

    def is_raw(self):
        return not termios.tcgetattr(self.fd)[3] & termios.ICANON

    def check_restored(self):
        mode = termios.tcgetattr(self.fd)
        assert mode[3] & termios.ICANON and mode[3] & termios.ECHO, "raw mode is left on"
        assert mode == self.before, "the terminal is not as it was"


def lines(screen):
    return re.sub(r"\x1b\[[0-9]*[A-Z]", "", screen).replace("\r", "").split("\n")


def check_width(screen, rows, columns):
    shown = lines(screen)
    assert all(len(line) < columns for line in shown), shown
    assert len(shown) < rows, shown


def configuration(tree):
    path = os.path.join(tree, "etc/earlybind.conf")
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


def choose(program, tree):
    session = Session(program, tree)
    first = session.expect(FOOT)
    assert session.is_raw()
    check_width(first, 24, 80)
    assert "> [ ] 0000:00:00.0" not in first, "a host bridge can be chosen"
    assert "> [ ] 0000:01:00.0" in first, first
    screen = session.press(" ")
    assert "> [x] 0000:01:00.0" in screen and "[!] 0000:01:00.1" in screen, screen
    assert "-  0000:00:01.0" in screen, screen
    screen = session.press("j")
    assert "> [!] 0000:01:00.1" in screen, screen
    screen = session.press("\x1b[B\x1b[A ")
    screen = session.press("\x1bz", FOOT)  # a key without a meaning
    os.write(session.fd, b"\r")
    output, status = session.finish()
    assert status == 0, (output, status)
    assert "+bind path=0000:00:01.0/00.0+10ee:5000" in output, output
    assert "next: " in output, output
    assert configuration(tree).count("\nbind ") == 2, configuration(tree)


def again(program, tree):
    """What was chosen is chosen; g takes the group, and twice leaves it."""
    before = configuration(tree)
    session = Session(program, tree)
    screen = session.expect(FOOT)
    assert "> [x] 0000:01:00.0" in screen and "[x] 0000:01:00.1" in screen, screen
    screen = session.press("g")
    assert "[x] 0000:02:00.0" in screen and "[!]" not in screen, screen
    screen = session.press("g")
    assert "> [ ] 0000:01:00.0" in screen and "[x]" not in screen, screen
    output, status = (os.write(session.fd, b"q"), session.finish())[1]
    assert status == 0 and "nothing is changed" in output, (output, status)
    assert configuration(tree) == before

    session = Session(program, tree)
    session.expect(FOOT)
    session.press(" ")
    os.write(session.fd, b"\n")
    output, status = session.finish()
    assert status == 0 and "-bind path=0000:00:01.0/00.0" in output, output
    assert configuration(tree).count("\nbind ") == 1, configuration(tree)


def leave(program, tree, keys):
    before = configuration(tree)
    session = Session(program, tree)
    session.expect(FOOT)
    session.press(" ")
    os.write(session.fd, keys.encode())
    output, status = session.finish()
    assert "nothing is changed" in output and status == 0, (keys, output, status)
    assert configuration(tree) == before


def refused(program, tree):
    """What is refused stays chosen, and nothing is written until it is taken back."""
    before = configuration(tree)
    session = Session(program, tree)
    screen = session.expect(FOOT)
    # Another function of the group is chosen.
    for _ in range(10):
        if "> [!] 0000:02:00.0" in screen:
            break
        screen = session.press("j")
    assert "> [!] 0000:02:00.0" in screen, screen
    session.press(" ")
    os.write(session.fd, b"\r")
    said = session.expect("what you chose is kept")
    assert "nothing is written" in said, said
    screen = session.expect(FOOT)
    assert "> [x] 0000:02:00.0" in screen, screen
    assert configuration(tree) == before
    session.press(" ")
    os.write(session.fd, b"\r")
    output, status = session.finish()
    assert status == 0 and "nothing to change" in output, (output, status)
    assert configuration(tree) == before


def wide(program, tree):
    """From 60 to 200 columns: how to use it stands first, and no line is too long."""
    for columns in (60, 80, 120, 200):
        session = Session(program, tree, columns=columns)
        screen = session.expect(FOOT)
        check_width(screen, 24, columns)
        os.write(session.fd, b"q")
        assert session.finish()[1] == 0


def small(program, tree):
    """It scrolls in seven lines, and obeys a change of size."""
    session = Session(program, tree, rows=7, columns=40)
    screen = session.expect("g: ")
    check_width(screen, 7, 40)
    assert "more below" in screen, screen
    screen = session.press("\x1b[F", "g: ")
    assert "more above" in screen and "more below" not in screen, screen
    session.resize(24, 80)
    screen = session.expect(FOOT)
    assert "more above" not in screen, screen
    session.resize(6, 30)
    session.expect("bind or")
    os.write(session.fd, b"q")
    assert session.finish()[1] == 0


def interrupted(program, tree, number):
    """Keeps the terminal's side open itself, to see the mode that is left."""
    before = configuration(tree)
    session = Session(program, tree)
    session.expect(FOOT)
    session.press(" ")
    assert session.is_raw()
    if number == signal.SIGINT:
        os.write(session.fd, b"\x03")
    else:
        os.kill(session.pid, number)
    end = time.monotonic() + LIMIT
    while session.is_raw() and time.monotonic() < end:
        session.read(0.05)
    session.check_restored()
    _, status = session.finish()
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == number, (number, status)
    assert configuration(tree) == before


def plain(program, tree):
    """A terminal that cannot move its cursor, and --plain, are asked for numbers."""
    for session in (Session(program, tree, term="dumb"), Session(program, tree, "--plain")):
        screen = session.expect("as it is: ")
        assert "\x1b" not in screen and "1 [" in screen, screen
        os.write(session.fd, b"\n")
        output, status = session.finish()
        assert status == 0 and "nothing to change" in output, (output, status)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, tree = sys.argv[1], "terminal"
    signal.alarm(LIMIT_OF_ALL)
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(sys.argv[2], tree, symlinks=True)
    with open(f"{tree}/proc/cmdline", "w", encoding="utf-8") as file:
        file.write("intel_iommu=on\n")
    choose(program, tree)
    again(program, tree)
    for keys in ("q", "\x1b", "\x04"):
        leave(program, tree, keys)
    refused(program, tree)
    wide(program, tree)
    small(program, tree)
    for number in INTERRUPTS:
        interrupted(program, tree, number)
    plain(program, tree)


main()
