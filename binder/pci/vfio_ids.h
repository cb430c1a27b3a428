/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The value of vfio-pci's parameter "ids", with exactly that driver's meaning and
 * tolerance (drivers/vfio/pci/vfio_pci.c: vfio_pci_fill_ids(), lib/vsprintf.c: vsscanf()).
 */
#pragma once

#include <stdbool.h>

#include "compiler.h"
#include "selector.h"
#include "text.h"

/* module_param_string(ids, ids, sizeof(ids)): a longer value is refused whole (-ENOSPC). */
#define IDS_LENGTH_MAX 1023

/* What is probably a mistake though the kernel accepts or skips it. */
enum ids_warning {
	IDS_FINE,
	IDS_INVALID, /* fewer than two fields: the kernel says "invalid id string" */
	IDS_TRAILING, /* text after the fields, ignored by the kernel */
	IDS_CLASS_UNUSED, /* a class without a mask, ignored by the kernel */
	IDS_TOO_WIDE, /* a value that no device can have: more than 16 bits */
};

struct ids_entry {
	struct text text;
	struct pci_match match; /* valid unless warning is IDS_INVALID */
	enum ids_warning warning;
};

/* Takes the next non-empty entry off @rest; false at the end. */
bool ids_next(struct text *rest, struct ids_entry *ret) nonnull(1, 2);

/* A sentence for the warning, "" for IDS_FINE. */
const char *ids_warning_message(enum ids_warning warning);
