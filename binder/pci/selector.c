/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "selector.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "accel.h"
#include "arena.h"
#include "serial.h"

int slot_parse(struct text t, struct text *ret, struct parse_error *reterr)
{
	size_t n = 0;

	while (n < t.n && t.p[n] > ' ' && t.p[n] < 0x7f && !strchr(",+;/\"", t.p[n]))
		n++;
	if (n == 0 || n < t.n || n > SLOT_NAME_MAX) {
		*reterr = (struct parse_error){
			MIN(n, (size_t)SLOT_NAME_MAX),
			"a slot is a name of /sys/bus/pci/slots: up to 63 characters, no "
			"blank, no quotation mark, none of , + ; /"};
		return -EINVAL;
	}
	*ret = t;
	return 0;
}

/* Whether @name is one of @names, which are joined by '/' (a name in sysfs has none). */
static bool slot_has_name(const char *names, struct text name)
{
	struct text rest = text_of(names), part;

	while (text_cut(&rest, '/', &part))
		if (text_is_same(part, name))
			return true;
	return false;
}

#define CLASS_USAGE \
	"a class is 2, 4 or 6 hexadecimal digits, with ? for any one of them, or * at " \
	"the end for all that follow"

static int fail(struct parse_error *reterr, size_t offset, const char *message)
{
	*reterr = (struct parse_error){offset, message};
	return -EINVAL;
}

static int parse_id(struct text t, struct pci_match *ret, struct parse_error *reterr)
{
	static const char *const wrong[] = {
		"the vendor is 4 hexadecimal digits or *",
		"the device is 4 hexadecimal digits or *",
		"the subsystem vendor is 4 hexadecimal digits or *",
		"the subsystem device is 4 hexadecimal digits or *",
		("the class is 6 hexadecimal digits, and its mask behind it: for any, "
		 "leave both out"),
		"the class mask is 6 hexadecimal digits: bits that are 0 do not count",
	};
	uint32_t field[] = {PCI_ANY, PCI_ANY, PCI_ANY, PCI_ANY, 0, 0};
	struct text rest = t, part;
	size_t n = 0;

	for (; text_cut(&rest, ':', &part); n++) {
		size_t digits = n < 4 ? 4 : 6;
		size_t at = (size_t)(part.p - t.p);
		uint64_t value;

		if (n == ARRAY_SIZE(field))
			return fail(
				reterr, at,
				"an ID has at most six fields: vendor:device:subvendor:"
				"subdevice:class:class_mask");
		if (n < 4 && text_is(part, "*"))
			continue;
		if (part.n != digits || text_hex(part, UINT32_MAX, &value) < 0)
			return fail(reterr, at, wrong[n]);
		field[n] = (uint32_t)value;
	}
	if (n < 2)
		return fail(reterr, 0,
			    "an ID is vendor:device, an address bus:device.function");
	if (n == 5)
		return fail(reterr, t.n,
			    "the kernel ignores a class without a mask: add one (ffff00 "
			    "compares class and subclass)");
	*ret = (struct pci_match){field[0], field[1], field[2],
				  field[3], field[4], field[5]};
	return 0;
}

/*
 * class=03, class=0302, class=030200; '?' is any digit, a '*' at the end all that would follow:
 * class=03?0, class=03*
 */
static int parse_class(struct text t, uint32_t *ret_class, uint32_t *ret_mask,
		       struct parse_error *reterr)
{
	bool is_open = t.n > 0 && t.p[t.n - 1] == '*';
	size_t n = t.n - is_open;
	uint32_t class = 0, mask = 0;

	if (n == 0 || n > 6 || (n % 2 && !is_open))
		return fail(reterr, 0, CLASS_USAGE);
	for (size_t i = 0; i < n; i++) {
		unsigned shift = 20 - 4 * (unsigned)i;
		int digit = char_hex(t.p[i]);

		if (digit >= 0) {
			class |= (uint32_t)digit << shift;
			mask |= UINT32_C(0xf) << shift;
		} else if (t.p[i] != '?') {
			return fail(reterr, 0, CLASS_USAGE);
		}
	}
	if (mask == 0)
		return fail(reterr, 0,
			    "this is every class: give at least one digit, or *:* as "
			    "the ID of every device");
	*ret_class = class;
	*ret_mask = mask;
	return 0;
}

/* A term "name=value". */
static int parse_named(struct text t, struct selector *s, unsigned *ret_term,
		       struct parse_error *reterr)
{
	struct text value = t, name;
	int r;

	(void)text_cut(&value, '=', &name);
	if (text_is(name, "class")) {
		*ret_term = TERM_CLASS;
		r = parse_class(value, &s->class, &s->class_mask, reterr);
	} else if (text_is(name, "path")) {
		*ret_term = TERM_PATH;
		r = path_parse(value, &s->path, reterr);
	} else if (text_is(name, "serial")) {
		*ret_term = TERM_SERIAL;
		r = serial_parse(value, &s->serial, reterr);
	} else if (text_is(name, "accel")) {
		*ret_term = TERM_ACCEL;
		r = accel_group_parse(value, &s->accel);
		if (r < 0)
			(void)fail(reterr, 0, accel_unknown(value));
	} else if (text_is(name, "slot")) {
		*ret_term = TERM_SLOT;
		r = slot_parse(value, &s->slot, reterr);
	} else if (text_is(name, "pf")) {
		*ret_term = TERM_PF;
		r = bdf_parse_loose(value, &s->pf, NULL, reterr);
	} else {
		return fail(reterr, 0,
			    "unknown term: a selector has an ID, an address, path=, "
			    "slot=, serial=, accel=, class= or pf=");
	}
	if (r < 0)
		reterr->offset += name.n + 1;
	return r;
}

static int parse_term(struct text t, struct selector *s, struct parse_error *reterr)
{
	unsigned term;
	int r;

	if (t.n > 0 && memchr(t.p, '=', t.n)) {
		r = parse_named(t, s, &term, reterr);
	} else if (t.n > 0 && memchr(t.p, '.', t.n)) {
		term = TERM_ADDRESS;
		r = bdf_parse_loose(t, &s->address, &s->any_function, reterr);
	} else {
		term = TERM_ID;
		r = parse_id(t, &s->id, reterr);
	}
	if (r < 0)
		return r;
	if (s->terms & term)
		return fail(reterr, 0, "two terms of the same kind can never both hold");
	s->terms |= term;
	return 0;
}

int selector_parse(struct text t, struct selector *ret, struct parse_error *reterr)
{
	struct text rest = t, part;
	struct selector s = {0};

	if (t.n == 0)
		return fail(reterr, 0, "a selector is missing here");
	while (text_cut(&rest, '+', &part)) {
		int r = parse_term(part, &s, reterr);

		if (r < 0) {
			reterr->offset += (size_t)(part.p - t.p);
			return r;
		}
	}
	*ret = s;
	return 0;
}

static void put_field(struct text_buffer *b, uint32_t value, const char *end)
{
	if (value == PCI_ANY)
		text_add(b, "*%s", end);
	else
		text_add(b, "%04x%s", value, end);
}

static void put_id(struct text_buffer *b, const struct pci_match *id)
{
	bool class = id->class_mask != 0;
	bool sub = class || id->subvendor != PCI_ANY || id->subdevice != PCI_ANY;

	put_field(b, id->vendor, ":");
	put_field(b, id->device, sub ? ":" : "");
	if (sub) {
		put_field(b, id->subvendor, ":");
		put_field(b, id->subdevice, class ? ":" : "");
	}
	if (class)
		text_add(b, "%06x:%06x", id->class, id->class_mask);
}

/* The digits of class=, as few as say it: 2, 4 or 6. */
static void put_class(struct text_buffer *b, uint32_t class, uint32_t mask)
{
	unsigned shift = 24;

	while (shift % 8 || mask & ((UINT32_C(1) << shift) - 1)) {
		shift -= 4;
		if (mask >> shift & 0xf)
			text_add(b, "%x", class >> shift & 0xf);
		else
			text_add(b, "?");
	}
}

static void put_term(struct text_buffer *b, const char *name, const char *value)
{
	text_add(b, "%s%s%s", b->used > 0 ? "+" : "", name, value);
}

const char *selector_format(const struct selector *s, char buf[static SELECTOR_SIZE])
{
	struct text_buffer b = {.buf = buf, .size = SELECTOR_SIZE};
	char text[PATH_SIZE], serial[SERIAL_SIZE];

	text_add(&b, "%s", s->terms & TERM_ADDRESS ? bdf_format(s->address, text) : "");
	if ((s->terms & TERM_ADDRESS) && s->any_function)
		buf[b.used - 1] = '*';
	if (s->terms & TERM_PATH)
		put_term(&b, "path=", path_format(&s->path, text));
	if (s->terms & TERM_SLOT)
		text_add(&b, "%sslot=%.*s", b.used > 0 ? "+" : "", (int)s->slot.n,
			 s->slot.p);
	if (s->terms & TERM_PF)
		put_term(&b, "pf=", bdf_format(s->pf, text));
	if (s->terms & TERM_SERIAL)
		put_term(&b, "serial=", serial_format(s->serial, serial));
	if (s->terms & TERM_ID) {
		put_term(&b, "", "");
		put_id(&b, &s->id);
	}
	if (s->terms & TERM_ACCEL)
		put_term(&b, "accel=", accel_group_name(s->accel));
	if (s->terms & TERM_CLASS) {
		put_term(&b, "class=", "");
		put_class(&b, s->class, s->class_mask);
	}
	return buf;
}

bool pci_is_bridge_class(const struct pci_ids *ids)
{
	return ids->class >> 16 == 0x06 && ids->class >> 8 != 0x0680;
}

bool pci_match_has(const struct pci_match *m, const struct pci_ids *ids)
{
	return (m->vendor == PCI_ANY || m->vendor == ids->vendor) &&
	       (m->device == PCI_ANY || m->device == ids->device) &&
	       (m->subvendor == PCI_ANY || m->subvendor == ids->subvendor) &&
	       (m->subdevice == PCI_ANY || m->subdevice == ids->subdevice) &&
	       !((m->class ^ ids->class) & m->class_mask);
}

bool selector_is_address_of(const struct selector *s, struct bdf bdf)
{
	if (!(s->terms & TERM_ADDRESS))
		return true;
	if (s->any_function)
		return bdf_is_same_slot(s->address, bdf);
	return bdf_compare(s->address, bdf) == 0;
}

bool selector_is_path_of(const struct selector *s, const struct pci_device *d)
{
	if (!(s->terms & TERM_PATH))
		return true;
	return d->has_path && !pci_is_bridge_class(&d->ids) &&
	       path_has(&s->path, &d->path);
}

bool selector_is_slot_of(const struct selector *s, const struct pci_device *d)
{
	if (!(s->terms & TERM_SLOT))
		return true;
	return d->slot && !pci_is_bridge_class(&d->ids) &&
	       slot_has_name(d->slot, s->slot);
}

bool selector_has_near_match(const struct selector *s, const struct pci_device *d)
{
	if ((s->terms & TERM_ID) && !pci_match_has(&s->id, &d->ids))
		return false;
	if (s->terms == 0 || !selector_is_address_of(s, d->bdf))
		return false;
	if ((s->terms & TERM_CLASS) && ((s->class ^ d->ids.class) & s->class_mask))
		return false;
	return !(s->terms & TERM_ACCEL) || accel_group_has(s->accel, &d->ids);
}

/* Whether the term about a fact holds, by what is known. */
static bool has_fact_match(const struct selector *s, const struct pci_device *d,
			   enum selector_term term)
{
	if (term == TERM_PATH)
		return selector_is_path_of(s, d);
	if (term == TERM_SLOT)
		return selector_is_slot_of(s, d);
	if (term == TERM_PF)
		return !(s->terms & TERM_PF) ||
		       (d->has_pf && bdf_compare(s->pf, d->pf) == 0);
	return !(s->terms & TERM_SERIAL) || (d->serial != 0 && d->serial == s->serial);
}

#define FACT_TERMS (TERM_PATH | TERM_SLOT | TERM_PF | TERM_SERIAL)

/* In the order of what they cost: a link costs less than a look into config space. */
static const struct {
	enum selector_term term;
	enum pci_fact fact;
} facts[] = {
	{TERM_PATH, FACT_PATH},
	{TERM_SLOT, FACT_SLOT},
	{TERM_PF, FACT_PF},
	{TERM_SERIAL, FACT_SERIAL},
};

bool selector_has_match(const struct selector *s, const struct pci_device *d)
{
	if (!selector_has_near_match(s, d))
		return false;
	for (size_t i = 0; (s->terms & FACT_TERMS) && i < ARRAY_SIZE(facts); i++)
		if (!has_fact_match(s, d, facts[i].term))
			return false;
	return true;
}

unsigned selector_open_facts(const struct selector *s, const struct pci_device *d)
{
	if (!(s->terms & FACT_TERMS) || pci_is_bridge_class(&d->ids) ||
	    !selector_has_near_match(s, d))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		if ((s->terms & facts[i].term) && !(d->known & facts[i].fact))
			return facts[i].fact;
		if (!has_fact_match(s, d, facts[i].term))
			return 0;
	}
	return 0;
}

bool selector_has_identity(const struct selector *s)
{
	return (s->terms & (TERM_SERIAL | TERM_ACCEL)) ||
	       ((s->terms & TERM_ID) && s->id.vendor != PCI_ANY);
}

struct selector selector_without(const struct selector *s, unsigned terms)
{
	struct selector rest = *s;

	rest.terms &= ~terms;
	return rest;
}

bool selector_is_same(const struct selector *a, const struct selector *b)
{
	char first[SELECTOR_SIZE], second[SELECTOR_SIZE];

	return strcmp(selector_format(a, first), selector_format(b, second)) == 0;
}
