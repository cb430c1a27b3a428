/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind release: devices back to their own drivers on the running system. */
#include <stdio.h>
#include <string.h>

#include "boot_report.h"
#include "by_hand.h"
#include "commands.h"
#include "sentences.h"
#include "driver.h"
#include "message.h"
#include "modules.h"
#include "reason.h"

struct releasing {
	struct by_hand hand;
	struct policy policy; /* the time limits */
	struct boot boot;
	struct modules *modules;
};

static void add_driver(struct strings *drivers, const char *name)
{
	for (size_t i = 0; i < drivers->count; i++)
		if (strcmp(drivers->items[i], name) == 0)
			return;
	if (drivers->count < STRINGS_MAX)
		drivers->items[drivers->count++] = name;
}

struct search {
	struct releasing *r;
	const struct module_names *names;
	struct strings *drivers;
};

/* A driver of the bus that one of the modules has brought. */
static int add_if_of_module(void *arg, const char *driver)
{
	struct search *s = arg;
	struct by_hand *h = &s->r->hand;
	char path[JOB_PATH_SIZE], module[DRIVER_NAME_SIZE];
	const char *copy;

	snprintf(path, sizeof(path), SYSFS_PCI_DRIVERS "/%s/module", driver);
	if (h->world->ops->link(h->world, WORLD_SYS, path, module, sizeof(module)) < 0)
		return 0;
	for (size_t i = 0; i < s->names->count; i++) {
		if (strcmp(s->names->names[i], module) != 0)
			continue;
		copy = arena_printf(h->arena, "%s", driver);
		if (copy)
			add_driver(s->drivers, copy);
	}
	return 0;
}

/* The driver that it had before, then those of modules that are for it. */
static struct release describe_release(struct releasing *r, const struct pci_device *d)
{
	const struct boot_device *b = boot_find(&r->boot, d->bdf);
	struct release release = {.policy = &r->policy,
				  .device = d,
				  .word = text_of(r->hand.words.items[0])};
	struct search search = {r, modules_find(r->modules, &d->ids), &release.drivers};
	struct world *world = r->hand.world;

	for (size_t i = 0; i < r->hand.words.count; i++)
		if (selector_has_match(&r->hand.selection.selectors[i], d))
			release.word = text_of(r->hand.words.items[i]);
	if (b && b->before[0] != '\0' && !driver_is_vfio(b->before))
		add_driver(&release.drivers, b->before);
	(void)world->ops->list(world, WORLD_SYS, SYSFS_PCI_DRIVERS, add_if_of_module,
			       &search);
	for (size_t i = 0; i < search.names->count; i++)
		release.has_modules |= !driver_is_vfio(search.names->names[i]);
	return release;
}

static void put_planned(struct releasing *r, const struct pci_device *d)
{
	struct release release = describe_release(r, d);
	char id[ID_SIZE];
	struct paragraph p = describe_device(d->bdf, format_id(&d->ids, id));

	paragraph_add(&p, "would be released from %s;", d->driver);
	if (release.drivers.count > 0)
		paragraph_add(&p, "%s may have it then", release.drivers.items[0]);
	else if (release.has_modules)
		paragraph_add(&p, "udev would load %s for it",
			      modules_find(r->modules, &d->ids)->names[0]);
	else
		paragraph_add(&p, "no driver is known for it");
	paragraph_end(&p);
}

/* Whether the next boot takes it again. */
static void put_rule(const struct releasing *r, const struct pci_device *d)
{
	const struct policy *policy = &r->hand.next.policy;

	for (size_t i = 0; i < policy->rule_count && !policy->off; i++) {
		const struct rule *rule = &policy->rules[i];
		char origin[ORIGIN_SIZE];

		if (rule->kind != RULE_BIND || !policy_has_rule_active(policy, rule) ||
		    !selector_has_match(&rule->selector, d))
			continue;
		paragraph_line(stdout, DEVICE_INDENT,
			       "the next boot binds it again: rule %.*s (%s)",
			       (int)rule->text.n, rule->text.p,
			       origin_format(&rule->origin, origin));
		return;
	}
}

static void put_outcome(const struct outcome *o)
{
	const struct pci_device *d = o->plan->device;
	char id[ID_SIZE], message[REASON_MESSAGE_SIZE];
	struct paragraph p = describe_device(d->bdf, format_id(&d->ids, id));

	if (o->verdict == VERDICT_RESTORED) {
		paragraph_verdict(&p, STYLE_GOOD, "released from %s", o->before);
		paragraph_add(&p, "in %llu ms: %s has it now",
			      (unsigned long long)o->microseconds / 1000,
			      o->after[0] ? o->after : "no driver");
	} else {
		paragraph_verdict(&p, STYLE_BAD, "not released");
		paragraph_add(&p, "(%s): %s", verdict_name(o->verdict),
			      reason_message(o->reason, o->detail, message));
	}
	paragraph_end(&p);
}

static int release_device(struct releasing *r, const struct pci_device *d)
{
	struct release release = describe_release(r, d);
	struct outcome outcome;
	int error;

	fflush(stdout);
	by_hand_speak(r->hand.world, r->hand.result.is_quiet);
	error = by_hand_release(r->hand.world, r->hand.arena, &release, &outcome);
	by_hand_be_silent(r->hand.world);
	if (error < 0) {
		say_error("out of memory");
		return EXIT_FAILED;
	}
	put_outcome(&outcome);
	if (outcome.verdict != VERDICT_RESTORED)
		return EXIT_FAILED;
	put_rule(r, d);
	return EXIT_OK;
}

static size_t say_objections(const struct releasing *r)
{
	size_t said = 0;

	for (size_t i = 0; i < r->hand.now.count; i++) {
		const struct pci_device *d = &r->hand.now.devices[i];

		if (selection_has_match(&r->hand.selection, d) &&
		    driver_is_vfio(d->driver))
			said += guards_say_release(&r->hand.guards, d);
	}
	if (said > 0)
		say_error("nothing was touched");
	return said;
}

static int release_devices(struct releasing *r)
{
	int code = EXIT_OK;

	for (size_t i = 0; i < r->hand.now.count; i++) {
		const struct pci_device *d = &r->hand.now.devices[i];
		char id[ID_SIZE], address[BDF_SIZE];
		struct paragraph p;

		if (!selection_has_match(&r->hand.selection, d))
			continue;
		if (!driver_is_vfio(d->driver)) {
			p = describe_device(d->bdf, format_id(&d->ids, id));
			paragraph_add(&p, "is not on " DEFAULT_DRIVER ": %s has it",
				      d->driver[0] ? d->driver : "no driver");
			paragraph_end(&p);
		} else if (r->hand.is_dry_run) {
			put_planned(r, d);
			put_rule(r, d);
		} else if (by_hand_has_signal()) {
			say_error("interrupted: %s and what follows was not touched",
				  bdf_format(d->bdf, address));
			return EXIT_FAILED;
		} else if (release_device(r, d) != EXIT_OK) {
			code = EXIT_FAILED;
		}
	}
	return code;
}

/* What is missing here only makes it harder to guess the driver. */
static void read_past(struct releasing *r)
{
	const char *path, *message, *kernel;

	if (boot_read(r->hand.world, r->hand.arena, &r->boot, &path, &message) < 0 ||
	    late_reports_add(r->hand.world, r->hand.arena, &r->boot) < 0)
		r->boot = (struct boot){.reason = "", .message = ""};
	(void)!modules_open(r->hand.world, r->hand.arena, r->hand.sysroot, &kernel,
			    &r->modules);
}

static int run_release(void *arg)
{
	struct releasing *r = arg;
	int code = by_hand_begin(&r->hand);

	if (code == EXIT_OK)
		code = by_hand_set_limits(&r->hand, &r->policy);
	if (code == EXIT_OK && say_objections(r) > 0)
		code = EXIT_FAILED;
	if (code == EXIT_OK) {
		read_past(r);
		code = release_devices(r);
	}
	if (r->hand.world)
		by_hand_end(&r->hand);
	return code;
}

int command_release(int argc, char **argv, struct arena *arena)
{
	static struct releasing r;
	const struct option_spec options[] = {
		{"dry-run", NULL, "show what would be done, and do nothing",
		 .ret_flag = &r.hand.is_dry_run},
		QUIET_OPTION(r.hand.result),
		{"recovery-timeout", "SECONDS",
		 "that its own driver may take, for each device",
		 .ret_string = &r.hand.recovery_timeout},
		{"sysroot", "DIR", "with --dry-run: the tree below DIR, not this machine",
		 .ret_string = &r.hand.sysroot},
		{"timeout", "SECONDS", "that vfio-pci may take to release it",
		 .ret_string = &r.hand.timeout},
	};
	const struct command_spec spec = {
		.name = "release",
		.synopsis = "[OPTION...] DEVICE...",
		.text = "Takes devices off vfio-pci now and lets their own drivers have them: "
			"the driver that had it before, or the one that udev loads. DEVICE is an "
			"address (01:00.0) or another selector. Nothing is touched while a VM "
			"has one of them or its group open: the kernel would wait for it.\n"
			"\n"
			"exit code: 0 none of them is on vfio-pci any more; 1 one is, or nothing "
			"was touched; 2 wrong usage\n",
		.example = "earlybind release 01:00.1",
		.options = options,
		.option_count = ARRAY_SIZE(options),
		.ret_words = &r.hand.words,
	};
	int code;

	r = (struct releasing){.hand = {.command = "release", .arena = arena}};
	if (!options_parse(&spec, argc, argv, &code))
		return code;
	return result_run(&r.hand.result, arena, run_release, NULL, &r);
}
