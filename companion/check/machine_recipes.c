/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What other files say: command lines that did not reach this boot, recipes gone stale. */
#include <string.h>

#include "kernel_cmdline.h"
#include "machine_check.h"
#include "message.h"
#include "paths.h"

enum presence {
	PRESENCE_SAME,
	PRESENCE_OTHER_VALUE,
	PRESENCE_NONE,
};

static bool is_same(struct text a, struct text b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* A parameter of the kernel or a module, where '-' and '_' are the same. */
static bool is_same_name(struct text a, struct text b)
{
	for (size_t i = 0; i < a.n && i < b.n; i++)
		if (a.p[i] != b.p[i] && !(a.p[i] == '-' && b.p[i] == '_') &&
		    !(a.p[i] == '_' && b.p[i] == '-'))
			return false;
	return a.n == b.n;
}

static enum presence find_running(const struct doctor *d, const struct cmdline_arg *want)
{
	enum presence best = PRESENCE_NONE;
	struct text rest = d->cmdline;
	struct cmdline_arg arg;

	while (cmdline_next(&rest, &arg) && !cmdline_is_end(&arg)) {
		if (!is_same_name(arg.name, want->name))
			continue;
		if (is_same(arg.value, want->value))
			return PRESENCE_SAME;
		best = PRESENCE_OTHER_VALUE;
	}
	return best;
}

/* Parameters of the boot's command line; dracut's own files are none. */
static bool is_configured(const struct recipe *r)
{
	return r->is_cmdline && !r->is_generated && !r->is_repeated && !r->is_replaced &&
	       strncmp(r->file, "/etc/cmdline", 12) != 0 &&
	       (r->kind == RECIPE_IDS || r->kind == RECIPE_KERNEL ||
		r->kind == RECIPE_OPTION);
}

static const char *place_of(struct doctor *d, const struct recipe *r)
{
	return r->line > 0 ? doctor_print(d, "%s:%u", r->file, r->line) : r->file;
}

static void say_missing(struct doctor *d, const struct recipe *r, enum presence presence)
{
	bool is_entry = strstr(r->file, "/loader/entries/") != NULL;
	int n = (int)MIN(r->text.n, 200u);

	if (is_entry && presence == PRESENCE_NONE)
		doctor_say(d, FINDING_FAIL,
			   "%.*s stands in %s and not on the command line of this boot: "
			   "another entry was booted; choose this one, or add it to the "
			   "others",
			   n, r->text.p, place_of(d, r));
	else if (is_entry)
		doctor_say(d, FINDING_NOTE,
			   "%.*s stands in %s; this boot has another value of it", n,
			   r->text.p, place_of(d, r));
	else
		doctor_say(
			d, FINDING_FAIL,
			"%.*s stands in %s and not on the command line of this boot: "
			"%s, or another entry or boot loader was used",
			n, r->text.p, place_of(d, r),
			r->after ? doctor_print(d, "it was changed since (%s)", r->after)
				 : "it was changed since");
}

void doctor_cmdline(struct doctor *d)
{
	size_t count = 0, missing = 0;

	if (!d->cmdline.p) {
		doctor_say(d, FINDING_UNKNOWN, "/proc/cmdline cannot be read");
		return;
	}
	for (size_t i = 0; i < d->recipes.count; i++) {
		const struct recipe *r = &d->recipes.items[i];
		struct text rest = r->text;
		struct cmdline_arg arg;
		enum presence presence;

		if (!is_configured(r) || !cmdline_next(&rest, &arg))
			continue;
		count++;
		presence = find_running(d, &arg);
		if (presence == PRESENCE_SAME)
			continue;
		missing++;
		say_missing(d, r, presence);
	}
	if (count > 0 && missing == 0)
		doctor_say(d, FINDING_PASS,
			   "this boot has the parameters for it that files configure");
}

/* ---- recipes ----------------------------------------------------------------------------- */

/* How bad: whether something that somebody meant does not happen. */
static enum finding_kind kind_of(enum recipe_lint lint)
{
	switch (lint) {
	case LINT_STALE_MODULE:
	case LINT_SUFFIX:
	case LINT_BLANKS:
	case LINT_IDS:
	case LINT_IDS_LENGTH:
	case LINT_NAME:
	case LINT_SYNTAX:
	case LINT_GENERATED:
		return FINDING_FAIL;
	case LINT_IDS_SEVERAL:
	case LINT_BLACKLIST:
	case LINT_ORDER:
	case LINT_BUILT_IN:
	case LINT_NO_EFFECT:
		return FINDING_NOTE;
	case LINT_UNREAD:
		return FINDING_UNKNOWN;
	}
	return FINDING_NOTE;
}

void doctor_recipes(struct doctor *d)
{
	const struct recipes *r = &d->recipes;
	size_t deletable = 0;

	for (size_t i = 0; i < r->finding_count; i++) {
		const struct recipe_finding *f = &r->findings[i];

		if (f->line > 0)
			doctor_say(d, kind_of(f->lint), "%s:%u: %s", f->file, f->line,
				   f->message);
		else
			doctor_say(d, kind_of(f->lint), "%s: %s", f->file, f->message);
	}
	for (size_t i = 0; i < r->count; i++)
		deletable +=
			r->items[i].fate == RECIPE_DELETE && !r->items[i].is_generated;
	if (deletable > 0)
		doctor_say(
			d, FINDING_NOTE,
			"%zu line%s of other recipes could be rules: \"earlybind import\" "
			"shows how",
			deletable, plural(deletable));
	else if (r->finding_count == 0)
		doctor_say(d, FINDING_PASS, "there are no recipes of other tools");
	if (r->is_cut)
		doctor_say(d, FINDING_UNKNOWN, "there are more files than are looked at");
}
