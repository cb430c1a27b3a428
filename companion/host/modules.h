/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The modules of a kernel, through libkmod. depmod's indexes are foreign bytes, and libkmod goes
 * wherever a damaged one leads it: a confined child looks up, and answers.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "options.h"
#include "policy.h"
#include "selector.h"
#include "world.h"

struct module_names {
	const char **names;
	size_t count;
};

struct modules;

/*
 * Opens the modules of the kernel of @world, whose sysroot @sysroot is (NULL for /). -errno
 * if there are none for it: then *ret finds nothing, and @ret_release is its release or "".
 */
int modules_open(struct world *world, struct arena *arena, const char *sysroot,
		 const char **ret_release, struct modules **ret) must_check
	nonnull(1, 2, 4, 5);

/* The same of the modules in @dir, whatever modprobe.d says. */
int modules_open_dir(const char *dir, struct arena *arena,
		     struct modules **ret) must_check nonnull(1, 2, 3);

/* Ends the child, which does not outlive the program anyway. @modules may be NULL. */
void modules_close(struct modules *modules);

/*
 * The modules whose aliases match these IDs. Looked up once for all devices that have the
 * same; the alias is composed from the IDs, never taken from a file. @modules may be NULL.
 */
const struct module_names *modules_find(struct modules *modules,
					const struct pci_ids *ids) nonnull(2);

enum module_place {
	MODULE_NOWHERE,
	MODULE_IN_FILE,
	MODULE_BUILT_IN,
};

struct module_file {
	const char *name, *path; /* below the folder; an absolute one is elsewhere */
};

/* A module; in the order of loading the files that it needs, and itself. */
struct module_found {
	enum module_place place;
	struct module_file *files;
	size_t file_count;
};

/* The files are told for modules_open_dir() only. -EIO: it cannot be looked up; why is said, once. */
int modules_look_up(struct modules *modules, const char *name,
		    struct module_found *ret) must_check nonnull(1, 2, 3);

/* Whether modules.builtin says that the module is a part of the kernel. @modules may be NULL. */
bool modules_is_built_in(struct modules *modules, const char *name) nonnull(2);

/* For tables by IDs. */
bool ids_is_same(const struct pci_ids *a, const struct pci_ids *b) nonnull(1, 2);
uint32_t ids_hash(const struct pci_ids *ids) nonnull(1);

/* ---- needed modules ---- */

/* The modules that an image needs for the rules of a configuration. */

/*
 * The names of the modules that rules of @policy may want of a kernel whose modules are in
 * @dir, vfio-pci's first; with driver=auto all variants that are made for a function of @world's
 * machine. Is @world NULL or its bus not to be read, all that @dir has: the image is for
 * any machine. Profiles that are not active count as well. What is beyond STRINGS_MAX is left
 * out. -ENOMEM.
 */
int needs_find(struct world *world, const struct policy *policy, const char *dir,
	       struct arena *arena, struct strings *ret) must_check nonnull(2, 3, 4, 5);
