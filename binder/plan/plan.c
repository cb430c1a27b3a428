/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan.h"

#include <errno.h>
#include <string.h>

#include "bdf.h"
#include "driver.h"
#include "filter.h"
#include "group.h"
#include "guards.h"
#include "policy.h"
#include "serial.h"
#include "vfio_ids.h"

/*
 * What sits where @rule expects another device, by what the rule says of it, and where that
 * one is, unless @elsewhere is NULL. NULL if out of memory.
 */
static const char *match_describe(const struct pci_device *d, const struct rule *rule,
				  const char *elsewhere, struct arena *arena)
{
	const struct selector *s = &rule->selector;
	char path[PATH_SIZE], serial[SERIAL_SIZE];
	const char *more = "";

	if (!selector_is_path_of(s, d) && d->has_path)
		more = arena_printf(arena, " (path %s)", path_format(&d->path, path));
	else if (!selector_is_slot_of(s, d) && d->slot)
		more = d->slot[0] ? arena_printf(arena, " (slot %s)", d->slot)
				  : " (in no slot)";
	else if ((s->terms & TERM_SERIAL) && (d->known & FACT_SERIAL) &&
		 d->serial != s->serial)
		more = d->serial ? arena_printf(arena, " (serial number %s)",
						serial_format(d->serial, serial))
				 : " (without a serial number)";
	return arena_printf(arena, "%04x:%04x%s is there now%s%s", d->ids.vendor,
			    d->ids.device, more ? more : "", elsewhere ? "; " : "",
			    elsewhere ? elsewhere : "");
}

/*
 * Whether a rule expects another device where @d is. An address is a claim for each function
 * of it; a path or a slot may lead to several, and one is enough.
 */
static bool is_claim_of(const struct moved *moved, const struct selector *s,
			const struct pci_device *d)
{
	if (moved->is_followed)
		return false;
	if ((s->terms & TERM_ADDRESS) && selector_is_address_of(s, d->bdf))
		return true;
	return moved->is_lost && (((s->terms & TERM_PATH) && selector_is_path_of(s, d)) ||
				  ((s->terms & TERM_SLOT) && selector_is_slot_of(s, d)));
}

struct text match_driver(const struct policy *policy, const struct pci_device *d)
{
	struct text driver = {NULL, 0};

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->kind == RULE_CRITICAL ||
		    (rule->kind == RULE_BIND && (rule->driver.n == 0 || driver.n > 0)) ||
		    !policy_has_rule_active(policy, rule) ||
		    !selector_has_match(&rule->selector, d))
			continue;
		if (rule->kind == RULE_KEEP)
			return (struct text){NULL, 0};
		driver = rule->driver;
	}
	return driver;
}

static bool moved_is_followed(const struct moved *moved, const struct selector *s,
			      const struct pci_device *d);

/*
 * False if no rule is about @d. What each rule matches is added to @counts, one per rule: not
 * what comes along, for which a rule counts where no other is about it. @lost has one entry
 * per rule, @along is of this device, or NULL.
 */
static bool match_device(const struct policy *policy, const struct moved *moved,
			 const struct pci_device *d, const struct companions *companions,
			 size_t *counts, struct match *ret)
{
	const struct rule *followed = NULL;
	struct match m = {0};

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		const struct selector *s = &rule->selector;
		bool matches = selector_has_match(s, d);

		if (!policy_has_rule_active(policy, rule))
			continue;
		if (!matches && moved_is_followed(&moved[i], s, d)) {
			followed = followed ? followed : rule;
			m.allow |= rule->allow;
			counts[i]++;
			continue;
		}
		if (!matches) {
			if (rule->kind == RULE_BIND && !m.mismatch &&
			    is_claim_of(&moved[i], s, d)) {
				m.mismatch = rule;
				m.elsewhere = moved[i].elsewhere;
			}
			continue;
		}
		counts[i]++;
		if (rule->kind == RULE_CRITICAL)
			continue;
		if (rule->kind == RULE_KEEP) {
			m.keep = m.keep ? m.keep : rule;
			continue;
		}
		m.bind = m.bind ? m.bind : rule;
		m.allow |= rule->allow;
	}
	m.is_followed = !m.bind && followed;
	if (m.is_followed)
		m.bind = followed;
	if (companions && companions->rule) {
		m.allow |= companions->allow;
		if (!m.keep && !m.bind && !m.mismatch) {
			m.bind = companions->rule;
			m.with = companions->with;
		}
	}
	*ret = m;
	return m.keep || m.bind || m.mismatch;
}

#define SHOWN_MAX 3 /* cards that are named where a rule's own is missing */
#define ANY	  (-1) /* any function */

/* ---- moved ---- */

/* Rules whose device is not where they say: where it is instead, and whether it is followed. */

/* The note for a device that is bound in another place than @rule says. */
static const char *moved_note(const struct pci_device *d, const struct rule *rule,
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
			   struct arena *arena, struct moved *moved)
{
	const struct selector *s = &rule->selector;
	const struct selector rest = selector_without(s, PLACE_TERMS);
	const char *refusal;
	struct found found;

	if (!selector_has_identity(s))
		return;
	find(inv, &rest, place_function(s), &found);
	if (found.count == 0) {
		moved->elsewhere = find_reflashed(inv, s, arena);
		return;
	}
	moved->elsewhere = describe(&found, s, arena);
	if (!rule->follow)
		return;
	refusal = refuse_to_follow(inv, s, &found);
	moved->is_followed = refusal == NULL;
	moved->card = found.cards[0]->bdf;
	if (refusal && moved->elsewhere)
		moved->elsewhere = arena_printf(arena, "%s%s", moved->elsewhere, refusal);
}

/* One per rule. NULL if @arena is too small. */
static const struct moved *moved_find(const struct policy *policy,
				      const struct inventory *inv, struct arena *arena)
{
	struct moved *moved = arena_alloc(arena, policy->rule_count + 1, sizeof(*moved));

	for (size_t i = 0; i < policy->rule_count && moved; i++) {
		const struct rule *rule = &policy->rules[i];

		if (!rule_is_unmatched(policy, inv, rule))
			continue;
		moved[i].is_lost = true;
		find_elsewhere(inv, rule, arena, &moved[i]);
	}
	return moved;
}

/*
 * Whether @d is a function of the card that is bound where it is now, by a rule's @selector. No
 * bridge is: whether one was read at all depends on other rules.
 */
static bool moved_is_followed(const struct moved *moved, const struct selector *s,
			      const struct pci_device *d)
{
	const struct selector rest = selector_without(s, PLACE_TERMS);
	int function = place_function(s);

	return moved->is_followed && !d->is_bridge &&
	       bdf_is_same_slot(moved->card, d->bdf) &&
	       (function == ANY || d->bdf.function == function) &&
	       selector_has_match(&rest, d);
}

/* Functions of the chipset, and of the processor, share slots of bus 0 and are no card. */
static bool is_of_chipset(const struct pci_device *d)
{
	return d->bdf.bus == 0;
}

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
static bool is_named(const struct rule *rule, const struct moved *moved,
		     const struct pci_device *d)
{
	return selector_has_match(&rule->selector, d) ||
	       moved_is_followed(moved, &rule->selector, d);
}

/* Whether a rule of this kind names it itself. */
static bool has_rule(const struct policy *policy, const struct moved *moved,
		     enum rule_kind kind, const struct pci_device *d)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].kind == kind &&
		    policy_has_rule_active(policy, &policy->rules[i]) &&
		    is_named(&policy->rules[i], &moved[i], d))
			return true;
	return false;
}

static void bring(const struct rule *rule, size_t number, const struct pci_device *with,
		  struct companions *a)
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
		      size_t number, size_t i, struct companions *companions)
{
	const struct rule *rule = &policy->rules[number - 1];
	const struct pci_device *d = &inv->devices[i];
	struct card card = card_of(inv, i);

	/* Of a group that the rule has brought along already there is nothing left. */
	if (rule->with == WITH_GROUP && d->iommu_group != NO_GROUP &&
	    companions[i].seen != number) {
		size_t count;
		struct pci_device *const *members =
			inventory_group(inv, d->iommu_group, &count);

		for (size_t k = 0; k < count; k++)
			bring(rule, number, d, &companions[members[k] - inv->devices]);
	}
	for (size_t k = card.first; k < card.end; k++) {
		if (rule->with == WITH_FUNCTIONS)
			bring(rule, number, d, &companions[k]);
		/* In whatever order the rule names them. */
		if (rule->with == WITH_FUNCTIONS ||
		    (d->iommu_group != NO_GROUP && !is_of_chipset(d) &&
		     inv->devices[k].iommu_group == d->iommu_group))
			companions[k].is_of_card = true;
	}
}

int companions_find(const struct policy *policy, const struct inventory *inv,
		    const struct moved *moved, struct arena *arena,
		    struct companions **ret)
{
	struct companions *companions;

	*ret = NULL;
	if (!policy_has_any_with(policy))
		return 0;
	companions = arena_alloc(arena, inv->count, sizeof(*companions));
	if (!moved)
		moved = moved_find(policy, inv, arena);
	if (!companions || !moved)
		return -ENOMEM;
	for (size_t i = 0; i < inv->count; i++)
		companions[i] = (struct companions){
			.is_named = has_rule(policy, moved, RULE_BIND, &inv->devices[i]),
			.is_kept = has_rule(policy, moved, RULE_KEEP, &inv->devices[i]),
		};
	for (size_t r = 0; r < policy->rule_count; r++) {
		const struct rule *rule = &policy->rules[r];

		if (!policy_has_with(policy, rule))
			continue;
		for (size_t i = 0; i < inv->count; i++) {
			const struct pci_device *d = &inv->devices[i];

			if (companions[i].is_named && !companions[i].is_kept &&
			    !d->is_bridge && !d->is_unread &&
			    is_named(rule, &moved[r], d))
				bring_all(policy, inv, r + 1, i, companions);
		}
	}
	for (size_t i = 0; i < inv->count; i++)
		if (inv->devices[i].is_bridge)
			companions[i].rule = NULL;
	*ret = companions;
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

const char *companions_why_host(const struct companions *companions,
				const struct inventory *inv, const struct pci_device *d,
				unsigned allow, struct arena *arena)
{
	size_t own = (size_t)(d - inv->devices);
	struct card card =
		is_of_chipset(d) ? (struct card){own, own + 1} : card_of(inv, own);

	if (!companions[own].rule || companions[own].is_named ||
	    companions[own].is_of_card)
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
		    (!companions[i].is_kept &&
		     (companions[i].is_named || (allow & needed))))
			continue;
		bdf_format(companions[own].with->bdf, with);
		bdf_format(other->bdf, address);
		if (companions[i].is_kept)
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

#define ID_SHORT 9 /* of an ID without the subsystem */

/* Whether something that the rule names has this ID now. */
static bool is_there(const struct inventory *inv, const struct rule *rule,
		     const struct pci_match *id)
{
	for (size_t i = 0; i < inv->count; i++)
		if (pci_match_has(id, &inv->devices[i].ids) &&
		    selector_has_match(&rule->selector, &inv->devices[i]))
			return true;
	return false;
}

/*
 * A sentence where @d, which @rule names, is not what it was; or NULL. A function is new, not
 * changed, while all that was known is still there.
 */
static const char *known_note(const struct policy *policy,
			      const struct inventory *inventory,
			      const struct pci_device *d, const struct rule *rule,
			      struct arena *arena)
{
	char normal[SELECTOR_SIZE];
	const char *was = NULL;

	if (policy->known_count == 0 || !known_has_use(&rule->selector) ||
	    !selector_has_match(&rule->selector, d))
		return NULL;
	selector_format(&rule->selector, normal);
	for (size_t i = 0; i < policy->known_count; i++) {
		struct text ids = policy->known[i].ids, id;
		struct pci_match match;

		if (strcmp(policy->known[i].selector, normal) != 0)
			continue;
		while (text_cut(&ids, ',', &id) && recorded_id_parse(id, &match) == 0) {
			bool is_subsystem = match.vendor == d->ids.vendor &&
					    match.device == d->ids.device;

			if (pci_match_has(&match, &d->ids))
				return NULL;
			if (is_there(inventory, rule, &match))
				continue;
			was = arena_printf(
				arena, "%s%s%.*s", was ? was : "", was ? " or " : "",
				(int)(is_subsystem ? KNOWN_ID_SIZE - 1 : ID_SHORT), id.p);
		}
	}
	if (!was)
		return NULL;
	return arena_printf(
		arena, "its ID changed: %s when the image was built (reflashed%s?)", was,
		rule->selector.terms & TERM_SERIAL ? "" : ", or another card");
}

struct planner {
	const struct policy *policy;
	const struct inventory *inventory;
	struct arena *arena;
	struct plan *plan;
	struct companions *companions; /* NULL: no rule has with= */
};

const char *action_name(enum action action)
{
	switch (action) {
	case ACTION_BIND:
		return "bind";
	case ACTION_RECOVER:
		return "recover";
	case ACTION_DONE:
		return "done";
	case ACTION_KEEP:
		return "keep";
	case ACTION_REFUSE:
		return "refuse";
	}
	return "";
}

const struct plan_device *plan_find(const struct plan *plan, const struct pci_device *d)
{
	size_t low = 0, high = plan->device_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bdf_compare(plan->devices[middle].device->bdf, d->bdf);

		if (order == 0)
			return &plan->devices[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool is_taken(const struct plan_device *pd)
{
	return pd->action == ACTION_BIND || pd->action == ACTION_RECOVER;
}

bool plan_is_leaving_host(const struct plan *plan, const struct pci_device *d)
{
	const struct plan_device *pd = plan_find(plan, d);

	return (driver_is_vfio(d->driver) && !plan->is_foreseen) ||
	       (pd && (is_taken(pd) || (plan->is_foreseen && pd->action == ACTION_DONE)));
}

static enum reason ask_guards(struct planner *p, struct plan_device *pd)
{
	const struct refusal context = {p->policy,     p->inventory, p->plan,
					p->companions, p->arena,     pd->wanted};

	return refuse_device(&context, pd->device, pd->allow, &pd->detail);
}

static void plan_bind(struct planner *p, struct plan_device *pd)
{
	const struct pci_device *d = pd->device;

	pd->action = ACTION_REFUSE;
	/* The name of a variant that is not loaded is its module's: the driver's may differ. */
	if (driver_is_same(d->driver, pd->wanted)) {
		pd->action = ACTION_DONE;
		pd->wanted = d->driver;
		return;
	}
	pd->reason = ask_guards(p, pd);
	if (pd->reason == REASON_NONE)
		pd->action = d->driver[0] == '\0' ? ACTION_BIND : ACTION_RECOVER;
}

/*
 * A display, or a keyboard, that a former one left to the host may go by its own allow=console.
 * Without that the last one stays by itself, and each answer of the guards is final.
 */
static void ask_guards_again(struct planner *p)
{
	unsigned allow = 0;

	for (size_t i = 0; i < p->plan->device_count; i++)
		if (is_taken(&p->plan->devices[i]))
			allow |= p->plan->devices[i].allow;
	for (size_t i = 0; (allow & ALLOW_CONSOLE) && i < p->plan->device_count; i++) {
		struct plan_device *pd = &p->plan->devices[i];

		if (!is_taken(pd))
			continue;
		pd->reason = ask_guards(p, pd);
		if (pd->reason != REASON_NONE)
			pd->action = ACTION_REFUSE;
	}
}

/* The driver that @rules, the words of driver=, mean for @d. */
static const char *wanted_driver(struct planner *p, const struct pci_device *d,
				 struct text word, const char **ret_note)
{
	const char *name;

	if (text_is(word, AUTO_DRIVER)) {
		if (d->has_no_variants)
			*ret_note =
				"which variants of vfio-pci there are cannot be read, so "
				"that it is plain vfio-pci";
		return d->variant ? d->variant : DEFAULT_DRIVER;
	}
	name = word.n > 0 ? arena_copy(p->arena, word) : NULL;
	return name ? driver_kernel_name(name) : DEFAULT_DRIVER;
}

/* Plans @d if a rule names it. */
static bool plan_device(struct planner *p, const struct pci_device *d,
			struct plan_device *ret)
{
	const struct companions *companions =
		p->companions ? &p->companions[d - p->inventory->devices] : NULL;
	char address[BDF_SIZE];
	struct match match;

	if (d->is_unread || !match_device(p->policy, p->plan->moved, d, companions,
					  p->plan->rule_matches, &match))
		return false;
	*ret = (struct plan_device){
		.device = d,
		.rule = match.keep   ? match.keep
			: match.bind ? match.bind
				     : match.mismatch,
		.wanted = DEFAULT_DRIVER,
	};
	if (match.keep) {
		char origin[ORIGIN_SIZE];

		ret->action = ACTION_KEEP;
		ret->wanted = "";
		ret->reason = REASON_KEPT;
		ret->detail = arena_printf(p->arena, "%s",
					   origin_format(&match.keep->origin, origin));
		if (strcmp(d->driver, DEFAULT_DRIVER) == 0) {
			ret->reason = REASON_KEPT_BOUND;
			ret->detail = DEFAULT_DRIVER;
		}
	} else if (match.bind) {
		if (match.is_followed)
			ret->note = moved_note(d, match.bind, p->arena);
		ret->wanted = wanted_driver(p, d,
					    match.with || match.is_followed
						    ? match.bind->driver
						    : match_driver(p->policy, d),
					    &ret->note);
		ret->allow = match.allow;
		plan_bind(p, ret);
		if (match.with && ret->reason != REASON_HOST_DEVICE)
			ret->note = arena_printf(p->arena, "comes along with %s",
						 bdf_format(match.with->bdf, address));
		if (!ret->note)
			ret->note = known_note(p->policy, p->inventory, d, match.bind,
					       p->arena);
	} else {
		ret->action = ACTION_REFUSE;
		ret->reason = REASON_IDENTITY_MISMATCH;
		ret->detail =
			match_describe(d, match.mismatch, match.elsewhere, p->arena);
	}
	return true;
}

/* Adds the group to the plan unless it is there, in the order of numbers. */
static int plan_group(struct planner *p, int id)
{
	struct plan *plan = p->plan;
	struct plan_group group;
	size_t at = 0, end = plan->group_count;
	int r;

	while (at < end) {
		size_t middle = at + (end - at) / 2;

		if (plan->groups[middle].id < id)
			at = middle + 1;
		else
			end = middle;
	}
	if (at < plan->group_count && plan->groups[at].id == id)
		return 0;
	r = group_make(p->inventory, plan, id, p->arena, &group);
	if (r < 0)
		return r;
	memmove(&plan->groups[at + 1], &plan->groups[at],
		(plan->group_count - at) * sizeof(*plan->groups));
	plan->groups[at] = group;
	plan->group_count++;
	return 0;
}

/*
 * vfio-pci takes every driverless device that its own ids= match, also those that a keep
 * rule or a guard protects. And to look at a device that another driver has, it waits for
 * that driver's probe or remove (dd.c: __driver_attach()): one that hangs would hold up the
 * loading and with it all other devices. Then the module must do without them.
 */
static bool has_safe_ids(const struct planner *p)
{
	struct text ids = p->policy->module_ids;

	/* Too long, the module would not load; quotes could not be quoted. */
	if (ids.n > IDS_LENGTH_MAX || (ids.n > 0 && memchr(ids.p, '"', ids.n)))
		return false;
	/* They would take what could not be judged. */
	if (p->inventory->unread_count > 0 || p->inventory->is_cut)
		return false;
	for (size_t i = 0; i < p->plan->device_count; i++) {
		const struct plan_device *pd = &p->plan->devices[i];

		if (pd->action == ACTION_BIND || pd->action == ACTION_DONE)
			continue;
		for (size_t k = 0; k < p->policy->rule_count; k++)
			if (p->policy->rules[k].is_module_id &&
			    selector_has_match(&p->policy->rules[k].selector, pd->device))
				return false;
	}
	return true;
}

int plan_make(const struct policy *policy, const struct inventory *inventory,
	      struct arena *arena, struct plan *ret)
{
	struct plan plan = {0};
	struct planner p = {policy, inventory, arena, &plan, NULL};
	int r;

	plan.devices = arena_alloc(arena, inventory->count, sizeof(*plan.devices));
	plan.groups = arena_alloc(arena, inventory->count + 1, sizeof(*plan.groups));
	plan.rule_matches = arena_alloc(arena, RULES_MAX, sizeof(*plan.rule_matches));
	plan.moved = moved_find(policy, inventory, arena);
	if (!plan.devices || !plan.groups || !plan.rule_matches || !plan.moved)
		return -ENOMEM;
	r = companions_find(policy, inventory, plan.moved, arena, &p.companions);
	if (r < 0)
		return r;

	for (size_t i = 0; i < inventory->count; i++)
		if (plan_device(&p, &inventory->devices[i],
				&plan.devices[plan.device_count]))
			plan.device_count++;
	ask_guards_again(&p);
	for (size_t i = 0; i < plan.device_count; i++) {
		const struct plan_device *pd = &plan.devices[i];

		/* Of use to a VM is what vfio has; of pci-stub and the like nobody asks. */
		if (pd->device->iommu_group != NO_GROUP && pd->action != ACTION_KEEP &&
		    driver_is_vfio(pd->wanted))
			r = plan_group(&p, pd->device->iommu_group);
		if (r < 0)
			return r;
	}
	plan.is_ids_safe = has_safe_ids(&p);
	*ret = plan;
	return 0;
}

void plan_restrict(struct plan *plan, struct bdf bdf)
{
	size_t devices = 0, groups = 0;
	int group = NO_GROUP;

	for (size_t i = 0; i < plan->device_count; i++)
		if (bdf_compare(plan->devices[i].device->bdf, bdf) == 0)
			plan->devices[devices++] = plan->devices[i];
	if (devices > 0)
		group = plan->devices[0].device->iommu_group;
	for (size_t i = 0; i < plan->group_count; i++)
		if (plan->groups[i].id == group)
			plan->groups[groups++] = plan->groups[i];
	plan->device_count = devices;
	plan->group_count = groups;
	plan->is_ids_safe = false;
}
