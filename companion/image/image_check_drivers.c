/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other drivers in the image for what the rules name. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "modalias.h"
#include "image_check.h"
#include "sentences.h"
#include "filter.h"
#include "depmod_index.h"
#include "inventory.h"
#include "paths.h"

#define NAME	  "drivers"
#define NOTES_MAX 64

/* What a rule names: a function of this machine, or what an ID says of any. */
struct target {
	const char *name; /* "0000:01:00.0", "10ee:5000" */
	struct pci_match ids; /* PCI_ANY where it is not known */
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

/* "pci:v000010EEd00005000sv*sd*bc12sc00i*" */
static bool is_alias_of(struct text alias, const struct pci_match *ids)
{
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
	/* A driver of a whole class says nothing about a device of unknown class. */
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

	if (!is_alias_of(key, &d->target->ids) || is_ours(module))
		return 0;
	pair = check_print(c, "%s %.*s", d->target->name, (int)module.n, module.p);
	for (size_t i = 0; i < d->seen_count; i++)
		if (strcmp(d->seen[i], pair) == 0)
			return 0;
	if (d->seen_count == NOTES_MAX)
		return 1;
	d->seen[d->seen_count++] = pair;
	if (d->is_builtin)
		check_say(
			c, FINDING_NOTE, NAME,
			"%.*s is built into the kernel and has %s before the binder runs, "
			"which takes it away from it",
			(int)module.n, module.p, d->target->name);
	else
		check_say(c, FINDING_NOTE, NAME,
			  "%.*s is in the image and will lose: %s is bound before it can "
			  "load",
			  (int)module.n, module.p, d->target->name);
	return 0;
}

static void look_up(struct drivers *d, const char *file)
{
	static const char *const places[] = {IMAGE_MODULES_PLACES};
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

static bool is_bound(const struct policy *policy, const struct pci_device *device)
{
	bool has_rule = false;

	if (device->is_unread)
		return false;
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (!policy_has_rule_active(policy, rule) ||
		    !selector_has_match(&rule->selector, device))
			continue;
		if (rule->kind == RULE_KEEP)
			return false;
		has_rule |= rule->kind == RULE_BIND;
	}
	return has_rule || (device->is_companion && !device->is_bridge);
}

/* The functions of this machine that rules bind. False if it has no PCI bus to read. */
static bool check_devices(struct drivers *d)
{
	struct check *c = d->check;
	struct inventory inventory;

	if (inventory_read(c->world, c->arena, policy_filter, &c->policy, &inventory) < 0)
		return false;
	for (size_t i = 0; i < inventory.count; i++) {
		const struct pci_device *p = &inventory.devices[i];
		char address[BDF_SIZE];
		struct target target = {
			.name = bdf_format(p->bdf, address),
			.ids = {p->ids.vendor, p->ids.device, p->ids.subvendor,
				p->ids.subdevice, p->ids.class, 0xffffff},
		};

		if (is_bound(&c->policy, p))
			check_target(d, &target);
	}
	return true;
}

/* What rules say by ID of any machine. */
static void check_ids(struct drivers *d)
{
	const struct policy *policy = &d->check->policy;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		struct target target = {.ids = rule->selector.id};
		char name[64];

		if (rule->kind != RULE_BIND || !policy_has_rule_active(policy, rule) ||
		    !(rule->selector.terms & TERM_ID) || target.ids.vendor == PCI_ANY)
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
	struct drivers d = {.check = check};

	if (!check_devices(&d))
		check_ids(&d);
}
