/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "arena.h"
#include "files.h"
#include "paths.h"

#define POLL_MS	      50 /* how late its end is noticed if something else holds the pipe */
#define PATH_SIZE     256 /* PROGRAM_FOLDERS */
#define VARIABLES_MAX 64
#define CHUNK	      4096
#define SECOND_IN_US  1000000

extern char **environ;

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP};

/* What the handler needs: one program runs at a time. */
static volatile sig_atomic_t signalled;

static void handle(int signal)
{
	signalled = signal;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND_IN_US + (uint64_t)t.tv_nsec / 1000;
}

/* Where the program is looked for, and what it gets: PROGRAM_FOLDERS. */
static int set_path(void)
{
	static const char *const folders[] = {PROGRAM_FOLDERS};
	char path[PATH_SIZE];
	struct text_buffer b = {.buf = path, .size = sizeof(path)};

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		text_add(&b, "%s%s", i > 0 ? ":" : "", folders[i]);
	return setenv("PATH", path, 1) < 0 ? -ENOMEM : 0;
}

/* Whether a variable ("NAME=VALUE") tells how to speak and who asks, not what to run. PATH is ours. */
static bool is_passed_on(const char *variable)
{
	static const char *const names[] = {
		"PATH",
		"TERM",
		"LANG",
		"LANGUAGE",
		"LC_*",
		"HOME",
		"USER",
		"LOGNAME",
		"TZ",
		"COLUMNS",
		"LINES",
		"DPKG_*",
		"DEBIAN_FRONTEND",
		"SOURCE_DATE_EPOCH",
	};
	size_t n = strcspn(variable, "=");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t length = strlen(names[i]);

		if (names[i][length - 1] == '*'
			    ? n >= length && memcmp(variable, names[i], length - 1) == 0
			    : n == length && memcmp(variable, names[i], n) == 0)
			return true;
	}
	return false;
}

/*
 * What root starts is not led by the caller's variables: LD_PRELOAD, BASH_ENV and the like
 * would run other code, and dracut takes its settings from them.
 */
static void clean_environment(char *ret[static VARIABLES_MAX + 1])
{
	size_t n = 0;

	for (char **v = environ; v && *v && n < VARIABLES_MAX; v++)
		if (is_passed_on(*v))
			ret[n++] = *v;
	ret[n] = NULL;
}

static int spawn(const struct process *p, int out, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char *environment[VARIABLES_MAX + 1];
	sigset_t none, all;
	int r;

	clean_environment(environment);
	r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	r = posix_spawnattr_init(&attributes);
	if (r != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return -r;
	}
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK |
						      POSIX_SPAWN_SETSIGDEF |
						      POSIX_SPAWN_SETPGROUP);
	r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, NULL_PATH, O_RDONLY,
					     0);
	if (r == 0 && out >= 0)
		r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (r == 0 && out >= 0)
		r = posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	if (r == 0)
		r = posix_spawnp(ret, p->argv[0], &actions, &attributes,
				 (char *const *)p->argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static void write_all(int fd, const char *buf, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, buf, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return; /* a full disk does not stop a generator */
		buf += done;
		n -= (size_t)done;
	}
}

/* Takes what is there. False at the end. */
static bool drain(const struct process *p, int fd)
{
	char buf[CHUNK];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0)
		return false;
	write_all(p->log_fd, buf, (size_t)n);
	if (p->is_live) {
		fwrite(buf, 1, (size_t)n, stdout);
		fflush(stdout);
	}
	return true;
}

/*
 * Until the program has ended. The pipe alone does not tell: something that it left behind
 * may hold it open for ever.
 */
static int watch(struct process *p, pid_t pid, int *fd)
{
	uint64_t start = now(), next = start + SECOND_IN_US;
	int status = 0;
	pid_t done = 0;

	while (done == 0) {
		struct pollfd poll_fd = {.fd = *fd, .events = POLLIN};

		if (signalled != 0) {
			p->signal = signalled;
			signalled = 0;
			(void)kill(-pid, p->signal);
		}
		if (poll(&poll_fd, 1, POLL_MS) > 0 && poll_fd.revents != 0 &&
		    !drain(p, *fd)) {
			close_fd(fd);
			*fd = -1;
		}
		do {
			done = waitpid(pid, &status, WNOHANG);
		} while (done < 0 && errno == EINTR);
		if (p->tick && done == 0 && now() >= next) {
			next += SECOND_IN_US;
			p->tick(p->arg, now() - start);
		}
	}
	/* What it wrote last, without waiting for more. */
	while (*fd >= 0) {
		struct pollfd poll_fd = {.fd = *fd, .events = POLLIN};

		if (poll(&poll_fd, 1, 0) <= 0 || !drain(p, *fd))
			break;
	}
	p->microseconds = now() - start;
	if (done < 0)
		return -ECHILD;
	p->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return 0;
}

int process_run(struct process *process)
{
	struct sigaction old[ARRAY_SIZE(passed_on)], action = {.sa_handler = handle};
	cleanup_with(close_fd) int out = -1;
	int pipe_fds[2] = {-1, -1};
	pid_t pid = -1;
	int r;

	process->signal = process->code = 0;
	process->microseconds = 0;
	if (set_path() < 0)
		return -ENOMEM;
	if (process->log_fd >= 0 && pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	out = pipe_fds[0];
	fflush(stdout);
	/* Where the caller ignores it, the kernel forgets how a child ended: wait(2). */
	(void)signal(SIGCHLD, SIG_DFL);
	signalled = 0;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++) {
		sigaction(passed_on[i], NULL, &old[i]);
		/* nohup: what is ignored stays ignored. */
		if (old[i].sa_handler != SIG_IGN)
			sigaction(passed_on[i], &action, NULL);
	}
	r = spawn(process, pipe_fds[1], &pid);
	close_fd(&pipe_fds[1]);
	if (r == 0)
		r = watch(process, pid, &out);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
		sigaction(passed_on[i], &old[i], NULL);
	return r;
}

int process_lock(const char *path, unsigned seconds, char who[static PROCESS_WHO_SIZE],
		 int *ret)
{
	char pid[16] = "";
	int fd;

	if (mkdir(APPLY_FOLDER, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (lock_take(fd, seconds) < 0) {
		if (pread(fd, pid, sizeof(pid) - 1, 0) < 0)
			pid[0] = '\0';
		snprintf(who, PROCESS_WHO_SIZE, "%s%s", pid[0] ? ", process " : "", pid);
		close_fd(&fd);
		return -EBUSY;
	}
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	/* That it is held is what counts. */
	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, pid, strlen(pid), 0);
	*ret = fd;
	return 0;
}
