/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind list: the PCI functions, what has them, and what the host needs them for. */
#include "list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "message.h"
#include "command_output.h"
#include "reason.h"
#include "terminal.h"

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
