/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads tests/fixtures/MACHINE/machine.tsv. */
#include "fake_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURES "tests/fixtures"

static struct fake_driver *driver_of(struct fake_world *w, const char *name)
{
	struct fake_driver *driver = fake_find_driver(&w->bus, name);

	return driver ? driver : fake_add_driver(&w->bus, name, name);
}

/* "group=1", "driver=xclmgmt", "vfs=2", "bridge", "boot_vga" */
static void read_property(struct fake_world *w, struct fake_device *d, const char *word,
			  struct fake_driver **ret_driver)
{
	if (sscanf(word, "group=%d", &d->group) == 1)
		return;
	if (sscanf(word, "vfs=%u", &d->vf_count) == 1)
		return;
	if (strncmp(word, "driver=", 7) == 0) {
		*ret_driver = driver_of(w, word + 7);
		fake_add_id(*ret_driver, d->ids.vendor, d->ids.device);
	} else if (sscanf(word, "bridge=%2hhx", &d->bus_behind) == 1 ||
		   strcmp(word, "bridge") == 0) {
		d->has_bus_behind = true;
	} else if (strcmp(word, "boot_vga") == 0) {
		d->is_boot_vga = true;
	} else {
		fake_abort("unknown property: %s", word);
	}
}

/* ADDRESS VENDOR:DEVICE SUBVENDOR:SUBDEVICE CLASS [PROPERTY...] */
static void read_function(struct fake_world *w, char *line, bool is_running)
{
	char *rest = NULL, *address = strtok_r(line, "\t ", &rest);
	unsigned vendor, device, subvendor, subdevice, class;
	struct fake_driver *driver = NULL;
	struct fake_device *d;
	char *word;
	int end = 0;

	if (sscanf(rest, "%4x:%4x %4x:%4x %6x%n", &vendor, &device, &subvendor,
		   &subdevice, &class, &end) != 5)
		fake_abort("%s: not understood: %s", address, rest);
	rest += end;
	d = fake_add_device(&w->bus, address,
			    (struct pci_ids){(uint16_t)vendor, (uint16_t)device,
					     (uint16_t)subvendor, (uint16_t)subdevice,
					     class},
			    FAKE_NO_GROUP);
	while ((word = strtok_r(NULL, "\t ", &rest)))
		read_property(w, d, word, &driver);
	if (driver && (is_running || driver->module[0] == '\0')) {
		driver->state = DRIVER_REGISTERED;
		fake_bind_now(d, driver);
	}
}

void fake_load_machine(struct fake_world *w, const char *machine, bool is_running)
{
	char path[256], line[512];
	FILE *file;

	snprintf(path, sizeof(path), FIXTURES "/%s/machine.tsv", machine);
	file = fopen(path, "r");
	if (!file)
		fake_abort("%s cannot be opened", path);
	w->is_without_iommu = true;
	while (fgets(line, sizeof(line), file)) {
		char name[FAKE_NAME_SIZE];

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		if (sscanf(line, "builtin %63s", name) == 1)
			driver_of(w, name)->module[0] = '\0';
		else
			read_function(w, line, is_running);
	}
	fclose(file);
	for (size_t i = 0; i < w->bus.device_count; i++)
		if (w->bus.devices[i].group != FAKE_NO_GROUP)
			w->is_without_iommu = false;
}

struct fake_driver *fake_give(struct fake_world *w, const char *address, const char *name)
{
	struct fake_driver *driver = fake_find_driver(&w->bus, name);
	struct fake_device *device = fake_find_device(&w->bus, address);

	if (!driver || !device)
		fake_abort("%s cannot have %s", name, address);
	driver->state = DRIVER_REGISTERED;
	fake_bind_now(device, driver);
	return driver;
}

bool fake_is_viable(const struct fake_world *w, const char *group)
{
	static const char *const friendly[] = {"", "vfio-pci", "pci-stub", "pcieport"};

	for (size_t i = 0; i < w->bus.device_count; i++) {
		const struct fake_device *d = &w->bus.devices[i];
		bool is_friendly = false;
		char number[16];

		snprintf(number, sizeof(number), "%d", d->group);
		for (size_t k = 0; k < ARRAY_SIZE(friendly); k++)
			is_friendly = is_friendly ||
				      strcmp(fake_driver_of(d), friendly[k]) == 0;
		if (d->is_present && strcmp(number, group) == 0 && !is_friendly)
			return false;
	}
	return true;
}
