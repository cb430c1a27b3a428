/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shows the changes, makes them, and tells the boot loader. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmdline_command.h"
#include "commands.h"
#include "files.h"
#include "message.h"
#include "paths.h"
#include "process.h"
#include "reason.h"

#define BACKUP_SUFFIX ".earlybind-backup"

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

static int keep_backup(struct cmdline_command *c, const char *file, struct text old,
		       unsigned mode)
{
	const char *backup = arena_printf(c->arena, "%s" BACKUP_SUFFIX, file);
	struct stat st;

	if (!backup)
		return -ENOMEM;
	/* The first one is how it was without earlybind. */
	return lstat(backup, &st) == 0 ? 0 : file_replace(backup, old, mode);
}

static int make(struct cmdline_command *c, const struct change *change)
{
	const char *file = path_below(c->arena, c->sysroot, change->path);
	unsigned mode = change->mode;
	struct stat st;
	char *way = file ? arena_copy(c->arena, text_of(file)) : NULL;
	int r = way ? 0 : -ENOMEM;

	if (r == 0 && !change->new)
		return unlink(file) < 0 && errno != ENOENT ? -errno : 0;
	if (r == 0 && stat(file, &st) == 0)
		mode = st.st_mode & 07777;
	if (r == 0)
		r = folders_make(way, strlen(way) - strlen(change->path));
	if (r == 0 && change->has_backup && change->old.p)
		r = keep_backup(c, file, change->old, mode);
	return r == 0 ? file_replace(file, text_of(change->new), mode) : r;
}

static void print_command(const char *label, const char *const *argv)
{
	struct paragraph p = {stdout, 0, 4, false};

	paragraph_add(&p, "%s", label);
	for (size_t i = 0; i < LOADER_ARGUMENTS_MAX && argv[i]; i++)
		paragraph_add(&p, strchr(argv[i], ' ') ? "'%s'" : "%s", argv[i]);
	paragraph_end(&p);
}

static int run(const char *const *argv)
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
			"%s ended with exit code %d: put right what it says, then run it "
			"again",
			argv[0], p.code);
	return r == 0 && p.code == 0 && p.signal == 0 ? EXIT_OK : EXIT_FAILED;
}

int cmdline_carry_out(struct cmdline_command *c)
{
	bool has_commands = !c->has_no_update && !c->sysroot;
	int code = EXIT_OK;

	for (size_t i = 0; i < c->change_count; i++)
		show(&c->changes[i]);
	for (size_t i = 0; i < c->change_count && !c->is_dry_run; i++) {
		int r = make(c, &c->changes[i]);

		if (r < 0) {
			say_error("%s: it cannot be written: %s", c->changes[i].path,
				  errno_text(r));
			return EXIT_FAILED;
		}
	}
	if (!c->is_dry_run && has_commands && process_set_path() < 0)
		return EXIT_FAILED;
	for (size_t i = 0; i < c->command_count && code == EXIT_OK; i++) {
		if (c->is_dry_run && !c->has_no_update)
			print_command("would run:", c->commands[i]);
		else if (!has_commands)
			print_command("left to do:", c->commands[i]);
		else
			code = run(c->commands[i]);
	}
	return code;
}
