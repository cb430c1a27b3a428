/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config_path.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "message.h"
#include "paths.h"
#include "reason.h"

#define LINKS_MAX 16 /* one after the other; the kernel allows 40 */

/* Where the link at @path points to; NULL if out of memory. */
static const char *link_target(struct arena *arena, const char *sysroot, const char *path,
			       const char *target)
{
	const char *slash = strrchr(path, '/');

	if (target[0] == '/')
		return path_below(arena, sysroot, target);
	if (!slash)
		return target;
	return arena_printf(arena, "%.*s/%s", (int)(slash - path), path, target);
}

static int follow(struct arena *arena, const char *sysroot,
		  struct config_file_place *place)
{
	for (size_t i = 0; i < LINKS_MAX; i++) {
		char buf[PATH_MAX];
		const char *target;
		ssize_t n;

		if (lstat(place->path, &place->stat) < 0) {
			place->is_new = errno == ENOENT;
			return place->is_new ? 0 : -errno;
		}
		if (!S_ISLNK(place->stat.st_mode))
			return S_ISREG(place->stat.st_mode) ? 0 : -EINVAL;
		n = readlink(place->path, buf, sizeof(buf) - 1);
		if (n < 0)
			return -errno;
		buf[n] = '\0';
		target = arena_copy(arena, (struct text){buf, (size_t)n});
		place->path =
			target ? link_target(arena, sysroot, place->path, target) : NULL;
		if (!place->path)
			return -ENOMEM;
	}
	return -ELOOP;
}

int config_file_find(struct arena *arena, const char *sysroot, const char *name,
		     struct config_file_place *ret)
{
	struct config_file_place place = {.name = name, .path = name};
	int r = -ENOMEM;

	if (!name) {
		place.name = ETC_PREFIX CONFIG_NAME;
		place.path = path_below(arena, sysroot, place.name);
	}
	/* A file that is named is no part of the tree. */
	if (place.path)
		r = follow(arena, name ? NULL : sysroot, &place);
	if (r == -EINVAL)
		say_error("%s: it is no file", place.name);
	else if (r < 0)
		say_error("%s: it cannot be read: %s", place.name, errno_text(r));
	if (r == 0)
		*ret = place;
	return r;
}

int config_file_write(const struct config_file_place *place, struct text bytes)
{
	const struct stat *st = &place->stat;
	struct new_file f;
	int r = new_file_open(&f, place->path);

	if (r == 0)
		r = new_file_write(&f, bytes);
	/* A file of somebody else stays theirs, as far as we may say so. */
	if (r == 0 && !place->is_new && fchown(f.fd, st->st_uid, st->st_gid) < 0 &&
	    errno != EPERM)
		r = -errno;
	if (r == 0)
		r = new_file_finish(&f, place->is_new ? 0644 : st->st_mode & 07777);
	else
		new_file_drop(&f);
	if (r < 0)
		say_error("%s: it cannot be written: %s%s", place->name, errno_text(r),
			  r == -EACCES ? ": run this as root" : "");
	return r;
}
