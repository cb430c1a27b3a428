/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind status: what this boot did, against the state now. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "boot.h"
#include "commands.h"
#include "describe.h"
#include "inventory.h"
#include "late_reports.h"
#include "message.h"
#include "options.h"
#include "output.h"
#include "paths.h"
#include "reason.h"
#include "run.h"

#define EXIT_NO_REPORT 4

struct status {
	const char *sysroot;
	bool is_json;

	struct arena *arena;
	struct world *world;
	struct boot boot;
	struct inventory now;
	struct plan_group *groups; /* those of devices that are bound now */
	size_t group_count;
};

static bool is_bound(const struct boot_device *b)
{
	return strcmp(b->verdict, "bound") == 0;
}

/* What is at the address now; NULL if nothing is, or another device. */
static const struct pci_device *find_now(const struct status *s,
					 const struct boot_device *b)
{
	const struct pci_device *d = inventory_find(&s->now, b->bdf);
	char id[ID_SIZE];

	return d && strcmp(format_id(&d->ids, id), b->id) == 0 ? d : NULL;
}

/* Whether the machine is no longer as the boot left it, on purpose, for this device. */
static bool is_changed(const struct status *s, const struct boot_device *b)
{
	const struct pci_device *d = find_now(s, b);

	/* What came once may go: a virtual function, a card that is pulled out. */
	if (b->is_late && !d)
		return false;
	if (is_bound(b))
		return !d || strcmp(d->driver, b->after) != 0;
	if (strcmp(b->verdict, "held") == 0)
		return !d || d->driver[0] != '\0';
	return false;
}

/* A device that appeared later can make good what the boot's run could not do. */
static bool is_all_well(const struct status *s)
{
	const struct boot *boot = &s->boot;

	for (size_t i = 0; i < boot->device_count; i++) {
		const struct boot_device *b = &boot->devices[i];

		if (is_changed(s, b) || (!is_bound(b) && strcmp(b->action, "keep") != 0))
			return false;
	}
	return !boot->is_dry_run && boot->missing_count == 0 &&
	       (boot->is_all_bound || !boot->has_loss);
}

static void add_now(struct paragraph *p, const struct status *s,
		    const struct boot_device *b)
{
	const struct pci_device *at = inventory_find(&s->now, b->bdf);
	char id[ID_SIZE];

	if (!at)
		paragraph_add(p, "it is not there now");
	else if (!find_now(s, b))
		paragraph_add(p, "another device, [%s], is there now",
			      format_id(&at->ids, id));
	else if (at->driver[0] == '\0')
		paragraph_add(p, "no driver has it now");
	else
		paragraph_add(p, "%s has it now", at->driver);
}

static void put_device(const struct status *s, const struct boot_device *b)
{
	struct paragraph p = describe_device(b->bdf, b->id);
	const char *when = b->is_late ? "when it appeared" : "at boot";

	if (is_bound(b)) {
		paragraph_add(&p, "bound to %s %s", b->after, when);
		if (b->before[0] != '\0' && strcmp(b->before, b->after) != 0)
			paragraph_add(&p, "(was %s)", b->before);
		if (b->is_late && !find_now(s, b)) {
			paragraph_add(&p, "and gone since:");
			add_now(&p, s, b);
		} else if (!is_changed(s, b)) {
			paragraph_add(&p, "and still is");
		} else {
			paragraph_add(&p, "but changed since:");
			add_now(&p, s, b);
		}
	} else if (strcmp(b->action, "keep") == 0) {
		paragraph_add(&p, "kept: %s;", b->message);
		add_now(&p, s, b);
	} else if (s->boot.is_dry_run) {
		paragraph_add(&p, "not tried in a dry run;");
		add_now(&p, s, b);
	} else {
		paragraph_add(&p, "not bound %s (%s): %s;", when,
			      b->verdict[0] ? b->verdict : "no verdict", b->message);
		add_now(&p, s, b);
	}
	paragraph_end(&p);
	paragraph_line(stdout, DEVICE_INDENT, "rule: %s (%s)", b->rule, b->origin);
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

static void print_text(const struct status *s)
{
	const struct boot *boot = &s->boot;

	if (boot->is_dry_run)
		paragraph_line(stdout, 0,
			       "this boot was a dry run (rd.earlybind.dry_run=1): no "
			       "device was touched");
	if (boot->reason[0] != '\0')
		paragraph_line(stdout, 0, "nothing was done: %s", boot->message);
	for (size_t i = 0; i < boot->device_count; i++)
		put_device(s, &boot->devices[i]);
	for (size_t i = 0; i < boot->missing_count; i++)
		describe_missing(text_of(boot->missing[i].text), boot->missing[i].origin);
	for (size_t i = 0; i < boot->problem_count; i++)
		paragraph_line(stdout, 0, "%s: \"%s\": %s", boot->problems[i].origin,
			       boot->problems[i].text, boot->problems[i].message);
	for (size_t i = 0; i < s->group_count; i++)
		describe_group(&s->groups[i]);
	print_modules(boot);
}

static void write_device(const struct status *s, const struct boot_device *b,
			 struct json *json)
{
	const struct pci_device *d = find_now(s, b);
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
	if (d && d->iommu_group != NO_GROUP)
		json_put_number(json, "iommu_group", d->iommu_group);
	else
		json_put_null(json, "iommu_group");
	json_put_bool(json, "late", b->is_late);
	json_put_bool(json, "present", d != NULL);
	json_put_bool(json, "changed", is_changed(s, b));
	json_close(json, '}');
}

static int print_json(const struct status *s)
{
	const struct boot *boot = &s->boot;
	struct json json;

	if (begin_json(s->arena, boot->device_count, &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_put_bool(&json, "report", true);
	json_put_bool(&json, "dry_run", boot->is_dry_run);
	json_put_bool(&json, "all_bound", boot->is_all_bound);
	json_put_bool(&json, "all_well", is_all_well(s));
	json_put_string(&json, "reason", boot->reason[0] ? boot->reason : NULL);
	json_put_string(&json, "message", boot->message[0] ? boot->message : NULL);
	json_open(&json, "devices", '[');
	for (size_t i = 0; i < boot->device_count; i++)
		write_device(s, &boot->devices[i], &json);
	json_close(&json, ']');
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

static unsigned filter_boot(const void *arg, const struct pci_device *device)
{
	return boot_find(arg, device->bdf) ? FACT_WANTED : 0;
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
	r = group_make(&s->now, NULL, id, s->arena, &s->groups[at]);
	s->group_count += r == 0;
	return r;
}

static int read_now(struct status *s)
{
	const struct boot *boot = &s->boot;
	int r;

	r = inventory_read(s->world, s->arena, filter_boot, boot, &s->now);
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
		const struct pci_device *d = find_now(s, b);

		if (!d || d->iommu_group == NO_GROUP || b->wanted[0] == '\0' ||
		    strcmp(d->driver, b->wanted) != 0)
			continue;
		r = add_group(s, d->iommu_group);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Why there is no report: one sentence with the remedy. */
static const char *explain_no_report(struct status *s, int error, const char *path,
				     const char *message)
{
	const struct run_options options = {.is_dry_run = true};
	static struct run run;

	if (error == -EBADMSG)
		return arena_printf(
			s->arena,
			"the report %s is damaged (%s): reboot to get a new one; until then "
			"the kernel log has the lines \"earlybind:\"",
			path, message);
	if (error == -EPROTONOSUPPORT)
		return arena_printf(s->arena,
				    "the report %s is of a newer earlybind than this "
				    "program: update it",
				    path);
	if (error != -ENOENT)
		return arena_printf(s->arena, "the report %s cannot be read: %s", path,
				    errno_text(error));
	if (run_read_policy(s->world, s->arena, &options, &run) == 0 && run.policy.off)
		return "earlybind was off in this boot: rd.earlybind=0 is on the kernel command "
		       "line; reboot without it";
	return arena_printf(
		s->arena,
		"there is no report of this boot (%s): there was no rule, or earlybind is "
		"not in the image; see \"earlybind plan\", then make the image again with "
		"update-initramfs -u -k all or dracut --regenerate-all --force, and reboot",
		path);
}

static int no_report(struct status *s, const char *message)
{
	struct json json;

	if (!s->is_json) {
		say_error("%s", message);
		return EXIT_NO_REPORT;
	}
	if (begin_json(s->arena, 0, &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_put_bool(&json, "report", false);
	json_put_string(&json, "message", message);
	json_open(&json, "devices", '[');
	json_close(&json, ']');
	json_close(&json, '}');
	return end_json(&json) == 0 ? EXIT_NO_REPORT : EXIT_FAILED;
}

static int status(struct status *s)
{
	char sentence[REASON_MESSAGE_SIZE];
	const char *message = "", *path;
	int r, code = EXIT_OK;

	if (open_world(s->sysroot, &s->world) < 0)
		return EXIT_FAILED;
	r = boot_read(s->world, s->arena, &s->boot, &path, &message);
	if (r < 0) {
		message = explain_no_report(s, r, path, message);
		return no_report(s, message ? message : "out of memory");
	}
	r = late_reports_add(s->world, s->arena, &s->boot);
	if (r == 0)
		r = read_now(s);
	if (r < 0) {
		say_error("%s",
			  reason_message(r == -ENOMEM ? REASON_LIMIT : REASON_NO_SYSFS,
					 r == -ENOMEM ? "memory for devices"
						      : errno_text(r),
					 sentence));
		return EXIT_FAILED;
	}
	if (s->is_json)
		code = print_json(s);
	else
		print_text(s);
	return code != EXIT_OK || is_all_well(s) ? code : EXIT_FAILED;
}

int command_status(int argc, char **argv, struct arena *arena)
{
	static struct status s;
	const struct option_spec options[] = {
		{"json", NULL, "print JSON for scripts", .ret_flag = &s.is_json},
		{"sysroot", "DIR", "read the tree below DIR, not this machine",
		 .ret_string = &s.sysroot},
	};
	const struct command_spec spec = {
		.name = "status",
		.synopsis = "[OPTION...]",
		.text = "Shows what earlybind did in this boot and what has become of it since: "
			"for each device the rule, the driver it got and the one it has now, "
			"and whether a VM can use its IOMMU group.\n"
			"\n"
			"exit code: 0 everything was bound and still is, also where a group is "
			"not viable; 1 something was not bound or has changed; 2 wrong usage; "
			"4 there is no report\n",
		.example = "earlybind status || journalctl -k -g earlybind",
		.options = options,
		.option_count = ARRAY_SIZE(options),
	};
	int code;

	s = (struct status){.arena = arena};
	return options_parse(&spec, argc, argv, &code) ? status(&s) : code;
}
