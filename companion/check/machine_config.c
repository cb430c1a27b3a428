/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules: what was not understood, what names nothing or too much. */
#include <string.h>

#include "sentences.h"
#include "machine_check.h"
#include "identity.h"
#include "moved.h"
#include "message.h"
#include "report.h"

static void say_problem(struct doctor *d, const struct problem *p)
{
	char origin[ORIGIN_SIZE];

	doctor_say(d, p->is_error ? FINDING_FAIL : FINDING_NOTE, "%s: \"%.*s\": %s",
		   origin_format(&p->origin, origin), (int)MIN(p->text.n, 80u), p->text.p,
		   p->message);
}

/* Whether another device sits at the rule's address: then that has been said. */
static bool is_mismatch(const struct doctor *d, const struct rule *rule)
{
	for (size_t i = 0; i < d->run.plan.device_count; i++)
		if (d->run.plan.devices[i].rule == rule)
			return true;
	return false;
}

/* Somebody may have two of them and want to pass one on. */
static void check_several(struct doctor *d, struct identity *identity,
			  const struct rule *rule)
{
	char origin[ORIGIN_SIZE];
	size_t count;
	const char *cards = identity_cards_of(identity, &d->run.plan, rule, &count);

	if (count > 0)
		doctor_say(
			d, FINDING_NOTE,
			"%.*s (%s): this ID is that of %zu cards: %s; if one of them "
			"is for the host, name the other with \"earlybind add ADDRESS\" "
			"instead, or keep it",
			(int)MIN(rule->text.n, 80u), rule->text.p,
			origin_format(&rule->origin, origin), count, cards);
}

static void check_rule(struct doctor *d, struct identity *identity, size_t i)
{
	const struct rule *rule = &d->run.policy.rules[i];
	const char *elsewhere;
	char origin[ORIGIN_SIZE];

	if (rule->kind != RULE_BIND || !policy_has_rule_active(&d->run.policy, rule))
		return;
	if (d->run.plan.rule_matches[i] > 0) {
		check_several(d, identity, rule);
		return;
	}
	if (is_mismatch(d, rule))
		return;
	elsewhere = d->run.plan.lost[i].elsewhere;
	doctor_say(d, rule->optional ? FINDING_NOTE : FINDING_FAIL,
		   "%.*s (%s) names no device that is present%s%s%s",
		   (int)MIN(rule->text.n, 80u), rule->text.p,
		   origin_format(&rule->origin, origin), elsewhere ? ", but " : "",
		   elsewhere ? elsewhere : "",
		   rule->optional ? ", and is optional"
				  : ": look it up with \"earlybind list\", or mark it "
				    "optional");
}

void doctor_configuration(struct doctor *d)
{
	const struct policy *policy = &d->run.policy;
	size_t before = d->findings.counts[FINDING_FAIL];
	struct identity identity;

	if (policy->off) {
		doctor_say(
			d, FINDING_NOTE,
			"rd.earlybind=0 is on the kernel command line: no rule counts");
		return;
	}
	for (size_t i = 0; i < policy->problem_count; i++)
		say_problem(d, &policy->problems[i]);
	if (policy->problems_lost > 0)
		doctor_say(d, FINDING_FAIL, "%zu more problems are not shown",
			   policy->problems_lost);
	if (identity_open(d->world, d->arena, &d->run.inventory, &identity) < 0)
		return;
	for (size_t i = 0; i < policy->rule_count; i++)
		check_rule(d, &identity, i);
	if (!d->has_rule)
		doctor_say(d, FINDING_NOTE,
			   "there is no rule: \"earlybind add DEVICE\" writes one");
	else if (d->findings.counts[FINDING_FAIL] == before)
		doctor_say(d, FINDING_PASS, "%zu rule%s, %zu device%s",
			   policy->rule_count, plural(policy->rule_count),
			   d->target_count, plural(d->target_count));
}
