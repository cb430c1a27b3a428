// SPDX-License-Identifier: GPL-2.0
/* The better one of two for the card's first function: by its subsystem as well. */
#define LAB_VARIANT_NAME "labcard-vfio-pci"
/* clang-format off */
#define LAB_VARIANT_ID                                                                   \
	{ .vendor = 0x10ee, .device = 0x5000, .subvendor = 0x10ee, .subdevice = 0x000e, \
	  .override_only = PCI_ID_F_VFIO_DRIVER_OVERRIDE }
/* clang-format on */
#include "lab_variant.c"
