/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions for scripts. */
#include "commands.h"
#include "list.h"
#include "command_output.h"
#include "report.h"
#include "serial.h"

static const char *kind_name(enum usage_kind kind)
{
	switch (kind) {
	case USAGE_DISK:
		return "disk";
	case USAGE_NETWORK:
		return "network";
	case USAGE_DISPLAY:
		return "display";
	case USAGE_INPUT:
		return "input";
	case USAGE_VFIO:
		return "vfio";
	}
	return "";
}

static void write_usages(const struct listed *item, struct json *json)
{
	json_open(json, "used_by", '[');
	for (size_t i = 0; i < item->usage_count; i++) {
		const struct usage *u = &item->usages[i];

		json_open(json, NULL, '{');
		json_put_string(json, "kind", kind_name(u->kind));
		json_put_string(json, "name", u->name);
		json_put_string(json, "what", u->what);
		json_put_bool(json, "in_use", u->is_in_use);
		json_put_bool(json, "critical", u->is_critical);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void write_device(struct list *l, struct listed *item, struct json *json)
{
	char address[BDF_SIZE], path[PATH_SIZE], serial[SERIAL_SIZE];
	struct pci_device *d = item->device;
	struct text rest, word, slot;

	list_look(l, item);
	json_open(json, NULL, '{');
	json_put_string(json, "address", bdf_format(d->bdf, address));
	json_put_string(json, "path", d->has_path ? path_format(&d->path, path) : NULL);
	if (identity_slot(d, &slot))
		json_put_text(json, "slot", slot);
	else
		json_put_null(json, "slot");
	json_put_string(json, "serial",
			d->serial != 0 ? serial_format(d->serial, serial) : NULL);
	json_put_hex(json, "vendor", d->ids.vendor, 4);
	json_put_hex(json, "device", d->ids.device, 4);
	json_put_hex(json, "subsystem_vendor", d->ids.subvendor, 4);
	json_put_hex(json, "subsystem_device", d->ids.subdevice, 4);
	json_put_hex(json, "class", d->ids.class, 6);
	json_put_hex(json, "revision", item->revision, 2);
	json_put_string(json, "vendor_name", item->kind->vendor_name);
	json_put_string(json, "device_name", item->kind->device_name);
	json_put_string(json, "class_name", item->kind->class);
	json_put_string(json, "driver", d->driver[0] ? d->driver : NULL);
	json_put_string(json, "driver_override",
			item->override[0] ? item->override : NULL);
	if (d->iommu_group == NO_GROUP)
		json_put_null(json, "iommu_group");
	else
		json_put_number(json, "iommu_group", d->iommu_group);
	json_open(json, "modules", '[');
	for (size_t i = 0; i < item->kind->modules->count; i++)
		json_put_string(json, NULL, item->kind->modules->names[i]);
	json_close(json, ']');
	json_open(json, "reset_methods", '[');
	for (rest = text_of(item->resets); text_word(&rest, &word);)
		json_put_text(json, NULL, word);
	json_close(json, ']');
	list_write_accel(&d->ids, json);
	json_put_bool(json, "boot_vga", d->is_boot_vga);
	json_put_number(json, "virtual_functions", item->virtual_count);
	json_put_string(json, "physical_function",
			item->is_virtual ? bdf_format(item->physical, address) : NULL);
	write_usages(item, json);
	json_close(json, '}');
}

static void write_group(struct list *l, const struct list_group *g, struct json *json)
{
	char address[BDF_SIZE];

	json_open(json, NULL, '{');
	json_put_number(json, "id", g->id);
	json_put_bool(json, "viable", g->blocker_count == 0);
	json_open(json, "blockers", '[');
	for (size_t i = g->first; i < g->first + g->count; i++)
		if (list_is_blocker(l->by_group[i]->device))
			json_put_string(json, NULL,
					bdf_format(l->by_group[i]->device->bdf, address));
	json_close(json, ']');
	json_close(json, '}');
}

static bool has_shown(const struct list *l, const struct list_group *g)
{
	for (size_t i = g->first; i < g->first + g->count; i++)
		if (l->by_group[i]->is_shown)
			return true;
	return false;
}

int list_print_json(struct list *l)
{
	struct json json;

	if (begin_json(l->arena, l->inventory.count + l->usages.count, &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_open(&json, "devices", '[');
	for (size_t i = 0; i < l->inventory.count; i++)
		if (l->items[i].is_shown)
			write_device(l, &l->items[i], &json);
	json_close(&json, ']');
	json_open(&json, "groups", '[');
	for (size_t i = 0; i < l->group_count; i++)
		if (l->groups[i].id != NO_GROUP && has_shown(l, &l->groups[i]))
			write_group(l, &l->groups[i], &json);
	json_close(&json, ']');
	json_close(&json, '}');
	return end_json(&json);
}
