/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines and rules by lot. The plan is what tests/fake/fake_lot_want.c works out anew, and
 * beyond that it has the properties that follow here one by one; some plans are carried out.
 *
 * PROPERTY_CASES=N makes so many cases, PROPERTY_SEED=N begins with that one: a failure names
 * its own, "PROPERTY_SEED=N PROPERTY_CASES=1" repeats it. "make property CASES=N" is the same.
 */
#include "test.h"

#include <stdarg.h>

#include "config.h"
#include "fake_lot.h"
#include "fake_report.h"
#include "table.h"

#define CASES	   600
#define ARENA_SIZE ((size_t)4 * 1024 * 1024)
#define DUMP_SIZE  ((size_t)256 * 1024)

/* A plan, as far as it is compared with others. */
struct seen {
	struct lot_want devices[FAKE_DEVICES_MAX];
	int blockers[LOT_GROUPS_MAX]; /* -1: nothing is said of the group */
	bool is_ids_safe;
	size_t known; /* functions that were looked at closer */
	size_t n;
	char dump[DUMP_SIZE];
};

static struct {
	unsigned cases, planned, actions[ACTION_REFUSE + 1], carried_out, bound;
	unsigned long long reasons;
} figures;

static struct lot lot;
static char complaint[1024];

static const char *wrong(const char *format, ...) printf_like(1, 2);
static const char *wrong(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(complaint, sizeof(complaint), format, ap);
	va_end(ap);
	return complaint;
}

static const char *address_of(size_t device)
{
	static char buf[2][BDF_SIZE];
	static unsigned which;

	return bdf_format(lot.w->bus.devices[device].bdf, buf[which++ % 2]);
}

static size_t number_of(struct bdf bdf)
{
	for (size_t i = 0; i < lot.w->bus.device_count; i++)
		if (bdf_compare(lot.w->bus.devices[i].bdf, bdf) == 0)
			return i;
	fail_msg("a device that is not there");
	return 0;
}

/* As "earlybind plan --json" has it. */
static void dump(const struct run *run, struct seen *seen)
{
	struct json json = {.buf = seen->dump, .size = sizeof(seen->dump)};

	json_open(&json, NULL, '{');
	report_write_rules(&run->policy, &run->plan, &json);
	json_open(&json, "devices", '[');
	for (size_t i = 0; i < run->plan.device_count; i++)
		report_write_device(&run->plan.devices[i], NULL, &json);
	json_close(&json, ']');
	json_open(&json, "groups", '[');
	for (size_t i = 0; i < run->plan.group_count; i++)
		report_write_group(&run->plan.groups[i], &json);
	json_close(&json, ']');
	report_write_problems(&run->policy, &json);
	json_close(&json, '}');
	assert_false(json.is_full);
	seen->n = json.used;
}

static const char *check_rules(const struct run *run)
{
	const struct policy *policy = &run->policy;

	if (policy->rule_count != lot.order_count || policy->problems_lost > 0)
		return wrong("%zu rules, not %zu", policy->rule_count, lot.order_count);
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct lot_rule *rule = &lot.rules[lot.order[i]];
		size_t count = 0;

		if (!text_is(policy->rules[i].text, rule->text) ||
		    policy->rules[i].kind != rule->kind)
			return wrong("rule %zu is not \"%s\"", i, rule->text);
		if (policy_has_rule_active(policy, &policy->rules[i]) !=
		    lot_is_active(&lot, rule))
			return wrong("\"%s\" counts, or does not", rule->text);
		for (size_t k = 0; k < lot.w->bus.device_count; k++)
			count += rule->kind == RULE_BIND ? lot_is_named(&lot, rule, k)
							 : lot_has_match(&lot, rule, k);
		/* Of critical ones only what is wanted is looked at. */
		if (!lot.has_hanging && rule->kind != RULE_CRITICAL &&
		    run->plan.rule_matches[i] != (lot_is_active(&lot, rule) ? count : 0))
			return wrong("\"%s\" names %zu functions, not %zu", rule->text,
				     run->plan.rule_matches[i], count);
	}
	return NULL;
}

/* Makes the plan as a boot does. NULL, or what is wrong with it as such. */
static const char *make_plan(struct seen *seen)
{
	static struct arena arena;
	static struct table_section section;
	struct run_options options = {.has_cmdline_files = true};
	struct run run;
	const char *message;

	if (!arena.base)
		arena = test_arena(ARENA_SIZE);
	arena_rewind(&arena, 0);
	assert_int_equal(table_encode(text_of(lot.config), &section), 0);
	options.table = (struct text){(const char *)&section, sizeof(section)};
	memset(seen, 0, offsetof(struct seen, dump));
	assert_int_equal(run_read_policy(&lot.w->world, &arena, &options, &run), 0);
	run.is_boot = true;
	assert_int_equal(run_plan(&lot.w->world, &arena, &run), 0);
	message = check_rules(&run);
	if (message)
		return message;
	for (size_t i = 0; i < run.plan.device_count; i++) {
		const struct plan_device *pd = &run.plan.devices[i];
		struct lot_want *d = &seen->devices[number_of(pd->device->bdf)];

		if (d->is_planned)
			return wrong("a device is planned twice");
		if (i > 0 && bdf_compare(pd[-1].device->bdf, pd->device->bdf) >= 0)
			return wrong("the plan is not sorted");
		*d = (struct lot_want){true, pd->action, pd->reason,
				       (size_t)(pd->rule - run.policy.rules)};
	}
	for (size_t i = 0; i < LOT_GROUPS_MAX; i++)
		seen->blockers[i] = -1;
	for (size_t i = 0; i < run.plan.group_count; i++) {
		const struct plan_group *group = &run.plan.groups[i];

		if (group->is_viable != (group->blocker_count == 0) ||
		    (i > 0 && group[-1].id >= group->id))
			return wrong("group %d: viable, or not sorted", group->id);
		seen->blockers[group->id] = (int)group->blocker_count;
	}
	seen->known = run.inventory.count;
	seen->is_ids_safe = run.plan.is_ids_safe;
	dump(&run, seen);
	return NULL;
}

static bool is_bound(const struct seen *seen, size_t i)
{
	const struct lot_want *d = &seen->devices[i];

	return d->is_planned && d->action <= ACTION_DONE;
}

static bool is_taken(const struct seen *seen, size_t i)
{
	return is_bound(seen, i) && seen->devices[i].action != ACTION_DONE;
}

/* It is what was worked out. */
static const char *check_wanted(const struct seen *seen)
{
	struct lot_want want[FAKE_DEVICES_MAX];
	int blockers[LOT_GROUPS_MAX];
	bool is_ids_safe;

	/* What cannot be read has no rule: it is only never bound against one. */
	if (lot.has_hanging)
		return NULL;
	lot_work_out(&lot, want, &is_ids_safe);
	for (size_t i = 0; i < lot.w->bus.device_count; i++) {
		const struct lot_want *w = &want[i], *got = &seen->devices[i];

		if (w->is_planned != got->is_planned)
			return wrong("%s: %splanned: %s (%s)", address_of(i),
				     w->is_planned ? "not " : "",
				     action_name(got->action), reason_word(got->reason));
		if (!w->is_planned)
			continue;
		if (w->action != got->action || w->reason != got->reason)
			return wrong("%s: %s (%s), not %s (%s)", address_of(i),
				     action_name(got->action), reason_word(got->reason),
				     action_name(w->action), reason_word(w->reason));
		if (w->rule != got->rule)
			return wrong("%s: by rule %zu, not %zu", address_of(i), got->rule,
				     w->rule);
		figures.planned++;
		figures.actions[got->action]++;
		figures.reasons |= 1ull << got->reason;
	}
	lot_count_blockers(&lot, want, blockers);
	for (int i = 0; i < LOT_GROUPS_MAX; i++)
		if (seen->blockers[i] != blockers[i])
			return wrong("group %d: %d blockers, not %d", i,
				     seen->blockers[i], blockers[i]);
	if (seen->is_ids_safe != is_ids_safe)
		return wrong("the module gets its ids=, or not");
	return NULL;
}

static bool is_followed(size_t device)
{
	for (size_t i = 0; i < lot.rule_count; i++)
		if (lot.rules[i].kind == RULE_BIND &&
		    lot_may_follow(&lot, &lot.rules[i], device))
			return true;
	return false;
}

/* What must never be bound, whatever the rules are. */
static const char *check_never(const struct seen *seen)
{
	const struct fake_bus *bus = &lot.w->bus;

	for (size_t i = 0; i < bus->device_count; i++) {
		const struct fake_device *d = &bus->devices[i];
		struct lot_match match;

		if (!is_taken(seen, i))
			continue;
		if (d->has_bus_behind || d->ids.class >> 8 == 0x0604)
			return wrong("%s: a bridge is bound", address_of(i));
		if (d->ids.class >> 8 == 0x0806)
			return wrong("%s: an IOMMU is bound", address_of(i));
		lot_match(&lot, i, &match);
		if (match.keep != LOT_NO_RULE)
			return wrong("%s: kept, but bound", address_of(i));
		if (match.bind == LOT_NO_RULE && match.companions == LOT_NO_RULE &&
		    !is_followed(i))
			return wrong("%s: no rule names it", address_of(i));
		for (size_t k = 0; k < lot.rule_count; k++)
			if (lot.rules[k].kind == RULE_CRITICAL &&
			    lot.rules[k].allow != ALLOW_CONSOLE &&
			    lot_is_active(&lot, &lot.rules[k]) &&
			    lot_has_match(&lot, &lot.rules[k], i) &&
			    !(lot.rules[k].allow & match.allow))
				return wrong("%s: critical, but bound", address_of(i));
		if (d->is_boot_vga && !(match.allow & ALLOW_CONSOLE))
			return wrong("%s: the console is bound", address_of(i));
	}
	return NULL;
}

static const char *check_same(const struct seen *a, const struct seen *b,
			      const char *what)
{
	size_t n = 0;

	while (n < a->n && n < b->n && a->dump[n] == b->dump[n])
		n++;
	if (a->n != b->n || n < a->n)
		return wrong("another plan %s: %.60s, and %.60s", what, a->dump + n,
			     b->dump + n);
	return NULL;
}

/* A device may be critical for several things: the first rule says which. */
static enum reason kind_of(enum reason reason)
{
	return reason == REASON_CRITICAL_NETWORK || reason == REASON_CRITICAL_CONSOLE
		       ? REASON_CRITICAL_STORAGE
		       : reason;
}

/* The same devices, actions and reasons; other rules of the same kind may be named. */
static const char *check_alike(const struct seen *a, const struct seen *b,
			       const char *what)
{
	for (size_t i = 0; i < lot.w->bus.device_count; i++) {
		const struct lot_want *x = &a->devices[i], *y = &b->devices[i];

		if (x->is_planned != y->is_planned || x->action != y->action ||
		    kind_of(x->reason) != kind_of(y->reason))
			return wrong("%s: another plan %s", address_of(i), what);
	}
	return a->is_ids_safe != b->is_ids_safe ? wrong("other ids= %s", what) : NULL;
}

static const char *check_orders(const struct seen *first)
{
	static struct seen again;
	const char *message = make_plan(&again);

	if (!message)
		message = check_same(first, &again, "the second time");
	lot.w->list_seed = 1 + lot_draw(&lot, 1000000);
	if (!message)
		message = make_plan(&again);
	if (!message)
		message = check_same(first, &again, "in another order of folders");
	for (size_t i = lot.rule_count; i > 1; i--) {
		size_t other = lot_draw(&lot, (unsigned)i);
		struct lot_rule rule = lot.rules[i - 1];

		lot.rules[i - 1] = lot.rules[other];
		lot.rules[other] = rule;
	}
	lot_write(&lot);
	if (!message)
		message = make_plan(&again);
	if (!message)
		message = check_alike(first, &again, "in another order of rules");
	return message;
}

/*
 * Those that were refused since the last of their kind must stay: another one stays now. Where
 * serial numbers cannot be read, time that one function took no more lets another one be read.
 */
static bool is_excused(const struct lot_want *before)
{
	return lot.has_hanging ||
	       (before->is_planned && (before->reason == REASON_LAST_DISPLAY ||
				       before->reason == REASON_CRITICAL_CONSOLE));
}

static const char *check_more_is_kept(const struct seen *first)
{
	static struct seen again;
	const char *message;

	(void)lot_add_rule(&lot, RULE_KEEP, PLACE_CONFIG);
	lot_write(&lot);
	message = make_plan(&again);
	for (size_t i = 0; !message && i < lot.w->bus.device_count; i++)
		if (is_bound(&again, i) && !is_bound(first, i) &&
		    !is_excused(&first->devices[i]))
			message = wrong("%s: bound by one more keep rule", address_of(i));
	if (!message)
		message = check_wanted(&again);
	lot.rule_count--;
	lot_write(&lot);
	return message;
}

/* A function that nothing is about, and that leads to no other; nor may it be followed. */
static bool is_unrelated(const struct seen *seen, size_t device)
{
	const struct fake_bus *bus = &lot.w->bus;
	const struct fake_device *d = &bus->devices[device];

	if (seen->devices[device].is_planned || d->ids.class >> 16 == 3 ||
	    d->has_bus_behind || d->vf_count > 0 || d->bdf.function == 0)
		return false;
	for (size_t k = 0; k < lot.rule_count; k++)
		if (lot_has_match(&lot, &lot.rules[k], device) ||
		    lot.rules[k].is_followed)
			return false;
	for (size_t i = 0; i < bus->device_count; i++)
		if (seen->devices[i].is_planned && bus->devices[i].group == d->group)
			return false;
	return true;
}

static const char *check_unrelated(const struct seen *first)
{
	static struct seen again;
	const char *message;

	/* There is a time limit for all that hang: what one of them takes, others lack. */
	if (lot.has_hanging)
		return NULL;
	for (size_t i = 0; i < lot.w->bus.device_count; i++) {
		struct fake_device *d = &lot.w->bus.devices[i];

		if (!is_unrelated(first, i))
			continue;
		d->is_present = false;
		message = make_plan(&again);
		if (!message)
			message = check_alike(first, &again, "without a bystander");
		d->is_present = true;
		return message;
	}
	return NULL;
}

static const char *check_profile(void)
{
	static struct seen with, without;
	const char *message;
	size_t count = 0;

	lot.is_profile_on = false;
	lot_write(&lot);
	message = make_plan(&with);
	for (size_t i = 0; i < lot.rule_count; i++)
		if (lot.rules[i].place != PLACE_PROFILE)
			lot.rules[count++] = lot.rules[i];
	lot.rule_count = count;
	lot_write(&lot);
	if (!message)
		message = make_plan(&without);
	if (!message)
		message = check_alike(&with, &without,
				      "by a profile that is not asked for");
	return message;
}

static const char *carry_out(void)
{
	struct fake_boot boot;
	const char *message;

	fake_boot(lot.w, lot.config, &boot);
	message = fake_check(lot.w, &boot);
	if (!message)
		message = fake_check_report(lot.w, &boot);
	for (size_t i = 0; !message && i < lot.w->bus.device_count; i++) {
		const struct fake_device *d = &lot.w->bus.devices[i];
		const struct outcome *o = fake_outcome(&boot, address_of(i));

		if (o && o->verdict == VERDICT_BOUND)
			figures.bound++;
		if (o && o->plan->action <= ACTION_DONE && o->verdict == VERDICT_NONE)
			message = wrong("%s: no verdict", address_of(i));
		if ((!o || o->plan->action > ACTION_DONE) && !d->had_vfio &&
		    strcmp(fake_driver_of(d), DEFAULT_DRIVER) == 0)
			message =
				wrong("%s: on vfio-pci, against the plan", address_of(i));
	}
	if (message && message != complaint)
		message = wrong("%s", message);
	fake_boot_free(&boot);
	figures.carried_out++;
	return message;
}

static const char *check_case(uint64_t seed)
{
	static struct seen first;
	const char *message;

	lot_make(&lot, seed);
	message = make_plan(&first);
	if (!message)
		message = check_wanted(&first);
	if (!message)
		message = check_never(&first);
	if (!message)
		message = check_orders(&first);
	if (!message)
		message = make_plan(&first);
	if (!message)
		message = check_more_is_kept(&first);
	if (!message)
		message = check_unrelated(&first);
	if (!message && seed % 2)
		message = carry_out();
	else if (!message)
		message = check_profile();
	return message;
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 10) : otherwise;
}

static void test_properties(void **state unused)
{
	uint64_t seed = number_from("PROPERTY_SEED", 1);
	uint64_t cases = number_from("PROPERTY_CASES", CASES);
	char label[64];

	for (; cases > 0; cases--, seed++) {
		const char *message;

		snprintf(label, sizeof(label), "PROPERTY_SEED=%llu",
			 (unsigned long long)seed);
		fake_label = label;
		message = check_case(seed);
		if (message)
			fail_msg("%s: %s\n%s\nmodprobe.d: %s\n%s\n%s%s", label, message,
				 lot.cmdline, lot.modprobe, lot.config, lot.w->trace,
				 lot.w->log);
		lot_free(&lot);
		figures.cases++;
	}
}

/* What was drawn has something of everything, or nothing of it was tested. */
static void test_figures(void **state unused)
{
	for (enum action action = ACTION_BIND; action <= ACTION_REFUSE; action++)
		check_true(action_name(action), figures.actions[action] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_figures),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	fprintf(stderr,
		"properties: %u cases, %u devices planned (%u bind, %u recover, %u done, "
		"%u keep, %u refuse), %u carried out (%u bound)\n",
		figures.cases, figures.planned, figures.actions[ACTION_BIND],
		figures.actions[ACTION_RECOVER], figures.actions[ACTION_DONE],
		figures.actions[ACTION_KEEP], figures.actions[ACTION_REFUSE],
		figures.carried_out, figures.bound);
	return r;
}
