/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table in the image's binder, line by line against the configuration. */
#include <errno.h>
#include <string.h>

#include "image_check.h"
#include "config.h"
#include "message.h"
#include "elf_table.h"
#include "table.h"

#define NAME	  "table"
#define SHOWN_MAX 8 /* lines that differ */

struct line {
	struct text origin; /* FILE:LINE */
	struct text section; /* "[profile NAME]", or empty */
	struct text text;
	bool is_matched;
};

struct lines {
	struct line *items;
	size_t count;
};

static bool is_same(struct text a, struct text b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* The file of an origin: a section ends with it, as for config_parse(). */
static struct text file_of(struct text origin)
{
	while (origin.n > 0 && origin.p[origin.n - 1] != ':')
		origin.n--;
	return origin;
}

/* The lines of a table's text, which is in its normal form. */
static int split(struct text table, struct arena *arena, struct lines *ret)
{
	struct text line, origin = {"", 0}, section = {"", 0};
	size_t count = 1;

	for (size_t i = 0; i < table.n; i++)
		count += table.p[i] == '\n';
	*ret = (struct lines){.items = arena_alloc(arena, count, sizeof(*ret->items))};
	if (!ret->items)
		return -ENOMEM;
	while (text_cut(&table, '\n', &line)) {
		if (text_has_prefix(line, "#:")) {
			struct text next =
				text_trim((struct text){line.p + 2, line.n - 2});

			if (!is_same(file_of(next), file_of(origin)))
				section = (struct text){"", 0};
			origin = next;
		} else if (line.n > 0 && line.p[0] == '[') {
			section = line;
		} else if (line.n > 0) {
			ret->items[ret->count++] =
				(struct line){origin, section, line, false};
		}
	}
	return 0;
}

/* Marks the lines that both have, in any order. */
static void match(struct lines *a, struct lines *b)
{
	size_t from = 0;

	for (size_t i = 0; i < a->count; i++) {
		/* Mostly they come in the same order. */
		for (size_t k = 0; k < b->count; k++) {
			struct line *x = &a->items[i],
				    *y = &b->items[(from + k) % b->count];

			if (y->is_matched || !is_same(x->text, y->text) ||
			    !is_same(x->section, y->section))
				continue;
			x->is_matched = y->is_matched = true;
			from = (from + k + 1) % b->count;
			break;
		}
	}
}

static bool is_same_order(const struct lines *a, const struct lines *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (!is_same(a->items[i].text, b->items[i].text) ||
		    !is_same(a->items[i].section, b->items[i].section))
			return false;
	return true;
}

static size_t count_unmatched(const struct lines *lines)
{
	size_t n = 0;

	for (size_t i = 0; i < lines->count; i++)
		n += !lines->items[i].is_matched;
	return n;
}

/* "bind 10ee:5000" (/etc/earlybind.conf:1), ... */
static const char *list_unmatched(struct check *c, const struct lines *lines)
{
	const char *list = "";
	size_t shown = 0, all = count_unmatched(lines);

	for (size_t i = 0; i < lines->count && shown < SHOWN_MAX; i++) {
		const struct line *l = &lines->items[i];

		if (l->is_matched)
			continue;
		list = check_print(c, "%s%s\"%.*s\" (%.*s)", list,
				   shown++ > 0 ? ", " : "", (int)MIN(l->text.n, 120u),
				   l->text.p, (int)MIN(l->origin.n, 120u), l->origin.p);
	}
	if (shown < all)
		list = check_print(c, "%s and %zu more", list, all - shown);
	return list;
}

/* @policy is what @wanted was made of. */
static void compare(struct check *c, struct text table, struct text wanted,
		    const struct sources *sources, const struct policy *policy)
{
	const char *where = sources_describe(sources, c->arena);
	const char *name = sources->count == 1 ? where : "the configuration";
	struct lines have, want;
	size_t missing, extra;

	table = sources_cut_recorded(table);
	if (is_same(table, wanted)) {
		if (wanted.n == 0)
			check_say(c, FINDING_PASS, NAME,
				  "it is empty, and there is no configuration");
		else
			check_say(c, FINDING_PASS, NAME, "it has the %zu rule%s of %s",
				  policy->rule_count, plural(policy->rule_count), where);
		return;
	}
	if (split(table, c->arena, &have) < 0 || split(wanted, c->arena, &want) < 0) {
		check_say(c, FINDING_UNKNOWN, NAME, "out of memory");
		return;
	}
	match(&want, &have);
	missing = count_unmatched(&want);
	extra = count_unmatched(&have);
	if (missing > 0)
		check_say(c, FINDING_FAIL, NAME,
			  "it is older than %s: the image lacks %s; run %s", name,
			  list_unmatched(c, &want), c->rebuild);
	if (extra > 0)
		check_say(c, FINDING_FAIL, NAME,
			  "it is older than %s: the image still has %s; run %s", name,
			  list_unmatched(c, &have), c->rebuild);
	if (missing + extra > 0)
		return;
	if (!is_same_order(&have, &want))
		check_say(
			c, FINDING_FAIL, NAME,
			"it is older than %s: the rules stood in another order, and the "
			"first that matches counts; run %s",
			name, c->rebuild);
	else
		check_say(
			c, FINDING_NOTE, NAME,
			"it has the rules of %s, but messages at boot will name the lines "
			"where they stood before; %s puts that right",
			name, c->rebuild);
}

/* The text of the image's table. False if it has none that can be read. */
static bool read_table(struct check *c, struct text binder, struct text *ret)
{
	const char *message = NULL;
	size_t offset;
	int r;

	if (section_find(binder, &offset, &message) == 0) {
		r = table_decode(binder.p + offset, sizeof(struct table_section), ret);
		if (r == 0)
			return true;
		message = r == -EPROTONOSUPPORT
				  ? "it is of a newer version than this program"
				  : "its checksum is wrong: no rule of it will count";
	}
	check_say(c, FINDING_FAIL, NAME, "the table is damaged: %s; run %s", message,
		  c->rebuild);
	return false;
}

/*
 * What the table would be now, without what is recorded: that is of the machine as it was then,
 * and no rule. False if none can be made, which is said.
 */
static bool encode(struct check *c, struct policy *policy, struct text *ret)
{
	const struct table_section *section;
	struct sources own = *c->sources;
	size_t length;

	if (policy_init(policy, c->arena) < 0) {
		check_say(c, FINDING_UNKNOWN, NAME, "out of memory");
		return false;
	}
	own.critical = own.known = (struct recorded){0};
	sources_parse(&own, policy);
	for (size_t i = 0; i < policy->problem_count; i++)
		if (policy->problems[i].is_error) {
			check_say(
				c, FINDING_FAIL, NAME,
				"the configuration has errors, and no image can be made "
				"until they are corrected: see earlybind embed --check");
			return false;
		}
	if (sources_encode(&own, policy, c->arena, &section, &length) < 0) {
		check_say(
			c, FINDING_FAIL, NAME,
			"no table can be made of the configuration: see earlybind embed "
			"--check");
		return false;
	}
	*ret = (struct text){section->text, length};
	return true;
}

void check_table(struct check *check, struct text binder)
{
	struct text table, wanted;
	struct policy policy;

	if (!read_table(check, binder, &table))
		return;
	config_parse(&check->policy, SOURCE_TABLE, TEXT(""), table);
	if (encode(check, &policy, &wanted))
		compare(check, table, wanted, check->sources, &policy);
}
