#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the commands that the README and the guides name, and compares what they show.

usage: commands.py TABLE TREES FILE...

Commands are the lines of ``` blocks, with a prompt ("$ ", "# ") or plain, and what stands in
backticks. TREES has the machines (mktree.py). TABLE says for each command that needs it on which
machine it runs and with which exit code, or why it cannot run here. All others of earlybind run on
the machine "alveo" and must be understood: any exit code but 2. A line of the table that no file
needs is a failure, too. "$ COMMAND" is one with output; a machine that is a file is a recording, in
which that output must be.

A block with a prompt shows output: each part of it between lines "[...]" or "..." must be in what
the command prints on a terminal of 80 columns. Uses $EARLYBIND.
"""
import os
import pathlib
import pty
import re
import shlex
import struct
import subprocess
import sys
import fcntl
import termios

ROOT = pathlib.Path(__file__).resolve().parents[2]
EARLYBIND = os.environ["EARLYBIND"]
DEFAULT = "alveo"
SECONDS_MAX = 60
# What stands for a word of the reader's own.
STAND_INS = {"DEVICE": "01:00.0", "COMMAND": "list", "PORT": "00:01.0"}
# They change something unless they are told not to.
ACTING = {"add", "remove", "keep", "apply", "bind", "release"}
FIRST_WORDS = {"earlybind", "sudo", "make", "apt", "apt-get", "dmesg", "binder",
               "jsonschema", "reboot"}
GAP = {"[...]", "..."}


class Table:
    """COMMAND, machine or "-", exit code or reason, further arguments."""

    def __init__(self, path):
        self.rows = {}
        self.used = set()
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                command, *rest = line.split("\t")
                self.rows[command] = rest

    def find(self, command):
        self.used.add(command)
        return self.rows.get(command)

    def unused(self):
        return sorted(set(self.rows) - self.used)


def split_comment(line):
    return re.sub(r"\s+#\s.*$", "", line).strip()


def is_command(line):
    return line.split(" ", 1)[0] in FIRST_WORDS


def of_block(lines):
    """(command, lines of output or None) of a ``` block."""
    found = []
    for line in lines:
        if line[:2] in ("$ ", "# ") and is_command(line[2:]):
            found.append((split_comment(line[2:]), []))
        elif found and found[-1][1] is not None:
            found[-1][1].append(line)
        elif is_command(line):
            found.append((split_comment(line), None))
    return found


def of_text(text):
    words = (" ".join(span.split()).replace("\\|", "|") for span in re.findall(r"`([^`]+)`", text))
    return [(command, None) for command in words
            if is_command(command) and " " in command]


def commands_of(path):
    block, text, is_inside = [], [], False
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            if is_inside:
                found += of_block(block)
            block, is_inside = [], not is_inside
        elif is_inside:
            block.append(line)
        else:
            text.append(line)
    return found + of_text("\n".join(text))


def on_terminal(words):
    """What is printed on a terminal of 80 columns, and the exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**os.environ, "TERM": "dumb", "LC_ALL": "C.UTF-8"}
    environment.pop("COLUMNS", None)
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=theirs,
                          stderr=subprocess.STDOUT, env=environment) as child:
        os.close(theirs)
        said = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            said += part
        code = child.wait(timeout=SECONDS_MAX)
    os.close(ours)
    return said.decode(errors="replace").replace("\r\n", "\n"), code


def arguments(words, tree, further):
    words = [STAND_INS.get(word, word) for word in words[1:]]
    words += shlex.split(further)
    if words[0] in ACTING or "--write" in words or "--set" in words or "--menu-entry" in words:
        words.append("--dry-run")
    return [EARLYBIND, *words, *(["--sysroot", tree] if tree else [])]


def parts_of(output):
    part = []
    for line in output + ["..."]:
        if line.strip() in GAP:
            if part:
                yield "\n".join(part)
            part = []
        else:
            part.append(line)


def compare(output, said):
    for part in parts_of(output):
        if part not in said:
            return f"it does not print:\n{part}\nbut:\n{said}"
    return None


def has_value(command, option):
    """An option that is named without its value is only looked up."""
    said, _ = on_terminal([EARLYBIND, command, "--help"])
    return bool(re.search(rf"^ +(-., )?{re.escape(option)} [A-Z]", said, re.M))


def run_shell(command, tree):
    script = f'earlybind() {{ "$EARLYBIND" "$@" --sysroot {shlex.quote(tree)}; }}; {command}'
    code = subprocess.run(["sh", "-c", script], stdout=subprocess.DEVNULL, timeout=SECONDS_MAX,
                          check=False).returncode
    return f"exit code {code}" if code else None


def run_earlybind(command, output, row):
    """What is wrong, or None."""
    words = shlex.split(command)
    tree, want, further = (row + ["", "", ""])[:3] if row else (DEFAULT, "", "")
    if "/" in tree:
        return compare(output, (ROOT / tree).read_text(encoding="utf-8"))
    if "|" in words or ">" in command:
        return run_shell(command, tree)
    if output is None and len(words) > 2 and has_value(words[1], words[-1]):
        return None
    if len(words) == 2 and not words[1].startswith("-") and output is None and not row:
        words.append("--help")
        tree = ""
    elif words[-1] == "--help":
        tree = ""
    said, code = on_terminal(arguments(words, tree, further))
    if code == 2 or (want and code != int(want)):
        return f"exit code {code}{f', not {want}' if want else ''}: {said.strip()[-200:]}"
    return compare(output or [], said)


def has_target(name):
    makefiles = [ROOT / "Makefile", *(ROOT / "mk").glob("*.mk")]
    return any(re.search(rf"^(\.PHONY:.*)?\b{re.escape(name)}\b[^=]*:|^\.PHONY:.*\b{re.escape(name)}\b",
                         path.read_text(encoding="utf-8"), re.M) for path in makefiles)


def run_make(words):
    for word in words[1:]:
        if "=" not in word and not has_target(word):
            return f"make has no target {word}"
    return None


def judge(command, output, table):
    command = command.removeprefix("sudo ")
    row = table.find(f"$ {command}") if output else None
    row = row or table.find(command)
    if row and row[0] == "-":
        return None if len(row) > 1 and row[1] else "the table does not say why it is not run"
    words = shlex.split(command)
    if words[0] == "earlybind":
        return run_earlybind(command, output, row)
    if words[0] == "make":
        return run_make(words)
    return "not run: the table says neither how nor why not"


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    table = Table(pathlib.Path(sys.argv[1]))
    files = [pathlib.Path(name).resolve() for name in sys.argv[3:]]
    os.chdir(sys.argv[2])
    count, failures = 0, []
    for path in files:
        for command, output in commands_of(path):
            for one in command.split(" && "):
                count += 1
                wrong = judge(one, output, table)
                if wrong:
                    failures.append(f"{path.name}: {one}: {wrong}")
    failures += [f"{sys.argv[1]}: no file has: {command}" for command in table.unused()]
    for line in failures:
        print(line)
    print(f"{count} commands, {len(failures)} failures")
    sys.exit(bool(failures) or count == 0)


main()
