/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "restore.h"

#include <errno.h>
#include <string.h>

#include "steps.h"
#include "verify.h"

/* For giving a device back when the time of the run is up already. */
#define GIVE_BACK_TIME (2 * SECOND)

/* What is left for its recovery, or a moment. */
static uint64_t recovery_left(const struct report *report, const struct outcome *o)
{
	uint64_t recovery = report->policy->recovery_timeout * SECOND;

	return o->microseconds + GIVE_BACK_TIME < recovery ? recovery - o->microseconds
							   : GIVE_BACK_TIME;
}

/*
 * It says nothing, but a driver that is there already gets its chance. Where that has begun to
 * probe, it is waited for: a worker that is killed in there could make it fail.
 */
static int probe(struct steps *s, struct outcome *o)
{
	char address[BDF_SIZE];
	int r;

	s->patience = GIVE_BACK_TIME / 2;
	r = steps_store(s, o, "bus/pci", "drivers_probe",
			bdf_format(o->plan->device->bdf, address));
	s->patience = 0;
	if (r != -EINPROGRESS)
		return r;
	if (inventory_read_driver(s->world, o->plan->device->bdf, o->after) == 0 &&
	    outcome_has_foreign_driver(o))
		steps_begin(s, steps_now(s) + recovery_left(s->report, o));
	return steps_resume(s, o);
}

/* Undoes what the record says. 0, the error of the kernel, or -ECANCELED as steps_store(). */
static int undo(struct steps *s, struct outcome *o)
{
	char dir[JOB_PATH_SIZE], address[BDF_SIZE];
	int r = 0, again;

	/* An empty write does not reach the kernel's store: a line end clears. */
	if (o->has_override)
		r = steps_store(s, o, steps_device_dir(o, dir), "driver_override", "\n");
	if (r < 0)
		return r;
	o->has_override = false;
	if (o->is_unbound)
		r = steps_store(s, o, steps_driver_dir(o->before, dir), "bind",
				bdf_format(o->plan->device->bdf, address));
	if (r == -ECANCELED || (r == 0 && o->is_unbound))
		return r;
	again = probe(s, o);
	return again < 0 ? again : r;
}

/* The reason that is reported is the graver one; why it was not bound is said here. */
static void fail_restore(struct steps *s, struct outcome *o, int error)
{
	const char *driver = o->before[0] ? o->before : "its own driver";
	char message[REASON_MESSAGE_SIZE], address[BDF_SIZE];

	world_log(s->world, LOG_LEVEL_WARNING, "%s was not bound: %s",
		  bdf_format(o->plan->device->bdf, address),
		  reason_message(o->reason, o->detail, message));
	o->verdict = VERDICT_FAILED;
	steps_fail(o, REASON_RESTORE_FAILED,
		   error ? arena_printf(s->arena, "%s, which says %s", driver,
					errno_text(error))
			 : driver,
		   error);
}

/*
 * Reads where the device ended. 0 if it is not on its driver; otherwise the verdict is set,
 * and -EALREADY (a bind came through after all), or an error (it cannot be told).
 */
static int settle(struct steps *s, struct outcome *o)
{
	int r = verify_driver(s->world, o, o->after);

	if (o->verdict == VERDICT_STUCK)
		return -ETIMEDOUT;
	if (r < 0) {
		o->after[0] = '\0';
		o->verdict = VERDICT_FAILED;
		if (r == -ENODEV)
			steps_fail(o, REASON_VANISHED, NULL, r);
		return r;
	}
	if (!outcome_has_wanted_driver(o))
		return 0;
	o->verdict = VERDICT_BOUND;
	o->reason = REASON_NONE;
	o->detail = NULL;
	o->error = 0;
	return -EALREADY;
}

void restore_device(struct world *world, struct report *report, struct outcome *o)
{
	struct steps s = {
		.world = world, .report = report, .arena = report->policy->arena};
	const struct outcome failed = *o;
	int r;

	if (o->verdict == VERDICT_STUCK)
		return;
	if (!o->has_override && !o->is_unbound) {
		o->verdict = VERDICT_REFUSED;
		return;
	}
	if (settle(&s, o) < 0)
		return;
	if (policy_on_failure(report->policy, o->plan->rule) == ON_FAILURE_HOLD) {
		bool is_held = o->is_claimed && o->after[0] == '\0';

		o->verdict = is_held ? VERDICT_HELD : VERDICT_FAILED;
		return;
	}
	steps_begin(&s, steps_now(&s) + (o->is_unbound ? recovery_left(report, o)
						       : GIVE_BACK_TIME));
	r = undo(&s, o);
	if (o->verdict == VERDICT_STUCK)
		return;
	if (r == -ECANCELED)
		r = -o->error;
	o->verdict = VERDICT_RESTORED;
	o->reason = failed.reason;
	o->detail = failed.detail;
	o->error = failed.error;
	if (settle(&s, o) < 0)
		return;
	if (o->has_override || (o->is_unbound ? strcmp(o->after, o->before) != 0 : r < 0))
		fail_restore(&s, o, r);
}
