/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recorded.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "facts.h"
#include "filter.h"
#include "inventory.h"
#include "policy.h"
#include "rule.h"
#include "usage.h"

#define NOT_THIS_MACHINE \
	"this is not the machine that the image is for: / is not on a disk of it (a container, " \
	"a chroot or a live system)"

#define CRITICAL_MAX 64 /* rules; what comes behind them is not guarded */

struct critical_recorder {
	struct world *world;
	struct usages usages;
	char *buf; /* CRITICAL_MAX lines */
	size_t used;
	struct recorded critical;
};

/* A whole rule: kind, selector, word, what it carries. */
#define CRITICAL_LINE_MAX (SELECTOR_SIZE + CARRIES_SHOWN + 32)

/* What lifts the guard of a usage; 0 where none is needed. */
static unsigned guard_of(const struct usage *u)
{
	switch (u->kind) {
	case USAGE_DISK:
		return u->is_critical ? ALLOW_STORAGE : 0;
	case USAGE_NETWORK:
		return u->is_critical ? ALLOW_NETWORK : 0;
	case USAGE_INPUT:
		/* Of several, the binder guards the last. */
		return u->is_in_use ? ALLOW_CONSOLE : 0;
	case USAGE_DISPLAY: /* the binder sees for itself */
	case USAGE_VFIO:
		break;
	}
	return 0;
}

/* "path=0000:00:1d.0/00.0+144d:a808": the same card, whatever its bus is numbered. */
static const char *name_function(struct critical_recorder *r, struct bdf bdf,
				 char buf[static SELECTOR_SIZE])
{
	struct selector s = {.terms = TERM_ID};
	struct pci_ids ids;

	if (inventory_read_ids(r->world, bdf, &ids) < 0)
		return NULL;
	s.id = (struct pci_match){
		.vendor = ids.vendor,
		.device = ids.device,
		.subvendor = PCI_ANY,
		.subdevice = PCI_ANY,
	};
	if (inventory_read_path(r->world, bdf, &s.path) == 0 &&
	    s.path.hop_count <= PATH_HOPS_MAX) {
		s.terms |= TERM_PATH;
	} else {
		s.terms |= TERM_ADDRESS;
		s.address = bdf;
	}
	return selector_format(&s, buf);
}

/* Names of devices may be anything: what would end the line or start a comment is replaced. */
static void put_words(char *buf, size_t size, const char *words)
{
	size_t n = strnlen(buf, size - 1);

	for (; *words && n + 1 < size; words++) {
		bool is_plain = *words >= ' ' && *words <= '~' && *words != '#';

		buf[n++] = '?';
		if (is_plain)
			buf[n - 1] = *words;
	}
	buf[n] = '\0';
}

/* What one function carries of one kind. */
static void describe(const struct usage *u, size_t count, unsigned guard,
		     char buf[static CARRIES_SHOWN + 1])
{
	const char *join = "";

	buf[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		if (guard_of(&u[i]) != guard)
			continue;
		put_words(buf, CARRIES_SHOWN + 1, join);
		put_words(buf, CARRIES_SHOWN + 1, u[i].name);
		put_words(buf, CARRIES_SHOWN + 1, ": ");
		put_words(buf, CARRIES_SHOWN + 1, u[i].what);
		join = "; ";
	}
}

static void record_critical(struct critical_recorder *r, const struct usage *u,
			    size_t count, unsigned guard)
{
	char selector[SELECTOR_SIZE], carries[CARRIES_SHOWN + 1];

	if (!name_function(r, u->bdf, selector))
		return;
	if (r->critical.count == CRITICAL_MAX) {
		r->critical.why = "they are too many: some are not guarded";
		return;
	}
	describe(u, count, guard, carries);
	r->used += (size_t)snprintf(r->buf + r->used, CRITICAL_LINE_MAX,
				    "critical %s %s %s\n", selector, allow_name(guard),
				    carries);
	r->critical.count++;
}

static void record_all(struct critical_recorder *r)
{
	static const unsigned guards[] = {ALLOW_STORAGE, ALLOW_NETWORK, ALLOW_CONSOLE};
	const struct usages *all = &r->usages;
	size_t count;

	for (size_t i = 0; i < all->count; i += count) {
		const struct usage *u = usages_find(all, all->items[i].bdf, &count);

		for (size_t g = 0; g < ARRAY_SIZE(guards); g++) {
			bool has_guard = false;

			for (size_t k = 0; k < count; k++)
				has_guard |= guard_of(&u[k]) == guards[g];
			if (has_guard)
				record_critical(r, u, count, guards[g]);
		}
	}
}

void critical_read(struct world *world, struct arena *arena, struct recorded *ret)
{
	struct critical_recorder r = {.world = world};

	r.buf = arena_alloc(arena, CRITICAL_MAX, CRITICAL_LINE_MAX);
	if (!r.buf || usages_read(world, arena, &r.usages) < 0) {
		*ret = (struct recorded){.why = "out of memory"};
		return;
	}
	if (r.usages.root == ROOT_UNKNOWN) {
		r.critical.why = NOT_THIS_MACHINE;
	} else {
		record_all(&r);
		if (r.usages.root == ROOT_OTHER)
			r.critical.why =
				"the disks of / cannot be told (ZFS, or no PCI device): name "
				"them with \"critical SELECTOR storage\" in "
				"/etc/earlybind.conf";
		else if (r.critical.count == 0 && !r.critical.why)
			r.critical.why = "no PCI device is critical here";
	}
	r.critical.lines = (struct text){r.buf, r.used};
	*ret = r.critical;
}

/* "known SELECTOR ID[,ID...]" */
#define KNOWN_LINE_MAX (SELECTOR_SIZE + KNOWN_IDS_MAX * KNOWN_ID_SIZE + 16)

struct known_recorder {
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

static bool is_known(const struct known_recorder *r, const struct policy *policy,
		     const char *selector)
{
	char start[SELECTOR_SIZE + 16];

	for (size_t i = 0; i < policy->known_count; i++)
		if (strcmp(policy->known[i].selector, selector) == 0)
			return true;
	snprintf(start, sizeof(start), "known %s ", selector);
	return strstr(r->buf, start) != NULL;
}

static void record_known(struct known_recorder *r, const struct policy *policy,
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
	r->used += (size_t)snprintf(r->buf + r->used, KNOWN_LINE_MAX, "known %s %s\n",
				    selector, ids);
	r->cards.count++;
}

/* The rules that known lines are about. */
static void choose_rules(struct known_recorder *r, const struct policy *policy)
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
	struct known_recorder r = {.buf = arena_alloc(arena, KNOWN_MAX, KNOWN_LINE_MAX)};
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
		record_known(&r, policy, &r.rules.rules[i].selector);
	r.cards.lines = (struct text){r.buf, r.used};
	*ret = r.cards;
}
