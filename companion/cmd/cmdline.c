/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind cmdline: what the kernel command line needs, and who sets it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmdline_command.h"
#include "commands.h"
#include "edit_file.h"
#include "files.h"
#include "installed.h"
#include "iommu_advice.h"
#include "loader_files.h"
#include "message.h"
#include "paths.h"
#include "cmdline_words.h"

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

static int run(void *arg)
{
	struct cmdline_command *c = arg;
	bool is_change = c->is_set || c->is_removed || c->has_menu_entry;
	int r = 0, lock = -1, code;

	if (open_world(c->sysroot, &c->world) < 0)
		return EXIT_FAILED;
	if (file_read_world(c->world, WORLD_PROC, "cmdline", c->arena, CMDLINE_FILE_MAX,
			    &c->running) < 0)
		c->running = (struct text){"", 0};
	c->running = text_trim(c->running);
	iommu_read(c->world, c->arena, &c->iommu);
	bootloader_find(c->world, c->sysroot, c->arena, &c->loader);
	if (is_change && !c->is_dry_run)
		r = edit_lock(c->sysroot, EDIT_WAIT_SECONDS, &lock);
	if (r == 0)
		r = cmdline_read_settings(c);
	if (r < 0)
		code = EXIT_FAILED;
	else
		code = is_change ? change(c, &lock) : print(c);
	edit_unlock(&lock);
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
