/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match.h"

#include "serial.h"

const char *match_describe(const struct pci_device *d, const struct rule *rule,
			   struct arena *arena)
{
	char path[PATH_SIZE], serial[SERIAL_SIZE];
	const char *more = "";

	if (!selector_is_path_of(&rule->selector, d) && d->has_path)
		more = arena_printf(arena, " (path %s)", path_format(&d->path, path));
	else if ((rule->selector.terms & TERM_SERIAL) && (d->known & FACT_SERIAL))
		more = d->serial ? arena_printf(arena, " (serial number %s)",
						serial_format(d->serial, serial))
				 : " (without a serial number)";
	return arena_printf(arena, "%04x:%04x%s", d->ids.vendor, d->ids.device,
			    more ? more : "");
}

static bool has_match(const struct inventory *inv, const struct selector *s)
{
	for (size_t i = 0; i < inv->count; i++)
		if (selector_has_match(s, &inv->devices[i]))
			return true;
	return false;
}

/*
 * Whether a rule expects another device where @d is. An address is a claim for each function
 * of it; a path may lead to several, and one is enough.
 */
static bool is_claim_of(const struct inventory *inv, const struct selector *s,
			const struct pci_device *d)
{
	if ((s->terms & TERM_ADDRESS) && selector_is_address_of(s, d->bdf))
		return true;
	return (s->terms & TERM_PATH) && selector_is_path_of(s, d) && !has_match(inv, s);
}

bool match_device(const struct policy *policy, const struct inventory *inv,
		  const struct pci_device *d, const struct along *along, size_t *counts,
		  struct match *ret)
{
	struct match m = {0};

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		bool matches = selector_has_match(&rule->selector, d);

		if (!policy_has_rule_active(policy, rule))
			continue;
		if (!matches) {
			if (rule->kind == RULE_BIND && !m.mismatch &&
			    is_claim_of(inv, &rule->selector, d))
				m.mismatch = rule;
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
	if (along && along->rule) {
		m.allow |= along->allow;
		if (!m.keep && !m.bind && !m.mismatch) {
			m.bind = along->rule;
			m.with = along->with;
		}
	}
	*ret = m;
	return m.keep || m.bind || m.mismatch;
}
