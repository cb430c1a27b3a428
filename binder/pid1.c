/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "arena.h"
#include "reason.h"
#include "world.h"

#define POLL	   (2 * MILLISECOND)
#define SHELL_POLL (50 * MILLISECOND)
#define LINE_SIZE  256

/* In this order: with /dev there is a kernel log to speak to. */
static const struct place {
	const char *type, *path;
	unsigned long flags;
	long magic; /* 0: it has none of its own */
} places[] = {
	{"devtmpfs", "/dev", MS_NOSUID, 0},
	{"proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, PROC_SUPER_MAGIC},
	{"sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, SYSFS_MAGIC},
};

static void say(const struct pid1_ops *ops, enum log_level level, const char *format, ...)
	printf_like(3, 4);
static void say(const struct pid1_ops *ops, enum log_level level, const char *format, ...)
{
	char line[LINE_SIZE];
	struct text_buffer b = {.buf = line, .size = sizeof(line)};
	va_list ap;

	va_start(ap, format);
	text_vadd(&b, format, ap);
	va_end(ap);
	(void)ops->log(level, text_shown(&b));
}

/*
 * Whether there is a new mount to be undone. The kernel refuses to mount a file system where
 * it is mounted already with EBUSY (fs/namespace.c: do_add_mount()), but since 5.8 each mount
 * of proc is one of its own.
 */
static bool mount_place(const struct pid1_ops *ops, const struct place *place)
{
	int r;

	if (place->magic && ops->is_type(place->path, place->magic))
		return false;
	(void)ops->make_folder(place->path);
	r = ops->mount(place->type, place->path, place->flags);
	if (r < 0 && r != -EBUSY)
		say(ops, LOG_LEVEL_WARNING, "PID 1: %s cannot be mounted on %s: %s",
		    place->type, place->path, errno_text(r));
	return r == 0;
}

/* A worker that is stuck, or just ending, has files open there: detached, it lets them be. */
static void unmount_place(const struct pid1_ops *ops, const struct place *place)
{
	int r = ops->unmount(place->path, 0);

	if (r < 0)
		r = ops->unmount(place->path, MNT_DETACH);
	if (r < 0)
		say(ops, LOG_LEVEL_WARNING, "PID 1: %s cannot be unmounted: %s",
		    place->path, errno_text(r));
}

/* Polls, so that neither a signal nor another child of PID 1 comes into it. */
static int wait_until(const struct pid1_ops *ops, pid_t pid, uint64_t until,
		      int *ret_status)
{
	int r;

	while ((r = ops->wait(pid, ret_status)) == -EAGAIN && ops->now() < until)
		(void)ops->pause(POLL);
	return r;
}

/* The only wait without a limit: for a person. */
static void run_shell(const struct pid1_ops *ops)
{
	int status = 0;
	pid_t pid = ops->fork();

	if (pid == 0) {
		say(ops, LOG_LEVEL_ERROR,
		    "PID 1: no shell, the boot goes on: /bin/sh on /dev/console: %s",
		    errno_text(ops->open_shell()));
		ops->leave(0);
	}
	if (pid < 0)
		say(ops, LOG_LEVEL_ERROR, "PID 1: no shell, the boot goes on: %s",
		    errno_text((int)pid));
	while (pid > 0 && ops->wait(pid, &status) == -EAGAIN)
		(void)ops->pause(SHELL_POLL);
}

static void bind_in_child(const struct pid1_ops *ops, int (*bind)(void), int shell_code)
{
	int status = 0, r;
	pid_t pid;

	pid = ops->fork();
	if (pid == 0)
		ops->leave(bind());
	if (pid < 0) {
		say(ops, LOG_LEVEL_ERROR, "PID 1: nothing is bound: no process: %s",
		    errno_text((int)pid));
		return;
	}
	r = wait_until(ops, pid, ops->now() + PID1_LIMIT, &status);
	if (r == -EAGAIN) {
		say(ops, LOG_LEVEL_ERROR,
		    "PID 1: binding did not end within %u s and is given up: devices may "
		    "be without a driver",
		    (unsigned)(PID1_LIMIT / SECOND));
		(void)ops->kill(pid);
		(void)wait_until(ops, pid, ops->now() + PID1_GRACE, &status);
	} else if (r == 0 && WIFSIGNALED(status)) {
		say(ops, LOG_LEVEL_ERROR,
		    "PID 1: binding was ended by signal %d: devices may be without a driver",
		    WTERMSIG(status));
	} else if (r == 0 && WEXITSTATUS(status) == shell_code) {
		run_shell(ops);
	}
}

/* After the mounts are gone: with a kernel log for as long as it takes. */
static void say_failure(const struct pid1_ops *ops, const char *path, int error)
{
	bool is_ours = mount_place(ops, &places[0]);

	say(ops, LOG_LEVEL_ERROR, "PID 1: %s cannot be executed: %s", path,
	    errno_text(error));
	if (is_ours)
		unmount_place(ops, &places[0]);
}

void pid1_run(const struct pid1_ops *ops, char **argv, int (*bind)(void), int shell_code)
{
	/* /init, and what the kernel tries behind it (init/main.c: kernel_init()). */
	static char programs[][16] = {"/init", "/sbin/init", "/etc/init", "/bin/init",
				      "/bin/sh"};
	static char *no_arguments[2];
	bool is_ours[ARRAY_SIZE(places)];

	(void)ops->hold_descriptors();
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		is_ours[i] = mount_place(ops, &places[i]);
	bind_in_child(ops, bind, shell_code);
	for (size_t i = ARRAY_SIZE(places); i-- > 0;)
		if (is_ours[i])
			unmount_place(ops, &places[i]);
	if (!argv[0])
		argv = no_arguments;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		argv[0] = programs[i];
		say_failure(ops, programs[i], ops->execute(programs[i], argv));
	}
}

static int error_of(int r)
{
	return r < 0 ? -errno : 0;
}

/* Without them a file of /sys could become the error output. Nothing is read or written. */
static int real_hold_descriptors(void)
{
	struct pollfd three[] = {
		{.fd = STDIN_FILENO}, {.fd = STDOUT_FILENO}, {.fd = STDERR_FILENO}};
	bool is_missing = poll(three, ARRAY_SIZE(three), 0) < 0;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(three); i++)
		is_missing |= three[i].revents & POLLNVAL;
	if (!is_missing)
		return 0;
	do {
		fd = open("/", O_PATH | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int real_make_folder(const char *path)
{
	return error_of(mkdir(path, 0755));
}

static bool real_is_type(const char *path, long magic)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (long)fs.f_type == magic;
}

static int real_mount(const char *type, const char *path, unsigned long flags)
{
	return error_of(mount(type, path, type, flags, NULL));
}

static int real_unmount(const char *path, int flags)
{
	return error_of(umount2(path, flags));
}

static pid_t real_fork(void)
{
	pid_t pid = fork();

	return pid < 0 ? -errno : pid;
}

static int real_wait(pid_t pid, int *ret_status)
{
	pid_t r = waitpid(pid, ret_status, WNOHANG);

	return r == 0 ? -EAGAIN : error_of(r);
}

static int real_kill(pid_t pid)
{
	return error_of(kill(pid, SIGKILL));
}

static uint64_t real_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec / 1000;
}

static int real_pause(uint64_t microseconds)
{
	const struct timespec ts = {(time_t)(microseconds / SECOND),
				    (long)(microseconds % SECOND) * 1000};

	return error_of(nanosleep(&ts, NULL));
}

/* A session of its own with the console for its terminal: job control and Ctrl-C work. */
static int real_open_shell(void)
{
	static char name[] = "/bin/sh", interactive[] = "-i";
	static char prompt[] = "PS1=(earlybind) ", terminal[] = "TERM=linux",
		    home[] = "HOME=/", path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char *argv[] = {name, interactive, NULL};
	static char *env[] = {prompt, terminal, home, path, NULL};
	int fd;

	if (access(name, X_OK) < 0)
		return -errno;
	(void)setsid();
	fd = open("/dev/console", O_RDWR);
	if (fd < 0)
		return -errno;
	(void)ioctl(fd, TIOCSCTTY, 1);
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
		if (dup2(fd, i) < 0)
			return -errno;
	if (fd > STDERR_FILENO)
		close(fd);
	return error_of(execve(name, argv, env));
}

static int real_execute(const char *path, char **argv)
{
	return error_of(execv(path, argv));
}

const struct pid1_ops pid1_ops = {
	.hold_descriptors = real_hold_descriptors,
	.make_folder = real_make_folder,
	.is_type = real_is_type,
	.mount = real_mount,
	.unmount = real_unmount,
	.fork = real_fork,
	.leave = _exit,
	.wait = real_wait,
	.kill = real_kill,
	.now = real_now,
	.pause = real_pause,
	.open_shell = real_open_shell,
	.log = kmsg_write,
	.execute = real_execute,
};
