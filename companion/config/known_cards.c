/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "known_cards.h"

#include <stdio.h>
#include <string.h>

#include "filter.h"
#include "inventory.h"
#include "recorded_ids.h"
#include "usage.h"

/* "known SELECTOR ID[,ID...]" */
#define LINE_MAX (SELECTOR_SIZE + KNOWN_IDS_MAX * KNOWN_ID_SIZE + 16)

struct recorder {
	struct policy rules; /* those that it is about, of all profiles */
	struct inventory inventory;
	char *buf; /* KNOWN_MAX lines */
	size_t used;
	struct recorded cards;
};

/* The different IDs of what the rule names. Their number, which may be too large. */
static size_t list_ids(const struct inventory *inv, const struct selector *s,
		       char buf[static KNOWN_IDS_MAX * KNOWN_ID_SIZE])
{
	size_t count = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < inv->count; i++) {
		const struct pci_ids *ids = &inv->devices[i].ids;
		char id[KNOWN_ID_SIZE];

		if (!selector_has_match(s, &inv->devices[i]))
			continue;
		snprintf(id, sizeof(id), "%04x:%04x:%04x:%04x", ids->vendor, ids->device,
			 ids->subvendor, ids->subdevice);
		if (strstr(buf, id))
			continue;
		if (count++ == KNOWN_IDS_MAX)
			return count;
		if (count > 1)
			strcat(buf, ",");
		strcat(buf, id);
	}
	return count;
}

static bool is_known(const struct recorder *r, const struct policy *policy,
		     const char *selector)
{
	char start[SELECTOR_SIZE + 16];

	for (size_t i = 0; i < policy->known_count; i++)
		if (strcmp(policy->known[i].selector, selector) == 0)
			return true;
	snprintf(start, sizeof(start), "known %s ", selector);
	return strstr(r->buf, start) != NULL;
}

static void record(struct recorder *r, const struct policy *policy,
		   const struct selector *s)
{
	char selector[SELECTOR_SIZE], ids[KNOWN_IDS_MAX * KNOWN_ID_SIZE];
	size_t count;

	if (is_known(r, policy, selector_format(s, selector)))
		return;
	count = list_ids(&r->inventory, s, ids);
	if (count == 0)
		return;
	if (count > KNOWN_IDS_MAX) {
		r->cards.why = "a rule names functions with more than 8 IDs";
		return;
	}
	if (policy->known_count + r->cards.count == KNOWN_MAX) {
		r->cards.why = "they are too many";
		return;
	}
	r->used += (size_t)snprintf(r->buf + r->used, LINE_MAX, "known %s %s\n", selector,
				    ids);
	r->cards.count++;
}

/* The rules that known lines are about. */
static void choose_rules(struct recorder *r, const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		struct rule rule = policy->rules[i];

		if (rule.kind != RULE_BIND || !known_has_use(&rule.selector))
			continue;
		rule.profile = (struct text){NULL, 0};
		r->rules.rules[r->rules.rule_count++] = rule;
	}
}

void known_cards_read(struct world *world, struct arena *arena,
		      const struct policy *policy, struct recorded *ret)
{
	struct recorder r = {.buf = arena_alloc(arena, KNOWN_MAX, LINE_MAX)};
	struct usages usages;

	*ret = (struct recorded){.why = "out of memory"};
	if (!r.buf || policy_init(&r.rules, arena) < 0)
		return;
	choose_rules(&r, policy);
	if (r.rules.rule_count == 0) {
		*ret = (struct recorded){0};
		return;
	}
	if (usages_read(world, arena, &usages) < 0)
		return;
	if (usages.root == ROOT_UNKNOWN) {
		ret->why = NOT_THIS_MACHINE;
		return;
	}
	if (inventory_read(world, arena, policy_filter, &r.rules, &r.inventory) < 0) {
		ret->why = "the PCI bus cannot be read";
		return;
	}
	if (r.inventory.unread_count > 0)
		r.cards.why = "the serial number of a card cannot be read";
	for (size_t i = 0; i < r.rules.rule_count; i++)
		record(&r, policy, &r.rules.rules[i].selector);
	r.cards.lines = (struct text){r.buf, r.used};
	*ret = r.cards;
}
