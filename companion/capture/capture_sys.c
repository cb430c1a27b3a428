/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of a recording that is below /sys. */
#include <stdio.h>
#include <string.h>

#include "bdf.h"
#include "capture.h"
#include "hotplug.h"
#include "redact.h"

#define HEADER_SIZE 64 /* of a configuration space, which everybody may read */

/* Of a function. Reading them wakes no device. */
static const char *const attributes[] = {
	"ari_enabled",
	"boot_vga",
	"broken_parity_status",
	"class",
	"d3cold_allowed",
	"device",
	"driver_override",
	"enable",
	"irq",
	"label",
	"local_cpulist",
	"modalias",
	"msi_bus",
	"numa_node",
	"power/control",
	"power/runtime_status",
	"power_state",
	"removable",
	"reset_method",
	"resource",
	"revision",
	"secondary_bus_number",
	"serial_number",
	"sriov_drivers_autoprobe",
	"sriov_numvfs",
	"sriov_totalvfs",
	"subordinate_bus_number",
	"subsystem_device",
	"subsystem_vendor",
	"vendor",
};

static const char *const links[] = {"driver", "iommu", "iommu_group", "physfn"};

/* Beside the bus. */
static const char *const files[] = {
	"sys/class/dmi/id/bios_date",
	"sys/class/dmi/id/bios_version",
	"sys/class/dmi/id/board_name",
	"sys/class/dmi/id/board_vendor",
	"sys/class/dmi/id/product_name",
	"sys/class/dmi/id/sys_vendor",
	"sys/class/tty/console/active",
	"sys/firmware/acpi/tables/DMAR",
	"sys/firmware/acpi/tables/IORT",
	"sys/firmware/acpi/tables/IVRS",
	"sys/module/kvm/parameters/ignore_msrs",
	"sys/module/vfio/parameters/enable_unsafe_noiommu_mode",
	"sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
	"sys/module/vfio_pci/parameters/disable_denylist",
	"sys/module/vfio_pci/parameters/disable_idle_d3",
	"sys/module/vfio_pci/parameters/ids",
	"sys/power/resume",
};

static const char *const folders[] = {
	"sys/bus/pci/devices", "sys/firmware/efi",    "sys/kernel/iommu_groups",
	"sys/class/iommu",     "sys/module/vfio",     "sys/module/vfio_pci",
	"sys/module/kvm",      "sys/module/pci_stub", "sys/module/vfio_iommu_type1",
};

/*
 * Where the link @name leads, as a name of the tree: relative targets only, and none that
 * leaves /sys. NULL otherwise.
 */
static const char *resolve(struct capture *c, const char *name, const char *target)
{
	size_t n = strlen(name);
	struct text rest = text_of(target), part;
	const char *path;

	while (n > 0 && name[n - 1] != '/')
		n--;
	path = capture_print(c, "%.*s", (int)(n > 0 ? n - 1 : 0), name);
	while (text_cut(&rest, '/', &part)) {
		const char *slash = strrchr(path, '/');

		if (text_is(part, "..") && !slash)
			return NULL;
		if (text_is(part, ".."))
			path = capture_print(c, "%.*s", (int)(slash - path), path);
		else if (part.n > 0)
			path = capture_print(c, "%s/%.*s", path, (int)part.n, part.p);
	}
	return strncmp(path, "sys/", 4) == 0 ? path : NULL;
}

/* Puts the link, if it is one, and returns where its folder stands; NULL: it is not told. */
static const char *put_place(struct capture *c, const char *name)
{
	const char *target = capture_target(c, name);
	const char *place = target ? resolve(c, name, target) : name;

	if (!place)
		return NULL;
	if (target)
		capture_put_link(c, name, target);
	capture_put_dir(c, place);
	return place;
}

/* @from is where the file is read, @to where it is put. */
static void put_attribute(struct capture *c, const char *from, const char *to,
			  const char *attribute)
{
	char *p;
	size_t n;

	if (!capture_read(c, capture_print(c, "%s/%s", from, attribute), &p, &n))
		return;
	redact_text(p, n, c->has_serial);
	capture_put_file(c, capture_print(c, "%s/%s", to, attribute),
			 (struct text){p, n});
}

static void put_link(struct capture *c, const char *from, const char *to,
		     const char *name)
{
	const char *target = capture_target(c, capture_print(c, "%s/%s", from, name));

	if (target)
		capture_put_link(c, capture_print(c, "%s/%s", to, name), target);
}

/*
 * Reading a configuration space wakes the device (drivers/pci/pci-sysfs.c: pci_read_config()):
 * that of one that sleeps is left out.
 */
static bool is_awake(struct capture *c, const char *from)
{
	char *p;
	size_t n;

	return !capture_read(c, capture_print(c, "%s/power_state", from), &p, &n) ||
	       !text_has_prefix((struct text){p, n}, "D3");
}

static void put_config_space(struct capture *c, const char *from, const char *to,
			     bool is_named)
{
	char *p;
	size_t n;

	if (!is_awake(c, from) ||
	    !capture_read(c, capture_print(c, "%s/config", from), &p, &n))
		return;
	if (!is_named && n > HEADER_SIZE)
		n = HEADER_SIZE;
	if (!c->has_serial)
		redact_config_space((unsigned char *)p, n);
	capture_put_file(c, capture_print(c, "%s/config", to), (struct text){p, n});
}

static const struct pci_device *find_named(const struct capture *c, const char *address)
{
	struct bdf bdf;

	if (!c->named || bdf_parse(text_of(address), &bdf) < 0)
		return NULL;
	return inventory_find(c->named, bdf);
}

/* Some attributes take the device's lock, which a driver that hangs has for ever. */
static bool can_wait_for_ever(struct capture *c, const struct pci_device *d,
			      const char *attribute)
{
	return d &&
	       (strcmp(attribute, "driver_override") == 0 ||
		strcmp(attribute, "sriov_numvfs") == 0) &&
	       late_find(c->world, d->bdf, &d->ids) == LATE_STUCK;
}

static void put_function(struct capture *c, const char *address)
{
	const char *from = capture_print(c, "sys/bus/pci/devices/%s", address);
	const struct pci_device *d = find_named(c, address);
	const char *to = put_place(c, from);
	struct capture_names names;

	if (!to)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		if (!can_wait_for_ever(c, d, attributes[i]))
			put_attribute(c, from, to, attributes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		put_link(c, from, to, links[i]);
	put_config_space(c, from, to, d && d->is_interesting);
	if (!capture_has(c, capture_print(c, "%s/sriov_totalvfs", from)))
		return;
	names = capture_list(c, from);
	for (size_t i = 0; i < names.count; i++)
		if (strncmp(names.items[i], "virtfn", strlen("virtfn")) == 0)
			put_link(c, from, to, names.items[i]);
}

static void put_group(struct capture *c, const char *id)
{
	const char *group = capture_print(c, "sys/kernel/iommu_groups/%s", id);
	const char *devices = capture_print(c, "%s/devices", group);
	struct capture_names names = capture_list(c, devices);

	put_attribute(c, group, group, "reserved_regions");
	put_attribute(c, group, group, "type");
	capture_put_dir(c, devices);
	for (size_t i = 0; i < names.count; i++)
		put_link(c, devices, devices, names.items[i]);
}

static void put_driver(struct capture *c, const char *name)
{
	const char *driver = capture_print(c, "sys/bus/pci/drivers/%s", name);

	capture_put_dir(c, driver);
	put_link(c, driver, driver, "module");
}

static void put_slot(struct capture *c, const char *name)
{
	const char *slot = capture_print(c, "sys/bus/pci/slots/%s", name);

	put_attribute(c, slot, slot, "address");
}

static void put_iommu(struct capture *c, const char *name)
{
	static const char *const wanted[] = {
		"amd-iommu/cap",    "amd-iommu/features",  "intel-iommu/cap",
		"intel-iommu/ecap", "intel-iommu/version",
	};
	const char *from = capture_print(c, "sys/class/iommu/%s", name);
	const char *to = put_place(c, from);

	for (size_t i = 0; to && i < ARRAY_SIZE(wanted); i++)
		put_attribute(c, from, to, wanted[i]);
}

/* Whether it is, or stands on, what a PCI function has: the rest says nothing about them. */
static bool is_told(const char *place, const struct capture_names *inside)
{
	struct text rest = text_of(place), part;
	struct bdf bdf;

	while (text_cut(&rest, '/', &part))
		if (bdf_parse(part, &bdf) == 0)
			return true;
	for (size_t i = 0; i < inside->count; i++)
		if (strncmp(inside->items[i], "lower_", strlen("lower_")) == 0 ||
		    strcmp(inside->items[i], "slaves") == 0)
			return true;
	return false;
}

static void put_interface(struct capture *c, const char *name)
{
	static const char *const wanted[] = {"flags", "carrier", "operstate"};
	const char *from = capture_print(c, "sys/class/net/%s", name);
	const char *target = capture_target(c, from);
	struct capture_names inside = capture_list(c, from);
	const char *to;

	if (strncmp(name, "veth", 4) == 0 || !is_told(target ? target : from, &inside))
		return;
	to = put_place(c, from);
	for (size_t i = 0; to && i < ARRAY_SIZE(wanted); i++)
		put_attribute(c, from, to, wanted[i]);
	for (size_t i = 0; to && i < inside.count; i++)
		if (strncmp(inside.items[i], "upper_", 6) == 0 ||
		    strncmp(inside.items[i], "lower_", 6) == 0)
			capture_put_dir(c,
					capture_print(c, "%s/%s", to, inside.items[i]));
}

/* Names in the device mapper are often those of hosts and people. */
static void put_map(struct capture *c, const char *block, const char *from,
		    const char *to)
{
	struct capture_alias *alias;
	struct text name;
	size_t n;
	char *p;

	if (!capture_read(c, capture_print(c, "%s/dm/name", from), &p, &n))
		return;
	alias = arena_alloc(c->arena, 1, sizeof(*alias));
	if (!alias) {
		c->is_full = true;
		return;
	}
	name = text_trim((struct text){p, n});
	*alias = (struct capture_alias){
		.name = capture_print(c, "%.*s", (int)name.n, name.p),
		.shown = capture_print(c, "%s", block),
		.next = c->maps,
	};
	c->maps = alias;
	capture_put_file(c, capture_print(c, "%s/dm/name", to),
			 text_of(capture_print(c, "%s\n", block)));
}

static void put_block(struct capture *c, const char *name)
{
	const char *from = capture_print(c, "sys/class/block/%s", name);
	const char *target = capture_target(c, from);
	struct capture_names inside = {0};
	const char *to;

	if (strncmp(name, "loop", 4) == 0 || strncmp(name, "ram", 3) == 0)
		return;
	if (!target || strstr(target, "/virtual/"))
		inside = capture_list(c, from);
	if (!is_told(target ? target : from, &inside))
		return;
	to = put_place(c, from);
	if (!to)
		return;
	put_attribute(c, from, to, "dev");
	put_map(c, name, from, to);
	inside = capture_list(c, capture_print(c, "%s/slaves", from));
	for (size_t i = 0; i < inside.count; i++)
		capture_put_dir(c, capture_print(c, "%s/slaves/%s", to, inside.items[i]));
}

static void put_display(struct capture *c, const char *name)
{
	const char *from = capture_print(c, "sys/class/drm/%s", name);
	const char *to = strncmp(name, "card", 4) == 0 ? put_place(c, from) : NULL;

	if (to)
		put_attribute(c, from, to, "status");
}

static void put_framebuffer(struct capture *c, const char *name)
{
	(void)put_place(c, capture_print(c, "sys/class/graphics/%s", name));
}

/* Which keys it has: whether it is a keyboard. */
static void put_input(struct capture *c, const char *name)
{
	const char *from = capture_print(c, "sys/class/input/%s", name);
	const char *to = strncmp(name, "input", 5) == 0 ? put_place(c, from) : NULL;

	if (to)
		put_attribute(c, from, to, "capabilities/key");
}

/* The members of a btrfs, whose UUID becomes a number. */
static void put_btrfs(struct capture *c)
{
	struct capture_names systems = capture_list(c, "sys/fs/btrfs");

	for (size_t i = 0; i < systems.count; i++) {
		struct capture_names devices = capture_list(
			c, capture_print(c, "sys/fs/btrfs/%s/devices", systems.items[i]));

		for (size_t k = 0; k < devices.count; k++)
			capture_put_dir(c, capture_print(c, "sys/fs/btrfs/%zu/devices/%s",
							 i + 1, devices.items[k]));
	}
}

void capture_sys(struct capture *c)
{
	static const struct {
		const char *folder;
		void (*put)(struct capture *c, const char *name);
	} parts[] = {
		{"sys/bus/pci/devices", put_function},
		{"sys/bus/pci/drivers", put_driver},
		{"sys/bus/pci/slots", put_slot},
		{"sys/kernel/iommu_groups", put_group},
		{"sys/class/iommu", put_iommu},
		{"sys/class/net", put_interface},
		{"sys/class/block", put_block},
		{"sys/class/drm", put_display},
		{"sys/class/graphics", put_framebuffer},
		{"sys/class/input", put_input},
	};

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (capture_has(c, folders[i]))
			capture_put_dir(c, folders[i]);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct capture_names names = capture_list(c, parts[i].folder);

		for (size_t k = 0; k < names.count; k++)
			parts[i].put(c, names.items[k]);
	}
	put_btrfs(c);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		capture_copy(c, files[i]);
}
