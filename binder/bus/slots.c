/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "slots.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory.h"

struct slot {
	struct bdf bdf; /* without function */
	bool is_bus; /* every device on the bus is in it */
	char name[SLOT_NAME_MAX + 1];
};

struct slot_listing {
	struct slots *slots;
	bool is_cut;
};

static int add_slot(void *arg, const char *name)
{
	struct slot_listing *listing = arg;
	struct slots *slots = listing->slots;
	struct slot *slot = &slots->items[slots->count];

	/* No rule can name it. */
	if (strlen(name) > SLOT_NAME_MAX)
		return 0;
	listing->is_cut = slots->count == SLOTS_MAX;
	if (listing->is_cut)
		return 1;
	strcpy(slot->name, name);
	slots->count++;
	return 0;
}

/* "0000:01:00", or "0000:01" of a whole bus */
static int parse_address(struct text t, struct slot *slot)
{
	uint64_t value[3] = {0};
	static const uint64_t max[] = {UINT32_MAX, 0xff, 0x1f};
	struct text part;
	size_t n = 0;

	for (; text_cut(&t, ':', &part); n++)
		if (n == ARRAY_SIZE(value) || text_hex(part, max[n], &value[n]) < 0)
			return -EINVAL;
	if (n < 2)
		return -EINVAL;
	slot->bdf =
		(struct bdf){(uint32_t)value[0], (uint8_t)value[1], (uint8_t)value[2], 0};
	slot->is_bus = n == 2;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct slot *)a)->name, ((const struct slot *)b)->name);
}

static int read_slots(struct slots *slots, struct world *world, struct arena *arena)
{
	struct slot_listing listing = {.slots = slots};
	char path[JOB_PATH_SIZE], buf[64];
	size_t kept = 0;
	struct text t;
	int r;

	slots->items = arena_alloc(arena, SLOTS_MAX + 1, sizeof(*slots->items));
	if (!slots->items)
		return -ENOMEM;
	r = world->ops->list(world, WORLD_SYS, SYSFS_PCI_SLOTS, add_slot, &listing);
	if (r == -ENOENT)
		return 0;
	if (r < 0 || listing.is_cut)
		return r < 0 ? r : -E2BIG;
	/* Two may be the same place: they are named in an order of their own. */
	if (slots->count > 0)
		qsort(slots->items, slots->count, sizeof(*slots->items), compare_names);
	for (size_t i = 0; i < slots->count; i++) {
		snprintf(path, sizeof(path), SYSFS_PCI_SLOTS "/%s/address",
			 slots->items[i].name);
		slots->items[kept] = slots->items[i];
		r = world_read_text(world, WORLD_SYS, path, buf, sizeof(buf), &t);
		/* One that went away meanwhile has nothing in it. */
		if (r == -ENOENT)
			continue;
		if (r == 0)
			r = parse_address(t, &slots->items[kept]);
		if (r < 0)
			return r;
		kept++;
	}
	slots->count = kept;
	return 0;
}

static bool is_at(const struct slot *slot, struct bdf bdf)
{
	return slot->bdf.domain == bdf.domain && slot->bdf.bus == bdf.bus &&
	       (slot->is_bus || slot->bdf.device == bdf.device);
}

int slots_find(struct slots *slots, struct world *world, struct arena *arena,
	       struct bdf bdf, const char **ret)
{
	char path[JOB_PATH_SIZE], target[LINK_SIZE], address[BDF_SIZE];
	const char *names = "";
	struct text rest, part;
	int n;

	if (!slots->is_read) {
		slots->is_read = true;
		slots->error = read_slots(slots, world, arena);
	}
	if (slots->error < 0)
		return slots->error;
	n = world->ops->link(world, WORLD_SYS, inventory_attribute(bdf, "physfn", path),
			     address, sizeof(address));
	if (n < 0 && n != -ENOENT)
		return n;
	if (n < 0)
		bdf_format(bdf, address);
	snprintf(path, sizeof(path), SYSFS_PCI_DEVICES "/%s", address);
	n = world->ops->target(world, WORLD_SYS, path, target, sizeof(target));
	if (n < 0)
		return n;
	rest = (struct text){target, (size_t)n};
	while (names && text_cut(&rest, '/', &part)) {
		if (bdf_parse(part, &bdf) < 0)
			continue;
		for (size_t i = 0; i < slots->count && names; i++)
			if (is_at(&slots->items[i], bdf))
				names = arena_printf(arena, "%s%s%s", names,
						     names[0] ? "/" : "",
						     slots->items[i].name);
	}
	if (!names)
		return -ENOMEM;
	*ret = names;
	return 0;
}
