#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Draws a text as a picture of a terminal.

usage: svg.py TEXT >PICTURE.svg

The first line is the title, for those who cannot see the picture. [+...+] is green, [-...-] red,
[*...*] bold. The picture has a dark ground of its own, so it can be read on a dark and on a light
page. Each piece of text gets its width, so that columns stay columns in every font.
"""
import re
import sys
from xml.sax.saxutils import escape

WIDTH, HEIGHT, EDGE = 8.4, 19, 16  # of a character, a line, and around all
STYLES = {"+": ' fill="#7ee787"', "-": ' fill="#ff7b72"', "*": ' font-weight="bold"'}
MARK = re.compile(r"\[([-+*])(.*?)\1\]")


def pieces(line):
    """(style, text) one after the other."""
    at = 0
    for match in MARK.finditer(line):
        yield "", line[at:match.start()]
        yield STYLES[match[1]], match[2]
        at = match.end()
    yield "", line[at:]


def draw_line(line, row):
    column = 0
    for style, text in pieces(line):
        start = column + len(text) - len(text.lstrip(" "))
        column += len(text)
        text = text.strip(" ")
        if text:
            yield (f'<text x="{EDGE + start * WIDTH:.1f}" y="{EDGE + row * HEIGHT + 14}"'
                   f' textLength="{len(text) * WIDTH:.1f}"{style}>{escape(text)}</text>')


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        title, *lines = file.read().splitlines()
    columns = max(len(MARK.sub(r"\2", line)) for line in lines)
    width, height = columns * WIDTH + 2 * EDGE, len(lines) * HEIGHT + 2 * EDGE
    print(f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.0f}"'
          f' height="{height}" viewBox="0 0 {width:.0f} {height}" font-size="14"\n'
          ' font-family="ui-monospace, \'DejaVu Sans Mono\', Menlo, Consolas, monospace"'
          ' fill="#e6edf3" xml:space="preserve">')
    print(f"<title>{escape(title)}</title>")
    print('<rect width="100%" height="100%" rx="8" fill="#0d1117" stroke="#8b949e"/>')
    for row, line in enumerate(lines):
        for text in draw_line(line, row):
            print(text)
    print("</svg>")


main()
