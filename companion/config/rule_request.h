/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of "add" and its kin: selectors, and the rules that are wished for. */
#pragma once

#include <stdbool.h>

#include "compiler.h"
#include "edit_session.h"
#include "inventory.h"
#include "options.h"
#include "selector.h"

/* The options of a rule with all their values but names of drivers; the last has no word. */
extern const struct word_help rule_options[];

struct selection {
	const struct strings *words; /* none: all functions */
	struct selector selectors[STRINGS_MAX];
};

#define WISHES_MAX RULES_MAX

struct rule_request {
	struct selector selector;
	const char *text; /* as it will be written */
	const char *why; /* it is written so; NULL: as it was typed */
	unsigned needs_allow; /* of enum allow: written with it */
	bool is_done; /* a rule does it already: nothing is written */
};

struct rule_requests {
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
	struct selector
		selectors[WISHES_MAX]; /* the same; of a name one that matches nothing */
	bool is_name[WISHES_MAX];
	size_t asked_count;
	struct rule_request items[WISHES_MAX];
	size_t count;
};

/* ---- best selector ---- */

/* The selector that names a device best: the one that still names it after a change. */

/* The same one by one, with what speaks for it; NULL behind the last. */
const char *proposal_name(size_t i, const char **ret_why) nonnull(2);

/* ---- device selection ---- */

/* The functions that a user means: words that are addresses or other selectors. */

/* Says what is wrong with a word that device_word_parse() refused; where it is a name, how to go on. */
void say_wrong_word(const char *command, struct text word, const char *message)
	nonnull(1, 3);

/* Parses the words of @command; the one that is wrong is said, and -EINVAL returned. */
int selection_parse(const char *command, const struct strings *words,
		    struct selection *ret) must_check nonnull(1, 2, 3);

bool selection_has_match(const struct selection *selection,
			 const struct pci_device *device) nonnull(1, 2);

/* The inventory_filter of a selection: all functions, and what its words ask of them. */
unsigned selection_filter(const void *arg, const struct pci_device *device) nonnull(1, 2);

/*
 * Says for each word that matches nothing in @inventory what is near it: the slot's other
 * functions, devices of the same ID or vendor. How many such words there are.
 */
size_t selection_say_missing(const struct selection *selection,
			     const struct inventory *inventory) nonnull(1, 2);

/* Sorts the words into selectors and options. Says what is wrong: -EINVAL, wrong usage. */
int requests_read(struct rule_requests *w, struct edit *e) must_check nonnull(1, 2);

/*
 * Marks the functions of the card that the name asked[i] is about, one for each of the inventory,
 * and shows them. With has_all there may be several cards. Otherwise says which there are, with
 * the command for each: -EINVAL. -ENOMEM.
 */
int requests_find_card(struct rule_requests *w, struct edit *e, size_t i,
		       bool *ret_is_meant) must_check nonnull(1, 2, 4);

/*
 * Finds the devices that are meant and the selectors to write, once the machine is open. Says
 * what is refused, and goes on; -EINVAL in the end then.
 */
int requests_resolve(struct rule_requests *w, struct edit *e) must_check nonnull(1, 2);

/* Wishes for one device, by the selector that names it best. Errors as above. */
int requests_add_device(struct rule_requests *w, struct edit *e,
			const struct pci_device *d) must_check nonnull(1, 2, 3);

/* Whether the plan has the device because the rule of the wish brings it along (with=). */
bool request_has_companions(const struct rule_request *request,
			    const struct plan_device *pd) nonnull(1, 2);

/* Whether w->by is something that --by knows; says what it knows otherwise. */
bool requests_has_way(const struct rule_requests *w) must_check nonnull(1);
