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

/* The file of a kernel, or NULL. */
static const char *find_kernel(const struct search *s, const char *version)
{
	static const char *const names[] = {"vmlinuz", "vmlinux", "Image"};
	const char *path;
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		path = arena_printf(s->arena, BOOT_PATH "/%s-%s", names[i], version);
		if (is_file(s, path, &st))
			return path;
	}
	path = arena_printf(s->arena, MODULES_PATH "/%s/vmlinuz", version);
	return is_file(s, path, &st) ? path : NULL;
}

/* ---- images of entries --------------------------------------------------------------------- */

/* Whether a version stands in a path and does not go on: 6.1.0-1 is not 6.1.0-18. */
static bool has_version(const char *path, const char *version)
{
	size_t n = strlen(version);

	for (const char *p = path; p && (p = strstr(p, version)); p++) {
		char before = p > path ? p[-1] : '/', after = p[n];

		if ((before == '/' || before == '-' || before == '_') &&
		    (after == '\0' || after == '/' || after == '.' || after == '+'))
			return true;
	}
	return false;
}

static bool is_of_kernel(const struct boot_entry *e, const char *version)
{
	if (e->kernel && has_version(e->kernel, version))
		return true;
	for (size_t i = 0; i < e->initrd_count; i++)
		if (has_version(e->initrds[i], version))
			return true;
	return e->version && strcmp(e->version, version) == 0;
}

const char *installed_kernel_of(const struct installed *installed,
				const struct boot_entry *entry)
{
	const char *best = NULL;

	for (size_t i = 0; i < installed->count; i++) {
		const char *kernel = installed->items[i].kernel;

		if (kernel && is_of_kernel(entry, kernel) &&
		    (!best || strlen(kernel) > strlen(best)))
			best = kernel;
	}
	return best;
}

bool installed_is_unbooted(const struct installed *installed, const char *sysroot,
			   struct arena *arena, const char *kernel)
{
	const struct boot_entries *entries = &installed->entries;
	const struct search s = {.sysroot = sysroot, .arena = arena};
	struct stat st;

	if (entries->count == 0 || entries->is_cut || entries->has_unmounted ||
	    !is_file(&s, arena_printf(arena, BOOT_PATH "/vmlinuz-%s", kernel), &st))
		return false;
	for (size_t i = 0; i < entries->count; i++) {
		const char *booted = installed_kernel_of(installed, &entries->items[i]);

		if (booted && strcmp(booted, kernel) == 0)
			return false;
	}
	return true;
}

/* Sets what makes the copy that @image is, where that is known and can be run. */
static void set_copy_command(const struct search *s, struct installed_image *image)
{
	const char *kernel = find_kernel(s, image->kernel);
	const char *initrd =
		arena_printf(s->arena, BOOT_PATH "/initrd.img-%s", image->kernel);
	struct stat st;

	if (strcasestr(image->path, "/EFI/proxmox/")) {
		if (installed_has_program(s->sysroot, s->arena, "proxmox-boot-tool")) {
			image->copy_command[0] = "proxmox-boot-tool";
			image->copy_command[1] = "refresh";
		}
	} else if (kernel &&
		   installed_has_program(s->sysroot, s->arena, "kernel-install")) {
		const char *const words[INSTALLED_COMMAND_MAX] = {
			"kernel-install", "add", image->kernel, kernel,
			is_file(s, initrd, &st) ? initrd : NULL};

		memcpy(image->copy_command, words, sizeof(words));
	}
}

/* What kernel-install makes: TOKEN/VERSION/initrd, EFI/Linux/TOKEN-VERSION.efi; or Proxmox. */
static bool is_copy(const struct search *s, const char *path, const char *kernel)
{
	const char *folder = arena_printf(s->arena, "/%s/", kernel);

	return folder && !text_has_prefix(text_of(path), MODULES_PATH "/") &&
	       (strstr(path, folder) ||
		(strcasestr(path, "/EFI/Linux/") && has_version(path, kernel)));
}

/* Adds an image, or says of one that is known by another name that this entry boots it. */
static void add_entry_image(struct search *s, const char *kernel, const char *path,
			    const struct boot_entry *entry, size_t first)
{
	struct stat st, other;
	bool is_there = is_file(s, path, &st);
	struct installed_image *image;

	for (size_t i = first; i < s->found->count; i++) {
		image = &s->found->items[i];
		if (strcmp(image->path, path) != 0 &&
		    (!is_there || !is_file(s, image->path, &other) ||
		     st.st_ino != other.st_ino || st.st_dev != other.st_dev))
			continue;
		if (!image->entry)
			image->entry = entry;
		return;
	}
	add(s, kernel, path, NULL);
	if (s->found->is_cut)
		return;
	image = &s->found->items[s->found->count - 1];
	image->entry = entry;
	image->is_missing = !is_there;
}

static bool is_image_name(const char *path)
{
	const char *name = strrchr(path, '/');

	/* Microcode alone stands in front of an image. */
	return name && !strstr(name, "ucode");
}

static void add_entries_of(struct search *s, const char *kernel, size_t first)
{
	const struct boot_entries *entries = &s->found->entries;

	for (size_t i = 0; i < entries->count; i++) {
		const struct boot_entry *e = &entries->items[i];

		if (!is_of_kernel(e, kernel))
			continue;
		if (e->is_uki)
			add_entry_image(s, kernel, e->kernel, e, first);
		for (size_t k = 0; k < e->initrd_count; k++)
			if (is_image_name(e->initrds[k]))
				add_entry_image(s, kernel, e->initrds[k], e, first);
	}
	for (size_t i = first; i < s->found->count; i++)
		if (is_copy(s, s->found->items[i].path, kernel))
			set_copy_command(s, &s->found->items[i]);
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
	add_entries_of(s, version, first);
	if (s->found->count == first && find_kernel(s, version))
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
	if (boot_entries_find(sysroot, arena, &ret->entries) < 0) {
		closedir(d);
		return -ENOMEM;
	}
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
	/* booster's, or tiny-initramfs's, is not to be replaced by what dracut makes. */
	if (made_by == GENERATOR_BOOSTER || made_by == GENERATOR_OTHER)
		return GENERATOR_UNKNOWN;
	for (size_t i = 0; i < ARRAY_SIZE(sets) && one == GENERATOR_UNKNOWN; i++)
		one = only_one(sets[i]);
	return one;
}
