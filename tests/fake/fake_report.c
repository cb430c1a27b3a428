/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_report.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define VFIO "vfio-pci"

static char message[512];

static const char *string_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static const json_t *find_device(const json_t *root, const char *address)
{
	const json_t *devices = json_object_get(root, "devices"), *d;
	size_t i;

	json_array_foreach(devices, i,
			   d) if (strcmp(string_of(d, "address"), address) == 0) return d;
	return NULL;
}

/* One device, as the report says and as it was. */
static const char *check_device(const json_t *root, const struct outcome *o)
{
	char address[BDF_SIZE];
	const json_t *d = find_device(root, bdf_format(o->plan->device->bdf, address));
	const struct {
		const char *key, *want;
	} fields[] = {
		{"verdict", verdict_name(o->verdict)},
		{"reason", reason_word(o->reason)},
		{"before", o->before},
		{"after", o->after},
		{"action", action_name(o->plan->action)},
	};

	if (!d) {
		snprintf(message, sizeof(message), "%s: not in the report", address);
		return message;
	}
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const char *got = string_of(d, fields[i].key);

		/* Bytes that are no UTF-8 are written in another way. */
		if (strcmp(got, fields[i].want) == 0 || strchr(fields[i].want, '\x80'))
			continue;
		snprintf(message, sizeof(message),
			 "%s: %s is \"%s\" in the report, not \"%s\"", address,
			 fields[i].key, got, fields[i].want);
		return message;
	}
	/* A cause has a sentence. */
	if (o->reason != REASON_NONE && string_of(d, "message")[0] == '\0') {
		snprintf(message, sizeof(message), "%s: %s without a sentence", address,
			 reason_word(o->reason));
		return message;
	}
	return NULL;
}

static const char *check_root(const json_t *root, const struct fake_boot *boot)
{
	const struct report *report = &boot->run.report;
	const json_t *devices = json_object_get(root, "devices");
	const char *wrong = NULL;

	if (json_is_true(json_object_get(root, "all_bound")) !=
	    report_is_all_bound(report))
		return "all_bound of the report is wrong";
	if (!report->is_dry_run && json_is_true(json_object_get(root, "all_bound")) !=
					   (boot->code == EXIT_ALL_BOUND))
		return "all_bound of the report and the code disagree";
	if (strcmp(string_of(root, "reason"), reason_word(report->reason)) != 0)
		return "the report has another reason";
	if (json_array_size(devices) != (report->plan ? report->plan->device_count : 0))
		return "the report has more devices, or less";
	for (size_t i = 0; !wrong && i < json_array_size(devices); i++)
		wrong = check_device(root, &report->outcomes[i]);
	return wrong;
}

const char *fake_check_report(const struct fake_world *w, const struct fake_boot *boot)
{
	json_error_t error;
	const char *wrong;
	json_t *root;

	/* Nothing was published: that failed, or there was no rule. */
	if (w->publishes == 0)
		return NULL;
	root = json_loads(w->report, JSON_REJECT_DUPLICATES, &error);
	if (!root) {
		snprintf(message, sizeof(message), "the report is no JSON: %s",
			 error.text);
		return message;
	}
	wrong = check_root(root, boot);
	json_decref(root);
	return wrong;
}
