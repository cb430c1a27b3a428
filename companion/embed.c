/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind embed: the configuration into a copy of the binder. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "files.h"
#include "message.h"
#include "output.h"
#include "paths.h"
#include "reason.h"
#include "section.h"
#include "sources.h"
#include "table.h"

#define BINDER_SIZE_MAX ((size_t)64 * 1024 * 1024)

struct embed {
	struct strings configs;
	const char *binder;
	const char *output;
	const char *sysroot;
	const char *show;
	bool is_check;

	struct arena *arena;
	struct sources sources;
	struct policy policy;
};

/* The binder's file and where its table is. Says what is wrong. */
static int read_binder(const char *path, struct arena *arena, struct text *ret_bytes,
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

static int show(const char *path, struct arena *arena)
{
	struct text bytes, table;
	size_t offset;
	int r;

	if (read_binder(path, arena, &bytes, &offset, NULL) < 0)
		return EXIT_FAILED;
	r = table_decode(bytes.p + offset, sizeof(struct table_section), &table);
	if (r < 0) {
		say_error("%s: %s", path,
			  r == -EPROTONOSUPPORT
				  ? "its table is of a newer version than this program"
				  : "its table is damaged: embed it again");
		return EXIT_FAILED;
	}
	fwrite(table.p, 1, table.n, stdout);
	if (table.n == 0)
		say_error("%s: its table is empty", path);
	return EXIT_OK;
}

static int embed(struct embed *e)
{
	const char *binder =
		e->binder ? e->binder : path_below(e->arena, e->sysroot, BINDER_PATH);
	size_t count = e->policy.rule_count, offset, length;
	const struct table_section *section;
	struct text bytes;
	mode_t mode;
	int r;

	if (!binder ||
	    sources_encode(&e->sources, &e->policy, e->arena, &section, &length) < 0)
		return EXIT_FAILED;
	if (e->is_check)
		return EXIT_OK;
	if (read_binder(binder, e->arena, &bytes, &offset, &mode) < 0)
		return EXIT_FAILED;
	memcpy(e->arena->base + (bytes.p - e->arena->base) + offset, section,
	       sizeof(*section));
	r = file_replace(e->output, bytes, mode);
	if (r < 0) {
		say_error("%s: it cannot be written: %s", e->output, errno_text(r));
		return EXIT_FAILED;
	}
	if (e->sources.count == 0)
		printf("no configuration: empty table embedded in ");
	else
		printf("%zu rule%s from %s embedded in ", count, plural(count),
		       sources_describe(&e->sources, e->arena));
	printf("%s (%zu of %d bytes)\n", e->output, length, TABLE_CAPACITY);
	return EXIT_OK;
}

int command_embed(int argc, char **argv, struct arena *arena)
{
	static struct embed e;
	const struct option_spec options[] = {
		{"config", "FILE", "read FILE, not /etc/earlybind.conf; may be repeated",
		 .ret_strings = &e.configs},
		{"binder", "FILE", "the binder to copy (" BINDER_PATH ")",
		 .ret_string = &e.binder},
		{"output", "FILE", "where the copy goes; may be the binder itself",
		 .ret_string = &e.output},
		{"check", NULL, "only validate the configuration",
		 .ret_flag = &e.is_check},
		{"show", "FILE", "print the table of a binder", .ret_string = &e.show},
		{"sysroot", "DIR", "read DIR/etc and DIR" BINDER_PATH,
		 .ret_string = &e.sysroot},
	};
	const struct command_spec spec = {
		.name = "embed",
		.synopsis = "--output FILE [OPTION...]",
		.text = "Validates the configuration and writes a copy of the binder that "
			"carries it, as the hooks of the initramfs do. An error in the "
			"configuration is shown with its place, and nothing is written. "
			"Without any configuration the table is empty.\n"
			"\n"
			"exit code: 0 done; 1 the configuration is wrong, or a file cannot be "
			"read or written; 2 wrong usage\n",
		.example = "earlybind embed --check",
		.options = options,
		.option_count = ARRAY_SIZE(options),
	};
	struct world *world;
	int code;

	e = (struct embed){.arena = arena};
	if (!options_parse(&spec, argc, argv, &code))
		return code;
	if (e.show)
		return show(e.show, arena);
	if (!e.output && !e.is_check) {
		say_error(
			"embed: say where the copy goes with --output FILE, or use --check");
		return EXIT_WRONG_USAGE;
	}
	if (open_world(e.sysroot, &world) < 0 ||
	    sources_read(world, arena, &e.configs, &e.sources) < 0)
		return EXIT_FAILED;
	if (policy_init(&e.policy, arena) < 0) {
		say_error("out of memory");
		return EXIT_FAILED;
	}
	sources_parse(&e.sources, &e.policy);
	if (sources_print_problems(&e.sources, &e.policy))
		return EXIT_FAILED;
	return embed(&e);
}
