/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "findings.h"

#include <stdio.h>

#include "message.h"

const char *finding_kind_name(enum finding_kind kind)
{
	switch (kind) {
	case FINDING_PASS:
		return "pass";
	case FINDING_FAIL:
		return "FAIL";
	case FINDING_UNKNOWN:
		return "cannot tell";
	case FINDING_NOTE:
		return "note";
	}
	return "";
}

void findings_vadd(struct findings *findings, enum finding_kind kind, const char *name,
		   const char *format, va_list ap)
{
	const char *message;

	findings->counts[kind]++;
	if (findings->count == FINDINGS_MAX) {
		findings->lost_count++;
		return;
	}
	message = arena_vprintf(findings->arena, format, ap);
	findings->items[findings->count++] =
		(struct finding){name, kind, message ? message : "out of memory"};
}

void finding_print(const struct finding *finding)
{
	static const enum style styles[] = {
		[FINDING_FAIL] = STYLE_BAD,
		[FINDING_UNKNOWN] = STYLE_CAREFUL,
		[FINDING_NOTE] = STYLE_PLAIN,
		[FINDING_PASS] = STYLE_GOOD,
	};
	struct paragraph p = {stdout, 0, DEVICE_INDENT, false};

	paragraph_verdict(&p, styles[finding->kind], "%s",
			  finding_kind_name(finding->kind));
	paragraph_add(&p, "%s: %s", finding->name, finding->message);
	paragraph_end(&p);
}

void findings_write(const struct findings *findings, struct json *json)
{
	json_open(json, "checks", '[');
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *f = &findings->items[i];

		json_open(json, NULL, '{');
		json_put_string(json, "name", f->name);
		json_put_string(json, "verdict", finding_kind_name(f->kind));
		json_put_string(json, "message", f->message);
		json_close(json, '}');
	}
	json_close(json, ']');
}
