/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind remove: rules out of the configuration. */
#include <string.h>

#include "commands.h"
#include "edit_session.h"
#include "message.h"
#include "rule_edit.h"
#include "rule_request.h"

struct removing {
	struct edit e;
	struct rule_requests w;
	struct removal removal;
	bool is_done; /* all were found: there is a plan without the rules */
};

/* A keep rule about a device that is meant: not what was asked for, but perhaps meant. */
static void say_keep(struct removing *r, const bool *is_meant)
{
	for (size_t i = 0; i < r->e.before.rule_count; i++) {
		const struct rule *rule = &r->e.before.rules[i];

		for (size_t k = 0; k < r->e.inventory.count; k++) {
			const struct pci_device *d = &r->e.inventory.devices[k];

			if (rule->kind != RULE_KEEP || !edit_has_match(&r->e, rule, d) ||
			    !is_meant[k])
				continue;
			say_error("a keep rule protects it: \"earlybind remove %.*s\" "
				  "removes that rule",
				  (int)rule->text.n, rule->text.p);
			return;
		}
	}
}

/* Nothing names it, and yet it is bound. */
static void say_along(struct removing *r, const bool *is_meant)
{
	for (size_t i = 0; i < r->e.inventory.count; i++) {
		const struct pci_device *d = &r->e.inventory.devices[i];
		const struct rule *companions = is_meant[i] ? edit_along(&r->e, d) : NULL;
		char address[BDF_SIZE];

		if (companions)
			say_error("it comes along by the rule %s: \"earlybind keep %s\" "
				  "leaves it to the host",
				  edit_describe_rule(&r->e, companions),
				  device_short_address(d, address));
	}
}

/* Marks the rules for one selector or name; false if there is none, which is said. */
static bool mark(struct removing *r, size_t at)
{
	const struct inventory *inv = &r->e.inventory;
	const struct selector *asked = &r->w.selectors[at];
	bool *is_meant = arena_alloc(r->e.arena, inv->count + 1, sizeof(*is_meant));
	size_t found, others;

	if (!is_meant) {
		say_error("out of memory");
		return false;
	}
	for (size_t i = 0; i < inv->count; i++)
		is_meant[i] = edit_has_selector(asked, &inv->devices[i]);
	if (r->w.is_name[at] && requests_find_card(&r->w, &r->e, at, is_meant) < 0)
		return false;
	found = removal_mark(&r->removal, &r->e, asked, is_meant, &others);
	if (found == 0 && others == 0) {
		say_error("%.*s: no rule names it", (int)r->w.asked[at].n,
			  r->w.asked[at].p);
		say_keep(r, is_meant);
		say_along(r, is_meant);
	}
	return found > 0;
}

static int run(void *arg)
{
	struct removing *r = arg;
	bool is_found = true;

	if (requests_read(&r->w, &r->e) < 0)
		return EXIT_WRONG_USAGE;
	if (edit_open(&r->e) < 0)
		return EXIT_FAILED;
	for (size_t i = 0; i < r->w.asked_count; i++)
		is_found = mark(r, i) && is_found;
	if (!is_found) {
		say_error("nothing is written");
		return EXIT_FAILED;
	}
	if (removal_apply(&r->removal, &r->e) < 0 || edit_check(&r->e) < 0)
		return EXIT_FAILED;
	r->is_done = true;
	removal_show(&r->removal, &r->e);
	return edit_finish(&r->e);
}

static void write_result(const void *arg, struct json *json)
{
	const struct removing *r = arg;

	removal_write(&r->removal, &r->e, r->is_done, json);
}

static int run_and_tell(struct removing *r)
{
	struct result *result = &r->e.result;

	result->command = r->w.name;
	result->is_dry_run = r->e.is_dry_run;
	return result_run(result, r->e.arena, run, write_result, r);
}

int command_remove(int argc, char **argv, struct arena *arena)
{
	static struct removing r;
	const struct option_spec options[] = {EDIT_OPTIONS(r.e),
					      RESULT_OPTIONS(r.e.result)};
	const struct command_spec spec = {
		.name = "remove",
		.synopsis = "SELECTOR... [OPTION...]",
		.text = "Removes rules from the configuration: those with this selector, "
			"however it is written, and the bind rules that are about nothing but "
			"the devices it names. Of a list with commas only this part goes. A "
			"rule that binds other devices too stays; earlybind keep excepts one "
			"device from it. Rules that stand elsewhere are named, with the "
			"place.\n"
			"\n"
			"exit code: 0 removed; 1 no rule was found for one of them, or a file "
			"cannot be read or written, and nothing is written; 2 wrong usage\n",
		.example = "earlybind remove 01:00.0",
		.options = options,
		.option_count = ARRAY_SIZE(options),
		.ret_words = &r.e.words,
	};
	int code;

	memset(&r, 0, sizeof(r));
	r.e.arena = arena;
	r.w.name = "remove";
	r.w.has_no_options = true;
	return options_parse(&spec, argc, argv, &code) ? run_and_tell(&r) : code;
}
