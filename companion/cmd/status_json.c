/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "commands.h"
#include "command_output.h"
#include "report.h"
#include "status.h"

static void write_holders(const struct status *s, const struct pci_device *d,
			  struct json *json)
{
	const struct holder *list[HOLDERS_SHOWN];
	size_t count = d ? holders_find(&s->holders, d, list, HOLDERS_SHOWN) : 0;

	json_open(json, "in_use_by", '[');
	for (size_t i = 0; i < MIN(count, (size_t)HOLDERS_SHOWN); i++) {
		json_open(json, NULL, '{');
		json_put_number(json, "pid", list[i]->pid);
		json_put_string(json, "command", list[i]->command);
		json_put_string(json, "node", list[i]->node);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void write_device(const struct status *s, const struct boot_device *b,
			 struct json *json)
{
	const struct pci_device *d = boot_device_now(b, &s->now);
	const struct {
		const char *key, *value;
	} texts[] = {
		{"id", b->id},
		{"wanted", b->wanted},
		{"rule", b->rule},
		{"origin", b->origin},
		{"action", b->action},
		{"verdict", b->verdict},
		{"reason", b->reason},
		{"message", b->message},
		{"before", b->before},
		{"after", b->after},
		{"driver", d ? d->driver : ""},
	};
	char address[BDF_SIZE];

	json_open(json, NULL, '{');
	json_put_string(json, "address", bdf_format(b->bdf, address));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		json_put_string(json, texts[i].key,
				texts[i].value[0] ? texts[i].value : NULL);
	if (b->note[0] != '\0')
		json_put_string(json, "note", b->note);
	if (d && d->iommu_group != NO_GROUP)
		json_put_number(json, "iommu_group", d->iommu_group);
	else
		json_put_null(json, "iommu_group");
	json_put_bool(json, "late", b->is_late);
	json_put_bool(json, "present", d != NULL);
	json_put_bool(json, "changed", boot_device_is_changed(b, &s->now));
	json_put_bool(json, "by_hand", boot_device_is_by_hand(b));
	json_put_number(json, "microseconds", (int64_t)b->microseconds);
	write_holders(s, d, json);
	json_close(json, '}');
}

int status_print_json(const struct status *s)
{
	const struct boot *boot = &s->boot;
	struct json json;

	if (begin_json(s->arena, boot->device_count, &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_put_bool(&json, "report", true);
	json_put_bool(&json, "dry_run", boot->is_dry_run);
	json_put_bool(&json, "all_bound", boot->is_all_bound);
	json_put_bool(&json, "all_well", status_is_all_well(s));
	json_put_string(&json, "rules_changed", s->drift[0] ? s->drift : NULL);
	json_put_string(&json, "reason", boot->reason[0] ? boot->reason : NULL);
	json_put_string(&json, "message", boot->message[0] ? boot->message : NULL);
	json_open(&json, "devices", '[');
	for (size_t i = 0; i < boot->device_count; i++)
		if (status_is_asked_for(s, &boot->devices[i]))
			write_device(s, &boot->devices[i], &json);
	json_close(&json, ']');
	json_open(&json, "groups", '[');
	for (size_t i = 0; i < s->group_count; i++)
		report_write_group(&s->groups[i], &json);
	json_close(&json, ']');
	json_open(&json, "modules", '[');
	for (size_t i = 0; i < boot->module_count; i++) {
		json_open(&json, NULL, '{');
		json_put_string(&json, "name", boot->modules[i].name);
		json_put_string(&json, "outcome", boot->modules[i].outcome);
		json_put_number(&json, "errno", boot->modules[i].error);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_close(&json, '}');
	return end_json(&json);
}
