/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts the proposed rules into the configuration, as "add" would. */
#include "commands.h"
#include "edit_session.h"
#include "rule_guard.h"
#include "import.h"
#include "message.h"

static int make_wishes(const struct proposals *proposals, struct arena *arena,
		       struct wishes *w)
{
	w->kind = RULE_BIND;
	w->options = "";
	for (size_t i = 0; i < proposals->count; i++) {
		const struct proposal *p = &proposals->items[i];
		struct wish *wish = &w->items[w->count];
		char text[SELECTOR_SIZE];

		if (p->state != PROPOSAL_NEW)
			continue;
		if (w->count == WISHES_MAX) {
			say_error("more than %d rules", WISHES_MAX);
			return -1;
		}
		wish->selector = p->selector;
		wish->text =
			arena_copy(arena, text_of(selector_format(&p->selector, text)));
		if (!wish->text) {
			say_error("out of memory");
			return -1;
		}
		w->count++;
	}
	return 0;
}

int proposals_apply(const struct proposals *proposals, const struct text *lines,
		    size_t count, const char *sysroot, struct arena *arena)
{
	static struct edit e;
	static struct wishes w;

	e = (struct edit){.arena = arena, .sysroot = sysroot};
	w = (struct wishes){0};
	if (make_wishes(proposals, arena, &w) < 0 || edit_open(&e) < 0)
		return EXIT_FAILED;
	if (config_edit_append(&e.text, TEXT(""), lines, count) < 0) {
		say_error("the rules cannot be added: they are too many");
		return EXIT_FAILED;
	}
	if (edit_check(&e) < 0)
		return EXIT_FAILED;
	if (guard_judge(&e, &w) != JUDGED_FINE) {
		say_error("nothing is written: add the rules one by one with \"earlybind "
			  "add\"");
		return EXIT_FAILED;
	}
	return edit_finish(&e);
}
