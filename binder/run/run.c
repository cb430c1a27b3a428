/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apply_plan.h"
#include "config.h"
#include "filter.h"
#include "framebuffer.h"
#include "host_use.h"
#include "hotplug.h"
#include "policy.h"
#include "table.h"
#include "variant.h"
#include "verify.h"

#define POLL (20 * MILLISECOND)

/* Waits for the turn until @until at most. It is kept until the process or @world ends. */
static enum turn run_lock_take(struct world *world, enum publish_place place,
			       const char *name, uint64_t until)
{
	enum turn turn = TURN_FREE;
	int r;

	while ((r = world->ops->lock(world, place, name)) == -EAGAIN) {
		if (turn == TURN_FREE)
			world_log(world, LOG_LEVEL_INFO,
				  "another binder is at work: waiting for it");
		turn = TURN_WAITED;
		if (world->ops->now(world) >= until)
			return TURN_LOST;
		world->ops->pause(world, POLL);
	}
	if (r < 0)
		world_log(world, LOG_LEVEL_DEBUG,
			  "it is unknown whether another binder is running: %s",
			  errno_text(r));
	return turn;
}

/*
 * Keeps the report of an earlier run as REPORT_FIRST_NAME: it alone knows which drivers the
 * devices had. That of the very first run stays.
 */
static void run_lock_keep_report(struct world *world, struct arena *arena)
{
	size_t used = arena->used;
	char *buf, byte;
	int n, r;

	if (world->ops->read(world, WORLD_RUN, RUN_OWN REPORT_NAME, &byte, 1) != -E2BIG ||
	    world->ops->read(world, WORLD_RUN, RUN_OWN REPORT_FIRST_NAME, &byte, 1) !=
		    -ENOENT)
		return;
	buf = arena_alloc(arena, REPORT_SIZE_MAX, 1);
	n = buf ? world->ops->read(world, WORLD_RUN, RUN_OWN REPORT_NAME, buf,
				   REPORT_SIZE_MAX)
		: -ENOMEM;
	r = n < 0 ? n
		  : world->ops->publish(world, PUBLISH_OWN, REPORT_FIRST_NAME,
					(struct text){buf, (size_t)n});
	if (r < 0)
		world_log(world, LOG_LEVEL_WARNING,
			  "the report of the run before is lost: %s", errno_text(r));
	arena_rewind(arena, used);
}

/* Leaves alone what the kernel has been stuck with since an earlier run of this boot. */
static void run_lock_leave_stuck(struct world *world, struct report *report)
{
	if (!hotplug_has_judged(world))
		return;
	for (size_t i = 0; report->plan && i < report->plan->device_count; i++) {
		struct outcome *o = &report->outcomes[i];
		const struct pci_device *d = o->plan->device;

		if ((o->plan->action != ACTION_BIND &&
		     o->plan->action != ACTION_RECOVER) ||
		    hotplug_find(world, d->bdf, &d->ids) != LATE_STUCK)
			continue;
		o->verdict = VERDICT_STUCK;
		o->reason = REASON_STUCK;
		o->detail = "a write of an earlier run";
	}
}

#define LINE_SIZE 640 /* with what stands around it, less than LOG_LINE_MAX */
#define NAMED_MAX 8 /* devices and rules in the line */

/* "a (word), b (word) and 3 more" */
struct list {
	struct text_buffer text;
	size_t count;
};

static void add(struct list *list, const char *what, int n, const char *why)
{
	if (list->count++ < NAMED_MAX)
		text_add(&list->text, "%s%.*s (%s)", list->text.used > 0 ? ", " : "",
			 MIN(n, 40), what, why);
}

static bool has_shell(const struct report *r, const struct rule *rule)
{
	return rule->kind == RULE_BIND && policy_has_rule_active(r->policy, rule) &&
	       policy_on_failure(r->policy, rule) == ON_FAILURE_SHELL;
}

static void find_failures(const struct report *r, struct list *list)
{
	for (size_t i = 0; r->plan && i < r->plan->device_count; i++) {
		const struct outcome *o = &r->outcomes[i];
		char address[BDF_SIZE];

		if (o->verdict == VERDICT_BOUND || !has_shell(r, o->plan->rule))
			continue;
		bdf_format(o->plan->device->bdf, address);
		add(list, address, (int)strlen(address), reason_word(o->reason));
	}
	for (size_t i = 0; i < r->policy->rule_count; i++) {
		const struct rule *rule = &r->policy->rules[i];

		if (!has_shell(r, rule))
			continue;
		if (!r->plan || report_has_rule_missing(r, i))
			add(list, rule->text.p, (int)MIN(rule->text.n, (size_t)40),
			    reason_word(r->plan ? REASON_MISSING : r->reason));
	}
}

static bool has_file(struct world *world, enum world_root root, const char *path)
{
	char byte;
	int r = world->ops->read(world, root, path, &byte, 1);

	return r >= 0 || r == -E2BIG;
}

/*
 * Whether the image is to open its shell now: a device is not bound, or a rule names none, and
 * the rule says on-failure=shell; it was not asked for in this boot before, and nothing forbids it: rd.shell=0 and, for PID 1, which does not know whose image
 * it is in, panic= (for initramfs-tools it means that nobody gets a shell). Says so in the log
 * and publishes the line.
 */
static bool shell_ask(struct world *world, const struct report *report, bool is_pid1)
{
	const struct policy *policy = report->policy;
	char line[LOG_LINE_MAX], names[LINE_SIZE], more[32] = "";
	struct list list = {{.buf = names, .size = sizeof(names)}, 0};
	int n;

	find_failures(report, &list);
	if (list.count == 0 || report->is_dry_run || report->is_late)
		return false;
	if (policy->has_no_shell || (is_pid1 && policy->has_panic)) {
		world_log(
			world, LOG_LEVEL_WARNING,
			"on-failure=shell: no shell, the boot goes on: %s on the kernel "
			"command line forbids it",
			policy->has_no_shell ? "rd.shell=0" : "panic=");
		return false;
	}
	if (has_file(world, WORLD_RUN, RUN_OWN SHELL_NAME) ||
	    has_file(world, WORLD_DEV, WORLD_DEV_DIR "/" SHELL_NAME)) {
		world_log(world, LOG_LEVEL_INFO,
			  "on-failure=shell: no shell, there was one in this boot");
		return false;
	}
	if (list.count > NAMED_MAX)
		snprintf(more, sizeof(more), " and %zu more", list.count - NAMED_MAX);
	n = snprintf(line, sizeof(line),
		     "on-failure=shell: not bound: %s%s; \"dmesg\" says more, "
		     "\"exit\" goes on with the boot",
		     text_shown(&list.text), more);
	if (n < 0)
		return false;
	world_log(world, LOG_LEVEL_ERROR, "%s", line);
	n = MIN(n, (int)sizeof(line) - 2);
	line[n] = '\n';
	line[n + 1] = '\0';
	n = world->ops->publish(world, PUBLISH_OWN, SHELL_NAME, text_of(line));
	if (n < 0)
		world_log(world, LOG_LEVEL_WARNING,
			  "on-failure=shell: an image with systemd opens no shell: %s",
			  errno_text(n));
	return true;
}

#define REBUILD \
	"rebuild the image with update-initramfs -u -k all or dracut " \
	"--regenerate-all --force"

#define NO_RULE "no rule names it"

static void read_table(const struct run_options *options, struct policy *policy)
{
	const struct origin origin = {.source = SOURCE_TABLE};
	struct text text = {NULL, 0};
	int r;

	if (!options->table.p || policy->ignore_table)
		return;
	r = table_decode(options->table.p, options->table.n, &text);
	if (r == -EPROTONOSUPPORT)
		policy_lose_source(policy, &origin, TEXT("embedded table"),
				   "it is of a newer version than this binder: " REBUILD);
	else if (r < 0)
		policy_lose_source(policy, &origin, TEXT("embedded table"),
				   "it is damaged: " REBUILD);
	else if (text.n > 0)
		config_parse(policy, SOURCE_TABLE, (struct text){"", 0}, text);
}

const char *earlier_describe(struct text bytes, struct arena *arena)
{
	struct text reason = {"", 0}, which = {"", 0};

	if (text_cut(&bytes, '\n', &reason))
		(void)text_cut(&bytes, '\n', &which);
	return arena_printf(arena,
			    "the image was made without the configuration, with %.*s, "
			    "since: %.*s; correct that, then run earlybind apply",
			    (int)MIN(which.n, 120u), which.p, (int)MIN(reason.n, 300u),
			    reason.p);
}

/*
 * The mark that the hooks leave in an image which they had to make with earlier rules: what is
 * wrong with the configuration, and which rules these are. Nearly every image has none.
 */
static void read_mark(const struct run_options *options, struct world *world,
		      struct arena *arena, struct policy *policy)
{
	const struct origin origin = {.source = SOURCE_TABLE};
	char buf[EARLIER_SIZE];
	const char *message;
	int n;

	if (!options->has_cmdline_files)
		return;
	n = world->ops->read(world, WORLD_ETC, EARLIER_NAME, buf, sizeof(buf));
	if (n == -ENOENT)
		return;
	n = MAX(n, 0);
	message =
		earlier_describe((struct text){buf, MIN((size_t)n, sizeof(buf))}, arena);
	policy_add_problem(policy, &origin, TEXT("earlier rules"),
			   message ? message : "out of memory", false);
}

/*
 * When the run began to do what takes time: now, if it has not yet. A run that finds nothing to
 * do asks for no time, which would cost it two pages of the kernel's vDSO.
 */
static uint64_t run_begin(struct world *world, struct run *run)
{
	if (run->start == 0)
		run->start = world->ops->now(world);
	return run->start;
}

static void read_modprobe(const struct run_options *options, struct world *world,
			  struct arena *arena, struct run *run)
{
	struct policy *policy = &run->policy;
	const struct origin origin = {.source = SOURCE_MODPROBE};
	const struct job job = {.kind = JOB_MODULE_IDS};
	struct job_result result;
	char *copy = NULL;
	int r = 0;

	if (options->module_options)
		result = *options->module_options;
	else if (!world->ops->has_module_options(world))
		return;
	else
		r = world_run(world, &job,
			      run_begin(world, run) + policy->timeout * SECOND, &result);
	if (r == 0)
		r = result.error;
	if (r == 0 && result.is_found) {
		copy = arena_copy(arena, (struct text){result.text, result.length});
		r = copy ? 0 : -ENOMEM;
	}
	if (r < 0) {
		policy_lose_source(policy, &origin, TEXT("options vfio-pci"),
				   r == -E2BIG ? "ids= is longer than 4096 characters"
					       : "modprobe.d cannot be read");
		return;
	}
	policy->has_denylist_off |= result.is_denylist_off;
	policy->has_unsafe_interrupts = result.is_unsafe;
	if (copy)
		policy_add_module_ids(policy, &origin,
				      (struct text){copy, result.length});
}

static void limit_time(const struct run_options *options, struct policy *policy)
{
	if (!options->is_late)
		return;
	policy->timeout = MIN(policy->timeout, (unsigned)LATE_TIMEOUT_MAX);
	policy->recovery_timeout =
		MIN(policy->recovery_timeout, (unsigned)LATE_RECOVERY_TIMEOUT_MAX);
}

int run_read_policy(struct world *world, struct arena *arena,
		    const struct run_options *options, struct run *run)
{
	const struct cmdline_piece given = {.bytes = options->cmdline};
	bool has_rules = options->is_late && hotplug_has_rules(world);
	struct policy *policy = &run->policy;
	int r;

	*run = (struct run){.report = {.policy = policy}};
	r = policy_init(policy, arena);
	if (r < 0)
		return r;
	if (options->cmdline.p)
		policy_add_cmdline(policy, &given, 1);
	else
		cmdline_read(world, arena, options->has_cmdline_files && !has_rules,
			     policy);
	/* The command line may ask for a dry run, but not forbid it. */
	policy->dry_run = policy->dry_run || options->is_dry_run;
	if (policy->off)
		return 0;
	limit_time(options, policy);
	read_modprobe(options, world, arena, run);
	/* What the boot's run published has the table's rules and those of the files. */
	if (!has_rules || hotplug_read_rules(world, arena, policy) == -ENOENT)
		read_table(options, policy);
	limit_time(options, policy);
	run->report.is_dry_run = policy->dry_run;
	return 0;
}

int run_plan(struct world *world, struct arena *arena, struct run *run)
{
	struct report *report = &run->report;
	int r;

	r = policy_read_inventory(world, arena, &run->policy, policy_filter, &run->policy,
				  &run->inventory);
	report->inventory = &run->inventory;
	run->inventory.is_early = run->is_boot;
	run->inventory.iommu.is_unsafe |= run->policy.has_unsafe_interrupts;
	if (r == 0 && run->is_boot)
		in_use_read(world, arena, &run->inventory);
	if (r == 0)
		framebuffers_read(world, arena, &run->inventory);
	if (r == 0)
		variants_read(world, arena, &run->policy, &run->inventory);
	if (r == 0)
		r = plan_make(&run->policy, &run->inventory, arena, &run->plan);
	if (r == 0 && report->is_late)
		plan_restrict(&run->plan, run->only);
	if (r == 0) {
		report->outcomes = arena_alloc(arena, run->plan.device_count,
					       sizeof(*report->outcomes));
		if (!report->outcomes)
			r = -ENOMEM;
	}
	if (r < 0) {
		report->reason = r == -ENOMEM ? REASON_LIMIT : REASON_NO_SYSFS;
		report->detail = r == -ENOMEM ? "memory for devices" : errno_text(r);
		return r;
	}
	report->plan = &run->plan;
	for (size_t i = 0; i < run->plan.device_count; i++) {
		struct outcome *o = &report->outcomes[i];

		o->plan = &run->plan.devices[i];
		o->wanted = o->plan->wanted;
		o->reason = o->plan->reason;
		o->detail = o->plan->detail;
		memcpy(o->before, o->plan->device->driver, sizeof(o->before));
		/* The device's is read anew at the end. */
		if (o->wanted == o->plan->device->driver)
			o->wanted = o->before;
		memcpy(o->after, o->before, sizeof(o->after));
		if (o->plan->action == ACTION_REFUSE)
			o->verdict = VERDICT_REFUSED;
	}
	return 0;
}

void run_carry_out(struct world *world, struct arena *arena, struct run *run)
{
	struct report *report = &run->report;
	struct steps s = {.world = world, .report = report, .arena = arena};
	uint64_t until;

	world->ops->enter(world, SYSFS_PCI_DEVICES);
	for (size_t i = 0; i < run->plan.device_count; i++)
		inventory_enter(world, run->plan.devices[i].device->bdf);
	apply_plan(world, report, arena);
	verify_fence(world, report);
	for (size_t i = 0; i < run->plan.device_count; i++) {
		struct outcome *o = &report->outcomes[i];

		verify_device(world, o);
		if (run->is_initramfs && o->reason == REASON_KEPT_BOUND) {
			restore_kept(world, report, o);
			verify_device(world, o);
		}
		if (o->verdict == VERDICT_NONE && o->plan->action != ACTION_KEEP)
			restore_device(world, report, o);
		if (o->verdict == VERDICT_BOUND)
			framebuffer_release(&s, o);
	}
	until = world->ops->now(world) + 2 * SECOND;
	if (verify_groups(world, report, &run->inventory, arena, until) < 0) {
		report->reason = REASON_LIMIT;
		report->detail = "memory for groups";
	}
	world->ops->enter(world, NULL);
}

static void publish(struct world *world, struct arena *arena, struct run *run,
		    enum publish_place place, const char *name)
{
	struct json json = {.size = REPORT_SIZE_MAX};
	int r = -ENOMEM;

	report_log(&run->report, world);
	json.buf = arena_alloc(arena, json.size, 1);
	if (json.buf) {
		report_write(&run->report, &json);
		r = json.is_full
			    ? -E2BIG
			    : world->ops->publish(world, place, name,
						  (struct text){json.buf, json.used});
	}
	if (r < 0)
		world_log(world, LOG_LEVEL_WARNING, "the report cannot be written: %s",
			  errno_text(r));
}

int run_boot(struct world *world, struct arena *arena, const struct run_options *options,
	     struct run *run)
{
	struct policy *policy = &run->policy;
	enum turn turn = TURN_FREE;
	uint64_t start;
	int r;

	r = run_read_policy(world, arena, options, run);
	if (r < 0) {
		world_log(world, LOG_LEVEL_ERROR, "out of memory");
		return EXIT_NOT_ALL;
	}
	if (policy->off) {
		world_log(world, LOG_LEVEL_DEBUG,
			  "off: rd.earlybind=0 is on the command line");
		return EXIT_ALL_BOUND;
	}
	if (!policy_has_bind_rule(policy)) {
		read_mark(options, world, arena, policy);
		report_log_problems(policy, world);
		world_log(world, LOG_LEVEL_DEBUG, "no rule: nothing to do");
		return policy->problem_count > 0 ? EXIT_NOT_ALL : EXIT_ALL_BOUND;
	}
	if (options->is_here && !options->is_here(world))
		return EXIT_USAGE;
	start = run_begin(world, run);
	if (!policy->dry_run)
		turn = run_lock_take(world, PUBLISH_OWN, TURN_BOOT_NAME,
				     start + policy->timeout * SECOND);
	if (turn == TURN_LOST) {
		world_log(
			world, LOG_LEVEL_WARNING,
			"nothing was done: another binder is still at work after %u s, and "
			"the report will be its own",
			policy->timeout);
		return EXIT_NOT_ALL;
	}
	if (turn == TURN_WAITED)
		start = world->ops->now(world);
	run->is_boot = true;
	run->is_initramfs = options->is_initramfs;
	r = run_plan(world, arena, run);
	if (!policy->dry_run) {
		run_lock_leave_stuck(world, &run->report);
		run_lock_keep_report(world, arena);
	}
	run->report.deadline = start + policy->timeout * SECOND;
	if (r == 0 && !policy->dry_run)
		run_carry_out(world, arena, run);
	run->report.microseconds = world->ops->now(world) - start;
	read_mark(options, world, arena, policy);
	publish(world, arena, run, PUBLISH_OWN, REPORT_NAME);
	if (!policy->dry_run && !options->is_pid1)
		hotplug_publish(world, arena, &run->report);
	if (report_is_fine(&run->report))
		return EXIT_ALL_BOUND;
	return shell_ask(world, &run->report, options->is_pid1) ? EXIT_SHELL
								: EXIT_NOT_ALL;
}

/* Whether the device of the plan is left alone: a line says why, and @ret_code the rest. */
static bool is_left_alone(struct world *world, bool is_synthetic,
			  const struct plan_device *pd, const char *address,
			  int *ret_code)
{
	enum hotplug_judgement judgement =
		hotplug_find(world, pd->device->bdf, &pd->device->ids);
	bool has_driver = pd->device->driver[0] != '\0';

	if (judgement == LATE_STUCK) {
		world_log(world, LOG_LEVEL_WARNING,
			  "%s is left alone: the kernel is stuck with it since before",
			  address);
		*ret_code = EXIT_NOT_ALL;
		return true;
	}
	if (!is_synthetic || (judgement == LATE_NEW && !has_driver))
		return false;
	world_log(world, LOG_LEVEL_DEBUG, "%s is left alone: it %s, and is no new device",
		  address,
		  judgement == LATE_NEW ? "has a driver" : "was judged in this boot");
	*ret_code = EXIT_ALL_BOUND;
	return true;
}

void run_publish_device(struct world *world, struct arena *arena, struct run *run)
{
	char name[BDF_SIZE + sizeof(".json")], address[BDF_SIZE];

	snprintf(name, sizeof(name), "%s.json", bdf_format(run->only, address));
	publish(world, arena, run, PUBLISH_DEVICE, name);
	if (run->report.plan && !run->policy.dry_run &&
	    hotplug_judge(world, &run->report) < 0)
		world_log(world, LOG_LEVEL_WARNING, "%s: its verdict cannot be written",
			  address);
}

/*
 * Whether a rule may be about the device: if not, a line says why, and @ret_code the rest.
 * @ret_is_named: a rule names it as it is, not only as the card that another one follows, or
 * as a companion of another device.
 */
static bool has_rule(struct world *world, struct arena *arena, struct policy *policy,
		     struct pci_device *device, const char *address, bool *ret_is_named,
		     int *ret_code)
{
	struct fact_reader facts = {
		.world = world, .filter = policy_filter, .arg = policy, .arena = arena};
	int wanted = policy->off ? 0 : facts_learn(&facts, device);
	bool is_companion, may_follow;

	may_follow = wanted >= 0 && !(wanted & (int)FACT_WANTED) &&
		     policy_mark_followed(policy);
	if (may_follow && !policy->off)
		wanted = facts_learn(&facts, device);
	if (wanted < 0) {
		world_log(world, LOG_LEVEL_WARNING,
			  "%s: its path or serial number cannot be read: %s", address,
			  errno_text(wanted));
		*ret_code = EXIT_NOT_ALL;
		return false;
	}
	wanted &= (int)FACT_WANTED;
	is_companion = !policy->off && !wanted && policy_has_any_with(policy) &&
		       companion_is_possible(&facts, device->bdf);
	*ret_is_named = wanted && !may_follow;
	if (!policy->off && (wanted || is_companion))
		return true;
	if (policy->is_partial && !wanted) {
		report_log_problems(policy, world);
		*ret_code = EXIT_NOT_ALL;
		return false;
	}
	/* A server has hundreds of functions that some rule could be about: no line for each. */
	if (policy->off || policy->dry_run)
		world_log(world, LOG_LEVEL_DEBUG, "%s: %s", address,
			  policy->off ? "off: rd.earlybind=0 is on the command line"
				      : NO_RULE);
	*ret_code = EXIT_ALL_BOUND;
	return false;
}

int run_device(struct world *world, struct arena *arena,
	       const struct run_options *options, struct bdf bdf, struct run *run)
{
	struct policy *policy = &run->policy;
	struct pci_device device = {.bdf = bdf};
	uint64_t start;
	char address[BDF_SIZE], lock[BDF_SIZE + sizeof(TURN_DEVICE_SUFFIX)];
	int r, code;
	enum turn turn = TURN_FREE;
	bool is_named;

	bdf_format(bdf, address);
	r = inventory_read_ids(world, bdf, &device.ids);
	if (r < 0) {
		world_log(world, LOG_LEVEL_WARNING, "%s: %s", address,
			  r == -ENOENT ? "there is no such device" : errno_text(r));
		return EXIT_NOT_ALL;
	}
	r = run_read_policy(world, arena, options, run);
	if (r < 0) {
		world_log(world, LOG_LEVEL_ERROR, "out of memory");
		return EXIT_NOT_ALL;
	}
	if (!has_rule(world, arena, policy, &device, address, &is_named, &code))
		return code;
	snprintf(lock, sizeof(lock), "%s" TURN_DEVICE_SUFFIX, address);
	start = run_begin(world, run);
	if (!policy->dry_run)
		turn = run_lock_take(world, PUBLISH_DEVICE, lock,
				     start + policy->timeout * SECOND);
	if (turn == TURN_LOST) {
		world_log(
			world, LOG_LEVEL_WARNING,
			"%s is left to another binder, which is still at work after %u s",
			address, policy->timeout);
		return EXIT_NOT_ALL;
	}
	if (turn == TURN_WAITED)
		start = world->ops->now(world);
	run->only = bdf;
	run->report.is_late = true;
	r = run_plan(world, arena, run);
	if (r == 0 && run->plan.device_count == 0) {
		if (is_named || policy->dry_run)
			world_log(world, is_named ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG,
				  "%s: %s", address,
				  is_named ? "there is no such device" : NO_RULE);
		return is_named ? EXIT_NOT_ALL : EXIT_ALL_BOUND;
	}
	/* What another one has judged in the meantime is as good as judged by this one. */
	if (r == 0 && is_left_alone(world, options->is_synthetic || turn == TURN_WAITED,
				    run->plan.devices, address, &code))
		return code;
	run->report.deadline = start + policy->timeout * SECOND;
	if (run->report.plan && !policy->dry_run)
		run_carry_out(world, arena, run);
	run->report.microseconds = world->ops->now(world) - start;
	run_publish_device(world, arena, run);
	return report_is_fine(&run->report) ? EXIT_ALL_BOUND : EXIT_NOT_ALL;
}
