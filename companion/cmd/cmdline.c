/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is set now, in the files of the boot loader; which files become what, and which programs
 * are told; and then it is done. Nothing is written before cmdline_carry_out().
 */
#include "cmdline.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootloader.h"
#include "cmdline_words.h"
#include "commands.h"
#include "edit_file.h"
#include "files.h"
#include "installed.h"
#include "iommu.h"
#include "iommu_advice.h"
#include "loader_files.h"
#include "message.h"
#include "options.h"
#include "paths.h"
#include "process.h"
#include "reason.h"
#include "result.h"

/* A file that is to be another one. */
struct change {
	const char *path; /* as users know it */
	struct text old; /* p is NULL: there is none */
	const char *new; /* NULL: it goes */
	unsigned mode;
	bool has_backup; /* it is not earlybind's own: the old one is kept */
	/* What reads the file: 0 if it is as it must be; @arg is the struct cmdline_command. */
	int (*check)(const void *arg, struct text bytes);
};

#define CMDLINE_FILE_MAX ((size_t)1024 * 1024)
#define CHANGES_MAX	 16
#define OURS_MAX	 1024 /* of all parameters; the kernel takes 2048 on x86 */
#define BACKUP_SUFFIX	 ".earlybind-backup"

struct cmdline_command {
	/* Options. */
	bool is_set, is_dry_run, is_removed, is_forced, has_no_update, has_menu_entry;
	struct strings added;
	const char *sysroot;
	struct result result;

	struct arena *arena;
	struct world *world;
	struct text running; /* /proc/cmdline */
	struct iommu iommu;
	struct bootloader loader;

	const char *before; /* what stands where parameters are set, without ours */
	const char *last; /* what stands behind that, GRUB_CMDLINE_LINUX_DEFAULT */
	const char *ours; /* the words that an earlier --set added */

	const char *expected; /* words that must be in what is written; NULL: none */
	struct change changes[CHANGES_MAX];
	size_t change_count;
	const char *commands[LOADER_COMMANDS_MAX][LOADER_ARGUMENTS_MAX];
	size_t command_count;
	bool is_done; /* files are written, what was to be run has been, and nothing is left */
};

static int no_memory(void)
{
	say_error("out of memory");
	return -ENOMEM;
}

/* p is NULL where there is no file. */
static int read_file(struct cmdline_command *c, const char *path, struct text *ret)
{
	const struct edit_file f = {.name = path, .sysroot = c->sysroot};
	const char *whole =
		arena_printf(c->arena, "%s%s", c->sysroot ? c->sysroot : "", path);
	int r = edit_file_read(&f, c->arena, CMDLINE_FILE_MAX, ret);
	struct stat st;

	/* A link to /dev/null is how some switch a file off. */
	if (r == -EINVAL && whole && stat(whole, &st) == 0 && S_ISCHR(st.st_mode)) {
		*ret = TEXT("");
		return 0;
	}
	if (r < 0)
		say_error("%s: it cannot be read: %s", path,
			  r == -EINVAL ? "it is no file" : errno_text(r));
	return r;
}

static int parse_grub(struct grub_settings *g, const char *path, struct text bytes)
{
	int r = grub_parse(g, path, bytes);

	if (r == -EINVAL)
		say_error("%s:%u:%u: %s: correct it first, since no shell will read the "
			  "file",
			  path, g->shell.lost_place.line, g->shell.lost_place.column,
			  g->shell.lost);
	else if (r < 0)
		say_error("out of memory");
	return r;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int too_many_files(void)
{
	say_error(GRUB_FOLDER ": there are more than %d files", GRUB_FILES_MAX);
	return -E2BIG;
}

/* /etc/default/grub.d/\*.cfg, in the order of the shell's names. */
static int parse_grub_folder(struct cmdline_command *c, struct grub_settings *g)
{
	const char *folder = path_below(c->arena, c->sysroot, GRUB_FOLDER);
	const char *names[GRUB_FILES_MAX], *name;
	size_t count = 0;
	struct dirent *e;
	DIR *d = folder ? opendir(folder) : NULL;
	int r = 0;

	while (d && r == 0 && (e = readdir(d))) {
		size_t n = strlen(e->d_name);

		if (e->d_name[0] == '.' || n < 5 ||
		    strcmp(e->d_name + n - 4, ".cfg") != 0)
			continue;
		name = arena_printf(c->arena, GRUB_FOLDER "/%s", e->d_name);
		if (!name)
			r = no_memory();
		else if (strcmp(name, GRUB_DROP_IN) != 0 && count == GRUB_FILES_MAX)
			r = too_many_files();
		else if (strcmp(name, GRUB_DROP_IN) != 0)
			names[count++] = name;
	}
	if (d)
		closedir(d);
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count && r == 0; i++) {
		struct text bytes = TEXT("");

		r = read_file(c, names[i], &bytes);
		if (r == 0)
			r = parse_grub(g, names[i], bytes);
	}
	return r;
}

static int read_grub(struct cmdline_command *c)
{
	struct grub_settings settings = {0}, own = {0};
	struct text bytes = TEXT(""), drop_in = TEXT("");
	const char *rest, *taken = "";
	int r;

	r = grub_init(&settings, c->arena, bootloader_shell(c->sysroot, c->arena));
	if (r == 0)
		r = grub_init(&own, c->arena, SHELL_SH);
	if (r < 0)
		return no_memory();
	r = read_file(c, GRUB_FILE, &bytes);
	if (r == 0)
		r = read_file(c, GRUB_DROP_IN, &drop_in);
	if (r < 0)
		return r;
	if (bytes.n > 0 && memchr(bytes.p, '\0', bytes.n)) {
		say_error(GRUB_FILE ": it has a byte of zero: correct it first");
		return -EINVAL;
	}
	rest = grub_without_lines(bytes, c->arena, &taken);
	if (!rest)
		return -ENOMEM;
	r = parse_grub(&settings, GRUB_FILE, text_of(rest));
	if (r == 0 && c->loader.facts.has_grub_folder)
		r = parse_grub_folder(c, &settings);
	if (r == 0)
		r = parse_grub(&own, GRUB_FILE, text_of(taken));
	if (r == 0)
		r = parse_grub(&own, GRUB_DROP_IN, drop_in);
	if (r < 0)
		return r;
	if (settings.doubt_file)
		paragraph_line(
			stdout, 0,
			"note: %s:%u:%u sets the kernel command line in a way that is "
			"not understood (%s): it is ignored here",
			settings.doubt_file, settings.doubt_place.line,
			settings.doubt_place.column, settings.doubt_why);
	c->before = settings.line;
	c->last = settings.line_default;
	c->ours = grub_unquote(own.line ? own.line : "", c->arena);
	return c->ours ? 0 : -ENOMEM;
}

/* The words that are remembered, since the place itself does not tell whose they are. */
static int read_added(struct cmdline_command *c)
{
	struct text bytes;
	int r = read_file(c, ADDED_FILE, &bytes);

	if (r < 0)
		return r;
	c->ours = arena_copy(c->arena, text_trim(bytes));
	return c->ours ? 0 : -ENOMEM;
}

/*
 * The words that are in @line, too: what was remembered when the program was killed, or was
 * taken away by somebody else since, is not set.
 */
static const char *keep_common(const char *words, const char *line, struct arena *arena)
{
	struct text rest = text_of(words), word, other;
	const char *kept = "";

	while (kept && words_next(&rest, &word))
		if (words_find(text_of(line), word, &other) == 1)
			kept = words_add(text_of(kept), word, false, arena);
	return kept;
}

static int read_entries(struct cmdline_command *c)
{
	const char *folder = path_below(c->arena, c->sysroot, c->loader.entries);
	DIR *d = folder ? opendir(folder) : NULL;
	struct dirent *e;

	/* One stands for all. */
	while (d && (e = readdir(d))) {
		const char *path =
			arena_printf(c->arena, "%s/%s", c->loader.entries, e->d_name);
		struct text bytes;

		if (e->d_name[0] == '.' || strcmp(e->d_name, ENTRY_NAME) == 0 || !path ||
		    read_file(c, path, &bytes) < 0)
			continue;
		c->before = menu_entry_options(bytes, c->arena);
		if (!c->before)
			c->before = "";
	}
	if (d)
		closedir(d);
	return 0;
}

/* The command line of this boot stands for all of the file. */
static int read_lines(struct cmdline_command *c)
{
	struct text bytes, rest, line, best = {NULL, 0};
	int r = read_file(c, c->loader.file, &bytes);

	if (r < 0)
		return r;
	if (bytes.n > 0 && memchr(bytes.p, '\0', bytes.n)) {
		say_error("%s: it has a byte of zero: correct it first", c->loader.file);
		return -EINVAL;
	}
	r = read_added(c);
	for (rest = bytes; !best.p && r == 0 && line_next(c->loader.form, &rest, &line);)
		if (line_has_booted(line, c->running, text_of(c->ours)))
			best = line;
	c->before = arena_copy(c->arena, best.p ? best : TEXT(""));
	if (!c->before)
		r = -ENOMEM;
	if (r == 0)
		c->ours = keep_common(c->ours, c->before, c->arena);
	return c->ours ? r : -ENOMEM;
}

/* /etc/kernel/cmdline as all of its readers understand it. */
static int check_kernel_cmdline(const struct cmdline_command *c, struct text bytes)
{
	struct text first;

	/* Where it is read by others than a new kernel-install, comments count. */
	if (bytes.n > 0 && memchr(bytes.p, '#', bytes.n)) {
		say_error(KERNEL_CMDLINE ": it has comments, which not every program "
					 "that reads it understands: remove them");
		return -EINVAL;
	}
	(void)text_cut(&bytes, '\n', &first);
	if (c->loader.facts.has_proxmox && text_trim(bytes).n > 0) {
		say_error(KERNEL_CMDLINE
			  ": it has several lines, and proxmox-boot-tool reads "
			  "only the first one: put all words into that line");
		return -EINVAL;
	}
	return 0;
}

/* Reads what is set now: before, last, ours. Says what is wrong. */
static int cmdline_read_settings(struct cmdline_command *c)
{
	struct text bytes;
	int r;

	c->before = c->last = c->ours = "";
	switch (c->loader.kind) {
	case LOADER_GRUB:
	case LOADER_GRUB_FILE:
		return read_grub(c);
	case LOADER_FILE:
		r = read_file(c, KERNEL_CMDLINE, &bytes);
		if (r < 0)
			return r;
		r = check_kernel_cmdline(c, bytes);
		if (r < 0)
			return r;
		c->before = arena_copy(c->arena, bytes);
		r = c->before ? read_added(c) : -ENOMEM;
		if (r == 0)
			c->ours = keep_common(c->ours, c->before, c->arena);
		return c->ours ? r : -ENOMEM;
	case LOADER_OSTREE:
	case LOADER_KERNELSTUB:
		c->before = arena_copy(c->arena, c->running);
		return c->before ? read_added(c) : -ENOMEM;
	case LOADER_LINES:
		return read_lines(c);
	case LOADER_GRUBBY:
		r = read_entries(c);
		return r < 0 ? r : read_added(c);
	case LOADER_ENTRIES:
		return read_entries(c);
	case LOADER_HELPER:
	case LOADER_FIRMWARE:
	case LOADER_UNKNOWN:
		break;
	}
	return 0;
}

/* ---- what reads it --------------------------------------------------------------------- */

static int find_expected(const struct cmdline_command *c, const char *line)
{
	struct text rest = text_of(c->expected ? c->expected : ""), word, other;

	while (line && words_next(&rest, &word))
		if (words_find(text_of(line), word, &other) != 1)
			return -EBADMSG;
	return line ? 0 : -ENOMEM;
}

/* GRUB's settings: no shell stops at them, and what was to be added is there. */
static int check_grub(const void *arg, struct text bytes)
{
	const struct cmdline_command *c = arg;
	struct grub_settings g;
	int r = grub_init(&g, c->arena, SHELL_SH);

	if (r == 0)
		r = grub_parse(&g, GRUB_FILE, bytes);
	if (r < 0 || g.doubt_file)
		return r;
	return find_expected(c, grub_unquote(g.line, c->arena));
}

/* One line of words. */
static int check_words(const void *arg, struct text bytes)
{
	const struct cmdline_command *c = arg;

	if (bytes.n > 0 && memchr(bytes.p, '\0', bytes.n))
		return -EBADMSG;
	return find_expected(c, arena_copy(c->arena, bytes));
}

/* Each command line of the file. */
static int check_lines(const void *arg, struct text bytes)
{
	const struct cmdline_command *c = arg;
	struct text rest = bytes, line;
	bool has_line = false;
	int r = 0;

	if (bytes.n > 0 && memchr(bytes.p, '\0', bytes.n))
		return -EBADMSG;
	while (r == 0 && line_next(c->loader.form, &rest, &line)) {
		if (!line_is_linux(c->loader.form, line))
			continue;
		has_line = true;
		r = find_expected(c, arena_copy(c->arena, line));
	}
	return has_line ? r : -EBADMSG;
}

/* An entry that boots a kernel, without earlybind. */
static int check_entry(const void *arg, struct text bytes)
{
	const struct cmdline_command *c = arg;
	const char *options = menu_entry_options(bytes, c->arena);
	struct text other;

	if (!options || !menu_entry_copy(bytes, c->arena))
		return -EBADMSG;
	return words_find(text_of(options), TEXT(MENU_PARAMETER), &other) == 1 ? 0
									       : -EBADMSG;
}

/* ---- changes --------------------------------------------------------------------------- */

/* @new NULL: the file goes. */
static int add_change(struct cmdline_command *c, const char *path, const char *new,
		      unsigned mode, bool has_backup,
		      int (*check)(const void *arg, struct text bytes))
{
	struct change change = {.path = path,
				.new = new,
				.mode = mode,
				.has_backup = has_backup,
				.check = check};
	int r = read_file(c, path, &change.old);

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

static int tell_kernelstub(struct cmdline_command *c, const char *words,
			   const char *option)
{
	return words && *words ? add_command(c, "kernelstub", option, words) : 0;
}

/* @words are added to each line of the file, or taken out of it. */
static int change_lines(struct cmdline_command *c, const char *words, bool is_added)
{
	const char *path = c->loader.file, *text;
	struct text bytes;
	int r = read_file(c, path, &bytes);

	if (r < 0)
		return r;
	text = is_added ? line_file_add(c->loader.form, bytes, text_of(words),
					c->is_forced, c->arena)
			: line_file_remove(c->loader.form, bytes, text_of(words),
					   c->arena);
	return text ? add_change(c, path, text, 0644, true, check_lines) : no_memory();
}

static const char *add_word(const char *words, struct text word, struct arena *arena)
{
	return words ? words_add(text_of(words), word, true, arena) : NULL;
}

/* One parameter. */
static int want(struct cmdline_command *c, struct setting *s, const char *param)
{
	struct text word = text_of(param), other, ignored;
	const char *all = arena_printf(c->arena, "%s %s", c->before, c->last);
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
		say_error("%.*s is set already and contradicts %s: %s", (int)other.n,
			  other.p, param,
			  c->loader.file ? "remove it, or replace it with --force"
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
		if (c->loader.kind == LOADER_KERNELSTUB) {
			int e = tell_kernelstub(c, arena_copy(c->arena, other),
						"--delete-options");

			if (e < 0)
				return e;
		}
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

	return *words && !text
		       ? no_memory()
		       : add_change(c, ADDED_FILE, text, 0644, false, check_words);
}

/* The marked lines at the end of /etc/default/grub. */
static int set_grub_file(struct cmdline_command *c, const struct setting *s)
{
	const char *rest, *taken, *line, *last = "", *text;
	struct text bytes;
	int r = read_file(c, GRUB_FILE, &bytes);

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
	return add_change(c, GRUB_FILE, text, 0644, true, check_grub);
}

/* Where the boot loader has it from. */
static int plan_setting(struct cmdline_command *c, const struct setting *s)
{
	const char *text;
	int r = 0;

	switch (c->loader.kind) {
	case LOADER_GRUB:
		text = grub_drop_in(s->ours, s->against, c->arena);
		r = text ? add_change(c, GRUB_DROP_IN, text, 0644, false, check_grub)
			 : no_memory();
		break;
	case LOADER_GRUB_FILE:
		r = set_grub_file(c, s);
		break;
	case LOADER_FILE:
		r = remember(c, s->ours);
		if (r == 0)
			r = add_change(c, KERNEL_CMDLINE, s->line, 0644, true,
				       check_words);
		break;
	case LOADER_OSTREE:
		r = tell_ostree(c, s->fresh, "append-if-missing");
		if (r == 0)
			r = remember(c, s->ours);
		break;
	case LOADER_GRUBBY:
		r = tell_grubby(c, s->fresh, "args");
		if (r == 0)
			r = remember(c, s->ours);
		break;
	case LOADER_KERNELSTUB:
		r = tell_kernelstub(c, s->fresh, "--add-options");
		if (r == 0)
			r = remember(c, s->ours);
		break;
	case LOADER_LINES:
		r = remember(c, s->ours);
		if (r == 0)
			r = change_lines(c, s->fresh, true);
		break;
	case LOADER_HELPER:
	case LOADER_ENTRIES:
	case LOADER_FIRMWARE:
	case LOADER_UNKNOWN:
		break;
	}
	return r;
}

/* Changes that add @words, those of ours among them, or take all away. -EEXIST: refused, said. */
static int cmdline_plan_set(struct cmdline_command *c, const struct strings *wanted)
{
	struct setting s = {c->ours, "", "", c->before};
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
	c->expected = s.ours;
	r = plan_setting(c, &s);
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

		r = path ? add_change(c, path, NULL, 0, false, NULL) : no_memory();
	}
	return r;
}

/* Changes that add @words, those of ours among them, or take all away. -EEXIST: refused, said. */
static int cmdline_plan_remove(struct cmdline_command *c)
{
	const char *rest, *taken, *line;
	struct text bytes;
	int r = read_file(c, GRUB_FILE, &bytes);

	if (r == 0 && bytes.p) {
		rest = grub_without_lines(bytes, c->arena, &taken);
		r = rest ? add_change(c, GRUB_FILE, rest, 0644, true, check_grub)
			 : no_memory();
	}
	if (r == 0)
		r = add_change(c, GRUB_DROP_IN, NULL, 0, false, NULL);
	if (r == 0)
		r = add_change(c, GRUB_SCRIPT, NULL, 0, false, NULL);
	if (r == 0)
		r = remove_entries(c);
	if (r < 0)
		return r;
	switch (c->loader.kind) {
	case LOADER_FILE:
		line = without(c, c->before, c->ours);
		r = line ? add_change(c, KERNEL_CMDLINE, line, 0644, true, check_words)
			 : no_memory();
		break;
	case LOADER_OSTREE:
		r = tell_ostree(c, c->ours, "delete-if-present");
		break;
	case LOADER_GRUBBY:
		r = tell_grubby(c, c->ours, "remove-args");
		break;
	case LOADER_KERNELSTUB:
		r = tell_kernelstub(c, c->ours, "--delete-options");
		break;
	case LOADER_LINES:
		r = *c->ours ? change_lines(c, c->ours, false) : 0;
		break;
	case LOADER_HELPER:
	case LOADER_GRUB:
	case LOADER_GRUB_FILE:
	case LOADER_ENTRIES:
	case LOADER_FIRMWARE:
	case LOADER_UNKNOWN:
		break;
	}
	if (r == 0)
		add_updates(c);
	return r == 0 ? add_change(c, ADDED_FILE, NULL, 0, false, NULL) : r;
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

/* The newest entry that boots a kernel, copied. NULL: there is none. */
static const char *find_copy(struct cmdline_command *c)
{
	const char *folder = path_below(c->arena, c->sysroot, c->loader.entries);
	DIR *d = folder ? opendir(folder) : NULL;
	const char *best_name = "", *path;
	struct text best = {NULL, 0};
	struct dirent *e;

	while (d && (e = readdir(d))) {
		const char *name = arena_copy(c->arena, text_of(e->d_name));
		struct text bytes;

		if (!name || name[0] == '.' || strcmp(name, ENTRY_NAME) == 0 ||
		    strlen(name) < 6 || strcmp(name + strlen(name) - 5, ".conf") != 0)
			continue;
		path = arena_printf(c->arena, "%s/%s", c->loader.entries, name);
		if (!path || read_file(c, path, &bytes) < 0 || !bytes.p ||
		    !menu_entry_copy(bytes, c->arena))
			continue;
		if (best.p && compare_entries(bytes, name, best, best_name, c->arena) < 0)
			continue;
		best = bytes;
		best_name = name;
	}
	if (d)
		closedir(d);
	return best.p ? menu_entry_copy(best, c->arena) : NULL;
}

static const char *copy_path(const struct cmdline_command *c)
{
	return arena_printf(c->arena, "%s/" ENTRY_NAME, c->loader.entries);
}

static int copy_entry(struct cmdline_command *c)
{
	const char *copy = find_copy(c), *path = copy_path(c);

	if (!copy || !path) {
		say_error("%s: there is no entry that boots a kernel", c->loader.entries);
		return -ENOENT;
	}
	return add_change(c, path, copy, 0644, false, check_entry);
}

/* Fedora's GRUB shows the entries, and 10_linux makes none. */
static bool is_grub_with_entries(struct cmdline_command *c)
{
	struct shell_assignment *list;
	struct text bytes, value;
	struct shell shell;

	shell_init(&shell, c->arena, bootloader_shell(c->sysroot, c->arena));
	return c->loader.entries && read_file(c, GRUB_FILE, &bytes) == 0 &&
	       shell_read(&shell, bytes, &list) == 0 &&
	       shell_get(&shell, "GRUB_ENABLE_BLSCFG", &value) == SHELL_KNOWN &&
	       text_is(value, "true");
}

/* Changes that add @words, those of ours among them, or take all away. -EEXIST: refused, said. */
static int cmdline_plan_menu_entry(struct cmdline_command *c)
{
	int r = -ENOENT;

	switch (c->loader.kind) {
	case LOADER_GRUB:
	case LOADER_GRUB_FILE:
		if (is_grub_with_entries(c))
			return copy_entry(c);
		r = add_change(c, GRUB_SCRIPT, menu_grub_script, 0755, false, NULL);
		if (r == 0)
			add_updates(c);
		return r;
	case LOADER_OSTREE:
	case LOADER_GRUBBY:
	case LOADER_FILE:
	case LOADER_KERNELSTUB:
	case LOADER_LINES:
	case LOADER_HELPER:
	case LOADER_ENTRIES:
	case LOADER_FIRMWARE:
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

enum menu_state {
	MENU_NONE, /* and none can be made */
	MENU_POSSIBLE,
	MENU_THERE,
};

/* The entry without earlybind. Says nothing. */
static enum menu_state find_menu_entry(struct cmdline_command *c)
{
	bool is_grub =
		c->loader.kind == LOADER_GRUB || c->loader.kind == LOADER_GRUB_FILE;
	bool is_script = is_grub && !is_grub_with_entries(c);
	const char *path = is_script ? GRUB_SCRIPT : NULL;
	struct text bytes = {NULL, 0};

	if (!is_script && c->loader.entries && c->loader.kind != LOADER_OSTREE)
		path = copy_path(c);
	if (!path)
		return MENU_NONE;
	if (read_file(c, path, &bytes) == 0 && bytes.p)
		return MENU_THERE;
	/* Without a program that makes GRUB's menu, the script does nothing. */
	if (is_script ? c->loader.command_count > 0 : find_copy(c) != NULL)
		return MENU_POSSIBLE;
	return MENU_NONE;
}

void cmdline_say_way_back(struct world *world, const char *sysroot, struct arena *arena)
{
	struct cmdline_command c = {.sysroot = sysroot, .arena = arena, .world = world};
	enum menu_state menu;

	bootloader_find(world, sysroot, arena, &c.loader);
	menu = find_menu_entry(&c);
	if (menu == MENU_THERE) {
		paragraph_line(stdout, 0,
			       "if the machine does not come up: choose the entry \"... "
			       "(without earlybind)\" in the boot menu");
		return;
	}
	paragraph_line(stdout, 0, "if the machine does not come up: %s",
		       c.loader.facts.is_by_grub
			       ? "press e in the boot menu, add " MENU_PARAMETER
				 " to the end of the line that begins with linux, and "
				 "press Ctrl-X"
		       : c.loader.facts.is_by_stub
			       ? "press e in the boot menu, add " MENU_PARAMETER
				 " to the end of the line, and press Enter"
			       : "boot it with " MENU_PARAMETER
				 " on the kernel command line");
	if (menu == MENU_POSSIBLE)
		paragraph_line(stdout, 0,
			       "\"earlybind cmdline --menu-entry\" makes an entry of the "
			       "boot menu for that");
}

/* ---- done -------------------------------------------------------------------------------------- */

/* Lines with '-' or '+' in front. */
static void put_lines(char mark, struct text t)
{
	struct text line;

	while (t.n > 0 && text_cut(&t, '\n', &line)) {
		fputc(mark, stdout);
		put_text(stdout, line);
		fputc('\n', stdout);
	}
}

/* The lines that differ: changes here are in one place. */
static void show(const struct change *change)
{
	struct text old = change->old,
		    new = change->new ? text_of(change->new) : (struct text){"", 0};
	size_t same = 0, line = 0, end = 0;

	while (same < old.n && same < new.n &&old.p[same] == new.p[same]) {
		same++;
		if (old.p[same - 1] == '\n')
			line = same;
	}
	if (same == old.n && (same == 0 || old.p[same - 1] == '\n'))
		line = same;
	old = (struct text){old.n > 0 ? old.p + line : "", old.n - MIN(line, old.n)};
	new = (struct text){new.p + line, new.n - line};
	/* Whole lines at the end that both have. */
	for (size_t i = 0;
	     i < old.n && i < new.n &&old.p[old.n - 1 - i] == new.p[new.n - 1 - i]; i++)
		if (i + 1 < old.n && i + 1 < new.n &&old.p[old.n - 2 - i] == '\n' &&
		    new.p[new.n - 2 - i] == '\n')
			end = i + 1;
	printf("%s%s\n", change->path,
	       !change->new	? ": removed"
	       : !change->old.p ? ": new"
				: ":");
	put_lines('-', (struct text){old.p, old.n - end});
	put_lines('+', (struct text){new.p, new.n - end});
}

/* How it was without earlybind: the first one is kept. */
static int keep_backup(struct cmdline_command *c, const struct change *change)
{
	struct edit_file backup = {.sysroot = c->sysroot, .like = change->path};
	struct text there;
	int r;

	backup.name = arena_printf(c->arena, "%s" BACKUP_SUFFIX, change->path);
	if (!backup.name)
		return -ENOMEM;
	r = edit_file_read(&backup, c->arena, CMDLINE_FILE_MAX, &there);
	if (r == 0 && !there.p)
		r = edit_file_replace(&backup, there, change->old, c->arena);
	if (r < 0)
		edit_file_say(&backup, r);
	return r;
}

static int make(struct cmdline_command *c, const struct change *change)
{
	const struct edit_file f = {.name = change->path,
				    .sysroot = c->sysroot,
				    .mode = change->mode,
				    .check = change->check,
				    .arg = c};
	struct text new = change->new ? text_of(change->new) : (struct text){NULL, 0};
	int r;

	if (change->new && change->has_backup && change->old.p) {
		r = keep_backup(c, change);
		if (r < 0)
			return r;
	}
	r = edit_file_replace(&f, change->old, new, c->arena);
	if (r < 0)
		edit_file_say(&f, r);
	return r;
}

static void print_command(const char *label, const char *const *argv)
{
	struct paragraph p = {stdout, 0, 4, false};
	char word[2 * OURS_MAX];

	paragraph_add(&p, "%s", label);
	for (size_t i = 0; i < LOADER_ARGUMENTS_MAX && argv[i]; i++) {
		struct text_buffer b = {.buf = word, .size = sizeof(word)};

		text_add_word(&b, argv[i]);
		paragraph_add(&p, "%s", text_shown(&b));
	}
	paragraph_end(&p);
}

static int run_program(const char *const *argv)
{
	struct process p = {.log_fd = -1};
	int r;

	memcpy(p.argv, argv, LOADER_ARGUMENTS_MAX * sizeof(*argv));
	print_command("running:", argv);
	r = process_run(&p);
	if (r < 0)
		say_error("%s cannot be run: %s", argv[0], errno_text(r));
	else if (p.signal != 0)
		say_error("%s was interrupted: run it again", argv[0]);
	else if (p.code != 0)
		say_error(
			"%s ended with exit code %d: correct what it names, then run it "
			"again",
			argv[0], p.code);
	return r == 0 && p.code == 0 && p.signal == 0 ? EXIT_OK : EXIT_FAILED;
}

/*
 * What has to be done by hand before a boot has what the settings say, as no program that is known
 * does it: "make ...". NULL for nothing.
 */
static const char *cmdline_by_hand(const struct cmdline_command *c)
{
	const struct bootloader *l = &c->loader;

	if (l->facts.is_by_ukify)
		return "make the unified image again with ukify, as you made it before";
	if (l->command_count > 0)
		return NULL;
	if (l->kind == LOADER_FILE)
		return "make the entries or unified images again with your "
		       "distribution's program";
	if (l->kind == LOADER_GRUB || l->kind == LOADER_GRUB_FILE)
		return "make GRUB's menu again with your distribution's program";
	return NULL;
}

/* Whether a file changes that something else is made of: neither an entry nor our own note. */
static bool has_setting(const struct cmdline_command *c)
{
	for (size_t i = 0; i < c->change_count; i++)
		if (strcmp(c->changes[i].path, ADDED_FILE) != 0 &&
		    !text_has_suffix(text_of(c->changes[i].path), "/" ENTRY_NAME))
			return true;
	return false;
}

/*
 * Prints the changes, makes them, gives back @lock of edit_lock(), and runs the commands. The
 * exit code.
 */
static int cmdline_carry_out(struct cmdline_command *c, int *lock)
{
	bool has_commands = !c->has_no_update && !c->sysroot;
	const char *left;
	int code = EXIT_OK;

	for (size_t i = 0; i < c->change_count; i++)
		show(&c->changes[i]);
	for (size_t i = 0; i < c->change_count && !c->is_dry_run; i++)
		if (make(c, &c->changes[i]) < 0)
			return EXIT_FAILED;
	/* Programs that are run may have images made, whose hooks keep the rules. */
	lock_release(lock);
	for (size_t i = 0; i < c->command_count && code == EXIT_OK; i++) {
		if (c->is_dry_run && !c->has_no_update)
			print_command("would run:", c->commands[i]);
		else if (!has_commands)
			print_command("left to do:", c->commands[i]);
		else
			code = run_program(c->commands[i]);
	}
	left = has_setting(c) ? cmdline_by_hand(c) : NULL;
	if (code == EXIT_OK && left)
		paragraph_line(stdout, 0, "left to do: %s", left);
	c->is_done = code == EXIT_OK && !c->is_dry_run && !left &&
		     (has_commands || c->command_count == 0);
	return code;
}

/* ---- the command ------------------------------------------------------------------------- */

#define EXIT_NOWHERE 3
#define COMMAND_SIZE 4096

/* What this machine needs, then what was asked for. */
static int collect(struct cmdline_command *c, struct strings *ret)
{
	const char *why, *parameter = iommu_parameter(&c->iommu, &why);

	*ret = (struct strings){0};
	if (parameter)
		ret->items[ret->count++] = parameter;
	for (size_t i = 0; i < c->added.count; i++) {
		const char *word = c->added.items[i], *wrong = words_check(text_of(word));

		if (wrong) {
			say_error("cmdline: \"%s\" is no parameter: %s", word, wrong);
			return -EINVAL;
		}
		if (ret->count < STRINGS_MAX)
			ret->items[ret->count++] = word;
	}
	return 0;
}

static bool is_there(const char *line, const char *param)
{
	struct text other;

	return words_find(text_of(line), text_of(param), &other) == 1;
}

/* What is set for the next boot. */
static const char *settings(const struct cmdline_command *c)
{
	const char *all = arena_printf(c->arena, "%s %s %s", c->before, c->last, c->ours);

	return all ? all : "";
}

static bool is_running_with(const struct cmdline_command *c, const char *parameter)
{
	return words_find(c->running, text_of(parameter), &(struct text){0}) == 1;
}

static void say_place(const struct cmdline_command *c)
{
	const struct bootloader *l = &c->loader;

	if (l->kind == LOADER_HELPER && !l->file)
		paragraph_line(stdout, 0,
			       "boot loader: %s, by a configuration that is not at its "
			       "usual place: %s",
			       l->name, l->why);
	else if (l->kind == LOADER_HELPER)
		paragraph_line(stdout, 0, "boot loader: %s, by %s: %s", l->name, l->file,
			       l->why);
	else if (l->kind == LOADER_FIRMWARE && l->image)
		paragraph_line(stdout, 0,
			       "boot loader: none, by the unified image %s: %s", l->image,
			       l->why);
	else if (l->kind == LOADER_FIRMWARE)
		paragraph_line(stdout, 0,
			       "boot loader: none, by the entry Boot%04X (%s) of the "
			       "firmware: %s",
			       l->entry.number, l->entry.label, l->why);
	else if (l->kind == LOADER_UNKNOWN)
		paragraph_line(
			stdout, 0,
			"boot loader: where its parameters are set is "
			"unknown: %s; add them where yours has the kernel command line",
			l->why);
	else if (l->kind == LOADER_ENTRIES)
		paragraph_line(
			stdout, 0,
			"boot loader: entries in %s: %s; add parameters to the line "
			"\"options\" of each",
			l->entries, l->why);
	else
		paragraph_line(stdout, 0, "boot loader: %s%s%s: %s", l->name,
			       l->file ? ", by " : "", l->file ? l->file : "", l->why);
}

static bool is_by_hand(const struct cmdline_command *c)
{
	return c->loader.kind == LOADER_UNKNOWN || c->loader.kind == LOADER_ENTRIES ||
	       c->loader.kind == LOADER_HELPER || c->loader.kind == LOADER_FIRMWARE;
}

/* The command that sets @parameter: what contradicts it is replaced only if that is asked for. */
static const char *set_command(const struct cmdline_command *c, const char *parameter)
{
	struct text other;

	return words_find(text_of(settings(c)), text_of(parameter), &other) == -EEXIST
		       ? "earlybind cmdline --set --force"
		       : "earlybind cmdline --set";
}

static int print(struct cmdline_command *c)
{
	const char *why, *parameter = iommu_parameter(&c->iommu, &why), *obstacle;
	const char *by_hand, *passthrough = iommu_passthrough(&c->iommu);
	bool is_running = parameter && is_running_with(c, parameter);
	bool is_set = parameter && is_there(settings(c), parameter);
	struct paragraph p = {stdout, 0, 0, false};
	int code = EXIT_OK;

	paragraph_add(&p, "IOMMU: %s,", iommu_maker_name(c->iommu.maker));
	paragraph_verdict(&p, c->iommu.is_on ? STYLE_GOOD : STYLE_BAD, "%s",
			  c->iommu.is_on ? "on" : "off");
	paragraph_end(&p);
	if (!parameter) {
		paragraph_line(stdout, 0, "needed: nothing: %s", why);
	} else if (is_running || c->iommu.is_on) {
		paragraph_line(
			stdout, 0, "needed: %s: %s", parameter,
			is_running ? "it is on the command line of this boot"
				   : "it is not on the command line of this boot; this "
				     "kernel enables the IOMMU without it, another may "
				     "not");
	} else {
		paragraph_line(stdout, 0, "needed: %s: %s", parameter, why);
		code = EXIT_FAILED;
	}
	obstacle = iommu_obstacle(&c->iommu, c->arena);
	if (obstacle) {
		paragraph_line(stdout, 0, "the IOMMU is off: %s", obstacle);
		code = EXIT_FAILED;
	}
	if (passthrough && !is_there(settings(c), passthrough) &&
	    !is_running_with(c, passthrough))
		paragraph_line(
			stdout, 0,
			"optional: %s: the IOMMU then does not slow down devices of the "
			"host; add it with --add %s",
			passthrough, passthrough);
	say_place(c);
	if (*c->ours)
		paragraph_line(stdout, 0, "earlybind added: %s", c->ours);
	if (!parameter || c->loader.kind == LOADER_UNKNOWN)
		return code;
	by_hand = cmdline_by_hand(c);
	if (is_set && !is_running && by_hand)
		paragraph_line(
			stdout, 0,
			"next: %s is set; unless you did so since, %s, then reboot",
			parameter, by_hand);
	else if (is_set && !is_running)
		paragraph_line(stdout, 0, "next: %s is set for the next boot: reboot",
			       parameter);
	else if (!is_set && !is_running && !is_by_hand(c))
		paragraph_line(stdout, 0, "next: %s", set_command(c, parameter));
	return code;
}

/* Those of @wanted that are neither set nor there in this boot, each within @quote. */
static const char *left_words(const struct cmdline_command *c,
			      const struct strings *wanted, const char *quote)
{
	const char *words = "";

	for (size_t i = 0; i < wanted->count && words; i++)
		if (!is_there(c->before, wanted->items[i]) &&
		    !is_running_with(c, wanted->items[i]))
			words = arena_printf(c->arena, "%s%s%s%s%s", words,
					     *words ? " " : "", quote, wanted->items[i],
					     quote);
	return words;
}

/* A setting of a file that a program, which is to be run then, makes the boot loader's own of. */
static void say_setting(const struct bootloader *l, const char *words)
{
	const struct loader_setting *s = &l->setting;

	if (!s->variable)
		paragraph_line(stdout, 0,
			       "left to do: add %s to the line of %s; then run: %s -u",
			       words, l->file, l->program);
	else if (!l->file)
		paragraph_line(
			stdout, 0,
			"left to do: add %s to %s in your configuration; then run: "
			"%s",
			words, s->variable, l->program);
	else if (s->line > 0)
		paragraph_line(stdout, 0,
			       "left to do: add %s to %s in %s:%u%s; then run: %s", words,
			       s->variable, l->file, s->line,
			       s->is_list ? "" : ", within quotes", l->program);
	else
		paragraph_line(stdout, 0,
			       "left to do: nothing sets %s in %s: write the line that "
			       "follows into it; then run: %s",
			       s->variable, l->file, l->program);
	if (s->variable && l->file && s->line == 0)
		printf("    %s%s%s\n", s->opening, words, s->closing);
}

/* Where it is set is not known: what was found beside this boot's own words. */
static void say_unknown(const struct cmdline_command *c, const char *words)
{
	const struct bootloader *l = &c->loader;

	paragraph_line(
		stdout, 0,
		"left to do: add %s to the kernel command line of your boot loader",
		words);
	if (l->facts.lines)
		paragraph_line(stdout, 0,
			       "note: if your boot loader reads %s, add it to each "
			       "command line there that has a root=",
			       l->facts.lines);
}

/* An entry of the firmware cannot be changed: it is made again. */
static int say_entry(const struct cmdline_command *c, const char *line)
{
	const struct efi_entry *e = &c->loader.entry;
	struct text_buffer b = {.arena = c->arena};

	paragraph_line(stdout, 0,
		       "left to do: make the entry again with the new command line; DISK "
		       "is the disk of the partition that %s is on",
		       e->program ? e->program : "its kernel");
	text_add(&b, "    efibootmgr --bootnum %04X --delete-bootnum\n", e->number);
	text_add(&b, "    efibootmgr --create --bootnum %04X --disk DISK --part %u \\\n",
		 e->number, e->partition);
	text_add(&b, "        --label ");
	text_add_word(&b, e->label);
	text_add(&b, " --loader ");
	text_add_word(&b, e->program ? e->program : "PROGRAM");
	text_add(&b, " \\\n        --unicode ");
	text_add_word(&b, line);
	if (b.is_full)
		return -ENOMEM;
	puts(b.buf);
	return 0;
}

/* All of the new command line, since whoever makes it needs all of it. */
static int say_firmware(const struct cmdline_command *c, const char *words)
{
	struct text running = text_trim(c->running);
	const char *line =
		arena_printf(c->arena, "%.*s %s", (int)running.n, running.p, words);

	if (!line)
		return -ENOMEM;
	if (!c->loader.image)
		return say_entry(c, line);
	paragraph_line(stdout, 0,
		       "left to do: make %s again with the command line that follows: "
		       "mkinitcpio and kernel-install read it from /etc/kernel/cmdline, "
		       "ukify takes --cmdline=, dracut kernel_cmdline=",
		       c->loader.image);
	printf("    ");
	put_text(stdout, text_of(line));
	putchar('\n');
	return 0;
}

/* What is to be written where, since no file of it is changed here. */
static int say_by_hand(const struct cmdline_command *c, const struct strings *wanted)
{
	const struct bootloader *l = &c->loader;
	const char *words = left_words(
		c, wanted, l->kind == LOADER_HELPER && l->setting.is_list ? "\"" : "");

	if (!words)
		return -ENOMEM;
	if (!*words)
		return 0;
	say_place(c);
	if (l->kind == LOADER_HELPER)
		say_setting(l, words);
	else if (l->kind == LOADER_ENTRIES)
		paragraph_line(stdout, 0,
			       "left to do: add %s to the line options of each file "
			       "%s/*.conf",
			       words, l->entries);
	else if (l->kind == LOADER_FIRMWARE && say_firmware(c, words) < 0)
		return -ENOMEM;
	else if (l->kind == LOADER_UNKNOWN)
		say_unknown(c, words);
	return -ENODEV;
}

/* The changes that were asked for. */
static int plan(struct cmdline_command *c)
{
	struct strings wanted;
	int r;

	if (c->is_removed)
		return cmdline_plan_remove(c);
	if (c->is_set) {
		r = collect(c, &wanted);
		if (r == 0)
			r = is_by_hand(c) ? say_by_hand(c, &wanted)
					  : cmdline_plan_set(c, &wanted);
		if (r < 0)
			return r;
	}
	return c->has_menu_entry ? cmdline_plan_menu_entry(c) : 0;
}

static bool has_kernel_file(const struct cmdline_command *c, const char *kernel)
{
	const char *name = arena_printf(c->arena, BOOT_PATH "/vmlinuz-%s", kernel);
	const char *path = name ? path_below(c->arena, c->sysroot, name) : NULL;

	return path && access(path, F_OK) == 0;
}

/* Parameters help no kernel that does not start, or that starts without an image. */
static void warn_of_kernels(struct cmdline_command *c)
{
	static struct installed found;
	const char *last = "";

	if (installed_find(c->sysroot, c->arena, &found) < 0)
		return;
	for (size_t i = 0; i < found.entries.count; i++) {
		const struct boot_entry *e = &found.entries.items[i];
		const char *kernel = installed_kernel_of(&found, e);

		if (kernel && !e->is_uki && e->initrd_count == 0)
			say_error("warning: %s boots kernel %s without an initramfs: no "
				  "rule is carried out then",
				  e->source, kernel);
	}
	for (size_t i = 0; i < found.count; i++) {
		const struct installed_image *image = &found.items[i];

		if (image->is_missing)
			say_error("warning: %s boots kernel %s with %s, and there is no "
				  "such file",
				  image->entry->source, image->kernel, image->path);
		if (strcmp(image->kernel, last) == 0 ||
		    !has_kernel_file(c, image->kernel))
			continue;
		last = image->kernel;
		if (!image->path)
			say_error("warning: kernel %s has no initramfs: no rule is "
				  "carried out when it boots",
				  image->kernel);
		else if (installed_is_unbooted(&found, c->sysroot, c->arena,
					       image->kernel))
			say_error("warning: no entry of the boot loader that was "
				  "found boots kernel %s",
				  image->kernel);
	}
}

static int change(struct cmdline_command *c, int *lock)
{
	int r = plan(c), code;

	if (r == -ENODEV || r == -ENOENT)
		return EXIT_NOWHERE;
	if (r < 0)
		return r == -EINVAL ? EXIT_WRONG_USAGE : EXIT_FAILED;
	if (c->change_count == 0 && c->command_count == 0) {
		const char *why, *parameter = iommu_parameter(&c->iommu, &why);

		paragraph_line(stdout, 0, "nothing to do: %s",
			       c->is_removed ? "earlybind has set nothing here"
			       : c->is_set && c->added.count == 0 && !parameter
				       ? why
				       : "all that is needed is set");
		if (c->is_set)
			warn_of_kernels(c);
		return EXIT_OK;
	}
	code = cmdline_carry_out(c, lock);
	if (code == EXIT_OK && c->loader.kind == LOADER_LINES &&
	    c->loader.form == LINE_LIMINE && c->change_count > 0)
		paragraph_line(stdout, 0,
			       "note: if the checksum of %s is enrolled in Limine, enrol "
			       "it again before you reboot",
			       c->loader.file);
	if (code == EXIT_OK && c->is_set)
		warn_of_kernels(c);
	if (code == EXIT_OK && !c->is_dry_run)
		paragraph_line(stdout, 0, "next: reboot%s",
			       c->is_done ? "" : ", once that is done");
	return code;
}

/*
 * The lock of edit_lock() is free again while programs run (cmdline_carry_out()). Without this one a
 * program that read the old file could end after one that read the new file, and leave an old menu.
 * Where there is no /run there is none.
 */
static int lock_programs(int *ret)
{
	char who[PROCESS_WHO_SIZE];
	int r = process_lock(CMDLINE_LOCK, EDIT_WAIT_SECONDS, who, ret);

	if (r != -EBUSY)
		return 0;
	say_error(
		"another earlybind cmdline%s, or a program that it started, is running: "
		"nothing is written; run this again when it has ended",
		who);
	return r;
}

static int run(void *arg)
{
	struct cmdline_command *c = arg;
	bool is_change = c->is_set || c->is_removed || c->has_menu_entry;
	cleanup_with(lock_release) int programs = -1;
	int r = 0, lock = -1, code;

	if (open_world(c->sysroot, &c->world) < 0)
		return EXIT_FAILED;
	if (file_read_world(c->world, WORLD_PROC, "cmdline", c->arena, CMDLINE_FILE_MAX,
			    &c->running) < 0)
		c->running = (struct text){"", 0};
	c->running = text_trim(c->running);
	iommu_read(c->world, c->arena, &c->iommu);
	bootloader_find(c->world, c->sysroot, c->arena, &c->loader);
	if (is_change && !c->is_dry_run && !c->has_no_update && !c->sysroot)
		r = lock_programs(&programs);
	if (r == 0 && is_change && !c->is_dry_run)
		r = edit_lock(c->sysroot, EDIT_WAIT_SECONDS, &lock);
	if (r == 0)
		r = cmdline_read_settings(c);
	if (r < 0)
		code = EXIT_FAILED;
	else
		code = is_change ? change(c, &lock) : print(c);
	lock_release(&lock);
	return code;
}

static void write_changes(const struct cmdline_command *c, struct json *json)
{
	json_open(json, "changes", '[');
	for (size_t i = 0; i < c->change_count; i++) {
		json_open(json, NULL, '{');
		json_put_string(json, "file", c->changes[i].path);
		if (c->changes[i].old.p)
			json_put_text(json, "before", c->changes[i].old);
		else
			json_put_null(json, "before");
		json_put_string(json, "after", c->changes[i].new);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_open(json, "programs", '[');
	for (size_t i = 0; i < c->command_count; i++) {
		char line[COMMAND_SIZE];
		struct text_buffer b = {.buf = line, .size = sizeof(line)};

		line[0] = '\0';
		text_add_command(&b, c->commands[i], LOADER_ARGUMENTS_MAX);
		json_put_string(json, NULL, text_shown(&b));
	}
	json_close(json, ']');
}

/* Nothing was worked out where the machine could not be read. */
static void write_result(const void *arg, struct json *json)
{
	const struct cmdline_command *c = arg;
	const char *why, *parameter = iommu_parameter(&c->iommu, &why);
	bool is_set = c->before && parameter && is_there(settings(c), parameter);
	bool is_running = parameter && is_running_with(c, parameter);

	json_open(json, "iommu", '{');
	json_put_string(json, "maker", iommu_maker_name(c->iommu.maker));
	json_put_bool(json, "on", c->iommu.is_on);
	json_close(json, '}');
	json_put_string(json, "needed", parameter);
	json_put_bool(json, "running", is_running);
	json_put_bool(json, "set", is_set);
	json_put_string(json, "loader", c->loader.name);
	json_put_string(json, "file", c->loader.file);
	write_changes(c, json);
	json_put_bool(json, "done", c->is_done);
	json_open(json, "next", '[');
	if (c->is_done ||
	    (!c->is_removed && is_set && !is_running && !cmdline_by_hand(c)))
		json_put_string(json, NULL, "reboot");
	else if (c->before && parameter && !is_set && !is_running && !c->is_dry_run &&
		 !c->is_set && !c->is_removed && !c->has_menu_entry && !is_by_hand(c))
		json_put_string(json, NULL, set_command(c, parameter));
	json_close(json, ']');
}

static int run_and_tell(struct cmdline_command *c)
{
	c->result.command = "cmdline";
	c->result.is_dry_run = c->is_dry_run;
	return result_run(&c->result, c->arena, run, write_result, c);
}

int command_cmdline(int argc, char **argv, struct arena *arena)
{
	static struct cmdline_command c;
	const struct option_spec options[] = {
		{"set", NULL, "set what is needed", .ret_flag = &c.is_set},
		{"add", "PARAM", "set this parameter, too; may be repeated",
		 .ret_strings = &c.added},
		{"menu-entry", NULL, "add a boot menu entry without earlybind",
		 .ret_flag = &c.has_menu_entry},
		{"remove", NULL, "take all of that back", .ret_flag = &c.is_removed},
		{"force", NULL, "replace another value of a parameter",
		 .ret_flag = &c.is_forced},
		{"dry-run", NULL, "show the changes", .ret_flag = &c.is_dry_run},
		{"no-update", NULL, "do not run update-grub or its like",
		 .ret_flag = &c.has_no_update},
		{"sysroot", "DIR", "the machine below DIR; nothing is run then",
		 .ret_string = &c.sysroot},
		RESULT_OPTIONS(c.result),
	};
	const struct command_spec spec = {
		.name = "cmdline",
		.synopsis = "[--set] [OPTION...]",
		.text = "Says which parameters the kernel command line of this machine needs, "
			"which of them are there, and where they are set: in GRUB's settings, "
			"/etc/kernel/cmdline, the files of extlinux, Limine, rEFInd or a "
			"Raspberry Pi, with grubby, kernelstub or rpm-ostree. With --set (or --add) it "
			"sets them, shows the difference and updates the boot loader. It keeps a "
			"backup of a file that is not earlybind's own.\n"
			"\n"
			"exit code: 0 nothing is missing, or done; 1 something is missing, "
			"or failed; 2 wrong usage; 3 where to set it is unknown\n",
		.example = "earlybind cmdline --set --dry-run",
		.options = options,
		.option_count = ARRAY_SIZE(options),
	};
	int code;

	c = (struct cmdline_command){.arena = arena};
	if (!options_parse(&spec, argc, argv, &code))
		return code;
	c.is_set = c.is_set || c.added.count > 0;
	if (c.is_removed && (c.is_set || c.has_menu_entry)) {
		say_error("cmdline: --remove takes all back: it goes with neither --set, "
			  "--add nor --menu-entry");
		return EXIT_WRONG_USAGE;
	}
	if ((c.is_set || c.is_removed || c.has_menu_entry) && !c.is_dry_run &&
	    !c.sysroot && geteuid() != 0) {
		say_error(
			"cmdline: only root can change the boot loader's settings: run it "
			"with sudo; --dry-run shows the changes");
		return EXIT_FAILED;
	}
	return run_and_tell(&c);
}
