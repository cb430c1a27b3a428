/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_COLUMNS 76
#define CONSOLE_COMMENT	 "# the console: it is refused without the option allow=console"

struct maker {
	const struct recipes *recipes;
	const struct inventory *inventory;
	const struct policy *policy;
	struct arena *arena;
	struct proposals *proposals;
};

static bool has_match(const struct selector *s, const struct pci_device *d)
{
	return recipe_has_match(
		&(struct recipe){.selectors = (struct selector *)s, .selector_count = 1},
		d);
}

static size_t count_matches(const struct maker *m, const struct selector *s)
{
	size_t count = 0;

	for (size_t i = 0; i < m->inventory->count; i++)
		count += has_match(s, &m->inventory->devices[i]);
	return count;
}

/* The claim that a place and an ID belong together, from the devices that are there. */
static void add_claim(const struct maker *m, struct selector *s)
{
	bool is_several = s->any_function || s->path.any_function;
	const struct pci_device *first = NULL;
	struct pci_match id = {PCI_ANY, PCI_ANY, PCI_ANY, PCI_ANY, 0, 0};

	for (size_t i = 0; i < m->inventory->count; i++) {
		const struct pci_device *d = &m->inventory->devices[i];

		if (!has_match(s, d))
			continue;
		if (first && first->ids.vendor != d->ids.vendor)
			return;
		is_several |= first != NULL;
		first = first ? first : d;
	}
	if (!first || (s->terms & TERM_ID))
		return;
	id.vendor = first->ids.vendor;
	if (!is_several)
		id.device = first->ids.device;
	s->terms |= TERM_ID;
	s->id = id;
}

static bool names_device(const struct recipe *r, enum recipe_kind kind,
			 const struct pci_device *d)
{
	return r->kind == kind && recipe_is_effective(r) && recipe_has_match(r, d);
}

/* Whether a device is named by its address somewhere, and by which recipe. */
static const struct recipe *find_address(const struct maker *m,
					 const struct pci_device *d)
{
	for (size_t i = 0; i < m->recipes->count; i++)
		if (names_device(&m->recipes->items[i], RECIPE_ADDRESS, d))
			return &m->recipes->items[i];
	return NULL;
}

/* Whether an ID that no other device has names the device. */
static const struct recipe *find_own_id(const struct maker *m, const struct pci_device *d)
{
	for (size_t i = 0; i < m->recipes->count; i++) {
		const struct recipe *r = &m->recipes->items[i];

		for (size_t k = 0; k < r->selector_count; k++)
			if (r->kind == RECIPE_IDS && recipe_is_effective(r) &&
			    has_match(&r->selectors[k], d) &&
			    count_matches(m, &r->selectors[k]) == 1)
				return r;
	}
	return NULL;
}

/*
 * An ID of several devices gives way to the address of one of them; an address to an ID that
 * only its device has.
 */
static const struct recipe *find_better(const struct maker *m, const struct proposal *p)
{
	bool is_id = p->recipe->kind == RECIPE_IDS;
	const struct recipe *better = NULL;
	size_t count = count_matches(m, &p->selector);

	if (is_id && count < 2)
		return NULL;
	for (size_t i = 0; i < m->inventory->count; i++) {
		const struct pci_device *d = &m->inventory->devices[i];

		if (!has_match(&p->selector, d))
			continue;
		better = is_id ? find_address(m, d) : find_own_id(m, d);
		if (is_id ? better != NULL : better == NULL)
			return better;
	}
	return better;
}

static const char *origin_of(const struct maker *m, const struct recipe *r)
{
	if (r->line == 0)
		return r->file;
	return arena_printf(m->arena, "%s:%u", r->file, r->line);
}

/* A rule of the configuration with the same selector, or for the same address. */
static const struct rule *find_rule(const struct maker *m, const struct selector *s)
{
	for (size_t i = 0; i < m->policy->rule_count; i++) {
		const struct rule *rule = &m->policy->rules[i];
		struct selector other = rule->selector;

		if (rule->kind != RULE_BIND || rule->profile.n > 0)
			continue;
		if (selector_is_same(&other, s))
			return rule;
		if ((s->terms & other.terms & TERM_ADDRESS) &&
		    selector_is_address_of(&other, s->address) &&
		    (other.any_function || !s->any_function))
			return rule;
	}
	return NULL;
}

static bool is_proposed(const struct maker *m, const struct selector *s)
{
	for (size_t i = 0; i < m->proposals->count; i++)
		if (selector_is_same(&m->proposals->items[i].selector, s))
			return true;
	return false;
}

static int propose(const struct maker *m, const struct recipe *r,
		   const struct selector *selector)
{
	struct proposal p = {.recipe = r, .selector = *selector};
	const struct recipe *better;
	const struct rule *rule;
	char origin[ORIGIN_SIZE];

	add_claim(m, &p.selector);
	if (is_proposed(m, &p.selector))
		return 0;
	rule = find_rule(m, &p.selector);
	better = find_better(m, &p);
	p.is_optional = m->inventory->count > 0 && count_matches(m, &p.selector) == 0;
	for (size_t i = 0; i < m->inventory->count; i++)
		p.is_console = p.is_console ||
			       (m->inventory->devices[i].is_boot_vga &&
				has_match(&p.selector, &m->inventory->devices[i]));
	if (rule) {
		p.state = PROPOSAL_CONFIGURED;
		p.why = arena_copy(m->arena,
				   text_of(origin_format(&rule->origin, origin)));
	} else if (better) {
		p.state = PROPOSAL_COVERED;
		p.why = origin_of(m, better);
	} else {
		m->proposals->new_count++;
	}
	if ((rule || better) && !p.why)
		return -ENOMEM;
	m->proposals->items[m->proposals->count++] = p;
	return 0;
}

int proposals_make(const struct recipes *recipes, const struct inventory *inventory,
		   const struct policy *policy, struct arena *arena,
		   struct proposals *ret)
{
	struct maker m = {recipes, inventory, policy, arena, ret};
	size_t total = 0;

	*ret = (struct proposals){0};
	for (size_t i = 0; i < recipes->count; i++)
		total += recipes->items[i].selector_count;
	ret->items = arena_alloc(arena, total, sizeof(*ret->items));
	if (!ret->items)
		return -ENOMEM;
	for (size_t i = 0; i < recipes->count; i++) {
		const struct recipe *r = &recipes->items[i];

		for (size_t k = 0; k < r->selector_count && recipe_is_effective(r); k++)
			if (propose(&m, r, &r->selectors[k]) < 0)
				return -ENOMEM;
	}
	return 0;
}

struct writer {
	struct arena *arena;
	struct text *lines;
	size_t count;
	char line[LINE_MAX_COLUMNS + SELECTOR_SIZE];
	bool is_optional;
	const char *options; /* of recipes; NULL for none */
};

static int put_line(struct writer *w, const char *line)
{
	if (!line)
		return -ENOMEM;
	w->lines[w->count++] = text_of(line);
	return 0;
}

/* Ends the rule that was begun. */
static int flush(struct writer *w)
{
	int r = 0;

	if (w->line[0])
		r = put_line(w, arena_printf(w->arena, "bind  %s%s%s%s", w->line,
					     w->is_optional ? "  optional" : "",
					     w->options ? "  " : "",
					     w->options ? w->options : ""));
	w->line[0] = '\0';
	return r;
}

static int put_selector(struct writer *w, const struct proposal *p)
{
	size_t room = LINE_MAX_COLUMNS - strlen("bind  ,  optional");
	char text[SELECTOR_SIZE];

	selector_format(&p->selector, text);
	/* A rule of its own, so that the option would be for this one alone. */
	if (p->is_console && (flush(w) < 0 || put_line(w, CONSOLE_COMMENT) < 0))
		return -ENOMEM;
	if (w->line[0] &&
	    (w->is_optional != p->is_optional || w->options != p->recipe->options ||
	     strlen(w->line) + strlen(text) > room) &&
	    flush(w) < 0)
		return -ENOMEM;
	if (w->line[0])
		strcat(w->line, ",");
	strcat(w->line, text);
	w->is_optional = p->is_optional;
	w->options = p->recipe->options;
	return p->is_console ? flush(w) : 0;
}

int proposals_write(const struct proposals *proposals, struct arena *arena,
		    struct text **ret_lines, size_t *ret_count)
{
	struct writer w = {.arena = arena};
	const struct recipe *last = NULL;

	/* At worst two comments and a rule for each. */
	w.lines = arena_alloc(arena, 3 * proposals->count + 1, sizeof(*w.lines));
	if (!w.lines)
		return -ENOMEM;
	for (size_t i = 0; i < proposals->count; i++) {
		const struct proposal *p = &proposals->items[i];
		const struct recipe *r = p->recipe;

		if (p->state != PROPOSAL_NEW)
			continue;
		if ((!last || r != last) &&
		    (flush(&w) < 0 ||
		     put_line(&w, r->line > 0 ? arena_printf(arena, "# from %s:%u",
							     r->file, r->line)
					      : arena_printf(arena, "# from %s",
							     r->file)) < 0))
			return -ENOMEM;
		last = r;
		if (put_selector(&w, p) < 0)
			return -ENOMEM;
	}
	if (flush(&w) < 0)
		return -ENOMEM;
	*ret_lines = w.lines;
	*ret_count = w.count;
	return 0;
}
