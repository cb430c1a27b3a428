/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan: what is to be done with each function that a rule names, and why not with the
 * others. A pure function of the policy and the inventory; boot and companion share it.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "inventory.h"
#include "match.h"
#include "policy.h"
#include "reason.h"

enum action {
	ACTION_BIND, /* has no driver: claim it, then bind */
	ACTION_RECOVER, /* another driver has it: unbind that one, then bind */
	ACTION_DONE, /* is on the wanted driver already */
	ACTION_KEEP, /* a keep rule protects it */
	ACTION_REFUSE, /* a rule wants it, but it must not or cannot be done */
};

struct plan_device {
	const struct pci_device *device;
	const struct rule *rule;
	enum action action;
	const char *wanted; /* the driver */
	enum reason reason;
	const char *detail; /* of the reason; NULL for none */
	const char *note; /* a sentence about the device that is no failure, or NULL */
};

/* An IOMMU group of a device that is planned, done or kept. */
struct plan_group {
	int id;
	bool is_viable; /* nothing in it stays with the host */
	const struct pci_device **blockers;
	size_t blocker_count;
	enum reason reason; /* why no VM can use it, whatever is bound; REASON_NONE */
	const char *detail; /* of the reason */
};

struct plan {
	struct plan_device *devices; /* in the order of addresses */
	size_t device_count;
	struct plan_group *groups; /* in the order of numbers */
	size_t group_count;
	size_t *rule_matches; /* per rule of the policy: functions that it names */
	const struct lost *lost; /* per rule: where its device is instead, see lost.h */
	/*
	 * The module may be given its ids=: they match nothing that the plan leaves alone,
	 * nor what another driver has.
	 */
	bool is_ids_safe;
};

/* -ENOMEM if @arena is too small. */
int plan_make(const struct policy *policy, const struct inventory *inventory,
	      struct arena *arena, struct plan *ret) must_check nonnull(1, 2, 3, 4);

/*
 * Leaves in @plan what is about the function at @bdf. The module gets no ids= then: they
 * could take others.
 */
void plan_restrict(struct plan *plan, struct bdf bdf) nonnull(1);

/* What becomes of a function; NULL if no rule names it. */
const struct plan_device *plan_find(const struct plan *plan,
				    const struct pci_device *device) nonnull(1, 2);

/* Whether @d is with vfio-pci already or will be: asked in the order of addresses. */
bool plan_is_leaving_host(const struct plan *plan, const struct pci_device *d)
	nonnull(1, 2);

/* "bind", "recover", "done", "keep", "refuse" */
const char *action_name(enum action action);
