/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A behavioural model of the kernel's PCI bus, with a clock of its own. What it does and
 * which errors it gives is taken from drivers/base/{bus,dd}.c, drivers/pci/pci-driver.c and
 * drivers/vfio/pci of 5.10, 6.1 and 7.1. See fake_world.h for the door to it.
 *
 * What goes on inside the kernel is a task: a write that waits for a device's lock, a probe
 * that takes its time, a module that registers its driver with one device after the other.
 * Tasks go on while the clock is advanced, whether somebody waits for them or not.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bdf.h"
#include "compiler.h"
#include "selector.h"

#define FAKE_DEVICES_MAX  256
#define FAKE_DRIVERS_MAX  32
#define FAKE_IDS_MAX	  64
#define FAKE_TASKS_MAX	  512
#define FAKE_EVENTS_MAX	  8
#define FAKE_SLOTS_MAX	  16
#define FAKE_NAME_SIZE	  64
#define FAKE_FOREVER	  UINT64_MAX
#define FAKE_CONFIG_WORDS 960
#define FAKE_SECOND	  1000000u
#define FAKE_NO_GROUP	  (-1)
#define FAKE_VALUE_SIZE	  128 /* of what is written */

enum fake_kernel {
	FAKE_6_1, /* bind says what the probe said; stores of the override lock */
	FAKE_5_10, /* bind says ENODEV for every failure; stores of the override lock */
	FAKE_7_1, /* stores of the override do not lock */
};

struct fake_driver {
	char name[FAKE_NAME_SIZE];
	char module[FAKE_NAME_SIZE]; /* "" for a part of the kernel */
	struct pci_match ids[FAKE_IDS_MAX];
	size_t id_count;
	bool is_vfio; /* refuses what vfio-pci refuses */
	bool has_no_bind_files; /* suppress_bind_attrs */
	enum {
		DRIVER_ABSENT,
		DRIVER_REGISTERING, /* its folder is there, bind and unbind are not */
		DRIVER_REGISTERED,
	} state;
	uint64_t probe_time, remove_time; /* FAKE_FOREVER: hangs */
	int probe_error; /* -errno of every probe */
	uint64_t link_time; /* from its link to the second match */
	bool is_async; /* its probes run beside its registration */
	struct pci_match
		new_ids[FAKE_IDS_MAX]; /* of its module's ids=, for a second round */
	size_t new_id_count;
};

struct fake_device {
	struct bdf bdf;
	struct pci_ids ids;
	int group;
	bool is_present;
	bool is_settling; /* is there, but may not be bound yet */
	bool has_bus_behind; /* header type 1 */
	uint8_t bus_behind; /* 0: no device of the model is there */
	const char *link; /* of /sys/bus/pci/devices; NULL: by the buses behind bridges */
	const char *physfn; /* the card of a virtual function; NULL: it is none */
	const char *power_state; /* NULL: a kernel without this attribute */
	const char *serial_number; /* the attribute; NULL: a kernel without it */
	const uint32_t *config; /* FAKE_CONFIG_WORDS from 0x100 on; NULL: not extended */
	unsigned config_size; /* in bytes from 0x100 on that can be read; 0: all */
	uint64_t config_time; /* of each look at it; FAKE_FOREVER: hangs */
	bool is_dead; /* its config space reads as ones */
	bool is_boot_vga;
	unsigned vf_count;
	int vfio_error; /* what vfio-pci's probe says: -EINVAL for its denylist... */
	unsigned deferrals; /* so many of vfio-pci's probes are put off */
	bool is_iommu_late; /* its group comes with the first probe (virtio-iommu) */
	struct fake_device *supplier; /* no probe before it has a driver (device links) */

	bool has_override;
	char override[FAKE_VALUE_SIZE];
	struct fake_driver *driver; /* dev->driver */
	bool has_link; /* the driver link: gone before remove() runs */
	bool is_bound; /* the probe is over */
	bool had_vfio; /* was bound to vfio-pci from the start */
	bool was_native; /* a driver other than vfio-pci had it, or tried to */
	bool is_deferred; /* on the list of those whose probe is repeated */
	struct fake_task *lock;
	unsigned writes; /* that named it */
	unsigned covers; /* files that another one is mounted over */
	unsigned config_reads; /* jobs that looked into its config space */
};

enum fake_op {
	OP_OVERRIDE,
	OP_BIND,
	OP_UNBIND,
	OP_DRIVERS_PROBE,
	OP_REGISTER, /* the driver, as its module's init does */
	OP_ATTACH, /* one driver, one device: an asynchronous probe */
	OP_FENCE, /* a word that power/control does not know: it is refused behind the lock */
	OP_SLEEP, /* anything else that takes time */
};

struct fake_task {
	enum fake_op op;
	struct fake_device *device;
	struct fake_driver *driver; /* of bind and unbind, or registered */
	struct fake_driver *probing;
	char value[FAKE_VALUE_SIZE];
	enum {
		STEP_START,
		STEP_WAITING, /* for the lock */
		STEP_LOCKED,
		STEP_LINKED, /* the link is there, the second match is not made yet */
		STEP_PROBING,
		STEP_REMOVING,
		STEP_SLEEPING,
		STEP_SYNCING, /* a module is loaded: it waits for all asynchronous probes */
		STEP_DONE,
	} step;
	uint64_t wake;
	size_t next; /* device to try (register), driver to try (drivers_probe) */
	int error; /* of a probe, then of the task */
	bool is_load; /* of a module */
	bool is_second_round; /* a registered driver has got the ids= of its module */
	bool is_awaited; /* the program waits for it */
	bool is_abandoned; /* it does so no more */
};

struct fake_bus;

struct fake_event {
	uint64_t time;
	void (*f)(struct fake_bus *bus, void *arg);
	void *arg;
};

/* What the firmware left on a screen, with a driver of the platform bus. */
struct fake_framebuffer {
	const char *driver; /* "vesa-framebuffer"; NULL: there is none */
	const char *region; /* in /proc/iomem; NULL: it could not be reserved */
	struct fake_device *on; /* the PCI device whose memory it is in */
	bool is_child; /* the platform device is below the PCI device: since 6.9 */
	bool is_bound;
	bool keeps_region; /* the region is the platform device's own */
	int error; /* of an unbind, which then does nothing */
	uint64_t remove_time; /* FAKE_FOREVER: hangs */
};

/* A physical slot that a driver or the firmware registered: drivers/pci/slot.c */
struct fake_slot {
	const char *name;
	const char *address; /* "0000:01:00", or "0000:01" of a whole bus */
};

struct fake_bus {
	struct fake_framebuffer framebuffer;
	struct fake_slot slots[FAKE_SLOTS_MAX];
	size_t slot_count;
	size_t slot_repeats; /* so often the first one is listed once more */
	enum fake_kernel kernel;
	bool has_noiommu;
	uint64_t now;
	struct fake_device devices[FAKE_DEVICES_MAX];
	size_t device_count;
	struct fake_driver drivers[FAKE_DRIVERS_MAX];
	size_t driver_count;
	struct fake_task tasks[FAKE_TASKS_MAX];
	size_t task_count;
	struct fake_event events[FAKE_EVENTS_MAX]; /* what others do meanwhile */
	size_t event_count;
};

/* A message and abort(): the program did what no model covers. */
extern const char *fake_label; /* which case it is, for the message; NULL for none */
void fake_abort(const char *format, ...) printf_like(1, 2) __attribute__((noreturn));

struct fake_device *fake_add_device(struct fake_bus *bus, const char *address,
				    struct pci_ids ids, int group);
void fake_add_slot(struct fake_bus *bus, const char *name, const char *address);
/* A driver that is not there yet; @module "" for one that is built in. */
struct fake_driver *fake_add_driver(struct fake_bus *bus, const char *name,
				    const char *module);
void fake_add_id(struct fake_driver *driver, uint16_t vendor, uint16_t device);
/* A write into its file remove_id: 0, or the kernel's error. */
int fake_remove_id(struct fake_driver *driver, const char *value);
/* The first device with such an ID: whose sake it was done for. */
struct fake_device *fake_find_holder(struct fake_bus *bus, const char *value);

struct fake_device *fake_find_device(struct fake_bus *bus, const char *address);
struct fake_driver *fake_find_driver(struct fake_bus *bus, const char *name);
/* The name of the device's driver by its link, "" for none. */
const char *fake_driver_of(const struct fake_device *device);

/* The target of its link in /sys/bus/pci/devices. */
void fake_put_place(const struct fake_bus *bus, const struct fake_device *device,
		    char *buf, size_t size);

/* Binds without taking time, as in the life before the test. */
void fake_bind_now(struct fake_device *device, struct fake_driver *driver);
/* The device is pulled, and with a card its virtual functions. */
void fake_vanish(struct fake_bus *bus, struct fake_device *device);
/* Another device sits in its place all at once: nothing is left of the old one. */
struct fake_device *fake_replace(struct fake_bus *bus, struct fake_device *device,
				 struct pci_ids ids);
/* The driver of the device's own, by its IDs; NULL if there is none. */
struct fake_driver *fake_native_driver(struct fake_bus *bus,
				       const struct fake_device *device);
/* It takes the device, if it is free: its module is loaded, or it is told to. */
void fake_grab(struct fake_bus *bus, struct fake_device *device);
/*
 * The device is plugged in: it is there at once, and after @delay drivers may have it, of
 * which the first one that matches is tried.
 */
void fake_plug(struct fake_bus *bus, struct fake_device *device, uint64_t delay);
/* Something happens at a time. */
void fake_at(struct fake_bus *bus, uint64_t time, void (*f)(struct fake_bus *, void *),
	     void *arg);

struct fake_task *fake_start(struct fake_bus *bus, enum fake_op op,
			     struct fake_device *device, struct fake_driver *driver);
/* Lets time go by until @until, or until @task is done if it is not NULL. */
void fake_run(struct fake_bus *bus, uint64_t until, const struct fake_task *task);
/* Does one step of a task. False if it cannot go on at this time. Only for fake_tasks.c. */
bool fake_step(struct fake_bus *bus, struct fake_task *task);
/* Whether a task is under way for the device. */
bool fake_is_busy(const struct fake_bus *bus, const struct fake_device *device);
