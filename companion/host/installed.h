/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernels of a machine, the images of their initramfs, and who can make them. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "boot_entries.h"
#include "compiler.h"

/* What made the image. */
enum generator {
	GENERATOR_UNKNOWN,
	GENERATOR_INITRAMFS_TOOLS,
	GENERATOR_DRACUT,
	GENERATOR_MKINITCPIO,
	GENERATOR_BOOSTER,
	GENERATOR_OTHER, /* the image is whole, and of none of these */
};

#define INSTALLED_MAX	      256
#define INSTALLED_COMMAND_MAX 6

struct installed_image {
	const char *kernel;
	const char *path; /* as users know it; NULL: the kernel has none */
	const char *file; /* the same below the sysroot */
	const char *
		package; /* mkinitcpio's preset, by which its images are named, or NULL */
	const struct boot_entry *entry; /* that boots it, or NULL: none that was found */
	bool is_missing; /* the entry names it, and there is no such file */
	/* What makes this copy of another image, or this UKI; [0] is NULL: the generator. */
	const char *copy_command[INSTALLED_COMMAND_MAX];
};

struct installed {
	struct installed_image items[INSTALLED_MAX]; /* the newest kernel first */
	size_t count;
	bool is_cut; /* there are more than INSTALLED_MAX */
	struct boot_entries entries;
};

/* A set of generators: their bits. */
#define GENERATOR_BIT(generator) (1u << (generator))

/* ---- generator ---- */

/* Programs that make images of an initramfs. */

const char *generator_name(enum generator generator);

/* The version of the installed kernel that @entry boots; NULL if it is none of them. */
const char *installed_kernel_of(const struct installed *installed,
				const struct boot_entry *entry) nonnull(1, 2);

/*
 * Whether entries of boot loaders were found, all of them, and none boots @kernel, whose file
 * is in /boot below @sysroot.
 */
bool installed_is_unbooted(const struct installed *installed, const char *sysroot,
			   struct arena *arena, const char *kernel) nonnull(1, 3, 4);

/*
 * The images of all kernels that have modules below @sysroot (NULL for /): those that entries of boot
 * loaders name, those at the places of the generators; and the kernels without an image. Folders of modules that a removed kernel left behind do not count.
 * -ENOENT: there is no folder of modules; -ENOMEM.
 */
int installed_find(const char *sysroot, struct arena *arena,
		   struct installed *ret) must_check nonnull(2, 3);

/* Whether a program is in one of the folders of system programs below @sysroot. */
bool installed_has_program(const char *sysroot, struct arena *arena, const char *name)
	nonnull(2, 3);

/* Those whose programs are installed below @sysroot, in the folders of system programs. */
unsigned installed_generators(const char *sysroot, struct arena *arena) nonnull(2);

/* Those that a new kernel's package runs, by Debian's hooks in /etc/kernel/postinst.d. */
unsigned installed_hooks(const char *sysroot, struct arena *arena) nonnull(2);

/*
 * Who is to make an image that @made_by made (GENERATOR_UNKNOWN if nothing tells): that one if
 * it is installed; else the one that made the @others, or that has one of the @hooks, or the
 * only one. GENERATOR_UNKNOWN if nothing tells.
 */
enum generator installed_choose(enum generator made_by, unsigned installed,
				unsigned others, unsigned hooks);
