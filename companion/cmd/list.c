/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a function is shown with. */
#include "list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "facts.h"
#include "group.h"
#include "hotplug.h"
#include "message.h"
#include "plan.h"
#include "reason.h"

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

/*
 * Without one the kernel shows "(null)" (drivers/pci/pci-sysfs.c: driver_override_show()). Before
 * 7.0 it takes the device's lock, which a driver that hangs in its remove() has for ever.
 */
static const char *read_override(struct list *l, const struct pci_device *d)
{
	const char *text = late_find(l->world, d->bdf, &d->ids) == LATE_STUCK
				   ? ""
				   : read_attribute(l, d, "driver_override");

	return strcmp(text, "(null)") == 0 ? "" : text;
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

static bool read_physical(struct list *l, const struct pci_device *d, struct bdf *ret)
{
	char path[JOB_PATH_SIZE], address[BDF_SIZE];

	return l->world->ops->link(l->world, WORLD_SYS,
				   inventory_attribute(d->bdf, "physfn", path), address,
				   sizeof(address)) >= 0 &&
	       bdf_parse(text_of(address), ret) == 0;
}

bool list_has_match(struct list *l, const struct selector *selector, struct pci_device *d)
{
	unsigned open;

	while ((open = selector_open_facts(selector, d)) != 0) {
		int r = identity_learn(&l->identity, d, open);

		if (r < 0)
			l->serial_error = r;
	}
	return selector_has_match(selector, d);
}

bool list_is_blocker(const struct pci_device *d)
{
	return d->driver[0] != '\0' && !driver_is_group_friendly(d->driver);
}

/* Without any names there are just the numbers. */
static const char *join_names(struct list *l, unsigned vendor, const char *device,
			      unsigned number)
{
	const char *name = names_vendor(l->names, vendor, l->arena), *text;

	if (!l->names)
		text = arena_printf(l->arena, "[%04x:%04x]", vendor, number);
	else
		text = arena_printf(l->arena, "%s%s%s [%04x:%04x]", name ? name : "",
				    name ? " " : "", name && device ? device : "Device",
				    vendor, number);
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

void list_look(struct list *l, struct listed *item)
{
	struct pci_device *d = item->device;

	if (item->is_read)
		return;
	item->is_read = true;
	inventory_enter(l->world, d->bdf);
	item->override = read_override(l, d);
	item->resets = read_attribute(l, d, "reset_method");
	item->revision = read_revision(l, d);
	item->is_virtual = l->has_virtual && read_physical(l, d, &item->physical);
	item->virtual_count = d->vf_count;
	item->names = identity_names(&l->identity, d);
	item->twins = identity_twins(&l->identity, d);
	item->kind = find_kind(l, &d->ids);
	item->usages = usages_find(&l->usages, d->bdf, &item->usage_count);
}

static int by_group(struct list *l)
{
	list_print_groups(l);
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

/* What is missing for a whole picture is said, but it is no failure. */
static int open_sources(struct list *l)
{
	const char *release;
	int r;

	r = names_open(l->arena, l->sysroot, l->pci_ids, &l->names);
	if (r < 0 && l->pci_ids) {
		say_error("%s: it cannot be read: %s", l->pci_ids, errno_text(r));
		return r;
	}
	if (r < 0 && !l->is_json)
		say_error(
			"there is no pci.ids, so there are no names: install the package "
			"pci.ids, or name the file with --pci-ids");
	r = modules_open(l->world, l->arena, l->sysroot, &release, &l->modules);
	if (r < 0 && !l->is_json)
		say_error("no modules are known for the kernel %s: %s",
			  release[0] ? release : "of this tree", errno_text(r));
	r = usages_read(l->world, l->arena, &l->usages);
	if (r < 0)
		say_error("out of memory");
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
		g->blocker_count += list_is_blocker(d);
	}
	return 0;
}

/* Shows what a selector names. */
static int choose(struct list *l, const char *word)
{
	struct parse_error error = {0, NULL};
	struct selector selector;
	bool has_match = false;

	if (selector_parse(text_of(word), &selector, &error) < 0) {
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
	int (*print)(struct list * list) = l->accel ? list_print_accel
					   : l->by  ? NULL
						    : by_group;
	int code, r;

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
	if (terminal_set_color(l->color) < 0) {
		say_error("list: --color is auto, always or never, not \"%s\"", l->color);
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
	if (!l->is_json && l->inventory.count == 0)
		puts("there are no PCI functions");
	r = l->is_json ? list_print_json(l) : print(l);
	return MAX(code, r);
}

int command_list(int argc, char **argv, struct arena *arena)
{
	static struct list l;
	const struct option_spec options[] = {
		{"accel", "[=all]",
		 "the accelerators that accel= knows; or all its groups",
		 .ret_string = &l.accel},
		{"by", "ORDER", "group (as without it), topology or rule",
		 .ret_string = &l.by},
		{"color", "WHEN", "auto (on a terminal), always or never",
		 .ret_string = &l.color},
		{"json", NULL, "print JSON for scripts", .ret_flag = &l.is_json},
		{"pci-ids", "FILE", "take the names from FILE", .ret_string = &l.pci_ids},
		{"sysroot", "DIR", "read the tree below DIR, not this machine",
		 .ret_string = &l.sysroot},
	};
	const struct command_spec spec = {
		.name = "list",
		.synopsis = "[OPTION...] [DEVICE...]",
		.text = "Lists the PCI functions, or those that a DEVICE names: an address, "
			"vendor:device, class=CC, or another selector of earlybind.conf(5). Each "
			"with its class, name and [vendor:device], its subsystem, the driver "
			"that has it, its driver_override, the modules that could drive it, how "
			"it can be reset, what the host uses it for, the path and the serial "
			"number that name it, too, and which other cards have its ID.\n"
			"\n"
			"  --by group     by IOMMU group: a VM can use one only if it is viable,\n"
			"                 so that no driver of the host has a part of it\n"
			"  --by topology  below their bridges\n"
			"  --by rule      by the rule that names them, then those without one\n"
			"  --accel        only those of the built-in table of accelerators,\n"
			"                 with the groups that a rule can name (accel=GROUP)\n"
			"\n"
			"Colours are for a terminal, unless NO_COLOR is set or TERM is dumb.\n"
			"\n"
			"exit code: 0 done; 1 there is no PCI bus or no such device, or a file "
			"cannot be read; 2 wrong usage\n",
		.example = "earlybind list --json | jq '.devices[] | select(.vendor == "
			   "\"10ee\")'",
		.options = options,
		.option_count = ARRAY_SIZE(options),
		.ret_words = &l.words,
	};
	int code;

	l = (struct list){.arena = arena};
	return options_parse(&spec, argc, argv, &code) ? list(&l) : code;
}
