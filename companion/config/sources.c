/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sources.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accel.h"
#include "config.h"
#include "facts.h"
#include "files.h"
#include "filter.h"
#include "inventory.h"
#include "message.h"
#include "paths.h"
#include "policy.h"
#include "reason.h"
#include "usage.h"

#define NOT_THIS_MACHINE \
	"this is not the machine that the image is for: / is not on a disk of it (a container, " \
	"a chroot or a live system)"

#define CRITICAL_MAX 64 /* rules; what comes behind them is not guarded */

struct critical_recorder {
	struct world *world;
	struct usages usages;
	struct text_buffer out; /* at most CRITICAL_MAX lines */
	struct recorded critical;
};

/* What lifts the guard of a usage; 0 where none is needed. */
static unsigned guard_of(const struct usage *u)
{
	switch (u->kind) {
	case USAGE_DISK:
		return u->is_critical ? ALLOW_STORAGE : 0;
	case USAGE_NETWORK:
		return u->is_critical ? ALLOW_NETWORK : 0;
	case USAGE_INPUT:
		/* Of several, the binder guards the last. */
		return u->is_in_use ? ALLOW_CONSOLE : 0;
	case USAGE_DISPLAY: /* the binder sees for itself */
	case USAGE_NODE:
	case USAGE_VFIO:
		break;
	}
	return 0;
}

/* "path=0000:00:1d.0/00.0+144d:a808": the same card, whatever its bus is numbered. */
static const char *name_function(struct critical_recorder *r, struct bdf bdf,
				 char buf[static SELECTOR_SIZE])
{
	struct selector s = {.terms = TERM_ID};
	struct pci_ids ids;

	if (inventory_read_ids(r->world, bdf, &ids) < 0)
		return NULL;
	s.id = (struct pci_match){
		.vendor = ids.vendor,
		.device = ids.device,
		.subvendor = PCI_ANY,
		.subdevice = PCI_ANY,
	};
	if (inventory_read_path(r->world, bdf, &s.path) == 0 &&
	    s.path.hop_count <= PATH_HOPS_MAX) {
		s.terms |= TERM_PATH;
	} else {
		s.terms |= TERM_ADDRESS;
		s.address = bdf;
	}
	return selector_format(&s, buf);
}

/* Names of devices may be anything: what would end the line or start a comment is replaced. */
static void put_words(struct text_buffer *b, const char *words)
{
	for (; *words; words++)
		text_add(b, "%c",
			 *words >= ' ' && *words <= '~' && *words != '#' ? *words : '?');
}

/* What one function carries of one kind. */
static const char *describe(const struct usage *u, size_t count, unsigned guard,
			    char buf[static CARRIES_SHOWN + 1])
{
	struct text_buffer b = {.buf = buf, .size = CARRIES_SHOWN + 1};

	buf[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		if (guard_of(&u[i]) != guard)
			continue;
		put_words(&b, b.used > 0 ? "; " : "");
		put_words(&b, u[i].name);
		put_words(&b, ": ");
		put_words(&b, u[i].what);
	}
	return text_shown(&b);
}

static void record_critical(struct critical_recorder *r, const struct usage *u,
			    size_t count, unsigned guard)
{
	char selector[SELECTOR_SIZE], carries[CARRIES_SHOWN + 1];

	if (!name_function(r, u->bdf, selector))
		return;
	if (r->critical.count == CRITICAL_MAX) {
		r->critical.why = "they are too many: some are not guarded";
		return;
	}
	text_add(&r->out, "critical %s %s %s\n", selector, allow_name(guard),
		 describe(u, count, guard, carries));
	r->critical.count++;
}

static void record_all(struct critical_recorder *r)
{
	static const unsigned guards[] = {ALLOW_STORAGE, ALLOW_NETWORK, ALLOW_CONSOLE};
	const struct usages *all = &r->usages;
	size_t count;

	for (size_t i = 0; i < all->count; i += count) {
		const struct usage *u = usages_find(all, all->items[i].bdf, &count);

		for (size_t g = 0; g < ARRAY_SIZE(guards); g++) {
			bool has_guard = false;

			for (size_t k = 0; k < count; k++)
				has_guard |= guard_of(&u[k]) == guards[g];
			if (has_guard)
				record_critical(r, u, count, guards[g]);
		}
	}
}

void critical_read(struct world *world, struct arena *arena, struct recorded *ret)
{
	struct critical_recorder r = {.world = world, .out.arena = arena};

	text_add(&r.out, "%s", "");
	if (r.out.is_full || usages_read(world, arena, &r.usages) < 0) {
		*ret = (struct recorded){.why = "out of memory"};
		return;
	}
	if (r.usages.root == ROOT_UNKNOWN) {
		r.critical.why = NOT_THIS_MACHINE;
	} else {
		record_all(&r);
		if (r.usages.root == ROOT_OTHER)
			r.critical.why =
				"the disks of / are unknown (ZFS without labels in udev, or no PCI device): name "
				"them with \"critical SELECTOR storage\" in "
				"/etc/earlybind.conf";
		else if (r.critical.count == 0 && !r.critical.why)
			r.critical.why = "no PCI device is critical here";
	}
	if (r.out.is_full)
		r.critical = (struct recorded){.why = "out of memory"};
	else
		r.critical.lines = (struct text){r.out.buf, r.out.used};
	*ret = r.critical;
}

/* "known SELECTOR ID[,ID...]" */
struct known_recorder {
	struct policy rules; /* those that it is about, of all profiles */
	struct inventory inventory;
	struct text_buffer out; /* at most KNOWN_MAX lines */
	struct recorded cards;
};

/* The different IDs of what the rule names. Their number, which may be too large. */
static size_t list_ids(const struct inventory *inv, const struct selector *s,
		       char buf[static KNOWN_IDS_MAX * KNOWN_ID_SIZE])
{
	size_t count = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < inv->count; i++) {
		const struct pci_ids *ids = &inv->devices[i].ids;
		char id[KNOWN_ID_SIZE];

		if (!selector_has_match(s, &inv->devices[i]))
			continue;
		snprintf(id, sizeof(id), "%04x:%04x:%04x:%04x", ids->vendor, ids->device,
			 ids->subvendor, ids->subdevice);
		if (strstr(buf, id))
			continue;
		if (count++ == KNOWN_IDS_MAX)
			return count;
		if (count > 1)
			strcat(buf, ",");
		strcat(buf, id);
	}
	return count;
}

static bool is_known(const struct known_recorder *r, const struct policy *policy,
		     const char *selector)
{
	char start[SELECTOR_SIZE + 16];

	for (size_t i = 0; i < policy->known_count; i++)
		if (strcmp(policy->known[i].selector, selector) == 0)
			return true;
	snprintf(start, sizeof(start), "known %s ", selector);
	return strstr(r->out.buf, start) != NULL;
}

static void record_known(struct known_recorder *r, const struct policy *policy,
			 const struct selector *s)
{
	char selector[SELECTOR_SIZE], ids[KNOWN_IDS_MAX * KNOWN_ID_SIZE];
	size_t count;

	if (is_known(r, policy, selector_format(s, selector)))
		return;
	count = list_ids(&r->inventory, s, ids);
	if (count == 0)
		return;
	if (count > KNOWN_IDS_MAX) {
		r->cards.why = "a rule names functions with more than 8 IDs";
		return;
	}
	if (policy->known_count + r->cards.count == KNOWN_MAX) {
		r->cards.why = "they are too many";
		return;
	}
	text_add(&r->out, "known %s %s\n", selector, ids);
	r->cards.count++;
}

/* The rules that known lines are about. */
static void choose_rules(struct known_recorder *r, const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		struct rule rule = policy->rules[i];

		if (rule.kind != RULE_BIND || !known_has_use(&rule.selector))
			continue;
		rule.profile = (struct text){NULL, 0};
		r->rules.rules[r->rules.rule_count++] = rule;
	}
}

/*
 * Reads the machine, for the rules of all profiles. Nothing is recorded where the image is not
 * made on the machine that runs from it, as for critical devices. What cannot be read is left
 * out, so this never fails.
 */
static void known_cards_read(struct world *world, struct arena *arena,
			     const struct policy *policy, struct recorded *ret)
{
	struct known_recorder r = {.out.arena = arena};
	struct usages usages;

	*ret = (struct recorded){.why = "out of memory"};
	text_add(&r.out, "%s", "");
	if (r.out.is_full || policy_init(&r.rules, arena) < 0)
		return;
	choose_rules(&r, policy);
	if (r.rules.rule_count == 0) {
		*ret = (struct recorded){0};
		return;
	}
	if (usages_read(world, arena, &usages) < 0)
		return;
	if (usages.root == ROOT_UNKNOWN) {
		ret->why = NOT_THIS_MACHINE;
		return;
	}
	if (inventory_read(world, arena, policy_filter, &r.rules, &r.inventory) < 0) {
		ret->why = "the PCI bus cannot be read";
		return;
	}
	if (r.inventory.unread_count > 0)
		r.cards.why = "the serial number of a card cannot be read";
	for (size_t i = 0; i < r.rules.rule_count; i++)
		record_known(&r, policy, &r.rules.rules[i].selector);
	if (r.out.is_full)
		return;
	r.cards.lines = (struct text){r.out.buf, r.out.used};
	*ret = r.cards;
}

struct listing {
	struct arena *arena;
	const char *names[CONFIG_FILES_MAX];
	size_t count;
	int error;
};

static int add_name(void *arg, const char *name)
{
	static const char suffix[] = ".conf";
	struct listing *listing = arg;
	size_t n = strlen(name);

	if (name[0] == '.' || n < sizeof(suffix) || strcmp(name + n - 5, suffix) != 0)
		return 0;
	if (listing->count == CONFIG_FILES_MAX) {
		listing->error = -E2BIG;
		return 1;
	}
	listing->names[listing->count] = arena_copy(listing->arena, text_of(name));
	if (!listing->names[listing->count]) {
		listing->error = -ENOMEM;
		return 1;
	}
	listing->count++;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_file(struct sources *sources, const char *name, struct text bytes)
{
	if (sources->count == CONFIG_FILES_MAX) {
		say_error("more than %d configuration files: join some of them",
			  CONFIG_FILES_MAX);
		return -E2BIG;
	}
	/* The table holds the name in a line of its own. */
	if (strpbrk(name, "\n\r")) {
		say_error("%s: the name has a line end: rename the file", name);
		return -EINVAL;
	}
	sources->files[sources->count++] = (struct config_file){text_of(name), bytes};
	return 0;
}

static int fail(const char *name, int r)
{
	if (r == -E2BIG)
		say_error("%s: larger than %zu bytes: this is no configuration", name,
			  CONFIG_SIZE_MAX);
	else
		say_error("%s: it cannot be read: %s", name, errno_text(r));
	return r;
}

/* A file below /etc. One that does not exist is no error. */
static int add_own(struct world *world, struct arena *arena, const char *path,
		   struct sources *sources)
{
	const char *name = arena_printf(arena, ETC_PREFIX "%s", path);
	struct text bytes;
	int r;

	if (!name)
		return fail(path, -ENOMEM);
	r = file_read_world(world, WORLD_ETC, path, arena, CONFIG_SIZE_MAX, &bytes);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? fail(name, r) : add_file(sources, name, bytes);
}

static int read_default(struct world *world, struct arena *arena, struct sources *sources)
{
	struct listing listing = {.arena = arena};
	int r;

	r = add_own(world, arena, CONFIG_NAME, sources);
	if (r < 0)
		return r;
	r = world->ops->list(world, WORLD_ETC, CONFIG_DIR_NAME, add_name, &listing);
	if (r < 0 && r != -ENOENT)
		return fail(ETC_PREFIX CONFIG_DIR_NAME, r);
	if (listing.error < 0)
		return fail(ETC_PREFIX CONFIG_DIR_NAME, listing.error);
	qsort(listing.names, listing.count, sizeof(*listing.names), compare_names);
	for (size_t i = 0; i < listing.count; i++) {
		const char *path =
			arena_printf(arena, CONFIG_DIR_NAME "/%s", listing.names[i]);

		r = path ? add_own(world, arena, path, sources)
			 : fail(listing.names[i], -ENOMEM);
		if (r < 0)
			return r;
	}
	return 0;
}

int sources_read(struct world *world, struct arena *arena, const struct strings *named,
		 struct sources *ret)
{
	*ret = (struct sources){0};
	if (named->count == 0)
		return read_default(world, arena, ret);
	for (size_t i = 0; i < named->count; i++) {
		const char *name = named->items[i];
		struct text bytes;
		int r;

		r = file_read(name, arena, CONFIG_SIZE_MAX, &bytes, NULL);
		r = r < 0 ? fail(name, r) : add_file(ret, name, bytes);
		if (r < 0)
			return r;
	}
	return 0;
}

static void parse_recorded(const struct recorded *recorded, struct policy *policy)
{
	config_parse(policy, SOURCE_CONFIG, TEXT(RECORDED), recorded->lines);
}

void sources_parse(const struct sources *sources, struct policy *policy)
{
	for (size_t i = 0; i < sources->count; i++)
		config_parse(policy, SOURCE_CONFIG, sources->files[i].name,
			     sources->files[i].bytes);
	parse_recorded(&sources->critical, policy);
	parse_recorded(&sources->known, policy);
}

void sources_add_critical(struct world *world, struct arena *arena,
			  struct sources *sources, struct policy *policy)
{
	if (sources->is_without_critical || sources->is_generic ||
	    policy->ignore_recorded)
		return;
	critical_read(world, arena, &sources->critical);
	if (policy->rule_count + sources->critical.count > RULES_MAX)
		sources->critical = (struct recorded){.why = "there are too many rules"};
	parse_recorded(&sources->critical, policy);
}

void sources_add_known(struct world *world, struct arena *arena, struct sources *sources,
		       struct policy *policy)
{
	if (sources->is_generic)
		return;
	known_cards_read(world, arena, policy, &sources->known);
	parse_recorded(&sources->known, policy);
}

size_t sources_count_rules(const struct policy *policy)
{
	size_t count = 0;

	for (size_t i = 0; i < policy->rule_count; i++)
		count += !rule_is_recorded(&policy->rules[i]);
	return count;
}

struct text sources_cut_recorded(struct text table)
{
	static const char mark[] = "#: " RECORDED ":";
	struct text rest = table, line;

	while (text_cut(&rest, '\n', &line))
		if (text_has_prefix(line, mark))
			return (struct text){table.p, (size_t)(line.p - table.p)};
	return table;
}

/* Where the file ends that @p points into. */
static const char *end_of(const struct sources *sources, const char *p)
{
	for (size_t i = 0; i < sources->count; i++) {
		struct text t = sources->files[i].bytes;

		if (p >= t.p && p <= t.p + t.n)
			return t.p + t.n;
	}
	return NULL;
}

const char *accel_list_sentence(struct text word)
{
	unsigned group;

	return accel_group_parse(word, &group) == 0
		       ? "each part of a list needs its own accel=, as in "
			 "accel=alveo-mgmt,accel=alveo-user"
		       : NULL;
}

/* The part of a list that the problem is at. */
static struct text part_at(const struct problem *p, const char *end)
{
	const char *start = p->origin.base + p->origin.column - 1;
	size_t n = 0;

	while (start + n < end && !strchr(", \t\n", start[n]))
		n++;
	return (struct text){start, n};
}

bool sources_print_problems(const struct sources *sources, const struct policy *policy)
{
	bool has_error = policy->problems_lost > 0;

	for (size_t i = 0; i < policy->problem_count; i++) {
		struct problem p = policy->problems[i];
		const char *end = p.origin.base ? end_of(sources, p.origin.base) : NULL;
		const char *better = NULL;

		if (end && p.origin.column > 0 &&
		    (size_t)(end - p.origin.base) >= p.origin.column)
			better = accel_list_sentence(part_at(&p, end));
		if (better)
			p.message = better;
		put_problem(stderr, &p, end);
		has_error = has_error || p.is_error;
	}
	if (policy->problems_lost > 0)
		say_error("%zu more problem%s not shown", policy->problems_lost,
			  policy->problems_lost == 1 ? " is" : "s are");
	return has_error;
}

/* It is dispensable; the rules are not. */
static int append(struct recorded *recorded, char *buf, size_t size, struct text *text)
{
	int n = config_normalise(TEXT(RECORDED), recorded->lines, buf + text->n,
				 size - text->n);

	if (n < 0)
		return n;
	if (text->n + (size_t)n <= TABLE_CAPACITY)
		text->n += (size_t)n;
	else
		*recorded = (struct recorded){
			.why = "the rules leave no room for it in the table",
			.is_left_out = true,
		};
	return 0;
}

/* The table's text, of any length. */
static int normalise(struct sources *sources, struct arena *arena, struct text *ret)
{
	struct recorded *critical = &sources->critical, *known = &sources->known;
	struct text text = {NULL, 0};
	size_t size = 1 + critical->lines.n + known->lines.n +
		      (critical->count + known->count) * 64;
	char *buf;
	int n;

	/* Each line of a file, with the mark in front of it. */
	for (size_t i = 0; i < sources->count; i++) {
		const struct config_file *f = &sources->files[i];
		size_t lines = 1;

		for (size_t k = 0; k < f->bytes.n; k++)
			lines += f->bytes.p[k] == '\n';
		size += f->bytes.n + lines * (f->name.n + 32);
	}
	buf = arena_alloc(arena, size, 1);
	if (!buf)
		return -ENOMEM;
	text.p = buf;
	for (size_t i = 0; i < sources->count; i++) {
		const struct config_file *f = &sources->files[i];

		n = config_normalise(f->name, f->bytes, buf + text.n, size - text.n);
		if (n < 0)
			return n;
		text.n += (size_t)n;
	}
	n = append(critical, buf, size, &text);
	if (n == 0)
		n = append(known, buf, size, &text);
	*ret = text;
	return n;
}

/* Whether the binder will read from the table what was read from the files. */
static bool is_read_back(size_t rules, size_t known, struct arena *arena,
			 const struct table_section *section)
{
	struct policy again;
	struct text text;

	if (policy_init(&again, arena) < 0 ||
	    table_decode(section, sizeof(*section), &text) < 0)
		return false;
	config_parse(&again, SOURCE_TABLE, TEXT(""), text);
	return again.rule_count == rules && again.known_count == known &&
	       again.problem_count == 0;
}

int sources_encode(struct sources *sources, const struct policy *policy,
		   struct arena *arena, const struct table_section **ret,
		   size_t *ret_length)
{
	struct table_section *section = arena_alloc(arena, 1, sizeof(*section));
	const size_t critical = sources->critical.count, known = sources->known.count;
	struct text table;
	int r = -ENOMEM;

	if (section)
		r = normalise(sources, arena, &table);
	if (r < 0) {
		say_error("the configuration is too large: %s", errno_text(r));
		return r;
	}
	r = table_encode(table, section);
	if (r < 0) {
		say_error(
			"the configuration needs %zu bytes and the table holds %d: join "
			"rules with the same options into one line, or use * and class=",
			table.n, TABLE_CAPACITY);
		return r;
	}
	/* But for what is left out. */
	if (policy->problem_count == 0 &&
	    !is_read_back(policy->rule_count - critical + sources->critical.count,
			  policy->known_count - known + sources->known.count, arena,
			  section)) {
		say_error(
			"the table would not be read as it was written: please report this "
			"with your configuration");
		return -EBADMSG;
	}
	*ret = section;
	*ret_length = table.n;
	return 0;
}

const char *sources_describe(const struct sources *sources, struct arena *arena)
{
	const char *text;

	if (sources->count == 0)
		return "no configuration";
	if (sources->count == 1)
		return sources->files[0].name.p;
	text = arena_printf(arena, "%zu files", sources->count);
	return text ? text : "several files";
}
