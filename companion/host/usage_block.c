/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "usage_block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK	      "block"
#define BTRFS_PATH    "fs/btrfs"
#define BCACHEFS_PATH "fs/bcachefs"

static int compare_blocks(const void *a, const void *b)
{
	return strcmp(((const struct block *)a)->name, ((const struct block *)b)->name);
}

struct block *blocks_find_name(const struct disks *d, const char *name)
{
	const struct block key = {.name = name};

	return d->count ? bsearch(&key, d->items, d->count, sizeof(key), compare_blocks)
			: NULL;
}

void blocks_add_edge(struct disks *d, struct block *from, struct block *to)
{
	struct edge *edge;

	if (!from || !to)
		return;
	edge = arena_alloc(d->c->arena, 1, sizeof(*edge));
	if (!edge) {
		d->c->is_full = true;
		return;
	}
	*edge = (struct edge){.to = to, .next = from->below};
	from->below = edge;
}

/*
 * "nvme0c1n1" is a path of "nvme0n1" (drivers/nvme/host/multipath.c:
 * nvme_mpath_set_disk_name()). NULL if @b is none.
 */
static struct block *find_head(const struct disks *d, const struct block *b)
{
	unsigned subsystem, controller, space;
	char head[64];
	int end = 0;

	if (sscanf(b->name, "nvme%9uc%9un%9u%n", &subsystem, &controller, &space, &end) !=
		    3 ||
	    b->name[end] != '\0')
		return NULL;
	snprintf(head, sizeof(head), "nvme%un%u", subsystem, space);
	return blocks_find_name(d, head);
}

static void read_slaves(struct disks *d, struct block *b)
{
	char path[USAGE_PATH_SIZE];
	struct name_list slaves;

	snprintf(path, sizeof(path), "class/" BLOCK "/%s/slaves", b->name);
	if (usage_list(d->c, path, "", &slaves) < 0)
		return;
	for (size_t i = 0; i < slaves.count; i++)
		blocks_add_edge(d, b, blocks_find_name(d, slaves.items[i]));
}

/* bcache: its slave is the backing device (drivers/md/bcache/super.c: bcache_cache_set_alloc()). */
static void read_caches(struct disks *d, struct block *b)
{
	char path[USAGE_PATH_SIZE], target[USAGE_PATH_SIZE];
	struct name_list caches;

	if (strncmp(b->name, "bcache", 6) != 0)
		return;
	snprintf(path, sizeof(path), "class/" BLOCK "/%s/bcache/cache", b->name);
	if (usage_list(d->c, path, "cache", &caches) < 0)
		return;
	for (size_t i = 0; i < caches.count; i++) {
		char *slash;

		/* "cache0" leads to the folder bcache in that of the device. */
		snprintf(path, sizeof(path), "class/" BLOCK "/%s/bcache/cache/cache%s",
			 b->name, caches.items[i]);
		if (d->c->world->ops->target(d->c->world, WORLD_SYS, path, target,
					     sizeof(target)) < 0)
			continue;
		slash = strrchr(target, '/');
		if (!slash)
			continue;
		*slash = '\0';
		slash = strrchr(target, '/');
		blocks_add_edge(d, b, blocks_find_name(d, slash ? slash + 1 : target));
	}
}

/* fs/bcachefs/super.c: bch2_dev_sysfs_online() makes the link "block". */
static struct block *find_member(struct disks *d, const char *system, const char *member)
{
	char path[USAGE_PATH_SIZE], name[USAGE_PATH_SIZE];

	snprintf(path, sizeof(path), BCACHEFS_PATH "/%s/dev-%s/block", system, member);
	if (d->c->world->ops->link(d->c->world, WORLD_SYS, path, name, sizeof(name)) < 0)
		return NULL;
	return blocks_find_name(d, name);
}

static void join_bcachefs(struct disks *d)
{
	struct name_list systems, members;
	char path[USAGE_PATH_SIZE];

	if (usage_list(d->c, BCACHEFS_PATH, "", &systems) < 0)
		return;
	for (size_t i = 0; i < systems.count; i++) {
		snprintf(path, sizeof(path), BCACHEFS_PATH "/%s", systems.items[i]);
		if (usage_list(d->c, path, "dev-", &members) < 0)
			return;
		for (size_t k = 0; members.count > 1 && k < members.count; k++)
			blocks_add_edge(
				d, find_member(d, systems.items[i], members.items[k]),
				find_member(d, systems.items[i],
					    members.items[(k + 1) % members.count]));
	}
}

/* Which of the devices of a btrfs is named as its source is chance: they become a ring. */
static void join_btrfs(struct disks *d)
{
	struct name_list systems, members;
	char path[USAGE_PATH_SIZE];

	if (usage_list(d->c, BTRFS_PATH, "", &systems) < 0)
		return;
	for (size_t i = 0; i < systems.count; i++) {
		snprintf(path, sizeof(path), BTRFS_PATH "/%s/devices", systems.items[i]);
		if (usage_list(d->c, path, "", &members) < 0)
			return;
		for (size_t k = 0; members.count > 1 && k < members.count; k++)
			blocks_add_edge(
				d, blocks_find_name(d, members.items[k]),
				blocks_find_name(d,
						 members.items[(k + 1) % members.count]));
	}
}

void blocks_read(struct disks *d)
{
	char parent[USAGE_PATH_SIZE];
	struct name_list names;

	if (usage_list(d->c, "class/" BLOCK, "", &names) < 0)
		return;
	d->items = arena_alloc(d->c->arena, names.count, sizeof(*d->items));
	if (!d->items) {
		d->c->is_full = true;
		return;
	}
	for (size_t i = 0; i < names.count; i++)
		d->items[i].name = names.items[i];
	d->count = names.count;
	for (size_t i = 0; i < d->count; i++) {
		struct block *b = &d->items[i];

		usage_owners(d->c, BLOCK, b->name, &b->owners, parent);
		b->number = usage_attribute(d->c, BLOCK, b->name, "dev");
		b->map = b->owners.count == 0
				 ? usage_attribute(d->c, BLOCK, b->name, "dm/name")
				 : "";
		b->disk = blocks_find_name(d, parent);
		blocks_add_edge(d, b, b->disk);
		b->head = find_head(d, b);
		blocks_add_edge(d, b->head, b);
		if (!b->disk) {
			read_slaves(d, b);
			read_caches(d, b);
		}
	}
	join_btrfs(d);
	join_bcachefs(d);
}

/* The block device of "/dev/sda1" or "/dev/mapper/vg-root", or NULL. */
struct block *blocks_find_source(const struct disks *d, struct text source)
{
	bool is_map = text_has_prefix(source, "/dev/mapper/");
	size_t skip = is_map ? sizeof("/dev/mapper/") - 1 : sizeof("/dev/") - 1;

	if (!text_has_prefix(source, "/dev/"))
		return NULL;
	source.p += skip;
	source.n -= skip;
	if (source.n == 0)
		return NULL;
	for (size_t i = 0; i < d->count; i++)
		if (text_is(source, is_map ? d->items[i].map : d->items[i].name))
			return &d->items[i];
	return NULL;
}

struct block *blocks_find_number(const struct disks *d, struct text number)
{
	for (size_t i = 0; i < d->count; i++)
		if (text_is(number, d->items[i].number))
			return &d->items[i];
	return NULL;
}

/* "UUID=x" is a link in /dev/disk/by-uuid. */
static const struct {
	const char *tag, *folder;
} tags[] = {
	{"UUID=", "disk/by-uuid/"},
	{"LABEL=", "disk/by-label/"},
	{"PARTUUID=", "disk/by-partuuid/"},
	{"PARTLABEL=", "disk/by-partlabel/"},
	{"/dev/", ""},
};

struct block *blocks_find_spec(struct disks *d, struct text spec)
{
	struct block *found;

	if (spec.n > 1 && spec.p[0] == '"' && spec.p[spec.n - 1] == '"')
		spec = (struct text){spec.p + 1, spec.n - 2};
	found = blocks_find_source(d, spec);
	if (!found && spec.n > 0)
		found = blocks_find_number(d, spec);
	for (size_t i = 0; i < ARRAY_SIZE(tags) && !found; i++) {
		size_t skip = strlen(tags[i].tag);
		char path[USAGE_PATH_SIZE], name[USAGE_PATH_SIZE];

		if (!text_has_prefix(spec, tags[i].tag) || spec.n > sizeof(path) / 2)
			continue;
		snprintf(path, sizeof(path), "%s%.*s", tags[i].folder,
			 (int)(spec.n - skip), spec.p + skip);
		if (d->c->world->ops->link(d->c->world, WORLD_DEV, path, name,
					   sizeof(name)) > 0)
			found = blocks_find_name(d, name);
	}
	return found;
}

bool block_is_remote(struct disks *d, const struct block *b)
{
	/* drivers/scsi/scsi_transport_iscsi.c, drivers/nvme/host/fabrics.c, drivers/block */
	static const char *const marks[] = {"/session", "/nvme-fabrics/", "/block/nbd",
					    "/rbd/", "/block/drbd"};
	char path[USAGE_PATH_SIZE], target[USAGE_PATH_SIZE];

	snprintf(path, sizeof(path), "class/" BLOCK "/%s", b->name);
	if (b->owners.count > 0 || d->c->world->ops->target(d->c->world, WORLD_SYS, path,
							    target, sizeof(target)) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (strstr(target, marks[i]))
			return true;
	return false;
}
