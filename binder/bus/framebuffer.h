/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware's framebuffer on a device's memory. While a driver for it (efifb, vesafb)
 * holds that memory, no guest can map it: "BAR 1: can't reserve". vfio-pci of Linux 6.0 and
 * later takes it away itself, but from devices of class 030000 only (vfio_pci_core.c:
 * vfio_pci_vga_init()); for all others it is done here.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "device.h"
#include "inventory.h"
#include "text.h"
#include "world.h"

#define SYSFS_PLATFORM "bus/platform/" /* below /sys */

struct framebuffer {
	const char *driver; /* of the platform bus; its device is DRIVER.0 */
	bool is_releasable; /* unbinding that device frees the memory */
};

/*
 * The framebuffer that lies in the memory of a PCI function, by the bytes of its attribute
 * "resource" and of /proc/iomem; NULL for none.
 */
const struct framebuffer *framebuffer_find(struct text resource, struct text iomem);

/* Who has a region, by its name in /proc/iomem: NULL for all but framebuffers. */
const struct framebuffer *framebuffer_of_region(struct text name);

/* Whether all addresses are 0, as without the privilege for them (kernel/resource.c). */
bool iomem_is_hidden(struct text iomem);

/* Looks for one on each display that rules are about: sets pci_device.framebuffer. */
void framebuffers_read(struct world *world, struct arena *arena,
		       struct inventory *inventory) nonnull(1, 2, 3);

/* The one on the memory of the function at @bdf now; NULL for none. */
const struct framebuffer *framebuffer_look(struct world *world, struct arena *arena,
					   struct bdf bdf) nonnull(1, 2);
