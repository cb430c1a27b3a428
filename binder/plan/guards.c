/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guards.h"

#include <string.h>

#include "driver.h"

/* drivers/vfio/pci/vfio_pci.c: vfio_pci_dev_in_denylist() */
static bool is_denylisted(const struct pci_ids *ids)
{
	static const uint16_t intel[] = {
		0x19e2, 0x19e3, /* QAT C3xxx and its VF */
		0x37c8, 0x37c9, /* QAT C62x and its VF */
		0x0435, 0x0443, /* QAT DH895xCC and its VF */
		0x0b25, 0x0cfe, /* DSA, IAA: since 6.9 and in stable kernels */
	};

	for (size_t i = 0; i < ARRAY_SIZE(intel); i++)
		if (ids->vendor == 0x8086 && ids->device == intel[i])
			return true;
	return false;
}

/* Reasons that hold for the device itself, whoever has it. */
static enum reason refuse_kind(const struct refusal *c, const struct pci_device *d,
			       const char **ret_detail)
{
	const struct pci_device *vmd;
	char address[BDF_SIZE];

	if (d->is_bridge)
		return REASON_BRIDGE;
	vmd = inventory_find_vmd(c->inventory, d);
	if (vmd) {
		*ret_detail = arena_printf(c->arena, "%s", bdf_format(vmd->bdf, address));
		return REASON_BEHIND_VMD;
	}
	if (d->ids.class >> 8 == 0x0806)
		return REASON_IOMMU_DEVICE;
	if (driver_is_vfio(c->wanted) && is_denylisted(&d->ids) &&
	    !c->policy->has_denylist_off)
		return REASON_DENYLISTED;
	if (d->vf_count > 0) {
		*ret_detail = arena_printf(c->arena, "%u", d->vf_count);
		return REASON_HAS_VFS;
	}
	return REASON_NONE;
}

/* What only its group brings along, and the host may live on. */
static enum reason refuse_host(const struct refusal *c, const struct pci_device *d,
			       unsigned allow, const char **ret_detail)
{
	const char *why = c->companions ? companions_why_host(c->companions, c->inventory,
							      d, allow, c->arena)
					: NULL;

	if (!why)
		return REASON_NONE;
	*ret_detail = why;
	return REASON_HOST_DEVICE;
}

static bool is_screen(const struct pci_device *d)
{
	unsigned class = d->ids.class >> 8;

	return !d->is_virtual && (class == 0x0300 || class == 0x0301 || class == 0x0380);
}

static enum reason refuse_display(const struct refusal *c, const struct pci_device *d,
				  unsigned allow)
{
	if (allow & ALLOW_CONSOLE)
		return REASON_NONE;
	if (d->framebuffer || (is_screen(d) && d->is_boot_vga))
		return REASON_CONSOLE;
	if (!is_screen(d))
		return REASON_NONE;
	for (size_t i = 0; i < c->inventory->count; i++) {
		const struct pci_device *other = &c->inventory->devices[i];

		if (other != d && is_screen(other) &&
		    !plan_is_leaving_host(c->plan, other))
			return REASON_NONE;
	}
	return REASON_LAST_DISPLAY;
}

static bool is_of_console(const struct policy *policy, const struct pci_device *d)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].allow == ALLOW_CONSOLE &&
		    policy_has_guard(policy, &policy->rules[i]) &&
		    selector_has_match(&policy->rules[i].selector, d))
			return true;
	return false;
}

/* Whether the console keeps another device that is marked as its own. */
static bool has_other_console(const struct refusal *c, const struct pci_device *d)
{
	for (size_t i = 0; i < c->inventory->count; i++) {
		const struct pci_device *other = &c->inventory->devices[i];

		if (other != d && is_of_console(c->policy, other) &&
		    !plan_is_leaving_host(c->plan, other))
			return true;
	}
	return false;
}

/* What the machine lives on, by the critical rules. */
static enum reason refuse_critical(const struct refusal *c, const struct pci_device *d,
				   unsigned allow, const char **ret_detail)
{
	char origin[ORIGIN_SIZE];

	for (size_t i = 0; i < c->policy->rule_count; i++) {
		const struct rule *rule = &c->policy->rules[i];

		if (!policy_has_guard(c->policy, rule) || (allow & rule->allow) ||
		    !selector_has_match(&rule->selector, d) ||
		    (rule->allow == ALLOW_CONSOLE && has_other_console(c, d)))
			continue;
		*ret_detail =
			rule->carries.n > 0
				? arena_printf(c->arena, "%.*s",
					       (int)MIN(rule->carries.n,
							(size_t)CARRIES_SHOWN),
					       rule->carries.p)
				: arena_printf(c->arena, "%s",
					       origin_format(&rule->origin, origin));
		return rule->allow == ALLOW_STORAGE   ? REASON_CRITICAL_STORAGE
		       : rule->allow == ALLOW_NETWORK ? REASON_CRITICAL_NETWORK
						      : REASON_CRITICAL_CONSOLE;
	}
	return REASON_NONE;
}

/* What the running system has on it: before udev, nothing. */
static enum reason refuse_in_use(const struct pci_device *d, unsigned allow,
				 const char **ret_detail)
{
	static const struct {
		enum allow use;
		enum reason reason;
	} uses[] = {
		{ALLOW_STORAGE, REASON_CRITICAL_STORAGE},
		{ALLOW_NETWORK, REASON_CRITICAL_NETWORK},
	};

	for (size_t i = 0; i < ARRAY_SIZE(uses); i++) {
		if (!(d->uses & uses[i].use) || (allow & uses[i].use))
			continue;
		*ret_detail = d->used_by[i];
		return uses[i].reason;
	}
	return REASON_NONE;
}

/* What the machine as a whole lacks for vfio. */
static enum reason refuse_machine(const struct refusal *c, const struct pci_device *d,
				  const char **ret_detail)
{
	if (c->policy->has_noiommu)
		return REASON_NONE;
	if (!c->inventory->iommu.is_on) {
		*ret_detail = iommu_why_off(&c->inventory->iommu, c->arena);
		return REASON_IOMMU_OFF;
	}
	if (d->direct) {
		*ret_detail = d->direct;
		return REASON_RMRR;
	}
	/*
	 * Some IOMMUs give the group when a driver probes, so a free device is tried. A
	 * working driver is not disturbed for a try.
	 */
	if (d->iommu_group == NO_GROUP && d->driver[0] != '\0')
		return REASON_NO_IOMMU_GROUP;
	return REASON_NONE;
}

enum reason refuse_device(const struct refusal *c, const struct pci_device *d,
			  unsigned allow, const char **ret_detail)
{
	enum reason reason = refuse_kind(c, d, ret_detail);

	if (reason == REASON_NONE)
		reason = refuse_host(c, d, allow, ret_detail);
	if (reason == REASON_NONE)
		reason = refuse_display(c, d, allow);
	if (reason == REASON_NONE)
		reason = refuse_critical(c, d, allow, ret_detail);
	if (reason == REASON_NONE)
		reason = refuse_in_use(d, allow, ret_detail);
	if (reason == REASON_NONE && driver_is_vfio(c->wanted))
		reason = refuse_machine(c, d, ret_detail);
	return reason;
}
