/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind capture: a recording of the machine that --sysroot accepts. */
#include "capture.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "files.h"
#include "message.h"
#include "next_boot.h"
#include "options.h"
#include "command_output.h"
#include "reason.h"
#include "redact.h"
#include "tar_write.h"

#define DEFAULT_OUTPUT "earlybind-capture.tar"
#define TARGET_MAX     4096
#define MAC_DIGITS     12

const char *capture_print(struct capture *c, const char *format, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, format);
	text = arena_vprintf(c->arena, format, ap);
	va_end(ap);
	c->is_full = c->is_full || !text;
	return text ? text : "";
}

const char *capture_interface(struct capture *c, struct text name)
{
	struct capture_alias *alias;
	unsigned count = 0;

	/* "enx", "wlx" and so on: systemd.net-naming-scheme(7). */
	if (name.n != 3 + MAC_DIGITS || name.p[2] != 'x')
		return NULL;
	for (size_t i = 3; i < name.n; i++)
		if (char_hex(name.p[i]) < 0)
			return NULL;
	for (alias = c->interfaces; alias; alias = alias->next, count++)
		if (text_is(name, alias->name))
			return alias->shown;
	alias = arena_alloc(c->arena, 1, sizeof(*alias));
	if (!alias) {
		c->is_full = true;
		return "";
	}
	*alias = (struct capture_alias){
		.name = capture_print(c, "%.*s", (int)name.n, name.p),
		.shown = capture_print(c, "%.3s%0*u", name.p, MAC_DIGITS, count + 1),
		.next = c->interfaces,
	};
	c->interfaces = alias;
	return alias->shown;
}

/* The parts of a path that are names of interfaces become what stands for them. */
static const char *hide_interfaces(struct capture *c, const char *path)
{
	struct text rest = text_of(path), part;
	const char *shown;
	size_t done;

	while (text_cut(&rest, '/', &part)) {
		size_t skip =
			text_has_prefix(part, "upper_") || text_has_prefix(part, "lower_")
				? strlen("upper_")
				: 0;
		struct text name = {part.p + skip, part.n - skip};

		shown = capture_interface(c, name);
		if (!shown)
			continue;
		/* As long as before. */
		done = (size_t)(name.p - path) + name.n;
		path = capture_print(c, "%.*s%s%s", (int)(name.p - path), path, shown,
				     path + done);
		rest = text_of(path + done);
	}
	return path;
}

static void add(struct capture *c, enum capture_kind kind, const char *name,
		struct text bytes)
{
	struct capture_entry *e = arena_alloc(c->arena, 1, sizeof(*e));

	if (!e) {
		c->is_full = true;
		return;
	}
	*e = (struct capture_entry){kind, hide_interfaces(c, name), bytes, c->first};
	c->first = e;
	c->count++;
}

void capture_put_dir(struct capture *c, const char *name)
{
	add(c, CAPTURE_DIR, name, TEXT(""));
}

void capture_put_file(struct capture *c, const char *name, struct text bytes)
{
	add(c, CAPTURE_FILE, name, bytes);
}

void capture_put_link(struct capture *c, const char *name, const char *target)
{
	/* What leaves the tree would be another machine's. */
	if (target[0] != '/')
		add(c, CAPTURE_LINK, name, text_of(hide_interfaces(c, target)));
}

static const char *below(struct capture *c, const char *name)
{
	return capture_print(c, "%s/%s", c->sysroot ? c->sysroot : "", name);
}

bool capture_read(struct capture *c, const char *name, char **ret, size_t *ret_n)
{
	struct text bytes;
	int r = file_read(below(c, name), c->arena, CAPTURE_FILE_MAX, &bytes, NULL);

	/* Sysfs may say so too. */
	c->is_full =
		c->is_full || c->arena->size - c->arena->used <= 2 * CAPTURE_FILE_MAX;
	if (r < 0)
		return false;
	*ret = c->arena->base + (bytes.p - c->arena->base);
	*ret_n = bytes.n;
	return true;
}

const char *capture_target(struct capture *c, const char *name)
{
	char target[TARGET_MAX];
	ssize_t n = readlink(below(c, name), target, sizeof(target));

	return n < 0 || (size_t)n == sizeof(target)
		       ? NULL
		       : capture_print(c, "%.*s", (int)n, target);
}

bool capture_has(struct capture *c, const char *name)
{
	return access(below(c, name), F_OK) == 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct capture_names capture_list(struct capture *c, const char *name)
{
	DIR *d = opendir(below(c, name));
	struct capture_names names = {0};
	struct dirent *e;
	size_t max = 0;

	while (d && !c->is_full && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		if (names.count == max) {
			const char **items;

			max = max > 0 ? 2 * max : 32;
			items = arena_alloc(c->arena, max, sizeof(*items));
			if (!items) {
				c->is_full = true;
				break;
			}
			if (names.count > 0)
				memcpy(items, names.items, names.count * sizeof(*items));
			names.items = items;
		}
		names.items[names.count++] = capture_print(c, "%s", e->d_name);
	}
	if (d)
		closedir(d);
	if (names.count > 0)
		qsort(names.items, names.count, sizeof(*names.items), compare_names);
	return names;
}

void capture_copy(struct capture *c, const char *name)
{
	size_t n;
	char *p;

	if (capture_read(c, name, &p, &n))
		capture_put_file(c, name, (struct text){p, n});
}

void capture_copy_text(struct capture *c, const char *name)
{
	size_t n;
	char *p;

	if (!capture_read(c, name, &p, &n))
		return;
	redact_text(p, n, c->has_serial);
	capture_put_file(c, name, (struct text){p, n});
}

/* A folder stands before what is in it: '/' comes before all other characters. */
static int compare_entries(const void *a, const void *b)
{
	const char *x = (*(const struct capture_entry *const *)a)->name;
	const char *y = (*(const struct capture_entry *const *)b)->name;

	while (*x != '\0' && *x == *y) {
		x++;
		y++;
	}
	return (*x == '/' ? 1 : (unsigned char)*x) - (*y == '/' ? 1 : (unsigned char)*y);
}

static int put_parents(struct tar_writer *w, const char *before, const char *name)
{
	int r = 0;

	for (const char *p = strchr(name, '/'); p && r == 0; p = strchr(p + 1, '/')) {
		char folder[TARGET_MAX];
		size_t n = (size_t)(p - name);

		if (strncmp(before, name, n) == 0 &&
		    (before[n] == '/' || before[n] == '\0'))
			continue;
		if (n >= sizeof(folder))
			return -ENAMETOOLONG;
		memcpy(folder, name, n);
		folder[n] = '\0';
		r = tar_put_dir(w, folder);
	}
	return r;
}

static int put_entry(struct tar_writer *w, const struct capture_entry *e)
{
	switch (e->kind) {
	case CAPTURE_DIR:
		return tar_put_dir(w, e->name);
	case CAPTURE_FILE:
		return tar_put_file(w, e->name, e->bytes);
	case CAPTURE_LINK:
		return tar_put_link(w, e->name, e->bytes.p);
	}
	return 0;
}

static int put_all(struct capture *c, struct tar_writer *w)
{
	const struct capture_entry **entries =
		arena_alloc(c->arena, c->count, sizeof(void *));
	const char *before = "";
	size_t count = 0;
	int r = 0;

	if (!entries)
		return -ENOMEM;
	for (const struct capture_entry *e = c->first; e; e = e->next)
		entries[count++] = e;
	if (count > 0)
		qsort(entries, count, sizeof(void *), compare_entries);
	for (size_t i = 0; i < count && r == 0; i++) {
		const char *name = entries[i]->name;

		if (strcmp(before, name) == 0)
			continue;
		r = put_parents(w, before, name);
		if (r == 0)
			r = put_entry(w, entries[i]);
		before = name;
	}
	return r == 0 ? tar_put_end(w) : r;
}

static int write_file(void *arg, struct text bytes)
{
	return new_file_write(arg, bytes);
}

static int write_stdout(void *arg unused, struct text bytes)
{
	/* A failure is said when the output is closed. */
	return fwrite(bytes.p, 1, bytes.n, stdout) == bytes.n ? 0 : -EIO;
}

static int write_tar(struct capture *c)
{
	struct tar_writer w = {.put = write_stdout};
	struct new_file f;
	int r;

	if (strcmp(c->output, "-") == 0)
		return put_all(c, &w);
	r = new_file_open(&f, c->output);
	if (r < 0)
		return r;
	w = (struct tar_writer){.put = write_file, .arg = &f};
	r = put_all(c, &w);
	if (r == 0)
		return new_file_finish(&f, 0644);
	new_file_drop(&f);
	return r;
}

/* Functions that a rule names may tell more; without rules, or a machine, none does. */
static void read_rules(struct capture *c)
{
	const struct strings none = {0};
	static struct sources sources;
	static struct policy files;
	static struct run run;

	if (sources_read(c->world, c->arena, &none, &sources) < 0 ||
	    next_boot_read(c->world, c->arena, &sources, NULL, &files, &run) < 0 ||
	    run_plan(c->world, c->arena, &run) < 0)
		return;
	c->named = &run.inventory;
}

static int capture(struct capture *c)
{
	char message[REASON_MESSAGE_SIZE];
	int r;

	if (open_world(c->sysroot, &c->world) < 0)
		return EXIT_FAILED;
	r = inventory_read(c->world, c->arena, NULL, NULL, &c->inventory);
	if (r == -ENOENT) {
		say_error("%s", reason_message(REASON_NO_SYSFS, errno_text(r), message));
		return EXIT_FAILED;
	}
	if (r == 0)
		read_rules(c);
	capture_sys(c);
	capture_files(c);
	capture_modules(c);
	capture_pci_ids(c);
	r = c->is_full ? -ENOMEM : write_tar(c);
	if (r < 0) {
		say_error("%s: it cannot be written: %s", c->output, errno_text(r));
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

int command_capture(int argc, char **argv, struct arena *arena)
{
	static struct capture c;
	const struct option_spec options[] = {
		{"output", "FILE", "write to FILE, - for the standard output",
		 .ret_string = &c.output},
		{"serial", NULL, "tell serial numbers too", .ret_flag = &c.has_serial},
		{"sysroot", "DIR", "record the tree below DIR, not this machine",
		 .ret_string = &c.sysroot},
	};
	const struct command_spec spec = {
		.name = "capture",
		.synopsis = "[OPTION...]",
		.text = "Records what earlybind knows of this machine as a small tar, "
			"by default " DEFAULT_OUTPUT
			": unpacked, it is a tree for --sysroot, "
			"on which list, plan, check and status say what they say here. For a "
			"report of an error.\n"
			"\n"
			"In it are the PCI functions with their attributes, IOMMU groups, "
			"drivers, what uses them, the configuration and the report of this "
			"boot. Not in it, or blanked: serial numbers, UUIDs, names and "
			"addresses of hosts and networks, mount points of users, comments, and "
			"the values of kernel parameters that are not known to be harmless. "
			"Devices that sleep are not woken.\n"
			"\n"
			"exit code: 0 done; 1 there is no PCI bus, or the file cannot be "
			"written; 2 wrong usage\n",
		.example = "earlybind capture && tar -tvf " DEFAULT_OUTPUT,
		.options = options,
		.option_count = ARRAY_SIZE(options),
	};
	int code;

	c = (struct capture){.arena = arena, .output = DEFAULT_OUTPUT};
	return options_parse(&spec, argc, argv, &code) ? capture(&c) : code;
}
