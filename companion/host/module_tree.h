/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A folder of modules that has vfio-pci, what it needs, and depmod's indexes for just these:
 * what the binder loads from where the image has none. Nothing else is of use in it.
 */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "options.h"
#include "text.h"

#define TREE_MODULES_MAX 64
#define TREE_FILES_MAX	 (TREE_MODULES_MAX + 32)

struct module_tree_file {
	const char *path; /* below the folder */
	struct text bytes;
};

struct module_tree {
	const char *version;
	/* Modules in the order of loading, as they are: compressed ones stay compressed. */
	const char *names[TREE_MODULES_MAX];
	size_t module_count;
	struct strings wanted; /* loaded by name; the rest follows from modules.dep */
	size_t dependency_count; /* of those that are loaded by name, together */
	/* They and the indexes, sorted by path. None if all is built in. */
	struct module_tree_file files[TREE_FILES_MAX];
	size_t file_count;
};

/* ---- depmod ---- */

/* depmod(8) for a few modules, in a temporary folder. */

/* Whether it can be the name of a folder of modules: no way out of the one above. */
bool module_tree_is_version(const char *version) nonnull(1);

/*
 * The tree of the modules @names, of which the first one must be there, and what they need,
 * for the kernel @version, whose modules are below @sysroot (NULL for /). Runs
 * depmod(8) of this machine in a temporary folder. Two errors are left to the caller:
 * -ENODATA, there are no modules of this kernel with their indexes; -ENOENT, it has no
 * vfio-pci, neither as a module nor built in. Others are said.
 */
int module_tree_make(const char *sysroot, const char *version,
		     const struct strings *names, struct arena *arena,
		     struct module_tree *ret) must_check nonnull(2, 3, 4, 5);
