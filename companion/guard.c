/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard.h"

#include "message.h"
#include "reason.h"

/* How a refusal of the boot is taken while rules are written. */
enum weight {
	WEIGHT_NONE,
	WEIGHT_WARNING, /* may be otherwise at boot */
	WEIGHT_FORCE, /* refused without --force */
	WEIGHT_CONSOLE, /* refused without --force, which adds allow=console */
	WEIGHT_NEVER,
};

static enum weight weigh(enum reason reason)
{
	static const struct {
		enum reason reason;
		enum weight weight;
	} weights[] = {
		{REASON_NONE, WEIGHT_NONE},
		{REASON_BRIDGE, WEIGHT_NEVER},
		{REASON_IOMMU_DEVICE, WEIGHT_NEVER},
		{REASON_DENYLISTED, WEIGHT_FORCE},
		{REASON_CONSOLE, WEIGHT_CONSOLE},
		{REASON_LAST_DISPLAY, WEIGHT_CONSOLE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(weights); i++)
		if (weights[i].reason == reason)
			return weights[i].weight;
	return WEIGHT_WARNING;
}

static void warn(struct edit *e, const struct pci_device *d, const char *what)
{
	say_error("warning: %s: %s", edit_describe(e, d), what);
}

static enum judgement refuse(struct edit *e, const struct pci_device *d, const char *what,
			     const char *remedy)
{
	say_error("%s: %s%s", edit_describe(e, d), what, remedy);
	return JUDGED_REFUSED;
}

static enum judgement judge_usages(struct edit *e, const struct wishes *w,
				   const struct pci_device *d)
{
	enum judgement judgement = JUDGED_FINE;
	const struct usage *usage;
	size_t count;

	usage = usages_find(&e->usages, d->bdf, &count);
	for (size_t i = 0; usage && i < count; i++) {
		const struct usage *u = &usage[i];
		bool is_allowed = w->is_forced || (u->kind == USAGE_DISPLAY &&
						   (w->like.allow & ALLOW_CONSOLE));
		const char *what =
			arena_printf(e->arena, "the host uses %s: %s", u->name, u->what);

		if (!u->is_in_use || u->kind == USAGE_VFIO || !what)
			continue;
		if (u->is_critical && !is_allowed)
			judgement = refuse(e, d, what, "; --force adds it all the same");
		else
			warn(e, d, what);
	}
	return judgement;
}

static enum judgement judge_device(struct edit *e, const struct wishes *w,
				   const struct plan_device *pd)
{
	const struct pci_device *d = pd->device;
	char message[REASON_MESSAGE_SIZE];
	const char *what = reason_message(pd->reason, pd->detail, message);

	switch (pd->action == ACTION_REFUSE ? weigh(pd->reason) : WEIGHT_NONE) {
	case WEIGHT_NONE:
		return judge_usages(e, w, d);
	case WEIGHT_WARNING:
		warn(e, d, what);
		return judge_usages(e, w, d);
	case WEIGHT_FORCE:
		if (!w->is_forced)
			return refuse(e, d, what, "; --force adds it all the same");
		warn(e, d, what);
		return judge_usages(e, w, d);
	case WEIGHT_CONSOLE:
		return w->is_forced ? JUDGED_NEEDS_CONSOLE : refuse(e, d, what, "");
	case WEIGHT_NEVER:
		break;
	}
	return refuse(e, d, what, "");
}

/* A keep rule that takes all of a wish away makes it void; a part of it may be meant. */
static enum judgement judge_kept(struct edit *e, const struct wish *wish)
{
	const struct plan_device *kept = NULL;
	bool is_own;

	for (size_t i = 0; i < e->plan.device_count; i++) {
		const struct plan_device *pd = &e->plan.devices[i];

		if (!edit_has_selector(&wish->selector, pd->device))
			continue;
		if (pd->action != ACTION_KEEP)
			return JUDGED_FINE;
		kept = pd;
	}
	if (!kept)
		return JUDGED_FINE;
	is_own = edit_is_own(e, kept->rule);
	say_error("%s: the rule keep %s wins over it: take that one out first%s%.*s",
		  edit_describe(e, kept->device), edit_describe_rule(e, kept->rule),
		  is_own ? ", with earlybind remove " : "",
		  is_own ? (int)kept->rule->text.n : 0, kept->rule->text.p);
	return JUDGED_REFUSED;
}

enum judgement guard_judge(struct edit *e, struct wishes *w)
{
	enum judgement all = JUDGED_FINE;

	for (size_t i = 0; i < w->count; i++) {
		struct wish *wish = &w->items[i];

		if (wish->is_done)
			continue;
		if (judge_kept(e, wish) == JUDGED_REFUSED) {
			all = JUDGED_REFUSED;
			continue;
		}
		for (size_t k = 0; k < e->plan.device_count; k++) {
			const struct plan_device *pd = &e->plan.devices[k];
			enum judgement one;

			if (!edit_has_selector(&wish->selector, pd->device) ||
			    pd->action == ACTION_KEEP)
				continue;
			one = judge_device(e, w, pd);
			wish->needs_console |= one == JUDGED_NEEDS_CONSOLE;
			if (all != JUDGED_REFUSED && one != JUDGED_FINE)
				all = one;
		}
	}
	return all;
}
