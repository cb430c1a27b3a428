/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "apply_plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "framebuffer.h"
#include "load_modules.h"
#include "steps.h"

#define FRAMEBUFFER_TIME (2 * SECOND)

/* One line for those at the console, before it goes dark: of a device to be bound. */
static void announce_dark(struct world *world, const struct pci_device *d)
{
	char address[BDF_SIZE];

	if (!d->framebuffer && !d->is_boot_vga)
		return;
	/* At a level that is shown with "quiet" too. */
	world_log(world, LOG_LEVEL_ERROR,
		  "%s drives the screen, which goes dark now; the machine goes on: see a "
		  "serial console, the network, or /run/" WORLD_RUN_DIR "/" REPORT_NAME,
		  bdf_format(d->bdf, address));
}

/* What a store may take before the next device has its turn: mostly it is microseconds. */
#define PATIENCE (SECOND / 2)

static bool is_pending(const struct outcome *o, enum action action)
{
	return o->plan->action == action && o->verdict == VERDICT_NONE &&
	       o->reason == REASON_NONE;
}

/* Whether its turn comes when the others are done: somebody has it, or has it in hand. */
static bool is_for_later(const struct outcome *o)
{
	return is_pending(o, ACTION_RECOVER) ||
	       (is_pending(o, ACTION_BIND) &&
		(o->has_waited || outcome_has_foreign_driver(o)));
}

/* Does one step for a device and adds to its time. */
static int step(struct steps *s, struct outcome *o,
		int (*f)(struct steps *, struct outcome *))
{
	uint64_t start = steps_now(s);
	int r;

	if (start < s->deadline || o->parked)
		r = f(s, o);
	else if (o->error)
		r = steps_give_up_bind(s, o);
	else
		r = steps_fail(o, REASON_TIMEOUT, NULL, -ETIMEDOUT);
	o->microseconds += steps_now(s) - start;
	return r;
}

static int ask_and_claim(struct steps *s, struct outcome *o)
{
	int r = steps_ask(s, o);

	return r == 0 ? steps_claim(s, o) : r;
}

static void announce(struct steps *s, const struct outcome *o)
{
	const struct pci_device *d = o->plan->device;
	/* Nearly as much as was asked for reads as that. */
	unsigned seconds = (unsigned)((s->deadline - steps_now(s) + SECOND / 2) / SECOND);
	char address[BDF_SIZE];

	bdf_format(d->bdf, address);
	if (outcome_has_foreign_driver(o))
		world_log(s->world, LOG_LEVEL_NOTICE,
			  "%s [%04x:%04x] is held by %s: making it let go, at most %u s",
			  address, d->ids.vendor, d->ids.device, o->after, seconds);
	else if (o->parked)
		world_log(s->world, LOG_LEVEL_NOTICE,
			  "%s [%04x:%04x] is in the hands of the kernel: waiting, at "
			  "most %u s",
			  address, d->ids.vendor, d->ids.device, seconds);
}

/* Without its driver a device cannot be bound, and a parked claim is only ended. */
static int recover(struct steps *s, struct outcome *o)
{
	int r;

	announce(s, o);
	r = o->parked ? steps_resume(s, o) : ask_and_claim(s, o);
	if (r < 0)
		return r;
	r = loading_check(o);
	if (r < 0)
		return r;
	if (outcome_has_foreign_driver(o) && o->plan->action == ACTION_BIND)
		memcpy(o->before, o->after, sizeof(o->before));
	r = steps_unbind(s, o);
	return r == 0 ? steps_bind(s, o) : r;
}

/*
 * The module takes whatever its ids= match, also what was found dead; and its registration
 * waits for the lock of all that, which somebody may have for ever.
 */
static bool is_ids_safe(const struct report *report)
{
	for (size_t i = 0; i < report->plan->device_count; i++) {
		const struct outcome *o = &report->outcomes[i];

		if (o->plan->action == ACTION_BIND && !is_pending(o, ACTION_BIND))
			return false;
		if (o->has_waited)
			return false;
	}
	return report->plan->is_ids_safe;
}

static void claim_free(struct steps *s, struct outcome *end)
{
	unsigned parked = 0;

	for (struct outcome *o = s->report->outcomes; o < end; o++) {
		if (is_pending(o, ACTION_BIND) || is_pending(o, ACTION_RECOVER))
			announce_dark(s->world, o->plan->device);
		if (!is_pending(o, ACTION_BIND))
			continue;
		if (parked == JOBS_PARKED_MAX) {
			o->has_waited = true;
			continue;
		}
		(void)step(s, o, ask_and_claim);
		parked += o->parked != 0;
	}
}

/* All of them in turn: one that is put off must not take the time of the others. */
static void bind_free(struct steps *s, struct outcome *end)
{
	uint64_t wait = RETRY_FIRST;
	bool is_first = true, is_again = true;

	for (; is_again; is_first = false) {
		is_again = false;
		for (struct outcome *o = s->report->outcomes; o < end; o++)
			if (is_pending(o, ACTION_BIND) && !is_for_later(o) &&
			    (is_first || !outcome_has_wanted_driver(o)))
				is_again |= step(s, o, steps_try_bind) == -EAGAIN;
		if (is_again && steps_now(s) + wait < s->deadline) {
			steps_pause(s, wait, "bind");
			wait = MIN(wait * 2, RETRY_MAX);
		} else if (is_again) {
			s->deadline = steps_now(s);
		}
	}
}

static void recover_taken(struct steps *s, struct outcome *end)
{
	const struct report *report = s->report;
	uint64_t time = report->policy->recovery_timeout * SECOND, now = steps_now(s);
	uint64_t spent = 0;

	s->patience = 0;
	/*
	 * What loading took beyond its own time is taken from the first one's. Where it was in
	 * vain, there is nothing left to do but to end what is under way.
	 */
	if (now > report->deadline)
		spent = MIN(now - report->deadline,
			    report->reason == REASON_NONE ? time / 2 : time);
	time = MAX(time - spent, SECOND);
	for (struct outcome *o = report->outcomes; o < end; o++) {
		if (!is_for_later(o))
			continue;
		if (o->parked &&
		    inventory_read_driver(s->world, o->plan->device->bdf, o->after) < 0)
			o->after[0] = '\0';
		now = steps_now(s);
		/* With the link there, it is vfio-pci itself that does not come to an end. */
		steps_begin(s, o->parked && outcome_has_wanted_driver(o)
				       ? MAX(now + SECOND, report->deadline)
				       : now + time);
		/* Giving it back has the rest of this time. */
		o->microseconds += spent;
		spent = 0;
		(void)step(s, o, recover);
		time = report->policy->recovery_timeout * SECOND;
	}
}

void apply_plan(struct world *world, struct report *report, struct arena *arena)
{
	struct steps s = {
		.world = world, .report = report, .arena = arena, .patience = PATIENCE};
	struct outcome *end = report->outcomes + report->plan->device_count;
	uint64_t recovery = 0;
	bool has_work = false;

	steps_begin(&s, report->deadline);
	claim_free(&s, end);
	for (struct outcome *o = report->outcomes; o < end; o++) {
		has_work = has_work || is_pending(o, ACTION_BIND) || is_for_later(o);
		/*
		 * Loading a module waits for every probe of the kernel that goes on in the
		 * background (kernel/module/main.c: do_init_module()), so for the very probes
		 * that a recovery waits for.
		 */
		if (is_for_later(o))
			recovery = report->policy->recovery_timeout * SECOND;
	}
	/* Before any unbind: loading would block behind a driver that hangs in remove(). */
	steps_begin(&s, report->deadline + recovery);
	if (has_work)
		loading_run(&s, is_ids_safe(report) ? report->policy->module_ids
						    : (struct text){NULL, 0});
	if (steps_now(&s) < report->deadline)
		s.deadline = report->deadline;
	else
		s.deadline =
			MIN(s.deadline, steps_now(&s) + report->policy->timeout * SECOND);
	steps_begin(&s, s.deadline);
	bind_free(&s, end);
	recover_taken(&s, end);
}

/* Tells the platform bus to unbind it: 0 or -errno. */
static int unbind_framebuffer(struct steps *s, const struct framebuffer *framebuffer)
{
	struct job job = {.kind = JOB_STORE};
	struct job_result result;
	int r;

	snprintf(job.path, sizeof(job.path), SYSFS_PLATFORM "drivers/%s/unbind",
		 framebuffer->driver);
	snprintf(job.value, sizeof(job.value), "%s.0", framebuffer->driver);
	steps_begin(s, steps_now(s) + FRAMEBUFFER_TIME);
	r = steps_run(s, &job, &result, job.path);
	return r < 0 ? r : result.error;
}

void framebuffer_release(struct steps *s, struct outcome *o)
{
	const struct pci_device *d = o->plan->device;
	const struct framebuffer *now;
	char address[BDF_SIZE];
	int r = 0;

	if (!d->framebuffer)
		return;
	/* Most often vfio-pci has done it. */
	now = framebuffer_look(s->world, s->arena, d->bdf);
	if (!now)
		return;
	/* A device that was on vfio-pci before has passed no guard: nobody allowed this. */
	if (now->is_releasable && o->plan->action != ACTION_DONE) {
		r = unbind_framebuffer(s, now);
		if (!framebuffer_look(s->world, s->arena, d->bdf)) {
			world_log(s->world, LOG_LEVEL_NOTICE,
				  "%s: the firmware's framebuffer (%s) is released",
				  bdf_format(d->bdf, address), now->driver);
			return;
		}
	}
	o->reason = REASON_FRAMEBUFFER;
	o->detail = arena_printf(s->arena, "%s%s%s", now->driver, r < 0 ? ": " : "",
				 r < 0 ? errno_text(r) : "");
}
