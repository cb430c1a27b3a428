/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dracut.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmdline_words.h"
#include "files.h"
#include "installed.h"
#include "kernel_cmdline.h"
#include "paths.h"
#include "policy.h"
#include "shell_assign.h"

#define CONF_FILES_MAX 256
#define CONF_SIZE_MAX  ((size_t)64 * 1024)
#define RUNNING_MAX    ((size_t)64 * 1024)

/* One that would be in the image. */
struct part {
	const char *
		name; /* in /etc/cmdline.d; NULL: /etc/cmdline, which dracut reads last */
	struct text bytes;
};

struct settings {
	const char *sysroot;
	struct arena *arena;
	struct shell shell;
	const char *names[CONF_FILES_MAX]; /* of files in dracut.conf.d, each once */
	size_t name_count;
	const char *doubt; /* the file from which nothing is known any more; or NULL */
	bool is_mentioned; /* a file names a variable that counts */
	const char *why;

	struct part parts[CMDLINE_FILES_MAX];
	size_t part_count;
};

static const char *const variables[] = {"kernel_cmdline", "install_items",
					"install_optional_items"};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void list_folder(struct settings *s, const char *path)
{
	const char *folder = path_below(s->arena, s->sysroot, path);
	DIR *d = folder ? opendir(folder) : NULL;
	struct dirent *e;

	while (d && (e = readdir(d)) && s->name_count < CONF_FILES_MAX) {
		bool is_there = false;

		if (!text_has_suffix(text_of(e->d_name), ".conf") || e->d_name[0] == '.')
			continue;
		for (size_t i = 0; i < s->name_count; i++)
			is_there = is_there || strcmp(s->names[i], e->d_name) == 0;
		if (!is_there)
			s->names[s->name_count] =
				arena_copy(s->arena, text_of(e->d_name));
		s->name_count += !is_there && s->names[s->name_count];
	}
	if (d)
		closedir(d);
}

/* False if there is no such file. */
static bool read_conf(struct settings *s, const char *path)
{
	const char *file = path_below(s->arena, s->sysroot, path);
	bool was_lost = s->shell.lost != NULL;
	struct shell_assignment *list;
	struct text bytes;
	int r = file ? file_read(file, s->arena, CONF_SIZE_MAX, &bytes, NULL) : -ENOMEM;

	if (r == -ENOENT)
		return false;
	if (r < 0 || shell_read(&s->shell, bytes, &list) < 0) {
		s->doubt = path;
		s->is_mentioned = true;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		s->is_mentioned |= bytes.n > 0 && memmem(bytes.p, bytes.n, variables[i],
							 strlen(variables[i]));
	if (s->shell.lost && !was_lost)
		s->doubt = path;
	return true;
}

/* In dracut's order: of two files of one name the administrator's counts (dropindirs_sort()). */
static void read_settings(struct settings *s)
{
	(void)read_conf(s, DRACUT_CONF);
	list_folder(s, DRACUT_CONF_FOLDER);
	list_folder(s, DRACUT_VENDOR_FOLDER);
	qsort(s->names, s->name_count, sizeof(*s->names), compare_names);
	for (size_t i = 0; i < s->name_count; i++) {
		const char *own =
			arena_printf(s->arena, DRACUT_CONF_FOLDER "/%s", s->names[i]);
		const char *vendor =
			arena_printf(s->arena, DRACUT_VENDOR_FOLDER "/%s", s->names[i]);

		if (own && vendor && !read_conf(s, own))
			(void)read_conf(s, vendor);
	}
}

/* The value of a variable; "" if it has none, or if it cannot be told, which is noted. */
static struct text get(struct settings *s, const char *name)
{
	struct text value = {"", 0};

	if (shell_get(&s->shell, name, &value) == SHELL_UNCLEAR && s->is_mentioned)
		s->why = arena_printf(s->arena, "%s= of dracut.conf is unknown%s%s", name,
				      s->doubt ? ": see " : "", s->doubt ? s->doubt : "");
	return value;
}

static void add_part(struct settings *s, const char *name, struct text bytes)
{
	if (s->part_count == CMDLINE_FILES_MAX)
		s->why = "dracut.conf puts too many files into /" DRACUT_CMDLINE_FOLDER;
	else if (bytes.n > 0)
		s->parts[s->part_count++] = (struct part){name, bytes};
}

/* Those of the files that are named which are about the command line. */
static void add_items(struct settings *s, struct text items)
{
	static const char folder[] = "/" DRACUT_CMDLINE_FOLDER "/";
	struct text word;

	while (text_word(&items, &word)) {
		const char *path = arena_copy(s->arena, word), *file, *name = NULL;
		struct text bytes;

		if (path && text_has_prefix(word, folder) &&
		    text_has_suffix(word, ".conf"))
			name = path + strlen(folder);
		else if (!text_is(word, "/" DRACUT_CMDLINE_FILE))
			continue;
		file = path ? path_below(s->arena, s->sysroot, path) : NULL;
		if (file &&
		    file_read(file, s->arena, CMDLINE_FILE_SIZE_MAX, &bytes, NULL) == 0)
			add_part(s, name, bytes);
	}
}

static int compare_parts(const void *a, const void *b)
{
	const struct part *first = a, *second = b;

	if (!first->name || !second->name)
		return !first->name - !second->name;
	return strcmp(first->name, second->name);
}

const char *dracut_add_words(struct arena *arena, const char *words, struct text bytes)
{
	struct text rest = bytes, word;
	struct cmdline_arg arg;
	size_t n = 0;

	while (words_next(&rest, &word)) {
		struct text one = word;

		if (cmdline_next(&one, &arg) && cmdline_is_end(&arg))
			break;
		n = (size_t)(word.p + word.n - bytes.p);
	}
	return words ? arena_printf(arena, "%s%.*s ", words, (int)n, n > 0 ? bytes.p : "")
		     : NULL;
}

const char *dracut_read_words(const char *sysroot, struct arena *arena,
			      const char **ret_why)
{
	struct settings s = {.sysroot = sysroot, .arena = arena};
	const char *words = "";
	int r = 0;

	*ret_why = "out of memory";
	shell_init(&s.shell, arena, SHELL_BASH);
	for (size_t i = 0; i < ARRAY_SIZE(variables) && r == 0; i++)
		r = shell_define(&s.shell, variables[i], "");
	if (r < 0)
		return NULL;
	read_settings(&s);
	add_part(&s, "01-default.conf", get(&s, variables[0]));
	add_items(&s, get(&s, variables[1]));
	add_items(&s, get(&s, variables[2]));
	if (s.why) {
		*ret_why = s.why;
		return NULL;
	}
	qsort(s.parts, s.part_count, sizeof(*s.parts), compare_parts);
	for (size_t i = 0; i < s.part_count; i++)
		words = dracut_add_words(arena, words, s.parts[i].bytes);
	return words;
}

const char *dracut_read_cmdline(struct world *world, const char *sysroot,
				struct arena *arena)
{
	struct text running = {"", 0};
	const char *words, *why;

	if (installed_choose(GENERATOR_UNKNOWN, installed_generators(sysroot, arena), 0,
			     installed_hooks(sysroot, arena)) != GENERATOR_DRACUT)
		return NULL;
	words = dracut_read_words(sysroot, arena, &why);
	if (!words || !*words ||
	    file_read_world(world, WORLD_PROC, "cmdline", arena, RUNNING_MAX, &running) <
		    0)
		return NULL;
	running = text_trim(running);
	return arena_printf(arena, "%s%.*s", words, (int)running.n, running.p);
}
