/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image_options.h"

#include <errno.h>
#include <ftw.h>
#include <libkmod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmdline_words.h"
#include "dracut.h"
#include "files.h"
#include "kernel_cmdline.h"
#include "message.h"
#include "modload.h"
#include "paths.h"
#include "policy.h"
#include "reason.h"

#define OPTIONS_CHECK "modprobe.d"
#define CMDLINE_CHECK "cmdline"
#define FILES_MAX     1024
#define LINES_MAX     1024
#define SHOWN_MAX     8
#define NO_MODULES    "/nonexistent"

bool image_options_want(const char *path)
{
	struct text t = text_of(path);

	if (text_is(t, DRACUT_CMDLINE_FILE) ||
	    (text_has_prefix(t, DRACUT_CMDLINE_FOLDER "/") &&
	     text_has_suffix(t, ".conf")))
		return true;
	return strstr(path, "modprobe.d/") && text_has_suffix(text_of(path), ".conf");
}

static int remove_one(const char *path, const struct stat *st unused, int type unused,
		      struct FTW *at unused)
{
	return remove(path);
}

static void remove_folder(char (*folder)[PATH_MAX])
{
	if ((*folder)[0])
		(void)nftw(*folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int unpack_place(const struct tree *tree, const char *place, const char *folder)
{
	const struct tree_node *node = tree_find(tree, place);
	char path[PATH_MAX];
	size_t left = FILES_MAX;

	for (node = node ? node->children : NULL; node; node = node->next) {
		const struct tree_node *file = node;
		int r;

		if (tree_is_link(node)) {
			snprintf(path, sizeof(path), "%s/%s", place, node->name.p);
			file = tree_find(tree, path);
		}
		if (!tree_is_file(file) || !file->file->data.p)
			continue;
		if (left-- == 0)
			return -E2BIG;
		if ((size_t)snprintf(path, sizeof(path), "%s/%s/%s", folder, place,
				     node->name.p) >= sizeof(path))
			return -ENAMETOOLONG;
		r = folders_make(path, strlen(folder));
		if (r == 0)
			r = file_replace(path, file->file->data, 0600);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A folder of our own with the image's modprobe.d; remove_folder() takes it away. */
static int unpack(const struct tree *tree, char (*folder)[PATH_MAX])
{
	int r = 0;

	snprintf(*folder, sizeof(*folder), TEMPORARY_PATH "/earlybind.XXXXXX");
	if (!mkdtemp(*folder)) {
		(*folder)[0] = '\0';
		return -errno;
	}
	/* Names in an image have no slash in front. */
	for (size_t i = 0; i < MODPROBE_FOLDERS && r == 0; i++)
		r = unpack_place(tree, modprobe_folders[i] + 1, *folder);
	return r;
}

int image_options_read(const struct tree *tree, struct job_result *ret)
{
	cleanup_with(remove_folder) char folder[PATH_MAX] = "";
	int r = unpack(tree, &folder);

	*ret = (struct job_result){0};
	return r < 0 ? r : modload_read_options(folder, ret);
}

/* ---- dracut's command line files ----------------------------------------------------------- */

static int compare_nodes(const void *a, const void *b)
{
	return strcmp((*(const struct tree_node *const *)a)->name.p,
		      (*(const struct tree_node *const *)b)->name.p);
}

const char *image_options_cmdline(const struct tree *tree, struct arena *arena,
				  struct text cmdline)
{
	const struct tree_node *found[CMDLINE_FILES_MAX + 1] = {NULL};
	const struct tree_node *node = tree_find(tree, DRACUT_CMDLINE_FOLDER);
	const char *words = "";
	size_t count = 0;

	for (node = node ? node->children : NULL; node && count < CMDLINE_FILES_MAX;
	     node = node->next)
		if (tree_is_file(node) && node->file->data.p &&
		    text_has_suffix(node->name, ".conf") && node->name.p[0] != '.')
			found[count++] = node;
	qsort(found, count, sizeof(void *), compare_nodes);
	node = tree_find(tree, DRACUT_CMDLINE_FILE);
	if (tree_is_file(node) && node->file->data.p)
		found[count++] = node;
	for (size_t i = 0; i < count; i++)
		words = dracut_add_words(arena, words, found[i]->file->data);
	return words ? arena_printf(arena, "%s%.*s", words, (int)cmdline.n,
				    cmdline.n > 0 ? cmdline.p : "")
		     : NULL;
}

/* ---- compare ------------------------------------------------------------------------------ */

struct setting {
	const char *text; /* "options vfio_pci ids=10ee:5000" */
	bool is_blacklist;
	bool is_matched;
};

struct settings {
	struct setting items[LINES_MAX];
	size_t count;
};

static void add(struct settings *s, const char *text, bool is_blacklist)
{
	if (s->count < LINES_MAX && text[0])
		s->items[s->count++] = (struct setting){text, is_blacklist, false};
}

static bool is_about_vfio(const char *key, const char *value)
{
	return strncmp(key, "vfio", 4) == 0 || strstr(key, "_vfio") ||
	       (value && strstr(value, "vfio"));
}

/* What libkmod makes of the files below @root: the last word of modprobe. */
static int collect(struct check *c, const char *root, struct settings *ret)
{
	struct kmod_ctx *ctx = modload_context(root, NO_MODULES);
	struct kmod_config_iter *iter;

	ret->count = 0;
	if (!ctx)
		return -ENOMEM;
	iter = kmod_config_get_options(ctx);
	while (iter && kmod_config_iter_next(iter)) {
		const char *key = kmod_config_iter_get_key(iter);

		if (is_about_vfio(key, NULL))
			add(ret,
			    check_print(c, "options %s %s", key,
					kmod_config_iter_get_value(iter)),
			    false);
	}
	kmod_config_iter_free_iter(iter);
	iter = kmod_config_get_softdeps(ctx);
	while (iter && kmod_config_iter_next(iter)) {
		const char *key = kmod_config_iter_get_key(iter);
		const char *value = kmod_config_iter_get_value(iter);

		if (is_about_vfio(key, value))
			add(ret, check_print(c, "softdep %s %s", key, value), false);
	}
	kmod_config_iter_free_iter(iter);
	iter = kmod_config_get_blacklists(ctx);
	while (iter && kmod_config_iter_next(iter))
		add(ret, check_print(c, "blacklist %s", kmod_config_iter_get_key(iter)),
		    true);
	kmod_config_iter_free_iter(iter);
	kmod_unref(ctx);
	return 0;
}

static void match(struct settings *a, struct settings *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t k = 0; k < b->count; k++)
			if (strcmp(a->items[i].text, b->items[k].text) == 0)
				a->items[i].is_matched = b->items[k].is_matched = true;
}

/* "\"options vfio_pci ids=10ee:5000\", ...", or NULL if nothing is left. */
static const char *list(struct check *c, const struct settings *s, bool is_blacklist)
{
	const char *text = NULL;
	size_t count = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct setting *item = &s->items[i];

		if (item->is_matched || item->is_blacklist != is_blacklist)
			continue;
		if (count++ < SHOWN_MAX)
			text = check_print(c, "%s%s\"%.120s\"", text ? text : "",
					   text ? ", " : "", item->text);
	}
	return count > SHOWN_MAX
		       ? check_print(c, "%s and %zu more", text, count - SHOWN_MAX)
		       : text;
}

static void report(struct check *c, const struct settings *image,
		   const struct settings *machine)
{
	const char *missing = list(c, machine, false), *extra = list(c, image, false);

	if (missing)
		check_say(c, FINDING_FAIL, OPTIONS_CHECK,
			  "the image lacks %s of the machine's modprobe.d: run %s",
			  missing, c->rebuild);
	if (extra)
		check_say(c, FINDING_FAIL, OPTIONS_CHECK,
			  "the image still has %s, which is no longer in the machine's "
			  "modprobe.d: run %s",
			  extra, c->rebuild);
	/* dracut and mkinitcpio copy all of it in some images only. */
	if (c->generator != GENERATOR_INITRAMFS_TOOLS)
		return;
	missing = list(c, machine, true);
	extra = list(c, image, true);
	if (missing)
		check_say(c, FINDING_NOTE, OPTIONS_CHECK,
			  "the image lacks %s of the machine's modprobe.d: run %s",
			  missing, c->rebuild);
	if (extra)
		check_say(
			c, FINDING_NOTE, OPTIONS_CHECK,
			"the image has %s, which is not in the machine's modprobe.d: run "
			"%s, unless a hook puts it there",
			extra, c->rebuild);
}

/* modprobe.d of the image against the machine's. */
static void compare_modprobe(struct check *check)
{
	static struct settings image, machine;
	cleanup_with(remove_folder) char folder[PATH_MAX] = "";
	int r = unpack(&check->image.tree, &folder);

	if (r == 0)
		r = collect(check, folder, &image);
	if (r == 0)
		r = collect(check, check->sysroot ? check->sysroot : "", &machine);
	if (r < 0) {
		check_say(check, FINDING_UNKNOWN, OPTIONS_CHECK,
			  "the image's modprobe.d cannot be compared with the machine's: "
			  "%s",
			  errno_text(r));
		return;
	}
	match(&image, &machine);
	report(check, &image, &machine);
}

/* ---- compare dracut's command line files ---------------------------------------------------- */

/* Those that the binder reads: of all others its image may have what it likes. */
static void collect_words(struct check *c, const char *words, struct settings *ret)
{
	struct text rest = text_of(words), word;
	struct cmdline_arg arg;

	ret->count = 0;
	while (words_next(&rest, &word)) {
		struct text one = word;

		if (cmdline_next(&one, &arg) &&
		    (text_has_prefix(arg.name, "vfio") ||
		     text_has_prefix(arg.name, "rd.earlybind")))
			add(ret, check_print(c, "%.*s", (int)word.n, word.p), false);
	}
}

/* The same words, and the last of one name counts. */
static bool is_other_order(const struct settings *a, const struct settings *b)
{
	if (a->count != b->count)
		return true;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i].text, b->items[i].text) != 0)
			return true;
	return false;
}

static void report_words(struct check *c, const struct settings *image,
			 const struct settings *machine)
{
	const char *missing = list(c, machine, false), *extra = list(c, image, false);

	if (missing)
		check_say(c, FINDING_FAIL, CMDLINE_CHECK,
			  "the image lacks %s of the machine's dracut.conf "
			  "(kernel_cmdline=); run %s",
			  missing, c->rebuild);
	if (extra)
		check_say(
			c, FINDING_FAIL, CMDLINE_CHECK,
			"the image has %s in dracut's command line files, which is not "
			"in the machine's dracut.conf: run %s, unless a module of dracut "
			"puts it there",
			extra, c->rebuild);
	c->has_foreign_words = extra && !missing;
	if (!missing && !extra && !c->uki.initrd.p && is_other_order(image, machine))
		check_say(
			c, FINDING_FAIL, CMDLINE_CHECK,
			"the image has the words of the machine's dracut.conf in another "
			"order, and the last one counts; run %s",
			c->rebuild);
}

/* In both directions. A unified kernel image may have them in its own command line instead. */
static void compare_cmdline(struct check *c)
{
	static struct settings image, machine, own;
	const char *why, *have, *want;

	if (c->generator != GENERATOR_DRACUT)
		return;
	have = image_options_cmdline(&c->image.tree, c->arena, TEXT(""));
	want = dracut_read_words(c->sysroot, c->arena, &why);
	if (!have || !want) {
		check_say(c, FINDING_UNKNOWN, CMDLINE_CHECK,
			  "dracut's command line files cannot be compared with the "
			  "machine's: %s",
			  have ? why : "out of memory");
		return;
	}
	collect_words(c, have, &image);
	collect_words(c, want, &machine);
	match(&image, &machine);
	collect_words(c, c->options ? c->options : "", &own);
	match(&own, &machine);
	report_words(c, &image, &machine);
}

void check_options(struct check *check)
{
	compare_modprobe(check);
	compare_cmdline(check);
}
