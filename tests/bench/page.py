"""Writes the figures of docs/benchmarks.md and its plot from what bench.py collected.

Usage: page.py BENCH.JSON COUNTS.TSV PAGE PLOT

What is between the two marks of the page is replaced; the text around it stays.
"""

import json
import math
import pathlib
import statistics
import sys

from interval import differences, interval

BEGIN, END = "<!-- figures: make bench -->\n", "<!-- end of figures -->\n"
NAMES = {
    "floor": "floor", "floor-ids": "floor, by IDs", "binder": "binder",
    "shell": "shell recipe", "shell-ids": "shell recipe, by IDs",
    "modprobe": "modprobe ids=", "driverctl": "driverctl",
}
COLOURS = {
    "floor": "#777777", "floor-ids": "#aaaaaa", "binder": "#1a7f37", "shell": "#9a6700",
    "shell-ids": "#bf8700", "modprobe": "#0969da", "driverctl": "#cf222e",
}
PARTS = ["exec", "sources", "snapshot", "plan", "claim", "modules", "bind", "verify", "report"]
COUNTS = [1, 2, 8, 32]
LATENCIES = ["floor", "floor-ids", "binder", "shell", "shell-ids", "driverctl"]


def walls(boot, name):
    return [row[0] / 1000 for row in boot["run"].get(name, [])]


def median(boot, name, field=0):
    return statistics.median(row[field] for row in boot["run"][name])


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def calls_of(boot, name):
    return sum(row[1] for row in boot["count"].get(name, []))


def contenders(results):
    """All contenders with each number of devices: instructions, wall time, what they do."""
    counted = results["counted"]
    rows = []
    for count in COUNTS:
        for name, title in NAMES.items():
            key = f"{name} {count}"
            if key not in counted["run"]:
                continue
            row = [count, title, f"{median(counted, key) / 1000:.1f}",
                   f"{median(counted, key) / median(counted, f'floor {count}'):.2f}"]
            for boot in ("two", "one"):
                times = walls(results[boot], key)
                row.append(f"{statistics.median(times):.0f} ({min(times):.0f}-{max(times):.0f})")
                row.append(f"{statistics.median(times) * 1000 / median(results[boot], f'floor {count}'):.2f}")
            row += [calls_of(counted, key), f"{median(counted, key, 4):.0f}",
                    f"{median(counted, key, 5):.0f}", f"{median(counted, key, 3):.0f}"]
            rows.append(row)
    return table(["devices", "contender", "by instructions, ms", "/ floor", "two processors, ms",
                  "/ floor", "one processor, ms", "/ floor", "system calls", "page faults",
                  "switches", "peak KiB"], rows)


def part_name(mark):
    return mark.removeprefix("mark_").removesuffix("_floor")


def parts_of(boot, key):
    """Of each part of a run: milliseconds, system calls, faults."""
    marks = [(part_name(mark), at) for at, mark in boot["at"].get(key, [])
             if mark != "mark_override"]
    parts = {}
    for (name, at), (_, following) in zip(marks, marks[1:]):
        parts[name] = [(following - at) / 1000, 0, 0]
    for mark, calls, faults in boot["count"].get(key, []):
        if part_name(mark) in parts:
            parts[part_name(mark)][1:] = [calls, faults]
    return parts


def phases(results, count):
    """The parts of a run of the binder, beside the floor's."""
    both = [parts_of(results["counted"], f"{name} {count}") for name in ("binder", "floor")]
    rows = []
    for part in PARTS:
        row = [part]
        for parts in both:
            cell = parts.get(part)
            row += [f"{cell[0]:.2f}", cell[1], cell[2]] if cell else ["", "", ""]
        rows.append(row)
    return table(["part", "binder, ms", "calls", "faults", "floor, ms", "calls", "faults"], rows)


def claim_latency(results):
    """From exec to the last driver_override that was written."""
    rows = []
    for count in COUNTS:
        row = [count]
        for name in LATENCIES:
            times = [at for at, mark in results["counted"]["at"].get(f"{name} {count}", [])
                     if mark == "mark_override"]
            row.append(f"{max(times) / 1000:.1f}" if times else "")
        rows.append(row)
    return table(["devices", *(NAMES[name] for name in LATENCIES)], rows)


def compressed(results):
    """The same with modules that are compressed, of another release."""
    boot = results.get("compressed")
    if not boot:
        return ""
    rows = []
    for count in COUNTS:
        for name, title in NAMES.items():
            key = f"{name} {count}"
            if key in boot["run"]:
                rows.append([count, title, f"{median(boot, key) / 1000:.1f}",
                             f"{median(boot, key) / median(boot, f'floor {count}'):.2f}",
                             calls_of(boot, key), f"{median(boot, key, 4):.0f}"])
    return "## Compressed modules\n\n" + table(
        ["devices", "contender", "by instructions, ms", "/ floor", "system calls",
         "page faults"], rows) + "\n"


def idle(results):
    names = {"cmdline": "reads the command line only", "off": "binder, rd.earlybind=0",
             "sources": "reads the command line and modprobe.d only", "norule": "binder, no rule"}
    boot = results["counted"]
    return table(["", "by instructions, ms", "system calls", "page faults"],
                 [[title, f"{boot['idle'][name][0] / 1000:.2f}", calls_of(boot, f"{name} 0"),
                   sum(row[2] for row in boot["count"][f"{name} 0"])]
                  for name, title in names.items() if name in boot["idle"]])


def per_function(calls, count):
    """Nothing where the kernel's buffer was too small for the trace: its beginning is lost."""
    return f"{calls / int(count):.1f}" if calls else ""


def scale(results):
    rows = []
    for count, boot in sorted(results.get("scale", {}).items(), key=lambda item: int(item[0])):
        floor = {"binder": "reader", "list": "list-floor", "list-json": "list-floor"}
        for name, below in floor.items():
            key, base = f"{name} {count}", f"{below} {count}"
            if key not in boot["run"]:
                continue
            rows.append([f"{int(count):,}", {"binder": "binder, about none of them",
                                             "list": "earlybind list",
                                             "list-json": "earlybind list --json"}[name],
                         f"{median(boot, key) / 1000:,.0f}", f"{median(boot, base) / 1000:,.0f}",
                         f"{median(boot, key) / median(boot, base):.2f}",
                         per_function(calls_of(boot, key), count),
                         per_function(calls_of(boot, base), count),
                         f"{median(boot, key, 3):,.0f}"])
    return table(["functions", "run", "ms", "bare loop, ms", "ratio", "calls per function",
                  "bare loop", "peak KiB"], rows)


def whole_boots(results):
    """What earlybind adds to a boot, in pairs of boots that differ in it only."""
    measured = results.get("boots")
    if not measured:
        return ""
    titles = {
        ("no rule", "without"): "no rule, beside an image without earlybind",
        ("binder", "modprobe"): "two cards by earlybind, beside two cards by modprobe",
        ("two cards", "without"): "two cards by earlybind, beside none by anything",
    }
    rows = []
    for clock, name in (("counted", "instructions"), ("two", "wall time, two processors")):
        for pair, title in titles.items():
            if any(name not in measured.get(clock, {}) for name in pair):
                continue
            values = differences(measured[clock], pair)
            median_of, low, high = (value / 1000 for value in interval(values))
            whole = statistics.median(measured[clock][pair[1]]) / 1000
            rows.append([title, name, len(values), f"{median_of:+,.0f}",
                         f"{low:+,.0f} to {high:+,.0f}", f"{whole:,.0f}",
                         "yes" if low <= 0 <= high else "no"])
    sizes = measured["sizes"]
    kib = [[title, *(f"{sizes[name] / 1024:,.0f}" for name in pair)]
           for pair, title in titles.items()]
    return "## The boot as a whole\n\n" + table(
        ["compared", "clock", "pairs", "median difference, ms", "95 % interval, ms",
         "boot without, ms", "includes zero"], rows) + "\n" + table(
        ["image, KiB", "with", "without"], kib) + "\n"


def coldplug(results):
    """The processes that udev's coldplug starts, by the kind of the rule."""
    rows = [[row["kind"], f"`{row['rule']}`" if row["rule"] else "", row["functions"],
             *row["processes"], *row["lines"], row["bound"]]
            for row in results.get("coldplug", [])]
    return "## Processes at coldplug\n\n" + table(
        ["rule", "example", "functions without a driver", "processes, initramfs",
         "processes, real root", "log lines, initramfs", "log lines, real root",
         "functions bound"], rows) + "\n" if rows else ""


def counts(path):
    rows = []
    for line in path.read_text().splitlines():
        if line.startswith(("binder", "matching")):
            name, instructions, calls = line.split("\t")
            rows.append([name, f"{int(instructions):,}", f"{int(calls):,}"])
    return table(["dry run", "instructions", "system calls"], rows)


def plot(results):
    """Instructions over the number of devices, both by powers, as SVG."""
    boot, left, bottom, width, height = results["counted"], 70, 300, 420, 260
    low, high = 100, 2000


    def x_of(count):
        return left + math.log(count, 32) * width

    def y_of(value):
        return bottom - math.log(value / low) / math.log(high / low) * height

    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 350" font-family="sans-serif"'
           ' font-size="13">', '<rect width="660" height="350" fill="#ffffff"/>']
    for value in (100, 200, 500, 1000, 2000):
        out.append(f'<path d="M{left} {y_of(value):.1f}h{width}" stroke="#dddddd"/>'
                   f'<text x="{left - 8}" y="{y_of(value) + 4:.1f}" text-anchor="end">{value} ms'
                   '</text>')
    for count in COUNTS:
        out.append(f'<text x="{x_of(count):.1f}" y="{bottom + 20}" text-anchor="middle">{count}'
                   '</text>')
    out.append(f'<text x="{left + width / 2}" y="{bottom + 42}" text-anchor="middle">devices'
               '</text>')
    ends = []
    for name, title in NAMES.items():
        points = [(x_of(count), y_of(median(boot, f"{name} {count}") / 1000))
                  for count in COUNTS if f"{name} {count}" in boot["run"]]
        if not points:
            continue
        ends.append((points[-1][1], title, COLOURS[name]))
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        out.append(f'<polyline points="{text}" fill="none" stroke="{COLOURS[name]}"'
                   ' stroke-width="2"/>')
    last = bottom + 40
    for y, title, colour in sorted(ends, reverse=True):
        last = min(y, last - 16)
        out.append(f'<text x="{left + width + 8}" y="{last + 4:.1f}" fill="{colour}">{title}</text>')
    return "\n".join([*out, "</svg>", ""])


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    source, table_of_counts, page, picture = map(pathlib.Path, sys.argv[1:])
    results = json.loads(source.read_text())
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    text = [BEGIN, f"In the lab with {results['suite']}.\n",
            "## All contenders\n", contenders(results),
            "## The parts of a run: 2 devices\n", phases(results, 2),
            "## The parts of a run: 32 devices\n", phases(results, 32),
            "## Claim latency, ms\n", claim_latency(results),
            "## Nothing to do\n", idle(results),
            whole_boots(results) + coldplug(results) + compressed(results) + "## Scale\n", scale(results),
            "## Counts of dry runs\n", counts(table_of_counts)]
    page.write_text(before + "\n".join(text) + END + after)
    picture.write_text(plot(results))


if __name__ == "__main__":
    main()
