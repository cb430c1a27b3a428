/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "usage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "usage_parts.h"

static int add_name(void *arg, const char *name)
{
	struct name_list *list = arg;
	size_t skip = strlen(list->prefix);

	if (strncmp(name, list->prefix, skip) != 0)
		return 0;
	if (list->count == list->max) {
		size_t max = list->max > 0 ? 2 * list->max : 16;
		const char **items = arena_alloc(list->arena, max, sizeof(*items));

		if (!items) {
			list->is_full = true;
			return 1;
		}
		if (list->count > 0)
			memcpy(items, list->items, list->count * sizeof(*items));
		list->items = items;
		list->max = max;
	}
	list->items[list->count] = arena_copy(list->arena, text_of(name + skip));
	list->is_full = !list->items[list->count];
	list->count += !list->is_full;
	return list->is_full;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int usage_list(struct collector *c, const char *path, const char *prefix,
	       struct name_list *ret)
{
	*ret = (struct name_list){.prefix = prefix, .arena = c->arena};
	(void)c->world->ops->list(c->world, WORLD_SYS, path, add_name, ret);
	if (ret->count > 0)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare_names);
	c->is_full = c->is_full || ret->is_full;
	return ret->is_full ? -ENOMEM : 0;
}

static void add_owner(struct owners *owners, struct bdf bdf)
{
	if (owners->count < OWNERS_MAX)
		owners->items[owners->count++] = bdf;
}

/* "pci10000:e0": a host bridge, of the machine or made by a driver. */
static bool is_host_bridge(struct text t)
{
	return text_has_prefix(t, "pci") && memchr(t.p, ':', t.n);
}

void usage_owners(struct collector *c, const char *class, const char *name,
		  struct owners *ret, char ret_parent[static USAGE_PATH_SIZE])
{
	char path[USAGE_PATH_SIZE], target[USAGE_PATH_SIZE];
	struct text rest, part;
	bool has_bdf = false;
	struct bdf bdf, last = {0};
	char *slash;

	*ret = (struct owners){0};
	ret_parent[0] = '\0';
	snprintf(path, sizeof(path), "class/%s/%s", class, name);
	if (c->world->ops->target(c->world, WORLD_SYS, path, target, sizeof(target)) < 0)
		return;
	rest = text_of(target);
	while (text_cut(&rest, '/', &part)) {
		if (bdf_parse(part, &bdf) == 0) {
			last = bdf;
			has_bdf = true;
		} else if (has_bdf && is_host_bridge(part)) {
			add_owner(ret, last);
		}
	}
	if (has_bdf)
		add_owner(ret, last);
	slash = strrchr(target, '/');
	if (!slash)
		return;
	*slash = '\0';
	slash = strrchr(target, '/');
	strcpy(ret_parent, slash ? slash + 1 : target);
}

const char *usage_attribute(struct collector *c, const char *class, const char *name,
			    const char *attribute)
{
	char path[USAGE_PATH_SIZE], buf[128];
	const char *copy;
	struct text t;

	snprintf(path, sizeof(path), "class/%s/%s/%s", class, name, attribute);
	if (world_read_text(c->world, WORLD_SYS, path, buf, sizeof(buf), &t) < 0)
		return "";
	copy = arena_copy(c->arena, t);
	c->is_full = c->is_full || !copy;
	return copy ? copy : "";
}

struct text usage_proc_file(struct collector *c, const char *path)
{
	char *buf = arena_alloc(c->arena, USAGE_FILE_MAX, 1);
	int n;

	if (!buf) {
		c->is_full = true;
		return (struct text){"", 0};
	}
	n = c->world->ops->read(c->world, WORLD_PROC, path, buf, USAGE_FILE_MAX);
	/* Of one that is larger, what fits: / comes first. */
	if (n == -E2BIG)
		n = USAGE_FILE_MAX;
	/* What was not filled was never touched, and is given back. */
	c->arena->used = (size_t)(buf - c->arena->base) + (size_t)(n > 0 ? n : 0);
	return (struct text){buf, (size_t)(n > 0 ? n : 0)};
}

const char *usage_join(struct collector *c, const char *one, const char *separator,
		       const char *more)
{
	const char *text;

	if (!one || one[0] == '\0')
		return more ? more : "";
	if (!more || more[0] == '\0')
		return one;
	text = arena_printf(c->arena, "%s%s%s", one, separator, more);
	c->is_full = c->is_full || !text;
	return text ? text : one;
}

void usage_add(struct collector *c, const struct owners *owners,
	       const struct usage *usage)
{
	for (size_t i = 0; i < owners->count; i++) {
		struct usage_item *item = arena_alloc(c->arena, 1, sizeof(*item));

		if (!item) {
			c->is_full = true;
			return;
		}
		item->usage = *usage;
		item->usage.bdf = owners->items[i];
		item->next = c->first;
		c->first = item;
		c->count++;
	}
}

static int compare_usages(const void *a, const void *b)
{
	const struct usage *x = a, *y = b;
	int order = bdf_compare(x->bdf, y->bdf);

	if (order == 0)
		order = (int)x->kind - (int)y->kind;
	return order ? order : strcmp(x->name, y->name);
}

int usages_read(struct world *world, struct arena *arena, struct usages *ret)
{
	struct collector c = {.world = world, .arena = arena};
	struct usages usages = {0};
	char byte;

	usage_read_disks(&c);
	usage_read_networks(&c);
	usage_read_displays(&c);
	usage_read_inputs(&c);
	usages.items = arena_alloc(arena, c.count, sizeof(*usages.items));
	if (c.is_full || !usages.items)
		return -ENOMEM;
	for (const struct usage_item *item = c.first; item; item = item->next)
		usages.items[usages.count++] = item->usage;
	if (usages.count > 0)
		qsort(usages.items, usages.count, sizeof(*usages.items), compare_usages);
	/* systemd: container-interface; podman and its like. */
	usages.root = c.root;
	if (world->ops->read(world, WORLD_RUN, "systemd/container", &byte, 1) !=
		    -ENOENT ||
	    world->ops->read(world, WORLD_RUN, ".containerenv", &byte, 1) != -ENOENT)
		usages.root = ROOT_UNKNOWN;
	*ret = usages;
	return 0;
}

const struct usage *usages_find(const struct usages *usages, struct bdf bdf,
				size_t *ret_count)
{
	size_t low = 0, high = usages->count, count = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bdf_compare(usages->items[middle].bdf, bdf) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + count < usages->count &&
	       bdf_compare(usages->items[low + count].bdf, bdf) == 0)
		count++;
	*ret_count = count;
	return count > 0 ? &usages->items[low] : NULL;
}
