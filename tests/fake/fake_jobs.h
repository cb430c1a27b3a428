/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the fake machine; only for fake_world.c. */
#pragma once

#include "fake_world.h"

/* Adds to the trace. */
void fake_trace(struct fake_world *w, const char *format, ...) printf_like(2, 3);

bool fake_has_module_options(struct world *world);
int fake_submit(struct world *world, const struct jobs *jobs);
size_t fake_ended(struct world *world, int errors[static JOBS_MAX], uint64_t *ret_since);
size_t fake_stop(struct world *world);
int fake_await(struct world *world, uint64_t until, struct job_result *ret);
void fake_abandon(struct world *world);

/* In fake_files.c. */
int fake_publish(struct world *world, enum publish_place place, const char *name,
		 struct text bytes);
int fake_lock(struct world *world, enum publish_place place, const char *name);
/* bus.c: bus_add_driver(): what is in a driver's folder. */
int fake_list_driver(const struct fake_driver *driver,
		     int (*each)(void *arg, const char *name), void *arg);
/* In fake_list.c. */
int fake_list(struct world *world, enum world_root root, const char *path,
	      int (*each)(void *arg, const char *name), void *arg);
/* A file below bus/pci/slots. */
int fake_read_slot(struct fake_world *w, const char *path, char *buf, size_t size);
/* In fake_park.c. */
int fake_park(struct world *world);
void fake_resume(struct world *world, int number);

/* How an access can fail: bits of enum fake_fault. What anybody can do meanwhile is added. */
#define FAULTS_OF_READS \
	(1u << FAULT_ERROR | 1u << FAULT_GONE | 1u << FAULT_INTERRUPTED | \
	 1u << FAULT_SHORT | 1u << FAULT_GARBAGE)
#define FAULTS_OF_JOBS \
	(1u << FAULT_ERROR | 1u << FAULT_INTERRUPTED | 1u << FAULT_RESULT | \
	 1u << FAULT_LOST | 1u << FAULT_HANG | 1u << FAULT_HANG_DONE)

/*
 * Every access takes a little time and may be one that fails: how, out of @faults. @device:
 * what it is about, NULL for none.
 */
enum fake_fault fake_access(struct fake_world *w, unsigned faults,
			    struct fake_device *device);
/* -errno of a read that fails so, 0 for other faults. */
int fake_fault_error(enum fake_fault fault);

/* Gives a file's text as the operation read does. */
int fake_put(char *buf, size_t size, const char *format, ...) printf_like(3, 4);

/* Splits "bus/pci/devices/ADDRESS/ATTRIBUTE"; NULL if the device is not there. */
struct fake_device *fake_device_of(struct fake_world *w, const char *path,
				   const char **ret_attribute);

/* What is in a module's folder of drivers: the links "BUS:DRIVER". */
int fake_list_module(struct fake_world *w, const char *name,
		     int (*each)(void *arg, const char *name), void *arg);
/* A job whose outcome is known, after some time. */
void fake_answer(struct fake_world *w, uint64_t time, int error);
void fake_start_load(struct fake_world *w, const char *name);
/* What the job says to the modalias in it. */
void fake_find_variant(struct fake_world *w, struct job_result *ret);
