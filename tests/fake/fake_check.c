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
#define VERIFY_TIME    (2 * FAKE_SECOND)
#define SLACK	       (FAKE_SECOND / 2)

static struct run_options options_of(const char *table)
{
	static struct table_section section;
	struct run_options options = {.has_cmdline_files = true};

	if (table) {
		if (table_encode(text_of(table), &section) < 0)
			fake_abort("the table is too long");
		options.table = (struct text){(const char *)&section, sizeof(section)};
	}
	return options;
}

static struct arena new_arena(const struct fake_world *w)
{
	size_t size = w->memory ? w->memory : ARENA_SIZE;
	struct arena arena = {calloc(1, size), size, 0};

	if (!arena.base)
		fake_abort("out of memory");
	return arena;
}

void fake_boot(struct fake_world *w, const char *table, struct fake_boot *ret)
{
	struct run_options options = options_of(table);

	*ret = (struct fake_boot){.arena = new_arena(w)};
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

static bool has_wanted(const struct fake_device *d)
{
	return d->is_bound && strcmp(fake_driver_of(d), VFIO) == 0;
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

static const char *check_outcome(const struct fake_world *w, const struct outcome *o,
				 const struct fake_device *d)
{
	const char *driver = fake_driver_of(d), *verdict = verdict_name(o->verdict);
	char address[BDF_SIZE];

	bdf_format(d->bdf, address);
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
		if (d->writes > 0)
			return wrong("%s: kept, but written to", address);
		if (has_wanted(d) && strcmp(o->before, VFIO) != 0)
			return wrong("%s: kept, but now on \"%s\"", address, driver);
		return NULL;
	case VERDICT_BOUND:
		/* A probe that nobody could wait for, since that failed. */
		if (w->fault_count > 0 && fake_is_busy(&w->bus, d) &&
		    strcmp(driver, VFIO) == 0)
			return NULL;
		if (!has_wanted(d))
			return wrong("%s: bound, but on \"%s\"", address, driver);
		if (strcmp(o->after, VFIO) != 0)
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
		if (has_wanted(d) || (o->is_unbound && strcmp(driver, o->before) != 0))
			return wrong("%s: restored, but on \"%s\"", address, driver);
		return NULL;
	case VERDICT_HELD:
		if (!d->has_override || driver[0] != '\0')
			return wrong("%s: held, but on \"%s\"", address, driver);
		return NULL;
	case VERDICT_REFUSED:
		if (d->writes > 0)
			return wrong("%s: refused, but written to", address);
		if (has_wanted(d))
			return wrong("%s: refused, but now on \"%s\"", address, driver);
		return NULL;
	case VERDICT_STUCK:
		if (!is_stuck(w, d))
			return wrong("%s: stuck, but nothing hangs", address);
		return NULL;
	case VERDICT_FAILED:
		if (has_wanted(d) && w->fault == FAULT_NONE)
			return wrong("%s: failed, but it is bound", address);
		return NULL;
	case VERDICT_MISSING:
		break;
	}
	return wrong("%s: a verdict of no device", address);
}

static const char *check_bystander(const struct fake_device *d, bool is_late)
{
	char address[BDF_SIZE];

	bdf_format(d->bdf, address);
	if (d->writes > 0 || (d->has_override && !is_late))
		return wrong("%s: no rule names it, but it was written to", address);
	/* What it has is from before. */
	if (is_late)
		return NULL;
	if (has_wanted(d))
		return wrong("%s: no rule names it, but it is on " VFIO, address);
	return NULL;
}

static uint64_t time_allowed(const struct run *run)
{
	const struct policy *policy = &run->policy;
	uint64_t time = policy->timeout * (uint64_t)FAKE_SECOND + VERIFY_TIME + SLACK;

	for (size_t i = 0; run->report.plan && i < run->plan.device_count; i++) {
		const struct outcome *o = &run->report.outcomes[i];

		time += GIVE_BACK_TIME;
		/* Another driver had it: at the start, or when its turn came. */
		if (o->before[0] != '\0' || o->has_waited)
			time += policy->recovery_timeout * (uint64_t)FAKE_SECOND;
	}
	return time;
}

const char *fake_check(struct fake_world *w, const struct fake_boot *boot)
{
	const struct report *report = &boot->run.report;
	bool is_all_bound = true;

	if (boot->end - boot->start > time_allowed(&boot->run))
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
		message = o ? check_outcome(w, o, d) : check_bystander(d, boot->is_late);
		if (message)
			return message;
		if (o && o->plan->action != ACTION_KEEP && o->verdict != VERDICT_BOUND)
			is_all_bound = false;
	}
	if (boot->code == EXIT_ALL_BOUND && !is_all_bound)
		return wrong("not all is bound, but the exit code is 0");
	if (boot->code == EXIT_ALL_BOUND && report->reason != REASON_NONE)
		return wrong("%s, but the exit code is 0", reason_word(report->reason));
	return NULL;
}
