/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The modules that an image needs for the rules of a configuration. */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "options.h"
#include "policy.h"
#include "world.h"

/*
 * The names of the modules that rules of @policy may want of a kernel whose modules are in
 * @dir, vfio-pci's first; with driver=auto all variants that are made for a function of @world's
 * machine. Is @world NULL or its bus not to be read, all that @dir has: the image is for
 * any machine. Profiles that are not active count as well. What is beyond STRINGS_MAX is left
 * out. -ENOMEM.
 */
int needs_find(struct world *world, const struct policy *policy, const char *dir,
	       struct arena *arena, struct strings *ret) must_check nonnull(2, 3, 4, 5);
