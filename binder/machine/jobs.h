/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the worker process of the real machine does: see enum job_kind. */
#pragma once

#include "compiler.h"
#include "world.h"

struct job_context {
	const char *sysroot; /* "" for the machine itself */
	int sys_fd; /* /sys or a folder in it, or -errno */
	size_t skip; /* how much of a path leads to that folder */
};

/* Does one job; may block inside the kernel for as long as a driver likes. */
void job_execute(const struct job_context *context, const struct job *job,
		 struct job_result *ret) nonnull(1, 2, 3);
