/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driver=auto: the variant of vfio-pci that is made for a function. A variant says so by
 * aliases with a prefix of their own, "vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i*"
 * (include/linux/pci.h: PCI_DRIVER_OVERRIDE_DEVICE_VFIO; scripts/mod/file2alias.c), which
 * nothing loads by itself. Of those that match, the one with the fewest '*' is the best, as
 * for libvirt (virpci.c: virPCIDeviceFindBestVFIOVariant()); vfio-pci itself has the one of
 * '*' only.
 */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "device.h"
#include "inventory.h"
#include "policy.h"
#include "text.h"
#include "world.h"

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

/*
 * Looks for the variants of the functions that rules with driver=auto are about, and of no
 * others: sets pci_device.variant. By the modules of the kernel that runs, in the image
 * at boot; a job per function, with a deadline.
 */
void variants_read(struct world *world, struct arena *arena, const struct policy *policy,
		   struct inventory *inventory) nonnull(1, 2, 3, 4);
