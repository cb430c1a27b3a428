/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind: the companion of the binder, for people. earlybind(8) */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accel.h"
#include "arena.h"
#include "bdf.h"
#include "commands.h"
#include "compiler.h"
#include "export.h"
#include "files.h"
#include "identity.h"
#include "inventory.h"
#include "message.h"
#include "module_tree.h"
#include "options.h"
#include "paths.h"
#include "pci_names.h"
#include "policy.h"
#include "recording.h"
#include "result.h"
#include "rule_request.h"
#include "sources.h"
#include "version.h"
#include "wall.h"
#include "world.h"

/* ---- completion ------------------------------------------------------------------------- */

struct completion {
	const struct command_spec *spec;
	struct arena *arena;
	const char *word; /* the last one, not finished */
	const char *sysroot; /* NULL for this machine */
	struct text option; /* "--by=" of "--by=t", or empty */
	size_t before; /* words that are no options, before it */
};

/* A candidate, if it begins as @word does. */
static void complete_candidate(const char *word, const char *candidate,
			       const char *meaning)
{
	struct text rest = text_of(candidate);

	if (strncmp(word, candidate, strlen(word)) != 0)
		return;
	/* Another word than this one is no candidate. */
	for (size_t n; rest.n > 0; rest.p += n, rest.n -= n) {
		n = text_safe_length(rest);
		if (n == 0)
			return;
	}
	put_text(stdout, text_of(candidate));
	putchar('\t');
	put_text(stdout, text_of(meaning));
	putchar('\n');
}

/* An address without the domain 0000 where the word has none either. */
static const char *short_address(const struct completion *c, const char *address)
{
	bool is_zero = strncmp(address, "0000:", 5) == 0;

	return is_zero && strncmp(c->word, "0000", 4) != 0 ? address + 5 : address;
}

static void complete_devices(const struct completion *c)
{
	struct names *names = NULL;
	struct inventory now;
	struct world *world;

	if (world_open(c->sysroot, &world) < 0 ||
	    inventory_read(world, c->arena, NULL, NULL, &now) < 0)
		return;
	/* Without names there are IDs. */
	if (names_open(c->arena, c->sysroot, NULL, &names) < 0)
		names = NULL;
	for (size_t i = 0; i < now.count; i++) {
		const struct pci_device *d = &now.devices[i];
		const char *vendor, *device, *meaning;
		char address[BDF_SIZE];

		if (d->is_bridge)
			continue;
		vendor = names_vendor(names, d->ids.vendor, c->arena);
		device = names_device(names, &d->ids, c->arena);
		meaning = arena_printf(c->arena, "[%04x:%04x]%s%s%s%s%s%s%s",
				       d->ids.vendor, d->ids.device, vendor ? " " : "",
				       vendor ? vendor : "", device ? " " : "",
				       device ? device : "", d->driver[0] ? " (" : "",
				       d->driver, d->driver[0] ? ")" : "");
		bdf_format(d->bdf, address);
		complete_candidate(c->word, short_address(c, address),
				   meaning ? meaning : "");
	}
}

static const struct word_help terms[] = {
	{"path=", "the way to the card from its root port"},
	{"serial=", "the serial number of the card"},
	{"slot=", "the slot that the card is in"},
	{"class=", "2, 4 or 6 digits of the class"},
	{"pf=", "the virtual functions of the card at this address"},
};

static bool has_start(const char *word, const char *whole)
{
	return strncmp(whole, word, strlen(word)) == 0;
}

/* "path=": what the devices of this machine have there. */
static void complete_names(const struct completion *c)
{
	struct identity identity;
	struct inventory now;
	struct world *world;

	if (world_open(c->sysroot, &world) < 0 ||
	    inventory_read(world, c->arena, NULL, NULL, &now) < 0 ||
	    identity_open(world, c->arena, &now, &identity) < 0)
		return;
	for (size_t i = 0; i < now.count; i++) {
		struct text rest = text_of(identity_names(&identity, &now.devices[i]));
		char address[BDF_SIZE];
		struct text word;

		bdf_format(now.devices[i].bdf, address);
		while (text_word(&rest, &word)) {
			const char *name = arena_copy(c->arena, word);

			if (name && strchr(name, '='))
				complete_candidate(c->word, name, address);
		}
	}
}

/* Terms; of a word that is not begun there would be too many. */
static bool complete_terms(const struct completion *c)
{
	bool is_begun = false;

	for (size_t i = 0; i < ARRAY_SIZE(terms) && c->word[0]; i++) {
		if (has_start(terms[i].word, c->word)) {
			complete_names(c);
			return true;
		}
		is_begun |= has_start(c->word, terms[i].word);
		complete_candidate(c->word, terms[i].word, terms[i].meaning);
	}
	return is_begun;
}

/* The groups of accelerators; likewise. */
static bool complete_groups(const struct completion *c)
{
	static const char term[] = "accel=";
	size_t n = MIN(strlen(c->word), strlen(term));

	if (n == 0 || strncmp(c->word, term, n) != 0)
		return false;
	for (unsigned g = 0; accel_group_description(g); g++) {
		const char *text =
			arena_printf(c->arena, "%s%s", term, accel_group_name(g));

		if (text)
			complete_candidate(c->word, text, accel_group_description(g));
	}
	return true;
}

/* The rules that there are: what remove can take away. */
static void complete_rules(const struct completion *c)
{
	const struct strings none = {0};
	static struct sources sources;
	struct policy policy;
	struct world *world;

	if (world_open(c->sysroot, &world) < 0 ||
	    sources_read(world, c->arena, &none, &sources) < 0 ||
	    policy_init(&policy, c->arena) < 0)
		return;
	sources_parse(&sources, &policy);
	for (size_t i = 0; i < policy.rule_count; i++) {
		const struct rule *rule = &policy.rules[i];
		const char *text = arena_copy(c->arena, rule->text);

		/* For "remove". */
		if (text && rule->kind != RULE_CRITICAL)
			complete_candidate(c->word, text, rule_kind_name(rule->kind));
	}
}

static void complete_formats(const struct completion *c)
{
	const struct export_format *format;

	for (size_t i = 0; (format = export_format(i)); i++)
		complete_candidate(c->word, format->name, format->summary);
}

/* A value, behind the option's name where they are one word. */
static void complete_one_value(const struct completion *c, const char *value,
			       const char *meaning)
{
	const char *word =
		arena_printf(c->arena, "%.*s%s", (int)c->option.n, c->option.p, value);

	if (word)
		complete_candidate(c->word, word, meaning);
}

static void complete_kernels(const struct completion *c)
{
	const char *folder = path_below(c->arena, c->sysroot, MODULES_PATH);
	DIR *d = folder ? opendir(folder) : NULL;
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (module_tree_is_version(e->d_name))
			complete_one_value(c, e->d_name, "kernel");
	if (d)
		closedir(d);
}

static void complete_ways(const struct completion *c)
{
	const char *name, *why;

	for (size_t i = 0; (name = proposal_name(i, &why)); i++)
		complete_one_value(c, name, why);
	complete_one_value(c, "exact", "as typed");
}

static void complete_value(const struct completion *c, const struct option_spec *option)
{
	const char *value;

	for (size_t i = 0; option->value && (value = option->value(i)); i++)
		complete_one_value(c, value, option->help);
	if (option->value)
		return;
	if (strcmp(option->argument, "VERSION") == 0)
		complete_kernels(c);
	else if (strcmp(option->argument, "WAY") == 0)
		complete_ways(c);
	else if (strcmp(option->argument, "DIR") == 0)
		puts(":dirs");
	else if (strcmp(option->argument, "FILE") == 0 ||
		 strcmp(option->argument, OPTIONS_TREE) == 0 ||
		 strcmp(option->argument, "IMAGE") == 0)
		puts(":files");
}

static void complete_options(const struct completion *c)
{
	const struct option_spec *option;

	for (size_t i = 0; (option = option_at(c->spec, i)); i++) {
		const char *name = arena_printf(c->arena, "--%s", option->name);

		if (name)
			complete_candidate(c->word, name, option->help);
	}
}

static void complete_selector(const struct completion *c, bool has_options)
{
	bool is_known = complete_terms(c);

	is_known |= complete_groups(c);
	/* Options stand behind a device. */
	for (size_t i = 0; has_options && c->before > 0 && rule_options[i].word; i++) {
		const struct word_help *option = &rule_options[i];

		is_known |= c->word[0] && has_start(c->word, option->word);
		complete_candidate(c->word, option->word, option->meaning);
	}
	if (!is_known)
		complete_devices(c);
}

/* What the command's synopsis calls its words. */
static void complete_word(const struct completion *c)
{
	const char *synopsis = c->spec->synopsis;

	if (!c->spec->ret_words)
		return;
	if (strncmp(synopsis, "FORMAT", strlen("FORMAT")) == 0 && c->before == 0)
		complete_formats(c);
	else if (strcmp(c->spec->name, "remove") == 0)
		complete_rules(c);
	else if (strstr(synopsis, "DEVICE") || strstr(synopsis, "SELECTOR"))
		complete_selector(c, strstr(synopsis, "RULE-OPTION"));
}

/* The option that the word @word is, with what is behind its '='. */
static const struct option_spec *find_option(const struct command_spec *spec,
					     const char *word, const char **ret_value)
{
	struct text rest = text_of(word), name;

	*ret_value = NULL;
	if (!text_has_prefix(rest, "--"))
		return NULL;
	(void)text_cut(&rest, '=', &name);
	name.p += 2;
	name.n -= 2;
	*ret_value = rest.p;
	return option_find(spec, name);
}

/* Prints the candidates for the last of the words behind the command's name, argv[0]. */
static void complete_words(const struct command_spec *spec, int argc, char **argv,
			   struct arena *arena)
{
	struct completion c = {.spec = spec, .arena = arena, .word = argv[argc - 1]};
	const struct option_spec *option = NULL; /* that waits for its value */
	const char *value;

	for (int i = 1; i < argc - 1; i++) {
		const struct option_spec *found;

		if (option) {
			if (strcmp(option->name, "sysroot") == 0)
				c.sysroot = argv[i];
			option = NULL;
			continue;
		}
		found = find_option(spec, argv[i], &value);
		if (found && !option_is_alone(found) && !value)
			option = found;
		else if (found && value && strcmp(found->name, "sysroot") == 0)
			c.sysroot = value;
		c.before += argv[i][0] != '-';
	}
	if (wall_set(c.sysroot) < 0)
		return;
	/* Of "--config=FI" the shell knows the part behind "=". */
	if (!option && find_option(spec, c.word, &value) && value) {
		option = find_option(spec, c.word, &value);
		c.option = (struct text){c.word, (size_t)(value - c.word)};
	}
	if (option && option->argument)
		complete_value(&c, option);
	else if (c.word[0] == '-')
		complete_options(&c);
	else
		complete_word(&c);
}

/* Address space, not memory: pages that are not used cost nothing. */
#define ARENA_SIZE ((size_t)256 * 1024 * 1024)

#define SUMMARY_INDENT 11 /* what a command is for, in the list of all */

/* ---- the program ------------------------------------------------------------------------ */

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
