/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind apply: the configuration into the images of all kernels. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apply_images.h"
#include "commands.h"
#include "files.h"
#include "message.h"
#include "options.h"
#include "command_output.h"
#include "paths.h"
#include "process.h"

#define CONF_SIZE_MAX ((size_t)64 * 1024)

static bool is_wanted(const struct apply *a, const char *kernel)
{
	for (size_t i = 0; i < a->kernels.count; i++)
		if (strcmp(a->kernels.items[i], kernel) == 0)
			return true;
	return a->kernels.count == 0;
}

/* All images, each with its verdict. Says what is missing; the exit code. */
static int survey(struct apply *a)
{
	static struct findings findings;
	static struct installed found;
	unsigned made = 0, hooks;

	if (installed_find(a->sysroot, a->arena, &found) < 0) {
		say_error("%s" MODULES_PATH ": there are no kernels with modules here",
			  a->sysroot ? a->sysroot : "");
		return EXIT_NO_IMAGES;
	}
	if (found.is_cut)
		say_error("there are more than %d images: only the newest kernels count",
			  INSTALLED_MAX);
	a->installed = installed_generators(a->sysroot, a->arena);
	hooks = installed_hooks(a->sysroot, a->arena);
	for (size_t i = 0; i < found.count; i++) {
		struct apply_image *image = &a->images[a->count];

		if (!is_wanted(a, found.items[i].kernel))
			continue;
		*image = (struct apply_image){.image = found.items[i]};
		image->verdict = rebuild_judge(&image->image, a->world, &a->carrier,
					       a->arena, &findings);
		if (image->verdict.made_by != GENERATOR_UNKNOWN)
			made |= GENERATOR_BIT(image->verdict.made_by);
		a->count++;
	}
	for (size_t i = 0; i < a->count; i++) {
		struct apply_image *image = &a->images[i];

		image->generator = installed_choose(image->verdict.made_by, a->installed,
						    made, hooks);
		image->has_command =
			rebuild_command(image->generator, &image->image, image->argv);
	}
	return EXIT_OK;
}

/* Kernels that were named and are not there. */
static int check_names(const struct apply *a)
{
	for (size_t i = 0; i < a->kernels.count; i++) {
		bool is_there = false;

		for (size_t k = 0; k < a->count; k++)
			is_there = is_there || strcmp(a->images[k].image.kernel,
						      a->kernels.items[i]) == 0;
		if (!is_there) {
			say_error("kernel %s is not installed: see %s" MODULES_PATH,
				  a->kernels.items[i], a->sysroot ? a->sysroot : "");
			return EXIT_NO_IMAGES;
		}
	}
	return EXIT_OK;
}

/* Where there is nothing that could be made anew. */
static int say_no_images(struct apply *a)
{
	struct text mark;

	if (file_read_world(a->world, WORLD_RUN, OSTREE_MARK, a->arena, 1, &mark) == 0)
		say_error(
			"this system comes as an image (ostree), which has the "
			"initramfs in it: run rpm-ostree initramfs --enable --arg=--add "
			"--arg=earlybind, or put the rules on the kernel command line: "
			"earlybind-cmdline(7)");
	else if (world_has_entry(a->world, WORLD_ETC, "kernel/install.d") >= 0 &&
		 a->installed == 0)
		say_error("there is no image of an initramfs in /boot: where kernels are "
			  "unified images (UKI), run kernel-install add-all, then "
			  "earlybind check --image on what goes into them");
	else
		say_error(
			"there is no image of an initramfs in /boot, /efi or /boot/efi: "
			"make one with the program of your distribution, or see "
			"earlybind image");
	return EXIT_NO_IMAGES;
}

/* Images that need to be made and cannot be. Counts the others. */
static int check_generators(struct apply *a)
{
	struct text conf;
	size_t images = 0;

	for (size_t i = 0; i < a->count; i++) {
		struct apply_image *image = &a->images[i];

		images += image->image.path != NULL;
		if (image->verdict.state == REBUILD_ABSENT && a->kernels.count == 0)
			continue;
		image->is_due = a->is_forced || image->verdict.state != REBUILD_CURRENT;
		if (!image->is_due)
			continue;
		a->due_count++;
		if (image->has_command)
			continue;
		a->is_stuck = true;
	}
	if (images == 0 && a->due_count == 0)
		return say_no_images(a);
	if (file_read_world(a->world, WORLD_ETC, UPDATE_INITRAMFS_CONF, a->arena,
			    CONF_SIZE_MAX, &conf) == 0)
		a->obstacle = rebuild_obstacle(conf);
	return EXIT_OK;
}

static int apply(struct apply *a)
{
	int code;

	if (carrier_configure(&a->carrier, a->sysroot, &a->configs, a->arena) < 0 ||
	    carrier_load(&a->carrier, a->sysroot, NULL, a->arena) < 0 ||
	    open_world(a->sysroot, &a->world) < 0)
		return EXIT_FAILED;
	if (process_set_path() < 0) {
		say_error("PATH is too long");
		return EXIT_FAILED;
	}
	if (!a->is_dry_run && apply_lock() < 0)
		return EXIT_FAILED;
	code = survey(a);
	if (code == EXIT_OK)
		code = check_names(a);
	if (code == EXIT_OK)
		code = check_generators(a);
	return code == EXIT_OK ? apply_run(a) : code;
}

int command_apply(int argc, char **argv, struct arena *arena)
{
	static struct apply a;
	const struct option_spec options[] = {
		{"dry-run", NULL, "show what would be done, and why",
		 .ret_flag = &a.is_dry_run},
		{"force", NULL, "make the images anew, also those that are up to date",
		 .ret_flag = &a.is_forced},
		{"kernel", "VERSION", "only for this kernel; may be repeated",
		 .ret_strings = &a.kernels},
		{"verbose", NULL, "show what the generator says while it runs",
		 .ret_flag = &a.is_verbose},
		{"config", "FILE", "with --dry-run: as if FILE were the configuration",
		 .ret_strings = &a.configs},
		{"sysroot", "DIR", "with --dry-run: the machine below DIR",
		 .ret_string = &a.sysroot},
	};
	const struct command_spec spec = {
		.name = "apply",
		.synopsis = "[OPTION...]",
		.text = "Brings the configuration into the images of all installed kernels: "
			"validates it, finds the images that do not carry it, has them made "
			"anew by the program that made them (update-initramfs, dracut or "
			"mkinitcpio), and checks what came of it. Images that are up to date "
			"stay. Where something fails the old image stays.\n"
			"\n"
			"exit code: 0 all images are good; 1 something failed; 2 wrong usage; "
			"3 there is no image, or nothing to make it with\n",
		.example = "earlybind apply --dry-run",
		.options = options,
		.option_count = ARRAY_SIZE(options),
	};
	int code;

	a = (struct apply){.arena = arena};
	if (!options_parse(&spec, argc, argv, &code))
		return code;
	if (!a.is_dry_run && (a.sysroot || a.configs.count > 0)) {
		say_error(
			a.sysroot
				? "apply: --sysroot is for --dry-run: to make the images "
				  "of another system, run earlybind there, with chroot"
				: "apply: --config is for --dry-run: images are made of "
				  "/etc/earlybind.conf and /etc/earlybind.conf.d");
		return EXIT_WRONG_USAGE;
	}
	if (!a.is_dry_run && geteuid() != 0) {
		say_error("apply: only root can make images: run it with sudo; --dry-run "
			  "shows what would be done");
		return EXIT_FAILED;
	}
	return apply(&a);
}
