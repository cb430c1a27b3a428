/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "module_tree.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "message.h"
#include "modules.h"
#include "paths.h"
#include "process.h"
#include "reason.h"

#define INDEX_SIZE_MAX ((size_t)16 * 1024 * 1024)

/* What depmod reads beside the modules. An image has no use for the larger two. */
static const struct {
	const char *name;
	bool is_kept;
} lists[] = {
	{"modules.builtin", true},
	{"modules.builtin.modinfo", false},
	{"modules.order", false},
};

static int remove_one(const char *path, const struct stat *st unused, int type unused,
		      struct FTW *ftw unused)
{
	(void)remove(path);
	return 0;
}

/* Writes DIR/usr/lib/modules/VERSION/@name. */
static int lay_out(const char *dir, const char *version, const char *name,
		   struct text bytes, struct arena *arena)
{
	char *path =
		arena_printf(arena, "%s/usr" MODULES_PATH "/%s/%s", dir, version, name);
	int r = path ? folders_make(path, strlen(dir)) : -ENOMEM;

	return r < 0 ? r : file_replace(path, bytes, 0644);
}

static int lay_out_all(const char *dir, const char *from, struct arena *arena,
		       const struct module_tree *tree)
{
	/* Whichever of the two places this depmod was made for. */
	const char *link = arena_printf(arena, "%s/lib", dir);
	int r = link ? 0 : -ENOMEM;

	for (size_t i = 0; i < tree->file_count && r == 0; i++)
		r = lay_out(dir, tree->version, tree->files[i].path, tree->files[i].bytes,
			    arena);
	for (size_t i = 0; i < ARRAY_SIZE(lists) && r == 0; i++) {
		const char *path = arena_printf(arena, "%s/%s", from, lists[i].name);
		struct text bytes;

		r = path ? file_read(path, arena, INDEX_SIZE_MAX, &bytes, NULL) : -ENOMEM;
		if (r == 0)
			r = lay_out(dir, tree->version, lists[i].name, bytes, arena);
		else if (r == -ENOENT)
			r = 0; /* depmod knows best whether it can do without */
	}
	return r == 0 && symlink("usr/lib", link) < 0 ? -errno : r;
}

/* The machine's own depmod.d does not count: an image that was made twice is the same. */
static int run(const char *dir, const char *version)
{
	struct process depmod = {
		.argv = {"depmod", "-b", dir, "-C", NULL_PATH, version},
		.log_fd = -1,
	};
	int r = process_run(&depmod);

	if (r < 0) {
		say_error("depmod cannot be run: %s: install kmod", errno_text(r));
		return r;
	}
	if (depmod.code == 0 && depmod.signal == 0)
		return 0;
	say_error("depmod failed for kernel %s", version);
	return -EIO;
}

/* Of the lists, and of all that depmod wrote, what the image needs. */
static bool is_wanted(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (strcmp(name, lists[i].name) == 0)
			return lists[i].is_kept;
	return strncmp(name, "modules.", strlen("modules.")) == 0;
}

static int read_indexes(const char *folder, struct arena *arena, struct module_tree *tree)
{
	DIR *d = opendir(folder);
	bool has_index = false;
	struct dirent *e;
	int r = d ? 0 : -errno;

	while (d && r == 0 && (e = readdir(d))) {
		struct module_tree_file *f = &tree->files[tree->file_count];
		const char *path;

		if (!is_wanted(e->d_name))
			continue;
		if (tree->file_count == TREE_FILES_MAX) {
			r = -E2BIG;
			break;
		}
		path = arena_printf(arena, "%s/%s", folder, e->d_name);
		f->path = arena_copy(arena, text_of(e->d_name));
		r = path && f->path
			    ? file_read(path, arena, INDEX_SIZE_MAX, &f->bytes, NULL)
			    : -ENOMEM;
		tree->file_count++;
		has_index = has_index || strcmp(e->d_name, "modules.dep.bin") == 0;
	}
	if (d)
		closedir(d);
	if (r == 0 && !has_index) {
		say_error(
			"depmod wrote no modules.dep.bin: the depmod of kmod is needed");
		return -ENOTSUP;
	}
	if (r < 0)
		say_error("kernel %s: what depmod wrote cannot be read: %s",
			  tree->version, errno_text(r));
	return r;
}

static int make_indexes(const char *temporary, const char *dir, struct arena *arena,
			struct module_tree *tree,
			int (*prove)(const char *dir, struct arena *arena,
				     const struct module_tree *tree))
{
	const char *folder = arena_printf(arena, "%s/usr" MODULES_PATH "/%s", temporary,
					  tree->version);
	int r = folder ? lay_out_all(temporary, dir, arena, tree) : -ENOMEM;

	if (r < 0) {
		say_error("%s: the modules cannot be written there: %s", temporary,
			  errno_text(r));
		return r;
	}
	r = run(temporary, tree->version);
	if (r == 0)
		r = read_indexes(folder, arena, tree);
	return r == 0 ? prove(folder, arena, tree) : r;
}

/*
 * Lays the modules of @tree out in a folder of their own, with those lists of @dir, the
 * kernel's folder, that depmod reads; runs it; has @prove look at the outcome; and adds the
 * indexes to the files of @tree. Says what is wrong; -errno then, or what @prove gave, which
 * says it itself. The folder is gone afterwards.
 */
static int depmod_run(const char *dir, struct arena *arena, struct module_tree *tree,
		      int (*prove)(const char *dir, struct arena *arena,
				   const struct module_tree *tree))
{
	const char *base = getenv("TMPDIR");
	char *temporary = arena_printf(arena, "%s/earlybind.XXXXXX",
				       base && *base ? base : TEMPORARY_PATH);
	int r;

	if (!temporary || !mkdtemp(temporary)) {
		r = temporary ? -errno : -ENOMEM;
		say_error("no temporary folder can be made: %s", errno_text(r));
		return r;
	}
	r = make_indexes(temporary, dir, arena, tree, prove);
	(void)nftw(temporary, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return r;
}

#define MODULE_SIZE_MAX ((size_t)64 * 1024 * 1024)
#define VERSION_MAX	128

struct maker {
	struct modules *modules;
	const char *dir; /* of the kernel's modules */
	struct arena *arena;
	struct module_tree *tree;
};

/*
 * depmod succeeds whatever becomes of a module: one that it could not read (it was built
 * without zstd, say) is in the index without its dependencies.
 */
static int prove(const char *dir, struct arena *arena, const struct module_tree *tree)
{
	struct modules *modules;
	size_t count = 0;
	int r = modules_open_dir(dir, arena, &modules);

	for (size_t i = 0; i < tree->wanted.count && r == 0; i++) {
		struct module_found found;

		r = modules_look_up(modules, tree->wanted.items[i], &found);
		if (r == 0 && found.file_count > 0)
			count += found.file_count - 1;
	}
	modules_close(modules);
	if (r == 0 && count == tree->dependency_count)
		return 0;
	say_error(
		"kernel %s: depmod found %zu dependencies and not %zu: can it read these "
		"modules?",
		tree->version, count, tree->dependency_count);
	return -EBADMSG;
}

bool module_tree_is_version(const char *version)
{
	return version[0] != '\0' && version[0] != '.' && !strchr(version, '/') &&
	       strlen(version) < VERSION_MAX;
}

/* A module's file; one that is there already is passed over. */
static int add_file(const struct maker *m, const struct module_file *file)
{
	struct module_tree *tree = m->tree;
	struct module_tree_file *f = &tree->files[tree->file_count];
	const char *path;
	int r;

	if (file->path[0] == '/' || file->path[0] == '\0') {
		say_error("%s: module %s lies elsewhere: %s", m->dir, file->name,
			  file->path[0] ? file->path : "nowhere");
		return -EXDEV;
	}
	for (size_t i = 0; i < tree->module_count; i++)
		if (strcmp(tree->names[i], file->name) == 0)
			return 0;
	if (tree->module_count == TREE_MODULES_MAX) {
		say_error("%s: vfio-pci needs more than %d modules", m->dir,
			  TREE_MODULES_MAX);
		return -E2BIG;
	}
	path = arena_printf(m->arena, "%s/%s", m->dir, file->path);
	if (!path) {
		say_error("out of memory");
		return -ENOMEM;
	}
	r = file_read(path, m->arena, MODULE_SIZE_MAX, &f->bytes, NULL);
	if (r < 0) {
		say_error("%s: it cannot be read: %s", path, errno_text(r));
		return -EIO; /* not -ENOENT: the kernel does have it */
	}
	f->path = file->path;
	tree->names[tree->module_count++] = file->name;
	tree->file_count++;
	return 0;
}

/* The module and, before it, what it depends on, in the order of modules.dep. */
static int add_module(const struct maker *m, const char *name)
{
	struct module_found found;
	int r = modules_look_up(m->modules, name, &found);

	if (r < 0)
		return -EIO;
	if (found.place == MODULE_NOWHERE)
		return -ENOENT;
	if (found.file_count > 0)
		m->tree->dependency_count += found.file_count - 1;
	for (size_t i = 0; i < found.file_count && r == 0; i++)
		r = add_file(m, &found.files[i]);
	return r;
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct module_tree_file *)a)->path,
		      ((const struct module_tree_file *)b)->path);
}

int module_tree_make(const char *sysroot, const char *version,
		     const struct strings *names, struct arena *arena,
		     struct module_tree *ret)
{
	const char *dir = arena_printf(arena, "%s" MODULES_PATH "/%s",
				       sysroot ? sysroot : "", version);
	struct maker maker = {.dir = dir, .arena = arena, .tree = ret};
	int r;

	*ret = (struct module_tree){.version = version, .wanted = *names};
	r = dir ? modules_open_dir(dir, arena, &maker.modules) : -ENOMEM;
	if (r == -ENOMEM)
		say_error("out of memory");
	if (r < 0)
		return r == -ENOMEM || r == -EIO ? r : -ENODATA;
	r = add_module(&maker, names->items[0]);
	for (size_t i = 1; i < names->count && r == 0; i++) {
		r = add_module(&maker, names->items[i]);
		/*
		 * A kernel that was configured for IOMMUFD alone does without vfio_iommu_type1;
		 * of the others the report of the boot says that they are missing.
		 */
		r = r == -ENOENT ? 0 : r;
	}
	modules_close(maker.modules);
	if (r == 0 && ret->module_count > 0 && depmod_run(dir, arena, ret, prove) < 0)
		r = -EIO;
	qsort(ret->files, ret->file_count, sizeof(*ret->files), compare_files);
	return r;
}
