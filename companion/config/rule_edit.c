/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rule_edit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "driver.h"
#include "group.h"
#include "message.h"
#include "judgement.h"
#include "sentences.h"

static const char *driver_of(const struct rule *rule, char buf[static DRIVER_NAME_SIZE])
{
	struct text name = rule->driver.n > 0 ? rule->driver : TEXT(DEFAULT_DRIVER);

	snprintf(buf, DRIVER_NAME_SIZE, "%.*s", (int)name.n, name.p);
	return driver_kernel_name(buf);
}

/* Whether a rule says all that the wishes ask for, besides which devices. */
static bool has_options(const struct rule_requests *w, const struct rule *rule)
{
	char have[DRIVER_NAME_SIZE], want[DRIVER_NAME_SIZE];
	bool has_driver =
		w->like.driver.n == 0 ||
		driver_is_same(driver_of(rule, have), driver_of(&w->like, want));

	return has_driver && (rule->follow || !w->like.follow) &&
	       (w->like.with == WITH_NOTHING || rule->with == w->like.with) &&
	       (w->like.vfs == 0 || rule->vfs == w->like.vfs) &&
	       (rule->allow & w->like.allow) == w->like.allow;
}

/* The rule that does already for @d what @kind asks for. */
static const struct rule *covering(const struct edit *e, const struct rule_requests *w,
				   const struct pci_device *d)
{
	const struct rule *companions;

	for (size_t i = 0; i < e->before.rule_count; i++) {
		const struct rule *rule = &e->before.rules[i];
		bool is_replaced = w->is_forced && rule->origin.source != SOURCE_CONFIG;

		/* What stands on the command line may be meant to come here. */
		if (rule->kind == w->kind && !is_replaced && has_options(w, rule) &&
		    edit_has_match(e, rule, d))
			return rule;
	}
	companions = w->kind == RULE_BIND ? edit_along(e, d) : NULL;
	return companions && has_options(w, companions) ? companions : NULL;
}

/* The same selector stands there already. */
static const struct rule *find_same(const struct edit *e, const struct rule_requests *w,
				    const struct rule_request *request)
{
	for (size_t i = 0; i < e->before.rule_count; i++) {
		const struct rule *rule = &e->before.rules[i];

		if (rule->kind == w->kind && edit_is_own(e, rule) &&
		    has_options(w, rule) &&
		    selector_is_same(&rule->selector, &request->selector))
			return rule;
	}
	return NULL;
}

static void say_done(struct edit *e, const struct rule_requests *w, const char *what,
		     const struct rule *rule)
{
	struct paragraph p = {stdout, 0, DEVICE_INDENT, false};

	paragraph_add(&p, "%s: %s already: %s", what,
		      w->kind == RULE_BIND ? "bound by a rule" : "kept by a rule",
		      edit_describe_rule(e, rule));
	paragraph_end(&p);
}

void addition_drop_done(struct edit *e, struct rule_requests *w)
{
	for (size_t i = 0; i < w->count; i++) {
		struct rule_request *request = &w->items[i];
		const struct rule *rule = find_same(e, w, request);
		size_t matches = 0, covered = 0;

		for (size_t k = 0; k < e->inventory.count; k++) {
			const struct pci_device *d = &e->inventory.devices[k];

			if (d->is_bridge || !edit_has_selector(&request->selector, d))
				continue;
			matches++;
			covered += covering(e, w, d) != NULL &&
				   inventory_find(&e->next, d->bdf) != NULL;
		}
		request->is_done = rule || (matches > 0 && covered == matches);
		if (!request->is_done)
			continue;
		if (matches == 0)
			say_done(e, w, request->text, rule);
		for (size_t k = 0; k < e->inventory.count; k++) {
			const struct pci_device *d = &e->inventory.devices[k];

			/* What the next boot does not have, it does not bind: judge_gone(). */
			if (!d->is_bridge && edit_has_selector(&request->selector, d) &&
			    (w->kind != RULE_BIND || inventory_find(&e->next, d->bdf)))
				say_done(e, w, edit_describe(e, d),
					 rule ? rule : covering(e, w, d));
		}
	}
}

/* Puts the wishes into the text. */
static int write_lines(struct edit *e, const struct rule_requests *w)
{
	struct text *lines = arena_alloc(e->arena, w->count, sizeof(*lines));
	size_t count = 0;

	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < w->count; i++) {
		const char *line;

		if (w->items[i].is_done)
			continue;
		line = arena_printf(e->arena, "%s %s%s", rule_kind_name(w->kind),
				    w->items[i].text, w->options);
		for (unsigned bit = 1; line && bit <= w->items[i].needs_allow; bit <<= 1)
			if (w->items[i].needs_allow & bit)
				line = arena_printf(e->arena, "%s allow=%s", line,
						    allow_name(bit));
		if (!line)
			return -ENOMEM;
		lines[count++] = text_of(line);
	}
	if (count == 0)
		return 0;
	return config_edit_append(&e->text, edit_profile(e), lines, count);
}

/* What the next boot makes of it. */
static void put_outcome(const struct edit *e, const struct pci_device *d,
			struct paragraph *p)
{
	const struct plan_device *pd = plan_find(&e->plan, d);
	const char *wanted = pd ? pd->wanted : DEFAULT_DRIVER;
	bool has_other = d->driver[0] && !driver_is_same(d->driver, wanted);
	struct judgement refused;
	struct text cause;

	if (pd && pd->action == ACTION_REFUSE) {
		refused = (struct judgement){.reason = pd->reason,
					     .why = refusal_sentence(e->arena, pd->rule,
								     pd->reason,
								     pd->detail)};
		cause = judged_cause(&refused);
		paragraph_verdict(p, STYLE_BAD, "the next boot does not bind it:");
		paragraph_add(p, "%.*s", (int)cause.n, cause.p);
	} else {
		paragraph_verdict(p, STYLE_GOOD, "will be bound to %s", wanted);
		paragraph_add(p, "at boot");
	}
	if (has_other)
		paragraph_add(p, "(now: %s)", d->driver);
}

/* *why is what was said last. */
static void put_device(struct edit *e, const struct rule_requests *w,
		       const struct rule_request *request, const struct pci_device *d,
		       const char **why)
{
	const struct plan_device *pd = plan_find(&e->plan, d);
	struct paragraph p = {stdout, 0, DEVICE_INDENT, false};

	paragraph_add(&p, "%s:", edit_describe(e, d));
	if (w->kind == RULE_KEEP)
		paragraph_add(&p, "the host keeps it, whatever else names it");
	else if (pd && pd->action == ACTION_KEEP)
		paragraph_add(&p, "a keep rule protects it: %s",
			      edit_describe_rule(e, pd->rule));
	else
		put_outcome(e, d, &p);
	if (pd && pd->note)
		paragraph_add(&p, "(%s)", pd->note);
	paragraph_end(&p);
	if (request->why && !(*why && strcmp(request->why, *why) == 0))
		paragraph_line(stdout, DEVICE_INDENT, "%s", request->why);
	*why = request->why;
}

static bool is_new(const struct rule_requests *w, const struct pci_device *d)
{
	for (size_t i = 0; i < w->count; i++)
		if (!w->items[i].is_done && edit_has_selector(&w->items[i].selector, d))
			return true;
	return false;
}

/* A virtual function is no companion of the others, nor they of it. */
static bool is_of_new_card(struct edit *e, const struct rule_requests *w,
			   const struct pci_device *d)
{
	const struct inventory *inv = &e->inventory;

	if (device_is_virtual(e->world, d) || device_is_on_root_bus(d))
		return false;
	for (size_t i = 0; i < inv->count; i++)
		if (device_is_same_card(e->world, inv, &inv->devices[i], d) &&
		    is_new(w, &inv->devices[i]) &&
		    !device_is_virtual(e->world, &inv->devices[i]))
			return true;
	return false;
}

static bool is_of_new_group(const struct edit *e, const struct rule_requests *w,
			    const struct pci_device *d)
{
	const struct inventory *inv = &e->inventory;

	if (d->iommu_group == NO_GROUP || driver_is_group_friendly(d->driver))
		return false;
	for (size_t i = 0; i < inv->count; i++)
		if (inv->devices[i].iommu_group == d->iommu_group &&
		    is_new(w, &inv->devices[i]))
			return true;
	return false;
}

/* What of @devices may come along, as the command that takes it; @is_whole: all or none. */
static void put_rest(struct edit *e, const char *what,
		     const struct pci_device *const *devices, size_t count, bool is_whole)
{
	const struct judge judge = edit_judge(e);
	const struct pci_device *left;
	const char *command = judge_add_command(&judge, devices, count, &left);

	if (command && !(is_whole && left))
		paragraph_line(stdout, 0, "%s: %s", what, command);
}

/* Who is left behind and should come along. */
static void put_companions(struct edit *e, const struct rule_requests *w)
{
	const struct inventory *inv = &e->inventory;
	const struct pci_device **devices =
		arena_alloc(e->arena, inv->count + 1, sizeof(void *));

	for (int pass = 0; devices && pass < 2; pass++) {
		bool is_card = pass == 0;
		size_t count = 0;

		for (size_t i = 0; i < inv->count; i++) {
			const struct pci_device *d = &inv->devices[i];
			bool is_near;

			if (d->is_bridge || plan_find(&e->plan, d))
				continue;
			is_near = is_of_new_card(e, w, d);
			if (!is_card)
				is_near = !is_near && is_of_new_group(e, w, d);
			if (is_near)
				devices[count++] = d;
		}
		if (count > 0)
			put_rest(e,
				 is_card ? "the rest of the card"
					 : "the rest of the group",
				 devices, count, !is_card);
	}
}

/* The groups of what is new, what keeps VMs from them, and which ports merge them. */
static void put_groups(struct edit *e, const struct rule_requests *w, struct judge *judge)
{
	if (group_causes_read(e->world, e->arena, &e->next, &e->causes) == 0)
		judge->causes = &e->causes;
	for (size_t i = 0; i < e->plan.group_count; i++) {
		const struct plan_group *group = &e->plan.groups[i];
		const struct pci_device *added = NULL;
		const char *why;

		for (size_t k = 0; !added && k < e->inventory.count; k++)
			if (e->inventory.devices[k].iommu_group == group->id &&
			    is_new(w, &e->inventory.devices[k]))
				added = &e->inventory.devices[k];
		if (!added)
			continue;
		describe_group(group, "", judge_group(judge, group, true));
		why = group->blocker_count > 0 && judge->causes
			      ? group_merged_by(judge->causes, added->bdf)
			      : NULL;
		if (why)
			paragraph_line(stdout, DEVICE_INDENT, "%s", why);
	}
}

void addition_show(struct edit *e, const struct rule_requests *w)
{
	struct judge judge = edit_judge(e);
	const char *why = NULL;

	for (size_t i = 0; i < w->count; i++) {
		const struct rule_request *request = &w->items[i];
		size_t matches = 0;

		for (size_t k = 0; !request->is_done && k < e->inventory.count; k++) {
			const struct pci_device *d = &e->inventory.devices[k];

			if (d->is_bridge || !edit_has_selector(&request->selector, d))
				continue;
			put_device(e, w, request, d, &why);
			matches++;
		}
		for (size_t k = 0; !request->is_done && k < e->plan.device_count; k++) {
			const struct plan_device *pd = &e->plan.devices[k];

			if (request_has_companions(request, pd) &&
			    pd->action <= ACTION_DONE)
				put_device(e, w, request, pd->device, &why);
		}
		if (!request->is_done && matches == 0)
			paragraph_line(stdout, 0, "%s: %s", request->text,
				       request->why ? request->why
						    : "no such device now");
	}
	if (w->kind == RULE_KEEP)
		return;
	put_groups(e, w, &judge);
	put_companions(e, w);
}

/* Whether a wish is about a function, by itself or along with another one. */
static bool is_asked(const struct edit *e, const struct rule_requests *w,
		     const struct pci_device *d)
{
	const struct plan_device *pd = plan_find(&e->plan, d);

	for (size_t i = 0; i < w->count; i++)
		if (edit_has_selector(&w->items[i].selector, d) ||
		    (pd && request_has_companions(&w->items[i], pd)))
			return true;
	return false;
}

void addition_write(const struct edit *e, const struct rule_requests *w, bool is_done,
		    struct json *json)
{
	bool *is_about = arena_alloc(e->arena, e->inventory.count + 1, sizeof(bool));

	for (size_t i = 0; is_about && is_done && i < e->inventory.count; i++) {
		const struct pci_device *d = &e->inventory.devices[i];

		is_about[i] = !d->is_bridge && is_asked(e, w, d);
	}
	edit_write(e, is_done ? is_about : NULL, json);
}

static void warn(struct edit *e, const struct pci_device *d, const char *what)
{
	say_error("warning: %s: %s", edit_describe(e, d), what);
}

/* Behind a refusal: what --force does about it, if anything. */
static const char *what_force_does(struct edit *e, const struct judgement *judgement)
{
	const char *text = "";

	if (judgement->is_forceable)
		return "; --force adds it anyway";
	if (judgement->needs_allow)
		text = arena_printf(e->arena, "; --force adds it with allow=%s",
				    allow_name(judgement->needs_allow));
	return text ? text : "";
}

/* One function that a wish names or brings along. */
static enum judged judge_one(struct edit *e, const struct rule_requests *w,
			     const struct pci_device *d, struct rule_request *request)
{
	const struct judge judge = edit_judge(e);
	const struct allowance allowance = {w->like.allow, w->is_forced};
	struct judgement judgement;

	judge_device(&judge, d, allowance, &judgement);
	/* For the judge the new rule is there already. */
	if (!request->is_done)
		judge_maker(&judge, d, allowance, &judgement);
	/* What is there already is not told again. */
	for (size_t i = 0; !request->is_done && i < judgement.warning_count; i++)
		warn(e, d, judgement.warnings[i]);
	switch (judgement.verdict) {
	case JUDGED_FINE:
		break;
	case JUDGED_NEEDS_ALLOW:
		if (request->is_done)
			return JUDGED_FINE;
		request->needs_allow |= judgement.needs_allow;
		break;
	case JUDGED_REFUSED:
		say_error("%s: %s%s", edit_describe(e, d),
			  judgement.why ? judgement.why : "out of memory",
			  request->is_done ? "" : what_force_does(e, &judgement));
		break;
	}
	return judgement.verdict;
}

/* All that a wish names are virtual functions that the next boot does not have. */
static enum judged judge_gone(struct edit *e, const struct rule_requests *w,
			      struct rule_request *request)
{
	const struct pci_device *gone = NULL;

	for (size_t i = 0; i < e->inventory.count; i++) {
		const struct pci_device *d = &e->inventory.devices[i];

		if (!edit_has_selector(&request->selector, d))
			continue;
		if (inventory_find(&e->next, d->bdf))
			return JUDGED_FINE;
		gone = d;
	}
	return gone ? judge_one(e, w, gone, request) : JUDGED_FINE;
}

/* Its group would bring it along, and no boot takes it from the host. */
static enum judged warn_of_left(struct edit *e, const struct plan_device *pd)
{
	char message[REASON_MESSAGE_SIZE];

	warn(e, pd->device, reason_message(pd->reason, pd->detail, message));
	return JUDGED_FINE;
}

/* A keep rule that takes all of a wish away makes it void; a part of it may be meant. */
static bool is_all_kept(const struct edit *e, const struct rule_request *request)
{
	bool has_kept = false;

	for (size_t i = 0; i < e->plan.device_count; i++) {
		const struct plan_device *pd = &e->plan.devices[i];

		if (!edit_has_selector(&request->selector, pd->device))
			continue;
		if (pd->action != ACTION_KEEP)
			return false;
		has_kept = true;
	}
	return has_kept;
}

enum judged addition_judge(struct edit *e, struct rule_requests *w)
{
	enum judged all = JUDGED_FINE;

	for (size_t i = 0; i < w->count; i++) {
		struct rule_request *request = &w->items[i];
		bool is_void = is_all_kept(e, request);

		if (judge_gone(e, w, request) != JUDGED_FINE)
			all = JUDGED_REFUSED;
		for (size_t k = 0; k < e->plan.device_count; k++) {
			const struct plan_device *pd = &e->plan.devices[k];
			enum judged one;

			if ((pd->action == ACTION_KEEP && !is_void) ||
			    (!edit_has_selector(&request->selector, pd->device) &&
			     !request_has_companions(request, pd)))
				continue;
			one = pd->reason == REASON_HOST_DEVICE
				      ? warn_of_left(e, pd)
				      : judge_one(e, w, pd->device, request);
			if (all != JUDGED_REFUSED && one != JUDGED_FINE)
				all = one;
		}
	}
	return all;
}

/* The text with the wishes in it, judged. */
static int try_lines(struct edit *e, struct rule_requests *w, enum judged *ret)
{
	int r = write_lines(e, w);

	if (r < 0) {
		say_error("the rules cannot be added: they are too many");
		return r;
	}
	r = edit_check(e);
	if (r < 0)
		return r;
	*ret = w->kind == RULE_BIND ? addition_judge(e, w) : JUDGED_FINE;
	return 0;
}

/* Whether the rules before leave @d as the only display: the plan looks at those before it. */
static bool is_last_display(struct edit *e, const struct rule_requests *w,
			    const struct plan *before, const struct pci_device *d)
{
	const struct allowance allowance = {.allow = w->like.allow};
	struct judge judge = edit_judge(e);
	struct judgement judgement;

	judge.plan = before;
	judge_device(&judge, d, allowance, &judgement);
	return judgement.verdict == JUDGED_REFUSED &&
	       judgement.reason == REASON_LAST_DISPLAY;
}

/* What the rules before and the new ones do to each other: no display would be left. */
static enum judged judge_together(struct edit *e, const struct rule_requests *w,
				  const struct plan *before)
{
	enum judged all = JUDGED_FINE;

	for (size_t i = 0; i < e->plan.device_count; i++) {
		const struct plan_device *pd = &e->plan.devices[i];
		const struct plan_device *old = plan_find(before, pd->device);
		char message[REASON_MESSAGE_SIZE];
		bool was_fine = old && old->action <= ACTION_DONE;
		enum reason reason = REASON_NONE;

		if (was_fine && pd->action == ACTION_REFUSE)
			reason = pd->reason;
		else if (!old && pd->action <= ACTION_RECOVER &&
			 is_last_display(e, w, before, pd->device))
			reason = REASON_LAST_DISPLAY;
		if (reason == REASON_NONE)
			continue;
		say_error("%s: %s", edit_describe(e, pd->device),
			  reason_message(reason, pd->detail, message));
		all = JUDGED_REFUSED;
	}
	return all;
}

int addition_apply(struct edit *e, struct rule_requests *w)
{
	const struct config_edit start = e->text;
	struct plan before;
	enum judged judgement = JUDGED_NEEDS_ALLOW;

	if (edit_check(e) < 0)
		return -EINVAL;
	before = e->plan;
	/*
	 * The more screens go, the sooner another one is the last, and behind one guard
	 * another one stands: one more in each round.
	 */
	for (size_t i = 0; i <= 3 * w->count && judgement == JUDGED_NEEDS_ALLOW; i++) {
		int r;

		e->text = start;
		r = try_lines(e, w, &judgement);
		if (r < 0)
			return r;
	}
	if (judgement == JUDGED_FINE && w->kind == RULE_BIND && !w->is_forced)
		judgement = judge_together(e, w, &before);
	return judgement == JUDGED_FINE ? 0 : -EPERM;
}

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

/* It is in modprobe.d as well, where it counts once the command line has none. */
static bool is_hidden_too(struct edit *e, const struct rule *rule)
{
	struct judge judge = edit_judge(e);

	judge.policy = &e->before;
	for (size_t i = 0; rule->is_module_id && i < e->inventory.count; i++)
		if (edit_has_selector(&rule->selector, &e->inventory.devices[i]))
			return judge_has_hidden_id(&judge, &e->inventory.devices[i]);
	return false;
}

/* A rule that this run does not edit: where to take it out. */
static void say_elsewhere(struct edit *e, const struct rule *rule)
{
	const struct origin *o = &rule->origin;
	const char *text = edit_describe_rule(e, rule);

	switch (o->source) {
	case SOURCE_CMDLINE:
		say_error("%s: remove it from the kernel command line, in the boot "
			  "loader's settings%s",
			  text,
			  is_hidden_too(e, rule) ? ", and from \"options vfio-pci ids=\" "
						   "in a file of modprobe.d"
						 : "");
		return;
	case SOURCE_MODPROBE:
		say_error("%s: remove it from \"options vfio-pci ids=\" in a file of "
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
		say_error("%s: it is in a section: name it with --profile %.*s", text,
			  (int)rule->profile.n, rule->profile.p);
	else
		say_error("%s: it is before the sections: leave out --profile", text);
}

/* A rule that binds more than what was asked for: how to except it. */
static void say_wider(struct edit *e, const bool *is_meant, const struct rule *rule)
{
	for (size_t i = 0; i < e->inventory.count; i++) {
		const struct pci_device *d = &e->inventory.devices[i];
		char address[BDF_SIZE];

		if (is_meant[i] && edit_has_selector(&rule->selector, d))
			say_error("%s: it binds other devices too: \"earlybind keep %s\" "
				  "leaves this one to the host",
				  edit_describe_rule(e, rule),
				  device_short_address(d, address));
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
					  "takes it at boot");
		else
			paragraph_add(&p, "it is still %s %s",
				      pd->action == ACTION_KEEP ? "kept by" : "named by",
				      edit_describe_rule(e, pd->rule));
		paragraph_end(&p);
	}
}

void removal_write(const struct removal *r, const struct edit *e, bool is_done,
		   struct json *json)
{
	bool *is_about = arena_alloc(e->arena, e->inventory.count + 1, sizeof(bool));

	for (size_t i = 0; is_about && is_done && i < e->inventory.count; i++) {
		const struct pci_device *d = &e->inventory.devices[i];

		is_about[i] = !d->is_bridge && was_named(r, e, d);
	}
	edit_write(e, is_done ? is_about : NULL, json);
}
