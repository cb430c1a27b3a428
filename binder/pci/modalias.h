/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pattern of a module's alias for functions of the PCI bus, as scripts/mod/file2alias.c
 * (do_pci_entry()) writes it behind "pci:" or "vfio_pci:":
 * "v000010EEd00005000sv*sd*bc12sc00i*".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "device.h"
#include "text.h"

/* Vendor, device, subsystem vendor and device, base class, subclass, interface. */
#define ALIAS_FIELDS 7

/*
 * Takes @prefix and the fields off @alias, which must be no longer; PCI_ANY stands for '*'.
 * False for any other alias.
 */
bool alias_parse(struct text alias, const char *prefix,
		 uint32_t ret[static ALIAS_FIELDS]) must_check nonnull(2, 3);

/* What a function says of itself, in the same order. */
void alias_fields(const struct pci_ids *ids, uint32_t ret[static ALIAS_FIELDS])
	nonnull(1, 2);
