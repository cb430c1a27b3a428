/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "inventory.h"
#include "serial.h"

/* Below /sys. */
#define SYSFS_PCI_SLOTS "bus/pci/slots"

#define SERIAL_TIMEOUT (500 * MILLISECOND)

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

int inventory_read_pf(struct world *world, struct bdf bdf, struct bdf *ret)
{
	char path[JOB_PATH_SIZE], address[BDF_SIZE];
	int n = world->ops->link(world, WORLD_SYS,
				 inventory_attribute(bdf, "physfn", path), address,
				 sizeof(address));

	if (n < 0)
		return n == -ENOENT ? -ENODATA : n;
	return bdf_parse((struct text){address, (size_t)n}, ret);
}

/*
 * The names of the slots that a function is in, joined by '/', the outermost first; "" for
 * none. A slot has the address of a device or of a bus (drivers/pci/slot.c:
 * address_read_file()); a function is in it if it has that address, or a bridge above it has.
 * A virtual function is where its card is, on whatever bus. 0, or -errno: -E2BIG if there are
 * more than SLOTS_MAX. The attributes that are read take no lock.
 */
static int slots_find(struct slots *slots, struct world *world, struct arena *arena,
		      struct bdf bdf, const char **ret)
{
	char path[JOB_PATH_SIZE], target[LINK_SIZE], address[BDF_SIZE];
	struct text_buffer names = {.arena = arena};
	struct text rest, part;
	struct bdf card = bdf;
	int n;

	if (!slots->is_read) {
		slots->is_read = true;
		slots->error = read_slots(slots, world, arena);
	}
	if (slots->error < 0)
		return slots->error;
	n = inventory_read_pf(world, bdf, &card);
	if (n < 0 && n != -ENODATA)
		return n;
	snprintf(path, sizeof(path), SYSFS_PCI_DEVICES "/%s", bdf_format(card, address));
	n = world->ops->target(world, WORLD_SYS, path, target, sizeof(target));
	if (n < 0)
		return n;
	rest = (struct text){target, (size_t)n};
	text_add(&names, "%s", "");
	while (text_cut(&rest, '/', &part)) {
		if (bdf_parse(part, &bdf) < 0)
			continue;
		for (size_t i = 0; i < slots->count; i++)
			if (is_at(&slots->items[i], bdf))
				text_add(&names, "%s%s", names.used > 0 ? "/" : "",
					 slots->items[i].name);
	}
	if (names.is_full)
		return -ENOMEM;
	*ret = names.buf;
	return 0;
}

/* For all looks into config space of one snapshot. */
#define SERIAL_TIMEOUT_ALL (4 * SERIAL_TIMEOUT)
/* For those of them that only give a name to what is not where a rule says. */
#define SERIAL_TIMEOUT_NAMING (2 * SERIAL_TIMEOUT)

#define FACTS_ALL (FACT_LAST * 2 - 1)

int inventory_read_path(struct world *world, struct bdf bdf, struct pci_path *ret)
{
	char place[JOB_PATH_SIZE], target[LINK_SIZE], address[BDF_SIZE];
	struct bdf card;
	int n;

	snprintf(place, sizeof(place), SYSFS_PCI_DEVICES "/%s", bdf_format(bdf, address));
	n = world->ops->target(world, WORLD_SYS, place, target, sizeof(target));
	if (n < 0)
		return n;
	/* drivers/pci/iov.c: virtfn_add_bus() */
	if (inventory_read_pf(world, bdf, &card) == 0 && card.bus != bdf.bus)
		return -ENODATA;
	return path_parse_link((struct text){target, (size_t)n}, ret);
}

/* Of this very function. */
static int read_own_serial(struct world *world, struct bdf bdf, uint64_t *ret)
{
	struct job job = {.kind = JOB_READ_SERIAL};
	struct parse_error error;
	struct job_result result;
	char path[JOB_PATH_SIZE], buf[64];
	struct text t;
	int r;

	/* Config space of a device that is off reads as ones, or wakes it. */
	r = world_read_text(world, WORLD_SYS,
			    inventory_attribute(bdf, "power_state", path), buf,
			    sizeof(buf), &t);
	if (r == 0 && text_is(t, "D3cold"))
		return -ENODATA;
	if (r < 0 && r != -ENOENT)
		return r;
	r = world_read_text(world, WORLD_SYS,
			    inventory_attribute(bdf, "serial_number", path), buf,
			    sizeof(buf), &t);
	if (r == 0 && serial_parse(t, ret, &error) == 0)
		return 0;
	inventory_attribute(bdf, "config", job.path);
	r = world_run(world, &job, world->ops->now(world) + SERIAL_TIMEOUT, &result);
	if (r == 0)
		r = result.error;
	if (r == 0)
		*ret = result.serial;
	/* Trees that were captured need not have it. */
	return r == -ENOENT ? -ENODATA : r;
}

/*
 * The PCIe serial number of the function, or, if it has none, of function 0 of its device:
 * the card's. From the attribute serial_number (of newer kernels), else from config space, by
 * a job, since the kernel may have to resume a bridge for that. A device that is switched off
 * (D3cold) is not woken. 0, or -errno: -ENODATA if there is none, -EACCES for lack of
 * privilege, -ETIMEDOUT after half a second.
 */
static int inventory_read_serial(struct world *world, struct bdf bdf, uint64_t *ret)
{
	struct bdf first = bdf;
	int r = read_own_serial(world, bdf, ret);

	first.function = 0;
	if (r == -ENODATA && bdf.function != 0)
		r = read_own_serial(world, first, ret);
	return r;
}

/*
 * Within the time that all looks into config space have. -ETIMEDOUT means that the kernel did
 * not come back, or that there was no time left for what must be known.
 */
/* Whether there is time left for one more serial number: 0, or -errno. */
static int check_time(struct fact_reader *reader, bool is_to_name)
{
	uint64_t *until = is_to_name ? &reader->until_to_name : &reader->until;
	uint64_t now = reader->world->ops->now(reader->world);

	if (*until == 0)
		*until = now + (is_to_name ? SERIAL_TIMEOUT_NAMING : SERIAL_TIMEOUT_ALL);
	if (now >= *until)
		return is_to_name ? -ECANCELED : -ETIMEDOUT;
	return 0;
}

int fact_read(struct world *world, struct arena *arena, struct slots *slots,
	      enum pci_fact fact, struct pci_device *d)
{
	int r = 0;

	/* Without default: the compiler names whoever adds a fact and forgets it here. */
	switch (fact) {
	case FACT_PATH:
		r = inventory_read_path(world, d->bdf, &d->path);
		d->has_path = r == 0;
		break;
	case FACT_SLOT:
		r = slots_find(slots, world, arena, d->bdf, &d->slot);
		break;
	case FACT_SERIAL:
		r = inventory_read_serial(world, d->bdf, &d->serial);
		break;
	case FACT_PF:
		r = inventory_read_pf(world, d->bdf, &d->pf);
		d->has_pf = r == 0;
		break;
	}
	return r;
}

static int read_fact(struct fact_reader *reader, enum pci_fact fact, bool is_to_name,
		     struct pci_device *d)
{
	int r = fact == FACT_SERIAL ? check_time(reader, is_to_name) : 0;

	if (r == 0)
		r = fact_read(reader->world, reader->arena, &reader->slots, fact, d);
	if (r < 0 && r != -ENODATA)
		return r;
	/* What does not exist is known as well. */
	d->known |= fact;
	return 0;
}

/* One of several: the lowest bit. */
static enum pci_fact first_of(unsigned facts)
{
	return (enum pci_fact)(facts & -facts);
}

int facts_learn(struct fact_reader *reader, struct pci_device *d)
{
	unsigned untold = 0; /* what could not be read for a name */

	reader->has_hung = false;
	for (;;) {
		unsigned wants = reader->filter(reader->arg, d);
		unsigned facts = wants & FACTS_ALL & ~d->known;
		unsigned names = wants / FACT_TO_NAME(1) & ~d->known & ~untold;
		int r;

		if (!facts && !names) {
			/* What the kernel does not come back from is not touched. */
			if (reader->has_hung && (wants & FACT_ANSWERS))
				return -ETIMEDOUT;
			return (int)(wants & FACT_ANSWERS);
		}
		r = read_fact(reader, first_of(facts ? facts : names), !facts, d);
		if (r < 0 && facts)
			return r;
		if (r < 0)
			untold |= first_of(names);
		reader->has_hung |= r == -ETIMEDOUT;
	}
}
