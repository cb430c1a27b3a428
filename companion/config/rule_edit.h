/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wishes that become rules: how "add", "keep" and "select" bring them about. */
#pragma once

#include "compiler.h"
#include "edit_session.h"
#include "judgement.h"
#include "rule_request.h"

struct removal {
	bool is_removed[RULES_MAX]; /* per rule of e->before */
};

/* Marks the wishes that come true without a new rule, and says by which. */
void addition_drop_done(struct edit *e, struct rule_requests *w) nonnull(1, 2);

/*
 * Judges all bind wishes by e->plan, the plan with them: also those that a rule fulfils already,
 * if the boot would not carry that rule out. Says what is refused and what is worth a warning.
 */
enum judged addition_judge(struct edit *e, struct rule_requests *w) must_check
	nonnull(1, 2);

/*
 * Puts the others into e->text and looks at what the plan makes of them. Says what is refused
 * or fails; -errno, and nothing may be written then.
 */
int addition_apply(struct edit *e, struct rule_requests *w) must_check nonnull(1, 2);

/* Shows what they take, what becomes of the groups, and who else should go along. */
void addition_show(struct edit *e, const struct rule_requests *w) nonnull(1, 2);

/* The same for --json: the fields of edit_write(). @is_done: it got as far as a plan. */
void addition_write(const struct edit *e, const struct rule_requests *w, bool is_done,
		    struct json *json) nonnull(1, 2, 4);

/* ---- rule remove ---- */

/* Rules that are to go: how "remove" and "select" find them. */

/*
 * Marks the bind rules about nothing but the devices that are meant (one per device of the
 * inventory), and, unless @asked is NULL, the rules with this selector. Says which rules bind
 * more or stand elsewhere, and counts them in *ret_others. Returns how many it marked.
 */
size_t removal_mark(struct removal *r, struct edit *e, const struct selector *asked,
		    const bool *is_meant, size_t *ret_others) nonnull(1, 2, 4, 5);

/* Takes them out of e->text. Says what is wrong; -errno. */
int removal_apply(const struct removal *r, struct edit *e) must_check nonnull(1, 2);

/* Shows what becomes of the devices, by e->plan. */
void removal_show(const struct removal *r, struct edit *e) nonnull(1, 2);

/* The same for --json, as addition_write(). */
void removal_write(const struct removal *r, const struct edit *e, bool is_done,
		   struct json *json) nonnull(1, 2, 4);
