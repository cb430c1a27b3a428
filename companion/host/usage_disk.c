/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks: what is mounted, swap and what the machine resumes from are led down to the
 * functions, through the layers of usage_block.h.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_cmdline.h"
#include "compiler.h"
#include "text.h"
#include "usage.h"
#include "usage_parts.h"

struct edge {
	struct block *to;
	bool is_loop; /* a file on it: led on to by what is critical only */
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
	bool has_resume;
};

/* What is mounted, of which some are in files again. */
struct mount {
	struct text point; /* as mountinfo has it: blanks as \\040 */
	struct text root; /* the part of the file system that is mounted there */
	struct text type;
	struct block *block; /* NULL where there is none that is known */
	struct mount *next;
};

struct disks {
	struct collector *c;
	struct block *items; /* sorted by name */
	size_t count;
	size_t visits;
	bool has_disk, is_remote; /* what the last use came to */
	struct mount *mounts; /* in the order of mountinfo */
};

#define BLOCK	      "block"
#define BTRFS_PATH    "fs/btrfs"
#define BCACHEFS_PATH "fs/bcachefs"

static int compare_blocks(const void *a, const void *b)
{
	return strcmp(((const struct block *)a)->name, ((const struct block *)b)->name);
}

/* By its name, by "/dev/sda1" or "/dev/mapper/vg-root", by "259:1"; NULL if there is none. */
static struct block *blocks_find_name(const struct disks *d, const char *name)
{
	const struct block key = {.name = name};

	return d->count ? bsearch(&key, d->items, d->count, sizeof(key), compare_blocks)
			: NULL;
}

/* @from is lost with @to. Either may be NULL. */
static void blocks_add_edge(struct disks *d, struct block *from, struct block *to)
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

/* Reads all block devices, and what each is made of. */
static void blocks_read(struct disks *d)
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
static struct block *blocks_find_source(const struct disks *d, struct text source)
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

static struct block *blocks_find_number(const struct disks *d, struct text number)
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

/* By a source, or as in root= and resume=: "UUID=...", "259:1" and the like; or NULL. */
static struct block *blocks_find_spec(struct disks *d, struct text spec)
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

/* Whether its data come over the network: iSCSI, NVMe over Fabrics, nbd, rbd. */
static bool block_is_remote(struct disks *d, const struct block *b)
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

#define SHOWN_MAX 4 /* mount points of one disk, and of the critical ones */
#define DEPTH_MAX 32

/* What a block device is used for. */
struct use {
	const char *mount; /* a mount point, or NULL */
	const char *holder; /* a device that it is a part of, or NULL */
	bool is_critical;
	bool is_resume; /* hibernation */
};

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
	else if (use->is_resume)
		disk->has_resume = true;
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
	if (b->owners.count > 0 && !b->disk) {
		note_use(d, b, use);
		d->has_disk = true;
	}
	if (use->is_critical && !b->below)
		d->is_remote |= block_is_remote(d, b);
	for (const struct edge *e = b->below; e; e = e->next)
		if (!e->is_loop || use->is_critical)
			visit(d, e->to, use, depth + 1);
}

/* Whether it came to a disk of a function. */
static bool use_block(struct disks *d, struct block *b, const struct use *use)
{
	d->has_disk = d->is_remote = false;
	if (!b)
		return false;
	d->visits++;
	visit(d, b, use, 0);
	return d->has_disk;
}

/* What a machine does not go on without. */
static bool is_critical_mount(struct text t)
{
	static const char *const exact[] = {"/",    "/boot", "/efi",	"/etc",
					    "/usr", "/var",  "/sysroot"};

	for (size_t i = 0; i < ARRAY_SIZE(exact); i++)
		if (text_is(t, exact[i]))
			return true;
	return text_has_prefix(t, "/boot/");
}

/* Documentation/filesystems/proc.rst, 3.5: ID PARENT MAJOR:MINOR ROOT POINT ... - TYPE SOURCE */
static bool parse_mountinfo(struct disks *d, struct text line, struct mount *ret)
{
	struct text word, number = {"", 0}, source = {"", 0};
	size_t n = 0;

	*ret = (struct mount){0};
	while (text_word(&line, &word) && !text_is(word, "-")) {
		if (n == 2)
			number = word;
		if (n == 3)
			ret->root = word;
		if (n == 4)
			ret->point = word;
		n++;
	}
	if (n < 5)
		return false;
	ret->block = blocks_find_number(d, number);
	(void)text_word(&line, &ret->type);
	/* btrfs and bcachefs have numbers of their own, and the latter several sources. */
	if (!ret->block && text_word(&line, &source)) {
		struct text first = source;

		if (text_is(ret->type, "bcachefs"))
			(void)text_cut(&source, ':', &first);
		ret->block = blocks_find_source(d, first);
	}
	return true;
}

static void read_mounts(struct disks *d)
{
	struct text rest = usage_proc_file(d->c, "self/mountinfo"), line, source;
	struct mount **end = &d->mounts;
	bool is_old = rest.n == 0;

	if (is_old)
		rest = usage_proc_file(d->c, "mounts");
	while (text_cut(&rest, '\n', &line)) {
		struct mount mount = {.root = TEXT("/")};

		if (!is_old && !parse_mountinfo(d, line, &mount))
			continue;
		if (is_old) {
			if (!text_word(&line, &source) || !text_word(&line, &mount.point))
				continue;
			(void)text_word(&line, &mount.type);
			mount.block = blocks_find_source(d, source);
		}
		*end = arena_alloc(d->c->arena, 1, sizeof(**end));
		if (!*end) {
			d->c->is_full = true;
			return;
		}
		**end = mount;
		end = &(*end)->next;
	}
}

/* The mount that a path is on; of several on one point the last one. */
static struct block *find_path(const struct disks *d, struct text path)
{
	const struct mount *best = NULL;

	for (const struct mount *m = d->mounts; m; m = m->next) {
		size_t n = m->point.n;

		if (n == 0 || n > path.n || memcmp(path.p, m->point.p, n) != 0)
			continue;
		if ((n == 1 || n == path.n || path.p[n] == '/') &&
		    (!best || n >= best->point.n))
			best = m;
	}
	return best ? best->block : NULL;
}

/* drivers/block/loop.c: loop_attr_backing_file_show() */
static void read_loops(struct disks *d)
{
	char path[USAGE_PATH_SIZE], buf[USAGE_PATH_SIZE];
	struct text file;

	for (size_t i = 0; i < d->count; i++) {
		struct block *b = &d->items[i];

		if (strncmp(b->name, "loop", 4) != 0 || b->disk)
			continue;
		snprintf(path, sizeof(path), "class/block/%s/loop/backing_file", b->name);
		if (world_read_text(d->c->world, WORLD_SYS, path, buf, sizeof(buf),
				    &file) < 0)
			continue;
		blocks_add_edge(d, b, find_path(d, file));
		if (b->below)
			b->below->is_loop = true;
	}
}

static bool is_one_of(struct text t, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (text_is(t, list[i]))
			return true;
	return false;
}

/*
 * Whether this is the root of the machine: not a folder of another one (a chroot that is
 * mounted onto itself), as the part that is mounted tells. A btrfs has subvolumes, OSTree a
 * folder per version.
 */
static bool is_whole(const struct mount *m)
{
	static const char *const parted[] = {"btrfs", "bcachefs"};

	return text_is(m->root, "/") || text_has_prefix(m->root, "/ostree/") ||
	       is_one_of(m->type, parted, ARRAY_SIZE(parted));
}

/* What the root file system tells of the machine: @disks of it were found. */
static void note_root(struct disks *d, const struct mount *m, bool has_disk)
{
	static const char *const remote[] = {"nfs", "nfs4", "cifs", "smb3", "ceph"};
	static const char *const other[] = {"zfs", "9p", "virtiofs"};
	enum usage_root root = ROOT_UNKNOWN;

	if (!text_is(m->point, "/") && !text_is(m->point, "/sysroot"))
		return;
	if (m->block && !is_whole(m))
		root = ROOT_UNKNOWN;
	else if (has_disk)
		root = ROOT_DISK;
	else if (d->is_remote || is_one_of(m->type, remote, ARRAY_SIZE(remote)))
		root = ROOT_NETWORK;
	else if (m->block || is_one_of(m->type, other, ARRAY_SIZE(other)))
		root = ROOT_OTHER;
	if (root > d->c->root)
		d->c->root = root;
}

static void use_mounts(struct disks *d)
{
	for (const struct mount *m = d->mounts; m; m = m->next) {
		struct use use = {.is_critical = is_critical_mount(m->point)};

		use.mount = arena_copy(d->c->arena, m->point);
		d->c->is_full = d->c->is_full || !use.mount;
		note_root(d, m, use.mount && use_block(d, m->block, &use));
	}
}

/* Swap in a file is lost with the file system that it is on. */
static void read_swaps(struct disks *d)
{
	struct text rest = usage_proc_file(d->c, "swaps"), line, source, type;
	const struct use use = {.is_critical = true};

	while (text_cut(&rest, '\n', &line)) {
		if (!text_word(&line, &source) || !text_word(&line, &type))
			continue;
		if (text_is(type, "partition"))
			(void)use_block(d, blocks_find_source(d, source), &use);
		else if (text_is(type, "file"))
			(void)use_block(d, find_path(d, source), &use);
	}
}

/* initramfs-tools(7), RESUME; "auto" and "none" are no devices. */
static void read_resume_file(struct disks *d, const struct use *use)
{
	char buf[1024];
	int n = d->c->world->ops->read(d->c->world, WORLD_ETC,
				       "initramfs-tools/conf.d/resume", buf, sizeof(buf));
	struct text rest = {buf, n > 0 ? (size_t)n : 0}, line, value;

	while (text_cut(&rest, '\n', &line)) {
		value = text_trim(line);
		if (!text_has_prefix(value, "RESUME="))
			continue;
		value.p += sizeof("RESUME=") - 1;
		value.n -= sizeof("RESUME=") - 1;
		(void)use_block(d, blocks_find_spec(d, value), use);
	}
}

/* What the machine wakes up from: kernel/power/hibernate.c */
static void read_resume(struct disks *d)
{
	const struct use use = {.is_critical = true, .is_resume = true};
	struct text rest = usage_proc_file(d->c, "cmdline"), t;
	struct cmdline_arg arg;
	char buf[64];

	while (cmdline_next(&rest, &arg))
		if (text_is(arg.name, "resume") && arg.value.p)
			(void)use_block(d, blocks_find_spec(d, arg.value), &use);
	read_resume_file(d, &use);
	if (world_read_text(d->c->world, WORLD_SYS, "power/resume", buf, sizeof(buf),
			    &t) == 0)
		(void)use_block(d, blocks_find_number(d, t), &use);
}

static void read_holders(struct disks *d)
{
	for (size_t i = 0; i < d->count; i++) {
		struct block *b = &d->items[i];
		const struct use use = {.holder = b->map[0] ? b->map : b->name};

		/* A name of multipath is that of a namespace, not of something on it. */
		if (b->owners.count == 0 && b->below && !b->below->to->head)
			(void)use_block(d, b, &use);
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
	/* Mostly it is the swap. */
	if (b->has_resume && !b->has_swap)
		text = usage_join(d->c, text, ", ", "hibernation");
	if (text[0] == '\0' && b->holders.text)
		text = usage_join(d->c, "part of", " ", b->holders.text);
	return text[0] ? text : "not mounted";
}

void usage_read_disks(struct collector *c)
{
	struct disks d = {.c = c};

	blocks_read(&d);
	read_mounts(&d);
	read_loops(&d);
	use_mounts(&d);
	read_swaps(&d);
	read_resume(&d);
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
						       b->has_resume || b->holders.text,
					  .is_critical = b->critical.text ||
							 b->has_swap || b->has_resume,
				  });
	}
}
