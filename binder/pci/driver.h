/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of drivers and of their modules: what is known of them without asking a kernel. */
#pragma once

#include <stdbool.h>

#include "compiler.h"
#include "text.h"

#define DEFAULT_DRIVER "vfio-pci"
#define AUTO_DRIVER    "auto" /* each function gets its own best variant of vfio-pci */

/* 1 to 63 of A-Z a-z 0-9 _ - (the kernel's names of drivers that have a folder in sysfs). */
bool driver_is_name(struct text t);

/*
 * Whether two names mean the same driver or module: '-' equals '_', since modules have the
 * one (scripts/Makefile.lib: name-fix) and most drivers of the PCI bus the other.
 */
bool driver_is_same(const char *a, const char *b) nonnull(1, 2);

/*
 * vfio-pci or one of its variants, by name: all of drivers/vfio/pci have vfio in it
 * (mlx5_vfio_pci, nvgrace-gpu-vfio-pci, xe-vfio-pci ...). What depends on vfio counts for
 * these only: IOMMU, groups, denylist, modules.
 */
bool driver_is_vfio(const char *driver) nonnull(1);

/* What a rule's driver= means, as the kernel says it: xen-pciback's driver is "pciback". */
const char *driver_kernel_name(const char *name) nonnull(1);

/* The module of a driver that is not there yet, as far as it can be told from its name. */
const char *driver_module(const char *driver) nonnull(1);
