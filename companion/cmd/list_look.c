/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a function is shown with. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "facts.h"
#include "group.h"
#include "hotplug.h"
#include "list.h"
#include "plan.h"

#define ATTRIBUTE_SIZE 4096

/* An attribute that may be missing: "". */
static const char *read_attribute(struct list *l, const struct pci_device *d,
				  const char *name)
{
	char path[JOB_PATH_SIZE], buf[ATTRIBUTE_SIZE];
	const char *copy;
	struct text t;

	if (world_read_text(l->world, WORLD_SYS, inventory_attribute(d->bdf, name, path),
			    buf, sizeof(buf), &t) < 0 ||
	    t.n == 0)
		return "";
	copy = arena_copy(l->arena, t);
	return copy ? copy : "";
}

/*
 * Without one the kernel shows "(null)" (drivers/pci/pci-sysfs.c: driver_override_show()). Before
 * 7.0 it takes the device's lock, which a driver that hangs in its remove() has for ever.
 */
static const char *read_override(struct list *l, const struct pci_device *d)
{
	const char *text = late_find(l->world, d->bdf, &d->ids) == LATE_STUCK
				   ? ""
				   : read_attribute(l, d, "driver_override");

	return strcmp(text, "(null)") == 0 ? "" : text;
}

static unsigned read_revision(struct list *l, const struct pci_device *d)
{
	struct text t = text_of(read_attribute(l, d, "revision"));
	uint64_t value;

	if (!text_has_prefix(t, "0x"))
		return 0;
	t.p += 2;
	t.n -= 2;
	return text_hex(t, 0xff, &value) < 0 ? 0 : (unsigned)value;
}

static bool read_physical(struct list *l, const struct pci_device *d, struct bdf *ret)
{
	char path[JOB_PATH_SIZE], address[BDF_SIZE];

	return l->world->ops->link(l->world, WORLD_SYS,
				   inventory_attribute(d->bdf, "physfn", path), address,
				   sizeof(address)) >= 0 &&
	       bdf_parse(text_of(address), ret) == 0;
}

bool list_has_match(struct list *l, const struct selector *selector, struct pci_device *d)
{
	unsigned open;

	while ((open = selector_open_facts(selector, d)) != 0) {
		int r = identity_learn(&l->identity, d, open);

		if (r < 0)
			l->serial_error = r;
	}
	return selector_has_match(selector, d);
}

bool list_is_blocker(const struct pci_device *d)
{
	return d->driver[0] != '\0' && !driver_is_group_friendly(d->driver);
}

/* Without any names there are just the numbers. */
static const char *join_names(struct list *l, unsigned vendor, const char *device,
			      unsigned number)
{
	const char *name = names_vendor(l->names, vendor, l->arena), *text;

	if (!l->names)
		text = arena_printf(l->arena, "[%04x:%04x]", vendor, number);
	else
		text = arena_printf(l->arena, "%s%s%s [%04x:%04x]", name ? name : "",
				    name ? " " : "", name && device ? device : "Device",
				    vendor, number);
	return text ? text : "";
}

static struct kind *make_kind(struct list *l, const struct pci_ids *ids)
{
	struct kind *kind = arena_alloc(l->arena, 1, sizeof(*kind));
	bool has_subsystem = (ids->subvendor != 0 || ids->subdevice != 0) &&
			     (ids->subvendor != 0xffff || ids->subdevice != 0xffff);

	if (!kind)
		return NULL;
	kind->ids = *ids;
	kind->class = names_class(l->names, ids, l->arena);
	kind->vendor_name = names_vendor(l->names, ids->vendor, l->arena);
	kind->device_name = names_device(l->names, ids, l->arena);
	kind->name = join_names(l, ids->vendor, kind->device_name, ids->device);
	if (has_subsystem)
		kind->subsystem = join_names(l, ids->subvendor,
					     names_subsystem(l->names, ids, l->arena),
					     ids->subdevice);
	kind->modules = modules_find(l->modules, ids);
	return kind;
}

static const struct kind *find_kind(struct list *l, const struct pci_ids *ids)
{
	static const struct module_names no_modules;
	static const struct kind unknown = {.name = "", .modules = &no_modules};
	struct kind **bucket = &l->kinds[ids_hash(ids) % KIND_BUCKETS], *kind;

	for (kind = *bucket; kind; kind = kind->next)
		if (ids_is_same(&kind->ids, ids))
			return kind;
	kind = make_kind(l, ids);
	if (!kind)
		return &unknown;
	kind->next = *bucket;
	*bucket = kind;
	return kind;
}

void list_look(struct list *l, struct listed *item)
{
	struct pci_device *d = item->device;

	if (item->is_read)
		return;
	item->is_read = true;
	inventory_enter(l->world, d->bdf);
	item->override = read_override(l, d);
	item->resets = read_attribute(l, d, "reset_method");
	item->revision = read_revision(l, d);
	item->is_virtual = l->has_virtual && read_physical(l, d, &item->physical);
	item->virtual_count = d->vf_count;
	item->names = identity_names(&l->identity, d);
	item->twins = identity_twins(&l->identity, d);
	item->kind = find_kind(l, &d->ids);
	item->usages = usages_find(&l->usages, d->bdf, &item->usage_count);
}
