/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes JSON into a buffer, without allocating. Text that is not UTF-8 is escaped byte by
 * byte, so the result is always valid. A full buffer sets is_full and the rest is lost.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "text.h"

#define JSON_DEPTH_MAX 16

struct json {
	char *buf;
	size_t size;
	size_t used;
	unsigned depth;
	bool has_item[JSON_DEPTH_MAX];
	bool is_full;
};

/* @key is NULL inside arrays and for the outermost value. */
void json_open(struct json *json, const char *key, char bracket) nonnull(1);
void json_close(struct json *json, char bracket) nonnull(1);
void json_put_string(struct json *json, const char *key, const char *value) nonnull(1);
void json_put_text(struct json *json, const char *key, struct text value) nonnull(1);
void json_put_number(struct json *json, const char *key, int64_t value) nonnull(1);
void json_put_bool(struct json *json, const char *key, bool value) nonnull(1);
void json_put_null(struct json *json, const char *key) nonnull(1);
/* A string of @digits lower-case hexadecimal digits. */
void json_put_hex(struct json *json, const char *key, uint32_t value, int digits)
	nonnull(1);
