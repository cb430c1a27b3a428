/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions that the accelerator table knows, and the groups that rules name them with. */
#include <stdio.h>
#include <string.h>

#include "accel.h"
#include "commands.h"
#include "list.h"
#include "message.h"
#include "pci_names.h"

#define CARD_INDENT  16 /* of what is behind an address */
#define GROUP_INDENT 20 /* of what is behind a group: longer names do not exist */

static const char *role_text(enum accel_role role)
{
	switch (role) {
	case ACCEL_USER:
		return "user function, for a VM";
	case ACCEL_MGMT:
		return "management function, which can flash the card";
	case ACCEL_GOLDEN:
		return "runs its golden image";
	case ACCEL_VF:
		return "virtual function";
	case ACCEL_DENY:
		return "vfio-pci refuses it: it is on its denylist";
	case ACCEL_GPU_CLASS:
		return "known by its class only";
	case ACCEL_UNKNOWN:
	case ACCEL_NPU:
	case ACCEL_GPU:
	case ACCEL_VPU:
	case ACCEL_FPGA:
	case ACCEL_CRYPTO:
	case ACCEL_SWITCH:
		break;
	}
	return NULL;
}

static void put_card(const struct pci_device *d)
{
	struct paragraph head = {stdout, CARD_INDENT, CARD_INDENT, false};
	struct paragraph groups = head;
	const char *role = role_text(accel_role(&d->ids)), * or = "";
	char address[BDF_SIZE];

	put_style(stdout, STYLE_HEAD);
	printf("  %-*s ", CARD_INDENT - 3, bdf_format(d->bdf, address));
	put_style(stdout, STYLE_PLAIN);
	paragraph_add(&head, "%s [%04x:%04x]%s%s", accel_card_name(accel_find(&d->ids)),
		      d->ids.vendor, d->ids.device, role ? ": " : "", role ? role : "");
	paragraph_end(&head);
	printf("%*s", CARD_INDENT, "");
	for (unsigned g = 0; accel_group_description(g); g++) {
		if (!accel_group_has(g, &d->ids))
			continue;
		paragraph_add(&groups, "%saccel=%s", or, accel_group_name(g));
		or = "or ";
	}
	paragraph_end(&groups);
	printf("%*sdriver: %s\n", CARD_INDENT, "", d->driver[0] ? d->driver : "none");
}

void list_choose_accel(struct list *l)
{
	for (size_t i = 0; i < l->inventory.count; i++)
		if (accel_find(&l->items[i].device->ids) < 0)
			l->items[i].is_shown = false;
}

int list_print_accel(struct list *l)
{
	size_t count = 0;

	for (size_t i = 0; i < l->inventory.count; i++) {
		if (!l->items[i].is_shown)
			continue;
		put_card(l->items[i].device);
		count++;
	}
	if (count == 0)
		paragraph_line(
			stdout, 0,
			"no function is in the table of accelerators: name it by its "
			"ID, address, path or serial number instead");
	else
		paragraph_line(
			stdout, 0,
			"A group is written as it stands here, alone or with other "
			"terms: \"earlybind add accel=GROUP\". All groups: "
			"\"earlybind list --accel=all\".");
	return EXIT_OK;
}

int list_print_accel_groups(struct arena *arena, bool is_json)
{
	struct json json;

	for (unsigned g = 0; !is_json && accel_group_description(g); g++) {
		struct paragraph p = {stdout, GROUP_INDENT, GROUP_INDENT, false};

		put_style(stdout, STYLE_HEAD);
		printf("%-*s", GROUP_INDENT, accel_group_name(g));
		put_style(stdout, STYLE_PLAIN);
		paragraph_add(&p, "%s", accel_group_description(g));
		paragraph_end(&p);
	}
	if (!is_json)
		return EXIT_OK;
	if (begin_json(arena, 64, &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_open(&json, "accel_groups", '[');
	for (unsigned g = 0; accel_group_description(g); g++) {
		json_open(&json, NULL, '{');
		json_put_string(&json, "name", accel_group_name(g));
		json_put_string(&json, "description", accel_group_description(g));
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_close(&json, '}');
	return end_json(&json);
}

void list_write_accel(const struct pci_ids *ids, struct json *json)
{
	int entry = accel_find(ids);

	if (entry < 0) {
		json_put_null(json, "accel");
		return;
	}
	json_open(json, "accel", '{');
	json_put_string(json, "name", accel_card_name(entry));
	json_put_string(json, "role", accel_role_name(accel_role(ids)));
	json_open(json, "groups", '[');
	for (unsigned g = 0; accel_group_description(g); g++)
		if (accel_group_has(g, ids))
			json_put_string(json, NULL, accel_group_name(g));
	json_close(json, ']');
	json_close(json, '}');
}
