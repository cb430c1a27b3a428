/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "holders.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "arena.h"
#include "bdf.h"
#include "compiler.h"
#include "driver.h"
#include "files.h"
#include "inventory.h"
#include "paths.h"
#include "world.h"

/* ---- vfio's nodes ----------------------------------------------------------------------- */

struct first {
	struct arena *arena;
	const char *name;
};

static int take_first(void *arg, const char *name)
{
	struct first *f = arg;

	if (strncmp(name, "vfio", 4) != 0)
		return 0;
	f->name = arena_copy(f->arena, text_of(name));
	return 1;
}

const char *vfio_device_node(struct world *world, struct arena *arena, struct bdf bdf)
{
	char path[JOB_PATH_SIZE], address[BDF_SIZE];
	struct first first = {.arena = arena};

	snprintf(path, sizeof(path), SYSFS_PCI_DEVICES "/%s/vfio-dev",
		 bdf_format(bdf, address));
	(void)world->ops->list(world, WORLD_SYS, path, take_first, &first);
	return first.name ? arena_printf(arena, VFIO_PATH "/devices/%s", first.name)
			  : NULL;
}

bool vfio_has_node(const char *sysroot, struct arena *arena, const char *path,
		   struct stat *ret)
{
	const char *file = path_below(arena, sysroot, path);

	return file && stat(file, ret) == 0;
}

bool vfio_is_iommufd_alone(const char *sysroot, struct arena *arena)
{
	struct stat st;

	return vfio_has_node(sysroot, arena, IOMMUFD_PATH, &st) &&
	       !vfio_has_node(sysroot, arena, VFIO_PATH "/vfio", &st);
}

/* ---- who has a node open ---------------------------------------------------------------- */

#define NODES_MAX 64
#define DEPTH_MAX 8 /* of folders below a function */
#define FILE_MAX  4096

/* What every process has open, and is nobody's device. */
static const char *const dull[] = {"/dev/null", "/dev/zero",   "/dev/pts/",   "/dev/tty",
				   "/dev/shm/", "/dev/random", "/dev/urandom"};

struct reader {
	struct world *world;
	struct holders *holders;
	const char *pid;
	const char *command; /* NULL: not read yet */
	int error;
};

static bool is_dull(const char *node)
{
	for (size_t i = 0; i < ARRAY_SIZE(dull); i++)
		if (strncmp(node, dull[i], strlen(dull[i])) == 0)
			return true;
	return strncmp(node, DEV_PREFIX, sizeof(DEV_PREFIX) - 1) != 0;
}

static const char *read_command(struct reader *r)
{
	struct arena *arena = r->holders->arena;
	char path[64], buf[64];
	struct text t = {"?", 1};

	snprintf(path, sizeof(path), "%s/comm", r->pid);
	(void)!world_read_text(r->world, WORLD_PROC, path, buf, sizeof(buf), &t);
	return arena_copy(arena, t);
}

/*
 * The function that the node is below, by the link that sysfs has for its number: so the folder of no
 * other function need be walked through. In a tree of files nodes have no numbers.
 */
static void find_owner(const struct reader *r, struct holder *holder)
{
	struct text rest, part;
	char path[64], target[LINK_SIZE];
	struct stat st;
	struct bdf bdf;
	int n;

	if (r->holders->sysroot || stat(holder->node, &st) < 0)
		return;
	holder->has_owner = OWNER_NONE;
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return;
	snprintf(path, sizeof(path), "dev/%s/%u:%u",
		 S_ISBLK(st.st_mode) ? "block" : "char", major(st.st_rdev),
		 minor(st.st_rdev));
	n = r->world->ops->target(r->world, WORLD_SYS, path, target, sizeof(target));
	if (n < 0 && n != -ENOENT)
		holder->has_owner = OWNER_UNKNOWN;
	rest = (struct text){target, n > 0 ? (size_t)n : 0};
	while (text_cut(&rest, '/', &part))
		if (bdf_parse(part, &bdf) == 0) {
			holder->has_owner = OWNER_FUNCTION;
			holder->owner = bdf;
		}
}

static int add_descriptor(void *arg, const char *name)
{
	struct reader *r = arg;
	struct holders *h = r->holders;
	char path[64], node[PATH_MAX];
	struct holder *holder;
	uint64_t pid;

	snprintf(path, sizeof(path), "%s/fd/%s", r->pid, name);
	if (r->world->ops->target(r->world, WORLD_PROC, path, node, sizeof(node)) < 0)
		return 0;
	if (is_dull(node) || text_decimal(text_of(r->pid), UINT32_MAX, &pid) < 0)
		return 0;
	if (!r->command)
		r->command = read_command(r);
	holder = arena_alloc(h->arena, 1, sizeof(*holder));
	if (holder)
		*holder = (struct holder){.pid = (unsigned)pid,
					  .command = r->command,
					  .node = arena_copy(h->arena, text_of(node)),
					  .next = h->first};
	if (!holder || !holder->command || !holder->node)
		return r->error = -ENOMEM;
	find_owner(r, holder);
	h->first = holder;
	return 0;
}

static int add_process(void *arg, const char *name)
{
	struct reader *r = arg;
	char path[64];
	uint64_t pid;

	if (text_decimal(text_of(name), UINT32_MAX, &pid) < 0)
		return 0;
	r->pid = name;
	r->command = NULL;
	snprintf(path, sizeof(path), "%s/fd", name);
	(void)r->world->ops->list(r->world, WORLD_PROC, path, add_descriptor, r);
	return r->error;
}

int holders_read(struct world *world, struct arena *arena, const char *sysroot,
		 struct holders *ret)
{
	struct reader reader = {.world = world, .holders = ret};

	*ret = (struct holders){.sysroot = sysroot, .arena = arena};
	(void)world->ops->list(world, WORLD_PROC, ".", add_process, &reader);
	return reader.error;
}

struct nodes {
	const char *items[NODES_MAX];
	size_t count;
	struct arena *arena;
};

static void add_node(struct nodes *nodes, const char *format, const char *name)
{
	const char *node = nodes->count < NODES_MAX
				   ? arena_printf(nodes->arena, "%s%s", format, name)
				   : NULL;

	if (node)
		nodes->items[nodes->count++] = node;
}

/* "DEVNAME=dri/card0" of a uevent file. */
static void add_devname(struct nodes *nodes, const char *path)
{
	static const char key[] = "DEVNAME=";
	struct text bytes, line;

	if (file_read(path, nodes->arena, FILE_MAX, &bytes, NULL) < 0)
		return;
	while (text_cut(&bytes, '\n', &line)) {
		const char *name;

		if (!text_has_prefix(line, key))
			continue;
		name = arena_copy(nodes->arena, (struct text){line.p + sizeof(key) - 1,
							      line.n - sizeof(key) + 1});
		if (name)
			add_node(nodes, DEV_PREFIX, name);
	}
}

/* All folders below @path but those of other functions; links are not followed. */
static void add_nodes_below(struct nodes *nodes, const char *path, unsigned depth)
{
	DIR *stream = depth < DEPTH_MAX ? opendir(path) : NULL;
	const struct dirent *entry;

	while (stream && (entry = readdir(stream))) {
		char below[PATH_MAX];
		struct bdf bdf;
		int n;

		if (entry->d_name[0] == '.' ||
		    bdf_parse(text_of(entry->d_name), &bdf) == 0)
			continue;
		n = snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		if (n < 0 || (size_t)n >= sizeof(below))
			continue;
		if (entry->d_type == DT_DIR)
			add_nodes_below(nodes, below, depth + 1);
		else if (depth > 0 && strcmp(entry->d_name, "uevent") == 0)
			add_devname(nodes, below);
	}
	if (stream)
		closedir(stream);
}

/* @node, or all numbered ones if it ends in '*': "/dev/nvidia*" is not /dev/nvidiactl. */
static bool is_node(const char *name, const char *node)
{
	size_t n = strlen(node);

	if (node[n - 1] != '*')
		return strcmp(name, node) == 0;
	return strncmp(name, node, n - 1) == 0 && name[n - 1] >= '0' &&
	       name[n - 1] <= '9';
}

/* Whether an open node may be below the function. */
static bool may_have_node(const struct holders *h, struct bdf bdf)
{
	for (const struct holder *holder = h->first; holder; holder = holder->next)
		if (holder->has_owner == OWNER_UNKNOWN ||
		    (holder->has_owner == OWNER_FUNCTION &&
		     bdf_compare(holder->owner, bdf) == 0))
			return true;
	return false;
}

size_t holders_find(const struct holders *h, const struct pci_device *d,
		    const struct holder **ret, size_t max)
{
	struct nodes nodes = {.arena = h->arena};
	char path[PATH_MAX], address[BDF_SIZE], group[16];
	size_t count = 0;

	snprintf(path, sizeof(path), "%s" SYS_PCI_DEVICES_PATH "/%s",
		 h->sysroot ? h->sysroot : "", bdf_format(d->bdf, address));
	if (may_have_node(h, d->bdf))
		add_nodes_below(&nodes, path, 0);
	snprintf(group, sizeof(group), "%d", d->iommu_group);
	if (driver_is_vfio(d->driver) && d->iommu_group != NO_GROUP)
		add_node(&nodes, VFIO_GROUP_PREFIX, group);
	if (strcmp(d->driver, "nvidia") == 0)
		add_node(&nodes, NVIDIA_NODES, "");
	for (const struct holder *holder = h->first; holder; holder = holder->next) {
		bool is_one = false;

		for (size_t i = 0; i < nodes.count; i++)
			is_one = is_one || is_node(holder->node, nodes.items[i]);
		for (size_t i = 0; i < MIN(count, max); i++)
			is_one = is_one && ret[i]->pid != holder->pid;
		if (!is_one)
			continue;
		if (count < max)
			ret[count] = holder;
		count++;
	}
	return count;
}

#define NODES_TOLD 4

const struct usage *holders_find_usages(const struct holders *h,
					const struct usages *usages,
					const struct pci_device *d, size_t *ret_count)
{
	const struct holder *list[NODES_TOLD];
	const struct usage *known = usages_find(usages, d->bdf, ret_count);
	size_t count = h->first ? holders_find(h, d, list, NODES_TOLD) : 0;
	struct usage *all;

	count = MIN(count, (size_t)NODES_TOLD);
	if (count == 0)
		return known;
	all = arena_alloc(h->arena, *ret_count + count, sizeof(*all));
	if (!all)
		return known;
	if (*ret_count > 0)
		memcpy(all, known, *ret_count * sizeof(*all));
	for (size_t i = 0; i < count; i++) {
		const char *what = arena_printf(h->arena, "open in %s (pid %u)",
						list[i]->command, list[i]->pid);

		all[*ret_count + i] = (struct usage){
			.bdf = d->bdf,
			.kind = driver_is_vfio(d->driver) ? USAGE_VFIO : USAGE_NODE,
			.name = list[i]->node,
			.what = what ? what : "open",
			.is_in_use = true,
		};
	}
	*ret_count += count;
	return all;
}
