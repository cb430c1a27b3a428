/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The folders of the fake machine, and the slots that are in one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fake_jobs.h"

#define DEVICES "bus/pci/devices"
#define SLOTS	"bus/pci/slots"
#define GROUPS	"kernel/iommu_groups"

/* drivers/pci/slot.c: address_read_file(), which takes no lock */
int fake_read_slot(struct fake_world *w, const char *path, char *buf, size_t size)
{
	char name[FAKE_NAME_SIZE];
	int end = 0;

	if (sscanf(path, SLOTS "/%63[^/]/address%n", name, &end) != 1 || path[end])
		fake_abort("unknown file: %s", path);
	w->slot_reads++;
	for (size_t i = 0; i < w->bus.slot_count; i++)
		if (strcmp(w->bus.slots[i].name, name) == 0 && w->bus.slots[i].address)
			return fake_put(buf, size, "%s\n", w->bus.slots[i].address);
	return -ENOENT;
}

/* No order is promised. */
static int list_slots(struct fake_world *w, int (*each)(void *arg, const char *name),
		      void *arg)
{
	size_t order[FAKE_SLOTS_MAX];
	int r = 0;

	w->slot_lists++;
	fake_shuffle(w, order, w->bus.slot_count);
	for (size_t i = 0; i < w->bus.slot_count && r == 0; i++)
		r = each(arg, w->bus.slots[order[i]].name);
	for (size_t i = 0; i < w->bus.slot_repeats && r == 0; i++)
		r = each(arg, w->bus.slots[0].name);
	return r;
}

/* The members of a group; -2 for all devices. No order is promised. */
static int list_devices(struct fake_world *w, int group,
			int (*each)(void *arg, const char *name), void *arg)
{
	size_t order[FAKE_DEVICES_MAX];
	char address[BDF_SIZE];
	int r = 0;

	fake_shuffle(w, order, w->bus.device_count);
	for (size_t i = 0; i < w->bus.device_count && r == 0; i++) {
		const struct fake_device *d = &w->bus.devices[order[i]];

		if (d->is_present && (group == -2 || d->group == group))
			r = each(arg, bdf_format(d->bdf, address));
	}
	return r;
}

static int list_whole(struct fake_world *w, enum world_root root, const char *path,
		      int (*each)(void *arg, const char *name), void *arg)
{
	const struct fake_driver *driver;
	char name[FAKE_NAME_SIZE];
	int group, end = 0;

	if (root != WORLD_SYS)
		return fake_list_files(w, root, path, each, arg);
	if (strcmp(path, DEVICES) == 0)
		return w->is_without_bus ? -ENOENT : list_devices(w, -2, each, arg);
	if (strcmp(path, SLOTS) == 0)
		return list_slots(w, each, arg);
	if (strcmp(path, "class/iommu") == 0)
		return w->is_without_iommu ? -ENOENT
					   : each(arg, w->iommu ? w->iommu : "dmar0");
	if (strcmp(path, GROUPS) == 0)
		return w->is_without_iommu ? 0 : each(arg, "0");
	if (sscanf(path, "bus/pci/drivers/%63[^/]%n", name, &end) == 1 &&
	    path[end] == '\0') {
		driver = fake_find_driver(&w->bus, name);
		return fake_list_driver(driver, each, arg);
	}
	if (sscanf(path, "module/%63[^/]/drivers%n", name, &end) == 1 &&
	    path[end] == '\0')
		return fake_list_module(w, name, each, arg);
	if (sscanf(path, GROUPS "/%d/devices%n", &group, &end) == 1 && path[end] == '\0')
		return list_devices(w, group, each, arg);
	if (strcmp(path, "firmware/acpi/tables") == 0 || strncmp(path, "class/", 6) == 0)
		return fake_list_files(w, root, path, each, arg);
	fake_abort("unknown folder: %s", path);
}

/* A list that breaks off: its next read fails. */
struct cut_list {
	int (*each)(void *arg, const char *name);
	void *arg;
	size_t left;
};

static int each_until_cut(void *arg, const char *name)
{
	struct cut_list *cut = arg;

	if (cut->left == 0)
		return -EIO;
	cut->left--;
	return cut->each(cut->arg, name);
}

int fake_list(struct world *world, enum world_root root, const char *path,
	      int (*each)(void *arg, const char *name), void *arg)
{
	struct fake_world *w = (struct fake_world *)world;
	struct cut_list cut = {each, arg, 3};
	enum fake_fault fault =
		fake_access(w, FAULTS_OF_READS & ~(1u << FAULT_GARBAGE), NULL);

	if (fake_fault_error(fault) < 0)
		return fake_fault_error(fault);
	if (fault == FAULT_SHORT)
		return list_whole(w, root, path, each_until_cut, &cut);
	return list_whole(w, root, path, each, arg);
}
