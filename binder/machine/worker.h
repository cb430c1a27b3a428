/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that does the jobs which may block inside the kernel. It is started for the
 * first job and serves the next ones; one that does not come back is abandoned, since a
 * process in uninterruptible sleep cannot be killed, and the next job gets a new one.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "compiler.h"
#include "world.h"

struct worker {
	pid_t pid; /* 0: none */
	int fd;
	/* Does one job, in the worker process. */
	void (*execute)(void *arg, const struct job *job, struct job_result *ret);
	void *arg;
};

int worker_submit(struct worker *worker, const struct job *job) must_check nonnull(1, 2);
int worker_await(struct worker *worker, uint64_t timeout_us,
		 struct job_result *ret) must_check nonnull(1, 3);
void worker_abandon(struct worker *worker) nonnull(1);
/* Makes the process of @from, with what it does, that of @to, which must have none. */
void worker_move(struct worker *from, struct worker *to) nonnull(1, 2);
/* Lets an idle worker end. */
void worker_stop(struct worker *worker) nonnull(1);
