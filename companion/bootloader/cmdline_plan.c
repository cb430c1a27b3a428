/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files become what, and which programs are told. Nothing is written here. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "cmdline_command.h"
#include "files.h"
#include "grub.h"
#include "menu_entry.h"
#include "message.h"
#include "paths.h"
#include "cmdline_words.h"

#define OURS_MAX 1024 /* of all parameters; the kernel takes 2048 on x86 */

static int no_memory(void)
{
	say_error("out of memory");
	return -ENOMEM;
}

/* @new NULL: the file goes. */
static int add_change(struct cmdline_command *c, const char *path, const char *new,
		      unsigned mode, bool has_backup)
{
	struct change change = {
		.path = path, .new = new, .mode = mode, .has_backup = has_backup};
	int r = cmdline_read_file(c, path, &change.old);

	if (r < 0)
		return r;
	if (new ? change.old.p &&text_is(change.old, new) : !change.old.p)
		return 0;
	if (c->change_count == CHANGES_MAX)
		return no_memory();
	c->changes[c->change_count++] = change;
	return 0;
}

static int add_command(struct cmdline_command *c, const char *a, const char *b,
		       const char *d)
{
	const char *const words[LOADER_ARGUMENTS_MAX] = {a, b, d};

	if (!a || !b || c->command_count == LOADER_COMMANDS_MAX)
		return no_memory();
	memcpy(c->commands[c->command_count++], words, sizeof(words));
	return 0;
}

/* What makes the changes known, once. */
static void add_updates(struct cmdline_command *c)
{
	if (c->change_count == 0 || c->command_count > 0)
		return;
	memcpy(c->commands, c->loader.commands, sizeof(c->commands));
	c->command_count = c->loader.command_count;
}

/* ---- set ----------------------------------------------------------------------------------- */

struct setting {
	const char *ours; /* all words of ours from now on */
	const char *fresh; /* of them, those that do not stand there yet */
	const char *against; /* of them, those that another value stands against */
	const char *line; /* /etc/kernel/cmdline */
};

static const char *add_word(const char *words, struct text word, struct arena *arena)
{
	return words ? words_add(text_of(words), word, true, arena) : NULL;
}

/* One parameter. */
static int want(struct cmdline_command *c, struct setting *s, const char *param)
{
	struct text word = text_of(param), other, ignored;
	const char *all = words_join(c->before, c->last, c->arena);
	int r;

	if (!all)
		return no_memory();
	if (words_find(text_of(s->ours), word, &ignored) == 1)
		return 0;
	r = words_find(text_of(all), word, &other);
	if (r == 1)
		return 0;
	if (r == -EEXIST && !c->is_forced &&
	    words_find(text_of(s->ours), other, &ignored) != 1) {
		say_error("%.*s is set already, against %s: %s", (int)other.n, other.p,
			  param,
			  c->loader.file ? "take it away, or replace it with --force"
					 : "replace it with --force");
		return r;
	}
	s->ours = words_find(text_of(s->ours), word, &ignored) == -EEXIST
			  ? add_word(s->ours, word, c->arena)
			  : words_add(text_of(s->ours), word, false, c->arena);
	s->fresh = s->fresh ? words_add(text_of(s->fresh), word, false, c->arena) : NULL;
	if (r == -EEXIST) {
		s->against =
			s->against ? words_add(text_of(s->against), word, false, c->arena)
				   : NULL;
		if (c->loader.kind == LOADER_OSTREE) {
			int e = add_command(c, "rpm-ostree", "kargs",
					    arena_printf(c->arena,
							 "--delete-if-present=%.*s",
							 (int)other.n, other.p));

			if (e < 0)
				return e;
		}
	}
	s->line = s->line ? words_add(text_of(s->line), word, r == -EEXIST, c->arena)
			  : NULL;
	return s->ours && s->fresh && s->against && s->line ? 0 : no_memory();
}

static int tell_ostree(struct cmdline_command *c, const char *words, const char *option)
{
	struct text rest = text_of(words), word;
	int r = 0;

	while (r == 0 && words_next(&rest, &word))
		r = add_command(
			c, "rpm-ostree", "kargs",
			arena_printf(c->arena, "--%s=%.*s", option, (int)word.n, word.p));
	return r;
}

static int tell_grubby(struct cmdline_command *c, const char *words, const char *option)
{
	return *words ? add_command(c, "grubby", "--update-kernel=ALL",
				    arena_printf(c->arena, "--%s=%s", option, words))
		      : 0;
}

static int remember(struct cmdline_command *c, const char *words)
{
	const char *text = *words ? arena_printf(c->arena, "%s\n", words) : NULL;

	return *words && !text ? no_memory()
			       : add_change(c, ADDED_FILE, text, 0644, false);
}

/* The marked lines at the end of /etc/default/grub. */
static int set_grub_file(struct cmdline_command *c, const struct setting *s)
{
	const char *rest, *taken, *line, *last = "", *text;
	struct text bytes;
	int r = cmdline_read_file(c, GRUB_FILE, &bytes);

	if (r < 0)
		return r;
	rest = grub_without_lines(bytes, c->arena, &taken);
	line = grub_line("GRUB_CMDLINE_LINUX", s->ours, c->arena);
	if (*s->against)
		last = grub_line("GRUB_CMDLINE_LINUX_DEFAULT", s->against, c->arena);
	if (!rest || !line || !last)
		return no_memory();
	text = arena_alloc(c->arena, strlen(rest) + strlen(line) + strlen(last) + 64, 1);
	if (!text)
		return no_memory();
	sprintf((char *)(uintptr_t)text, "%s%s%s" GRUB_MARK "\n%s%s", rest,
		*rest && rest[strlen(rest) - 1] != '\n' ? "\n" : "", line, last,
		*last ? GRUB_MARK "\n" : "");
	return add_change(c, GRUB_FILE, text, 0644, true);
}

int cmdline_plan_set(struct cmdline_command *c, const struct strings *wanted)
{
	struct setting s = {c->ours, "", "", c->before};
	const char *text;
	int r = 0;

	for (size_t i = 0; i < wanted->count && r == 0; i++)
		r = want(c, &s, wanted->items[i]);
	if (r < 0 || !*s.fresh)
		return r;
	if (strlen(s.ours) > OURS_MAX) {
		say_error(
			"that is more than %d bytes for the kernel command line: put rules "
			"into /etc/earlybind.conf instead",
			OURS_MAX);
		return -E2BIG;
	}
	switch (c->loader.kind) {
	case LOADER_GRUB:
		text = grub_drop_in(s.ours, s.against, c->arena);
		r = text ? add_change(c, GRUB_DROP_IN, text, 0644, false) : no_memory();
		break;
	case LOADER_GRUB_FILE:
		r = set_grub_file(c, &s);
		break;
	case LOADER_FILE:
		r = remember(c, s.ours);
		if (r == 0)
			r = add_change(c, KERNEL_CMDLINE, s.line, 0644, true);
		break;
	case LOADER_OSTREE:
		r = tell_ostree(c, s.fresh, "append-if-missing");
		if (r == 0)
			r = remember(c, s.ours);
		break;
	case LOADER_GRUBBY:
		r = tell_grubby(c, s.fresh, "args");
		if (r == 0)
			r = remember(c, s.ours);
		break;
	case LOADER_ENTRIES:
	case LOADER_UNKNOWN:
		break;
	}
	if (r == 0)
		add_updates(c);
	return r;
}

/* ---- remove -------------------------------------------------------------------------------- */

static const char *without(struct cmdline_command *c, const char *line, const char *words)
{
	struct text rest = text_of(words), word;

	while (line && words_next(&rest, &word))
		line = words_remove(text_of(line), word, c->arena);
	return line;
}

static int remove_entries(struct cmdline_command *c)
{
	static const char *const folders[] = {ENTRIES_FOLDERS};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(folders) && r == 0; i++) {
		const char *path = arena_printf(c->arena, "%s/" ENTRY_NAME, folders[i]);

		r = path ? add_change(c, path, NULL, 0, false) : no_memory();
	}
	return r;
}

int cmdline_plan_remove(struct cmdline_command *c)
{
	const char *rest, *taken, *line;
	struct text bytes;
	int r = cmdline_read_file(c, GRUB_FILE, &bytes);

	if (r == 0 && bytes.p) {
		rest = grub_without_lines(bytes, c->arena, &taken);
		r = rest ? add_change(c, GRUB_FILE, rest, 0644, true) : no_memory();
	}
	if (r == 0)
		r = add_change(c, GRUB_DROP_IN, NULL, 0, false);
	if (r == 0)
		r = add_change(c, GRUB_SCRIPT, NULL, 0, false);
	if (r == 0)
		r = remove_entries(c);
	if (r < 0)
		return r;
	switch (c->loader.kind) {
	case LOADER_FILE:
		line = without(c, c->before, c->ours);
		r = line ? add_change(c, KERNEL_CMDLINE, line, 0644, true) : no_memory();
		break;
	case LOADER_OSTREE:
		r = tell_ostree(c, c->ours, "delete-if-present");
		break;
	case LOADER_GRUBBY:
		r = tell_grubby(c, c->ours, "remove-args");
		break;
	case LOADER_GRUB:
	case LOADER_GRUB_FILE:
	case LOADER_ENTRIES:
	case LOADER_UNKNOWN:
		break;
	}
	if (r == 0)
		add_updates(c);
	return r == 0 ? add_change(c, ADDED_FILE, NULL, 0, false) : r;
}

/* ---- the menu entry ------------------------------------------------------------------------ */

static int compare_entries(struct text a, const char *a_name, struct text b,
			   const char *b_name, struct arena *arena)
{
	struct text va = menu_entry_version(a), vb = menu_entry_version(b);
	const char *x = arena_copy(arena, va), *y = arena_copy(arena, vb);

	return x && y && va.n > 0 && vb.n > 0 ? strverscmp(x, y)
					      : strverscmp(a_name, b_name);
}

/* The newest entry that boots a kernel, copied. */
static int copy_entry(struct cmdline_command *c)
{
	const char *folder = path_below(c->arena, c->sysroot, c->loader.entries);
	DIR *d = folder ? opendir(folder) : NULL;
	const char *best_name = "", *path, *copy;
	struct text best = {NULL, 0};
	struct dirent *e;

	while (d && (e = readdir(d))) {
		const char *name = arena_copy(c->arena, text_of(e->d_name));
		struct text bytes;

		if (!name || name[0] == '.' || strcmp(name, ENTRY_NAME) == 0 ||
		    strlen(name) < 6 || strcmp(name + strlen(name) - 5, ".conf") != 0)
			continue;
		path = arena_printf(c->arena, "%s/%s", c->loader.entries, name);
		if (!path || cmdline_read_file(c, path, &bytes) < 0 || !bytes.p ||
		    !menu_entry_copy(bytes, c->arena))
			continue;
		if (best.p && compare_entries(bytes, name, best, best_name, c->arena) < 0)
			continue;
		best = bytes;
		best_name = name;
	}
	if (d)
		closedir(d);
	copy = best.p ? menu_entry_copy(best, c->arena) : NULL;
	path = arena_printf(c->arena, "%s/" ENTRY_NAME, c->loader.entries);
	if (!copy || !path) {
		say_error("%s: there is no entry that boots a kernel", c->loader.entries);
		return -ENOENT;
	}
	return add_change(c, path, copy, 0644, false);
}

/* Fedora's GRUB shows the entries, and 10_linux makes none. */
static bool is_grub_with_entries(struct cmdline_command *c)
{
	static const char mark[] = "GRUB_ENABLE_BLSCFG=true";
	struct text bytes;

	return c->loader.entries && cmdline_read_file(c, GRUB_FILE, &bytes) == 0 &&
	       bytes.n > 0 && memmem(bytes.p, bytes.n, mark, sizeof(mark) - 1);
}

int cmdline_plan_menu_entry(struct cmdline_command *c)
{
	int r = -ENOENT;

	switch (c->loader.kind) {
	case LOADER_GRUB:
	case LOADER_GRUB_FILE:
		if (is_grub_with_entries(c))
			return copy_entry(c);
		r = add_change(c, GRUB_SCRIPT, menu_grub_script, 0755, false);
		if (r == 0)
			add_updates(c);
		return r;
	case LOADER_OSTREE:
	case LOADER_GRUBBY:
	case LOADER_FILE:
	case LOADER_ENTRIES:
	case LOADER_UNKNOWN:
		break;
	}
	if (c->loader.entries && c->loader.kind != LOADER_OSTREE)
		return copy_entry(c);
	say_error(
		"no menu entry can be made here: there is neither GRUB's menu nor a folder "
		"of entries. For a boot without earlybind press e in the boot menu and add " MENU_PARAMETER
		" to the kernel command line");
	return r;
}
