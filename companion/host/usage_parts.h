/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the readers of usage.c and usage_disk.c share. */
#pragma once

#include <stddef.h>

#include "usage.h"

#define USAGE_PATH_SIZE 512
#define OWNERS_MAX	4

/* The functions that a class device is lost with. */
struct owners {
	struct bdf items[OWNERS_MAX];
	size_t count;
};

struct usage_item {
	struct usage usage;
	struct usage_item *next;
};

struct collector {
	struct world *world;
	struct arena *arena;
	struct usage_item *first;
	size_t count;
	enum usage_root root; /* since usage_read_disks() */
	bool is_full; /* out of memory */
};

/* Names in a folder, sorted. */
struct name_list {
	const char *prefix;
	const char **items;
	size_t count;
	size_t max;
	struct arena *arena;
	bool is_full;
};

/* A file of /proc as far as USAGE_FILE_MAX, or nothing. */
#define USAGE_FILE_MAX ((size_t)1024 * 1024)
struct text usage_proc_file(struct collector *c, const char *path) nonnull(1, 2);

/*
 * What follows @prefix in the names of a folder below /sys that begin with it; none if it
 * cannot be read. -ENOMEM.
 */
int usage_list(struct collector *c, const char *path, const char *prefix,
	       struct name_list *ret) must_check nonnull(1, 2, 3, 4);

/*
 * Whose a class device is: the last PCI address on the way to it in /sys/devices, and those
 * that have a whole bus behind them (Intel VMD). @ret_parent is the folder that it stands in.
 */
void usage_owners(struct collector *c, const char *class, const char *name,
		  struct owners *ret, char ret_parent[static USAGE_PATH_SIZE])
	nonnull(1, 2, 3, 4, 5);

/* A short attribute below /sys/class, or "". */
const char *usage_attribute(struct collector *c, const char *class, const char *name,
			    const char *attribute) nonnull(1, 2, 3, 4);

/* @one and @more with @separator in between, unless one of them is NULL or "". */
const char *usage_join(struct collector *c, const char *one, const char *separator,
		       const char *more) nonnull(1, 3);

/* Adds @usage for each of @owners. */
void usage_add(struct collector *c, const struct owners *owners,
	       const struct usage *usage) nonnull(1, 2, 3);
