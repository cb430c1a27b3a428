/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only door to the machine. Everything that earlybind reads, writes, waits for or says
 * goes through one of these; tests put a model of the kernel behind it, and the companion
 * opens one below --sysroot.
 *
 * What can block inside the kernel is never done by this process: it is a job, done by a
 * worker process, and waited for with a limit.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "compiler.h"
#include "text.h"

struct arena;

/* Time is in microseconds everywhere. */
#define MILLISECOND UINT64_C(1000)
#define SECOND	    UINT64_C(1000000)

enum world_root {
	WORLD_SYS,
	WORLD_PROC,
	WORLD_ETC,
	WORLD_RUN,
	WORLD_DEV,
};

/* Earlybind's own directory below WORLD_RUN, and below WORLD_DEV for what comes before. */
#define WORLD_RUN_DIR "earlybind"
#define WORLD_DEV_DIR ".earlybind"

enum log_level { /* the kernel's numbers */
		 LOG_LEVEL_ERROR = 3,
		 LOG_LEVEL_WARNING = 4,
		 LOG_LEVEL_NOTICE = 5,
		 LOG_LEVEL_INFO = 6,
		 LOG_LEVEL_DEBUG = 7,
};

#define LINK_SIZE    1024 /* of a target in sysfs */
#define LOG_LINE_MAX 768 /* of world_log(), with its NUL; longer ones are cut */

#define JOB_PATH_SIZE  256
#define JOB_VALUE_SIZE 128
#define JOB_IDS_SIZE   1024
#define JOB_TEXT_SIZE  4096

#define JOBS_PARKED_MAX 8 /* that go on by themselves at a time */
#define JOBS_MAX	128 /* of a list */
#define JOBS_SIZE	((size_t)12 * 1024)
#define JOB_PAUSE_TIME	10 /* microseconds */

enum job_kind {
	JOB_STORE, /* writes value to path below /sys, in one write(2) */
	JOB_FENCE, /* the same, but -ENODEV where the link named by ids is not there */
	JOB_PAUSE, /* lets others run for JOB_PAUSE_TIME */
	JOB_MODULE_IDS, /* reads "options vfio-pci ids=" from modprobe.d into text */
	JOB_LOAD_MODULE, /* loads the module named by value, and what it depends on */
	JOB_READ_SERIAL, /* looks for a serial number in the config space at path */
	JOB_COVER, /* lays a file with the text value over path below /sys; "" lifts it */
	JOB_ASK_DEVICE, /* -ENXIO where the config space at path reads as ones: then the next
			 * job of its list is left out, with -ECANCELED */
	JOB_FIND_VARIANT, /* the best variant of vfio-pci for the modalias in value: the
			   * text; path is the kernel's release */
	JOB_GROUP_STATUS, /* asks vfio about the IOMMU group named by value: 0 if it is viable,
			   * -EBUSY if not */
};

struct job {
	enum job_kind kind;
	char path[JOB_PATH_SIZE];
	char value[JOB_VALUE_SIZE];
	char ids[JOB_IDS_SIZE]; /* JOB_LOAD_MODULE: its ids=, whatever else says so */
};

/* Jobs that one worker does one after another: jobs_add(). */
struct jobs {
	size_t count, used;
	char bytes
		[JOBS_SIZE]; /* of each its kind, then path, value and ids with their NULs */
};

enum module_state { /* what JOB_LOAD_MODULE found or did */
		    MODULE_UNKNOWN,
		    MODULE_LOADED, /* loaded by this job */
		    MODULE_LIVE, /* was loaded before */
		    MODULE_BUILTIN, /* part of the kernel */
};

struct job_result {
	int error; /* 0 or -errno */
	enum module_state state;
	bool is_found; /* JOB_MODULE_IDS: there was such an option */
	bool is_denylist_off; /* JOB_MODULE_IDS: disable_denylist was among the options */
	bool is_unsafe; /* JOB_MODULE_IDS: vfio_iommu_type1's allow_unsafe_interrupts was */
	bool is_damaged; /* JOB_LOAD_MODULE: the file in text is no whole module */
	char built_for[64]; /* JOB_LOAD_MODULE: it is for this other kernel, "" if not */
	uint64_t serial; /* JOB_READ_SERIAL */
	uint32_t length;
	char text[JOB_TEXT_SIZE]; /* JOB_LOAD_MODULE: the file that the kernel refused */
};

/* What a worker has done of its list: in memory that it shares with the process that waits. */
struct board {
	/* Jobs that have begun; with WORKER_STOP in it, no more do. */
	_Atomic uint32_t begun;
	_Atomic uint32_t ended;
	_Atomic uint64_t since; /* when the last of them began, by the clock of now() */
	int errors[JOBS_MAX]; /* of those that have ended */
};

struct worker {
	pid_t pid; /* 0: none */
	int fd;
	struct board *board;
	/* Does one job, in the worker process. */
	void (*execute)(void *arg, const struct job *job, struct job_result *ret);
	void *arg;
};

/* Where a file is published, below /run. */
enum publish_place {
	PUBLISH_OWN, /* earlybind */
	PUBLISH_DEVICE, /* earlybind/devices */
	PUBLISH_UDEV, /* udev/rules.d */
};

/* The same places for reading back. */
#define RUN_OWN	   WORLD_RUN_DIR "/"
#define RUN_DEVICE RUN_OWN "devices/"

struct world;

struct world_ops {
	/* Reads a whole small file: the bytes read, or -errno; -E2BIG if it does not fit. */
	int (*read)(struct world *world, enum world_root root, const char *path,
		    char *buf, size_t size);
	/* The last component of a link's target, NUL-terminated: its length, or -errno. */
	int (*link)(struct world *world, enum world_root root, const char *path,
		    char *buf, size_t size);
	/* The whole target of a link, NUL-terminated: its length, or -errno. */
	int (*target)(struct world *world, enum world_root root, const char *path,
		      char *buf, size_t size);
	/*
	 * Most of what is asked next, by jobs as well, is below this folder of /sys: it is
	 * looked up once, not for every file. One in the folder that was entered before is
	 * kept beside others in it, where there is room, until another folder or NULL is.
	 * When that is entered once more, what is kept in it may be of a device that is gone.
	 */
	void (*enter)(struct world *world, const char *folder);
	/* Calls @each for every name in a directory until it returns non-zero. */
	int (*list)(struct world *world, enum world_root root, const char *path,
		    int (*each)(void *arg, const char *name), void *arg);

	/*
	 * Whether JOB_MODULE_IDS may find anything. False only where no file of modprobe.d has
	 * options of vfio's modules; that is found out without a worker.
	 */
	bool (*has_module_options)(struct world *world);

	/* Starts jobs; one list at a time. 0, or -errno if it could not be started. */
	int (*submit)(struct world *world, const struct jobs *jobs);
	/*
	 * Waits for the whole list until @until: 0, with the result of the last job;
	 * -EINPROGRESS; or -errno if the worker is lost.
	 */
	int (*await)(struct world *world, uint64_t until, struct job_result *ret);
	/*
	 * How many jobs of the list have ended, and their errors; @ret_since: when the next one
	 * began.
	 */
	size_t (*ended)(struct world *world, int errors[static JOBS_MAX],
			uint64_t *ret_since);
	/*
	 * Ends the list with the job that is at hand, whose number this is: now that one is
	 * waited for, given up or parked.
	 */
	size_t (*stop)(struct world *world);
	/* Gives a job up that does not come back. */
	void (*abandon)(struct world *world);
	/*
	 * Leaves it to itself, so that others can be started: a number for resume(), or
	 * -ENOSPC if JOBS_PARKED_MAX are.
	 */
	int (*park)(struct world *world);
	/* Makes a parked job the one that is waited for, or given up. No other may be. */
	void (*resume)(struct world *world, int number);

	/* Replaces a file below /run, making its directory: 0 or -errno. */
	int (*publish)(struct world *world, enum publish_place place, const char *name,
		       struct text bytes);
	/*
	 * Takes a lock of that name there, until the process or the world ends; no other one
	 * is taken then. 0; -EAGAIN: another process has it; other errors: it cannot be had.
	 */
	int (*lock)(struct world *world, enum publish_place place, const char *name);
	void (*log)(struct world *world, enum log_level level, const char *line);
	uint64_t (*now)(struct world *world); /* monotonic, in microseconds */
	void (*pause)(struct world *world, uint64_t microseconds);
};

struct world {
	const struct world_ops *ops;
};

/* ---- worker ---- */

/*
 * The process that does the jobs which may block inside the kernel. It is started for the
 * first job and serves the next ones; one that does not come back is abandoned, since a
 * process in uninterruptible sleep cannot be killed, and the next job gets a new one.
 */

#define WORKER_STOP (UINT32_C(1) << 31)

int worker_submit(struct worker *worker, const struct jobs *jobs) must_check
	nonnull(1, 2);
int worker_await(struct worker *worker, uint64_t timeout_us,
		 struct job_result *ret) must_check nonnull(1, 3);
size_t worker_ended(const struct worker *worker, int errors[static JOBS_MAX],
		    uint64_t *ret_since) nonnull(1, 3);
size_t worker_stop_list(struct worker *worker) must_check nonnull(1);
void worker_abandon(struct worker *worker) nonnull(1);
/* Makes the process of @from, with what it does, that of @to, which must have none. */
void worker_move(struct worker *from, struct worker *to) nonnull(1, 2);
/* Lets an idle worker end. */
void worker_stop(struct worker *worker) nonnull(1);

/* ---- kmsg ---- */

/* The kernel's log, and the error output where there is none. */

/*
 * Writes one line, without its end, to the kernel's log; where that takes nothing, to the
 * error output, if that takes it at once: a pipe that nobody reads must not hold up a boot.
 * 0, or -errno if it went nowhere.
 */
int kmsg_write(enum log_level level, const char *line) nonnull(2);

/* ---- run dir ---- */

/* Folders below /run: made, written to, locked; no link of somebody else's is followed. */

/*
 * Opens the real machine, or the tree below @sysroot if it is not NULL. The returned world
 * is static; -errno if @sysroot cannot be opened. Parts that are missing (/sys not mounted)
 * show when they are used.
 */
int world_open(const char *sysroot, struct world **ret) must_check nonnull(2);
void world_close(struct world *world) nonnull(1);

/* How users know what is below a root. */
const char *world_root_path(enum world_root root);

/*
 * For people: lines go to the error output instead of the kernel's log, and what is
 * published to the standard output instead of /run.
 */
void world_set_trial(struct world *world) nonnull(1);

/*
 * Before /init, when /run is not mounted yet: unless it is, what is published goes below
 * /dev. devtmpfs is one file system for the whole boot (drivers/base/devtmpfs.c), which
 * keeps it over unmounting, mounting and the switch to the real root.
 */
void world_set_early(struct world *world) nonnull(1);

/* A short file as text without surrounding white space. 0 or -errno. */
int world_read_text(struct world *world, enum world_root root, const char *path,
		    char *buf, size_t size, struct text *ret) must_check
	nonnull(1, 3, 4, 6);

/* The beginning of a file, as much as fits into @buf; empty where it cannot be read. */
struct text world_read_start(struct world *world, enum world_root root, const char *path,
			     char *buf, size_t size) must_check nonnull(1, 3, 4);

/*
 * The same into memory of the arena, of which only what was read stays: to be used where a file
 * may be long and mostly is not, since arena_rewind() touches every page that it gives back. p is
 * NULL if there is no memory.
 */
struct text world_read_arena(struct world *world, enum world_root root, const char *path,
			     struct arena *arena, size_t size) nonnull(1, 3, 4);

/* Whether anything is in a directory: 1, 0, or -errno. */
int world_has_entry(struct world *world, enum world_root root,
		    const char *path) must_check nonnull(1, 3);

/* Adds a job to a list, which begins as zeros. False if it has no room for it. */
bool jobs_add(struct jobs *jobs, const struct job *job) must_check nonnull(1, 2);

/* The job at *@used, which then is that of the next one. */
void jobs_next(const struct jobs *jobs, size_t *used, struct job *ret) nonnull(1, 2, 3);

/* Starts a list of this job alone. 0, or -errno if it could not be started. */
int world_submit(struct world *world, const struct job *job) must_check nonnull(1, 2);

/* How a list is waited for, and what came of it. */
struct list_wait {
	uint64_t until;
	uint64_t patience[2]; /* for each job, those with even and with odd numbers */
	void (*tell)(void *arg,
		     size_t job); /* called now and then while it goes on, or NULL */
	void *arg;
	size_t ended; /* jobs, in the order of the list */
	int errors[JOBS_MAX]; /* of these */
};

/*
 * Submits a list and waits for it. 0: nothing of it is under way, and what has not ended was not
 * begun. -EINPROGRESS: job @wait->ended takes longer than it may; the list ends with it. Other
 * -errno: the worker was lost in it, or could not be started.
 */
int world_run_list(struct world *world, const struct jobs *jobs,
		   struct list_wait *wait) must_check nonnull(1, 2, 3);

/* Submits @job and waits for it until @until; -ETIMEDOUT if it was abandoned. */
int world_run(struct world *world, const struct job *job, uint64_t until,
	      struct job_result *ret) must_check nonnull(1, 2, 4);

void world_log(struct world *world, enum log_level level, const char *format, ...)
	nonnull(1, 3) printf_like(3, 4);
