/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "apply_plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "driver.h"
#include "framebuffer.h"
#include "modload.h"
#include "steps.h"

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
static int loading_check(struct outcome *o)
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
static void loading_run(struct steps *s, struct text ids)
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
			(void)loading_check(o);
	}
	failed.module = vfio;
	if (vfio && is_in_vain && loading_check(&failed) < 0) {
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
