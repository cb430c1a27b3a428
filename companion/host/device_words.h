/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people type for a device besides a selector of earlybind.conf(5): a slot's address, "01:00",
 * and a name. A selector always wins: what is one is nothing else.
 */
#pragma once

#include <stdbool.h>

#include "compiler.h"
#include "pci_names.h"
#include "selector.h"
#include "text.h"

#define DEVICE_WORD_SIZE 32

/* "01:00" as the selector that it stands for, "01:00.*", in @buf; any other word as it is. */
struct text device_word_expand(struct text word, char buf[static DEVICE_WORD_SIZE]);

/* selector_parse() of the expanded word. The selector is no view of more than @word. */
int device_word_parse(struct text word, struct selector *ret,
		      struct parse_error *reterr) must_check nonnull(2, 3);

/* Whether a word could only be a name: it has no sign of a selector in it. */
bool device_word_is_name(struct text word);

/*
 * Whether the vendor, device, subsystem or entry in the table of accelerators is called so: each
 * part of @name, between blanks, begins a word of them. No matter whether in capitals.
 */
bool device_has_name(struct names *names, const struct pci_ids *ids, struct text name,
		     struct arena *arena) nonnull(2, 4);
