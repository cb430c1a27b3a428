/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy.h"

#include <errno.h>
#include <string.h>

#include "vfio_ids.h"
#include "recorded_ids.h"

int policy_init(struct policy *policy, struct arena *arena)
{
	*policy = (struct policy){
		.arena = arena,
		.timeout = TIMEOUT_DEFAULT,
		.recovery_timeout = RECOVERY_TIMEOUT_DEFAULT,
		.on_failure = ON_FAILURE_RESTORE,
	};
	policy->rules = arena_alloc(arena, RULES_MAX, sizeof(*policy->rules));
	policy->problems = arena_alloc(arena, PROBLEMS_MAX, sizeof(*policy->problems));
	policy->known = arena_alloc(arena, KNOWN_MAX, sizeof(*policy->known));
	return policy->rules && policy->problems && policy->known ? 0 : -ENOMEM;
}

void policy_add_problem(struct policy *policy, const struct origin *origin,
			struct text at, const char *message, bool is_error)
{
	struct problem *problem;

	if (policy->problem_count == PROBLEMS_MAX) {
		policy->problems_lost++;
		return;
	}
	problem = &policy->problems[policy->problem_count++];
	*problem = (struct problem){*origin, at, message, is_error};
	if (origin->base && at.p)
		problem->origin.column = (unsigned)(at.p - origin->base) + 1;
}

static struct rule *new_rule(struct policy *policy, const struct origin *origin,
			     struct text at)
{
	if (policy->rule_count == RULES_MAX) {
		policy_add_problem(policy, origin, at,
				   "more than 1024 rules: this one is ignored", true);
		return NULL;
	}
	return &policy->rules[policy->rule_count];
}

static void add_selector(struct policy *policy, const struct rule *like,
			 struct text selector)
{
	struct rule *rule = new_rule(policy, &like->origin, selector);
	struct parse_error error;

	if (!rule)
		return;
	*rule = *like;
	rule->text = selector;
	if (selector_parse(selector, &rule->selector, &error) < 0) {
		struct text at = {selector.p + error.offset, selector.n - error.offset};

		policy_add_problem(policy, &like->origin, at.n > 0 ? at : selector,
				   error.message, true);
		return;
	}
	if (rule->follow && (!(rule->selector.terms & PLACE_TERMS) ||
			     !selector_has_identity(&rule->selector))) {
		policy_add_problem(
			policy, &like->origin, selector,
			"follow needs a place to start from (an address, path= or "
			"slot=) and what the card is known by (serial= or an ID)",
			true);
		return;
	}
	if (rule->origin.base)
		rule->origin.column = (unsigned)(selector.p - rule->origin.base) + 1;
	policy->rule_count++;
}

void policy_add_rule(struct policy *policy, enum rule_kind kind, struct text selectors,
		     struct text options, char separator, const struct origin *origin,
		     struct text profile)
{
	struct rule like = {.kind = kind, .origin = *origin, .profile = profile};
	struct text part, word;
	const char *message;
	int r;

	if (kind == RULE_CRITICAL)
		r = rule_parse_critical(options, &like, &word, &message);
	else
		r = rule_parse_options(options, separator, &like, &word, &message);
	if (r < 0) {
		policy_add_problem(policy, origin, word.n > 0 ? word : selectors, message,
				   true);
		return;
	}
	while (text_cut(&selectors, ',', &part))
		add_selector(policy, &like, part);
}

/* The command line wins over a configuration, whichever is read first. */
static bool may_set(struct policy *policy, enum run_option option,
		    const struct origin *origin)
{
	if (origin->source == SOURCE_CMDLINE)
		policy->cmdline_options |= option;
	else if (policy->cmdline_options & option)
		return false;
	return true;
}

bool policy_set_option(struct policy *policy, struct text name, struct text value,
		       const struct origin *origin)
{
	enum on_failure on_failure;
	uint64_t number;

	if (text_is_param(name, "on-failure")) {
		if (on_failure_parse(value, &on_failure) < 0)
			policy_add_problem(policy, origin, value, ON_FAILURE_USAGE, true);
		else if (may_set(policy, OPTION_ON_FAILURE, origin))
			policy->on_failure = on_failure;
		return true;
	}
	if (text_is(name, "critical")) {
		if (!text_is(value, "none") && !text_is(value, "recorded"))
			policy_add_problem(policy, origin, value,
					   "critical= is recorded or none", true);
		else if (may_set(policy, OPTION_CRITICAL, origin))
			policy->ignore_recorded = text_is(value, "none");
		return true;
	}
	if (text_is(name, "timeout") || text_is_param(name, "recovery-timeout")) {
		bool is_recovery = !text_is(name, "timeout");

		if (text_decimal(value, TIMEOUT_MAX, &number) < 0 || number == 0)
			policy_add_problem(policy, origin, value,
					   "a timeout is 1 to 3600 seconds", true);
		else if (is_recovery && may_set(policy, OPTION_RECOVERY_TIMEOUT, origin))
			policy->recovery_timeout = (unsigned)number;
		else if (!is_recovery && may_set(policy, OPTION_TIMEOUT, origin))
			policy->timeout = (unsigned)number;
		return true;
	}
	return false;
}

void policy_lose_source(struct policy *policy, const struct origin *origin,
			struct text what, const char *message)
{
	policy_add_problem(policy, origin, what, message, true);
	policy->is_partial = true;
}

void policy_add_module_ids(struct policy *policy, const struct origin *origin,
			   struct text value)
{
	struct ids_entry entry;

	if (origin->source == SOURCE_CMDLINE)
		policy->has_cmdline_ids = true;
	else if (policy->has_cmdline_ids)
		return;
	policy->module_ids = value;

	if (value.n > IDS_LENGTH_MAX) {
		policy_add_problem(
			policy, origin, (struct text){value.p, 32},
			"vfio-pci refuses ids= of more than 1023 characters: its "
			"module is loaded without them",
			false);
	}
	while (ids_next(&value, &entry)) {
		struct rule *rule;

		if (entry.warning != IDS_FINE)
			policy_add_problem(policy, origin, entry.text,
					   ids_warning_message(entry.warning),
					   entry.warning == IDS_INVALID);
		if (entry.warning == IDS_INVALID)
			continue;
		rule = new_rule(policy, origin, entry.text);
		if (!rule)
			return;
		*rule = (struct rule){
			.kind = RULE_BIND,
			.selector = {.terms = TERM_ID, .id = entry.match},
			.text = entry.text,
			.origin = *origin,
			.is_module_id = true,
		};
		policy->rule_count++;
	}
}

bool policy_has_rule_active(const struct policy *policy, const struct rule *rule)
{
	if (rule->profile.n == 0)
		return true;
	return rule->profile.n == policy->profile.n &&
	       memcmp(rule->profile.p, policy->profile.p, rule->profile.n) == 0;
}

bool policy_can_be_lost(const struct policy *policy, const struct rule *rule)
{
	unsigned terms = rule->selector.terms;

	if (rule->kind != RULE_BIND || !policy_has_rule_active(policy, rule))
		return false;
	return ((terms & (TERM_PATH | TERM_SLOT)) && (terms & (terms - 1))) ||
	       ((terms & TERM_SERIAL) && (terms & TERM_ID)) ||
	       ((terms & PLACE_TERMS) && selector_has_identity(&rule->selector));
}

bool policy_has_guard(const struct policy *policy, const struct rule *rule)
{
	return rule->kind == RULE_CRITICAL && policy_has_rule_active(policy, rule) &&
	       !(policy->ignore_recorded && rule_is_recorded(rule));
}

enum on_failure policy_on_failure(const struct policy *policy, const struct rule *rule)
{
	return rule->on_failure == ON_FAILURE_DEFAULT ? policy->on_failure
						      : rule->on_failure;
}

bool policy_has_with(const struct policy *policy, const struct rule *rule)
{
	return rule->kind == RULE_BIND && rule->with != WITH_NOTHING &&
	       policy_has_rule_active(policy, rule);
}

bool policy_has_any_with(const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy_has_with(policy, &policy->rules[i]))
			return true;
	return false;
}

bool policy_has_bind_rule(const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].kind == RULE_BIND &&
		    policy_has_rule_active(policy, &policy->rules[i]))
			return true;
	return false;
}
