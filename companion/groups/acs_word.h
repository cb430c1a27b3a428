/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of the kernel command line that change the ACS of a function: pci=disable_acs_redir= and
 * pci=config_acs= (drivers/pci/pci.c: pci_setup(), pci_dev_str_match(); Linux 6.12).
 */
#pragma once

#include "predict.h"

/*
 * The word of @cmdline that names the function @at of @functions, by its address, its path or its
 * ID; n is 0 if there is none. With several the kernel takes the last: so does this.
 */
struct text acs_word(struct text cmdline, const struct group_function *functions,
		     size_t at) nonnull(2);
