/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines and rules by lot, and what must become of them: worked out a second time, from
 * what the manual says (earlybind.conf(5), binder(8)) and from how the machine was drawn,
 * without the code that is tested.
 */
#pragma once

#include "fake_world.h"
#include "plan.h"

#define LOT_RULES_MAX	40
#define LOT_SERIALS_MAX 8
#define LOT_HOPS_MAX	8
#define LOT_TEXT_SIZE	200
#define LOT_CONFIG_SIZE 8192
#define LOT_GROUPS_MAX	64

/* Where a rule is written. Rules count in this order. */
enum lot_place {
	PLACE_CMDLINE,
	PLACE_IDS, /* vfio-pci.ids= of the command line */
	PLACE_MODPROBE, /* ids= of modprobe.d */
	PLACE_CONFIG,
	PLACE_PROFILE, /* in [profile one] */
	PLACE_OTHER_PROFILE, /* in [profile two] */
	PLACE_COUNT,
};

struct lot_path {
	struct bdf root;
	uint8_t hops[LOT_HOPS_MAX]; /* device << 3 | function */
	size_t count;
	bool is_any; /* function of the last one */
};

struct lot_rule {
	enum lot_place place;
	enum rule_kind kind;
	unsigned terms; /* of enum selector_term */
	struct pci_match id;
	struct bdf address;
	bool is_any_function;
	uint32_t class, class_mask;
	size_t accel; /* of lot_accels */
	struct lot_path path;
	size_t slot; /* of the machine's */
	uint64_t serial;
	bool is_followed; /* wherever its card is */
	enum with with;
	unsigned allow; /* of a critical rule: what lifts it */
	char text[LOT_TEXT_SIZE]; /* the selector */
	char options[LOT_TEXT_SIZE]; /* words with blanks */
};

/* Groups of accelerators, as far as the machines have them. */
struct lot_accel {
	const char *name;
	uint16_t vendor, device; /* device 0: any */
	uint32_t class; /* 0: any */
};
extern const struct lot_accel lot_accels[];
#define LOT_ACCELS 7

struct lot_slot {
	char name[16], address[BDF_SIZE];
	struct bdf bdf;
	bool is_bus; /* all that is on the bus is in it */
};

#define LOT_SLOTS_MAX 6

struct lot {
	uint64_t state;
	struct fake_world *w;
	/* Of each device of the bus. */
	int parents[FAKE_DEVICES_MAX]; /* the bridge that it is behind; -1: none */
	int cards[FAKE_DEVICES_MAX]; /* of a virtual function; -1: it is none */
	struct lot_slot slots[LOT_SLOTS_MAX];
	size_t slot_count;
	uint64_t serials[FAKE_DEVICES_MAX]; /* its own; 0: none */
	char words[FAKE_DEVICES_MAX][32]; /* that the model points to */
	uint32_t configs[LOT_SERIALS_MAX][FAKE_CONFIG_WORDS];
	unsigned bus_count[2]; /* of each domain */

	bool is_used[FAKE_DEVICES_MAX]; /* a network interface on it is up */
	bool has_hanging; /* a function whose serial number cannot be read */
	bool has_noiommu, has_denylist_off, is_profile_on;
	struct lot_rule rules[LOT_RULES_MAX];
	size_t rule_count;
	/* By lot_write(). */
	char cmdline[2048], modprobe[512], config[LOT_CONFIG_SIZE];
	size_t order[LOT_RULES_MAX]; /* the numbers of the rules as the policy has them */
	size_t order_count;
};

/* What must become of a function. */
struct lot_want {
	bool is_planned;
	enum action action;
	enum reason reason;
	size_t rule; /* by the policy's order */
};

/* Which rules are about a function, by the policy's order; LOT_NO_RULE: none. */
#define LOT_NO_RULE SIZE_MAX
struct lot_match {
	size_t keep, bind, claim;
	size_t companions; /* brings it along with another one */
	unsigned allow; /* of all that bind it or bring it along */
	bool is_of_card; /* that a rule names */
};

/* A number below @below. */
unsigned lot_draw(struct lot *lot, unsigned below);

/* Draws a machine and rules for it. The same seed gives the same. */
void lot_make(struct lot *lot, uint64_t seed);
void lot_free(struct lot *lot);

/* One more rule, like one of the machine's devices, in its place. */
struct lot_rule *lot_add_rule(struct lot *lot, enum rule_kind kind, enum lot_place place);
/* Writes the rules to where they stand. Once more after every change. */
void lot_write(struct lot *lot);

/* The way to a device. False if it has none. */
bool lot_path_of(const struct lot *lot, size_t device, struct lot_path *ret);
bool lot_is_bridge_class(const struct fake_device *device);
/* Whether the rule counts in this run. */
bool lot_is_active(const struct lot *lot, const struct lot_rule *rule);
/* Whether the rule names the device. */
bool lot_has_match(const struct lot *lot, const struct lot_rule *rule, size_t device);
/* Whether the rule says which device it expects, besides its place. */
bool lot_may_be_lost(const struct lot_rule *rule);
/* Whether the rule could follow its card there, where some serial numbers cannot be read. */
bool lot_may_follow(const struct lot *lot, const struct lot_rule *rule, size_t device);
/* Whether it names the device where it says, or where its card is followed to. */
bool lot_is_named(const struct lot *lot, const struct lot_rule *rule, size_t device);
void lot_match(const struct lot *lot, size_t device, struct lot_match *ret);
/* What must become of all devices, by their numbers, and whether the module gets its ids=. */
void lot_work_out(const struct lot *lot, struct lot_want *want, bool *ret_is_ids_safe);
/* How many functions keep each group from a VM then; -1: the plan says nothing of it. */
void lot_count_blockers(const struct lot *lot, const struct lot_want *want,
			int blockers[static LOT_GROUPS_MAX]);
