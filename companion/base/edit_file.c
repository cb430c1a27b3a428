/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "files.h"
#include "message.h"
#include "paths.h"
#include "world.h"

#define LINKS_MAX    16 /* one after the other; the kernel allows 40 */
#define LOCK_NAME    "edit.lock"
#define LOCKS_MAX    ((size_t)1024 * 1024)
#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/*
 * The new file until it gets its name. One name is enough, since edits hold the lock: what an
 * edit left that was killed is removed by the next one in that folder. No program takes
 * it for configuration: GRUB's *.cfg and *.conf, systemd-boot's *.conf, grub-mkconfig's and
 * run-parts' names do not begin with a dot, and it has no such end.
 */
#define TEMPORARY ".earlybind-new"

#define ACL_NAME "system.posix_acl_access"

/* What the caller closes from now on. */
static int keep_fd(int *fd)
{
	int kept = *fd;

	*fd = -1;
	return kept;
}

/* ---- lock ---------------------------------------------------------------------------------- */

/*
 * What is locked: a file that only root can open, so that no user can hold up root. Where there
 * is no /run or it cannot be written to, the folder @root itself. -errno.
 */
static int open_lock(const char *root)
{
	cleanup_with(close_fd) int top = open(root, FOLDER_FLAGS);
	cleanup_with(close_fd) int run = -1, own = -1;
	struct stat st;
	int fd = -1;

	if (top < 0)
		return -errno;
	run = openat(top, "run", FOLDER_FLAGS | O_NOFOLLOW);
	if (run >= 0) {
		bool is_made = mkdirat(run, WORLD_RUN_DIR, 0755) == 0;

		own = openat(run, WORLD_RUN_DIR, FOLDER_FLAGS | O_NOFOLLOW);
		/* Users read reports there, whatever this one's umask is. */
		if (own >= 0 && is_made)
			(void)fchmod(own, 0755);
	}
	if (own >= 0)
		fd = openat(own, LOCK_NAME,
			    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close_fd(&fd);
	return keep_fd(&top);
}

/* "process 812 (earlybind)", or that it is not known. /proc/locks names the file by its inode. */
static const char *find_holder(int fd, char *buf, size_t size)
{
	struct arena arena;
	char key[64], path[64];
	struct text rest, line, name;
	unsigned long pid = 0;
	struct stat st;

	snprintf(buf, size, "another program");
	if (fstat(fd, &st) < 0 || arena_map(&arena, 4 * LOCKS_MAX) < 0)
		return buf;
	snprintf(key, sizeof(key), " %02x:%02x:%llu ", major(st.st_dev), minor(st.st_dev),
		 (unsigned long long)st.st_ino);
	if (file_read(PROC_LOCKS, &arena, LOCKS_MAX, &rest, NULL) < 0)
		rest = TEXT("");
	/* "1: FLOCK  ADVISORY  WRITE 812 00:19:1234 0 EOF"; with "->" it only waits. */
	while (pid == 0 && text_cut(&rest, '\n', &line)) {
		size_t used = arena.used;
		const char *copy = arena_copy(&arena, line);

		if (copy && strstr(copy, key) && strstr(copy, "FLOCK") &&
		    !strstr(copy, "->"))
			(void)sscanf(copy, "%*s %*s %*s %*s %lu", &pid);
		arena_rewind(&arena, used);
	}
	snprintf(path, sizeof(path), PROC_PREFIX "%lu/comm", pid);
	if (pid > 0 && file_read(path, &arena, 64, &name, NULL) == 0)
		snprintf(buf, size, "process %lu (%.*s)", pid, (int)text_trim(name).n,
			 text_trim(name).p);
	arena_unmap(&arena);
	return buf;
}

int edit_lock(const char *sysroot, unsigned seconds, int *ret)
{
	cleanup_with(close_fd) int fd = open_lock(sysroot ? sysroot : "/");
	char holder[128];

	if (fd < 0) {
		int r = fd;

		say_error("%s: it cannot be opened: %s", sysroot ? sysroot : "/",
			  errno_text(r));
		return r;
	}
	/* A file system without locks, as some of networks: an edit is possible all the same. */
	if (lock_take(fd, seconds) == -EBUSY) {
		say_error("%s is changing the configuration and has not ended "
			  "within %u s: nothing is written; run this again later",
			  find_holder(fd, holder, sizeof(holder)), seconds);
		return -EBUSY;
	}
	*ret = keep_fd(&fd);
	return 0;
}

/* ---- the place ----------------------------------------------------------------------------- */

/* A file behind all links: a name in an open folder. */
struct place {
	int folder;
	char base[NAME_MAX + 1];
	bool is_new;
	struct stat stat;
};

static void close_place(struct place *p)
{
	close_fd(&p->folder);
}

/* A folder, below the sysroot if it is not @is_outside: wall.h keeps it there. */
static int open_folder(const struct edit_file *f, const char *path)
{
	char below[PATH_MAX];
	int n = snprintf(below, sizeof(below), "%s%s",
			 f->is_outside || !f->sysroot ? "" : f->sysroot, path);
	int fd;

	if (n < 0 || (size_t)n >= sizeof(below))
		return -ENAMETOOLONG;
	fd = open(below, FOLDER_FLAGS);
	return fd < 0 ? -errno : fd;
}

/* Like mkdir -p, for the folders that @path is in. */
static int make_folders(const struct edit_file *f, const char *path)
{
	char part[PATH_MAX];

	for (const char *p = path; (p = strchr(p + 1, '/'));) {
		cleanup_with(close_fd) int above = -1;
		char *slash;

		snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
		slash = strrchr(part, '/');
		if (!slash)
			return -ENOENT;
		*slash = '\0';
		above = open_folder(f, part[0] ? part : "/");
		if (above < 0)
			return above;
		if (mkdirat(above, slash + 1, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* Splits @path into a folder, which is opened, and the name in it. */
static int open_parent(const struct edit_file *f, char *path, bool should_make,
		       struct place *p)
{
	char *slash = strrchr(path, '/');
	const char *folder = slash == path ? "/" : slash ? path : ".";
	int r;

	if ((size_t)snprintf(p->base, sizeof(p->base), "%s", slash ? slash + 1 : path) >=
	    sizeof(p->base))
		return -ENAMETOOLONG;
	r = should_make && !f->is_outside ? make_folders(f, path) : 0;
	if (r < 0)
		return r;
	if (slash)
		*slash = '\0';
	close_fd(&p->folder);
	p->folder = open_folder(f, folder);
	if (slash)
		*slash = '/';
	return p->folder < 0 ? p->folder : 0;
}

/* The path that the link @p, found at @path, leads to: absolute ones start at the sysroot. */
static int follow(const struct place *p, char path[static PATH_MAX])
{
	char target[PATH_MAX], *slash = strrchr(path, '/');
	ssize_t n = readlinkat(p->folder, p->base, target, sizeof(target) - 1);
	size_t kept = slash ? (size_t)(slash - path) + 1 : 0;

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (target[0] == '/')
		kept = 0;
	if (kept + (size_t)n >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(path + kept, target, (size_t)n + 1);
	return 0;
}

/* -ENOENT: its folder is not there; -EINVAL: it is no file. */
static int find(const struct edit_file *f, const char *name, bool should_make,
		struct place *ret)
{
	char path[PATH_MAX];

	ret->folder = -1;
	ret->is_new = false;
	if ((size_t)snprintf(path, sizeof(path), "%s", name) >= sizeof(path))
		return -ENAMETOOLONG;
	for (size_t i = 0; i < LINKS_MAX; i++) {
		int r = open_parent(f, path, should_make, ret);

		if (r < 0)
			return r;
		if (fstatat(ret->folder, ret->base, &ret->stat, AT_SYMLINK_NOFOLLOW) <
		    0) {
			ret->is_new = errno == ENOENT;
			return ret->is_new ? 0 : -errno;
		}
		if (!S_ISLNK(ret->stat.st_mode))
			return S_ISREG(ret->stat.st_mode) ? 0 : -EINVAL;
		r = follow(ret, path);
		if (r < 0)
			return r;
	}
	return -ELOOP;
}

static int open_place(const struct place *p)
{
	int fd = openat(p->folder, p->base,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int edit_file_read(const struct edit_file *f, struct arena *arena, size_t max,
		   struct text *ret)
{
	cleanup_with(close_place) struct place p;
	cleanup_with(close_fd) int fd = -1;
	int r = find(f, f->name, false, &p);

	*ret = (struct text){NULL, 0};
	if (r == -ENOENT || r == -ENOTDIR || (r == 0 && p.is_new))
		return 0;
	if (r < 0)
		return r;
	fd = open_place(&p);
	return fd < 0 ? fd : file_read_fd(fd, arena, max, ret);
}

/* ---- attributes ---------------------------------------------------------------------------- */

/* Measured of the content: those of the old file would be wrong. */
static bool is_of_content(const char *name)
{
	return strcmp(name, "security.ima") == 0 || strcmp(name, "security.evm") == 0;
}

/* What only the kernel or a security module gives. Nobody can read more without it. */
static bool is_optional(const char *name, int error)
{
	return (error == EPERM || error == EACCES || error == ENOTSUP) &&
	       strcmp(name, ACL_NAME) != 0 && strncmp(name, "user.", 5) != 0;
}

static int copy_xattr(int from, int to, const char *name, struct arena *arena)
{
	size_t used = arena->used;
	ssize_t n = fgetxattr(from, name, NULL, 0);
	char *value = n >= 0 ? arena_alloc(arena, (size_t)n + 1, 1) : NULL;
	int r = 0;

	if (n >= 0 && !value)
		return -ENOMEM;
	if (n >= 0)
		n = fgetxattr(from, name, value, (size_t)n);
	if (n < 0 || fsetxattr(to, name, value, (size_t)n, 0) < 0)
		r = is_optional(name, errno) ? 0 : -errno;
	arena_rewind(arena, used);
	return r;
}

static int copy_xattrs(int from, int to, struct arena *arena)
{
	ssize_t n = flistxattr(from, NULL, 0);
	char *names;

	/* One that the folder has for new files would let in whom the old file does not. */
	if (fremovexattr(to, ACL_NAME) < 0 && errno != ENODATA && errno != ENOTSUP)
		return -errno;
	if (n < 0)
		return errno == ENOTSUP ? 0 : -errno;
	names = arena_alloc(arena, (size_t)n + 1, 1);
	if (!names)
		return -ENOMEM;
	n = flistxattr(from, names, (size_t)n);
	if (n < 0)
		return -errno;
	for (const char *name = names; name < names + n; name += strlen(name) + 1) {
		int r = is_of_content(name) ? 0 : copy_xattr(from, to, name, arena);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Until now only its maker can read it. Owner first: that the mode counts for. */
static int copy_attributes(int from, int to, struct arena *arena)
{
	struct stat old, new;
	int r;

	if (fstat(from, &old) < 0 || fstat(to, &new) < 0)
		return -errno;
	if ((old.st_uid != new.st_uid || old.st_gid != new.st_gid) &&
	    fchown(to, old.st_uid, old.st_gid) < 0)
		return -errno;
	r = copy_xattrs(from, to, arena);
	if (r < 0)
		return r;
	if (fchmod(to, old.st_mode & 07777) == 0)
		return 0;
	/* A file system without permissions, as that of EFI, has its own for all files. */
	return errno == EPERM && fstat(to, &new) == 0 && new.st_mode == old.st_mode
		       ? 0
		       : -EPERM;
}

static int set_attributes(const struct edit_file *f, const struct place *p, int to,
			  struct arena *arena)
{
	cleanup_with(close_place) struct place like = {.folder = -1};
	cleanup_with(close_fd) int from = -1;
	const struct place *model = p;
	int r;

	if (p->is_new && f->like) {
		r = find(f, f->like, false, &like);
		if (r < 0)
			return r;
		model = &like;
	}
	if (model->is_new)
		return fchmod(to, f->mode) < 0 && errno != EPERM ? -errno : 0;
	from = open_place(model);
	return from < 0 ? from : copy_attributes(from, to, arena);
}

/* ---- the file ------------------------------------------------------------------------------ */

/* Whether @fd is as it must be: read back, and read by what reads such files. */
static int verify(const struct edit_file *f, int fd, struct text new, struct arena *arena)
{
	size_t used = arena->used;
	struct text bytes;
	int r;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	r = file_read_fd(fd, arena, new.n, &bytes);
	if (r == -E2BIG || (r == 0 && !text_is_same(bytes, new)))
		r = -EBADMSG;
	if (r == 0 && f->check && f->check(f->arg, bytes) < 0)
		r = -EBADMSG;
	arena_rewind(arena, used);
	return r;
}

static int sync_folder(const struct place *p)
{
	/* Not every file system can. */
	return fsync(p->folder) < 0 && errno != EINVAL && errno != EROFS ? -errno : 0;
}

/* Whether the temporary name is still that of @fd: an edit without the lock may have taken it. */
static int check_temporary(const struct place *p, int fd)
{
	struct stat named, own;

	if (fstatat(p->folder, TEMPORARY, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstat(fd, &own) < 0)
		return -errno;
	return named.st_dev == own.st_dev && named.st_ino == own.st_ino ? 0 : -ESTALE;
}

static int write_new(const struct edit_file *f, const struct place *p, struct text new,
		     struct arena *arena)
{
	cleanup_with(close_fd) int fd = -1;
	int r;

	if (unlinkat(p->folder, TEMPORARY, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(p->folder, TEMPORARY,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = file_write_fd(fd, new);
	if (r == 0)
		r = set_attributes(f, p, fd, arena);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0)
		r = verify(f, fd, new, arena);
	if (r == 0)
		r = check_temporary(p, fd);
	if (r == 0 && renameat(p->folder, TEMPORARY, p->folder, p->base) < 0)
		r = -errno;
	if (r == 0)
		return sync_folder(p);
	(void)unlinkat(p->folder, TEMPORARY, 0);
	return r;
}

/* Whether it still is what was read. */
static int compare(const struct place *p, struct text old, struct arena *arena)
{
	cleanup_with(close_fd) int fd = -1;
	size_t used = arena->used;
	struct text bytes;
	int r;

	if (p->is_new || !old.p)
		return p->is_new == !old.p ? 0 : -ESTALE;
	fd = open_place(p);
	if (fd < 0)
		return fd;
	r = file_read_fd(fd, arena, old.n, &bytes);
	if (r == -E2BIG || (r == 0 && !text_is_same(bytes, old)))
		r = -ESTALE;
	arena_rewind(arena, used);
	return r;
}

/* A link goes itself, and what it leads to stays. */
static int remove_name(const struct edit_file *f, struct place *p)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s", f->name);
	r = open_parent(f, path, false, p);
	if (r < 0)
		return r;
	return unlinkat(p->folder, p->base, 0) < 0 ? -errno : sync_folder(p);
}

int edit_file_replace(const struct edit_file *f, struct text old, struct text new,
		      struct arena *arena)
{
	cleanup_with(close_place) struct place p;
	int r = find(f, f->name, new.p != NULL, &p);

	if (!new.p && (r == -ENOENT || (r == 0 && p.is_new)))
		return 0;
	if (r == 0)
		r = compare(&p, old, arena);
	if (r < 0)
		return r;
	return new.p ? write_new(f, &p, new, arena) : remove_name(f, &p);
}

void edit_file_say(const struct edit_file *f, int error)
{
	const char *why = errno_text(error), *remedy = "";

	switch (-error) {
	case ESTALE:
		say_error("%s: somebody else has changed it meanwhile: nothing is "
			  "written; run this again",
			  f->name);
		return;
	case EBADMSG:
		say_error("%s: what was written does not read back as it must: the file "
			  "is as before; please report this",
			  f->name);
		return;
	case EINVAL:
		why = "it is no file";
		break;
	case EACCES:
	case EPERM:
		remedy = geteuid() == 0 ? "" : ": run this as root";
		break;
	}
	say_error("%s: it cannot be written: %s%s", f->name, why, remedy);
}
