/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind status: what this boot did, against the state now. */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "boot_report.h"
#include "by_hand.h"
#include "commands.h"
#include "compiler.h"
#include "driver.h"
#include "holders.h"
#include "inventory.h"
#include "judgement.h"
#include "message.h"
#include "mover.h"
#include "next_boot.h"
#include "options.h"
#include "plan.h"
#include "reason.h"
#include "report.h"
#include "rule_request.h"
#include "sentences.h"

struct status {
	const char *sysroot;
	bool is_json;
	struct strings words;

	struct arena *arena;
	struct world *world;
	struct boot_view view;
	struct inventory now;
	struct selection selection;
	struct holders holders;
	struct mover *mover;
	struct plan_group *groups; /* those of devices that are bound now */
	size_t group_count;
};

#define HOLDERS_SHOWN 4 /* of a device */

static void write_holders(const struct status *s, const struct pci_device *d,
			  struct json *json)
{
	const struct holder *list[HOLDERS_SHOWN];
	size_t count = d ? holders_find(&s->holders, d, list, HOLDERS_SHOWN) : 0;

	json_open(json, "in_use_by", '[');
	for (size_t i = 0; i < MIN(count, (size_t)HOLDERS_SHOWN); i++) {
		json_open(json, NULL, '{');
		json_put_number(json, "pid", list[i]->pid);
		json_put_string(json, "command", list[i]->command);
		json_put_string(json, "node", list[i]->node);
		json_close(json, '}');
	}
	json_close(json, ']');
}

/* Who moved it and when, as far as it can be told; nothing of one that was not moved. */
static size_t describe_move(const struct status *s, const struct boot_device *b,
			    const char *ret_lines[static MOVER_LINES])
{
	const struct pci_device *d = boot_device_now(b, &s->now);

	return d && boot_device_is_changed(b, &s->now)
		       ? mover_describe(s->mover, d, ret_lines)
		       : 0;
}

static void write_mover(const struct status *s, const struct boot_device *b,
			struct json *json)
{
	const char *lines[MOVER_LINES];
	size_t count = describe_move(s, b, lines);

	json_open(json, "moved", '[');
	for (size_t i = 0; i < count; i++)
		json_put_string(json, NULL, lines[i]);
	json_close(json, ']');
}

static void write_device(const struct status *s, const struct boot_device *b,
			 struct json *json)
{
	const struct pci_device *d = boot_device_now(b, &s->now);
	const struct {
		const char *key, *value;
	} texts[] = {
		{"id", b->id},
		{"wanted", b->wanted},
		{"rule", b->rule},
		{"origin", b->origin},
		{"action", b->action},
		{"verdict", b->verdict},
		{"reason", b->reason},
		{"message", b->message},
		{"before", b->before},
		{"after", b->after},
		{"driver", d ? d->driver : ""},
	};
	char address[BDF_SIZE];

	json_open(json, NULL, '{');
	json_put_string(json, "address", bdf_format(b->bdf, address));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		json_put_string(json, texts[i].key,
				texts[i].value[0] ? texts[i].value : NULL);
	if (b->note[0] != '\0')
		json_put_string(json, "note", b->note);
	if (d && d->iommu_group != NO_GROUP)
		json_put_number(json, "iommu_group", d->iommu_group);
	else
		json_put_null(json, "iommu_group");
	json_put_bool(json, "late", b->is_late);
	json_put_bool(json, "present", d != NULL);
	json_put_bool(json, "changed", boot_device_is_changed(b, &s->now));
	json_put_bool(json, "by_hand", boot_device_is_by_hand(b));
	write_mover(s, b, json);
	json_put_number(json, "microseconds", (int64_t)b->microseconds);
	write_holders(s, d, json);
	json_close(json, '}');
}

static bool status_is_asked_for(const struct status *s, const struct boot_device *b);

/* The word of the exit code; where the boot did nothing at all, the binder's word for why. */
static void write_state(const struct status *s, enum boot_state state, struct json *json)
{
	const struct boot *boot = &s->view.boot;

	json_put_bool(json, "all_well", boot_state_is_ok(state));
	json_put_string(json, "reason",
			boot->reason[0] ? boot->reason : boot_state_word(state));
}

/* Prints all of it. 0, or the exit code of a command that could not. */
static int status_print_json(const struct status *s, enum boot_state state)
{
	const char *drift = s->view.why ? s->view.why : s->view.drift;
	const struct boot *boot = &s->view.boot;
	struct json json;

	if (begin_json(s->arena, boot->device_count, &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_put_bool(&json, "report", true);
	json_put_bool(&json, "dry_run", boot->is_dry_run);
	json_put_bool(&json, "all_bound", boot->is_all_bound);
	write_state(s, state, &json);
	json_put_string(&json, "rules_changed", drift[0] ? drift : NULL);
	json_put_string(&json, "message", boot->message[0] ? boot->message : NULL);
	json_open(&json, "devices", '[');
	for (size_t i = 0; i < boot->device_count; i++)
		if (status_is_asked_for(s, &boot->devices[i]))
			write_device(s, &boot->devices[i], &json);
	json_close(&json, ']');
	vfs_write(&s->view.vfs, &json);
	json_open(&json, "groups", '[');
	for (size_t i = 0; i < s->group_count; i++)
		report_write_group(&s->groups[i], &json);
	json_close(&json, ']');
	json_open(&json, "modules", '[');
	for (size_t i = 0; i < boot->module_count; i++) {
		json_open(&json, NULL, '{');
		json_put_string(&json, "name", boot->modules[i].name);
		json_put_string(&json, "outcome", boot->modules[i].outcome);
		json_put_number(&json, "errno", boot->modules[i].error);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_close(&json, '}');
	return end_json(&json);
}

/* All of them, or those that the words name by what they are now or were at boot. */
static bool status_is_asked_for(const struct status *s, const struct boot_device *b)
{
	const struct pci_device *d = boot_device_now(b, &s->now);
	struct pci_device gone = {.bdf = b->bdf, .ids = boot_device_ids(b)};

	return selection_has_match(&s->selection, d ? d : &gone);
}

static void add_now(struct paragraph *p, const struct status *s,
		    const struct boot_device *b)
{
	const struct pci_device *at = inventory_find(&s->now, b->bdf);
	char id[ID_SIZE];

	if (!at)
		paragraph_add(p, "it is not there now");
	else if (!boot_device_now(b, &s->now))
		paragraph_add(p, "another device, [%s], is there now",
			      format_id(&at->ids, id));
	else if (at->driver[0] == '\0')
		paragraph_add(p, "no driver has it now");
	else
		paragraph_add(p, "%s has it now", at->driver);
}

static void put_holders(const struct status *s, const struct pci_device *d)
{
	const struct holder *list[HOLDERS_SHOWN];
	size_t count = holders_find(&s->holders, d, list, HOLDERS_SHOWN);

	for (size_t i = 0; i < MIN(count, (size_t)HOLDERS_SHOWN); i++)
		paragraph_line(stdout, DEVICE_INDENT, "in use: %s (pid %u) has %s open",
			       list[i]->command, list[i]->pid, list[i]->node);
}

static void put_mover(const struct status *s, const struct boot_device *b)
{
	const char *lines[MOVER_LINES];
	size_t count = describe_move(s, b, lines);

	for (size_t i = 0; i < count; i++)
		paragraph_line(stdout, DEVICE_INDENT, "moved: %s", lines[i]);
}

static void put_device(const struct status *s, const struct boot_device *b)
{
	struct paragraph p = describe_device(b->bdf, b->id);
	const char *when = boot_device_when(b);
	const struct pci_device *d = boot_device_now(b, &s->now);

	if (strcmp(b->action, ACTION_RELEASE) == 0) {
		paragraph_add(&p, "%s by hand%s%s;",
			      boot_device_is_released(b) ? "released" : "not released",
			      b->message[0] ? ": " : "", b->message);
		add_now(&p, s, b);
	} else if (boot_device_is_bound(b)) {
		paragraph_verdict(&p,
				  boot_device_is_changed(b, &s->now) ? STYLE_CAREFUL
								     : STYLE_GOOD,
				  "bound to %s", b->after);
		paragraph_add(&p, "%s", when);
		if (b->before[0] != '\0' && strcmp(b->before, b->after) != 0)
			paragraph_add(&p, "(was %s)", b->before);
		if (b->is_late && !boot_device_now(b, &s->now)) {
			paragraph_add(&p, "and gone since:");
			add_now(&p, s, b);
		} else if (!boot_device_is_changed(b, &s->now)) {
			paragraph_add(&p, "and still is");
		} else {
			paragraph_add(&p, "but changed since:");
			add_now(&p, s, b);
		}
		if (b->message[0] != '\0')
			paragraph_add(&p, "but %s", b->message);
	} else if (strcmp(b->action, "keep") == 0) {
		paragraph_add(&p, "kept: %s;", b->message);
		add_now(&p, s, b);
	} else if (s->view.boot.is_dry_run) {
		paragraph_add(&p, "not tried in a dry run;");
		add_now(&p, s, b);
	} else {
		paragraph_verdict(&p, STYLE_BAD, "not bound");
		paragraph_add(&p, "%s (%s): %s;", when,
			      b->verdict[0] ? b->verdict : "no verdict", b->message);
		add_now(&p, s, b);
	}
	paragraph_end(&p);
	paragraph_line(stdout, DEVICE_INDENT, "rule: %s (%s)", b->rule, b->origin);
	if (b->note[0] != '\0')
		paragraph_line(stdout, DEVICE_INDENT, "note: %s", b->note);
	put_mover(s, b);
	if (d)
		put_holders(s, d);
}

/* A function that was asked for, and that the report does not know. */
static void put_other(const struct status *s, const struct pci_device *d)
{
	char id[ID_SIZE];
	const struct boot_rule *rule = boot_find_overlooked(&s->view.boot, d);
	struct paragraph p = describe_device(d->bdf, format_id(&d->ids, id));

	paragraph_add(&p, "not touched at boot: %s; %s has it now",
		      rule ? "it was not there when earlybind ran"
			   : "no rule of this boot named it",
		      d->driver[0] ? d->driver : "no driver");
	paragraph_end(&p);
	if (rule)
		paragraph_line(stdout, DEVICE_INDENT, "rule: %s (%s)", rule->text,
			       rule->origin);
	put_holders(s, d);
}

static void print_modules(const struct boot *boot)
{
	struct paragraph p = {stdout, 0, DEVICE_INDENT, false};

	if (boot->module_count == 0)
		return;
	paragraph_add(&p, "modules:");
	for (size_t i = 0; i < boot->module_count; i++) {
		const struct boot_module *m = &boot->modules[i];

		paragraph_add(&p, "%s %s%s%s%s%s", m->name, m->outcome,
			      m->error ? " (" : "", m->error ? errno_text(m->error) : "",
			      m->error ? ")" : "", i + 1 < boot->module_count ? "," : "");
	}
	paragraph_end(&p);
}

/* What the next step for a group is judged by. False where the rules cannot be read. */
static bool read_judge(const struct status *s, struct judge *ret)
{
	static struct run next;
	static struct usages usages;

	if (next_boot_read_own(s->world, s->sysroot, s->arena, &next) < 0 ||
	    next_boot_plan(s->world, s->arena, NULL, NULL, &next) < 0 ||
	    usages_read(s->world, s->arena, &usages) < 0)
		return false;
	*ret = (struct judge){
		.arena = s->arena,
		.policy = &next.policy,
		.inventory = &next.inventory,
		.plan = &next.plan,
		.usages = &usages,
		.world = s->world,
	};
	return true;
}

static void print_groups(const struct status *s, const struct judge *judge)
{
	for (size_t i = 0; i < s->group_count; i++) {
		const struct plan_group *group = &s->groups[i], *next;

		describe_group(group, "",
			       judge && !group->is_viable ? judge_group_next(judge, group)
							  : NULL);
		next = judge ? plan_find_group(judge->plan, group->id) : NULL;
		if (group->is_viable && next && !next->is_viable)
			describe_group(next, ", after the next boot",
				       judge_group_next(judge, next));
	}
}

/* What explains the devices that are not as the rules want them. */
static void print_next(const struct status *s)
{
	const struct boot *boot = &s->view.boot;
	struct text_buffer b = {.arena = s->arena};
	char address[BDF_SIZE];

	for (size_t i = 0; i < s->now.count && !boot->is_dry_run; i++) {
		const struct pci_device *d = &s->now.devices[i];
		const struct boot_device *known = boot_find(boot, d->bdf);

		if (selection_has_match(&s->selection, d) &&
		    (known ? !boot_device_is_well(known, &s->now)
			   : boot_find_overlooked(boot, d) != NULL))
			text_add(&b, " %s", device_short_address(d, address));
	}
	if (b.used && !b.is_full)
		paragraph_line(stdout, 0,
			       "next: \"earlybind explain%s\" says why, and what to do",
			       b.buf);
}

/* How the host gets those back that are on vfio-pci now. */
static void print_give_back(const struct status *s, const struct judge *judge)
{
	const struct boot *boot = &s->view.boot;
	const struct guards guards = {s->world, *judge->usages, s->holders, *judge, true};
	const char *lines[GIVE_BACK_LINES];
	const struct pci_device **devices = arena_alloc(s->arena, boot->device_count + 1,
							sizeof(struct pci_device *));
	size_t count = 0;

	for (size_t i = 0; devices && i < boot->device_count; i++) {
		const struct boot_device *b = &boot->devices[i];
		const struct pci_device *d = boot_device_now(b, &s->now);

		if (d && driver_is_vfio(d->driver) && status_is_asked_for(s, b))
			devices[count++] = d;
	}
	count = count > 0 ? guards_give_back(&guards, devices, count, lines) : 0;
	for (size_t i = 0; i < count; i++)
		paragraph_line(stdout, 0, "give back %s", lines[i]);
}

/* The device of the rule is there by now, and is spoken of. */
static bool has_come_late(const struct status *s, const struct boot_rule *rule)
{
	for (size_t i = 0; i < s->now.count; i++) {
		const struct boot_rule *found =
			boot_find_overlooked(&s->view.boot, &s->now.devices[i]);

		if (found && strcmp(found->text, rule->text) == 0)
			return true;
	}
	return false;
}

/* What is about no single device. @judge: NULL if the rules cannot be read. */
static void print_rest(const struct status *s, const struct judge *judge)
{
	const struct boot *boot = &s->view.boot;

	for (size_t i = 0; i < boot->missing_count; i++)
		if (!has_come_late(s, &boot->missing[i]))
			describe_missing(text_of(boot->missing[i].text),
					 boot->missing[i].origin,
					 boot->missing[i].elsewhere);
	for (size_t i = 0; i < s->view.vfs.count; i++)
		paragraph_line(stdout, 0, "virtual functions: %s",
			       vfs_format(s->arena, &s->view.vfs.items[i]));
	for (size_t i = 0; i < boot->problem_count; i++)
		paragraph_line(stdout, 0, "%s: \"%s\": %s", boot->problems[i].origin,
			       boot->problems[i].text, boot->problems[i].message);
	print_groups(s, judge);
	print_modules(boot);
}

static void print_text(const struct status *s)
{
	struct judge judge;
	bool has_judge;
	const char *drift = s->view.why ? s->view.why : s->view.drift;
	const struct boot *boot = &s->view.boot;

	if (boot->is_dry_run)
		paragraph_line(stdout, 0,
			       "this boot was a dry run (rd.earlybind.dry_run=1): no "
			       "device was touched");
	if (boot->reason[0] != '\0')
		paragraph_line(stdout, 0, "nothing was done: %s", boot->message);
	else if (boot->device_count == 0 && boot->missing_count == 0 &&
		 s->view.vfs.count == 0)
		puts("nothing was to be bound: no rule names a device of this machine");
	for (size_t i = 0; i < boot->device_count; i++)
		if (status_is_asked_for(s, &boot->devices[i]))
			put_device(s, &boot->devices[i]);
	for (size_t i = 0; i < s->now.count; i++) {
		const struct pci_device *d = &s->now.devices[i];

		if (s->words.count == 0 ? boot_find_overlooked(boot, d) != NULL
					: selection_has_match(&s->selection, d) &&
						  !boot_find(boot, d->bdf))
			put_other(s, d);
	}
	has_judge = s->view.boot.device_count > 0 && read_judge(s, &judge);
	if (s->words.count == 0)
		print_rest(s, has_judge ? &judge : NULL);
	print_next(s);
	if (has_judge)
		print_give_back(s, &judge);
	if (s->words.count == 0 && drift[0] != '\0')
		paragraph_line(stdout, 0, "%s", drift);
}

static unsigned filter_status(const void *arg, const struct pci_device *d)
{
	const struct status *s = arg;
	unsigned wants = s->words.count > 0 ? selection_filter(&s->selection, d) : 0;

	for (size_t i = 0; i < s->view.boot.rule_count; i++)
		wants |= selector_open_facts(&s->view.boot.rules[i].selector, d);
	wants &= ~FACT_WANTED;
	if (boot_find(&s->view.boot, d->bdf) || boot_find_overlooked(&s->view.boot, d) ||
	    (s->words.count > 0 && selection_has_match(&s->selection, d)))
		wants |= FACT_WANTED;
	return wants;
}

/* Adds a group once, in the order of numbers. */
static int add_group(struct status *s, int id)
{
	size_t at = 0;
	int r;

	while (at < s->group_count && s->groups[at].id < id)
		at++;
	if (at < s->group_count && s->groups[at].id == id)
		return 0;
	memmove(&s->groups[at + 1], &s->groups[at],
		(s->group_count - at) * sizeof(*s->groups));
	r = judge_group_now(&s->now, id, s->arena, &s->groups[at]);
	s->group_count += r == 0;
	return r;
}

static int read_now(struct status *s)
{
	const struct boot *boot = &s->view.boot;
	int r;

	r = inventory_read(s->world, s->arena, filter_status, s, &s->now);
	if (r < 0)
		return r;
	s->groups = arena_alloc(s->arena, boot->device_count + 1, sizeof(*s->groups));
	if (!s->groups)
		return -ENOMEM;
	for (size_t i = 0; i < boot->device_count; i++) {
		struct pci_device *d = inventory_find(&s->now, boot->devices[i].bdf);

		if (d)
			d->is_held = strcmp(boot->devices[i].verdict, "held") == 0;
	}
	for (size_t i = 0; i < boot->device_count; i++) {
		const struct boot_device *b = &boot->devices[i];
		const struct pci_device *d = boot_device_now(b, &s->now);

		if (!d || d->iommu_group == NO_GROUP || b->wanted[0] == '\0' ||
		    strcmp(d->driver, b->wanted) != 0)
			continue;
		r = add_group(s, d->iommu_group);
		if (r < 0)
			return r;
	}
	return 0;
}

/* There is nothing else to show. */
static int print_no_report(const struct status *s, enum boot_state state)
{
	struct json json;

	if (!s->is_json) {
		say_error("%s", s->view.why);
		return EXIT_OK;
	}
	if (begin_json(s->arena, 0, &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_put_bool(&json, "report", false);
	write_state(s, state, &json);
	json_put_string(&json, "message", s->view.why);
	json_open(&json, "devices", '[');
	json_close(&json, ']');
	json_close(&json, '}');
	return end_json(&json);
}

static bool has_match(const struct status *s)
{
	for (size_t i = 0; i < s->now.count; i++)
		if (selection_has_match(&s->selection, &s->now.devices[i]))
			return true;
	for (size_t i = 0; i < s->view.boot.device_count; i++)
		if (status_is_asked_for(s, &s->view.boot.devices[i]))
			return true;
	return s->words.count == 0;
}

/* Scripts rely on them: docs/earlybind.8.scd has the same table. */
static int exit_code(enum boot_state state)
{
	switch (state) {
	case BOOT_FINE:
		break;
	case BOOT_NOT_BOUND:
		return 1;
	case BOOT_NO_RULES:
		return 3;
	case BOOT_NO_EARLYBIND:
		return 4;
	case BOOT_OLD_RULES:
		return 5;
	case BOOT_OFF:
		return 6;
	case BOOT_NO_REPORT:
		return 7;
	}
	return EXIT_OK;
}

static int read_all(struct status *s)
{
	int r = boot_view_read(s->world, s->sysroot, s->arena, &s->view);

	if (r == 0)
		r = read_now(s);
	return r == 0 ? holders_read(s->world, s->arena, s->sysroot, &s->holders) : r;
}

static int status(struct status *s)
{
	static struct mover mover;
	enum boot_state state;
	int r;

	if (selection_parse("status", &s->words, &s->selection) < 0)
		return EXIT_WRONG_USAGE;
	if (open_world(s->sysroot, &s->world) < 0)
		return EXIT_FAILED;
	r = read_all(s);
	/* Without a PCI bus that is said which is known. */
	if (r < 0 && (s->view.without == BOOT_FINE || s->view.boot.device_count > 0)) {
		say_no_inventory(r);
		return EXIT_FAILED;
	}
	mover = (struct mover){
		.world = s->world, .arena = s->arena, .sysroot = s->sysroot};
	s->mover = &mover;
	state = boot_view_state(&s->view, &s->now);
	if (s->view.without != BOOT_FINE && s->view.boot.device_count == 0) {
		r = print_no_report(s, state);
	} else if (!has_match(s)) {
		(void)selection_say_missing(&s->selection, &s->now);
		return EXIT_FAILED;
	} else if (s->is_json) {
		r = status_print_json(s, state);
	} else {
		print_text(s);
		r = EXIT_OK;
	}
	return r == EXIT_OK ? exit_code(state) : r;
}

int command_status(int argc, char **argv, struct arena *arena)
{
	static struct status s;
	const struct option_spec options[] = {
		{"json", NULL, "print JSON for scripts", .ret_flag = &s.is_json},
		{"sysroot", OPTIONS_TREE,
		 "read this folder or recording, not this machine",
		 .ret_string = &s.sysroot},
	};
	const struct command_spec spec = {
		.name = "status",
		.synopsis = "[OPTION...] [DEVICE...]",
		.ret_words = &s.words,
		.text = "Shows what earlybind did in this boot and what has changed since. For each "
			"device: the rule, the driver that it got, the driver that it has now, who "
			"uses it, and whether a VM can use its IOMMU group. It also says whether "
			"the rules have changed since. DEVICE is an address (01:00.0) or another "
			"selector: then only what is about those devices.\n"
			"\n"
			"exit code, and \"reason\" in JSON:\n"
			"  0 fine          everything was bound and still is\n"
			"  1 not-bound     something was not bound, or has changed since\n"
			"  2               wrong usage\n"
			"  3 no-rules      nothing to do: there was no rule\n"
			"  4 no-earlybind  there are rules, but the image has no earlybind\n"
			"  5 old-rules     as 0, but the rules have changed since this boot\n"
			"  6 off           rd.earlybind=0 is on the kernel command line\n"
			"  7 no-report     the report of this boot cannot be read\n"
			"A group that no VM can use does not change it.\n",
		.example = "earlybind status || journalctl -k -g earlybind",
		.options = options,
		.option_count = ARRAY_SIZE(options),
	};
	int code;

	s = (struct status){.arena = arena};
	return options_parse(&spec, argc, argv, &code) ? status(&s) : code;
}
