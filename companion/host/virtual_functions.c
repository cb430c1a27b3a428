/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "virtual_functions.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "driver.h"
#include "group.h"

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
			inventory_read_pf(world, d->bdf, &ret->physical[i]) == 0;
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

/* An attribute of SR-IOV. -ENOENT: the function has none. */
static int read_number(struct world *world, struct bdf bdf, const char *name, bool is_hex,
		       unsigned *ret)
{
	char path[JOB_PATH_SIZE], buf[16];
	uint64_t value;
	struct text t;
	int r = world_read_text(world, WORLD_SYS, inventory_attribute(bdf, name, path),
				buf, sizeof(buf), &t);

	if (r == 0)
		r = is_hex ? text_hex(t, UINT16_MAX, &value)
			   : text_decimal(t, UINT16_MAX, &value);
	if (r == 0)
		*ret = (unsigned)value;
	return r;
}

/* The rule that takes the card itself from the driver that would make them; NULL: none. */
static const struct rule *find_taker(const struct plan *plan, struct bdf pf)
{
	const struct pci_device key = {.bdf = pf};
	const struct plan_device *pd = plan ? plan_find(plan, &key) : NULL;

	return pd && pd->action <= ACTION_DONE ? pd->rule : NULL;
}

/* What the card cannot do, whatever its driver does. NULL: nothing. */
static const char *find_lack(struct world *world, struct arena *arena,
			     const struct rule *rule, const char *address)
{
	const struct selector *s = &rule->selector;
	struct pci_ids ids;
	unsigned total, device;
	char driver[DRIVER_NAME_SIZE];

	if (inventory_read_driver(world, s->pf, driver) == -ENODEV)
		return arena_printf(arena, "there is no %s, which would make them",
				    address);
	if (read_number(world, s->pf, "sriov_totalvfs", false, &total) != 0 || total == 0)
		return arena_printf(arena,
				    "%s has no SR-IOV, or the firmware has disabled it",
				    address);
	if (total < rule->vfs)
		return arena_printf(arena,
				    "%s can make %u at most, so write vfs=%u or less",
				    address, total, total);
	if (!(s->terms & TERM_ID) ||
	    read_number(world, s->pf, "sriov_vf_device", true, &device) != 0)
		return NULL;
	/* The vendor is that of the card (drivers/pci/iov.c: pci_iov_add_virtfn()). */
	if (inventory_read_ids(world, s->pf, &ids) != 0 ||
	    ((s->id.vendor == PCI_ANY || s->id.vendor == ids.vendor) &&
	     (s->id.device == PCI_ANY || s->id.device == device)))
		return NULL;
	return arena_printf(arena,
			    "those of %s are %04x:%04x, which the rule does not name",
			    address, ids.vendor, device);
}

/* Why they are not there now, though the card can. NULL: they are. */
static const char *find_failure(struct world *world, struct arena *arena,
				const struct rule *rule, const char *address)
{
	unsigned count = inventory_count_vfs(world, rule->selector.pf);
	char driver[DRIVER_NAME_SIZE];

	if (count == rule->vfs)
		return NULL;
	if (count > 0)
		return arena_printf(
			arena,
			"%s has %u, not %u; the kernel changes the number only where "
			"there are none, so write 0 to its sriov_numvfs, then %u",
			address, count, rule->vfs, rule->vfs);
	if (inventory_read_driver(world, rule->selector.pf, driver) < 0 || !driver[0])
		return arena_printf(arena, "no driver has %s, which would make them",
				    address);
	if (driver_is_vfio(driver))
		return arena_printf(arena, "%s is on %s, which makes none", address,
				    driver);
	return arena_printf(
		arena,
		"%s has made none with its driver, %s: \"journalctl -b -g %s\" says why; a "
		"driver may be without support of SR-IOV, or read its own parameter",
		address, driver, address);
}

bool vfs_is_made_by(const struct policy *policy, const struct rule *rule, struct bdf pf)
{
	return rule->vfs > 0 && policy_has_rule_active(policy, rule) &&
	       bdf_compare(rule->selector.pf, pf) == 0;
}

const char *vfs_format_rule(struct arena *arena, const struct rule *rule)
{
	char origin[ORIGIN_SIZE];

	return arena_printf(arena, "%.*s vfs=%u (%s)",
			    (int)MIN(rule->text.n, (size_t)SELECTOR_SIZE), rule->text.p,
			    rule->vfs, origin_format(&rule->origin, origin));
}

/* The kernel takes a number once: the first rule that the card can carry out counts. */
static const struct rule *find_first(struct world *world, struct arena *arena,
				     const struct policy *policy, size_t count,
				     const struct rule *rule, const char *address)
{
	for (size_t i = 0; i < count; i++) {
		const struct rule *r = &policy->rules[i];

		if (vfs_is_made_by(policy, r, rule->selector.pf) &&
		    !find_lack(world, arena, r, address))
			return r;
	}
	return NULL;
}

int vfs_judge(struct world *world, struct arena *arena, const struct policy *policy,
	      size_t count, const struct rule *rule, const struct plan *plan, bool is_now,
	      struct vfs_rule *ret)
{
	char address[BDF_SIZE], origin[ORIGIN_SIZE];
	const struct rule *taker = find_taker(plan, rule->selector.pf), *first;
	const char *wrong;
	bool is_taken = false;

	bdf_format(rule->selector.pf, address);
	first = find_first(world, arena, policy, count, rule, address);
	wrong = find_lack(world, arena, rule, address);
	if (!wrong && first && first->vfs != rule->vfs)
		wrong = arena_printf(
			arena,
			"%s stands before it, and the kernel takes a number once, "
			"so change that one",
			vfs_format_rule(arena, first));
	if (!wrong && taker) {
		is_taken = true;
		wrong = arena_printf(
			arena,
			"%.*s (%s) takes %s from the driver that would make them; to use "
			"them, run \"earlybind keep %s\"",
			(int)MIN(taker->text.n, (size_t)SELECTOR_SIZE), taker->text.p,
			origin_format(&taker->origin, origin), address, address);
	}
	if (!wrong && is_now)
		wrong = find_failure(world, arena, rule, address);
	*ret = (struct vfs_rule){.rule = rule,
				 .is_fine = !wrong,
				 .is_repeated = first != NULL,
				 .is_taken = is_taken,
				 .sentence = wrong};
	if (!wrong && is_now)
		ret->sentence =
			arena_printf(arena, "%u of %s are there", rule->vfs, address);
	else if (!wrong)
		ret->sentence = arena_printf(
			arena,
			"%s makes %u when its driver has it, mostly after the initramfs, "
			"and they are bound then",
			address, rule->vfs);
	return ret->sentence ? 0 : -ENOMEM;
}

int vfs_judge_all(struct world *world, struct arena *arena, const struct policy *policy,
		  const struct plan *plan, bool is_now, struct vfs_rules *ret)
{
	*ret = (struct vfs_rules){
		.items = arena_alloc(arena, policy->rule_count + 1, sizeof(*ret->items))};
	if (!ret->items)
		return -ENOMEM;
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		int r;

		if (rule->vfs == 0 || !policy_has_rule_active(policy, rule))
			continue;
		r = vfs_judge(world, arena, policy, i, rule, plan, is_now,
			      &ret->items[ret->count]);
		if (r < 0)
			return r;
		ret->count++;
	}
	return 0;
}

bool vfs_has_taken(const struct vfs_rules *rules, struct bdf pf)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rules->items[i].is_taken &&
		    bdf_compare(rules->items[i].rule->selector.pf, pf) == 0)
			return true;
	return false;
}

void vfs_write(const struct vfs_rules *rules, struct json *json)
{
	char origin[ORIGIN_SIZE];

	json_open(json, "virtual_functions", '[');
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = rules->items[i].rule;

		json_open(json, NULL, '{');
		json_put_text(json, "rule", rule->text);
		json_put_string(json, "origin", origin_format(&rule->origin, origin));
		json_put_number(json, "count", rule->vfs);
		json_put_bool(json, "ok", rules->items[i].is_fine);
		json_put_string(json, "message", rules->items[i].sentence);
		json_close(json, '}');
	}
	json_close(json, ']');
}

const char *vfs_format(struct arena *arena, const struct vfs_rule *rule)
{
	const char *name = vfs_format_rule(arena, rule->rule);
	const char *text =
		name ? arena_printf(arena, "%s: %s", name, rule->sentence) : NULL;

	return text ? text : "out of memory";
}
