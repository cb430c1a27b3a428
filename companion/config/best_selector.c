/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "best_selector.h"

#include <errno.h>
#include <string.h>

/* Fills in the terms; false if the device has no such thing. */
typedef bool (*way_make)(struct edit *e, const struct pci_device *d, enum rule_kind kind,
			 struct selector *ret);

static void add_id(const struct pci_device *d, struct selector *s)
{
	s->terms |= TERM_ID;
	s->id = (struct pci_match){d->ids.vendor, d->ids.device, PCI_ANY, PCI_ANY, 0, 0};
}

/*
 * The same card has the same number in all its functions, and the ID tells them apart. So
 * only functions with this ID can be taken for it, and only theirs are read.
 */
static bool make_serial(struct edit *e, const struct pci_device *d,
			enum rule_kind kind unused, struct selector *ret)
{
	for (size_t i = 0; i < e->inventory.count; i++) {
		struct pci_device *other = &e->inventory.devices[i];

		if (other->ids.vendor == d->ids.vendor &&
		    other->ids.device == d->ids.device)
			(void)identity_learn(&e->identity, other, FACT_SERIAL);
	}
	ret->terms |= TERM_SERIAL;
	ret->serial = d->serial;
	add_id(d, ret);
	return d->serial != 0;
}

/* On the root bus the path is the address. */
static bool make_path(struct edit *e unused, const struct pci_device *d,
		      enum rule_kind kind, struct selector *ret)
{
	ret->terms |= TERM_PATH;
	ret->path = d->path;
	if (kind == RULE_BIND)
		add_id(d, ret);
	return d->has_path && d->path.hop_count > 0 && d->path.hop_count <= PATH_HOPS_MAX;
}

static bool make_slot(struct edit *e, const struct pci_device *d, enum rule_kind kind,
		      struct selector *ret)
{
	struct pci_device *known = inventory_find(&e->inventory, d->bdf);

	/* The others are told from it by theirs. */
	for (size_t i = 0; i < e->inventory.count; i++)
		(void)identity_learn(&e->identity, &e->inventory.devices[i], FACT_SLOT);
	ret->terms |= TERM_SLOT;
	if (kind == RULE_BIND)
		add_id(d, ret);
	return identity_slot(known, &ret->slot);
}

static bool make_address(struct edit *e unused, const struct pci_device *d,
			 enum rule_kind kind, struct selector *ret)
{
	ret->terms |= TERM_ADDRESS;
	ret->address = d->bdf;
	if (kind == RULE_BIND)
		add_id(d, ret);
	return true;
}

static bool make_id(struct edit *e unused, const struct pci_device *d,
		    enum rule_kind kind unused, struct selector *ret)
{
	add_id(d, ret);
	return true;
}

/* The most stable one first. */
static const struct way {
	const char *name;
	way_make make;
	const char *why;
	const char *keep_why;
	bool is_on_request; /* not proposed unless asked for */
	bool may_share; /* with other devices */
} ways[] = {
	{"serial", make_serial, "by serial number and ID: the card is found in any slot",
	 "by serial number and ID: the card is found in any slot", false, false},
	{"path", make_path,
	 "by path and ID, as it has no serial number of its own: it is found when bus "
	 "numbers change, and another device there is left alone",
	 "by path, as it has no serial number of its own: it protects what sits there",
	 false, false},
	{"address", make_address,
	 "by address and ID: should another device sit there one day, it is left alone",
	 "by address: it protects what sits there", false, false},
	{"slot", make_slot,
	 "by slot and ID: it is found when bus numbers change, and another device in the "
	 "slot is left alone",
	 "by slot: it protects what is in it", true, false},
	{"id", make_id, "by ID: it names every device of this model",
	 "by ID: it names every device of this model", true, true},
};

static const struct way *find(const char *by)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (strcmp(ways[i].name, by) == 0)
			return &ways[i];
	return NULL;
}

bool proposal_is_name(const char *by)
{
	return find(by) != NULL;
}

const char *proposal_name(size_t i, const char **ret_why)
{
	if (i >= ARRAY_SIZE(ways))
		return NULL;
	*ret_why = ways[i].why;
	return ways[i].name;
}

static bool is_alone(const struct edit *e, const struct selector *s,
		     const struct pci_device *d)
{
	for (size_t i = 0; i < e->inventory.count; i++)
		if (edit_has_selector(s, &e->inventory.devices[i]) !=
		    (&e->inventory.devices[i] == d))
			return false;
	return true;
}

/* Why it is written so, and which others have its ID. */
static const char *explain(struct edit *e, const struct pci_device *d,
			   enum rule_kind kind, const struct way *way)
{
	const char *twins = "";

	if (kind != RULE_BIND)
		return way->keep_why;
	if (!way->may_share)
		twins = identity_twins(&e->identity,
				       inventory_find(&e->inventory, d->bdf));
	return twins[0] ? arena_printf(e->arena,
				       "%s; this rule does not name %s, with the same ID",
				       way->why, twins)
			: way->why;
}

int propose(struct edit *e, const struct pci_device *d, enum rule_kind kind,
	    const char *by, struct proposal *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const struct way *way = &ways[i];
		struct selector s = {0};
		char buf[SELECTOR_SIZE];
		const char *text;

		if (by ? strcmp(by, way->name) != 0 : way->is_on_request)
			continue;
		if (!way->make(e, d, kind, &s) || !(way->may_share || is_alone(e, &s, d)))
			continue;
		text = arena_copy(e->arena, text_of(selector_format(&s, buf)));
		if (!text)
			return -ENOMEM;
		*ret = (struct proposal){text, explain(e, d, kind, way)};
		return ret->why ? 0 : -ENOMEM;
	}
	return -ENOENT;
}
