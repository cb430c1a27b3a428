/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions that the accelerator table knows, and the groups that rules name them with. */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accel.h"
#include "arena.h"
#include "boot_report.h"
#include "commands.h"
#include "compiler.h"
#include "device_words.h"
#include "driver.h"
#include "facts.h"
#include "framebuffer.h"
#include "group.h"
#include "group_cause.h"
#include "holders.h"
#include "identity.h"
#include "inventory.h"
#include "json.h"
#include "judgement.h"
#include "message.h"
#include "modules.h"
#include "next_boot.h"
#include "options.h"
#include "pci_names.h"
#include "plan.h"
#include "policy.h"
#include "reason.h"
#include "report.h"
#include "serial.h"
#include "sources.h"
#include "usage.h"
#include "virtual_functions.h"
#include "world.h"

/* ---- why a group is merged -------------------------------------------------------------- */

struct list_why {
	struct group_causes causes;
	const struct judge *judge; /* of the next boot; NULL: no command is found */
};

#define WHY_INDENT 4

/* The function that the sentences are about: first one that is in a slot. NULL: only bridges. */
static const struct pci_device *find_subject(const struct list_why *why, int group)
{
	const struct inventory *inv = why->causes.facts.inventory;
	const struct pci_device *first = NULL;
	struct pci_device *const *members;
	size_t count;

	members = inventory_group(inv, group, &count);
	for (size_t i = 0; i < count; i++) {
		if (members[i]->is_bridge)
			continue;
		if (!first)
			first = members[i];
		if (why->causes.facts.functions[members[i] - inv->devices].above !=
		    NO_FUNCTION)
			return members[i];
	}
	return first;
}

static const char *find_why(const struct list_why *why, int group)
{
	const struct pci_device *d = group == NO_GROUP ? NULL : find_subject(why, group);

	return d ? group_why(&why->causes, d->bdf) : NULL;
}

/* The command that takes all of the group; NULL where a guard or the host is against it. */
static const char *find_command(const struct list_why *why, int group)
{
	const struct pci_device **devices, *left = NULL;
	struct pci_device *const *members;
	size_t count, n = 0;
	const char *command;

	if (!why->judge)
		return NULL;
	members = inventory_group(why->judge->inventory, group, &count);
	devices = arena_alloc(why->causes.arena, count, sizeof(struct pci_device *));
	for (size_t i = 0; devices && i < count; i++)
		if (!members[i]->is_bridge)
			devices[n++] = members[i];
	command = n > 0 ? judge_add_command(why->judge, devices, n, &left) : NULL;
	return left ? NULL : command;
}

/* The paragraph of a group; nothing where nothing merges it. */
static void list_why_put(const struct list_why *why, int group)
{
	struct paragraph p = {stdout, WHY_INDENT, WHY_INDENT, false};
	const char *text = find_why(why, group), *command;

	if (!text)
		return;
	printf("%*s", WHY_INDENT, "");
	paragraph_add(&p, "why: %s", text);
	paragraph_end(&p);
	command = find_command(why, group);
	if (command)
		paragraph_line(stdout, WHY_INDENT, "all of it to one VM: %s", command);
}

/* Below all groups: what cannot be told, and where the kernel's groups are others. */
static void list_why_put_end(const struct list_why *why)
{
	struct paragraph p = {stdout, 0, WHY_INDENT, false};
	const char *text = group_why_unknown(&why->causes);

	if (!text)
		text = group_difference(&why->causes, NULL);
	if (!text)
		return;
	paragraph_add(&p, "note: %s", text);
	paragraph_end(&p);
}

/* The member "why" of a group, and "computed_groups" of the machine. */
static void list_why_write(const struct list_why *why, int group, struct json *json)
{
	json_put_string(json, "why", find_why(why, group));
}

static void list_why_write_computed(const struct list_why *why, struct json *json)
{
	const struct group_causes *c = &why->causes;
	const struct group_link *links = c->apart.links;

	for (size_t i = 0; i < c->apart.count; i++)
		if (links[i].group != c->together.links[i].group ||
		    !c->facts.is_known_kind) {
			json_put_null(json, "computed_groups");
			return;
		}
	json_open(json, "computed_groups", '[');
	for (size_t i = 0; i < c->apart.count; i++) {
		if (links[i].group != i)
			continue;
		json_open(json, NULL, '[');
		for (size_t k = i; k < c->apart.count; k++) {
			char address[BDF_SIZE];

			if (links[k].group == i)
				json_put_string(
					json, NULL,
					bdf_format(c->apart.functions[k].bdf, address));
		}
		json_close(json, ']');
	}
	json_close(json, ']');
}

/* ---- what is listed --------------------------------------------------------------------- */

#define KIND_BUCKETS 1024

/* What all functions with the same IDs have. */
struct kind {
	struct pci_ids ids;
	const char *class; /* its name, or NULL */
	const char *name; /* "Vendor Device [vendor:device]", as far as there are names */
	const char *subsystem; /* the same for the subsystem; NULL if it has none */
	const char *vendor_name, *device_name; /* or NULL */
	const struct module_names *modules;
	struct json_part *parts; /* PARTS_COUNT of them; NULL: none is kept */
	struct kind *next;
};

struct listed {
	struct pci_device *device;
	bool is_shown;

	/* Read by list_look() for what is shown. */
	bool is_read;
	const char *override; /* "" for none */
	const char *resets; /* "flr bus": in the order in which the kernel tries them */
	unsigned revision;
	bool is_virtual; /* with @physical */
	struct bdf physical;
	unsigned virtual_count;
	const char *names; /* "path=..., serial=...", or "" */
	const char *twins; /* the addresses of identical cards, or "" */
	const struct kind *kind;
	const struct usage *usages;
	size_t usage_count;

	/* Of the table. */
	unsigned marks; /* of enum mark */
	bool must_stay; /* the host has it, and keeps it */
};

struct list_group {
	int id;
	size_t first, count; /* in by_group */
	size_t bridge_count;
	struct plan_group now; /* empty for those in no group */
};

struct list {
	/* Options. */
	const char *sysroot;
	const char *pci_ids;
	const char *by;
	const char *accel; /* "" or "all"; NULL: without */
	struct strings words;
	bool is_json;
	bool has_why;
	bool is_verbose;

	struct arena *arena;
	struct world *world;
	struct inventory inventory;
	struct names *names;
	bool has_names; /* they were looked for */
	struct modules *modules;
	struct kind *kinds[KIND_BUCKETS];
	struct usages usages;
	struct holders holders;
	struct boot_stuck stuck;
	bool has_virtual; /* there is a function with virtual functions */
	struct run next; /* the rules of the next boot; its plan is of @inventory */
	bool has_next; /* the rules could be read, and are not off */
	struct judge judge; /* of it */
	struct identity identity;
	int serial_error; /* why a serial number could not be read */
	struct listed *items; /* one for each device of the inventory, in its order */
	struct listed **by_group;
	struct list_group *groups; /* in the order of numbers; NO_GROUP last */
	size_t group_count;
	struct list_why why; /* only with @has_why */
};

#define CARD_INDENT  16 /* of what is behind an address */
#define GROUP_INDENT 20 /* of what is behind a group: longer names do not exist */

static const char *role_text(enum accel_role role)
{
	switch (role) {
	case ACCEL_USER:
		return "user function, for a VM";
	case ACCEL_MGMT:
		return "management function, which can flash the card";
	case ACCEL_GOLDEN:
		return "runs its golden image";
	case ACCEL_VF:
		return "virtual function";
	case ACCEL_DENY:
		return "vfio-pci refuses it: it is on its denylist";
	case ACCEL_GPU_CLASS:
		return "known by its class only";
	case ACCEL_UNKNOWN:
	case ACCEL_NPU:
	case ACCEL_GPU:
	case ACCEL_VPU:
	case ACCEL_FPGA:
	case ACCEL_CRYPTO:
	case ACCEL_SWITCH:
		break;
	}
	return NULL;
}

static void put_card(const struct pci_device *d)
{
	struct paragraph head = {stdout, CARD_INDENT, CARD_INDENT, false};
	struct paragraph groups = head;
	const char *role = role_text(accel_role(&d->ids)), * or = "";
	char address[BDF_SIZE];

	put_style(stdout, STYLE_HEAD);
	printf("  %-*s ", CARD_INDENT - 3, bdf_format(d->bdf, address));
	put_style(stdout, STYLE_PLAIN);
	paragraph_add(&head, "%s [%04x:%04x]%s%s", accel_card_name(accel_find(&d->ids)),
		      d->ids.vendor, d->ids.device, role ? ": " : "", role ? role : "");
	paragraph_end(&head);
	printf("%*s", CARD_INDENT, "");
	for (unsigned g = 0; accel_group_description(g); g++) {
		if (!accel_group_has(g, &d->ids))
			continue;
		paragraph_add(&groups, "%saccel=%s", or, accel_group_name(g));
		or = "or ";
	}
	paragraph_end(&groups);
	paragraph_line(stdout, CARD_INDENT, "driver: %s",
		       d->driver[0] ? d->driver : "none");
}

/* "list --accel": leaves what the accelerator table knows; prints it, or all its groups. */
static void list_choose_accel(struct list *l)
{
	for (size_t i = 0; i < l->inventory.count; i++)
		if (accel_find(&l->items[i].device->ids) < 0)
			l->items[i].is_shown = false;
}

/* "list --accel": leaves what the accelerator table knows; prints it, or all its groups. */
static int list_print_accel(struct list *l)
{
	size_t count = 0;

	for (size_t i = 0; i < l->inventory.count; i++) {
		if (!l->items[i].is_shown)
			continue;
		put_card(l->items[i].device);
		count++;
	}
	if (count == 0)
		paragraph_line(
			stdout, 0,
			"no function is in the table of accelerators: name it by its "
			"ID, address, path or serial number instead");
	else
		paragraph_line(
			stdout, 0,
			"A group is written as it stands here, alone or with other "
			"terms: \"earlybind add accel=GROUP\". All groups: "
			"\"earlybind list --accel=all\".");
	return EXIT_OK;
}

/* "list --accel": leaves what the accelerator table knows; prints it, or all its groups. */
static int list_print_accel_groups(struct arena *arena, bool is_json)
{
	struct json json;

	for (unsigned g = 0; !is_json && accel_group_description(g); g++) {
		struct paragraph p = {stdout, GROUP_INDENT, GROUP_INDENT, false};

		put_style(stdout, STYLE_HEAD);
		printf("%-*s", GROUP_INDENT, accel_group_name(g));
		put_style(stdout, STYLE_PLAIN);
		paragraph_add(&p, "%s", accel_group_description(g));
		paragraph_end(&p);
	}
	if (!is_json)
		return EXIT_OK;
	if (begin_json(arena, 64, &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_open(&json, "accel_groups", '[');
	for (unsigned g = 0; accel_group_description(g); g++) {
		json_open(&json, NULL, '{');
		json_put_string(&json, "name", accel_group_name(g));
		json_put_string(&json, "description", accel_group_description(g));
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_close(&json, '}');
	return end_json(&json);
}

/* The member "accel" of a function. */
static void list_write_accel(const struct pci_ids *ids, struct json *json)
{
	int entry = accel_find(ids);

	if (entry < 0) {
		json_put_null(json, "accel");
		return;
	}
	json_open(json, "accel", '{');
	json_put_string(json, "name", accel_card_name(entry));
	json_put_string(json, "role", accel_role_name(accel_role(ids)));
	json_open(json, "groups", '[');
	for (unsigned g = 0; accel_group_description(g); g++)
		if (accel_group_has(g, ids))
			json_put_string(json, NULL, accel_group_name(g));
	json_close(json, ']');
	json_close(json, '}');
}

#define INDENT 16 /* of what is behind an address */

static const char *describe_driver(struct list *l, const struct listed *item)
{
	const struct pci_device *d = item->device;
	struct text_buffer text = {.arena = l->arena};
	struct text rest = text_of(item->resets), word;
	char address[BDF_SIZE];

	text_add(&text, "driver: %s", d->driver[0] ? d->driver : "none");
	if (item->override[0])
		text_add(&text, "; override: %s", item->override);
	for (size_t i = 0; i < item->kind->modules->count; i++)
		text_add(&text, "%s%s", i == 0 ? "; modules: " : ", ",
			 item->kind->modules->names[i]);
	for (const char *join = "; reset: "; text_word(&rest, &word); join = ", ")
		text_add(&text, "%s%.*s", join, (int)word.n, word.p);
	if (d->is_boot_vga)
		text_add(&text, "; the display of the firmware");
	if (item->virtual_count > 0)
		text_add(&text, "; %u virtual function%s", item->virtual_count,
			 plural(item->virtual_count));
	if (item->is_virtual)
		text_add(&text, "; a virtual function of %s",
			 bdf_format(item->physical, address));
	return text.buf ? text_shown(&text) : "";
}

static enum style usage_style(const struct usage *u)
{
	return u->is_critical ? STYLE_BAD : u->is_in_use ? STYLE_CAREFUL : STYLE_PLAIN;
}

/* What is in use, or what is not. */
static void put_usages(const struct listed *item, bool is_in_use)
{
	struct paragraph p = {stdout, INDENT, INDENT, false};
	size_t left = 0;

	for (size_t i = 0; i < item->usage_count; i++)
		left += item->usages[i].is_in_use == is_in_use;
	if (left == 0)
		return;
	printf("%*s", INDENT, "");
	paragraph_add(&p, is_in_use ? "used by:" : "no use found:");
	for (size_t i = 0; i < item->usage_count; i++) {
		const struct usage *u = &item->usages[i];

		if (u->is_in_use != is_in_use)
			continue;
		put_style(stdout, usage_style(u));
		paragraph_add(&p, "%s (%s)%s", u->name, u->what, --left > 0 ? "," : "");
		put_style(stdout, STYLE_PLAIN);
	}
	paragraph_end(&p);
}

static void list_look(struct list *l, struct listed *item);

/* A function with all that is known about it, in lines of its own. */
static void list_put_device(struct list *l, struct listed *item)
{
	const struct pci_device *d = item->device;
	struct paragraph p = {stdout, INDENT, INDENT, false};
	const struct kind *kind;
	char address[BDF_SIZE], rev[16] = "";

	list_look(l, item);
	kind = item->kind;
	if (item->revision > 0)
		snprintf(rev, sizeof(rev), " (rev %02x)", item->revision);
	put_style(stdout, STYLE_HEAD);
	printf("  %-*s ", INDENT - 3, bdf_format(d->bdf, address));
	put_style(stdout, STYLE_PLAIN);
	paragraph_add(&p, "%s [%04x]: %s%s", kind->class ? kind->class : "",
		      d->ids.class >> 8, kind->name, rev);
	paragraph_end(&p);
	if (kind->subsystem)
		paragraph_line(stdout, INDENT, "subsystem: %s", kind->subsystem);
	if (item->names[0])
		paragraph_line(stdout, INDENT, "named by: %s", item->names);
	if (item->twins[0])
		paragraph_line(stdout, INDENT, "same ID: %s", item->twins);
	paragraph_line(stdout, INDENT, "%s", describe_driver(l, item));
	put_usages(item, true);
	put_usages(item, false);
}

/* ---- by group ----------------------------------------------------------------------------- */

static void put_host_has(struct paragraph *p, const struct plan_group *group,
			 const struct list_group *g)
{
	if (g->count == 1)
		paragraph_add(p, "the host has it");
	else
		paragraph_add(p, "the host has %zu of %zu functions",
			      group->blocker_count, g->count);
}

static void put_viability(const struct list *l, const struct list_group *g,
			  struct paragraph *p)
{
	const struct plan_group *next =
		l->has_next ? plan_find_group(&l->next.plan, g->id) : NULL;

	if (g->now.is_viable) {
		put_style(stdout, STYLE_GOOD);
		paragraph_add(p, "viable%s", next && !next->is_viable ? " now;" : "");
		if (!next || next->is_viable)
			return;
	}
	put_style(stdout, STYLE_CAREFUL);
	paragraph_add(p, "not viable%s:", g->now.is_viable ? " after the next boot" : "");
	put_style(stdout, STYLE_PLAIN);
	put_host_has(p, g->now.is_viable ? next : &g->now, g);
	if (!g->now.is_viable && next && next->is_viable)
		paragraph_add(p, "now; viable after the next boot");
}

static void put_headline(const struct list *l, const struct list_group *g)
{
	char message[REASON_MESSAGE_SIZE];
	struct paragraph p = {stdout, 0, 4, false};

	put_style(stdout, STYLE_HEAD);
	if (g->id != NO_GROUP)
		paragraph_add(&p, "IOMMU group %d:", g->id);
	else if (l->inventory.iommu.is_on)
		paragraph_add(&p, "no IOMMU group");
	else
		paragraph_add(&p, "no IOMMU group: %s",
			      reason_message(REASON_IOMMU_OFF,
					     iommu_why_off(&l->inventory.iommu, l->arena),
					     message));
	put_style(stdout, STYLE_PLAIN);
	if (g->id != NO_GROUP && g->bridge_count == g->count && g->now.is_viable)
		paragraph_add(&p, "only bridges");
	else if (g->id != NO_GROUP)
		put_viability(l, g, &p);
	put_style(stdout, STYLE_PLAIN);
	paragraph_end(&p);
}

/* Each prints all that is shown: by IOMMU group, below its bridges, by the rule that names it. */
static void list_print_groups(struct list *l)
{
	for (size_t i = 0; i < l->group_count; i++) {
		const struct list_group *g = &l->groups[i];
		bool has_headline = false;

		for (size_t k = g->first; k < g->first + g->count; k++) {
			if (!l->by_group[k]->is_shown)
				continue;
			if (!has_headline)
				put_headline(l, g);
			if (!has_headline && l->has_why)
				list_why_put(&l->why, g->id);
			has_headline = true;
			list_put_device(l, l->by_group[k]);
		}
	}
}

/* ---- by rule ------------------------------------------------------------------------------ */

static void put_rule(const struct rule *rule, bool has_device)
{
	struct paragraph p = {stdout, 0, 4, false};
	char origin[ORIGIN_SIZE];

	put_style(stdout, STYLE_HEAD);
	paragraph_add(&p, "%s %.*s", rule_kind_name(rule->kind), (int)rule->text.n,
		      rule->text.p);
	put_style(stdout, STYLE_PLAIN);
	paragraph_add(&p, "(%s)%s", origin_format(&rule->origin, origin),
		      has_device ? "" : ": names no function");
	paragraph_end(&p);
}

static void put_unnamed(struct list *l, const bool *is_named)
{
	size_t left = 0;

	for (size_t i = 0; i < l->inventory.count; i++) {
		if (is_named[i] || !l->items[i].is_shown)
			continue;
		if (left++ == 0) {
			put_style(stdout, STYLE_HEAD);
			puts("no rule names these");
			put_style(stdout, STYLE_PLAIN);
		}
		list_put_device(l, &l->items[i]);
	}
}

static bool list_has_match(struct list *l, const struct selector *selector,
			   struct pci_device *d);

/* The rules as the next boot reads them; the facts that they ask for are learnt. -errno, said. */
static int read_next(struct list *l)
{
	static struct sources sources;
	static const struct strings none;
	struct policy *policy = &l->next.policy;
	struct policy files;

	if (sources_read(l->world, l->arena, &none, &sources) < 0 ||
	    next_boot_read(l->world, l->sysroot, l->arena, &sources, NULL, &files,
			   &l->next) < 0)
		return -EIO;
	(void)sources_print_problems(&sources, policy);
	for (size_t r = 0; r < policy->rule_count; r++)
		for (size_t i = 0; i < l->inventory.count; i++)
			(void)list_has_match(l, &policy->rules[r].selector,
					     l->items[i].device);
	return 0;
}

/* What the rules make of the groups. Without them the drivers of today say all. */
static void plan_next(struct list *l)
{
	struct run *next = &l->next;

	if (read_next(l) < 0)
		return;
	framebuffers_read(l->world, l->arena, &l->inventory);
	next->inventory = l->inventory;
	if (plan_make(&next->policy, &next->inventory, l->arena, &next->plan) < 0 ||
	    virtual_functions_foresee(l->world, l->arena, &next->policy, &next->inventory,
				      &next->plan) < 0)
		return;
	l->judge.policy = &next->policy;
	l->judge.inventory = &next->inventory;
	l->judge.plan = &next->plan;
	l->why.judge = &l->judge;
	l->has_next = !next->policy.off;
}

static int list_print_rules(struct list *l)
{
	struct run *run = &l->next;
	bool *is_named = arena_alloc(l->arena, l->inventory.count, sizeof(*is_named));
	struct companions *companions;

	if (!is_named) {
		say_error("out of memory");
		return EXIT_FAILED;
	}
	if (read_next(l) < 0)
		return EXIT_FAILED;
	if (companions_find(&run->policy, &l->inventory, NULL, l->arena, &companions) <
	    0) {
		say_error("out of memory");
		return EXIT_FAILED;
	}
	for (size_t r = 0; r < run->policy.rule_count; r++) {
		const struct rule *rule = &run->policy.rules[r];
		bool has_device = false, has_match = false;

		if (!policy_has_rule_active(&run->policy, rule))
			continue;
		for (size_t i = 0; i < l->inventory.count; i++) {
			bool is_along = companions && companions[i].rule == rule &&
					!companions[i].is_named && !companions[i].is_kept;

			if (!is_along &&
			    !list_has_match(l, &rule->selector, l->items[i].device))
				continue;
			has_match = is_named[i] = true;
			if (!l->items[i].is_shown)
				continue;
			if (!has_device)
				put_rule(rule, true);
			has_device = true;
			list_put_device(l, &l->items[i]);
		}
		if (!has_match && l->words.count == 0)
			put_rule(rule, false);
	}
	put_unnamed(l, is_named);
	return EXIT_OK;
}

#define TARGET_SIZE 1024
#define DEPTH_MAX   64
#define PREFIX_SIZE 512 /* DEPTH_MAX times the longest piece */

struct node {
	struct listed *item;
	struct node *parent, *child, *next; /* in the order of addresses */
	const char *root; /* "pci0000:00", or "" */
	bool is_shown; /* it, or something below it */
	bool is_done;
};

struct pieces {
	const char *middle, *last, *bar, *blank;
};

static const struct pieces unicode = {"├─ ", "└─ ", "│  ", "   "};
static const struct pieces ascii = {"|- ", "`- ", "|  ", "   "};

struct printer {
	struct list *list;
	struct node *nodes; /* in the order of the inventory */
	const struct pieces *pieces;
};

/*
 * From "../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0": the bridge in front of the
 * function (or the device that made its bus, such as VMD), and the bus that all begins with.
 */
static void find_parent(struct printer *p, struct node *n)
{
	char path[JOB_PATH_SIZE], target[TARGET_SIZE], address[BDF_SIZE];
	const struct pci_device *d = n->item->device, *parent;
	struct text rest, part, before = {"", 0};
	bool has_parent = false;
	struct bdf bdf, last = {0};

	n->root = "";
	snprintf(path, sizeof(path), SYSFS_PCI_DEVICES "/%s",
		 bdf_format(d->bdf, address));
	if (p->list->world->ops->target(p->list->world, WORLD_SYS, path, target,
					sizeof(target)) < 0)
		return;
	rest = text_of(target);
	while (text_cut(&rest, '/', &part)) {
		if (bdf_parse(part, &bdf) == 0 && bdf_compare(bdf, d->bdf) != 0) {
			last = bdf;
			has_parent = true;
		}
		if (!rest.p && bdf_parse(part, &bdf) == 0 && !has_parent)
			n->root = arena_copy(p->list->arena, before);
		before = part;
	}
	n->root = n->root && text_has_prefix(text_of(n->root), "pci") ? n->root : "";
	parent = has_parent ? inventory_find(&p->list->inventory, last) : NULL;
	if (parent)
		n->parent = &p->nodes[parent - p->list->inventory.devices];
}

/* Words from @column on; further lines begin with @prefix, which has @width columns. */
static void put_words(const char *prefix, size_t width, size_t column, const char *text)
{
	size_t limit = terminal_width(stdout), n;
	struct text rest = text_of(text), word;
	bool has_word = false;

	for (; text_word(&rest, &word); column += n, has_word = true) {
		n = text_columns(word);
		if (has_word && column + 1 + n > limit) {
			printf("\n%s", prefix);
			column = width;
		} else if (has_word) {
			putchar(' ');
			column++;
		}
		put_text(stdout, word);
	}
	putchar('\n');
}

static const char *describe(struct list *l, struct listed *item)
{
	const struct pci_device *d = item->device;
	const char *class, *text;
	char number[16] = "no group";

	list_look(l, item);
	class = item->kind->class;
	if (d->iommu_group != NO_GROUP)
		snprintf(number, sizeof(number), "group %d", d->iommu_group);
	text = arena_printf(l->arena, "%s%s%s; %s%s%s", class ? class : "",
			    class ? ": " : "", item->kind->name, number,
			    d->driver[0] ? "; " : "", d->driver);
	for (size_t i = 0; i < item->usage_count && text; i++)
		if (item->usages[i].is_in_use)
			text = arena_printf(l->arena, "%s; %s (%s)", text,
					    item->usages[i].name, item->usages[i].what);
	return text ? text : "";
}

static struct node *next_shown(struct node *n)
{
	while (n && !n->is_shown)
		n = n->next;
	return n;
}

/* @prefix is what stands in front of the node's line: @depth pieces. */
static void put_node(struct printer *p, struct node *n, const char *prefix, size_t depth,
		     bool is_last)
{
	char below[PREFIX_SIZE], wrapped[PREFIX_SIZE], address[BDF_SIZE];
	struct node *child = depth < DEPTH_MAX ? next_shown(n->child) : NULL, *next;
	size_t width = 3 * (depth + 1);

	n->is_done = true;
	snprintf(below, sizeof(below), "%s%s", prefix,
		 is_last ? p->pieces->blank : p->pieces->bar);
	snprintf(wrapped, sizeof(wrapped), "%s%s", below,
		 child ? p->pieces->bar : p->pieces->blank);
	printf("%s%s", prefix, is_last ? p->pieces->last : p->pieces->middle);
	put_style(stdout, STYLE_HEAD);
	printf("%s ", bdf_format(n->item->device->bdf, address));
	put_style(stdout, STYLE_PLAIN);
	put_words(wrapped, width + 3, width + strlen(address) + 1,
		  describe(p->list, n->item));
	for (; child; child = next) {
		next = next_shown(child->next);
		put_node(p, child, below, depth + 1, !next);
	}
}

/* The functions that nothing is in front of, by the bus that they are on. */
static void put_roots(struct printer *p, struct node *first)
{
	const char *root = NULL;

	for (struct node *n = first, *next; n; n = next) {
		next = next_shown(n->next);
		if (!root || strcmp(root, n->root) != 0) {
			root = n->root;
			put_style(stdout, STYLE_HEAD);
			put_text(stdout, text_of(root[0] ? root : "PCI"));
			putchar('\n');
			put_style(stdout, STYLE_PLAIN);
		}
		put_node(p, n, "", 0, !next || strcmp(next->root, root) != 0);
	}
}

/* Each prints all that is shown: by IOMMU group, below its bridges, by the rule that names it. */
static void list_print_tree(struct list *l)
{
	struct printer p = {.list = l,
			    .pieces = terminal_has_unicode() ? &unicode : &ascii};
	size_t count = l->inventory.count;
	struct node *roots = NULL;

	p.nodes = arena_alloc(l->arena, count, sizeof(*p.nodes));
	if (!p.nodes)
		return;
	for (size_t i = 0; i < count; i++)
		p.nodes[i] = (struct node){.item = &l->items[i]};
	for (size_t i = 0; i < count; i++)
		find_parent(&p, &p.nodes[i]);
	/* From behind, so that each list is in the order of addresses. */
	for (size_t i = count; i-- > 0;) {
		struct node *n = &p.nodes[i],
			    **list = n->parent ? &n->parent->child : &roots;

		n->next = *list;
		*list = n;
		for (struct node *up = n; n->item->is_shown && up && !up->is_shown;
		     up = up->parent)
			up->is_shown = true;
	}
	put_roots(&p, next_shown(roots));
	/* Damaged trees have functions that stand below themselves. */
	for (size_t i = 0; i < count; i++)
		if (p.nodes[i].is_shown && !p.nodes[i].is_done) {
			p.nodes[i].next = NULL;
			p.nodes[i].child = NULL;
			put_roots(&p, &p.nodes[i]);
		}
}

static const char *kind_name(enum usage_kind kind)
{
	switch (kind) {
	case USAGE_DISK:
		return "disk";
	case USAGE_NETWORK:
		return "network";
	case USAGE_DISPLAY:
		return "display";
	case USAGE_INPUT:
		return "input";
	case USAGE_NODE:
		return "node";
	case USAGE_VFIO:
		return "vfio";
	}
	return "";
}

static void write_usages(const struct listed *item, struct json *json)
{
	json_open(json, "used_by", '[');
	for (size_t i = 0; i < item->usage_count; i++) {
		const struct usage *u = &item->usages[i];

		json_open(json, NULL, '{');
		json_put_string(json, "kind", kind_name(u->kind));
		json_put_string(json, "name", u->name);
		json_put_string(json, "what", u->what);
		json_put_bool(json, "in_use", u->is_in_use);
		json_put_bool(json, "critical", u->is_critical);
		json_close(json, '}');
	}
	json_close(json, ']');
}

/*
 * What most functions of a kind have in common is written once and copied for the others: on large
 * machines that is most of what there is to write.
 */
struct json_part {
	const struct listed *of; /* whose it is; NULL: nothing is kept */
	struct text bytes;
};

static bool is_same_model(const struct listed *a, const struct listed *b)
{
	return a->revision == b->revision &&
	       strcmp(a->device->driver, b->device->driver) == 0 &&
	       strcmp(a->override, b->override) == 0;
}

static void write_model(const struct listed *item, struct json *json)
{
	const struct pci_device *d = item->device;

	json_put_hex(json, "vendor", d->ids.vendor, 4);
	json_put_hex(json, "device", d->ids.device, 4);
	json_put_hex(json, "subsystem_vendor", d->ids.subvendor, 4);
	json_put_hex(json, "subsystem_device", d->ids.subdevice, 4);
	json_put_hex(json, "class", d->ids.class, 6);
	json_put_hex(json, "revision", item->revision, 2);
	json_put_string(json, "vendor_name", item->kind->vendor_name);
	json_put_string(json, "device_name", item->kind->device_name);
	json_put_string(json, "class_name", item->kind->class);
	json_put_string(json, "driver", d->driver[0] ? d->driver : NULL);
	json_put_string(json, "driver_override",
			item->override[0] ? item->override : NULL);
}

static bool is_same_state(const struct listed *a, const struct listed *b)
{
	return a->device->is_boot_vga == b->device->is_boot_vga &&
	       a->virtual_count == b->virtual_count && a->is_virtual == b->is_virtual &&
	       (!a->is_virtual || bdf_compare(a->physical, b->physical) == 0) &&
	       a->usage_count == 0 && b->usage_count == 0 &&
	       strcmp(a->resets, b->resets) == 0;
}

static void write_state(const struct listed *item, struct json *json)
{
	const struct pci_device *d = item->device;
	struct text rest, word;
	char address[BDF_SIZE];

	json_open(json, "modules", '[');
	for (size_t i = 0; i < item->kind->modules->count; i++)
		json_put_string(json, NULL, item->kind->modules->names[i]);
	json_close(json, ']');
	json_open(json, "reset_methods", '[');
	for (rest = text_of(item->resets); text_word(&rest, &word);)
		json_put_text(json, NULL, word);
	json_close(json, ']');
	list_write_accel(&d->ids, json);
	json_put_bool(json, "boot_vga", d->is_boot_vga);
	json_put_number(json, "virtual_functions", item->virtual_count);
	json_put_string(json, "physical_function",
			item->is_virtual ? bdf_format(item->physical, address) : NULL);
	write_usages(item, json);
}

static const struct {
	bool (*is_same)(const struct listed *a, const struct listed *b); /* of one kind */
	void (*write)(const struct listed *item, struct json *json);
} parts[] = {{is_same_model, write_model}, {is_same_state, write_state}};
#define PARTS_COUNT ARRAY_SIZE(parts)

/* Not the first members of an object: a comma is before them. */
static void put_part(const struct listed *item, size_t which, struct json *json)
{
	struct json_part *part = item->kind->parts ? &item->kind->parts[which] : NULL;
	size_t begin = json->used;

	if (part && part->of && parts[which].is_same(part->of, item) &&
	    part->bytes.n < json->size - json->used) {
		memcpy(json->buf + json->used, part->bytes.p, part->bytes.n);
		json->used += part->bytes.n;
		json->buf[json->used] = '\0';
		return;
	}
	parts[which].write(item, json);
	if (part && !json->is_full)
		*part = (struct json_part){item, {json->buf + begin, json->used - begin}};
}

static void write_device(struct list *l, struct listed *item, struct json *json)
{
	char address[BDF_SIZE], path[PATH_SIZE], serial[SERIAL_SIZE];
	struct pci_device *d = item->device;
	struct text slot;

	list_look(l, item);
	json_open(json, NULL, '{');
	json_put_string(json, "address", bdf_format(d->bdf, address));
	json_put_string(json, "path", d->has_path ? path_format(&d->path, path) : NULL);
	if (identity_slot(d, &slot))
		json_put_text(json, "slot", slot);
	else
		json_put_null(json, "slot");
	json_put_string(json, "serial",
			d->serial != 0 ? serial_format(d->serial, serial) : NULL);
	put_part(item, 0, json);
	if (d->iommu_group == NO_GROUP)
		json_put_null(json, "iommu_group");
	else
		json_put_number(json, "iommu_group", d->iommu_group);
	put_part(item, 1, json);
	json_close(json, '}');
}

static void write_group(struct list *l, const struct list_group *g, struct json *json)
{
	char address[BDF_SIZE];

	json_open(json, NULL, '{');
	json_put_number(json, "id", g->id);
	json_put_bool(json, "viable", g->now.is_viable);
	json_open(json, "blockers", '[');
	for (size_t i = 0; i < g->now.blocker_count; i++)
		json_put_string(json, NULL, bdf_format(g->now.blockers[i]->bdf, address));
	json_close(json, ']');
	if (l->has_why)
		list_why_write(&l->why, g->id, json);
	json_close(json, '}');
}

static bool has_shown(const struct list *l, const struct list_group *g)
{
	for (size_t i = g->first; i < g->first + g->count; i++)
		if (l->by_group[i]->is_shown)
			return true;
	return false;
}

static int list_print_json(struct list *l)
{
	struct json json;

	if (begin_json(l->arena, l->inventory.count + l->usages.count, &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_open(&json, "devices", '[');
	for (size_t i = 0; i < l->inventory.count; i++)
		if (l->items[i].is_shown)
			write_device(l, &l->items[i], &json);
	json_close(&json, ']');
	json_open(&json, "groups", '[');
	for (size_t i = 0; i < l->group_count; i++)
		if (l->groups[i].id != NO_GROUP && has_shown(l, &l->groups[i]))
			write_group(l, &l->groups[i], &json);
	json_close(&json, ']');
	if (l->has_why)
		list_why_write_computed(&l->why, &json);
	json_close(&json, '}');
	return end_json(&json);
}

#define ATTRIBUTE_SIZE 4096

/* An attribute that may be missing: "". */
static const char *read_attribute(struct list *l, const struct pci_device *d,
				  const char *name)
{
	char path[JOB_PATH_SIZE], buf[ATTRIBUTE_SIZE];
	const char *copy;
	struct text t;

	if (world_read_text(l->world, WORLD_SYS, inventory_attribute(d->bdf, name, path),
			    buf, sizeof(buf), &t) < 0 ||
	    t.n == 0)
		return "";
	copy = arena_copy(l->arena, t);
	return copy ? copy : "";
}

static unsigned read_revision(struct list *l, const struct pci_device *d)
{
	struct text t = text_of(read_attribute(l, d, "revision"));
	uint64_t value;

	if (!text_has_prefix(t, "0x"))
		return 0;
	t.p += 2;
	t.n -= 2;
	return text_hex(t, 0xff, &value) < 0 ? 0 : (unsigned)value;
}

/* Whether a selector names it: what it needs to know of it is read. */
static bool list_has_match(struct list *l, const struct selector *selector,
			   struct pci_device *d)
{
	unsigned open;

	while ((open = selector_open_facts(selector, d)) != 0) {
		int r = identity_learn(&l->identity, d, open);

		if (r < 0)
			l->serial_error = r;
	}
	return selector_has_match(selector, d);
}

/* Whether a driver of the host has it. */
static bool list_is_blocker(const struct pci_device *d)
{
	return d->driver[0] != '\0' && !driver_is_group_friendly(d->driver);
}

/* Without any names there are just the numbers. */
static const char *join_names(struct list *l, unsigned vendor, const char *device,
			      unsigned number)
{
	const char *name = names_vendor(l->names, vendor, l->arena), *text;

	if (!l->names && !device)
		text = arena_printf(l->arena, "[%04x:%04x]", vendor, number);
	else
		text = arena_printf(l->arena, "%s%s%s [%04x:%04x]", name ? name : "",
				    name ? " " : "", device ? device : "Device", vendor,
				    number);
	return text ? text : "";
}

static struct kind *make_kind(struct list *l, const struct pci_ids *ids)
{
	struct kind *kind = arena_alloc(l->arena, 1, sizeof(*kind));
	bool has_subsystem = (ids->subvendor != 0 || ids->subdevice != 0) &&
			     (ids->subvendor != 0xffff || ids->subdevice != 0xffff);

	if (!kind)
		return NULL;
	kind->ids = *ids;
	kind->class = names_class(l->names, ids, l->arena);
	kind->vendor_name = names_vendor(l->names, ids->vendor, l->arena);
	kind->device_name = names_device(l->names, ids, l->arena);
	kind->name = join_names(l, ids->vendor, kind->device_name, ids->device);
	if (has_subsystem)
		kind->subsystem = join_names(l, ids->subvendor,
					     names_subsystem(l->names, ids, l->arena),
					     ids->subdevice);
	kind->modules = modules_find(l->modules, ids);
	kind->parts = arena_alloc(l->arena, PARTS_COUNT, sizeof(*kind->parts));
	return kind;
}

static const struct kind *find_kind(struct list *l, const struct pci_ids *ids)
{
	static const struct module_names no_modules;
	static const struct kind unknown = {.name = "", .modules = &no_modules};
	struct kind **bucket = &l->kinds[ids_hash(ids) % KIND_BUCKETS], *kind;

	for (kind = *bucket; kind; kind = kind->next)
		if (ids_is_same(&kind->ids, ids))
			return kind;
	kind = make_kind(l, ids);
	if (!kind)
		return &unknown;
	kind->next = *bucket;
	*bucket = kind;
	return kind;
}

/* Reads what a function is shown with. */
static void list_look(struct list *l, struct listed *item)
{
	struct pci_device *d = item->device;

	if (item->is_read)
		return;
	item->is_read = true;
	inventory_enter(l->world, d->bdf);
	item->override = boot_read_override(l->world, l->arena, &l->stuck, d);
	if (!item->override)
		item->override = "";
	item->resets = read_attribute(l, d, "reset_method");
	item->revision = read_revision(l, d);
	item->is_virtual = l->has_virtual &&
			   inventory_read_pf(l->world, d->bdf, &item->physical) == 0;
	item->virtual_count = d->vf_count;
	item->names = identity_names(&l->identity, d);
	/* Which are the same is asked of every pair, and no member of the JSON output. */
	item->twins = l->is_json ? "" : identity_twins(&l->identity, d);
	item->kind = find_kind(l, &d->ids);
	item->usages = judge_usages(&l->judge, d, &item->usage_count);
}

/* ---- one line per function ---------------------------------------------------------------- */

enum mark {
	MARK_RULE = 1 << 0,
	MARK_KEPT = 1 << 1,
	MARK_DISK = 1 << 2,
	MARK_NETWORK = 1 << 3,
	MARK_DISPLAY = 1 << 4,
	MARK_INPUT = 1 << 5,
	MARK_NODE = 1 << 6,
	MARK_VFIO = 1 << 7,
	MARK_GROUP = 1 << 8,
	MARK_REFUSED = 1 << 9,
};

static const struct {
	enum mark mark;
	struct word_help help; /* its letter, and what --help says of it */
	const char *meaning; /* below the table */
	enum style style;
} marks[] = {
	{MARK_RULE, {"R", "a bind rule names it"}, "has a bind rule", STYLE_GOOD},
	{MARK_KEPT, {"K", "a keep rule names it"}, "has a keep rule", STYLE_GOOD},
	{MARK_DISK, {"D", "a disk of it is in use"}, "disk in use", STYLE_CAREFUL},
	{MARK_NETWORK,
	 {"N", "a network interface of it is in use"},
	 "network in use",
	 STYLE_CAREFUL},
	{MARK_DISPLAY, {"S", "it drives a screen"}, "screen in use", STYLE_CAREFUL},
	{MARK_INPUT,
	 {"I", "a keyboard is connected to it"},
	 "keyboard in use",
	 STYLE_CAREFUL},
	{MARK_NODE, {"P", "a process has it open"}, "open in a process", STYLE_CAREFUL},
	{MARK_VFIO, {"V", "a VM uses it"}, "in use by a VM", STYLE_CAREFUL},
	{MARK_GROUP,
	 {"G", "something in its IOMMU group must stay with the host"},
	 "group blocked",
	 STYLE_BAD},
	{MARK_REFUSED,
	 {"!", "it is refused: \"earlybind explain DEVICE\" says why"},
	 "refused",
	 STYLE_BAD},
};

static enum mark mark_of(enum usage_kind kind)
{
	switch (kind) {
	case USAGE_DISK:
		return MARK_DISK;
	case USAGE_NETWORK:
		return MARK_NETWORK;
	case USAGE_DISPLAY:
		return MARK_DISPLAY;
	case USAGE_INPUT:
		return MARK_INPUT;
	case USAGE_NODE:
		return MARK_NODE;
	case USAGE_VFIO:
		break;
	}
	return MARK_VFIO;
}

/* What the rules and the guards say of a function: by the judgement that all commands have. */
static void mark_by_judgement(struct list *l, struct listed *item)
{
	const struct plan_device *pd = plan_find(&l->next.plan, item->device);
	struct judgement judgement;
	bool is_refused;

	judge_device(&l->judge, item->device, (struct allowance){0}, &judgement);
	/* What only its group brings along is left to the host without a word. */
	if (pd && pd->reason != REASON_HOST_DEVICE)
		item->marks |= pd->action == ACTION_KEEP ? MARK_KEPT : MARK_RULE;
	is_refused =
		judgement.verdict != JUDGED_FINE || (pd && pd->action == ACTION_REFUSE);
	if (is_refused && !(item->marks & MARK_KEPT))
		item->marks |= MARK_REFUSED;
	item->must_stay = is_refused && list_is_blocker(item->device);
}

static void mark_all(struct list *l)
{
	for (size_t i = 0; i < l->inventory.count; i++) {
		struct listed *item = &l->items[i];

		if (item->device->is_bridge)
			continue;
		item->kind = find_kind(l, &item->device->ids);
		item->usages = judge_usages(&l->judge, item->device, &item->usage_count);
		for (size_t k = 0; k < item->usage_count; k++)
			if (item->usages[k].is_in_use)
				item->marks |= mark_of(item->usages[k].kind);
		if (l->has_next)
			mark_by_judgement(l, item);
	}
	for (size_t i = 0; i < l->group_count; i++) {
		const struct list_group *g = &l->groups[i];
		size_t stay_count = 0;

		for (size_t k = g->first; k < g->first + g->count; k++)
			stay_count += l->by_group[k]->must_stay;
		for (size_t k = g->first; g->id != NO_GROUP && k < g->first + g->count;
		     k++)
			if (!l->by_group[k]->device->is_bridge &&
			    stay_count > l->by_group[k]->must_stay)
				l->by_group[k]->marks |= MARK_GROUP;
	}
}

struct table {
	bool is_terminal; /* lines have to fit */
	size_t address, group, driver, marks; /* widths */
	unsigned seen; /* marks */
	size_t bridge_count;
};

#define DRIVER_COLUMNS 14 /* on a terminal; longer names are cut */
#define NAME_MIN       16 /* the columns that a use leaves to the name */

static const char *table_address(const struct table *t, const struct pci_device *d,
				 char buf[static BDF_SIZE])
{
	return t->is_terminal ? device_short_address(d, buf) : bdf_format(d->bdf, buf);
}

static const char *table_group(const struct pci_device *d, char buf[static 16])
{
	snprintf(buf, 16, "%d", d->iommu_group);
	return d->iommu_group == NO_GROUP ? "-" : buf;
}

static const char *table_driver(const struct pci_device *d)
{
	return d->driver[0] ? d->driver : "-";
}

static void measure(struct list *l, struct table *t)
{
	t->is_terminal = isatty(STDOUT_FILENO) != 0;
	t->address = strlen("00:00.0");
	t->group = strlen("GROUP");
	t->driver = strlen("DRIVER");
	t->marks = strlen("MARK");
	for (size_t i = 0; i < l->inventory.count; i++) {
		const struct listed *item = &l->items[i];
		const struct pci_device *d = item->device;
		size_t mark_count = (size_t)__builtin_popcount(item->marks);
		char address[BDF_SIZE], group[16];

		if (d->is_bridge) {
			t->bridge_count++;
			continue;
		}
		t->seen |= item->marks;
		t->address = MAX(t->address, strlen(table_address(t, d, address)));
		t->group = MAX(t->group, strlen(table_group(d, group)));
		t->driver = MAX(t->driver, text_columns(text_of(table_driver(d))));
		t->marks = MAX(t->marks, mark_count);
	}
	if (t->is_terminal)
		t->driver = MIN(t->driver, (size_t)DRIVER_COLUMNS);
}

/* At most @columns of @text, and blanks up to them if @is_padded. A cut is shown. */
static void put_cell(const char *text, size_t columns, bool is_cut, bool is_padded)
{
	const char *dots = terminal_has_unicode() ? "…" : "..";
	size_t dot_columns = terminal_has_unicode() ? 1 : 2;
	struct text rest = text_of(text);
	size_t n = text_columns(rest);

	if (is_cut && n > columns) {
		struct text shown = {rest.p, 0};

		for (size_t k = 0; k + dot_columns < columns; k++) {
			size_t step = MAX(text_safe_length(rest), (size_t)1);

			shown.n += step;
			rest.p += step;
			rest.n -= step;
		}
		put_text(stdout, shown);
		fputs(columns >= dot_columns ? dots : "", stdout);
		return;
	}
	put_text(stdout, rest);
	if (is_padded && n < columns)
		printf("%*s", (int)(columns - n), "");
}

/* "Xilinx" of "Xilinx Corporation", "AMD/ATI" of "Advanced Micro Devices, Inc. [AMD/ATI]". */
static struct text short_vendor(const char *name)
{
	static const char *const legal[] = {"Corporation", "Corp.",   "Corp", "Inc.",
					    "Inc",	   "Limited", "Ltd.", "Ltd",
					    "Co.",	   "Co",      "LLC",  "GmbH"};
	const char *bracket = strrchr(name, '[');
	struct text t = text_of(name);
	bool is_shorter = true;

	if (bracket && t.p[t.n - 1] == ']' && bracket[1] != ']')
		return (struct text){bracket + 1, (size_t)(name + t.n - bracket) - 2};
	while (is_shorter) {
		is_shorter = false;
		for (size_t i = 0; i < ARRAY_SIZE(legal); i++) {
			size_t n = strlen(legal[i]);

			if (t.n <= n + 1 || memcmp(t.p + t.n - n, legal[i], n) != 0 ||
			    (t.p[t.n - n - 1] != ' ' && t.p[t.n - n - 1] != ','))
				continue;
			t.n -= n + 1;
			while (t.n > 1 && (t.p[t.n - 1] == ',' || t.p[t.n - 1] == ' '))
				t.n--;
			is_shorter = true;
		}
	}
	return t;
}

/* The vendor, and the device or at least its class. */
static const char *table_name(struct list *l, const struct table *t,
			      const struct listed *item)
{
	const struct kind *kind = item->kind;
	struct text vendor = text_of(kind->vendor_name ? kind->vendor_name : "");
	const char *device = kind->device_name ? kind->device_name : kind->class;
	const char *text;

	if (t->is_terminal && kind->vendor_name)
		vendor = short_vendor(kind->vendor_name);
	text = arena_printf(l->arena, "%.*s%s%s", (int)vendor.n, vendor.p,
			    vendor.n > 0 && device ? " " : "", device ? device : "");
	return text && text[0] ? text : "-";
}

/* " (eno1)", and where there is room without end " (eno1: up, default route)". */
static const char *table_use(struct list *l, const struct table *t,
			     const struct listed *item)
{
	const char *text = "";

	for (size_t i = 0; i < item->usage_count && text; i++) {
		const struct usage *u = &item->usages[i];

		if (!u->is_in_use)
			continue;
		text = arena_printf(l->arena, "%s%s%s%s%s", text, text[0] ? "; " : " (",
				    u->name, t->is_terminal ? "" : ": ",
				    t->is_terminal ? "" : u->what);
	}
	if (text && text[0])
		text = arena_printf(l->arena, "%s)", text);
	return text ? text : "";
}

static void put_marks(const struct table *t, unsigned set)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		if (!(set & marks[i].mark))
			continue;
		put_style(stdout, marks[i].style);
		fputs(marks[i].help.word, stdout);
		put_style(stdout, STYLE_PLAIN);
		n++;
	}
	if (n == 0)
		putchar('-');
	printf("%*s ", (int)(t->marks - MAX(n, (size_t)1)), "");
}

static void put_row(struct list *l, const struct table *t, const struct listed *item)
{
	const struct pci_device *d = item->device;
	const char *name = table_name(l, t, item), *use = table_use(l, t, item);
	size_t limit = terminal_width(stdout), taken, left;
	char address[BDF_SIZE], group[16];

	put_style(stdout, STYLE_HEAD);
	put_cell(table_address(t, d, address), t->address, false, true);
	put_style(stdout, STYLE_PLAIN);
	printf(" %04x:%04x %*s ", d->ids.vendor, d->ids.device, (int)t->group,
	       table_group(d, group));
	put_cell(table_driver(d), t->driver, t->is_terminal, true);
	putchar(' ');
	put_marks(t, item->marks);
	taken = t->address + strlen(" 0000:0000 ") + t->group + t->driver + t->marks + 3;
	left = limit > taken ? limit - taken : 1;
	if (t->is_terminal && left < NAME_MIN + text_columns(text_of(use)))
		use = "";
	put_cell(name, left - MIN(left, text_columns(text_of(use))), t->is_terminal,
		 false);
	put_text(stdout, text_of(use));
	putchar('\n');
}

/* What the lines above do not say. On a terminal it is wrapped. */
static void put_remark(const struct table *t, const char *text)
{
	if (t->is_terminal) {
		paragraph_line(stdout, 0, "%s", text);
		return;
	}
	put_text(stdout, text_of(text));
	putchar('\n');
}

static void put_remarks(struct list *l, const struct table *t)
{
	char message[REASON_MESSAGE_SIZE];
	const char *text = NULL;

	for (size_t i = 0; t->is_terminal && i < ARRAY_SIZE(marks); i++)
		if (t->seen & marks[i].mark)
			text = arena_printf(l->arena, "%s%s%s %s", text ? text : "",
					    text ? ", " : "", marks[i].help.word,
					    marks[i].meaning);
	if (text)
		put_remark(t, text);
	if (!l->inventory.iommu.is_on && l->inventory.count > 0)
		put_remark(t, reason_message(REASON_IOMMU_OFF,
					     iommu_why_off(&l->inventory.iommu, l->arena),
					     message));
	text = t->bridge_count == 0
		       ? NULL
		       : arena_printf(l->arena,
				      "%zu bridge%s not shown: \"earlybind list -v\" "
				      "shows all, with details",
				      t->bridge_count, plural(t->bridge_count));
	if (text)
		put_remark(t, text);
}

static int list_print_table(struct list *l)
{
	struct table t = {.is_terminal = false};

	plan_next(l);
	mark_all(l);
	measure(l, &t);
	if (t.bridge_count < l->inventory.count) {
		put_style(stdout, STYLE_HEAD);
		printf("%-*s %-9s %*s %-*s %-*s NAME\n", (int)t.address, "ADDRESS", "ID",
		       (int)t.group, "GROUP", (int)t.driver, "DRIVER", (int)t.marks,
		       "MARK");
		put_style(stdout, STYLE_PLAIN);
	}
	for (size_t i = 0; i < l->inventory.count; i++)
		if (!l->items[i].device->is_bridge)
			put_row(l, &t, &l->items[i]);
	put_remarks(l, &t);
	return EXIT_OK;
}

static int by_group(struct list *l)
{
	plan_next(l);
	list_print_groups(l);
	if (l->has_why)
		list_why_put_end(&l->why);
	return EXIT_OK;
}

static int by_topology(struct list *l)
{
	list_print_tree(l);
	return EXIT_OK;
}

static const struct {
	const char *name;
	int (*print)(struct list *l);
} orders[] = {
	{"group", by_group},
	{"topology", by_topology},
	{"rule", list_print_rules},
};

static const char *accel_value(size_t i)
{
	return i == 0 ? "all" : NULL;
}

static const char *by_value(size_t i)
{
	return i < ARRAY_SIZE(orders) ? orders[i].name : NULL;
}

/* What is missing for a whole picture is said, but it is no failure. Once. */
static int open_names(struct list *l)
{
	int r;

	if (l->has_names)
		return 0;
	l->has_names = true;
	r = names_open(l->arena, l->sysroot, l->pci_ids, &l->names);
	if (r < 0 && l->pci_ids) {
		say_error("%s: it cannot be read: %s", l->pci_ids, errno_text(r));
		return r;
	}
	if (r < 0 && !l->is_json)
		say_error(
			"there is no pci.ids, so there are no names: install the package "
			"pci.ids, or name the file with --pci-ids");
	return 0;
}

static int open_sources(struct list *l)
{
	const char *release;
	int r = open_names(l);

	if (r < 0)
		return r;
	r = modules_open(l->world, l->arena, l->sysroot, &release, &l->modules);
	if (r < 0 && !l->is_json)
		say_error("no modules are known for the kernel %s: %s",
			  release[0] ? release : "of this tree", errno_text(r));
	r = usages_read(l->world, l->arena, &l->usages);
	if (r == 0)
		r = holders_read(l->world, l->arena, l->sysroot, &l->holders);
	if (r < 0)
		say_error("out of memory");
	boot_read_stuck(l->world, l->arena, &l->stuck);
	/* Without rules it knows of uses alone. */
	l->judge = (struct judge){
		.arena = l->arena,
		.usages = &l->usages,
		.holders = &l->holders,
		.world = l->world,
	};
	return r;
}

static int read_inventory(struct list *l)
{
	size_t unread;
	int r;

	r = inventory_read(l->world, l->arena, NULL, NULL, &l->inventory);
	if (r < 0) {
		say_no_inventory(r);
		return r;
	}
	if (l->inventory.is_cut)
		say_error("only the first %d functions are shown", FUNCTIONS_MAX);
	unread = l->inventory.function_count - l->inventory.count;
	if (unread > 0)
		say_error("%zu function%s could not be read", unread, plural(unread));
	/* What follows is about one function after the other. */
	l->world->ops->enter(l->world, NULL);
	l->world->ops->enter(l->world, SYSFS_PCI_DEVICES);
	return 0;
}

/* Groups in the order of their numbers, then the functions without one. */
static int compare_groups(const void *a, const void *b)
{
	const struct pci_device *x = (*(struct listed *const *)a)->device;
	const struct pci_device *y = (*(struct listed *const *)b)->device;

	if (x->iommu_group == y->iommu_group)
		return bdf_compare(x->bdf, y->bdf);
	if (x->iommu_group == NO_GROUP || y->iommu_group == NO_GROUP)
		return x->iommu_group == NO_GROUP ? 1 : -1;
	return x->iommu_group < y->iommu_group ? -1 : 1;
}

static int make_groups(struct list *l)
{
	size_t count = l->inventory.count;

	l->items = arena_alloc(l->arena, count, sizeof(*l->items));
	l->by_group = arena_alloc(l->arena, count, sizeof(struct listed *));
	l->groups = arena_alloc(l->arena, count, sizeof(*l->groups));
	if (!l->items || !l->by_group || !l->groups) {
		say_error("out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		l->items[i].device = &l->inventory.devices[i];
		l->by_group[i] = &l->items[i];
		l->has_virtual = l->has_virtual || l->inventory.devices[i].vf_count > 0;
	}
	if (identity_open(l->world, l->arena, &l->inventory, &l->identity) < 0) {
		say_error("out of memory");
		return -ENOMEM;
	}
	if (count > 0)
		qsort(l->by_group, count, sizeof(struct listed *), compare_groups);
	for (size_t i = 0; i < count; i++) {
		const struct pci_device *d = l->by_group[i]->device;
		struct list_group *g;

		if (i == 0 || d->iommu_group != l->by_group[i - 1]->device->iommu_group)
			l->groups[l->group_count++] =
				(struct list_group){.id = d->iommu_group, .first = i};
		g = &l->groups[l->group_count - 1];
		g->count++;
		g->bridge_count += d->is_bridge;
	}
	for (size_t i = 0; i < l->group_count; i++) {
		struct list_group *g = &l->groups[i];

		if (g->id != NO_GROUP &&
		    judge_group_now(&l->inventory, g->id, l->arena, &g->now) < 0) {
			say_error("out of memory");
			return -ENOMEM;
		}
	}
	return 0;
}

/* Shows what has this name. */
static int choose_name(struct list *l, const char *word)
{
	bool has_match = false;

	if (open_names(l) < 0)
		return EXIT_FAILED;
	for (size_t i = 0; i < l->inventory.count; i++)
		if (device_has_name(l->names, &l->inventory.devices[i].ids, text_of(word),
				    l->arena))
			has_match = l->items[i].is_shown = true;
	if (has_match)
		return EXIT_OK;
	say_error("list: no function has the name \"%s\"", word);
	return EXIT_FAILED;
}

/* Shows what a selector names. */
static int choose(struct list *l, const char *word)
{
	struct parse_error error = {0, NULL};
	struct selector selector;
	bool has_match = false;

	if (device_word_parse(text_of(word), &selector, &error) < 0) {
		if (device_word_is_name(text_of(word)))
			return choose_name(l, word);
		say_error("list: \"%s\": %s", word, error.message);
		return EXIT_WRONG_USAGE;
	}
	for (size_t i = 0; i < l->inventory.count; i++) {
		if (!list_has_match(l, &selector, l->items[i].device))
			continue;
		l->items[i].is_shown = true;
		has_match = true;
	}
	if (has_match)
		return EXIT_OK;
	if (l->serial_error)
		say_error("list: no function is known to be %s: a serial number cannot "
			  "be read: %s",
			  word, errno_text(l->serial_error));
	else
		say_error("list: no function is %s", word);
	return EXIT_FAILED;
}

static int choose_all(struct list *l)
{
	int code = EXIT_OK;

	for (size_t i = 0; i < l->words.count; i++) {
		int r = choose(l, l->words.items[i]);

		code = MAX(code, r);
	}
	for (size_t i = 0; l->words.count == 0 && i < l->inventory.count; i++)
		l->items[i].is_shown = true;
	return code;
}

static int list(struct list *l)
{
	int (*print)(struct list * list) =
		l->is_verbose || l->has_why || l->words.count > 0 ? by_group
								  : list_print_table;
	int code, r;

	if (l->by || l->accel)
		print = l->accel ? list_print_accel : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		if (l->by && strcmp(l->by, orders[i].name) == 0)
			print = orders[i].print;
	if (!print) {
		say_error("list: --by is group, topology or rule, not \"%s\"", l->by);
		return EXIT_WRONG_USAGE;
	}
	if (l->accel && (l->by || (l->accel[0] && strcmp(l->accel, "all") != 0))) {
		say_error("list: --accel stands without --by and is --accel or "
			  "--accel=all");
		return EXIT_WRONG_USAGE;
	}
	if (l->has_why && print != by_group) {
		say_error("list: --why is about groups: it stands with --by group");
		return EXIT_WRONG_USAGE;
	}
	if (l->accel && l->accel[0])
		return list_print_accel_groups(l->arena, l->is_json);
	if (open_world(l->sysroot, &l->world) < 0 || read_inventory(l) < 0 ||
	    make_groups(l) < 0)
		return EXIT_FAILED;
	code = choose_all(l);
	if (code == EXIT_WRONG_USAGE)
		return code;
	if (l->accel)
		list_choose_accel(l);
	if ((!l->accel || l->is_json) && open_sources(l) < 0)
		return EXIT_FAILED;
	if (l->has_why &&
	    group_causes_read(l->world, l->arena, &l->inventory, &l->why.causes) < 0) {
		say_error("out of memory");
		return EXIT_FAILED;
	}
	if (!l->is_json && l->inventory.count == 0)
		puts("there are no PCI functions");
	r = l->is_json ? list_print_json(l) : print(l);
	return MAX(code, r);
}

static const char help_text[] =
	"Lists the PCI functions, one line each, without bridges: address, ID, "
	"IOMMU group, driver, marks, name, and what of it is in use. With -v or "
	"a DEVICE: all that is known, by IOMMU group. On a terminal names are "
	"cut to fit. DEVICE is an address, a slot (01:00), vendor:device, a "
	"name (nvidia, \"rtx 4090\"), class=CC, or another selector of "
	"earlybind.conf(5).\n"
	"\n"
	"  --by group     all that is known, by IOMMU group: a VM can use one only\n"
	"                 if it is viable: no driver of the host has a part of it;\n"
	"                 with --why, what merges it and what would split it\n"
	"  --by topology  below their bridges\n"
	"  --by rule      by the rule that names them, then those without one\n"
	"  --accel        only those of the built-in table of accelerators,\n"
	"                 with the groups that a rule can name (accel=GROUP)\n"
	"\n"
	"exit code: 0 done; 1 there is no PCI bus or no such device, or a file "
	"cannot be read; 2 wrong usage\n";

int command_list(int argc, char **argv, struct arena *arena)
{
	static struct list l;
	const struct option_spec options[] = {
		{"accel", "[=all]",
		 "the accelerators that accel= knows; or all its groups",
		 .ret_string = &l.accel, .value = accel_value},
		{"by", "ORDER", "group, topology or rule", .ret_string = &l.by,
		 .value = by_value},
		{"json", NULL, "print JSON for scripts", .ret_flag = &l.is_json},
		{"pci-ids", "FILE", "take the names from FILE", .ret_string = &l.pci_ids},
		{"sysroot", OPTIONS_TREE,
		 "read this folder or recording, not this machine",
		 .ret_string = &l.sysroot},
		{"verbose", NULL, "all about every function, and bridges",
		 .ret_flag = &l.is_verbose, .letter = 'v'},
		{"why", NULL, "what merges each group, and what would split it",
		 .ret_flag = &l.has_why},
	};
	struct word_help words[ARRAY_SIZE(marks) + 1] = {0};
	const struct command_spec spec = {
		.name = "list",
		.synopsis = "[OPTION...] [DEVICE...]",
		.text = help_text,
		.words_head = "marks:",
		.words = words,
		.example = "earlybind list --json | jq '.devices[] | select(.vendor == "
			   "\"10ee\")'",
		.options = options,
		.option_count = ARRAY_SIZE(options),
		.ret_words = &l.words,
	};
	int code;

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		words[i] = marks[i].help;
	l = (struct list){.arena = arena};
	return options_parse(&spec, argc, argv, &code) ? list(&l) : code;
}
