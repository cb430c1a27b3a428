/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts.h"

#include <errno.h>
#include <stdio.h>

#include "inventory.h"
#include "serial.h"

/* For all looks into config space of one snapshot. */
#define SERIAL_TIMEOUT_ALL (4 * SERIAL_TIMEOUT)

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

/* Reads one of @facts. What does not exist is known as well. */
static int read_fact(struct fact_reader *reader, unsigned facts, struct pci_device *d)
{
	struct world *world = reader->world;
	uint64_t now;
	int r;

	if (facts & FACT_PATH) {
		r = inventory_read_path(world, d->bdf, &d->path);
		d->has_path = r == 0;
		d->known |= FACT_PATH;
	} else {
		now = world->ops->now(world);
		if (reader->until == 0)
			reader->until = now + SERIAL_TIMEOUT_ALL;
		if (now >= reader->until)
			return -ETIMEDOUT;
		r = inventory_read_serial(world, d->bdf, &d->serial);
		d->known |= FACT_SERIAL;
	}
	return r == -ENODATA ? 0 : r;
}

int facts_learn(struct fact_reader *reader, struct pci_device *d)
{
	for (;;) {
		unsigned wants = reader->filter(reader->arg, d);
		unsigned facts = wants & ~FACT_ANSWERS & ~d->known;
		int r;

		if (!facts)
			return (int)(wants & FACT_ANSWERS);
		r = read_fact(reader, facts, d);
		if (r < 0)
			return r;
	}
}
