/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int place_open(int parent, const char *name)
{
	int fd;

	if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int place_write(int dir, const char *name, struct text bytes)
{
	char temporary[64];
	int fd, r = 0;

	snprintf(temporary, sizeof(temporary), ".%s.new", name);
	/* Nor blocked by a FIFO in its place. */
	fd = openat(dir, temporary,
		    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		    0644);
	if (fd < 0)
		return -errno;
	while (r == 0 && bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0 && errno != EINTR)
			r = -errno;
		if (n > 0) {
			bytes.p += n;
			bytes.n -= (size_t)n;
		}
	}
	close(fd);
	if (r == 0 && renameat(dir, temporary, dir, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dir, temporary, 0);
	return r;
}

int place_lock(int dir, const char *name, int *fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (*fd < 0)
		*fd = openat(dir, name,
			     O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
			     0600);
	if (*fd < 0)
		return -errno;
	if (fcntl(*fd, F_SETLK, &whole) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}
