/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "modload.h"

#define VFIO_DIR    "/dev/vfio"
#define MODULES_DIR "/lib/modules"

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* A store into sysfs is one write(2): a short one is an error, a second one another store. */
static int store(int sys_fd, const char *path, const char *value)
{
	cleanup_with(close_fd) int fd = -1;
	ssize_t n;

	if (sys_fd < 0)
		return sys_fd;
	fd = openat(sys_fd, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, value, strlen(value));
	if (n < 0)
		return -errno;
	return n == (ssize_t)strlen(value) ? 0 : -EIO;
}

/* VFIO_GROUP_GET_STATUS: what the kernel itself says about the group (linux/vfio.h). */
static int group_status(const char *group, bool *ret_viable)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};
	cleanup_with(close_fd) int fd = -1;
	char path[sizeof(VFIO_DIR) + JOB_VALUE_SIZE];

	snprintf(path, sizeof(path), VFIO_DIR "/%s", group);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, VFIO_GROUP_GET_STATUS, &status) < 0)
		return -errno;
	*ret_viable = status.flags & VFIO_GROUP_FLAGS_VIABLE;
	return 0;
}

/* The directory of the modules of the running kernel, or of the one below sysroot. */
static int module_dir(const struct job_context *context, char *buf, size_t size)
{
	char file[128];
	struct text release;
	struct utsname uts;
	int r;

	if (context->sysroot[0] == '\0') {
		if (uname(&uts) < 0)
			return -errno;
		release = text_of(uts.release);
	} else {
		r = world_read_text(context->world, WORLD_PROC, "sys/kernel/osrelease",
				    file, sizeof(file), &release);
		if (r < 0)
			return r;
		/* A name of one component: nothing outside the tree. */
		if (release.n == 0 || release.p[0] == '.' ||
		    memchr(release.p, '/', release.n))
			return -EINVAL;
	}
	snprintf(buf, size, "%s" MODULES_DIR "/%.*s", context->sysroot, (int)release.n,
		 release.p);
	return 0;
}

void job_execute(const struct job_context *context, const struct job *job,
		 struct job_result *ret)
{
	char dir[PATH_MAX + 256] = "";
	int r;

	switch (job->kind) {
	case JOB_STORE:
		ret->error = store(context->sys_fd, job->path, job->value);
		return;
	case JOB_MODULE_IDS:
		ret->error = modload_read_options(context->sysroot, ret);
		return;
	case JOB_LOAD_MODULE:
		r = module_dir(context, dir, sizeof(dir));
		ret->error =
			r < 0 ? r : modload_load(dir, job->value, job->ids, &ret->state);
		return;
	case JOB_GROUP_STATUS:
		ret->error = group_status(job->value, &ret->is_viable);
		return;
	}
	ret->error = -EINVAL;
}
