/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_lot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOT_FUNCTIONS 48 /* about */
#define GROUPS_MAX    12

struct kind {
	uint16_t vendor;
	struct {
		uint16_t device;
		uint32_t class;
	} functions[4];
	uint16_t vf; /* the device ID of its virtual functions; 0: it has none */
};

static const struct kind kinds[] = {
	{0x10ee, {{0x5000, 0x120000}, {0x5001, 0x120000}}, 0},
	{0x10ee, {{0x5000, 0x120000}, {0x5001, 0x120000}}, 0},
	{0x10de,
	 {{0x2489, 0x030000}, {0x228b, 0x040300}, {0x1ad6, 0x0c0330}, {0x1ad7, 0x0c8000}},
	 0},
	{0x10de, {{0x1eb8, 0x030200}}, 0x1eb9},
	{0x10de, {{0x1af1, 0x068000}}, 0}, /* NVSwitch: no bridge */
	{0x1002, {{0x73bf, 0x030000}, {0xab28, 0x040300}}, 0},
	{0x1a03, {{0x2000, 0x030000}}, 0},
	{0x1b36, {{0x0100, 0x038000}}, 0},
	{0x8086, {{0x10fb, 0x020000}, {0x10fb, 0x020000}}, 0x10ed},
	{0x8086, {{0x37c8, 0x0b4000}}, 0x37c9}, /* on vfio's denylist */
	{0x8086, {{0x09a2, 0x080600}}, 0}, /* an IOMMU */
	{0x8086, {{0x8d14, 0x060100}, {0x8d02, 0x010601}}, 0},
	{0x144d, {{0xa808, 0x010802}}, 0},
};

unsigned lot_draw(struct lot *lot, unsigned below)
{
	/* splitmix64: every seed is a good one. */
	uint64_t z = lot->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (unsigned)((z ^ z >> 31) % below);
}

static struct fake_device *add(struct lot *lot, struct bdf bdf, struct pci_ids ids,
			       int parent)
{
	char address[BDF_SIZE];

	lot->parents[lot->w->bus.device_count] = parent;
	lot->cards[lot->w->bus.device_count] = -1;
	return fake_add_device(&lot->w->bus, bdf_format(bdf, address), ids,
			       FAKE_NO_GROUP);
}

/* Each in its own way: by the attribute, or in config space, or not while it is off. */
static void draw_serial(struct lot *lot, struct fake_device *d)
{
	size_t i = (size_t)(d - lot->w->bus.devices);
	unsigned number = lot_draw(lot, LOT_SERIALS_MAX);
	uint64_t serial = UINT64_C(0x000a35ffff001200) + number;

	if (lot_draw(lot, 12) == 0)
		d->power_state = "D3cold";
	else if (lot_draw(lot, 2))
		d->power_state = "D0";
	if (lot_draw(lot, 3) == 0)
		return;
	lot->serials[i] = serial;
	if (lot_draw(lot, 2)) {
		snprintf(lot->words[i], sizeof(lot->words[i]),
			 "00-0a-35-ff-ff-00-12-%02x", number);
		d->serial_number = lot->words[i];
		return;
	}
	lot->configs[number][0] = 0x10003;
	lot->configs[number][1] = (uint32_t)serial;
	lot->configs[number][2] = (uint32_t)(serial >> 32);
	d->config = lot->configs[number];
	if (lot->has_hanging && lot_draw(lot, 4) == 0)
		d->config_time = FAKE_FOREVER;
}

/* On the bus of the card, or, without a path, on one of their own. */
static void draw_vfs(struct lot *lot, size_t card, const struct kind *kind,
		     unsigned subdevice)
{
	const struct fake_device *pf = &lot->w->bus.devices[card];
	unsigned count = lot_draw(lot, 4);
	struct bdf bdf = pf->bdf;

	if (lot_draw(lot, 3) == 0)
		bdf.bus = (uint8_t)(0x80 + lot->bus_count[bdf.domain]++);
	lot->w->bus.devices[card].vf_count = count;
	for (unsigned i = 0; i < count; i++) {
		struct pci_ids ids = {kind->vendor, kind->vf, kind->vendor,
				      (uint16_t)subdevice, pf->ids.class};
		struct fake_device *vf;
		size_t at = lot->w->bus.device_count;

		bdf.device = (uint8_t)(0x10 + pf->bdf.device % 0x10);
		bdf.function = (uint8_t)i;
		vf = add(lot, bdf, ids, lot->parents[card]);
		lot->cards[at] = (int)card;
		bdf_format(pf->bdf, lot->words[at]);
		vf->physfn = lot->words[at];
	}
}

static void draw_card(struct lot *lot, struct bdf bdf, int parent)
{
	const struct kind *kind = &kinds[lot_draw(lot, ARRAY_SIZE(kinds))];
	size_t first = lot->w->bus.device_count;
	unsigned subdevice = lot_draw(lot, 2) * 0xe;

	for (size_t i = 0; i < ARRAY_SIZE(kind->functions); i++) {
		struct pci_ids ids = {kind->vendor, kind->functions[i].device,
				      kind->vendor, (uint16_t)subdevice,
				      kind->functions[i].class};

		if (!ids.device || (i > 0 && lot_draw(lot, 4) == 0))
			continue;
		bdf.function = (uint8_t)i;
		add(lot, bdf, ids, parent);
	}
	draw_serial(lot, &lot->w->bus.devices[first]);
	if (lot_draw(lot, 2) && lot->w->bus.device_count > first + 1)
		draw_serial(lot, &lot->w->bus.devices[first + 1]);
	/* Header type 1, whatever its class says. */
	if (lot_draw(lot, 24) == 0)
		lot->w->bus.devices[first].has_bus_behind = true;
	if (kind->vf)
		draw_vfs(lot, first, kind, subdevice);
}

static void draw_bus(struct lot *lot, unsigned domain, unsigned bus, int parent,
		     unsigned depth)
{
	unsigned count = depth == 0 ? 3 + lot_draw(lot, 4) : 1 + lot_draw(lot, 2);

	for (unsigned i = 0; i < count; i++) {
		struct bdf bdf = {(uint16_t)domain, (uint8_t)bus, (uint8_t)(3 * i), 0};
		const struct pci_ids port = {0x8086, 0x1901, 0, 0, 0x060400};
		unsigned next = lot->bus_count[domain];

		if (lot->w->bus.device_count > LOT_FUNCTIONS)
			return;
		if (depth >= 3 || lot_draw(lot, depth == 0 ? 2 : 3) > 0) {
			draw_card(lot, bdf, parent);
			continue;
		}
		lot->bus_count[domain]++;
		bdf.function = (uint8_t)lot_draw(lot, 2);
		add(lot, bdf, port, parent)->has_bus_behind = true;
		lot->w->bus.devices[lot->w->bus.device_count - 1].bus_behind =
			(uint8_t)next;
		draw_bus(lot, domain, next, (int)lot->w->bus.device_count - 1, depth + 1);
	}
}

/* Of each function, of each card, or a few that span cards. */
static void draw_groups(struct lot *lot)
{
	struct fake_bus *bus = &lot->w->bus;
	unsigned way = lot_draw(lot, 4);
	int group = 0;

	for (size_t i = 0; i < bus->device_count; i++) {
		struct fake_device *d = &bus->devices[i];

		/* Their numbers follow another order than the addresses. */
		if (way != 2)
			group = (int)(i * 7 % 64);
		if (way == 1 && i > 0 && bdf_is_same_slot(d->bdf, d[-1].bdf))
			group = d[-1].group;
		if (way == 2)
			group = (int)lot_draw(lot, GROUPS_MAX);
		d->group = lot_draw(lot, 16) == 0 ? FAKE_NO_GROUP : group;
	}
	lot->w->is_without_iommu = lot_draw(lot, 20) == 0;
	for (size_t i = 0; i < bus->device_count && lot_draw(lot, 4) == 0; i += 5) {
		static const char regions[] =
			"0x00000000fee00000 0x00000000feefffff msi\n"
			"0x000000007b800000 0x000000007fffffff direct\n";
		char path[FAKE_PATH_SIZE];

		if (bus->devices[i].group == FAKE_NO_GROUP)
			continue;
		snprintf(path, sizeof(path), "kernel/iommu_groups/%d/reserved_regions",
			 bus->devices[i].group);
		fake_put_file(lot->w, WORLD_SYS, path, text_of(regions));
	}
}

static void draw_drivers(struct lot *lot)
{
	static const struct {
		const char *name;
		uint16_t vendor;
	} drivers[] = {{"xclmgmt", 0x10ee}, {"nvidia", 0x10de}, {"amdgpu", 0x1002},
		       {"ast", 0x1a03},	    {"ixgbe", 0x8086},	{"nvme", 0x144d}};
	struct fake_bus *bus = &lot->w->bus;
	struct fake_driver *vfio = &bus->drivers[0];
	struct fake_driver *port = fake_add_driver(bus, "pcieport", "");

	port->ids[port->id_count++] = (struct pci_match){PCI_ANY, PCI_ANY,  PCI_ANY,
							 PCI_ANY, 0x060400, 0xffff00};
	port->state = DRIVER_REGISTERED;
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		bool is_builtin = lot_draw(lot, 3) == 0;
		struct fake_driver *driver = fake_add_driver(
			bus, drivers[i].name, is_builtin ? "" : drivers[i].name);

		driver->ids[driver->id_count++] = (struct pci_match){
			drivers[i].vendor, PCI_ANY, PCI_ANY, PCI_ANY, 0, 0};
		driver->state = is_builtin || lot_draw(lot, 4) == 0 ? DRIVER_REGISTERED
								    : DRIVER_ABSENT;
	}
	if (lot_draw(lot, 4) == 0) {
		lot->w->modules[1].state = MODULE_IS_BUILTIN;
		lot->w->modules[1].time = 0;
		vfio->state = DRIVER_REGISTERED;
	}
	for (size_t i = 0; i < bus->device_count; i++) {
		struct fake_device *d = &bus->devices[i];
		struct fake_driver *driver = fake_native_driver(bus, d);

		if (vfio->state == DRIVER_REGISTERED && lot_draw(lot, 6) == 0)
			driver = vfio;
		if (driver && driver->state == DRIVER_REGISTERED &&
		    lot_draw(lot, 4) > 0) {
			fake_bind_now(d, driver);
			d->had_vfio = driver == vfio;
		}
	}
}

/* What is on a screen, and what the machine is reached by. */
static void draw_uses(struct lot *lot)
{
	struct fake_bus *bus = &lot->w->bus;

	for (size_t i = 0; i < bus->device_count; i++)
		bus->devices[i].is_boot_vga =
			bus->devices[i].ids.class >> 8 == 0x0300 && lot_draw(lot, 6) == 0;
	for (size_t i = 0; i < bus->device_count; i++) {
		struct fake_device *d = &bus->devices[i];
		char path[FAKE_PATH_SIZE], target[256];

		if (d->ids.class >> 16 != 2 || !d->has_link || d->had_vfio ||
		    lot_draw(lot, 4) > 0)
			continue;
		lot->is_used[i] = true;
		fake_put_place(bus, d, target, sizeof(target));
		snprintf(target + strlen(target), sizeof(target) - strlen(target),
			 "/net/eth%zu", i);
		snprintf(path, sizeof(path), "class/net/eth%zu", i);
		fake_put_file(lot->w, WORLD_SYS, path, text_of(target));
		snprintf(path, sizeof(path), "class/net/eth%zu/flags", i);
		fake_put_file(lot->w, WORLD_SYS, path, TEXT("0x1003\n"));
	}
	for (size_t i = 0; i < bus->device_count; i++) {
		struct fake_framebuffer *fb = &bus->framebuffer;

		if (bus->devices[i].ids.class >> 16 != 3 || fb->driver ||
		    lot_draw(lot, 8) > 0)
			continue;
		fb->driver = "efi-framebuffer";
		fb->region = "efifb";
		fb->on = &bus->devices[i];
		fb->is_bound = true;
		fb->is_child = lot_draw(lot, 2);
	}
}

/* Of bridges, cards and whole buses; in each other, and in the same place. */
static void draw_slots(struct lot *lot)
{
	struct fake_bus *bus = &lot->w->bus;

	for (unsigned n = lot_draw(lot, LOT_SLOTS_MAX + 1); n > 0; n--) {
		struct lot_slot *slot = &lot->slots[lot->slot_count++];

		slot->bdf = bus->devices[lot_draw(lot, (unsigned)bus->device_count)].bdf;
		slot->is_bus = lot_draw(lot, 4) == 0;
		snprintf(slot->name, sizeof(slot->name), "%u%s", n / 2,
			 n % 2 ? "-1" : "");
		if (slot->is_bus)
			snprintf(slot->address, sizeof(slot->address), "%04x:%02x",
				 slot->bdf.domain, slot->bdf.bus);
		else
			snprintf(slot->address, sizeof(slot->address), "%04x:%02x:%02x",
				 slot->bdf.domain, slot->bdf.bus, slot->bdf.device);
		fake_add_slot(bus, slot->name, slot->address);
	}
}

void lot_make(struct lot *lot, uint64_t seed)
{
	memset(lot, 0, sizeof(*lot));
	lot->state = seed;
	lot->w = fake_new();
	lot->has_hanging = lot_draw(lot, 20) == 0;
	lot->bus_count[0] = lot->bus_count[1] = 1;
	draw_bus(lot, 0, 0, -1, 0);
	if (lot_draw(lot, 3) == 0)
		draw_bus(lot, 1, 0, -1, 0);
	draw_groups(lot);
	draw_drivers(lot);
	draw_uses(lot);
	draw_slots(lot);
	lot->has_noiommu = lot_draw(lot, 24) == 0;
	lot->has_denylist_off = lot_draw(lot, 6) == 0;
	lot->is_profile_on = lot_draw(lot, 2);
	for (unsigned n = 2 + lot_draw(lot, 12); n > 0; n--) {
		unsigned what = lot_draw(lot, 10);
		enum lot_place place =
			what < 6 && lot_draw(lot, 2) == 0
				? (enum lot_place)lot_draw(lot, 3)
				: PLACE_CONFIG +
					  lot_draw(lot, 3) / 2 * (1 + lot_draw(lot, 2));

		lot_add_rule(lot,
			     what < 6	? RULE_BIND
			     : what < 8 ? RULE_KEEP
					: RULE_CRITICAL,
			     place);
	}
	lot_write(lot);
}

void lot_free(struct lot *lot)
{
	fake_free(lot->w);
}
