/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind import: what other tools' files say, as rules, and what can be deleted then. */
#include "import.h"

#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "message.h"
#include "options.h"
#include "reason.h"
#include "sources.h"

#define EXIT_NOTHING 3
#define NOTE_INDENT  4

struct import {
	const char *sysroot;
	bool is_json;
	bool is_dry_run;
	bool is_write;

	struct arena *arena;
	struct world *world;
	struct sources sources;
	struct policy policy; /* of the configuration alone */
	struct inventory inventory;
	struct recipes recipes;
	struct proposals proposals;
	struct text *lines; /* for the configuration */
	size_t line_count;
};

static int read_all(struct import *im)
{
	static const struct strings none;
	int r;

	if (open_world(im->sysroot, &im->world) < 0 ||
	    sources_read(im->world, im->arena, &none, &im->sources) < 0)
		return EXIT_FAILED;
	if (policy_init(&im->policy, im->arena) < 0)
		goto out_of_memory;
	sources_parse(&im->sources, &im->policy);
	/* Without a bus nothing is known of the devices, which is no failure here. */
	r = inventory_read(im->world, im->arena, recipes_filter, NULL, &im->inventory);
	if (r < 0)
		im->inventory = (struct inventory){0};
	if (recipes_read(im->world, im->sysroot, im->arena, &im->recipes) < 0 ||
	    proposals_make(&im->recipes, &im->inventory, &im->policy, im->arena,
			   &im->proposals) < 0 ||
	    proposals_write(&im->proposals, im->arena, &im->lines, &im->line_count) < 0)
		goto out_of_memory;
	world_close(im->world);
	return EXIT_OK;

out_of_memory:
	say_error("out of memory");
	return EXIT_FAILED;
}

/* ---- text -------------------------------------------------------------------------------- */

static const char *what_to_delete(const struct recipe *r)
{
	switch (r->extent) {
	case RECIPE_LINE:
		return "delete the line";
	case RECIPE_WORDS:
		return "take these words out of the line";
	case RECIPE_FILE:
		return "delete the file";
	}
	return "";
}

static void put_place(const char *file, unsigned line)
{
	put_text(stdout, text_of(file));
	if (line > 0)
		printf(":%u", line);
}

/* The rules that are not proposed, though the recipe has them. */
static void put_covered(const struct import *im, const struct recipe *r)
{
	static const char *const words[] = {
		[PROPOSAL_CONFIGURED] = "the rule is there already",
		[PROPOSAL_COVERED] = "there is a better name for what is meant",
	};

	for (size_t i = 0; i < im->proposals.count; i++) {
		const struct proposal *p = &im->proposals.items[i];
		char text[SELECTOR_SIZE];

		if (p->recipe == r && p->why)
			paragraph_line(stdout, NOTE_INDENT, "%s: %s, in %s",
				       selector_format(&p->selector, text),
				       words[p->state], p->why);
	}
}

static bool is_same_place(const struct recipe *a, const struct recipe *b)
{
	return a->line > 0 && a->line == b->line && a->extent == b->extent &&
	       strcmp(a->file, b->file) == 0;
}

static bool is_same_text(const struct recipe *a, const struct recipe *b)
{
	return a->text.n == b->text.n && memcmp(a->text.p, b->text.p, a->text.n) == 0;
}

static void put_text_of(const struct import *im, const struct recipe *r)
{
	if (r->text.n > 0)
		paragraph_line(stdout, NOTE_INDENT, "%.*s",
			       (int)MIN(r->text.n, (size_t)512), r->text.p);
	put_covered(im, r);
}

static void put_advice(const struct recipe *r)
{
	if (r->note)
		paragraph_line(stdout, NOTE_INDENT, "%s", r->note);
	if (r->fate == RECIPE_DELETE)
		paragraph_line(stdout, NOTE_INDENT, "%s%s%s", what_to_delete(r),
			       r->after ? ", " : "", r->after ? r->after : "");
}

/* A copy of what stays is no news. */
static bool is_shown(const struct recipe *r, enum recipe_fate fate)
{
	return r->fate == fate && !r->is_generated &&
	       !(fate == RECIPE_STAY && r->is_repeated);
}

static size_t count_fate(const struct import *im, enum recipe_fate fate)
{
	size_t count = 0;

	for (size_t i = 0; i < im->recipes.count; i++)
		count += is_shown(&im->recipes.items[i], fate);
	return count;
}

/* What stands in one line and has the same advice is shown together. */
static void print_fate(const struct import *im, enum recipe_fate fate, const char *title)
{
	const struct recipe *last = NULL;

	if (count_fate(im, fate) == 0)
		return;
	puts(title);
	for (size_t i = 0; i < im->recipes.count; i++) {
		const struct recipe *r = &im->recipes.items[i];
		bool is_together;

		if (!is_shown(r, fate))
			continue;
		is_together = last && is_same_place(last, r) && last->note == r->note;
		if (is_together && is_same_text(last, r))
			continue;
		if (last && !is_together)
			put_advice(last);
		if (!last || !is_same_place(last, r)) {
			put_place(r->file, r->line);
			putchar('\n');
		}
		put_text_of(im, r);
		last = r;
	}
	if (last)
		put_advice(last);
	putchar('\n');
}

static void print_rules(const struct import *im)
{
	/* Those that are written are shown when they are. */
	if (im->line_count > 0 && !im->is_write)
		puts("Rules that mean the same, for /etc/earlybind.conf:\n");
	for (size_t i = 0; i < im->line_count && !im->is_write; i++) {
		put_text(stdout, im->lines[i]);
		putchar('\n');
	}
	if (im->line_count > 0 && !im->is_write)
		putchar('\n');
}

static void print_findings(const struct import *im)
{
	if (im->recipes.finding_count == 0)
		return;
	puts("What is wrong with them:\n");
	for (size_t i = 0; i < im->recipes.finding_count; i++) {
		const struct recipe_finding *f = &im->recipes.findings[i];

		put_place(f->file, f->line);
		putchar('\n');
		paragraph_line(stdout, NOTE_INDENT, "%s", f->message);
	}
	putchar('\n');
}

static void print_text(const struct import *im)
{
	print_rules(im);
	print_findings(im);
	print_fate(im, RECIPE_DELETE,
		   "Not needed any more, once an image with the rules has booted:\n");
	print_fate(im, RECIPE_STAY, "To stay as it is:\n");
	print_fate(im, RECIPE_LOOK, "No rule could be made of this, so look at it:\n");
	printf("%zu rule%s to add, %zu finding%s, %zu to delete, %zu to stay, %zu to look "
	       "at\n",
	       im->proposals.new_count, plural(im->proposals.new_count),
	       im->recipes.finding_count, plural(im->recipes.finding_count),
	       count_fate(im, RECIPE_DELETE), count_fate(im, RECIPE_STAY),
	       count_fate(im, RECIPE_LOOK));
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void write_recipe(const struct recipe *r, struct json *json)
{
	char text[SELECTOR_SIZE];

	json_open(json, NULL, '{');
	json_put_string(json, "file", r->file);
	json_put_number(json, "line", r->line);
	json_put_text(json, "text", r->text);
	json_put_string(json, "kind", recipe_kind_name(r->kind));
	json_put_string(json, "fate", recipe_fate_name(r->fate));
	json_put_bool(json, "effective", recipe_is_effective(r));
	json_put_string(json, "note", r->note);
	json_open(json, "selectors", '[');
	for (size_t i = 0; i < r->selector_count; i++)
		json_put_string(json, NULL, selector_format(&r->selectors[i], text));
	json_close(json, ']');
	json_close(json, '}');
}

static void write_proposal(const struct proposal *p, struct json *json)
{
	static const char *const states[] = {
		[PROPOSAL_NEW] = "new",
		[PROPOSAL_CONFIGURED] = "configured",
		[PROPOSAL_COVERED] = "covered",
	};
	char text[SELECTOR_SIZE];

	json_open(json, NULL, '{');
	json_put_string(json, "selector", selector_format(&p->selector, text));
	json_put_string(json, "state", states[p->state]);
	json_put_string(json, "options", p->recipe->options);
	json_put_bool(json, "optional", p->is_optional);
	json_put_string(json, "file", p->recipe->file);
	json_put_number(json, "line", p->recipe->line);
	json_put_string(json, "covered_by", p->why);
	json_close(json, '}');
}

static int print_json(const struct import *im)
{
	const struct recipes *recipes = &im->recipes;
	struct json json;

	if (begin_json(im->arena,
		       recipes->count + recipes->finding_count + im->proposals.count,
		       &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_open(&json, "found", '[');
	for (size_t i = 0; i < recipes->count; i++)
		write_recipe(&recipes->items[i], &json);
	json_close(&json, ']');
	json_open(&json, "rules", '[');
	for (size_t i = 0; i < im->proposals.count; i++)
		write_proposal(&im->proposals.items[i], &json);
	json_close(&json, ']');
	json_open(&json, "findings", '[');
	for (size_t i = 0; i < recipes->finding_count; i++) {
		const struct recipe_finding *f = &recipes->findings[i];

		json_open(&json, NULL, '{');
		json_put_string(&json, "file", f->file);
		json_put_number(&json, "line", f->line);
		json_put_string(&json, "lint", recipe_lint_name(f->lint));
		json_put_string(&json, "message", f->message);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_close(&json, '}');
	return end_json(&json);
}

/* ---- the command ------------------------------------------------------------------------- */

/* Findings about what was not understood, and so is in no rule. */
static bool has_loss(const struct recipes *recipes)
{
	for (size_t i = 0; i < recipes->finding_count; i++) {
		enum recipe_lint lint = recipes->findings[i].lint;

		if (lint == LINT_UNREAD || lint == LINT_SYNTAX || lint == LINT_IDS)
			return true;
	}
	return recipes->is_cut;
}

static int verdict(const struct import *im)
{
	if (count_fate(im, RECIPE_LOOK) > 0 || has_loss(&im->recipes))
		return EXIT_FAILED;
	if (im->recipes.count == 0)
		return EXIT_NOTHING;
	return EXIT_OK;
}

static int import(struct import *im)
{
	int code;

	if (im->is_write && (im->is_dry_run || im->is_json)) {
		say_error("--write goes with neither --dry-run nor --json");
		return EXIT_WRONG_USAGE;
	}
	code = read_all(im);
	if (code != EXIT_OK)
		return code;
	if (im->recipes.is_cut)
		say_error("there is more than earlybind has room for: not all of it is "
			  "shown");
	if (im->is_json)
		code = print_json(im);
	else if (im->recipes.count > 0 || im->recipes.finding_count > 0)
		print_text(im);
	else
		puts("nothing found: no file of another tool passes a device through");
	if (im->is_write && im->line_count > 0) {
		putchar('\n');
		code = proposals_apply(&im->proposals, im->lines, im->line_count,
				       im->sysroot, im->arena);
	}
	return code != EXIT_OK ? code : verdict(im);
}

int command_import(int argc, char **argv, struct arena *arena)
{
	static struct import im;
	const struct option_spec options[] = {
		{"dry-run", NULL, "write nothing (the default)",
		 .ret_flag = &im.is_dry_run},
		{"json", NULL, "print JSON for scripts", .ret_flag = &im.is_json},
		{"sysroot", "DIR", "read the tree below DIR, not this machine",
		 .ret_string = &im.sysroot},
		{"write", NULL, "add the rules to /etc/earlybind.conf",
		 .ret_flag = &im.is_write},
	};
	const struct command_spec spec = {
		.name = "import",
		.synopsis = "[OPTION...]",
		.text = "Reads what is there already: vfio-pci's options, softdeps, blacklists "
			"and tricks in modprobe.d, kernel command lines in the settings and "
			"entries of boot loaders, lists of modules for the image, driverctl, "
			"Unraid, Proxmox, libvirt, Xen. Prints the rules that mean the same, "
			"what is wrong with what was found, what can be deleted once an image "
			"with the rules has booted, and what has to stay. Files of other "
			"tools are never changed.\n"
			"\n"
			"exit code: 0 all that was found is understood; 1 something could not "
			"be read or turned into a rule, or not be written; 2 wrong usage; 3 nothing was found\n",
		.example = "earlybind import --json | jq -r '.findings[].message'",
		.options = options,
		.option_count = ARRAY_SIZE(options),
	};
	int code;

	im = (struct import){.arena = arena};
	return options_parse(&spec, argc, argv, &code) ? import(&im) : code;
}
