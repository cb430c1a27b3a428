/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The modules of the fake machine: what is in the image, what they bring, and what that is for. */
#include "fake_jobs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "modalias.h"
#include "vfio_ids.h"
#include "inventory.h"
#include "variant.h"

struct fake_module *fake_find_module(struct fake_world *w, const char *name)
{
	for (size_t i = 0; i < FAKE_MODULES_MAX; i++)
		if (w->modules[i].name && strcmp(w->modules[i].name, name) == 0)
			return &w->modules[i];
	return NULL;
}

struct fake_module *fake_add_module(struct fake_world *w, const char *name,
				    const char *driver, bool is_vfio)
{
	for (size_t i = 0; i < FAKE_MODULES_MAX; i++) {
		struct fake_module *m = &w->modules[i];

		if (m->name)
			continue;
		*m = (struct fake_module){
			.name = name, .state = MODULE_IS_FILE, .time = 2000};
		m->driver = driver ? fake_add_driver(&w->bus, driver, name) : NULL;
		if (m->driver)
			m->driver->is_vfio = is_vfio;
		return m;
	}
	fake_abort("more than %d modules", FAKE_MODULES_MAX);
}

/*
 * drivers/base/module.c: module_add_driver(): a link "BUS:DRIVER", made before the driver
 * probes; the folder is the module's, whose '-' are '_'.
 */
int fake_list_module(struct fake_world *w, const char *name,
		     int (*each)(void *arg, const char *name), void *arg)
{
	char entry[FAKE_NAME_SIZE + 4];
	int r = -ENOENT;

	for (size_t i = 0; i < FAKE_MODULES_MAX && r <= 0; i++) {
		const struct fake_module *m = &w->modules[i];

		if (!m->name || strcmp(m->name, name) != 0 || !m->driver ||
		    m->driver->state == DRIVER_ABSENT)
			continue;
		/* What else it may have. */
		r = each(arg, "platform:other");
		snprintf(entry, sizeof(entry), "pci:%s", m->driver->name);
		r = r ? r : each(arg, entry);
	}
	return r;
}

static bool is_in_image(void *arg, const char *module)
{
	const struct fake_module *m = fake_find_module(arg, module);

	return m && m->state != MODULE_IS_MISSING;
}

void fake_find_variant(struct fake_world *w, struct job_result *ret)
{
	char name[DRIVER_NAME_SIZE];
	struct pci_ids ids;

	if (modalias_parse(text_of(w->current.value), &ids) < 0)
		fake_abort("a variant for %s", w->current.value);
	ret->error = variant_find(text_of(w->aliases ? w->aliases : ""), &ids,
				  is_in_image, w, name);
	if (ret->error < 0)
		return;
	ret->length = (uint32_t)strlen(name);
	memcpy(ret->text, name, ret->length);
}

void fake_show_module(const struct fake_module *m, struct job_result *ret)
{
	ret->length = (uint32_t)strlen(m->file);
	memcpy(ret->text, m->file, ret->length);
	ret->is_damaged = m->is_damaged;
	if (m->built_for)
		snprintf(ret->built_for, sizeof(ret->built_for), "%s", m->built_for);
}

/* What vfio_pci makes of its ids=. */
static void take_ids(struct fake_driver *driver, const char *ids)
{
	struct text rest = text_of(ids);
	struct ids_entry entry;

	while (ids_next(&rest, &entry) && driver->new_id_count < FAKE_IDS_MAX)
		if (entry.warning != IDS_INVALID)
			driver->new_ids[driver->new_id_count++] = entry.match;
}

void fake_start_load(struct fake_world *w, const char *name)
{
	struct fake_module *m = fake_find_module(w, name);
	bool is_file = m && m->state == MODULE_IS_FILE;

	w->was_live = m && m->state == MODULE_IS_LIVE;
	fake_trace(w, "load %s%s%s\n", name, w->current.ids[0] ? " ids=" : "",
		   w->current.ids);
	/* What is left of a rule's driver= that was cut may be any name. */
	if (!m && w->fault_count == 0 && !w->may_want_any_module)
		fake_abort("unknown module: %s", name);
	if (!m || m->state == MODULE_IS_MISSING) {
		fake_answer(w, 50, -ENOENT);
	} else if (m->error || m->time == FAKE_FOREVER || m->state != MODULE_IS_FILE ||
		   !m->driver) {
		fake_answer(w, m->time, m->error);
	} else {
		m->state = MODULE_IS_LIVE;
		take_ids(m->driver, w->current.ids);
		w->job = fake_start(&w->bus, OP_REGISTER, NULL, m->driver);
	}
	w->job->is_load = is_file;
}
