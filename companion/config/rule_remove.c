/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rule_remove.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sentences.h"
#include "rule_guard.h"
#include "message.h"

/* How a rule and what is asked for meet. */
enum meeting {
	MEET_NOT,
	MEET_PARTLY, /* it binds a device that is meant, and others */
	MEET_WHOLLY, /* it is about nothing else */
};

/* A rule for the very address that was asked for, whatever sits there now. */
static bool is_at_address(const struct selector *asked, const struct selector *s)
{
	return asked->terms == TERM_ADDRESS && (s->terms & TERM_ADDRESS) &&
	       (asked->any_function || !s->any_function) &&
	       selector_is_address_of(asked, s->address);
}

static enum meeting meet(const struct edit *e, const struct selector *asked,
			 const bool *is_meant, const struct rule *rule)
{
	size_t common = 0, others = 0;

	/* It binds nothing, and may guard more than this. */
	if (rule->kind == RULE_CRITICAL)
		return MEET_NOT;
	if (asked && selector_is_same(asked, &rule->selector))
		return MEET_WHOLLY;
	/* Without a keep rule more would be bound: it goes only when it is named. */
	if (rule->kind == RULE_KEEP)
		return MEET_NOT;
	if (asked && is_at_address(asked, &rule->selector))
		return MEET_WHOLLY;
	for (size_t i = 0; i < e->inventory.count; i++) {
		const struct pci_device *d = &e->inventory.devices[i];

		if (!edit_has_selector(&rule->selector, d))
			continue;
		if (is_meant[i])
			common++;
		else
			others++;
	}
	if (common == 0)
		return MEET_NOT;
	return others == 0 ? MEET_WHOLLY : MEET_PARTLY;
}

/* A rule that this run does not edit: where to take it out. */
static void say_elsewhere(struct edit *e, const struct rule *rule)
{
	const struct origin *o = &rule->origin;
	const char *text = edit_describe_rule(e, rule);

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
	if (o->file.p != e->sources.files[0].name.p)
		say_error("%s: that is another file: name it with --config", text);
	else if (rule->profile.n > 0)
		say_error("%s: it stands in a section: name it with --profile %.*s", text,
			  (int)rule->profile.n, rule->profile.p);
	else
		say_error("%s: it stands before the sections: leave out --profile", text);
}

/* A rule that binds more than what was asked for: how to except it. */
static void say_wider(struct edit *e, const bool *is_meant, const struct rule *rule)
{
	for (size_t i = 0; i < e->inventory.count; i++) {
		const struct pci_device *d = &e->inventory.devices[i];
		char address[BDF_SIZE];

		if (is_meant[i] && edit_has_selector(&rule->selector, d))
			say_error("%s: it binds other devices too: earlybind keep %s "
				  "leaves this one to the host",
				  edit_describe_rule(e, rule), edit_address(d, address));
	}
}

size_t removal_mark(struct removal *r, struct edit *e, const struct selector *asked,
		    const bool *is_meant, size_t *ret_others)
{
	size_t found = 0, others = 0;

	for (size_t i = 0; i < e->before.rule_count; i++) {
		const struct rule *rule = &e->before.rules[i];

		switch (meet(e, asked, is_meant, rule)) {
		case MEET_NOT:
			continue;
		case MEET_PARTLY:
			say_wider(e, is_meant, rule);
			others++;
			continue;
		case MEET_WHOLLY:
			break;
		}
		if (edit_is_own(e, rule)) {
			r->is_removed[i] = true;
			found++;
		} else {
			say_elsewhere(e, rule);
			others++;
		}
	}
	*ret_others = others;
	return found;
}

int removal_apply(const struct removal *r, struct edit *e)
{
	struct text selectors[RULES_MAX];
	size_t count = 0;
	int error;

	for (size_t i = 0; i < e->before.rule_count; i++)
		if (r->is_removed[i])
			selectors[count++] = e->before.rules[i].text;
	error = config_edit_remove(&e->text, selectors, count);
	if (error < 0)
		say_error("out of memory");
	return error;
}

static bool was_named(const struct removal *r, const struct edit *e,
		      const struct pci_device *d)
{
	for (size_t i = 0; i < e->before.rule_count; i++)
		if (r->is_removed[i] &&
		    edit_has_selector(&e->before.rules[i].selector, d))
			return true;
	return false;
}

void removal_show(const struct removal *r, struct edit *e)
{
	for (size_t i = 0; i < e->inventory.count; i++) {
		const struct pci_device *d = &e->inventory.devices[i];
		const struct plan_device *pd = plan_find(&e->plan, d);
		struct paragraph p = {stdout, 0, DEVICE_INDENT, false};

		if (d->is_bridge || !was_named(r, e, d))
			continue;
		paragraph_add(&p, "%s:", edit_describe(e, d));
		if (!pd)
			paragraph_add(&p, "no rule names it any more: its own driver "
					  "gets it at boot");
		else
			paragraph_add(&p, "it is still %s %s",
				      pd->action == ACTION_KEEP ? "kept by" : "named by",
				      edit_describe_rule(e, pd->rule));
		paragraph_end(&p);
	}
}
