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

/*
 * Looks for the variants of the functions that rules with driver=auto are about, and of no
 * others: sets pci_device.variant. By the modules of the kernel that runs, in the image
 * at boot; a job per function, with a deadline.
 */
void variants_read(struct world *world, struct arena *arena, const struct policy *policy,
		   struct inventory *inventory) nonnull(1, 2, 3, 4);
