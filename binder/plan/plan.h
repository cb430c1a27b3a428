/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan: what is to be done with each function that a rule names, and why not with the
 * others. A pure function of the policy and the inventory; boot and companion share it.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "inventory.h"
#include "policy.h"
#include "reason.h"

/* The first rule of each kind; NULL where there is none. */
struct match {
	const struct rule *keep; /* wins over every bind rule */
	const struct rule *bind;
	const struct rule *mismatch; /* a bind rule that expects another device here */
	const struct pci_device
		*with; /* that it comes along with; NULL: a rule names it */
	const char *elsewhere; /* of the mismatch: where its device is; NULL */
	bool is_followed; /* the bind rule says another place */
	unsigned allow; /* what any of its bind rules allows (enum allow) */
};

/* Of a bind rule that says which device it expects: whether it is there. */
struct moved {
	bool is_lost; /* nothing matches the rule */
	bool is_followed; /* its card is elsewhere, and is bound there */
	struct bdf card; /* then: one of its functions */
	const char *elsewhere; /* where its device is instead; NULL: nowhere */
};

/* About one function. */
struct companions {
	const struct rule *rule; /* the first that brings it along; NULL: none does */
	const struct pci_device *with; /* the function that the rule names */
	unsigned allow; /* what any that brings it along allows (enum allow) */
	bool is_of_card; /* a rule names another function of the same card */
	bool is_named; /* a bind rule names it itself */
	bool is_kept;
	size_t seen; /* the last rule that brought it along, from 1 */
};

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
	unsigned allow; /* of the rules that name it */
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
	const struct moved *moved; /* per rule: where its device is instead; plan.c */
	/*
	 * The module may be given its ids=: they match nothing that the plan leaves alone,
	 * nor what another driver has.
	 */
	bool is_ids_safe;
	/*
	 * It is of the next boot, though the drivers are those of now: nothing is on vfio-pci
	 * then but what the plan takes.
	 */
	bool is_foreseen;
};

/* ---- match ---- */

/* Which rules are about a function. */

/*
 * What the bind rules about @d say of its driver: the first one that says something; empty
 * for none, also where a keep rule is about it.
 */
struct text match_driver(const struct policy *policy,
			 const struct pci_device *d) must_check nonnull(1, 2);

/* ---- companions ---- */

/*
 * What comes along with the functions that rules name (with=functions, with=group). Never a
 * bridge, and nothing with one or with a function that is kept.
 */

/*
 * One for each device of the inventory; *ret is NULL if no rule has with=. @lost has one entry
 * per rule; NULL: it is looked for. -ENOMEM.
 */
int companions_find(const struct policy *policy, const struct inventory *inventory,
		    const struct moved *moved, struct arena *arena,
		    struct companions **ret) must_check nonnull(1, 2, 4, 5);

/*
 * Why @d, which only its group brings along, is left to the host, which may live on its card:
 * storage, network, displays and USB controllers need the @allow of a rule. NULL: it is not.
 */
const char *companions_why_host(const struct companions *companions,
				const struct inventory *inventory,
				const struct pci_device *d, unsigned allow,
				struct arena *arena) must_check nonnull(1, 2, 3, 5);

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

/* Whether @d will be with vfio-pci, or is and stays: asked in the order of addresses. */
bool plan_is_leaving_host(const struct plan *plan, const struct pci_device *d)
	nonnull(1, 2);

/* "bind", "recover", "done", "keep", "refuse" */
const char *action_name(enum action action);
