/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind plan: what the next boot will do, computed by the code that will do it. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "commands.h"
#include "compiler.h"
#include "device_words.h"
#include "driver.h"
#include "framebuffer.h"
#include "group.h"
#include "group_cause.h"
#include "group_change.h"
#include "identity.h"
#include "image_check.h"
#include "installed.h"
#include "json.h"
#include "judgement.h"
#include "message.h"
#include "next_boot.h"
#include "options.h"
#include "pci_names.h"
#include "rebuild.h"
#include "run.h"
#include "sentences.h"
#include "sources.h"
#include "usage.h"
#include "virtual_functions.h"
#include "world.h"

/* ---- images ----------------------------------------------------------------------------- */

#define PLAN_IMAGES_MAX 64

struct plan_images {
	struct {
		const char *image;
		const char *text; /* a sentence: the difference, and what makes it up */
		bool is_unknown; /* or why it cannot be told */
	} items[PLAN_IMAGES_MAX];
	size_t count;
	size_t more; /* that had no room */
};

static void add(struct plan_images *images, const char *image, const char *text,
		bool is_unknown)
{
	if (images->count == PLAN_IMAGES_MAX) {
		images->more++;
		return;
	}
	images->items[images->count].image = image;
	images->items[images->count].text = text ? text : "out of memory";
	images->items[images->count++].is_unknown = is_unknown || !text;
}

/* Of the checks of an image those that compare it with the machine's files. */
static bool is_about_rules(const struct finding *f)
{
	static const char *const names[] = {"binder", "table", "modprobe.d", "cmdline"};

	if (f->kind != FINDING_FAIL && f->kind != FINDING_UNKNOWN)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(f->name, names[i]) == 0)
			return true;
	return false;
}

/* In memory of its own, which is given back: an image is large. */
static void compare(const struct check *like, const char *name, struct arena *arena,
		    struct plan_images *ret)
{
	static struct check c;
	const char *message;
	struct arena own;

	c = *like;
	c.findings.arena = arena;
	if (arena_map(&own, IMAGE_ARENA_SIZE) < 0) {
		add(ret, name, NULL, true);
		return;
	}
	c.arena = &own;
	if (check_run(&c, &message) < 0)
		add(ret, name, arena_copy(arena, text_of(message)), true);
	for (size_t i = 0; i < c.findings.count; i++)
		if (is_about_rules(&c.findings.items[i]))
			add(ret, name, c.findings.items[i].message,
			    c.findings.items[i].kind == FINDING_UNKNOWN);
	arena_unmap(&own);
}

/*
 * Compares @image, or if it is NULL all images of the machine, with its configuration, modprobe.d
 * and dracut.conf.
 */
static void plan_images_read(struct world *world, const char *sysroot, const char *image,
			     bool has_rules, struct arena *arena, struct plan_images *ret)
{
	static const struct strings none;
	static struct sources sources;
	static struct installed found;
	struct check like = {.file = image,
			     .world = world,
			     .sysroot = sysroot,
			     .is_unwanted = !has_rules,
			     .sources = &sources};

	*ret = (struct plan_images){0};
	if (sources_read(world, arena, &none, &sources) < 0)
		return;
	if (image) {
		compare(&like, image, arena, ret);
		return;
	}
	if (installed_find(sysroot, arena, &found) < 0)
		return;
	for (size_t i = 0; i < found.count; i++) {
		const struct installed_image *k = &found.items[i];

		if (!k->file || k->is_missing)
			continue;
		like.file = k->file;
		like.kernel = k->kernel;
		like.copy_command = rebuild_copy_command(k, arena);
		compare(&like, k->path, arena, ret);
	}
}

/* A note for each; @is_of_image: the plan is of the image, not of the files. */
static void plan_images_print(const struct plan_images *images, bool is_of_image)
{
	for (size_t i = 0; i < images->count; i++) {
		struct paragraph line = {stdout, 0, DEVICE_INDENT, false};

		paragraph_add(&line, "note: %s:", images->items[i].image);
		paragraph_add(&line,
			      images->items[i].is_unknown ? "it cannot be compared: %s"
			      : is_of_image ? "this machine's files would change it: %s"
					    : "it differs from these files: %s",
			      images->items[i].text);
		paragraph_end(&line);
	}
	if (images->more > 0)
		paragraph_line(stdout, 0, "and %zu more", images->more);
}

/* "images": [{"image", "difference", "unknown"}] */
static void plan_images_write(const struct plan_images *images, struct json *json)
{
	json_open(json, "images", '[');
	for (size_t i = 0; i < images->count; i++) {
		json_open(json, NULL, '{');
		json_put_string(json, "image", images->items[i].image);
		json_put_string(json, "difference", images->items[i].text);
		json_put_bool(json, "unknown", images->items[i].is_unknown);
		json_close(json, '}');
	}
	json_close(json, ']');
}

/* ---- --move and --acs ------------------------------------------------------------------- */

#define INDENT 4

struct asking {
	const char *move; /* "CARD=PORT", or NULL */
	const char *acs; /* "PORT", or NULL: one of both is given */
	const char *sysroot;
	bool is_json;
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
	return a->move ? group_change_moves(&a->change, at)
		       : bdf_is_same_slot(device(a, at)->bdf,
					  device(a, a->change.card)->bdf);
}

/* ---- --move and --acs: JSON ------------------------------------------------------------- */

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

static int print_json_of_change(struct asking *a, const char *why_not, bool can_go)
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
		if (a->move)
			json_put_string(&json, "card",
					bdf_format(device(a, c->card)->bdf, address));
		json_put_string(&json, "target",
				bdf_format(device(a, c->target)->bdf, address));
		json_put_bool(&json, "is_free", c->occupant == NO_FUNCTION);
		json_put_bool(&json, "is_known", a->is_known);
		json_put_bool(&json, "is_alone", can_go);
		for (int i = a->move ? 0 : 1; i < 2; i++) {
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

	if (a->move) {
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

/* ---- --move and --acs: text ------------------------------------------------------------- */

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

/* ---- --move and --acs: the question ----------------------------------------------------- */

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
		(void)!names_open(a->arena, a->sysroot, NULL, &m.names);
	}
	return find_one_card(a, &m, ret, ret_why);
}

static int ask_move(struct asking *a, const char **ret_why)
{
	const char *split = strrchr(a->move, '=');
	struct text rest = text_of(split ? split + 1 : ""), card;
	struct bdf from, to;
	const char *name;
	int r = -EDOM;

	if (rest.n > 0) {
		card = (struct text){a->move, (size_t)(split - a->move)};
		r = find_card(a, card, &from, ret_why);
	}
	if (r == -EDOM) {
		say_error("plan: --move is CARD=PORT or CARD=SLOT, as 01:00=00:1c.0, not "
			  "\"%s\"",
			  a->move);
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
	if (a->move)
		return ask_move(a, ret_why);
	if (!parse_address(a, text_of(a->acs), &port)) {
		say_error("plan: --acs is the address of a port, as 00:1c.0, not \"%s\"",
			  a->acs);
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
	if (a->is_json) {
		r = print_json_of_change(a, NULL, code == EXIT_OK);
		return MAX(r, code);
	}
	r = a->move ? put_move(a) : put_acs(a);
	text = group_difference(&a->causes, &device(a, a->change.card)->bdf);
	if (r == 0 && text)
		paragraph_line(stdout, INDENT, "note: %s", text);
	return r < 0 ? r : code;
}

/* The exit code: 0 only if a VM could have the card then. */
static int plan_groups(struct asking *a)
{
	const char *why_not = NULL;
	int r;

	if (open_world(a->sysroot, &a->world) < 0)
		return EXIT_FAILED;
	r = inventory_read(a->world, a->arena, NULL, NULL, &a->inventory);
	if (r < 0) {
		say_no_inventory(r);
		world_close(a->world);
		return EXIT_FAILED;
	}
	r = group_causes_read(a->world, a->arena, &a->inventory, &a->causes);
	if (r == 0)
		r = ask(a, &why_not);
	if (r == 0)
		r = answer(a);
	else if (r == -EINVAL && a->is_json)
		r = MAX(print_json_of_change(a, why_not, false), EXIT_FAILED);
	else if (r == -EINVAL)
		say_error("plan: %s", why_not);
	if (r == -ENOMEM)
		say_error("out of memory");
	world_close(a->world);
	return r == -EDOM ? EXIT_WRONG_USAGE : r < 0 ? EXIT_FAILED : r;
}

/* ---- the plan --------------------------------------------------------------------------- */

#define EXIT_NO_RULE 3

struct planning {
	struct strings configs;
	const char *cmdline;
	const char *image;
	const char *sysroot;
	const char *move, *acs; /* what the groups would be, see plan_groups() */
	bool is_json;

	struct arena *arena;
	struct world *world;
	struct sources sources;
	struct policy files;
	struct run run;
	struct usages usages;
	struct run all; /* the same rules with every function, for the judgement */
	struct judge judge;
	struct group_causes causes; /* of all, if the judge has them */
	struct plan_images images;
	struct vfs_rules vfs;
};

/* What the host will do without. */
static void put_usages(const struct planning *p, const struct pci_device *d)
{
	struct paragraph line = {stdout, DEVICE_INDENT, DEVICE_INDENT, false};
	const struct usage *u;
	size_t count, left = 0;

	u = judge_usages(&p->judge, d, &count);
	for (size_t i = 0; i < count; i++)
		left += u[i].is_in_use;
	if (left == 0)
		return;
	printf("%*s", DEVICE_INDENT, "");
	paragraph_add(&line, "the host loses:");
	for (size_t i = 0; i < count; i++)
		if (u[i].is_in_use)
			paragraph_add(&line, "%s (%s)%s", u[i].name, u[i].what,
				      --left > 0 ? "," : "");
	paragraph_end(&line);
}

static const char *why_left(const struct planning *p, const struct plan_device *pd)
{
	const char *text;

	if (pd->action != ACTION_KEEP || !driver_is_vfio(pd->device->driver))
		text = refusal_sentence(p->arena, pd->rule, pd->reason, pd->detail);
	else if (policy_has_module_id(&p->run.policy, pd->device))
		text = refusal_sentence(p->arena, pd->rule, REASON_KEPT_BOUND,
					pd->device->driver);
	else /* Bound before there was a keep rule. */
		text = arena_printf(
			p->arena,
			"a keep rule protects it; %s has it until the next boot",
			pd->device->driver);
	return text ? text : "out of memory";
}

static void put_device(const struct planning *p, const struct plan_device *pd)
{
	const struct pci_device *d = pd->device;
	char id[ID_SIZE], origin[ORIGIN_SIZE];
	struct paragraph line = describe_device(d->bdf, format_id(&d->ids, id));

	paragraph_verdict(&line,
			  pd->action == ACTION_REFUSE ? STYLE_BAD
			  : pd->action == ACTION_KEEP ? STYLE_PLAIN
						      : STYLE_GOOD,
			  "%s:", action_name(pd->action));
	switch (pd->action) {
	case ACTION_BIND:
		paragraph_add(&line, "%s takes it; it has no driver now", pd->wanted);
		break;
	case ACTION_RECOVER:
		paragraph_add(&line, "%s takes over from %s", pd->wanted, d->driver);
		break;
	case ACTION_DONE:
		paragraph_add(&line, "bound to %s already", pd->wanted);
		break;
	case ACTION_KEEP:
	case ACTION_REFUSE:
		paragraph_add(&line, "%s", why_left(p, pd));
		break;
	}
	paragraph_end(&line);
	paragraph_line(stdout, DEVICE_INDENT, "rule: %.*s (%s)", (int)pd->rule->text.n,
		       pd->rule->text.p, origin_format(&pd->rule->origin, origin));
	if (pd->note)
		paragraph_line(stdout, DEVICE_INDENT, "note: %s", pd->note);
	if (pd->action != ACTION_BIND && pd->action != ACTION_RECOVER)
		return;
	put_usages(p, d);
	if (d->framebuffer)
		paragraph_line(
			stdout, DEVICE_INDENT,
			"the firmware's framebuffer (%s) is in its memory: the screen "
			"goes dark",
			d->framebuffer->driver);
}

/* Bridges, and what has no driver: they stay, and are no obstacle. */
static bool is_bystander(const struct planning *p, const struct pci_device *d)
{
	const struct plan_device *pd = plan_find(&p->run.plan, d);

	return !(pd && pd->action <= ACTION_DONE) &&
	       driver_is_group_friendly(d->driver) && !driver_is_vfio(d->driver);
}

/* What helps the group: judged with all functions of the machine. */
static const char *judge_all_of(const struct planning *p, const struct plan_group *group)
{
	struct plan_group all;

	if (!p->judge.plan || judge_group_then(&p->judge, group->id, NULL, 0, &all) < 0)
		return "";
	return judge_group(&p->judge, &all, false);
}

static void put_group(const struct planning *p, const struct plan_group *group)
{
	struct paragraph line = {stdout, DEVICE_INDENT, DEVICE_INDENT, false};
	struct pci_device *const *members;
	size_t count, left = 0;

	describe_group(group, "", judge_all_of(p, group));
	members = inventory_group(&p->run.inventory, group->id, &count);
	for (size_t i = 0; i < count; i++)
		left += is_bystander(p, members[i]);
	if (left == 0)
		return;
	printf("%*s", DEVICE_INDENT, "");
	paragraph_add(&line, "stay with the host (no obstacle):");
	for (size_t i = 0; i < count; i++) {
		const struct pci_device *d = members[i];
		char address[BDF_SIZE];

		if (is_bystander(p, d))
			paragraph_add(&line, "%s (%s)%s", bdf_format(d->bdf, address),
				      d->driver[0] ? d->driver : "no driver",
				      --left > 0 ? "," : "");
	}
	paragraph_end(&line);
}

struct counts {
	size_t actions[ACTION_REFUSE + 1];
	size_t missing; /* rules that should name a device and do not */
};

static struct counts count(const struct run *run)
{
	struct counts counts = {0};

	for (size_t i = 0; i < run->plan.device_count; i++)
		counts.actions[run->plan.devices[i].action]++;
	for (size_t i = 0; i < run->policy.rule_count; i++)
		counts.missing += report_has_rule_missing(&run->report, i);
	return counts;
}

/* Those that will be made. */
static size_t count_vfs(const struct planning *p)
{
	size_t count = 0;

	for (size_t i = 0; i < p->vfs.count; i++)
		if (p->vfs.items[i].is_fine && !p->vfs.items[i].is_repeated)
			count += p->vfs.items[i].rule->vfs;
	return count;
}

static void print_summary(const struct planning *p)
{
	const struct counts counts = count(&p->run);
	const struct {
		size_t n;
		const char *what;
	} parts[] = {
		{counts.actions[ACTION_BIND] + counts.actions[ACTION_RECOVER], "to bind"},
		{counts.actions[ACTION_DONE], "bound already"},
		{counts.actions[ACTION_KEEP], "kept"},
		{counts.actions[ACTION_REFUSE], "refused"},
		{counts.missing, "without a device"},
		{count_vfs(p), "virtual functions to be there"},
	};
	const char *comma = "";

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (parts[i].n == 0)
			continue;
		printf("%s%zu %s", comma, parts[i].n, parts[i].what);
		comma = ", ";
	}
	puts(comma[0] ? "" : "no device is named");
}

/* A rule may take more than was meant: no refusal, since it may be meant. */
static void put_warning(const char *sentence)
{
	struct paragraph line = {stdout, 0, DEVICE_INDENT, false};

	if (!sentence)
		return;
	paragraph_add(&line, "warning: %s", sentence);
	paragraph_end(&line);
}

static void put_warnings(const struct planning *p)
{
	const struct run *run = &p->run;
	struct identity identity;

	if (identity_open(p->world, p->arena, &run->inventory, &identity) < 0)
		return;
	for (size_t i = 0; i < run->policy.rule_count; i++) {
		const struct rule *rule = &run->policy.rules[i];

		if (rule->kind == RULE_BIND && policy_has_rule_active(&run->policy, rule))
			put_warning(twins_sentence(&identity, &run->plan, rule));
	}
	for (size_t i = 0; i < run->plan.device_count; i++)
		put_warning(physical_sentence(p->world, p->arena, &run->plan.devices[i],
					      &p->vfs));
}

/* Rules that have virtual functions made, which no boot sees when it plans. */
static void put_vfs(const struct planning *p)
{
	for (size_t i = 0; i < p->vfs.count; i++) {
		struct paragraph line = {stdout, 0, DEVICE_INDENT, false};

		paragraph_add(&line, "%s: %s",
			      p->vfs.items[i].is_fine ? "virtual functions" : "warning",
			      vfs_format(p->arena, &p->vfs.items[i]));
		paragraph_end(&line);
	}
}

/* Groups that are other ones than the hardware gives. */
static void put_difference(const struct planning *p)
{
	struct paragraph line = {stdout, 0, DEVICE_INDENT, false};
	const char *text;

	if (!p->judge.causes)
		return;
	text = group_difference(p->judge.causes, NULL);
	if (!text)
		return;
	paragraph_add(&line, "note: %s", text);
	paragraph_end(&line);
}

static void print_text(const struct planning *p)
{
	const struct run *run = &p->run;
	char origin[ORIGIN_SIZE];

	for (size_t i = 0; i < run->plan.device_count; i++)
		put_device(p, &run->plan.devices[i]);
	for (size_t i = 0; i < run->policy.rule_count; i++) {
		const struct rule *rule = &run->policy.rules[i];

		if (report_has_rule_missing(&run->report, i))
			describe_missing(rule->text, origin_format(&rule->origin, origin),
					 run->plan.moved[i].elsewhere);
	}
	put_warnings(p);
	put_vfs(p);
	for (size_t i = 0; i < run->plan.group_count; i++)
		put_group(p, &run->plan.groups[i]);
	put_difference(p);
	print_summary(p);
}

static int print_json(struct planning *p)
{
	const struct run *run = &p->run;
	const struct plan *plan = run->report.plan;
	char message[REASON_MESSAGE_SIZE];
	struct json json;

	if (begin_json(p->arena, run->plan.device_count + p->images.count, &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_put_bool(&json, "off", run->policy.off);
	json_put_string(&json, "reason",
			run->report.reason ? reason_word(run->report.reason) : NULL);
	json_put_string(&json, "message",
			run->report.reason ? reason_message(run->report.reason,
							    run->report.detail, message)
					   : NULL);
	report_write_rules(&run->policy, plan, &json);
	json_open(&json, "devices", '[');
	for (size_t i = 0; plan && i < plan->device_count; i++)
		report_write_device(&plan->devices[i], NULL, &json);
	json_close(&json, ']');
	json_open(&json, "groups", '[');
	for (size_t i = 0; plan && i < plan->group_count; i++)
		report_write_group(&plan->groups[i], &json);
	json_close(&json, ']');
	vfs_write(&p->vfs, &json);
	report_write_problems(&run->policy, &json);
	plan_images_write(&p->images, &json);
	json_close(&json, '}');
	return end_json(&json);
}

/* What came of it, in one number. */
static int verdict(const struct planning *p, bool has_rule)
{
	const struct run *run = &p->run;
	struct counts counts = count(run);
	bool is_fine = run->policy.problem_count == 0 &&
		       run->report.reason == REASON_NONE &&
		       counts.actions[ACTION_REFUSE] == 0 && counts.missing == 0 &&
		       run->inventory.unread_count == 0;

	for (size_t i = 0; i < p->vfs.count; i++)
		is_fine = is_fine && p->vfs.items[i].is_fine;
	if (!is_fine)
		return EXIT_FAILED;
	return has_rule ? EXIT_OK : EXIT_NO_RULE;
}

static void print_nothing(const struct planning *p)
{
	const struct policy *policy = &p->run.policy;

	if (policy->off)
		puts("nothing to do: rd.earlybind=0 is on the command line");
	else if (policy->ignore_table && !p->image)
		paragraph_line(
			stdout, 0, "nothing to do: %s",
			"rd.earlybind.table=0 is on the command line, so the "
			"configuration does not count, and there is no other rule");
	else
		paragraph_line(stdout, 0,
			       "nothing to do: no rule in vfio-pci.ids= on the command "
			       "line, in modprobe.d or in %s%s binds a device",
			       p->image ? "the table of " : "",
			       p->image ? p->image : "/etc/earlybind.conf");
}

/* What the next boot will read: the configuration, or what is in the image. */
static int read_rules(struct planning *p)
{
	if (p->image)
		return next_boot_read_image(p->world, p->arena, p->image, p->cmdline,
					    &p->run);
	if (sources_read(p->world, p->arena, &p->configs, &p->sources) < 0)
		return -EIO;
	return next_boot_read(p->world, p->sysroot, p->arena, &p->sources, p->cmdline,
			      &p->files, &p->run);
}

/* What the judgement of the groups is made from. */
static void read_all(struct planning *p)
{
	p->all.policy = p->run.policy;
	if (usages_read(p->world, p->arena, &p->usages) < 0 ||
	    next_boot_plan(p->world, p->arena, NULL, NULL, &p->all) < 0) {
		say_error("out of memory");
		return;
	}
	p->judge = (struct judge){
		.arena = p->arena,
		.policy = &p->all.policy,
		.inventory = &p->all.inventory,
		.plan = &p->all.plan,
		.usages = &p->usages,
	};
	if (group_causes_read(p->world, p->arena, &p->all.inventory, &p->causes) == 0)
		p->judge.causes = &p->causes;
}

/* -errno, with the reason in the report. */
static int plan_next_boot(struct planning *p)
{
	struct run *run = &p->run;
	int r = run_plan(p->world, p->arena, run);

	if (r < 0)
		return r;
	r = virtual_functions_foresee(p->world, p->arena, &run->policy, &run->inventory,
				      &run->plan);
	if (r == 0)
		r = vfs_judge_all(p->world, p->arena, &run->policy, &run->plan, false,
				  &p->vfs);
	if (r < 0) {
		run->report.reason = REASON_LIMIT;
		run->report.detail = "memory for devices";
		run->report.plan = NULL;
	}
	return r;
}

static void print(struct planning *p, bool has_rule)
{
	(void)sources_print_problems(&p->sources, &p->run.policy);
	if (p->files.problem_count > 0)
		say_error(IMAGES_WAIT);
	if (!has_rule)
		print_nothing(p);
	else if (p->run.report.plan)
		print_text(p);
	plan_images_print(&p->images, p->image != NULL);
}

static int plan(struct planning *p)
{
	struct run *run = &p->run;
	char message[REASON_MESSAGE_SIZE];
	bool has_rule;
	int code = EXIT_OK;

	if (p->image && p->configs.count > 0) {
		say_error(
			"plan: --image and --config cannot be used together: an image has "
			"its own rules");
		return EXIT_WRONG_USAGE;
	}
	if (open_world(p->sysroot, &p->world) < 0 || read_rules(p) < 0)
		return EXIT_FAILED;
	has_rule = !run->policy.off && policy_has_bind_rule(&run->policy);
	/* Where the boot would do nothing, nothing is planned. */
	if (has_rule && plan_next_boot(p) < 0 && !p->is_json)
		say_error("%s", reason_message(run->report.reason, run->report.detail,
					       message));
	if (has_rule && !p->is_json && run->report.plan)
		read_all(p);
	if (run->inventory.unread_count > 0)
		say_error("%zu function%s could not be read, and rules may be about %s: "
			  "serial numbers are for root only",
			  run->inventory.unread_count,
			  run->inventory.unread_count == 1 ? "" : "s",
			  run->inventory.unread_count == 1 ? "it" : "them");
	/* Files that were named are those of no image. */
	if (p->configs.count == 0)
		plan_images_read(p->world, p->sysroot, p->image, has_rule, p->arena,
				 &p->images);
	if (p->is_json)
		code = print_json(p);
	else
		print(p, has_rule);
	world_close(p->world);
	return code != EXIT_OK ? code : verdict(p, has_rule);
}

/* Questions about groups have nothing to do with rules. */
static int ask_groups(const struct planning *p)
{
	static struct asking a;

	if ((p->move && p->acs) || p->configs.count > 0 || p->cmdline || p->image) {
		say_error("plan: only --json and --sysroot go with --move or "
			  "--acs");
		return EXIT_WRONG_USAGE;
	}
	a = (struct asking){.move = p->move,
			    .acs = p->acs,
			    .sysroot = p->sysroot,
			    .is_json = p->is_json,
			    .arena = p->arena};
	return plan_groups(&a);
}

int command_plan(int argc, char **argv, struct arena *arena)
{
	static struct planning p;
	const struct option_spec options[] = {
		{"acs", "PORT", "the groups if ACS were enabled in PORT",
		 .ret_string = &p.acs},
		{"cmdline", "STRING", "use STRING, not /proc/cmdline",
		 .ret_string = &p.cmdline},
		{"config", "FILE", "read FILE, not /etc/earlybind.conf; may be repeated",
		 .ret_strings = &p.configs},
		{"image", "FILE", "the rules in the image FILE, not the configuration",
		 .ret_string = &p.image},
		{"json", NULL, "print JSON for scripts", .ret_flag = &p.is_json},
		{"move", "CARD=PORT", "the groups if CARD were in the slot of PORT",
		 .ret_string = &p.move},
		{"sysroot", OPTIONS_TREE,
		 "read this folder or recording, not this machine",
		 .ret_string = &p.sysroot},
	};
	const struct command_spec spec = {
		.name = "plan",
		.synopsis = "[OPTION...]",
		.text = "Shows what the next boot will do with each function that a rule names, "
			"and why:\n"
			"\n"
			"  bind      it has no driver: vfio-pci takes it\n"
			"  recover   vfio-pci takes over from another driver\n"
			"  done      it is on vfio-pci already\n"
			"  keep      a keep rule protects it\n"
			"  refuse    it must not or cannot be bound\n"
			"\n"
			"With each device that is to be bound it says what the host loses, and "
			"of each group whether a VM can use it then.\n"
			"\n"
			"A change of the configuration counts when the image of the initramfs "
			"has been made again: \"earlybind apply\". A note names each image that has "
			"other rules than the files; with --image it says how they differ.\n"
			"\n"
			"--move shows the groups with a card behind another port: --move "
			"01:00=00:1c.0, or --move alveo=4 with the names of card and slot "
			"(/sys/bus/pci/slots). --acs shows them with ACS enabled in a "
			"port. Exit code: 0 a VM could have the card then; 1 not.\n"
			"\n"
			"exit code: 0 everything that rules name will be bound; 1 something is "
			"refused, a rule names no device, or something was not understood; 2 "
			"wrong usage; 3 there is nothing to do\n",
		.example =
			"earlybind plan --cmdline 'intel_iommu=on vfio-pci.ids=10ee:5000'",
		.options = options,
		.option_count = ARRAY_SIZE(options),
	};
	int code;

	p = (struct planning){.arena = arena};
	if (!options_parse(&spec, argc, argv, &code))
		return code;
	return p.move || p.acs ? ask_groups(&p) : plan(&p);
}
