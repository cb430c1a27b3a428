/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy as one line of text per rule, option and problem: for comparing in tests. */
#pragma once

#include "test.h"

#include "policy.h"

static inline const char *describe_rules(const struct policy *policy)
{
	static char buf[8192];
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		char text[SELECTOR_SIZE], origin[ORIGIN_SIZE];

		used += (size_t)snprintf(
			buf + used, sizeof(buf) - used, "%s %s%s%s%s%s%.*s @%s\n",
			rule_kind_name(rule->kind),
			selector_format(&rule->selector, text),
			rule->optional ? " optional" : "", rule->on_failure ? " " : "",
			rule->on_failure ? on_failure_name(rule->on_failure) : "",
			rule->profile.n > 0 ? " profile="
			: rule->allow	    ? " allow"
					    : "",
			(int)rule->profile.n, rule->profile.p ? rule->profile.p : "",
			origin_format(&rule->origin, origin));
	}
	return buf;
}

/* The kernel's own command line. */
static inline void add_line(struct policy *policy, struct text bytes)
{
	policy_add_cmdline(policy, &(struct cmdline_piece){.bytes = bytes}, 1);
}

/* "origin \"text\" e|w" per problem, without the messages. */
static inline const char *describe_problems(const struct policy *policy)
{
	static char buf[8192];
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < policy->problem_count; i++) {
		const struct problem *p = &policy->problems[i];
		char origin[ORIGIN_SIZE];

		check_true("message", p->message && strlen(p->message) > 8);
		used += (size_t)snprintf(
			buf + used, sizeof(buf) - used, "%s \"%.*s\" %c\n",
			origin_format(&p->origin, origin), (int)p->text.n, p->text.p,
			p->is_error ? 'e' : 'w');
	}
	return buf;
}
