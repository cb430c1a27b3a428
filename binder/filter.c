/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "filter.h"

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

	if (rule->kind == RULE_CRITICAL ||
	    !(is_place || (s->terms & TERM_PATH) || selector_has_near_match(s, d)) ||
	    !policy_has_rule_active(policy, rule))
		return 0;
	wants |= selector_open_facts(s, d);
	if (policy->has_lost_path && (s->terms & TERM_PATH) &&
	    !pci_is_bridge_class(&d->ids))
		wants |= FACT_PATH;
	if (is_place || selector_has_match(s, d) ||
	    ((s->terms & TERM_PATH) && selector_is_path_of(s, d)))
		wants |= FACT_WANTED;
	if (rule->with && rule->kind == RULE_BIND && selector_has_match(s, d))
		wants |= rule->with == WITH_GROUP ? FACT_WITH_GROUP : FACT_WITH_FUNCTIONS;
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
