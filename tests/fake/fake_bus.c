/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_bus.h"

#include <errno.h>
#include <string.h>

#define EPROBE_DEFER 517 /* the kernel's own, never seen from outside */

/* drivers/pci/pci-driver.c: pci_bus_match(), pci_match_device() */
static bool is_match(const struct fake_device *d, const struct fake_driver *driver)
{
	if (d->is_settling)
		return false;
	if (d->has_override)
		return strcmp(d->override, driver->name) == 0;
	for (size_t i = 0; i < driver->id_count; i++)
		if (pci_match_has(&driver->ids[i], &d->ids))
			return true;
	return false;
}

/* drivers/vfio/pci: vfio_pci_probe(), vfio_pci_core_register_device() */
static int probe_vfio(struct fake_bus *bus, struct fake_device *d)
{
	if (d->vfio_error)
		return d->vfio_error;
	if (d->is_iommu_late && d->group == FAKE_NO_GROUP)
		d->group = 77;
	if (d->has_bus_behind || (d->group == FAKE_NO_GROUP && !bus->has_noiommu))
		return -EINVAL;
	if (d->vf_count > 0)
		return -EBUSY;
	if (d->deferrals > 0) {
		d->deferrals--;
		return -EPROBE_DEFER;
	}
	/* vfio_pci_vga_init(): since 6.0, of VGA controllers only */
	if (bus->kernel != FAKE_5_10 && d->ids.class == 0x030000 &&
	    bus->framebuffer.on == d)
		bus->framebuffer = (struct fake_framebuffer){0};
	return 0;
}

static void finish(struct fake_task *task, int error)
{
	if (task->device && task->device->lock == task)
		task->device->lock = NULL;
	task->error = error;
	/* kernel/module/main.c: do_init_module() waits for every probe of the system. */
	task->step = task->is_load && error == 0 ? STEP_SYNCING : STEP_DONE;
}

static uint64_t later(const struct fake_bus *bus, uint64_t time)
{
	return time == FAKE_FOREVER ? FAKE_FOREVER : bus->now + time;
}

/* dd.c: really_probe(): the link comes first, then the second match, then the probe. */
static void start_probe(struct fake_bus *bus, struct fake_task *task,
			struct fake_driver *driver)
{
	struct fake_device *d = task->device;

	task->probing = driver;
	/* device_links_check_suppliers() */
	if (d->supplier && !d->supplier->is_bound) {
		task->error = -EPROBE_DEFER;
		task->step = STEP_PROBING;
		task->wake = bus->now;
		return;
	}
	d->driver = driver;
	d->has_link = true;
	d->was_native |= !driver->is_vfio;
	task->error = 0;
	task->step = STEP_LINKED;
	task->wake = later(bus, driver->link_time);
}

/* pci-driver.c: __pci_device_probe() */
static void match_again(struct fake_bus *bus, struct fake_task *task)
{
	if (!is_match(task->device, task->probing))
		task->error = -ENODEV;
	task->step = STEP_PROBING;
	task->wake = later(bus, task->error ? 0 : task->probing->probe_time);
}

/* dd.c: driver_deferred_probe_trigger(): each device looks for a driver once more. */
static void repeat_deferred(struct fake_bus *bus)
{
	for (size_t i = 0; i < bus->device_count; i++) {
		struct fake_device *d = &bus->devices[i];

		if (!d->is_deferred)
			continue;
		d->is_deferred = false;
		if (d->is_present)
			(void)fake_start(bus, OP_DRIVERS_PROBE, d, NULL);
	}
}

static int end_probe(struct fake_bus *bus, struct fake_task *task)
{
	struct fake_device *d = task->device;
	int error = task->error;

	task->error = 0;
	if (!d->is_present)
		return -ENODEV;
	if (error == 0)
		error = task->probing->probe_error;
	if (task->probing->is_vfio && error == 0)
		error = probe_vfio(bus, d);
	fake_bind_now(d, error ? NULL : task->probing);
	/* driver_probe_device(); bind has a way of its own since 5.14. */
	if (error == -EPROBE_DEFER && (task->op != OP_BIND || bus->kernel == FAKE_5_10))
		d->is_deferred = true;
	if (error == 0) {
		d->is_deferred = false; /* driver_bound() */
		repeat_deferred(bus);
	}
	return error;
}

/* What bind's store makes of the error of a probe. */
static int bind_error(const struct fake_bus *bus, int error)
{
	if (error == 0)
		return 0;
	if (bus->kernel == FAKE_5_10)
		return -ENODEV;
	return error == -EPROBE_DEFER ? -EAGAIN : error;
}

/* bus.c: bind_store(), dd.c: device_driver_attach() */
static void step_bind(struct fake_bus *bus, struct fake_task *task)
{
	if (task->step == STEP_PROBING)
		finish(task, bind_error(bus, end_probe(bus, task)));
	else if (!task->device->is_present)
		finish(task, -ENODEV);
	else if (task->device->driver)
		finish(task, bus->kernel == FAKE_5_10 ? -ENODEV : -EBUSY);
	else
		start_probe(bus, task, task->driver);
}

/* bus.c: unbind_store(), dd.c: __device_release_driver(): the link goes first. */
static void step_unbind(struct fake_bus *bus, struct fake_task *task)
{
	struct fake_device *d = task->device;

	if (task->step == STEP_REMOVING) {
		d->driver = NULL;
		d->is_bound = false;
		finish(task, 0);
	} else if (d->driver != task->driver) {
		/* It has let go while the lock was waited for: that is success too. */
		finish(task, 0);
	} else {
		/* device_links_unbind_consumers() */
		for (size_t i = 0; i < bus->device_count; i++)
			if (bus->devices[i].supplier == d && bus->devices[i].is_bound)
				fake_bind_now(&bus->devices[i], NULL);
		d->has_link = false;
		task->step = STEP_REMOVING;
		task->wake = later(bus, task->driver->remove_time);
	}
}

/* bus.c: drivers_probe_store(), dd.c: device_attach(): says nothing about the outcome. */
static void step_drivers_probe(struct fake_bus *bus, struct fake_task *task)
{
	if (task->step == STEP_PROBING)
		(void)end_probe(bus, task);
	while (!task->device->driver && task->device->is_present &&
	       task->next < bus->driver_count) {
		struct fake_driver *driver = &bus->drivers[task->next++];

		if (driver->state != DRIVER_ABSENT && is_match(task->device, driver)) {
			start_probe(bus, task, driver);
			return;
		}
	}
	finish(task, 0);
}

/* dd.c: __driver_attach_async_helper() */
static void step_attach(struct fake_bus *bus, struct fake_task *task)
{
	if (task->step == STEP_PROBING) {
		(void)end_probe(bus, task);
	} else if (task->device->is_present && !task->device->driver) {
		start_probe(bus, task, task->driver);
		return;
	}
	finish(task, 0);
}

/* vfio_pci_init(): the driver is registered, then its module's ids= are added to it. */
static bool has_second_round(struct fake_task *task)
{
	struct fake_driver *driver = task->driver;

	driver->state = DRIVER_REGISTERED;
	if (driver->new_id_count == 0 || task->is_second_round)
		return false;
	for (size_t i = 0; i < driver->new_id_count && driver->id_count < FAKE_IDS_MAX;
	     i++)
		driver->ids[driver->id_count++] = driver->new_ids[i];
	driver->new_id_count = 0;
	task->is_second_round = true;
	task->next = 0;
	return true;
}

/* bus.c: bus_add_driver(), dd.c: __driver_attach(): each device in its turn, and locked. */
static void step_register(struct fake_bus *bus, struct fake_task *task)
{
	struct fake_device *d = task->device;

	if (task->step == STEP_PROBING) {
		(void)end_probe(bus, task);
	} else if (task->step == STEP_LOCKED && d && d->is_present && !d->driver) {
		if (!task->driver->is_async) {
			start_probe(bus, task, task->driver);
			return;
		}
		(void)fake_start(bus, OP_ATTACH, d, task->driver);
	}
	if (d && d->lock == task)
		d->lock = NULL;
	do {
		while (task->next < bus->device_count) {
			d = &bus->devices[task->next++];
			/* Matched without the lock; then the lock is waited for. */
			if (d->is_present && is_match(d, task->driver)) {
				task->device = d;
				task->step = STEP_WAITING;
				return;
			}
		}
	} while (has_second_round(task));
	task->device = NULL;
	finish(task, 0);
}

static void step_override(struct fake_task *task)
{
	struct fake_device *d = task->device;
	char *end = strchr(task->value, '\n');

	if (end)
		*end = '\0';
	d->has_override = task->value[0] != '\0';
	memcpy(d->override, task->value, sizeof(d->override));
	finish(task, d->is_present ? 0 : -ENODEV);
}

/*
 * What is asked without the lock. True if that ends the task: a device that does not match,
 * or, before 5.14, has a driver or a link of one (bind_store()), has another driver (unbind_store()), or has any, even one on its way in or
 * out (bus_rescan_devices_helper()).
 */
static bool is_decided(const struct fake_bus *bus, struct fake_task *task)
{
	const struct fake_device *d = task->device;

	switch (task->op) {
	case OP_BIND:
		if (d->is_present && is_match(d, task->driver) &&
		    !(bus->kernel == FAKE_5_10 && d->driver))
			return false;
		finish(task, -ENODEV);
		return true;
	case OP_UNBIND:
		if (d->is_present && d->driver == task->driver)
			return false;
		finish(task, -ENODEV);
		return true;
	case OP_DRIVERS_PROBE:
		if (!d->driver)
			return false;
		finish(task, 0);
		return true;
	case OP_OVERRIDE:
	case OP_REGISTER:
	case OP_ATTACH:
	case OP_FENCE:
	case OP_SLEEP:
		break;
	}
	return false;
}

static bool has_async_probe(const struct fake_bus *bus)
{
	for (size_t i = 0; i < bus->task_count; i++)
		if (bus->tasks[i].op == OP_ATTACH && bus->tasks[i].step != STEP_DONE)
			return true;
	return false;
}

bool fake_step(struct fake_bus *bus, struct fake_task *task)
{
	bool is_waiting = task->step == STEP_LINKED || task->step == STEP_PROBING ||
			  task->step == STEP_REMOVING || task->step == STEP_SLEEPING;

	if (task->step == STEP_DONE || (is_waiting && task->wake > bus->now))
		return false;
	if (task->step == STEP_SYNCING) {
		if (has_async_probe(bus))
			return false;
		task->step = STEP_DONE;
		return true;
	}
	if (task->step == STEP_START) {
		if (is_decided(bus, task))
			return true;
		task->step = STEP_WAITING;
	}
	/* The store of the override takes no lock any more (bus.c: driver_override_store()). */
	if (task->step == STEP_WAITING && task->device) {
		if (!(task->op == OP_OVERRIDE && bus->kernel == FAKE_7_1)) {
			if (task->device->lock)
				return false;
			task->device->lock = task;
		}
		task->step = STEP_LOCKED;
	}
	if (task->step == STEP_LINKED) {
		match_again(bus, task);
		return true;
	}
	switch (task->op) {
	case OP_OVERRIDE:
		step_override(task);
		break;
	case OP_BIND:
		step_bind(bus, task);
		break;
	case OP_UNBIND:
		step_unbind(bus, task);
		break;
	case OP_DRIVERS_PROBE:
		step_drivers_probe(bus, task);
		break;
	case OP_REGISTER:
		step_register(bus, task);
		break;
	case OP_ATTACH:
		step_attach(bus, task);
		break;
	case OP_FENCE:
		finish(task, task->device->is_present ? -EINVAL : -ENODEV);
		break;
	case OP_SLEEP:
		finish(task, task->error);
		break;
	}
	return true;
}
