#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The longest sentences of the programs: strings of the sources, by their number of words.

usage: longest.py [--most WORDS] [REVISION]

Prints the ten longest strings, and the ten longest sentences (up to ". ", ": " or "; ") in them; of
the working tree, or of a revision that git has, to compare. Of help texts, which are paragraphs,
only the sentences count. With --most the exit code is 1 if a sentence has more words.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("binder", "companion")
STRINGS = re.compile(r'"(?:[^"\\\n]|\\.)*"(?:\s*(?:"(?:[^"\\\n]|\\.)*"))*')
SHOWN = 10


def git(*words):
    return subprocess.run(["git", "-C", ROOT, *words], check=True, capture_output=True, encoding="utf-8").stdout


def sources(revision):
    """(name, text) of each file with messages."""
    if revision:
        names = git("ls-tree", "-r", "--name-only", revision, *FOLDERS).split("\n")
    else:
        names = [str(path.relative_to(ROOT)) for folder in FOLDERS for path in (ROOT / folder).rglob("*.*")]
    for name in names:
        if name.endswith((".c", ".def")):
            yield name, git("show", f"{revision}:{name}") if revision else (ROOT / name).read_text(encoding="utf-8")


def strings(text):
    """Those that are next to each other are one, as for the compiler."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    for match in STRINGS.finditer(text):
        parts = re.findall(r'"((?:[^"\\\n]|\\.)*)"', match.group(0))
        yield "".join(parts).replace('\\"', '"')


def show(title, found):
    print(title)
    for count, name, text in sorted(set(found), reverse=True)[:SHOWN]:
        print(f"{count:3} {name}: {text}")


def main():
    words = sys.argv[1:]
    most = None
    if words[:1] == ["--most"]:
        most, words = int(words[1]), words[2:]
    messages, sentences = [], []
    for name, text in sources(words[0] if words else None):
        for string in strings(text):
            for paragraph in string.split("\\n"):
                sentences += [(len(s.split()), name, s) for s in re.split(r"(?<=[.:;]) ", paragraph)]
            if "\\n" not in string and string.count(". ") < 3:
                messages.append((len(string.split()), name, string))
    if most is None:
        show("messages", messages)
        show("sentences", sentences)
        return
    long = [s for s in sentences if s[0] > most]
    show(f"sentences of more than {most} words", long)
    sys.exit(bool(long) or not sentences)


main()
