/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind: the companion of the binder, for people. earlybind(8) */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "complete.h"
#include "message.h"
#include "options.h"
#include "recording.h"
#include "result.h"
#include "version.h"

/* Address space, not memory: pages that are not used cost nothing. */
#define ARENA_SIZE ((size_t)256 * 1024 * 1024)

#define SUMMARY_INDENT 11 /* what a command is for, in the list of all */

struct command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv, struct arena *arena);
};

static int command_help(int argc, char **argv, struct arena *arena);
static int command_version(int argc, char **argv, struct arena *arena);

static const struct command commands[] = {
	{"list", "show the PCI functions, one line each", command_list},
	{"plan", "show what the next boot will do, and why", command_plan},
	{"add", "add rules that bind devices", command_add},
	{"remove", "remove rules", command_remove},
	{"keep", "add rules that leave devices to the host", command_keep},
	{"select", "choose from a list what is bound", command_select},
	{"import", "turn what other tools' files say into rules", command_import},
	{"check", "find what is wrong with the machine, or with an image", command_check},
	{"apply", "bring the configuration into the images of all kernels",
	 command_apply},
	{"cmdline", "show or set what the kernel command line needs", command_cmdline},
	{"status", "show what this boot did, and what has changed since", command_status},
	{"explain", "say what happened to a device, and what to do next",
	 command_explain},
	{"bind", "bind devices to vfio-pci now", command_bind},
	{"release", "give devices back to their own drivers now", command_release},
	{"capture", "record this machine for a report of an error", command_capture},
	{"export", "print the devices on vfio-pci for libvirt, QEMU and others",
	 command_export},
	{"embed", "write a copy of the binder that carries the configuration",
	 command_embed},
	{"image", "append binder and modules to an image of any origin", command_image},
	{"help", "show this text, or that of a command", command_help},
	{"version", "print the version", command_version},
};

/* Options of commands that may stand in front of the command, too. */
static const struct leading_option {
	const char *name;
	const char *meaning;
	bool has_value;
} leading_options[] = {
	{"--sysroot", "read this folder or recording, not this machine", true},
	{"--root", "the same", true},
	{"--config", "read this file, not /etc/earlybind.conf", true},
	{"--color", "auto, always or never", true},
	{"--json", "print JSON for scripts", false},
	{"--dry-run", "change nothing", false},
	{"--quiet", "print only errors and warnings", false},
	{"-q", "the same", false},
	{"--help", "show the commands", false},
	{"--version", "print the version", false},
};

static void print_help(void)
{
	terminal_wrap();
	puts("usage: earlybind COMMAND [OPTION...]");
	paragraph_line(stdout, 0, "%s",
		       "Binds PCI devices to vfio-pci in the initramfs, before other "
		       "drivers load.");
	putchar('\n');
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		struct paragraph p = {stdout, SUMMARY_INDENT, SUMMARY_INDENT, false};

		printf("  %-*s ", SUMMARY_INDENT - 3, commands[i].name);
		paragraph_add(&p, "%s", commands[i].summary);
		paragraph_end(&p);
	}
	putchar('\n');
	paragraph_line(
		stdout, 0, "%s",
		"\"earlybind help COMMAND\" says more about each, with an example. "
		"--sysroot (or --root), --config, --color, --json, --dry-run and --quiet may "
		"stand in front of the command, too.");
}

static const char *command_name(const void *arg unused, size_t i)
{
	return commands[i].name;
}

static int unknown(const char *word)
{
	const char *near = nearest_name(word, command_name, NULL, ARRAY_SIZE(commands));

	if (near)
		say_error("there is no command \"%s\": did you mean \"%s\"?", word, near);
	else
		say_error("there is no command \"%s\": see \"earlybind --help\"", word);
	return EXIT_WRONG_USAGE;
}

static const struct command *find_command(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(word, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

static int command_help(int argc, char **argv, struct arena *arena)
{
	static char option[] = "--help";
	char *words[] = {argc > 1 ? argv[1] : NULL, option, NULL};
	const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;

	if (argc > 2) {
		say_error("help: \"%s\" is one word too many", argv[2]);
		return EXIT_WRONG_USAGE;
	}
	if (argc > 1 && !command && argv[1][0] != '-')
		return unknown(argv[1]);
	if (!command || command->run == command_help || command->run == command_version) {
		print_help();
		return EXIT_OK;
	}
	return command->run(2, words, arena);
}

static int command_version(int argc unused, char **argv unused,
			   struct arena *arena unused)
{
	puts("earlybind " EARLYBIND_VERSION);
	return EXIT_OK;
}

static const struct leading_option *find_leading(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(leading_options); i++) {
		const struct leading_option *option = &leading_options[i];
		size_t n = strlen(option->name);

		if (strncmp(word, option->name, n) == 0 &&
		    (word[n] == '\0' || (word[n] == '=' && option->has_value)))
			return option;
	}
	return NULL;
}

/* Where the command stands: behind options and their values. @argc for nowhere. */
static int find_word(int argc, char **argv)
{
	int at = 1;

	while (at < argc && argv[at][0] == '-') {
		const struct leading_option *option = find_leading(argv[at]);

		if (!option)
			return at;
		at += 1 + (option->has_value && !strchr(argv[at], '='));
	}
	return at < argc ? at : argc;
}

/* "--sysroot DIR list" becomes "list --sysroot DIR". */
static void move_command(char **argv, int at)
{
	char *command = argv[at];

	memmove(&argv[2], &argv[1], (size_t)(at - 1) * sizeof(*argv));
	argv[1] = command;
}

/* What stands in front of the command, or is it. */
static void complete_command(const char *word, const struct leading_option *before)
{
	if (before && before->has_value) {
		puts(":files");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands) && word[0] != '-'; i++)
		complete_candidate(word, commands[i].name, commands[i].summary);
	for (size_t i = 0; i < ARRAY_SIZE(leading_options) && word[0] == '-'; i++)
		complete_candidate(word, leading_options[i].name,
				   leading_options[i].meaning);
}

/* "complete WORD...", for the shells: what could stand for the last word. */
static int complete(int argc, char **argv, struct arena *arena)
{
	int at = find_word(argc, argv);
	const struct command *command = at < argc - 1 ? find_command(argv[at]) : NULL;

	if (at >= argc - 1) {
		const char *before = argc > 2 ? argv[argc - 2] : "";

		complete_command(argc > 1 ? argv[argc - 1] : "",
				 strchr(before, '=') ? NULL : find_leading(before));
		return EXIT_OK;
	}
	if (!command || command->run == command_version)
		return EXIT_OK;
	if (command->run == command_help) {
		complete_command(argv[argc - 1], NULL);
		return EXIT_OK;
	}
	move_command(argv, at);
	options_hand_to(complete_words, arena);
	return command->run(argc - 1, argv + 1, arena);
}

static int run_command(int argc, char **argv, struct arena *arena)
{
	int at = find_word(argc, argv);
	const struct command *command;

	for (int i = 1; i < argc && i <= at; i++) {
		const struct leading_option *option = find_leading(argv[i]);

		if (strcmp(argv[i], "-h") == 0 ||
		    (option && strcmp(option->name, "--help") == 0))
			return command_help(at < argc && i != at ? 2 : 1, &argv[at - 1],
					    arena);
		if (option && strcmp(option->name, "--version") == 0)
			return command_version(0, argv, arena);
		i += option && option->has_value && !strchr(argv[i], '=');
	}
	if (at == argc) {
		say_error("a command is missing: see \"earlybind --help\"");
		return EXIT_WRONG_USAGE;
	}
	if (argv[at][0] == '-') {
		say_error("there is no option %s in front of a command: see \"earlybind "
			  "--help\"",
			  argv[at]);
		return EXIT_WRONG_USAGE;
	}
	command = find_command(argv[at]);
	if (!command)
		return unknown(argv[at]);
	move_command(argv, at);
	return command->run(argc - 1, argv + 1, arena);
}

static int run(int argc, char **argv)
{
	struct arena arena;

	if (arena_map(&arena, ARENA_SIZE) < 0) {
		say_error("out of memory");
		return EXIT_FAILED;
	}
	return argc > 1 && strcmp(argv[1], "complete") == 0
		       ? complete(argc - 1, argv + 1, &arena)
		       : run_command(argc, argv, &arena);
}

/* SIGBUS: libkmod maps the indexes of modules, and the bytes that it asks for are gone. */
static void end_at_cut_file(int signal unused)
{
	static const char message[] = "earlybind: a file was cut while it was read: "
				      "repeat the command\n";

	result_abandon();
	(void)!write(STDERR_FILENO, message, sizeof(message) - 1);
	_exit(EXIT_FAILED);
}

int main(int argc, char **argv)
{
	static char buffer[64 * 1024];
	int code;

	/* musl's own is of 1 KiB. */
	if (!isatty(STDOUT_FILENO))
		setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	/* libkmod complains of lines in modprobe.d by itself; what matters of it, import says. */
	(void)setenv("KMOD_LOG", "0", 0);
	(void)signal(SIGBUS, end_at_cut_file);
	options_open_trees_by(recording_open);
	(void)!terminal_set_color(NULL); /* no word that could be wrong */
	code = run(argc, argv);

	if (fflush(stdout) != 0 || ferror(stdout)) {
		say_error("the output cannot be written");
		return EXIT_FAILED;
	}
	return code;
}
