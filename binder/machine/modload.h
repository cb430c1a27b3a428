/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules, through libkmod. At boot, runs in the worker process only. "install" lines of
 * modprobe.d are never run: the module itself is loaded in their place.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"
#include "world.h"

struct kmod_ctx;

#define MODULE_DIRS_MAX 2

/*
 * A new context for the modules of @module_dir, with modprobe.d's files below @sysroot ("" for
 * /). It is kept until the process ends. NULL if out of memory.
 */
struct kmod_ctx *modload_context(const char *sysroot, const char *module_dir) must_check
	nonnull(1, 2);

/* The folders of modprobe.d that count, below "/" or a sysroot. */
#define MODPROBE_FOLDERS 5
extern const char *const modprobe_folders[MODPROBE_FOLDERS];

/*
 * Whether a file of modprobe.d may have options of vfio's modules: a line has "options" and "vfio".
 * A backslash may be in the middle of a word or of a line (libkmod's freadline_wrapped() drops it).
 */
bool modprobe_may_name_vfio(struct text file);

/*
 * False: the files are looked through by that from now on. True: they all were, and none may have
 * options of vfio's modules; a module whose name is on none of their lines is then loaded without
 * reading them once more.
 */
void modprobe_set_seen(bool is_whole);

/* The same without modprobe.d's files. */
struct kmod_ctx *modload_context_bare(const char *module_dir) must_check nonnull(1);

/*
 * Reads the options of vfio-pci from the modprobe.d files below @sysroot ("" for /):
 * is_found, length and text for ids=, is_denylist_off. The last ids= wins, as for modprobe.
 * -E2BIG if the value does not fit into the text.
 */
int modload_read_options(const char *sysroot, struct job_result *ret) must_check
	nonnull(1, 2);

/*
 * The options of a module, quotes and all, with @ids in the place of every ids=; "" for
 * none. -E2BIG if @buf is too small.
 */
int modload_replace_ids(const char *options, const char *ids, char *buf,
			size_t size) must_check nonnull(1, 2, 3);

/*
 * Loads a module with its dependencies and its options, but with @ids as its ids=, "" for
 * none, whatever modprobe.d and the command line say. It is looked for in the first of
 * @dirs, each as depmod leaves it, and in the next one where it, or something that it
 * depends on, is not there or not of this kernel; NULL ends the list. The directories of the first call count:
 * their indexes are read once.
 * -ENOENT: there is no such module; -ENOSYS: this kernel loads none; other errors are the
 * kernel's, and then text, is_damaged and built_for say what there is to say about the first
 * file that it refused. Sets nothing else in @ret but its state.
 */
int modload_load(const char *const dirs[MODULE_DIRS_MAX], const char *name,
		 const char *ids, struct job_result *ret) must_check nonnull(1, 2, 3, 4);

/* ---- module alias ---- */

/* The aliases of an image's modules. At boot, in the worker process only. */

/*
 * The best variant of vfio-pci for a function, as variant_find() says, in @dirs as
 * modload_load(): the best of the first that has one. text is the module.
 */
int aliases_find_variant(const char *const dirs[MODULE_DIRS_MAX], const char *modalias,
			 struct job_result *ret) must_check nonnull(1, 2, 3);

/* ---- module error ---- */

/* What came of loading a module, in words. */

/* "loaded", "live", "builtin", "failed" */
const char *module_state_name(enum module_state state);

/*
 * "vfio_pci could not be loaded: FILE is damaged: ...": cause and remedy for the error (errno,
 * positive) of a JOB_LOAD_MODULE, and for what its result says about the file; NULL if @arena
 * is full. What the errors mean: kernel/module/main.c, signing.c, kernel/params.c.
 */
const char *module_fault_explain(const char *name, int error,
				 const struct job_result *result,
				 struct arena *arena) must_check nonnull(1, 3, 4);
