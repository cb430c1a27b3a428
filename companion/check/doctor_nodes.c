/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What programs open: /dev/vfio, and what the kernel allows with it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "machine_check.h"
#include "files.h"
#include "paths.h"

static bool is_there(struct doctor *d, const char *path, struct stat *ret)
{
	const char *file = path_below(d->arena, d->sysroot, path);

	return file && stat(file, ret) == 0;
}

/* vfio takes type1, or iommufd in its place. */
static void check_backend(struct doctor *d)
{
	struct stat st;

	if (doctor_list(d, WORLD_SYS, "module/vfio_iommu_type1", NULL) >= 0 ||
	    is_there(d, IOMMUFD_PATH, &st))
		return;
	/* Built in without parameters it would leave no trace there; but it has one. */
	doctor_say(
		d, FINDING_FAIL,
		"vfio_iommu_type1 is not loaded, and there is no iommufd: no program can "
		"use the devices (\"no supported IOMMU extensions\"): run modprobe "
		"vfio_iommu_type1");
}

static void check_node(struct doctor *d, const struct target *t)
{
	const char *path = doctor_print(d, VFIO_PATH "/%d", t->device->iommu_group);
	struct stat st;

	for (const struct target *o = d->targets; o < t; o++)
		if (device_is_on_vfio(o->device) &&
		    o->device->iommu_group == t->device->iommu_group)
			return;
	if (!is_there(d, path, &st))
		doctor_say(
			d, FINDING_FAIL,
			"%s is not there though %s is bound: is /dev a devtmpfs, and the "
			"container, if this is one, given it?",
			path, t->name);
	else if ((st.st_mode & 0077) == 0)
		doctor_say(
			d, FINDING_NOTE,
			"%s is for %s alone; libvirt sees to that itself, other programs "
			"that do not run as root need a udev rule: SUBSYSTEM==\"vfio\", "
			"GROUP=\"kvm\", MODE=\"0660\"",
			path, st.st_uid == 0 ? "root" : "its owner");
	else
		doctor_say(d, FINDING_PASS, "%s is there", path);
}

static void check_mode(struct doctor *d)
{
	struct text t;

	if (doctor_read(d, WORLD_SYS, "module/vfio/parameters/enable_unsafe_noiommu_mode",
			&t) == 0 &&
	    (text_is(t, "Y") || text_is(t, "1")))
		doctor_say(
			d, FINDING_NOTE,
			"vfio's no-IOMMU mode is on: whoever opens /dev/vfio/noiommu-* "
			"can write to all of the memory");
	if (doctor_read(d, WORLD_SYS, "kernel/security/lockdown", &t) == 0 &&
	    !memmem(t.p, t.n, "[none]", 6))
		doctor_say(
			d, FINDING_NOTE,
			"the kernel is locked down (%.*s): it loads signed modules only, "
			"and no program maps a device through sysfs; vfio itself works",
			(int)MIN(t.n, 80u), t.p);
}

void doctor_nodes(struct doctor *d)
{
	bool has_bound = false;
	struct stat st;

	check_mode(d);
	for (size_t i = 0; i < d->target_count; i++)
		has_bound |= device_is_on_vfio(d->targets[i].device);
	if (!has_bound)
		return;
	check_backend(d);
	if (!is_there(d, VFIO_PATH "/vfio", &st))
		doctor_say(d, FINDING_FAIL,
			   VFIO_PATH
			   "/vfio is not there: run modprobe vfio, and see that "
			   "/dev is a devtmpfs");
	for (size_t i = 0; i < d->target_count; i++)
		if (device_is_on_vfio(d->targets[i].device) &&
		    d->targets[i].device->iommu_group != NO_GROUP)
			check_node(d, &d->targets[i]);
}
