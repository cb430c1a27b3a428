/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "filter.h"

/* Whether a rule matches or names the place of the device, where another one was expected. */
static bool has_interest(const struct rule *rule, const struct pci_device *d)
{
	const struct selector *s = &rule->selector;

	return selector_has_match(s, d) ||
	       ((s->terms & TERM_ADDRESS) && selector_is_address_of(s, d->bdf)) ||
	       ((s->terms & TERM_PATH) && selector_is_path_of(s, d));
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
	unsigned wants = 0;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->kind == RULE_CRITICAL || !policy_has_rule_active(policy, rule))
			continue;
		wants |= selector_open_facts(&rule->selector, device);
		if (policy->has_lost_path && (rule->selector.terms & TERM_PATH) &&
		    !pci_is_bridge_class(&device->ids))
			wants |= FACT_PATH;
		if (has_interest(rule, device))
			wants |= FACT_WANTED;
	}
	return wants | look_at_guards(policy, device, wants & FACT_WANTED);
}
