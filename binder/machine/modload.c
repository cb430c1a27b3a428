/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "modload.h"

#include <errno.h>
#include <fcntl.h>
#include <libkmod.h>
#include <limits.h>
#include <linux/module.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "driver.h"
#include "kernel_cmdline.h"
#include "modalias.h"

/* More than any kernel's modules need: 5,000 lines are 400 KB. */
#define ALIASES_SIZE_MAX ((size_t)4 * 1024 * 1024)

#define NO_MODULES  "/nonexistent"
#define OPTIONS_MAX 8192
/* As libkmod spells module names. */
#define VFIO_PCI   "vfio_pci"
#define VFIO_TYPE1 "vfio_iommu_type1"

long finit_module(int fd, const char *args, int flags); /* called by libkmod */

static void free_ctx(struct kmod_ctx **ctx)
{
	kmod_unref(*ctx);
}

static void free_iter(struct kmod_config_iter **iter)
{
	if (*iter)
		kmod_config_iter_free_iter(*iter);
}

static void free_list(struct kmod_list **list)
{
	kmod_module_unref_list(*list);
}

static void free_module(struct kmod_module **mod)
{
	kmod_module_unref(*mod);
}

static void be_quiet(void *data unused, int priority unused, const char *file unused,
		     int line unused, const char *fn unused, const char *format unused,
		     va_list args unused)
{
}

static struct kmod_ctx *new_ctx(const char *module_dir, const char *const *config_paths)
{
	struct kmod_ctx *ctx = kmod_new(module_dir, config_paths);

	if (ctx)
		kmod_set_log_fn(ctx, be_quiet, NULL);
	return ctx;
}

struct kmod_ctx *modload_context_bare(const char *module_dir)
{
	static const char *const nothing[] = {NULL};

	return new_ctx(module_dir, nothing);
}

const char *const modprobe_folders[MODPROBE_FOLDERS] = {
	"/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d",
	"/usr/lib/modprobe.d", "/lib/modprobe.d"};

#define NOTED_MAX 16

/* Modules that have options in modprobe.d. */
static struct {
	char names[NOTED_MAX][DRIVER_NAME_SIZE];
	size_t count;
	bool is_whole; /* no other one has */
} noted;

static void note_module(struct text name)
{
	if (noted.count < NOTED_MAX && name.n < DRIVER_NAME_SIZE)
		snprintf(noted.names[noted.count], DRIVER_NAME_SIZE, "%.*s", (int)name.n,
			 name.p);
	else
		noted.count = NOTED_MAX;
	noted.count++;
}

void modprobe_set_seen(bool is_whole)
{
	noted.is_whole = is_whole && noted.count <= NOTED_MAX;
	if (!is_whole)
		noted.count = 0;
}

static bool may_have_options(const struct kmod_module *mod)
{
	const char *name = kmod_module_get_name(mod);

	for (size_t i = 0; noted.is_whole && i < noted.count; i++)
		if (driver_is_same(noted.names[i], name))
			return true;
	return !noted.is_whole;
}

bool modprobe_may_name_vfio(struct text file)
{
	struct text line, word;

	if (memchr(file.p, '\\', file.n))
		return true;
	while (text_cut(&file, '\n', &line)) {
		if (!text_word(&line, &word) || !text_is(word, "options"))
			continue;
		if (memmem(line.p, line.n, "vfio", 4))
			return true;
		if (text_word(&line, &word))
			note_module(word);
	}
	return false;
}

struct kmod_ctx *modload_context(const char *sysroot, const char *module_dir)
{
	const char *list[MODPROBE_FOLDERS + 1] = {NULL};
	static char paths[MODPROBE_FOLDERS][PATH_MAX];

	for (size_t i = 0; sysroot[0] == '\0' && i < MODPROBE_FOLDERS; i++)
		list[i] = modprobe_folders[i];
	for (size_t i = 0; sysroot[0] != '\0' && i < MODPROBE_FOLDERS; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s%s", sysroot,
			 modprobe_folders[i]);
		list[i] = paths[i];
	}
	return new_ctx(module_dir, list);
}

/* Calls @take with every option of vfio's modules among the first @limit of all options. */
static int each_option(struct kmod_ctx *ctx, size_t limit, size_t *ret_count,
		       int (*take)(const char *module, struct text options,
				   struct job_result *ret),
		       struct job_result *ret)
{
	cleanup_with(free_iter) struct kmod_config_iter *iter =
		kmod_config_get_options(ctx);
	size_t i = 0;
	int r = 0;

	for (; iter && i < limit && r == 0 && kmod_config_iter_next(iter); i++) {
		const char *key = kmod_config_iter_get_key(iter);
		const char *value = kmod_config_iter_get_value(iter);

		if (value && take &&
		    (strcmp(key, VFIO_PCI) == 0 || strcmp(key, VFIO_TYPE1) == 0))
			r = take(key, text_of(value), ret);
	}
	*ret_count = i;
	return r;
}

static int note_option(const char *module unused, struct text options unused,
		       struct job_result *ret)
{
	ret->is_found = true;
	return 0;
}

static void take_bool(const struct cmdline_arg *arg, const char *name, bool *ret)
{
	if (text_is_param(arg->name, name) && cmdline_bool(arg, ret) < 0)
		*ret = false;
}

static int take_options(const char *module, struct text options, struct job_result *ret)
{
	struct cmdline_arg arg;

	while (cmdline_next(&options, &arg)) {
		if (strcmp(module, VFIO_TYPE1) == 0) {
			take_bool(&arg, "allow_unsafe_interrupts", &ret->is_unsafe);
			continue;
		}
		take_bool(&arg, "disable_denylist", &ret->is_denylist_off);
		if (!text_is_param(arg.name, "ids") || !arg.value.p)
			continue;
		if (arg.value.n > sizeof(ret->text))
			return -E2BIG;
		ret->is_found = true;
		ret->length = (uint32_t)arg.value.n;
		memcpy(ret->text, arg.value.p, arg.value.n);
	}
	return 0;
}

int modload_read_options(const char *sysroot, struct job_result *ret)
{
	cleanup_with(free_ctx) struct kmod_ctx *cmdline_only = NULL;
	cleanup_with(free_ctx) struct kmod_ctx *all = NULL;
	struct job_result any = {0};
	size_t in_all, from_cmdline, read;

	/* Without the modules' soft dependencies, which are most of what there is to read. */
	all = modload_context(sysroot, NO_MODULES);
	if (!all)
		return -ENOMEM;
	(void)each_option(all, SIZE_MAX, &in_all, note_option, &any);
	if (!any.is_found)
		return 0;

	/*
	 * libkmod adds the options of this machine's /proc/cmdline behind those of the
	 * files (libkmod-config.c: kmod_config_new()), by a grammar that is not quite the
	 * kernel's. The binder reads the command line itself, so they are left out here:
	 * a context without files has as many.
	 */
	cmdline_only = modload_context_bare(NO_MODULES);
	if (!cmdline_only)
		return -ENOMEM;
	(void)each_option(cmdline_only, SIZE_MAX, &from_cmdline, NULL, NULL);
	return each_option(all, in_all - MIN(in_all, from_cmdline), &read, take_options,
			   ret);
}

int modload_replace_ids(const char *options, const char *ids, char *buf, size_t size)
{
	struct text rest = text_of(options);
	struct cmdline_arg arg;
	struct text_buffer b = {.buf = buf, .size = size};

	text_add(&b, "%s", "");
	for (;;) {
		const char *start = text_trim(rest).p;

		if (!cmdline_next(&rest, &arg))
			break;
		if (text_is_param(arg.name, "ids"))
			continue;
		text_add(&b, "%s%.*s", b.used > 0 ? " " : "", (int)(rest.p - start),
			 start);
	}
	if (ids[0] != '\0')
		text_add(&b, "%sids=\"%s\"", b.used > 0 ? " " : "", ids);
	return b.is_full ? -E2BIG : 0;
}

static bool is_in_kernel(const struct kmod_module *mod)
{
	int state = kmod_module_get_initstate(mod);

	return state == KMOD_MODULE_BUILTIN || state == KMOD_MODULE_LIVE;
}

/*
 * Whether the file that the index names is there. What the kernel says ENOENT to is a
 * symbol that does not exist (kernel/module/main.c: simplify_symbols()).
 */
static bool has_file(const struct kmod_module *mod)
{
	const char *path = kmod_module_get_path(mod);

	return path && access(path, R_OK) == 0;
}

/* The kernel that a module says it is for: the first word of its vermagic. */
static void read_built_for(const char *vermagic, char *buf, size_t size)
{
	size_t n = strcspn(vermagic, " ");
	struct utsname uts;

	if (n >= size || uname(&uts) < 0 ||
	    (strlen(uts.release) == n && memcmp(uts.release, vermagic, n) == 0))
		return;
	memcpy(buf, vermagic, n);
	buf[n] = '\0';
}

/* What is to be seen of a file that the kernel refused; of the first one only. */
static void note_fault(const struct kmod_module *mod, struct job_result *ret)
{
	const char *path = kmod_module_get_path(mod);
	struct kmod_list *list = NULL, *item;
	bool has_vermagic = false;

	if (ret->length > 0 || !path)
		return;
	ret->length = (uint32_t)MIN(strlen(path), sizeof(ret->text));
	memcpy(ret->text, path, ret->length);
	if (kmod_module_get_info(mod, &list) >= 0)
		kmod_list_foreach(item, list)
		{
			if (strcmp(kmod_module_info_get_key(item), "vermagic") != 0)
				continue;
			has_vermagic = true;
			read_built_for(kmod_module_info_get_value(item), ret->built_for,
				       sizeof(ret->built_for));
		}
	ret->is_damaged = !has_vermagic;
	kmod_module_info_free_list(list);
}

static int insert(struct kmod_module *mod, const char *options, struct job_result *ret)
{
	int r;

	if (!has_file(mod))
		return -ENOENT;
	r = kmod_module_insert_module(mod, 0, options);
	if (r == -EEXIST)
		return 0;
	if (r < 0)
		note_fault(mod, ret);
	return r == -ENOENT ? -ENOEXEC : r;
}

/*
 * Inserts what the module cannot do without, in the order of modules.dep. Not through
 * kmod_module_probe_insert_module(): that runs "install" lines, and follows soft
 * dependencies, of which the one that matters is loaded by its name.
 */
static int insert_dependencies(struct kmod_list *list, struct job_result *ret)
{
	struct kmod_list *item;
	int r = 0;

	kmod_list_foreach(item, list)
	{
		struct kmod_module *needed = kmod_module_get_module(item);

		if (!is_in_kernel(needed))
			r = insert(needed, kmod_module_get_options(needed), ret);
		kmod_module_unref(needed);
		if (r < 0)
			break;
	}
	return r;
}

#define NEEDS_OPTIONS 1

static bool needs_options(const struct kmod_module *mod, struct kmod_list *list)
{
	bool needs = may_have_options(mod);
	struct kmod_list *item;

	kmod_list_foreach(item, list)
	{
		struct kmod_module *needed = kmod_module_get_module(item);

		needs |= may_have_options(needed);
		kmod_module_unref(needed);
	}
	return needs;
}

/*
 * Loads the module from the directory of the context. @is_bare: that knows no modprobe.d;
 * NEEDS_OPTIONS where it may have options of what is to be loaded.
 */
static int load(struct kmod_ctx *ctx, bool is_bare, const char *name, const char *ids,
		struct job_result *ret)
{
	cleanup_with(free_module) struct kmod_module *mod = NULL;
	cleanup_with(free_list) struct kmod_list *list = NULL;
	const char *options;
	static char buf[OPTIONS_MAX];
	int r, state;

	r = kmod_module_new_from_name(ctx, name, &mod);
	if (r < 0)
		return r;
	state = kmod_module_get_initstate(mod);
	if (state == KMOD_MODULE_BUILTIN || state == KMOD_MODULE_LIVE) {
		ret->state = state == KMOD_MODULE_LIVE ? MODULE_LIVE : MODULE_BUILTIN;
		return 0;
	}
	if (!has_file(mod)) {
		/* A part of the kernel, where no modules.builtin says so: it has a folder
		 * in /sys/module, but no state. */
		if (state != KMOD_MODULE_COMING)
			return -ENOENT;
		ret->state = MODULE_BUILTIN;
		return 0;
	}
	list = kmod_module_get_dependencies(mod);
	if (is_bare && needs_options(mod, list))
		return NEEDS_OPTIONS;
	r = insert_dependencies(list, ret);
	if (r < 0)
		return r;
	options = kmod_module_get_options(mod);
	/*
	 * libkmod adds what it finds on the command line by a grammar of its own, also
	 * behind "--". The caller knows better.
	 */
	r = modload_replace_ids(options ? options : "", ids, buf, sizeof(buf));
	if (r == 0)
		r = insert(mod, buf, ret);
	if (r == 0)
		ret->state = MODULE_LOADED;
	return r;
}

/*
 * The context of the i-th of MODULE_DIRS_MAX directories, one for all: the directory of the
 * first call counts, and its indexes are read once. @is_bare: without modprobe.d, which takes
 * longer to read than the rest. NULL if out of memory.
 */
static struct kmod_ctx *modload_kept_context(size_t i, bool is_bare, const char *dir)
{
	static struct kmod_ctx *contexts[2][MODULE_DIRS_MAX];
	struct kmod_ctx **ctx = &contexts[is_bare][i];

	if (!*ctx)
		*ctx = is_bare ? modload_context_bare(dir) : modload_context("", dir);
	return *ctx;
}

static int load_from(size_t i, bool is_bare, const char *dir, const char *name,
		     const char *ids, struct job_result *ret)
{
	struct kmod_ctx *ctx = modload_kept_context(i, is_bare, dir);

	return ctx ? load(ctx, is_bare, name, ids, ret) : -ENOMEM;
}

int modload_load(const char *const dirs[MODULE_DIRS_MAX], const char *name,
		 const char *ids, struct job_result *ret)
{
	int r, error = -ENOENT;

	for (size_t i = 0; i < MODULE_DIRS_MAX && dirs[i]; i++) {
		r = load_from(i, noted.is_whole, dirs[i], name, ids, ret);
		if (r == NEEDS_OPTIONS)
			r = load_from(i, false, dirs[i], name, ids, ret);
		/* libkmod drops a dependency without a file: then a symbol is missing. */
		if (r != -ENOENT && r != -ENOEXEC)
			return r;
		if (error == -ENOENT)
			error = r;
	}
	return error;
}

/* Whether a module is in the directory of the context, or a part of the kernel. */
static bool has_module(void *arg, const char *name)
{
	cleanup_with(free_module) struct kmod_module *mod = NULL;

	return kmod_module_new_from_name(arg, name, &mod) == 0 &&
	       (has_file(mod) || kmod_module_get_initstate(mod) == KMOD_MODULE_BUILTIN);
}

/*
 * In the place of libkmod's own: what the kernel cannot decompress after all is decompressed
 * by libkmod, which does so for ENOSYS only (libkmod-module.c: kmod_module_insert_module()).
 */
long finit_module(int fd, const char *args, int flags)
{
	long r = syscall(SYS_finit_module, fd, args, flags);

	if (r < 0 && (flags & MODULE_INIT_COMPRESSED_FILE) &&
	    (errno == EOPNOTSUPP || errno == EINVAL))
		errno = ENOSYS;
	return r;
}

/*
 * The aliases of @dir's modules and of those that are a part of the kernel, as lines "alias
 * PATTERN MODULE" in the index that libkmod itself goes by: there is one in every image, a
 * text need not be. What is beyond ALIASES_SIZE_MAX is left out. Memory that is never given back.
 * p is NULL where it cannot be read.
 */
static struct text read_aliases(struct kmod_ctx *ctx)
{
	int fd = memfd_create("aliases", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct text none = {NULL, 0}, aliases = none;
	off_t used = -1;
	char *p;

	if (fd < 0)
		return none;
	/* Sealed: whatever is in the index, it takes no more memory than that. */
	if (ftruncate(fd, ALIASES_SIZE_MAX) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == 0 &&
	    kmod_dump_index(ctx, KMOD_INDEX_MODULES_ALIAS, fd) == 0) {
		(void)kmod_dump_index(ctx, KMOD_INDEX_MODULES_BUILTIN_ALIAS, fd);
		used = lseek(fd, 0, SEEK_CUR);
	}
	if (used > 0) {
		p = mmap(NULL, (size_t)used, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p != MAP_FAILED)
			aliases = (struct text){p, (size_t)used};
	}
	close(fd);
	return aliases.p || used != 0 ? aliases : TEXT("");
}

int aliases_find_variant(const char *const dirs[MODULE_DIRS_MAX], const char *modalias,
			 struct job_result *ret)
{
	static struct text aliases[MODULE_DIRS_MAX];
	char name[DRIVER_NAME_SIZE];
	struct pci_ids ids;
	int r = modalias_parse(text_of(modalias), &ids);

	for (size_t i = 0; i < MODULE_DIRS_MAX && dirs[i] && r == 0; i++) {
		struct kmod_ctx *ctx = modload_kept_context(i, true, dirs[i]);

		if (!ctx)
			return -ENOMEM;
		if (!aliases[i].p)
			aliases[i] = read_aliases(ctx);
		/* There is none in an image whose modules are all in the other folder. */
		if (!aliases[i].p ||
		    variant_find(aliases[i], &ids, has_module, ctx, name) < 0)
			continue;
		ret->length = (uint32_t)strlen(name);
		memcpy(ret->text, name, ret->length);
		return 0;
	}
	return r < 0 ? r : -ENOENT;
}

#define REBUILD \
	"rebuild the image with update-initramfs -u -k all or dracut --regenerate-all --force"

/* The file comes in between. */
static const struct {
	int error;
	const char *before, *after;
} texts[] = {
	{ENOEXEC, "", " does not fit the kernel that runs (ENOEXEC): " REBUILD},
	/* resolve_symbol(): versions differ; parse_args(): a value is wrong */
	{EINVAL, "the kernel refuses ",
	 " (EINVAL): it is of another build of the kernel, or an option of modprobe.d is "
	 "wrong: see the kernel log and rebuild the image"},
	{EKEYREJECTED, "the kernel rejects the signature of ",
	 " (EKEYREJECTED): use the distribution's module, or enroll your key with mokutil "
	 "--import"},
	{ENOKEY, "",
	 " is signed with a key that the kernel does not know (ENOKEY): use the "
	 "distribution's module, or enroll your key with mokutil --import"},
	{EBADMSG, "the signature of ",
	 " is damaged (EBADMSG): reinstall the kernel's package and rebuild the image"},
	{EPERM, "the kernel may not load ",
	 " (EPERM): it is locked down and the file is not signed, or "
	 "kernel.modules_disabled is set: use a signed module"},
	{ENOSPC, "a parameter of ",
	 " is longer than the kernel takes (ENOSPC): shorten the options of modprobe.d and "
	 "of the command line"},
	{ENOSYS, "the kernel that runs loads no modules, and ",
	 " is no part of it (ENOSYS): boot a kernel that has it"},
	{ENOMEM, "there is no memory for ", " (ENOMEM): the machine is short of it"},
	{ETIMEDOUT, "",
	 " was not loaded when the time was up: raise rd.earlybind.timeout=, or find what is "
	 "slow in the kernel log"},
};

static const char *explain_file(int error, const struct job_result *result,
				const char *file, struct arena *arena)
{
	/*
	 * The signature is checked first (module/signing.c): that of a file which was changed or
	 * cut may be all that the kernel says.
	 */
	bool is_file = error == ENOEXEC || error == EINVAL || error == EKEYREJECTED ||
		       error == ENOKEY || error == EBADMSG;

	if (is_file && result->is_damaged)
		return arena_printf(arena,
				    "%s is damaged: reinstall the kernel's package and "
				    "rebuild the image",
				    file);
	if (is_file && result->built_for[0] != '\0')
		return arena_printf(
			arena,
			"%s is built for kernel %s, and another one runs: " REBUILD, file,
			result->built_for);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].error == error)
			return arena_printf(arena, "%s%s%s", texts[i].before, file,
					    texts[i].after);
	return arena_printf(arena, "%s: %s: see the kernel log and rebuild the image",
			    file, errno_text(error));
}

const char *module_state_name(enum module_state state)
{
	switch (state) {
	case MODULE_UNKNOWN:
		return "failed";
	case MODULE_LOADED:
		return "loaded";
	case MODULE_LIVE:
		return "live";
	case MODULE_BUILTIN:
		return "builtin";
	}
	return "";
}

const char *module_fault_explain(const char *name, int error,
				 const struct job_result *result, struct arena *arena)
{
	const char *file = name, *why;

	if (result->length > 0)
		file = arena_printf(arena, "%.*s", (int)result->length, result->text);
	why = file ? explain_file(error, result, file, arena) : NULL;
	return why ? arena_printf(arena, "%s could not be loaded: %s", name, why) : NULL;
}
