/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock of the bus, and what goes on while it is advanced. */
#include <string.h>

#include "fake_bus.h"

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
			has_moved = fake_step(bus, &bus->tasks[i]) || has_moved;
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
