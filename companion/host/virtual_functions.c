/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "virtual_functions.h"

#include <errno.h>
#include <string.h>

#include "driver.h"
#include "group.h"

int virtual_function_physical(struct world *world, const struct pci_device *d,
			      struct bdf *ret)
{
	char path[JOB_PATH_SIZE], address[BDF_SIZE];
	int r = world->ops->link(world, WORLD_SYS,
				 inventory_attribute(d->bdf, "physfn", path), address,
				 sizeof(address));

	return r < 0 ? r : bdf_parse(text_of(address), ret);
}

/* Of each function of @inventory whether it is virtual, and of which one. */
struct virtuals {
	const struct inventory *inventory;
	bool *is_virtual;
	struct bdf *physical;
};

/* Whether the next boot has other functions or drivers than now; -ENOMEM. */
static int find_virtuals(struct world *world, struct arena *arena,
			 const struct inventory *inventory, struct virtuals *ret)
{
	bool is_other = false;

	*ret = (struct virtuals){
		inventory,
		arena_alloc(arena, inventory->count + 1, sizeof(*ret->is_virtual)),
		arena_alloc(arena, inventory->count + 1, sizeof(*ret->physical))};
	if (!ret->is_virtual || !ret->physical)
		return -ENOMEM;
	for (size_t i = 0; i < inventory->count; i++) {
		const struct pci_device *d = &inventory->devices[i];

		ret->is_virtual[i] =
			!d->is_bridge &&
			virtual_function_physical(world, d, &ret->physical[i]) == 0;
		is_other |= ret->is_virtual[i] || d->vf_count > 0 ||
			    driver_is_vfio(d->driver);
	}
	return is_other;
}

/* Whether the plan binds the function at @bdf. */
static bool is_taken(const struct plan *plan, struct bdf bdf)
{
	const struct pci_device key = {.bdf = bdf};
	const struct plan_device *pd = plan_find(plan, &key);

	return pd && pd->action <= ACTION_DONE;
}

/*
 * The machine without its virtual functions and vfio drivers; with @plan, that is about it, with
 * the virtual functions whose physical one it leaves to the driver.
 */
static int copy_without(struct arena *arena, const struct virtuals *v,
			const struct plan *plan, struct inventory *ret)
{
	const struct inventory *from = v->inventory;
	struct inventory to = *from;
	size_t group_order = 0;

	to.count = 0;
	to.devices = arena_alloc(arena, from->count + 1, sizeof(*to.devices));
	to.by_group = arena_alloc(arena, from->count + 1, sizeof(struct pci_device *));
	if (!to.devices || !to.by_group)
		return -ENOMEM;
	for (size_t i = 0; i < from->count; i++) {
		if (v->is_virtual[i] && (!plan || is_taken(plan, v->physical[i])))
			continue;
		to.devices[to.count] = from->devices[i];
		to.devices[to.count].vf_count = 0;
		if (driver_is_vfio(from->devices[i].driver))
			to.devices[to.count].driver[0] = '\0';
		to.count++;
	}
	/* The order of groups stays. */
	for (size_t i = 0; i < from->count; i++) {
		struct pci_device *d = inventory_find(&to, from->by_group[i]->bdf);

		if (d)
			to.by_group[group_order++] = d;
	}
	*ret = to;
	return 0;
}

/* Puts the drivers of now back: what the plan takes and is on its driver now, is done. */
static int restore_drivers(struct arena *arena, const struct inventory *now,
			   struct inventory *later, struct plan *plan)
{
	for (size_t i = 0; i < later->count; i++) {
		struct pci_device *d = &later->devices[i];
		const struct pci_device *was = inventory_find(now, d->bdf);

		if (was)
			memcpy(d->driver, was->driver, sizeof(d->driver));
	}
	for (size_t i = 0; i < plan->device_count; i++) {
		struct plan_device *pd = &plan->devices[i];

		if (pd->action != ACTION_BIND || !pd->device->driver[0])
			continue;
		pd->action = driver_is_same(pd->device->driver, pd->wanted)
				     ? ACTION_DONE
				     : ACTION_RECOVER;
		if (pd->action == ACTION_DONE)
			pd->wanted = pd->device->driver;
	}
	plan->is_foreseen = true;
	/* They name the drivers of what is in the way. */
	for (size_t i = 0; i < plan->group_count; i++) {
		int r = group_make(later, plan, plan->groups[i].id, arena,
				   &plan->groups[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

static void add_notes(struct arena *arena, const struct virtuals *v, struct plan *plan)
{
	for (size_t i = 0; i < plan->device_count; i++) {
		struct plan_device *pd = &plan->devices[i];
		const struct pci_device *was =
			inventory_find(v->inventory, pd->device->bdf);
		size_t at = was ? (size_t)(was - v->inventory->devices) : 0;
		char address[BDF_SIZE];

		if (!was || !v->is_virtual[at] || pd->note || pd->action > ACTION_DONE)
			continue;
		pd->note =
			arena_printf(arena,
				     "a virtual function: it is bound when the driver of "
				     "%s has made it, after the initramfs",
				     bdf_format(v->physical[at], address));
	}
}

/* For each rule that names only virtual functions that are gone then: what they are. */
static int tell_gone(struct arena *arena, const struct virtuals *v,
		     const struct policy *policy, const struct inventory *next,
		     struct plan *plan)
{
	struct moved *moved = arena_alloc(arena, policy->rule_count + 1, sizeof(*moved));

	if (!moved)
		return -ENOMEM;
	if (policy->rule_count > 0)
		memcpy(moved, plan->moved, policy->rule_count * sizeof(*moved));
	for (size_t r = 0; r < policy->rule_count; r++) {
		const struct pci_device *d = v->inventory->devices;
		char address[BDF_SIZE];
		size_t i = 0;

		while (i < v->inventory->count &&
		       (!v->is_virtual[i] || inventory_find(next, d[i].bdf) ||
			!selector_has_match(&policy->rules[r].selector, &d[i])))
			i++;
		if (plan->rule_matches[r] == 0 && i < v->inventory->count)
			moved[r].elsewhere = arena_printf(
				arena,
				"a virtual function of %s, which the rules take from "
				"its driver",
				bdf_format(v->physical[i], address));
	}
	plan->moved = moved;
	return 0;
}

int virtual_functions_foresee(struct world *world, struct arena *arena,
			      const struct policy *policy, struct inventory *inventory,
			      struct plan *plan)
{
	struct inventory *early = arena_alloc(arena, 1, sizeof(*early));
	struct inventory *later = arena_alloc(arena, 1, sizeof(*later));
	struct inventory *now = arena_alloc(arena, 1, sizeof(*now));
	struct virtuals v;
	struct plan next;
	int r;

	if (!early || !later || !now)
		return -ENOMEM;
	*now = *inventory;
	r = find_virtuals(world, arena, now, &v);
	if (r <= 0)
		return r;
	r = copy_without(arena, &v, NULL, early);
	if (r == 0)
		r = plan_make(policy, early, arena, &next);
	if (r == 0)
		r = copy_without(arena, &v, &next, later);
	if (r == 0)
		r = plan_make(policy, later, arena, &next);
	if (r == 0)
		r = tell_gone(arena, &v, policy, later, &next);
	if (r < 0)
		return r;
	r = restore_drivers(arena, now, later, &next);
	if (r < 0)
		return r;
	add_notes(arena, &v, &next);
	*inventory = *later;
	*plan = next;
	return 0;
}
