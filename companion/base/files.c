/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define LOCK_POLLS 50 /* a second */

int lock_take(int fd, unsigned seconds)
{
	const struct timespec pause = {.tv_nsec = 1000000000L / LOCK_POLLS};
	unsigned long left = (unsigned long)seconds * LOCK_POLLS;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return -errno;
		if (left-- == 0)
			return -EBUSY;
		nanosleep(&pause, NULL);
	}
	return 0;
}

void lock_release(int *fd)
{
	if (*fd >= 0)
		(void)flock(*fd, LOCK_UN);
	close_fd(fd);
	*fd = -1;
}

#define READ_MAX ((size_t)1024 * 1024)

/* Gives back the room of a read that failed, zero as it was. */
static int drop_bytes(struct arena *arena, char *buf, size_t n, int error)
{
	memset(buf, 0, n);
	arena_shrink(arena, buf, 0);
	return error;
}

/* Gives back what a read did not fill: the rest was never touched and is still zero. */
static void keep_bytes(struct arena *arena, const char *buf, size_t n, struct text *ret)
{
	arena_shrink(arena, buf, n + 1);
	*ret = (struct text){buf, n};
}

int file_read_fd(int fd, struct arena *arena, size_t max, struct text *ret)
{
	char *buf = arena_alloc(arena, max + 1, 1);
	size_t used = 0;

	if (!buf)
		return -ENOMEM;
	for (;;) {
		/* /proc/sys takes no larger one (fs/proc/proc_sysctl.c). */
		size_t left = max + 1 - used;
		ssize_t n = read(fd, buf + used, left < READ_MAX ? left : READ_MAX);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return drop_bytes(arena, buf, used, -errno);
		if (n == 0)
			break;
		used += (size_t)n;
		if (used > max)
			return drop_bytes(arena, buf, used, -E2BIG);
	}
	keep_bytes(arena, buf, used, ret);
	return 0;
}

int file_read(const char *path, struct arena *arena, size_t max, struct text *ret,
	      mode_t *ret_mode)
{
	/* Not blocked by a FIFO. */
	cleanup_with(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	r = file_read_fd(fd, arena, max, ret);
	if (r == 0 && ret_mode)
		*ret_mode = st.st_mode & 07777;
	return r;
}

int file_read_world(struct world *world, enum world_root root, const char *path,
		    struct arena *arena, size_t max, struct text *ret)
{
	char *buf = arena_alloc(arena, max + 1, 1);
	int n;

	if (!buf)
		return -ENOMEM;
	n = world->ops->read(world, root, path, buf, max + 1);
	/* Nothing was read of what is not there. */
	if (n < 0)
		return drop_bytes(arena, buf, n == -ENOENT ? 0 : max + 1, n);
	keep_bytes(arena, buf, (size_t)n, ret);
	return 0;
}

int file_write_fd(int fd, struct text bytes)
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

/*
 * What is at @path: a regular file, through links (its own name is put into @f), or something
 * that is written into, such as a device node or a pipe, and never replaced.
 */
static int look(struct new_file *f, const char *path)
{
	struct stat st;

	f->path = path;
	f->is_direct = false;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISLNK(st.st_mode)) {
		if (!realpath(path, f->resolved) || stat(f->resolved, &st) < 0)
			return -errno;
		f->path = f->resolved;
	}
	f->is_direct = !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
	return 0;
}

int new_file_open(struct new_file *f, const char *path)
{
	int n, r;

	f->fd = -1;
	r = look(f, path);
	if (r < 0)
		return r;
	if (f->is_direct) {
		f->fd = open(f->path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
		return f->fd < 0 ? -errno : 0;
	}
	n = snprintf(f->temporary, sizeof(f->temporary), "%s.XXXXXX", f->path);
	if (n < 0 || (size_t)n >= sizeof(f->temporary))
		return -ENAMETOOLONG;
	f->fd = mkostemp(f->temporary, O_CLOEXEC);
	return f->fd < 0 ? -errno : 0;
}

int new_file_write(struct new_file *f, struct text bytes)
{
	return file_write_fd(f->fd, bytes);
}

void new_file_drop(struct new_file *f)
{
	if (f->fd < 0)
		return;
	close_fd(&f->fd);
	f->fd = -1;
	if (!f->is_direct)
		(void)unlink(f->temporary);
}

int new_file_finish(struct new_file *f, mode_t mode)
{
	int r = 0;

	if (f->is_direct) {
		new_file_drop(f);
		return 0;
	}
	/* A file system without permissions, as that of EFI, refuses: it has its own. */
	if ((fchmod(f->fd, mode) < 0 && errno != EPERM) || fsync(f->fd) < 0 ||
	    rename(f->temporary, f->path) < 0)
		r = -errno;
	if (r == 0) {
		close_fd(&f->fd);
		f->fd = -1;
	}
	new_file_drop(f);
	return r;
}

int file_replace(const char *path, struct text bytes, mode_t mode)
{
	struct new_file f;
	int r = new_file_open(&f, path);

	if (r < 0)
		return r;
	r = new_file_write(&f, bytes);
	if (r == 0)
		return new_file_finish(&f, mode);
	new_file_drop(&f);
	return r;
}

const char *path_below(struct arena *arena, const char *sysroot, const char *path)
{
	return arena_printf(arena, "%s%s", sysroot ? sysroot : "", path);
}

int folders_make(char *path, size_t base)
{
	for (char *p = path + base + 1; (p = strchr(p, '/')); p++) {
		int r;

		*p = '\0';
		r = mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
		*p = '/';
		if (r < 0)
			return r;
	}
	return 0;
}
