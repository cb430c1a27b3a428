/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "earlybind check" without an image: the machine as a whole. What is known of it is read once
 * into struct doctor; each check is a function that looks at it and says what it finds.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "boot_report.h"
#include "compiler.h"
#include "findings.h"
#include "group_cause.h"
#include "installed.h"
#include "judgement.h"
#include "options.h"
#include "recipe.h"
#include "run.h"
#include "sources.h"
#include "usage.h"
#include "world.h"

/* A function that rules bind, or that was named on the command line. */
struct target {
	const struct pci_device *device;
	const struct plan_device *planned; /* NULL: no rule names it */
	const char *name; /* "0000:01:00.0 [10ee:5000]" */
	struct judgement judgement;
};

struct machine {
	/* Options. */
	const char *kernel;
	const char *sysroot;
	struct strings configs;
	struct strings words; /* devices */
	struct strings only; /* names of checks */
	bool is_json;
	bool is_fix;

	struct arena *arena;
	struct world *world;
	struct findings findings;
	const char *name; /* of the check that runs */

	struct selector selectors[STRINGS_MAX]; /* of the words */
	struct sources sources;
	struct policy files; /* the configuration alone */
	struct run run; /* the next boot's policy, and the plan with all functions */
	bool has_rule;
	struct text cmdline; /* the running one; p is NULL if it cannot be read */
	struct target *targets;
	size_t target_count;
	struct installed installed; /* kernels and their images */
	const char *running; /* the kernel; NULL if it is not known */
	struct boot boot;
	int boot_error; /* of boot_read() */
	const char *boot_path, *boot_message;
	struct usages usages;
	struct holders holders;
	struct judge judge; /* of all of that */
	struct group_causes causes;
	bool has_causes;
	struct recipes recipes;
	size_t image_failures; /* what --fix can put right */
};

/* Runs the checks and prints what they found. Returns the exit code. */
int machine_check_run(struct machine *machine) must_check nonnull(1);

/* The names of the checks in their order; NULL behind the last one. */
const char *machine_check_name(size_t i);
