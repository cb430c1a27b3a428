/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What needs no more than the world's operations, whichever world it is. */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "arena.h"
#include "jobs.h"
#include "modload.h"

static uint64_t clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec / 1000;
}

bool jobs_add(struct jobs *jobs, const struct job *job)
{
	const char *const texts[] = {job->path, job->value, job->ids};
	size_t used = jobs->used;

	if (jobs->count == JOBS_MAX ||
	    sizeof(jobs->bytes) - used <
		    sizeof(job->path) + sizeof(job->value) + strlen(job->ids) + 2)
		return false;
	jobs->bytes[used++] = (char)job->kind;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		used = (size_t)(stpcpy(jobs->bytes + used, texts[i]) + 1 - jobs->bytes);
	jobs->used = used;
	jobs->count++;
	return true;
}

void jobs_next(const struct jobs *jobs, size_t *used, struct job *ret)
{
	char *const texts[] = {ret->path, ret->value, ret->ids};
	const char *p = jobs->bytes + *used;

	ret->kind = (enum job_kind)(unsigned char)*p++;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		p += stpcpy(texts[i], p) + 1 - texts[i];
	*used = (size_t)(p - jobs->bytes);
}

/* Does the jobs that are told to, and counts them on the board. */
static void do_list(const struct worker *worker, const struct jobs *jobs,
		    struct job_result *result)
{
	struct board *board = worker->board;
	bool is_left_out = false;
	size_t used = 0;
	struct job job;

	for (size_t i = 0; i < jobs->count; i++) {
		/* First: whoever sees that it has begun must not take its time for that of the last. */
		atomic_store(&board->since, clock_now());
		if (i > 0 && (atomic_fetch_add(&board->begun, 1) & WORKER_STOP))
			return;
		jobs_next(jobs, &used, &job);
		memset(result, 0, offsetof(struct job_result, text));
		if (is_left_out)
			result->error = -ECANCELED;
		else
			worker->execute(worker->arg, &job, result);
		is_left_out = job.kind == JOB_ASK_DEVICE && result->error == -ENXIO;
		board->errors[i] = result->error;
		atomic_store(&board->ended, (uint32_t)i + 1);
	}
}

static void serve(struct worker *worker, int fd)
{
	static struct jobs jobs;
	struct job_result result;

	/* A worker in the kernel's hands must not outlive its use by much. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* A pause of microseconds is no longer than that. */
	(void)prctl(PR_SET_TIMERSLACK, 1);
	for (;;) {
		ssize_t n;

		do {
			n = recv(fd, &jobs, sizeof(jobs), 0);
		} while (n < 0 && errno == EINTR);
		if (n <= 0)
			_exit(0);
		result.length = 0;
		do_list(worker, &jobs, &result);
		n = (ssize_t)(offsetof(struct job_result, text) + result.length);
		if (send(fd, &result, (size_t)n, MSG_NOSIGNAL) != n)
			_exit(1);
	}
}

static void drop_board(struct worker *worker)
{
	if (worker->board)
		munmap(worker->board, sizeof(*worker->board));
	worker->board = NULL;
}

static int start(struct worker *worker)
{
	void *board = mmap(NULL, sizeof(*worker->board), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int pair[2];
	pid_t pid;

	drop_board(worker);
	if (board == MAP_FAILED)
		return -errno;
	worker->board = board;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		int error = errno;

		close(pair[0]);
		close(pair[1]);
		return -error;
	}
	if (pid == 0) {
		close(pair[0]);
		serve(worker, pair[1]);
		_exit(0);
	}
	close(pair[1]);
	worker->pid = pid;
	worker->fd = pair[0];
	return 0;
}

int worker_submit(struct worker *worker, const struct jobs *jobs)
{
	size_t size = offsetof(struct jobs, bytes) + jobs->used;
	int r;

	if (worker->pid == 0) {
		r = start(worker);
		if (r < 0)
			return r;
	}
	atomic_store(&worker->board->begun, 1);
	atomic_store(&worker->board->ended, 0);
	/* Until the worker is awake. */
	atomic_store(&worker->board->since, clock_now());
	if (send(worker->fd, jobs, size, MSG_NOSIGNAL) != (ssize_t)size) {
		worker_abandon(worker);
		return -EPIPE;
	}
	return 0;
}

int worker_await(struct worker *worker, uint64_t timeout_us, struct job_result *ret)
{
	struct pollfd pollfd = {.fd = worker->fd, .events = POLLIN};
	/* Rounded up, and never beyond what an int holds. */
	uint64_t ms = MIN((timeout_us + 999) / 1000, (uint64_t)1000 * 3600 * 24);
	ssize_t n;
	int r;

	if (worker->pid == 0)
		return -ESRCH;
	r = poll(&pollfd, 1, (int)ms);
	if (r == 0 || (r < 0 && errno == EINTR))
		return -EINPROGRESS;
	if (r < 0)
		return -errno;
	n = recv(worker->fd, ret, sizeof(*ret), MSG_DONTWAIT);
	if (n < (ssize_t)offsetof(struct job_result, text) ||
	    (size_t)n != offsetof(struct job_result, text) + ret->length) {
		/* It crashed or was killed: not a reason for this process to do so. */
		worker_abandon(worker);
		return -EPIPE;
	}
	return 0;
}

size_t worker_ended(const struct worker *worker, int errors[static JOBS_MAX],
		    uint64_t *ret_since)
{
	size_t ended = worker->board ? atomic_load(&worker->board->ended) : 0;

	ended = MIN(ended, (size_t)JOBS_MAX);
	*ret_since = worker->board ? atomic_load(&worker->board->since) : 0;
	if (ended > 0)
		memcpy(errors, worker->board->errors, ended * sizeof(*errors));
	return ended;
}

size_t worker_stop_list(struct worker *worker)
{
	uint32_t begun = atomic_fetch_or(&worker->board->begun, WORKER_STOP);

	return (begun & ~WORKER_STOP) - 1;
}

/* Its board is kept until the next one begins: it tells what a lost one has done. */
static void forget(struct worker *worker)
{
	close(worker->fd);
	/* Never waited for: it may be stuck until the machine is switched off. */
	(void)waitpid(worker->pid, NULL, WNOHANG);
	worker->pid = 0;
	worker->fd = -1;
}

void worker_abandon(struct worker *worker)
{
	if (worker->pid == 0)
		return;
	kill(worker->pid, SIGKILL);
	forget(worker);
}

void worker_move(struct worker *from, struct worker *to)
{
	drop_board(to);
	*to = *from;
	from->pid = 0;
	from->fd = -1;
	from->board = NULL;
}

void worker_stop(struct worker *worker)
{
	if (worker->pid != 0)
		forget(worker);
}

#define KMSG_PATH "/dev/kmsg"

static int write_error_output(const char *line, size_t n)
{
	struct pollfd pollfd = {.fd = STDERR_FILENO, .events = POLLOUT};

	int r = poll(&pollfd, 1, 0);

	if (r == 0 || (r > 0 && !(pollfd.revents & POLLOUT)))
		return -EAGAIN;
	return write(STDERR_FILENO, line, n) < 0 ? -errno : 0;
}

int kmsg_write(enum log_level level, const char *line)
{
	char record[LOG_LINE_MAX + 32];
	int n, fd, r = 0;

	n = snprintf(record, sizeof(record), "<%d>earlybind: %s\n", level, line);
	if (n < 0)
		return -EINVAL;
	n = MIN(n, (int)sizeof(record) - 1);
	/*
	 * Opened for each line: the kernel allows one opener ten lines in five seconds
	 * (kernel/printk/printk.c: devkmsg_write()). By openat(): musl's open() sets
	 * O_CLOEXEC once more, by a call of its own.
	 */
	fd = openat(AT_FDCWD, KMSG_PATH, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || write(fd, record, (size_t)n) < 0)
		r = write_error_output(record + 3, (size_t)n - 3);
	if (fd >= 0)
		close(fd);
	return r;
}

/* Opens a directory in another one, which is made if need be: a descriptor, or -errno. */
static int run_dir_open(int parent, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(parent, name, flags);

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
			return -errno;
		fd = openat(parent, name, flags);
	}
	return fd < 0 ? -errno : fd;
}

/* Replaces a file at once: whoever reads it finds the old one or the new one. 0 or -errno. */
static int run_dir_write(int dir, const char *name, struct text bytes)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	char temporary[64];
	int fd, r = 0;

	snprintf(temporary, sizeof(temporary), ".%s.new", name);
	fd = openat(dir, temporary, flags, 0644);
	/* A new one, whatever was left or put in its place: a link may be one to a file of others. */
	if (fd < 0 && errno == EEXIST && unlinkat(dir, temporary, 0) == 0)
		fd = openat(dir, temporary, flags, 0644);
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

/*
 * Takes the lock of a file, which is opened into *@fd if that is -1; closing it lets go. It is
 * the process's (fcntl(2)): a worker that is stuck in the kernel does not inherit it. -EAGAIN:
 * another process has it; other -errno: it cannot be had.
 */
static int run_dir_lock(int dir, const char *name, int *fd)
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

#define PATH_SIZE (PATH_MAX + 256) /* a sysroot and what is below it */

/* All absolute paths of the machine are here, in jobs.c and in modload.c (make lint). */
static const char *const root_paths[] = {
	[WORLD_SYS] = "/sys", [WORLD_PROC] = "/proc", [WORLD_ETC] = "/etc",
	[WORLD_RUN] = "/run", [WORLD_DEV] = "/dev",
};

#define INNER_MAX  64 /* see inner_of() */
#define INNER_SIZE 20

/* A folder in the one that was entered, kept open. */
struct inner {
	char name[INNER_SIZE]; /* "": none */
	int fd;
};

struct real_world {
	struct world world;
	int roots[ARRAY_SIZE(root_paths)];
	int outer; /* real_enter(); -1: none */
	bool is_old; /* entered once more: what is kept in it may be gone */
	int inner_end; /* no inner folder is kept open from this descriptor on; 0: not known */
	int lock; /* -1: none */
	bool is_trial;
	bool is_early;
	struct worker worker, parked[JOBS_PARKED_MAX];
	size_t outer_size;
	char outer_path[JOB_PATH_SIZE]; /* with a '/' behind it */
	char sysroot[PATH_MAX]; /* "" for the machine itself */
	struct inner inner[INNER_MAX];
};

static struct real_world *real(struct world *world)
{
	return (struct real_world *)world;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int open_folder(const char *path)
{
	return openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* In a function of its own: the machine itself has no use for so much stack. */
static noinline int open_below(const char *sysroot, const char *path)
{
	char whole[PATH_SIZE];

	snprintf(whole, sizeof(whole), "%s%s", sysroot, path);
	return open_folder(whole);
}

/* Opened at first use: /run may be mounted later than the rest. */
static int root_fd(struct real_world *w, enum world_root root)
{
	const char *path = root_paths[root];

	if (w->roots[root] >= 0)
		return w->roots[root];
	w->roots[root] =
		w->sysroot[0] != '\0' ? open_below(w->sysroot, path) : open_folder(path);
	return w->roots[root] < 0 ? -errno : w->roots[root];
}

/* The path in the outer folder, or NULL. */
static const char *in_outer(const struct real_world *w, const char *path)
{
	bool is_in = w->outer >= 0 && strncmp(path, w->outer_path, w->outer_size) == 0;

	return is_in ? path + w->outer_size : NULL;
}

/* The place of an inner folder: that of another one, too. NULL: its name is too long. */
static struct inner *inner_of(struct real_world *w, const char *name, size_t n)
{
	unsigned hash = 0;

	for (size_t i = 0; i < n; i++)
		hash = (hash + (unsigned char)name[i]) * 0x9e3779b1u;
	return n == 0 || n >= INNER_SIZE ? NULL : &w->inner[hash >> 26];
}

static void leave_inner(struct inner *inner)
{
	if (inner->name[0] != '\0')
		close(inner->fd);
	inner->name[0] = '\0';
}

/* Where *path begins: in a root, in the outer folder, or in an inner one, *ret_inner. */
static int start_fd(struct real_world *w, enum world_root root, const char **path,
		    struct inner **ret_inner)
{
	const char *rest = root == WORLD_SYS ? in_outer(w, *path) : NULL, *slash;
	struct inner *inner;

	*ret_inner = NULL;
	if (!rest)
		return root_fd(w, root);
	slash = strchrnul(rest, '/');
	inner = *slash ? inner_of(w, rest, (size_t)(slash - rest)) : NULL;
	*path = rest;
	if (!inner || strncmp(inner->name, rest, (size_t)(slash - rest)) != 0 ||
	    inner->name[slash - rest] != '\0')
		return w->outer;
	*path = slash + 1;
	*ret_inner = inner;
	return inner->fd;
}

/*
 * Whether nothing was found because the device is another one by now: the folder of what was
 * removed stays open, and empty. Every device has that link (drivers/base/core.c:
 * device_add_class_symlinks()). Then it is left.
 */
static bool is_stale(const struct real_world *w, struct inner *inner)
{
	char c;

	if (!inner || !w->is_old || errno != ENOENT)
		return false;
	if (readlinkat(inner->fd, "subsystem", &c, 1) < 0)
		leave_inner(inner);
	errno = ENOENT;
	return inner->name[0] == '\0';
}

#define SPARE_FDS 24 /* for all else: roots, files, workers */

static int open_inner(struct real_world *w, const char *name)
{
	int fd = openat(w->outer, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct rlimit limit;

	if (w->inner_end == 0)
		w->inner_end =
			getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT_MAX
				? INT_MAX
				: MAX((int)limit.rlim_cur - SPARE_FDS, 1);
	if (fd >= w->inner_end) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void real_enter(struct world *world, const char *folder)
{
	struct real_world *w = real(world);
	const char *rest = folder ? in_outer(w, folder) : NULL;
	struct inner *inner;

	if (rest) {
		inner = inner_of(w, rest, strlen(rest));
		if (!inner || strcmp(inner->name, rest) == 0)
			return;
		leave_inner(inner);
		inner->fd = open_inner(w, rest);
		if (inner->fd >= 0)
			strcpy(inner->name, rest);
		return;
	}
	w->is_old = folder && w->outer >= 0 && strlen(folder) + 1 == w->outer_size &&
		    strncmp(folder, w->outer_path, w->outer_size - 1) == 0;
	if (w->is_old)
		return;
	for (size_t i = 0; w->outer >= 0 && i < INNER_MAX; i++)
		leave_inner(&w->inner[i]);
	close_fd(&w->outer);
	w->outer = -1;
	if (!folder || strlen(folder) + 2 > sizeof(w->outer_path) ||
	    root_fd(w, WORLD_SYS) < 0)
		return;
	w->outer_size = (size_t)sprintf(w->outer_path, "%s/", folder);
	w->outer =
		openat(root_fd(w, WORLD_SYS), folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int real_read(struct world *world, enum world_root root, const char *path,
		     char *buf, size_t size)
{
	cleanup_with(close_fd) int fd = -1;
	struct real_world *w = real(world);
	struct inner *inner;
	size_t used = 0;

	do {
		const char *rest = path;
		int dir = start_fd(w, root, &rest, &inner);

		if (dir < 0)
			return dir;
		/* Not blocked by a FIFO that somebody put in the place of a file. */
		fd = openat(dir, rest, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	} while (fd < 0 && is_stale(w, inner));
	if (fd < 0)
		return -errno;
	while (used < size) {
		ssize_t n = read(fd, buf + used, size - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return (int)used;
		used += (size_t)n;
		/* An attribute comes whole (fs/kernfs/file.c: it has at most a page). */
		if (root == WORLD_SYS && used < size)
			return (int)used;
	}
	return -E2BIG;
}

static int real_target(struct world *world, enum world_root root, const char *path,
		       char *buf, size_t size)
{
	struct real_world *w = real(world);
	struct inner *inner;
	ssize_t n;

	do {
		const char *rest = path;
		int dir = start_fd(w, root, &rest, &inner);

		if (dir < 0)
			return dir;
		n = readlinkat(dir, rest, buf, size);
	} while (n < 0 && is_stale(w, inner));
	if (n < 0)
		return -errno;
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	buf[n] = '\0';
	return (int)n;
}

static int real_link(struct world *world, enum world_root root, const char *path,
		     char *buf, size_t size)
{
	char target[PATH_MAX];
	const char *name;
	int n = real_target(world, root, path, target, sizeof(target));

	if (n < 0)
		return n;
	name = strrchr(target, '/');
	name = name ? name + 1 : target;
	if (strlen(name) >= size)
		return -ENAMETOOLONG;
	strcpy(buf, name);
	return (int)strlen(name);
}

/* What getdents64(2) gives of each entry (linux/dirent.h), at any alignment. */
struct entry {
	uint64_t number;
	int64_t next;
	uint16_t size;
	uint8_t type;
	char name[];
};

/* By the system call itself: opendir() costs a folder six more and touches two new pages. */
static int list_entries(int fd, int (*each)(void *arg, const char *name), void *arg)
{
	alignas(struct entry) char buf[8 * 1024];

	for (;;) {
		long n = syscall(SYS_getdents64, fd, buf, sizeof(buf));
		const struct entry *entry;

		/* A list that breaks off is none. */
		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (const char *p = buf; p < buf + n; p += entry->size) {
			int r = 0;

			entry = (const void *)p;
			if (strcmp(entry->name, ".") != 0 &&
			    strcmp(entry->name, "..") != 0)
				r = each(arg, entry->name);
			if (r != 0)
				return r;
		}
	}
}

static int real_list(struct world *world, enum world_root root, const char *path,
		     int (*each)(void *arg, const char *name), void *arg)
{
	int dir = root_fd(real(world), root);
	cleanup_with(close_fd) int fd = -1;

	if (dir < 0)
		return dir;
	fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : list_entries(fd, each, arg);
}

#define MODPROBE_FILE_SIZE ((size_t)32 * 1024) /* libkmod reads the longer ones */

/* A file that cannot be read here, or is empty, may be a FIFO that somebody will write to. */
static int look_for_vfio(void *arg, const char *name)
{
	static char buf[MODPROBE_FILE_SIZE];
	cleanup_with(close_fd) int fd =
		openat(*(const int *)arg, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

	return n <= 0 || (size_t)n == sizeof(buf) ||
	       modprobe_may_name_vfio((struct text){buf, (size_t)n});
}

static bool real_has_module_options(struct world *world)
{
	struct stat folders[MODPROBE_FOLDERS];
	struct real_world *w = real(world);
	size_t count = 0;

	modprobe_set_seen(false);
	for (size_t i = 0; i < MODPROBE_FOLDERS; i++) {
		struct stat *st = &folders[count];
		bool is_seen = false;
		cleanup_with(close_fd) int fd =
			w->sysroot[0] != '\0'
				? open_below(w->sysroot, modprobe_folders[i])
				: open_folder(modprobe_folders[i]);

		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 || fstat(fd, st) < 0)
			return true;
		/* /lib is mostly the folder /usr/lib. */
		for (size_t k = 0; k < count; k++)
			is_seen |= folders[k].st_dev == st->st_dev &&
				   folders[k].st_ino == st->st_ino;
		count++;
		if (!is_seen && list_entries(fd, look_for_vfio, &fd) != 0)
			return true;
	}
	modprobe_set_seen(true);
	return false;
}

/* Runs in the worker process. */
static void execute(void *arg, const struct job *job, struct job_result *ret)
{
	struct real_world *w = arg;
	struct job_context context = {.sysroot = w->sysroot};
	struct inner *inner;

	/* It was started at any time, and is told of no folder that is entered. */
	w->is_old = true;
	do {
		const char *path = job->path;

		context.sys_fd = start_fd(w, WORLD_SYS, &path, &inner);
		context.skip = (size_t)(path - job->path);
		job_execute(&context, job, ret);
		/* Of a device that is gone nothing was found, so nothing was done. */
		errno = ret->error == -ENODEV ? ENOENT : -ret->error;
	} while (ret->error < 0 && is_stale(w, inner));
}

static int real_submit(struct world *world, const struct jobs *jobs)
{
	struct real_world *w = real(world);
	int kind = (unsigned char)jobs->bytes[0];

	/* A tree of files is not a machine: nothing is written, nothing is loaded. */
	if (w->sysroot[0] != '\0' &&
	    (jobs->count > 1 || (kind != JOB_MODULE_IDS && kind != JOB_FIND_VARIANT &&
				 kind != JOB_READ_SERIAL)))
		return -EROFS;
	return worker_submit(&w->worker, jobs);
}

static uint64_t real_now(struct world *world unused)
{
	return clock_now();
}

static int real_await(struct world *world, uint64_t until, struct job_result *ret)
{
	uint64_t now = real_now(world);

	return worker_await(&real(world)->worker, until > now ? until - now : 0, ret);
}

static size_t real_ended(struct world *world, int errors[static JOBS_MAX],
			 uint64_t *ret_since)
{
	return worker_ended(&real(world)->worker, errors, ret_since);
}

static size_t real_stop(struct world *world)
{
	return worker_stop_list(&real(world)->worker);
}

static void real_abandon(struct world *world)
{
	worker_abandon(&real(world)->worker);
}

static int real_park(struct world *world)
{
	struct real_world *w = real(world);

	for (int i = 0; i < JOBS_PARKED_MAX; i++)
		if (w->parked[i].pid == 0) {
			worker_move(&w->worker, &w->parked[i]);
			return i;
		}
	return -ENOSPC;
}

static void real_resume(struct world *world, int number)
{
	struct real_world *w = real(world);

	worker_stop(&w->worker);
	worker_move(&w->parked[number], &w->worker);
}

/* Whether a file system of its own is mounted at the root. */
static bool is_mounted(struct real_world *w, enum world_root root)
{
	struct stat above, st;
	int fd = root_fd(w, root);

	return fd >= 0 && fstat(fd, &st) == 0 &&
	       fstatat(fd, "..", &above, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_dev != above.st_dev;
}

static int open_place(struct real_world *w, enum publish_place place)
{
	static const struct {
		const char *first, *second;
	} folders[] = {
		[PUBLISH_OWN] = {WORLD_RUN_DIR, NULL},
		[PUBLISH_DEVICE] = {WORLD_RUN_DIR, "devices"},
		[PUBLISH_UDEV] = {"udev", "rules.d"},
	};
	bool is_dev = w->is_early && !is_mounted(w, WORLD_RUN);
	int root = root_fd(w, is_dev ? WORLD_DEV : WORLD_RUN);
	cleanup_with(close_fd) int first = -1;

	if (root < 0)
		return root;
	first = run_dir_open(root, is_dev ? WORLD_DEV_DIR : folders[place].first);
	if (first < 0 || !folders[place].second)
		return TAKE_FD(first);
	return run_dir_open(first, folders[place].second);
}

static int real_publish(struct world *world, enum publish_place place, const char *name,
			struct text bytes)
{
	cleanup_with(close_fd) int dir = -1;

	if (real(world)->is_trial)
		return fwrite(bytes.p, 1, bytes.n, stdout) == bytes.n ? 0 : -EIO;
	dir = open_place(real(world), place);
	return dir < 0 ? dir : run_dir_write(dir, name, bytes);
}

static int real_lock(struct world *world, enum publish_place place, const char *name)
{
	cleanup_with(close_fd) int dir = open_place(real(world), place);

	return dir < 0 ? dir : run_dir_lock(dir, name, &real(world)->lock);
}

static void real_log(struct world *world, enum log_level level, const char *line)
{
	if (real(world)->is_trial)
		fprintf(stderr, "earlybind: %s\n", line);
	else
		(void)kmsg_write(level, line);
}

static void real_pause(struct world *world unused, uint64_t microseconds)
{
	const struct timespec ts = {(time_t)(microseconds / SECOND),
				    (long)(microseconds % SECOND) * 1000};

	nanosleep(&ts, NULL);
}

static const struct world_ops real_ops = {
	.read = real_read,
	.link = real_link,
	.target = real_target,
	.enter = real_enter,
	.list = real_list,
	.has_module_options = real_has_module_options,
	.submit = real_submit,
	.await = real_await,
	.ended = real_ended,
	.stop = real_stop,
	.abandon = real_abandon,
	.park = real_park,
	.resume = real_resume,
	.publish = real_publish,
	.lock = real_lock,
	.log = real_log,
	.now = real_now,
	.pause = real_pause,
};

int world_open(const char *sysroot, struct world **ret)
{
	static struct real_world w;

	/* Not what is at the end, which most runs touch no page of. */
	memset(&w, 0, offsetof(struct real_world, sysroot) + 1);
	w.world.ops = &real_ops;
	memset(w.roots, -1, sizeof(w.roots));
	w.outer = -1;
	w.lock = -1;
	w.worker = (struct worker){.fd = -1, .execute = execute, .arg = &w};
	if (sysroot && strcmp(sysroot, "/") != 0) {
		struct stat st;

		if (strlen(sysroot) >= sizeof(w.sysroot) - 64)
			return -ENAMETOOLONG;
		if (stat(sysroot, &st) < 0)
			return -errno;
		if (!S_ISDIR(st.st_mode))
			return -ENOTDIR;
		strcpy(w.sysroot, sysroot);
	}
	*ret = &w.world;
	return 0;
}

void world_close(struct world *world)
{
	struct real_world *w = real(world);

	worker_stop(&w->worker);
	real_enter(world, NULL);
	close_fd(&w->lock);
	w->lock = -1;
	for (size_t i = 0; i < ARRAY_SIZE(w->roots); i++) {
		close_fd(&w->roots[i]);
		w->roots[i] = -1;
	}
}

const char *world_root_path(enum world_root root)
{
	return root_paths[root];
}

void world_set_trial(struct world *world)
{
	real(world)->is_trial = true;
}

void world_set_early(struct world *world)
{
	real(world)->is_early = true;
}

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

struct text world_read_arena(struct world *world, enum world_root root, const char *path,
			     struct arena *arena, size_t size)
{
	char *buf = arena_alloc(arena, size, 1);
	struct text t = {NULL, 0};

	if (!buf)
		return t;
	t = world_read_start(world, root, path, buf, size);
	/* A read that failed may have written anything. */
	if (t.n > 0)
		arena_shrink(arena, buf, t.n);
	return t;
}

static int stop_at_first(void *arg unused, const char *name unused)
{
	return 1;
}

int world_has_entry(struct world *world, enum world_root root, const char *path)
{
	return world->ops->list(world, root, path, stop_at_first, NULL);
}

int world_submit(struct world *world, const struct job *job)
{
	static struct jobs jobs;

	jobs.count = jobs.used = 0;
	return jobs_add(&jobs, job) ? world->ops->submit(world, &jobs) : -E2BIG;
}

/* As world_run_list(), which has submitted it. */
static int await_list(struct world *world, size_t count, struct list_wait *wait)
{
	uint64_t since = world->ops->now(world), now, patience;
	struct job_result result;
	bool is_stopped = false;
	size_t last = 0;
	int r;

	patience = MIN(wait->patience[0], wait->patience[1]);
	for (;;) {
		r = world->ops->await(world, MIN(wait->until, since + patience), &result);
		wait->ended = world->ops->ended(world, wait->errors, &since);
		if (r != -EINPROGRESS)
			return r;
		if (wait->tell && wait->ended < count)
			wait->tell(wait->arg, wait->ended);
		now = world->ops->now(world);
		patience = wait->patience[wait->ended % 2];
		if (now < wait->until && now < since + patience)
			continue;
		if (!is_stopped) {
			is_stopped = true;
			last = world->ops->stop(world);
			/* It has just ended one, or begun another. */
			if (last != wait->ended)
				continue;
		}
		if (wait->ended <= last)
			return r;
		/* No other one begins: only the worker's word is missing. */
		world->ops->abandon(world);
		return 0;
	}
}

int world_run_list(struct world *world, const struct jobs *jobs, struct list_wait *wait)
{
	int r = world->ops->submit(world, jobs);

	wait->ended = 0;
	if (r < 0)
		return r;
	r = await_list(world, jobs->count, wait);
	/* All is done, and only the worker's word of it is missing. */
	return wait->ended == jobs->count ? 0 : r;
}

int world_run(struct world *world, const struct job *job, uint64_t until,
	      struct job_result *ret)
{
	int r = world_submit(world, job);

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
	struct text_buffer b = {.buf = line, .size = sizeof(line)};
	va_list ap;

	va_start(ap, format);
	text_vadd(&b, format, ap);
	va_end(ap);
	world->ops->log(world, level, text_shown(&b));
}
