/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host_use.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy.h"

#define CLASS_BLOCK "class/block"
#define CLASS_NET   "class/net"
#define PLACE_SIZE  320 /* a class, a name of at most 255 bytes, a file */
#define FILES_SIZE  ((size_t)1024 * 1024)
#define IFF_UP_BIT  1 /* include/uapi/linux/if.h */

struct search {
	struct world *world;
	struct arena *arena;
	struct inventory *inventory;
	struct text mounts, swaps; /* p NULL: cannot be read */
	const char *head; /* of an NVMe namespace, while its parts are looked at */
	const char *found; /* such a part that is in use, and how */
};

/* The function that a link of a class leads to; NULL for none that has a driver of its own. */
static struct pci_device *owner_of(struct search *s, const char *class, const char *name)
{
	char path[PLACE_SIZE], target[LINK_SIZE];
	struct text rest = {target, 0}, part;
	struct pci_device *owner = NULL;
	struct bdf bdf;
	int n;

	snprintf(path, sizeof(path), "%s/%s", class, name);
	n = s->world->ops->target(s->world, WORLD_SYS, path, target, sizeof(target));
	if (n < 0)
		return NULL;
	rest.n = (size_t)n;
	while (text_cut(&rest, '/', &part))
		if (bdf_parse(part, &bdf) == 0)
			owner = inventory_find(s->inventory, bdf);
	return owner && owner->driver[0] != '\0' && !owner->is_bridge ? owner : NULL;
}

static void mark(struct search *s, struct pci_device *d, unsigned use, const char *name,
		 const char *how)
{
	if (d->uses & use)
		return;
	d->uses |= use;
	d->used_by[use == ALLOW_NETWORK] = arena_printf(s->arena, "%s %s", name, how);
}

static int see_interface(void *arg, const char *name)
{
	struct search *s = arg;
	struct pci_device *d = owner_of(s, CLASS_NET, name);
	char path[PLACE_SIZE], buf[32];
	struct text text;
	uint64_t flags;

	if (!d)
		return 0;
	snprintf(path, sizeof(path), CLASS_NET "/%s/flags", name);
	if (world_read_text(s->world, WORLD_SYS, path, buf, sizeof(buf), &text) < 0 ||
	    !text_has_prefix(text, "0x") ||
	    text_hex((struct text){text.p + 2, text.n - 2}, UINT32_MAX, &flags) < 0 ||
	    (flags & IFF_UP_BIT))
		mark(s, d, ALLOW_NETWORK, name, "is up");
	return 0;
}

static bool is_node(struct text word, const char *name)
{
	const char *dev = world_root_path(WORLD_DEV);
	size_t n = strlen(dev) + 1;

	return text_has_prefix(word, dev) && word.n > n && word.p[n - 1] == '/' &&
	       text_is((struct text){word.p + n, word.n - n}, name);
}

/* By number, or by the source: that of btrfs is no block device's number. */
static bool is_mounted(const struct search *s, const char *name, struct text number)
{
	struct text mounts = s->mounts, line, word;

	while (text_cut(&mounts, '\n', &line)) {
		for (int i = 0; i < 3 && text_word(&line, &word); i++)
			if (i == 2 && number.n > 0 && text_is_same(word, number))
				return true;
		while (text_word(&line, &word) && !text_is(word, "-"))
			;
		/* The file system's type, then its source. */
		(void)text_word(&line, &word);
		if (text_word(&line, &word) && is_node(word, name))
			return true;
	}
	return false;
}

static bool is_swap(const struct search *s, const char *name)
{
	struct text swaps = s->swaps, line, word;

	while (text_cut(&swaps, '\n', &line))
		if (text_word(&line, &word) && is_node(word, name))
			return true;
	return false;
}

/* How the block device is used; NULL: it is not. */
static const char *use_of(const struct search *s, const char *name)
{
	char path[PLACE_SIZE], buf[32];
	struct text number = {NULL, 0};
	int r;

	if (!s->mounts.p || !s->swaps.p)
		return "may be mounted";
	snprintf(path, sizeof(path), CLASS_BLOCK "/%s/dev", name);
	/* A hidden one has no number. */
	r = world_read_text(s->world, WORLD_SYS, path, buf, sizeof(buf), &number);
	if (r < 0 && r != -ENOENT)
		return "may be mounted";
	if (is_mounted(s, name, number))
		return "is mounted";
	if (is_swap(s, name))
		return "is swap space";
	snprintf(path, sizeof(path), CLASS_BLOCK "/%s/holders", name);
	if (world_has_entry(s->world, WORLD_SYS, path) > 0)
		return "is a part of another device";
	return NULL;
}

static int see_part_of_head(void *arg, const char *name)
{
	struct search *s = arg;
	size_t n = strlen(s->head);
	const char *how;

	if (strncmp(name, s->head, n) != 0 || (name[n] != '\0' && name[n] != 'p'))
		return 0;
	how = use_of(s, name);
	s->found = how ? arena_printf(s->arena, "%s %s", name, how) : NULL;
	return s->found != NULL;
}

/*
 * "nvme0c1n1" is a hidden path of "nvme0n1", which is below no PCI function
 * (drivers/nvme/host/multipath.c: nvme_mpath_set_disk_name()).
 */
static void see_path(struct search *s, struct pci_device *d, const char *name)
{
	struct text subsystem, controller, space = text_of(name);
	uint64_t number;
	char head[64];

	if (!text_has_prefix(space, "nvme") || !text_cut(&space, 'c', &subsystem) ||
	    !text_cut(&space, 'n', &controller) ||
	    text_decimal(controller, UINT32_MAX, &number) < 0 ||
	    text_decimal(space, UINT32_MAX, &number) < 0)
		return;
	snprintf(head, sizeof(head), "%.*sn%.*s", (int)subsystem.n, subsystem.p,
		 (int)space.n, space.p);
	s->head = head;
	s->found = NULL;
	(void)s->world->ops->list(s->world, WORLD_SYS, CLASS_BLOCK, see_part_of_head, s);
	if (s->found)
		mark(s, d, ALLOW_STORAGE, s->found, "through it");
}

static int see_block(void *arg, const char *name)
{
	struct search *s = arg;
	struct pci_device *d = owner_of(s, CLASS_BLOCK, name);
	const char *how;

	if (!d || (d->uses & ALLOW_STORAGE))
		return 0;
	how = use_of(s, name);
	if (how)
		mark(s, d, ALLOW_STORAGE, name, how);
	else
		see_path(s, d, name);
	return 0;
}

/* No such file: nothing of that kind. */
static struct text read_table(struct search *s, const char *name)
{
	char *buf = arena_alloc(s->arena, FILES_SIZE, 1);
	int n = buf ? s->world->ops->read(s->world, WORLD_PROC, name, buf, FILES_SIZE)
		    : -ENOMEM;

	if (n == -ENOENT)
		return (struct text){"", 0};
	return (struct text){n < 0 ? NULL : buf, n < 0 ? 0 : (size_t)n};
}

void in_use_read(struct world *world, struct arena *arena, struct inventory *inventory)
{
	struct search s = {.world = world, .arena = arena, .inventory = inventory};
	bool has_driver = false;

	for (size_t i = 0; i < inventory->count; i++) {
		const struct pci_device *d = &inventory->devices[i];

		has_driver = has_driver || (d->driver[0] != '\0' && !d->is_bridge);
	}
	if (!has_driver)
		return;
	s.mounts = read_table(&s, "self/mountinfo");
	s.swaps = read_table(&s, "swaps");
	/* A kernel without disks or network has no such class. */
	(void)world->ops->list(world, WORLD_SYS, CLASS_NET, see_interface, &s);
	(void)world->ops->list(world, WORLD_SYS, CLASS_BLOCK, see_block, &s);
}
