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
	return 0;
}

static void finish(struct fake_task *task, int error)
{
	if (task->device && task->device->lock == task)
		task->device->lock = NULL;
	task->error = error;
	task->step = STEP_DONE;
}

/* dd.c: really_probe(): the link comes first, then the second match, then the probe. */
static void start_probe(struct fake_bus *bus, struct fake_task *task,
			struct fake_driver *driver)
{
	struct fake_device *d = task->device;

	d->driver = driver;
	d->has_link = true;
	task->probing = driver;
	task->step = STEP_PROBING;
	task->wake = is_match(d, driver) && driver->probe_time == FAKE_FOREVER
			     ? FAKE_FOREVER
			     : bus->now + (is_match(d, driver) ? driver->probe_time : 0);
}

static int end_probe(struct fake_bus *bus, struct fake_task *task)
{
	struct fake_device *d = task->device;
	int error = task->probing->probe_error;

	if (!d->is_present)
		return -ENODEV;
	if (!is_match(d, task->probing))
		error = -ENODEV;
	else if (task->probing->is_vfio && error == 0)
		error = probe_vfio(bus, d);
	fake_bind_now(d, error ? NULL : task->probing);
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
	else if (!is_match(task->device, task->driver))
		finish(task, -ENODEV);
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
		finish(task, -ENODEV);
	} else {
		d->has_link = false;
		task->step = STEP_REMOVING;
		task->wake = task->driver->remove_time == FAKE_FOREVER
				     ? FAKE_FOREVER
				     : bus->now + task->driver->remove_time;
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

/* bus.c: bus_add_driver(), driver_attach(): one device after the other, each locked. */
static void step_register(struct fake_bus *bus, struct fake_task *task)
{
	if (task->step == STEP_PROBING)
		(void)end_probe(bus, task);
	else if (task->step == STEP_LOCKED && task->device && !task->device->driver &&
		 is_match(task->device, task->driver)) {
		start_probe(bus, task, task->driver);
		return;
	}
	if (task->device && task->device->lock == task)
		task->device->lock = NULL;
	while (task->next < bus->device_count) {
		struct fake_device *d = &bus->devices[task->next++];

		/* Matched without the lock; then the lock is waited for. */
		if (d->is_present && is_match(d, task->driver)) {
			task->device = d;
			task->step = STEP_START;
			return;
		}
	}
	task->driver->state = DRIVER_REGISTERED;
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

static bool needs_lock(const struct fake_bus *bus, const struct fake_task *task)
{
	return task->device && task->step == STEP_START &&
	       !(task->op == OP_OVERRIDE && bus->kernel == FAKE_7_1);
}

/* Does one step of a task. False if it cannot go on at this time. */
static bool step(struct fake_bus *bus, struct fake_task *task)
{
	bool is_waiting = task->step == STEP_PROBING || task->step == STEP_REMOVING ||
			  task->step == STEP_SLEEPING;

	if (task->step == STEP_DONE || (is_waiting && task->wake > bus->now))
		return false;
	/* Asked without the lock: a device on its way in or out is none of its business. */
	if (task->op == OP_DRIVERS_PROBE && task->step == STEP_START &&
	    task->device->driver) {
		finish(task, 0);
		return true;
	}
	if (needs_lock(bus, task)) {
		if (task->device->lock)
			return false;
		task->device->lock = task;
		task->step = STEP_LOCKED;
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
	case OP_SLEEP:
		finish(task, task->error);
		break;
	}
	return true;
}

/* A new task, or one that is over and of no interest any more. */
static struct fake_task *free_task(struct fake_bus *bus)
{
	for (size_t i = 0; i < bus->task_count; i++)
		if (bus->tasks[i].step == STEP_DONE && !bus->tasks[i].is_abandoned &&
		    !bus->tasks[i].is_awaited)
			return &bus->tasks[i];
	if (bus->task_count == FAKE_TASKS_MAX)
		fake_abort("more than %d tasks", FAKE_TASKS_MAX);
	return &bus->tasks[bus->task_count++];
}

struct fake_task *fake_start(struct fake_bus *bus, enum fake_op op,
			     struct fake_device *device, struct fake_driver *driver)
{
	struct fake_task *task;

	task = free_task(bus);
	memset(task, 0, sizeof(*task));
	task->op = op;
	task->device = device;
	task->driver = driver;
	if (op == OP_REGISTER)
		driver->state = DRIVER_REGISTERING;
	if (op == OP_SLEEP)
		task->step = STEP_SLEEPING;
	return task;
}

/* The next time at which something can happen, at most @until. */
static uint64_t next_time(const struct fake_bus *bus, uint64_t until)
{
	for (size_t i = 0; i < bus->task_count; i++) {
		const struct fake_task *t = &bus->tasks[i];

		if (t->step != STEP_DONE && t->wake > bus->now)
			until = MIN(until, t->wake);
	}
	for (size_t i = 0; i < bus->event_count; i++)
		if (bus->events[i].f && bus->events[i].time > bus->now)
			until = MIN(until, bus->events[i].time);
	return until;
}

void fake_run(struct fake_bus *bus, uint64_t until, const struct fake_task *task)
{
	for (;;) {
		bool has_moved = false;

		for (size_t i = 0; i < bus->event_count; i++) {
			struct fake_event event = bus->events[i];

			if (!event.f || event.time > bus->now)
				continue;
			bus->events[i].f = NULL;
			event.f(bus, event.arg);
			has_moved = true;
		}
		for (size_t i = 0; i < bus->task_count; i++)
			has_moved = step(bus, &bus->tasks[i]) || has_moved;
		if (task && task->step == STEP_DONE)
			return;
		if (has_moved)
			continue;
		if (bus->now >= until)
			return;
		bus->now = next_time(bus, until);
	}
}

bool fake_is_busy(const struct fake_bus *bus, const struct fake_device *device)
{
	for (size_t i = 0; i < bus->task_count; i++)
		if (bus->tasks[i].step != STEP_DONE && bus->tasks[i].device == device)
			return true;
	return false;
}
