/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "binder_copy.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "arena.h"
#include "compiler.h"
#include "config.h"
#include "edit_file.h"
#include "elf_file.h"
#include "files.h"
#include "message.h"
#include "paths.h"
#include "reason.h"
#include "table.h"
#include "text.h"

/* ---- the last valid rules --------------------------------------------------------------- */

#define EARLIER_DATE_SIZE 16

#define OLD_MAX ((size_t)1024 * 1024) /* of another version, or damaged */

static int check(const void *arg unused, struct text bytes)
{
	struct text table;

	return table_decode(bytes.p, bytes.n, &table);
}

/*
 * The rules that were kept, and the day. -ENOENT: there are none; anything else: the file is
 * damaged or cannot be read.
 */
static int earlier_rules_read(struct arena *arena, const char *sysroot, struct text *ret,
			      char ret_date[static EARLIER_DATE_SIZE])
{
	const char *path = path_below(arena, sysroot, EARLIER_RULES_FILE);
	struct text bytes;
	struct stat st;
	struct tm tm;
	int r;

	*ret = (struct text){"", 0};
	if (!path)
		return -ENOMEM;
	if (stat(path, &st) < 0)
		return -errno;
	/* A pipe would have us wait. */
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	r = file_read(path, arena, sizeof(struct table_section), &bytes, NULL);
	if (r == 0)
		r = table_decode(bytes.p, bytes.n, ret);
	if (r < 0)
		return r;
	/* Of the file, not of today: the same rules give the same image. */
	if (!gmtime_r(&st.st_mtime, &tm) ||
	    strftime(ret_date, EARLIER_DATE_SIZE, "%Y-%m-%d", &tm) == 0)
		return -EBADMSG;
	return 0;
}

/*
 * Keeps the rules, @table without what is recorded of the machine, below @sysroot (NULL for /).
 * What is there already is not written again. A disk that is full or read-only is no reason to
 * stop anything: then they are not kept.
 */
static void earlier_rules_keep(struct arena *arena, const char *sysroot,
			       struct text table)
{
	const struct edit_file f = {.name = EARLIER_RULES_FILE,
				    .sysroot = sysroot,
				    .mode = 0644,
				    .check = check};
	struct table_section *section = arena_alloc(arena, 1, sizeof(*section));
	char date[EARLIER_DATE_SIZE];
	struct text old;
	int r, lock;

	if (!section || table_encode(table, section) < 0)
		return;
	if (earlier_rules_read(arena, sysroot, &old, date) == 0 &&
	    text_is_same(old, table))
		return;
	if (edit_lock(sysroot, EDIT_WAIT_SECONDS, &lock) < 0)
		return;
	r = edit_file_read(&f, arena, OLD_MAX, &old);
	if (r == 0)
		r = edit_file_replace(
			&f, old, (struct text){(const char *)section, sizeof(*section)},
			arena);
	lock_release(&lock);
	(void)r;
}

#define BINDER_SIZE_MAX ((size_t)64 * 1024 * 1024)

/* ---- the copy --------------------------------------------------------------------------- */

int binder_read(const char *path, struct arena *arena, struct text *ret_bytes,
		size_t *ret_offset, mode_t *ret_mode)
{
	const char *message;
	int r;

	r = file_read(path, arena, BINDER_SIZE_MAX, ret_bytes, ret_mode);
	if (r == -ENOENT)
		say_error("%s: there is no such file: install earlybind", path);
	else if (r < 0)
		say_error("%s: it cannot be read: %s", path,
			  r == -E2BIG ? "it is too large for a binder" : errno_text(r));
	if (r < 0)
		return r;
	r = section_find(*ret_bytes, ret_offset, &message);
	if (r < 0)
		say_error("%s: %s", path, message);
	return r;
}

static void add_recorded(struct binder_copy *c, struct world *world, struct arena *arena)
{
	c->sources.is_without_critical = c->is_without_critical;
	c->sources.is_generic = c->is_generic;
	sources_add_critical(world, arena, &c->sources, &c->policy);
	sources_add_known(world, arena, &c->sources, &c->policy);
}

static int configure(struct binder_copy *c, struct world *world,
		     const struct strings *configs, struct arena *arena)
{
	int r;

	r = sources_read(world, arena, configs, &c->sources);
	if (r < 0)
		return r;
	r = policy_init(&c->policy, arena);
	if (r < 0) {
		say_error("out of memory");
		return r;
	}
	sources_parse(&c->sources, &c->policy);
	if (sources_print_problems(&c->sources, &c->policy))
		return -EINVAL;
	add_recorded(c, world, arena);
	return sources_encode(&c->sources, &c->policy, arena, &c->section, &c->length);
}

/* "/etc/earlybind.conf:2:1: unknown word": the first error of the configuration. */
static const char *find_reason(const struct binder_copy *c, struct arena *arena)
{
	const char *text = NULL;
	char where[ORIGIN_SIZE];

	for (size_t i = 0; i < c->policy.problem_count && !text; i++) {
		const struct problem *p = &c->policy.problems[i];

		if (p->is_error)
			text = arena_printf(arena, "%s: %s",
					    origin_format(&p->origin, where), p->message);
	}
	return text ? text
		    : "the configuration cannot be read, or the table has no room for it";
}

/* Adds what is recorded of the machine, where there is room. */
static void append(struct recorded *recorded, char *buf, size_t size, struct text *table)
{
	int n = config_normalise(TEXT(RECORDED), recorded->lines, buf + table->n,
				 size - table->n);

	if (n >= 0 && table->n + (size_t)n <= TABLE_CAPACITY)
		table->n += (size_t)n;
	else
		recorded->is_left_out = true;
}

/* The last valid rules in the place of the configuration. */
static int take_earlier(struct binder_copy *c, struct world *world, const char *sysroot,
			struct arena *arena)
{
	const size_t size = (size_t)4 * TABLE_CAPACITY;
	const char *reason = find_reason(c, arena), *which;
	struct table_section *section = arena_alloc(arena, 1, sizeof(*section));
	char *buf = arena_alloc(arena, size, 1);
	char date[EARLIER_DATE_SIZE] = "";
	struct text table;
	int r = earlier_rules_read(arena, sysroot, &table, date);

	if (r < 0 && r != -ENOENT)
		say_error(EARLIER_RULES_FILE ": it cannot be used: %s",
			  r == -EBADMSG ? "it is damaged" : errno_text(r));
	if (!section || !buf || policy_init(&c->policy, arena) < 0)
		return -ENOMEM;
	memcpy(buf, table.p, table.n);
	table.p = buf;
	which = date[0] ? arena_printf(arena, "the rules of %s", date) : "no rules";
	c->sources.critical = c->sources.known = (struct recorded){0};
	config_parse(&c->policy, SOURCE_TABLE, TEXT(""), table);
	add_recorded(c, world, arena);
	append(&c->sources.critical, buf, size, &table);
	append(&c->sources.known, buf, size, &table);
	r = table_encode(table, section);
	c->section = section;
	c->length = table.n;
	c->mark = which ? arena_printf(arena, "%s\n%s\n", reason, which) : NULL;
	if (r == 0 && !c->mark)
		r = -ENOMEM;
	if (r == 0)
		say_error("the configuration has errors (above), and this image gets %s: "
			  "correct it, then run earlybind apply",
			  which);
	return r;
}

int binder_copy_configure(struct binder_copy *c, const char *sysroot,
			  const struct strings *configs, struct arena *arena)
{
	struct world *world;
	int r;

	r = open_world(sysroot, &world);
	if (r < 0)
		return r;
	r = configure(c, world, configs, arena);
	if (!c->is_image_build)
		return r;
	if (r < 0)
		return take_earlier(c, world, sysroot, arena);
	if (configs->count == 0)
		earlier_rules_keep(
			arena, sysroot,
			sources_cut_recorded((struct text){c->section->text, c->length}));
	return 0;
}

int binder_copy_load(struct binder_copy *c, const char *sysroot, const char *path,
		     struct arena *arena)
{
	size_t offset;
	int r;

	if (!path)
		path = path_below(arena, sysroot, BINDER_PATH);
	if (!path) {
		say_error("out of memory");
		return -ENOMEM;
	}
	r = binder_read(path, arena, &c->bytes, &offset, &c->mode);
	if (r == 0)
		memcpy(arena->base + (c->bytes.p - arena->base) + offset, c->section,
		       sizeof(*c->section));
	return r;
}

const char *binder_copy_describe(const struct binder_copy *c, struct arena *arena)
{
	size_t count = sources_count_rules(&c->policy);
	const char *text;

	if (c->sources.count == 0)
		return "no configuration";
	text = arena_printf(arena, "%zu rule%s from %s", count, plural(count),
			    sources_describe(&c->sources, arena));
	return text ? text : "the configuration";
}
