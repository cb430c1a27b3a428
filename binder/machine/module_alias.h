/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The aliases of an image's modules. At boot, in the worker process only. */
#pragma once

#include "compiler.h"
#include "modload.h"
#include "text.h"
#include "world.h"

/* More than any kernel's modules need: 5,000 lines are 400 KB. */
#define ALIASES_SIZE_MAX ((size_t)4 * 1024 * 1024)

/*
 * The aliases of @dir's modules and of those that are a part of the kernel, as lines "alias
 * PATTERN MODULE" in the index that libkmod itself goes by: there is one in every image, a
 * text need not be. What is beyond ALIASES_SIZE_MAX is left out. Memory that is never given back.
 * p is NULL where it cannot be read.
 */
struct text aliases_read(struct kmod_ctx *ctx) must_check nonnull(1);

/*
 * The best variant of vfio-pci for a function, as variant_find() says, in @dirs as
 * modload_load(): the best of the first that has one. text is the module.
 */
int aliases_find_variant(const char *const dirs[MODULE_DIRS_MAX], const char *modalias,
			 struct job_result *ret) must_check nonnull(1, 2, 3);
