/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of the fake world that are no device's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_jobs.h"

/*
 * What dracut adds to the command line, what earlybind published itself, and what is known of
 * the IOMMU, and what is in use.
 */
static const struct {
	enum world_root root;
	const char *path;
} known_files[] = {
	{WORLD_ETC, "cmdline"},
	{WORLD_ETC, "cmdline.d"},
	{WORLD_RUN, "initramfs/cmdline.d"},
	{WORLD_RUN, "earlybind"},
	{WORLD_PROC, "cpuinfo"},
	{WORLD_PROC, "interrupts"},
	{WORLD_PROC, "sys/kernel/osrelease"},
	{WORLD_SYS, "class/iommu"},
	{WORLD_SYS, "class/dmi/id"},
	{WORLD_SYS, "firmware/devicetree/base/model"},
	{WORLD_SYS, "hypervisor"},
	{WORLD_SYS, "firmware/acpi/tables"},
	{WORLD_SYS, "kernel/iommu_groups"},
	{WORLD_SYS, "module/vfio_iommu_type1"},
	{WORLD_DEV, ".earlybind"},
	{WORLD_PROC, "self/mountinfo"},
	{WORLD_PROC, "swaps"},
	/* A link is a file with the target in it. */
	{WORLD_SYS, "class/net"},
	{WORLD_SYS, "class/block"},
};

static bool is_known(enum world_root root, const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_files); i++) {
		size_t n = strlen(known_files[i].path);

		if (known_files[i].root == root &&
		    strncmp(known_files[i].path, path, n) == 0 &&
		    (path[n] == '\0' || path[n] == '/'))
			return true;
	}
	return false;
}

const struct fake_file *fake_find_file(const struct fake_world *w, enum world_root root,
				       const char *path)
{
	for (size_t i = 0; i < w->file_count; i++)
		if (w->files[i].root == root && strcmp(w->files[i].path, path) == 0)
			return &w->files[i];
	return NULL;
}

void fake_put_file(struct fake_world *w, enum world_root root, const char *path,
		   struct text bytes)
{
	struct fake_file *file = (struct fake_file *)fake_find_file(w, root, path);

	if (!file && w->file_count == FAKE_FILES_MAX)
		fake_abort("more than %d files", FAKE_FILES_MAX);
	if (!file)
		file = &w->files[w->file_count++];
	free(file->bytes);
	file->root = root;
	snprintf(file->path, sizeof(file->path), "%s", path);
	file->bytes = malloc(bytes.n + 1);
	if (!file->bytes)
		fake_abort("out of memory");
	memcpy(file->bytes, bytes.p, bytes.n);
	file->bytes[bytes.n] = '\0';
	file->n = bytes.n;
}

int fake_read_file(struct fake_world *w, enum world_root root, const char *path,
		   char *buf, size_t size)
{
	const struct fake_file *file = fake_find_file(w, root, path);

	if (!is_known(root, path))
		fake_abort("unknown file: %s", path);
	if (!file)
		return -ENOENT;
	memcpy(buf, file->bytes, MIN(file->n, size));
	return file->n < size ? (int)file->n : -E2BIG;
}

void fake_shuffle(struct fake_world *w, size_t *order, size_t count)
{
	uint32_t *seed = &w->list_seed;

	for (size_t i = 0; i < count; i++)
		order[i] = count - 1 - i;
	for (size_t i = count; *seed != 0 && i > 1; i--) {
		size_t other, kept = order[i - 1];

		*seed ^= *seed << 13;
		*seed ^= *seed >> 17;
		*seed ^= *seed << 5;
		other = *seed % i;
		order[i - 1] = order[other];
		order[other] = kept;
	}
}

int fake_list_files(struct fake_world *w, enum world_root root, const char *path,
		    int (*each)(void *arg, const char *name), void *arg)
{
	size_t order[FAKE_FILES_MAX], n = strlen(path);
	int r = -ENOENT;

	if (!is_known(root, path))
		fake_abort("unknown folder: %s", path);
	fake_shuffle(w, order, w->file_count);
	for (size_t i = 0; i < w->file_count && r <= 0; i++) {
		const struct fake_file *file = &w->files[order[i]];

		if (file->root == root && strncmp(file->path, path, n) == 0 &&
		    file->path[n] == '/' && !strchr(file->path + n + 1, '/'))
			r = each(arg, file->path + n + 1);
	}
	return r;
}

/* bus.c: bus_add_driver(): what is in its folder comes when it has probed its devices. */
int fake_list_driver(const struct fake_driver *driver,
		     int (*each)(void *arg, const char *name), void *arg)
{
	int r = 0;

	if (!driver || driver->state == DRIVER_ABSENT)
		return -ENOENT;
	if (driver->state == DRIVER_REGISTERED)
		r = each(arg, "uevent");
	if (driver->state == DRIVER_REGISTERED && r == 0)
		r = each(arg, "new_id");
	if (driver->state == DRIVER_REGISTERED && r == 0 && !driver->has_no_bind_files)
		r = each(arg, "bind");
	return r;
}

int fake_publish(struct world *world, enum publish_place place, const char *name,
		 struct text bytes)
{
	static const char *const places[] = {
		[PUBLISH_OWN] = "earlybind",
		[PUBLISH_DEVICE] = "earlybind/devices",
		[PUBLISH_UDEV] = "udev/rules.d",
	};
	struct fake_world *w = (struct fake_world *)world;
	char path[FAKE_PATH_SIZE];

	if (fake_access(w, 1u << FAULT_ERROR, NULL) != FAULT_NONE)
		return -EIO;
	if (w->publish_error)
		return w->publish_error;
	snprintf(path, sizeof(path), "%s/%s", places[place], name);
	fake_put_file(w, WORLD_RUN, path, bytes);
	if (!strstr(name, ".json"))
		return 0;
	if (bytes.n >= sizeof(w->report))
		fake_abort("a report of %zu bytes", bytes.n);
	memcpy(w->report, bytes.p, bytes.n);
	w->report[bytes.n] = '\0';
	w->publishes++;
	return 0;
}

int fake_lock(struct world *world, enum publish_place place unused,
	      const char *name unused)
{
	struct fake_world *w = (struct fake_world *)world;

	if (fake_access(w, 1u << FAULT_ERROR, NULL) != FAULT_NONE)
		return -EIO;
	if (w->lock_error == -EAGAIN && w->bus.now >= w->lock_until) {
		w->lock_error = 0;
		if (w->lock_end)
			w->lock_end(w);
	}
	return w->lock_error;
}
