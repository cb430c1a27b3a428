/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the recipes have no effect, and what the machine says to the others. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bootloader.h"
#include "cmdline_words.h"
#include "files.h"
#include "modules.h"
#include "paths.h"
#include "recipe_parse.h"

#define SHOWN_MAX 4 /* devices that a message names */

struct judge {
	struct recipes *recipes;
	struct inventory inventory; /* empty where there is no bus */
	struct modules *modules;
	const char *sysroot;
};

static bool is_same_place(const struct recipe *a, const struct recipe *b)
{
	return a->line == b->line && strcmp(a->file, b->file) == 0;
}

/* ---- without the machine ----------------------------------------------------------------- */

/* The same parameter in each boot entry, and in the settings that they are made of. */
static void find_repeated(struct recipes *recipes)
{
	for (size_t i = 0; i < recipes->count; i++) {
		struct recipe *r = &recipes->items[i];

		for (size_t k = 0; r->is_cmdline && k < i; k++) {
			const struct recipe *before = &recipes->items[k];

			if (before->is_cmdline && !before->is_replaced &&
			    !is_same_place(before, r) &&
			    text_is_same(before->text, r->text) &&
			    text_is_same(before->module, r->module))
				r->is_repeated = true;
		}
	}
}

static bool is_grub_setting(const struct recipe *r)
{
	return r->variable.p && text_has_prefix(r->variable, "GRUB_");
}

/* The same parameter in a variable that GRUB reads: it may be put together. */
static bool has_read_copy(const struct recipes *recipes, const struct recipe *r)
{
	for (size_t i = 0; i < recipes->count; i++)
		if (is_grub_setting(&recipes->items[i]) &&
		    recipe_is_grub_variable(recipes->items[i].variable) &&
		    text_is_same(recipes->items[i].text, r->text))
			return true;
	return false;
}

static bool is_unread(const struct recipes *recipes, const struct recipe *r)
{
	return is_grub_setting(r) && !recipe_is_grub_variable(r->variable) &&
	       !has_read_copy(recipes, r);
}

static void find_unread(struct recipes *recipes)
{
	const struct recipe *last = NULL;

	for (size_t i = 0; i < recipes->count; i++) {
		const struct recipe *r = &recipes->items[i];

		if (!is_unread(recipes, r) || (last && is_same_place(last, r)))
			continue;
		last = r;
		recipe_find(recipes, LINT_NO_EFFECT, r->file, r->line,
			    "GRUB reads no variable %.*s, so the line has no effect: is "
			    "GRUB_CMDLINE_LINUX_DEFAULT meant?",
			    (int)MIN(r->variable.n, (size_t)60), r->variable.p);
	}
}

static bool has_copy(const struct recipes *recipes, const struct recipe *r)
{
	for (size_t i = 0; i < recipes->count; i++)
		if (recipes->items[i].is_generated &&
		    text_is_same(recipes->items[i].text, r->text))
			return true;
	return false;
}

/* Pain 15: what was changed does not reach the boot. */
static void find_not_generated(struct recipes *recipes)
{
	bool has_source = false;

	for (size_t i = 0; i < recipes->count; i++) {
		const struct recipe *r = &recipes->items[i];

		if (!is_grub_setting(r) || r->is_replaced || is_unread(recipes, r))
			continue;
		has_source = true;
		if (recipes->has_boot_menu && !has_copy(recipes, r))
			recipe_find(recipes, LINT_GENERATED, r->file, r->line,
				    "not all of this line is in grub.cfg, so boots do "
				    "without it: run update-grub or grub2-mkconfig");
	}
	for (size_t i = 0; i < recipes->count; i++) {
		struct recipe *r = &recipes->items[i];

		if (!r->is_generated || r->is_repeated)
			continue;
		if (has_source)
			recipe_find(
				recipes, LINT_GENERATED, r->file, r->line,
				"%.*s is only in this generated file: the next run of "
				"update-grub or grub2-mkconfig removes it",
				(int)r->text.n, r->text.p);
		/* It is what boots now, and there is nothing else to go by. */
		r->is_generated = false;
	}
}

static bool is_vfio_ids(const struct recipe *r)
{
	return r->kind == RECIPE_IDS && text_is_param(r->module, "vfio_pci") &&
	       !r->is_replaced && !r->is_repeated && !r->is_generated;
}

static bool is_modprobe_option(const struct recipe *r)
{
	return is_vfio_ids(r) && strstr(r->file, "modprobe.d/");
}

static bool has_same_selectors(const struct recipe *a, const struct recipe *b)
{
	for (size_t i = 0; i < a->selector_count; i++) {
		bool is_found = false;

		for (size_t k = 0; k < b->selector_count && !is_found; k++)
			is_found = selector_is_same(&a->selectors[i], &b->selectors[k]);
		if (!is_found)
			return false;
	}
	return true;
}

/* The last value of a parameter counts, and that of a command line before modprobe.d's. */
static void find_replaced(struct recipes *recipes)
{
	for (size_t i = 0; i < recipes->count; i++) {
		struct recipe *r = &recipes->items[i];

		for (size_t k = 0; k < recipes->count && is_vfio_ids(r); k++) {
			const struct recipe *by = &recipes->items[k];
			bool is_later =
				k > i && is_modprobe_option(r) && is_modprobe_option(by);
			bool is_stronger = is_modprobe_option(r) && is_vfio_ids(by) &&
					   by->is_cmdline;
			bool is_same_line = k > i && r->is_cmdline && is_vfio_ids(by) &&
					    is_same_place(r, by);
			const char *place;

			if (!is_later && !is_stronger && !is_same_line)
				continue;
			/* What a file says as well can be taken from there. */
			if (by->is_running && !r->is_running && has_same_selectors(r, by))
				continue;
			place = recipe_place(recipes, by);
			r->is_replaced = true;
			if (!has_same_selectors(r, by))
				recipe_find(recipes, LINT_NO_EFFECT, r->file, r->line,
					    "the ids= of %s replace these, which have no "
					    "effect",
					    place ? place : by->file);
		}
	}
}

/* ---- with the machine -------------------------------------------------------------------- */

/* "0000:01:00.0, 0000:02:00.0 and 3 more" */
struct device_list {
	struct text_buffer text;
	size_t count;
};

static void list_add(struct device_list *list, const struct pci_device *d)
{
	char address[BDF_SIZE];

	if (list->count++ < SHOWN_MAX)
		text_add(&list->text, "%s%s", list->text.used > 0 ? ", " : "",
			 bdf_format(d->bdf, address));
}

static const char *list_end(struct device_list *list)
{
	if (list->count > SHOWN_MAX)
		text_add(&list->text, " and %zu more", list->count - SHOWN_MAX);
	return list->text.is_full ? "out of memory" : list->text.buf;
}

/* Whether an earlier recipe has the same ID. */
static bool is_judged(const struct judge *j, const struct recipe *r,
		      const struct selector *s)
{
	for (const struct recipe *before = j->recipes->items; before < r; before++)
		for (size_t i = 0; i < before->selector_count; i++)
			if (before->kind == RECIPE_IDS && recipe_is_effective(before) &&
			    selector_is_same(&before->selectors[i], s))
				return true;
	return false;
}

/* Pain 2: identical cards. */
static void judge_ids(const struct judge *j, const struct recipe *r)
{
	for (size_t i = 0; i < r->selector_count; i++) {
		struct device_list list = {.text.arena = j->recipes->arena};
		const char *console = "";
		char id[SELECTOR_SIZE];

		for (size_t k = 0; k < j->inventory.count; k++) {
			const struct pci_device *d = &j->inventory.devices[k];

			if (r->selectors[i].terms != TERM_ID ||
			    !pci_match_has(&r->selectors[i].id, &d->ids))
				continue;
			list_add(&list, d);
			if (d->is_boot_vga)
				console = "; one of them drives the console";
		}
		if (list.count > 1 && !is_judged(j, r, &r->selectors[i]))
			recipe_find(j->recipes, LINT_IDS_SEVERAL, r->file, r->line,
				    "%s is the ID of %zu devices, %s%s: to take one of "
				    "them, write its address with the ID",
				    selector_format(&r->selectors[i], id), list.count,
				    list_end(&list), console);
	}
	/* Pain 4 */
	if (!r->is_cmdline && modules_is_built_in(j->modules, "vfio_pci"))
		recipe_find(
			j->recipes, LINT_BUILT_IN, r->file, r->line,
			"vfio-pci is built into this kernel, which reads no modprobe.d: "
			"the ids have no effect; rules of earlybind have");
}

static bool is_wanted(const struct judge *j, const struct pci_device *d)
{
	for (size_t i = 0; i < j->recipes->count; i++)
		if (recipe_is_effective(&j->recipes->items[i]) &&
		    recipe_has_match(&j->recipes->items[i], d))
			return true;
	return false;
}

static bool has_candidate(const struct judge *j, const struct pci_device *d,
			  struct text module)
{
	const struct module_names *names = modules_find(j->modules, &d->ids);

	if (text_is_param(module, d->driver))
		return true;
	for (size_t i = 0; i < names->count; i++)
		if (text_is_param(module, names->names[i]))
			return true;
	return false;
}

/* What is blacklisted for passthrough where nothing is known of the devices. */
static bool is_usual(struct text module)
{
	static const char *const names[] = {
		"nouveau",	  "nvidia",	"nvidia_drm",
		"nvidia_modeset", "nvidia_uvm", "amdgpu",
		"radeon",	  "i915",	"xe",
		"nova_core",	  "xclmgmt",	"xocl",
		"snd_hda_intel",  "habanalabs",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (text_is_param(module, names[i]))
			return true;
	return false;
}

static bool has_bind_rule(const struct policy *policy, const struct pci_device *d)
{
	for (size_t i = 0; policy && i < policy->rule_count; i++)
		if (policy->rules[i].kind == RULE_BIND &&
		    selector_has_match(&policy->rules[i].selector, d))
			return true;
	return false;
}

static bool is_left_display(const struct judge *j, const struct pci_device *d)
{
	return d->ids.class >> 16 == 0x03 && !is_wanted(j, d) &&
	       !has_bind_rule(j->recipes->policy, d);
}

/* What the console is on, or the only display that nobody wants to pass on. */
static bool is_display_of_host(const struct judge *j, const struct pci_device *d)
{
	size_t count = 0;

	for (size_t i = 0; i < j->inventory.count; i++)
		count += is_left_display(j, &j->inventory.devices[i]);
	return is_left_display(j, d) && (d->is_boot_vga || count == 1);
}

static bool is_blacklisted(const struct judge *j, const char *module)
{
	for (size_t i = 0; i < j->recipes->count; i++) {
		const struct recipe *r = &j->recipes->items[i];

		if (r->kind == RECIPE_BLACKLIST && recipe_is_effective(r) &&
		    !r->other_loader && text_is_param(r->module, module))
			return true;
	}
	return false;
}

/* Whether a driver is left that the device has now, or would get at boot. */
static bool has_driver_left(const struct judge *j, const struct pci_device *d)
{
	const struct module_names *names = modules_find(j->modules, &d->ids);

	if (d->driver[0] && !is_blacklisted(j, d->driver))
		return true;
	for (size_t i = 0; i < names->count; i++)
		if (!is_blacklisted(j, names->names[i]))
			return true;
	return false;
}

/* The host's own display is left without any driver. */
static void judge_dark(const struct judge *j, const struct recipe *r)
{
	for (size_t i = 0; i < j->inventory.count && recipe_is_effective(r); i++) {
		const struct pci_device *d = &j->inventory.devices[i];
		char address[BDF_SIZE];

		if (!has_candidate(j, d, r->module) || r->other_loader ||
		    !is_display_of_host(j, d) || has_driver_left(j, d))
			continue;
		recipe_find(j->recipes, LINT_BLACKLIST, r->file, r->line,
			    "it keeps %.*s from %s, which is the display of the host "
			    "(driver now: %s): %s",
			    (int)r->module.n, r->module.p, bdf_format(d->bdf, address),
			    d->driver[0] ? d->driver : "none",
			    r->extent == RECIPE_LINE
				    ? "delete the line"
				    : "remove the driver from the parameter");
	}
}

/* A blacklist hits all devices of a driver. False if it has nothing to do with the recipes. */
static bool judge_blacklist(const struct judge *j, struct recipe *r)
{
	struct device_list starved = {.text.arena = j->recipes->arena};
	const struct pci_device *other = NULL;
	bool is_about = false, has_device = false;

	for (size_t i = 0; i < j->inventory.count; i++) {
		const struct pci_device *d = &j->inventory.devices[i];

		if (!has_candidate(j, d, r->module))
			continue;
		has_device = true;
		if (is_wanted(j, d))
			is_about = true;
		else if (d->driver[0] == '\0' || text_is_param(r->module, d->driver))
			list_add(&starved, d);
		else
			other = d;
	}
	if (!is_about && (has_device || !is_usual(r->module)))
		return false;
	if (r->other_loader)
		return true;
	if (starved.count > 0)
		recipe_find(j->recipes, LINT_BLACKLIST, r->file, r->line,
			    "it keeps %.*s also from %s, which no file names; a rule of "
			    "earlybind is for the named device alone",
			    (int)r->module.n, r->module.p, list_end(&starved));
	if (other) {
		char address[BDF_SIZE];
		const char *note =
			arena_printf(j->recipes->arena,
				     "it may also be what leaves %s to its driver %s",
				     bdf_format(other->bdf, address), other->driver);

		r->fate = RECIPE_STAY;
		r->note = note ? note : "other devices may need it";
	}
	return true;
}

static bool has_ids(const struct judge *j, const struct pci_device *d)
{
	for (size_t i = 0; i < j->recipes->count; i++) {
		const struct recipe *r = &j->recipes->items[i];

		if (r->kind == RECIPE_IDS && recipe_is_effective(r) &&
		    recipe_has_match(r, d))
			return true;
	}
	return false;
}

/* Pain 1: a list loads the driver that has a device of ids= before vfio-pci. */
static void judge_early(const struct judge *j, const struct recipe *r)
{
	struct device_list taken = {.text.arena = j->recipes->arena};

	for (size_t i = 0; i < j->inventory.count; i++) {
		const struct pci_device *d = &j->inventory.devices[i];

		if (text_is_param(r->module, d->driver) && has_ids(j, d) &&
		    !has_bind_rule(j->recipes->policy, d))
			list_add(&taken, d);
	}
	if (taken.count > 0)
		recipe_find(j->recipes, LINT_ORDER, r->file, r->line,
			    "it has %.*s loaded before vfio-pci, and %.*s has taken %s: "
			    "a rule of earlybind comes before both",
			    (int)r->module.n, r->module.p, (int)r->module.n, r->module.p,
			    list_end(&taken));
}

static bool exists(const struct judge *j, const char *path)
{
	const char *full = path_below(j->recipes->arena, j->sysroot, path);

	return full && access(full, F_OK) == 0;
}

/* Pain 1: an order that was asked for and does not hold. */
static void judge_order(const struct judge *j, const struct recipe *r)
{
	const char *name = arena_copy(j->recipes->arena, r->module);

	if (!name) {
		j->recipes->is_cut = true;
		return;
	}
	if (r->module.n == 0) {
		if (!exists(j, "/usr/lib/dracut") && exists(j, "/etc/initramfs-tools"))
			recipe_find(
				j->recipes, LINT_NO_EFFECT, r->file, r->line,
				"%.*s is for dracut, and images of initramfs-tools do "
				"not know it",
				(int)r->text.n, r->text.p);
		return;
	}
	if (modules_is_built_in(j->modules, name))
		recipe_find(
			j->recipes, LINT_ORDER, r->file, r->line,
			"%s is built into this kernel: it is there before any module, "
			"whatever modprobe.d says",
			name);
	else if (modules_is_built_in(j->modules, "vfio_pci"))
		recipe_find(
			j->recipes, LINT_BUILT_IN, r->file, r->line,
			"vfio-pci is built into this kernel: there is nothing to load "
			"before %s",
			name);
}

/* ---- the boot loader that started this boot ------------------------------------------------ */

static bool is_below(const char *file, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (strncmp(file, *prefixes, strlen(*prefixes)) == 0)
			return true;
	return false;
}

/* Whether the boot loader of this boot does not read the file. False if that is not known. */
static bool is_of_other_loader(const struct bootloader_facts *f, const char *file)
{
	static const char *const grub[] = {"/etc/default/grub", "/etc/grub.d/",
					   "/boot/grub/", "/boot/grub2/", NULL};
	/* Fedora's kernel-install makes GRUB's entries of the first one. */
	static const char *const of_entries[] = {"/etc/kernel/cmdline", NULL};
	static const char *const others[] = {"/etc/kernel/uki.conf",
					     "/etc/sdboot-manage.conf",
					     "/etc/kernelstub/",
					     "/boot/limine",
					     "/efi/limine",
					     "/boot/efi/limine",
					     "/etc/default/limine",
					     "/boot/refind_linux.conf",
					     "/boot/extlinux",
					     "/extlinux/",
					     "/boot/efi/EFI/refind/",
					     "/efi/EFI/refind/",
					     "/boot/EFI/",
					     "/efi/EFI/BOOT/limine",
					     "/boot/efi/EFI/BOOT/limine",
					     "/boot/syslinux/",
					     NULL};

	if (f->is_by_stub && !f->is_by_grub)
		return is_below(file, grub);
	if (!f->is_by_grub || !f->has_grub || f->is_by_lines)
		return false;
	return is_below(file, others) || (!f->has_entries && is_below(file, of_entries));
}

/* Where parameters of the next boot go; NULL if that is not known. */
static const char *place_of(struct recipes *recipes, const struct bootloader *l)
{
	switch (l->kind) {
	case LOADER_GRUB:
	case LOADER_GRUB_FILE:
		return "GRUB_CMDLINE_LINUX in /etc/default/grub";
	case LOADER_GRUBBY:
		return "all entries by grubby --update-kernel=ALL --args=...";
	case LOADER_OSTREE:
		return "all entries by rpm-ostree kargs --append=...";
	case LOADER_KERNELSTUB:
		return "the entries by kernelstub --add-options";
	case LOADER_ENTRIES:
		return arena_printf(recipes->arena, "the line options of %s/*.conf",
				    l->entries);
	case LOADER_FILE:
	case LOADER_LINES:
	case LOADER_HELPER:
		return l->file;
	case LOADER_FIRMWARE:
		return l->image ? arena_printf(recipes->arena,
					       "the section .cmdline of %s", l->image)
				: arena_printf(recipes->arena,
					       "the entry Boot%04X of the firmware",
					       l->entry.number);
	case LOADER_UNKNOWN:
		break;
	}
	return NULL;
}

/* Whether it was said of the line already. */
static bool is_said(const struct recipes *recipes, const struct recipe *r)
{
	for (size_t i = 0; i < recipes->finding_count; i++)
		if (recipes->findings[i].line == r->line &&
		    recipes->findings[i].lint == LINT_NO_EFFECT &&
		    strcmp(recipes->findings[i].file, r->file) == 0)
			return true;
	return false;
}

/* proxmox-boot-tool makes entries of the first line (zz-proxmox-boot: get_first_line()). */
static void judge_lines(struct recipes *recipes)
{
	for (size_t i = 0; i < recipes->count; i++) {
		struct recipe *r = &recipes->items[i];

		if (r->line < 2 || strcmp(r->file, "/etc/kernel/cmdline") != 0)
			continue;
		r->is_replaced = true;
		if (!is_said(recipes, r))
			recipe_find(recipes, LINT_NO_EFFECT, r->file, r->line,
				    "proxmox-boot-tool reads only the first line of this "
				    "file, so this line has no effect: put its words "
				    "into the first line");
	}
}

/* What is said of a parameter in a file that the boot loader of this boot does not read. */
static const char *no_effect(struct recipes *recipes, const struct bootloader *loader,
			     const struct recipe *r, const char *place)
{
	const char *why = loader->facts.is_by_grub
				  ? "GRUB started this boot and does not read this file"
				  : "GRUB did not start this boot, and only GRUB reads "
				    "this file";

	/* What a rule does needs no parameter anywhere. */
	if (r->fate == RECIPE_DELETE)
		return arena_printf(recipes->arena,
				    "%s; with rules of earlybind it is not needed", why);
	return arena_printf(recipes->arena, "%s; set it in %s", why, place);
}

/* Whether this boot has a list of IDs for the same driver, by a file that is read. */
static bool has_read_list(const struct recipes *recipes, const struct recipe *r)
{
	for (size_t i = 0; i < recipes->count; i++) {
		const struct recipe *x = &recipes->items[i];

		if (x->kind == RECIPE_IDS && x->is_cmdline && !x->other_loader &&
		    recipe_is_effective(x) && text_is_same(x->module, r->module))
			return true;
	}
	return false;
}

/* What this boot has was chosen: a list for another boot loader is offered, not proposed. */
static void replace_other_lists(struct recipes *recipes)
{
	for (size_t i = 0; i < recipes->count; i++) {
		struct recipe *r = &recipes->items[i];

		if (r->kind == RECIPE_IDS && r->other_loader && has_read_list(recipes, r))
			r->is_replaced = true;
	}
}

/* Where this boot has its parameters from, if no file of settings has them. */
static void name_place(struct recipes *recipes, const char *place)
{
	const char *note = arena_printf(
		recipes->arena,
		"this boot has it from %s: once an image with the rules has booted, "
		"remove it there",
		place);

	recipes->is_cut |= !note;
	for (size_t i = 0; note && i < recipes->count; i++)
		if (recipes->items[i].note == recipe_running_note)
			recipes->items[i].note = note;
}

/* A parameter in the file of a boot loader that did not boot. */
static void judge_loader(const struct judge *j, struct world *world)
{
	struct recipes *recipes = j->recipes;
	struct bootloader loader;
	struct text running, other;
	const char *place;

	bootloader_find(world, j->sysroot, recipes->arena, &loader);
	place = place_of(recipes, &loader);
	if (loader.kind == LOADER_FILE && exists(j, PROXMOX_MARK))
		judge_lines(recipes);
	if (loader.kind == LOADER_FIRMWARE && place)
		name_place(recipes, place);
	if (!place || file_read_world(world, WORLD_PROC, "cmdline", recipes->arena,
				      RECIPE_FILE_MAX, &running) < 0)
		return;
	for (size_t i = 0; i < recipes->count; i++) {
		struct recipe *r = &recipes->items[i];

		if (!r->is_cmdline || r->is_running || r->is_generated ||
		    r->is_repeated || !is_of_other_loader(&loader.facts, r->file) ||
		    words_find(running, r->text, &other) == 1)
			continue;
		r->other_loader = no_effect(recipes, &loader, r, place);
		recipes->is_cut |= !r->other_loader;
		if (r->other_loader)
			recipe_find(recipes, LINT_NO_EFFECT, r->file, r->line,
				    "%.*s has no effect here: %s",
				    (int)MIN(r->text.n, (size_t)80), r->text.p,
				    r->other_loader);
	}
	replace_other_lists(recipes);
}

/* ---- kernels --------------------------------------------------------------------------------- */

#define KERNELS_MAX	 32
#define DEPENDENCIES_MAX ((size_t)16 * 1024 * 1024)

/* How many kernels below /lib/modules there are, and how many of them have vfio_virqfd. */
struct virqfd {
	size_t kernels;
	size_t having;
	const char *without; /* one that has it not */
	const char *with;
};

/* What depmod and the kernel's build leave: any of them names a module by its file. */
static void look_at_kernel(const struct judge *j, const char *release, struct virqfd *v)
{
	static const char *const files[] = {"modules.dep", "modules.dep.bin",
					    "modules.builtin"};
	struct arena *arena = j->recipes->arena;
	bool is_kernel = false, has_it = false;
	struct text bytes;

	for (size_t i = 0; i < ARRAY_SIZE(files) && !has_it; i++) {
		const char *name =
			arena_printf(arena, MODULES_PATH "/%s/%s", release, files[i]);
		const char *path = name ? path_below(arena, j->sysroot, name) : NULL;

		if (!path || file_read(path, arena, DEPENDENCIES_MAX, &bytes, NULL) < 0)
			continue;
		/* modules.builtin alone is what a removed kernel left behind. */
		is_kernel |= i < 2;
		has_it = text_has_part(bytes, "/vfio_virqfd.ko");
	}
	release = is_kernel ? arena_copy(arena, text_of(release)) : NULL;
	if (!release)
		return;
	v->kernels++;
	v->having += has_it;
	*(has_it ? &v->with : &v->without) = release;
}

static void look_at_kernels(const struct judge *j, struct virqfd *v)
{
	const char *path = path_below(j->recipes->arena, j->sysroot, MODULES_PATH);
	DIR *dir = path ? opendir(path) : NULL;
	struct dirent *entry;

	while (dir && v->kernels < KERNELS_MAX && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			look_at_kernel(j, entry->d_name, v);
	if (dir)
		(void)closedir(dir);
}

/* Pain 12: the module is there up to Linux 6.1, so each kernel is asked. */
static void judge_virqfd(const struct judge *j)
{
	struct recipes *recipes = j->recipes;
	struct virqfd v = {0};
	size_t kept = 0;

	for (size_t i = 0; i < recipes->finding_count; i++) {
		struct recipe_finding f = recipes->findings[i];

		if (f.lint == LINT_STALE_MODULE && v.kernels == 0)
			look_at_kernels(j, &v);
		if (f.lint == LINT_STALE_MODULE && v.having > 0) {
			if (v.having == v.kernels || !v.without || !v.with)
				continue;
			f.lint = LINT_NO_EFFECT;
			f.message = arena_printf(
				recipes->arena,
				"kernel %s has no module vfio_virqfd, which is a part of "
				"vfio there; kernel %s has it: remove the word with the "
				"last such kernel",
				v.without, v.with);
			if (!f.message)
				continue;
		}
		recipes->findings[kept++] = f;
	}
	recipes->finding_count = kept;
}

/* ---- the rest ---------------------------------------------------------------------------------- */

static bool has_choice(const struct recipes *recipes)
{
	for (size_t i = 0; i < recipes->count; i++) {
		const struct recipe *r = &recipes->items[i];

		if (recipe_is_effective(r) &&
		    (r->kind == RECIPE_IDS || r->kind == RECIPE_ADDRESS ||
		     r->kind == RECIPE_SCRIPT))
			return true;
	}
	return false;
}

/*
 * In a dom0 pci-stub only keeps a device until xen-pciback takes it. Whether all devices that
 * the recipe names are xen-pciback's.
 */
static bool is_for_xen(const struct judge *j, const struct recipe *r)
{
	bool is_any = false;

	if (r->kind != RECIPE_IDS || !text_is_param(r->module, "pci_stub"))
		return false;
	for (size_t i = 0; i < j->inventory.count; i++) {
		const struct pci_device *d = &j->inventory.devices[i];
		bool is_hidden = false;

		if (!recipe_has_match(r, d))
			continue;
		for (size_t k = 0; k < j->recipes->count && !is_hidden; k++) {
			const struct recipe *x = &j->recipes->items[k];

			is_hidden = x->options &&
				    strcmp(x->options, RECIPE_XEN_OPTIONS) == 0 &&
				    recipe_has_match(x, d);
		}
		if (!is_hidden)
			return false;
		is_any = true;
	}
	return is_any;
}

static void judge_xen(const struct judge *j)
{
	for (size_t i = 0; i < j->recipes->count; i++) {
		struct recipe *r = &j->recipes->items[i];

		if (!is_for_xen(j, r))
			continue;
		r->is_replaced = true;
		r->fate = RECIPE_STAY;
		r->note =
			"it reserves the devices for xen-pciback; the rules do it, too: "
			"both may stay";
	}
}

static void drop_unrelated(struct recipes *recipes)
{
	size_t kept = 0;

	for (size_t i = 0; i < recipes->count; i++)
		if (!recipes->items[i].is_unrelated)
			recipes->items[kept++] = recipes->items[i];
	recipes->count = kept;
}

static void judge_machine(struct judge *j)
{
	struct recipes *recipes = j->recipes;
	bool is_chosen = has_choice(recipes);

	for (size_t i = 0; i < recipes->count; i++) {
		struct recipe *r = &recipes->items[i];

		if (r->kind == RECIPE_IDS && recipe_is_effective(r))
			judge_ids(j, r);
		if (r->kind == RECIPE_BLACKLIST)
			r->is_unrelated = !is_chosen || !judge_blacklist(j, r);
		if (r->kind == RECIPE_BLACKLIST && r->is_unrelated)
			judge_dark(j, r);
		if (r->kind == RECIPE_LOAD && r->is_unrelated)
			judge_early(j, r);
		if (r->kind == RECIPE_ORDER)
			judge_order(j, r);
		if ((r->kind == RECIPE_LOAD || r->kind == RECIPE_ORDER) && !is_chosen &&
		    r->fate == RECIPE_DELETE) {
			r->fate = RECIPE_STAY;
			r->note = "no file that earlybind reads says for which devices "
				  "it is: a mediated device needs it, too";
		}
		if (r->kind == RECIPE_ORDER && !is_chosen && !r->is_repeated)
			recipe_find(
				recipes, LINT_ORDER, r->file, r->line,
				"vfio-pci is loaded early, but no file says for which "
				"devices");
	}
	drop_unrelated(recipes);
}

int recipes_judge(struct recipes *recipes, struct world *world, const char *sysroot)
{
	struct judge j = {.recipes = recipes, .sysroot = sysroot};
	const char *release;
	int r;

	find_repeated(recipes);
	find_unread(recipes);
	find_not_generated(recipes);
	find_replaced(recipes);
	r = inventory_read(world, recipes->arena, recipes_filter, NULL, &j.inventory);
	if (r < 0)
		j.inventory = (struct inventory){0};
	if (r != -ENOMEM &&
	    modules_open(world, recipes->arena, sysroot, &release, &j.modules) < 0)
		j.modules = NULL;
	judge_loader(&j, world);
	judge_virqfd(&j);
	judge_xen(&j);
	judge_machine(&j);
	modules_close(j.modules);
	return r == -ENOMEM ? r : 0;
}

int recipes_read(struct world *world, const char *sysroot, const struct policy *policy,
		 struct arena *arena, struct recipes *ret)
{
	int r = recipes_init(ret, arena);
	struct iommu iommu;

	if (r < 0)
		return r;
	iommu_read(world, arena, &iommu);
	ret->maker = iommu.maker;
	ret->policy = policy;
	ret->dialect = bootloader_shell(sysroot, arena);
	recipes_read_files(ret, sysroot);
	recipes_read_running(ret, world);
	return recipes_judge(ret, world, sysroot);
}
