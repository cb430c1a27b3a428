/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "steps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cover.h"

#define PATIENCE_INTERVAL (5 * SECOND) /* a line on the console that often */
#define RETRY_FIRST	  (20 * MILLISECOND)
#define RETRY_MAX	  (500 * MILLISECOND)
#define SETTLE_TIME	  (5 * SECOND) /* for a device that is just being added */

uint64_t steps_now(const struct steps *s)
{
	return s->world->ops->now(s->world);
}

int steps_fail(struct outcome *o, enum reason reason, const char *detail, int error)
{
	o->reason = reason;
	o->detail = detail;
	o->error = -error;
	return error ? error : -EIO;
}

int steps_run(struct steps *s, const struct job *job, struct job_result *result,
	      const char *what)
{
	uint64_t start = steps_now(s);
	int r = s->world->ops->submit(s->world, job);

	if (r < 0)
		return r;
	for (;;) {
		uint64_t until = MIN(steps_now(s) + PATIENCE_INTERVAL, s->deadline);

		r = s->world->ops->await(s->world, until, result);
		if (r != -EINPROGRESS)
			return r;
		if (steps_now(s) >= s->deadline)
			break;
		if (steps_now(s) >= until)
			world_log(
				s->world, LOG_LEVEL_WARNING,
				"still waiting for the kernel: %s, %u s of at most %u s",
				what, (unsigned)((steps_now(s) - start) / SECOND),
				(unsigned)((s->deadline - start) / SECOND));
	}
	s->world->ops->abandon(s->world);
	return -ETIMEDOUT;
}

int steps_store(struct steps *s, struct outcome *o, const char *directory,
		const char *file, const char *value)
{
	struct job job = {.kind = JOB_STORE};
	char address[BDF_SIZE], what[160];
	struct job_result result;
	int r;

	bdf_format(o->plan->device->bdf, address);
	snprintf(job.path, sizeof(job.path), "%s/%s", directory, file);
	snprintf(job.value, sizeof(job.value), "%s", value);
	snprintf(what, sizeof(what), "%s of %s", file, address);
	r = steps_run(s, &job, &result, what);
	if (r == 0)
		return result.error;
	if (r == -ETIMEDOUT) {
		o->verdict = VERDICT_STUCK;
		steps_fail(o, REASON_STUCK, arena_printf(s->arena, "%s", file),
			   -ETIMEDOUT);
	} else {
		steps_fail(o, REASON_WORKER_FAILED, errno_text(r), r);
	}
	return -ECANCELED;
}

const char *steps_device_dir(const struct outcome *o, char buf[static JOB_PATH_SIZE])
{
	char address[BDF_SIZE];

	snprintf(buf, JOB_PATH_SIZE, SYSFS_PCI_DEVICES "/%s",
		 bdf_format(o->plan->device->bdf, address));
	return buf;
}

const char *steps_driver_dir(const char *driver, char buf[static JOB_PATH_SIZE])
{
	snprintf(buf, JOB_PATH_SIZE, SYSFS_PCI_DRIVERS "/%s", driver);
	return buf;
}

/* Reads the driver link. 0, or a reason set in @o: the device went away. */
static int read_driver(struct steps *s, struct outcome *o)
{
	int r = inventory_read_driver(s->world, o->plan->device->bdf, o->after);

	if (r < 0)
		return steps_fail(o, REASON_VANISHED, NULL, r);
	return 0;
}

bool outcome_has_wanted_driver(const struct outcome *o)
{
	return strcmp(o->after, o->plan->wanted) == 0;
}

int steps_claim(struct steps *s, struct outcome *o)
{
	char dir[JOB_PATH_SIZE];
	int r;

	o->has_override = true;
	r = steps_store(s, o, steps_device_dir(o, dir), "driver_override",
			o->plan->wanted);
	if (r == -ECANCELED)
		return r;
	if (r == -ENOENT || r == -ENODEV)
		return steps_fail(o, REASON_VANISHED, NULL, r);
	if (r < 0)
		return steps_fail(o, REASON_OVERRIDE_FAILED, errno_text(r), r);
	o->is_claimed = true;
	return read_driver(s, o);
}

/* What -EINVAL from a bind means most often; 5.10 says -ENODEV to everything. */
static int explain_refusal(struct steps *s, struct outcome *o, int error)
{
	if ((error == -EINVAL || error == -ENODEV) && !s->report->policy->has_noiommu) {
		const struct iommu *iommu = &s->report->inventory->iommu;

		if (!iommu->is_on)
			return steps_fail(o, REASON_IOMMU_OFF,
					  iommu_why_off(iommu, s->arena), error);
		if (o->plan->device->iommu_group == NO_GROUP)
			return steps_fail(o, REASON_NO_IOMMU_GROUP, NULL, error);
	}
	return steps_fail(o, REASON_BIND_REFUSED, errno_text(error), error);
}

/*
 * Whether a bind that gave @error is worth another try. EAGAIN: the probe was deferred, and
 * nobody else will repeat it. ENODEV of a device that is being added: its event comes before
 * it may be bound (drivers/pci/bus.c: pci_bus_add_device()).
 */
static bool is_worth_retrying(const struct steps *s, int error, uint64_t then,
			      uint64_t settled)
{
	return error == -EAGAIN || (error == -ENODEV && s->report->is_late &&
				    then < MIN(settled, s->deadline));
}

int steps_bind(struct steps *s, struct outcome *o)
{
	uint64_t wait = RETRY_FIRST, settled = steps_now(s) + SETTLE_TIME;
	char dir[JOB_PATH_SIZE], address[BDF_SIZE];
	int r;

	bdf_format(o->plan->device->bdf, address);
	for (;;) {
		/* Registering a driver binds what is claimed for it already. */
		r = read_driver(s, o);
		if (r < 0 || outcome_has_wanted_driver(o))
			return r;
		if (o->after[0] != '\0')
			return steps_fail(o, REASON_BUSY_DRIVER,
					  arena_printf(s->arena, "%s", o->after), -EBUSY);
		r = steps_store(s, o, steps_driver_dir(o->plan->wanted, dir), "bind",
				address);
		if (r == -ECANCELED)
			return r;
		/* EBUSY, on 5.10 ENODEV, can mean that somebody has it: the link says who. */
		if (r == 0 || !is_worth_retrying(s, r, steps_now(s) + wait, settled))
			break;
		if (r == -EAGAIN && steps_now(s) + wait >= s->deadline)
			return steps_fail(o, REASON_DEFERRED, NULL, r);
		s->world->ops->pause(s->world, wait);
		wait = MIN(wait * 2, RETRY_MAX);
	}
	if (read_driver(s, o) < 0)
		return -ENODEV;
	if (outcome_has_wanted_driver(o)) {
		o->error = 0;
		return 0;
	}
	if (o->after[0] != '\0')
		return steps_fail(o, REASON_BUSY_DRIVER,
				  arena_printf(s->arena, "%s", o->after), r ? r : -EBUSY);
	return explain_refusal(s, o, r ? r : -ENODEV);
}

int steps_unbind(struct steps *s, struct outcome *o)
{
	uint64_t wait = RETRY_FIRST;
	char dir[JOB_PATH_SIZE], address[BDF_SIZE];
	int r;

	bdf_format(o->plan->device->bdf, address);
	for (;;) {
		r = read_driver(s, o);
		if (r < 0)
			return r;
		if (o->after[0] == '\0' || outcome_has_wanted_driver(o))
			return 0;
		o->is_unbound = true;
		cover_device(s, o);
		r = steps_store(s, o, steps_driver_dir(o->after, dir), "unbind", address);
		if (o->verdict != VERDICT_STUCK)
			uncover_device(s, o);
		if (r == 0 || r == -ECANCELED)
			return r;
		/*
		 * ENOENT: the driver is still registering, its files come last
		 * (bus.c: bus_add_driver()). ENODEV: it let go by itself; look again.
		 */
		if ((r != -ENOENT && r != -ENODEV) || steps_now(s) + wait >= s->deadline)
			return steps_fail(o, REASON_UNBIND_FAILED, errno_text(r), r);
		s->world->ops->pause(s->world, wait);
		wait = MIN(wait * 2, RETRY_MAX);
	}
}
