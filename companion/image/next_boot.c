/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "next_boot.h"

#include <errno.h>
#include <string.h>

#include "dracut.h"
#include "elf_file.h"
#include "files.h"
#include "filter.h"
#include "framebuffer.h"
#include "hotplug.h"
#include "image_check.h"
#include "image_options.h"
#include "judgement.h"
#include "message.h"
#include "paths.h"
#include "reason.h"
#include "virtual_functions.h"

/* What the binder calls the mark of an image that has earlier rules: read_mark() in run.c. */
#define PROBLEM_EARLIER_RULES "earlier rules"

#define RUNNING_MAX ((size_t)64 * 1024)
#define NAMED_MAX   3 /* rules that are named; of the others only the number */

static const char out_of_memory[] = "out of memory";

/* What the next boot would read. NULL if it cannot be told. */
static const struct policy *read_next(struct world *world, const char *sysroot,
				      struct arena *arena)
{
	static struct run run;

	return next_boot_read_own(world, sysroot, arena, &run) < 0 ? NULL : &run.policy;
}

/* Of the machine as it was when the image was built, and no rule of anybody. */
static bool is_recorded(const struct boot_rule *b)
{
	return strcmp(b->kind, rule_kind_name(RULE_CRITICAL)) == 0 &&
	       strncmp(b->origin, RECORDED, sizeof(RECORDED) - 1) == 0;
}

static bool is_same(const struct boot_rule *b, const struct rule *rule)
{
	return text_is(rule->text, b->text) &&
	       strcmp(b->kind, rule_kind_name(rule->kind)) == 0;
}

/*
 * What cannot be compared: the running command line is the boot's own, and dracut's files are
 * in the image only (policy.h).
 */
static bool is_of_boot(const char *origin)
{
	return strcmp(origin, "command line") == 0 ||
	       strncmp(origin, "/etc/cmdline", 12) == 0 ||
	       strncmp(origin, "/run/initramfs", 14) == 0;
}

struct difference {
	struct arena *arena;
	const char *text;
	size_t count;
};

static void add(struct difference *d, struct text rule, const char *where)
{
	const char *text = d->text;

	if (d->count++ < NAMED_MAX && text)
		text = arena_printf(d->arena, "%s%s%.*s (%s)", text, text[0] ? ", " : "",
				    (int)MIN(rule.n, (size_t)80), rule.p, where);
	d->text = text;
}

static const char *describe(const struct difference *d, const char *what)
{
	if (d->count <= NAMED_MAX)
		return arena_printf(d->arena, "%s: %s", what, d->text);
	return arena_printf(d->arena, "%s: %s and %zu more", what, d->text,
			    d->count - NAMED_MAX);
}

/*
 * What of the rules has changed since this boot, as a sentence with the remedy; "" if nothing
 * has, or if that cannot be told. Rules of the initramfs's own files do not count.
 */
static const char *describe_drift(const struct policy *next, struct arena *arena,
				  const struct boot *boot)
{
	struct difference gone = {arena, "", 0}, added = {arena, "", 0};
	const char *first, *second, *text;

	if (!next || next->off)
		return "";
	for (size_t i = 0; i < boot->rule_count; i++) {
		const struct boot_rule *b = &boot->rules[i];
		bool is_there = !b->is_active || is_of_boot(b->origin) || is_recorded(b);

		for (size_t k = 0; k < next->rule_count && !is_there; k++)
			is_there = policy_has_rule_active(next, &next->rules[k]) &&
				   is_same(b, &next->rules[k]);
		if (!is_there)
			add(&gone, text_of(b->text), b->origin);
	}
	for (size_t k = 0; k < next->rule_count; k++) {
		const struct rule *rule = &next->rules[k];
		bool was_there = !policy_has_rule_active(next, rule) ||
				 rule->origin.source == SOURCE_CMDLINE ||
				 rule_is_recorded(rule);
		char origin[ORIGIN_SIZE];

		for (size_t i = 0; i < boot->rule_count && !was_there; i++)
			was_there = is_same(&boot->rules[i], rule);
		if (!was_there)
			add(&added, rule->text, origin_format(&rule->origin, origin));
	}
	if (gone.count + added.count == 0)
		return "";
	first = added.count > 0 ? describe(&added, "new") : "";
	second = gone.count > 0 ? describe(&gone, "gone") : "";
	if (!first || !second)
		return out_of_memory;
	text = arena_printf(
		arena, "the rules have changed since this boot (%s%s%s): %s, then reboot",
		first, first[0] && second[0] ? "; " : "", second,
		judge_apply(next, arena));
	return text ? text : out_of_memory;
}

/* There is no report because no run of this boot wrote one. */
static void explain_no_run(struct world *world, struct arena *arena,
			   const struct policy *next, struct boot_view *ret)
{
	char buf[128] = "";
	struct text release = {"", 0};

	if (next && next->off) {
		ret->without = BOOT_OFF;
		ret->why =
			"earlybind was off in this boot: rd.earlybind=0 is on the kernel "
			"command line. The next boot without it follows the rules again: if "
			"one of them is wrong, remove it first";
		return;
	}
	if (next && next->problem_count == 0 && !policy_has_bind_rule(next)) {
		ret->without = BOOT_NO_RULES;
		ret->why =
			next->ignore_table
				? "there was nothing to do in this boot: "
				  "rd.earlybind.table=0 on the kernel command line ignores "
				  "the configuration, and there is no other rule"
				: "there was nothing to do in this boot: no rule in "
				  "/etc/earlybind.conf, in modprobe.d or on the kernel "
				  "command line binds a device; name one with \"earlybind "
				  "add\"";
		return;
	}
	(void)!world_read_text(world, WORLD_PROC, "sys/kernel/osrelease", buf,
			       sizeof(buf), &release);
	ret->without = BOOT_NO_EARLYBIND;
	ret->why = arena_printf(
		arena,
		"earlybind did not run in this boot, though there are rules: the image of "
		"%skernel%s%.*s lacks earlybind or is older than the rules; %s, then reboot",
		release.n > 0 ? "" : "this ", release.n > 0 ? " " : "", (int)release.n,
		release.p, next ? judge_apply(next, arena) : "run \"earlybind apply\"");
}

/* @error is of boot_read(), with @message about @path. */
static void explain_no_report(struct world *world, struct arena *arena,
			      const struct policy *next, int error, const char *path,
			      const char *message, struct boot_view *ret)
{
	ret->without = BOOT_NO_REPORT;
	if (error == -EBADMSG)
		ret->why = arena_printf(
			arena,
			"the report %s is damaged (%s): reboot to get a new one; until then "
			"the kernel log has the lines \"earlybind:\"",
			path, message);
	else if (error == -EPROTONOSUPPORT)
		ret->why = arena_printf(
			arena,
			"the report %s is of a newer earlybind than this program: update it",
			path);
	else if (error == -ENOENT)
		explain_no_run(world, arena, next, ret);
	else
		ret->why = arena_printf(arena, "the report %s cannot be read: %s", path,
					errno_text(error));
	if (!ret->why)
		ret->why = out_of_memory;
}

/* By the rules that the boot left for what comes later. */
static int read_vfs(struct world *world, struct arena *arena, struct vfs_rules *ret)
{
	const struct run_options options = {.is_late = true, .is_dry_run = true};
	static struct run run;
	int r;

	*ret = (struct vfs_rules){0};
	if (!hotplug_has_rules(world))
		return 0;
	r = run_read_policy(world, arena, &options, &run);
	return r < 0 || run.policy.off
		       ? r
		       : vfs_judge_all(world, arena, &run.policy, NULL, true, ret);
}

int boot_view_read(struct world *world, const char *sysroot, struct arena *arena,
		   struct boot_view *ret)
{
	const struct policy *next = read_next(world, sysroot, arena);
	const char *message = "", *path;
	int r;

	*ret = (struct boot_view){.drift = ""};
	r = boot_read(world, arena, &ret->boot, &path, &message);
	if (r < 0) {
		ret->boot = (struct boot){.reason = "", .message = ""};
		explain_no_report(world, arena, next, r, path, message, ret);
	} else {
		ret->drift = describe_drift(next, arena, &ret->boot);
	}
	r = late_reports_add(world, arena, &ret->boot);
	return r < 0 ? r : read_vfs(world, arena, &ret->vfs);
}

/* A device that appeared later can make good what the boot's run could not do. */
static bool is_all_well(const struct boot *boot, const struct inventory *now)
{
	for (size_t i = 0; i < boot->device_count; i++)
		if (!boot_device_is_well(&boot->devices[i], now))
			return false;
	for (size_t i = 0; i < now->count; i++)
		if (boot_find_overlooked(boot, &now->devices[i]))
			return false;
	return !boot->is_dry_run && boot->missing_count == 0 &&
	       (boot->is_all_bound || !boot->has_loss);
}

enum boot_state boot_view_state(const struct boot_view *view, const struct inventory *now)
{
	if (view->without != BOOT_FINE && view->boot.device_count == 0)
		return view->without;
	if (!is_all_well(&view->boot, now))
		return BOOT_NOT_BOUND;
	for (size_t i = 0; i < view->vfs.count; i++)
		if (!view->vfs.items[i].is_fine)
			return BOOT_NOT_BOUND;
	/* What was done by hand is all that there was to do. */
	if (view->without != BOOT_FINE && view->without != BOOT_NO_RULES)
		return view->without;
	if (view->drift[0] != '\0')
		return BOOT_OLD_RULES;
	for (size_t i = 0; i < view->boot.problem_count; i++)
		if (strcmp(view->boot.problems[i].text, PROBLEM_EARLIER_RULES) == 0)
			return BOOT_OLD_RULES;
	return BOOT_FINE;
}

bool boot_state_is_ok(enum boot_state state)
{
	return state == BOOT_FINE || state == BOOT_NO_RULES || state == BOOT_OLD_RULES;
}

const char *boot_state_word(enum boot_state state)
{
	static const char *const words[] = {
		[BOOT_FINE] = "fine",		[BOOT_NOT_BOUND] = "not-bound",
		[BOOT_NO_RULES] = "no-rules",	[BOOT_NO_EARLYBIND] = "no-earlybind",
		[BOOT_OLD_RULES] = "old-rules", [BOOT_OFF] = "off",
		[BOOT_NO_REPORT] = "no-report",
	};

	return words[state];
}

/* The problems of the table are those of the files, but there they have a line to show. */
static void take_file_problems(struct policy *policy, const struct policy *files)
{
	size_t kept = 0;

	for (size_t i = 0; i < policy->problem_count; i++)
		if (policy->problems[i].origin.source != SOURCE_TABLE)
			policy->problems[kept++] = policy->problems[i];
	policy->problem_count = kept;
	policy->problems_lost = files->problems_lost;
	for (size_t i = 0; i < files->problem_count; i++) {
		const struct problem *p = &files->problems[i];

		policy_add_problem(policy, &p->origin, p->text, p->message, p->is_error);
	}
}

int next_boot_read(struct world *world, const char *sysroot, struct arena *arena,
		   struct sources *sources, const char *cmdline, struct policy *ret_files,
		   struct run *ret)
{
	struct run_options options = {.is_dry_run = true};
	const struct table_section *section;
	size_t length;
	int r;

	if (policy_init(ret_files, arena) < 0)
		goto out_of_memory;
	sources_parse(sources, ret_files);
	sources_add_critical(world, arena, sources, ret_files);
	r = sources_encode(sources, ret_files, arena, &section, &length);
	if (r < 0)
		return r;
	options.table = (struct text){(const char *)section, sizeof(*section)};
	if (!cmdline)
		cmdline = dracut_read_cmdline(world, sysroot, arena);
	if (cmdline)
		options.cmdline = text_of(cmdline);
	if (run_read_policy(world, arena, &options, ret) < 0)
		goto out_of_memory;
	if (!ret->policy.off)
		take_file_problems(&ret->policy, ret_files);
	return 0;

out_of_memory:
	say_error("out of memory");
	return -ENOMEM;
}

int next_boot_read_own(struct world *world, const char *sysroot, struct arena *arena,
		       struct run *ret)
{
	static const struct strings none;
	static struct sources sources;
	static struct policy files;
	int r = sources_read(world, arena, &none, &sources);

	return r < 0 ? r
		     : next_boot_read(world, sysroot, arena, &sources, NULL, &files, ret);
}

int next_boot_read_opened(struct world *world, const struct check *c, const char *cmdline,
			  struct run *ret, const char **ret_message)
{
	struct run_options options = {.is_dry_run = true};
	static struct job_result module_options;
	const struct tree_node *node = tree_find(&c->image.tree, IMAGE_BINDER);
	const char *words;
	struct text binder, running;
	size_t offset;
	int r;

	if (!tree_is_file(node) || !node->file->data.p) {
		*ret_message =
			"earlybind is not in the image, so nothing will be bound: see "
			"earlybind check --image";
		return -ENOENT;
	}
	binder = node->file->data;
	r = section_find(binder, &offset, ret_message);
	if (r < 0) {
		*ret_message = arena_printf(
			c->arena, "the table of its binder is damaged: %s", *ret_message);
		return r;
	}
	options.table = (struct text){binder.p + offset, sizeof(struct table_section)};
	r = image_options_read(&c->image.tree, &module_options);
	if (r < 0) {
		*ret_message = arena_printf(c->arena, "its modprobe.d cannot be read: %s",
					    errno_text(r));
		return r;
	}
	options.module_options = &module_options;
	if (cmdline)
		running = text_of(cmdline);
	else if (file_read_world(world, WORLD_PROC, "cmdline", c->arena, RUNNING_MAX,
				 &running) < 0)
		running = TEXT("");
	*ret_message = "out of memory";
	words = image_options_cmdline(&c->image.tree, c->arena, text_trim(running));
	if (!words)
		return -ENOMEM;
	/* An empty one that was given is one; otherwise the binder's reader says what is wrong. */
	if (cmdline || *words)
		options.cmdline = text_of(words);
	return run_read_policy(world, c->arena, &options, ret);
}

int next_boot_read_image(struct world *world, struct arena *arena, const char *image,
			 const char *cmdline, struct run *ret)
{
	static struct check check;
	const char *message;
	int r;

	check = (struct check){.file = image, .arena = arena};
	r = check_open(&check, &message);
	if (r == 0)
		r = next_boot_read_opened(world, &check, cmdline, ret, &message);
	if (r < 0)
		say_error("%s: %s", image, message ? message : "out of memory");
	return r;
}

struct facts_wanted {
	const struct policy *policy;
	inventory_filter filter;
	const void *arg;
};

/* All functions, since guards and groups look at those that no rule names. */
static unsigned want_all(const void *arg, const struct pci_device *d)
{
	const struct facts_wanted *w = arg;

	return policy_filter(w->policy, d) | FACT_WANTED | FACT_PATH |
	       (w->filter ? w->filter(w->arg, d) : 0);
}

int next_boot_plan(struct world *world, struct arena *arena, inventory_filter filter,
		   const void *arg, struct run *run)
{
	const struct facts_wanted wanted = {&run->policy, filter, arg};
	int r;

	r = policy_read_inventory(world, arena, &run->policy, want_all, &wanted,
				  &run->inventory);
	if (r < 0)
		return r;
	run->inventory.iommu.is_unsafe |= run->policy.has_unsafe_interrupts;
	framebuffers_read(world, arena, &run->inventory);
	r = plan_make(&run->policy, &run->inventory, arena, &run->plan);
	return r < 0 ? r
		     : virtual_functions_foresee(world, arena, &run->policy,
						 &run->inventory, &run->plan);
}
