/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "late_reports.h"

#include <errno.h>
#include <string.h>

#include "paths.h"

struct listing {
	struct arena *arena;
	const char **names; /* NULL: only count */
	size_t count;
	size_t max;
	int error;
};

static int add_name(void *arg, const char *name)
{
	static const char suffix[] = ".json";
	struct listing *l = arg;
	size_t n = strlen(name);

	if (name[0] == '.' || n < sizeof(suffix) ||
	    strcmp(name + n - (sizeof(suffix) - 1), suffix) != 0)
		return 0;
	if (l->count == l->max)
		return 1;
	if (l->names) {
		l->names[l->count] =
			arena_printf(l->arena, "%s/%s", DEVICE_REPORTS_FOLDER, name);
		if (!l->names[l->count])
			return l->error = -ENOMEM;
	}
	l->count++;
	return 0;
}

static void add_problem(struct arena *arena, struct boot *boot, const char *name,
			const char *message)
{
	const char *origin = arena_printf(arena, RUN_PREFIX "%s", name);

	boot->problems[boot->problem_count++] =
		(struct boot_problem){origin ? origin : name, "report",
				      message[0] ? message : "cannot be read"};
	boot->has_loss = true;
}

/* Keeps the order of addresses. */
static void add_device(struct boot *boot, const struct boot_device *device)
{
	size_t at = 0;

	while (at < boot->device_count &&
	       bdf_compare(boot->devices[at].bdf, device->bdf) < 0)
		at++;
	if (at == boot->device_count ||
	    bdf_compare(boot->devices[at].bdf, device->bdf) != 0) {
		memmove(&boot->devices[at + 1], &boot->devices[at],
			(boot->device_count - at) * sizeof(*boot->devices));
		boot->device_count++;
	}
	boot->devices[at] = *device;
	boot->devices[at].is_late = true;
}

static void drop_missing(struct boot *boot, const struct boot_device *device)
{
	size_t left = 0;

	for (size_t i = 0; i < boot->missing_count; i++)
		if (strcmp(boot->missing[i].text, device->rule) != 0 ||
		    strcmp(boot->missing[i].origin, device->origin) != 0)
			boot->missing[left++] = boot->missing[i];
	boot->missing_count = left;
}

static int list_reports(struct world *world, struct listing *l)
{
	int r = world->ops->list(world, WORLD_RUN, DEVICE_REPORTS_FOLDER, add_name, l);

	return l->error < 0 ? l->error : r == -ENOENT ? 0 : MIN(r, 0);
}

/* Room for @count more devices and problems. */
static int make_room(struct arena *arena, struct boot *boot, size_t count)
{
	struct boot_device *devices =
		arena_alloc(arena, boot->device_count + count, sizeof(*devices));
	struct boot_problem *problems =
		arena_alloc(arena, boot->problem_count + count, sizeof(*problems));

	if (!devices || !problems)
		return -ENOMEM;
	memcpy(devices, boot->devices, boot->device_count * sizeof(*devices));
	memcpy(problems, boot->problems, boot->problem_count * sizeof(*problems));
	boot->devices = devices;
	boot->problems = problems;
	return 0;
}

int late_reports_add(struct world *world, struct arena *arena, struct boot *boot)
{
	struct listing l = {.arena = arena, .max = LATE_REPORTS_MAX};
	int r = list_reports(world, &l);

	if (r == 0 && l.count == 0)
		return 0;
	l.max = l.count;
	l.count = 0;
	l.names = arena_alloc(arena, l.max + 1, sizeof(*l.names));
	if (!l.names || make_room(arena, boot, l.max + 1) < 0)
		return -ENOMEM;
	if (r == 0)
		r = list_reports(world, &l);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		add_problem(arena, boot, DEVICE_REPORTS_FOLDER, "");
	for (size_t i = 0; i < l.count; i++) {
		const char *message = "";
		struct boot one;

		r = boot_read_report(world, WORLD_RUN, l.names[i], arena, &one, &message);
		if (r == -ENOMEM)
			return r;
		if (r < 0 || one.device_count != 1) {
			add_problem(arena, boot, l.names[i],
				    r < 0 ? message : one.message);
			continue;
		}
		add_device(boot, &one.devices[0]);
		drop_missing(boot, &one.devices[0]);
	}
	return 0;
}
