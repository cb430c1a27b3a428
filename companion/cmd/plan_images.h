/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How finished images differ from the machine's files, which "earlybind plan" shows the rules of. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "json.h"
#include "world.h"

#define PLAN_IMAGES_MAX 64

struct plan_images {
	struct {
		const char *image;
		const char *text; /* a sentence: the difference, and what makes it up */
		bool is_unknown; /* or why it cannot be told */
	} items[PLAN_IMAGES_MAX];
	size_t count;
	size_t more; /* that had no room */
};

/*
 * Compares @image, or if it is NULL all images of the machine, with its configuration, modprobe.d
 * and dracut.conf.
 */
void plan_images_read(struct world *world, const char *sysroot, const char *image,
		      bool has_rules, struct arena *arena, struct plan_images *ret)
	nonnull(1, 5, 6);

/* A note for each; @is_of_image: the plan is of the image, not of the files. */
void plan_images_print(const struct plan_images *images, bool is_of_image) nonnull(1);

/* "images": [{"image", "difference", "unknown"}] */
void plan_images_write(const struct plan_images *images, struct json *json) nonnull(1, 2);
