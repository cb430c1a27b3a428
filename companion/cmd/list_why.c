/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list_why.h"

#include <stdio.h>

#include "driver.h"
#include "message.h"

#define WHY_INDENT 4

int list_why_read(struct world *world, struct arena *arena,
		  const struct inventory *inventory, struct list_why *ret)
{
	return group_causes_read(world, arena, inventory, &ret->causes);
}

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

void list_why_put(const struct list_why *why, int group)
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

void list_why_put_end(const struct list_why *why)
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

void list_why_write(const struct list_why *why, int group, struct json *json)
{
	json_put_string(json, "why", find_why(why, group));
}

void list_why_write_computed(const struct list_why *why, struct json *json)
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
