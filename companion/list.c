/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind list: the PCI functions by IOMMU group. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "inventory.h"
#include "message.h"
#include "modules.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "reason.h"

#define ATTRIBUTE_SIZE 4096
#define INDENT	       16 /* of what is behind an address */

struct list {
	const char *sysroot;
	const char *pci_ids;
	bool is_json;

	struct arena *arena;
	struct world *world;
	struct inventory inventory;
	struct names *names;
	struct modules *modules;
};

/* An attribute that may be missing: "". */
static const char *read_attribute(struct list *l, const struct pci_device *d,
				  const char *name)
{
	char path[JOB_PATH_SIZE], buf[ATTRIBUTE_SIZE], address[BDF_SIZE];
	const char *copy;
	struct text t;

	snprintf(path, sizeof(path), SYSFS_PCI_DEVICES "/%s/%s",
		 bdf_format(d->bdf, address), name);
	if (world_read_text(l->world, WORLD_SYS, path, buf, sizeof(buf), &t) < 0)
		return "";
	copy = arena_copy(l->arena, t);
	return copy ? copy : "";
}

/* Without one the kernel shows "(null)" (drivers/pci/pci-sysfs.c: driver_override_show()). */
static const char *read_override(struct list *l, const struct pci_device *d)
{
	const char *text = read_attribute(l, d, "driver_override");

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

static bool has_subsystem(const struct pci_ids *ids)
{
	return (ids->subvendor != 0 || ids->subdevice != 0) &&
	       (ids->subvendor != 0xffff || ids->subdevice != 0xffff);
}

/* "Vendor name ", "Vendor Device ", "Device ", or "" where there are no names at all. */
static const char *join_names(struct list *l, const char *vendor, const char *device)
{
	const char *text = "";

	if (l->names)
		text = arena_printf(l->arena, "%s%s%s ", vendor ? vendor : "",
				    vendor ? " " : "",
				    vendor && device ? device : "Device");
	return text ? text : "";
}

static const char *join_modules(struct list *l, const struct module_names *modules)
{
	const char *text = "";

	for (size_t i = 0; i < modules->count && text; i++)
		text = arena_printf(l->arena, "%s%s%s", text, i == 0 ? "" : ", ",
				    modules->names[i]);
	return text ? text : "";
}

static void put_device(struct list *l, const struct pci_device *d)
{
	const struct pci_ids *ids = &d->ids;
	const char *class = names_class(l->names, ids, l->arena);
	const char *modules = join_modules(l, modules_find(l->modules, ids));
	const char *override = read_override(l, d);
	unsigned revision = read_revision(l, d);
	const char *vendor;
	struct paragraph p = {stdout, INDENT, INDENT, false};
	char address[BDF_SIZE], rev[16] = "";

	if (revision > 0)
		snprintf(rev, sizeof(rev), " (rev %02x)", revision);
	printf("  %-*s ", INDENT - 3, bdf_format(d->bdf, address));
	vendor = names_vendor(l->names, ids->vendor, l->arena);
	paragraph_add(&p, "%s [%04x]: %s[%04x:%04x]%s", class ? class : "",
		      ids->class >> 8,
		      join_names(l, vendor, names_device(l->names, ids, l->arena)),
		      ids->vendor, ids->device, rev);
	paragraph_end(&p);
	vendor = names_vendor(l->names, ids->subvendor, l->arena);
	if (has_subsystem(ids))
		paragraph_line(
			stdout, INDENT, "subsystem: %s[%04x:%04x]",
			join_names(l, vendor, names_subsystem(l->names, ids, l->arena)),
			ids->subvendor, ids->subdevice);
	paragraph_line(stdout, INDENT, "driver: %s%s%s%s%s",
		       d->driver[0] ? d->driver : "none",
		       override[0] ? "; override: " : "", override,
		       modules[0] ? "; modules: " : "", modules);
}

/* Groups in the order of their numbers, then the functions without one. */
static int compare_groups(const void *a, const void *b)
{
	const struct pci_device *x = a, *y = b;

	if (x->iommu_group == y->iommu_group)
		return bdf_compare(x->bdf, y->bdf);
	if (x->iommu_group == NO_GROUP || y->iommu_group == NO_GROUP)
		return x->iommu_group == NO_GROUP ? 1 : -1;
	return x->iommu_group < y->iommu_group ? -1 : 1;
}

static void put_group(const struct list *l, int group)
{
	char message[REASON_MESSAGE_SIZE];

	if (group != NO_GROUP)
		printf("IOMMU group %d\n", group);
	else if (l->inventory.has_iommu)
		puts("no IOMMU group");
	else
		paragraph_line(stdout, 0, "no IOMMU group: %s",
			       reason_message(REASON_IOMMU_OFF, NULL, message));
}

static int print_text(struct list *l)
{
	struct pci_device *devices = l->inventory.devices;
	size_t count = l->inventory.count;

	qsort(devices, count, sizeof(*devices), compare_groups);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || devices[i].iommu_group != devices[i - 1].iommu_group)
			put_group(l, devices[i].iommu_group);
		put_device(l, &devices[i]);
	}
	if (count == 0)
		puts("there are no PCI functions");
	return EXIT_OK;
}

static void write_device(struct list *l, const struct pci_device *d, struct json *json)
{
	const struct module_names *modules = modules_find(l->modules, &d->ids);
	const char *override = read_override(l, d);
	char address[BDF_SIZE];

	json_open(json, NULL, '{');
	json_put_string(json, "address", bdf_format(d->bdf, address));
	json_put_hex(json, "vendor", d->ids.vendor, 4);
	json_put_hex(json, "device", d->ids.device, 4);
	json_put_hex(json, "subsystem_vendor", d->ids.subvendor, 4);
	json_put_hex(json, "subsystem_device", d->ids.subdevice, 4);
	json_put_hex(json, "class", d->ids.class, 6);
	json_put_hex(json, "revision", read_revision(l, d), 2);
	json_put_string(json, "vendor_name",
			names_vendor(l->names, d->ids.vendor, l->arena));
	json_put_string(json, "device_name", names_device(l->names, &d->ids, l->arena));
	json_put_string(json, "class_name", names_class(l->names, &d->ids, l->arena));
	json_put_string(json, "driver", d->driver[0] ? d->driver : NULL);
	json_put_string(json, "driver_override", override[0] ? override : NULL);
	if (d->iommu_group == NO_GROUP)
		json_put_null(json, "iommu_group");
	else
		json_put_number(json, "iommu_group", d->iommu_group);
	json_open(json, "modules", '[');
	for (size_t i = 0; i < modules->count; i++)
		json_put_string(json, NULL, modules->names[i]);
	json_close(json, ']');
	json_close(json, '}');
}

static int print_json(struct list *l)
{
	struct json json;

	if (begin_json(l->arena, l->inventory.count, &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_open(&json, "devices", '[');
	for (size_t i = 0; i < l->inventory.count; i++)
		write_device(l, &l->inventory.devices[i], &json);
	json_close(&json, ']');
	json_close(&json, '}');
	return end_json(&json);
}

/* What is missing for a whole picture is said, but it is no failure. */
static int open_sources(struct list *l)
{
	const char *release;
	int r;

	r = names_open(l->arena, l->sysroot, l->pci_ids, &l->names);
	if (r < 0 && l->pci_ids) {
		say_error("%s: it cannot be read: %s", l->pci_ids, errno_text(r));
		return r;
	}
	if (r < 0 && !l->is_json)
		say_error(
			"there is no pci.ids, so there are no names: install the package "
			"pci.ids, or name the file with --pci-ids");
	r = modules_open(l->world, l->arena, l->sysroot, &release, &l->modules);
	if (r < 0 && !l->is_json)
		say_error("no modules are known for the kernel %s: %s",
			  release[0] ? release : "of this tree", errno_text(r));
	return 0;
}

static int list(struct list *l)
{
	char message[REASON_MESSAGE_SIZE];
	size_t unread;
	int r;

	if (open_world(l->sysroot, &l->world) < 0)
		return EXIT_FAILED;
	r = inventory_read(l->world, l->arena, NULL, NULL, &l->inventory);
	if (r < 0) {
		say_error("%s",
			  reason_message(r == -ENOMEM ? REASON_LIMIT : REASON_NO_SYSFS,
					 r == -ENOMEM ? "memory for devices"
						      : errno_text(r),
					 message));
		return EXIT_FAILED;
	}
	if (l->inventory.is_cut)
		say_error("only the first %d functions are shown", FUNCTIONS_MAX);
	unread = l->inventory.function_count - l->inventory.count;
	if (unread > 0)
		say_error("%zu function%s could not be read", unread, plural(unread));
	if (open_sources(l) < 0)
		return EXIT_FAILED;
	return l->is_json ? print_json(l) : print_text(l);
}

int command_list(int argc, char **argv, struct arena *arena)
{
	static struct list l;
	const struct option_spec options[] = {
		{"json", NULL, "print JSON for scripts", .ret_flag = &l.is_json},
		{"pci-ids", "FILE", "take the names from FILE", .ret_string = &l.pci_ids},
		{"sysroot", "DIR", "read the tree below DIR, not this machine",
		 .ret_string = &l.sysroot},
	};
	const struct command_spec spec = {
		.name = "list",
		.synopsis = "[OPTION...]",
		.text = "Lists the PCI functions by IOMMU group, each with its class, name and "
			"[vendor:device], its subsystem, the driver that has it, its "
			"driver_override, and the modules that could drive it. A VM can use a "
			"group only if no driver of the host has a part of it.\n"
			"\n"
			"exit code: 0 done; 1 there is no PCI bus, or a file cannot be read; 2 "
			"wrong usage\n",
		.example = "earlybind list --json | jq '.devices[] | select(.vendor == "
			   "\"10ee\")'",
		.options = options,
		.option_count = ARRAY_SIZE(options),
	};
	int code;

	l = (struct list){.arena = arena};
	return options_parse(&spec, argc, argv, &code) ? list(&l) : code;
}
