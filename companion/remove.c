/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind remove: rules out of the configuration. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "describe.h"
#include "edit.h"
#include "guard.h"
#include "message.h"
#include "wish.h"

struct removing {
	struct edit e;
	struct wishes w;
	bool is_removed[RULES_MAX]; /* per rule of e.before */
};

/* How a rule and what is asked for meet. */
enum meeting {
	MEET_NOT,
	MEET_PARTLY, /* it binds a device that is meant, and others */
	MEET_WHOLLY, /* it is about nothing else */
};

static bool is_same(const struct selector *a, const struct selector *b)
{
	char x[SELECTOR_SIZE], y[SELECTOR_SIZE];

	return strcmp(selector_format(a, x), selector_format(b, y)) == 0;
}

/* A rule for the very address that was asked for, whatever sits there now. */
static bool is_at_address(const struct selector *asked, const struct selector *s)
{
	return asked->terms == TERM_ADDRESS && (s->terms & TERM_ADDRESS) &&
	       (asked->any_function || !s->any_function) &&
	       selector_is_address_of(asked, s->address);
}

static enum meeting meet(const struct edit *e, const struct selector *asked,
			 const struct rule *rule)
{
	size_t common = 0, others = 0;

	if (is_same(asked, &rule->selector))
		return MEET_WHOLLY;
	/* Without a keep rule more would be bound: it goes only when it is named. */
	if (rule->kind == RULE_KEEP)
		return MEET_NOT;
	if (is_at_address(asked, &rule->selector))
		return MEET_WHOLLY;
	for (size_t i = 0; i < e->inventory.count; i++) {
		const struct pci_device *d = &e->inventory.devices[i];

		if (!edit_has_selector(&rule->selector, d))
			continue;
		if (edit_has_selector(asked, d))
			common++;
		else
			others++;
	}
	if (common == 0)
		return MEET_NOT;
	return others == 0 ? MEET_WHOLLY : MEET_PARTLY;
}

/* A rule that this run does not edit: where to take it out. */
static void say_elsewhere(struct removing *r, const struct rule *rule)
{
	const struct origin *o = &rule->origin;
	const char *text = edit_describe_rule(&r->e, rule);

	switch (o->source) {
	case SOURCE_CMDLINE:
		say_error("%s: take it out of the kernel command line, in the boot "
			  "loader's settings",
			  text);
		return;
	case SOURCE_MODPROBE:
		say_error("%s: take it out of \"options vfio-pci ids=\" in a file of "
			  "modprobe.d",
			  text);
		return;
	case SOURCE_CONFIG:
	case SOURCE_TABLE:
	case SOURCE_ARGUMENT:
		break;
	}
	if (o->file.p != r->e.sources.files[0].name.p)
		say_error("%s: that is another file: name it with --config", text);
	else if (rule->profile.n > 0)
		say_error("%s: it stands in a section: name it with --profile %.*s", text,
			  (int)rule->profile.n, rule->profile.p);
	else
		say_error("%s: it stands before the sections: leave out --profile", text);
}

/* A rule that binds more than what was asked for: how to except it. */
static void say_wider(struct removing *r, const struct selector *asked,
		      const struct rule *rule)
{
	for (size_t i = 0; i < r->e.inventory.count; i++) {
		const struct pci_device *d = &r->e.inventory.devices[i];
		char address[BDF_SIZE];

		if (edit_has_selector(asked, d) && edit_has_selector(&rule->selector, d))
			say_error("%s: it binds other devices too: earlybind keep %s "
				  "leaves this one to the host",
				  edit_describe_rule(&r->e, rule),
				  edit_address(d, address));
	}
}

/* A keep rule about a device that is meant: not what was asked for, but perhaps meant. */
static void say_keep(struct removing *r, const struct selector *asked)
{
	for (size_t i = 0; i < r->e.before.rule_count; i++) {
		const struct rule *rule = &r->e.before.rules[i];

		for (size_t k = 0; k < r->e.inventory.count; k++) {
			const struct pci_device *d = &r->e.inventory.devices[k];

			if (rule->kind != RULE_KEEP || !edit_has_match(&r->e, rule, d) ||
			    !edit_has_selector(asked, d))
				continue;
			say_error("a keep rule protects it: earlybind remove %.*s takes "
				  "that one out",
				  (int)rule->text.n, rule->text.p);
			return;
		}
	}
}

/* Marks the rules for one selector; false if there is none, which is said. */
static bool mark(struct removing *r, struct text text, const struct selector *asked)
{
	size_t found = 0, named = 0;

	for (size_t i = 0; i < r->e.before.rule_count; i++) {
		const struct rule *rule = &r->e.before.rules[i];

		switch (meet(&r->e, asked, rule)) {
		case MEET_NOT:
			continue;
		case MEET_PARTLY:
			say_wider(r, asked, rule);
			named++;
			continue;
		case MEET_WHOLLY:
			break;
		}
		if (edit_is_own(&r->e, rule)) {
			r->is_removed[i] = true;
			found++;
		} else {
			say_elsewhere(r, rule);
			named++;
		}
	}
	if (found == 0 && named == 0) {
		say_error("%.*s: no rule names it", (int)text.n, text.p);
		say_keep(r, asked);
	}
	return found > 0;
}

static int take_out(struct removing *r)
{
	struct text selectors[RULES_MAX];
	size_t count = 0;

	for (size_t i = 0; i < r->e.before.rule_count; i++)
		if (r->is_removed[i])
			selectors[count++] = r->e.before.rules[i].text;
	if (config_edit_remove(&r->e.text, selectors, count) == 0)
		return 0;
	say_error("out of memory");
	return -ENOMEM;
}

static bool was_named(const struct removing *r, const struct pci_device *d)
{
	for (size_t i = 0; i < r->e.before.rule_count; i++)
		if (r->is_removed[i] &&
		    edit_has_selector(&r->e.before.rules[i].selector, d))
			return true;
	return false;
}

static void put_effect(struct removing *r)
{
	for (size_t i = 0; i < r->e.inventory.count; i++) {
		const struct pci_device *d = &r->e.inventory.devices[i];
		const struct plan_device *pd = plan_device_of(&r->e.plan, d);
		struct paragraph p = {stdout, 0, DEVICE_INDENT, false};

		if (d->is_bridge || !was_named(r, d))
			continue;
		paragraph_add(&p, "%s:", edit_describe(&r->e, d));
		if (!pd)
			paragraph_add(&p, "no rule names it any more: its own driver "
					  "gets it at boot");
		else
			paragraph_add(&p, "it is still %s %s",
				      pd->action == ACTION_KEEP ? "kept by" : "named by",
				      edit_describe_rule(&r->e, pd->rule));
		paragraph_end(&p);
	}
}

static int run(struct removing *r)
{
	bool is_found = true;

	if (wishes_read(&r->w, &r->e) < 0)
		return EXIT_WRONG_USAGE;
	if (edit_open(&r->e) < 0)
		return EXIT_FAILED;
	for (size_t i = 0; i < r->w.asked_count; i++)
		is_found = mark(r, r->w.asked[i], &r->w.selectors[i]) && is_found;
	if (!is_found) {
		say_error("nothing is written");
		return EXIT_FAILED;
	}
	if (take_out(r) < 0 || edit_check(&r->e) < 0)
		return EXIT_FAILED;
	put_effect(r);
	return edit_finish(&r->e);
}

int command_remove(int argc, char **argv, struct arena *arena)
{
	static struct removing r;
	const struct option_spec options[] = {EDIT_OPTIONS(r.e)};
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
	return options_parse(&spec, argc, argv, &code) ? run(&r) : code;
}
