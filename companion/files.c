/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#include "cleanup.h"

/* Gives back what a read did not fill: the rest was never touched and is still zero. */
static void keep_bytes(struct arena *arena, const char *buf, size_t n, struct text *ret)
{
	arena->used = (size_t)(buf - arena->base) + n + 1;
	*ret = (struct text){buf, n};
}

int file_read(const char *path, struct arena *arena, size_t max, struct text *ret,
	      mode_t *ret_mode)
{
	/* Not blocked by a FIFO. */
	cleanup_with(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t used = 0;
	struct stat st;
	char *buf;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	buf = arena_alloc(arena, max + 1, 1);
	if (!buf)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(fd, buf + used, max + 1 - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
		if (used > max)
			return -E2BIG;
	}
	keep_bytes(arena, buf, used, ret);
	if (ret_mode)
		*ret_mode = st.st_mode & 07777;
	return 0;
}

int file_read_world(struct world *world, enum world_root root, const char *path,
		    struct arena *arena, size_t max, struct text *ret)
{
	char *buf = arena_alloc(arena, max + 1, 1);
	int n;

	if (!buf)
		return -ENOMEM;
	n = world->ops->read(world, root, path, buf, max + 1);
	if (n < 0)
		return n;
	keep_bytes(arena, buf, (size_t)n, ret);
	return 0;
}

static int write_all(int fd, struct text bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes.p += n;
		bytes.n -= (size_t)n;
	}
	return 0;
}

int file_replace(const char *path, struct text bytes, mode_t mode)
{
	cleanup_with(close_fd) int fd = -1;
	char temporary[PATH_MAX];
	int n, r;

	n = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
	if (n < 0 || (size_t)n >= sizeof(temporary))
		return -ENAMETOOLONG;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = write_all(fd, bytes);
	if (r == 0 &&
	    (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(temporary, path) < 0))
		r = -errno;
	if (r < 0)
		(void)unlink(temporary);
	return r;
}

const char *path_below(struct arena *arena, const char *sysroot, const char *path)
{
	return arena_printf(arena, "%s%s", sysroot ? sysroot : "", path);
}
