/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions in lines for people: by IOMMU group, and by the rule that names them. */
#include <stdio.h>
#include <string.h>

#include "companions.h"
#include "commands.h"
#include "list.h"
#include "message.h"
#include "next_boot.h"
#include "reason.h"
#include "sources.h"
#include "terminal.h"

#define INDENT 16 /* of what is behind an address */

/* Text that grows in the arena. */
static void append(struct list *l, const char **text, const char *format, ...)
	printf_like(3, 4);
static void append(struct list *l, const char **text, const char *format, ...)
{
	const char *more, *both = NULL;
	va_list ap;

	va_start(ap, format);
	more = arena_vprintf(l->arena, format, ap);
	va_end(ap);
	if (more)
		both = arena_printf(l->arena, "%s%s", *text, more);
	*text = both ? both : *text;
}

static const char *describe_driver(struct list *l, const struct listed *item)
{
	const struct pci_device *d = item->device;
	const char *text = "driver: ";
	struct text rest = text_of(item->resets), word;
	char address[BDF_SIZE];

	append(l, &text, "%s", d->driver[0] ? d->driver : "none");
	if (item->override[0])
		append(l, &text, "; override: %s", item->override);
	for (size_t i = 0; i < item->kind->modules->count; i++)
		append(l, &text, "%s%s", i == 0 ? "; modules: " : ", ",
		       item->kind->modules->names[i]);
	for (const char *join = "; reset: "; text_word(&rest, &word); join = ", ")
		append(l, &text, "%s%.*s", join, (int)word.n, word.p);
	if (d->is_boot_vga)
		append(l, &text, "; the display of the firmware");
	if (item->virtual_count > 0)
		append(l, &text, "; %u virtual function%s", item->virtual_count,
		       plural(item->virtual_count));
	if (item->is_virtual)
		append(l, &text, "; a virtual function of %s",
		       bdf_format(item->physical, address));
	return text;
}

static enum style usage_style(const struct usage *u)
{
	return u->is_critical ? STYLE_BAD : u->is_in_use ? STYLE_CAREFUL : STYLE_PLAIN;
}

/* What is in use, or what is not. */
static void put_usages(const struct listed *item, bool is_in_use)
{
	struct paragraph p = {stdout, INDENT, INDENT, false};
	size_t left = 0;

	for (size_t i = 0; i < item->usage_count; i++)
		left += item->usages[i].is_in_use == is_in_use;
	if (left == 0)
		return;
	printf("%*s", INDENT, "");
	paragraph_add(&p, is_in_use ? "used by:" : "idle:");
	for (size_t i = 0; i < item->usage_count; i++) {
		const struct usage *u = &item->usages[i];

		if (u->is_in_use != is_in_use)
			continue;
		put_style(stdout, usage_style(u));
		paragraph_add(&p, "%s (%s)%s", u->name, u->what, --left > 0 ? "," : "");
		put_style(stdout, STYLE_PLAIN);
	}
	paragraph_end(&p);
}

void list_put_device(struct list *l, struct listed *item)
{
	const struct pci_device *d = item->device;
	struct paragraph p = {stdout, INDENT, INDENT, false};
	const struct kind *kind;
	char address[BDF_SIZE], rev[16] = "";

	list_look(l, item);
	kind = item->kind;
	if (item->revision > 0)
		snprintf(rev, sizeof(rev), " (rev %02x)", item->revision);
	put_style(stdout, STYLE_HEAD);
	printf("  %-*s ", INDENT - 3, bdf_format(d->bdf, address));
	put_style(stdout, STYLE_PLAIN);
	paragraph_add(&p, "%s [%04x]: %s%s", kind->class ? kind->class : "",
		      d->ids.class >> 8, kind->name, rev);
	paragraph_end(&p);
	if (kind->subsystem)
		paragraph_line(stdout, INDENT, "subsystem: %s", kind->subsystem);
	if (item->names[0])
		paragraph_line(stdout, INDENT, "named by: %s", item->names);
	if (item->twins[0])
		paragraph_line(stdout, INDENT, "same ID: %s", item->twins);
	paragraph_line(stdout, INDENT, "%s", describe_driver(l, item));
	put_usages(item, true);
	put_usages(item, false);
}

/* ---- by group ----------------------------------------------------------------------------- */

static void put_headline(const struct list *l, const struct list_group *g)
{
	char message[REASON_MESSAGE_SIZE];
	struct paragraph p = {stdout, 0, 4, false};

	put_style(stdout, STYLE_HEAD);
	if (g->id != NO_GROUP)
		paragraph_add(&p, "IOMMU group %d:", g->id);
	else if (l->inventory.iommu.is_on)
		paragraph_add(&p, "no IOMMU group");
	else
		paragraph_add(&p, "no IOMMU group: %s",
			      reason_message(REASON_IOMMU_OFF,
					     iommu_why_off(&l->inventory.iommu, l->arena),
					     message));
	put_style(stdout, STYLE_PLAIN);
	if (g->id != NO_GROUP && g->bridge_count == g->count && g->blocker_count == 0) {
		paragraph_add(&p, "only bridges");
	} else if (g->id != NO_GROUP && g->blocker_count == 0) {
		put_style(stdout, STYLE_GOOD);
		paragraph_add(&p, "viable");
	} else if (g->id != NO_GROUP) {
		put_style(stdout, STYLE_CAREFUL);
		paragraph_add(&p, "not viable:");
		put_style(stdout, STYLE_PLAIN);
		if (g->count == 1)
			paragraph_add(&p, "the host has it");
		else
			paragraph_add(&p, "the host has %zu of %zu functions",
				      g->blocker_count, g->count);
	}
	put_style(stdout, STYLE_PLAIN);
	paragraph_end(&p);
}

void list_print_groups(struct list *l)
{
	for (size_t i = 0; i < l->group_count; i++) {
		const struct list_group *g = &l->groups[i];
		bool has_headline = false;

		for (size_t k = g->first; k < g->first + g->count; k++) {
			if (!l->by_group[k]->is_shown)
				continue;
			if (!has_headline)
				put_headline(l, g);
			has_headline = true;
			list_put_device(l, l->by_group[k]);
		}
	}
}

/* ---- by rule ------------------------------------------------------------------------------ */

static void put_rule(const struct rule *rule, bool has_device)
{
	struct paragraph p = {stdout, 0, 4, false};
	char origin[ORIGIN_SIZE];

	put_style(stdout, STYLE_HEAD);
	paragraph_add(&p, "%s %.*s", rule_kind_name(rule->kind), (int)rule->text.n,
		      rule->text.p);
	put_style(stdout, STYLE_PLAIN);
	paragraph_add(&p, "(%s)%s", origin_format(&rule->origin, origin),
		      has_device ? "" : ": names no function");
	paragraph_end(&p);
}

int list_print_rules(struct list *l)
{
	static struct sources sources;
	static struct run run;
	const struct strings none = {.count = 0};
	bool *is_named = arena_alloc(l->arena, l->inventory.count, sizeof(*is_named));
	struct policy files;
	struct along *along;
	size_t left = 0;

	if (!is_named) {
		say_error("out of memory");
		return EXIT_FAILED;
	}
	if (sources_read(l->world, l->arena, &none, &sources) < 0 ||
	    next_boot_read(l->world, l->arena, &sources, NULL, &files, &run) < 0)
		return EXIT_FAILED;
	(void)sources_print_problems(&sources, &run.policy);
	/* What comes along is told by what is known: all that rules ask for. */
	for (size_t r = 0; policy_has_any_with(&run.policy) && r < run.policy.rule_count;
	     r++)
		for (size_t i = 0; i < l->inventory.count; i++)
			(void)list_has_match(l, &run.policy.rules[r].selector,
					     l->items[i].device);
	if (along_find(&run.policy, &l->inventory, NULL, l->arena, &along) < 0) {
		say_error("out of memory");
		return EXIT_FAILED;
	}
	for (size_t r = 0; r < run.policy.rule_count; r++) {
		const struct rule *rule = &run.policy.rules[r];
		bool has_device = false, has_match = false;

		if (!policy_has_rule_active(&run.policy, rule))
			continue;
		for (size_t i = 0; i < l->inventory.count; i++) {
			bool is_along = along && along[i].rule == rule &&
					!along[i].is_named && !along[i].is_kept;

			if (!is_along &&
			    !list_has_match(l, &rule->selector, l->items[i].device))
				continue;
			has_match = is_named[i] = true;
			if (!l->items[i].is_shown)
				continue;
			if (!has_device)
				put_rule(rule, true);
			has_device = true;
			list_put_device(l, &l->items[i]);
		}
		if (!has_match && l->words.count == 0)
			put_rule(rule, false);
	}
	for (size_t i = 0; i < l->inventory.count; i++) {
		if (is_named[i] || !l->items[i].is_shown)
			continue;
		if (left++ == 0) {
			put_style(stdout, STYLE_HEAD);
			puts("no rule names these");
			put_style(stdout, STYLE_PLAIN);
		}
		list_put_device(l, &l->items[i]);
	}
	return EXIT_OK;
}
