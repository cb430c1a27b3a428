/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions that a user means: words that are addresses or other selectors. */
#pragma once

#include <stdbool.h>

#include "compiler.h"
#include "inventory.h"
#include "options.h"
#include "selector.h"

struct selection {
	const struct strings *words; /* none: all functions */
	struct selector selectors[STRINGS_MAX];
};

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
