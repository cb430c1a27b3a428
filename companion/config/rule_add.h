/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wishes that become rules: how "add", "keep" and "select" bring them about. */
#pragma once

#include "compiler.h"
#include "edit_session.h"
#include "rule_request.h"

/* Marks the wishes that come true without a new rule, and says by which. */
void addition_drop_done(struct edit *e, struct wishes *w) nonnull(1, 2);

/*
 * Puts the others into e->text and looks at what the plan makes of them. Says what is refused
 * or fails; -errno, and nothing may be written then.
 */
int addition_apply(struct edit *e, struct wishes *w) must_check nonnull(1, 2);

/* Shows what they take, what becomes of the groups, and who else should go along. */
void addition_show(struct edit *e, const struct wishes *w) nonnull(1, 2);
