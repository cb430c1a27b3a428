/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "steps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "driver.h"

/* "unbind of 0000:01:00.0" */
#define STEP_NAME_SIZE 64

/* For a mount, which waits for nothing of the device. */
#define COVER_TIME SECOND

static void cover(struct steps *s, const struct outcome *o, const char *file,
		  const char *text)
{
	struct job job = {.kind = JOB_COVER};
	char address[BDF_SIZE];
	struct job_result result;
	int r;

	bdf_format(o->plan->device->bdf, address);
	snprintf(job.path, sizeof(job.path), SYSFS_PCI_DEVICES "/%s/%s", address, file);
	snprintf(job.value, sizeof(job.value), "%s", text);
	r = world_run(s->world, &job, steps_now(s) + COVER_TIME, &result);
	if (r == 0)
		r = result.error;
	if (r < 0 && s->report->policy->debug)
		world_log(s->world, LOG_LEVEL_DEBUG, "%s: its file %s is not covered: %s",
			  address, file, errno_text(r));
}

/* What cannot be covered is not: the device is unbound all the same. */
static void cover_device(struct steps *s, const struct outcome *o)
{
	const struct pci_ids *ids = &o->plan->device->ids;
	char address[BDF_SIZE], text[JOB_VALUE_SIZE];

	/* A machine that is up is not waited for, and its mounts are not ours. */
	if (s->report->is_late)
		return;
	/* Without MODALIAS: no driver is to be loaded for it. */
	snprintf(text, sizeof(text),
		 "PCI_CLASS=%04X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\n"
		 "PCI_SLOT_NAME=%s\n",
		 ids->class, ids->vendor, ids->device, ids->subvendor, ids->subdevice,
		 bdf_format(o->plan->device->bdf, address));
	cover(s, o, "uevent", text);
	snprintf(text, sizeof(text), "%s\n", o->wanted);
	cover(s, o, "driver_override", text);
}

/* What cannot be covered is not: the device is unbound all the same. */
static void uncover_device(struct steps *s, const struct outcome *o)
{
	if (s->report->is_late)
		return;
	cover(s, o, "uevent", "");
	cover(s, o, "driver_override", "");
}

#define LINE_INTERVAL (5 * SECOND) /* of lines on the console */

uint64_t steps_now(const struct steps *s)
{
	return s->world->ops->now(s->world);
}

void steps_begin(struct steps *s, uint64_t deadline)
{
	s->began = steps_now(s);
	s->next_line = s->began + LINE_INTERVAL;
	s->deadline = deadline;
}

int steps_fail(struct outcome *o, enum reason reason, const char *detail, int error)
{
	o->reason = reason;
	o->detail = detail;
	o->error = -error;
	return error ? error : -EIO;
}

static void give_sign_of_life(struct steps *s, const char *what)
{
	uint64_t now = steps_now(s);

	if (now < s->next_line || now >= s->deadline)
		return;
	s->next_line = now + LINE_INTERVAL;
	world_log(s->world, LOG_LEVEL_WARNING,
		  "still waiting for the kernel: %s, %u s of at most %u s", what,
		  (unsigned)((now - s->began) / SECOND),
		  (unsigned)((s->deadline - s->began) / SECOND));
}

/* Waits for the job at hand. 0, -EINPROGRESS at @until, or -errno if the worker is lost. */
static int await(struct steps *s, struct job_result *result, const char *what,
		 uint64_t until)
{
	for (;;) {
		int r = s->world->ops->await(s->world, MIN(until, s->next_line), result);

		if (r != -EINPROGRESS || steps_now(s) >= until)
			return r;
		give_sign_of_life(s, what);
	}
}

int steps_run(struct steps *s, const struct job *job, struct job_result *result,
	      const char *what)
{
	int r = s->world->ops->submit(s->world, job);

	if (r == 0)
		r = await(s, result, what, s->deadline);
	if (r != -EINPROGRESS)
		return r;
	s->world->ops->abandon(s->world);
	return -ETIMEDOUT;
}

void steps_pause(struct steps *s, uint64_t microseconds, const char *what)
{
	s->world->ops->pause(s->world, microseconds);
	give_sign_of_life(s, what);
}

static const char *steps_name(const struct outcome *o, const char *file,
			      char buf[static STEP_NAME_SIZE])
{
	char address[BDF_SIZE];

	snprintf(buf, STEP_NAME_SIZE, "%s of %s", file,
		 bdf_format(o->plan->device->bdf, address));
	return buf;
}

/* Sets the reason for a job that did not come back (-ETIMEDOUT) or could not be done. */
static int steps_fail_job(struct steps *s, struct outcome *o, const char *file, int error)
{
	if (error == -ETIMEDOUT) {
		o->verdict = VERDICT_STUCK;
		steps_fail(o, REASON_STUCK, arena_printf(s->arena, "%s", file), error);
		/* Nor shall others wait for it. An unbind's are covered already. */
		if (strcmp(file, "unbind") != 0)
			cover_device(s, o);
	} else {
		steps_fail(o, REASON_WORKER_FAILED, errno_text(error), error);
	}
	return -ECANCELED;
}

/* What came of waiting for a store: its result, or a reason and -ECANCELED. */
static int end_store(struct steps *s, struct outcome *o, const char *file,
		     const struct job_result *result, int r)
{
	if (r == 0)
		return result->error;
	if (r == -EINPROGRESS) {
		s->world->ops->abandon(s->world);
		r = -ETIMEDOUT;
	}
	return steps_fail_job(s, o, file, r);
}

int steps_store(struct steps *s, struct outcome *o, const char *directory,
		const char *file, const char *value)
{
	struct job job = {.kind = JOB_STORE};
	struct job_result result;
	char what[STEP_NAME_SIZE];
	uint64_t until = s->deadline;
	int r, number;

	steps_name(o, file, what);
	snprintf(job.path, sizeof(job.path), "%s/%s", directory, file);
	snprintf(job.value, sizeof(job.value), "%s", value);
	r = s->world->ops->submit(s->world, &job);
	if (r < 0)
		return steps_fail_job(s, o, file, r);
	if (s->patience)
		until = MIN(until, steps_now(s) + s->patience);
	r = await(s, &result, what, until);
	if (r == -EINPROGRESS && s->patience) {
		number = s->world->ops->park(s->world);
		if (number >= 0) {
			o->parked = number + 1;
			o->parked_file = file;
			o->has_waited = true;
			return r;
		}
		r = await(s, &result, what, s->deadline);
	}
	return end_store(s, o, file, &result, r);
}

/*
 * Waits for the store that was parked until the deadline: what steps_store() would have
 * returned, but for -EINPROGRESS.
 */
static int steps_end_parked(struct steps *s, struct outcome *o)
{
	const char *file = o->parked_file;
	char what[STEP_NAME_SIZE];
	struct job_result result;
	int r;

	s->world->ops->resume(s->world, o->parked - 1);
	o->parked = 0;
	r = await(s, &result, steps_name(o, file, what), s->deadline);
	return end_store(s, o, file, &result, r);
}

/*
 * What an errno of vfio_pci_probe() and of what it calls means when the causes that can be told
 * from sysfs are out (drivers/vfio/pci/vfio_pci.c, vfio_pci_core.c; drivers/vfio/vfio_main.c).
 */
static const struct {
	int error;
	const char *meaning;
} meanings[] = {
	{EINVAL,
	 "this kernel's denylist has its model, or the IOMMU is not cache-coherent"},
	{EBUSY, "another part of the kernel uses it"},
	{ENOMEM, "give the machine more memory, or the image fewer files"},
	{ENOENT, "vfio-pci does not end its registration, or was removed"},
	{ENODEV, "kernels before 5.14 say this whatever the cause is"},
};

/*
 * Sets the reason for a bind that ended in @error, a negative errno, and returns it. What the
 * errno leaves open is looked up in sysfs: kernels before 5.14 say ENODEV to everything
 * (drivers/base/bus.c: bind_store()).
 */
static int explain_refusal(struct steps *s, struct outcome *o, int error)
{
	const struct pci_device *d = o->plan->device;
	bool is_vfio = driver_is_vfio(o->wanted), is_any = error == -ENODEV;
	const char *meaning = "";
	unsigned vfs;
	int group;

	if (is_vfio && (error == -EINVAL || is_any) && !s->report->policy->has_noiommu) {
		const struct iommu *iommu = &s->report->inventory->iommu;

		if (!iommu->is_on)
			return steps_fail(o, REASON_IOMMU_OFF,
					  iommu_why_off(iommu, s->arena), error);
		/* The probe may have brought it: the snapshot's word is old. */
		inventory_read_group(s->world, d->bdf, &group);
		if (group == NO_GROUP)
			return steps_fail(o, REASON_NO_IOMMU_GROUP, NULL, error);
	}
	vfs = is_vfio && (error == -EBUSY || is_any)
		      ? inventory_count_vfs(s->world, d->bdf)
		      : 0;
	if (vfs > 0)
		return steps_fail(o, REASON_HAS_VFS, arena_printf(s->arena, "%u", vfs),
				  error);
	for (size_t i = 0; i < ARRAY_SIZE(meanings) && is_vfio; i++)
		if (meanings[i].error == -error)
			meaning = meanings[i].meaning;
	return steps_fail(o, REASON_BIND_REFUSED,
			  arena_printf(s->arena, "%s refused it: %s%s%s", o->wanted,
				       errno_text(error), *meaning ? ": " : "", meaning),
			  error);
}

#define OVERRIDE_FILE "driver_override"

#define SETTLE_TIME (5 * SECOND) /* for a device that is just being added */
#define ANSWER_TIME (2 * SECOND) /* for a look into config space: it may be asleep */

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
	return driver_is_same(o->after, o->wanted);
}

bool outcome_has_foreign_driver(const struct outcome *o)
{
	return o->after[0] != '\0' && !outcome_has_wanted_driver(o);
}

int steps_ask(struct steps *s, struct outcome *o)
{
	struct job job = {.kind = JOB_ASK_DEVICE};
	char what[STEP_NAME_SIZE];
	struct job_result result;
	uint64_t deadline = s->deadline;
	int r;

	inventory_attribute(o->plan->device->bdf, "config", job.path);
	/* A moment even at the end: what does not come back counts as stuck. */
	s->deadline = steps_now(s) + ANSWER_TIME;
	r = steps_run(s, &job, &result, steps_name(o, "config", what));
	s->deadline = deadline;
	if (r < 0)
		return steps_fail_job(s, o, "its config space", r);
	return result.error == -ENXIO
		       ? steps_fail(o, REASON_NO_ANSWER, NULL, result.error)
		       : 0;
}

/*
 * Whether what has the override now is what the plan is about. An override goes with its
 * device, so one that takes its place later has none: asked once, behind the write, is enough.
 */
static int check_identity(struct steps *s, struct outcome *o)
{
	const struct pci_ids *want = &o->plan->device->ids;
	uint64_t patience = s->patience;
	char dir[JOB_PATH_SIZE];
	struct pci_ids now;
	int r = inventory_read_ids(s->world, o->plan->device->bdf, &now), cleared;

	if (r == 0 && now.vendor == want->vendor && now.device == want->device &&
	    now.subvendor == want->subvendor && now.subdevice == want->subdevice &&
	    now.class == want->class)
		return 0;
	/* Now, not when all is given back: vfio-pci would take it as soon as it registers. */
	o->is_claimed = false;
	s->patience = 0;
	cleared = steps_store(s, o, steps_device_dir(o, dir), OVERRIDE_FILE, "\n");
	s->patience = patience;
	if (cleared == -ECANCELED)
		return cleared;
	return steps_fail(o, REASON_VANISHED, NULL, r == 0 ? -ENODEV : r);
}

/* @r: what the kernel said to the override, or -ECANCELED, -EINPROGRESS. */
static int end_claim(struct steps *s, struct outcome *o, int r)
{
	if (r == -ECANCELED || r == -EINPROGRESS)
		return r;
	if (r == -ENOENT || r == -ENODEV)
		return steps_fail(o, REASON_VANISHED, NULL, r);
	if (r < 0)
		return steps_fail(o, REASON_OVERRIDE_FAILED, errno_text(r), r);
	o->is_claimed = true;
	r = read_driver(s, o);
	return r < 0 ? r : check_identity(s, o);
}

int steps_claim(struct steps *s, struct outcome *o)
{
	char dir[JOB_PATH_SIZE];

	o->has_override = true;
	o->claimed_for = o->wanted;
	return end_claim(
		s, o,
		steps_store(s, o, steps_device_dir(o, dir), OVERRIDE_FILE, o->wanted));
}

int steps_resume(struct steps *s, struct outcome *o)
{
	const char *file = o->parked_file;
	int r = steps_end_parked(s, o);

	if (strcmp(file, OVERRIDE_FILE) == 0)
		return end_claim(s, o, r);
	return r == -ECANCELED ? r : read_driver(s, o);
}

static int find_file(void *arg, const char *name)
{
	return strcmp(name, arg) == 0;
}

/*
 * Whether the folder of a driver is there; with @file, whether that is in it. -errno, 0 or 1.
 */
static int look_for_driver(const struct steps *s, const char *driver, const char *file)
{
	char dir[JOB_PATH_SIZE];

	return s->world->ops->list(s->world, WORLD_SYS, steps_driver_dir(driver, dir),
				   find_file, (void *)file);
}

/*
 * Whether a bind that gave @error is worth another try.
 *
 * EAGAIN: the probe was deferred. The kernel repeats what probing by itself deferred, not what
 * a bind did (drivers/base/dd.c: device_driver_attach()), so it is tried again here; to have it
 * queued by drivers_probe would let it come true after the device was given back.
 * ENOENT: vfio-pci is registering still, on behalf of somebody else (bus.c: bus_add_driver()).
 * ENODEV of a device that is being added: its event comes before it may be bound
 * (drivers/pci/bus.c: pci_bus_add_device()).
 */
static bool is_worth_retrying(const struct steps *s, const struct outcome *o, int error)
{
	if (error == -EAGAIN)
		return true;
	if (error == -ENOENT)
		return look_for_driver(s, o->wanted, "uevent") == 0;
	return error == -ENODEV && s->report->is_late &&
	       steps_now(s) + RETRY_FIRST < s->began + SETTLE_TIME;
}

/*
 * ENODEV is also what a device says whose claim was lost: it was removed and found again, or
 * somebody cleared driver_override. To read it takes the device's lock as well, so it is
 * written once more.
 */
static int reclaim(struct steps *s, struct outcome *o)
{
	int r;

	o->is_reclaimed = true;
	r = steps_claim(s, o);
	if (r < 0)
		return r;
	o->error = ENODEV;
	return outcome_has_foreign_driver(o) ? -EBUSY : -EAGAIN;
}

int steps_try_bind(struct steps *s, struct outcome *o)
{
	char dir[JOB_PATH_SIZE], address[BDF_SIZE];
	int r, error;

	/* Registering a driver binds what is claimed for it already. */
	r = read_driver(s, o);
	if (r < 0 || outcome_has_wanted_driver(o))
		return r;
	if (o->after[0] != '\0')
		return -EBUSY;
	/* Claimed by the name of a module, whose driver has another one, or cannot be had. */
	if (o->claimed_for && strcmp(o->claimed_for, o->wanted) != 0) {
		r = steps_claim(s, o);
		if (r < 0)
			return r;
	}
	error = steps_store(s, o, steps_driver_dir(o->wanted, dir), "bind",
			    bdf_format(o->plan->device->bdf, address));
	if (error == -ECANCELED || error == -EINPROGRESS)
		return error;
	/* EBUSY, on 5.10 ENODEV, can mean that somebody has it: the link says who. */
	r = read_driver(s, o);
	if (r < 0 || outcome_has_wanted_driver(o))
		return r;
	if (o->after[0] != '\0')
		return -EBUSY;
	error = error ? error : -ENODEV;
	if (error == -ENODEV && !o->is_reclaimed)
		return reclaim(s, o);
	if (!is_worth_retrying(s, o, error))
		return explain_refusal(s, o, error);
	o->error = -error;
	return -EAGAIN;
}

int steps_give_up_bind(struct steps *s, struct outcome *o)
{
	if (o->error == EAGAIN)
		return steps_fail(o, REASON_DEFERRED, NULL, -EAGAIN);
	return explain_refusal(s, o, -o->error);
}

int steps_bind(struct steps *s, struct outcome *o)
{
	uint64_t wait = RETRY_FIRST;
	char what[STEP_NAME_SIZE];
	int r;

	steps_name(o, "bind", what);
	for (;;) {
		r = steps_try_bind(s, o);
		if (r == -EBUSY && o->reason == REASON_NONE)
			return steps_fail(o, REASON_BUSY_DRIVER,
					  arena_printf(s->arena, "%s", o->after), r);
		if (r != -EAGAIN)
			return r;
		if (steps_now(s) + wait >= s->deadline)
			return steps_give_up_bind(s, o);
		steps_pause(s, wait, what);
		wait = MIN(wait * 2, RETRY_MAX);
	}
}

int steps_unbind(struct steps *s, struct outcome *o)
{
	char dir[JOB_PATH_SIZE], address[BDF_SIZE], what[STEP_NAME_SIZE];
	uint64_t wait = RETRY_FIRST;
	bool is_registered = false;
	int r;

	bdf_format(o->plan->device->bdf, address);
	steps_name(o, "unbind", what);
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
		 * ENOENT: the driver is still registering, its files come last, "unbind" right
		 * behind "uevent" (bus.c: bus_add_driver()); or it is one of those that have
		 * none. ENODEV: it let go by itself; look again.
		 */
		if (r == -ENOENT && is_registered)
			return steps_fail(
				o, REASON_UNBIND_FAILED,
				arena_printf(s->arena, "%s has no unbind file", o->after),
				r);
		if ((r != -ENOENT && r != -ENODEV) || steps_now(s) + wait >= s->deadline)
			return steps_fail(o, REASON_UNBIND_FAILED, errno_text(r), r);
		is_registered =
			r == -ENOENT && look_for_driver(s, o->after, "uevent") > 0;
		steps_pause(s, wait, what);
		wait = MIN(wait * 2, RETRY_MAX);
	}
}
