/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wall.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "files.h"
#include "message.h"
#include "paths.h"

#ifndef SYS_openat2
#define SYS_openat2 437 /* of all architectures */
#endif

#define LINKS_MAX     40 /* in one path, as in the kernel */
#define FOLDERS_MAX   256 /* descriptors of folders below the sysroot */
#define REFUSED_MAX   16 /* files that are named once */
#define NAMES_TRIED   64 /* of temporary files */
#define PIPEFS	      0x50495045 /* linux/magic.h: a pipe without a name */
#define FOLDER_FLAGS  (O_PATH | O_DIRECTORY | O_CLOEXEC)
#define TEMPLATE_MARK "XXXXXX"
#define STREAM_MB     64 /* that libkmod and libpci read, to the end and line by line */

/* What the C library has (ld(1), --wrap), and what it is called for here. */
#define WRAPPED(type, name, ...) \
	type __real_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

WRAPPED(int, open, const char *path, int flags, ...);
WRAPPED(int, openat, int folder, const char *path, int flags, ...);
WRAPPED(FILE *, fopen, const char *path, const char *mode);
WRAPPED(FILE *, fdopen, int fd, const char *mode);
WRAPPED(DIR *, opendir, const char *path);
WRAPPED(int, stat, const char *path, struct stat *ret);
WRAPPED(int, lstat, const char *path, struct stat *ret);
WRAPPED(int, fstatat, int folder, const char *path, struct stat *ret, int flags);
WRAPPED(int, access, const char *path, int mode);
WRAPPED(ssize_t, readlink, const char *path, char *buf, size_t size);
WRAPPED(ssize_t, readlinkat, int folder, const char *path, char *buf, size_t size);
WRAPPED(char *, realpath, const char *path, char *buf);
WRAPPED(int, mkdir, const char *path, mode_t mode);
WRAPPED(int, mkdirat, int folder, const char *path, mode_t mode);
WRAPPED(int, unlink, const char *path);
WRAPPED(int, unlinkat, int folder, const char *path, int flags);
WRAPPED(int, rename, const char *from, const char *to);
WRAPPED(int, renameat, int from_folder, const char *from, int to_folder, const char *to);
WRAPPED(int, symlink, const char *target, const char *path);
WRAPPED(int, mkostemp, char *template, int flags);

static struct {
	int root; /* -1: there is no wall */
	char path
		[PATH_MAX]; /* absolute, as the caller spelled it, without '/' at the end */
	char cwd[PATH_MAX]; /* the program never changes it */
	bool is_walk; /* openat2() is not there */
	/* Of each descriptor of a folder below the root: its path there. */
	char *folders[FOLDERS_MAX];
	struct {
		dev_t device;
		ino_t number;
	} refused[REFUSED_MAX];
	size_t refused_count;
} wall = {.root = -1};

/* ---- the walk ------------------------------------------------------------------------------ */

/*
 * The same without openat2(), in the manner of systemd's chase(): one name after the other,
 * none of which the kernel follows. It stands in a folder and never goes up: for ".." it
 * begins again at the root, with the text of a path that has no link in it.
 */
struct walk {
	int folder;
	char done[PATH_MAX]; /* where it stands, from the root: "" or "/etc/kernel" */
	char todo[PATH_MAX];
	unsigned links;
};

static void end_walk(struct walk *w)
{
	close_fd(&w->folder);
	w->folder = -1;
}

/* @rest is NULL where nothing follows; after a '/' something may. */
static int set_todo(struct walk *w, const char *first, const char *rest)
{
	char buf[PATH_MAX];
	int n = snprintf(buf, sizeof(buf), "%s%s%s", first, rest ? "/" : "",
			 rest ? rest : "");

	if (n < 0 || (size_t)n >= sizeof(buf))
		return -ENAMETOOLONG;
	memcpy(w->todo, buf, (size_t)n + 1);
	return 0;
}

/* Stands at the root, with @first and then @rest before it. */
static int start_walk(struct walk *w, const char *first, const char *rest)
{
	int r = set_todo(w, first, rest);

	end_walk(w);
	w->done[0] = '\0';
	if (r < 0)
		return r;
	w->folder = __real_openat(wall.root, ".", FOLDER_FLAGS);
	return w->folder < 0 ? -errno : 0;
}

/* Takes the link @fd, behind which @rest follows, or nothing if that is NULL. */
static int follow_link(struct walk *w, int fd, const char *rest)
{
	char target[PATH_MAX];
	ssize_t n = __real_readlinkat(fd, "", target, sizeof(target));

	if (n < 0)
		return -errno;
	if ((size_t)n >= sizeof(target))
		return -ENAMETOOLONG;
	if (n == 0)
		return -ENOENT;
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	target[n] = '\0';
	return target[0] == '/' ? start_walk(w, target, rest) : set_todo(w, target, rest);
}

static int go_up(struct walk *w, const char *rest)
{
	char above[PATH_MAX];
	char *slash;

	strcpy(above, w->done);
	slash = strrchr(above, '/');
	if (slash)
		*slash = '\0';
	return start_walk(w, above, rest);
}

/* Enters the folder @fd, which has @name, and keeps it. */
static int go_down(struct walk *w, int fd, const char *name, const char *rest)
{
	size_t n = strlen(w->done);
	char buf[PATH_MAX];

	if (n + 1 + strlen(name) >= sizeof(w->done)) {
		close(fd);
		return -ENAMETOOLONG;
	}
	w->done[n] = '/';
	strcpy(w->done + n + 1, name);
	close_fd(&w->folder);
	w->folder = fd;
	strcpy(buf, rest);
	strcpy(w->todo, buf);
	return 0;
}

/* Goes on by @name, which is the last one if @rest is NULL. 1: @name is what was looked for. */
static int step(struct walk *w, const char *name, const char *rest, bool is_followed)
{
	int fd = __real_openat(w->folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), r;
	struct stat st;

	if (fd < 0)
		return !rest && errno == ENOENT ? 1 : -errno;
	if (fstat(fd, &st) < 0) {
		r = -errno;
	} else if (S_ISLNK(st.st_mode) && (rest || is_followed)) {
		r = follow_link(w, fd, rest);
	} else if (!rest) {
		r = 1;
	} else if (!S_ISDIR(st.st_mode)) {
		r = -ENOTDIR;
	} else {
		return go_down(w, fd, name, rest);
	}
	close(fd);
	return r;
}

/*
 * Stops in the folder of what @path names, whose last name comes into @name: "." for the
 * folder itself. It may not be there; if it is a link, it is one that is not @is_followed.
 */
static int walk_to(const char *path, bool is_followed, struct walk *w, char *name)
{
	int r;

	w->folder = -1;
	w->links = 0;
	r = start_walk(w, "", path);
	while (r == 0) {
		char *p = w->todo + strspn(w->todo, "/");
		size_t n = strcspn(p, "/"), slashes = strspn(p + n, "/");
		char rest[PATH_MAX];
		bool is_last = p[n] == '\0';

		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, n ? p : ".", n ? n : 1);
		name[n ? n : 1] = '\0';
		if (n == 0)
			return 0;
		strcpy(rest, p + n + slashes);
		if (strcmp(name, ".") == 0)
			strcpy(w->todo, rest);
		else if (strcmp(name, "..") == 0)
			r = go_up(w, rest);
		else
			r = step(w, name, is_last ? NULL : rest, is_followed);
	}
	return r < 0 ? r : 0;
}

static int walk_open(const char *path, int flags, mode_t mode)
{
	cleanup_with(end_walk) struct walk w;
	char name[NAME_MAX + 1];
	int r = walk_to(path, !(flags & O_NOFOLLOW), &w, name), fd;

	if (r == 0) {
		fd = __real_openat(w.folder, name, flags | O_NOFOLLOW, mode);
		if (fd >= 0)
			return fd;
		r = -errno;
	}
	errno = -r;
	return -1;
}

/* ---- below the sysroot --------------------------------------------------------------------- */

/* Opens @path, which begins at the root. */
static int reach(const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned)flags,
		.mode = flags & O_CREAT ? mode & 07777 : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;

	path += strspn(path, "/");
	if (!wall.is_walk) {
		fd = syscall(SYS_openat2, wall.root, *path ? path : ".", &how,
			     sizeof(how));
		wall.is_walk = fd < 0 && errno == ENOSYS;
	}
	/* EPERM: a filter of system calls; EAGAIN: something was renamed meanwhile. */
	if (wall.is_walk || (fd < 0 && (errno == EPERM || errno == EAGAIN)))
		return walk_open(path, flags, mode);
	return (int)fd;
}

/*
 * Whether @path of @folder (AT_FDCWD) is below the sysroot: then its path from there on. 1, 0
 * or -1 with errno.
 */
static int find(int folder, const char *path, char ret[static PATH_MAX])
{
	bool is_relative = path[0] != '/';
	const char *start = "";
	char full[2 * PATH_MAX];
	size_t n = strlen(wall.path);

	if (wall.root < 0 || path[0] == '\0')
		return 0;
	if (is_relative && folder != AT_FDCWD) {
		if (folder < 0 || folder >= FOLDERS_MAX || !wall.folders[folder])
			return 0;
		start = wall.folders[folder];
		n = 0;
	} else if (is_relative) {
		start = wall.cwd;
	}
	if (strlen(path) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(full, sizeof(full), "%s%s%s", start, is_relative ? "/" : "", path);
	if (n > 0 &&
	    (strncmp(full, wall.path, n) != 0 || (full[n] != '/' && full[n] != '\0')))
		return 0;
	if (strlen(full + n) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(ret, full + n);
	return 1;
}

/* Whether @path is one name in the folder that the caller has open, which is that name's place. */
static bool is_name(int folder, const char *path)
{
	return folder != AT_FDCWD && path[0] != '\0' && !strchr(path, '/') &&
	       strcmp(path, "..") != 0;
}

/* Opens @path of @folder; @inside is the same from the root on. */
static int reach_from(int folder, const char *path, const char *inside, int flags,
		      mode_t mode)
{
	if (is_name(folder, path) && flags & O_NOFOLLOW)
		return __real_openat(folder, path, flags, mode);
	return reach(inside, flags, mode);
}

/* From now on @fd is the folder @path, or none of the tree if that is NULL. */
static int note_folder(int fd, const char *path)
{
	if (fd < 0 || (!path && fd >= FOLDERS_MAX))
		return fd;
	if (fd >= FOLDERS_MAX) {
		close(fd);
		errno = EMFILE;
		return -1;
	}
	free(wall.folders[fd]);
	wall.folders[fd] = path ? strdup(path) : NULL;
	if (!path || wall.folders[fd])
		return fd;
	close(fd);
	errno = ENOMEM;
	return -1;
}

/* Says once that a file is left out. -1 with errno. */
static int refuse(const char *path, const struct stat *st)
{
	size_t i = 0;

	while (i < wall.refused_count && (wall.refused[i].device != st->st_dev ||
					  wall.refused[i].number != st->st_ino))
		i++;
	if (i == wall.refused_count && i < REFUSED_MAX) {
		wall.refused[i].device = st->st_dev;
		wall.refused[i].number = st->st_ino;
		wall.refused_count++;
		if (S_ISREG(st->st_mode))
			say_error("%s: left out: it is larger than %d MiB; remove it",
				  path, STREAM_MB);
		else
			say_error("%s: left out: it is %s, not a regular file; remove it",
				  path,
				  S_ISFIFO(st->st_mode)	  ? "a FIFO"
				  : S_ISSOCK(st->st_mode) ? "a socket"
							  : "a device node");
	}
	errno = EBADMSG;
	return -1;
}

static bool is_openable(const struct stat *st)
{
	return S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) || S_ISLNK(st->st_mode);
}

static int open_inside(int folder, const char *path, const char *inside, int flags,
		       mode_t mode)
{
	struct stat st;
	int fd;

	/* Opening a device may already do something: a watchdog starts, a tape goes back. */
	if (!(flags & O_PATH)) {
		cleanup_with(close_fd) int probe =
			reach_from(folder, path, inside,
				   O_PATH | O_CLOEXEC | (flags & O_NOFOLLOW), 0);

		if (probe >= 0 && fstat(probe, &st) == 0 && !is_openable(&st))
			return refuse(path, &st);
		flags |= O_NONBLOCK | O_NOCTTY;
	}
	fd = reach_from(folder, path, inside, flags, mode);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fd;
	/* Somebody changed it meanwhile. */
	if (!(flags & O_PATH) && !is_openable(&st)) {
		close(fd);
		return refuse(path, &st);
	}
	return note_folder(fd, S_ISDIR(st.st_mode) ? inside : NULL);
}

/* A FIFO without anybody at its other end would never be opened. */
static int open_outside(int folder, const char *path, int flags, mode_t mode)
{
	struct statfs fs;
	struct stat st;
	int fd;

	if (flags & (O_WRONLY | O_RDWR | O_NONBLOCK | O_PATH | O_DIRECTORY))
		return note_folder(__real_openat(folder, path, flags, mode), NULL);
	fd = __real_openat(folder, path, flags | O_NONBLOCK, mode);
	if (fd < 0)
		return fd;
	/* "<(COMMAND)" of a shell: somebody is there. */
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && fstatfs(fd, &fs) == 0 &&
	    (unsigned long)fs.f_type != PIPEFS) {
		close(fd);
		return refuse(path, &st);
	}
	(void)fcntl(fd, F_SETFL, flags & O_APPEND);
	return note_folder(fd, NULL);
}

static int open_any(int folder, const char *path, int flags, mode_t mode)
{
	char inside[PATH_MAX];
	int r = find(folder, path, inside);

	if (r < 0)
		return -1;
	return r ? open_inside(folder, path, inside, flags, mode)
		 : open_outside(folder, path, flags, mode);
}

/* A name in a folder: what is made, removed or renamed. */
struct place {
	int folder;
	int opened; /* -1: the caller's own folder */
	const char *name;
	char path[PATH_MAX];
};

static void close_place(struct place *p)
{
	close_fd(&p->opened);
}

static int find_place(int folder, const char *path, struct place *ret)
{
	int r = is_name(folder, path) ? 0 : find(folder, path, ret->path);
	size_t n;
	char *slash;

	ret->opened = -1;
	ret->folder = folder;
	ret->name = path;
	if (r <= 0)
		return r;
	n = strlen(ret->path);
	while (n > 0 && ret->path[n - 1] == '/')
		ret->path[--n] = '\0';
	slash = strrchr(ret->path, '/');
	ret->name = slash ? slash + 1 : ret->path;
	if (!*ret->name || strcmp(ret->name, ".") == 0 || strcmp(ret->name, "..") == 0) {
		errno = EINVAL;
		return -1;
	}
	if (slash)
		*slash = '\0';
	ret->folder = ret->opened = reach(slash ? ret->path : "", FOLDER_FLAGS, 0);
	return ret->opened < 0 ? -1 : 0;
}

int wall_set(const char *sysroot)
{
	size_t n = sysroot ? strlen(sysroot) : 0;
	int root, used;

	close_fd(&wall.root);
	wall.root = -1;
	for (size_t i = 0; i < FOLDERS_MAX; i++)
		(void)note_folder((int)i, NULL);
	while (n > 0 && sysroot[n - 1] == '/')
		n--;
	if (n == 0)
		return 0;
	if (!getcwd(wall.cwd, sizeof(wall.cwd)))
		return -errno;
	used = snprintf(wall.path, sizeof(wall.path), "%s%s%.*s",
			sysroot[0] == '/' ? "" : wall.cwd, sysroot[0] == '/' ? "" : "/",
			(int)n, sysroot);
	if (used < 0 || (size_t)used >= sizeof(wall.path))
		return -ENAMETOOLONG;
	root = __real_open(sysroot, FOLDER_FLAGS);
	if (root < 0)
		return -errno;
	wall.root = root;
	return 0;
}

void wall_set_walk(bool is_forced)
{
	wall.is_walk = is_forced;
}

/* ---- what the linker puts in the place of the C library's ---------------------------------- */

static mode_t mode_of(int flags, va_list ap)
{
	return flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? va_arg(ap, mode_t) : 0;
}

int __wrap_open(const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return open_any(AT_FDCWD, path, flags, mode);
}

int __wrap_openat(int folder, const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return open_any(folder, path, flags, mode);
}

/* A file without an end would be read until there is no memory. */
static FILE *open_stream(int fd, const char *path, const char *mode)
{
	struct stat st;

	if (mode[0] == 'r' && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size > (off_t)STREAM_MB * 1024 * 1024) {
		(void)refuse(path, &st);
		return NULL;
	}
	return __real_fdopen(fd, mode);
}

/* libkmod has a descriptor only. */
FILE *__wrap_fdopen(int fd, const char *mode)
{
	char link[64], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), PROC_PREFIX "self/fd/%d", fd);
	n = __real_readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	return open_stream(fd, n < 0 ? link : path, mode);
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	int flags = strchr(mode, '+') ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;
	FILE *file;
	int fd;

	flags |= (mode[0] == 'w' ? O_CREAT | O_TRUNC : 0) |
		 (mode[0] == 'a' ? O_CREAT | O_APPEND : 0) |
		 (strchr(mode, 'e') ? O_CLOEXEC : 0) | (strchr(mode, 'x') ? O_EXCL : 0);
	fd = open_any(AT_FDCWD, path, flags, 0666);
	if (fd < 0)
		return NULL;
	file = open_stream(fd, path, mode);
	if (!file)
		close(fd);
	return file;
}

DIR *__wrap_opendir(const char *path)
{
	int fd = open_any(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	DIR *stream;

	if (fd < 0)
		return NULL;
	stream = fdopendir(fd);
	if (!stream)
		close(fd);
	return stream;
}

int __wrap_fstatat(int folder, const char *path, struct stat *ret, int flags)
{
	bool is_link = flags & AT_SYMLINK_NOFOLLOW;
	cleanup_with(close_fd) int fd = -1;
	char inside[PATH_MAX];
	int r = find(folder, path, inside);

	if (r <= 0)
		return r < 0 ? r : __real_fstatat(folder, path, ret, flags);
	fd = reach_from(folder, path, inside,
			O_PATH | O_CLOEXEC | (is_link ? O_NOFOLLOW : 0), 0);
	return fd < 0 ? -1 : fstat(fd, ret);
}

int __wrap_stat(const char *path, struct stat *ret)
{
	return __wrap_fstatat(AT_FDCWD, path, ret, 0);
}

int __wrap_lstat(const char *path, struct stat *ret)
{
	return __wrap_fstatat(AT_FDCWD, path, ret, AT_SYMLINK_NOFOLLOW);
}

/* Below the sysroot: whether it is there, and whether it can be read. */
int __wrap_access(const char *path, int mode)
{
	cleanup_with(close_fd) int fd = -1;
	char inside[PATH_MAX];
	int r = find(AT_FDCWD, path, inside);

	if (r <= 0)
		return r < 0 ? r : __real_access(path, mode);
	if (mode & ~R_OK) {
		errno = EINVAL;
		return -1;
	}
	fd = mode == F_OK ? reach(inside, O_PATH | O_CLOEXEC, 0)
			  : open_inside(AT_FDCWD, path, inside, O_RDONLY | O_CLOEXEC, 0);
	return fd < 0 ? -1 : 0;
}

ssize_t __wrap_readlinkat(int folder, const char *path, char *buf, size_t size)
{
	cleanup_with(close_fd) int fd = -1;
	char inside[PATH_MAX];
	int r = find(folder, path, inside);
	ssize_t n;

	if (r <= 0)
		return r < 0 ? r : __real_readlinkat(folder, path, buf, size);
	fd = reach_from(folder, path, inside, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	n = __real_readlinkat(fd, "", buf, size);
	/* What the kernel says of a descriptor that is no link (fs/stat.c: do_readlinkat()). */
	if (n < 0 && errno == ENOENT)
		errno = EINVAL;
	return n;
}

ssize_t __wrap_readlink(const char *path, char *buf, size_t size)
{
	return __wrap_readlinkat(AT_FDCWD, path, buf, size);
}

char *__wrap_realpath(const char *path, char *buf)
{
	cleanup_with(end_walk) struct walk w = {.folder = -1};
	char inside[PATH_MAX], name[NAME_MAX + 1], full[2 * PATH_MAX];
	int r = find(AT_FDCWD, path, inside);
	struct stat st;

	if (r <= 0)
		return r < 0 ? NULL : __real_realpath(path, buf);
	r = walk_to(inside, true, &w, name);
	if (r == 0 && __real_fstatat(w.folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		r = -errno;
	if (r == 0) {
		bool is_folder = strcmp(name, ".") == 0;

		snprintf(full, sizeof(full), "%s%s%s%s", wall.path, w.done,
			 is_folder ? "" : "/", is_folder ? "" : name);
		r = strlen(full) < PATH_MAX ? 0 : -ENAMETOOLONG;
	}
	if (r < 0) {
		errno = -r;
		return NULL;
	}
	return buf ? strcpy(buf, full) : strdup(full);
}

int __wrap_mkdirat(int folder, const char *path, mode_t mode)
{
	cleanup_with(close_place) struct place p = {.opened = -1};

	if (find_place(folder, path, &p) < 0) {
		/* Of "." and ".." (fs/namei.c: filename_create()). */
		if (errno == EINVAL)
			errno = EEXIST;
		return -1;
	}
	return __real_mkdirat(p.folder, p.name, mode);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	return __wrap_mkdirat(AT_FDCWD, path, mode);
}

int __wrap_unlinkat(int folder, const char *path, int flags)
{
	cleanup_with(close_place) struct place p = {.opened = -1};

	return find_place(folder, path, &p) < 0
		       ? -1
		       : __real_unlinkat(p.folder, p.name, flags);
}

int __wrap_unlink(const char *path)
{
	return __wrap_unlinkat(AT_FDCWD, path, 0);
}

int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	cleanup_with(close_place) struct place old = {.opened = -1};
	cleanup_with(close_place) struct place new = {.opened = -1};

	if (find_place(from_folder, from, &old) < 0 ||
	    find_place(to_folder, to, &new) < 0)
		return -1;
	return __real_renameat(old.folder, old.name, new.folder, new.name);
}

int __wrap_rename(const char *from, const char *to)
{
	return __wrap_renameat(AT_FDCWD, from, AT_FDCWD, to);
}

/* What the link says is text: it is looked up when it is followed. */
int __wrap_symlink(const char *target, const char *path)
{
	cleanup_with(close_place) struct place p = {.opened = -1};

	return find_place(AT_FDCWD, path, &p) < 0 ? -1
						  : symlinkat(target, p.folder, p.name);
}

int __wrap_mkostemp(char *template, int flags)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
	size_t n = strlen(template), mark = strlen(TEMPLATE_MARK);

	for (int i = 0; n >= mark && i < NAMES_TRIED; i++) {
		unsigned char lot[sizeof(TEMPLATE_MARK) - 1];
		int fd;

		if (getrandom(lot, sizeof(lot), 0) != (ssize_t)sizeof(lot))
			return -1;
		for (size_t k = 0; k < mark; k++)
			template[n - mark + k] = letters[lot[k] % (sizeof(letters) - 1)];
		fd = open_any(AT_FDCWD, template, O_RDWR | O_CREAT | O_EXCL | flags,
			      0600);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	errno = n < mark ? EINVAL : EEXIST;
	return -1;
}
