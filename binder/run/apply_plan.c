/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "apply_plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "compiler.h"
#include "driver.h"
#include "framebuffer.h"
#include "modload.h"
#include "report.h"
#include "verify.h"
#include "world.h"

/* How long to wait before the next of several tries. */
#define RETRY_FIRST (20 * MILLISECOND)
#define RETRY_MAX   (500 * MILLISECOND)

/* "unbind of 0000:01:00.0" */
#define STEP_NAME_SIZE 64

/* For a mount, which waits for nothing of the device. */
#define COVER_TIME SECOND

/* ---- cover ---- */

/*
 * Keeps the rest of the machine from waiting for a driver that is in its remove().
 *
 * An unbind holds the device's lock until remove() is done, and some files of the device wait
 * for that lock when they are read: "uevent" since 6.1.93 (drivers/base/core.c: uevent_show()),
 * "driver_override" before 7.0. udev reads the former of every device, and journald of every
 * device that a line of the kernel log is about: where remove() never returns, a boot would
 * end there. So during an unbind other files are mounted over these two. Those of a device
 * that the kernel is stuck with stay; they move to the real root with /sys.
 */

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
	if (r < 0 && text[0] != '\0')
		world_log(s->world, LOG_LEVEL_WARNING,
			  "%s: its file %s is not covered: %s", address, file,
			  errno_text(r));
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

/* Runs a job until the deadline, with a sign of life every few seconds. */
static int steps_run(struct steps *s, const struct job *job, struct job_result *result,
		     const char *what)
{
	int r = world_submit(s->world, job);

	if (r == 0)
		r = await(s, result, what, s->deadline);
	if (r != -EINPROGRESS)
		return r;
	s->world->ops->abandon(s->world);
	return -ETIMEDOUT;
}

/* Lets some time go by before another try of @what, with the same sign of life. */
static void steps_pause(struct steps *s, uint64_t microseconds, const char *what)
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

/*
 * What came of waiting for a store with patience, as steps_store() returns it: parked, where
 * there is room for one more.
 */
static int end_or_park(struct steps *s, struct outcome *o, const char *file,
		       struct job_result *result, int r)
{
	char what[STEP_NAME_SIZE];
	int number;

	if (r == -EINPROGRESS && s->patience) {
		number = s->world->ops->park(s->world);
		if (number >= 0) {
			o->parked = number + 1;
			o->parked_file = file;
			o->has_waited = true;
			return r;
		}
		r = await(s, result, steps_name(o, file, what), s->deadline);
	}
	return end_store(s, o, file, result, r);
}

int steps_store(struct steps *s, struct outcome *o, const char *directory,
		const char *file, const char *value)
{
	struct job job = {.kind = JOB_STORE};
	struct job_result result;
	char what[STEP_NAME_SIZE];
	uint64_t until = s->deadline;
	int r;

	snprintf(job.path, sizeof(job.path), "%s/%s", directory, file);
	snprintf(job.value, sizeof(job.value), "%s", value);
	r = world_submit(s->world, &job);
	if (r < 0)
		return steps_fail_job(s, o, file, r);
	if (s->patience)
		until = MIN(until, steps_now(s) + s->patience);
	r = await(s, &result, steps_name(o, file, what), until);
	return end_or_park(s, o, file, &result, r);
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
	{ENODEV, "not ready for a driver; before 5.14: any cause"},
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

/* ---- steps ---- */

/*
 * The steps that are taken with one device. Each ends in 0, or in a reason that it set in
 * the outcome together with a negative return.
 */

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

static bool outcome_has_wanted_driver(const struct outcome *o)
{
	return driver_is_same(o->after, o->wanted);
}

/* One that is not wanted. */
static bool outcome_has_foreign_driver(const struct outcome *o)
{
	return o->after[0] != '\0' && !outcome_has_wanted_driver(o);
}

/* @r: of waiting for the look at config space, or of starting it; @error: what it got. */
static int end_ask(struct steps *s, struct outcome *o, int r, int error)
{
	if (r < 0)
		return steps_fail_job(s, o, "its config space", r);
	return error == -ENXIO ? steps_fail(o, REASON_NO_ANSWER, NULL, error) : 0;
}

/*
 * Asks the device for a sign of life: its config space is read. One without any is refused;
 * where there is no such file, nothing is known.
 */
static int steps_ask(struct steps *s, struct outcome *o)
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
	return end_ask(s, o, r, result.error);
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

/*
 * Claims a device: from the return of this write on, no other driver can take it that has
 * not published its driver link yet (drivers/base/dd.c: really_probe() matches again after
 * it made the link). So the link, read afterwards, decides.
 */
static int steps_claim(struct steps *s, struct outcome *o)
{
	char dir[JOB_PATH_SIZE];

	o->has_override = true;
	o->claimed_for = o->wanted;
	return end_claim(
		s, o,
		steps_store(s, o, steps_device_dir(o, dir), OVERRIDE_FILE, o->wanted));
}

/*
 * Waits for a store that was parked until the deadline. A claim is then a claim, and the
 * driver link read; of a bind only the link is. 0, or a reason that is set in @o.
 */
static int steps_resume(struct steps *s, struct outcome *o)
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
 * (drivers/pci/bus.c: pci_bus_add_device()), by as much as the probes of all devices take that
 * were found with it and are added first (pci_bus_add_devices()). Before 5.14 it can mean
 * anything, so that a device which is really refused is waited for as well.
 */
static bool is_worth_retrying(const struct steps *s, const struct outcome *o, int error)
{
	if (error == -EAGAIN)
		return true;
	if (error == -ENOENT)
		return look_for_driver(s, o->wanted, "uevent") == 0;
	return error == -ENODEV && s->report->is_late;
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

/*
 * Tries to bind a claimed device. 0 if the driver link says so. -EAGAIN, without a reason, if
 * it is worth another try; -EBUSY, without one, if another driver has it.
 */
static int steps_try_bind(struct steps *s, struct outcome *o)
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
	o->is_bound = error == 0;
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
	/* Then as for one that another driver has: with the time of a recovery. */
	if (error == -ENODEV && steps_now(s) + RETRY_FIRST >= s->began + SETTLE_TIME)
		o->has_waited = true;
	o->error = -error;
	return -EAGAIN;
}

/* Sets the reason for the last try that was worth another one. */
static int steps_give_up_bind(struct steps *s, struct outcome *o)
{
	if (o->error == EAGAIN)
		return steps_fail(o, REASON_DEFERRED, NULL, -EAGAIN);
	return explain_refusal(s, o, -o->error);
}

/* Tries until the deadline. */
static int steps_bind(struct steps *s, struct outcome *o)
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

#define SYSFS_MODULES "module"
#define DRIVER_PREFIX "pci:"

static bool needs_modules(const struct outcome *o)
{
	return (o->plan->action == ACTION_BIND || o->plan->action == ACTION_RECOVER) &&
	       o->verdict == VERDICT_NONE && o->reason == REASON_NONE;
}

static bool has_driver(const struct steps *s, const char *driver)
{
	char dir[JOB_PATH_SIZE];

	return world_has_entry(s->world, WORLD_SYS, steps_driver_dir(driver, dir)) >= 0;
}

/* What a module calls its driver. */
struct drivers {
	const char *module;
	char name[DRIVER_NAME_SIZE]; /* "" if it has none on the PCI bus */
};

/* module_add_driver() of drivers/base/module.c: links named "BUS:DRIVER" */
static int take_driver(void *arg, const char *entry)
{
	struct drivers *drivers = arg;
	const char *name = entry + sizeof(DRIVER_PREFIX) - 1;

	if (strncmp(entry, DRIVER_PREFIX, sizeof(DRIVER_PREFIX) - 1) != 0 ||
	    !driver_is_name(text_of(name)))
		return 0;
	snprintf(drivers->name, sizeof(drivers->name), "%s", name);
	return driver_is_same(name, drivers->module);
}

/* The driver of that name, or of the module of that name; NULL if it is not there. */
static const char *find_driver(const struct steps *s, const char *wanted)
{
	struct drivers drivers = {.module = driver_module(wanted)};
	char dir[JOB_PATH_SIZE];

	if (has_driver(s, wanted))
		return wanted;
	snprintf(dir, sizeof(dir), SYSFS_MODULES "/%s/drivers", drivers.module);
	for (char *p = dir + sizeof(SYSFS_MODULES); *p; p++)
		*p = *p == '-' ? '_' : *p;
	if (s->world->ops->list(s->world, WORLD_SYS, dir, take_driver, &drivers) < 0 ||
	    drivers.name[0] == '\0' || !has_driver(s, drivers.name))
		return NULL;
	return arena_printf(s->arena, "%s", drivers.name);
}

static struct module_outcome *find(struct report *report, const char *name)
{
	for (size_t i = 0; i < report->module_count; i++)
		if (driver_is_same(report->modules[i].name, name))
			return &report->modules[i];
	return NULL;
}

/* Loads a module unless that was tried before. NULL: there is no room for one more. */
static struct module_outcome *load(struct steps *s, const char *name, struct text ids)
{
	struct report *report = s->report;
	struct module_outcome *m = find(report, name);
	struct job job = {.kind = JOB_LOAD_MODULE};
	struct job_result result = {0};
	uint64_t start = steps_now(s);
	int r;

	if (m || report->module_count == MODULES_MAX)
		return m;
	m = &report->modules[report->module_count++];
	m->name = name;
	snprintf(job.value, sizeof(job.value), "%s", name);
	snprintf(job.ids, sizeof(job.ids), "%.*s", (int)ids.n, ids.n > 0 ? ids.p : "");
	/* What is started when the time is up would go on behind the back of this run. */
	r = start < s->deadline ? steps_run(s, &job, &result, name) : -ETIMEDOUT;
	if (r == 0) {
		m->state = result.state;
		r = result.error;
	}
	m->error = -r;
	/* A module that is nowhere may be none that this machine needs. */
	if (r < 0 && r != -ENOENT && r != -ENOSYS)
		m->message = module_fault_explain(name, -r, &result, s->arena);
	m->microseconds = steps_now(s) - start;
	return m;
}

/*
 * Loads the module of a driver, and says what the driver's name is. A driver may be a part of
 * the kernel where nothing says so: there need not be any modules.builtin in an image, and a
 * kernel without CONFIG_MODULES loads none; and some modules have other names than their
 * drivers.
 */
static struct module_outcome *load_driver(struct steps *s, const char **wanted,
					  struct text ids)
{
	static struct job_result unseen; /* not const: zeros take no room in the file */
	struct module_outcome *m = load(s, driver_module(*wanted), ids);
	bool is_nowhere = m && (m->error == ENOENT || m->error == ENOSYS);
	const char *name;

	if (!m || (m->error && !is_nowhere) ||
	    (!m->error && strcmp(*wanted, DEFAULT_DRIVER) == 0))
		return m;
	name = find_driver(s, *wanted);
	if (name) {
		*wanted = name;
		if (is_nowhere) {
			m->state = MODULE_BUILTIN;
			m->error = 0;
			m->message = NULL;
		}
	} else if (m->error == ENOSYS && !m->message) {
		m->message = module_fault_explain(m->name, m->error, &unseen, s->arena);
	}
	return m;
}

static bool is_variant(const struct outcome *o)
{
	const char *variant = o->plan->device->variant;

	return variant && strcmp(o->wanted, variant) == 0;
}

/* Plain vfio-pci does for what its variants are made for: only migration is lost. */
static void fall_back(struct steps *s, struct outcome *o)
{
	const struct module_outcome *m = o->module;

	s->report->plan->devices[o - s->report->outcomes].note = arena_printf(
		s->arena, "plain vfio-pci, since its variant %s",
		m->message ? m->message
			   : arena_printf(s->arena,
					  "%s is not in this image: rebuild the image",
					  m->name));
	o->wanted = DEFAULT_DRIVER;
	o->module = load(s, driver_module(DEFAULT_DRIVER), (struct text){NULL, 0});
}

/* 0, or a reason that is set in @o: the module of its driver could not be loaded. */
static int check_modules_there(struct outcome *o)
{
	const struct module_outcome *m = o->module;
	enum reason reason = REASON_MODULE_FAILED;

	if (!m)
		return steps_fail(o, REASON_LIMIT, "modules of drivers", -ENOSPC);
	if (m->error == 0)
		return 0;
	if (m->error == ENOENT)
		reason = strcmp(o->wanted, DEFAULT_DRIVER) == 0 ? REASON_NO_VFIO
								: REASON_NO_DRIVER;
	return steps_fail(o, reason, m->message ? m->message : m->name, -m->error);
}

/*
 * Loads the modules of all devices that are still to be bound, vfio-pci with @ids as its
 * ids=. Then outcome.wanted is the driver's own name, which may differ from its module's. What
 * cannot be bound for lack of its driver has a reason, but for parked devices, whose claim
 * is ended first; a variant that driver=auto chose is replaced by vfio-pci. The report has
 * a reason where nothing is left to be done for lack of vfio-pci.
 */
static void load_plan_modules(struct steps *s, struct text ids)
{
	const struct text none = {NULL, 0};
	struct report *report = s->report;
	struct outcome *o, *end = report->outcomes + report->plan->device_count;
	const char *vfio_pci = DEFAULT_DRIVER;
	struct module_outcome *vfio = NULL;
	struct outcome failed = {.wanted = DEFAULT_DRIVER};
	bool is_in_vain = true;

	for (o = report->outcomes; o < end && !vfio; o++) {
		if (!needs_modules(o) || !driver_is_vfio(o->wanted))
			continue;
		/*
		 * First, so that the IOMMU backend is there when a VM opens the group; on
		 * machines whose backend is another one it is missing, which is fine.
		 */
		(void)load(s, "vfio_iommu_type1", none);
		vfio = load_driver(s, &vfio_pci, ids);
	}
	for (o = report->outcomes; o < end; o++) {
		if (!needs_modules(o))
			continue;
		o->module = load_driver(s, &o->wanted, none);
		if (o->module && o->module->error && is_variant(o))
			fall_back(s, o);
		is_in_vain = is_in_vain && o->module == vfio && vfio && vfio->error;
		if (!o->parked)
			(void)check_modules_there(o);
	}
	failed.module = vfio;
	if (vfio && is_in_vain && check_modules_there(&failed) < 0) {
		report->reason = failed.reason;
		report->detail = failed.detail;
	}
}

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
			  "%s [%04x:%04x] is held by %s: unbinding it, at most %u s",
			  address, d->ids.vendor, d->ids.device, o->after, seconds);
	else if (o->parked)
		world_log(s->world, LOG_LEVEL_NOTICE,
			  "%s [%04x:%04x] is locked by another kernel task; waiting up "
			  "to %u s",
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
	r = check_modules_there(o);
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

#define CLAIMS_MAX (JOBS_MAX / 2) /* in one list: each is a look and a store */

static bool add_claim(struct jobs *jobs, const struct outcome *o)
{
	struct bdf bdf = o->plan->device->bdf;
	struct job job;

	job.kind = JOB_ASK_DEVICE;
	job.value[0] = job.ids[0] = '\0';
	inventory_attribute(bdf, "config", job.path);
	if (!jobs_add(jobs, &job))
		return false;
	job.kind = JOB_STORE;
	inventory_attribute(bdf, OVERRIDE_FILE, job.path);
	snprintf(job.value, sizeof(job.value), "%s", o->wanted);
	return jobs_add(jobs, &job);
}

/* Ends what is under way, or was lost (@r), for a device: the look, or with @is_asked the store. */
static void end_at_hand(struct steps *s, struct outcome *o, bool is_asked, int r)
{
	struct job_result result;
	char what[STEP_NAME_SIZE];

	if (is_asked) {
		(void)end_claim(s, o, end_or_park(s, o, OVERRIDE_FILE, &result, r));
		return;
	}
	o->has_override = false;
	if (r == -EINPROGRESS && steps_now(s) >= s->deadline)
		r = await(s, &result, steps_name(o, "config", what),
			  steps_now(s) + ANSWER_TIME);
	if (r == -EINPROGRESS) {
		s->world->ops->abandon(s->world);
		r = -ETIMEDOUT;
	}
	if (end_ask(s, o, r, r < 0 ? 0 : result.error) == 0)
		(void)steps_claim(s, o);
}

/* What came of the look and of the store for a device, both of which have ended. */
static void end_both(struct steps *s, struct outcome *o, const int errors[static 2])
{
	if (end_ask(s, o, 0, errors[0]) == 0)
		(void)end_claim(s, o, errors[1]);
	else
		o->has_override = false;
}

/* What came of the list of claims. How many of the devices have got an answer: at least one. */
static size_t end_claims(struct steps *s, struct outcome *const *members, size_t count,
			 const struct list_wait *wait, int r)
{
	size_t ended = MIN(wait->ended / 2, count), done = ended;
	bool is_asked = wait->ended % 2;

	/* First what is under way: there is one list at a time. */
	if (done < count && r < 0) {
		end_at_hand(s, members[done++], is_asked, r);
	} else if (done < count && is_asked) {
		/* The list was ended behind its look. */
		members[done]->has_override = false;
		if (end_ask(s, members[done], 0, wait->errors[2 * done]) == 0)
			(void)steps_claim(s, members[done]);
		done++;
	}
	for (size_t i = 0; i < ended; i++)
		end_both(s, members[i], &wait->errors[2 * i]);
	for (size_t i = done; i < count; i++)
		members[i]->has_override = false;
	return done;
}

struct claims {
	struct steps *steps;
	struct outcome *const *members;
};

static void tell_claim(void *arg, size_t job)
{
	const struct claims *claims = arg;
	char what[STEP_NAME_SIZE];

	give_sign_of_life(claims->steps,
			  steps_name(claims->members[job / 2],
				     job % 2 ? OVERRIDE_FILE : "config", what));
}

/* Claims devices by one list of jobs. How many of them have got an answer: the first ones. */
static size_t claim_list(struct steps *s, struct outcome *const *members, size_t count)
{
	static struct list_wait wait;
	static struct jobs jobs;
	struct claims claims = {s, members};
	uint64_t start = steps_now(s);
	size_t done;
	int r;

	if (start >= s->deadline) {
		steps_fail(members[0], REASON_TIMEOUT, NULL, -ETIMEDOUT);
		return 1;
	}
	jobs.count = jobs.used = 0;
	for (size_t i = 0; i < count && add_claim(&jobs, members[i]); i++) {
		members[i]->has_override = true;
		members[i]->claimed_for = members[i]->wanted;
	}
	wait = (struct list_wait){
		.until = s->deadline,
		.patience = {ANSWER_TIME, s->patience},
		.tell = tell_claim,
		.arg = &claims,
	};
	r = world_run_list(s->world, &jobs, &wait);
	done = end_claims(s, members, count, &wait, r);
	for (size_t i = 0; i < done; i++)
		members[i]->microseconds += (steps_now(s) - start) / done;
	return done;
}

static void claim_free(struct steps *s, struct outcome *end)
{
	struct outcome *members[CLAIMS_MAX];
	size_t count = 0, done;
	unsigned parked = 0;

	for (struct outcome *o = s->report->outcomes; o < end; o++) {
		if (is_pending(o, ACTION_BIND) || is_pending(o, ACTION_RECOVER))
			announce_dark(s->world, o->plan->device);
		if (is_pending(o, ACTION_BIND))
			members[count++] = o;
		if (count < CLAIMS_MAX && o + 1 < end)
			continue;
		for (size_t i = 0; i < count; i += done) {
			if (parked == JOBS_PARKED_MAX) {
				members[i]->has_waited = true;
				done = 1;
				continue;
			}
			done = claim_list(s, &members[i], count - i);
			done = MAX(done, (size_t)1);
			parked += members[i + done - 1]->parked != 0;
		}
		count = 0;
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

/*
 * The first one that was for later may have had loading wait for it. What that took beyond its
 * own time is taken from this one's time, also from what is left to give it back.
 */
static void recover_taken(struct steps *s, struct outcome *end, struct outcome *first)
{
	const struct report *report = s->report;
	uint64_t recovery = report->policy->recovery_timeout * SECOND;
	uint64_t now = steps_now(s), spent = 0;

	s->patience = 0;
	if (first && now > report->deadline) {
		/* In vain: there is nothing left to do but to end what is under way. */
		spent = MIN(now - report->deadline,
			    report->reason == REASON_NONE ? recovery / 2 : recovery);
		first->microseconds += spent;
	}
	for (struct outcome *o = report->outcomes; o < end; o++) {
		uint64_t time =
			first && o == first ? MAX(recovery - spent, SECOND) : recovery;

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
		(void)step(s, o, recover);
	}
}

void apply_plan(struct world *world, struct report *report, struct arena *arena)
{
	struct steps s = {
		.world = world, .report = report, .arena = arena, .patience = PATIENCE};
	struct outcome *end = report->outcomes + report->plan->device_count;
	struct outcome *first = NULL;
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
		if (!first && is_for_later(o))
			first = o;
	}
	if (first)
		recovery = report->policy->recovery_timeout * SECOND;
	/* Before any unbind: loading would block behind a driver that hangs in remove(). */
	steps_begin(&s, report->deadline + recovery);
	if (has_work)
		load_plan_modules(&s, is_ids_safe(report) ? report->policy->module_ids
							  : (struct text){NULL, 0});
	if (steps_now(&s) < report->deadline)
		s.deadline = report->deadline;
	else
		s.deadline =
			MIN(s.deadline, steps_now(&s) + report->policy->timeout * SECOND);
	steps_begin(&s, s.deadline);
	bind_free(&s, end);
	recover_taken(&s, end, first);
}

/* Tells the platform bus to unbind it: 0 or -errno. */
static int unbind_framebuffer(struct steps *s, const struct framebuffer *framebuffer)
{
	struct job job = {.kind = JOB_STORE};
	struct job_result result = {.error = 0};
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

/* ---- undo ------------------------------------------------------------------------------------ */

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
