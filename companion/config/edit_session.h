/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands share that change the configuration: add, keep, remove, select. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "edit_file.h"
#include "group_cause.h"
#include "holders.h"
#include "identity.h"
#include "inventory.h"
#include "judgement.h"
#include "options.h"
#include "pci_names.h"
#include "plan.h"
#include "policy.h"
#include "result.h"
#include "sources.h"
#include "text.h"
#include "usage.h"

/* A line before and after, without its end; p is NULL where there is none. */
struct config_change {
	struct text before;
	struct text after;
};

#define CONFIG_CHANGES_MAX 2048

struct config_edit {
	struct arena *arena;
	struct text bytes; /* as it is now; p may be NULL where there is nothing */
	struct config_change *changes; /* in the order in which they were made */
	size_t change_count;
};

struct edit {
	/* From the command line */
	struct strings words;
	const char *config;
	const char *profile;
	const char *sysroot;
	bool is_dry_run;
	struct result result; /* --json, -q: of those that have RESULT_OPTIONS */
	bool is_interactive; /* the user chooses meanwhile: nobody else waits for that */
	struct selector *asked; /* that edit_open() reads the facts for */
	size_t asked_count;

	/* The machine and its rules as they are */
	struct arena *arena;
	struct world *world;
	struct inventory inventory; /* every function */
	struct inventory next; /* those of them that the next boot has */
	struct group_causes causes; /* of its groups, once they are told */
	struct identity identity;
	struct companions *
		companions; /* per device: what brings it along now; NULL: nothing does */
	struct usages usages;
	struct holders holders;
	struct names *names;
	struct edit_file file; /* that is edited */
	bool is_new; /* it does not exist yet */
	struct text old; /* what was read from it */
	int lock; /* of edit_lock() */
	struct sources sources; /* the first one is the file that is edited */
	struct policy before; /* sources last, with lines and columns */

	/* What is to become of it */
	struct config_edit text;
	struct policy after;
	struct plan plan;
	bool is_written;
};

/* For the tables of options: what every one of these commands has. */
#define EDIT_OPTIONS(e) \
	{"config", "FILE", "edit FILE, not /etc/earlybind.conf", \
	 .ret_string = &(e).config}, \
		{"dry-run", NULL, "show the change and write nothing", \
		 .ret_flag = &(e).is_dry_run}, \
		{"profile", "NAME", "edit the rules of [profile NAME]", \
		 .ret_string = &(e).profile}, \
	{ \
		"sysroot", "DIR", "edit the tree below DIR, not this machine", \
			.ret_string = &(e).sysroot \
	}

/* ---- config text ---- */

/*
 * Changes of a configuration's text that leave everything else as it was: comments, order,
 * blank lines, line ends. Pure: bytes in, bytes out.
 */

/* @bytes must live as long as the edit. -ENOMEM. */
int config_edit_start(struct config_edit *edit, struct arena *arena,
		      struct text bytes) must_check nonnull(1, 2);

/*
 * Adds lines at the end of a section: of [profile @profile], which is made if it is not there,
 * or, if @profile is empty, of the part before the first section. A comment that stands right
 * above the next section stays with it. -ENOMEM; -E2BIG for too many changes.
 */
int config_edit_append(struct config_edit *edit, struct text profile,
		       const struct text *lines, size_t count) must_check nonnull(1, 3);

/*
 * Takes selectors out of rules, and a rule with its line where none is left in it. They are
 * the texts of rules (struct rule) that config_parse() found in edit->bytes as it is now, in
 * the order of the text. Errors as above.
 */
int config_edit_remove(struct config_edit *edit, const struct text *selectors,
		       size_t count) must_check nonnull(1, 2);

/* ---- config path ---- */

/* The configuration file that the companion writes. */

/*
 * Reads machine and configuration, with the lock of all edits: it is held until edit_finish(),
 * or the end of the program. The configuration must be without errors. Says what is wrong;
 * -errno.
 */
int edit_open(struct edit *e) must_check nonnull(1);

/*
 * Reads the edited text as the image's maker and the binder will, into e->after and e->plan.
 * Says what is wrong, which no edit of ours should bring about; -errno.
 */
int edit_check(struct edit *e) must_check nonnull(1);

/*
 * Shows the change, writes it unless this is a dry run, and names the next step. Returns the
 * exit code.
 */
int edit_finish(struct edit *e) must_check nonnull(1);

/*
 * For --json: the change, what the next boot does with the functions that it is about (one of
 * @is_about per device of the inventory; NULL: nothing was worked out), and the next step.
 */
void edit_write(const struct edit *e, const bool *is_about, struct json *json)
	nonnull(1, 3);

/* The profile that is edited, or empty. */
struct text edit_profile(const struct edit *e) nonnull(1);

/* Whether the rule stands where this run edits. */
bool edit_is_own(const struct edit *e, const struct rule *rule) nonnull(1, 2);

bool edit_has_selector(const struct selector *selector, const struct pci_device *d)
	nonnull(1, 2);

/* Whether @rule counts and names the device. */
bool edit_has_match(const struct edit *e, const struct rule *rule,
		    const struct pci_device *d) nonnull(1, 2, 3);

/*
 * The rule (with=) by which the boot binds the device though none names it. NULL: none does, or it
 * is left to the host, which may live on its card.
 */
const struct rule *edit_along(const struct edit *e, const struct pci_device *d)
	nonnull(1, 2);

/* "0000:01:00.0 [10ee:5000] Xilinx Corporation (xclmgmt)", into the arena. */
const char *edit_describe(struct edit *e, const struct pci_device *d) nonnull(1, 2);

/* What functions are judged by, once e->plan is made: by edit_check(). */
struct judge edit_judge(const struct edit *e) nonnull(1);

/* "10ee:5000 (/etc/earlybind.conf:3:6)", into the arena. */
const char *edit_describe_rule(struct edit *e, const struct rule *rule) nonnull(1, 2);
