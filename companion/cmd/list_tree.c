/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions as they hang together: below their bridges. */
#include <stdio.h>
#include <string.h>

#include "list.h"
#include "message.h"
#include "terminal.h"

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
			puts(root[0] ? root : "PCI");
			put_style(stdout, STYLE_PLAIN);
		}
		put_node(p, n, "", 0, !next || strcmp(next->root, root) != 0);
	}
}

void list_print_tree(struct list *l)
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
