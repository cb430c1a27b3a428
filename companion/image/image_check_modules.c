/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the binder will find the modules that it loads, and all that they need. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "accel.h"
#include "depmod_index.h"
#include "image_check.h"
#include "inventory.h"
#include "modalias.h"
#include "next_boot.h"
#include "paths.h"
#include "sentences.h"

#define MODULES_CHECK "modules"
#define MISSING_MAX   8 /* that are named */

static const char *const wanted[] = {"vfio_pci", "vfio_iommu_type1"};

/* Where the modules of one kernel are: the image's own, and those that were appended. */
static const char *const places[] = {IMAGE_MODULES_PLACES};

static const struct tree_node *find_file(const struct check *c, const char *place,
					 const char *release, struct text name)
{
	char path[CPIO_PATH_MAX];
	int n;

	n = snprintf(path, sizeof(path), "%s/%s/%.*s", place, release, (int)name.n,
		     name.p);
	return n > 0 && (size_t)n < sizeof(path) ? tree_find(&c->image.tree, path) : NULL;
}

static bool data_of(const struct check *c, const char *place, const char *release,
		    const char *name, struct text *ret)
{
	const struct tree_node *n = find_file(c, place, release, text_of(name));

	if (!tree_is_file(n) || !n->file->data.p)
		return false;
	*ret = n->file->data;
	return true;
}

/* "vfio_pci" in a list of "kernel/.../vfio-pci.ko" */
static bool is_in_list(struct text list, const char *module)
{
	struct text line, part, name;

	while (text_cut(&list, '\n', &line)) {
		while (text_cut(&line, '/', &part))
			name = part;
		part = name;
		if (text_cut(&part, '.', &name) && text_is_param(name, module))
			return true;
	}
	return false;
}

static bool is_builtin(const struct check *c, const char *place, const char *release,
		       const char *module)
{
	struct text bytes, value;

	return (data_of(c, place, release, "modules.builtin.bin", &bytes) &&
		index_find(bytes, module, &value) == 0) ||
	       (data_of(c, place, release, "modules.builtin", &bytes) &&
		is_in_list(bytes, module));
}

enum found {
	FOUND_NOTHING,
	FOUND_BUILTIN,
	FOUND_FILE,
};

/* What is known of one module in one place. */
struct search {
	enum found found;
	bool has_index; /* modules.dep.bin, which libkmod reads */
	bool is_damaged;
	bool is_listed; /* in it */
	struct text path;
	const char *missing; /* files of which it says that they are needed */
};

/* A line of modules.dep: "kernel/a.ko: kernel/b.ko kernel/c.ko", all of them. */
static void look_for_files(struct check *c, const char *place, const char *release,
			   struct text line, struct search *s)
{
	struct text word;
	size_t shown = 0;

	(void)text_cut(&line, ':', &s->path);
	word = s->path;
	do {
		if (tree_is_file(find_file(c, place, release, word)))
			continue;
		if (shown++ >= MISSING_MAX)
			continue;
		s->missing = check_print(c, "%s%s/%s/%s/%.*s", s->missing,
					 *s->missing ? ", " : "", place, release,
					 (int)word.n, word.p);
	} while (text_word(&line, &word));
	s->found = *s->missing ? FOUND_NOTHING : FOUND_FILE;
}

static struct search search(struct check *c, const char *place, const char *release,
			    const char *module)
{
	struct search s = {.missing = ""};
	struct text index, line;
	int r;

	if (is_builtin(c, place, release, module)) {
		s.found = FOUND_BUILTIN;
		return s;
	}
	s.has_index = data_of(c, place, release, "modules.dep.bin", &index);
	if (!s.has_index)
		return s;
	r = index_find(index, module, &line);
	s.is_damaged = r == -EBADMSG;
	s.is_listed = r == 0;
	if (r == 0)
		look_for_files(c, place, release, line, &s);
	return s;
}

/* The best of what the places have. */
static struct search search_all(struct check *c, const char *release, const char *module)
{
	struct search best = {.missing = ""};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct search s = search(c, places[i], release, module);

		if (s.found != FOUND_NOTHING)
			return s;
		best.has_index = best.has_index || s.has_index;
		best.is_damaged = best.is_damaged || s.is_damaged;
		best.is_listed = best.is_listed || s.is_listed;
		if (*s.missing)
			best.missing = s.missing;
	}
	return best;
}

/* The name of the suffix behind ".ko", for people. */
static const char *format_of(struct text path)
{
	static const char *const formats[] = {".xz", ".zst", ".gz"};

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		size_t n = strlen(formats[i]);

		if (path.n > n && memcmp(path.p + path.n - n, formats[i], n) == 0)
			return formats[i] + 1;
	}
	return path.n > 3 && memcmp(path.p + path.n - 3, ".ko", 3) == 0 ? "" : NULL;
}

/* What is wrong with a module. */
static void say_missing(struct check *c, const char *release, const char *module,
			const struct search *s)
{
	if (!s->has_index)
		check_say(c, FINDING_FAIL, MODULES_CHECK,
			  "kernel %s: there is no modules.dep.bin, so that %s is not "
			  "found: run depmod %s, then %s",
			  release, module, release, c->rebuild);
	else if (s->is_damaged)
		check_say(
			c, FINDING_FAIL, MODULES_CHECK,
			"kernel %s: modules.dep.bin is damaged, so that %s is not found: "
			"run depmod %s, then %s",
			release, module, release, c->rebuild);
	else if (*s->missing)
		check_say(c, FINDING_FAIL, MODULES_CHECK,
			  "kernel %s: %s needs %s, which is not in the image: run %s",
			  release, module, s->missing, c->rebuild);
	else
		check_say(c, FINDING_FAIL, MODULES_CHECK,
			  "kernel %s: %s is neither in the image nor built in: no device "
			  "will be bound; run %s, and if that does not help, the kernel "
			  "has no such module",
			  release, module, c->rebuild);
}

static void check_kernel(struct check *c, const char *release)
{
	const char *list = "";
	bool is_fine = true;

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		struct search s = search_all(c, release, wanted[i]);
		const char *format =
			s.found == FOUND_FILE ? format_of(s.path) : "built in";

		if (s.found == FOUND_NOTHING) {
			say_missing(c, release, wanted[i], &s);
			is_fine = false;
		} else if (!format) {
			check_say(
				c, FINDING_FAIL, MODULES_CHECK,
				"kernel %s: %.*s is compressed in a way that the binder "
				"cannot read: it knows xz, zst and gz",
				release, (int)s.path.n, s.path.p);
			is_fine = false;
		} else {
			list = check_print(c, "%s%s%s%s%s%s", list, *list ? ", " : "",
					   wanted[i], *format ? " (" : "", format,
					   *format ? ")" : "");
		}
	}
	if (is_fine)
		check_say(c, FINDING_PASS, MODULES_CHECK,
			  "kernel %s: %s, with all that they need", release, list);
}

void check_modules(struct check *check)
{
	struct check *c = check;
	bool is_there = !c->kernel;

	for (size_t i = 0; i < c->kernel_count; i++) {
		if (c->kernel && strcmp(c->kernels[i], c->kernel) != 0)
			continue;
		is_there = true;
		check_kernel(c, c->kernels[i]);
	}
	if (!is_there)
		check_say(c, FINDING_FAIL, MODULES_CHECK,
			  "there are no modules for kernel %s in the image: it is for "
			  "another kernel; run %s",
			  c->kernel, c->rebuild);
	else if (c->kernel_count == 0)
		check_say(
			c, FINDING_UNKNOWN, MODULES_CHECK,
			"there are no modules in the image: vfio-pci must be built into "
			"the kernel, or in another part of the image");
}

#define DRIVERS_CHECK "drivers"
#define NOTES_MAX     64

/* What a rule names: a function of this machine, or what the rule says of any. */
struct target {
	const char *name; /* "0000:01:00.0", "10ee:5000" */
	struct pci_match ids; /* PCI_ANY where it is not known */
	const struct selector *selector; /* of the rule; NULL: of a function */
};

struct drivers {
	struct check *check;
	const struct target *target;
	bool is_builtin;
	const char *seen[NOTES_MAX]; /* "TARGET MODULE" */
	size_t seen_count;
};

static bool is_possible(uint32_t pattern, uint32_t known)
{
	return pattern == PCI_ANY || known == PCI_ANY || pattern == known;
}

/* Whether a driver with these fields of an alias may be for a card of the group. */
static bool is_of_accel(const uint32_t *field, unsigned group)
{
	const struct pci_ids ids = {
		.vendor = (uint16_t)field[0],
		.device = (uint16_t)field[1],
		.subvendor = (uint16_t)field[2],
		.subdevice = (uint16_t)field[3],
		.class = (field[4] & 0xff) << 16 | (field[5] & 0xff) << 8,
	};
	uint16_t vendor;
	size_t at = 0;

	if (field[1] != PCI_ANY)
		return accel_group_has(group, &ids);
	while (accel_group_vendor(group, &at, &vendor))
		if (vendor == field[0])
			return true;
	return false;
}

/* An alias that leaves the base class open is for this class only if the rule says more. */
static bool is_of_class(const uint32_t *field, const struct selector *s)
{
	for (int i = 0; i < 3; i++) {
		int shift = 16 - 8 * i;
		uint32_t mask = s->class_mask >> shift & 0xff;

		if (mask == 0 || (field[4 + i] == PCI_ANY &&
				  (i > 0 || (s->terms & (TERM_ID | TERM_ACCEL)))))
			continue;
		if (field[4 + i] == PCI_ANY ||
		    ((field[4 + i] ^ s->class >> shift) & mask))
			return false;
	}
	return true;
}

/* "pci:v000010EEd00005000sv*sd*bc12sc00i*" */
static bool is_alias_of(struct text alias, const struct target *t)
{
	const struct pci_match *ids = &t->ids;
	const struct selector *s = t->selector;
	bool has_class = ids->class != PCI_ANY;
	const uint32_t known[ALIAS_FIELDS] = {
		ids->vendor,
		ids->device,
		ids->subvendor,
		ids->subdevice,
		has_class ? ids->class >> 16 & 0xff : PCI_ANY,
		has_class ? ids->class >> 8 & 0xff : PCI_ANY,
		has_class ? ids->class & 0xff : PCI_ANY,
	};
	uint32_t field[ALIAS_FIELDS];

	if (!alias_parse(alias, "pci:", field))
		return false;
	for (size_t i = 0; i < ALIAS_FIELDS; i++)
		if (!is_possible(field[i], known[i]))
			return false;
	if (s && (s->terms & TERM_CLASS))
		return is_of_class(field, s) &&
		       (!(s->terms & TERM_ACCEL) || is_of_accel(field, s->accel));
	/* A driver of a whole class says nothing about a device of unknown class. */
	if (s && (s->terms & TERM_ACCEL))
		return field[0] != PCI_ANY && is_of_accel(field, s->accel);
	return field[0] != PCI_ANY || has_class;
}

static bool is_ours(struct text module)
{
	return text_is(module, "vfio_pci") || text_is(module, "pci_stub");
}

static int note(void *arg, struct text key, struct text module)
{
	struct drivers *d = arg;
	struct check *c = d->check;
	const char *pair;

	if (!is_alias_of(key, d->target) || is_ours(module))
		return 0;
	pair = check_print(c, "%s %.*s", d->target->name, (int)module.n, module.p);
	for (size_t i = 0; i < d->seen_count; i++)
		if (strcmp(d->seen[i], pair) == 0)
			return 0;
	if (d->seen_count == NOTES_MAX)
		return 1;
	d->seen[d->seen_count++] = pair;
	if (d->is_builtin)
		check_say(c, FINDING_NOTE, DRIVERS_CHECK,
			  "%.*s is built into the kernel and gets %s first; the binder "
			  "then takes it over",
			  (int)module.n, module.p, d->target->name);
	else
		check_say(c, FINDING_NOTE, DRIVERS_CHECK,
			  "%.*s is in the image and will lose: %s is bound before it can "
			  "load",
			  (int)module.n, module.p, d->target->name);
	return 0;
}

static void look_up(struct drivers *d, const char *file)
{
	struct check *c = d->check;
	char path[CPIO_PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		for (size_t k = 0; k < c->kernel_count; k++) {
			const struct tree_node *n;

			if (c->kernel && strcmp(c->kernel, c->kernels[k]) != 0)
				continue;
			snprintf(path, sizeof(path), "%s/%s/%s", places[i], c->kernels[k],
				 file);
			n = tree_find(&c->image.tree, path);
			/* A damaged index has been reported with the modules. */
			if (tree_is_file(n) && n->file->data.p)
				(void)!index_each(n->file->data, note, d);
		}
}

static void check_target(struct drivers *d, const struct target *target)
{
	d->target = target;
	d->is_builtin = false;
	look_up(d, "modules.alias.bin");
	d->is_builtin = true;
	look_up(d, "modules.builtin.alias.bin");
	d->target = NULL;
}

/* The functions of this machine that a boot with this image binds. -errno without a PCI bus. */
static int check_devices(struct drivers *d, struct run *run)
{
	struct check *c = d->check;
	int r = next_boot_plan(c->world, c->arena, NULL, NULL, run);

	for (size_t i = 0; r == 0 && i < run->plan.device_count; i++) {
		const struct plan_device *pd = &run->plan.devices[i];
		const struct pci_ids *ids = &pd->device->ids;
		char address[BDF_SIZE];
		const struct target target = {
			.name = bdf_format(pd->device->bdf, address),
			.ids = {ids->vendor, ids->device, ids->subvendor, ids->subdevice,
				ids->class, 0xffffff},
		};

		if (pd->action <= ACTION_DONE)
			check_target(d, &target);
	}
	return r;
}

/* What rules say of the devices of any machine: by place or serial number, nothing. */
static void check_rules(struct drivers *d, const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		const struct selector *s = &rule->selector;
		struct target target = {
			.ids = {PCI_ANY, PCI_ANY, PCI_ANY, PCI_ANY, PCI_ANY, 0},
			.selector = s,
		};
		char name[64];

		if (s->terms & TERM_ID)
			target.ids = s->id;
		if (rule->kind != RULE_BIND || !policy_has_rule_active(policy, rule) ||
		    (target.ids.vendor == PCI_ANY &&
		     !(s->terms & (TERM_CLASS | TERM_ACCEL))))
			continue;
		if (target.ids.class_mask != 0xffffff)
			target.ids.class = PCI_ANY;
		snprintf(name, sizeof(name), "%.*s", (int)MIN(rule->text.n, 63u),
			 rule->text.p);
		target.name = name;
		check_target(d, &target);
	}
}

void check_drivers(struct check *check)
{
	static struct run run;
	struct drivers d = {.check = check};
	const char *message;

	/* What is wrong with its table or its modprobe.d has been reported. */
	if (next_boot_read_opened(check->world, check, NULL, &run, &message) < 0)
		return;
	if (check_devices(&d, &run) < 0)
		check_rules(&d, &run.policy);
}
