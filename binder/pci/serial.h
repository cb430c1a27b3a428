/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Device Serial Number of a PCI Express function: a capability in its extended
 * configuration space.
 */
#pragma once

#include <stdint.h>

#include "compiler.h"
#include "text.h"

#define SERIAL_SIZE sizeof("00-0a-35-ff-ff-00-12-34")

/*
 * "00-0a-35-ff-ff-00-12-34", as the kernel (drivers/pci/pci-sysfs.c: serial_number_show())
 * and lspci write it, the most significant byte first. -EINVAL with position and reason; all
 * zeros or all ones are no number.
 */
int serial_parse(struct text t, uint64_t *ret, struct parse_error *reterr) must_check
	nonnull(2, 3);

const char *serial_format(uint64_t serial, char buf[static SERIAL_SIZE]);

/*
 * Walks the list of extended capabilities (drivers/pci/pci.c: pci_get_dsn()). @read gives the
 * 32 bits at an offset, or -errno, which is handed on. -ENODATA: it has no serial number.
 */
int serial_find(int (*read)(void *arg, unsigned offset, uint32_t *ret), void *arg,
		uint64_t *ret) must_check nonnull(1, 3);
