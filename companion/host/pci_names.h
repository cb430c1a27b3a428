/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of devices and classes, from a pci.ids file, through libpci: in a confined child, since the
 * file may be anybody's.
 */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "selector.h"

struct names;

/*
 * Opens @path, or if it is NULL the first known place below @sysroot that exists. -ENOENT if
 * there is none: then *ret knows no names. A damaged file is said and used as far as it goes.
 */
int names_open(struct arena *arena, const char *sysroot, const char *path,
	       struct names **ret) must_check nonnull(1, 4);

/* Each is NULL where there is no name; @names may be NULL. */
const char *names_class(struct names *names, const struct pci_ids *ids,
			struct arena *arena) nonnull(2, 3);
const char *names_vendor(struct names *names, unsigned vendor, struct arena *arena)
	nonnull(3);
/* Where pci.ids is silent, the name in the accelerator table. */
const char *names_device(struct names *names, const struct pci_ids *ids,
			 struct arena *arena) nonnull(2, 3);
const char *names_subsystem(struct names *names, const struct pci_ids *ids,
			    struct arena *arena) nonnull(2, 3);

/* ---- accel cards ---- */

/* What only people want to know of the accelerator table: names of cards, and what groups are. */

/* "Alveo U200": the entry is of accel_find(). */
const char *accel_card_name(int entry);

/* "AMD Instinct": what is in the group; NULL behind the last. */
const char *accel_group_description(unsigned group);
