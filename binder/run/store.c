/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cover.h"

#define LINE_INTERVAL (5 * SECOND) /* of lines on the console */

uint64_t steps_now(const struct steps *s)
{
	return s->world->ops->now(s->world);
}

void steps_begin(struct steps *s, uint64_t deadline)
{
	s->began = steps_now(s);
	s->next_line = s->began + LINE_INTERVAL;
	s->deadline = deadline;
}

int steps_fail(struct outcome *o, enum reason reason, const char *detail, int error)
{
	o->reason = reason;
	o->detail = detail;
	o->error = -error;
	return error ? error : -EIO;
}

static void give_sign_of_life(struct steps *s, const char *what)
{
	uint64_t now = steps_now(s);

	if (now < s->next_line || now >= s->deadline)
		return;
	s->next_line = now + LINE_INTERVAL;
	world_log(s->world, LOG_LEVEL_WARNING,
		  "still waiting for the kernel: %s, %u s of at most %u s", what,
		  (unsigned)((now - s->began) / SECOND),
		  (unsigned)((s->deadline - s->began) / SECOND));
}

/* Waits for the job at hand. 0, -EINPROGRESS at @until, or -errno if the worker is lost. */
static int await(struct steps *s, struct job_result *result, const char *what,
		 uint64_t until)
{
	for (;;) {
		int r = s->world->ops->await(s->world, MIN(until, s->next_line), result);

		if (r != -EINPROGRESS || steps_now(s) >= until)
			return r;
		give_sign_of_life(s, what);
	}
}

int steps_run(struct steps *s, const struct job *job, struct job_result *result,
	      const char *what)
{
	int r = s->world->ops->submit(s->world, job);

	if (r == 0)
		r = await(s, result, what, s->deadline);
	if (r != -EINPROGRESS)
		return r;
	s->world->ops->abandon(s->world);
	return -ETIMEDOUT;
}

void steps_pause(struct steps *s, uint64_t microseconds, const char *what)
{
	s->world->ops->pause(s->world, microseconds);
	give_sign_of_life(s, what);
}

const char *steps_name(const struct outcome *o, const char *file,
		       char buf[static STEP_NAME_SIZE])
{
	char address[BDF_SIZE];

	snprintf(buf, STEP_NAME_SIZE, "%s of %s", file,
		 bdf_format(o->plan->device->bdf, address));
	return buf;
}

int steps_fail_job(struct steps *s, struct outcome *o, const char *file, int error)
{
	if (error == -ETIMEDOUT) {
		o->verdict = VERDICT_STUCK;
		steps_fail(o, REASON_STUCK, arena_printf(s->arena, "%s", file), error);
		/* Nor shall others wait for it. An unbind's are covered already. */
		if (strcmp(file, "unbind") != 0)
			cover_device(s, o);
	} else {
		steps_fail(o, REASON_WORKER_FAILED, errno_text(error), error);
	}
	return -ECANCELED;
}

/* What came of waiting for a store: its result, or a reason and -ECANCELED. */
static int end_store(struct steps *s, struct outcome *o, const char *file,
		     const struct job_result *result, int r)
{
	if (r == 0)
		return result->error;
	if (r == -EINPROGRESS) {
		s->world->ops->abandon(s->world);
		r = -ETIMEDOUT;
	}
	return steps_fail_job(s, o, file, r);
}

int steps_store(struct steps *s, struct outcome *o, const char *directory,
		const char *file, const char *value)
{
	struct job job = {.kind = JOB_STORE};
	struct job_result result;
	char what[STEP_NAME_SIZE];
	uint64_t until = s->deadline;
	int r, number;

	steps_name(o, file, what);
	snprintf(job.path, sizeof(job.path), "%s/%s", directory, file);
	snprintf(job.value, sizeof(job.value), "%s", value);
	r = s->world->ops->submit(s->world, &job);
	if (r < 0)
		return steps_fail_job(s, o, file, r);
	if (s->patience)
		until = MIN(until, steps_now(s) + s->patience);
	r = await(s, &result, what, until);
	if (r == -EINPROGRESS && s->patience) {
		number = s->world->ops->park(s->world);
		if (number >= 0) {
			o->parked = number + 1;
			o->parked_file = file;
			o->has_waited = true;
			return r;
		}
		r = await(s, &result, what, s->deadline);
	}
	return end_store(s, o, file, &result, r);
}

int steps_end_parked(struct steps *s, struct outcome *o)
{
	const char *file = o->parked_file;
	char what[STEP_NAME_SIZE];
	struct job_result result;
	int r;

	s->world->ops->resume(s->world, o->parked - 1);
	o->parked = 0;
	r = await(s, &result, steps_name(o, file, what), s->deadline);
	return end_store(s, o, file, &result, r);
}
