/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "filter.h"

#define HUNG_MAX 64

static unsigned with_of(const struct rule *rule)
{
	static const unsigned wants[] = {
		[WITH_NOTHING] = 0,
		[WITH_FUNCTIONS] = FACT_WITH_FUNCTIONS,
		[WITH_GROUP] = FACT_WITH_GROUP,
	};

	return wants[rule->with];
}

/* What is asked for the sake of a rule whose device is not where it says. */
static unsigned look_for_lost(const struct rule *rule, const struct pci_device *d)
{
	struct selector s = selector_without(&rule->selector, PLACE_TERMS);
	unsigned facts, wants = 0;

	if (pci_is_bridge_class(&d->ids))
		return 0;
	facts = (rule->selector.terms & TERM_PATH ? FACT_PATH : 0) |
		(rule->selector.terms & TERM_SLOT ? FACT_SLOT : 0) |
		selector_open_facts(&s, d);
	if (selector_has_match(&s, d))
		wants |= rule->follow ? FACT_WANTED | with_of(rule) : FACT_KEPT;
	if ((s.terms & TERM_SERIAL) && (s.terms & TERM_ID) &&
	    d->ids.vendor == s.id.vendor) {
		s.terms = TERM_SERIAL;
		facts |= selector_open_facts(&s, d);
		if (selector_has_match(&s, d))
			wants |= FACT_KEPT;
	}
	return wants | FACT_TO_NAME(facts);
}

/*
 * A rule wants what it matches, and what is in the place that it names, where another one
 * was expected. Most rules are about other devices: that is asked first, and once, since
 * it is asked of each function and each rule.
 */
static unsigned look_at_rule(const struct policy *policy, const struct rule *rule,
			     const struct pci_device *d)
{
	const struct selector *s = &rule->selector;
	bool is_place = (s->terms & TERM_ADDRESS) && selector_is_address_of(s, d->bdf);
	unsigned wants = 0;
	bool matches;

	if (rule->is_lost && policy_has_rule_active(policy, rule))
		wants |= look_for_lost(rule, d);
	if (rule->kind == RULE_CRITICAL ||
	    !(is_place || (s->terms & (TERM_PATH | TERM_SLOT)) ||
	      selector_has_near_match(s, d)) ||
	    !policy_has_rule_active(policy, rule))
		return wants;
	matches = selector_has_match(s, d);
	wants |= selector_open_facts(s, d);
	if (is_place || matches ||
	    ((s->terms & TERM_PATH) && selector_is_path_of(s, d)) ||
	    ((s->terms & TERM_SLOT) && selector_is_slot_of(s, d)))
		wants |= FACT_WANTED;
	if (rule->kind == RULE_BIND && matches)
		wants |= with_of(rule);
	return wants;
}

/* What must be read to know whether a device that a rule wants is a critical one. */
static unsigned look_at_guards(const struct policy *policy, const struct pci_device *d,
			       bool is_wanted)
{
	unsigned wants = 0;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		bool is_console = rule->allow == ALLOW_CONSOLE;

		if (!policy_has_guard(policy, rule) || (!is_wanted && !is_console))
			continue;
		wants |= selector_open_facts(&rule->selector, d);
		if (is_console && selector_has_match(&rule->selector, d))
			wants |= FACT_KEPT;
	}
	return wants;
}

unsigned policy_filter(const void *arg, const struct pci_device *device)
{
	const struct policy *policy = arg;
	bool has_guards = false;
	unsigned wants = 0;

	for (size_t i = 0; i < policy->rule_count; i++) {
		has_guards |= policy->rules[i].kind == RULE_CRITICAL;
		wants |= look_at_rule(policy, &policy->rules[i], device);
	}
	if (device->is_companion)
		wants |= FACT_WANTED;
	if (has_guards)
		wants |= look_at_guards(policy, device, wants & FACT_WANTED);
	return wants;
}

/* Marks the rules that are lost. False if there are none. */
static bool find_lost(struct policy *policy, const struct inventory *inv)
{
	bool is_any = false;

	for (size_t i = 0; i < policy->rule_count; i++) {
		struct rule *rule = &policy->rules[i];

		rule->is_lost = rule_is_unmatched(policy, inv, rule);
		is_any |= rule->is_lost;
	}
	return is_any;
}

bool policy_mark_followed(struct policy *policy)
{
	bool is_any = false;

	for (size_t i = 0; i < policy->rule_count; i++) {
		struct rule *rule = &policy->rules[i];

		rule->is_lost = rule->follow && policy_can_have_moved(policy, rule);
		is_any |= rule->is_lost;
	}
	return is_any;
}

/* What the kernel did not come back from: no rule acts on it, whatever a second look says. */
static size_t take_hung(const struct inventory *inv, struct bdf ret[HUNG_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < inv->count; i++)
		if (inv->devices[i].has_hung && count++ < HUNG_MAX)
			ret[count - 1] = inv->devices[i].bdf;
	return count;
}

int policy_read_inventory(struct world *world, struct arena *arena, struct policy *policy,
			  inventory_filter filter, const void *arg, struct inventory *ret)
{
	size_t count, used = arena->used;
	struct bdf hung[HUNG_MAX];
	int r;

	for (size_t i = 0; i < policy->rule_count; i++)
		policy->rules[i].is_lost = false;
	r = inventory_read(world, arena, filter, arg, ret);
	if (r < 0 || !find_lost(policy, ret))
		return r;
	count = take_hung(ret, hung);
	/* Too many to remember. */
	if (count > HUNG_MAX)
		return 0;
	arena_rewind(arena, used);
	r = inventory_read(world, arena, filter, arg, ret);
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct pci_device *d = inventory_find(ret, hung[i]);

		if (d)
			d->is_unread = true;
	}
	return r;
}

bool rule_is_unmatched(const struct policy *policy, const struct inventory *inv,
		       const struct rule *rule)
{
	if (!policy_can_have_moved(policy, rule))
		return false;
	for (size_t i = 0; i < inv->count; i++)
		if (selector_has_match(&rule->selector, &inv->devices[i]))
			return false;
	return true;
}
