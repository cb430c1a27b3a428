/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rule_guard.h"

#include "message.h"
#include "reason.h"

/* How a refusal of the boot is taken while rules are written. */
enum weight {
	WEIGHT_NONE,
	WEIGHT_LEFT, /* a warning: no boot takes it from the host */
	WEIGHT_WARNING, /* may be otherwise at boot */
	WEIGHT_FORCE, /* refused without --force */
	WEIGHT_ALLOW, /* refused without --force, which adds an allow= */
	WEIGHT_NEVER,
};

struct weighing {
	enum reason reason;
	enum weight weight;
	unsigned allow; /* what lifts it: of enum allow */
};

static struct weighing weigh(enum reason reason)
{
	static const struct weighing weighings[] = {
		{REASON_NONE, WEIGHT_NONE, 0},
		{REASON_HOST_DEVICE, WEIGHT_LEFT, 0},
		{REASON_BRIDGE, WEIGHT_NEVER, 0},
		{REASON_IOMMU_DEVICE, WEIGHT_NEVER, 0},
		{REASON_DENYLISTED, WEIGHT_FORCE, 0},
		{REASON_CONSOLE, WEIGHT_ALLOW, ALLOW_CONSOLE},
		{REASON_LAST_DISPLAY, WEIGHT_ALLOW, ALLOW_CONSOLE},
		{REASON_CRITICAL_STORAGE, WEIGHT_ALLOW, ALLOW_STORAGE},
		{REASON_CRITICAL_NETWORK, WEIGHT_ALLOW, ALLOW_NETWORK},
		{REASON_CRITICAL_CONSOLE, WEIGHT_ALLOW, ALLOW_CONSOLE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(weighings); i++)
		if (weighings[i].reason == reason)
			return weighings[i];
	return (struct weighing){reason, WEIGHT_WARNING, 0};
}

/* What allows to take a function that is used so. */
static unsigned allow_for(enum usage_kind kind)
{
	switch (kind) {
	case USAGE_DISK:
		return ALLOW_STORAGE;
	case USAGE_NETWORK:
		return ALLOW_NETWORK;
	case USAGE_DISPLAY:
	case USAGE_INPUT:
		return ALLOW_CONSOLE;
	case USAGE_VFIO:
		break;
	}
	return 0;
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

static enum judgement judge_usages(struct edit *e, const struct rule_requests *w,
				   const struct pci_device *d)
{
	enum judgement judgement = JUDGED_FINE;
	const struct usage *usage;
	size_t count;

	usage = usages_find(&e->usages, d->bdf, &count);
	for (size_t i = 0; usage && i < count; i++) {
		const struct usage *u = &usage[i];
		bool is_allowed = w->is_forced || (w->like.allow & allow_for(u->kind));
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

static enum judgement judge_device(struct edit *e, const struct rule_requests *w,
				   const struct plan_device *pd, unsigned *needs_allow)
{
	struct weighing weighing =
		weigh(pd->action == ACTION_REFUSE ? pd->reason : REASON_NONE);
	const struct pci_device *d = pd->device;
	char message[REASON_MESSAGE_SIZE];
	const char *what = reason_message(pd->reason, pd->detail, message);

	switch (weighing.weight) {
	case WEIGHT_NONE:
		return judge_usages(e, w, d);
	case WEIGHT_LEFT:
		warn(e, d, what);
		return JUDGED_FINE;
	case WEIGHT_WARNING:
		warn(e, d, what);
		return judge_usages(e, w, d);
	case WEIGHT_FORCE:
		if (!w->is_forced)
			return refuse(e, d, what, "; --force adds it all the same");
		warn(e, d, what);
		return judge_usages(e, w, d);
	case WEIGHT_ALLOW:
		if (!w->is_forced)
			return refuse(e, d, what, "");
		*needs_allow |= weighing.allow;
		return JUDGED_NEEDS_ALLOW;
	case WEIGHT_NEVER:
		break;
	}
	return refuse(e, d, what, "");
}

/* A keep rule that takes all of a wish away makes it void; a part of it may be meant. */
static enum judgement judge_kept(struct edit *e, const struct rule_request *request)
{
	const struct plan_device *kept = NULL;
	bool is_own;

	for (size_t i = 0; i < e->plan.device_count; i++) {
		const struct plan_device *pd = &e->plan.devices[i];

		if (!edit_has_selector(&request->selector, pd->device))
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

enum judgement guard_judge(struct edit *e, struct rule_requests *w)
{
	enum judgement all = JUDGED_FINE;

	for (size_t i = 0; i < w->count; i++) {
		struct rule_request *request = &w->items[i];

		if (request->is_done)
			continue;
		if (judge_kept(e, request) == JUDGED_REFUSED) {
			all = JUDGED_REFUSED;
			continue;
		}
		for (size_t k = 0; k < e->plan.device_count; k++) {
			const struct plan_device *pd = &e->plan.devices[k];
			enum judgement one;

			if (pd->action == ACTION_KEEP ||
			    (!edit_has_selector(&request->selector, pd->device) &&
			     !request_has_companions(request, pd)))
				continue;
			one = judge_device(e, w, pd, &request->needs_allow);
			if (all != JUDGED_REFUSED && one != JUDGED_FINE)
				all = one;
		}
	}
	return all;
}
