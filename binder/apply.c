/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "apply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE_INTERVAL (5 * SECOND) /* a line on the console that often */
#define RETRY_FIRST	  (20 * MILLISECOND)
#define RETRY_MAX	  (500 * MILLISECOND)
/* For giving a device back when the time of the run is up already. */
#define GIVE_BACK_TIME (2 * SECOND)

struct applier {
	struct world *world;
	struct report *report;
	struct arena *arena;
	uint64_t deadline; /* of the step at hand */
};

static uint64_t now(struct applier *a)
{
	return a->world->ops->now(a->world);
}

static int give_up(struct outcome *o, enum reason reason, const char *detail, int error)
{
	o->reason = reason;
	o->detail = detail;
	o->error = -error;
	return error ? error : -EIO;
}

/* Runs a job until the deadline, with a sign of life every few seconds. */
static int run_patiently(struct applier *a, const struct job *job,
			 struct job_result *result, const char *what)
{
	uint64_t start = now(a);
	int r = a->world->ops->submit(a->world, job);

	if (r < 0)
		return r;
	for (;;) {
		uint64_t until = MIN(now(a) + PATIENCE_INTERVAL, a->deadline);

		r = a->world->ops->await(a->world, until, result);
		if (r != -EINPROGRESS)
			return r;
		if (now(a) >= a->deadline)
			break;
		if (now(a) >= until)
			world_log(
				a->world, LOG_LEVEL_WARNING,
				"still waiting for the kernel: %s, %u s of at most %u s",
				what, (unsigned)((now(a) - start) / SECOND),
				(unsigned)((a->deadline - start) / SECOND));
	}
	a->world->ops->abandon(a->world);
	return -ETIMEDOUT;
}

/*
 * One write(2) below the PCI bus of /sys. 0, the errno of the kernel, or a reason that is
 * set in @o and -ECANCELED where the write was not done or did not come back.
 */
static int store(struct applier *a, struct outcome *o, const char *directory,
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
	r = run_patiently(a, &job, &result, what);
	if (r == 0)
		return result.error;
	if (r == -ETIMEDOUT) {
		o->verdict = VERDICT_STUCK;
		give_up(o, REASON_STUCK, arena_printf(a->arena, "%s", file), -ETIMEDOUT);
	} else {
		give_up(o, REASON_WORKER_FAILED, errno_text(r), r);
	}
	return -ECANCELED;
}

static const char *device_dir(const struct outcome *o, char buf[static JOB_PATH_SIZE])
{
	char address[BDF_SIZE];

	snprintf(buf, JOB_PATH_SIZE, SYSFS_PCI_DEVICES "/%s",
		 bdf_format(o->plan->device->bdf, address));
	return buf;
}

static const char *driver_dir(const char *driver, char buf[static JOB_PATH_SIZE])
{
	snprintf(buf, JOB_PATH_SIZE, SYSFS_PCI_DRIVERS "/%s", driver);
	return buf;
}

/* Reads the driver link. 0, or a reason set in @o: the device went away. */
static int read_driver(struct applier *a, struct outcome *o)
{
	int r = inventory_read_driver(a->world, o->plan->device->bdf, o->after);

	if (r < 0)
		return give_up(o, REASON_VANISHED, NULL, r);
	return 0;
}

static bool has_wanted_driver(const struct outcome *o)
{
	return strcmp(o->after, o->plan->wanted) == 0;
}

/*
 * Claims a device: from the return of this write on, no other driver can take it that has
 * not published its driver link yet (drivers/base/dd.c: really_probe() matches again after
 * it made the link). So the link, read afterwards, decides.
 */
static int claim(struct applier *a, struct outcome *o)
{
	char dir[JOB_PATH_SIZE];
	int r;

	o->has_override = true;
	r = store(a, o, device_dir(o, dir), "driver_override", o->plan->wanted);
	if (r == -ECANCELED)
		return r;
	if (r == -ENOENT || r == -ENODEV)
		return give_up(o, REASON_VANISHED, NULL, r);
	if (r < 0)
		return give_up(o, REASON_OVERRIDE_FAILED, errno_text(r), r);
	o->is_claimed = true;
	return read_driver(a, o);
}

/* What -EINVAL from a bind means most often; 5.10 says -ENODEV to everything. */
static int explain_refusal(struct applier *a, struct outcome *o, int error)
{
	if ((error == -EINVAL || error == -ENODEV) && !a->report->policy->has_noiommu) {
		if (!a->report->inventory->has_iommu)
			return give_up(o, REASON_IOMMU_OFF, NULL, error);
		if (o->plan->device->iommu_group == NO_GROUP)
			return give_up(o, REASON_NO_IOMMU_GROUP, NULL, error);
	}
	return give_up(o, REASON_BIND_REFUSED, errno_text(error), error);
}

/* Binds a claimed device. 0 if the driver link says so. */
static int bind_device(struct applier *a, struct outcome *o)
{
	uint64_t wait = RETRY_FIRST;
	char dir[JOB_PATH_SIZE], address[BDF_SIZE];
	int r;

	bdf_format(o->plan->device->bdf, address);
	for (;;) {
		/* Registering a driver binds what is claimed for it already. */
		r = read_driver(a, o);
		if (r < 0 || has_wanted_driver(o))
			return r;
		if (o->after[0] != '\0')
			return give_up(o, REASON_BUSY_DRIVER,
				       arena_printf(a->arena, "%s", o->after), -EBUSY);
		r = store(a, o, driver_dir(o->plan->wanted, dir), "bind", address);
		if (r == -ECANCELED)
			return r;
		if (r == 0)
			break;
		/*
		 * EAGAIN: the probe was deferred, and nobody else will repeat it. EBUSY, on
		 * 5.10 ENODEV, can mean that somebody has it: the link says who.
		 */
		if (r != -EAGAIN)
			break;
		if (now(a) + wait >= a->deadline)
			return give_up(o, REASON_DEFERRED, NULL, r);
		a->world->ops->pause(a->world, wait);
		wait = MIN(wait * 2, RETRY_MAX);
	}
	if (read_driver(a, o) < 0)
		return -ENODEV;
	if (has_wanted_driver(o)) {
		o->error = 0;
		return 0;
	}
	if (o->after[0] != '\0')
		return give_up(o, REASON_BUSY_DRIVER,
			       arena_printf(a->arena, "%s", o->after), r ? r : -EBUSY);
	return explain_refusal(a, o, r ? r : -ENODEV);
}

/*
 * Makes the driver that has the device let go. The link vanishes before the driver's
 * remove() runs, so only the return of the write counts (dd.c: __device_release_driver()).
 */
static int unbind_device(struct applier *a, struct outcome *o)
{
	uint64_t wait = RETRY_FIRST;
	char dir[JOB_PATH_SIZE], address[BDF_SIZE];
	int r;

	bdf_format(o->plan->device->bdf, address);
	for (;;) {
		r = read_driver(a, o);
		if (r < 0)
			return r;
		if (o->after[0] == '\0' || has_wanted_driver(o))
			return 0;
		o->is_unbound = true;
		r = store(a, o, driver_dir(o->after, dir), "unbind", address);
		if (r == 0 || r == -ECANCELED)
			return r;
		/*
		 * ENOENT: the driver is still registering, its files come last
		 * (bus.c: bus_add_driver()). ENODEV: it let go by itself; look again.
		 */
		if ((r != -ENOENT && r != -ENODEV) || now(a) + wait >= a->deadline)
			return give_up(o, REASON_UNBIND_FAILED, errno_text(r), r);
		a->world->ops->pause(a->world, wait);
		wait = MIN(wait * 2, RETRY_MAX);
	}
}

static int recover(struct applier *a, struct outcome *o)
{
	const struct pci_device *d = o->plan->device;
	char address[BDF_SIZE];
	int r;

	world_log(a->world, LOG_LEVEL_NOTICE,
		  "%s [%04x:%04x] is held by %s: making it let go, at most %u s",
		  bdf_format(d->bdf, address), d->ids.vendor, d->ids.device, o->after,
		  a->report->policy->recovery_timeout);
	r = claim(a, o);
	if (r == 0)
		r = unbind_device(a, o);
	if (r == 0)
		r = bind_device(a, o);
	return r;
}

/* How long giving a device back may take: what is left for its recovery, or a moment. */
static uint64_t give_back_time(const struct report *report, const struct outcome *o)
{
	uint64_t recovery = report->policy->recovery_timeout * SECOND;

	if (!o->is_unbound || o->microseconds + GIVE_BACK_TIME >= recovery)
		return GIVE_BACK_TIME;
	return recovery - o->microseconds;
}

/* Undoes what the record says. 0, the error of the kernel, or -ECANCELED as store(). */
static int undo(struct applier *a, struct outcome *o)
{
	char dir[JOB_PATH_SIZE], address[BDF_SIZE];
	int r = 0, again;

	bdf_format(o->plan->device->bdf, address);
	/* An empty write does not reach the kernel's store: a line end clears. */
	if (o->has_override)
		r = store(a, o, device_dir(o, dir), "driver_override", "\n");
	if (r < 0)
		return r;
	if (o->is_unbound)
		r = store(a, o, driver_dir(o->before, dir), "bind", address);
	if (r == -ECANCELED || (r == 0 && o->is_unbound))
		return r;
	/* It says nothing, but a driver that is there already gets its chance. */
	again = store(a, o, "bus/pci", "drivers_probe", address);
	return again < 0 ? again : r;
}

/*
 * Reads where the device ended. 0 if it is not on its driver; otherwise the verdict is set,
 * and -EALREADY (a bind came through after all), or an error (it cannot be told).
 */
static int settle(struct applier *a, struct outcome *o)
{
	int r = inventory_read_driver(a->world, o->plan->device->bdf, o->after);

	if (r < 0) {
		o->after[0] = '\0';
		o->verdict = VERDICT_FAILED;
		if (r == -ENODEV)
			give_up(o, REASON_VANISHED, NULL, r);
		return r;
	}
	if (!has_wanted_driver(o))
		return 0;
	o->verdict = VERDICT_BOUND;
	o->reason = REASON_NONE;
	o->detail = NULL;
	o->error = 0;
	return -EALREADY;
}

void apply_give_back(struct world *world, struct report *report, struct outcome *o)
{
	struct applier a = {world, report, report->policy->arena,
			    world->ops->now(world) + give_back_time(report, o)};
	enum on_failure policy = o->plan->rule->on_failure;
	const struct outcome failed = *o;
	int r;

	if (o->verdict == VERDICT_STUCK)
		return;
	if (!o->has_override && !o->is_unbound) {
		o->verdict = VERDICT_REFUSED;
		return;
	}
	if (settle(&a, o) < 0)
		return;
	if (policy == ON_FAILURE_DEFAULT)
		policy = report->policy->on_failure;
	if (policy == ON_FAILURE_HOLD) {
		bool is_held = o->is_claimed && o->after[0] == '\0';

		o->verdict = is_held ? VERDICT_HELD : VERDICT_FAILED;
		return;
	}
	r = undo(&a, o);
	if (o->verdict == VERDICT_STUCK)
		return;
	o->verdict = VERDICT_RESTORED;
	o->reason = failed.reason;
	o->detail = failed.detail;
	o->error = failed.error;
	if (settle(&a, o) < 0)
		return;
	if (o->is_unbound ? strcmp(o->after, o->before) != 0 : r < 0) {
		o->verdict = VERDICT_FAILED;
		give_up(o, REASON_RESTORE_FAILED,
			o->before[0] ? o->before : "its own driver", r);
	}
}

static bool is_pending(const struct outcome *o, enum action action)
{
	return o->plan->action == action && o->verdict == VERDICT_NONE &&
	       o->reason == REASON_NONE;
}

/* Does one step for a device and adds to its time. */
static void step(struct applier *a, struct outcome *o,
		 int (*f)(struct applier *, struct outcome *))
{
	uint64_t start = now(a);

	if (start >= a->deadline)
		give_up(o, REASON_TIMEOUT, NULL, -ETIMEDOUT);
	else
		(void)f(a, o);
	o->microseconds += now(a) - start;
}

static void load_module(struct applier *a, const char *name, bool without_ids)
{
	struct report *report = a->report;
	struct module_outcome *m = &report->modules[report->module_count++];
	struct job job = {.kind = JOB_LOAD_MODULE, .without_ids = without_ids};
	struct job_result result;
	uint64_t start = now(a);
	int r;

	m->name = name;
	snprintf(job.value, sizeof(job.value), "%s", name);
	/* What is started when the time is up would go on behind the back of this run. */
	r = start < a->deadline ? run_patiently(a, &job, &result, name) : -ETIMEDOUT;
	if (r == 0) {
		m->state = result.state;
		r = result.error;
	}
	m->error = -r;
	m->microseconds = now(a) - start;
}

/* Loads what vfio-pci needs. Sets the report's reason where it is not to be had. */
static int load_modules(struct applier *a)
{
	struct report *report = a->report;
	const struct module_outcome *m;

	/*
	 * First, so that the IOMMU backend is there when a VM opens the group; on machines
	 * whose backend is another one it is missing, which is fine.
	 */
	load_module(a, "vfio_iommu_type1", false);
	load_module(a, "vfio_pci", !report->plan->is_ids_safe);
	m = &report->modules[report->module_count - 1];
	if (m->error == 0)
		return 0;
	if (m->error == ENOENT) {
		report->reason = REASON_NO_VFIO;
		report->detail = m->name;
	} else {
		report->reason = REASON_MODULE_FAILED;
		report->detail = arena_printf(a->arena, "%s could not be loaded, %s",
					      m->name, errno_text(m->error));
	}
	return -m->error;
}

void apply_plan(struct world *world, struct report *report, struct arena *arena)
{
	struct applier a = {world, report, arena, report->deadline};
	struct outcome *end = report->outcomes + report->plan->device_count;
	bool has_work = false;

	for (struct outcome *o = report->outcomes; o < end; o++) {
		if (is_pending(o, ACTION_BIND))
			step(&a, o, claim);
		has_work = has_work || is_pending(o, ACTION_BIND) ||
			   is_pending(o, ACTION_RECOVER);
	}
	/* Before any unbind: loading would block behind a driver that hangs in remove(). */
	if (has_work && load_modules(&a) < 0) {
		for (struct outcome *o = report->outcomes; o < end; o++)
			if (is_pending(o, ACTION_BIND) || is_pending(o, ACTION_RECOVER))
				give_up(o, report->reason, report->detail,
					-report->modules[report->module_count - 1].error);
	}
	/* One that got a driver between the snapshot and its claim waits for recovery. */
	for (struct outcome *o = report->outcomes; o < end; o++)
		if (is_pending(o, ACTION_BIND) &&
		    (o->after[0] == '\0' || has_wanted_driver(o)))
			step(&a, o, bind_device);
	for (struct outcome *o = report->outcomes; o < end; o++) {
		bool was_taken = is_pending(o, ACTION_BIND) && o->after[0] != '\0' &&
				 !has_wanted_driver(o);

		if (!was_taken && !is_pending(o, ACTION_RECOVER))
			continue;
		a.deadline = now(&a) + report->policy->recovery_timeout * SECOND;
		if (was_taken)
			memcpy(o->before, o->after, sizeof(o->before));
		step(&a, o, recover);
	}
}
