/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "moved.h"

#include "filter.h"

#define SHOWN_MAX 3 /* cards that are named where a rule's own is missing */
#define ANY	  (-1) /* any function */

const char *lost_note(const struct pci_device *d, const struct rule *rule,
		      struct arena *arena)
{
	const struct selector place = selector_without(&rule->selector, ~PLACE_TERMS);
	char address[BDF_SIZE], text[SELECTOR_SIZE];

	return arena_printf(arena, "followed: the rule says %s, the card is at %s now",
			    selector_format(&place, text), bdf_format(d->bdf, address));
}

/* The one function of the card that the place means; the path of one port means them all. */
static int place_function(const struct selector *s)
{
	if ((s->terms & TERM_ADDRESS) && !s->any_function)
		return s->address.function;
	if ((s->terms & TERM_PATH) && s->path.hop_count > 0 && !s->path.any_function)
		return s->path.hops[s->path.hop_count - 1] & 7;
	return ANY;
}

/* Cards that are not where a rule says: one function of each. */
struct found {
	const struct pci_device *cards[SHOWN_MAX];
	size_t count; /* also those that are not shown */
	size_t meant; /* functions of them that the rule's place could mean */
	bool has_one_id;
};

static void find(const struct inventory *inv, const struct selector *s, int function,
		 struct found *ret)
{
	const struct pci_device *last = NULL;

	*ret = (struct found){.has_one_id = true};
	for (size_t i = 0; i < inv->count; i++) {
		const struct pci_device *d = &inv->devices[i];
		bool is_meant = function == ANY || d->bdf.function == function;

		if (d->is_unread || d->is_bridge || !selector_has_match(s, d))
			continue;
		ret->meant += is_meant;
		if (!last || !bdf_is_same_slot(last->bdf, d->bdf)) {
			if (ret->count < SHOWN_MAX)
				ret->cards[ret->count] = d;
			ret->count++;
		} else if (function != ANY && is_meant && ret->count <= SHOWN_MAX &&
			   ret->cards[ret->count - 1]->bdf.function != function) {
			ret->cards[ret->count - 1] = d;
		}
		last = d;
	}
	for (size_t i = 1; i < MIN(ret->count, (size_t)SHOWN_MAX); i++)
		if (ret->cards[i]->ids.vendor != ret->cards[0]->ids.vendor ||
		    ret->cards[i]->ids.device != ret->cards[0]->ids.device)
			ret->has_one_id = false;
}

static const char *describe(const struct found *found, const struct selector *s,
			    struct arena *arena)
{
	const struct pci_ids *ids = &found->cards[0]->ids;
	const char *text;
	size_t shown = MIN(found->count, (size_t)SHOWN_MAX);

	if (s->terms & TERM_SERIAL)
		text = "the card with this serial number is now";
	else if (found->has_one_id)
		text = arena_printf(arena, "a %04x:%04x is", ids->vendor, ids->device);
	else
		text = "such a device is";
	for (size_t i = 0; i < shown && text; i++) {
		char address[BDF_SIZE];

		text = arena_printf(arena, "%s%s %s", text, i > 0 ? "," : " at",
				    bdf_format(found->cards[i]->bdf, address));
	}
	if (text && found->count > shown)
		text = arena_printf(arena, "%s and %zu more places", text,
				    found->count - shown);
	return text;
}

/* The serial number is there, but what has it says that it is something else. */
static const char *find_reflashed(const struct inventory *inv, const struct selector *s,
				  struct arena *arena)
{
	const struct selector serial = selector_without(s, ~(unsigned)TERM_SERIAL);
	const struct pci_ids *ids;
	char address[BDF_SIZE];
	struct found found;

	if (!(s->terms & TERM_SERIAL))
		return NULL;
	find(inv, &serial, place_function(s), &found);
	if (found.count == 0)
		return NULL;
	ids = &found.cards[0]->ids;
	return arena_printf(
		arena,
		"the card with this serial number is %04x:%04x at %s now (was "
		"it reflashed?)",
		ids->vendor, ids->device, bdf_format(found.cards[0]->bdf, address));
}

/* Why a card that was found is not followed; NULL: it is. */
static const char *refuse_to_follow(const struct inventory *inv, const struct selector *s,
				    const struct found *found)
{
	if (found->count > 1)
		return ": not followed, since there are several";
	if (found->meant == 0)
		return ": not followed, since it is another function";
	/* What could not be read may be another one. */
	if (!(s->terms & TERM_SERIAL) && (inv->unread_count > 0 || inv->is_cut))
		return ": not followed, since not every function could be read";
	return NULL;
}

static void find_elsewhere(const struct inventory *inv, const struct rule *rule,
			   struct arena *arena, struct lost *lost)
{
	const struct selector *s = &rule->selector;
	const struct selector rest = selector_without(s, PLACE_TERMS);
	const char *refusal;
	struct found found;

	if (!selector_has_identity(s))
		return;
	find(inv, &rest, place_function(s), &found);
	if (found.count == 0) {
		lost->elsewhere = find_reflashed(inv, s, arena);
		return;
	}
	lost->elsewhere = describe(&found, s, arena);
	if (!rule->follow)
		return;
	refusal = refuse_to_follow(inv, s, &found);
	lost->is_followed = refusal == NULL;
	lost->card = found.cards[0]->bdf;
	if (refusal && lost->elsewhere)
		lost->elsewhere = arena_printf(arena, "%s%s", lost->elsewhere, refusal);
}

const struct lost *lost_find(const struct policy *policy, const struct inventory *inv,
			     struct arena *arena)
{
	struct lost *lost = arena_alloc(arena, policy->rule_count + 1, sizeof(*lost));

	for (size_t i = 0; i < policy->rule_count && lost; i++) {
		const struct rule *rule = &policy->rules[i];

		if (!rule_is_unmatched(policy, inv, rule))
			continue;
		lost[i].is_lost = true;
		find_elsewhere(inv, rule, arena, &lost[i]);
	}
	return lost;
}

bool lost_is_followed(const struct lost *lost, const struct selector *s,
		      const struct pci_device *d)
{
	const struct selector rest = selector_without(s, PLACE_TERMS);
	int function = place_function(s);

	return lost->is_followed && bdf_is_same_slot(lost->card, d->bdf) &&
	       (function == ANY || d->bdf.function == function) &&
	       selector_has_match(&rest, d);
}
