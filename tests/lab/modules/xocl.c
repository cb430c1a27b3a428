// SPDX-License-Identifier: GPL-2.0
/* The stand-in for XRT's driver of the user function, and of a model that vfio-pci refuses by
 * its denylist. */
#define LAB_DRIVER_NAME "xocl"
/* clang-format off */
#define LAB_DRIVER_IDS                                                                  \
	{ PCI_DEVICE(0x10ee, 0x5001) }, { PCI_DEVICE(0x10ee, 0x5005) },                 \
	{ PCI_DEVICE(0x10ee, 0x5009) }, { PCI_DEVICE(0x10ee, 0x500d) },                 \
	{ PCI_DEVICE(0x10ee, 0x5021) }, { PCI_DEVICE(0x8086, 0x37c9) }
/* clang-format on */
#include "lab_driver.c"
