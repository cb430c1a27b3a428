/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run_lock.h"

#include <errno.h>

#include "hotplug.h"

#define POLL (20 * MILLISECOND)

enum turn turn_take(struct world *world, enum publish_place place, const char *name,
		    uint64_t until)
{
	enum turn turn = TURN_FREE;
	int r;

	while ((r = world->ops->lock(world, place, name)) == -EAGAIN) {
		if (turn == TURN_FREE)
			world_log(world, LOG_LEVEL_INFO,
				  "another binder is at work: waiting for it");
		turn = TURN_WAITED;
		if (world->ops->now(world) >= until)
			return TURN_LOST;
		world->ops->pause(world, POLL);
	}
	if (r < 0)
		world_log(world, LOG_LEVEL_DEBUG,
			  "whether another binder is at work cannot be told: %s",
			  errno_text(r));
	return turn;
}

void turn_keep_report(struct world *world, struct arena *arena)
{
	size_t used = arena->used;
	char *buf, byte;
	int n, r;

	if (world->ops->read(world, WORLD_RUN, RUN_OWN REPORT_NAME, &byte, 1) != -E2BIG ||
	    world->ops->read(world, WORLD_RUN, RUN_OWN REPORT_FIRST_NAME, &byte, 1) !=
		    -ENOENT)
		return;
	buf = arena_alloc(arena, REPORT_SIZE_MAX, 1);
	n = buf ? world->ops->read(world, WORLD_RUN, RUN_OWN REPORT_NAME, buf,
				   REPORT_SIZE_MAX)
		: -ENOMEM;
	r = n < 0 ? n
		  : world->ops->publish(world, PUBLISH_OWN, REPORT_FIRST_NAME,
					(struct text){buf, (size_t)n});
	if (r < 0)
		world_log(world, LOG_LEVEL_WARNING,
			  "the report of the run before is lost: %s", errno_text(r));
	arena_rewind(arena, used);
}

void turn_leave_stuck(struct world *world, struct report *report)
{
	for (size_t i = 0; report->plan && i < report->plan->device_count; i++) {
		struct outcome *o = &report->outcomes[i];
		const struct pci_device *d = o->plan->device;

		if ((o->plan->action != ACTION_BIND &&
		     o->plan->action != ACTION_RECOVER) ||
		    late_find(world, d->bdf, &d->ids) != LATE_STUCK)
			continue;
		o->verdict = VERDICT_STUCK;
		o->reason = REASON_STUCK;
		o->detail = "a write of an earlier run";
	}
}
