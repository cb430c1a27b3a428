/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The jobs of the fake machine; only for fake_world.c. */
#pragma once

#include "fake_world.h"

int fake_submit(struct world *world, const struct job *job);
int fake_await(struct world *world, uint64_t until, struct job_result *ret);
void fake_abandon(struct world *world);

/* Every access takes a little time and may be the one that fails. */
enum fake_fault fake_access(struct fake_world *w);
/* Splits "bus/pci/devices/ADDRESS/ATTRIBUTE"; NULL if the device is not there. */
struct fake_device *fake_device_of(struct fake_world *w, const char *path,
				   const char **ret_attribute);
