#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The longest sentences of the programs and of their documentation, by their number of words.

usage: longest.py [--most WORDS] [REVISION]

Prints the words of the README, the ten longest strings of the sources, and the ten longest
sentences (up to ". ", ": " or "; ") in them and in manuals, READMEs and guides; of the working tree,
or of a revision that git has, to compare. Of help texts, which are paragraphs, only the sentences
count. With --most the exit code is 1 if a sentence has more words.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("binder", "companion", "docs", "tests")
PROGRAMS = ("binder/", "companion/")
# What a line begins with that is no continuation; and a line with a command's options.
BEGINS = re.compile(r"[#|<\[:]|[-.*] |\d+\. ")
USAGE = re.compile(r"\*[a-z]+\* .*\[")
STRINGS = re.compile(r'"(?:[^"\\\n]|\\.)*"(?:\s*(?:"(?:[^"\\\n]|\\.)*"))*')
SHOWN = 10


def git(*words):
    return subprocess.run(["git", "-C", ROOT, *words], check=True, capture_output=True, encoding="utf-8").stdout


def files(revision):
    """(name, text) of each file with sentences for people."""
    if revision:
        names = git("ls-tree", "-r", "--name-only", revision).split("\n")
    else:
        paths = [*ROOT.glob("*.*"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.*"))]
        names = [str(path.relative_to(ROOT)) for path in paths]
    for name in names:
        if name.endswith((".c", ".def", ".md", ".scd")):
            yield name, git("show", f"{revision}:{name}") if revision else (ROOT / name).read_text(encoding="utf-8")


def strings(text):
    """Those that are next to each other are one, as for the compiler."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    for match in STRINGS.finditer(text):
        parts = re.findall(r'"((?:[^"\\\n]|\\.)*)"', match.group(0))
        yield "".join(parts).replace('\\"', '"')


def paragraphs(text):
    """Paragraphs, items of lists and cells of tables, of Markdown and scdoc; no examples, no usage."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)
    lines = []
    for line in text.split("\n"):
        is_example = line.startswith("    ") or line.startswith("*earlybind*") or USAGE.match(line)
        if not line.strip() or is_example or BEGINS.match(line.strip()):
            yield " ".join(lines)
            lines = []
        if line.startswith("|"):
            yield from line.split("|")
        elif not is_example:
            lines.append(line.strip().removesuffix("++"))
        if line.endswith("++"):
            yield " ".join(lines)
            lines = []
    yield " ".join(lines)


def sentences(text):
    return [sentence for sentence in re.split(r"(?<=[.:;])\)? ", text) if sentence]


def show(title, found):
    longest = sorted(set(found), reverse=True)[:SHOWN]
    print(f"{title}: {sum(count for count, _, _ in longest)} words")
    for count, name, text in longest:
        print(f"{count:3} {name}: {text}")


def main():
    words = sys.argv[1:]
    most = None
    if words[:1] == ["--most"]:
        most, words = int(words[1]), words[2:]
    messages, found, prose, readme = [], [], [], 0
    for name, text in files(words[0] if words else None):
        if name.endswith((".md", ".scd")):
            readme = len(text.split()) if name == "README.md" else readme
            prose += [(len(s.split()), name, s) for p in paragraphs(text) for s in sentences(p)]
        elif name.startswith(PROGRAMS):
            for string in strings(text):
                found += [(len(s.split()), name, s) for p in string.split("\\n") for s in sentences(p)]
                if "\\n" not in string and string.count(". ") < 3:
                    messages.append((len(string.split()), name, string))
    if most is None:
        print(f"README.md: {readme} words")
        show("the longest messages", messages)
        show("the longest sentences of the programs", found)
        show("the longest sentences of the documentation", prose)
        return
    long = [s for s in found + prose if s[0] > most]
    show(f"sentences of more than {most} words", long)
    sys.exit(bool(long) or not found or not prose)


main()
