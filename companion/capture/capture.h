/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes into a recording of the machine. The parts read it below --sysroot and put what
 * they find; names are those below the root, without the first slash.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "compiler.h"
#include "inventory.h"
#include "text.h"
#include "world.h"

enum capture_kind { CAPTURE_DIR, CAPTURE_FILE, CAPTURE_LINK };

struct capture_entry {
	enum capture_kind kind;
	const char *name;
	struct text bytes; /* of a file; the target of a link */
	struct capture_entry *next;
};

/* A name that is not told, and what stands for it. */
struct capture_alias {
	const char *name;
	const char *shown;
	struct capture_alias *next;
};

struct capture {
	const char *sysroot;
	const char *output;
	bool has_serial; /* serial numbers are told */

	struct arena *arena;
	struct world *world;
	struct inventory inventory;
	const struct inventory *named; /* those that a rule names */
	struct capture_entry *first;
	size_t count;
	struct capture_alias *interfaces; /* named by their MAC address */
	struct capture_alias *maps; /* of the device mapper: "dm-0" stands for its name */
	bool is_full; /* the arena is */
};

struct capture_names {
	const char **items; /* sorted */
	size_t count;
};

/* ---- tar write ---- */

/*
 * Writes a tar archive (POSIX.1-2001: ustar, with a pax record where a name or a target does
 * not fit). The same entries give the same bytes: owner root, no times.
 */

/* ---- for the parts ---- */

const char *capture_print(struct capture *c, const char *format, ...) nonnull(1, 2)
	printf_like(2, 3); /* "" and is_full if there is no room */
void capture_put_file(struct capture *c, const char *name, struct text bytes)
	nonnull(1, 2);

/* A whole file, which the caller may write over; false if it cannot be read. */
bool capture_read(struct capture *c, const char *name, char **ret,
		  size_t *ret_n) must_check nonnull(1, 2, 3, 4);
/* The target of a link, NULL if it is none. */
struct capture_names capture_list(struct capture *c, const char *name) nonnull(1, 2);

/* Copies a file as it is, if it is there. */
void capture_copy(struct capture *c, const char *name) nonnull(1, 2);
/* The same without serial numbers, UUIDs and MAC addresses. */
void capture_copy_text(struct capture *c, const char *name) nonnull(1, 2);

/* What stands for the name of an interface: itself, unless it is made of a MAC address. */
const char *capture_interface(struct capture *c, struct text name) nonnull(1);
