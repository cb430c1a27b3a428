/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The installed kernels: whether they have vfio, and whether their images have the rules. */
#include <errno.h>
#include <libkmod.h>
#include <string.h>
#include <sys/mman.h>

#include "image_check.h"
#include "machine_check.h"
#include "files.h"
#include "message.h"
#include "modload.h"
#include "paths.h"

#define IMAGE_ARENA_SIZE ((size_t)512 * 1024 * 1024) /* address space, not memory */

static bool is_wanted(const struct doctor *d, const struct installed_image *k)
{
	return !d->kernel || strcmp(d->kernel, k->kernel) == 0;
}

/* Where modules of vfio are a package of their own. */
static const char *remedy_for(struct doctor *d, const char *release)
{
	struct text os;

	if (doctor_read(d, WORLD_ETC, OS_RELEASE, &os) == 0) {
		if (memmem(os.p, os.n, "ID=ubuntu", 9))
			return doctor_print(d, "install linux-modules-extra-%s", release);
		if (memmem(os.p, os.n, "ID=fedora", 9) ||
		    memmem(os.p, os.n, "ID=\"rhel\"", 9) ||
		    memmem(os.p, os.n, "ID=\"centos\"", 11))
			return doctor_print(d, "install kernel-modules-%s", release);
	}
	return "install its package of further modules (linux-modules-extra, "
	       "kernel-modules), or boot another kernel";
}

/* A module of a kernel: 1 as a file, 2 built in, 0 none. */
static int find_module(struct kmod_ctx *ctx, const char *name)
{
	struct kmod_module *mod = NULL;
	int found = 0;

	if (kmod_module_new_from_name(ctx, name, &mod) < 0)
		return 0;
	if (kmod_module_get_path(mod))
		found = 1;
	else if (kmod_module_get_initstate(mod) == KMOD_MODULE_BUILTIN)
		found = 2;
	kmod_module_unref(mod);
	return found;
}

static void check_vfio(struct doctor *d, const struct installed_image *k)
{
	const char *dir = doctor_print(d, "%s" MODULES_PATH "/%s",
				       d->sysroot ? d->sysroot : "", k->kernel);
	struct kmod_ctx *ctx = modload_context_bare(dir);
	int pci, type1;

	if (!ctx || kmod_load_resources(ctx) < 0) {
		doctor_say(d, FINDING_UNKNOWN,
			   "kernel %s: its modules cannot be read: run depmod %s",
			   k->kernel, k->kernel);
		if (ctx)
			kmod_unref(ctx);
		return;
	}
	pci = find_module(ctx, "vfio_pci");
	type1 = find_module(ctx, "vfio_iommu_type1");
	kmod_unref(ctx);
	if (pci == 0)
		doctor_say(d, FINDING_FAIL, "kernel %s has no vfio-pci: %s", k->kernel,
			   remedy_for(d, k->kernel));
	else if (type1 == 0)
		doctor_say(d, FINDING_NOTE,
			   "kernel %s has no vfio_iommu_type1: programs must use iommufd",
			   k->kernel);
	else
		doctor_say(d, FINDING_PASS, "kernel %s has vfio-pci%s", k->kernel,
			   pci == 2 ? ", built in: options in modprobe.d do nothing there"
				    : "");
}

/* A kernel may have several images: they follow one another. */
static bool is_first(const struct doctor *d, size_t i)
{
	return i == 0 || strcmp(d->installed.items[i].kernel,
				d->installed.items[i - 1].kernel) != 0;
}

void doctor_vfio(struct doctor *d)
{
	size_t count = 0;

	for (size_t i = 0; i < d->installed.count; i++) {
		const struct installed_image *k = &d->installed.items[i];

		if (!is_first(d, i) || !is_wanted(d, k))
			continue;
		check_vfio(d, k);
		count++;
	}
	if (count == 0 && d->kernel)
		doctor_say(d, FINDING_FAIL, "kernel %s is not installed", d->kernel);
	else if (count == 0)
		doctor_say(d, FINDING_UNKNOWN, "no kernel is installed here");
}

/* ---- images ------------------------------------------------------------------------------ */

static void report_image(struct doctor *d, const struct installed_image *k,
			 const struct check *c)
{
	const struct findings *f = &c->findings;

	for (size_t i = 0; i < f->count; i++) {
		const struct finding *item = &f->items[i];

		if (item->kind != FINDING_FAIL && item->kind != FINDING_UNKNOWN)
			continue;
		doctor_say(d, item->kind, "%s: %s: %s", k->path, item->name,
			   item->message);
		d->image_failures += item->kind == FINDING_FAIL;
	}
	if (f->counts[FINDING_FAIL] + f->counts[FINDING_UNKNOWN] == 0)
		doctor_say(d, FINDING_PASS, "%s has the rules, and runs them before udev",
			   k->path);
}

/* Each image in memory of its own, which is given back. */
static void check_image_of(struct doctor *d, const struct installed_image *k)
{
	static struct check c;
	struct arena arena = {.size = IMAGE_ARENA_SIZE};
	const char *message;

	arena.base = mmap(NULL, arena.size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (arena.base == MAP_FAILED) {
		doctor_say(d, FINDING_UNKNOWN, "%s: out of memory", k->path);
		return;
	}
	c = (struct check){.file = k->file,
			   .kernel = k->kernel,
			   .arena = &arena,
			   .world = d->world,
			   .sources = &d->sources,
			   .findings = {.arena = &arena}};
	if (!c.file)
		doctor_say(d, FINDING_UNKNOWN, "%s: out of memory", k->path);
	else if (check_run(&c, &message) == 0)
		report_image(d, k, &c);
	else
		doctor_say(d, FINDING_UNKNOWN, "%s: %s", k->path, message);
	check_close(&c);
	munmap(arena.base, arena.size);
}

void doctor_images(struct doctor *d)
{
	if (!d->has_rule && d->sources.count == 0)
		return;
	for (size_t i = 0; i < d->installed.count; i++) {
		const struct installed_image *k = &d->installed.items[i];

		if (!is_wanted(d, k))
			continue;
		if (k->path)
			check_image_of(d, k);
		else
			doctor_say(d, FINDING_UNKNOWN,
				   "kernel %s: its image was not found in " BOOT_PATH
				   " or on the EFI partition: name it with --image",
				   k->kernel);
	}
}

/* ---- the kernel that runs ---------------------------------------------------------------- */

void doctor_kernel(struct doctor *d)
{
	const struct installed *all = &d->installed;
	const char *newest = all->count > 0 ? all->items[0].kernel : NULL;
	bool is_installed = false;

	if (!d->running || !newest)
		return;
	for (size_t i = 0; i < all->count; i++)
		is_installed |= strcmp(all->items[i].kernel, d->running) == 0;
	if (!is_installed)
		doctor_say(
			d, FINDING_FAIL,
			"%s runs and is no longer installed: drivers that are not loaded "
			"yet cannot be; reboot",
			d->running);
	else if (strcmp(newest, d->running) != 0)
		doctor_say(
			d, FINDING_NOTE,
			"%s runs, and %s is installed, which most boot loaders prefer: "
			"after a reboot things may differ",
			d->running, newest);
	else
		doctor_say(d, FINDING_PASS, "%s runs, the newest that is installed",
			   d->running);
}
