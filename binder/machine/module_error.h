/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What came of loading a module, in words. */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "world.h"

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
