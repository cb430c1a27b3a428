/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What needs no more than the world's operations, whichever world it is. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "world.h"

int world_read_text(struct world *world, enum world_root root, const char *path,
		    char *buf, size_t size, struct text *ret)
{
	int n = world->ops->read(world, root, path, buf, size);

	if (n < 0)
		return n;
	*ret = text_trim((struct text){buf, (size_t)n});
	return 0;
}

struct text world_read_start(struct world *world, enum world_root root, const char *path,
			     char *buf, size_t size)
{
	int n = world->ops->read(world, root, path, buf, size);

	return (struct text){buf, n == -E2BIG ? size : n > 0 ? (size_t)n : 0};
}

static int stop_at_first(void *arg unused, const char *name unused)
{
	return 1;
}

int world_has_entry(struct world *world, enum world_root root, const char *path)
{
	return world->ops->list(world, root, path, stop_at_first, NULL);
}

int world_run(struct world *world, const struct job *job, uint64_t until,
	      struct job_result *ret)
{
	int r = world->ops->submit(world, job);

	if (r < 0)
		return r;
	do {
		r = world->ops->await(world, until, ret);
	} while (r == -EINPROGRESS && world->ops->now(world) < until);
	if (r != -EINPROGRESS)
		return r;
	world->ops->abandon(world);
	return -ETIMEDOUT;
}

void world_log(struct world *world, enum log_level level, const char *format, ...)
{
	char line[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	world->ops->log(world, level, line);
}
