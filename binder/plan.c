/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan.h"

#include <errno.h>
#include <string.h>

#include "bdf.h"
#include "ids.h"
#include "refuse.h"
#include "serial.h"

#define BLOCKERS_SHOWN 8 /* by name */

struct planner {
	const struct policy *policy;
	const struct inventory *inventory;
	struct arena *arena;
	struct plan *plan;
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

bool driver_is_group_friendly(const char *driver)
{
	/*
	 * Drivers with driver_managed_dma (drivers/vfio/pci, drivers/pci/pci-stub.c,
	 * drivers/pci/pcie/portdrv.c). Variant drivers of vfio-pci have vfio in their names.
	 */
	return driver[0] == '\0' || strcmp(driver, "pci-stub") == 0 ||
	       strcmp(driver, "pcieport") == 0 || strstr(driver, "vfio") != NULL;
}

/* What sits where @rule expects another device, by what the rule says of it. */
static const char *describe(struct planner *p, const struct pci_device *d,
			    const struct rule *rule)
{
	char path[PATH_SIZE], serial[SERIAL_SIZE];
	const char *more = "";

	if (!selector_is_path_of(&rule->selector, d) && d->has_path)
		more = arena_printf(p->arena, " (path %s)", path_format(&d->path, path));
	else if ((rule->selector.terms & TERM_SERIAL) && (d->known & FACT_SERIAL))
		more = d->serial ? arena_printf(p->arena, " (serial number %s)",
						serial_format(d->serial, serial))
				 : " (without a serial number)";
	return arena_printf(p->arena, "%04x:%04x%s", d->ids.vendor, d->ids.device,
			    more ? more : "");
}

static bool has_match(const struct planner *p, const struct selector *s)
{
	for (size_t i = 0; i < p->inventory->count; i++)
		if (selector_has_match(s, &p->inventory->devices[i]))
			return true;
	return false;
}

/*
 * Whether a rule expects another device where @d is. An address is a claim for each function
 * of it; a path may lead to several, and one is enough.
 */
static bool is_claim_of(const struct planner *p, const struct selector *s,
			const struct pci_device *d)
{
	if ((s->terms & TERM_ADDRESS) && selector_is_address_of(s, d->bdf))
		return true;
	return (s->terms & TERM_PATH) && selector_is_path_of(s, d) && !has_match(p, s);
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

	return strcmp(d->driver, DEFAULT_DRIVER) == 0 ||
	       (pd && (pd->action == ACTION_BIND || pd->action == ACTION_RECOVER));
}

static void plan_bind(struct planner *p, struct plan_device *pd, unsigned allow)
{
	const struct refusal context = {p->policy, p->inventory, p->plan, p->arena};
	const struct pci_device *d = pd->device;

	pd->action = ACTION_REFUSE;
	if (strcmp(d->driver, pd->wanted) == 0) {
		pd->action = ACTION_DONE;
		return;
	}
	pd->reason = refuse_device(&context, d, allow, &pd->detail);
	if (pd->reason == REASON_NONE)
		pd->action = d->driver[0] == '\0' ? ACTION_BIND : ACTION_RECOVER;
}

/*
 * Finds the rules that name @d and plans it. A keep rule wins over every bind rule; of
 * several bind rules the first one counts, and what any of them allows is allowed.
 */
static bool plan_device(struct planner *p, const struct pci_device *d,
			struct plan_device *ret)
{
	const struct rule *keep = NULL, *bind = NULL, *mismatch = NULL;
	unsigned allow = 0;

	if (d->is_unread)
		return false;
	for (size_t i = 0; i < p->policy->rule_count; i++) {
		const struct rule *rule = &p->policy->rules[i];
		bool matches = selector_has_match(&rule->selector, d);

		if (!policy_has_rule_active(p->policy, rule))
			continue;
		if (!matches) {
			if (rule->kind == RULE_BIND && !mismatch &&
			    is_claim_of(p, &rule->selector, d))
				mismatch = rule;
			continue;
		}
		p->plan->rule_matches[i]++;
		if (rule->kind == RULE_CRITICAL)
			continue;
		if (rule->kind == RULE_KEEP) {
			keep = keep ? keep : rule;
			continue;
		}
		bind = bind ? bind : rule;
		allow |= rule->allow;
	}
	if (!keep && !bind && !mismatch)
		return false;

	*ret = (struct plan_device){
		.device = d,
		.rule = keep   ? keep
			: bind ? bind
			       : mismatch,
		.wanted = DEFAULT_DRIVER,
	};
	if (keep) {
		char origin[ORIGIN_SIZE];

		ret->action = ACTION_KEEP;
		ret->wanted = "";
		ret->reason = REASON_KEPT;
		ret->detail = arena_printf(p->arena, "%s",
					   origin_format(&keep->origin, origin));
		if (strcmp(d->driver, DEFAULT_DRIVER) == 0) {
			ret->reason = REASON_KEPT_BOUND;
			ret->detail = DEFAULT_DRIVER;
		}
	} else if (bind) {
		plan_bind(p, ret, allow);
	} else {
		ret->action = ACTION_REFUSE;
		ret->reason = REASON_IDENTITY_MISMATCH;
		ret->detail = describe(p, d, mismatch);
	}
	return true;
}

/*
 * Whether @d keeps its group from being used by a VM. Before udev a function without a
 * driver is expected to get its own one later, unless it is a bridge; once the machine is
 * up it is no obstacle.
 */
static bool is_blocker(const struct inventory *inv, const struct plan *plan,
		       const struct pci_device *d)
{
	if (plan && plan_is_leaving_host(plan, d))
		return false;
	if (d->driver[0] != '\0')
		return !driver_is_group_friendly(d->driver);
	return inv->is_early && !d->is_bridge && !d->is_held;
}

int group_make(const struct inventory *inv, const struct plan *plan, int id,
	       struct arena *arena, struct plan_group *ret)
{
	struct plan_group group = {.id = id};
	struct pci_device *const *members;
	size_t count;

	members = inventory_group(inv, id, &count);
	group.blockers = arena_alloc(arena, count, sizeof(struct pci_device *));
	if (!group.blockers)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (is_blocker(inv, plan, members[i]))
			group.blockers[group.blocker_count++] = members[i];
	group.is_viable = group.blocker_count == 0;
	if (!group.is_viable) {
		group.reason = REASON_GROUP_NOT_VIABLE;
		group.detail = plan_blockers(&group, arena);
	} else if (iommu_is_interrupt_unsafe(&inv->iommu)) {
		group.reason = REASON_NO_REMAPPING;
		group.detail = iommu_why_not_remapped(&inv->iommu);
	}
	*ret = group;
	return 0;
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
	struct planner p = {policy, inventory, arena, &plan};

	plan.devices = arena_alloc(arena, inventory->count, sizeof(*plan.devices));
	plan.groups = arena_alloc(arena, inventory->count + 1, sizeof(*plan.groups));
	plan.rule_matches = arena_alloc(arena, RULES_MAX, sizeof(*plan.rule_matches));
	if (!plan.devices || !plan.groups || !plan.rule_matches)
		return -ENOMEM;

	for (size_t i = 0; i < inventory->count; i++)
		if (plan_device(&p, &inventory->devices[i],
				&plan.devices[plan.device_count]))
			plan.device_count++;
	for (size_t i = 0; i < plan.device_count; i++) {
		const struct plan_device *pd = &plan.devices[i];
		int r = 0;

		if (pd->device->iommu_group != NO_GROUP && pd->action != ACTION_KEEP)
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

const char *plan_blockers(const struct plan_group *group, struct arena *arena)
{
	size_t shown = group->blocker_count;
	const char *list = "";

	if (shown > BLOCKERS_SHOWN)
		shown = BLOCKERS_SHOWN - 1;
	for (size_t i = 0; i < shown && list; i++) {
		const char *join = i == 0			   ? ""
				   : i + 1 == group->blocker_count ? " and "
								   : ", ";
		char address[BDF_SIZE];

		list = arena_printf(arena, "%s%s%s", list, join,
				    bdf_format(group->blockers[i]->bdf, address));
	}
	if (list && shown < group->blocker_count)
		list = arena_printf(arena, "%s and %zu more", list,
				    group->blocker_count - shown);
	return list;
}
