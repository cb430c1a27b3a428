/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match.h"

#include "serial.h"

const char *match_describe(const struct pci_device *d, const struct rule *rule,
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
static bool is_claim_of(const struct lost *lost, const struct selector *s,
			const struct pci_device *d)
{
	if (lost->is_followed)
		return false;
	if ((s->terms & TERM_ADDRESS) && selector_is_address_of(s, d->bdf))
		return true;
	return lost->is_lost && (((s->terms & TERM_PATH) && selector_is_path_of(s, d)) ||
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

bool match_device(const struct policy *policy, const struct lost *lost,
		  const struct pci_device *d, const struct along *along, size_t *counts,
		  struct match *ret)
{
	const struct rule *followed = NULL;
	struct match m = {0};

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		const struct selector *s = &rule->selector;
		bool matches = selector_has_match(s, d);

		if (!policy_has_rule_active(policy, rule))
			continue;
		if (!matches && lost_is_followed(&lost[i], s, d)) {
			followed = followed ? followed : rule;
			m.allow |= rule->allow;
			counts[i]++;
			continue;
		}
		if (!matches) {
			if (rule->kind == RULE_BIND && !m.mismatch &&
			    is_claim_of(&lost[i], s, d)) {
				m.mismatch = rule;
				m.elsewhere = lost[i].elsewhere;
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
