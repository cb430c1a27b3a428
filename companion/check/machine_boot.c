/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules: what was not understood, what names nothing or too much. */
#include <errno.h>
#include <string.h>

#include "files.h"
#include "identity.h"
#include "image_check.h"
#include "judgement.h"
#include "kernel_cmdline.h"
#include "machine_check.h"
#include "message.h"
#include "modules.h"
#include "paths.h"
#include "plan.h"
#include "reason.h"
#include "rebuild.h"
#include "report.h"
#include "sentences.h"

static void say_problem(struct machine *d, const struct problem *p)
{
	char origin[ORIGIN_SIZE];

	machine_say(d, p->is_error ? FINDING_FAIL : FINDING_NOTE, "%s: \"%.*s\": %s",
		    origin_format(&p->origin, origin), (int)MIN(p->text.n, 80u),
		    p->text.p, p->message);
}

/* Whether another device sits at the rule's address: then that has been said. */
static bool is_mismatch(const struct machine *d, const struct rule *rule)
{
	for (size_t i = 0; i < d->run.plan.device_count; i++)
		if (d->run.plan.devices[i].rule == rule)
			return true;
	return false;
}

/* Somebody may have two of them and want to pass one on. */
static void check_several(struct machine *d, struct identity *identity,
			  const struct rule *rule)
{
	const char *sentence = twins_sentence(identity, &d->run.plan, rule);

	if (sentence)
		machine_say(d, FINDING_NOTE, "%s", sentence);
}

/* Somebody may want the virtual functions of the card. */
static void check_physical(struct machine *d)
{
	for (size_t i = 0; i < d->run.plan.device_count; i++) {
		const char *sentence =
			physical_sentence(d->world, d->arena, &d->run.plan.devices[i]);

		if (sentence)
			machine_say(d, FINDING_NOTE, "%s", sentence);
	}
}

static void check_rule(struct machine *d, struct identity *identity, size_t i)
{
	const struct rule *rule = &d->run.policy.rules[i];
	const char *elsewhere;
	char origin[ORIGIN_SIZE];

	if (rule->kind != RULE_BIND || !policy_has_rule_active(&d->run.policy, rule))
		return;
	if (d->run.plan.rule_matches[i] > 0) {
		check_several(d, identity, rule);
		return;
	}
	if (is_mismatch(d, rule))
		return;
	elsewhere = d->run.plan.moved[i].elsewhere;
	machine_say(d, rule->optional ? FINDING_NOTE : FINDING_FAIL,
		    "%.*s (%s) names no device that is present%s%s%s",
		    (int)MIN(rule->text.n, 80u), rule->text.p,
		    origin_format(&rule->origin, origin), elsewhere ? ", but " : "",
		    elsewhere ? elsewhere : "",
		    rule->optional ? ", and is optional"
				   : ": look it up with \"earlybind list\", or mark it "
				     "optional");
}

static void run_configuration(struct machine *d)
{
	const struct policy *policy = &d->run.policy;
	size_t before = d->findings.counts[FINDING_FAIL];
	struct identity identity;

	if (policy->off) {
		machine_say(
			d, FINDING_NOTE,
			"rd.earlybind=0 is on the kernel command line: no rule counts");
		return;
	}
	for (size_t i = 0; i < policy->problem_count; i++)
		say_problem(d, &policy->problems[i]);
	if (policy->problems_lost > 0)
		machine_say(d, FINDING_FAIL, "%zu more problems are not shown",
			    policy->problems_lost);
	if (identity_open(d->world, d->arena, &d->run.inventory, &identity) < 0)
		return;
	for (size_t i = 0; i < policy->rule_count; i++)
		check_rule(d, &identity, i);
	check_physical(d);
	if (!d->has_rule)
		machine_say(d, FINDING_NOTE,
			    "there is no rule: \"earlybind add DEVICE\" writes one");
	else if (d->findings.counts[FINDING_FAIL] == before)
		machine_say(d, FINDING_PASS, "%zu rule%s, %zu device%s",
			    policy->rule_count, plural(policy->rule_count),
			    d->target_count, plural(d->target_count));
}

static bool is_wanted(const struct machine *d, const struct installed_image *k)
{
	return !d->kernel || strcmp(d->kernel, k->kernel) == 0;
}

/* Where modules of vfio are a package of their own. */
static const char *remedy_for(struct machine *d, const char *release)
{
	struct text os;

	if (machine_read(d, WORLD_ETC, OS_RELEASE, &os) == 0) {
		if (memmem(os.p, os.n, "ID=ubuntu", 9))
			return machine_print(d, "install linux-modules-extra-%s",
					     release);
		if (memmem(os.p, os.n, "ID=fedora", 9) ||
		    memmem(os.p, os.n, "ID=\"rhel\"", 9) ||
		    memmem(os.p, os.n, "ID=\"centos\"", 11))
			return machine_print(d, "install kernel-modules-%s", release);
	}
	return "install its package of further modules (linux-modules-extra, "
	       "kernel-modules), or boot another kernel";
}

static void check_vfio(struct machine *d, const struct installed_image *k)
{
	const char *dir = machine_print(d, "%s" MODULES_PATH "/%s",
					d->sysroot ? d->sysroot : "", k->kernel);
	struct module_found pci, type1;
	struct modules *modules;
	int r = modules_open_dir(dir, d->arena, &modules);

	if (r == 0)
		r = modules_look_up(modules, "vfio_pci", &pci);
	if (r == 0)
		r = modules_look_up(modules, "vfio_iommu_type1", &type1);
	modules_close(modules);
	if (r != 0) {
		machine_say(d, FINDING_UNKNOWN,
			    "kernel %s: its modules cannot be read: run depmod %s",
			    k->kernel, k->kernel);
		return;
	}
	if (pci.place == MODULE_NOWHERE)
		machine_say(d, FINDING_FAIL, "kernel %s has no vfio-pci: %s", k->kernel,
			    remedy_for(d, k->kernel));
	else if (type1.place == MODULE_NOWHERE)
		machine_say(
			d, FINDING_NOTE,
			"kernel %s has no vfio_iommu_type1: programs must use iommufd",
			k->kernel);
	else
		machine_say(d, FINDING_PASS, "kernel %s has vfio-pci%s", k->kernel,
			    pci.place == MODULE_BUILT_IN
				    ? ", built in: options in modprobe.d do nothing there"
				    : "");
}

/* A kernel may have several images: they follow one another. */
static bool is_first(const struct machine *d, size_t i)
{
	return i == 0 || strcmp(d->installed.items[i].kernel,
				d->installed.items[i - 1].kernel) != 0;
}

static void run_vfio(struct machine *d)
{
	size_t count = 0;

	for (size_t i = 0; i < d->installed.count; i++) {
		const struct installed_image *k = &d->installed.items[i];

		if (!is_first(d, i) || !is_wanted(d, k))
			continue;
		check_vfio(d, k);
		count++;
	}
	if (count == 0 && d->kernel)
		machine_say(d, FINDING_FAIL, "kernel %s is not installed", d->kernel);
	else if (count == 0)
		machine_say(d, FINDING_UNKNOWN, "no kernel is installed here");
}

/* ---- images ------------------------------------------------------------------------------ */

/* The image, and what boots it. */
static const char *name_of(struct machine *d, const struct installed_image *k)
{
	return k->entry && k->entry->source != k->path
		       ? machine_print(d, "%s (booted by %s)", k->path, k->entry->source)
		       : k->path;
}

/* Without rules only one thing counts: that no image has any left. */
static bool is_ruled(const struct machine *d)
{
	return d->has_rule || d->sources.count > 0;
}

static void report_image(struct machine *d, const struct installed_image *k,
			 const struct check *c)
{
	const struct findings *f = &c->findings;
	const char *name = name_of(d, k);

	for (size_t i = 0; i < f->count; i++) {
		const struct finding *item = &f->items[i];

		if (item->kind != FINDING_FAIL &&
		    (item->kind != FINDING_UNKNOWN || !is_ruled(d)))
			continue;
		machine_say(d, item->kind, "%s: %s: %s", name, item->name, item->message);
		d->image_failures += item->kind == FINDING_FAIL;
	}
	if (f->counts[FINDING_FAIL] + f->counts[FINDING_UNKNOWN] == 0 && is_ruled(d))
		machine_say(d, FINDING_PASS,
			    tree_find(&c->image.tree, IMAGE_BINDER)
				    ? "%s has the rules, and runs them before udev"
				    : "%s has no earlybind, and there are no rules",
			    name);
}

/* Each image in memory of its own, which is given back. */
static void check_image_of(struct machine *d, const struct installed_image *k)
{
	static struct check c;
	struct arena arena;
	const char *message;

	if (k->is_missing && is_ruled(d)) {
		machine_say(d, FINDING_FAIL,
			    "%s: there is no such file, and this entry does not boot: %s",
			    name_of(d, k), judge_apply(&d->run.policy, d->arena));
		d->image_failures++;
		return;
	}
	if (arena_map(&arena, IMAGE_ARENA_SIZE) < 0) {
		machine_say(d, FINDING_UNKNOWN, "%s: out of memory", k->path);
		return;
	}
	c = (struct check){.file = k->file,
			   .kernel = k->kernel,
			   .copy_command = rebuild_copy_command(k, d->arena),
			   .arena = &arena,
			   .world = d->world,
			   .sysroot = d->sysroot,
			   .is_unwanted = sources_count_rules(&d->files) +
						  sources_count_rules(&d->run.policy) ==
					  0,
			   .sources = &d->sources,
			   .findings = {.arena = &arena}};
	if (!c.file)
		machine_say(d, FINDING_UNKNOWN, "%s: out of memory", k->path);
	else if (check_run(&c, &message) == 0)
		report_image(d, k, &c);
	else if (k->entry && is_ruled(d))
		machine_say(d, FINDING_FAIL, "%s: it is damaged: %s", name_of(d, k),
			    message);
	else if (is_ruled(d))
		machine_say(d, FINDING_UNKNOWN, "%s: %s", k->path, message);
	arena_unmap(&arena);
}

static bool is_there(struct machine *d, const char *path)
{
	const char *file = path_below(d->arena, d->sysroot, path);

	return !file || access(file, F_OK) == 0;
}

/* Where no kernel is to be seen, the file system that has them is not mounted. */
static bool has_kernel_file(struct machine *d)
{
	const struct installed *all = &d->installed;

	for (size_t i = 0; i < all->entries.count; i++)
		if (all->entries.items[i].kernel &&
		    is_there(d, all->entries.items[i].kernel))
			return true;
	for (size_t i = 0; i < all->count; i++)
		if (is_there(d, machine_print(d, BOOT_PATH "/vmlinuz-%s",
					      all->items[i].kernel)))
			return true;
	return false;
}

/*
 * An entry whose kernel, or image of a removed kernel, is not there. GRUB's menu has entries of
 * other systems, whose files are elsewhere.
 */
static void check_lost(struct machine *d, const struct boot_entry *e, const char *kernel)
{
	const char *lost = e->kernel && !is_there(d, e->kernel) ? e->kernel : NULL;

	if (!kernel && e->kind != BOOT_ENTRY_SPECIFICATION)
		return;
	for (size_t i = 0; i < e->initrd_count && !lost && !kernel; i++)
		if (!is_there(d, e->initrds[i]))
			lost = e->initrds[i];
	if (lost)
		machine_say(d, kernel ? FINDING_FAIL : FINDING_NOTE,
			    "%s: the entry \"%s\" does not boot: there is no file %s; "
			    "make the entries again, or remove this one",
			    e->source, e->title ? e->title : "", lost);
}

/* Kernels in /boot that no entry boots: an image of theirs is never used. */
static void check_unbooted(struct machine *d)
{
	for (size_t i = 0; i < d->installed.count; i++) {
		const struct installed_image *k = &d->installed.items[i];

		if (is_first(d, i) && is_wanted(d, k) &&
		    installed_is_unbooted(&d->installed, d->sysroot, d->arena, k->kernel))
			machine_say(d, FINDING_NOTE,
				    "no entry of the boot loader that was found boots "
				    "kernel %s: its image is not used",
				    k->kernel);
	}
}

/* What the entries of the boot loaders say that no image does. */
static void check_entries(struct machine *d)
{
	const struct boot_entries *entries = &d->installed.entries;
	bool has_kernel = has_kernel_file(d);

	for (size_t i = 0; i < entries->count; i++) {
		const struct boot_entry *e = &entries->items[i];
		const char *kernel = installed_kernel_of(&d->installed, e);

		if (e->kind == BOOT_ENTRY_UKI && !kernel && !e->version)
			machine_say(
				d, FINDING_UNKNOWN,
				"%s: it is damaged, or does not say which kernel it is "
				"of: run \"earlybind check --image %s\"",
				e->source, e->source);
		if (has_kernel &&
		    (!kernel || !d->kernel || strcmp(d->kernel, kernel) == 0))
			check_lost(d, e, kernel);
		if (!kernel || e->is_uki || e->initrd_count > 0 ||
		    (d->kernel && strcmp(d->kernel, kernel) != 0))
			continue;
		machine_say(
			d, FINDING_FAIL,
			"%s: the entry \"%s\" boots kernel %s without an initramfs, so "
			"without earlybind: name its image in a line \"initrd\" there",
			e->source, e->title ? e->title : "", kernel);
	}
	if (entries->has_unmounted)
		machine_say(d, FINDING_UNKNOWN,
			    "the EFI partitions in " PROXMOX_MARK
			    " are not mounted: the images that boot are there; "
			    "\"proxmox-boot-tool refresh\" copies those in " BOOT_PATH);
	if (entries->is_cut)
		machine_say(d, FINDING_UNKNOWN,
			    "there are more boot entries than are looked at");
}

static void run_images(struct machine *d)
{
	for (size_t i = 0; i < d->installed.count; i++) {
		const struct installed_image *k = &d->installed.items[i];

		if (!is_wanted(d, k))
			continue;
		if (k->path)
			check_image_of(d, k);
		else if (is_ruled(d))
			machine_say(d, FINDING_UNKNOWN,
				    "kernel %s: its image was not found in " BOOT_PATH
				    " or on the EFI partition: name it with --image",
				    k->kernel);
	}
	if (is_ruled(d)) {
		check_entries(d);
		check_unbooted(d);
	}
}

/* ---- the kernel that runs ---------------------------------------------------------------- */

static void run_kernel(struct machine *d)
{
	const struct installed *all = &d->installed;
	const char *newest = all->count > 0 ? all->items[0].kernel : NULL;
	bool is_installed = false;

	if (!d->running || !newest)
		return;
	for (size_t i = 0; i < all->count; i++)
		is_installed |= strcmp(all->items[i].kernel, d->running) == 0;
	if (!is_installed)
		machine_say(
			d, FINDING_FAIL,
			"%s runs and is no longer installed, so no further driver can be "
			"loaded: reboot",
			d->running);
	else if (strcmp(newest, d->running) != 0)
		machine_say(
			d, FINDING_NOTE,
			"%s runs, and most boot loaders start the newer %s next: check "
			"again after a reboot",
			d->running, newest);
	else
		machine_say(d, FINDING_PASS, "%s runs, the newest that is installed",
			    d->running);
}

enum presence {
	PRESENCE_SAME,
	PRESENCE_OTHER_VALUE,
	PRESENCE_NONE,
};

/* A parameter of the kernel or a module, where '-' and '_' are the same. */
static bool is_same_name(struct text a, struct text b)
{
	for (size_t i = 0; i < a.n && i < b.n; i++)
		if (a.p[i] != b.p[i] && !(a.p[i] == '-' && b.p[i] == '_') &&
		    !(a.p[i] == '_' && b.p[i] == '-'))
			return false;
	return a.n == b.n;
}

static enum presence find_running(const struct machine *d, const struct cmdline_arg *want)
{
	enum presence best = PRESENCE_NONE;
	struct text rest = d->cmdline;
	struct cmdline_arg arg;

	while (cmdline_next(&rest, &arg) && !cmdline_is_end(&arg)) {
		if (!is_same_name(arg.name, want->name))
			continue;
		if (text_is_same(arg.value, want->value))
			return PRESENCE_SAME;
		best = PRESENCE_OTHER_VALUE;
	}
	return best;
}

/* Parameters of the boot's command line; dracut's own files are none. */
static bool is_configured(const struct recipe *r)
{
	return r->is_cmdline && !r->is_running && !r->is_generated && !r->is_repeated &&
	       !r->is_replaced && strncmp(r->file, "/etc/cmdline", 12) != 0 &&
	       (r->kind == RECIPE_IDS || r->kind == RECIPE_KERNEL ||
		r->kind == RECIPE_OPTION);
}

static const char *place_of(struct machine *d, const struct recipe *r)
{
	return r->line > 0 ? machine_print(d, "%s:%u", r->file, r->line) : r->file;
}

static void say_missing(struct machine *d, const struct recipe *r, enum presence presence)
{
	bool is_entry = strstr(r->file, "/loader/entries/") != NULL;
	int n = (int)MIN(r->text.n, 200u);

	if (r->other_loader)
		machine_say(d, FINDING_FAIL,
			    "%.*s is in %s and not on the command line of this boot: "
			    "%s",
			    n, r->text.p, place_of(d, r), r->other_loader);
	else if (is_entry && presence == PRESENCE_NONE)
		machine_say(d, FINDING_FAIL,
			    "%.*s is in %s and not on the command line of this boot: "
			    "another entry was booted; choose this one, or add the "
			    "parameter to the others",
			    n, r->text.p, place_of(d, r));
	else if (is_entry)
		machine_say(d, FINDING_NOTE,
			    "%.*s is in %s; this boot has another value of it", n,
			    r->text.p, place_of(d, r));
	else
		machine_say(
			d, FINDING_FAIL,
			"%.*s is in %s and not on the command line of this boot: "
			"%s, or another entry or boot loader was used",
			n, r->text.p, place_of(d, r),
			r->after ? machine_print(d, "it was changed since (%s)", r->after)
				 : "it was changed since");
}

static void run_cmdline(struct machine *d)
{
	size_t count = 0, missing = 0;

	if (!d->cmdline.p) {
		machine_say(d, FINDING_UNKNOWN, "/proc/cmdline cannot be read");
		return;
	}
	for (size_t i = 0; i < d->recipes.count; i++) {
		const struct recipe *r = &d->recipes.items[i];
		struct text rest = r->text;
		struct cmdline_arg arg;
		enum presence presence;

		if (!is_configured(r) || !cmdline_next(&rest, &arg))
			continue;
		count++;
		presence = find_running(d, &arg);
		if (presence == PRESENCE_SAME)
			continue;
		missing++;
		say_missing(d, r, presence);
	}
	if (count > 0 && missing == 0)
		machine_say(d, FINDING_PASS,
			    "this boot has the parameters for vfio and the IOMMU that "
			    "files set");
}

/* ---- recipes ----------------------------------------------------------------------------- */

/* How bad: whether something that somebody meant does not happen. */
static enum finding_kind kind_of(enum recipe_lint lint)
{
	switch (lint) {
	case LINT_STALE_MODULE:
	case LINT_SUFFIX:
	case LINT_BLANKS:
	case LINT_IDS:
	case LINT_IDS_LENGTH:
	case LINT_NAME:
	case LINT_IOMMU_OFF:
	case LINT_SYNTAX:
	case LINT_GENERATED:
		return FINDING_FAIL;
	case LINT_IDS_SEVERAL:
	case LINT_BLACKLIST:
	case LINT_ORDER:
	case LINT_BUILT_IN:
	case LINT_NO_EFFECT:
		return FINDING_NOTE;
	case LINT_UNREAD:
	case LINT_NOT_UNDERSTOOD:
		return FINDING_UNKNOWN;
	}
	return FINDING_NOTE;
}

static void run_recipes(struct machine *d)
{
	const struct recipes *r = &d->recipes;
	size_t deletable = 0;

	for (size_t i = 0; i < r->finding_count; i++) {
		const struct recipe_finding *f = &r->findings[i];

		if (f->column > 0)
			machine_say(d, kind_of(f->lint), "%s:%u:%u: %s", f->file, f->line,
				    f->column, f->message);
		else if (f->line > 0)
			machine_say(d, kind_of(f->lint), "%s:%u: %s", f->file, f->line,
				    f->message);
		else
			machine_say(d, kind_of(f->lint), "%s: %s", f->file, f->message);
	}
	for (size_t i = 0; i < r->count; i++)
		deletable +=
			r->items[i].fate == RECIPE_DELETE && !r->items[i].is_generated;
	if (deletable > 0)
		machine_say(
			d, FINDING_NOTE,
			"%zu line%s of other tools could be rules: \"earlybind import\" "
			"shows how",
			deletable, plural(deletable));
	else if (r->finding_count == 0)
		machine_say(d, FINDING_PASS,
			    r->count > 0 ? "no mistake was found in files of other tools"
					 : "no file of another tool passes devices");
	if (r->is_cut)
		machine_say(d, FINDING_UNKNOWN,
			    "there are more files than are looked at");
}

static bool is_all_on_vfio(const struct machine *d)
{
	for (size_t i = 0; i < d->target_count; i++)
		if (!device_is_on_vfio(d->targets[i].device))
			return false;
	return d->target_count > 0;
}

static void say_no_report(struct machine *d)
{
	if (d->boot_error == -ENOENT && !d->has_rule)
		return;
	if (d->boot_error == -ENOENT && d->run.policy.off)
		machine_say(
			d, FINDING_NOTE,
			"earlybind was off: rd.earlybind=0 is on the kernel command line");
	else if (d->boot_error == -ENOENT && is_all_on_vfio(d))
		machine_say(
			d, FINDING_NOTE,
			"earlybind did nothing in this boot: something else bound the "
			"devices");
	else if (d->boot_error == -ENOENT)
		machine_say(
			d, FINDING_FAIL,
			"earlybind did nothing in this boot, though there are rules: its "
			"image was made without them; %s and reboot",
			judge_apply(&d->run.policy, d->arena));
	else if (d->boot_error == -EBADMSG)
		machine_say(d, FINDING_UNKNOWN, "the report %s is damaged: %s",
			    d->boot_path, d->boot_message);
	else if (d->boot_error == -EPROTONOSUPPORT)
		machine_say(d, FINDING_UNKNOWN,
			    "the report %s is of a newer earlybind: update this one",
			    d->boot_path);
	else
		machine_say(d, FINDING_UNKNOWN, "the report %s cannot be read: %s",
			    d->boot_path, errno_text(d->boot_error));
}

static void run_this_boot(struct machine *d)
{
	const struct boot *boot = &d->boot;
	size_t before = d->findings.counts[FINDING_FAIL], bound = 0;

	if (d->boot_error < 0) {
		say_no_report(d);
		return;
	}
	if (boot->is_dry_run)
		machine_say(
			d, FINDING_NOTE,
			"it was a dry run (rd.earlybind.dry_run=1): no device was touched");
	if (boot->reason[0] != '\0')
		machine_say(d, FINDING_FAIL, "nothing was done: %s", boot->message);
	for (size_t i = 0; i < boot->module_count; i++)
		if (boot->modules[i].error != 0)
			machine_say(d, FINDING_FAIL, "the module %s: %s",
				    boot->modules[i].name,
				    errno_text(boot->modules[i].error));
	for (size_t i = 0; i < boot->device_count; i++)
		bound += strcmp(boot->devices[i].verdict, "bound") == 0;
	if (d->findings.counts[FINDING_FAIL] == before)
		machine_say(d, FINDING_PASS, "earlybind bound %zu of %zu device%s", bound,
			    boot->device_count, plural(boot->device_count));
}

/* ---- devices ----------------------------------------------------------------------------- */

/* What the boot's run says of a device, which must be the same one. NULL for nothing. */
static const struct boot_device *find_in_boot(const struct machine *d,
					      const struct pci_device *device)
{
	const struct boot_device *b;
	char id[ID_SIZE];

	if (d->boot_error < 0)
		return NULL;
	b = boot_find(&d->boot, device->bdf);
	return b && strcmp(b->id, format_id(&device->ids, id)) == 0 ? b : NULL;
}

static void say_not_bound(struct machine *d, const struct target *t)
{
	const struct boot_device *b = find_in_boot(d, t->device);
	const struct boot_rule *rule =
		d->boot_error == 0 ? boot_find_overlooked(&d->boot, t->device) : NULL;
	const char *driver = machine_driver(t->device);
	char origin[ORIGIN_SIZE], address[BDF_SIZE];

	if (b && strcmp(b->verdict, "bound") == 0)
		machine_say(
			d, FINDING_FAIL,
			"%s: earlybind bound it to %s, and %s has it now: find out who "
			"gave it back (journalctl -b), or run \"earlybind bind\"",
			t->name, b->after, driver);
	else if (b && b->message[0] != '\0')
		machine_say(d, FINDING_FAIL,
			    "%s: %s has it; it was not bound at boot: %s", t->name,
			    driver, b->message);
	else if (rule)
		machine_say(d, FINDING_FAIL,
			    "%s: %s has it; it was not there when earlybind ran, so that "
			    "its rule %s (%s) did nothing: reboot, or see \"earlybind "
			    "explain %s\"",
			    t->name, driver, rule->text, rule->origin,
			    bdf_format(t->device->bdf, address));
	else if (d->boot_error == 0)
		machine_say(
			d, FINDING_NOTE,
			"%s: %s has it; its rule (%s) is newer than this boot: %s and "
			"reboot",
			t->name, driver, origin_format(&t->planned->rule->origin, origin),
			judge_apply(&d->run.policy, d->arena));
	else
		machine_say(d, FINDING_FAIL, "%s: %s has it", t->name, driver);
}

/* It is on vfio-pci, and there is a keep rule. */
static void say_kept_bound(struct machine *d, const struct plan_device *pd)
{
	char address[BDF_SIZE], origin[ORIGIN_SIZE], message[REASON_MESSAGE_SIZE];

	origin_format(&pd->rule->origin, origin);
	if (policy_has_module_id(&d->run.policy, pd->device)) {
		machine_say(
			d, FINDING_FAIL, "%s: %s (%s)", machine_device(d, pd->device),
			reason_message(REASON_KEPT_BOUND, pd->device->driver, message),
			origin);
		return;
	}
	machine_say(d, FINDING_FAIL,
		    "%s: %s has it, though a keep rule (%s) protects it: %s and "
		    "reboot; \"earlybind explain %s\" says what helps now",
		    machine_device(d, pd->device), pd->device->driver, origin,
		    judge_apply(&d->run.policy, d->arena),
		    bdf_format(pd->device->bdf, address));
}

static void check_target(struct machine *d, const struct target *t)
{
	const struct plan_device *pd = t->planned;
	char message[REASON_MESSAGE_SIZE];

	if (!pd)
		machine_say(d, FINDING_NOTE, "%s: no rule %s; %s has it", t->name,
			    d->run.policy.off ? "counts" : "names it",
			    machine_driver(t->device));
	else if (pd->action == ACTION_KEEP && device_is_on_vfio(t->device))
		say_kept_bound(d, pd);
	else if (t->judgement.verdict == JUDGED_REFUSED)
		return; /* the guards say it */
	else if (pd->action <= ACTION_DONE && device_is_on_vfio(t->device))
		machine_say(d, FINDING_PASS, "%s: %s has it", t->name, t->device->driver);
	else if (pd->action == ACTION_REFUSE && pd->reason != REASON_IOMMU_OFF)
		machine_say(d, FINDING_FAIL, "%s: refused: %s", t->name,
			    reason_message(pd->reason, pd->detail, message));
	else if (pd->action != ACTION_KEEP)
		say_not_bound(d, t);
}

/* What rules name and must not be bound, or is another device than they say. */
static void check_refused(struct machine *d)
{
	for (size_t i = 0; i < d->run.plan.device_count; i++) {
		const struct plan_device *pd = &d->run.plan.devices[i];
		char message[REASON_MESSAGE_SIZE], origin[ORIGIN_SIZE];
		bool is_target = false;

		for (size_t k = 0; k < d->target_count; k++)
			is_target |= d->targets[k].planned == pd;
		if (is_target || d->words.count > 0)
			continue;
		if (pd->action == ACTION_KEEP && device_is_on_vfio(pd->device))
			say_kept_bound(d, pd);
		else if (pd->action == ACTION_REFUSE)
			machine_say(d, FINDING_FAIL, "%s: %s (%s)",
				    machine_device(d, pd->device),
				    reason_message(pd->reason, pd->detail, message),
				    origin_format(&pd->rule->origin, origin));
	}
}

static void run_devices(struct machine *d)
{
	for (size_t i = 0; i < d->target_count; i++)
		check_target(d, &d->targets[i]);
	check_refused(d);
}

const struct machine_check boot_checks[] = {
	{"configuration", run_configuration},
	{"vfio", run_vfio},
	{"image", run_images},
	{"kernel", run_kernel},
	{"cmdline", run_cmdline},
	{"boot", run_this_boot},
	{"devices", run_devices},
	{NULL, NULL},
};

const struct machine_check recipe_checks[] = {
	{"recipes", run_recipes},
	{NULL, NULL},
};
