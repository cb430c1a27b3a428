/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serial.h"

#define SHOWN_MAX 4 /* addresses in a list */

/* A term that tells one card of a model from another. */
#define TERMS_OF_ONE_CARD (PLACE_TERMS | TERM_SERIAL)

static unsigned id_of(const struct pci_device *d)
{
	return (unsigned)d->ids.vendor << 16 | d->ids.device;
}

static int compare_ids(const void *a, const void *b)
{
	const struct pci_device *x = *(const struct pci_device *const *)a;
	const struct pci_device *y = *(const struct pci_device *const *)b;

	if (id_of(x) != id_of(y))
		return id_of(x) < id_of(y) ? -1 : 1;
	return bdf_compare(x->bdf, y->bdf);
}

int identity_open(struct world *world, struct arena *arena,
		  const struct inventory *inventory, struct identity *ret)
{
	*ret = (struct identity){.world = world, .arena = arena, .inventory = inventory};
	ret->by_id =
		arena_alloc(arena, inventory->count + 1, sizeof(struct pci_device *));
	if (!ret->by_id)
		return -ENOMEM;
	for (size_t i = 0; i < inventory->count; i++)
		ret->by_id[i] = &inventory->devices[i];
	qsort(ret->by_id, inventory->count, sizeof(struct pci_device *), compare_ids);
	return 0;
}

int identity_learn(struct identity *identity, struct pci_device *d, unsigned facts)
{
	int result = 0;

	facts &= ~d->known;
	for (unsigned fact = 1; fact <= FACT_LAST; fact <<= 1) {
		int r;

		if (!(facts & fact) || (fact == FACT_SERIAL && identity->is_slow))
			continue;
		r = fact_read(identity->world, identity->arena, &identity->slots,
			      (enum pci_fact)fact, d);
		identity->is_slow |= fact == FACT_SERIAL && r == -ETIMEDOUT;
		/* What has no path is on a root bus, or its links are gone with it. */
		if (r < 0 && r != -ENODATA && fact != FACT_PATH)
			result = r;
	}
	d->known |= facts;
	return result;
}

bool device_is_virtual(struct world *world, const struct pci_device *d)
{
	struct bdf pf;

	return inventory_read_pf(world, d->bdf, &pf) == 0;
}

/*
 * Its folder is right below that of the first root bus: "../../../devices/pci0000:00/0000:00:1f.3".
 * On other root buses there may be cards, behind ports that are not shown.
 */
static bool is_of_chipset(struct world *world, const struct pci_device *d)
{
	char path[JOB_PATH_SIZE], target[1024], address[BDF_SIZE];
	struct text rest, part, parent = {NULL, 0}, last = parent;
	int n;

	if (d->bdf.bus != 0)
		return false;
	snprintf(path, sizeof(path), SYSFS_PCI_DEVICES "/%s",
		 bdf_format(d->bdf, address));
	n = world->ops->target(world, WORLD_SYS, path, target, sizeof(target));
	if (n < 0)
		return false;
	rest = text_of(target);
	while (text_cut(&rest, '/', &part)) {
		parent = last;
		last = part;
	}
	return text_has_prefix(parent, "pci");
}

/* AMD's and Hygon's: the secure processor, or a dummy function 0, is in the slot. */
static bool is_internal_slot(const struct inventory *inv, const struct pci_device *d)
{
	for (size_t i = 0; i < inv->count; i++) {
		const struct pci_ids *ids = &inv->devices[i].ids;

		if (bdf_is_same_slot(inv->devices[i].bdf, d->bdf) &&
		    (ids->vendor == 0x1022 || ids->vendor == 0x1d94) &&
		    (ids->class >> 8 == 0x1080 || ids->class >> 16 == 0x13))
			return true;
	}
	return false;
}

bool device_is_same_card(struct world *world, const struct inventory *inventory,
			 const struct pci_device *a, const struct pci_device *b)
{
	if (bdf_compare(a->bdf, b->bdf) == 0)
		return true;
	if (!bdf_is_same_slot(a->bdf, b->bdf) || is_of_chipset(world, a))
		return false;
	/* There the graphics and their audio function are ATI's. */
	return !is_internal_slot(inventory, a) ||
	       (a->ids.vendor == 0x1002 && b->ids.vendor == 0x1002);
}

/* Not of the chipset. */
static bool is_behind_bridge(struct identity *identity, struct pci_device *d)
{
	(void)identity_learn(identity, d, FACT_PATH);
	return d->has_path && d->path.hop_count > 0 && !d->is_bridge;
}

bool identity_slot(const struct pci_device *d, struct text *ret)
{
	const char *slash = d->slot ? strrchr(d->slot, '/') : NULL;
	struct parse_error error;

	return d->slot &&
	       slot_parse(text_of(slash ? slash + 1 : d->slot), ret, &error) == 0;
}

const char *identity_names(struct identity *identity, struct pci_device *d)
{
	char path[PATH_SIZE], serial[SERIAL_SIZE];
	const char *text = "";
	struct text slot;

	if (!is_behind_bridge(identity, d))
		return "";
	if (d->path.hop_count <= PATH_HOPS_MAX)
		text = arena_printf(identity->arena, "path=%s",
				    path_format(&d->path, path));
	(void)identity_learn(identity, d, FACT_SLOT);
	if (text && identity_slot(d, &slot))
		text = arena_printf(identity->arena, "%s%sslot=%.*s", text,
				    text[0] ? " or " : "", (int)slot.n, slot.p);
	if (!device_is_virtual(identity->world, d))
		(void)identity_learn(identity, d, FACT_SERIAL);
	if (text && d->serial != 0)
		text = arena_printf(identity->arena, "%s%sserial=%s", text,
				    text[0] ? " or " : "",
				    serial_format(d->serial, serial));
	return text ? text : "";
}

/* Some functions in the order of their addresses. */
struct list {
	const struct pci_device *shown[SHOWN_MAX];
	size_t count;
};

static void list_add(struct list *list, const struct pci_device *d)
{
	if (list->count < SHOWN_MAX)
		list->shown[list->count] = d;
	list->count++;
}

static const char *list_format(const struct list *list, struct arena *arena)
{
	const char *text = addresses_format(
		list->shown, MIN(list->count, (size_t)SHOWN_MAX), list->count, arena);

	return text ? text : "";
}

/* The first one in @by_id with the ID of @d, or the end. */
static size_t find_first(const struct identity *identity, const struct pci_device *d)
{
	size_t low = 0, high = identity->inventory->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (id_of(identity->by_id[middle]) < id_of(d))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *identity_twins(struct identity *identity, struct pci_device *d)
{
	struct list list = {.count = 0};

	if (!is_behind_bridge(identity, d) || device_is_virtual(identity->world, d))
		return "";
	for (size_t i = find_first(identity, d); i < identity->inventory->count; i++) {
		const struct pci_device *other = identity->by_id[i];

		if (id_of(other) != id_of(d))
			break;
		if (!bdf_is_same_slot(other->bdf, d->bdf) && !other->is_bridge &&
		    !device_is_virtual(identity->world, other))
			list_add(&list, other);
	}
	return list_format(&list, identity->arena);
}

const char *identity_cards_of(struct identity *identity, const struct plan *plan,
			      const struct rule *rule, size_t *ret_count)
{
	const struct inventory *inv = identity->inventory;
	const struct selector *s = &rule->selector;
	const struct pci_device *last = NULL;
	struct list list = {.count = 0};

	*ret_count = 0;
	if (!(s->terms & TERM_ID) || (s->terms & TERMS_OF_ONE_CARD) ||
	    s->id.vendor == PCI_ANY || s->id.device == PCI_ANY)
		return "";
	for (size_t i = 0; i < inv->count; i++) {
		const struct pci_device *d = &inv->devices[i];
		const struct plan_device *pd = plan_find(plan, d);

		if (d->is_unread || (pd && pd->action == ACTION_KEEP) ||
		    (last && bdf_is_same_slot(last->bdf, d->bdf)) || d->is_bridge ||
		    !selector_has_match(s, d) || device_is_virtual(identity->world, d))
			continue;
		last = d;
		list_add(&list, d);
	}
	if (list.count < 2)
		return "";
	*ret_count = list.count;
	return list_format(&list, identity->arena);
}
