/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices for monitoring and scripts: Prometheus, JSON. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "boot_device.h"
#include "sentences.h"
#include "machine_check.h"
#include "export.h"
#include "command_output.h"

/* Prometheus exposition format: in a label, a backslash before these. */
#define LABEL_SPECIAL "\\\""

static void put_head(const char *name, const char *help)
{
	printf("# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static bool is_of_interest(const struct exporter *e, const struct pci_device *d)
{
	const struct boot_device *b = boot_find(&e->boot, d->bdf);

	return selection_has_match(&e->selection, d) &&
	       (device_is_on_vfio(d) || (b && strcmp(b->action, "keep") != 0));
}

/* A device that is gone is not bound either. */
static void put_gone(const struct exporter *e)
{
	for (size_t i = 0; i < e->boot.device_count; i++) {
		const struct boot_device *b = &e->boot.devices[i];
		char address[BDF_SIZE];

		if (inventory_find(&e->now, b->bdf) || e->device_words.count > 0)
			continue;
		printf("earlybind_device_bound{address=\"%s\",id=\"",
		       bdf_format(b->bdf, address));
		export_put(b->id, LABEL_SPECIAL);
		fputs("\",verdict=\"", stdout);
		export_put(b->verdict, LABEL_SPECIAL);
		fputs("\"} 0\n", stdout);
	}
}

static int put_groups(struct exporter *e)
{
	for (size_t i = 0; i < e->now.count; i++) {
		const struct pci_device *d = &e->now.devices[i];
		bool is_viable, is_first = true;
		int r;

		if (d->iommu_group == NO_GROUP || !is_of_interest(e, d))
			continue;
		for (size_t k = 0; k < i && is_first; k++)
			is_first = e->now.devices[k].iommu_group != d->iommu_group ||
				   !is_of_interest(e, &e->now.devices[k]);
		if (!is_first)
			continue;
		r = export_is_viable(e, d->iommu_group, &is_viable);
		if (r < 0)
			return r;
		printf("earlybind_group_viable{group=\"%d\"} %d\n", d->iommu_group,
		       is_viable);
	}
	return 0;
}

static bool is_boot_ok(const struct exporter *e)
{
	for (size_t i = 0; i < e->boot.device_count; i++)
		if (!boot_device_is_well(&e->boot.devices[i], &e->now))
			return false;
	return !e->boot.is_dry_run && e->boot.missing_count == 0;
}

int export_prometheus(struct exporter *e)
{
	int r;

	put_head("earlybind_device_bound", "Whether vfio-pci has the device now.");
	for (size_t i = 0; i < e->now.count; i++) {
		const struct pci_device *d = &e->now.devices[i];
		const struct boot_device *b = boot_find(&e->boot, d->bdf);
		char address[BDF_SIZE], id[ID_SIZE];

		if (!is_of_interest(e, d))
			continue;
		printf("earlybind_device_bound{address=\"%s\",id=\"%s\",verdict=\"",
		       bdf_format(d->bdf, address), format_id(&d->ids, id));
		export_put(b ? b->verdict : "", LABEL_SPECIAL);
		printf("\"} %d\n", device_is_on_vfio(d));
	}
	put_gone(e);
	put_head("earlybind_group_viable", "Whether a VM can use the IOMMU group now.");
	r = put_groups(e);
	if (r < 0)
		return r;
	/* Without a report there was nothing to do, or it is not known. */
	if (!e->has_boot)
		return 0;
	put_head("earlybind_boot_ok",
		 "Whether all devices are as the rules of this boot want them.");
	printf("earlybind_boot_ok %d\n", is_boot_ok(e));
	return 0;
}

int export_json(struct exporter *e)
{
	struct json json;
	int r = begin_json(e->arena, e->count, &json);

	if (r < 0)
		return r;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_open(&json, "devices", '[');
	for (size_t i = 0; i < e->count; i++) {
		const struct pci_device *d = e->devices[i];
		bool is_viable = false;
		char address[BDF_SIZE], id[ID_SIZE];

		if (d->iommu_group != NO_GROUP)
			r = export_is_viable(e, d->iommu_group, &is_viable);
		if (r < 0)
			return r;
		json_open(&json, NULL, '{');
		json_put_string(&json, "address", bdf_format(d->bdf, address));
		json_put_string(&json, "id", format_id(&d->ids, id));
		json_put_hex(&json, "class", d->ids.class, 6);
		json_put_string(&json, "name", export_name(e, d));
		json_put_string(&json, "driver", d->driver);
		if (d->iommu_group == NO_GROUP)
			json_put_null(&json, "iommu_group");
		else
			json_put_number(&json, "iommu_group", d->iommu_group);
		json_put_bool(&json, "viable", is_viable);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_close(&json, '}');
	return end_json(&json) == 0 ? 0 : -EIO;
}
