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

/* Whether a module may be taken: it is in this image. */
typedef bool (*variant_filter)(void *arg, const char *module);

/*
 * The best variant among the lines "alias vfio_pci:... MODULE" of @aliases for a function;
 * all other lines are passed over. Of equals the first one. The module's name is put into
 * @ret. -ENOENT if none matches but the one that takes everything. A pure parser but for
 * @filter, which is asked about those that are better than the best so far.
 */
int variant_find(struct text aliases, const struct pci_ids *ids, variant_filter filter,
		 void *arg, char ret[static DRIVER_NAME_SIZE]) must_check nonnull(2, 3);

/* The line's module if it is a variant's for any device: p is NULL if it is none. */
struct text variant_of_line(struct text line);

/* "pci:v000010EEd00005000sv000010EEsd0000000Ebc12sc00i00", whole. -EINVAL otherwise. */
int modalias_parse(struct text t, struct pci_ids *ret) must_check nonnull(2);
