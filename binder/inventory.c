/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inventory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES SYSFS_PCI_DEVICES
#define GROUPS	SYSFS_IOMMU_GROUPS

struct listing {
	struct bdf *bdfs; /* NULL: only count */
	size_t count;
	size_t max;
};

static int add_name(void *arg, const char *name)
{
	struct listing *listing = arg;
	struct bdf bdf;

	if (bdf_parse(text_of(name), &bdf) < 0)
		return 0;
	if (listing->count == listing->max)
		return 1;
	if (listing->bdfs)
		listing->bdfs[listing->count] = bdf;
	listing->count++;
	return 0;
}

static int compare_bdfs(const void *a, const void *b)
{
	return bdf_compare(*(const struct bdf *)a, *(const struct bdf *)b);
}

static int compare_devices(const void *a, const void *b)
{
	return bdf_compare(((const struct pci_device *)a)->bdf,
			   ((const struct pci_device *)b)->bdf);
}

int modalias_parse(struct text t, struct pci_ids *ret)
{
	static const struct {
		const char *key;
		size_t digits;
		uint64_t max;
	} fields[] = {
		{"pci:v", 8, 0xffff}, {"d", 8, 0xffff}, {"sv", 8, 0xffff},
		{"sd", 8, 0xffff},    {"bc", 2, 0xff},	{"sc", 2, 0xff},
		{"i", 2, 0xff},
	};
	uint64_t v[ARRAY_SIZE(fields)];

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		size_t n = strlen(fields[i].key);
		struct text digits;

		if (!text_has_prefix(t, fields[i].key) || t.n < n + fields[i].digits)
			return -EINVAL;
		digits = (struct text){t.p + n, fields[i].digits};
		if (text_hex(digits, fields[i].max, &v[i]) < 0)
			return -EINVAL;
		t.p += n + digits.n;
		t.n -= n + digits.n;
	}
	if (t.n > 0)
		return -EINVAL;
	*ret = (struct pci_ids){
		.vendor = (uint16_t)v[0],
		.device = (uint16_t)v[1],
		.subvendor = (uint16_t)v[2],
		.subdevice = (uint16_t)v[3],
		.class = (uint32_t)(v[4] << 16 | v[5] << 8 | v[6]),
	};
	return 0;
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

int inventory_read_driver(struct world *world, struct bdf bdf,
			  char driver[static DRIVER_NAME_SIZE])
{
	char path[JOB_PATH_SIZE];
	int r = world->ops->link(world, WORLD_SYS,
				 inventory_attribute(bdf, "driver", path), driver,
				 DRIVER_NAME_SIZE);

	if (r == -ENOENT) {
		char device[BDF_SIZE];

		driver[0] = '\0';
		/* No driver, or no device any more? It is a link itself. */
		snprintf(path, sizeof(path), DEVICES "/%s", bdf_format(bdf, device));
		r = world->ops->link(world, WORLD_SYS, path, device, sizeof(device));
		return r == -ENOENT ? -ENODEV : 0;
	}
	return MIN(r, 0);
}

int inventory_read_group(struct world *world, struct bdf bdf)
{
	char path[JOB_PATH_SIZE], buf[32];
	uint64_t group;
	int n;

	n = world->ops->link(world, WORLD_SYS,
			     inventory_attribute(bdf, "iommu_group", path), buf,
			     sizeof(buf));
	if (n < 0 || text_decimal((struct text){buf, (size_t)n}, INT32_MAX, &group) < 0)
		return NO_GROUP;
	return (int)group;
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

/* Fills the rest of @d. 0, or -errno. */
static int read_device(struct world *world, struct pci_device *d)
{
	int r;

	inventory_enter(world, d->bdf);
	r = inventory_read_driver(world, d->bdf, d->driver);
	if (r < 0)
		return r;
	d->iommu_group = inventory_read_group(world, d->bdf);
	d->is_bridge = is_bridge(world, d->bdf, &d->ids);
	d->is_boot_vga =
		pci_is_display(&d->ids) && read_number(world, d->bdf, "boot_vga") == 1;
	d->vf_count = d->is_interesting ? inventory_count_vfs(world, d->bdf) : 0;
	return 0;
}

/* A function that went away meanwhile is not missed. */
static void count_unread(struct inventory *inv, int error)
{
	if (error < 0 && error != -ENOENT && error != -ENODEV)
		inv->unread_count++;
}

static bool has_device(const struct inventory *inv, size_t sorted, struct bdf bdf)
{
	const struct pci_device key = {.bdf = bdf};

	if (bsearch(&key, inv->devices, sorted, sizeof(key), compare_devices))
		return true;
	for (size_t i = sorted; i < inv->count; i++)
		if (bdf_compare(inv->devices[i].bdf, bdf) == 0)
			return true;
	return false;
}

/* Adds the members of the groups of all interesting devices. */
static int add_neighbours(struct world *world, struct inventory *inv, struct bdf *scratch,
			  size_t max)
{
	size_t sorted = inv->count;
	int last = NO_GROUP;

	/* With every function there already, no neighbour can be missing. */
	if (sorted == max)
		return 0;
	for (size_t i = 0; i < sorted; i++) {
		struct listing members = {.bdfs = scratch, .max = max};
		char path[JOB_PATH_SIZE];
		int group = inv->devices[i].iommu_group, r;

		/* Members of one group mostly follow each other: it is listed once. */
		if (!inv->devices[i].is_interesting || group == NO_GROUP || group == last)
			continue;
		last = group;
		snprintf(path, sizeof(path), GROUPS "/%d/devices", group);
		r = world->ops->list(world, WORLD_SYS, path, add_name, &members);
		count_unread(inv, r);
		for (size_t k = 0; k < members.count && inv->count < max; k++) {
			struct pci_device *d = &inv->devices[inv->count];

			if (has_device(inv, sorted, scratch[k]))
				continue;
			*d = (struct pci_device){.bdf = scratch[k]};
			r = inventory_read_ids(world, d->bdf, &d->ids);
			if (r == 0)
				r = read_device(world, d);
			count_unread(inv, r);
			inv->count += r == 0;
		}
	}
	if (inv->count > sorted)
		qsort(inv->devices, inv->count, sizeof(*inv->devices), compare_devices);
	return 0;
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

/* A look at function 0, for the sake of another one, may be what did not come back. */
static void leave_alone(struct inventory *inv, const struct pci_device *d)
{
	for (size_t i = inv->count;
	     i > 0 && bdf_is_same_slot(inv->devices[i - 1].bdf, d->bdf); i--)
		inv->devices[i - 1].is_unread = true;
}

int inventory_read(struct world *world, struct arena *arena, inventory_filter filter,
		   const void *arg, struct inventory *ret)
{
	struct inventory inv = {0};
	struct listing all = {.max = FUNCTIONS_MAX + 1};
	struct fact_reader facts = {world, filter, arg, 0};
	struct bdf *scratch;
	int r;

	r = world->ops->list(world, WORLD_SYS, DEVICES, add_name, &all);
	if (r < 0)
		return r;
	iommu_read(world, arena, &inv.iommu);
	inv.is_cut = all.count > FUNCTIONS_MAX;
	all.max = MIN(all.count, (size_t)FUNCTIONS_MAX);
	all.count = 0;
	all.bdfs = arena_alloc(arena, all.max, sizeof(*all.bdfs));
	scratch = arena_alloc(arena, all.max, sizeof(*scratch));
	inv.devices = arena_alloc(arena, all.max, sizeof(*inv.devices));
	if (!all.bdfs || !scratch || !inv.devices)
		return -ENOMEM;
	r = world->ops->list(world, WORLD_SYS, DEVICES, add_name, &all);
	if (r < 0)
		return r;
	qsort(all.bdfs, all.count, sizeof(*all.bdfs), compare_bdfs);

	inv.function_count = all.count;
	for (size_t i = 0; i < all.count; i++) {
		struct pci_device *d = &inv.devices[inv.count];

		*d = (struct pci_device){.bdf = all.bdfs[i]};
		r = inventory_read_ids(world, d->bdf, &d->ids);
		if (r == 0) {
			int wanted = filter ? facts_learn(&facts, d) : (int)FACT_WANTED;

			d->is_interesting = wanted > 0 && (wanted & (int)FACT_WANTED);
			d->is_unread = wanted < 0;
			if (d->is_unread)
				leave_alone(&inv, d);
			if (wanted == 0 && !pci_is_display(&d->ids))
				continue;
			r = read_device(world, d);
			inv.count += r == 0;
			r = MIN(r, wanted);
		}
		count_unread(&inv, r);
	}
	read_direct(world, arena, &inv);
	r = add_neighbours(world, &inv, scratch, all.max);
	world->ops->enter(world, NULL);
	if (r == 0)
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

struct pci_device *inventory_find(const struct inventory *inventory, struct bdf bdf)
{
	const struct pci_device key = {.bdf = bdf};

	return bsearch(&key, inventory->devices, inventory->count, sizeof(key),
		       compare_devices);
}
