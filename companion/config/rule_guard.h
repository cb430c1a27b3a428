/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the host can do without what new rules would take from it. */
#pragma once

#include "compiler.h"
#include "edit_session.h"
#include "rule_request.h"

enum judgement {
	JUDGED_FINE, /* warnings may have been said */
	JUDGED_REFUSED, /* and said why */
	JUDGED_NEEDS_ALLOW, /* a wish is for what a guard protects, and is meant: it is marked */
};

/*
 * Judges all bind wishes that are not done by e->plan, the plan with them, and by what the
 * host uses now. Says what is refused and what is only worth a warning.
 */
enum judgement guard_judge(struct edit *e, struct rule_requests *w) must_check
	nonnull(1, 2);
