/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration text: earlybind.conf(5), and the embedded table, which holds the same
 * text in its normal form.
 */
#pragma once

#include "compiler.h"
#include "policy.h"
#include "text.h"

/*
 * Adds the rules and options of @bytes to @policy. @file names it in origins; @bytes and
 * @file must live as long as the policy. Errors are recorded as problems with line and
 * column; the rest of the text still counts.
 *
 * In a table, a line "#: FILE:LINE" gives the origin of the line that follows.
 */
void config_parse(struct policy *policy, enum source source, struct text file,
		  struct text bytes) nonnull(1);

/*
 * Whether a line is the head of a section: 1 and its profile, 0 if it is none, -EINVAL for one
 * that is not understood.
 */
int config_section(struct text line, struct text *ret_profile) must_check nonnull(2);

/*
 * The normal form of @bytes for the table: no comments, no blanks beyond one, each line
 * with its origin. Returns the length, or -ENOSPC if @size is too small.
 */
int config_normalise(struct text file, struct text bytes, char *buf,
		     size_t size) must_check nonnull(3);

/*
 * The rules of @policy as such text, those that another program could not read itself: of
 * the table and of files that add to the command line. Profiles are resolved, and the
 * options are those in force. Returns the length, or -ENOSPC.
 */
int config_write(const struct policy *policy, char *buf, size_t size) must_check
	nonnull(1, 2);

/* What config_write() needs for so many rules and known lines. */
#define CONFIG_WRITE_SIZE(rules) (256 + (rules) * (ORIGIN_SIZE + SELECTOR_SIZE + 256))
