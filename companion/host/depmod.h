/* SPDX-License-Identifier: GPL-2.0-or-later */
/* depmod(8) for a few modules, in a temporary folder. */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "module_tree.h"

/*
 * Lays the modules of @tree out in a folder of their own, with those lists of @dir, the
 * kernel's folder, that depmod reads; runs it; has @prove look at the outcome; and adds the
 * indexes to the files of @tree. Says what is wrong; -errno then, or what @prove gave, which
 * says it itself. The folder is gone afterwards.
 */
int depmod_run(const char *dir, struct arena *arena, struct module_tree *tree,
	       int (*prove)(const char *dir, const struct module_tree *tree)) must_check
	nonnull(1, 2, 3, 4);
