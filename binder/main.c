/* SPDX-License-Identifier: GPL-2.0-or-later */
/* binder: run once in the initramfs, before udev. binder(8) */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "run.h"
#include "table.h"
#include "version.h"

/* Zero pages: what is not used costs nothing. Enough for 65,536 functions. */
static char memory[24 * 1024 * 1024];

static void usage(FILE *out)
{
	fputs("usage: binder [OPTION...]\n"
	      "Binds PCI devices to vfio-pci as the rules of the kernel command line, of\n"
	      "modprobe.d and of the embedded table say. Run by the initramfs before udev.\n"
	      "\n"
	      "  --cmdline STRING   use STRING in place of /proc/cmdline\n"
	      "  --dry-run          plan, touch no device, print the report\n"
	      "  --sysroot DIR      the same for the tree of files below DIR\n"
	      "  --force            run outside an initramfs too\n"
	      "  --version\n"
	      "  --help\n"
	      "\n"
	      "exit code: 0 everything is bound, or nothing to do; 1 something is not, the\n"
	      "kernel log and /run/earlybind/report.json say why; 2 wrong usage\n",
	      out);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"cmdline", required_argument, NULL, 'c'},
		{"sysroot", required_argument, NULL, 's'},
		{"dry-run", no_argument, NULL, 'n'},
		{"force", no_argument, NULL, 'f'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct arena arena = {.base = memory, .size = sizeof(memory)};
	struct run_options run_options = {.table = table_embedded()};
	const char *sysroot = NULL;
	bool is_forced = false;
	struct world *world;
	static struct run run;
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			run_options.cmdline = text_of(optarg);
			break;
		case 's':
			sysroot = optarg;
			break;
		case 'n':
			run_options.is_dry_run = true;
			break;
		case 'f':
			is_forced = true;
			break;
		case 'V':
			puts("earlybind binder " EARLYBIND_VERSION);
			return EXIT_ALL_BOUND;
		case 'h':
			usage(stdout);
			return EXIT_ALL_BOUND;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	r = world_open(sysroot, &world);
	if (r < 0) {
		fprintf(stderr, "binder: %s: %s\n", sysroot ? sysroot : "/",
			strerror(-r));
		return EXIT_USAGE;
	}
	if (sysroot)
		run_options.is_dry_run = true;
	if (!sysroot && !is_forced && !run_options.is_dry_run && !world_is_initramfs()) {
		fputs("binder: this is not an initramfs: a running system's devices are not "
		      "touched. Use earlybind(8), or --force\n",
		      stderr);
		return EXIT_USAGE;
	}
	if (sysroot || run_options.is_dry_run)
		world_set_trial(world);
	r = run_boot(world, &arena, &run_options, &run);
	world_close(world);
	return r;
}
