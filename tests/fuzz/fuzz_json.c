/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The JSON writer: any sequence of calls with any text, as long as it fits, is valid. */
#include "fuzz.h"

#include <jansson.h>

#include "json.h"

#define DEPTH_MAX 20

struct writer {
	struct json json;
	char closing[DEPTH_MAX];
	unsigned depth;
};

static void open_one(struct writer *w, const char *key, char bracket)
{
	if (w->depth == DEPTH_MAX)
		return;
	json_open(&w->json, key, bracket);
	w->closing[w->depth++] = bracket == '{' ? '}' : ']';
}

/* One call per step: a byte for which, then its text with a byte of length. */
static struct text step(struct writer *w, struct text rest)
{
	unsigned what = (uint8_t)rest.p[0] % 9;
	size_t n = rest.n > 1 ? MIN((size_t)(uint8_t)rest.p[1], rest.n - 2) : 0;
	struct text value = {rest.p + MIN(rest.n, (size_t)2), n};
	bool is_object = w->closing[w->depth - 1] == '}';
	char key[8];

	/* Keys differ, as those of a program do. */
	snprintf(key, sizeof(key), "k%zu", rest.n % 100000);
	if (what == 0 && w->depth > 1)
		json_close(&w->json, w->closing[--w->depth]);
	else if (what == 1)
		open_one(w, is_object ? key : NULL, '{');
	else if (what == 2)
		open_one(w, is_object ? key : NULL, '[');
	else if (what == 3)
		json_put_number(&w->json, is_object ? key : NULL, (int64_t)n * -77);
	else if (what == 4)
		json_put_bool(&w->json, is_object ? key : NULL, n & 1);
	else if (what == 5)
		json_put_null(&w->json, is_object ? key : NULL);
	else if (what == 6)
		json_put_hex(&w->json, is_object ? key : NULL, (uint32_t)n, (int)n % 9);
	else
		json_put_text(&w->json, is_object ? key : NULL, value);
	return (struct text){value.p + value.n,
			     rest.n - (size_t)(value.p + value.n - rest.p)};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text whole = fuzz_text(data, size), rest = whole;
	/* Sometimes too small. */
	size_t capacity = size > 0 && data[0] == 0xff ? size : size * 40 + 4096;
	struct writer w = {.json = {.buf = malloc(capacity + 1), .size = capacity}};
	json_error_t error;
	json_t *root;

	require(w.json.buf);
	open_one(&w, NULL, '{');
	while (rest.n > 0)
		rest = step(&w, rest);
	while (w.depth > 0)
		json_close(&w.json, w.closing[--w.depth]);
	require(w.json.used <= capacity);
	if (!w.json.is_full) {
		root = json_loadb(w.json.buf, w.json.used,
				  JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
		if (!root)
			fprintf(stderr, "%s\n%s\n", error.text, w.json.buf);
		require(root);
		json_decref(root);
	}
	free(w.json.buf);
	free((char *)whole.p);
	return 0;
}
