/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The facts that IOMMU groups depend on, from the bytes of a function's configuration space.
 * Only root reads more than the first 64 (drivers/pci/pci-sysfs.c: pci_read_config()).
 */
#pragma once

#include "compiler.h"
#include "predict.h"
#include "text.h"

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
