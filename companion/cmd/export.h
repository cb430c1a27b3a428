/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices that vfio-pci has now, in the form that the next tool takes. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "group_cause.h"
#include "inventory.h"
#include "next_boot.h"
#include "options.h"
#include "pci_names.h"
#include "rule_request.h"
#include "world.h"

struct exporter {
	const char *sysroot;
	const char *pci_ids;
	const char *output; /* NULL: the standard output */
	struct strings words; /* the format, then devices */
	struct strings device_words;
	struct selection selection;

	struct arena *arena;
	struct world *world;
	struct names *names; /* NULL: there are none */
	struct boot_view view;
	struct run
		next; /* the plan of the rules as they are now; empty if they cannot be read */
	struct inventory now; /* all functions */
	const struct pci_device **devices; /* those to export, sorted by address */
	size_t count;
	bool is_facts; /* what no VM can have as well */
	bool *is_drawn; /* per function: in the picture */
	struct group_causes causes; /* of the picture, with @has_causes */
	bool has_causes;
};

struct export_format {
	const char *name;
	const char *summary;
	bool is_picture; /* of all that is there: nothing is left out of it */
	int (*write)(struct exporter *e); /* 0 or -errno */
};

/* NULL behind the last one. */
const struct export_format *export_format(size_t i);

/* ---- for the formats ---- */
