/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of "earlybind check --image" share: the image, what is known of it, the findings. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "findings.h"
#include "image_read.h"
#include "installed.h"
#include "policy.h"
#include "sources.h"
#include "uki.h"
#include "world.h"

#define CHECK_KERNELS_MAX 64

/* As much as one image may need: address space, not memory. */
#define IMAGE_ARENA_SIZE ((size_t)512 * 1024 * 1024)

struct check {
	const char *file;
	const char *kernel; /* whose modules alone count; NULL: all that the image has */
	const char
		*copy_command; /* that makes this copy or UKI; NULL: the generator does */
	struct arena *arena;
	struct world *world;
	const char *sysroot; /* of the world; NULL for / */
	bool is_unwanted; /* the machine has no rules: an image without earlybind is right */
	const struct sources *sources; /* the configuration that it is compared with */

	struct uki uki; /* where the file is one: its .initrd is the image */
	const char *options; /* of a UKI: its command line, with its addons; or NULL */
	struct image image;
	enum generator generator;
	bool has_systemd; /* as its first process */
	const char *kernels[CHECK_KERNELS_MAX]; /* releases with modules in the image */
	size_t kernel_count;
	const char *rebuild; /* the command that makes the image again */

	struct policy policy; /* the rules of the image's table */
	bool has_foreign_words; /* dracut's command line files have what dracut.conf has not */
	struct findings findings;
};

/* Unpacks check->file. -errno with a message if there is nothing to look at. */
int check_open(struct check *check, const char **ret_message) must_check nonnull(1, 2);

/*
 * Unpacks check->file and checks all of it. 0, or -errno with a sentence in @ret_message:
 * then it could not be read at all.
 */
int check_run(struct check *check, const char **ret_message) must_check nonnull(1, 2);

/* A finding, as a sentence that names cause and remedy. @name is the check's. */
void check_say(struct check *check, enum finding_kind kind, const char *name,
	       const char *format, ...) nonnull(1, 3, 4) printf_like(4, 5);

/* A text that stays; "" if there is no memory. */
const char *check_print(struct check *check, const char *format, ...) nonnull(1, 2)
	printf_like(2, 3);

/* Who starts the binder, and when. */
void check_order(struct check *check) nonnull(1);
