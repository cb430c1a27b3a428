/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rule_request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device_words.h"
#include "message.h"
#include "sentences.h"
#include "virtual_functions.h"

const struct word_help rule_options[] = {
	{"allow=console", "also a device that drives the console"},
	{"allow=network", "also a device with the network of the boot"},
	{"allow=storage", "also a device with a disk of the system"},
	{"driver=auto", "the variant of vfio-pci that is made for it"},
	{"driver=pci-stub", "a driver that does nothing with it"},
	{"driver=vfio-pci", "vfio-pci itself, as without the option"},
	{"follow", "bound where it is, should it have been moved"},
	{"on-failure=hold", "kept from every driver if it cannot be bound"},
	{"on-failure=restore", "given back to its driver if it cannot be bound"},
	{"on-failure=shell", "a shell in the initramfs if it cannot be bound"},
	{"optional", "no failure if it is absent"},
	{"vfs=1", "with pf=: so many virtual functions are made"},
	{"with=functions", "the other functions of the card come along"},
	{"with=group", "the rest of its IOMMU group comes along"},
	{NULL, NULL},
};

struct selector_proposal {
	const char *selector; /* in normal form */
	const char *why; /* "by address and ID: ..." */
};

/* What --by knows, for messages; "exact" is not among them. */
#define PROPOSAL_NAMES "serial, path, address, slot, id"

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
	{"serial", make_serial,
	 "rule by serial number and ID: finds the card in any slot",
	 "rule by serial number and ID: finds the card in any slot", false, false},
	{"path", make_path,
	 "rule by slot path and ID: survives renumbered buses, and never takes another card in "
	 "that slot (the card has no serial number)",
	 "rule by slot path: protects whatever is there (the card has no serial number)",
	 false, false},
	{"address", make_address,
	 "rule by address and ID: never takes another card at that address",
	 "rule by address: protects whatever is there", false, false},
	{"slot", make_slot,
	 "rule by slot and ID: survives renumbered buses, and never takes another card in that "
	 "slot",
	 "rule by slot: protects whatever is in it", true, false},
	{"id", make_id, "rule by ID: names every device of this model",
	 "rule by ID: names every device of this model", true, true},
};

static const struct way *find(const char *by)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (strcmp(ways[i].name, by) == 0)
			return &ways[i];
	return NULL;
}

static bool proposal_is_name(const char *by)
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

/*
 * The first way that singles out @d on this machine, or the one named @by. A keep rule claims
 * no ID at a place: it should protect whatever sits there. -ENOENT if @d cannot be named
 * in that way; -ENOMEM.
 */
static int propose(struct edit *e, const struct pci_device *d, enum rule_kind kind,
		   const char *by, struct selector_proposal *ret)
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
		*ret = (struct selector_proposal){text, explain(e, d, kind, way)};
		return ret->why ? 0 : -ENOMEM;
	}
	return -ENOENT;
}

#define NEAR_MAX 4

void say_wrong_word(const char *command, struct text word, const char *message)
{
	if (device_word_is_name(word))
		say_error(
			"%s: \"%.*s\" is no address and no ID: \"earlybind list\" shows "
			"them",
			command, (int)word.n, word.p);
	else
		say_error("%s: \"%.*s\": %s", command, (int)word.n, word.p, message);
}

int selection_parse(const char *command, const struct strings *words,
		    struct selection *ret)
{
	ret->words = words;
	for (size_t i = 0; i < words->count; i++) {
		struct text word = text_of(words->items[i]);
		struct parse_error error;

		if (device_word_parse(word, &ret->selectors[i], &error) == 0)
			continue;
		say_wrong_word(command, word, error.message);
		return -EINVAL;
	}
	return 0;
}

bool selection_has_match(const struct selection *s, const struct pci_device *d)
{
	for (size_t i = 0; i < s->words->count; i++)
		if (selector_has_match(&s->selectors[i], d))
			return true;
	return s->words->count == 0;
}

unsigned selection_filter(const void *arg, const struct pci_device *device)
{
	const struct selection *s = arg;
	unsigned wants = FACT_WANTED;

	for (size_t i = 0; i < s->words->count; i++)
		wants |= selector_open_facts(&s->selectors[i], device);
	return wants;
}

/* How unlike the function is what the selector names: 0 for a match of something. */
static unsigned distance_to_device(const struct selector *s, const struct pci_device *d)
{
	if (s->terms & TERM_ADDRESS) {
		if (s->address.domain != d->bdf.domain)
			return 1000;
		if (s->address.bus == d->bdf.bus)
			return 1 + (s->address.device != d->bdf.device);
		return 2 + (unsigned)abs((int)s->address.bus - (int)d->bdf.bus);
	}
	if (s->terms & TERM_ID)
		return s->id.vendor == d->ids.vendor ? 1 : 1000;
	return 1000;
}

/* Up to NEAR_MAX functions of the same, smallest distance_to_device. */
static void say_missing(const char *word, const struct selector *s,
			const struct inventory *inventory)
{
	char text[NEAR_MAX * (BDF_SIZE + ID_SIZE + 16)];
	unsigned best = 999;
	size_t count = 0;
	struct text_buffer b = {.buf = text, .size = sizeof(text)};

	for (size_t i = 0; i < inventory->count; i++)
		best = MIN(best, distance_to_device(s, &inventory->devices[i]));
	for (size_t i = 0; i < inventory->count && count < NEAR_MAX; i++) {
		const struct pci_device *d = &inventory->devices[i];
		char address[BDF_SIZE], id[ID_SIZE];

		if (distance_to_device(s, d) != best)
			continue;
		text_add(&b, "%s%s [%s]", count++ > 0 ? ", " : "",
			 bdf_format(d->bdf, address), format_id(&d->ids, id));
	}
	if (count > 0)
		say_error("there is no device %s: near it %s %s; \"earlybind list\" "
			  "shows them all",
			  word, count == 1 ? "is" : "are", text);
	else
		say_error("there is no device %s: see \"earlybind list\"", word);
}

size_t selection_say_missing(const struct selection *s, const struct inventory *inventory)
{
	size_t missing = 0;

	for (size_t i = 0; i < s->words->count; i++) {
		bool is_there = false;

		for (size_t k = 0; k < inventory->count && !is_there; k++)
			is_there = selector_has_match(&s->selectors[i],
						      &inventory->devices[k]);
		if (is_there)
			continue;
		say_missing(s->words->items[i], &s->selectors[i], inventory);
		missing++;
	}
	return missing;
}

#define NEAREST_MAX 3

/* An option of a rule, right or wrong, and no selector. */
static bool is_option(struct text word)
{
	static const char *const names[] = {"optional", "on-failure", "allow", "driver",
					    "follow",	"with",	      "vfs"};
	struct text name;

	(void)text_cut(&word, '=', &name);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (text_is_param(name, names[i]))
			return true;
	return false;
}

/* A selector, a slot, or a name. */
static int take_selector(struct rule_requests *w, struct edit *e, struct text word)
{
	size_t at = w->asked_count;
	char buf[DEVICE_WORD_SIZE];
	struct text expanded = device_word_expand(word, buf);
	struct parse_error error;
	const char *copy, *bare;

	if (expanded.p == buf) {
		copy = arena_copy(e->arena, expanded);
		if (!copy) {
			say_error("out of memory");
			return -ENOMEM;
		}
		word = text_of(copy);
	}
	w->asked[at] = word;
	w->asked_count++;
	if (selector_parse(word, &w->selectors[at], &error) == 0)
		return 0;
	/* "accel=a,b": the second one is no name of a card. */
	bare = at > 0 && text_has_prefix(w->asked[at - 1], "accel=")
		       ? accel_list_sentence(word)
		       : NULL;
	w->is_name[at] = !bare && device_word_is_name(word);
	if (!w->is_name[at]) {
		say_error("%s: \"%.*s\": %s", w->name, (int)word.n, word.p,
			  bare ? bare : error.message);
		return -EINVAL;
	}
	/* Without this mask there is no class 1. */
	w->selectors[at] = (struct selector){.terms = TERM_CLASS, .class = 1};
	return 0;
}

static int take_selectors(struct rule_requests *w, struct edit *e, struct text list)
{
	struct text part;

	while (text_cut(&list, ',', &part)) {
		if (w->asked_count == WISHES_MAX) {
			say_error("%s: more than %d selectors", w->name, WISHES_MAX);
			return -EINVAL;
		}
		if (take_selector(w, e, part) < 0)
			return -EINVAL;
	}
	return 0;
}

bool request_has_companions(const struct rule_request *request,
			    const struct plan_device *pd)
{
	return pd->rule->with != WITH_NOTHING &&
	       selector_is_same(&pd->rule->selector, &request->selector) &&
	       !edit_has_selector(&request->selector, pd->device);
}

bool requests_has_way(const struct rule_requests *w)
{
	if (!w->by || strcmp(w->by, "exact") == 0 || proposal_is_name(w->by))
		return true;
	say_error("%s: --by is one of " PROPOSAL_NAMES " and exact", w->name);
	return false;
}

int requests_read(struct rule_requests *w, struct edit *e)
{
	struct text word;
	const char *message;

	w->options = "";
	if (!requests_has_way(w))
		return -EINVAL;
	for (size_t i = 0; i < e->words.count; i++) {
		const char *text = e->words.items[i];

		if (!is_option(text_of(text))) {
			if (take_selectors(w, e, text_of(text)) < 0)
				return -EINVAL;
			continue;
		}
		w->options = arena_printf(e->arena, "%s %s", w->options, text);
		if (!w->options || strpbrk(text, " \t\r\n#")) {
			say_error("%s: \"%s\": an option is one word", w->name, text);
			return -EINVAL;
		}
	}
	if (rule_parse_options(text_of(w->options), ' ', &w->like, &word, &message) < 0) {
		say_error("%s: \"%.*s\": %s", w->name, (int)word.n, word.p, message);
		return -EINVAL;
	}
	if (w->has_no_options && w->options[0]) {
		say_error("%s: \"%s\": only add takes options of rules", w->name,
			  w->options + 1);
		return -EINVAL;
	}
	if (w->asked_count == 0) {
		say_error("%s: name a device: an address such as 01:00.0 or an ID such "
			  "as 10ee:5000; \"earlybind list\" shows them",
			  w->name);
		return -EINVAL;
	}
	e->asked = w->selectors;
	e->asked_count = w->asked_count;
	return 0;
}

static int add(struct rule_requests *w, const char *text, const char *why)
{
	struct rule_request *request = &w->items[w->count];
	struct parse_error error;

	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->items[i].text, text) == 0)
			return 0;
	if (w->count == WISHES_MAX) {
		say_error("%s: more than %d rules", w->name, WISHES_MAX);
		return -E2BIG;
	}
	*request = (struct rule_request){.text = text, .why = why};
	if (selector_parse(text_of(text), &request->selector, &error) < 0)
		return -EINVAL;
	w->count++;
	return 0;
}

/* How many characters differ between two texts of the same form. */
static size_t difference(const char *a, const char *b)
{
	size_t n = 0;

	for (; *a && *b; a++, b++)
		n += *a != *b;
	return n + strlen(a) + strlen(b);
}

/* How far a device is from what was asked for; SIZE_MAX for not at all near. */
static size_t distance_to_wish(const struct selector *s, const struct pci_device *d)
{
	struct selector wanted = *s, have = *s;
	char a[SELECTOR_SIZE], b[SELECTOR_SIZE];

	/* The same terms, filled in by the device; what is near stands behind one of them. */
	wanted.terms &= s->terms & TERM_ADDRESS ? TERM_ADDRESS : TERM_ID;
	if (wanted.terms == 0 || d->is_bridge)
		return SIZE_MAX;
	have.terms = wanted.terms;
	have.address = d->bdf;
	if (have.id.vendor != PCI_ANY)
		have.id.vendor = d->ids.vendor;
	if (have.id.device != PCI_ANY)
		have.id.device = d->ids.device;
	return difference(selector_format(&wanted, a), selector_format(&have, b));
}

static void say_nearest(struct edit *e, const struct selector *s)
{
	const struct pci_device *shown[NEAREST_MAX] = {NULL};

	for (size_t k = 0; k < NEAREST_MAX; k++) {
		const struct pci_device *best = NULL;
		size_t least = 4; /* more is no misspelling */

		for (size_t i = 0; i < e->inventory.count; i++) {
			const struct pci_device *d = &e->inventory.devices[i];
			size_t n = distance_to_wish(s, d);
			bool has = d == shown[0] || d == shown[1] || d == shown[2];

			if (n < least && !has) {
				least = n;
				best = d;
			}
		}
		if (!best)
			return;
		shown[k] = best;
		say_error("  %s %s", k == 0 ? "near it:" : "        ",
			  edit_describe(e, best));
	}
}

static int not_found(struct rule_requests *w, struct edit *e, struct text asked,
		     const struct selector *s)
{
	const struct pci_device *d = NULL;
	char buf[SELECTOR_SIZE];

	if ((s->terms & TERM_ADDRESS) && !s->any_function)
		d = inventory_find(&e->inventory, s->address);
	if (w->is_forced)
		return add(w,
			   arena_copy(e->arena, s->terms == TERM_ADDRESS
							? text_of(selector_format(s, buf))
							: asked),
			   "it names no device of this machine now");
	if (d) {
		say_error("%.*s: another device sits there: %s", (int)asked.n, asked.p,
			  edit_describe(e, d));
		return -EINVAL;
	}
	say_error("%.*s: no device of this machine; --force adds it anyway, for one "
		  "that is to come",
		  (int)asked.n, asked.p);
	say_nearest(e, s);
	return -EINVAL;
}

static int too_many(struct rule_requests *w, struct edit *e, struct text asked,
		    const struct selector *s, size_t matches)
{
	say_error("%.*s names %zu devices: use --all to match all of them, or name one:",
		  (int)asked.n, asked.p, matches);
	for (size_t i = 0; i < e->inventory.count; i++) {
		const struct pci_device *d = &e->inventory.devices[i];
		struct selector_proposal proposal;

		if (!edit_has_selector(s, d) || d->is_bridge ||
		    propose(e, d, w->kind, NULL, &proposal) < 0)
			continue;
		say_error("  %s: %s", proposal.selector, edit_describe(e, d));
	}
	return -EINVAL;
}

int requests_add_device(struct rule_requests *w, struct edit *e,
			const struct pci_device *d)
{
	const char *by = w->by && strcmp(w->by, "exact") == 0 ? NULL : w->by;
	struct selector_proposal proposal;
	int r = propose(e, d, w->kind, by, &proposal);

	if (r == -ENOENT)
		say_error("%s: it has no %s of its own; try another --by",
			  edit_describe(e, d), by ? by : "name");
	return r < 0 ? r : add(w, proposal.selector, proposal.why);
}

/* A rule per device. */
static int add_each(struct rule_requests *w, struct edit *e, const struct selector *s)
{
	for (size_t i = 0; i < e->inventory.count; i++) {
		const struct pci_device *d = &e->inventory.devices[i];
		int r = 0;

		if (edit_has_selector(s, d) && !d->is_bridge)
			r = requests_add_device(w, e, d);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A place is the place of one card, and a serial number should be the number of one. */
static bool is_one_card(const struct edit *e, const struct selector *s)
{
	const struct pci_device *first = NULL;

	if (s->terms & (PLACE_TERMS | TERM_PF))
		return true;
	for (size_t i = 0; i < e->inventory.count; i++) {
		const struct pci_device *d = &e->inventory.devices[i];

		if (d->is_bridge || !edit_has_selector(s, d))
			continue;
		if (first && !bdf_is_same_slot(first->bdf, d->bdf))
			return false;
		first = d;
	}
	return s->terms & TERM_SERIAL;
}

/* Virtual functions need not be there yet: asked is whether the card can make them. */
static int add_virtual(struct rule_requests *w, struct edit *e, struct text asked,
		       const struct selector *s)
{
	const struct rule rule = {.selector = *s, .text = asked, .vfs = w->like.vfs};
	struct vfs_rule judged;
	int r = vfs_judge(e->world, e->arena, &e->before, e->before.rule_count, &rule,
			  NULL, false, &judged);

	if (r < 0)
		return r;
	if (!judged.is_fine && !w->is_forced) {
		say_error("%.*s: %s; --force adds it anyway", (int)asked.n, asked.p,
			  judged.sentence);
		return -EINVAL;
	}
	return add(w, arena_copy(e->arena, asked), w->like.vfs ? judged.sentence : NULL);
}

static int resolve(struct rule_requests *w, struct edit *e, struct text asked,
		   const struct selector *s)
{
	bool is_exact = w->by && strcmp(w->by, "exact") == 0;
	size_t matches = 0, bridges = 0;
	bool is_plain;

	if (w->like.vfs && !(s->terms & TERM_PF)) {
		say_error("%.*s: vfs= is for the virtual functions of a card: name it as "
			  "pf=ADDRESS",
			  (int)asked.n, asked.p);
		return -EINVAL;
	}
	for (size_t i = 0; i < e->inventory.count; i++) {
		const struct pci_device *d = &e->inventory.devices[i];

		if (!edit_has_selector(s, d))
			continue;
		matches++;
		bridges += d->is_bridge;
	}
	if ((s->terms & TERM_PF) && (matches == 0 || w->like.vfs))
		return add_virtual(w, e, asked, s);
	if (matches == 0)
		return not_found(w, e, asked, s);
	if (matches == bridges) {
		say_error("%.*s: it is a bridge, which stays with the host: name "
			  "other devices",
			  (int)asked.n, asked.p);
		return -EINVAL;
	}
	/* More of them is the safe side for a keep rule. */
	if (matches - bridges > 1 && w->kind == RULE_BIND && !w->has_all &&
	    !is_one_card(e, s))
		return too_many(w, e, asked, s, matches - bridges);
	is_plain = s->terms == TERM_ADDRESS;
	if (is_exact || (!is_plain && !w->by))
		return add(w, arena_copy(e->arena, asked), NULL);
	return add_each(w, e, s);
}

/* All functions of the card at @first, if they are not taken yet. */
static size_t take_card(struct edit *e, const struct pci_device *first, bool *is_meant,
			const struct pci_device **ret)
{
	size_t count = 0;

	for (size_t i = 0; i < e->inventory.count; i++) {
		const struct pci_device *d = &e->inventory.devices[i];

		if (d->is_bridge || is_meant[i] ||
		    !device_is_same_card(e->world, &e->inventory, first, d))
			continue;
		is_meant[i] = true;
		ret[count++] = d;
	}
	return count;
}

/* The command for one card of several; for add only one that would succeed. */
static void say_card(struct rule_requests *w, struct edit *e,
		     const struct pci_device *const *functions, size_t count)
{
	const struct judge judge = edit_judge(e);
	const struct pci_device *left = NULL;
	const char *command = NULL;
	char address[BDF_SIZE];
	bool is_add = false;

	if (strcmp(w->name, "add") == 0) {
		command = judge_add_command(&judge, functions, count, &left);
		is_add = command != NULL;
		if (!command)
			command = arena_printf(
				e->arena,
				"earlybind explain %s (has a rule, or is refused)",
				device_short_address(functions[0], address));
	} else {
		command = arena_printf(e->arena, "earlybind %s", w->name);
		for (size_t i = 0; i < count && command; i++)
			command =
				arena_printf(e->arena, "%s %s", command,
					     device_short_address(functions[i], address));
	}
	say_error("  %s", edit_describe(e, functions[0]));
	say_error("    %s%s", command ? command : "", is_add ? w->options : "");
}

static const char *rule_option(const void *arg unused, size_t i)
{
	return rule_options[i].word;
}

static int say_no_name(struct rule_requests *w, struct edit *e, struct text name)
{
	const char *word = arena_copy(e->arena, name);
	const char *near = !word || w->has_no_options
				   ? NULL
				   : nearest_name(word, rule_option, NULL,
						  ARRAY_SIZE(rule_options) - 1);

	if (near)
		say_error("%s: \"%s\": no device has this name: did you mean the option "
			  "\"%s\"?",
			  w->name, word, near);
	else
		say_error("%s: \"%.*s\": no device has this name, and it is no address "
			  "such as 01:00.0 and no ID such as 10ee:5000: \"earlybind "
			  "list\" shows them",
			  w->name, (int)name.n, name.p);
	return -EINVAL;
}

/* What a name turned out to be: "alveo: 0000:01:00.0 [10ee:5000] Xilinx Corporation, 0000:01:00.1" */
static void show_found(struct edit *e, struct text name,
		       const struct pci_device *const *functions, size_t count)
{
	struct paragraph p = {stdout, 0, DEVICE_INDENT, false};
	char address[BDF_SIZE];

	paragraph_add(&p, "\"%.*s\" is %s", (int)name.n, name.p,
		      edit_describe(e, functions[0]));
	for (size_t i = 1; i < count; i++)
		paragraph_add(&p, "and %s", bdf_format(functions[i]->bdf, address));
	paragraph_end(&p);
}

int requests_find_card(struct rule_requests *w, struct edit *e, size_t i,
		       bool *ret_is_meant)
{
	const struct pci_device **functions =
		arena_alloc(e->arena, e->inventory.count + 1, sizeof(void *));
	struct text name = w->asked[i];
	size_t card_count = 0, n = 0;

	if (!functions)
		return -ENOMEM;
	memset(ret_is_meant, 0, e->inventory.count * sizeof(*ret_is_meant));
	for (size_t k = 0; k < e->inventory.count; k++) {
		const struct pci_device *d = &e->inventory.devices[k];

		if (d->is_bridge || ret_is_meant[k] ||
		    !device_has_name(e->names, &d->ids, name, e->arena))
			continue;
		n += take_card(e, d, ret_is_meant, functions + n);
		card_count++;
	}
	if (card_count == 0)
		return say_no_name(w, e, name);
	if (card_count == 1 || w->has_all) {
		show_found(e, name, functions, n);
		return 0;
	}
	say_error("%s: %zu cards have the name \"%.*s\": choose "
		  "one:",
		  w->name, card_count, (int)name.n, name.p);
	if (edit_check(e) < 0)
		return -EINVAL;
	for (size_t k = 0, count; k < n; k += count) {
		for (count = 1; k + count < n; count++)
			if (!device_is_same_card(e->world, &e->inventory, functions[k],
						 functions[k + count]))
				break;
		say_card(w, e, functions + k, count);
	}
	return -EINVAL;
}

static int resolve_name(struct rule_requests *w, struct edit *e, size_t at)
{
	bool *is_meant = arena_alloc(e->arena, e->inventory.count + 1, sizeof(*is_meant));
	int r = is_meant ? requests_find_card(w, e, at, is_meant) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < e->inventory.count; i++)
		if (is_meant[i])
			r = requests_add_device(w, e, &e->inventory.devices[i]);
	return r;
}

int requests_resolve(struct rule_requests *w, struct edit *e)
{
	int result = 0;

	for (size_t i = 0; i < w->asked_count; i++) {
		int r = w->is_name[i] ? resolve_name(w, e, i)
				      : resolve(w, e, w->asked[i], &w->selectors[i]);

		if (r == -ENOMEM)
			say_error("out of memory");
		if (r < 0)
			result = r;
	}
	return result;
}
