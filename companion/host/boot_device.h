/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device of the report against the machine as it is now. */
#pragma once

#include <stdbool.h>

#include "boot_report.h"
#include "compiler.h"
#include "inventory.h"

bool boot_device_is_bound(const struct boot_device *b) nonnull(1);
bool boot_device_is_by_hand(const struct boot_device *b) nonnull(1);
/* "earlybind release" gave it back. */
bool boot_device_is_released(const struct boot_device *b) nonnull(1);

/* "at boot", "when it appeared", "by hand" */
const char *boot_device_when(const struct boot_device *b) nonnull(1);

/* What the report says of its IDs: without subsystem and class. */
struct pci_ids boot_device_ids(const struct boot_device *b) nonnull(1);

/* What is at the address now; NULL if nothing is, or another device. */
const struct pci_device *boot_device_now(const struct boot_device *b,
					 const struct inventory *now) nonnull(1, 2);

/* Whether the machine is no longer as the run left it, on purpose, for this device. */
bool boot_device_is_changed(const struct boot_device *b, const struct inventory *now)
	nonnull(1, 2);

/* Whether all is as the rule wants it. */
bool boot_device_is_well(const struct boot_device *b, const struct inventory *now)
	nonnull(1, 2);
