/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind add and keep: new rules, with a look at what they do before they are written. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "describe.h"
#include "edit.h"
#include "guard.h"
#include "message.h"
#include "wish.h"

struct adding {
	struct edit e;
	struct wishes w;
};

/* The rule that does already for @d what @kind asks for. */
static const struct rule *covering(const struct adding *a, const struct pci_device *d)
{
	for (size_t i = 0; i < a->e.before.rule_count; i++) {
		const struct rule *rule = &a->e.before.rules[i];
		bool is_replaced = a->w.is_forced && rule->origin.source != SOURCE_CONFIG;

		/* What stands on the command line may be meant to come here. */
		if (rule->kind == a->w.kind && !is_replaced &&
		    edit_has_match(&a->e, rule, d))
			return rule;
	}
	return NULL;
}

/* The same selector stands there already. */
static const struct rule *find_same(const struct adding *a, const struct wish *wish)
{
	char have[SELECTOR_SIZE], want[SELECTOR_SIZE];

	for (size_t i = 0; i < a->e.before.rule_count; i++) {
		const struct rule *rule = &a->e.before.rules[i];

		if (rule->kind == a->w.kind && edit_is_own(&a->e, rule) &&
		    strcmp(selector_format(&rule->selector, have),
			   selector_format(&wish->selector, want)) == 0)
			return rule;
	}
	return NULL;
}

static void say_done(struct adding *a, const char *what, const struct rule *rule)
{
	struct paragraph p = {stdout, 0, DEVICE_INDENT, false};

	paragraph_add(&p, "%s: %s already: %s", what,
		      a->w.kind == RULE_BIND ? "bound by a rule" : "kept by a rule",
		      edit_describe_rule(&a->e, rule));
	paragraph_end(&p);
}

/* Marks the wishes that come true without a new rule, and says by which. */
static void drop_done(struct adding *a)
{
	for (size_t i = 0; i < a->w.count; i++) {
		struct wish *wish = &a->w.items[i];
		const struct rule *rule = find_same(a, wish);
		size_t matches = 0, covered = 0;

		for (size_t k = 0; k < a->e.inventory.count; k++) {
			const struct pci_device *d = &a->e.inventory.devices[k];

			if (d->is_bridge || !edit_has_selector(&wish->selector, d))
				continue;
			matches++;
			covered += covering(a, d) != NULL;
		}
		wish->is_done = rule || (matches > 0 && covered == matches);
		if (!wish->is_done)
			continue;
		if (matches == 0)
			say_done(a, wish->text, rule);
		for (size_t k = 0; k < a->e.inventory.count; k++) {
			const struct pci_device *d = &a->e.inventory.devices[k];

			if (!d->is_bridge && edit_has_selector(&wish->selector, d))
				say_done(a, edit_describe(&a->e, d),
					 rule ? rule : covering(a, d));
		}
	}
}

/* Puts the wishes into the text. */
static int write_lines(struct adding *a, const char *options)
{
	struct text *lines = arena_alloc(a->e.arena, a->w.count, sizeof(*lines));
	size_t count = 0;

	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < a->w.count; i++) {
		const char *line;

		if (a->w.items[i].is_done)
			continue;
		line = arena_printf(a->e.arena, "%s %s%s",
				    a->w.kind == RULE_BIND ? "bind" : "keep",
				    a->w.items[i].text, options);
		if (!line)
			return -ENOMEM;
		lines[count++] = text_of(line);
	}
	if (count == 0)
		return 0;
	return config_edit_append(&a->e.text, edit_profile(&a->e), lines, count);
}

/* *why is what was said of the device before. */
static void put_device(struct adding *a, const struct wish *wish,
		       const struct pci_device *d, const char **why)
{
	const struct plan_device *pd = plan_device_of(&a->e.plan, d);
	struct paragraph p = {stdout, 0, DEVICE_INDENT, false};
	bool has_other = d->driver[0] && strcmp(d->driver, DEFAULT_DRIVER) != 0;

	paragraph_add(&p, "%s:", edit_describe(&a->e, d));
	if (a->w.kind == RULE_KEEP)
		paragraph_add(&p, "the host keeps it, whatever else names it");
	else if (pd && pd->action == ACTION_KEEP)
		paragraph_add(&p, "a keep rule protects it: %s",
			      edit_describe_rule(&a->e, pd->rule));
	else
		paragraph_add(&p, "vfio-pci gets it at boot%s%s%s", has_other ? "; " : "",
			      has_other ? d->driver : "", has_other ? " has it now" : "");
	paragraph_end(&p);
	if (wish->why && wish->why != *why)
		paragraph_line(stdout, DEVICE_INDENT, "%s", wish->why);
	*why = wish->why;
}

/* A virtual function is no companion of the others, nor they of it. */
static bool is_virtual(struct edit *e, const struct pci_device *d)
{
	char path[JOB_PATH_SIZE], address[BDF_SIZE], buf[BDF_SIZE];

	snprintf(path, sizeof(path), SYSFS_PCI_DEVICES "/%s/physfn",
		 bdf_format(d->bdf, address));
	return e->world->ops->link(e->world, WORLD_SYS, path, buf, sizeof(buf)) >= 0;
}

static bool is_new(const struct adding *a, const struct pci_device *d)
{
	for (size_t i = 0; i < a->w.count; i++)
		if (!a->w.items[i].is_done &&
		    edit_has_selector(&a->w.items[i].selector, d))
			return true;
	return false;
}

static bool is_of_new_card(struct adding *a, const struct pci_device *d)
{
	const struct inventory *inv = &a->e.inventory;

	if (is_virtual(&a->e, d))
		return false;
	for (size_t i = 0; i < inv->count; i++)
		if (bdf_is_same_slot(inv->devices[i].bdf, d->bdf) &&
		    is_new(a, &inv->devices[i]) && !is_virtual(&a->e, &inv->devices[i]))
			return true;
	return false;
}

static bool is_of_new_group(const struct adding *a, const struct pci_device *d)
{
	const struct inventory *inv = &a->e.inventory;

	if (d->iommu_group == NO_GROUP || driver_is_group_friendly(d->driver))
		return false;
	for (size_t i = 0; i < inv->count; i++)
		if (inv->devices[i].iommu_group == d->iommu_group &&
		    is_new(a, &inv->devices[i]))
			return true;
	return false;
}

/* Who is left behind and should come along, as the command that does it. */
static void put_companions(struct adding *a)
{
	const struct inventory *inv = &a->e.inventory;
	struct paragraph card = {stdout, 0, DEVICE_INDENT, false};
	struct paragraph group = card, *p;

	for (int pass = 0; pass < 2; pass++) {
		bool is_card = pass == 0;

		p = is_card ? &card : &group;
		for (size_t i = 0; i < inv->count; i++) {
			const struct pci_device *d = &inv->devices[i];
			bool is_near;
			char address[BDF_SIZE];

			if (d->is_bridge || plan_device_of(&a->e.plan, d))
				continue;
			is_near = is_of_new_card(a, d);
			if (!is_card)
				is_near = !is_near && is_of_new_group(a, d);
			if (!is_near)
				continue;
			if (!p->has_word)
				paragraph_add(p, "%s: earlybind add",
					      is_card ? "the rest of the card"
						      : "the rest of the group");
			paragraph_add(p, "%s", edit_address(d, address));
		}
		if (p->has_word)
			paragraph_end(p);
	}
}

static void put_effect(struct adding *a)
{
	const char *why = NULL;

	for (size_t i = 0; i < a->w.count; i++) {
		const struct wish *wish = &a->w.items[i];
		size_t matches = 0;

		for (size_t k = 0; !wish->is_done && k < a->e.inventory.count; k++) {
			const struct pci_device *d = &a->e.inventory.devices[k];

			if (d->is_bridge || !edit_has_selector(&wish->selector, d))
				continue;
			put_device(a, wish, d, &why);
			matches++;
		}
		if (!wish->is_done && matches == 0)
			paragraph_line(stdout, 0, "%s: %s", wish->text,
				       wish->why ? wish->why : "no such device now");
	}
	if (a->w.kind == RULE_KEEP)
		return;
	for (size_t i = 0; i < a->e.plan.group_count; i++) {
		bool has_new = false;

		for (size_t k = 0; k < a->e.inventory.count; k++)
			has_new = has_new || (a->e.inventory.devices[k].iommu_group ==
						      a->e.plan.groups[i].id &&
					      is_new(a, &a->e.inventory.devices[k]));
		if (has_new)
			describe_group(&a->e.plan.groups[i]);
	}
	put_companions(a);
}

/* The text with the wishes in it, judged. */
static int try_lines(struct adding *a, const char *options, enum judgement *ret)
{
	int r = write_lines(a, options);

	if (r < 0) {
		say_error("the rules cannot be added: they are too many");
		return r;
	}
	r = edit_check(&a->e);
	if (r < 0)
		return r;
	*ret = a->w.kind == RULE_BIND ? guard_judge(&a->e, &a->w) : JUDGED_FINE;
	return 0;
}

static int change(struct adding *a)
{
	const struct config_edit start = a->e.text;
	enum judgement judgement;

	if (try_lines(a, a->w.options, &judgement) < 0)
		return EXIT_FAILED;
	if (judgement == JUDGED_NEEDS_CONSOLE) {
		const char *options =
			arena_printf(a->e.arena, "%s allow=console", a->w.options);

		a->e.text = start;
		if (!options || try_lines(a, options, &judgement) < 0)
			return EXIT_FAILED;
	}
	if (judgement != JUDGED_FINE) {
		say_error("nothing is written");
		return EXIT_FAILED;
	}
	put_effect(a);
	return edit_finish(&a->e);
}

static int run(struct adding *a)
{
	if (wishes_read(&a->w, &a->e) < 0)
		return EXIT_WRONG_USAGE;
	if (edit_open(&a->e) < 0)
		return EXIT_FAILED;
	if (wishes_resolve(&a->w, &a->e) < 0) {
		say_error("nothing is written");
		return EXIT_FAILED;
	}
	drop_done(a);
	return change(a);
}

int command_add(int argc, char **argv, struct arena *arena)
{
	static struct adding a;
	const struct option_spec options[] = {
		{"all", NULL, "an ID may name more than one device",
		 .ret_flag = &a.w.has_all},
		{"by", "WAY", "by serial, path, address or id, or exact as typed",
		 .ret_string = &a.w.by},
		{"force", NULL, "also what the host needs, or what is not there yet",
		 .ret_flag = &a.w.is_forced},
		EDIT_OPTIONS(a.e),
	};
	const struct command_spec spec = {
		.name = "add",
		.synopsis = "SELECTOR... [RULE-OPTION...] [OPTION...]",
		.text = "Adds bind rules to the configuration. A device that is named by its "
			"address gets the selector that will still name it after a change of "
			"the machine; an ID stays an ID. Before it writes, it shows what the "
			"rules take, what becomes of the IOMMU group and what else must go "
			"along. It refuses bridges, an ID that names several devices, and what "
			"the host cannot do without: the only screen, a disk with /, /boot, "
			"/usr or swap, the network interface with the default route. A "
			"RULE-OPTION is written behind the rules: optional, allow=console, "
			"on-failure=hold.\n"
			"\n"
			"exit code: 0 added, or nothing to change; 1 refused, or a file cannot "
			"be read or written; 2 wrong usage\n",
		.example = "earlybind add 01:00.0 01:00.1",
		.options = options,
		.option_count = ARRAY_SIZE(options),
		.ret_words = &a.e.words,
	};
	int code;

	memset(&a, 0, sizeof(a));
	a.e.arena = arena;
	a.w.name = "add";
	a.w.kind = RULE_BIND;
	return options_parse(&spec, argc, argv, &code) ? run(&a) : code;
}

int command_keep(int argc, char **argv, struct arena *arena)
{
	static struct adding a;
	const struct option_spec options[] = {
		{"by", "WAY", "by serial, path, address or id, or exact as typed",
		 .ret_string = &a.w.by},
		{"force", NULL, "also what is not there yet", .ret_flag = &a.w.is_forced},
		EDIT_OPTIONS(a.e),
	};
	const struct command_spec spec = {
		.name = "keep",
		.synopsis = "SELECTOR... [OPTION...]",
		.text = "Adds keep rules to the configuration: what they name is never bound, "
			"whatever other rules say. So one of several equal devices stays with "
			"the host.\n"
			"\n"
			"exit code: 0 added, or nothing to change; 1 refused, or a file cannot "
			"be read or written; 2 wrong usage\n",
		.example = "earlybind keep 02:00.0",
		.options = options,
		.option_count = ARRAY_SIZE(options),
		.ret_words = &a.e.words,
	};
	int code;

	memset(&a, 0, sizeof(a));
	a.e.arena = arena;
	a.w.name = "keep";
	a.w.kind = RULE_KEEP;
	a.w.has_no_options = true;
	return options_parse(&spec, argc, argv, &code) ? run(&a) : code;
}
