/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks: what is mounted is led down to the functions, through partitions, device mapper, md,
 * NVMe multipath and the other devices of a btrfs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "usage_parts.h"

#define BLOCK	   "block"
#define SHOWN_MAX  4 /* mount points of one disk, and of the critical ones */
#define DEPTH_MAX  32
#define BTRFS_PATH "fs/btrfs"

struct edge {
	struct block *to;
	struct edge *next;
};

/* Some names of many. */
struct mention {
	const char *text; /* NULL: none */
	size_t shown, more;
};

struct block {
	const char *name;
	const char *number; /* "259:1" */
	const char *map; /* its name in /dev/mapper, or "" */
	struct owners owners;
	struct block *disk; /* of a partition */
	struct block *head; /* of a path of an NVMe namespace: what is mounted */
	struct edge *below; /* what it is made of */
	size_t visit; /* the last use that came here */

	/* Of a disk: */
	struct mention critical, others; /* mount points */
	struct mention holders; /* what it is a part of */
	bool has_swap;
};

struct disks {
	struct collector *c;
	struct block *items; /* sorted by name */
	size_t count;
	size_t visits;
};

/* What a block device is used for. */
struct use {
	const char *mount; /* a mount point, or NULL */
	const char *holder; /* a device that it is a part of, or NULL */
	bool is_critical;
};

static int compare_blocks(const void *a, const void *b)
{
	return strcmp(((const struct block *)a)->name, ((const struct block *)b)->name);
}

static struct block *find_name(const struct disks *d, const char *name)
{
	const struct block key = {.name = name};

	return d->count ? bsearch(&key, d->items, d->count, sizeof(key), compare_blocks)
			: NULL;
}

static void add_edge(struct disks *d, struct block *from, struct block *to)
{
	struct edge *edge;

	if (!from || !to)
		return;
	edge = arena_alloc(d->c->arena, 1, sizeof(*edge));
	if (!edge) {
		d->c->is_full = true;
		return;
	}
	*edge = (struct edge){to, from->below};
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
	return find_name(d, head);
}

static void read_slaves(struct disks *d, struct block *b)
{
	char path[USAGE_PATH_SIZE];
	struct name_list slaves;

	snprintf(path, sizeof(path), "class/" BLOCK "/%s/slaves", b->name);
	if (usage_list(d->c, path, "", &slaves) < 0)
		return;
	for (size_t i = 0; i < slaves.count; i++)
		add_edge(d, b, find_name(d, slaves.items[i]));
}

static void read_blocks(struct disks *d)
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
		b->disk = find_name(d, parent);
		add_edge(d, b, b->disk);
		b->head = find_head(d, b);
		add_edge(d, b->head, b);
		if (!b->disk)
			read_slaves(d, b);
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
			add_edge(d, find_name(d, members.items[k]),
				 find_name(d, members.items[(k + 1) % members.count]));
	}
}

static void add_mention(struct disks *d, struct mention *m, const char *name)
{
	if (m->shown == SHOWN_MAX) {
		m->more++;
		return;
	}
	m->text = m->text ? usage_join(d->c, m->text, ", ", name) : name;
	m->shown++;
}

static void note_use(struct disks *d, struct block *disk, const struct use *use)
{
	if (use->holder)
		add_mention(d, &disk->holders, use->holder);
	else if (!use->mount)
		disk->has_swap = true;
	else
		add_mention(d, use->is_critical ? &disk->critical : &disk->others,
			    use->mount);
}

/* Leads a use down to the disks. */
static void visit(struct disks *d, struct block *b, const struct use *use, int depth)
{
	if (b->visit == d->visits || depth > DEPTH_MAX)
		return;
	b->visit = d->visits;
	if (b->owners.count > 0 && !b->disk)
		note_use(d, b, use);
	for (const struct edge *e = b->below; e; e = e->next)
		visit(d, e->to, use, depth + 1);
}

static void use_block(struct disks *d, struct block *b, const struct use *use)
{
	if (!b)
		return;
	d->visits++;
	visit(d, b, use, 0);
}

/* The block device of "/dev/sda1" or "/dev/mapper/vg-root", or NULL. */
static struct block *find_source(const struct disks *d, struct text source)
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

static struct block *find_number(const struct disks *d, struct text number)
{
	for (size_t i = 0; i < d->count; i++)
		if (text_is(number, d->items[i].number))
			return &d->items[i];
	return NULL;
}

/* What a machine does not go on without. */
static bool is_critical_mount(struct text t)
{
	static const char *const exact[] = {"/", "/boot", "/efi", "/etc", "/usr", "/var"};

	for (size_t i = 0; i < ARRAY_SIZE(exact); i++)
		if (text_is(t, exact[i]))
			return true;
	return text_has_prefix(t, "/boot/");
}

static void use_mount(struct disks *d, struct block *b, struct text point)
{
	struct use use = {.is_critical = is_critical_mount(point)};

	if (!b)
		return;
	use.mount = arena_copy(d->c->arena, point);
	if (use.mount)
		use_block(d, b, &use);
	else
		d->c->is_full = true;
}

/* Documentation/filesystems/proc.rst, 3.5: ID PARENT MAJOR:MINOR ROOT POINT ... - TYPE SOURCE */
static void use_mountinfo_line(struct disks *d, struct text line)
{
	struct text word, number = {"", 0}, point = {"", 0};
	struct block *b;
	size_t n = 0;

	while (text_word(&line, &word) && !text_is(word, "-")) {
		if (n == 2)
			number = word;
		if (n == 4)
			point = word;
		n++;
	}
	if (n < 5)
		return;
	b = find_number(d, number);
	/* btrfs has numbers of its own. */
	if (!b && text_word(&line, &word) && text_word(&line, &word))
		b = find_source(d, word);
	use_mount(d, b, point);
}

static void read_mounts(struct disks *d)
{
	struct text rest = usage_proc_file(d->c, "self/mountinfo"), line, source, point;
	bool is_old = rest.n == 0;

	if (is_old)
		rest = usage_proc_file(d->c, "mounts");
	while (text_cut(&rest, '\n', &line)) {
		if (!is_old)
			use_mountinfo_line(d, line);
		else if (text_word(&line, &source) && text_word(&line, &point))
			use_mount(d, find_source(d, source), point);
	}
}

/* Swap in a file is part of a file system that is mounted. */
static void read_swaps(struct disks *d)
{
	struct text rest = usage_proc_file(d->c, "swaps"), line, source, type;
	const struct use use = {.is_critical = true};

	while (text_cut(&rest, '\n', &line))
		if (text_word(&line, &source) && text_word(&line, &type) &&
		    text_is(type, "partition"))
			use_block(d, find_source(d, source), &use);
}

static void read_holders(struct disks *d)
{
	for (size_t i = 0; i < d->count; i++) {
		struct block *b = &d->items[i];
		const struct use use = {.holder = b->map[0] ? b->map : b->name};

		/* A name of multipath is that of a namespace, not of something on it. */
		if (b->owners.count == 0 && b->below && !b->below->to->head)
			use_block(d, b, &use);
	}
}

static const char *describe_disk(struct disks *d, const struct block *b)
{
	size_t more_count = b->critical.more + b->others.more;
	const char *text = usage_join(d->c, b->critical.text, ", ", b->others.text);
	char more[64];

	if (text[0]) {
		snprintf(more, sizeof(more), "and %zu more", more_count);
		text = usage_join(d->c, "mounted on", " ", text);
		text = usage_join(d->c, text, " ", more_count > 0 ? more : "");
	}
	text = usage_join(d->c, text, ", ", b->has_swap ? "swap" : "");
	if (text[0] == '\0' && b->holders.text)
		text = usage_join(d->c, "part of", " ", b->holders.text);
	return text[0] ? text : "not mounted";
}

void usage_read_disks(struct collector *c)
{
	struct disks d = {.c = c};

	read_blocks(&d);
	join_btrfs(&d);
	read_mounts(&d);
	read_swaps(&d);
	read_holders(&d);
	for (size_t i = 0; i < d.count && !c->is_full; i++) {
		const struct block *b = &d.items[i];

		if (b->owners.count > 0 && !b->disk)
			usage_add(c, &b->owners,
				  &(struct usage){
					  .kind = USAGE_DISK,
					  .name = b->head ? b->head->name : b->name,
					  .what = describe_disk(&d, b),
					  .is_in_use = b->critical.text ||
						       b->others.text || b->has_swap ||
						       b->holders.text,
					  .is_critical = b->critical.text || b->has_swap,
				  });
	}
}
