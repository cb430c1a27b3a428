/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "companions.h"

#include <errno.h>
#include <string.h>

/* The functions of the card of a device: they follow each other. */
struct card {
	size_t first, end;
};

static struct card card_of(const struct inventory *inv, size_t i)
{
	struct bdf bdf = inv->devices[i].bdf;
	struct card card = {i, i + 1};

	while (card.first > 0 && bdf_is_same_slot(inv->devices[card.first - 1].bdf, bdf))
		card.first--;
	while (card.end < inv->count && bdf_is_same_slot(inv->devices[card.end].bdf, bdf))
		card.end++;
	return card;
}

/* Whether the rule is about it, where it is or where its card is followed to. */
static bool is_named(const struct rule *rule, const struct lost *lost,
		     const struct pci_device *d)
{
	return selector_has_match(&rule->selector, d) ||
	       lost_is_followed(lost, &rule->selector, d);
}

/* Whether a rule of this kind names it itself. */
static bool has_rule(const struct policy *policy, const struct lost *lost,
		     enum rule_kind kind, const struct pci_device *d)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].kind == kind &&
		    policy_has_rule_active(policy, &policy->rules[i]) &&
		    is_named(&policy->rules[i], &lost[i], d))
			return true;
	return false;
}

static void bring(const struct rule *rule, size_t number, const struct pci_device *with,
		  struct along *a)
{
	a->seen = number;
	a->allow |= rule->allow;
	if (a->rule)
		return;
	a->rule = rule;
	a->with = with;
}

/* The rule, by its number from 1, names device @i. */
static void bring_all(const struct policy *policy, const struct inventory *inv,
		      size_t number, size_t i, struct along *along)
{
	const struct rule *rule = &policy->rules[number - 1];
	const struct pci_device *d = &inv->devices[i];
	struct card card = card_of(inv, i);

	/* Of a group that the rule has brought along already there is nothing left. */
	if (rule->with == WITH_GROUP && d->iommu_group != NO_GROUP &&
	    along[i].seen != number) {
		size_t count;
		struct pci_device *const *members =
			inventory_group(inv, d->iommu_group, &count);

		for (size_t k = 0; k < count; k++)
			bring(rule, number, d, &along[members[k] - inv->devices]);
	}
	for (size_t k = card.first; k < card.end; k++) {
		if (rule->with == WITH_FUNCTIONS)
			bring(rule, number, d, &along[k]);
		/* In whatever order the rule names them. */
		if (rule->with == WITH_FUNCTIONS ||
		    (d->iommu_group != NO_GROUP &&
		     inv->devices[k].iommu_group == d->iommu_group))
			along[k].is_of_card = true;
	}
}

int along_find(const struct policy *policy, const struct inventory *inv,
	       const struct lost *lost, struct arena *arena, struct along **ret)
{
	struct along *along;

	*ret = NULL;
	if (!policy_has_any_with(policy))
		return 0;
	along = arena_alloc(arena, inv->count, sizeof(*along));
	if (!lost)
		lost = lost_find(policy, inv, arena);
	if (!along || !lost)
		return -ENOMEM;
	for (size_t i = 0; i < inv->count; i++)
		along[i] = (struct along){
			.is_named = has_rule(policy, lost, RULE_BIND, &inv->devices[i]),
			.is_kept = has_rule(policy, lost, RULE_KEEP, &inv->devices[i]),
		};
	for (size_t r = 0; r < policy->rule_count; r++) {
		const struct rule *rule = &policy->rules[r];

		if (!policy_has_with(policy, rule))
			continue;
		for (size_t i = 0; i < inv->count; i++) {
			const struct pci_device *d = &inv->devices[i];

			if (along[i].is_named && !along[i].is_kept && !d->is_bridge &&
			    !d->is_unread && is_named(rule, &lost[r], d))
				bring_all(policy, inv, r + 1, i, along);
		}
	}
	for (size_t i = 0; i < inv->count; i++)
		if (inv->devices[i].is_bridge)
			along[i].rule = NULL;
	*ret = along;
	return 0;
}

/* What a host lives on; NULL for anything else. */
static const char *kind_of(const struct pci_ids *ids, unsigned *ret_allow)
{
	static const struct {
		unsigned class, shift;
		enum allow allow;
		const char *name;
	} kinds[] = {
		{0x01, 16, ALLOW_STORAGE, "a storage controller"},
		{0x02, 16, ALLOW_NETWORK, "a network card"},
		{0x03, 16, ALLOW_CONSOLE, "a display"},
		{0x0c03, 8, ALLOW_CONSOLE, "a USB controller"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (ids->class >> kinds[i].shift == kinds[i].class) {
			*ret_allow = kinds[i].allow;
			return kinds[i].name;
		}
	return NULL;
}

const char *along_why_host(const struct along *along, const struct inventory *inv,
			   const struct pci_device *d, unsigned allow,
			   struct arena *arena)
{
	size_t own = (size_t)(d - inv->devices);
	struct card card = card_of(inv, own);

	if (!along[own].rule || along[own].is_named || along[own].is_of_card)
		return NULL;
	for (size_t i = card.first; i < card.end; i++) {
		const struct pci_device *other = &inv->devices[i];
		char address[BDF_SIZE], with[BDF_SIZE];
		unsigned needed;
		const char *kind = kind_of(&other->ids, &needed), *text;

		/*
		 * Of another group it need not be known here. What has left the host, or
		 * is told to by name, is no reason.
		 */
		if (!kind || other->iommu_group != d->iommu_group ||
		    strcmp(other->driver, DEFAULT_DRIVER) == 0 ||
		    (!along[i].is_kept && (along[i].is_named || (allow & needed))))
			continue;
		bdf_format(along[own].with->bdf, with);
		bdf_format(other->bdf, address);
		if (along[i].is_kept)
			text = arena_printf(arena,
					    "%s, and %s of the same card, %s, is kept",
					    with, address, kind);
		else
			text = arena_printf(
				arena,
				"%s, and %s%s is %s of the host: add allow=%s "
				"to the rule, or name %s in one",
				with, i == own ? "it" : address,
				i == own ? "" : " of the same card", kind,
				allow_name(needed), i == own ? "it" : "both");
		return text ? text : kind;
	}
	return NULL;
}
