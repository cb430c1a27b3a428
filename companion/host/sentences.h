/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sentences that several commands print on the standard output. */
#pragma once

#include "compiler.h"
#include "message.h"
#include "plan.h"

/* Starts a paragraph with address and ID. */
struct paragraph describe_device(struct bdf bdf, const char *id) nonnull(2);

/* "vendor:device" */
#define ID_SIZE sizeof("ffff:ffff")
const char *format_id(const struct pci_ids *ids, char buf[static ID_SIZE]) nonnull(1);

/* Whether a VM can use the group, and who is in the way. */
void describe_group(const struct plan_group *group) nonnull(1);

/* A rule that names no device though it should. */
void describe_missing(struct text rule, const char *origin, const char *elsewhere)
	nonnull(2);
