/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What checks find: verdict, name of the check, a sentence with cause and remedy. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "json.h"

#define FINDINGS_MAX 1024

enum finding_kind {
	FINDING_FAIL,
	FINDING_UNKNOWN, /* "cannot tell" */
	FINDING_NOTE,
	FINDING_PASS,
};

#define FINDING_KINDS (FINDING_PASS + 1)

struct finding {
	const char *name;
	enum finding_kind kind;
	const char *message;
};

struct findings {
	struct arena *arena; /* where messages go */
	struct finding items[FINDINGS_MAX];
	size_t count;
	size_t lost_count; /* beyond FINDINGS_MAX */
	size_t counts[FINDING_KINDS]; /* with the lost ones */
};

/* "pass", "FAIL", "cannot tell", "note" */
const char *finding_kind_name(enum finding_kind kind);

/* @name must live on; the sentence is copied. */
void findings_vadd(struct findings *findings, enum finding_kind kind, const char *name,
		   const char *format, va_list ap) nonnull(1, 3, 4) printf_like(4, 0);

/* Prints one to the standard output. */
void finding_print(const struct finding *finding) nonnull(1);

/* "checks": all of them, as a list. */
void findings_write(const struct findings *findings, struct json *json) nonnull(1, 2);
