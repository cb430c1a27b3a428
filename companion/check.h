/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of "earlybind check" share: the image, what is known of it, the findings. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "image.h"
#include "options.h"
#include "policy.h"
#include "sources.h"
#include "world.h"

#define CHECK_FINDINGS_MAX 512
#define CHECK_KERNELS_MAX  64

enum verdict {
	VERDICT_PASS,
	VERDICT_FAIL,
	VERDICT_UNKNOWN, /* "cannot tell" */
	VERDICT_NOTE,
};

/* What made the image. */
enum generator {
	GENERATOR_UNKNOWN,
	GENERATOR_INITRAMFS_TOOLS,
	GENERATOR_DRACUT,
	GENERATOR_MKINITCPIO,
	GENERATOR_BOOSTER,
};

struct finding {
	const char *name;
	enum verdict verdict;
	const char *message;
};

struct check {
	/* Options. */
	const char *file;
	const char *kernel;
	const char *sysroot;
	struct strings configs;
	bool is_json;

	struct arena *arena;
	struct world *world;
	struct image image;
	enum generator generator;
	bool has_systemd; /* as its first process */
	const char *kernels[CHECK_KERNELS_MAX]; /* releases with modules in the image */
	size_t kernel_count;
	const char *rebuild; /* the command that makes the image again */

	struct policy policy; /* the rules of the image's table */
	struct finding findings[CHECK_FINDINGS_MAX];
	size_t finding_count;
	size_t lost_count; /* beyond CHECK_FINDINGS_MAX */
	bool has_failed;
};

/* A finding, as a sentence that names cause and remedy. @name is the check's. */
void check_say(struct check *check, enum verdict verdict, const char *name,
	       const char *format, ...) nonnull(1, 3, 4) printf_like(4, 5);

/* A text that stays; "" if there is no memory. */
const char *check_print(struct check *check, const char *format, ...) nonnull(1, 2)
	printf_like(2, 3);

/* Whether the data of this file of an image are looked at. */
bool check_wants(const char *path) nonnull(1);

/* Sets generator, has_systemd, kernels and rebuild; says what the image is. */
void check_image(struct check *check) nonnull(1);
const char *generator_name(enum generator generator);

/* The binder: *ret is its file. False if there is none: then nothing more is to be said. */
bool check_binder(struct check *check, struct text *ret) must_check nonnull(1, 2);

/*
 * Its table against the configuration. The rules of the image go to check->policy. What keeps
 * the configuration from being read is said; -errno.
 */
int check_table(struct check *check, struct text binder) must_check nonnull(1);

/* Who starts the binder, and when. */
void check_order(struct check *check) nonnull(1);
/* The same where systemd is the first process. */
void check_order_systemd(struct check *check) nonnull(1);
/* Whether there is anything that makes systemd run the binder. */
bool check_has_unit(const struct check *check) nonnull(1);

/* The modules that the binder loads, for every kernel of the image. */
void check_modules(struct check *check) nonnull(1);

/* Other drivers of the image for the devices that the rules name. */
void check_drivers(struct check *check) nonnull(1);
