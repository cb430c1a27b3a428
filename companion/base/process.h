/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other programs that the companion runs: their output goes to a file, signals are passed on,
 * and the caller hears of the time that passes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"

#define PROCESS_ARGUMENTS_MAX 16
#define PROCESS_WHO_SIZE      32

struct process {
	const char *argv[PROCESS_ARGUMENTS_MAX + 1]; /* argv[0]: in PROGRAM_FOLDERS */
	/* Gets standard output and errors, for both are one story; -1: they stay the caller's. */
	int log_fd;
	bool is_live; /* and what is written goes to the standard output, too */
	/* Called about once a second, with the time since the start; may be NULL. */
	void (*tick)(void *arg, uint64_t microseconds);
	void *arg;

	/* Set by process_run(). */
	uint64_t microseconds;
	int code; /* the exit code; 128 and the signal's number if a signal ended it */
	int signal; /* what was passed on to it: the user wants to stop; 0 for none */
};

/*
 * Runs the program to its end, in a process group of its own, with nothing on its standard
 * input. SIGINT, SIGTERM and SIGHUP are passed on to the whole group, and its end is waited
 * for: a generator cleans up behind itself. It gets a PATH of PROGRAM_FOLDERS, few of the
 * caller's variables, and all signals at their defaults. 0 if it ran, whatever its exit code
 * is; -errno if it could not be started: -ENOENT where there is no such program; -ECHILD if
 * how it ended is not known.
 */
int process_run(struct process *process) must_check nonnull(1);

/*
 * Takes the lock @path, below APPLY_FOLDER, for which it waits @seconds at most. What process_run()
 * starts inherits it: a program goes on where its earlybind is killed, and no other may write the same
 * files meanwhile. -EBUSY: @who is ", process 812", or "" if that is not known; -errno. *ret is for
 * lock_release().
 */
int process_lock(const char *path, unsigned seconds, char who[static PROCESS_WHO_SIZE],
		 int *ret) must_check nonnull(1, 3, 4);
