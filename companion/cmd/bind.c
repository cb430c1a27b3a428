/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind bind: devices onto vfio-pci on the running system. */
#include <stdio.h>
#include <string.h>

#include "by_hand.h"
#include "commands.h"
#include "sentences.h"
#include "message.h"
#include "reason.h"

struct binding {
	struct by_hand hand;
	bool is_forced;
	struct policy policy;
	struct run run; /* the plan for all of them */
};

/* The words as rules, and the keep rules of the next boot. */
static int make_policy(struct binding *b)
{
	const struct policy *next = &b->hand.next.policy;

	if (by_hand_policy(next, next->off ? &b->hand.files : next, &b->hand.words,
			   b->is_forced, b->hand.arena, &b->policy) < 0) {
		say_error("out of memory");
		return EXIT_FAILED;
	}
	if (b->hand.files.problem_count > 0 && !b->is_forced) {
		(void)sources_print_problems(&b->hand.sources, &b->hand.files);
		say_error(
			"bind: keep rules may be missing while the configuration is wrong: "
			"correct it, or use --force");
		return EXIT_FAILED;
	}
	return by_hand_set_limits(&b->hand, &b->policy);
}

static bool is_meant(const struct binding *b, const struct plan_device *pd)
{
	return selection_has_match(&b->hand.selection, pd->device);
}

/* IDs and classes that match several: the others may be somebody's. */
static size_t say_ambiguous(const struct binding *b)
{
	const struct selection *s = &b->hand.selection;
	size_t said = 0;

	for (size_t i = 0; i < s->words->count && !b->is_forced; i++) {
		size_t count = 0;

		if (s->selectors[i].terms & (PLACE_TERMS | TERM_SERIAL))
			continue;
		for (size_t k = 0; k < b->hand.now.count; k++)
			count += selector_has_match(&s->selectors[i],
						    &b->hand.now.devices[k]);
		if (count < 2)
			continue;
		said++;
		say_error("bind: %s names %zu functions: name them by address, or "
			  "use --force",
			  s->words->items[i], count);
	}
	return said;
}

static size_t say_objections(const struct binding *b)
{
	size_t said = say_ambiguous(b);

	for (size_t i = 0; i < b->run.plan.device_count; i++)
		if (is_meant(b, &b->run.plan.devices[i]))
			said += guards_say_bind(&b->hand.guards, &b->run.plan.devices[i],
						b->is_forced);
	if (said > 0)
		say_error("nothing was touched");
	return said;
}

static void put_planned(const struct plan_device *pd)
{
	const struct pci_device *d = pd->device;
	char id[ID_SIZE];
	struct paragraph p = describe_device(d->bdf, format_id(&d->ids, id));

	if (pd->action == ACTION_DONE)
		paragraph_add(&p, "is on %s already", pd->wanted);
	else if (d->driver[0] == '\0')
		paragraph_add(&p, "would be bound to %s; no driver has it now",
			      pd->wanted);
	else
		paragraph_add(&p, "would be taken from %s and bound to %s", d->driver,
			      pd->wanted);
	paragraph_end(&p);
}

static void put_outcome(const struct outcome *o)
{
	const struct pci_device *d = o->plan->device;
	char id[ID_SIZE], message[REASON_MESSAGE_SIZE];
	struct paragraph p = describe_device(d->bdf, format_id(&d->ids, id));

	if (o->verdict == VERDICT_BOUND) {
		paragraph_verdict(&p, STYLE_GOOD, "bound to %s", o->after);
		if (o->before[0] != '\0')
			paragraph_add(&p, "(was %s)", o->before);
		paragraph_add(&p, "in %llu ms",
			      (unsigned long long)o->microseconds / 1000);
	} else {
		paragraph_verdict(&p, STYLE_BAD, "not bound");
		paragraph_add(&p, "(%s): %s; %s has it now",
			      o->verdict ? verdict_name(o->verdict) : "no verdict",
			      reason_message(o->reason, o->detail, message),
			      o->after[0] ? o->after : "no driver");
	}
	paragraph_end(&p);
}

/* Each group once, as it is now. */
static void put_groups(struct binding *b)
{
	const struct plan *plan = &b->run.plan;
	struct inventory now;

	if (inventory_read(b->hand.world, b->hand.arena, NULL, NULL, &now) < 0)
		return;
	for (size_t i = 0; i < plan->group_count; i++) {
		struct plan_group group;

		if (judge_group_now(&now, plan->groups[i].id, b->hand.arena, &group) == 0)
			describe_group(&group, "",
				       judge_group(&b->hand.guards.judge, &group, false));
	}
}

static int bind_devices(struct binding *b)
{
	struct plan *plan = &b->run.plan;
	static struct run one;
	int code = EXIT_OK;

	for (size_t i = 0; i < plan->device_count; i++) {
		const struct plan_device *pd = &plan->devices[i];
		char address[BDF_SIZE], message[REASON_MESSAGE_SIZE];

		if (!is_meant(b, pd))
			continue;
		if (pd->action == ACTION_DONE) {
			put_planned(pd);
			continue;
		}
		if (by_hand_has_signal()) {
			say_error("interrupted: %s and what follows was not touched",
				  bdf_format(pd->device->bdf, address));
			return EXIT_FAILED;
		}
		fflush(stdout);
		by_hand_speak(b->hand.world, b->hand.result.is_quiet);
		if (by_hand_bind(b->hand.world, b->hand.arena, &b->policy,
				 pd->device->bdf, &one) != EXIT_ALL_BOUND)
			code = EXIT_FAILED;
		by_hand_be_silent(b->hand.world);
		if (one.plan.device_count == 1)
			put_outcome(&one.report.outcomes[0]);
		else
			say_error("%s: %s", bdf_format(pd->device->bdf, address),
				  reason_message(one.report.reason, one.report.detail,
						 message));
		if (one.report.reason != REASON_NONE && one.plan.device_count == 1)
			say_error("%s", reason_message(one.report.reason,
						       one.report.detail, message));
	}
	put_groups(b);
	return code;
}

static int bind_or_plan(struct binding *b)
{
	struct run *run = &b->run;
	char message[REASON_MESSAGE_SIZE];
	int code = make_policy(b);

	if (code != EXIT_OK)
		return code;
	*run = (struct run){.policy = b->policy};
	run->report.policy = &run->policy;
	if (run_plan(b->hand.world, b->hand.arena, run) < 0) {
		say_error("%s", reason_message(run->report.reason, run->report.detail,
					       message));
		return EXIT_FAILED;
	}
	if (say_objections(b) > 0)
		return EXIT_FAILED;
	if (!b->hand.is_dry_run)
		return bind_devices(b);
	for (size_t i = 0; i < run->plan.device_count; i++)
		if (is_meant(b, &run->plan.devices[i]))
			put_planned(&run->plan.devices[i]);
	for (size_t i = 0; i < run->plan.group_count; i++)
		describe_group(
			&run->plan.groups[i], "",
			judge_group(&b->hand.guards.judge, &run->plan.groups[i], false));
	return EXIT_OK;
}

static int run_bind(void *arg)
{
	struct binding *b = arg;
	int code = by_hand_begin(&b->hand);

	if (code == EXIT_OK)
		code = bind_or_plan(b);
	if (b->hand.world)
		by_hand_end(&b->hand);
	return code;
}

int command_bind(int argc, char **argv, struct arena *arena)
{
	static struct binding b;
	const struct option_spec options[] = {
		{"dry-run", NULL, "show what would be done, and do nothing",
		 .ret_flag = &b.hand.is_dry_run},
		{"force", NULL, "also what the host uses but can do without",
		 .ret_flag = &b.is_forced},
		QUIET_OPTION(b.hand.result),
		{"recovery-timeout", "SECONDS",
		 "that a driver may take to unbind, per device",
		 .ret_string = &b.hand.recovery_timeout},
		{"sysroot", "DIR", "with --dry-run: the tree below DIR, not this machine",
		 .ret_string = &b.hand.sysroot},
		{"timeout", "SECONDS", "for everything else",
		 .ret_string = &b.hand.timeout},
	};
	const struct command_spec spec = {
		.name = "bind",
		.synopsis = "[OPTION...] DEVICE...",
		.text = "Binds devices to vfio-pci now, with the steps, limits and undo of a "
			"boot: what cannot be bound goes back to its driver. DEVICE is an "
			"address (01:00.0) or another selector. Nothing is touched if one of "
			"them is in use, protected by a keep rule, or cannot be bound at all. "
			"It lasts until the reboot; a rule of \"earlybind add\" stays.\n"
			"\n"
			"Taking a device from a driver that uses it may hang the machine: a rule "
			"and a reboot are the safe way. A disk of the system, the default route "
			"and what a process has open are never taken, not by --force either.\n"
			"\n"
			"exit code: 0 all are bound; 1 one is not, or nothing was touched; 2 "
			"wrong usage\n",
		.example = "earlybind bind 01:00.0 01:00.1",
		.options = options,
		.option_count = ARRAY_SIZE(options),
		.ret_words = &b.hand.words,
	};
	int code;

	b = (struct binding){.hand = {.command = "bind", .arena = arena}};
	if (!options_parse(&spec, argc, argv, &code))
		return code;
	return result_run(&b.hand.result, arena, run_bind, NULL, &b);
}
