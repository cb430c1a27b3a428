/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The judgement of a function: whether a bind rule for it is carried out, and if not, why. It is
 * about the rule that there is, or as if there were one. Every command that speaks of a device
 * asks here, so that none says what another one denies. Prints nothing.
 */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "group_cause.h"
#include "holders.h"
#include "inventory.h"
#include "plan.h"
#include "policy.h"
#include "usage.h"

/* What it is made from. */
struct judge {
	struct arena *arena;
	const struct policy *policy;
	const struct inventory *inventory; /* every function, with framebuffers */
	const struct plan *plan; /* of both */
	const struct usages *usages;
	const struct holders *holders; /* NULL: open nodes do not count */
	const struct group_causes *causes; /* NULL: no other slot is proposed */
	struct world *
		world; /* for virtual functions and modprobe.d; NULL: they are not asked of */
};

enum judged {
	JUDGED_FINE, /* there may be warnings */
	JUDGED_REFUSED,
	JUDGED_NEEDS_ALLOW, /* a guard protects it, and --force lifts that: by allow= */
};

#define JUDGED_WARNINGS_MAX 8

struct judgement {
	enum judged verdict;
	enum reason reason; /* of the refusal; REASON_NONE: the host uses it */
	const char *why; /* it is refused: a sentence with cause and remedy; NULL */
	bool is_forceable; /* "add --force" takes it, without an allow= */
	unsigned needs_allow; /* of enum allow */
	const char *warnings[JUDGED_WARNINGS_MAX];
	size_t warning_count;
};

/* What the user allows; all zero for nothing. */
struct allowance {
	unsigned allow; /* of enum allow */
	bool is_forced;
};

/*
 * What the host uses @d for, and which processes have its nodes open, if the judge has holders.
 * NULL for nothing.
 */
const struct usage *judge_usages(const struct judge *judge, const struct pci_device *d,
				 size_t *ret_count) nonnull(1, 2, 3);

/* Refuses @d, if it is fine so far, where a rule has it make virtual functions. */
void judge_maker(const struct judge *judge, const struct pci_device *d,
		 struct allowance allowance, struct judgement *ret) nonnull(1, 2, 4);

/* Judges a function: by the rule that names it, else as if "earlybind add" named it. */
void judge_device(const struct judge *judge, const struct pci_device *d,
		  struct allowance allowance, struct judgement *ret) nonnull(1, 2, 4);

/*
 * "earlybind add 02:00.0 02:00.1": the command that takes those of @devices (in the order of
 * addresses) that no rule names and that nothing speaks against, together. NULL if there is none,
 * or no memory. *ret_left: the first one that cannot be taken, or NULL.
 */
const char *judge_add_command(const struct judge *judge,
			      const struct pci_device *const *devices, size_t count,
			      const struct pci_device **ret_left) nonnull(1, 2, 4);

/*
 * Whether a VM can use IOMMU group @id after the next boot, as if rules named @as_if: those of them
 * that a rule takes are not in the way. -ENOMEM.
 */
int judge_group_then(const struct judge *judge, int id,
		     const struct pci_device *const *as_if, size_t count,
		     struct plan_group *ret) must_check nonnull(1, 5);

/* The same without such devices: NULL where no rule names a function of the group. */
const struct plan_group *plan_find_group(const struct plan *plan, int id) nonnull(1);

/* Whether a VM can use it now, by the drivers in @now. -ENOMEM. */
int judge_group_now(const struct inventory *now, int id, struct arena *arena,
		    struct plan_group *ret) must_check nonnull(1, 3, 4);

/*
 * What helps a group that is not viable, for describe_group(): the command that takes what is in
 * the way, or what must stay; and a free slot where the group's causes have one. "" for nothing.
 * @has_command_line: the command has a line of its own elsewhere.
 */
const char *judge_group(const struct judge *judge, const struct plan_group *group,
			bool has_command_line) nonnull(1, 2);

/*
 * The same, and where that names no command, the one that shows what the group is made of: for
 * those who say what to do next.
 */
const char *judge_group_next(const struct judge *judge, const struct plan_group *group)
	nonnull(1, 2);

/*
 * The first error of the configuration, NULL without one: until it is corrected no command changes
 * the rules, or binds.
 */
const struct problem *judge_config_error(const struct policy *policy) nonnull(1);

/* "correct FILE:LINE:COLUMN" for whom there is one. */
const char *judge_correct(const struct policy *policy, struct arena *arena) nonnull(1, 2);

/* What that means for the images, and for an edit. */
#define IMAGES_WAIT "images keep their old rules until the configuration is correct"
#define CONFIG_FIRST \
	"correct the configuration first: nothing is written into one that has errors"

/*
 * What brings the rules into the images: "run "earlybind apply"", with the correction before it
 * that this command would ask for.
 */
const char *judge_apply(const struct policy *policy, struct arena *arena) nonnull(1, 2);

#define GIVE_BACK_MAX 3

/*
 * How no later boot binds @devices, which the next one would: the commands that do it, in
 * quotes, and what must be taken out by hand. Returns how many lines; 0: nothing binds them, or
 * the configuration has an error, so that no command would change it.
 */
size_t judge_give_back(const struct judge *judge, const struct pci_device *const *devices,
		       size_t count, const char *ret[static GIVE_BACK_MAX])
	nonnull(1, 2, 4);

/*
 * Whether the ids= of modprobe.d name @d, which do not count while vfio-pci.ids= is on the command
 * line: they do once that is taken out. false without a world.
 */
bool judge_has_hidden_id(const struct judge *judge, const struct pci_device *d)
	nonnull(1, 2);

/*
 * That the disks of / are not known, so that @d may have one of them, as a sentence with what to
 * do; NULL where they are known, or it is no storage. For a function of which no use is known.
 */
const char *judge_unknown_disk(const struct judge *judge, const struct pci_device *d)
	nonnull(1, 2);

/*
 * Why a boot refuses @reason, with a remedy that @rule (NULL: none yet) can have: an ID of
 * vfio-pci.ids= carries no allow=. NULL without memory.
 */
const char *refusal_sentence(struct arena *arena, const struct rule *rule,
			     enum reason reason, const char *detail) nonnull(1);

/*
 * What is to be done about the refusal of @pd: refusal_sentence() behind its cause. The whole of
 * it where it has none. NULL without memory.
 */
const char *judge_remedy(const struct judge *judge, const struct plan_device *pd)
	nonnull(1, 2);

/*
 * How @rule is taken out: the command in quotes, or where it stands if no command edits that
 * place: "remove by hand 10ee:5000 (command line)". NULL without memory.
 */
const char *judge_remove_rule(const struct judge *judge, const struct rule *rule)
	nonnull(1, 2);

/* Of judgement->why the cause, without the remedy: "it drives the console". Empty for none. */
struct text judged_cause(const struct judgement *judgement) nonnull(1);

/* The address as people type it: "01:00.0". */
const char *device_short_address(const struct pci_device *d, char buf[static BDF_SIZE])
	nonnull(1);

/* A function of the chipset or the processor: it is in no slot, and its neighbours no card. */
bool device_is_on_root_bus(const struct pci_device *d) nonnull(1);

/*
 * Of a kept function that is on vfio-pci: whether the module's own ids= name it. Otherwise it was
 * bound before the keep rule, and the next boot leaves it alone.
 */
bool policy_has_module_id(const struct policy *policy, const struct pci_device *d)
	nonnull(1, 2);
