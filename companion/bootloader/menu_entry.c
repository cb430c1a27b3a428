/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "menu_entry.h"

#include <string.h>

#include "boot_entries.h"
#include "cmdline_words.h"

#define SUFFIX	 " (without earlybind)"
#define SORT_KEY "zz-earlybind"

const char menu_grub_script[] =
	"#!/bin/sh\n"
	"# Written by earlybind cmdline --menu-entry.\n"
	"# earlybind cmdline --remove takes it away.\n"
	"# The first entry of 10_linux once more, for a boot without earlybind.\n"
	"[ -x /etc/grub.d/10_linux ] || exit 0\n"
	"GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX " MENU_PARAMETER "\"\n"
	"export GRUB_CMDLINE_LINUX\n"
	"/etc/grub.d/10_linux 2>/dev/null | awk '\n"
	"!is_done && !is_in && /^[ \\t]*menuentry / {\n"
	"  is_in = 1\n"
	"  sub(/\\047 --class/, \"" SUFFIX "\\047 --class\")\n"
	"  sub(/menuentry_id_option \\047[^\\047]*\\047/,\n"
	"    \"menuentry_id_option \\047earlybind-off\\047\")\n"
	"}\n"
	"is_in { print }\n"
	"is_in && /^[ \\t]*}[ \\t]*$/ { is_in = 0; is_done = 1 }'\n"
	"exit 0\n";

struct text menu_entry_version(struct text entry)
{
	struct text line, key, value;

	while (text_cut(&entry, '\n', &line))
		if (boot_entry_line(line, &key, &value) && text_is(key, "version"))
			return value;
	return (struct text){"", 0};
}

const char *menu_entry_options(struct text entry, struct arena *arena)
{
	char *buf = arena_alloc(arena, entry.n + 1, 1);
	struct text line, key, value;
	size_t n = 0;

	if (!buf)
		return NULL;
	while (text_cut(&entry, '\n', &line)) {
		if (!boot_entry_line(line, &key, &value) || !text_is(key, "options"))
			continue;
		if (n > 0)
			buf[n++] = ' ';
		memcpy(buf + n, value.p, value.n);
		n += value.n;
	}
	buf[n] = '\0';
	return buf;
}

static bool can_boot(struct text entry)
{
	struct text line, key, value;

	while (text_cut(&entry, '\n', &line))
		if (boot_entry_line(line, &key, &value) &&
		    (text_is(key, "linux") || text_is(key, "efi") || text_is(key, "uki")))
			return true;
	return false;
}

/* The text of a copy: @buf NULL only counts. */
struct out {
	char *buf;
	size_t n;
};

static void put(struct out *out, struct text t)
{
	if (out->buf && t.n > 0)
		memcpy(out->buf + out->n, t.p, t.n);
	out->n += t.n;
}

static void put_copy(struct out *out, struct text entry)
{
	struct text line, key, value;
	bool has_title = false, has_options = false;

	while (text_cut(&entry, '\n', &line)) {
		if (line.n == 0 && !entry.p)
			break;
		if (boot_entry_line(line, &key, &value) && text_is(key, "sort-key")) {
			put(out, TEXT("sort-key " SORT_KEY "\n"));
			continue;
		}
		while (line.n > 0 && char_is_blank(line.p[line.n - 1]))
			line.n--;
		put(out, line);
		if (boot_entry_line(line, &key, &value) && !has_title &&
		    text_is(key, "title")) {
			put(out, TEXT(SUFFIX));
			has_title = true;
		} else if (boot_entry_line(line, &key, &value) && !has_options &&
			   text_is(key, "options")) {
			/* Several such lines are joined: the order does not matter. */
			put(out, TEXT(" " MENU_PARAMETER));
			has_options = true;
		}
		put(out, TEXT("\n"));
	}
	if (!has_title)
		put(out, TEXT("title Linux" SUFFIX "\n"));
	if (!has_options)
		put(out, TEXT("options " MENU_PARAMETER "\n"));
}

const char *menu_entry_copy(struct text entry, struct arena *arena)
{
	struct out out = {NULL, 0};

	if (!can_boot(entry))
		return NULL;
	put_copy(&out, entry);
	out = (struct out){arena_alloc(arena, out.n + 1, 1), 0};
	if (out.buf)
		put_copy(&out, entry);
	return out.buf;
}
