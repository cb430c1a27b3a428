// SPDX-License-Identifier: GPL-2.0
/* The other one for the card's first function, whatever its subsystem is. */
#define LAB_VARIANT_NAME "labany-vfio-pci"
/* clang-format off */
#define LAB_VARIANT_ID { PCI_DRIVER_OVERRIDE_DEVICE_VFIO(0x10ee, 0x5000) }
/* clang-format on */
#include "lab_variant.c"
