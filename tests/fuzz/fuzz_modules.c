/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The indexes of modules (modules.alias.bin and its brothers) and modprobe.d, through libkmod,
 * as the binder and the companion read them. The first byte chooses the file. libkmod's readers
 * are compiled in here, so that the fuzzer sees which way they take.
 */
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
/* In this order: each defines its own names, and none of them twice. */
#include "libkmod/libkmod-index.c"
#pragma clang diagnostic pop
#undef ARRAY_SIZE
#undef MIN
#undef MAX

#include "fuzz.h"

#include <libkmod.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "modload.h"

static const char *const files[] = {
	"lib/modules/6.1/modules.alias.bin",
	"lib/modules/6.1/modules.dep.bin",
	"lib/modules/6.1/modules.symbols.bin",
	"lib/modules/6.1/modules.builtin.bin",
	"lib/modules/6.1/modules.builtin.alias.bin",
	"lib/modules/6.1/modules.softdep",
	"lib/modules/6.1/modules.builtin.modinfo",
	"etc/modprobe.d/a.conf",
};

/* libkmod loses memory where an index is damaged; the worker that has it open soon ends. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

static char root[] = "/tmp/earlybind-fuzz-XXXXXX";
static bool has_root;

static void remove_root(void)
{
	fuzz_remove(root);
}

static void make_root(void)
{
	static const char *const folders[] = {
		"",	"/lib",		  "/lib/modules", "/lib/modules/6.1",
		"/etc", "/etc/modprobe.d"};
	char path[PATH_MAX];

	require(mkdtemp(root) && setenv("KMOD_LOG", "0", 1) == 0);
	has_root = true;
	(void)atexit(remove_root);
	for (size_t i = 1; i < ARRAY_SIZE(folders); i++) {
		snprintf(path, sizeof(path), "%s%s", root, folders[i]);
		require(mkdir(path, 0755) == 0);
	}
}

static void look_up(struct kmod_ctx *ctx, const char *alias)
{
	struct kmod_list *list = NULL, *item;

	if (kmod_module_new_from_lookup(ctx, alias, &list) < 0)
		return;
	kmod_list_foreach(item, list)
	{
		struct kmod_module *mod = kmod_module_get_module(item);

		require(kmod_module_get_name(mod));
		kmod_module_unref(mod);
	}
	kmod_module_unref_list(list);
}

static void ask_by_name(struct kmod_ctx *ctx, const char *name)
{
	struct kmod_module *mod = NULL;

	if (kmod_module_new_from_name(ctx, name, &mod) < 0)
		return;
	(void)kmod_module_get_initstate(mod);
	(void)kmod_module_get_path(mod);
	(void)kmod_module_get_options(mod);
	kmod_module_unref_list(kmod_module_get_dependencies(mod));
	kmod_module_unref(mod);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct job_result result;
	struct kmod_ctx *ctx;
	char path[PATH_MAX], dir[PATH_MAX];
	FILE *file;

	if (size == 0)
		return 0;
	if (!has_root)
		make_root();
	snprintf(path, sizeof(path), "%s/%s", root, files[data[0] % ARRAY_SIZE(files)]);
	file = fopen(path, "we");
	require(file && fwrite(data + 1, 1, size - 1, file) == size - 1);
	require(fclose(file) == 0);

	snprintf(dir, sizeof(dir), "%s/lib/modules/6.1", root);
	ctx = modload_context(root, dir);
	require(ctx);
	if (kmod_load_resources(ctx) >= 0) {
		look_up(ctx, "pci:v000010EEd00005000sv000010EEsd0000000Ebc12sc00i00");
		look_up(ctx, "pci:v00008086d00001572sv00000000sd00000000bc02sc00i00");
	}
	ask_by_name(ctx, "vfio_pci");
	kmod_unref(ctx);
	memset(&result, 0, sizeof(result));
	if (modload_read_options(root, &result) == 0)
		require(result.length <= sizeof(result.text));
	require(unlink(path) == 0);
	return 0;
}
