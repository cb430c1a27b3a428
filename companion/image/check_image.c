/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an image is: its segments, who made it, for which kernels. */
#include <stdlib.h>
#include <string.h>

#include "image_check.h"
#include "message.h"
#include "paths.h"

static bool has_suffix(const char *path, const char *suffix)
{
	size_t n = strlen(path), k = strlen(suffix);

	return n >= k && strcmp(path + n - k, suffix) == 0;
}

bool check_wants(const char *path)
{
	static const char *const suffixes[] = {
		IMAGE_BINDER,
		"/systemd/system/earlybind.service",
		"/modules.dep.bin",
		"/modules.alias.bin",
		"/modules.builtin",
		"/modules.builtin.bin",
		"/modules.builtin.alias.bin",
	};

	if (strcmp(path, IMAGE_MKINITCPIO_CONFIG) == 0 ||
	    strncmp(path, IMAGE_INIT_TOP "/", sizeof(IMAGE_INIT_TOP)) == 0 ||
	    strstr(path, "service.d/"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (has_suffix(path, suffixes[i]))
			return true;
	return false;
}

const char *generator_name(enum generator generator)
{
	switch (generator) {
	case GENERATOR_INITRAMFS_TOOLS:
		return "initramfs-tools";
	case GENERATOR_DRACUT:
		return "dracut";
	case GENERATOR_MKINITCPIO:
		return "mkinitcpio";
	case GENERATOR_BOOSTER:
		return "booster";
	case GENERATOR_UNKNOWN:
		break;
	}
	return "unknown";
}

static bool has(const struct check *c, const char *path)
{
	return tree_find(&c->image.tree, path) != NULL;
}

static enum generator recognise(const struct check *c)
{
	if (has(c, "conf/initramfs.conf") && has(c, "scripts"))
		return GENERATOR_INITRAMFS_TOOLS;
	if (has(c, "usr/lib/dracut") || has(c, "lib/dracut") || has(c, "var/lib/dracut"))
		return GENERATOR_DRACUT;
	if (has(c, IMAGE_MKINITCPIO_CONFIG) &&
	    (has(c, "buildconfig") || has(c, "init_functions") || has(c, "hooks")))
		return GENERATOR_MKINITCPIO;
	if (has(c, "etc/booster.init.yaml"))
		return GENERATOR_BOOSTER;
	return GENERATOR_UNKNOWN;
}

/* /init is a link to systemd, or the program itself. */
static bool is_init_systemd(const struct check *c)
{
	const struct tree_node *init = tree_find(&c->image.tree, "init");

	return tree_is_file(init) && text_is(init->name, "systemd");
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has_kernel(const struct check *c, const char *release)
{
	for (size_t i = 0; i < c->kernel_count; i++)
		if (strcmp(c->kernels[i], release) == 0)
			return true;
	return false;
}

static void find_kernels(struct check *c)
{
	/* The last one counts only through a link lib; here it shows what the image is for. */
	static const char *const places[] = {IMAGE_MODULES_PLACES, "usr/lib/modules"};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const struct tree_node *n = tree_find(&c->image.tree, places[i]);

		for (n = n ? n->children : NULL; n; n = n->next)
			if (tree_is_folder(n) && !has_kernel(c, n->name.p) &&
			    c->kernel_count < CHECK_KERNELS_MAX)
				c->kernels[c->kernel_count++] = n->name.p;
	}
	qsort(c->kernels, c->kernel_count, sizeof(*c->kernels), compare_names);
}

static const char *rebuild_command(struct check *c)
{
	const char *kernel = c->kernel		    ? c->kernel
			     : c->kernel_count == 1 ? c->kernels[0]
						    : NULL;

	switch (c->generator) {
	case GENERATOR_INITRAMFS_TOOLS:
		return check_print(c, "update-initramfs -u -k %s",
				   kernel ? kernel : "all");
	case GENERATOR_DRACUT:
		return kernel ? check_print(c, "dracut --force --kver %s", kernel)
			      : "dracut --regenerate-all --force";
	case GENERATOR_MKINITCPIO:
		return "mkinitcpio -P";
	case GENERATOR_BOOSTER:
	case GENERATOR_UNKNOWN:
		break;
	}
	return "the program that made it";
}

void check_image(struct check *check)
{
	struct check *c = check;
	const struct image *image = &c->image;

	c->generator = recognise(c);
	c->has_systemd = is_init_systemd(c);
	find_kernels(c);
	c->rebuild = rebuild_command(c);
	if (image->message)
		check_say(
			c, FINDING_FAIL, "image",
			"at offset %llu: %s; what follows is about what stands in front of it",
			(unsigned long long)image->error_offset, image->message);
	else
		check_say(c, FINDING_PASS, "image", "the kernel can unpack all of it");
	if (image->tree.lost_count > 0)
		check_say(c, FINDING_NOTE, "image",
			  "%zu file%s the kernel cannot unpack: the folder is missing",
			  image->tree.lost_count, plural(image->tree.lost_count));
	if (has(c, "kernel/x86/microcode"))
		check_say(c, FINDING_NOTE, "image",
			  "microcode of the processor stands in front");
	if (!has(c, "init"))
		check_say(
			c, FINDING_NOTE, "image",
			"there is no /init: it is a part of an image, or the kernel mounts "
			"the root file system by itself");
}
