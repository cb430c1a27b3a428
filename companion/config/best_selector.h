/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The selector that names a device best: the one that still names it after a change. */
#pragma once

#include "compiler.h"
#include "edit_session.h"

struct proposal {
	const char *selector; /* in normal form */
	const char *why; /* "by address and ID: ..." */
};

/* What --by knows, for messages; "exact" is not among them. */
#define PROPOSAL_NAMES "serial, path, address, slot, id"
bool proposal_is_name(const char *by) nonnull(1);

/* The same one by one, with what speaks for it; NULL behind the last. */
const char *proposal_name(size_t i, const char **ret_why) nonnull(2);

/*
 * The first way that singles out @d on this machine, or the one named @by. A keep rule claims
 * no ID at a place: it should protect whatever sits there. -ENOENT if @d cannot be named
 * in that way; -ENOMEM.
 */
int propose(struct edit *e, const struct pci_device *d, enum rule_kind kind,
	    const char *by, struct proposal *ret) must_check nonnull(1, 2, 5);
