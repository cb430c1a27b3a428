/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vfio_nodes.h"

#include <stdio.h>
#include <string.h>

#include "files.h"
#include "inventory.h"
#include "paths.h"

struct first {
	struct arena *arena;
	const char *name;
};

static int take_first(void *arg, const char *name)
{
	struct first *f = arg;

	if (strncmp(name, "vfio", 4) != 0)
		return 0;
	f->name = arena_copy(f->arena, text_of(name));
	return 1;
}

const char *vfio_device_node(struct world *world, struct arena *arena, struct bdf bdf)
{
	char path[JOB_PATH_SIZE], address[BDF_SIZE];
	struct first first = {.arena = arena};

	snprintf(path, sizeof(path), SYSFS_PCI_DEVICES "/%s/vfio-dev",
		 bdf_format(bdf, address));
	(void)world->ops->list(world, WORLD_SYS, path, take_first, &first);
	return first.name ? arena_printf(arena, VFIO_PATH "/devices/%s", first.name)
			  : NULL;
}

bool vfio_has_node(const char *sysroot, struct arena *arena, const char *path,
		   struct stat *ret)
{
	const char *file = path_below(arena, sysroot, path);

	return file && stat(file, ret) == 0;
}

bool vfio_is_iommufd_alone(const char *sysroot, struct arena *arena)
{
	struct stat st;

	return vfio_has_node(sysroot, arena, IOMMUFD_PATH, &st) &&
	       !vfio_has_node(sysroot, arena, VFIO_PATH "/vfio", &st);
}
