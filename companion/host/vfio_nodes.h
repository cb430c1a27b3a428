/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device nodes by which programs use vfio: of a group, or of the device and iommufd. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "arena.h"
#include "bdf.h"
#include "compiler.h"
#include "world.h"

/*
 * "/dev/vfio/devices/vfio0", which kernels since 6.6 have beside the group's node or in its place
 * (drivers/vfio/vfio_main.c: vfio_init_device()); NULL if sysfs shows none.
 */
const char *vfio_device_node(struct world *world, struct arena *arena, struct bdf bdf)
	nonnull(1, 2);

/* Whether @path is there below @sysroot, which may be NULL. */
bool vfio_has_node(const char *sysroot, struct arena *arena, const char *path,
		   struct stat *ret) nonnull(2, 3, 4);

/* Whether there is iommufd and no container: a kernel without CONFIG_VFIO_GROUP. */
bool vfio_is_iommufd_alone(const char *sysroot, struct arena *arena) nonnull(2);
