/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is set now, in the files of the boot loader. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmdline_command.h"
#include "files.h"
#include "grub.h"
#include "menu_entry.h"
#include "message.h"
#include "paths.h"
#include "reason.h"

int cmdline_read_file(struct cmdline_command *c, const char *path, struct text *ret)
{
	const char *file = path_below(c->arena, c->sysroot, path);
	int r;

	*ret = (struct text){NULL, 0};
	r = file ? file_read(file, c->arena, CMDLINE_FILE_MAX, ret, NULL) : -ENOMEM;
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		say_error("%s: it cannot be read: %s", path, errno_text(r));
	return r;
}

static int parse_grub(struct grub_settings *g, const char *path, struct text bytes)
{
	unsigned line = 0;
	int r = grub_parse(g, path, bytes, &line);

	if (r == -EINVAL)
		say_error(
			"%s:%u: a quote or a substitution begins here and does not end: "
			"correct it first, since no shell will read the file",
			path, line);
	else if (r < 0)
		say_error("out of memory");
	return r;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* /etc/default/grub.d/\*.cfg, in the order of the shell's names. */
static int parse_grub_folder(struct cmdline_command *c, struct grub_settings *g)
{
	const char *folder = path_below(c->arena, c->sysroot, GRUB_FOLDER);
	const char *names[GRUB_FILES_MAX];
	size_t count = 0;
	struct dirent *e;
	DIR *d = folder ? opendir(folder) : NULL;
	int r = 0;

	while (d && (e = readdir(d)) && count < GRUB_FILES_MAX) {
		size_t n = strlen(e->d_name);

		if (e->d_name[0] == '.' || n < 5 ||
		    strcmp(e->d_name + n - 4, ".cfg") != 0)
			continue;
		names[count] = arena_printf(c->arena, GRUB_FOLDER "/%s", e->d_name);
		if (names[count] && strcmp(names[count], GRUB_DROP_IN) != 0)
			count++;
	}
	if (d)
		closedir(d);
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count && r == 0; i++) {
		struct text bytes = TEXT("");

		r = cmdline_read_file(c, names[i], &bytes);
		if (r == 0)
			r = parse_grub(g, names[i], bytes);
	}
	return r;
}

static int read_grub(struct cmdline_command *c)
{
	struct grub_settings settings, own;
	struct text bytes = TEXT(""), drop_in = TEXT("");
	const char *rest, *taken = "";
	int r;

	grub_init(&settings, c->arena);
	grub_init(&own, c->arena);
	r = cmdline_read_file(c, GRUB_FILE, &bytes);
	if (r == 0)
		r = cmdline_read_file(c, GRUB_DROP_IN, &drop_in);
	if (r < 0)
		return r;
	rest = grub_without_lines(bytes, c->arena, &taken);
	if (!rest)
		return -ENOMEM;
	r = parse_grub(&settings, GRUB_FILE, text_of(rest));
	if (r == 0 && c->loader.facts.has_grub_folder)
		r = parse_grub_folder(c, &settings);
	if (r == 0)
		r = parse_grub(&own, GRUB_FILE, text_of(taken));
	if (r == 0)
		r = parse_grub(&own, GRUB_DROP_IN, drop_in);
	if (r < 0)
		return r;
	if (settings.doubt_file)
		paragraph_line(
			stdout, 0,
			"note: %s:%u sets the kernel command line in a way that is "
			"not understood: what stands there does not count here",
			settings.doubt_file, settings.doubt_line);
	c->before = settings.line;
	c->last = settings.line_default;
	c->ours = grub_unquote(own.line, c->arena);
	return c->ours ? 0 : -ENOMEM;
}

/* The words that are remembered, since the place itself does not tell whose they are. */
static int read_added(struct cmdline_command *c)
{
	struct text bytes;
	int r = cmdline_read_file(c, ADDED_FILE, &bytes);

	if (r < 0)
		return r;
	c->ours = arena_copy(c->arena, text_trim(bytes));
	return c->ours ? 0 : -ENOMEM;
}

static int read_entries(struct cmdline_command *c)
{
	const char *folder = path_below(c->arena, c->sysroot, c->loader.entries);
	DIR *d = folder ? opendir(folder) : NULL;
	struct dirent *e;

	/* One stands for all. */
	while (d && (e = readdir(d))) {
		const char *path =
			arena_printf(c->arena, "%s/%s", c->loader.entries, e->d_name);
		struct text bytes;

		if (e->d_name[0] == '.' || strcmp(e->d_name, ENTRY_NAME) == 0 || !path ||
		    cmdline_read_file(c, path, &bytes) < 0)
			continue;
		c->before = menu_entry_options(bytes, c->arena);
		if (!c->before)
			c->before = "";
	}
	if (d)
		closedir(d);
	return 0;
}

int cmdline_read_settings(struct cmdline_command *c)
{
	struct text bytes;
	int r;

	c->before = c->last = c->ours = "";
	switch (c->loader.kind) {
	case LOADER_GRUB:
	case LOADER_GRUB_FILE:
		return read_grub(c);
	case LOADER_FILE:
		r = cmdline_read_file(c, KERNEL_CMDLINE, &bytes);
		if (r < 0)
			return r;
		/* Where it is read by others than a new kernel-install, they count. */
		if (bytes.n > 0 && memchr(bytes.p, '#', bytes.n)) {
			say_error(KERNEL_CMDLINE
				  ": it has comments, which not every program "
				  "that reads it understands: take them away");
			return -EINVAL;
		}
		c->before = arena_copy(c->arena, bytes);
		return c->before ? read_added(c) : -ENOMEM;
	case LOADER_OSTREE:
		c->before = arena_copy(c->arena, c->running);
		return c->before ? read_added(c) : -ENOMEM;
	case LOADER_GRUBBY:
		r = read_entries(c);
		return r < 0 ? r : read_added(c);
	case LOADER_ENTRIES:
		return read_entries(c);
	case LOADER_UNKNOWN:
		break;
	}
	return 0;
}
