/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks: what is mounted, swap and what the machine resumes from are led down to the
 * functions, through the layers of usage_block.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_cmdline.h"
#include "text.h"
#include "usage_block.h"
#include "usage_parts.h"

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
