"""Prints a table of the last run's boots, for docs/tests.md.

Usage: matrix.py [FILE]

With a file, the table replaces what stands between the two comments <!-- matrix --> and
<!-- end of matrix --> in it. What it is made from is build/lab/boots.json, which every run
of run.py writes: all boots (make test-all), or those of make test. A run of some will not do.
"""

import json
import pathlib
import re
import sys

from machine import BUILD
from platforms import HOME

RUNS = {"all": "make test-all", "test": "make test"}


def title(case):
    """A case's name without its number, as a heading."""
    return case.partition("-")[2].replace("-", " ")


def version(row):
    """The version of the generator's package, without Debian's additions."""
    package = "initramfs-tools" if row["generator"] == "initramfs-tools" else "dracut-core"
    return re.sub(r"[+~].*|-[^-]*$", "", row["packages"][package])


def label(row):
    """Release and generator, as people call them."""
    return f"{row['suite']}, {row['generator'].replace('dracut-', 'dracut ')}"


def cell(rows, platform, case):
    """What a case came to on a platform."""
    for row in rows:
        if f"{row['suite']}/{row['generator']}" == platform and row["case"] == case:
            return "yes" if row["passed"] else "**no**"
    return ""


def table(summary):
    """The Markdown text."""
    rows = summary["boots"]
    platforms = list(dict.fromkeys(f"{r['suite']}/{r['generator']}" for r in rows))
    cases = sorted({r["case"] for r in rows})
    wide = [c for c in cases if len({r["suite"] for r in rows if r["case"] == c}) > 1]
    single = [c for c in cases if c not in wide]
    lines = ["| release, generator | kernel | version | " + " | ".join(map(title, wide)) + " |"]
    lines.append("|---|---|---|" + ":-:|" * len(wide))
    for platform in platforms:
        row = next(r for r in rows if f"{r['suite']}/{r['generator']}" == platform)
        cells = [cell(rows, platform, case) for case in wide]
        lines.append(
            f"| {label(row)} | {row['kernel'].partition('-')[0]} | {version(row)} | "
            + " | ".join(cells)
            + " |"
        )
    passed = sum(r["passed"] for r in rows)
    lines += ["", f"On one release only ({HOME}, unless it is named):", ""]
    lines += ["| case | booted |", "|---|:-:|"]
    for row in rows:
        if row["case"] in single:
            where = f"{row['suite']}/{row['generator']}"
            name = title(row["case"]) + ("" if where == HOME else f" ({label(row)})")
            lines.append(f"| {name} | {'yes' if row['passed'] else '**no**'} |")
    lines.append("")
    lines.append(
        f"{passed} of {len(rows)} boots of `{RUNS[summary['run']]}` passed, in "
        f"{summary['seconds'] // 60} minutes, on {summary['date']}."
    )
    return "\n".join(lines)


def main():
    path = BUILD / "lab/boots.json"
    if not path.exists():
        sys.exit("matrix: nothing has run yet: make test-all")
    summary = json.loads(path.read_text())
    if summary.get("run") not in RUNS:
        sys.exit("matrix: the last run was of some boots only: make test, or make test-all")
    text = table(summary)
    if len(sys.argv) < 2:
        print(text)
        return
    page = pathlib.Path(sys.argv[1])
    begin, end = "<!-- matrix -->", "<!-- end of matrix -->"
    before, rest = page.read_text().split(begin)
    _, after = rest.split(end)
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}")


if __name__ == "__main__":
    main()
