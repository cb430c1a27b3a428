/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "table.h"

#define ARENA_SIZE ((size_t)4 * 1024 * 1024)
#define VFIO	   "vfio-pci"

/* What a run may take beyond timeout and recovery: giving back, verifying. */
#define GIVE_BACK_TIME (2 * FAKE_SECOND)
#define KEPT_TIME      (5 * FAKE_SECOND)
#define VERIFY_TIME    (2 * FAKE_SECOND)
#define SLACK	       (FAKE_SECOND / 2)

/* One that is free again: whole runs are made by the thousand. */
static struct arena spare;

static struct run_options options_of(const char *table)
{
	static struct table_section section;
	struct run_options options = {.has_cmdline_files = true, .is_initramfs = true};

	if (table) {
		if (table_encode(text_of(table), &section) < 0)
			fake_abort("the table is too long");
		options.table = (struct text){(const char *)&section, sizeof(section)};
	}
	return options;
}

/* Zeroed, as memory comes from the kernel. */
static struct arena new_arena(const struct fake_world *w)
{
	struct arena arena = {.size = w->memory ? w->memory : ARENA_SIZE};

	if (arena.size == ARENA_SIZE && spare.base) {
		arena_rewind(&spare, 0);
		arena = spare;
		spare.base = NULL;
	} else {
		arena.base = calloc(1, arena.size);
	}
	if (!arena.base)
		fake_abort("out of memory");
	return arena;
}

void fake_boot(struct fake_world *w, const char *table, struct fake_boot *ret)
{
	struct run_options options = options_of(table);

	*ret = (struct fake_boot){.arena = new_arena(w)};
	options.is_pid1 = w->is_pid1;
	ret->start = w->bus.now;
	ret->code = run_boot(&w->world, &ret->arena, &options, &ret->run);
	ret->end = w->bus.now;
}

void fake_late(struct fake_world *w, const char *table, const char *address,
	       bool is_synthetic, struct fake_boot *ret)
{
	struct run_options options = options_of(table);
	struct bdf bdf;

	if (bdf_parse(text_of(address), &bdf) < 0)
		fake_abort("\"%s\" is no address", address);
	*ret = (struct fake_boot){.arena = new_arena(w), .is_late = true};
	options.is_late = true;
	options.is_synthetic = is_synthetic;
	for (size_t i = 0; i < w->bus.device_count; i++)
		w->bus.devices[i].writes = 0;
	ret->start = w->bus.now;
	ret->code = run_device(&w->world, &ret->arena, &options, bdf, &ret->run);
	ret->end = w->bus.now;
}

void fake_boot_free(struct fake_boot *boot)
{
	if (boot->arena.size == ARENA_SIZE && !spare.base)
		spare = boot->arena;
	else
		free(boot->arena.base);
	boot->arena.base = NULL;
}

const struct outcome *fake_outcome(const struct fake_boot *boot, const char *address)
{
	const struct report *report = &boot->run.report;

	for (size_t i = 0; report->plan && i < report->plan->device_count; i++) {
		char buf[BDF_SIZE];

		bdf_format(report->outcomes[i].plan->device->bdf, buf);
		if (strcmp(buf, address) == 0)
			return &report->outcomes[i];
	}
	return NULL;
}

static const char *wrong(const char *format, ...) printf_like(1, 2);
static const char *wrong(const char *format, ...)
{
	static char message[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	return message;
}

/* Whether it is on the driver that it shall have; without @o, on vfio-pci or a variant. */
static bool has_wanted(const struct fake_device *d, const struct outcome *o)
{
	if (!d->is_bound)
		return false;
	return o && o->wanted[0] != '\0' ? strcmp(fake_driver_of(d), o->wanted) == 0
					 : d->driver->is_vfio && fake_driver_of(d)[0];
}

static bool is_stuck(const struct fake_world *w, const struct fake_device *d)
{
	for (size_t i = 0; i < w->bus.task_count; i++)
		if (w->bus.tasks[i].is_abandoned && w->bus.tasks[i].device == d)
			return true;
	return false;
}

/* It is said that the firmware's framebuffer is still there. */
static const char *check_framebuffer(const struct fake_world *w,
				     const struct fake_device *d, const char *address)
{
	const struct fake_framebuffer *fb = &w->bus.framebuffer;

	if (fb->on != d || !(fb->is_bound || fb->keeps_region))
		return wrong("%s: its memory is free", address);
	return NULL;
}

/* A kept device that vfio-pci had: it has it no more, for good, or it is said why. */
static const char *check_given_back(const struct fake_world *w, const struct outcome *o,
				    const struct fake_device *d, const char *address)
{
	const struct fake_driver *vfio =
		fake_find_driver((struct fake_bus *)&w->bus, VFIO);

	if (o->reason != REASON_KEPT_GIVEN_BACK)
		return !d->driver && o->reason == REASON_KEPT_BOUND
			       ? wrong("%s: free, but said to be on " VFIO, address)
			       : NULL;
	if (d->driver == vfio && !fake_is_busy(&w->bus, d))
		return wrong("%s: given back, but on " VFIO, address);
	for (size_t i = 0; i < vfio->id_count; i++)
		/* One for any device came by new_id, in scenarios. */
		if (w->fault_count == 0 && vfio->ids[i].device != PCI_ANY &&
		    pci_match_has(&vfio->ids[i], &d->ids))
			return wrong("%s: given back, but " VFIO " has its ID", address);
	if (w->fault_count == 0 && d->has_override)
		return wrong("%s: given back, with an override", address);
	return NULL;
}

static bool has_own_fault(const struct fake_bus *bus, const char *name)
{
	for (size_t i = 0; i < bus->driver_count; i++)
		if (strcmp(bus->drivers[i].name, name) == 0)
			return bus->drivers[i].probe_error != 0;
	return false;
}

static const char *check_outcome(const struct fake_world *w, const struct outcome *o,
				 const struct fake_device *d, bool is_dry_run)
{
	const char *driver = fake_driver_of(d), *verdict = verdict_name(o->verdict);
	char address[BDF_SIZE];

	bdf_format(d->bdf, address);
	if (is_dry_run)
		return d->writes > 0 ? wrong("%s: a dry run, but written to", address)
				     : NULL;
	if (o->verdict != VERDICT_BOUND && o->reason == REASON_NONE)
		return wrong("%s: %s without a reason", address, verdict);
	/* It may have gone after it was looked at for the last time. */
	if (!d->is_present)
		return NULL;
	if (d->covers > 0 && o->verdict != VERDICT_STUCK && w->fault_count == 0)
		return wrong("%s: %s, but %u files are covered", address, verdict,
			     d->covers);
	switch (o->verdict) {
	case VERDICT_NONE:
		if (o->plan->action != ACTION_KEEP)
			return wrong("%s: no verdict", address);
		if (strcmp(o->before, VFIO) == 0 || o->reason == REASON_KEPT_GIVEN_BACK)
			return check_given_back(w, o, d, address);
		if (d->writes > 0)
			return wrong("%s: kept, but written to", address);
		if (has_wanted(d, NULL))
			return wrong("%s: kept, but now on \"%s\"", address, driver);
		return NULL;
	case VERDICT_BOUND:
		/* A probe from before that nobody could wait for, since that failed. */
		if (w->fault_count > 0 && o->plan->action == ACTION_DONE &&
		    fake_is_busy(&w->bus, d) && strcmp(driver, o->wanted) == 0)
			return NULL;
		if (!has_wanted(d, o))
			return wrong("%s: bound, but on \"%s\"", address, driver);
		if (strcmp(o->after, driver) != 0)
			return wrong("%s: bound, after \"%s\"", address, o->after);
		if (o->reason == REASON_FRAMEBUFFER)
			return check_framebuffer(w, d, address);
		if (o->reason != REASON_NONE || o->detail || o->error)
			return wrong("%s: bound, but %s", address,
				     reason_word(o->reason));
		return NULL;
	case VERDICT_RESTORED:
		if (d->has_override)
			return wrong("%s: restored, with an override", address);
		/* A driver whose own probe fails, be it after the run, loses it by itself. */
		if (has_wanted(d, o) ||
		    (o->is_unbound && strcmp(driver, o->before) != 0 &&
		     !has_own_fault(&w->bus, o->before)))
			return wrong("%s: restored, but on \"%s\"", address, driver);
		return NULL;
	case VERDICT_HELD:
		if (!d->has_override || d->is_bound)
			return wrong("%s: held, but on \"%s\"", address, driver);
		return NULL;
	case VERDICT_REFUSED:
		if (d->writes > 0)
			return wrong("%s: refused, but written to", address);
		if (has_wanted(d, o) && !d->had_vfio)
			return wrong("%s: refused, but now on \"%s\"", address, driver);
		return NULL;
	case VERDICT_STUCK:
		if (!is_stuck(w, d))
			return wrong("%s: stuck, but nothing hangs", address);
		return NULL;
	case VERDICT_FAILED:
		if (has_wanted(d, o) && w->fault_count == 0)
			return wrong("%s: failed, but it is bound", address);
		/* What is to be held, but keeps its driver, has one. */
		if (d->has_override && driver[0] == '\0' && w->fault_count == 0)
			return wrong("%s: a leak: failed, with an override", address);
		return NULL;
	case VERDICT_MISSING:
		break;
	}
	return wrong("%s: a verdict of no device", address);
}

/* Something was not there, or said something else, when it was looked at. */
bool fake_is_misled(const struct fake_world *w)
{
	const unsigned misleading = 1u << FAULT_GONE | 1u << FAULT_SHORT |
				    1u << FAULT_GARBAGE | 1u << FAULT_VANISH |
				    1u << FAULT_REPLACE;

	return w->fault_count > 0 &&
	       ((misleading & 1u << w->fault) || (misleading & 1u << w->second));
}

static const char *check_bystander(const struct fake_world *w,
				   const struct fake_device *d, bool is_late)
{
	char address[BDF_SIZE];

	bdf_format(d->bdf, address);
	if (d->writes > 0 || (d->has_override && !is_late))
		return wrong("%s: no rule names it, but it was written to", address);
	/* What it has is from before. */
	if (is_late)
		return NULL;
	if (has_wanted(d, NULL) && !d->had_vfio && !fake_is_misled(w))
		return wrong("%s: no rule names it, but it is on " VFIO, address);
	return NULL;
}

/* One that is in the place of a device of the plan: it came when the plan was made. */
static bool is_other(const struct fake_device *d, const struct outcome *o)
{
	const struct pci_ids *ids = &o->plan->device->ids;

	return d->ids.vendor != ids->vendor || d->ids.device != ids->device ||
	       d->ids.class != ids->class;
}

static const char *check_other(const struct fake_world *w, const struct fake_device *d)
{
	char address[BDF_SIZE];

	bdf_format(d->bdf, address);
	/* Two faults can hide it as well. */
	if (d->is_present && w->fault_count < 2 &&
	    (d->has_override || has_wanted(d, NULL)))
		return wrong("%s: a leak: another device is there now, with %s", address,
			     has_wanted(d, NULL) ? VFIO : "an override");
	return NULL;
}

/* Time that was gone at once. */
static uint64_t jumps(const struct fake_world *w)
{
	unsigned n = (w->fault == FAULT_JUMP) + (w->second == FAULT_JUMP);

	return w->fault_count > 0 ? n * FAKE_JUMP : 0;
}

/* Another driver had it, at the start, or when its turn came. */
static bool was_native(const struct fake_world *w, const struct bdf *bdf)
{
	for (size_t i = 0; i < w->bus.device_count; i++)
		if (bdf_compare(w->bus.devices[i].bdf, *bdf) == 0 &&
		    w->bus.devices[i].was_native)
			return true;
	return false;
}

static uint64_t time_allowed(const struct fake_world *w, const struct run *run)
{
	const struct policy *policy = &run->policy;
	uint64_t time = policy->timeout * (uint64_t)FAKE_SECOND + VERIFY_TIME + SLACK;

	for (size_t i = 0; run->report.plan && i < run->plan.device_count; i++) {
		const struct outcome *o = &run->report.outcomes[i];

		time += GIVE_BACK_TIME;
		if (o->plan->action == ACTION_KEEP)
			time += KEPT_TIME;
		if (o->has_waited || was_native(w, &o->plan->device->bdf))
			time += policy->recovery_timeout * (uint64_t)FAKE_SECOND;
	}
	return time;
}

const char *fake_check(struct fake_world *w, const struct fake_boot *boot)
{
	const struct report *report = &boot->run.report;
	bool is_all_bound = true;

	if (boot->end - boot->start > time_allowed(w, &boot->run) + jumps(w))
		return wrong("it took %llu ms",
			     (unsigned long long)(boot->end - boot->start) / 1000);
	if (w->job)
		return wrong("a job is left behind");
	for (size_t i = 0; i < JOBS_PARKED_MAX; i++)
		if (w->parked[i].job)
			return wrong("a job is left parked");
	for (size_t i = 0; i < w->bus.device_count; i++) {
		const struct fake_device *d = &w->bus.devices[i];
		const struct outcome *o;
		const char *message;
		char address[BDF_SIZE];

		o = fake_outcome(boot, bdf_format(d->bdf, address));
		message = !o		   ? check_bystander(w, d, boot->is_late)
			  : is_other(d, o) ? check_other(w, d)
					   : check_outcome(w, o, d, report->is_dry_run);
		if (message)
			return message;
		if (o && o->plan->action != ACTION_KEEP && o->verdict != VERDICT_BOUND)
			is_all_bound = false;
		if (o && o->plan->action == ACTION_KEEP && has_wanted(d, o) &&
		    w->fault_count == 0)
			is_all_bound = false;
	}
	if (boot->code == EXIT_ALL_BOUND && !is_all_bound && !report->is_dry_run)
		return wrong("not all is bound, but the exit code is 0");
	if (boot->code == EXIT_ALL_BOUND && report->reason != REASON_NONE)
		return wrong("%s, but the exit code is 0", reason_word(report->reason));
	return NULL;
}
