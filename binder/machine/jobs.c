/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "modload.h"
#include "serial.h"

#define VFIO_DIR    "/dev/vfio"
#define MODULES_DIR "/lib/modules"
/* What was added to an image that has modules of its own, or none. */
#define PRIVATE_MODULES_DIR "/usr/lib/earlybind/modules"
#define SYS_DIR		    "/sys"
#define RUN_DIR		    "/run/" WORLD_RUN_DIR
#define COVER_FILE	    RUN_DIR "/cover"

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/*
 * A store into sysfs is one write(2): a short one is an error, a second one another store. @link:
 * only where that is there, or NULL.
 */
static int store(int sys_fd, const char *path, const char *value, const char *link)
{
	cleanup_with(close_fd) int fd = -1;
	ssize_t n;
	char c;

	if (sys_fd < 0)
		return sys_fd;
	if (link && readlinkat(sys_fd, link, &c, 1) < 0)
		return -ENODEV;
	fd = openat(sys_fd, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, value, strlen(value));
	if (n < 0)
		return -errno;
	return n == (ssize_t)strlen(value) ? 0 : -EIO;
}

/*
 * VFIO_GROUP_GET_STATUS: what the kernel itself says about the group (linux/vfio.h): 0 or -EBUSY.
 * The open's own EBUSY (another process has the group) is no answer.
 */
static int group_status(const char *group)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};
	cleanup_with(close_fd) int fd = -1;
	char path[sizeof(VFIO_DIR) + JOB_VALUE_SIZE];

	snprintf(path, sizeof(path), VFIO_DIR "/%s", group);
	fd = openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno == EBUSY ? -EAGAIN : -errno;
	if (ioctl(fd, VFIO_GROUP_GET_STATUS, &status) < 0)
		return -errno;
	return status.flags & VFIO_GROUP_FLAGS_VIABLE ? 0 : -EBUSY;
}

static int read_config(void *arg, unsigned offset, uint32_t *ret)
{
	unsigned char b[4];
	ssize_t n = pread(*(const int *)arg, b, sizeof(b), offset);

	if (n < 0)
		return -errno;
	/* pci-sysfs.c: pci_read_config() ends behind 64 bytes without CAP_SYS_ADMIN. */
	if (n != sizeof(b))
		return -EACCES;
	*ret = (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
	return 0;
}

static int read_serial(int sys_fd, const char *path, uint64_t *ret)
{
	cleanup_with(close_fd) int fd = -1;
	struct stat st;

	if (sys_fd < 0)
		return sys_fd;
	fd = openat(sys_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	/* The size says whether there is extended space (pci_dev_config_attr_bin_size()). */
	return st.st_size <= 256 ? -ENODATA : serial_find(read_config, &fd, ret);
}

/*
 * Whether anybody answers at the device's place. What lost its power or fell off the bus reads
 * as ones throughout. The IDs alone would not do: those of a virtual function are ones always
 * (drivers/pci/iov.c: pci_iov_add_virtfn() takes them from its card). Reading resumes what is
 * suspended (drivers/pci/access.c: pci_config_pm_runtime_get()).
 */
static int ask_device(int sys_fd, const char *path)
{
	cleanup_with(close_fd) int fd = -1;
	uint32_t header = UINT32_MAX;
	int r = 0;

	if (sys_fd < 0)
		return sys_fd;
	fd = openat(sys_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	for (unsigned i = 0; i < 4 && r == 0 && header == UINT32_MAX; i++)
		r = read_config(&fd, i * sizeof(header), &header);
	return r == 0 && header == UINT32_MAX ? -ENXIO : r;
}

struct module_dirs {
	char paths[MODULE_DIRS_MAX][PATH_MAX];
	const char *list[MODULE_DIRS_MAX];
};

static void find_modules(struct module_dirs *dirs, const char *sysroot,
			 const char *release)
{
	static const char *const places[MODULE_DIRS_MAX] = {MODULES_DIR,
							    PRIVATE_MODULES_DIR};

	for (size_t i = 0; i < MODULE_DIRS_MAX; i++) {
		snprintf(dirs->paths[i], sizeof(dirs->paths[i]), "%s%s/%s", sysroot,
			 places[i], release);
		dirs->list[i] = dirs->paths[i];
	}
}

/* Loads a module of the running kernel. */
static int load_module(const struct job *job, struct job_result *ret)
{
	struct module_dirs dirs;
	struct utsname uts;

	if (uname(&uts) < 0)
		return -errno;
	find_modules(&dirs, "", uts.release);
	return modload_load(dirs.list, job->value, job->ids, ret);
}

static int find_variant(const struct job_context *context, const struct job *job,
			struct job_result *ret)
{
	struct module_dirs dirs;

	find_modules(&dirs, context->sysroot, job->path);
	return aliases_find_variant(dirs.list, job->value, ret);
}

/*
 * The file goes at once, the mount keeps what it names. Read-only, since udevadm trigger
 * writes to "uevent", and takes EROFS for an answer.
 */
static int cover(const char *path, const char *text)
{
	cleanup_with(close_fd) int fd = -1;
	char target[sizeof(SYS_DIR) + JOB_PATH_SIZE];
	int r = 0;

	snprintf(target, sizeof(target), SYS_DIR "/%s", path);
	if (text[0] == '\0')
		return umount2(target, MNT_DETACH) < 0 ? -errno : 0;
	(void)mkdir(RUN_DIR, 0755);
	/* What a run left that was ended half-way, or somebody put there. */
	if (unlink(COVER_FILE) < 0)
		(void)unlinkat(AT_FDCWD, COVER_FILE, AT_REMOVEDIR);
	fd = open(COVER_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		r = -EIO;
	else if (mount(COVER_FILE, target, NULL, MS_BIND, NULL) < 0 ||
		 mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		r = -errno;
	unlink(COVER_FILE);
	return r;
}

void job_execute(const struct job_context *context, const struct job *job,
		 struct job_result *ret)
{
	static const struct timespec pause = {.tv_nsec = JOB_PAUSE_TIME * 1000L};
	const char *path = job->path + context->skip;

	switch (job->kind) {
	case JOB_PAUSE:
		nanosleep(&pause, NULL);
		return;
	case JOB_STORE:
	case JOB_FENCE:
		ret->error =
			store(context->sys_fd, path, job->value,
			      job->kind == JOB_FENCE ? job->ids + context->skip : NULL);
		return;
	case JOB_MODULE_IDS:
		ret->error = modload_read_options(context->sysroot, ret);
		return;
	case JOB_LOAD_MODULE:
		ret->error = load_module(job, ret);
		return;
	case JOB_READ_SERIAL:
		ret->error = read_serial(context->sys_fd, path, &ret->serial);
		return;
	case JOB_COVER:
		ret->error = cover(job->path, job->value);
		return;
	case JOB_ASK_DEVICE:
		ret->error = ask_device(context->sys_fd, path);
		return;
	case JOB_FIND_VARIANT:
		ret->error = find_variant(context, job, ret);
		return;
	case JOB_GROUP_STATUS:
		ret->error = group_status(job->value);
		return;
	}
	ret->error = -EINVAL;
}
