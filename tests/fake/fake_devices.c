/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the bus consists of: put together, looked up, changed from outside. */
#include "fake_bus.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *fake_label;

void fake_abort(const char *format, ...)
{
	va_list ap;

	if (fake_label)
		fprintf(stderr, "%s: ", fake_label);
	fputs("fake kernel: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

struct fake_device *fake_add_device(struct fake_bus *bus, const char *address,
				    struct pci_ids ids, int group)
{
	struct fake_device *d;
	struct bdf bdf;

	if (bus->device_count == FAKE_DEVICES_MAX)
		fake_abort("more than %d devices", FAKE_DEVICES_MAX);
	if (bdf_parse(text_of(address), &bdf) < 0)
		fake_abort("\"%s\" is no address", address);
	d = &bus->devices[bus->device_count++];
	memset(d, 0, sizeof(*d));
	d->bdf = bdf;
	d->ids = ids;
	d->group = group;
	d->is_present = true;
	return d;
}

void fake_add_slot(struct fake_bus *bus, const char *name, const char *address)
{
	if (bus->slot_count == FAKE_SLOTS_MAX)
		fake_abort("more than %d slots", FAKE_SLOTS_MAX);
	bus->slots[bus->slot_count++] = (struct fake_slot){name, address};
}

struct fake_driver *fake_add_driver(struct fake_bus *bus, const char *name,
				    const char *module)
{
	struct fake_driver *driver;

	if (bus->driver_count == FAKE_DRIVERS_MAX)
		fake_abort("more than %d drivers", FAKE_DRIVERS_MAX);
	driver = &bus->drivers[bus->driver_count++];
	memset(driver, 0, sizeof(*driver));
	snprintf(driver->name, sizeof(driver->name), "%s", name);
	snprintf(driver->module, sizeof(driver->module), "%s", module);
	driver->probe_time = 300;
	driver->remove_time = 100;
	driver->link_time = 1;
	return driver;
}

void fake_add_id(struct fake_driver *driver, uint16_t vendor, uint16_t device)
{
	if (driver->id_count == FAKE_IDS_MAX)
		fake_abort("more than %d IDs", FAKE_IDS_MAX);
	driver->ids[driver->id_count++] =
		(struct pci_match){vendor, device, PCI_ANY, PCI_ANY, 0, 0};
}

struct fake_device *fake_find_holder(struct fake_bus *bus, const char *value)
{
	struct pci_match m = {0, 0, PCI_ANY, PCI_ANY, 0, 0};

	if (sscanf(value, "%x %x", &m.vendor, &m.device) != 2)
		return NULL;
	for (size_t i = 0; i < bus->device_count; i++)
		if (bus->devices[i].is_present && pci_match_has(&m, &bus->devices[i].ids))
			return &bus->devices[i];
	return NULL;
}

/* drivers/pci/pci-driver.c: remove_id_store(): the first one on the list that fits. */
int fake_remove_id(struct fake_driver *driver, const char *value)
{
	struct pci_match m = {0, 0, PCI_ANY, PCI_ANY, 0, 0};

	if (sscanf(value, "%x %x %x %x %x %x", &m.vendor, &m.device, &m.subvendor,
		   &m.subdevice, &m.class, &m.class_mask) < 2)
		return -EINVAL;
	for (size_t i = 0; i < driver->id_count; i++) {
		const struct pci_match *id = &driver->ids[i];

		if (id->vendor != m.vendor || id->device != m.device ||
		    (m.subvendor != PCI_ANY && id->subvendor != m.subvendor) ||
		    (m.subdevice != PCI_ANY && id->subdevice != m.subdevice) ||
		    ((id->class ^ m.class) & m.class_mask))
			continue;
		driver->id_count--;
		memmove(&driver->ids[i], &driver->ids[i + 1],
			(driver->id_count - i) * sizeof(*id));
		return 0;
	}
	return -ENODEV;
}

struct fake_device *fake_find_device(struct fake_bus *bus, const char *address)
{
	char whole[BDF_SIZE];
	struct bdf bdf;

	/* The kernel compares names: a short form is none. */
	if (bdf_parse(text_of(address), &bdf) < 0 ||
	    strcmp(bdf_format(bdf, whole), address) != 0)
		return NULL;
	for (size_t i = 0; i < bus->device_count; i++)
		if (bus->devices[i].is_present &&
		    bdf_compare(bus->devices[i].bdf, bdf) == 0)
			return &bus->devices[i];
	return NULL;
}

struct fake_driver *fake_find_driver(struct fake_bus *bus, const char *name)
{
	for (size_t i = 0; i < bus->driver_count; i++)
		if (strcmp(bus->drivers[i].name, name) == 0)
			return &bus->drivers[i];
	return NULL;
}

const char *fake_driver_of(const struct fake_device *d)
{
	return d->has_link ? d->driver->name : "";
}

void fake_bind_now(struct fake_device *d, struct fake_driver *driver)
{
	d->driver = driver;
	d->has_link = driver != NULL;
	d->is_bound = driver != NULL;
	d->was_native |= driver && !driver->is_vfio;
}

void fake_vanish(struct fake_bus *bus, struct fake_device *d)
{
	char address[BDF_SIZE];

	bdf_format(d->bdf, address);
	d->is_present = false;
	d->is_deferred = false;
	fake_bind_now(d, NULL);
	/* drivers/pci/iov.c: sriov_disable() */
	for (size_t i = 0; i < bus->device_count; i++)
		if (bus->devices[i].is_present && bus->devices[i].physfn &&
		    strcmp(bus->devices[i].physfn, address) == 0)
			fake_vanish(bus, &bus->devices[i]);
}

struct fake_device *fake_replace(struct fake_bus *bus, struct fake_device *old,
				 struct pci_ids ids)
{
	char address[BDF_SIZE];

	fake_vanish(bus, old);
	return fake_add_device(bus, bdf_format(old->bdf, address), ids, old->group);
}

struct fake_driver *fake_native_driver(struct fake_bus *bus, const struct fake_device *d)
{
	for (size_t i = 0; i < bus->driver_count; i++)
		for (size_t k = 0; k < bus->drivers[i].id_count; k++)
			if (!bus->drivers[i].is_vfio &&
			    pci_match_has(&bus->drivers[i].ids[k], &d->ids))
				return &bus->drivers[i];
	return NULL;
}

void fake_grab(struct fake_bus *bus, struct fake_device *d)
{
	struct fake_driver *driver = fake_native_driver(bus, d);

	if (driver && driver->state == DRIVER_ABSENT)
		(void)fake_start(bus, OP_REGISTER, NULL, driver);
	else if (driver && d->is_present)
		(void)fake_start(bus, OP_DRIVERS_PROBE, d, NULL);
}

/* drivers/pci/bus.c: pci_bus_add_device() */
static void settle(struct fake_bus *bus, void *arg)
{
	struct fake_device *d = arg;

	d->is_settling = false;
	(void)fake_start(bus, OP_DRIVERS_PROBE, d, NULL);
}

void fake_plug(struct fake_bus *bus, struct fake_device *d, uint64_t delay)
{
	d->is_present = true;
	d->is_settling = true;
	d->has_override = false;
	fake_bind_now(d, NULL);
	fake_at(bus, bus->now + delay, settle, d);
}

void fake_at(struct fake_bus *bus, uint64_t time, void (*f)(struct fake_bus *, void *),
	     void *arg)
{
	if (bus->event_count == FAKE_EVENTS_MAX)
		fake_abort("more than %d events", FAKE_EVENTS_MAX);
	bus->events[bus->event_count++] = (struct fake_event){time, f, arg};
}

static const struct fake_device *bridge_of(const struct fake_bus *bus,
					   const struct fake_device *d)
{
	for (size_t i = 0; i < bus->device_count; i++) {
		const struct fake_device *bridge = &bus->devices[i];

		if (bridge->is_present && bridge->bus_behind != 0 &&
		    bridge->bus_behind == d->bdf.bus &&
		    bridge->bdf.domain == d->bdf.domain)
			return bridge;
	}
	return NULL;
}

/* As pci_setup_device() and the roots of the kernel name them. */
void fake_put_place(const struct fake_bus *bus, const struct fake_device *d, char *buf,
		    size_t size)
{
	const struct fake_device *bridge = bridge_of(bus, d);
	char address[BDF_SIZE];
	size_t used;

	if (bridge)
		fake_put_place(bus, bridge, buf, size);
	else
		snprintf(buf, size, "../../../devices/pci%04x:%02x", d->bdf.domain,
			 d->bdf.bus);
	used = strlen(buf);
	snprintf(buf + used, size - used, "/%s", bdf_format(d->bdf, address));
}
