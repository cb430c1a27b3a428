/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of "earlybind list" share: the functions of the machine and what is known. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "identity.h"
#include "inventory.h"
#include "json.h"
#include "modules.h"
#include "options.h"
#include "pci_names.h"
#include "policy.h"
#include "usage.h"
#include "world.h"

#define KIND_BUCKETS 1024

/* What all functions with the same IDs have. */
struct kind {
	struct pci_ids ids;
	const char *class; /* its name, or NULL */
	const char *name; /* "Vendor Device [vendor:device]", as far as there are names */
	const char *subsystem; /* the same for the subsystem; NULL if it has none */
	const char *vendor_name, *device_name; /* or NULL */
	const struct module_names *modules;
	struct kind *next;
};

struct listed {
	struct pci_device *device;
	bool is_shown;

	/* Read by list_look() for what is shown. */
	bool is_read;
	const char *override; /* "" for none */
	const char *resets; /* "flr bus": in the order in which the kernel tries them */
	unsigned revision;
	bool is_virtual; /* with @physical */
	struct bdf physical;
	unsigned virtual_count;
	const char *names; /* "path=..., serial=...", or "" */
	const char *twins; /* the addresses of identical cards, or "" */
	const struct kind *kind;
	const struct usage *usages;
	size_t usage_count;
};

struct list_group {
	int id;
	size_t first, count; /* in by_group */
	size_t bridge_count;
	size_t blocker_count; /* functions that a driver of the host has */
};

struct list {
	/* Options. */
	const char *sysroot;
	const char *pci_ids;
	const char *by;
	const char *color;
	const char *accel; /* "" or "all"; NULL: without */
	struct strings words;
	bool is_json;

	struct arena *arena;
	struct world *world;
	struct inventory inventory;
	struct names *names;
	struct modules *modules;
	struct kind *kinds[KIND_BUCKETS];
	struct usages usages;
	bool has_virtual; /* there is a function with virtual functions */
	struct identity identity;
	int serial_error; /* why a serial number could not be read */
	struct listed *items; /* one for each device of the inventory, in its order */
	struct listed **by_group;
	struct list_group *groups; /* in the order of numbers; NO_GROUP last */
	size_t group_count;
};

/* Reads what a function is shown with. */
void list_look(struct list *l, struct listed *item) nonnull(1, 2);

/* Whether a selector names it: what it needs to know of it is read. */
bool list_has_match(struct list *l, const struct selector *selector,
		    struct pci_device *device) nonnull(1, 2, 3);

/* Whether a driver of the host has it. */
bool list_is_blocker(const struct pci_device *device) nonnull(1);

/* The member "accel" of a function. */
void list_write_accel(const struct pci_ids *ids, struct json *json) nonnull(1, 2);
