/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inventory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modalias.h"

#define VMD_DOMAIN 0x10000

#define VFS_MAX 65535u /* drivers/pci/iov.c: a 16 bit number */

/* Functions that a folder of sysfs names. */
struct bdf_list {
	struct bdf *bdfs; /* NULL: only count, whatever the names are */
	size_t count;
	size_t max;
};

/* All functions in order, with the IDs of those that could be read; vendor 0: not. */
struct seen {
	const struct bdf *bdfs;
	struct pci_ids *ids;
	size_t count;
};

#define DEVICES SYSFS_PCI_DEVICES

static int add_name(void *arg, const char *name)
{
	struct bdf_list *listing = arg;
	struct bdf bdf;

	if (listing->bdfs && bdf_parse(text_of(name), &bdf) < 0)
		return 0;
	if (listing->count == listing->max)
		return 1;
	if (listing->bdfs)
		listing->bdfs[listing->count] = bdf;
	listing->count++;
	return 0;
}

/* Lists a folder of functions below /sys anew. 0, or -errno. */
static int inventory_list(struct world *world, const char *path, struct bdf_list *listing)
{
	listing->count = 0;
	return world->ops->list(world, WORLD_SYS, path, add_name, listing);
}

bool pci_is_display(const struct pci_ids *ids)
{
	return ids->class >> 16 == 0x03;
}

const char *inventory_attribute(struct bdf bdf, const char *name,
				char buf[static JOB_PATH_SIZE])
{
	char *p = stpcpy(buf, DEVICES "/");
	size_t n;

	p += strlen(bdf_format(bdf, p));
	*p++ = '/';
	n = strnlen(name, JOB_PATH_SIZE - (size_t)(p - buf) - 1);
	memcpy(p, name, n);
	p[n] = '\0';
	return buf;
}

void inventory_enter(struct world *world, struct bdf bdf)
{
	char path[JOB_PATH_SIZE], address[BDF_SIZE];

	snprintf(path, sizeof(path), DEVICES "/%s", bdf_format(bdf, address));
	world->ops->enter(world, path);
}

int inventory_read_ids(struct world *world, struct bdf bdf, struct pci_ids *ret)
{
	char path[JOB_PATH_SIZE], buf[128];
	struct text t;
	int r;

	r = world_read_text(world, WORLD_SYS, inventory_attribute(bdf, "modalias", path),
			    buf, sizeof(buf), &t);
	return r < 0 ? r : modalias_parse(t, ret);
}

static unsigned read_number(struct world *world, struct bdf bdf, const char *name)
{
	char path[JOB_PATH_SIZE], buf[32];
	uint64_t value;
	struct text t;

	if (world_read_text(world, WORLD_SYS, inventory_attribute(bdf, name, path), buf,
			    sizeof(buf), &t) < 0 ||
	    text_decimal(t, UINT32_MAX, &value) < 0)
		return 0;
	return (unsigned)value;
}

unsigned inventory_count_vfs(struct world *world, struct bdf bdf)
{
	char path[JOB_PATH_SIZE], name[32], buf[BDF_SIZE];

	for (unsigned n = 0; n < VFS_MAX; n++) {
		snprintf(name, sizeof(name), "virtfn%u", n);
		if (world->ops->link(world, WORLD_SYS,
				     inventory_attribute(bdf, name, path), buf,
				     sizeof(buf)) < 0)
			return n;
	}
	return VFS_MAX;
}

int inventory_read_link(struct world *world, struct bdf bdf,
			char driver[static DRIVER_NAME_SIZE])
{
	char path[JOB_PATH_SIZE];
	int r = world->ops->link(world, WORLD_SYS,
				 inventory_attribute(bdf, "driver", path), driver,
				 DRIVER_NAME_SIZE);

	if (r < 0)
		driver[0] = '\0';
	return MIN(r, 0);
}

int inventory_read_driver(struct world *world, struct bdf bdf,
			  char driver[static DRIVER_NAME_SIZE])
{
	char path[JOB_PATH_SIZE];
	int r = inventory_read_link(world, bdf, driver);

	if (r == -ENOENT) {
		char device[BDF_SIZE];

		/* No driver, or no device any more? It is a link itself. */
		snprintf(path, sizeof(path), DEVICES "/%s", bdf_format(bdf, device));
		r = world->ops->link(world, WORLD_SYS, path, device, sizeof(device));
		return r == -ENOENT ? -ENODEV : 0;
	}
	return r;
}

int inventory_read_group(struct world *world, struct bdf bdf, int *ret)
{
	char path[JOB_PATH_SIZE], buf[32];
	uint64_t group;
	int n;

	n = world->ops->link(world, WORLD_SYS,
			     inventory_attribute(bdf, "iommu_group", path), buf,
			     sizeof(buf));
	*ret = NO_GROUP;
	if (n < 0)
		return n == -ENOENT ? 0 : n;
	if (text_decimal((struct text){buf, (size_t)n}, INT32_MAX, &group) < 0)
		return -EINVAL;
	*ret = (int)group;
	return 0;
}

static bool is_bridge(struct world *world, struct bdf bdf, const struct pci_ids *ids)
{
	char path[JOB_PATH_SIZE], buf[32];

	if (pci_is_bridge_class(ids))
		return true;
	/* Shown for header types 1 and 2 only (drivers/pci/pci-sysfs.c). */
	return world->ops->read(world, WORLD_SYS,
				inventory_attribute(bdf, "secondary_bus_number", path),
				buf, sizeof(buf)) >= 0;
}

/* Fills what follows the IDs, but for facts. 0, or -errno. */
static int inventory_read_rest(struct world *world, struct pci_device *d)
{
	struct bdf pf;
	int r;

	inventory_enter(world, d->bdf);
	r = inventory_read_link(world, d->bdf, d->driver);
	if (r < 0 && r != -ENOENT)
		return r;
	r = inventory_read_group(world, d->bdf, &d->iommu_group);
	/* Neither: is it there at all? */
	if (d->driver[0] == '\0' && d->iommu_group == NO_GROUP) {
		int there = inventory_read_driver(world, d->bdf, d->driver);

		if (there < 0)
			return there;
	}
	/* What a rule wants with it, or it with, is not known then. */
	if (r < 0 && ((d->brings & FACT_WITH_GROUP) || d->is_companion))
		return r;
	d->is_bridge = is_bridge(world, d->bdf, &d->ids);
	if (pci_is_display(&d->ids)) {
		d->is_boot_vga = read_number(world, d->bdf, "boot_vga") == 1;
		d->is_virtual =
			!d->is_boot_vga && inventory_read_pf(world, d->bdf, &pf) == 0;
	}
	d->vf_count = d->is_interesting ? inventory_count_vfs(world, d->bdf) : 0;
	return 0;
}

/* A function that went away meanwhile is not missed. */
static void inventory_count_unread(struct inventory *inv, int error)
{
	if (error < 0 && error != -ENOENT && error != -ENODEV)
		inv->unread_count++;
}

/* What the firmware keeps for the groups of interesting devices. */
static void read_direct(struct world *world, struct arena *arena, struct inventory *inv)
{
	const char *direct = NULL;
	int last = NO_GROUP;

	for (size_t i = 0; i < inv->count; i++) {
		struct pci_device *d = &inv->devices[i];

		if (!d->is_interesting || d->iommu_group == NO_GROUP)
			continue;
		if (d->iommu_group != last)
			direct = iommu_find_direct(world, &inv->iommu, d->iommu_group,
						   arena);
		last = d->iommu_group;
		d->direct = direct;
	}
}

static int compare_groups(const void *a, const void *b)
{
	const struct pci_device *x = *(struct pci_device *const *)a;
	const struct pci_device *y = *(struct pci_device *const *)b;

	if (x->iommu_group != y->iommu_group)
		return x->iommu_group < y->iommu_group ? -1 : 1;
	return bdf_compare(x->bdf, y->bdf);
}

static int sort_groups(struct arena *arena, struct inventory *inv)
{
	inv->by_group = arena_alloc(arena, inv->count, sizeof(struct pci_device *));
	if (!inv->by_group)
		return -ENOMEM;
	for (size_t i = 0; i < inv->count; i++)
		inv->by_group[i] = &inv->devices[i];
	if (inv->count > 0)
		qsort(inv->by_group, inv->count, sizeof(struct pci_device *),
		      compare_groups);
	return 0;
}

static void companions_add(struct fact_reader *facts, struct inventory *inv,
			   struct bdf_list *scratch);

static bool inventory_examine(struct fact_reader *facts, struct inventory *inv,
			      size_t sorted, struct pci_device *d);

static void neighbours_add(struct world *world, struct inventory *inv,
			   const struct seen *seen, struct bdf_list *members);

int inventory_read(struct world *world, struct arena *arena, inventory_filter filter,
		   const void *arg, struct inventory *ret)
{
	struct inventory inv = {0};
	struct bdf_list all = {.max = FUNCTIONS_MAX + 1};
	struct fact_reader facts = {
		.world = world, .filter = filter, .arg = arg, .arena = arena};
	struct bdf_list scratch = {0};
	struct seen seen;
	int r;

	r = inventory_list(world, DEVICES, &all);
	if (r < 0)
		return r;
	iommu_read(world, arena, &inv.iommu);
	inv.is_cut = all.count > FUNCTIONS_MAX;
	all.max = MIN(all.count, (size_t)FUNCTIONS_MAX);
	all.bdfs = arena_alloc(arena, all.max, sizeof(*all.bdfs));
	scratch.bdfs = arena_alloc(arena, all.max, sizeof(*scratch.bdfs));
	seen.ids = arena_alloc(arena, all.max, sizeof(*seen.ids));
	inv.devices = arena_alloc(arena, all.max, sizeof(*inv.devices));
	if (!all.bdfs || !scratch.bdfs || !seen.ids || !inv.devices)
		return -ENOMEM;
	r = inventory_list(world, DEVICES, &all);
	if (r < 0)
		return r;
	qsort(all.bdfs, all.count, sizeof(*all.bdfs), bdf_order);

	/* Anew: what is read now is what is there now, and is not asked whether it is still. */
	world->ops->enter(world, NULL);
	world->ops->enter(world, DEVICES);
	seen.bdfs = all.bdfs;
	seen.count = all.count;
	inv.functions = all.bdfs;
	inv.function_count = all.count;
	for (size_t i = 0; i < all.count; i++) {
		struct pci_device *d = &inv.devices[inv.count];

		*d = (struct pci_device){.bdf = all.bdfs[i]};
		r = inventory_read_ids(world, d->bdf, &d->ids);
		inventory_count_unread(&inv, r);
		if (r == 0)
			seen.ids[i] = d->ids;
		if (r == 0 && inventory_examine(&facts, &inv, inv.count, d))
			inv.count++;
	}
	scratch.max = all.max;
	companions_add(&facts, &inv, &scratch);
	read_direct(world, arena, &inv);
	neighbours_add(world, &inv, &seen, &scratch);
	r = sort_groups(arena, &inv);
	if (r < 0)
		return r;
	*ret = inv;
	return 0;
}

struct pci_device *const *inventory_group(const struct inventory *inventory, int group,
					  size_t *ret_count)
{
	size_t low = 0, high = inventory->count, count = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (inventory->by_group[middle]->iommu_group < group)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + count < inventory->count &&
	       inventory->by_group[low + count]->iommu_group == group)
		count++;
	*ret_count = count;
	return &inventory->by_group[low];
}

const struct pci_device *inventory_find_vmd(const struct inventory *inventory,
					    const struct pci_device *d)
{
	struct pci_device *const *members;
	size_t count = 0;

	if (d->bdf.domain < VMD_DOMAIN || d->iommu_group == NO_GROUP)
		return NULL;
	members = inventory_group(inventory, d->iommu_group, &count);
	for (size_t i = 0; i < count; i++)
		if (members[i]->bdf.domain < VMD_DOMAIN &&
		    members[i]->ids.vendor == 0x8086 &&
		    members[i]->ids.class >> 8 == 0x0104)
			return members[i];
	return NULL;
}

const char *addresses_format(const struct pci_device *const *devices, size_t shown,
			     size_t count, struct arena *arena)
{
	const char *list = "";

	for (size_t i = 0; i < shown && list; i++) {
		const char *join = i == 0 ? "" : i + 1 == count ? " and " : ", ";
		char address[BDF_SIZE];

		list = arena_printf(arena, "%s%s%s", list, join,
				    bdf_format(devices[i]->bdf, address));
	}
	if (list && shown < count)
		list = arena_printf(arena, "%s and %zu more", list, count - shown);
	return list;
}

#define GROUPS SYSFS_IOMMU_GROUPS

/* Functions of one device: drivers/pci/probe.c: pci_scan_slot() */
#define FUNCTIONS_OF_SLOT 8

/* ---- neighbours ---- */

/* Parts of the snapshot: what is read of functions for the sake of others. */

static int compare_devices(const void *a, const void *b)
{
	return bdf_compare(((const struct pci_device *)a)->bdf,
			   ((const struct pci_device *)b)->bdf);
}

static void sort(struct inventory *inv)
{
	if (inv->count > 0)
		qsort(inv->devices, inv->count, sizeof(*inv->devices), compare_devices);
}

/* The first @sorted devices are in order. */
static struct pci_device *find(const struct inventory *inv, size_t sorted, struct bdf bdf)
{
	const struct pci_device key = {.bdf = bdf};
	struct pci_device *d =
		bsearch(&key, inv->devices, sorted, sizeof(key), compare_devices);

	for (size_t i = sorted; i < inv->count && !d; i++)
		if (bdf_compare(inv->devices[i].bdf, bdf) == 0)
			d = &inv->devices[i];
	return d;
}

struct pci_device *inventory_find(const struct inventory *inventory, struct bdf bdf)
{
	return find(inventory, inventory->count, bdf);
}

/*
 * A look at function 0, for the sake of another one, may be what did not come back. Whether
 * there is one of its functions that was not left alone before.
 */
static bool leave_alone(struct inventory *inv, size_t sorted, struct bdf bdf,
			bool has_hung)
{
	bool is_any = false;

	for (bdf.function = 0; bdf.function < FUNCTIONS_OF_SLOT; bdf.function++) {
		struct pci_device *d = find(inv, sorted, bdf);

		if (!d)
			continue;
		is_any |= !d->is_unread;
		d->is_unread = true;
		d->has_hung |= has_hung;
	}
	return is_any;
}

/*
 * Reads of @d, whose IDs are known, what the filter wants of it; the first @sorted devices are
 * in order. Whether it belongs into the inventory.
 */
static bool inventory_examine(struct fact_reader *facts, struct inventory *inv,
			      size_t sorted, struct pci_device *d)
{
	int r, wanted = facts->filter ? facts_learn(facts, d) : (int)FACT_WANTED;
	unsigned answer = wanted < 0 ? 0 : (unsigned)wanted;
	bool has_hung = facts->has_hung || wanted == -ETIMEDOUT;

	d->is_interesting = answer & FACT_WANTED;
	d->brings = answer & (FACT_WITH_FUNCTIONS | FACT_WITH_GROUP);
	if (wanted < 0)
		d->is_unread = true;
	d->has_hung |= has_hung;
	if ((wanted < 0 || has_hung) && leave_alone(inv, sorted, d->bdf, has_hung) &&
	    wanted >= 0)
		inventory_count_unread(inv, -ETIMEDOUT);
	if (wanted == 0 && !pci_is_display(&d->ids))
		return false;
	r = inventory_read_rest(facts->world, d);
	inventory_count_unread(inv, MIN(r, wanted));
	return r == 0;
}

struct search {
	struct fact_reader *facts;
	struct inventory *inv;
	struct bdf_list *scratch;
	size_t sorted;
};

static void add_companion(struct search *s, struct bdf bdf)
{
	struct inventory *inv = s->inv;
	struct pci_device *d = find(inv, s->sorted, bdf);
	bool is_new = !d;
	int r;

	if (is_new) {
		if (inv->count == s->scratch->max)
			return;
		d = &inv->devices[inv->count];
		*d = (struct pci_device){.bdf = bdf};
		r = inventory_read_ids(s->facts->world, bdf, &d->ids);
		if (r < 0) {
			/* A card need not have all functions. */
			inventory_count_unread(inv, r);
			return;
		}
	}
	if (d->is_companion || d->is_unread || d->is_bridge ||
	    pci_is_bridge_class(&d->ids))
		return;
	d->is_companion = true;
	if (!inventory_examine(s->facts, inv, s->sorted, d))
		d->is_unread = !is_new;
	else
		inv->count += is_new;
}

static int list_group(struct world *world, int group, struct bdf_list *members)
{
	char path[JOB_PATH_SIZE];

	snprintf(path, sizeof(path), GROUPS "/%d/devices", group);
	return inventory_list(world, path, members);
}

/*
 * Adds what rules want along with a function that they name, read as fully as that one. Each
 * group is listed once, into @scratch.
 */
static void companions_add(struct fact_reader *facts, struct inventory *inv,
			   struct bdf_list *scratch)
{
	struct search s = {facts, inv, scratch, inv->count};

	for (size_t i = 0; i < s.sorted; i++) {
		const struct pci_device *d = &inv->devices[i];

		/* One that is a companion is so of its own group: that has been listed. */
		if (!(d->brings & FACT_WITH_GROUP) || d->is_bridge || d->is_companion ||
		    d->iommu_group == NO_GROUP)
			continue;
		inventory_count_unread(inv,
				       list_group(facts->world, d->iommu_group, scratch));
		for (size_t k = 0; k < scratch->count; k++)
			add_companion(&s, scratch->bdfs[k]);
	}
	for (size_t i = 0; i < s.sorted; i++) {
		struct bdf bdf = inv->devices[i].bdf;

		if (!(inv->devices[i].brings & FACT_WITH_FUNCTIONS) ||
		    inv->devices[i].is_bridge)
			continue;
		for (bdf.function = 0; bdf.function < FUNCTIONS_OF_SLOT; bdf.function++)
			add_companion(&s, bdf);
	}
	if (inv->count > s.sorted)
		sort(inv);
}

struct leader_search {
	struct fact_reader *facts;
	unsigned brings; /* of FACT_WITH_* */
	bool is_found;
};

static void see_leader(struct leader_search *s, struct bdf bdf)
{
	struct pci_device d = {.bdf = bdf};
	int r = inventory_read_ids(s->facts->world, bdf, &d.ids);

	if (r == 0)
		r = facts_learn(s->facts, &d);
	/* Of one that cannot be read the whole reading will tell. */
	if (r < 0 ? r != -ENOENT : ((unsigned)r & s->brings) != 0)
		s->is_found = true;
}

static int see_member(void *arg, const char *name)
{
	struct leader_search *s = arg;
	struct bdf bdf;

	if (bdf_parse(text_of(name), &bdf) == 0)
		see_leader(s, bdf);
	return s->is_found;
}

bool companion_is_possible(struct fact_reader *facts, struct bdf bdf)
{
	struct leader_search s = {facts, FACT_WITH_FUNCTIONS, false};
	struct world *world = facts->world;
	struct bdf sibling = bdf;
	char path[JOB_PATH_SIZE];
	int group, r;

	for (sibling.function = 0; sibling.function < FUNCTIONS_OF_SLOT && !s.is_found;
	     sibling.function++)
		see_leader(&s, sibling);
	r = inventory_read_group(world, bdf, &group);
	if (r < 0 || s.is_found || group == NO_GROUP)
		return r < 0 || s.is_found;
	s.brings = FACT_WITH_GROUP;
	snprintf(path, sizeof(path), GROUPS "/%d/devices", group);
	r = world->ops->list(world, WORLD_SYS, path, see_member, &s);
	return r < 0 || s.is_found;
}

/* What was read of them already; anew of one that has come since. */
static int find_ids(struct world *world, const struct seen *seen, struct bdf bdf,
		    struct pci_ids *ret)
{
	const struct bdf *found =
		bsearch(&bdf, seen->bdfs, seen->count, sizeof(bdf), bdf_order);
	const struct pci_ids *ids = found ? &seen->ids[found - seen->bdfs] : NULL;

	if (!ids || ids->vendor == 0)
		return inventory_read_ids(world, bdf, ret);
	*ret = *ids;
	return 0;
}

/* Adds the members of the groups of all interesting devices. */
static void neighbours_add(struct world *world, struct inventory *inv,
			   const struct seen *seen, struct bdf_list *members)
{
	size_t sorted = inv->count;
	int last = NO_GROUP;

	/* With every function there already, no neighbour can be missing. */
	if (sorted == members->max)
		return;
	for (size_t i = 0; i < sorted; i++) {
		int group = inv->devices[i].iommu_group;

		/* Members of one group mostly follow each other: it is listed once. */
		if (!inv->devices[i].is_interesting || group == NO_GROUP || group == last)
			continue;
		last = group;
		inventory_count_unread(inv, list_group(world, group, members));
		for (size_t k = 0; k < members->count && inv->count < members->max; k++) {
			struct pci_device *d = &inv->devices[inv->count];
			int r;

			if (find(inv, sorted, members->bdfs[k]))
				continue;
			*d = (struct pci_device){.bdf = members->bdfs[k]};
			r = find_ids(world, seen, d->bdf, &d->ids);
			if (r == 0)
				r = inventory_read_rest(world, d);
			inventory_count_unread(inv, r);
			inv->count += r == 0;
		}
	}
	if (inv->count > sorted)
		sort(inv);
}
