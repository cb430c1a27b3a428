/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of "earlybind cmdline" share. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "bootloader.h"
#include "iommu.h"
#include "options.h"
#include "result.h"
#include "text.h"
#include "world.h"

#define CMDLINE_FILE_MAX ((size_t)1024 * 1024)
#define CHANGES_MAX	 16

/* A file that is to be another one. */
struct change {
	const char *path; /* as users know it */
	struct text old; /* p is NULL: there is none */
	const char *new; /* NULL: it goes */
	unsigned mode;
	bool has_backup; /* it is not earlybind's own: the old one is kept */
	/* What reads the file: 0 if it is as it must be; @arg is the struct cmdline_command. */
	int (*check)(const void *arg, struct text bytes);
};

struct cmdline_command {
	/* Options. */
	bool is_set, is_dry_run, is_removed, is_forced, has_no_update, has_menu_entry;
	struct strings added;
	const char *sysroot;
	struct result result;

	struct arena *arena;
	struct world *world;
	struct text running; /* /proc/cmdline */
	struct iommu iommu;
	struct bootloader loader;

	const char *before; /* what stands where parameters are set, without ours */
	const char *last; /* what stands behind that, GRUB_CMDLINE_LINUX_DEFAULT */
	const char *ours; /* the words that an earlier --set added */

	const char *expected; /* words that must be in what is written; NULL: none */
	struct change changes[CHANGES_MAX];
	size_t change_count;
	const char *commands[LOADER_COMMANDS_MAX][LOADER_ARGUMENTS_MAX];
	size_t command_count;
	bool is_done; /* files are written, what was to be run has been, and nothing is left */
};

/* Reads what is set now: before, last, ours. Says what is wrong. */
int cmdline_read_settings(struct cmdline_command *c) must_check nonnull(1);

/* Changes that add @words, those of ours among them, or take all away. -EEXIST: refused, said. */
int cmdline_plan_set(struct cmdline_command *c, const struct strings *wanted) must_check
	nonnull(1, 2);
int cmdline_plan_remove(struct cmdline_command *c) must_check nonnull(1);
int cmdline_plan_menu_entry(struct cmdline_command *c) must_check nonnull(1);

enum menu_state {
	MENU_NONE, /* and none can be made */
	MENU_POSSIBLE,
	MENU_THERE,
};

/* The entry without earlybind. @c: with its machine and its boot loader. Says nothing. */
enum menu_state cmdline_find_menu_entry(struct cmdline_command *c) nonnull(1);

/*
 * What has to be done by hand before a boot has what the settings say, as no program that is known
 * does it: "make ...". NULL for nothing.
 */
const char *cmdline_by_hand(const struct cmdline_command *c) nonnull(1);

/*
 * Prints the changes, makes them, gives back @lock of edit_lock(), and runs the commands. The
 * exit code.
 */
int cmdline_carry_out(struct cmdline_command *c, int *lock) must_check nonnull(1, 2);
