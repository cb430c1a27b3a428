/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind embed: the configuration into a copy of the binder. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "binder_copy.h"
#include "commands.h"
#include "files.h"
#include "message.h"
#include "modules.h"
#include "paths.h"
#include "reason.h"
#include "table.h"

struct embed {
	struct strings configs;
	const char *binder;
	const char *output;
	const char *sysroot;
	const char *show;
	const char *modules;
	bool is_check;
	bool is_verbose;

	struct arena *arena;
	struct binder_copy binder_copy;
};

/* Text of a file, such as the table of somebody's image: its lines, made safe. */
static void say_lines(struct text rest)
{
	struct text line;

	while (rest.n > 0 && text_cut(&rest, '\n', &line)) {
		put_text(stdout, line);
		putchar('\n');
	}
}

static int show(const char *path, struct arena *arena)
{
	struct text bytes, table;
	size_t offset;
	int r;

	if (binder_read(path, arena, &bytes, &offset, NULL) < 0)
		return EXIT_FAILED;
	r = table_decode(bytes.p + offset, sizeof(struct table_section), &table);
	if (r < 0) {
		say_error("%s: %s", path,
			  r == -EPROTONOSUPPORT
				  ? "its table is of a newer version than this program"
				  : "its table is damaged: embed it again");
		return EXIT_FAILED;
	}
	say_lines(table);
	if (table.n == 0)
		say_error("%s: its table is empty", path);
	return EXIT_OK;
}

static void say_recorded(const struct embed *e)
{
	const struct sources *sources = &e->binder_copy.sources;

	say_lines(sources->critical.lines);
	say_lines(sources->known.lines);
	if (sources->is_generic)
		puts("nothing is recorded, as was asked for");
	else if (e->binder_copy.policy.ignore_recorded || sources->is_without_critical)
		puts("nothing is recorded as critical, as was asked for");
	else if (sources->critical.why)
		printf("%s: %s\n",
		       sources->critical.count > 0
			       ? "not all that is critical is recorded"
			       : "nothing is recorded as critical",
		       sources->critical.why);
	if (sources->known.why)
		printf("%s: %s\n",
		       sources->known.count > 0 ? "the IDs of some cards are not recorded"
						: "no ID of a card is recorded",
		       sources->known.why);
}

/* The mark in /etc of the image, or nothing; a line where there are rules. */
static int finish_image(struct embed *e)
{
	const struct binder_copy *c = &e->binder_copy;
	const char *slash = strrchr(e->output, '/');
	const char *mark =
		arena_printf(e->arena, "%.*s" EARLIER_MARK_NAME,
			     slash ? (int)(slash - e->output + 1) : 0, e->output);
	char *way = mark ? arena_copy(e->arena, text_of(mark)) : NULL;
	int r = way ? 0 : -ENOMEM;

	if (r == 0 && c->mark)
		r = folders_make(way, slash ? (size_t)(slash - e->output) : 0);
	if (r == 0 && c->mark)
		r = file_replace(mark, text_of(c->mark), 0644);
	else if (r == 0 && unlink(mark) < 0 && errno != ENOENT)
		r = -errno;
	if (r < 0)
		say_error("%s: it cannot be written: %s", mark ? mark : EARLIER_MARK_NAME,
			  errno_text(r));
	if (!c->mark && c->policy.rule_count > 0) {
		fputs("I: earlybind: ", stdout);
		put_text(stdout, text_of(binder_copy_describe(c, e->arena)));
		putchar('\n');
	}
	return EXIT_OK;
}

static int embed(struct embed *e)
{
	struct binder_copy *c = &e->binder_copy;
	int r;

	if (binder_copy_load(c, e->sysroot, e->binder, e->arena) < 0)
		return EXIT_FAILED;
	r = file_replace(e->output, c->bytes, c->mode);
	if (r < 0) {
		say_error("%s: it cannot be written: %s", e->output, errno_text(r));
		return EXIT_FAILED;
	}
	if (c->is_image_build)
		return finish_image(e);
	put_text(stdout, text_of(binder_copy_describe(c, e->arena)));
	fputs(c->sources.count > 0 ? " embedded in "
	      : c->length > 0	   ? ": no rule embedded in "
				   : ": empty table embedded in ",
	      stdout);
	put_text(stdout, text_of(e->output));
	printf(" (%zu of %d bytes)\n", c->length, TABLE_CAPACITY);
	if (c->sources.critical.count > 0)
		printf("%zu critical device%s of this machine recorded\n",
		       c->sources.critical.count, plural(c->sources.critical.count));
	if (c->sources.known.count > 0)
		printf("%zu rule%s without a device ID: the present ID of the card is "
		       "recorded\n",
		       c->sources.known.count, plural(c->sources.known.count));
	if (c->sources.critical.is_left_out || c->sources.known.is_left_out)
		say_error("not recorded: %s%s%s: the rules leave no room in the table",
			  c->sources.critical.is_left_out ? "the critical devices" : "",
			  c->sources.critical.is_left_out && c->sources.known.is_left_out
				  ? " and "
				  : "",
			  c->sources.known.is_left_out ? "the IDs of cards" : "");
	if (e->is_verbose)
		say_recorded(e);
	return EXIT_OK;
}

/* The modules that an image needs, for the hooks. */
static int print_modules(struct embed *e)
{
	struct strings names;
	struct world *world;
	int r = open_world(e->sysroot, &world);

	if (r == 0 &&
	    needs_find(e->binder_copy.is_generic ? NULL : world, &e->binder_copy.policy,
		       e->modules, e->arena, &names) < 0) {
		say_error("out of memory");
		r = -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < names.count; i++)
		say_lines(text_of(names.items[i]));
	return r < 0 ? EXIT_FAILED : EXIT_OK;
}

static const char embed_text[] =
	"Validates the configuration and writes a copy of the binder that "
	"carries it, as the hooks of the initramfs do. An error in the "
	"configuration is shown with its place, and nothing is written. "
	"Without any configuration the table is empty.\n"
	"\n"
	"Functions that the machine cannot do without (root, swap, boot network, "
	"the keyboard of its console) are recorded as critical: at boot no rule "
	"takes them without an allow=. \"option critical=none\" in the "
	"configuration, or --no-critical, switches that off. For a card that a "
	"rule names only by its place or serial number, its ID is recorded: a "
	"boot can say then that the card was reflashed. For an image that goes "
	"to other machines too there is --generic.\n"
	"\n"
	"With --modules nothing is written: it says which modules must be in an "
	"image: vfio's, those of driver=NAME, and for driver=auto the "
	"variants of vfio-pci for the functions of this machine, or with "
	"--generic all variants.\n"
	"\n"
	"The hooks give --image-build. An error in the configuration is a warning "
	"then: the image gets the last valid rules of this machine, or none, and "
	"a file in the image says so.\n"
	"\n"
	"exit code: 0 done; 1 the configuration is wrong, or a file cannot be "
	"read or written; 2 wrong usage\n";

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
		{"generic", NULL, "the image is for other machines too: record nothing",
		 .ret_flag = &e.binder_copy.is_generic},
		{"image-build", NULL,
		 "for hooks: take the last valid rules if there are errors",
		 .ret_flag = &e.binder_copy.is_image_build},
		{"no-critical", NULL, "do not record what this machine cannot do without",
		 .ret_flag = &e.binder_copy.is_without_critical},
		{"verbose", NULL, "say what is recorded, or why nothing is",
		 .ret_flag = &e.is_verbose},
		{"modules", "DIR",
		 "print the modules that the rules need of the kernel in DIR",
		 .ret_string = &e.modules},
		{"show", "FILE", "print the table of a binder", .ret_string = &e.show},
		{"sysroot", "DIR", "read DIR/etc and DIR" BINDER_PATH,
		 .ret_string = &e.sysroot},
	};
	const struct command_spec spec = {
		.name = "embed",
		.synopsis = "--output FILE [OPTION...]",
		.text = embed_text,
		.example = "earlybind embed --check",
		.options = options,
		.option_count = ARRAY_SIZE(options),
	};
	int code;

	e = (struct embed){.arena = arena};
	if (!options_parse(&spec, argc, argv, &code))
		return code;
	if (e.show)
		return show(e.show, arena);
	if (!e.output && !e.is_check && !e.modules) {
		say_error(
			"embed: say where the copy goes with --output FILE, or use --check");
		return EXIT_WRONG_USAGE;
	}
	if (e.binder_copy.is_image_build)
		say_as_warnings();
	if (e.modules)
		e.binder_copy.is_without_critical = true;
	if (binder_copy_configure(&e.binder_copy, e.sysroot, &e.configs, arena) < 0)
		return EXIT_FAILED;
	if (e.modules)
		return print_modules(&e);
	return e.is_check ? EXIT_OK : embed(&e);
}
