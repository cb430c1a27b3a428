/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may be in a recording, word by word: only what is understood stays. Everything else gets
 * an alias, the same one wherever the word is met, so that names still fit together.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"

/* Kinds of words that are understood. */
enum redact_kind {
	REDACT_NUMBER = 1 << 0, /* 12, 0x1f, 64K, 0-7 */
	REDACT_ID = 1 << 1, /* 10ee:5000, digits of a class */
	REDACT_PLACE = 1 << 2, /* PCI addresses */
	REDACT_MODULE = 1 << 3, /* known by redact_keep_module() */
	REDACT_WORD = 1 << 4, /* of the kernel and of our formats */
	REDACT_KERNEL =
		1 << 5, /* what the kernel names by itself: sda1, enp1s0, pci0000:00 */
	REDACT_HEX = 1 << 6, /* up to 16 digits without 0x */
	REDACT_JSON = 1 << 7, /* a report: its sentences; a backslash belongs to a word */
	REDACT_DROP = 1 << 8, /* what is not understood gets no alias: it is left out */
};

#define REDACT_ALL \
	(REDACT_NUMBER | REDACT_ID | REDACT_PLACE | REDACT_MODULE | REDACT_WORD | \
	 REDACT_KERNEL)

struct redact_name;
struct redact_serial;

struct redact {
	struct arena *arena;
	bool has_serial; /* serial numbers are told */
	bool is_full; /* the arena is, or there are too many aliases */

	/* Its own. */
	struct redact_name *aliases, *modules, *words;
	struct redact_serial *serials;
	size_t alias_count, serial_count;
};

void redact_init(struct redact *r, struct arena *arena, bool has_serial) nonnull(1, 2);

/* @name is shown as @shown from now on, which may be @name itself. */
void redact_set_alias(struct redact *r, struct text name, const char *shown)
	nonnull(1, 3);
void redact_keep_module(struct redact *r, struct text name) nonnull(1);

bool redact_is_told(const struct redact *r, struct text name, unsigned kinds) nonnull(1);

/* One name, of @kinds: as it is, or its alias. */
const char *redact_name(struct redact *r, struct text name, unsigned kinds) nonnull(1);

/* The name of a kernel: numbers and the words of distributions stay. */
const char *redact_kernel(struct redact *r, struct text version) nonnull(1);

/* Text of any form: what separates words stays. */
struct text redact_words(struct redact *r, struct text t, unsigned kinds) nonnull(1);

/*
 * A kernel command line: a parameter that is on the list keeps its name, and what is understood
 * of its value.
 */
struct text redact_cmdline(struct redact *r, struct text t) nonnull(1);

/* In a configuration: comments become blanks. */
void redact_comments(char *p, size_t n) nonnull(1);

/*
 * In a configuration space of @n bytes: only the header and what is known of capabilities stays;
 * Device Serial Number (PCI Express Base Specification, 7.9.3) becomes its alias.
 */
void redact_config_space(struct redact *r, unsigned char *p, size_t n) nonnull(1, 2);
