/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind plan: what the next boot will do, computed by the code that will do it. */
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "sentences.h"
#include "driver.h"
#include "framebuffer.h"
#include "group.h"
#include "group_cause.h"
#include "identity.h"
#include "judgement.h"
#include "message.h"
#include "next_boot.h"
#include "options.h"
#include "plan_groups.h"
#include "plan_images.h"
#include "run.h"
#include "sources.h"
#include "usage.h"
#include "virtual_functions.h"

#define EXIT_NO_RULE 3

struct planning {
	struct strings configs;
	const char *cmdline;
	const char *image;
	const char *sysroot;
	const char *move, *acs; /* what the groups would be, see plan_groups() */
	bool is_json;

	struct arena *arena;
	struct world *world;
	struct sources sources;
	struct policy files;
	struct run run;
	struct usages usages;
	struct run all; /* the same rules with every function, for the judgement */
	struct judge judge;
	struct group_causes causes; /* of all, if the judge has them */
	struct plan_images images;
};

/* What the host will do without. */
static void put_usages(const struct planning *p, const struct pci_device *d)
{
	struct paragraph line = {stdout, DEVICE_INDENT, DEVICE_INDENT, false};
	const struct usage *u;
	size_t count, left = 0;

	u = judge_usages(&p->judge, d, &count);
	for (size_t i = 0; i < count; i++)
		left += u[i].is_in_use;
	if (left == 0)
		return;
	printf("%*s", DEVICE_INDENT, "");
	paragraph_add(&line, "the host loses:");
	for (size_t i = 0; i < count; i++)
		if (u[i].is_in_use)
			paragraph_add(&line, "%s (%s)%s", u[i].name, u[i].what,
				      --left > 0 ? "," : "");
	paragraph_end(&line);
}

static const char *why_left(const struct planning *p, const struct plan_device *pd)
{
	const char *text;

	if (pd->action != ACTION_KEEP || !driver_is_vfio(pd->device->driver))
		text = refusal_sentence(p->arena, pd->rule, pd->reason, pd->detail);
	else if (policy_has_module_id(&p->run.policy, pd->device))
		text = refusal_sentence(p->arena, pd->rule, REASON_KEPT_BOUND,
					pd->device->driver);
	else /* Bound before there was a keep rule. */
		text = arena_printf(
			p->arena,
			"a keep rule protects it; %s has it until the next boot",
			pd->device->driver);
	return text ? text : "out of memory";
}

static void put_device(const struct planning *p, const struct plan_device *pd)
{
	const struct pci_device *d = pd->device;
	char id[ID_SIZE], origin[ORIGIN_SIZE];
	struct paragraph line = describe_device(d->bdf, format_id(&d->ids, id));

	paragraph_verdict(&line,
			  pd->action == ACTION_REFUSE ? STYLE_BAD
			  : pd->action == ACTION_KEEP ? STYLE_PLAIN
						      : STYLE_GOOD,
			  "%s:", action_name(pd->action));
	switch (pd->action) {
	case ACTION_BIND:
		paragraph_add(&line, "%s takes it; it has no driver now", pd->wanted);
		break;
	case ACTION_RECOVER:
		paragraph_add(&line, "%s takes over from %s", pd->wanted, d->driver);
		break;
	case ACTION_DONE:
		paragraph_add(&line, "bound to %s already", pd->wanted);
		break;
	case ACTION_KEEP:
	case ACTION_REFUSE:
		paragraph_add(&line, "%s", why_left(p, pd));
		break;
	}
	paragraph_end(&line);
	paragraph_line(stdout, DEVICE_INDENT, "rule: %.*s (%s)", (int)pd->rule->text.n,
		       pd->rule->text.p, origin_format(&pd->rule->origin, origin));
	if (pd->note)
		paragraph_line(stdout, DEVICE_INDENT, "note: %s", pd->note);
	if (pd->action != ACTION_BIND && pd->action != ACTION_RECOVER)
		return;
	put_usages(p, d);
	if (d->framebuffer)
		paragraph_line(
			stdout, DEVICE_INDENT,
			"the firmware's framebuffer (%s) is in its memory: the screen "
			"goes dark",
			d->framebuffer->driver);
}

/* Bridges, and what has no driver: they stay, and are no obstacle. */
static bool is_bystander(const struct planning *p, const struct pci_device *d)
{
	const struct plan_device *pd = plan_find(&p->run.plan, d);

	return !(pd && pd->action <= ACTION_DONE) &&
	       driver_is_group_friendly(d->driver) && !driver_is_vfio(d->driver);
}

/* What helps the group: judged with all functions of the machine. */
static const char *judge_all_of(const struct planning *p, const struct plan_group *group)
{
	struct plan_group all;

	if (!p->judge.plan || judge_group_then(&p->judge, group->id, NULL, 0, &all) < 0)
		return "";
	return judge_group(&p->judge, &all, false);
}

static void put_group(const struct planning *p, const struct plan_group *group)
{
	struct paragraph line = {stdout, DEVICE_INDENT, DEVICE_INDENT, false};
	struct pci_device *const *members;
	size_t count, left = 0;

	describe_group(group, "", judge_all_of(p, group));
	members = inventory_group(&p->run.inventory, group->id, &count);
	for (size_t i = 0; i < count; i++)
		left += is_bystander(p, members[i]);
	if (left == 0)
		return;
	printf("%*s", DEVICE_INDENT, "");
	paragraph_add(&line, "stay with the host (no obstacle):");
	for (size_t i = 0; i < count; i++) {
		const struct pci_device *d = members[i];
		char address[BDF_SIZE];

		if (is_bystander(p, d))
			paragraph_add(&line, "%s (%s)%s", bdf_format(d->bdf, address),
				      d->driver[0] ? d->driver : "no driver",
				      --left > 0 ? "," : "");
	}
	paragraph_end(&line);
}

struct counts {
	size_t actions[ACTION_REFUSE + 1];
	size_t missing; /* rules that should name a device and do not */
};

static struct counts count(const struct run *run)
{
	struct counts counts = {0};

	for (size_t i = 0; i < run->plan.device_count; i++)
		counts.actions[run->plan.devices[i].action]++;
	for (size_t i = 0; i < run->policy.rule_count; i++)
		counts.missing += report_has_rule_missing(&run->report, i);
	return counts;
}

static void print_summary(const struct run *run)
{
	const struct counts counts = count(run);
	const struct {
		size_t n;
		const char *what;
	} parts[] = {
		{counts.actions[ACTION_BIND] + counts.actions[ACTION_RECOVER], "to bind"},
		{counts.actions[ACTION_DONE], "bound already"},
		{counts.actions[ACTION_KEEP], "kept"},
		{counts.actions[ACTION_REFUSE], "refused"},
		{counts.missing, "without a device"},
	};
	const char *comma = "";

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (parts[i].n == 0)
			continue;
		printf("%s%zu %s", comma, parts[i].n, parts[i].what);
		comma = ", ";
	}
	puts(comma[0] ? "" : "no device is named");
}

/* A rule may take more than was meant: no refusal, since it may be meant. */
static void put_warning(const char *sentence)
{
	struct paragraph line = {stdout, 0, DEVICE_INDENT, false};

	if (!sentence)
		return;
	paragraph_add(&line, "warning: %s", sentence);
	paragraph_end(&line);
}

static void put_warnings(const struct planning *p)
{
	const struct run *run = &p->run;
	struct identity identity;

	if (identity_open(p->world, p->arena, &run->inventory, &identity) < 0)
		return;
	for (size_t i = 0; i < run->policy.rule_count; i++) {
		const struct rule *rule = &run->policy.rules[i];

		if (rule->kind == RULE_BIND && policy_has_rule_active(&run->policy, rule))
			put_warning(twins_sentence(&identity, &run->plan, rule));
	}
	for (size_t i = 0; i < run->plan.device_count; i++)
		put_warning(physical_sentence(p->world, p->arena, &run->plan.devices[i]));
}

/* Groups that are other ones than the hardware gives. */
static void put_difference(const struct planning *p)
{
	struct paragraph line = {stdout, 0, DEVICE_INDENT, false};
	const char *text;

	if (!p->judge.causes)
		return;
	text = group_difference(p->judge.causes, NULL);
	if (!text)
		return;
	paragraph_add(&line, "note: %s", text);
	paragraph_end(&line);
}

static void print_text(const struct planning *p)
{
	const struct run *run = &p->run;
	char origin[ORIGIN_SIZE];

	for (size_t i = 0; i < run->plan.device_count; i++)
		put_device(p, &run->plan.devices[i]);
	for (size_t i = 0; i < run->policy.rule_count; i++) {
		const struct rule *rule = &run->policy.rules[i];

		if (report_has_rule_missing(&run->report, i))
			describe_missing(rule->text, origin_format(&rule->origin, origin),
					 run->plan.moved[i].elsewhere);
	}
	put_warnings(p);
	for (size_t i = 0; i < run->plan.group_count; i++)
		put_group(p, &run->plan.groups[i]);
	put_difference(p);
	print_summary(run);
}

static int print_json(struct planning *p)
{
	const struct run *run = &p->run;
	const struct plan *plan = run->report.plan;
	char message[REASON_MESSAGE_SIZE];
	struct json json;

	if (begin_json(p->arena, run->plan.device_count + p->images.count, &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_put_bool(&json, "off", run->policy.off);
	json_put_string(&json, "reason",
			run->report.reason ? reason_word(run->report.reason) : NULL);
	json_put_string(&json, "message",
			run->report.reason ? reason_message(run->report.reason,
							    run->report.detail, message)
					   : NULL);
	report_write_rules(&run->policy, plan, &json);
	json_open(&json, "devices", '[');
	for (size_t i = 0; plan && i < plan->device_count; i++)
		report_write_device(&plan->devices[i], NULL, &json);
	json_close(&json, ']');
	json_open(&json, "groups", '[');
	for (size_t i = 0; plan && i < plan->group_count; i++)
		report_write_group(&plan->groups[i], &json);
	json_close(&json, ']');
	report_write_problems(&run->policy, &json);
	plan_images_write(&p->images, &json);
	json_close(&json, '}');
	return end_json(&json);
}

/* What came of it, in one number. */
static int verdict(const struct run *run, bool has_rule)
{
	struct counts counts = count(run);
	bool is_fine = run->policy.problem_count == 0 &&
		       run->report.reason == REASON_NONE &&
		       counts.actions[ACTION_REFUSE] == 0 && counts.missing == 0 &&
		       run->inventory.unread_count == 0;

	if (!is_fine)
		return EXIT_FAILED;
	return has_rule ? EXIT_OK : EXIT_NO_RULE;
}

static void print_nothing(const struct planning *p)
{
	const struct policy *policy = &p->run.policy;

	if (policy->off)
		puts("nothing to do: rd.earlybind=0 is on the command line");
	else if (policy->ignore_table && !p->image)
		paragraph_line(
			stdout, 0, "nothing to do: %s",
			"rd.earlybind.table=0 is on the command line, so the "
			"configuration does not count, and there is no other rule");
	else
		paragraph_line(stdout, 0,
			       "nothing to do: there is no rule in vfio-pci.ids= on the "
			       "command line, in modprobe.d or in %s%s",
			       p->image ? "the table of " : "",
			       p->image ? p->image : "/etc/earlybind.conf");
}

/* What the next boot will read: the configuration, or what is in the image. */
static int read_rules(struct planning *p)
{
	if (p->image)
		return next_boot_read_image(p->world, p->arena, p->image, p->cmdline,
					    &p->run);
	if (sources_read(p->world, p->arena, &p->configs, &p->sources) < 0)
		return -EIO;
	return next_boot_read(p->world, p->sysroot, p->arena, &p->sources, p->cmdline,
			      &p->files, &p->run);
}

/* What the judgement of the groups is made from. */
static void read_all(struct planning *p)
{
	p->all.policy = p->run.policy;
	if (usages_read(p->world, p->arena, &p->usages) < 0 ||
	    next_boot_plan(p->world, p->arena, NULL, NULL, &p->all) < 0) {
		say_error("out of memory");
		return;
	}
	p->judge = (struct judge){
		.arena = p->arena,
		.policy = &p->all.policy,
		.inventory = &p->all.inventory,
		.plan = &p->all.plan,
		.usages = &p->usages,
	};
	if (group_causes_read(p->world, p->arena, &p->all.inventory, &p->causes) == 0)
		p->judge.causes = &p->causes;
}

/* -errno, with the reason in the report. */
static int plan_next_boot(struct planning *p)
{
	struct run *run = &p->run;
	int r = run_plan(p->world, p->arena, run);

	if (r < 0)
		return r;
	r = virtual_functions_foresee(p->world, p->arena, &run->policy, &run->inventory,
				      &run->plan);
	if (r < 0) {
		run->report.reason = REASON_LIMIT;
		run->report.detail = "memory for devices";
		run->report.plan = NULL;
	}
	return r;
}

static void print(struct planning *p, bool has_rule)
{
	(void)sources_print_problems(&p->sources, &p->run.policy);
	if (p->files.problem_count > 0)
		say_error(IMAGES_WAIT);
	if (!has_rule)
		print_nothing(p);
	else if (p->run.report.plan)
		print_text(p);
	plan_images_print(&p->images, p->image != NULL);
}

static int plan(struct planning *p)
{
	struct run *run = &p->run;
	char message[REASON_MESSAGE_SIZE];
	bool has_rule;
	int code = EXIT_OK;

	if (p->image && p->configs.count > 0) {
		say_error(
			"plan: --image and --config cannot be used together: an image has "
			"its own rules");
		return EXIT_WRONG_USAGE;
	}
	if (open_world(p->sysroot, &p->world) < 0 || read_rules(p) < 0)
		return EXIT_FAILED;
	has_rule = !run->policy.off && policy_has_bind_rule(&run->policy);
	/* Where the boot would do nothing, nothing is planned. */
	if (has_rule && plan_next_boot(p) < 0 && !p->is_json)
		say_error("%s", reason_message(run->report.reason, run->report.detail,
					       message));
	if (has_rule && !p->is_json && run->report.plan)
		read_all(p);
	if (run->inventory.unread_count > 0)
		say_error("%zu function%s could not be read, and rules may be about %s: "
			  "serial numbers are for root only",
			  run->inventory.unread_count,
			  run->inventory.unread_count == 1 ? "" : "s",
			  run->inventory.unread_count == 1 ? "it" : "them");
	/* Files that were named are those of no image. */
	if (p->configs.count == 0)
		plan_images_read(p->world, p->sysroot, p->image, has_rule, p->arena,
				 &p->images);
	if (p->is_json)
		code = print_json(p);
	else
		print(p, has_rule);
	world_close(p->world);
	return code != EXIT_OK ? code : verdict(run, has_rule);
}

/* Questions about groups have nothing to do with rules. */
static int ask_groups(const struct planning *p)
{
	const struct plan_groups question = {p->move, p->acs, p->sysroot, p->is_json};

	if ((p->move && p->acs) || p->configs.count > 0 || p->cmdline || p->image) {
		say_error("plan: only --json and --sysroot go with --move or "
			  "--acs");
		return EXIT_WRONG_USAGE;
	}
	return plan_groups(&question, p->arena);
}

int command_plan(int argc, char **argv, struct arena *arena)
{
	static struct planning p;
	const struct option_spec options[] = {
		{"acs", "PORT", "the groups if ACS were enabled in PORT",
		 .ret_string = &p.acs},
		{"cmdline", "STRING", "use STRING, not /proc/cmdline",
		 .ret_string = &p.cmdline},
		{"config", "FILE", "read FILE, not /etc/earlybind.conf; may be repeated",
		 .ret_strings = &p.configs},
		{"image", "FILE", "the rules in the image FILE, not the configuration",
		 .ret_string = &p.image},
		{"json", NULL, "print JSON for scripts", .ret_flag = &p.is_json},
		{"move", "CARD=PORT", "the groups if CARD were in the slot of PORT",
		 .ret_string = &p.move},
		{"sysroot", OPTIONS_TREE,
		 "read this folder or recording, not this machine",
		 .ret_string = &p.sysroot},
	};
	const struct command_spec spec = {
		.name = "plan",
		.synopsis = "[OPTION...]",
		.text = "Shows what the next boot will do with each function that a rule names, "
			"and why:\n"
			"\n"
			"  bind      it has no driver: vfio-pci takes it\n"
			"  recover   vfio-pci takes over from another driver\n"
			"  done      it is on vfio-pci already\n"
			"  keep      a keep rule protects it\n"
			"  refuse    it must not or cannot be bound\n"
			"\n"
			"With each device that is to be bound it says what the host loses, and "
			"of each group whether a VM can use it then.\n"
			"\n"
			"A change of the configuration counts when the image of the initramfs "
			"has been made again: \"earlybind apply\". A note names each image that has "
			"other rules than the files; with --image it says how they differ.\n"
			"\n"
			"--move shows the groups with a card behind another port: --move "
			"01:00=00:1c.0, or --move alveo=4 with the names of card and slot "
			"(/sys/bus/pci/slots). --acs shows them with ACS enabled in a "
			"port. Exit code: 0 a VM could have the card then; 1 not.\n"
			"\n"
			"exit code: 0 everything that rules name will be bound; 1 something is "
			"refused, a rule names no device, or something was not understood; 2 "
			"wrong usage; 3 there is nothing to do\n",
		.example =
			"earlybind plan --cmdline 'intel_iommu=on vfio-pci.ids=10ee:5000'",
		.options = options,
		.option_count = ARRAY_SIZE(options),
	};
	int code;

	p = (struct planning){.arena = arena};
	if (!options_parse(&spec, argc, argv, &code))
		return code;
	return p.move || p.acs ? ask_groups(&p) : plan(&p);
}
