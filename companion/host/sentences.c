/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sentences.h"

#include <stdio.h>
#include <string.h>

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

void describe_group(const struct plan_group *group)
{
	struct paragraph p = {stdout, 0, DEVICE_INDENT, false};
	char message[REASON_MESSAGE_SIZE];

	if (group->is_viable) {
		/* "bound, but no VM can use it: ..." */
		paragraph_add(&p, "group %d: viable%s", group->id,
			      group->reason
				      ? strchrnul(reason_message(group->reason,
								 group->detail, message),
						  ',')
				      : "");
		paragraph_end(&p);
		return;
	}
	if (group->reason == REASON_MANAGEMENT_IN_GROUP) {
		/* "bound, but no VM can use it: ..." */
		paragraph_add(
			&p, "group %d: not viable: %s", group->id,
			strstr(reason_message(group->reason, group->detail, message),
			       "no VM"));
		paragraph_end(&p);
		return;
	}
	paragraph_add(&p, "group %d: not viable: no VM can use it while", group->id);
	for (size_t i = 0; i < group->blocker_count; i++) {
		const struct pci_device *d = group->blockers[i];
		size_t left = group->blocker_count - 1 - i;
		char address[BDF_SIZE];

		paragraph_add(&p, "%s (%s)%s", bdf_format(d->bdf, address),
			      d->driver[0] ? d->driver : "no driver yet",
			      left > 1	  ? ","
			      : left == 1 ? " and"
					  : "");
	}
	paragraph_add(
		&p,
		"belong%s to the host: bind %s too, or move the card to a slot of its own "
		"group",
		group->blocker_count == 1 ? "s" : "",
		group->blocker_count == 1 ? "it" : "them");
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
