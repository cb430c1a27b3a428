/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "by_hand.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apply_plan.h"
#include "boot_report.h"
#include "commands.h"
#include "driver.h"
#include "hotplug.h"
#include "message.h"
#include "modules.h"
#include "options.h"
#include "reason.h"
#include "result.h"
#include "rule_request.h"
#include "sentences.h"
#include "version.h"

struct by_hand {
	const char *command; /* "bind" */
	struct strings words;
	const char *sysroot;
	const char *timeout, *recovery_timeout; /* as typed; NULL: as configured */
	bool is_dry_run;
	struct result result; /* for -q */

	struct arena *arena;
	struct world *world;
	struct selection selection;
	struct inventory now; /* all functions */
	struct guards guards;
	struct sources sources;
	struct policy files; /* the configuration alone */
	struct run next; /* the rules of the next boot */
};

#define UNDO_TIME   (2 * SECOND)
#define LOOK_EVERY  (50 * MILLISECOND) /* whether udev's driver has it */
#define REPORT_SIZE ((size_t)8 * 1024)

static const struct world_ops *silent_ops;
static struct world_ops speaking_ops;
static enum log_level speaks_up_to;

static void speak(struct world *world, enum log_level level, const char *line)
{
	if (level <= speaks_up_to)
		say_error("%s", line);
	silent_ops->log(world, level, line);
}

void by_hand_speak(struct world *world, bool is_quiet)
{
	speaks_up_to = is_quiet ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE;
	silent_ops = world->ops;
	speaking_ops = *world->ops;
	speaking_ops.log = speak;
	world->ops = &speaking_ops;
}

void by_hand_be_silent(struct world *world)
{
	if (world->ops == &speaking_ops)
		world->ops = silent_ops;
}

int by_hand_bind(struct world *world, struct arena *arena, const struct policy *policy,
		 struct bdf bdf, struct run *ret)
{
	uint64_t start = world->ops->now(world);
	struct report *report = &ret->report;

	*ret = (struct run){.only = bdf, .policy = *policy};
	/* Its ids= could take others, and the group is not asked about: like a late one. */
	*report = (struct report){.policy = &ret->policy, .is_late = true};
	if (run_plan(world, arena, ret) < 0)
		return EXIT_NOT_ALL;
	if (ret->plan.device_count == 0) {
		report->reason = REASON_MISSING;
		report->detail = "";
		return EXIT_NOT_ALL;
	}
	report->deadline = start + policy->timeout * SECOND;
	run_carry_out(world, arena, ret);
	report->microseconds = world->ops->now(world) - start;
	by_hand_be_silent(world);
	run_publish_device(world, arena, ret);
	return report_is_fine(report) ? EXIT_ALL_BOUND : EXIT_NOT_ALL;
}

/* 0, or a reason in @o: the device went away, or cannot be read. */
static int look(struct steps *s, struct outcome *o)
{
	int r = inventory_read_driver(s->world, o->plan->device->bdf, o->after);

	if (r == 0)
		return 0;
	o->after[0] = '\0';
	o->verdict = VERDICT_FAILED;
	return steps_fail(o, REASON_VANISHED, NULL, r);
}

/* Clears the override first: the driver that is unbound must not be the only one allowed. */
static int let_go(struct steps *s, struct outcome *o)
{
	char dir[JOB_PATH_SIZE];
	int r;

	o->has_override = true;
	/* An empty write does not reach the kernel's store: a line end clears. */
	r = steps_store(s, o, steps_device_dir(o, dir), "driver_override", "\n");
	if (r == -ECANCELED)
		return r;
	if (r < 0)
		return steps_fail(o, REASON_OVERRIDE_FAILED, errno_text(r), r);
	return steps_unbind(s, o);
}

/* It stays where it was: then other drivers are kept away from it as before. */
static void undo(struct steps *s, struct outcome *o)
{
	const struct outcome failed = *o;
	char dir[JOB_PATH_SIZE];
	int r;

	steps_begin(s, steps_now(s) + UNDO_TIME);
	r = steps_store(s, o, steps_device_dir(o, dir), "driver_override", o->before);
	if (r == -ECANCELED && o->verdict == VERDICT_STUCK)
		return;
	o->verdict = VERDICT_FAILED;
	o->reason = failed.reason;
	o->detail = failed.detail;
	o->error = failed.error;
}

/* One of its own drivers that is there. 0 if that has it now. */
static int offer(struct steps *s, struct outcome *o, const struct strings *drivers)
{
	char dir[JOB_PATH_SIZE], address[BDF_SIZE];
	int r;

	bdf_format(o->plan->device->bdf, address);
	for (size_t i = 0; i < drivers->count; i++) {
		r = steps_store(s, o, steps_driver_dir(drivers->items[i], dir), "bind",
				address);
		if (r == -ECANCELED)
			return r;
		if (look(s, o) < 0)
			return -ENODEV;
		if (o->after[0] != '\0')
			return 0;
	}
	return -ENOENT;
}

/*
 * As when the device was found: udev loads the modules for it, which take it when they
 * register (systemd: 80-drivers.rules acts on "add" only).
 */
static int call_udev(struct steps *s, struct outcome *o, uint64_t patience)
{
	uint64_t until;
	char dir[JOB_PATH_SIZE];
	int r;

	r = steps_store(s, o, steps_device_dir(o, dir), "uevent", "add");
	if (r == -ECANCELED)
		return r;
	until = MIN(steps_now(s) + patience, s->deadline);
	do {
		s->world->ops->pause(s->world, LOOK_EVERY);
		if (look(s, o) < 0)
			return -ENODEV;
	} while (o->after[0] == '\0' && steps_now(s) < until);
	return o->after[0] != '\0' ? 0 : -ENOENT;
}

static int give_back(struct steps *s, struct outcome *o, const struct release *release)
{
	char address[BDF_SIZE];
	int r;

	r = offer(s, o, &release->drivers);
	if (r != -ENOENT)
		return r;
	if (release->has_modules) {
		r = call_udev(s, o, release->policy->timeout * SECOND);
		if (r != -ENOENT)
			return r;
	}
	/* It says nothing about what came of it. */
	r = steps_store(s, o, "bus/pci", "drivers_probe",
			bdf_format(o->plan->device->bdf, address));
	return r == -ECANCELED ? r : look(s, o);
}

/* The report of the one device, in the form that the binder's own have. */
static void write_report(const struct outcome *o, struct text word, struct json *json)
{
	const struct pci_device *d = o->plan->device;
	char address[BDF_SIZE], id[16], message[REASON_MESSAGE_SIZE];
	bool is_fine = o->verdict == VERDICT_RESTORED;

	json_open(json, NULL, '{');
	json_put_number(json, "schema", REPORT_SCHEMA);
	json_put_string(json, "version", EARLYBIND_VERSION);
	json_put_bool(json, "late", true);
	json_open(json, "rules", '[');
	json_close(json, ']');
	json_open(json, "devices", '[');
	json_open(json, NULL, '{');
	json_put_string(json, "address", bdf_format(d->bdf, address));
	snprintf(id, sizeof(id), "%04x:%04x", d->ids.vendor, d->ids.device);
	json_put_string(json, "id", id);
	json_put_string(json, "wanted", NULL);
	json_put_string(json, "action", ACTION_RELEASE);
	json_put_text(json, "rule", word);
	json_put_string(json, "origin", ORIGIN_BY_HAND);
	json_put_string(json, "reason", is_fine ? NULL : reason_word(o->reason));
	json_put_string(json, "message",
			is_fine ? NULL : reason_message(o->reason, o->detail, message));
	json_put_string(json, "before", o->before[0] ? o->before : NULL);
	json_put_string(json, "after", o->after[0] ? o->after : NULL);
	json_put_string(json, "verdict", verdict_name(o->verdict));
	json_put_number(json, "errno", o->error);
	json_put_number(json, "microseconds", (int64_t)o->microseconds);
	json_close(json, '}');
	json_close(json, ']');
	json_open(json, "groups", '[');
	json_close(json, ']');
	json_open(json, "modules", '[');
	json_close(json, ']');
	json_open(json, "problems", '[');
	json_close(json, ']');
	json_close(json, '}');
}

static void publish(struct steps *s, const struct outcome *o, struct text word)
{
	struct json json = {.size = REPORT_SIZE};
	char name[BDF_SIZE + sizeof(".json")], address[BDF_SIZE];
	int r = -ENOMEM;

	bdf_format(o->plan->device->bdf, address);
	snprintf(name, sizeof(name), "%s.json", address);
	json.buf = arena_alloc(s->arena, json.size, 1);
	if (json.buf) {
		write_report(o, word, &json);
		r = json.is_full
			    ? -E2BIG
			    : s->world->ops->publish(s->world, PUBLISH_DEVICE, name,
						     (struct text){json.buf, json.used});
	}
	if (r == 0)
		r = hotplug_judge(s->world, s->report);
	if (r < 0)
		world_log(s->world, LOG_LEVEL_WARNING,
			  "%s: the result cannot be recorded: %s", address,
			  errno_text(r));
	world_log(s->world, LOG_LEVEL_NOTICE, "%s released by hand: %s", address,
		  o->after[0] ? o->after : "no driver");
}

static void release_device(struct steps *s, struct outcome *o,
			   const struct release *release)
{
	int r = let_go(s, o);

	if (o->verdict == VERDICT_STUCK || look(s, o) < 0)
		return;
	/* The link decides, whatever became of the writes. */
	if (driver_is_vfio(o->after)) {
		if (r == 0)
			steps_fail(o, REASON_BUSY_DRIVER,
				   arena_printf(s->arena, "%s", o->after), -EBUSY);
		undo(s, o);
		return;
	}
	o->reason = REASON_NONE;
	o->detail = NULL;
	o->error = 0;
	o->verdict = VERDICT_RESTORED;
	/* udev's rules of this boot must not take the "add" for a new device. */
	if (hotplug_judge(s->world, s->report) < 0)
		world_log(s->world, LOG_LEVEL_WARNING, "its verdict cannot be written");
	steps_begin(s, steps_now(s) + release->policy->recovery_timeout * SECOND);
	r = o->after[0] != '\0' ? 0 : give_back(s, o, release);
	if (o->verdict != VERDICT_RESTORED)
		return;
	if (r == -ECANCELED && look(s, o) < 0)
		return;
	if (driver_is_vfio(o->after)) {
		/* By its own ids=, which nobody can take back for one device. */
		steps_fail(o, REASON_BUSY_DRIVER, arena_printf(s->arena, "%s", o->after),
			   -EBUSY);
		undo(s, o);
		return;
	}
	if (r == -ECANCELED && o->after[0] == '\0') {
		o->verdict = VERDICT_FAILED;
		return;
	}
	o->reason = REASON_NONE;
	o->detail = NULL;
	o->error = 0;
}

int by_hand_release(struct world *world, struct arena *arena,
		    const struct release *release, struct outcome *ret)
{
	struct plan_device *pd = arena_alloc(arena, 1, sizeof(*pd));
	struct report report = {
		.policy = release->policy, .outcomes = ret, .is_late = true};
	struct steps s = {.world = world, .report = &report, .arena = arena};
	uint64_t start = world->ops->now(world);

	if (!pd)
		return -ENOMEM;
	*pd = (struct plan_device){
		.device = release->device, .action = ACTION_RECOVER, .wanted = ""};
	*ret = (struct outcome){.plan = pd, .wanted = pd->wanted};
	memcpy(ret->before, release->device->driver, sizeof(ret->before));
	memcpy(ret->after, ret->before, sizeof(ret->after));
	steps_begin(&s, start + release->policy->timeout * SECOND);
	release_device(&s, ret, release);
	ret->microseconds = world->ops->now(world) - start;
	by_hand_be_silent(world);
	publish(&s, ret, release->word);
	return 0;
}

#define HOLDERS_MAX 4

/* -ENOMEM. */
static int guards_read(struct world *world, struct arena *arena, const char *sysroot,
		       struct guards *ret)
{
	int r;

	ret->world = world;
	r = usages_read(world, arena, &ret->usages);
	return r < 0 ? r : holders_read(world, arena, sysroot, &ret->holders);
}

/* Drivers known for an unbind that hangs or takes the machine along. */
static bool is_risky(const char *driver)
{
	static const char *const risky[] = {"nvidia", "nouveau", "amdgpu", "radeon",
					    "i915",   "xe",	 "xclmgmt"};

	for (size_t i = 0; i < ARRAY_SIZE(risky); i++)
		if (strcmp(driver, risky[i]) == 0)
			return true;
	return false;
}

/* Says what speaks against it, unless only the answer is wanted. */
static void object(const struct guards *g, const char *format, ...) printf_like(2, 3);

static void object(const struct guards *g, const char *format, ...)
{
	char text[1024];
	va_list ap;

	if (g->is_silent)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	say_error("%s", text);
}

static size_t say_usages(const struct guards *g, const char *address, struct bdf bdf,
			 bool is_forced)
{
	size_t count, said = 0;
	const struct usage *usage = usages_find(&g->usages, bdf, &count);

	for (size_t i = 0; i < count; i++) {
		const struct usage *u = &usage[i];
		bool is_lost = u->is_critical && u->kind != USAGE_DISPLAY &&
			       u->kind != USAGE_INPUT;

		if (!u->is_in_use || (is_forced && !is_lost))
			continue;
		said++;
		if (is_lost)
			object(g,
			       "%s: %s is %s: the machine needs it, so it is "
			       "never taken while it runs",
			       address, u->name, u->what);
		else
			object(g, "%s: %s is %s: end that first, or use --force", address,
			       u->name, u->what);
	}
	return said;
}

static size_t say_holders(const struct guards *g, const char *address,
			  const struct pci_device *d)
{
	const struct holder *list[HOLDERS_MAX];
	size_t count = holders_find(&g->holders, d, list, HOLDERS_MAX);

	for (size_t i = 0; i < MIN(count, (size_t)HOLDERS_MAX); i++)
		object(g,
		       "%s: %s (pid %u) has %s open, and the kernel would wait for it: "
		       "%s",
		       address, list[i]->command, list[i]->pid, list[i]->node,
		       driver_is_vfio(d->driver) ? "shut the VM down first"
						 : "end it first");
	return count;
}

static size_t say_stuck(const struct guards *g, const char *address,
			const struct pci_device *d)
{
	if (hotplug_find(g->world, d->bdf, &d->ids) != LATE_STUCK)
		return 0;
	object(g,
	       "%s: the kernel has been stuck with it since an earlier attempt: "
	       "power-cycle the machine; a reboot may hang",
	       address);
	return 1;
}

/* What the plan refuses: the kernel would too, or the boot. */
static size_t say_refusal(const struct guards *g, const char *address,
			  const struct plan_device *pd)
{
	char message[REASON_MESSAGE_SIZE];

	if (pd->action != ACTION_REFUSE && pd->action != ACTION_KEEP)
		return 0;
	reason_message(pd->reason, pd->detail, message);
	if (pd->reason == REASON_CONSOLE || pd->reason == REASON_LAST_DISPLAY)
		object(g,
		       "%s: %s: it goes dark and stays dark; use --force if you want that",
		       address,
		       pd->reason == REASON_CONSOLE ? "it drives the console"
						    : "it is the only display");
	else if (pd->reason == REASON_CRITICAL_CONSOLE)
		object(g,
		       "%s: the local console would have no keyboard without it (%s): "
		       "use --force if you want that",
		       address, pd->detail ? pd->detail : "?");
	else if (pd->reason == REASON_CRITICAL_STORAGE ||
		 pd->reason == REASON_CRITICAL_NETWORK)
		object(g, "%s: a critical rule protects it (%s): remove that rule first",
		       address, pd->detail ? pd->detail : "?");
	else
		object(g, "%s: %s", address, message);
	return 1;
}

/* How a risky driver is kept from the function instead: in the next boot. */
static const char *safe_way(const struct guards *g, struct bdf bdf)
{
	const struct pci_device *d = inventory_find(g->judge.inventory, bdf), *left;
	const struct plan_device *pd = d ? plan_find(g->judge.plan, d) : NULL;
	const char *command, *text = NULL;

	if (pd && pd->action <= ACTION_DONE)
		return ": the safe way is \"earlybind apply\" and a reboot";
	command = d ? judge_add_command(&g->judge, &d, 1, &left) : NULL;
	if (command)
		text = arena_printf(g->judge.arena,
				    ": the safe way is \"%s\", \"earlybind apply\" and a "
				    "reboot",
				    command);
	return text ? text : "";
}

/*
 * Says what speaks against binding or releasing the function; how many things do. Force
 * lifts what the host can do without, never what the machine could be lost with or what
 * would hang: a disk in use for the system, the default route, an open device node.
 */
static size_t guards_say_bind(const struct guards *guards,
			      const struct plan_device *planned, bool is_forced)
{
	const struct pci_device *d = planned->device;
	char address[BDF_SIZE];
	size_t said;

	bdf_format(d->bdf, address);
	if (planned->action == ACTION_DONE)
		return 0;
	said = say_stuck(guards, address, d) + say_refusal(guards, address, planned) +
	       say_usages(guards, address, d->bdf, is_forced) +
	       say_holders(guards, address, d);
	if (is_risky(d->driver) && !is_forced) {
		said++;
		object(guards,
		       "%s: %s has it, which may hang the machine when it is unbound%s; "
		       "--force does it now anyway",
		       address, d->driver, safe_way(guards, d->bdf));
	}
	return said;
}

/* What protects a device from rules. The disks and networks are looked at anew (by_hand.h). */
static bool is_protecting(const struct policy *rules, const struct rule *rule)
{
	if (rule->kind == RULE_KEEP)
		return policy_has_rule_active(rules, rule);
	return policy_has_guard(rules, rule) &&
	       (rule->allow == ALLOW_CONSOLE || !rule_is_recorded(rule));
}

/*
 * The rules of "earlybind bind": the words, and of @rules what protects a device. Only ids= and
 * parameters of @next count. -ENOMEM.
 */
static int by_hand_policy(const struct policy *next, const struct policy *rules,
			  const struct strings *words, bool is_forced,
			  struct arena *arena, struct policy *ret)
{
	const struct origin origin = {.source = SOURCE_ARGUMENT};
	struct text options = is_forced ? TEXT("allow=console") : TEXT("");

	if (policy_init(ret, arena) < 0)
		return -ENOMEM;
	ret->has_noiommu = next->has_noiommu;
	ret->has_denylist_off = next->has_denylist_off;
	for (size_t i = 0; i < rules->rule_count; i++)
		if (is_protecting(rules, &rules->rules[i]) &&
		    ret->rule_count < RULES_MAX - STRINGS_MAX)
			ret->rules[ret->rule_count++] = rules->rules[i];
	for (size_t i = 0; i < words->count; i++)
		policy_add_rule(ret, RULE_BIND, text_of(words->items[i]), options, ' ',
				&origin, TEXT(""));
	return 0;
}

bool guards_allow_bind(const struct guards *guards, const struct inventory *now,
		       const struct pci_device *d)
{
	struct arena *arena = guards->judge.arena;
	const struct policy *next = guards->judge.policy;
	const struct plan_device *pd;
	struct guards silent = *guards;
	struct strings words = {.count = 1};
	struct policy policy;
	struct plan plan;
	char address[BDF_SIZE];

	silent.is_silent = true;
	words.items[0] = bdf_format(d->bdf, address);
	if (by_hand_policy(next, next, &words, false, arena, &policy) < 0 ||
	    plan_make(&policy, now, arena, &plan) < 0)
		return false;
	pd = plan_find(&plan, d);
	return pd && guards_say_bind(&silent, pd, false) == 0;
}

/* The same before it is given back. */
static size_t guards_say_release(const struct guards *guards,
				 const struct pci_device *device)
{
	char address[BDF_SIZE];
	size_t said;

	bdf_format(device->bdf, address);
	said = say_stuck(guards, address, device) + say_holders(guards, address, device);
	if (device->vf_count == 0)
		return said;
	object(guards,
	       "%s: it has %u virtual functions: write 0 to its sriov_numvfs first",
	       address, device->vf_count);
	return said + 1;
}

bool guards_allow_release(const struct guards *guards, const struct pci_device *device)
{
	struct guards silent = *guards;

	silent.is_silent = true;
	return guards_say_release(&silent, device) == 0;
}

/* NULL: none of them could be released. */
static const char *release_command(const struct guards *guards,
				   const struct pci_device *const *devices, size_t count)
{
	struct text_buffer b = {.arena = guards->judge.arena};
	char address[BDF_SIZE];

	for (size_t i = 0; i < count; i++)
		if (driver_is_vfio(devices[i]->driver) &&
		    guards_allow_release(guards, devices[i]))
			text_add(&b, "%s %s", b.used ? "" : "earlybind release",
				 device_short_address(devices[i], address));
	return b.used && !b.is_full ? b.buf : NULL;
}

size_t guards_give_back(const struct guards *guards,
			const struct pci_device *const *devices, size_t count,
			const char *ret[static GIVE_BACK_LINES])
{
	struct arena *arena = guards->judge.arena;
	const char *release = release_command(guards, devices, count);
	const char *steps[GIVE_BACK_MAX], *text = NULL;
	size_t n = judge_give_back(&guards->judge, devices, count, steps), lines = 0;

	if (release)
		text = arena_printf(arena, "now%s: \"%s\"",
				    n > 0 ? ", until the next boot" : "", release);
	if (text)
		ret[lines++] = text;
	text = n > 0 ? "for good: " : NULL;
	for (size_t i = 0; text && i < n; i++)
		text = arena_printf(arena, "%s%s%s", text, i > 0 ? ", " : "", steps[i]);
	if (text)
		text = arena_printf(arena, "%s, then \"earlybind apply\" and a reboot",
				    text);
	if (text)
		ret[lines++] = text;
	return lines;
}

/* Those that a terminal, a session or a pipe sends. A worker inherits that they are held. */
static sigset_t held_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGPIPE};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaddset(&set, numbers[i]);
	return set;
}

static void hold_signals(int how)
{
	sigset_t set = held_signals();

	(void)sigprocmask(how, &set, NULL);
}

/*
 * Between two devices: whether a signal came that ends the command. In the middle of one,
 * none does: a device is bound or given back, never left half done.
 */
static bool by_hand_has_signal(void)
{
	sigset_t set, held = held_signals();

	if (sigpending(&set) < 0)
		return false;
	/* A reader that is gone ends nothing. */
	sigdelset(&held, SIGPIPE);
	sigandset(&set, &set, &held);
	return !sigisemptyset(&set);
}

/* Lets signals through again: one that came ends the process here. */
static void by_hand_end(struct by_hand *h)
{
	world_close(h->world);
	fflush(stdout);
	hold_signals(SIG_UNBLOCK);
}

static int check_conditions(struct by_hand *h)
{
	if (h->words.count == 0) {
		say_error(
			"%s: name a device: an address as 01:00.0, or another selector; "
			"\"earlybind list\" shows them",
			h->command);
		return EXIT_WRONG_USAGE;
	}
	if (h->sysroot && !h->is_dry_run) {
		say_error(
			"%s: nothing can be bound in a tree of files: use --sysroot with "
			"--dry-run",
			h->command);
		return EXIT_WRONG_USAGE;
	}
	if (selection_parse(h->command, &h->words, &h->selection) < 0)
		return EXIT_WRONG_USAGE;
	if (!h->is_dry_run && geteuid() != 0) {
		say_error("%s: only root may do that: sudo earlybind %s %s", h->command,
			  h->command, h->words.items[0]);
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

/*
 * Parses the words, asks for root, holds signals back, and reads the machine. EXIT_OK, or
 * the exit code of what was said: nothing is there that a word names, for one.
 */
static int by_hand_begin(struct by_hand *h)
{
	static const struct strings none;
	int r, code = check_conditions(h);

	if (code != EXIT_OK)
		return code;
	if (!h->is_dry_run)
		hold_signals(SIG_BLOCK);
	if (open_world(h->sysroot, &h->world) < 0)
		return EXIT_FAILED;
	r = inventory_read(h->world, h->arena, selection_filter, &h->selection, &h->now);
	if (r == 0)
		r = guards_read(h->world, h->arena, h->sysroot, &h->guards);
	if (r < 0) {
		say_no_inventory(r);
		return EXIT_FAILED;
	}
	if (sources_read(h->world, h->arena, &none, &h->sources) < 0 ||
	    next_boot_read(h->world, h->sysroot, h->arena, &h->sources, NULL, &h->files,
			   &h->next) < 0)
		return EXIT_FAILED;
	if (next_boot_plan(h->world, h->arena, selection_filter, &h->selection,
			   &h->next) < 0) {
		say_error("out of memory");
		return EXIT_FAILED;
	}
	h->guards.judge = (struct judge){
		.arena = h->arena,
		.policy = &h->next.policy,
		.inventory = &h->next.inventory,
		.plan = &h->next.plan,
		.usages = &h->guards.usages,
		.world = h->world,
	};
	return selection_say_missing(&h->selection, &h->now) > 0 ? EXIT_FAILED : EXIT_OK;
}

static int set_limit(const struct by_hand *h, const char *name, const char *value,
		     unsigned *ret)
{
	uint64_t number;

	if (!value)
		return EXIT_OK;
	if (text_decimal(text_of(value), TIMEOUT_MAX, &number) < 0 || number == 0) {
		say_error("%s: --%s %s: a timeout is 1 to %d seconds", h->command, name,
			  value, TIMEOUT_MAX);
		return EXIT_WRONG_USAGE;
	}
	*ret = (unsigned)number;
	return EXIT_OK;
}

/* The time limits into @policy. EXIT_OK, or EXIT_WRONG_USAGE, which is said. */
static int by_hand_set_limits(const struct by_hand *h, struct policy *policy)
{
	int code;

	policy->timeout = h->next.policy.timeout;
	policy->recovery_timeout = h->next.policy.recovery_timeout;
	code = set_limit(h, "timeout", h->timeout, &policy->timeout);
	if (code == EXIT_OK)
		code = set_limit(h, "recovery-timeout", h->recovery_timeout,
				 &policy->recovery_timeout);
	return code;
}

/* ---- bind ------------------------------------------------------------------------------- */

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

static size_t bind_say_objections(const struct binding *b)
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

static void bind_put_planned(const struct plan_device *pd)
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

static void bind_put_outcome(const struct outcome *o)
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
			bind_put_planned(pd);
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
			bind_put_outcome(&one.report.outcomes[0]);
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
	if (bind_say_objections(b) > 0)
		return EXIT_FAILED;
	if (!b->hand.is_dry_run)
		return bind_devices(b);
	for (size_t i = 0; i < run->plan.device_count; i++)
		if (is_meant(b, &run->plan.devices[i]))
			bind_put_planned(&run->plan.devices[i]);
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

/* ---- release ---------------------------------------------------------------------------- */

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

static void release_put_planned(struct releasing *r, const struct pci_device *d)
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

static void release_put_outcome(const struct outcome *o)
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

static int release_one(struct releasing *r, const struct pci_device *d)
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
	release_put_outcome(&outcome);
	if (outcome.verdict != VERDICT_RESTORED)
		return EXIT_FAILED;
	put_rule(r, d);
	return EXIT_OK;
}

static size_t release_say_objections(const struct releasing *r)
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
			release_put_planned(r, d);
			put_rule(r, d);
		} else if (by_hand_has_signal()) {
			say_error("interrupted: %s and what follows was not touched",
				  bdf_format(d->bdf, address));
			return EXIT_FAILED;
		} else if (release_one(r, d) != EXIT_OK) {
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
	if (code == EXIT_OK && release_say_objections(r) > 0)
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
