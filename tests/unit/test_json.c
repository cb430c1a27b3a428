/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include <jansson.h>

#include "json.h"

/* What jansson reads from the one member "x" of the written object. */
static json_t *read_back(const struct json *json)
{
	json_error_t error;
	json_t *root = json_loadb(json->buf, json->used,
				  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

	if (!root)
		fail_msg("%s: %s", error.text, json->buf);
	return root;
}

static struct json new_json(size_t size)
{
	struct json json = {.buf = malloc(size ? size : 1), .size = size};

	assert_non_null(json.buf);
	return json;
}

static void test_layout(void **state unused)
{
	struct json json = new_json(1024);

	json_open(&json, NULL, '{');
	json_put_number(&json, "n", -7);
	json_put_bool(&json, "t", true);
	json_put_bool(&json, "f", false);
	json_put_null(&json, "z");
	json_put_string(&json, "s", "a\"b\\c");
	json_put_string(&json, "no", NULL);
	json_put_hex(&json, "h", 0x3a, 4);
	json_open(&json, "empty", '[');
	json_close(&json, ']');
	json_open(&json, "list", '[');
	json_put_number(&json, NULL, 1);
	json_open(&json, NULL, '{');
	json_close(&json, '}');
	json_close(&json, ']');
	json_close(&json, '}');
	json_close(&json, '}');
	assert_false(json.is_full);
	assert_string_equal(json.buf, "{\n"
				      "  \"n\": -7,\n"
				      "  \"t\": true,\n"
				      "  \"f\": false,\n"
				      "  \"z\": null,\n"
				      "  \"s\": \"a\\\"b\\\\c\",\n"
				      "  \"no\": null,\n"
				      "  \"h\": \"003a\",\n"
				      "  \"empty\": [],\n"
				      "  \"list\": [\n"
				      "    1,\n"
				      "    {}\n"
				      "  ]\n"
				      "}\n");
	json_decref(read_back(&json));
	free(json.buf);
}

static void test_numbers(void **state unused)
{
	static const int64_t numbers[] = {0, 1, -1, INT64_MAX, INT64_MIN};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct json json = new_json(64);
		json_t *root;

		json_open(&json, NULL, '[');
		json_put_number(&json, NULL, numbers[i]);
		json_close(&json, ']');
		root = read_back(&json);
		assert_true(json_integer_value(json_array_get(root, 0)) == numbers[i]);
		json_decref(root);
		free(json.buf);
	}
}

static void test_strings(void **state unused)
{
	static const struct {
		struct text text;
		struct text want;
	} cases[] = {
		{TEXT(""), TEXT("")},
		{TEXT("plain"), TEXT("plain")},
		{TEXT("\t\n\x01\x1f\x7f"), TEXT("\t\n\x01\x1f\x7f")},
		{TEXT("a\0b"), TEXT("a\0b")},
		/* UTF-8 of two, three and four bytes stays */
		{TEXT("\xc3\xbc"), TEXT("\xc3\xbc")},
		{TEXT("\xe2\x82\xac"), TEXT("\xe2\x82\xac")},
		{TEXT("\xf0\x9f\x92\xbe"), TEXT("\xf0\x9f\x92\xbe")},
		/* A byte that is none stands for itself, as in Latin-1 */
		{TEXT("\xfc"), TEXT("\xc3\xbc")},
		{TEXT("a\x80"), TEXT("a\xc2\x80")},
		{TEXT("\xc3"), TEXT("\xc3\x83")},
		{TEXT("\xc3("), TEXT("\xc3\x83(")},
		{TEXT("\xe2\x82"), TEXT("\xc3\xa2\xc2\x82")},
		/* Overlong, a surrogate, beyond Unicode */
		{TEXT("\xc0\x80"), TEXT("\xc3\x80\xc2\x80")},
		{TEXT("\xed\xa0\x80"), TEXT("\xc3\xad\xc2\xa0\xc2\x80")},
		{TEXT("\xf4\x90\x80\x80"), TEXT("\xc3\xb4\xc2\x90\xc2\x80\xc2\x80")},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct json json = new_json(256);
		const json_t *string;
		json_t *root;

		json_open(&json, NULL, '[');
		json_put_text(&json, NULL, cases[i].text);
		json_close(&json, ']');
		root = read_back(&json);
		string = json_array_get(root, 0);
		assert_int_equal(json_string_length(string), cases[i].want.n);
		assert_memory_equal(json_string_value(string), cases[i].want.p,
				    cases[i].want.n);
		json_decref(root);
		free(json.buf);
	}
}

static void write_something(struct json *json)
{
	json_open(json, NULL, '{');
	json_put_string(json, "key", "\x01value\xff");
	json_open(json, "list", '[');
	json_put_number(json, NULL, 12);
	json_put_hex(json, NULL, 12, 8);
	json_close(json, ']');
	json_close(json, '}');
}

/* A buffer that is too small by any number of bytes is full, and nothing is written behind. */
static void test_full(void **state unused)
{
	struct json whole = new_json(256);
	size_t n;

	write_something(&whole);
	n = whole.used;
	for (size_t size = 0; size <= n + 1; size++) {
		struct json json = new_json(size);

		write_something(&json);
		assert_int_equal(json.is_full, size <= n);
		assert_true(json.used < size || size == 0);
		free(json.buf);
	}
	free(whole.buf);
}

static void test_depth(void **state unused)
{
	struct json json = new_json(4096);

	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		json_open(&json, NULL, '[');
	assert_false(json.is_full);
	json_open(&json, NULL, '[');
	assert_true(json.is_full);
	for (int i = 0; i < JSON_DEPTH_MAX + 3; i++)
		json_close(&json, ']');
	assert_int_equal(json.depth, 0);
	free(json.buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),	cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_strings), cmocka_unit_test(test_full),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
