/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind explain: the whole story of one device. */
#include "explain.h"

#include <errno.h>
#include <stdio.h>

#include "commands.h"
#include "drift.h"
#include "late_reports.h"
#include "message.h"
#include "next_boot.h"
#include "options.h"
#include "command_output.h"
#include "reason.h"
#include "sources.h"

static int read_boot(struct explain *e)
{
	const char *message = "", *path;
	int r = boot_read(e->world, e->arena, &e->boot, &path, &message);

	if (r < 0) {
		e->boot = (struct boot){.reason = "", .message = ""};
		e->no_report = drift_no_report(e->world, e->arena, r, path, message);
	}
	return late_reports_add(e->world, e->arena, &e->boot);
}

/* What the next boot will do. -errno, which is said. */
static int read_next(struct explain *e)
{
	static const struct strings none;
	static struct sources sources;
	static struct policy files;

	if (sources_read(e->world, e->arena, &none, &sources) < 0 ||
	    next_boot_read(e->world, e->arena, &sources, NULL, &files, &e->next) < 0)
		return -EIO;
	if (!e->next.policy.off && e->next.policy.rule_count > 0)
		return run_plan(e->world, e->arena, &e->next);
	return 0;
}

static int read_machine(struct explain *e)
{
	const char *release;
	int r;

	r = inventory_read(e->world, e->arena, selection_filter, &e->selection, &e->now);
	if (r == 0)
		r = identity_open(e->world, e->arena, &e->now, &e->identity);
	if (r < 0)
		return r;
	/* Without names and modules there are numbers and no candidates. */
	(void)!names_open(e->arena, e->sysroot, NULL, &e->names);
	(void)!modules_open(e->world, e->arena, e->sysroot, &release, &e->modules);
	r = usages_read(e->world, e->arena, &e->usages);
	if (r == 0)
		r = holders_read(e->world, e->arena, e->sysroot, &e->holders);
	return r == 0 ? read_boot(e) : r;
}

static int explain(struct explain *e)
{
	bool is_first = true;
	size_t missing;
	int r;

	if (e->words.count == 0) {
		say_error("explain: name a device: an address as 01:00.0, or another "
			  "selector; \"earlybind list\" shows them");
		return EXIT_WRONG_USAGE;
	}
	if (selection_parse("explain", &e->words, &e->selection) < 0)
		return EXIT_WRONG_USAGE;
	if (open_world(e->sysroot, &e->world) < 0)
		return EXIT_FAILED;
	r = read_machine(e);
	if (r < 0) {
		say_no_inventory(r);
		return EXIT_FAILED;
	}
	if (read_next(e) < 0)
		return EXIT_FAILED;
	for (size_t i = 0; i < e->now.count; i++) {
		const struct pci_device *d = &e->now.devices[i];

		if (!selection_has_match(&e->selection, d))
			continue;
		if (!is_first)
			putchar('\n');
		is_first = false;
		explain_device(e, d);
	}
	missing = selection_say_missing(&e->selection, &e->now);
	world_close(e->world);
	return missing > 0 ? EXIT_FAILED : EXIT_OK;
}

int command_explain(int argc, char **argv, struct arena *arena)
{
	static struct explain e;
	const struct option_spec options[] = {
		{"sysroot", "DIR", "read the tree below DIR, not this machine",
		 .ret_string = &e.sysroot},
	};
	const struct command_spec spec = {
		.name = "explain",
		.synopsis = "[OPTION...] DEVICE...",
		.text = "Tells the whole story of a device: what it is and where, which rule "
			"names it or why none does, what the next boot will do and what this one "
			"did, who has and uses it now, whether a VM can use its IOMMU group, "
			"what would take it without earlybind, how it is reset, and what to do "
			"next. DEVICE is an address (01:00.0) or another selector.\n"
			"\n"
			"exit code: 0 done; 1 there is no such device; 2 wrong usage\n",
		.example = "earlybind explain 01:00.0",
		.options = options,
		.option_count = ARRAY_SIZE(options),
		.ret_words = &e.words,
	};
	int code;

	e = (struct explain){.arena = arena};
	return options_parse(&spec, argc, argv, &code) ? explain(&e) : code;
}
