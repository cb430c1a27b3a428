/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sentences.h"

#include <stdio.h>
#include <string.h>

#include "driver.h"
#include "identity.h"
#include "inventory.h"
#include "paths.h"
#include "virtual_functions.h"
#include "world.h"

struct paragraph describe_device(struct bdf bdf, const char *id)
{
	struct paragraph p = {stdout, 0, DEVICE_INDENT, false};
	char address[BDF_SIZE];

	paragraph_add(&p, "%s [%s]", bdf_format(bdf, address), id);
	return p;
}

const char *format_id(const struct pci_ids *ids, char buf[static ID_SIZE])
{
	snprintf(buf, ID_SIZE, "%04x:%04x", ids->vendor, ids->device);
	return buf;
}

void describe_group(const struct plan_group *group, const char *when, const char *remedy)
{
	struct paragraph p = {stdout, 0, DEVICE_INDENT, false};
	char message[REASON_MESSAGE_SIZE];

	if (group->is_viable) {
		/* "bound, but no VM can use it: ..." */
		paragraph_add(&p, "group %d%s:", group->id, when);
		paragraph_verdict(
			&p, group->reason ? STYLE_CAREFUL : STYLE_GOOD, "viable%s",
			group->reason ? strchrnul(reason_message(group->reason,
								 group->detail, message),
						  ',')
				      : "");
		paragraph_end(&p);
		return;
	}
	if (group->reason == REASON_MANAGEMENT_IN_GROUP) {
		/* "bound, but no VM can use it: ..." */
		paragraph_add(&p, "group %d%s:", group->id, when);
		paragraph_verdict(&p, STYLE_BAD, "not viable:");
		paragraph_add(
			&p, "%s",
			strstr(reason_message(group->reason, group->detail, message),
			       "no VM"));
		paragraph_end(&p);
		return;
	}
	paragraph_add(&p, "group %d%s:", group->id, when);
	paragraph_verdict(&p, STYLE_BAD, "not viable:");
	paragraph_add(&p, "no VM can use it while");
	for (size_t i = 0; i < group->blocker_count; i++) {
		const struct pci_device *d = group->blockers[i];
		size_t left = group->blocker_count - 1 - i;
		char address[BDF_SIZE];

		paragraph_add(&p, "%s (%s%s)%s", bdf_format(d->bdf, address),
			      d->driver[0] ? d->driver : "no driver yet",
			      driver_is_vfio(d->driver) ? " until the next boot" : "",
			      left > 1	  ? ","
			      : left == 1 ? " and"
					  : "");
	}
	paragraph_add(&p, "belong%s to the host%s%s",
		      group->blocker_count == 1 ? "s" : "",
		      remedy && remedy[0] ? ": " : "", remedy ? remedy : "");
	paragraph_end(&p);
}

void describe_missing(struct text rule, const char *origin, const char *elsewhere)
{
	struct paragraph p = {stdout, 0, DEVICE_INDENT, false};
	char message[REASON_MESSAGE_SIZE];

	paragraph_add(&p, "rule: %.*s (%s): %s", (int)rule.n, rule.p, origin,
		      reason_missing(elsewhere, message));
	paragraph_end(&p);
}

/* The one of its cards to leave: one that is left anyway, else the first. */
static const struct pci_device *find_spare(const struct plan *plan,
					   const struct rule *rule)
{
	const struct pci_device *first = NULL;

	for (size_t i = 0; i < plan->device_count; i++) {
		const struct plan_device *pd = &plan->devices[i];

		if (pd->action == ACTION_KEEP ||
		    !selector_has_match(&rule->selector, pd->device))
			continue;
		if (pd->action == ACTION_REFUSE)
			return pd->device;
		if (!first)
			first = pd->device;
	}
	return first;
}

const char *twins_sentence(struct identity *identity, const struct plan *plan,
			   const struct rule *rule)
{
	size_t count;
	const char *cards = identity_cards_of(identity, plan, rule, &count);
	const struct pci_device *spare = count > 0 ? find_spare(plan, rule) : NULL;
	char origin[ORIGIN_SIZE], address[BDF_SIZE];

	if (!spare)
		return NULL;
	return arena_printf(
		identity->arena,
		"%.*s (%s): this ID is that of %zu cards: %s; to leave one of "
		"them to the host, keep it: \"earlybind keep %s\"",
		(int)MIN(rule->text.n, (size_t)SELECTOR_SIZE), rule->text.p,
		origin_format(&rule->origin, origin), count, cards,
		bdf_format(spare->bdf, address));
}

const char *physical_sentence(struct world *world, struct arena *arena,
			      const struct plan_device *pd, const struct vfs_rules *vfs)
{
	const struct pci_device *d = pd->device;
	char path[JOB_PATH_SIZE], address[BDF_SIZE], buf[16];
	unsigned count = inventory_count_vfs(world, d->bdf);
	const char *now = "";
	struct text t;
	uint64_t total;
	bool is_taken = pd->action <= ACTION_RECOVER ||
			(pd->action == ACTION_REFUSE && pd->reason == REASON_HAS_VFS);

	if (!is_taken || (pd->rule->selector.terms & (PLACE_TERMS | TERM_SERIAL)) ||
	    (vfs && vfs_has_taken(vfs, d->bdf)))
		return NULL;
	snprintf(path, sizeof(path), SYSFS_PCI_DEVICES "/%s/sriov_totalvfs",
		 bdf_format(d->bdf, address));
	if (world_read_text(world, WORLD_SYS, path, buf, sizeof(buf), &t) < 0 ||
	    text_decimal(t, UINT16_MAX, &total) < 0 || total == 0)
		return NULL;
	if (count > 0)
		now = arena_printf(arena, " (%u exist%s now)", count,
				   count == 1 ? "s" : "");
	return arena_printf(
		arena,
		"%s can have %u virtual function%s%s, and the next boot has none of "
		"them: %.*s takes it from its driver, which makes them; to use them, run "
		"\"earlybind keep %s\"",
		address, (unsigned)total, total == 1 ? "" : "s", now ? now : "",
		(int)MIN(pd->rule->text.n, (size_t)SELECTOR_SIZE), pd->rule->text.p,
		address);
}
