/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind add and keep: new rules, with a look at what they do before they are written. */
#include <string.h>

#include "commands.h"
#include "message.h"
#include "rule_edit.h"

struct adding {
	struct edit e;
	struct rule_requests w;
	bool is_done; /* nothing was refused: there is a plan with the rules */
};

static int run(void *arg)
{
	struct adding *a = arg;
	if (requests_read(&a->w, &a->e) < 0)
		return EXIT_WRONG_USAGE;
	if (edit_open(&a->e) < 0)
		return EXIT_FAILED;
	if (requests_resolve(&a->w, &a->e) < 0) {
		say_error("nothing is written");
		return EXIT_FAILED;
	}
	/* What a rule covers is done only if the next boot has it. */
	if (edit_check(&a->e) < 0) {
		say_error("nothing is written");
		return EXIT_FAILED;
	}
	addition_drop_done(&a->e, &a->w);
	if (addition_apply(&a->e, &a->w) < 0) {
		say_error("nothing is written");
		return EXIT_FAILED;
	}
	a->is_done = true;
	addition_show(&a->e, &a->w);
	return edit_finish(&a->e);
}

static void write_result(const void *arg, struct json *json)
{
	const struct adding *a = arg;

	addition_write(&a->e, &a->w, a->is_done, json);
}

static int run_and_tell(struct adding *a)
{
	struct result *result = &a->e.result;

	result->command = a->w.name;
	result->is_dry_run = a->e.is_dry_run;
	return result_run(result, a->e.arena, run, write_result, a);
}

int command_add(int argc, char **argv, struct arena *arena)
{
	static struct adding a;
	const struct option_spec options[] = {
		{"all", NULL, "an ID may name more than one device",
		 .ret_flag = &a.w.has_all},
		{"by", "WAY", "by serial, path, address, slot or id, or exact as typed",
		 .ret_string = &a.w.by},
		{"force", NULL, "also what the host needs, or what is not there yet",
		 .ret_flag = &a.w.is_forced},
		EDIT_OPTIONS(a.e),
		RESULT_OPTIONS(a.e.result),
	};
	const struct command_spec spec = {
		.name = "add",
		.synopsis = "SELECTOR... [RULE-OPTION...] [OPTION...]",
		.text = "Adds bind rules to the configuration. A device that is named by its "
			"address gets the selector that will still name it after a change of "
			"the machine; an ID stays an ID. Before it writes, it shows what the "
			"rules take, what becomes of the IOMMU group and what else must go "
			"along. It refuses bridges, an ID that names several devices, and what "
			"the host cannot do without: the only screen, a disk with /, /boot, "
			"/usr or swap, the network interface with the default route. \n"
			"\n"
			"exit code: 0 added, or nothing to change; 1 refused, or a file cannot "
			"be read or written; 2 wrong usage\n",
		.example = "earlybind add 01:00.0 01:00.1",
		.words_head = "RULE-OPTION, written behind the rules:",
		.words = rule_options,
		.options = options,
		.option_count = ARRAY_SIZE(options),
		.ret_words = &a.e.words,
	};
	int code;

	memset(&a, 0, sizeof(a));
	a.e.arena = arena;
	a.w.name = "add";
	a.w.kind = RULE_BIND;
	return options_parse(&spec, argc, argv, &code) ? run_and_tell(&a) : code;
}

int command_keep(int argc, char **argv, struct arena *arena)
{
	static struct adding a;
	const struct option_spec options[] = {
		{"by", "WAY", "by serial, path, address, slot or id, or exact as typed",
		 .ret_string = &a.w.by},
		{"force", NULL, "also what is not there yet", .ret_flag = &a.w.is_forced},
		EDIT_OPTIONS(a.e),
		RESULT_OPTIONS(a.e.result),
	};
	const struct command_spec spec = {
		.name = "keep",
		.synopsis = "SELECTOR... [OPTION...]",
		.text = "Adds keep rules to the configuration: what they name is never bound, "
			"whatever other rules say. So one of several equal devices stays with "
			"the host.\n"
			"\n"
			"exit code: 0 added, or nothing to change; 1 refused, or a file cannot "
			"be read or written; 2 wrong usage\n",
		.example = "earlybind keep 02:00.0",
		.options = options,
		.option_count = ARRAY_SIZE(options),
		.ret_words = &a.e.words,
	};
	int code;

	memset(&a, 0, sizeof(a));
	a.e.arena = arena;
	a.w.name = "keep";
	a.w.kind = RULE_KEEP;
	a.w.has_no_options = true;
	return options_parse(&spec, argc, argv, &code) ? run_and_tell(&a) : code;
}
