/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void serve(struct worker *worker, int fd)
{
	struct job_result result;
	struct job job;

	/* A worker in the kernel's hands must not outlive its use by much. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		ssize_t n;

		do {
			n = recv(fd, &job, sizeof(job), 0);
		} while (n < 0 && errno == EINTR);
		if (n != (ssize_t)sizeof(job))
			_exit(0);
		memset(&result, 0, offsetof(struct job_result, text));
		worker->execute(worker->arg, &job, &result);
		n = (ssize_t)(offsetof(struct job_result, text) + result.length);
		if (send(fd, &result, (size_t)n, MSG_NOSIGNAL) != n)
			_exit(1);
	}
}

static int start(struct worker *worker)
{
	int pair[2];
	pid_t pid;

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

int worker_submit(struct worker *worker, const struct job *job)
{
	int r;

	if (worker->pid == 0) {
		r = start(worker);
		if (r < 0)
			return r;
	}
	if (send(worker->fd, job, sizeof(*job), MSG_NOSIGNAL) != (ssize_t)sizeof(*job)) {
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

void worker_abandon(struct worker *worker)
{
	if (worker->pid == 0)
		return;
	kill(worker->pid, SIGKILL);
	close(worker->fd);
	/* Never waited for: it may be stuck until the machine is switched off. */
	(void)waitpid(worker->pid, NULL, WNOHANG);
	worker->pid = 0;
	worker->fd = -1;
}

void worker_move(struct worker *from, struct worker *to)
{
	*to = *from;
	from->pid = 0;
	from->fd = -1;
}

void worker_stop(struct worker *worker)
{
	if (worker->pid == 0)
		return;
	close(worker->fd);
	(void)waitpid(worker->pid, NULL, WNOHANG);
	worker->pid = 0;
	worker->fd = -1;
}
