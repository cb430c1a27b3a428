/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of jobs that do not come back at once. */
#include "fake_jobs.h"

#include <errno.h>

void fake_abandon(struct world *world)
{
	struct fake_world *w = (struct fake_world *)world;

	if (!w->job)
		fake_abort("gives up no job");
	fake_trace(w, "given up\n");
	w->job->is_awaited = false;
	w->job->is_abandoned = true;
	w->job = NULL;
}

int fake_park(struct world *world)
{
	struct fake_world *w = (struct fake_world *)world;

	if (!w->job)
		fake_abort("parks no job");
	for (int i = 0; i < JOBS_PARKED_MAX; i++)
		if (!w->parked[i].job) {
			fake_trace(w, "parked\n");
			w->parked[i] =
				(struct fake_parked){w->job, w->current, w->job_error};
			w->job = NULL;
			return i;
		}
	return -ENOSPC;
}

void fake_resume(struct world *world, int number)
{
	struct fake_world *w = (struct fake_world *)world;
	struct fake_parked *parked = &w->parked[number];

	if (w->job || !parked->job)
		fake_abort("resumes no job");
	fake_trace(w, "resumed\n");
	w->job = parked->job;
	w->current = parked->current;
	w->job_error = parked->job_error;
	parked->job = NULL;
}
