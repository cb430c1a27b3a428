// SPDX-License-Identifier: GPL-2.0
/* The stand-in for XRT's driver of the management function, and of a model that vfio-pci
 * refuses by its denylist. */
#define LAB_DRIVER_NAME "xclmgmt"
/* clang-format off */
#define LAB_DRIVER_IDS                                                                  \
	{ PCI_DEVICE(0x10ee, 0x5000) }, { PCI_DEVICE(0x10ee, 0x5004) },                 \
	{ PCI_DEVICE(0x10ee, 0x5008) }, { PCI_DEVICE(0x10ee, 0x500c) },                 \
	{ PCI_DEVICE(0x10ee, 0x5020) }, { PCI_DEVICE(0x8086, 0x37c8) }
/* clang-format on */
#include "lab_driver.c"
