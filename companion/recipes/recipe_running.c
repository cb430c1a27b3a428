/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this boot has, wherever it comes from: the kernel's command line, and the devices that a
 * driver for virtual machines has now. So no boot loader and no tool is unknown.
 */
#include "recipe_parse.h"

#include <string.h>

#include "boot_report.h"
#include "files.h"

#define CMDLINE_FILE "/proc/cmdline"
#define OVERRIDE_MAX 64

const char recipe_running_note[] =
	"this boot has it, and no file that earlybind reads sets it: once an image with "
	"the rules has booted, remove it from your boot loader's settings";

static bool is_said(const struct recipes *recipes, size_t count,
		    const struct recipe_finding *finding)
{
	for (size_t i = 0; i < count; i++)
		if (recipes->findings[i].lint == finding->lint &&
		    strcmp(recipes->findings[i].message, finding->message) == 0)
			return true;
	return false;
}

/* A mistake is named where it can be corrected: in the file that sets the parameter. */
static void drop_said(struct recipes *recipes, size_t before)
{
	size_t kept = before;

	for (size_t i = before; i < recipes->finding_count; i++)
		if (!is_said(recipes, before, &recipes->findings[i]))
			recipes->findings[kept++] = recipes->findings[i];
	recipes->finding_count = kept;
}

void recipes_read_running(struct recipes *recipes, struct world *world)
{
	size_t before = recipes->count, kept = before, findings = recipes->finding_count;
	struct text bytes;

	if (file_read_world(world, WORLD_PROC, "cmdline", recipes->arena, RECIPE_FILE_MAX,
			    &bytes) < 0)
		return;
	recipe_parse_cmdline(recipes, CMDLINE_FILE, 0, text_trim(bytes));
	for (size_t i = before; i < recipes->count; i++) {
		struct recipe recipe = recipes->items[i];

		/* An IOMMU that is on passes no device through. */
		if (recipe.kind == RECIPE_KERNEL)
			continue;
		recipe.is_running = true;
		if (recipe.fate == RECIPE_DELETE) {
			recipe.fate = RECIPE_STAY;
			recipe.note = recipe_running_note;
		}
		recipes->items[kept++] = recipe;
	}
	recipes->count = kept;
	drop_said(recipes, findings);
}

/* ---- devices ---------------------------------------------------------------------------- */

static bool has_override(struct recipes *recipes, struct world *world, const char *folder,
			 const char *driver)
{
	const char *path = arena_printf(recipes->arena, "%s/driver_override", folder);
	struct text bytes;

	return path &&
	       file_read_world(world, WORLD_SYS, path, recipes->arena, OVERRIDE_MAX,
			       &bytes) == 0 &&
	       text_is(text_trim(bytes), driver);
}

static bool is_virtual(struct recipes *recipes, struct world *world, const char *folder)
{
	const char *path = arena_printf(recipes->arena, "%s/physfn", folder);
	char target[OVERRIDE_MAX];

	return path &&
	       world->ops->link(world, WORLD_SYS, path, target, sizeof(target)) > 0;
}

static void add_bound(struct recipes *recipes, struct world *world,
		      const struct pci_device *d)
{
	struct selector s = {.terms = TERM_ADDRESS, .address = d->bdf};
	struct recipe r = {
		.text = text_of(d->driver),
		.kind = RECIPE_ADDRESS,
		.fate = RECIPE_STAY,
		.extent = RECIPE_FILE,
		.options = recipe_driver_options(recipes, text_of(d->driver)),
	};
	char address[BDF_SIZE];
	const char *folder = arena_printf(recipes->arena, "bus/pci/devices/%s",
					  bdf_format(d->bdf, address));

	r.file = folder ? arena_printf(recipes->arena, "/sys/%s/driver", folder) : NULL;
	if (!r.file) {
		recipes->is_cut = true;
		return;
	}
	r.note =
		has_override(recipes, world, folder, d->driver)
			? "it is bound now, and no file that earlybind reads names it: a "
			  "program wrote its driver_override; find that program and stop "
			  "it once the rule is in force"
			: "it is bound now, and no file that earlybind reads names it: "
			  "by its ID (ids= in an image, new_id), or by a program";
	r.is_late = is_virtual(recipes, world, folder);
	recipe_add_selector(recipes, recipe_add(recipes, &r), &s);
}

static bool is_named(const struct recipes *recipes, const struct policy *policy,
		     const struct pci_device *d)
{
	for (size_t i = 0; i < recipes->count; i++)
		if (recipe_is_effective(&recipes->items[i]) &&
		    recipe_has_match(&recipes->items[i], d))
			return true;
	for (size_t i = 0; i < policy->rule_count; i++)
		if (selector_has_match(&policy->rules[i].selector, d))
			return true;
	return false;
}

void recipes_add_bound(struct recipes *recipes, struct world *world,
		       const struct inventory *inventory, const struct policy *policy)
{
	const char *path, *message;
	static struct boot boot;
	bool has_boot = boot_read(world, recipes->arena, &boot, &path, &message) == 0 &&
			late_reports_add(world, recipes->arena, &boot) == 0;

	for (size_t i = 0; i < inventory->count; i++) {
		const struct pci_device *d = &inventory->devices[i];
		const struct boot_device *b = has_boot ? boot_find(&boot, d->bdf) : NULL;

		if (driver_is_for_others(text_of(d->driver)) &&
		    !(b && boot_device_is_bound(b)) && !is_named(recipes, policy, d))
			add_bound(recipes, world, d);
	}
}
