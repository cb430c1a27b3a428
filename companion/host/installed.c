/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "installed.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "files.h"
#include "module_tree.h"
#include "paths.h"
#include "text.h"

#define SHORT_FILE_MAX 256

struct search {
	const char *sysroot;
	struct arena *arena;
	const char *machine; /* its ID, or "" */
	struct installed *found;
};

/* A file with one short line; "" if there is none. */
static const char *read_line(const struct search *s, const char *path)
{
	const char *file = path_below(s->arena, s->sysroot, path), *line = NULL;
	struct text text;

	if (!file || file_read(file, s->arena, SHORT_FILE_MAX, &text, NULL) < 0)
		return "";
	text = text_trim(text);
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] <= ' ' || text.p[i] == '/')
			return "";
	line = arena_copy(s->arena, text);
	return line ? line : "";
}

static bool is_file(const struct search *s, const char *path, struct stat *ret)
{
	const char *file = path ? path_below(s->arena, s->sysroot, path) : NULL;

	return file && stat(file, ret) == 0 && S_ISREG(ret->st_mode);
}

static void add(struct search *s, const char *kernel, const char *path,
		const char *package)
{
	struct installed *f = s->found;

	if (f->count == INSTALLED_MAX) {
		f->is_cut = true;
		return;
	}
	f->items[f->count++] = (struct installed_image){
		.kernel = kernel,
		.path = path,
		.file = path ? path_below(s->arena, s->sysroot, path) : NULL,
		.package = package,
	};
}

/* One that is there; of several names for one file the first counts. */
static void add_image(struct search *s, const char *kernel, const char *path,
		      const char *package, size_t first)
{
	struct stat st, other;

	if (!is_file(s, path, &st))
		return;
	for (size_t i = first; i < s->found->count; i++)
		if (is_file(s, s->found->items[i].path, &other) &&
		    st.st_ino == other.st_ino && st.st_dev == other.st_dev)
			return;
	add(s, kernel, path, package);
}

static bool has_kernel(const struct search *s, const char *version)
{
	static const char *const names[] = {"vmlinuz", "vmlinux", "Image"};
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (is_file(s,
			    arena_printf(s->arena, BOOT_PATH "/%s-%s", names[i], version),
			    &st))
			return true;
	return is_file(s, arena_printf(s->arena, MODULES_PATH "/%s/vmlinuz", version),
		       &st);
}

static void add_kernel(struct search *s, const char *version)
{
	static const struct {
		const char *before, *after;
	} names[] = {
		{BOOT_PATH "/initrd.img-", ""}, /* Debian */
		{BOOT_PATH "/initramfs-", ".img"}, /* dracut */
		{BOOT_PATH "/initrd-", ""}, /* SUSE */
		{MODULES_PATH "/", "/initrd"},
	};
	static const char *const folders[] = {BOOT_FOLDERS};
	size_t first = s->found->count;
	const char *package =
		read_line(s, arena_printf(s->arena, MODULES_PATH "/%s/pkgbase", version));

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		add_image(s, version,
			  arena_printf(s->arena, "%s%s%s", names[i].before, version,
				       names[i].after),
			  NULL, first);
	/* kernel-install(8) */
	for (size_t i = 0; i < ARRAY_SIZE(folders) && *s->machine; i++)
		add_image(s, version,
			  arena_printf(s->arena, "%s/%s/%s/initrd", folders[i],
				       s->machine, version),
			  NULL, first);
	if (*package) {
		add_image(s, version,
			  arena_printf(s->arena, BOOT_PATH "/initramfs-%s.img", package),
			  package, first);
		add_image(s, version,
			  arena_printf(s->arena, BOOT_PATH "/initramfs-%s-fallback.img",
				       package),
			  package, first);
	}
	if (s->found->count == first && has_kernel(s, version))
		add(s, version, NULL, *package ? package : NULL);
}

static int compare_versions(const void *a, const void *b)
{
	return strverscmp(*(const char *const *)b, *(const char *const *)a);
}

int installed_find(const char *sysroot, struct arena *arena, struct installed *ret)
{
	struct search s = {sysroot, arena, "", ret};
	const char *modules = path_below(arena, sysroot, MODULES_PATH);
	const char *versions[INSTALLED_MAX];
	size_t count = 0;
	struct dirent *e;
	DIR *d;

	*ret = (struct installed){0};
	d = modules ? opendir(modules) : NULL;
	if (!d)
		return modules ? -errno : -ENOMEM;
	s.machine = read_line(&s, ETC_PREFIX MACHINE_ID_NAME);
	while ((e = readdir(d)) && count < INSTALLED_MAX) {
		if (!module_tree_is_version(e->d_name) || e->d_name[0] == '-')
			continue;
		versions[count] = arena_copy(arena, text_of(e->d_name));
		count += versions[count] != NULL;
	}
	ret->is_cut = e != NULL;
	closedir(d);
	qsort(versions, count, sizeof(*versions), compare_versions);
	for (size_t i = 0; i < count; i++)
		add_kernel(&s, versions[i]);
	return 0;
}

/* ---- generators -------------------------------------------------------------------------- */

static const struct {
	enum generator generator;
	const char *program;
} programs[] = {
	{GENERATOR_INITRAMFS_TOOLS, "update-initramfs"},
	{GENERATOR_DRACUT, "dracut"},
	{GENERATOR_MKINITCPIO, "mkinitcpio"},
};

bool installed_has_program(const char *sysroot, struct arena *arena, const char *name)
{
	static const char *const folders[] = {PROGRAM_FOLDERS};
	struct search s = {sysroot, arena, "", NULL};
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (is_file(&s, arena_printf(arena, "%s/%s", folders[i], name), &st) &&
		    (st.st_mode & 0111) != 0)
			return true;
	return false;
}

unsigned installed_generators(const char *sysroot, struct arena *arena)
{
	unsigned found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (installed_has_program(sysroot, arena, programs[i].program))
			found |= GENERATOR_BIT(programs[i].generator);
	return found;
}

unsigned installed_hooks(const char *sysroot, struct arena *arena)
{
	struct search s = {sysroot, arena, "", NULL};
	unsigned found = 0;
	struct stat st;

	if (is_file(&s, KERNEL_HOOKS "/initramfs-tools", &st))
		found |= GENERATOR_BIT(GENERATOR_INITRAMFS_TOOLS);
	if (is_file(&s, KERNEL_HOOKS "/dracut", &st))
		found |= GENERATOR_BIT(GENERATOR_DRACUT);
	return found;
}

static enum generator only_one(unsigned set)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (set == GENERATOR_BIT(programs[i].generator))
			return programs[i].generator;
	return GENERATOR_UNKNOWN;
}

enum generator installed_choose(enum generator made_by, unsigned installed,
				unsigned others, unsigned hooks)
{
	const unsigned sets[] = {installed & others, installed & hooks, installed};
	enum generator one = GENERATOR_UNKNOWN;

	if (made_by != GENERATOR_UNKNOWN && (installed & GENERATOR_BIT(made_by)))
		return made_by;
	/* booster's, for one, is not to be replaced by what dracut makes. */
	if (made_by == GENERATOR_BOOSTER)
		return GENERATOR_UNKNOWN;
	for (size_t i = 0; i < ARRAY_SIZE(sets) && one == GENERATOR_UNKNOWN; i++)
		one = only_one(sets[i]);
	return one;
}
