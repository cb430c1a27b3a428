/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan.h"

#include <errno.h>
#include <string.h>

#include "bdf.h"
#include "driver.h"
#include "group.h"
#include "policy.h"
#include "vfio_ids.h"
#include "match.h"
#include "guards.h"

#define ID_SHORT 9 /* of an ID without the subsystem */

/* Whether something that the rule names has this ID now. */
static bool is_there(const struct inventory *inv, const struct rule *rule,
		     const struct pci_match *id)
{
	for (size_t i = 0; i < inv->count; i++)
		if (pci_match_has(id, &inv->devices[i].ids) &&
		    selector_has_match(&rule->selector, &inv->devices[i]))
			return true;
	return false;
}

/*
 * A sentence where @d, which @rule names, is not what it was; or NULL. A function is new, not
 * changed, while all that was known is still there.
 */
static const char *known_note(const struct policy *policy,
			      const struct inventory *inventory,
			      const struct pci_device *d, const struct rule *rule,
			      struct arena *arena)
{
	char normal[SELECTOR_SIZE];
	const char *was = NULL;

	if (policy->known_count == 0 || !known_has_use(&rule->selector) ||
	    !selector_has_match(&rule->selector, d))
		return NULL;
	selector_format(&rule->selector, normal);
	for (size_t i = 0; i < policy->known_count; i++) {
		struct text ids = policy->known[i].ids, id;
		struct pci_match match;

		if (strcmp(policy->known[i].selector, normal) != 0)
			continue;
		while (text_cut(&ids, ',', &id) && recorded_id_parse(id, &match) == 0) {
			bool is_subsystem = match.vendor == d->ids.vendor &&
					    match.device == d->ids.device;

			if (pci_match_has(&match, &d->ids))
				return NULL;
			if (is_there(inventory, rule, &match))
				continue;
			was = arena_printf(
				arena, "%s%s%.*s", was ? was : "", was ? " or " : "",
				(int)(is_subsystem ? KNOWN_ID_SIZE - 1 : ID_SHORT), id.p);
		}
	}
	if (!was)
		return NULL;
	return arena_printf(
		arena, "its ID changed: %s when the image was built (reflashed%s?)", was,
		rule->selector.terms & TERM_SERIAL ? "" : ", or another card");
}

struct planner {
	const struct policy *policy;
	const struct inventory *inventory;
	struct arena *arena;
	struct plan *plan;
	struct along *along; /* NULL: no rule has with= */
};

const char *action_name(enum action action)
{
	switch (action) {
	case ACTION_BIND:
		return "bind";
	case ACTION_RECOVER:
		return "recover";
	case ACTION_DONE:
		return "done";
	case ACTION_KEEP:
		return "keep";
	case ACTION_REFUSE:
		return "refuse";
	}
	return "";
}

const struct plan_device *plan_find(const struct plan *plan, const struct pci_device *d)
{
	size_t low = 0, high = plan->device_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bdf_compare(plan->devices[middle].device->bdf, d->bdf);

		if (order == 0)
			return &plan->devices[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool plan_is_leaving_host(const struct plan *plan, const struct pci_device *d)
{
	const struct plan_device *pd = plan_find(plan, d);

	return driver_is_vfio(d->driver) ||
	       (pd && (pd->action == ACTION_BIND || pd->action == ACTION_RECOVER));
}

static void plan_bind(struct planner *p, struct plan_device *pd, unsigned allow)
{
	const struct refusal context = {p->policy, p->inventory, p->plan,
					p->along,  p->arena,	 pd->wanted};
	const struct pci_device *d = pd->device;

	pd->action = ACTION_REFUSE;
	/* The name of a variant that is not loaded is its module's: the driver's may differ. */
	if (driver_is_same(d->driver, pd->wanted)) {
		pd->action = ACTION_DONE;
		pd->wanted = d->driver;
		return;
	}
	pd->reason = refuse_device(&context, d, allow, &pd->detail);
	if (pd->reason == REASON_NONE)
		pd->action = d->driver[0] == '\0' ? ACTION_BIND : ACTION_RECOVER;
}

/* The driver that @rules, the words of driver=, mean for @d. */
static const char *wanted_driver(struct planner *p, const struct pci_device *d,
				 struct text word, const char **ret_note)
{
	const char *name;

	if (text_is(word, AUTO_DRIVER)) {
		if (d->has_no_variants)
			*ret_note =
				"which variants of vfio-pci there are cannot be read, so "
				"that it is plain vfio-pci";
		return d->variant ? d->variant : DEFAULT_DRIVER;
	}
	name = word.n > 0 ? arena_copy(p->arena, word) : NULL;
	return name ? driver_kernel_name(name) : DEFAULT_DRIVER;
}

/* Plans @d if a rule names it. */
static bool plan_device(struct planner *p, const struct pci_device *d,
			struct plan_device *ret)
{
	const struct along *along =
		p->along ? &p->along[d - p->inventory->devices] : NULL;
	char address[BDF_SIZE];
	struct match match;

	if (d->is_unread || !match_device(p->policy, p->plan->lost, d, along,
					  p->plan->rule_matches, &match))
		return false;
	*ret = (struct plan_device){
		.device = d,
		.rule = match.keep   ? match.keep
			: match.bind ? match.bind
				     : match.mismatch,
		.wanted = DEFAULT_DRIVER,
	};
	if (match.keep) {
		char origin[ORIGIN_SIZE];

		ret->action = ACTION_KEEP;
		ret->wanted = "";
		ret->reason = REASON_KEPT;
		ret->detail = arena_printf(p->arena, "%s",
					   origin_format(&match.keep->origin, origin));
		if (strcmp(d->driver, DEFAULT_DRIVER) == 0) {
			ret->reason = REASON_KEPT_BOUND;
			ret->detail = DEFAULT_DRIVER;
		}
	} else if (match.bind) {
		if (match.is_followed)
			ret->note = lost_note(d, match.bind, p->arena);
		ret->wanted = wanted_driver(p, d,
					    match.with || match.is_followed
						    ? match.bind->driver
						    : match_driver(p->policy, d),
					    &ret->note);
		plan_bind(p, ret, match.allow);
		if (match.with && ret->reason != REASON_HOST_DEVICE)
			ret->note = arena_printf(p->arena, "comes along with %s",
						 bdf_format(match.with->bdf, address));
		if (!ret->note)
			ret->note = known_note(p->policy, p->inventory, d, match.bind,
					       p->arena);
	} else {
		ret->action = ACTION_REFUSE;
		ret->reason = REASON_IDENTITY_MISMATCH;
		ret->detail =
			match_describe(d, match.mismatch, match.elsewhere, p->arena);
	}
	return true;
}

/* Adds the group to the plan unless it is there, in the order of numbers. */
static int plan_group(struct planner *p, int id)
{
	struct plan *plan = p->plan;
	struct plan_group group;
	size_t at = 0, end = plan->group_count;
	int r;

	while (at < end) {
		size_t middle = at + (end - at) / 2;

		if (plan->groups[middle].id < id)
			at = middle + 1;
		else
			end = middle;
	}
	if (at < plan->group_count && plan->groups[at].id == id)
		return 0;
	r = group_make(p->inventory, plan, id, p->arena, &group);
	if (r < 0)
		return r;
	memmove(&plan->groups[at + 1], &plan->groups[at],
		(plan->group_count - at) * sizeof(*plan->groups));
	plan->groups[at] = group;
	plan->group_count++;
	return 0;
}

/*
 * vfio-pci takes every driverless device that its own ids= match, also those that a keep
 * rule or a guard protects. And to look at a device that another driver has, it waits for
 * that driver's probe or remove (dd.c: __driver_attach()): one that hangs would hold up the
 * loading and with it all other devices. Then the module must do without them.
 */
static bool has_safe_ids(const struct planner *p)
{
	struct text ids = p->policy->module_ids;

	/* Too long, the module would not load; quotes could not be quoted. */
	if (ids.n > IDS_LENGTH_MAX || (ids.n > 0 && memchr(ids.p, '"', ids.n)))
		return false;
	/* They would take what could not be judged. */
	if (p->inventory->unread_count > 0 || p->inventory->is_cut)
		return false;
	for (size_t i = 0; i < p->plan->device_count; i++) {
		const struct plan_device *pd = &p->plan->devices[i];

		if (pd->action == ACTION_BIND || pd->action == ACTION_DONE)
			continue;
		for (size_t k = 0; k < p->policy->rule_count; k++)
			if (p->policy->rules[k].is_module_id &&
			    selector_has_match(&p->policy->rules[k].selector, pd->device))
				return false;
	}
	return true;
}

int plan_make(const struct policy *policy, const struct inventory *inventory,
	      struct arena *arena, struct plan *ret)
{
	struct plan plan = {0};
	struct planner p = {policy, inventory, arena, &plan, NULL};
	int r;

	plan.devices = arena_alloc(arena, inventory->count, sizeof(*plan.devices));
	plan.groups = arena_alloc(arena, inventory->count + 1, sizeof(*plan.groups));
	plan.rule_matches = arena_alloc(arena, RULES_MAX, sizeof(*plan.rule_matches));
	plan.lost = lost_find(policy, inventory, arena);
	if (!plan.devices || !plan.groups || !plan.rule_matches || !plan.lost)
		return -ENOMEM;
	r = along_find(policy, inventory, plan.lost, arena, &p.along);
	if (r < 0)
		return r;

	for (size_t i = 0; i < inventory->count; i++)
		if (plan_device(&p, &inventory->devices[i],
				&plan.devices[plan.device_count]))
			plan.device_count++;
	for (size_t i = 0; i < plan.device_count; i++) {
		const struct plan_device *pd = &plan.devices[i];

		/* Of use to a VM is what vfio has; of pci-stub and the like nobody asks. */
		if (pd->device->iommu_group != NO_GROUP && pd->action != ACTION_KEEP &&
		    driver_is_vfio(pd->wanted))
			r = plan_group(&p, pd->device->iommu_group);
		if (r < 0)
			return r;
	}
	plan.is_ids_safe = has_safe_ids(&p);
	*ret = plan;
	return 0;
}

void plan_restrict(struct plan *plan, struct bdf bdf)
{
	size_t devices = 0, groups = 0;
	int group = NO_GROUP;

	for (size_t i = 0; i < plan->device_count; i++)
		if (bdf_compare(plan->devices[i].device->bdf, bdf) == 0)
			plan->devices[devices++] = plan->devices[i];
	if (devices > 0)
		group = plan->devices[0].device->iommu_group;
	for (size_t i = 0; i < plan->group_count; i++)
		if (plan->groups[i].id == group)
			plan->groups[groups++] = plan->groups[i];
	plan->device_count = devices;
	plan->group_count = groups;
	plan->is_ids_safe = false;
}
