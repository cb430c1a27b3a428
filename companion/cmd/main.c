/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind: the companion of the binder, for people. earlybind(8) */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "complete.h"
#include "message.h"
#include "options.h"
#include "recording.h"
#include "version.h"

/* Address space, not memory: pages that are not used cost nothing. */
#define ARENA_SIZE ((size_t)256 * 1024 * 1024)

struct command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv, struct arena *arena);
};

static const struct command commands[] = {
	{"list", "show the PCI functions by IOMMU group", command_list},
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
	{"explain", "tell the whole story of a device", command_explain},
	{"bind", "bind devices to vfio-pci now", command_bind},
	{"release", "give devices back to their own drivers now", command_release},
	{"capture", "record this machine for a report of an error", command_capture},
	{"export", "hand the devices that vfio-pci has to the next tool", command_export},
	{"embed", "write a copy of the binder that carries the configuration",
	 command_embed},
	{"image", "append binder and modules to an image of any origin", command_image},
};

static void print_help(void)
{
	puts("usage: earlybind COMMAND [OPTION...]\n"
	     "Binds PCI devices to vfio-pci in the initramfs, before other drivers load.\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].summary);
	puts("\n\"earlybind COMMAND --help\" says more about each, with an example.\n"
	     "\"earlybind --version\" prints the version.");
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

/* "complete WORD...", for the shells: what could stand for the last word. */
static int complete(int argc, char **argv, struct arena *arena)
{
	const char *word = argc > 1 ? argv[1] : "";

	if (argc > 2)
		options_hand_to(complete_words, arena);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (argc <= 2)
			complete_candidate(word, commands[i].name, commands[i].summary);
		else if (strcmp(word, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1, arena);
	}
	if (argc <= 2 && word[0] == '-') {
		complete_candidate(word, "--help", "show the commands");
		complete_candidate(word, "--version", "print the version");
	}
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	struct arena arena;
	const char *word;

	if (argc < 2) {
		say_error("a command is missing: see \"earlybind --help\"");
		return EXIT_WRONG_USAGE;
	}
	word = argv[1];
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		print_help();
		return EXIT_OK;
	}
	if (strcmp(word, "--version") == 0) {
		puts("earlybind " EARLYBIND_VERSION);
		return EXIT_OK;
	}
	if (arena_map(&arena, ARENA_SIZE) < 0) {
		say_error("out of memory");
		return EXIT_FAILED;
	}
	if (strcmp(word, "complete") == 0)
		return complete(argc - 1, argv + 1, &arena);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(word, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1, &arena);
	return unknown(word);
}

/* SIGBUS: libkmod maps the indexes of modules, and the bytes that it asks for are gone. */
static void end_at_cut_file(int signal unused)
{
	static const char message[] = "earlybind: a file was cut while it was read: "
				      "repeat the command\n";

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
	code = run(argc, argv);

	if (fflush(stdout) != 0 || ferror(stdout)) {
		say_error("the output cannot be written");
		return EXIT_FAILED;
	}
	return code;
}
