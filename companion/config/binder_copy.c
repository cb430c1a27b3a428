/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "binder_copy.h"

#include <errno.h>
#include <string.h>

#include "elf_file.h"
#include "files.h"
#include "message.h"
#include "paths.h"
#include "reason.h"
#include "table.h"

#define BINDER_SIZE_MAX ((size_t)64 * 1024 * 1024)

int binder_read(const char *path, struct arena *arena, struct text *ret_bytes,
		size_t *ret_offset, mode_t *ret_mode)
{
	const char *message;
	int r;

	r = file_read(path, arena, BINDER_SIZE_MAX, ret_bytes, ret_mode);
	if (r == -ENOENT)
		say_error(
			"%s: there is no such file: install earlybind, or name a binder "
			"with --binder",
			path);
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

int binder_copy_configure(struct binder_copy *c, const char *sysroot,
			  const struct strings *configs, struct arena *arena)
{
	struct world *world;
	int r;

	r = open_world(sysroot, &world);
	if (r == 0)
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
	c->sources.is_without_critical = c->is_without_critical;
	c->sources.is_generic = c->is_generic;
	sources_add_critical(world, arena, &c->sources, &c->policy);
	sources_add_known(world, arena, &c->sources, &c->policy);
	return sources_encode(&c->sources, &c->policy, arena, &c->section, &c->length);
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
	size_t count = 0;
	const char *text;

	for (size_t i = 0; i < c->policy.rule_count; i++)
		count += !rule_is_recorded(&c->policy.rules[i]);
	if (c->sources.count == 0)
		return "no configuration";
	text = arena_printf(arena, "%zu rule%s from %s", count, plural(count),
			    sources_describe(&c->sources, arena));
	return text ? text : "the configuration";
}
