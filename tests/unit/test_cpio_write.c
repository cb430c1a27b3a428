/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "cpio.h"

struct sink {
	char bytes[64 * 1024];
	size_t used;
	size_t calls;
	size_t fails_at; /* the call that fails, from 1; 0 for none */
};

static int take(void *arg, struct text bytes)
{
	struct sink *sink = arg;

	if (++sink->calls == sink->fails_at)
		return -ENOSPC;
	assert_true(bytes.n > 0 && bytes.n <= sizeof(sink->bytes) - sink->used);
	memcpy(sink->bytes + sink->used, bytes.p, bytes.n);
	sink->used += bytes.n;
	return 0;
}

static struct sink sink;

static struct cpio_writer begin(void)
{
	memset(&sink, 0, sizeof(sink));
	memset(sink.bytes, '#', sizeof(sink.bytes));
	return (struct cpio_writer){.put = take, .arg = &sink, .mtime = 0x12345678};
}

static void check_part(const char *label, size_t at, const char *want, size_t n)
{
	check_true(label, at + n <= sink.used);
	if (memcmp(sink.bytes + at, want, n) != 0)
		fail_msg("%s: at %zu stands \"%.*s\"", label, at, (int)n,
			 sink.bytes + at);
}

static void check_zeros(const char *label, size_t from, size_t to)
{
	check_true(label, to <= sink.used);
	for (size_t i = from; i < to; i++)
		check_int(label, sink.bytes[i], 0);
}

/* Byte by byte: header, name and NUL to a multiple of four, data to a multiple of four. */
static void test_layout(void **state unused)
{
	static const char dir[] =
		"07070100000001000041ed00000000000000000000000212345678"
		"00000000000000000000000000000000000000000000000400000000usr";
	static const char file[] =
		"07070100000002000081e400000000000000000000000112345678"
		"00000005000000000000000000000000000000000000000600000000usr/f";
	static const char end[] =
		"070701000000000000000000000000000000000000000100000000"
		"00000000000000000000000000000000000000000000000b00000000TRAILER!!!";
	struct cpio_writer w = begin();

	assert_int_equal(cpio_put_dir(&w, "usr"), 0);
	check_int("dir", w.written, 116);
	check_part("dir", 0, dir, sizeof(dir));
	check_zeros("dir", sizeof(dir), 116);

	/* The type of the file is not the caller's to say. */
	assert_int_equal(cpio_put_file(&w, "usr/f", 040744, TEXT("12345")), 0);
	check_part("file", 116, file, sizeof(file));
	check_part("data", 116 + 116, "12345", 5);
	check_zeros("data", 116 + 116 + 5, 116 + 116 + 8);

	assert_int_equal(cpio_put_end(&w), 0);
	check_part("end", 240, end, sizeof(end));
	check_zeros("end", 240 + sizeof(end), 512);
	check_int("end", sink.used, 512);
	check_int("end", w.written, 512);
}

/* Every length of name and data leaves the next entry at a multiple of four. */
static void test_alignment(void **state unused)
{
	for (size_t name = 1; name < 9; name++)
		for (size_t data = 0; data < 9; data++) {
			struct cpio_writer w = begin();
			char label[32];

			snprintf(label, sizeof(label), "%zu, %zu", name, data);
			check_int(label,
				  cpio_put_file(
					  &w, &"abcdefgh" [8 - name], 0644,
					  (struct text) { "12345678", data }),
				  0);
			check_int(label, w.written % 4, 0);
			check_int(label, w.written,
				  (110 + name + 1 + 3) / 4 * 4 + (data + 3) / 4 * 4);
			check_int(label, sink.used, w.written);
			check_int(label, cpio_put_end(&w), 0);
			check_int(label, w.written % CPIO_BLOCK, 0);
		}
}

static void test_limits(void **state unused)
{
	static const struct {
		const char *name;
		int want;
	} names[] = {
		{"", -EINVAL},		 {"/usr", -EINVAL}, {"usr/", -EINVAL},
		{"TRAILER!!!", -EINVAL}, {"TRAILER", 0},    {"usr/TRAILER!!!", 0},
	};
	struct cpio_writer w;
	char *name = malloc(CPIO_NAME_MAX + 2);

	assert_non_null(name);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		w = begin();
		check_int(names[i].name, cpio_put_dir(&w, names[i].name), names[i].want);
		check_int(names[i].name, sink.used > 0, names[i].want == 0);
	}
	memset(name, 'x', CPIO_NAME_MAX + 1);
	name[CPIO_NAME_MAX + 1] = '\0';
	w = begin();
	check_int("long", cpio_put_file(&w, name, 0644, TEXT("")), -ENAMETOOLONG);
	check_int("long", sink.used, 0);
	name[CPIO_NAME_MAX] = '\0';
	check_int("longest", cpio_put_file(&w, name, 0644, TEXT("")), 0);
	check_part("longest", 94, "00001000", 8);
	free(name);

	/* Never read: only its size is looked at. */
	w = begin();
	check_int("4 GiB",
		  cpio_put_file(&w, "f", 0644, (struct text){"", (size_t)1 << 32}),
		  -EFBIG);
	check_int("4 GiB", sink.used, 0);
}

/* Whichever call fails, the error comes back and nothing more is put. */
static void test_errors(void **state unused)
{
	size_t calls = 0;

	for (size_t i = 0; i == 0 || i <= calls; i++) {
		struct cpio_writer w = begin();
		char label[32];
		int r;

		snprintf(label, sizeof(label), "call %zu", i);
		sink.fails_at = i;
		r = cpio_put_dir(&w, "d");
		if (r == 0)
			r = cpio_put_file(&w, "d/f", 0644, TEXT("x"));
		if (r == 0)
			r = cpio_put_end(&w);
		check_int(label, r, i == 0 ? 0 : -ENOSPC);
		check_int(label, w.written, sink.used);
		if (i == 0)
			calls = sink.calls;
		else
			check_int(label, sink.calls, i);
	}
	assert_true(calls > 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
