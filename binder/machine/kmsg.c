/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

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
	 * (kernel/printk/printk.c: devkmsg_write()).
	 */
	fd = open(KMSG_PATH, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || write(fd, record, (size_t)n) < 0)
		r = write_error_output(record + 3, (size_t)n - 3);
	if (fd >= 0)
		close(fd);
	return r;
}
