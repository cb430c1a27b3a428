/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules: what was not understood, what names nothing or too much. */
#include <string.h>

#include "describe.h"
#include "doctor.h"
#include "message.h"
#include "report.h"

#define SHOWN_MAX 6

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

/*
 * An ID names every card of its model. Functions of one card are no surprise; those of
 * several cards may be: somebody who has two of them and wants to pass one on.
 */
static void check_several(struct doctor *d, const struct rule *rule)
{
	const struct inventory *inv = &d->run.inventory;
	const struct pci_device *first = NULL;
	char origin[ORIGIN_SIZE], address[BDF_SIZE];
	const char *list = "";
	size_t cards = 0;

	for (size_t i = 0; i < inv->count; i++) {
		const struct pci_device *device = &inv->devices[i];

		if (!selector_has_match(&rule->selector, device))
			continue;
		if (first && bdf_is_same_slot(first->bdf, device->bdf))
			continue;
		first = device;
		if (++cards <= SHOWN_MAX)
			list = doctor_print(d, "%s%s%s", list, *list ? ", " : "",
					    bdf_format(device->bdf, address));
	}
	if (cards > SHOWN_MAX)
		list = doctor_print(d, "%s and %zu more", list, cards - SHOWN_MAX);
	if (cards > 1)
		doctor_say(
			d, FINDING_NOTE,
			"%.*s (%s) names %zu cards: %s; if one of them is for the host, "
			"name the other by its address: %s+%.*s",
			(int)MIN(rule->text.n, 80u), rule->text.p,
			origin_format(&rule->origin, origin), cards, list,
			bdf_format(first->bdf, address), (int)MIN(rule->text.n, 80u),
			rule->text.p);
}

static void check_rule(struct doctor *d, size_t i)
{
	const struct rule *rule = &d->run.policy.rules[i];
	char origin[ORIGIN_SIZE];

	if (rule->kind != RULE_BIND || !policy_has_rule_active(&d->run.policy, rule))
		return;
	if (d->run.plan.rule_matches[i] > 0) {
		if ((rule->selector.terms & TERM_ID) &&
		    !(rule->selector.terms & TERM_ADDRESS))
			check_several(d, rule);
		return;
	}
	if (is_mismatch(d, rule))
		return;
	doctor_say(d, rule->optional ? FINDING_NOTE : FINDING_FAIL,
		   "%.*s (%s) names no device that is present%s",
		   (int)MIN(rule->text.n, 80u), rule->text.p,
		   origin_format(&rule->origin, origin),
		   rule->optional ? ", and is optional"
				  : ": look it up with \"earlybind list\", or mark it "
				    "optional");
}

void doctor_configuration(struct doctor *d)
{
	const struct policy *policy = &d->run.policy;
	size_t before = d->findings.counts[FINDING_FAIL];

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
	for (size_t i = 0; i < policy->rule_count; i++)
		check_rule(d, i);
	if (!d->has_rule)
		doctor_say(d, FINDING_NOTE,
			   "there is no rule: \"earlybind add DEVICE\" writes one");
	else if (d->findings.counts[FINDING_FAIL] == before)
		doctor_say(d, FINDING_PASS, "%zu rule%s, %zu device%s",
			   policy->rule_count, plural(policy->rule_count),
			   d->target_count, plural(d->target_count));
}
