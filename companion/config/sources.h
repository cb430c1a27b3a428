/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration files of a machine, as a policy and as the text of the table. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "compiler.h"
#include "options.h"
#include "policy.h"
#include "table.h"
#include "text.h"
#include "world.h"

struct recorded {
	struct text lines; /* as in earlybind.conf(5) */
	size_t count; /* of them */
	const char *why; /* why there is none, or not all; or NULL */
	bool is_left_out; /* since the table has no room for them */
};

#define CONFIG_FILES_MAX 256
#define CONFIG_SIZE_MAX	 ((size_t)1024 * 1024)

struct config_file {
	struct text name; /* as users know it: without the sysroot */
	struct text bytes;
};

struct sources {
	struct config_file files[CONFIG_FILES_MAX];
	size_t count;
	/* Goes into the table behind the files; what is dispensable comes last. */
	struct recorded critical; /* critical_read() */
	struct recorded known; /* known_cards_read() */
	bool is_without_critical; /* none are looked for */
	bool is_generic; /* neither: the image is for other machines too */
};

/* ---- recorded ---- */

/* What goes into the table behind the configuration: of the machine that the image is made on. */

/* ---- critical ---- */

/*
 * The critical devices of a machine, as critical rules for the table of its image: what the
 * host would be lost with (usage.h), led down to the functions.
 */

/*
 * Reads the machine. Nothing is critical where the image is not made on the machine that
 * runs from it: in a container, a chroot or a live system. What cannot be read is left out,
 * so this never fails.
 */
void critical_read(struct world *world, struct arena *arena, struct recorded *ret)
	nonnull(1, 2, 3);

/* ---- known cards ---- */

/*
 * What the cards of a machine are that rules name by their place or serial number, as known
 * lines for the table of its image (policy.h): the binder can say then that one was reflashed.
 */

/*
 * Reads the files that were named, or, if none was, earlybind.conf and the *.conf files of
 * earlybind.conf.d in the order of their names. Says what cannot be read; -errno then.
 */
int sources_read(struct world *world, struct arena *arena, const struct strings *named,
		 struct sources *ret) must_check nonnull(1, 2, 3, 4);

/* Adds all rules and options to @policy, as SOURCE_CONFIG: with lines and columns. */
void sources_parse(const struct sources *sources, struct policy *policy) nonnull(1, 2);

/*
 * Then: looks for the critical devices of the machine, unless @policy says critical=none or
 * this is not wanted, and adds rules for them.
 */
void sources_add_critical(struct world *world, struct arena *arena,
			  struct sources *sources, struct policy *policy)
	nonnull(1, 2, 3, 4);

/*
 * Then: what the cards are that rules name by their place or number, for known lines, unless
 * the image is for other machines too.
 */
void sources_add_known(struct world *world, struct arena *arena, struct sources *sources,
		       struct policy *policy) nonnull(1, 2, 3, 4);

/* How many rules somebody wrote, wherever: without those that were recorded with an image. */
size_t sources_count_rules(const struct policy *policy) nonnull(1);

/* A table's text without what was recorded there. */
struct text sources_cut_recorded(struct text table);

/*
 * What is wrong with a part of a list that is the bare name of a group of accelerators, behind one
 * with accel=; NULL if @word is none.
 */
const char *accel_list_sentence(struct text word);

/*
 * Prints problems to the error output, those of @sources with their lines. True if one of
 * them is an error.
 */
bool sources_print_problems(const struct sources *sources, const struct policy *policy)
	nonnull(1, 2);

/*
 * The table for a binder, and the length of its text. @policy is what the sources were parsed
 * into: without problems, the table must give the same. What is recorded
 * is left out where there is no room for it beside the rules, and @sources says so. Says what
 * is wrong: that the rules do not fit; -errno.
 */
int sources_encode(struct sources *sources, const struct policy *policy,
		   struct arena *arena, const struct table_section **ret,
		   size_t *ret_length) must_check nonnull(1, 2, 3, 4, 5);

/* "/etc/earlybind.conf", "3 files", "no configuration" */
const char *sources_describe(const struct sources *sources, struct arena *arena)
	nonnull(1, 2);
