/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The accelerators that are known by their IDs (data/accelerators.csv), and the groups that
 * rules name them with (data/accel-groups.csv). A card in one role, as "the user functions of
 * Alveo cards", is a leaf; groups are sets of leaves. Everything is built in and constant.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "device.h"
#include "text.h"

enum accel_role {
	ACCEL_UNKNOWN, /* not in the table */
	ACCEL_USER, /* what a VM is given of a card with a management function */
	ACCEL_NPU,
	ACCEL_GPU,
	ACCEL_VPU,
	ACCEL_FPGA,
	ACCEL_CRYPTO,
	ACCEL_SWITCH,
	/* Only in groups that say so. */
	ACCEL_MGMT, /* the management function: it can flash the card */
	ACCEL_GOLDEN, /* runs its golden image, to be flashed */
	ACCEL_VF,
	ACCEL_DENY, /* vfio-pci refuses it: its denylist */
	ACCEL_GPU_CLASS, /* a GPU by its class alone */
};

/* The role of a function by its IDs; of several entries the first. */
enum accel_role accel_role(const struct pci_ids *ids) nonnull(1);

/* "user", "mgmt"...; "" for ACCEL_UNKNOWN. */
const char *accel_role_name(enum accel_role role);

/* Its entry: an index for accel_card_name() of the companion. -ENOENT if there is none. */
int accel_find(const struct pci_ids *ids) must_check nonnull(1);

/* Groups are numbered in the order of their names, from 0. "" behind the last. */
const char *accel_group_name(unsigned group);

/* -EINVAL if there is no such group. */
int accel_group_parse(struct text t, unsigned *ret) must_check nonnull(2);

/* Whether a function is of the group (the kernel's match of IDs: pci_match_has()). */
bool accel_group_has(unsigned group, const struct pci_ids *ids) nonnull(2);

/* The vendors with cards in the group, each once: false when there is no more. @at starts at 0. */
bool accel_group_vendor(unsigned group, size_t *at, uint16_t *ret) nonnull(2, 3);

struct accel_card {
	uint16_t vendor;
	uint16_t device; /* if @has_device */
	uint16_t class; /* else: base class and subclass; 0 if any */
	bool has_device;
};

/*
 * The cards of the group one after another: at least those that accel_group_has(), since subsystems
 * are left out. One may come twice in a row. False when there is no more. @at starts at 0.
 */
bool accel_group_next(unsigned group, size_t *at, struct accel_card *ret) nonnull(2, 3);

/* Why @t is no group: a sentence that names the one that it was probably meant to be. */
const char *accel_unknown(struct text t);
