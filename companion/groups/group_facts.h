/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The facts that IOMMU groups depend on, of all functions of the machine. Wakes no device. */
#pragma once

#include "compiler.h"
#include "inventory.h"
#include "predict.h"
#include "text.h"

/* Why the facts of a function are not known. */
enum unread {
	UNREAD_NOTHING, /* they are known, or not needed */
	UNREAD_MISSING, /* there is no file "config", or it is not that device's */
	UNREAD_SHORT, /* only the first bytes: not root */
	UNREAD_ASLEEP, /* to read it would wake it */
	UNREAD_SILENT, /* what is behind its first 256 bytes does not answer any more */
};

struct group_facts {
	const struct inventory *inventory; /* of all functions */
	struct group_function *functions; /* in the same order */
	enum unread *unread;
	bool has_amd_iommu;
	bool has_config; /* one configuration space at least, asleep or not */
	bool has_extended; /* one extended configuration space that answers */
	bool is_known_kind; /* an IOMMU whose groups follow the rules of predict.h */
};

/*
 * Why @what ("its config space") of the function at @bdf could not be read, and what to do about
 * it: a sentence without its full stop. NULL without memory.
 */
const char *unread_sentence(struct arena *arena, enum unread why, struct bdf bdf,
			    const char *what) nonnull(1, 4);

/*
 * Only bridges and devices of several functions are read: no other one can merge. A function
 * that sleeps is left alone, since a read of its configuration space resumes it
 * (drivers/pci/pci-sysfs.c: pci_read_config()). The extended spaces of all can be out of reach
 * since the kernel read them: after a suspend, with firmware that does not set up ECAM again.
 * @inventory has all functions, with their groups. 0 or -ENOMEM.
 */
int group_facts_read(struct world *world, struct arena *arena,
		     const struct inventory *inventory,
		     struct group_facts *ret) must_check nonnull(1, 2, 3, 4);

/* Where the function at @bdf stands in them; NO_FUNCTION: nowhere. */
size_t group_facts_find(const struct group_facts *facts, struct bdf bdf) nonnull(1);

/* ---- configuration space ---- */

#define CONFIG_SPACE_SIZE 4096

#define CONFIG_SPACE_ACS_SIZE \
	12 /* with the control register of some of Intel's root ports */
#define CONFIG_SPACE_INTEL_MPC 0xd8 /* drivers/pci/quirks.c: INTEL_MPC_REG, 4 bytes */

/*
 * Fills the facts of @f, whose ids are known, from its configuration space. False, and @f is
 * unknown, if @config is not whole enough to tell, or is not that device's.
 */
bool config_space_read(struct text config, struct group_function *f) nonnull(2);

/*
 * Blanks all behind the header that config_space_read() does not look at. What is left ends with
 * the last byte that counts: its length.
 */
size_t config_space_strip(unsigned char *p, size_t n) must_check nonnull(1);
