/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "undo.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apply_plan.h"
#include "verify.h"

/* For giving a device back when the time of the run is up already. */
#define GIVE_BACK_TIME (2 * SECOND)

/* For the same with a kept one: vfio-pci lets go of what nobody has open in milliseconds. */
#define KEPT_TIME (5 * SECOND)

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
	o->reason = failed.reason;
	o->detail = failed.detail;
	o->error = failed.error;
	/* Without a verdict: a link that is there again must still pass the fence. */
	if (settle(&s, o) < 0)
		return;
	o->verdict = VERDICT_RESTORED;
	if (o->has_override || (o->is_unbound ? strcmp(o->after, o->before) != 0 : r < 0))
		fail_restore(&s, o, r);
}

/*
 * Takes the IDs that match the device off vfio-pci's list (drivers/pci/pci-driver.c:
 * remove_id_store()). What is bound by them stays bound: the list is for matching only. 0 if
 * none of them is left there, the kernel's error, or -ECANCELED as steps_store().
 */
static int forget_ids(struct steps *s, struct outcome *o)
{
	const struct policy *policy = s->report->policy;
	char dir[JOB_PATH_SIZE], value[JOB_VALUE_SIZE];
	int result = 0;

	steps_driver_dir(DEFAULT_DRIVER, dir);
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct selector *ids = &policy->rules[i].selector;
		const struct pci_match *id = &ids->id;
		int r;

		if (!policy->rules[i].is_module_id ||
		    !selector_has_match(ids, o->plan->device))
			continue;
		snprintf(value, sizeof(value), "%x %x %x %x %x %x", id->vendor,
			 id->device, id->subvendor, id->subdevice, id->class,
			 id->class_mask);
		r = steps_store(s, o, dir, "remove_id", value);
		if (r == -ECANCELED)
			return r;
		/* ENODEV: it is not there. */
		if (r < 0 && r != -ENODEV)
			result = r;
	}
	return result;
}

static bool is_on_vfio(struct steps *s, struct outcome *o)
{
	int r = inventory_read_driver(s->world, o->plan->device->bdf, o->after);

	if (r < 0) {
		o->after[0] = '\0';
		steps_fail(o, REASON_VANISHED, NULL, r);
	}
	return strcmp(o->after, DEFAULT_DRIVER) == 0;
}

/*
 * Without the ID no later probe can have vfio-pci again, be it a deferred one: that goes through
 * all drivers once more (dd.c: __device_attach()), of which vfio-pci came first.
 */
static int take_from_vfio(struct steps *s, struct outcome *o)
{
	char dir[JOB_PATH_SIZE];
	int forgotten = forget_ids(s, o), r;

	if (forgotten == -ECANCELED)
		return forgotten;
	r = steps_store(s, o, steps_device_dir(o, dir), "driver_override", "\n");
	if (r == 0)
		r = steps_unbind(s, o);
	if (r < 0 || forgotten < 0)
		return r;
	/* For a driver that came after vfio-pci and found the device taken. */
	r = probe(s, o);
	/* By an ID that is none of the parameter's: then it waits for its driver's module. */
	if (r == 0 && is_on_vfio(s, o))
		r = steps_unbind(s, o);
	return r;
}

void restore_kept(struct world *world, struct report *report, struct outcome *o)
{
	struct steps s = {
		.world = world, .report = report, .arena = report->policy->arena};
	uint64_t start = steps_now(&s);
	char origin[ORIGIN_SIZE];
	int r;

	steps_begin(&s, start + KEPT_TIME);
	r = take_from_vfio(&s, o);
	o->microseconds += steps_now(&s) - start;
	if (o->verdict == VERDICT_STUCK)
		return;
	if (is_on_vfio(&s, o)) {
		if (o->reason == REASON_KEPT_BOUND && r < 0)
			steps_fail(o, REASON_UNBIND_FAILED, errno_text(r), r);
		return;
	}
	if (o->after[0] == '\0' && o->reason == REASON_VANISHED)
		return;
	o->reason = REASON_KEPT_GIVEN_BACK;
	o->detail = arena_printf(s.arena, "%s",
				 origin_format(&o->plan->rule->origin, origin));
	o->error = 0;
}
