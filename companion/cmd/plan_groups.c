/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan_groups.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "device_words.h"
#include "group_change.h"
#include "json.h"
#include "identity.h"
#include "message.h"
#include "pci_names.h"

#define INDENT 4

struct asking {
	const struct plan_groups *question;
	struct arena *arena;
	struct world *world;
	struct inventory inventory;
	struct group_causes causes;
	struct group_change change;
	bool is_known; /* the groups that are printed */
};

/* A group: functions of now. */
struct members {
	size_t *items;
	size_t count;
};

static const struct pci_device *device(const struct asking *a, size_t at)
{
	return &a->inventory.devices[at];
}

static int allocate(const struct asking *a, struct members *m)
{
	m->items = arena_alloc(a->arena, a->inventory.count, sizeof(*m->items));
	m->count = 0;
	return m->items ? 0 : -ENOMEM;
}

/* The kernel's group of a function, as it is now. */
static int find_before(const struct asking *a, size_t at, struct members *ret)
{
	int group = device(a, at)->iommu_group;

	if (allocate(a, ret) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < a->inventory.count; i++)
		if (i == at || (group != NO_GROUP && device(a, i)->iommu_group == group))
			ret->items[ret->count++] = i;
	return 0;
}

/* The group of a function as it would be; what is not known makes is_known false. */
static int find_after(struct asking *a, size_t at, struct members *ret)
{
	size_t self = group_change_find(&a->change, at);

	if (allocate(a, ret) < 0)
		return -ENOMEM;
	for (size_t i = 0; self != NO_FUNCTION && i < a->change.apart.count; i++) {
		int is_one = group_change_is_one(&a->change, self, i);

		a->is_known = a->is_known && is_one >= 0;
		if (is_one > 0)
			ret->items[ret->count++] = a->change.was[i];
	}
	return 0;
}

static bool is_of_card(const struct asking *a, size_t at)
{
	return a->question->move ? group_change_moves(&a->change, at)
				 : bdf_is_same_slot(device(a, at)->bdf,
						    device(a, a->change.card)->bdf);
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void write_members(const struct asking *a, const char *key,
			  const struct members *m, struct json *json)
{
	char address[BDF_SIZE];

	json_open(json, key, '[');
	for (size_t i = 0; i < m->count; i++)
		json_put_string(json, NULL,
				bdf_format(device(a, m->items[i])->bdf, address));
	json_close(json, ']');
}

/* All groups of the machine then. */
static int write_groups(struct asking *a, struct json *json)
{
	const struct group_change *c = &a->change;
	bool was_known = a->is_known;
	struct members m;

	json_open(json, "groups", '[');
	for (size_t i = 0; i < c->apart.count; i++) {
		if (c->apart.links[i].group != i)
			continue;
		if (find_after(a, c->was[i], &m) < 0)
			return -ENOMEM;
		write_members(a, NULL, &m, json);
	}
	json_close(json, ']');
	json_put_bool(json, "all_known", a->is_known);
	a->is_known = was_known;
	return 0;
}

static int print_json(struct asking *a, const char *why_not, bool can_go)
{
	const struct group_change *c = &a->change;
	char address[BDF_SIZE];
	struct members m;
	struct json json;

	if (begin_json(a->arena, a->inventory.count * 4, &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_put_string(&json, "refused", why_not);
	if (!why_not) {
		if (a->question->move)
			json_put_string(&json, "card",
					bdf_format(device(a, c->card)->bdf, address));
		json_put_string(&json, "target",
				bdf_format(device(a, c->target)->bdf, address));
		json_put_bool(&json, "is_free", c->occupant == NO_FUNCTION);
		json_put_bool(&json, "is_known", a->is_known);
		json_put_bool(&json, "is_alone", can_go);
		for (int i = a->question->move ? 0 : 1; i < 2; i++) {
			size_t at = i == 0 ? c->card : c->target;

			json_open(&json, i == 0 ? "card_group" : "target_group", '{');
			if (find_before(a, at, &m) < 0)
				return EXIT_FAILED;
			write_members(a, "now", &m, &json);
			if (find_after(a, at, &m) < 0)
				return EXIT_FAILED;
			write_members(a, "then", &m, &json);
			json_close(&json, '}');
		}
		if (write_groups(a, &json) < 0)
			return EXIT_FAILED;
	}
	json_close(&json, '}');
	return end_json(&json);
}

/* What is in the group of the card besides it, and no bridge. */
static int find_others(struct asking *a, struct members *ret)
{
	struct members m;

	if (find_after(a, a->change.card, &m) < 0 || allocate(a, ret) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < m.count; i++)
		if (!device(a, m.items[i])->is_bridge && !is_of_card(a, m.items[i]))
			ret->items[ret->count++] = m.items[i];
	return 0;
}

/* Whether what is in the group besides bridges is one card, or nothing. */
static bool is_one_card(const struct asking *a, const struct members *m)
{
	const struct pci_device *first = NULL;

	for (size_t i = 0; i < m->count; i++) {
		const struct pci_device *d = device(a, m->items[i]);

		if (d->is_bridge)
			continue;
		if (first && !bdf_is_same_slot(first->bdf, d->bdf))
			return false;
		first = d;
	}
	return true;
}

/* Whether a VM could have the card alone then; each card that is in the group of a port now. */
static int find_verdict(struct asking *a, bool *ret)
{
	struct members before, after;
	bool is_alone = true;

	if (a->question->move) {
		if (find_others(a, &after) < 0)
			return -ENOMEM;
		*ret = after.count == 0;
		return 0;
	}
	if (find_before(a, a->change.target, &before) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < before.count; i++) {
		if (find_after(a, before.items[i], &after) < 0)
			return -ENOMEM;
		is_alone = is_alone && is_one_card(a, &after);
	}
	*ret = is_alone;
	return 0;
}

/* ---- text ---------------------------------------------------------------------------------- */

static void put_members(const struct asking *a, const char *head, const struct members *m)
{
	struct paragraph p = {stdout, INDENT, INDENT + 4, false};

	printf("%*s", INDENT, "");
	paragraph_add(&p, "%s", head);
	for (size_t i = 0; i < m->count; i++) {
		char address[BDF_SIZE];

		paragraph_add(&p, "%s%s%s",
			      bdf_format(device(a, m->items[i])->bdf, address),
			      device(a, m->items[i])->is_bridge ? " (bridge)" : "",
			      i + 1 < m->count ? "," : "");
	}
	paragraph_end(&p);
}

static void put_unknown(const struct asking *a)
{
	for (size_t i = 0; i < a->inventory.count; i++) {
		const struct bdf bdf = device(a, i)->bdf;
		char address[BDF_SIZE];
		const char *what, *why = NULL;

		if (!a->causes.facts.functions[i].is_unknown)
			continue;
		what = arena_printf(a->causes.arena, "the config space of %s",
				    bdf_format(bdf, address));
		if (what)
			why = unread_sentence(a->causes.arena, a->causes.facts.unread[i],
					      bdf, what);
		paragraph_line(stdout, INDENT, "The groups then are unknown: %s.",
			       why ? why : "out of memory");
		return;
	}
}

static void put_verdict(const struct asking *a, const struct members *others)
{
	if (!a->is_known)
		put_unknown(a);
	else if (others->count == 0)
		paragraph_line(stdout, INDENT,
			       "Then no other device is in its group: a VM could have it "
			       "alone.");
	else
		put_members(a, "Then a VM could have it only together with:", others);
}

static int put_move(struct asking *a)
{
	const struct group_change *c = &a->change;
	char card[BDF_SIZE], target[BDF_SIZE], occupant[BDF_SIZE];
	struct members before, after, others;

	if (find_others(a, &others) < 0)
		return -ENOMEM;
	bdf_format(device(a, c->card)->bdf, card);
	bdf_format(device(a, c->target)->bdf, target);
	paragraph_line(stdout, 0, "The card %s in the slot of %s:", card, target);
	if (c->occupant != NO_FUNCTION)
		paragraph_line(
			stdout, INDENT,
			"The slot is not free: %s is in it. What follows is without "
			"that card.",
			bdf_format(device(a, c->occupant)->bdf, occupant));
	for (int i = 0; i < 2; i++) {
		size_t at = i == 0 ? c->card : c->target;

		if (find_before(a, at, &before) < 0 || find_after(a, at, &after) < 0)
			return -ENOMEM;
		put_members(a,
			    i == 0 ? "group of the card now:" : "group of the port now:",
			    &before);
		if (a->is_known)
			put_members(a, "then:", &after);
	}
	put_verdict(a, &others);
	return 0;
}

static bool has_device(const struct asking *a, const struct members *m)
{
	for (size_t i = 0; i < m->count; i++)
		if (!device(a, m->items[i])->is_bridge)
			return true;
	return false;
}

/* Each of the groups that the group of the port falls into. */
static int put_acs(struct asking *a)
{
	struct members before, after;
	char port[BDF_SIZE];

	if (find_before(a, a->change.target, &before) < 0)
		return -ENOMEM;
	paragraph_line(stdout, 0, "The port %s with its ACS enabled:",
		       bdf_format(device(a, a->change.target)->bdf, port));
	put_members(a, "group now:", &before);
	for (size_t i = 0; i < before.count; i++) {
		if (find_after(a, before.items[i], &after) < 0)
			return -ENOMEM;
		if (!a->is_known)
			break;
		if (after.items[0] != before.items[i])
			continue;
		put_members(a,
			    has_device(a, &after) && is_one_card(a, &after)
				    ? "then, for a VM of its own:"
				    : "then:",
			    &after);
	}
	if (!a->is_known)
		put_unknown(a);
	return 0;
}

/* ---- the question -------------------------------------------------------------------------- */

/* "01:00.0", and "01:00" for its first function. */
static bool parse_address(const struct asking *a, struct text t, struct bdf *ret)
{
	struct parse_error error;
	const char *text;

	if (bdf_parse_loose(t, ret, NULL, &error) == 0)
		return true;
	text = arena_printf(a->arena, "%.*s.0", (int)MIN(t.n, 64u), t.p);
	return text && bdf_parse_loose(text_of(text), ret, NULL, &error) == 0;
}

/* Functions that a word means, a name or a selector. */
struct meaning {
	const char *word;
	bool is_name;
	struct selector selector;
	struct names *names;
	struct identity identity;
};

static bool is_meant(struct asking *a, struct meaning *m, struct pci_device *d)
{
	if (m->is_name)
		return device_has_name(m->names, &d->ids, text_of(m->word), a->arena);
	(void)identity_learn(&m->identity, d, selector_open_facts(&m->selector, d));
	return selector_has_match(&m->selector, d);
}

/* -EINVAL with the reason: none, or more than one card. */
static int find_one_card(struct asking *a, struct meaning *m, struct bdf *ret,
			 const char **ret_why)
{
	struct text_buffer others = {.arena = a->arena};
	const struct pci_device *first = NULL, *last = NULL;
	char address[BDF_SIZE];

	for (size_t i = 0; i < a->inventory.count; i++) {
		struct pci_device *d = &a->inventory.devices[i];

		if (d->is_bridge || !is_meant(a, m, d) ||
		    (last && bdf_is_same_slot(last->bdf, d->bdf)))
			continue;
		text_add(&others, "%s%s", last ? ", " : "", bdf_format(d->bdf, address));
		first = first ? first : d;
		last = d;
	}
	if (first && first == last) {
		*ret = first->bdf;
		return 0;
	}
	if (!first)
		*ret_why = arena_printf(a->arena,
					m->is_name ? "no card has the name \"%s\""
						   : "no card is %s",
					m->word);
	else
		*ret_why =
			arena_printf(a->arena,
				     "\"%s\" names several cards: use the address of one "
				     "of them: %s",
				     m->word, text_shown(&others));
	return *ret_why ? -EINVAL : -ENOMEM;
}

/* An address, a slot, a name or another selector. -EDOM: none of them. */
static int find_card(struct asking *a, struct text word, struct bdf *ret,
		     const char **ret_why)
{
	struct meaning m = {.word = arena_copy(a->arena, word)};
	struct parse_error error;

	if (parse_address(a, word, ret))
		return 0;
	if (!m.word || identity_open(a->world, a->arena, &a->inventory, &m.identity) < 0)
		return -ENOMEM;
	if (device_word_parse(text_of(m.word), &m.selector, &error) < 0) {
		m.is_name = device_word_is_name(word);
		if (!m.is_name)
			return -EDOM;
		(void)!names_open(a->arena, a->question->sysroot, NULL, &m.names);
	}
	return find_one_card(a, &m, ret, ret_why);
}

static int ask_move(struct asking *a, const char **ret_why)
{
	const char *split = strrchr(a->question->move, '=');
	struct text rest = text_of(split ? split + 1 : ""), card;
	struct bdf from, to;
	const char *name;
	int r = -EDOM;

	if (rest.n > 0) {
		card = (struct text){a->question->move,
				     (size_t)(split - a->question->move)};
		r = find_card(a, card, &from, ret_why);
	}
	if (r == -EDOM) {
		say_error("plan: --move is CARD=PORT or CARD=SLOT, as 01:00=00:1c.0, not "
			  "\"%s\"",
			  a->question->move);
		return r;
	}
	if (r < 0)
		return r;
	name = arena_copy(a->arena, rest);
	if (!name)
		return -ENOMEM;
	if (!parse_address(a, rest, &to) &&
	    !group_change_find_slot(&a->causes, name, &to)) {
		*ret_why = arena_printf(a->arena,
					"\"%s\" is no address of a port, and no slot in "
					"/sys/bus/pci/slots whose port could be read",
					name);
		return *ret_why ? -EINVAL : -ENOMEM;
	}
	return group_change_move(&a->causes, from, to, &a->change, ret_why);
}

static int ask(struct asking *a, const char **ret_why)
{
	struct bdf port;
	int r = group_change_check(&a->causes, ret_why);

	if (r < 0)
		return r;
	if (a->question->move)
		return ask_move(a, ret_why);
	if (!parse_address(a, text_of(a->question->acs), &port)) {
		say_error("plan: --acs is the address of a port, as 00:1c.0, not \"%s\"",
			  a->question->acs);
		return -EDOM;
	}
	return group_change_acs(&a->causes, port, &a->change, ret_why);
}

static int answer(struct asking *a)
{
	const char *text;
	bool is_alone;
	int r, code;

	a->is_known = true;
	r = find_verdict(a, &is_alone);
	if (r < 0)
		return r;
	code = a->is_known && is_alone ? EXIT_OK : EXIT_FAILED;
	if (a->question->is_json) {
		r = print_json(a, NULL, code == EXIT_OK);
		return MAX(r, code);
	}
	r = a->question->move ? put_move(a) : put_acs(a);
	text = group_difference(&a->causes, &device(a, a->change.card)->bdf);
	if (r == 0 && text)
		paragraph_line(stdout, INDENT, "note: %s", text);
	return r < 0 ? r : code;
}

int plan_groups(const struct plan_groups *question, struct arena *arena)
{
	static struct asking a;
	const char *why_not = NULL;
	int r;

	a = (struct asking){.question = question, .arena = arena};
	if (open_world(question->sysroot, &a.world) < 0)
		return EXIT_FAILED;
	r = inventory_read(a.world, arena, NULL, NULL, &a.inventory);
	if (r < 0) {
		say_no_inventory(r);
		world_close(a.world);
		return EXIT_FAILED;
	}
	r = group_causes_read(a.world, arena, &a.inventory, &a.causes);
	if (r == 0)
		r = ask(&a, &why_not);
	if (r == 0)
		r = answer(&a);
	else if (r == -EINVAL && question->is_json)
		r = MAX(print_json(&a, why_not, false), EXIT_FAILED);
	else if (r == -EINVAL)
		say_error("plan: %s", why_not);
	if (r == -ENOMEM)
		say_error("out of memory");
	world_close(a.world);
	return r == -EDOM ? EXIT_WRONG_USAGE : r < 0 ? EXIT_FAILED : r;
}
