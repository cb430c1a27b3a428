/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine for tests: the door of binder/world.h with the model of fake_bus.h behind it.
 * A read, link, list, write or load that the model does not know aborts the test. Any access
 * can be made to fail.
 */
#pragma once

#include "fake_bus.h"
#include "world.h"

#define FAKE_MODULES_MAX 12
#define FAKE_LOG_SIZE	 (64 * 1024)
#define FAKE_REPORT_SIZE (512 * 1024)
#define FAKE_TRACE_SIZE	 (16 * 1024)
#define FAKE_FILES_MAX	 48
#define FAKE_PATH_SIZE	 128

struct fake_module {
	const char *name;
	enum {
		MODULE_IS_MISSING,
		MODULE_IS_FILE,
		MODULE_IS_LIVE,
		MODULE_IS_BUILTIN,
	} state;
	int error; /* of its load */
	const char *file; /* that the kernel refused, with what is to be seen of it */
	const char *built_for;
	bool is_damaged;
	uint64_t time; /* FAKE_FOREVER: its load hangs */
	struct fake_driver *driver; /* that it registers */
};

/* A file below /etc or /run. */
struct fake_file {
	enum world_root root;
	char path[FAKE_PATH_SIZE];
	char *bytes;
	size_t n;
};

#define FAKE_ACCESSES_MAX 4096
#define FAKE_JUMP	  (5 * (uint64_t)FAKE_SECOND)

/* How an access fails, or what else happens at that moment. */
enum fake_fault {
	FAULT_NONE,
	FAULT_ERROR, /* -EIO of reads and of publishing; a job cannot be started */
	FAULT_GONE, /* -ENOENT of reads */
	FAULT_INTERRUPTED, /* -EINTR */
	FAULT_SHORT, /* half of what there is to read */
	FAULT_GARBAGE, /* bytes that mean nothing */
	FAULT_RESULT, /* the job's write fails with -EIO, undone */
	FAULT_LOST, /* the worker dies after the deed */
	FAULT_HANG, /* the job does not come back, undone */
	FAULT_HANG_DONE, /* the job does not come back, after the deed */
	FAULT_VANISH, /* the device goes */
	FAULT_REPLACE, /* it goes, and another one is in its place */
	FAULT_GRAB, /* its own driver wants it */
	FAULT_JUMP, /* 5 s go by */
	FAULT_COUNT,
};

const char *fake_fault_name(enum fake_fault fault);

struct fake_world {
	struct world world;
	struct fake_bus bus;
	struct fake_module modules[FAKE_MODULES_MAX];

	const char *cmdline; /* /proc/cmdline; NULL: cannot be read */
	const char *modprobe_ids; /* options vfio-pci ids= of modprobe.d; NULL for none */
	int modprobe_error;
	const char *aliases; /* lines of modules.alias; NULL for none */
	int aliases_error; /* of looking for a variant in it */
	uint64_t modprobe_time; /* to read modprobe.d */
	bool is_denylist_off;
	bool is_without_iommu; /* neither class/iommu nor groups */
	const char *iommu; /* its unit; NULL: dmar0 */
	bool is_unsafe; /* modprobe.d has allow_unsafe_interrupts=1 */
	bool is_without_bus; /* no PCI bus in /sys */
	bool is_pid1; /* nothing is there for devices that come later */
	bool has_group_files; /* /dev/vfio/GROUP can be asked */
	int publish_error;
	size_t memory; /* of a run, in bytes; 0: plenty */
	int lock_error; /* of every lock; -EAGAIN: another binder has it, until: */
	uint64_t lock_until;
	void (*lock_end)(struct fake_world *w); /* what it does before it ends */

	struct fake_file files[FAKE_FILES_MAX];
	size_t file_count;

	uint32_t
		list_seed; /* folders are listed in an order by lot; 0: the last ones first */

	unsigned fault_at; /* the access that fails, from 1; 0 for none */
	enum fake_fault fault;
	unsigned second_at; /* and another one */
	enum fake_fault second;

	/* What was seen. */
	unsigned accesses;
	unsigned fault_count; /* of faults that came about */
	bool may_want_any_module; /* also one that the model does not have: it is missing */
	unsigned targets; /* links read whole */
	unsigned slot_lists, slot_reads; /* of the folder of slots, and its files */
	unsigned publishes; /* of reports */
	struct fake_task *job; /* under way */
	struct job current;
	struct jobs list; /* that it is one of */
	size_t list_used, ended; /* of the list */
	int errors[JOBS_MAX]; /* of those that have ended */
	uint64_t since; /* when the job began */
	bool is_stopped;
	int job_error; /* of waiting for it */
	struct fake_parked {
		struct fake_task *job;
		struct job current;
		int job_error;
	} parked[JOBS_PARKED_MAX];
	bool was_live; /* the module to load */
	uint64_t serial; /* of the job's device */

	/* Last: not cleared for the next machine, but for their first byte. */
	char trace[FAKE_TRACE_SIZE]; /* one line per job and per pause */
	char log[FAKE_LOG_SIZE];
	char report[FAKE_REPORT_SIZE];
	/* Of each access, bits of enum fake_fault. */
	uint16_t possible[FAKE_ACCESSES_MAX];
};

/* A machine of kernel 6.1 with an IOMMU, the vfio modules as files, and no device. */
struct fake_world *fake_new(void);
void fake_free(struct fake_world *w);

/* Replaces a file. */
void fake_put_file(struct fake_world *w, enum world_root root, const char *path,
		   struct text bytes);
/* NULL if there is none. */
const struct fake_file *fake_find_file(const struct fake_world *w, enum world_root root,
				       const char *path);

/* The numbers below @count in the order in which a folder is listed. */
void fake_shuffle(struct fake_world *w, size_t *order, size_t count);

/* As the operations read and list of struct world. */
int fake_read_file(struct fake_world *w, enum world_root root, const char *path,
		   char *buf, size_t size);
int fake_list_files(struct fake_world *w, enum world_root root, const char *path,
		    int (*each)(void *arg, const char *name), void *arg);

/* The files and links of a firmware's framebuffer: whole texts. */
#define FAKE_TEXT_SIZE 1024
void fake_resource(const struct fake_device *d, char text[static FAKE_TEXT_SIZE]);
void fake_iomem(const struct fake_world *w, char text[static FAKE_TEXT_SIZE]);
bool fake_is_platform(const char *path);
int fake_platform_target(struct fake_world *w, const char *path,
			 char text[static FAKE_TEXT_SIZE]);
/* What the unbind of the platform device says, after how long. */
int fake_platform_unbind(struct fake_world *w, const char *path, const char *value,
			 uint64_t *ret_time);

/* What is to be seen of a module's file that the kernel refused. */
void fake_show_module(const struct fake_module *m, struct job_result *ret);

struct fake_module *fake_find_module(struct fake_world *w, const char *name);

/* A module in the image with a driver of the PCI bus: neither is loaded. */
struct fake_module *fake_add_module(struct fake_world *w, const char *name,
				    const char *driver, bool is_vfio);

/*
 * Reads a machine of tests/fixtures/MACHINE/machine.tsv; its first lines describe the format.
 * @is_running: all drivers have their devices; otherwise only those that are built in.
 */
void fake_load_machine(struct fake_world *w, const char *machine, bool is_running);

/* The driver has the device already, as when an earlier script loaded it; that driver. */
struct fake_driver *fake_give(struct fake_world *w, const char *address,
			      const char *driver);

/* What VFIO_GROUP_GET_STATUS says: drivers that leave the group's memory alone. */
bool fake_is_viable(const struct fake_world *w, const char *group);
