/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of "add" and its kin: selectors, and the rules that are wished for. */
#pragma once

#include "compiler.h"
#include "edit_session.h"

#define WISHES_MAX RULES_MAX

struct wish {
	struct selector selector;
	const char *text; /* as it will be written */
	const char *why; /* it is written so; NULL: as it was typed */
	unsigned needs_allow; /* of enum allow: written with it */
	bool is_done; /* a rule does it already: nothing is written */
};

struct wishes {
	const char *name; /* of the command */
	enum rule_kind kind;
	bool has_no_options; /* of rules */
	/* From the command line */
	const char *by;
	bool has_all;
	bool is_forced;

	const char *options; /* "optional allow=console", or "" */
	struct rule like; /* what they say */
	struct text asked[WISHES_MAX]; /* selectors as they were typed */
	struct selector selectors[WISHES_MAX]; /* the same */
	size_t asked_count;
	struct wish items[WISHES_MAX];
	size_t count;
};

/* Sorts the words into selectors and options. Says what is wrong: -EINVAL, wrong usage. */
int wishes_read(struct wishes *w, struct edit *e) must_check nonnull(1, 2);

/*
 * Finds the devices that are meant and the selectors to write, once the machine is open. Says
 * what is refused, and goes on; -EINVAL in the end then.
 */
int wishes_resolve(struct wishes *w, struct edit *e) must_check nonnull(1, 2);

/* Wishes for one device, by the selector that names it best. Errors as above. */
int wishes_add_device(struct wishes *w, struct edit *e,
		      const struct pci_device *d) must_check nonnull(1, 2, 3);

/* Whether the plan has the device because the rule of the wish brings it along (with=). */
bool wish_has_along(const struct wish *wish, const struct plan_device *pd) nonnull(1, 2);

/* Whether w->by is something that --by knows; says what it knows otherwise. */
bool wishes_has_way(const struct wishes *w) must_check nonnull(1);
