/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rules are about which functions of a machine that was drawn. */
#include "fake_lot.h"

#include <string.h>

static const struct fake_device *device_of(const struct lot *lot, size_t i)
{
	return &lot->w->bus.devices[i];
}

bool lot_is_bridge_class(const struct fake_device *d)
{
	return (d->ids.class & 0xff0000) == 0x060000 &&
	       (d->ids.class & 0xffff00) != 0x068000;
}

bool lot_path_of(const struct lot *lot, size_t device, struct lot_path *ret)
{
	const struct fake_device *d = device_of(lot, device);
	uint8_t hops[LOT_HOPS_MAX];
	struct lot_path path = {.count = 0};

	/* Below another bus than its card's, nothing leads to a virtual function. */
	if (d->physfn && d->bdf.bus >= 0x80)
		return false;
	for (int at = (int)device; at >= 0; at = lot->parents[at]) {
		path.root = device_of(lot, (size_t)at)->bdf;
		hops[path.count++] =
			(uint8_t)(path.root.device << 3 | path.root.function);
	}
	/* The last one is the root itself. */
	path.count--;
	for (size_t i = 0; i < path.count; i++)
		path.hops[i] = hops[path.count - 1 - i];
	*ret = path;
	return true;
}

/* Whether the function is at the end of the path, or behind it. */
static bool is_led_to(const struct lot *lot, const struct lot_rule *rule, size_t device)
{
	const struct lot_path *pattern = &rule->path;
	struct lot_path path;
	unsigned want, got;

	if (lot_is_bridge_class(device_of(lot, device)) ||
	    !lot_path_of(lot, device, &path) || path.count < pattern->count)
		return false;
	for (size_t i = 0; i <= pattern->count; i++) {
		want = i == 0 ? (unsigned)pattern->root.device << 3 |
					pattern->root.function
			      : pattern->hops[i - 1];
		got = i == 0 ? (unsigned)path.root.device << 3 | path.root.function
			     : path.hops[i - 1];
		if (i == pattern->count && pattern->is_any)
			got = (got & ~7u) | (want & 7u);
		if (want != got)
			return false;
	}
	return pattern->root.domain == path.root.domain &&
	       pattern->root.bus == path.root.bus;
}

/* The card of a virtual function is what is plugged in. */
static bool is_in_slot(const struct lot *lot, const struct lot_slot *slot, size_t device)
{
	int at = lot->cards[device] >= 0 ? lot->cards[device] : (int)device;

	if (lot_is_bridge_class(device_of(lot, device)))
		return false;
	for (; at >= 0; at = lot->parents[at]) {
		struct bdf bdf = device_of(lot, (size_t)at)->bdf;

		if (slot->bdf.domain == bdf.domain && slot->bdf.bus == bdf.bus &&
		    (slot->is_bus || slot->bdf.device == bdf.device))
			return true;
	}
	return false;
}

static uint64_t own_serial(const struct lot *lot, size_t device)
{
	const char *power = device_of(lot, device)->power_state;

	return power && strcmp(power, "D3cold") == 0 ? 0 : lot->serials[device];
}

/* Its own, or that of function 0. */
static uint64_t serial_of(const struct lot *lot, size_t device)
{
	struct bdf first = device_of(lot, device)->bdf;
	uint64_t serial = own_serial(lot, device);

	if (lot_is_bridge_class(device_of(lot, device)))
		return 0;
	first.function = 0;
	for (size_t i = 0; i < lot->w->bus.device_count && serial == 0; i++)
		if (device_of(lot, i)->is_present &&
		    bdf_compare(device_of(lot, i)->bdf, first) == 0)
			serial = own_serial(lot, i);
	return serial;
}

static bool has_address(const struct lot_rule *rule, struct bdf bdf)
{
	const struct bdf *want = &rule->address;

	return want->domain == bdf.domain && want->bus == bdf.bus &&
	       want->device == bdf.device &&
	       (rule->is_any_function || want->function == bdf.function);
}

static bool has_field(uint32_t want, uint32_t got)
{
	return want == PCI_ANY || want == got;
}

static bool has_accel(const struct lot_accel *accel, const struct pci_ids *ids)
{
	return accel->vendor == ids->vendor &&
	       (accel->device == 0 || accel->device == ids->device) &&
	       (accel->class == 0 || accel->class == ids->class >> 8);
}

static bool has_terms(const struct lot *lot, const struct lot_rule *rule, unsigned terms,
		      size_t device)
{
	const struct fake_device *d = device_of(lot, device);
	const struct pci_match *id = &rule->id;

	if (!d->is_present || ((terms & TERM_ADDRESS) && !has_address(rule, d->bdf)))
		return false;
	if ((terms & TERM_ID) &&
	    !(has_field(id->vendor, d->ids.vendor) &&
	      has_field(id->device, d->ids.device) &&
	      has_field(id->subvendor, d->ids.subvendor) &&
	      has_field(id->subdevice, d->ids.subdevice) &&
	      (id->class & id->class_mask) == (d->ids.class & id->class_mask)))
		return false;
	if ((terms & TERM_CLASS) && rule->class != (d->ids.class & rule->class_mask))
		return false;
	if ((terms & TERM_ACCEL) && !has_accel(&lot_accels[rule->accel], &d->ids))
		return false;
	if ((terms & TERM_PATH) && !is_led_to(lot, rule, device))
		return false;
	if ((terms & TERM_SLOT) && !is_in_slot(lot, &lot->slots[rule->slot], device))
		return false;
	return !(terms & TERM_SERIAL) || rule->serial == serial_of(lot, device);
}

bool lot_has_match(const struct lot *lot, const struct lot_rule *rule, size_t device)
{
	return has_terms(lot, rule, rule->terms, device);
}

bool lot_is_active(const struct lot *lot, const struct lot_rule *rule)
{
	return rule->place != PLACE_OTHER_PROFILE &&
	       (rule->place != PLACE_PROFILE || lot->is_profile_on);
}

static bool is_bridge(const struct lot *lot, size_t device)
{
	const struct fake_device *d = device_of(lot, device);

	return lot_is_bridge_class(d) || d->has_bus_behind;
}

#define PLACE (TERM_ADDRESS | TERM_PATH | TERM_SLOT)

bool lot_may_be_lost(const struct lot_rule *rule)
{
	return (rule->terms & (TERM_SERIAL | TERM_ACCEL)) ||
	       ((rule->terms & TERM_ID) && rule->id.vendor != PCI_ANY);
}

static bool is_found(const struct lot *lot, const struct lot_rule *rule)
{
	for (size_t i = 0; i < lot->w->bus.device_count; i++)
		if (lot_has_match(lot, rule, i))
			return true;
	return false;
}

/* The function that its place says; -1: any. Of what says two, the address counts. */
static int function_of(const struct lot_rule *rule)
{
	if ((rule->terms & TERM_ADDRESS) && !rule->is_any_function)
		return rule->address.function;
	if ((rule->terms & TERM_PATH) && rule->path.count > 0 && !rule->path.is_any)
		return rule->path.hops[rule->path.count - 1] & 7;
	return -1;
}

static bool is_of_rest(const struct lot *lot, const struct lot_rule *rule, size_t device)
{
	return !is_bridge(lot, device) &&
	       has_terms(lot, rule, rule->terms & ~(unsigned)PLACE, device);
}

/* Nothing is where it says, and there is one such card, with the function that it says. */
static const struct fake_device *followed_card(const struct lot *lot,
					       const struct lot_rule *rule)
{
	const struct fake_device *card = NULL;
	int function = function_of(rule);
	bool is_meant = false;

	if (!rule->is_followed || is_found(lot, rule))
		return NULL;
	for (size_t i = 0; i < lot->w->bus.device_count; i++) {
		const struct fake_device *d = device_of(lot, i);

		if (!is_of_rest(lot, rule, i))
			continue;
		if (card && !bdf_is_same_slot(card->bdf, d->bdf))
			return NULL;
		card = d;
		is_meant |= function < 0 || d->bdf.function == function;
	}
	return is_meant ? card : NULL;
}

/* A second card with the same number does not count if its number cannot be read. */
bool lot_may_follow(const struct lot *lot, const struct lot_rule *rule, size_t device)
{
	return lot->has_hanging && rule->is_followed && (rule->terms & TERM_SERIAL) &&
	       lot_is_active(lot, rule) && is_of_rest(lot, rule, device);
}

bool lot_is_named(const struct lot *lot, const struct lot_rule *rule, size_t device)
{
	const struct fake_device *d = device_of(lot, device), *card;
	int function = function_of(rule);

	if (lot_has_match(lot, rule, device))
		return true;
	card = followed_card(lot, rule);
	return card && bdf_is_same_slot(card->bdf, d->bdf) &&
	       is_of_rest(lot, rule, device) &&
	       (function < 0 || d->bdf.function == function);
}

/* Whether the rule expects another device where this one is. */
static bool is_claim(const struct lot *lot, const struct lot_rule *rule, size_t device)
{
	if (followed_card(lot, rule))
		return false;
	if ((rule->terms & TERM_ADDRESS) &&
	    has_address(rule, device_of(lot, device)->bdf))
		return true;
	return (((rule->terms & TERM_PATH) && is_led_to(lot, rule, device)) ||
		((rule->terms & TERM_SLOT) &&
		 is_in_slot(lot, &lot->slots[rule->slot], device))) &&
	       !is_found(lot, rule);
}

/* What a rule about the function names, and what only it is not about. */
static void match_rules(const struct lot *lot, size_t device, struct lot_match *m)
{
	for (size_t i = 0; i < lot->order_count; i++) {
		const struct lot_rule *rule = &lot->rules[lot->order[i]];

		if (rule->kind == RULE_CRITICAL || !lot_is_active(lot, rule))
			continue;
		if (!lot_has_match(lot, rule, device)) {
			if (rule->kind == RULE_BIND && m->claim == LOT_NO_RULE &&
			    is_claim(lot, rule, device))
				m->claim = i;
		} else if (rule->kind == RULE_KEEP) {
			m->keep = m->keep == LOT_NO_RULE ? i : m->keep;
		} else {
			m->bind = m->bind == LOT_NO_RULE ? i : m->bind;
			m->allow |= rule->allow;
		}
	}
	for (size_t i = 0; i < lot->order_count; i++) {
		const struct lot_rule *rule = &lot->rules[lot->order[i]];

		/* Those that name it where it is go before. */
		if (rule->kind != RULE_BIND || !lot_is_active(lot, rule) ||
		    lot_has_match(lot, rule, device) || !lot_is_named(lot, rule, device))
			continue;
		m->bind = m->bind == LOT_NO_RULE ? i : m->bind;
		m->allow |= rule->allow;
	}
}

static bool is_kept(const struct lot *lot, size_t device)
{
	for (size_t i = 0; i < lot->rule_count; i++)
		if (lot->rules[i].kind == RULE_KEEP &&
		    lot_is_active(lot, &lot->rules[i]) &&
		    lot_has_match(lot, &lot->rules[i], device))
			return true;
	return false;
}

static bool is_same_group(const struct lot *lot, size_t a, size_t b)
{
	return !lot->w->is_without_iommu && device_of(lot, a)->group != FAKE_NO_GROUP &&
	       device_of(lot, a)->group == device_of(lot, b)->group;
}

/* Whether the rule names @other and wants @device with it. */
static bool is_brought(const struct lot *lot, const struct lot_rule *rule, size_t other,
		       size_t device, bool is_same_card)
{
	if (is_bridge(lot, other) || is_kept(lot, other) ||
	    !lot_is_named(lot, rule, other))
		return false;
	return rule->with == WITH_GROUP ? is_same_group(lot, other, device)
					: is_same_card;
}

static void match_along(const struct lot *lot, size_t device, struct lot_match *m)
{
	if (is_bridge(lot, device) || !device_of(lot, device)->is_present)
		return;
	for (size_t i = 0; i < lot->order_count; i++) {
		const struct lot_rule *rule = &lot->rules[lot->order[i]];

		if (rule->kind != RULE_BIND || !rule->with || !lot_is_active(lot, rule))
			continue;
		for (size_t k = 0; k < lot->w->bus.device_count; k++) {
			bool is_same_card = bdf_is_same_slot(device_of(lot, k)->bdf,
							     device_of(lot, device)->bdf);

			if (!is_brought(lot, rule, k, device, is_same_card))
				continue;
			m->allow |= rule->allow;
			m->companions = m->companions == LOT_NO_RULE ? i : m->companions;
			/* Slots of the chipset hold no cards. */
			m->is_of_card |=
				is_same_card && (rule->with == WITH_FUNCTIONS ||
						 device_of(lot, device)->bdf.bus != 0);
		}
	}
}

void lot_match(const struct lot *lot, size_t device, struct lot_match *ret)
{
	*ret = (struct lot_match){LOT_NO_RULE, LOT_NO_RULE, LOT_NO_RULE,
				  LOT_NO_RULE, 0,	    false};
	match_rules(lot, device, ret);
	match_along(lot, device, ret);
}
