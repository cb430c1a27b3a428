/* SPDX-License-Identifier: GPL-2.0-or-later */
/* binder: run once in the initramfs, before udev. binder(8) */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bdf.h"
#include "initramfs.h"
#include "hotplug.h"
#include "pid1.h"
#include "run.h"
#include "table.h"
#include "version.h"

/*
 * Zero pages: what is not used costs nothing. With all that is static it is within 2 MiB, so that a
 * run with nothing to do has one page of page tables. More is mapped where that is not enough: for
 * 65,536 functions.
 */
static char memory[1024 * 1024];
#define MEMORY_MORE ((size_t)24 * 1024 * 1024)

static void usage(FILE *out)
{
	fputs("usage: binder [OPTION...]\n"
	      "Binds PCI devices to vfio-pci as the rules of the kernel command line, of\n"
	      "modprobe.d and of the embedded table say. Run by the initramfs before udev.\n"
	      "\n"
	      "  --device ADDRESS   only the device that appeared there; run by udev, in the\n"
	      "                     initramfs and later, with the rules of this boot\n"
	      "  --cmdline STRING   use STRING in place of /proc/cmdline\n"
	      "  --dry-run          plan, touch no device, print the report\n"
	      "  --sysroot DIR      the same for the tree of files below DIR\n"
	      "  --force            run outside an initramfs too\n"
	      "  --version\n"
	      "  --help\n"
	      "\n"
	      "exit code: 0 everything is bound, or nothing to do; 1 something is not, the\n"
	      "kernel log and /run/earlybind/report.json say why; 2 wrong usage; 3 as 1,\n"
	      "and a rule says on-failure=shell: the image opens its shell\n",
	      out);
}

struct settings {
	struct run_options options;
	const char *sysroot;
	struct bdf device; /* of --device */
	bool is_forced;
	bool is_pid1; /* a child of PID 1 before /init */
};

static int refuse(void)
{
	fputs("binder: this is not an initramfs: a running system's devices are not touched. "
	      "Use earlybind(8), or --force\n",
	      stderr);
	return EXIT_USAGE;
}

/* A whole run; the exit code. */
static int run(struct settings *settings)
{
	struct arena arena = {
		.base = memory, .size = sizeof(memory), .more = MEMORY_MORE};
	struct run_options *options = &settings->options;
	struct world *world;
	static struct run run;
	/* The table of mounts is for those who have something to do. */
	bool is_plain = !settings->is_pid1 && !settings->is_forced &&
			!options->is_dry_run && !options->is_late && !settings->sysroot;
	bool is_initramfs;
	int r;

	/* What cannot be said or written is an error like any other, not the end. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	/* Ignored by a caller, it would free the numbers of children that are not waited for yet. */
	(void)signal(SIGCHLD, SIG_DFL);
	r = world_open(settings->sysroot, &world);
	if (r < 0) {
		fprintf(stderr, "binder: %s: %s\n",
			settings->sysroot ? settings->sysroot : "/", strerror(-r));
		return EXIT_USAGE;
	}
	if (settings->sysroot)
		options->is_dry_run = true;
	/* PID 1 of a machine has no other place; its root may be one of a test. */
	is_initramfs = initramfs_is_memory();
	if (is_plain && is_initramfs)
		options->is_here = initramfs_is_here;
	else if (is_initramfs && !settings->is_pid1)
		is_initramfs = initramfs_is_here(world);
	if (!settings->is_forced && !options->is_dry_run && !is_initramfs &&
	    !(options->is_late && hotplug_has_rules(world)))
		return refuse();
	if (options->is_dry_run)
		world_set_trial(world);
	if (settings->is_pid1)
		world_set_early(world);
	options->table = table_embedded();
	options->has_cmdline_files = settings->sysroot || is_initramfs;
	options->is_initramfs = is_initramfs;
	options->is_synthetic = getenv("SYNTH_UUID") != NULL;
	options->is_pid1 = settings->is_pid1;
	r = options->is_late ? run_device(world, &arena, options, settings->device, &run)
			     : run_boot(world, &arena, options, &run);
	world_close(world);
	return options->is_here && r == EXIT_USAGE ? refuse() : r;
}

static int bind_for_pid1(void)
{
	struct settings settings = {.is_pid1 = true};

	return run(&settings);
}

static const struct program_option {
	const char *name;
	bool has_value;
	char key;
} program_options[] = {
	{"--cmdline", true, 'c'},  {"--device", true, 'd'}, {"--sysroot", true, 's'},
	{"--dry-run", false, 'n'}, {"--force", false, 'f'}, {"--version", false, 'V'},
	{"--help", false, 'h'},
};

/*
 * The key of the option that *words begins with, which is taken off, or '?'. "--name=value" and
 * "--name value". getopt_long() would be 2 KiB of each image.
 */
static int take_option(char ***words, const char **ret_value)
{
	const char *word = *(*words)++;

	for (size_t i = 0; i < ARRAY_SIZE(program_options); i++) {
		const struct program_option *o = &program_options[i];
		size_t n = strlen(o->name);
		bool is_whole = strcmp(word, o->name) == 0;

		if (is_whole && !o->has_value)
			return o->key;
		if (!o->has_value || strncmp(word, o->name, n) != 0 ||
		    (is_whole ? !**words : word[n] != '='))
			continue;
		*ret_value = is_whole ? *(*words)++ : word + n + 1;
		return o->key;
	}
	return '?';
}

int main(int argc, char **argv)
{
	struct settings settings = {0};
	struct parse_error error;
	char **words = argc > 0 ? argv + 1 : argv;
	const char *value = "";

	if (getpid() == 1) {
		/* The arguments are words of the kernel command line, meant for /init. */
		pid1_run(&pid1_ops, argv, bind_for_pid1, EXIT_SHELL);
		return EXIT_NOT_ALL;
	}
	(void)pid1_ops.hold_descriptors();
	while (*words) {
		switch (take_option(&words, &value)) {
		case 'c':
			settings.options.cmdline = text_of(value);
			break;
		case 'd':
			settings.options.is_late = true;
			if (bdf_parse_loose(text_of(value), &settings.device, NULL,
					    &error) < 0) {
				fprintf(stderr, "binder: --device %s: %s\n", value,
					error.message);
				return EXIT_USAGE;
			}
			break;
		case 's':
			settings.sysroot = value;
			break;
		case 'n':
			settings.options.is_dry_run = true;
			break;
		case 'f':
			settings.is_forced = true;
			break;
		case 'V':
			puts("earlybind binder " EARLYBIND_VERSION);
			return EXIT_ALL_BOUND;
		case 'h':
			usage(stdout);
			return EXIT_ALL_BOUND;
		default:
			fprintf(stderr, "binder: %s: no option, or without its value\n",
				words[-1]);
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	return run(&settings);
}
