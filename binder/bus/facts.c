/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts.h"

#include <errno.h>
#include <stdio.h>

#include "inventory.h"
#include "serial.h"

/* For all looks into config space of one snapshot. */
#define SERIAL_TIMEOUT_ALL (4 * SERIAL_TIMEOUT)
/* For those of them that only give a name to what is not where a rule says. */
#define SERIAL_TIMEOUT_NAMING (2 * SERIAL_TIMEOUT)

#define FACTS_ALL (FACT_PATH | FACT_SERIAL | FACT_SLOT)

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
	if (world->ops->link(world, WORLD_SYS, inventory_attribute(bdf, "physfn", place),
			     address, sizeof(address)) > 0 &&
	    bdf_parse(text_of(address), &card) == 0 && card.bus != bdf.bus)
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

int inventory_read_serial(struct world *world, struct bdf bdf, uint64_t *ret)
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
static int read_serial(struct fact_reader *reader, bool is_to_name, struct pci_device *d)
{
	uint64_t *until = is_to_name ? &reader->until_to_name : &reader->until;
	uint64_t now = reader->world->ops->now(reader->world);

	if (*until == 0)
		*until = now + (is_to_name ? SERIAL_TIMEOUT_NAMING : SERIAL_TIMEOUT_ALL);
	if (now >= *until)
		return is_to_name ? -ECANCELED : -ETIMEDOUT;
	return inventory_read_serial(reader->world, d->bdf, &d->serial);
}

static int read_fact(struct fact_reader *reader, enum pci_fact fact, bool is_to_name,
		     struct pci_device *d)
{
	struct world *world = reader->world;
	int r = 0;

	switch (fact) {
	case FACT_PATH:
		r = inventory_read_path(world, d->bdf, &d->path);
		d->has_path = r == 0;
		break;
	case FACT_SLOT:
		r = slots_find(&reader->slots, world, reader->arena, d->bdf, &d->slot);
		break;
	case FACT_SERIAL:
		r = read_serial(reader, is_to_name, d);
		break;
	}
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
