/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "modload.h"

#include <errno.h>
#include <libkmod.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cmdline.h"

#define NO_MODULES  "/nonexistent"
#define OPTIONS_MAX 8192
#define VFIO_PCI    "vfio_pci" /* as libkmod spells module names */

static void free_ctx(struct kmod_ctx **ctx)
{
	kmod_unref(*ctx);
}

static void free_iter(struct kmod_config_iter **iter)
{
	if (*iter)
		kmod_config_iter_free_iter(*iter);
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

/* A context with modprobe.d's files below @sysroot. */
static struct kmod_ctx *new_context(const char *sysroot, const char *module_dir)
{
	static const char *const places[] = {"/etc/modprobe.d", "/run/modprobe.d",
					     "/usr/local/lib/modprobe.d",
					     "/usr/lib/modprobe.d", "/lib/modprobe.d"};
	const char *list[ARRAY_SIZE(places) + 1] = {NULL};
	static char paths[ARRAY_SIZE(places)][PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s%s", sysroot, places[i]);
		list[i] = paths[i];
	}
	return new_ctx(module_dir, list);
}

struct kmod_ctx *modload_context(const char *sysroot, const char *module_dir)
{
	static struct kmod_ctx *ctx;

	if (!ctx)
		ctx = new_context(sysroot, module_dir);
	return ctx;
}

/* Calls @take with every option of vfio-pci among the first @limit of all options. */
static int each_option(struct kmod_ctx *ctx, size_t limit, size_t *ret_count,
		       int (*take)(struct text options, struct job_result *ret),
		       struct job_result *ret)
{
	cleanup_with(free_iter) struct kmod_config_iter *iter =
		kmod_config_get_options(ctx);
	size_t i = 0;
	int r = 0;

	for (; iter && i < limit && r == 0 && kmod_config_iter_next(iter); i++) {
		const char *value = kmod_config_iter_get_value(iter);

		if (value && take &&
		    strcmp(kmod_config_iter_get_key(iter), VFIO_PCI) == 0)
			r = take(text_of(value), ret);
	}
	*ret_count = i;
	return r;
}

static int note_option(struct text options unused, struct job_result *ret)
{
	ret->is_found = true;
	return 0;
}

static int take_options(struct text options, struct job_result *ret)
{
	struct cmdline_arg arg;

	while (cmdline_next(&options, &arg)) {
		if (text_is_param(arg.name, "disable_denylist") &&
		    cmdline_bool(&arg, &ret->is_denylist_off) < 0)
			ret->is_denylist_off = false;
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
	static const char *const nothing[] = {NULL};
	cleanup_with(free_ctx) struct kmod_ctx *cmdline_only = NULL;
	cleanup_with(free_ctx) struct kmod_ctx *all = NULL;
	struct job_result any = {0};
	size_t in_all, from_cmdline, read;

	/* Without the modules' soft dependencies, which are most of what there is to read. */
	all = new_context(sysroot, NO_MODULES);
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
	cmdline_only = new_ctx(NO_MODULES, nothing);
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
	size_t used = 0;

	if (size == 0)
		return -E2BIG;
	buf[0] = '\0';
	for (;;) {
		const char *start = text_trim(rest).p;
		int n;

		if (!cmdline_next(&rest, &arg))
			break;
		if (text_is_param(arg.name, "ids"))
			continue;
		n = snprintf(buf + used, size - used, "%s%.*s", used > 0 ? " " : "",
			     (int)(rest.p - start), start);
		if (n < 0 || (size_t)n >= size - used)
			return -E2BIG;
		used += (size_t)n;
	}
	if (ids[0] != '\0') {
		int n = snprintf(buf + used, size - used, "%sids=\"%s\"",
				 used > 0 ? " " : "", ids);

		if (n < 0 || (size_t)n >= size - used)
			return -E2BIG;
	}
	return 0;
}

static bool is_in_kernel(const struct kmod_module *mod)
{
	int state = kmod_module_get_initstate(mod);

	return state == KMOD_MODULE_BUILTIN || state == KMOD_MODULE_LIVE;
}

/*
 * Inserts what the module cannot do without, in the order of modules.dep. Not through
 * kmod_module_probe_insert_module(): that runs "install" lines, and follows soft
 * dependencies, of which the one that matters is loaded by its name.
 */
static int insert_dependencies(struct kmod_module *mod)
{
	struct kmod_list *list = kmod_module_get_dependencies(mod), *item;
	int r = 0;

	kmod_list_foreach(item, list)
	{
		struct kmod_module *needed = kmod_module_get_module(item);

		if (!is_in_kernel(needed))
			r = kmod_module_insert_module(needed, 0,
						      kmod_module_get_options(needed));
		kmod_module_unref(needed);
		if (r == -EEXIST)
			r = 0;
		if (r < 0)
			break;
	}
	kmod_module_unref_list(list);
	return r;
}

int modload_load(const char *module_dir, const char *name, const char *ids,
		 enum module_state *ret_state)
{
	struct kmod_ctx *ctx = modload_context("", module_dir);
	cleanup_with(free_module) struct kmod_module *mod = NULL;
	const char *options;
	static char buf[OPTIONS_MAX];
	int r;

	if (!ctx)
		return -ENOMEM;
	r = kmod_module_new_from_name(ctx, name, &mod);
	if (r < 0)
		return r;

	switch (kmod_module_get_initstate(mod)) {
	case KMOD_MODULE_BUILTIN:
		*ret_state = MODULE_BUILTIN;
		return 0;
	case KMOD_MODULE_LIVE:
		*ret_state = MODULE_LIVE;
		return 0;
	default:
		break;
	}
	if (!kmod_module_get_path(mod))
		return -ENOENT;
	r = insert_dependencies(mod);
	if (r < 0)
		return r;
	options = kmod_module_get_options(mod);
	/*
	 * libkmod adds what it finds on the command line by a grammar of its own, also
	 * behind "--". The caller knows better.
	 */
	r = modload_replace_ids(options ? options : "", ids, buf, sizeof(buf));
	if (r < 0)
		return r;
	r = kmod_module_insert_module(mod, 0, buf);
	/* From the kernel this means a symbol that does not exist, not a missing module. */
	if (r == -ENOENT)
		return -ENOEXEC;
	*ret_state = MODULE_LOADED;
	return r == -EEXIST ? 0 : r;
}
