/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put(struct json *json, const char *bytes, size_t n)
{
	if (json->is_full || n >= json->size - json->used) {
		json->is_full = true;
		return;
	}
	memcpy(json->buf + json->used, bytes, n);
	json->used += n;
	json->buf[json->used] = '\0';
}

static void put_string(struct json *json, struct text t)
{
	put(json, "\"", 1);
	while (t.n > 0) {
		uint32_t c;
		size_t n = text_character(t, &c);
		char escaped[8];

		/* A byte that is no UTF-8 stands for itself, as in Latin-1. */
		if (n == 0) {
			n = 1;
			c = (uint8_t)t.p[0];
		}
		if (c == '"' || c == '\\')
			put(json, (char[]){'\\', (char)c}, 2);
		else if (char_is_shown(c) && (n > 1 || c < 0x7f))
			put(json, t.p, n);
		else
			put(json, escaped, (size_t)snprintf(escaped, 8, "\\u%04x", c));
		t.p += n;
		t.n -= n;
	}
	put(json, "\"", 1);
}

/* The comma, line and key before a value. */
static void start(struct json *json, const char *key)
{
	static const char indent[] = "                                ";

	if (json->depth > 0) {
		if (json->has_item[json->depth - 1])
			put(json, ",", 1);
		json->has_item[json->depth - 1] = true;
		put(json, "\n", 1);
		put(json, indent, MIN((size_t)json->depth * 2, sizeof(indent) - 1));
	}
	if (key) {
		put_string(json, text_of(key));
		put(json, ": ", 2);
	}
}

void json_open(struct json *json, const char *key, char bracket)
{
	start(json, key);
	put(json, &bracket, 1);
	if (json->depth == JSON_DEPTH_MAX) {
		json->is_full = true;
		return;
	}
	json->has_item[json->depth++] = false;
}

void json_close(struct json *json, char bracket)
{
	static const char indent[] = "                                ";
	bool had_item;

	if (json->depth == 0)
		return;
	had_item = json->has_item[--json->depth];
	if (had_item) {
		put(json, "\n", 1);
		put(json, indent, MIN((size_t)json->depth * 2, sizeof(indent) - 1));
	}
	put(json, &bracket, 1);
	if (json->depth == 0)
		put(json, "\n", 1);
}

void json_put_text(struct json *json, const char *key, struct text value)
{
	start(json, key);
	put_string(json, value);
}

void json_put_string(struct json *json, const char *key, const char *value)
{
	if (value)
		json_put_text(json, key, text_of(value));
	else
		json_put_null(json, key);
}

void json_put_number(struct json *json, const char *key, int64_t value)
{
	char digits[24];

	start(json, key);
	put(json, digits, (size_t)snprintf(digits, sizeof(digits), "%" PRId64, value));
}

void json_put_bool(struct json *json, const char *key, bool value)
{
	start(json, key);
	put(json, value ? "true" : "false", value ? 4 : 5);
}

void json_put_null(struct json *json, const char *key)
{
	start(json, key);
	put(json, "null", 4);
}

void json_put_hex(struct json *json, const char *key, uint32_t value, int digits)
{
	char hex[16];

	snprintf(hex, sizeof(hex), "%0*x", digits, value);
	json_put_string(json, key, hex);
}
