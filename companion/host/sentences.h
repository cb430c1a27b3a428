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

/*
 * Whether a VM can use the group, who is in the way, and what helps; "" or NULL for nothing. @when
 * stands behind its number: ", after the next boot".
 */
void describe_group(const struct plan_group *group, const char *when, const char *remedy)
	nonnull(1, 2);

/* A rule that names no device though it should. */
void describe_missing(struct text rule, const char *origin, const char *elsewhere)
	nonnull(2);

/*
 * An ID that several cards have, so that a rule may take more than was meant: "10de:2489 (command
 * line): ...", with the command that leaves one of them to the host. NULL if it is none.
 */
struct identity;
const char *twins_sentence(struct identity *identity, const struct plan *plan,
			   const struct rule *rule) nonnull(1, 2, 3);

/*
 * A physical function that an ID or class takes before its virtual functions exist: what
 * becomes of them, with the command that leaves it to its driver. NULL if it is none, or if one of
 * @vfs (NULL: not judged) says that already.
 */
struct vfs_rules;
struct world;
const char *physical_sentence(struct world *world, struct arena *arena,
			      const struct plan_device *pd, const struct vfs_rules *vfs)
	nonnull(1, 2, 3);
