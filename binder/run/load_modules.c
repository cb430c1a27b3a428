/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "load_modules.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "driver.h"
#include "module_error.h"

#define SYSFS_MODULES "module"
#define DRIVER_PREFIX "pci:"

static bool is_pending(const struct outcome *o)
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

int loading_check(struct outcome *o)
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

void loading_run(struct steps *s, struct text ids)
{
	const struct text none = {NULL, 0};
	struct report *report = s->report;
	struct outcome *o, *end = report->outcomes + report->plan->device_count;
	const char *vfio_pci = DEFAULT_DRIVER;
	struct module_outcome *vfio = NULL;
	struct outcome failed = {.wanted = DEFAULT_DRIVER};
	bool is_in_vain = true;

	for (o = report->outcomes; o < end && !vfio; o++) {
		if (!is_pending(o) || !driver_is_vfio(o->wanted))
			continue;
		/*
		 * First, so that the IOMMU backend is there when a VM opens the group; on
		 * machines whose backend is another one it is missing, which is fine.
		 */
		(void)load(s, "vfio_iommu_type1", none);
		vfio = load_driver(s, &vfio_pci, ids);
	}
	for (o = report->outcomes; o < end; o++) {
		if (!is_pending(o))
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
