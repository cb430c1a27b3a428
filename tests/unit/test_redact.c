/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a recording must not tell; and the index that it has of modules. */
#include "test.h"

#include "depmod_index.h"
#include "redact.h"

struct redact_case {
	const char *in, *want;
};

static const struct redact_case cmdlines[] = {
	{"", ""},
	{"quiet ro\n", "quiet ro\n"},
	{"root=UUID=1234-ABCD rw", "root=xxxxxxxxxxxxxx rw"},
	{"root=/dev/sda1 intel_iommu=on", "root=xxxxxxxxx intel_iommu=on"},
	{"intel-iommu=on vfio_pci.ids=10ee:5000",
	 "intel-iommu=on vfio_pci.ids=10ee:5000"},
	{"rd.earlybind.bind=01:00.0;optional", "rd.earlybind.bind=01:00.0;optional"},
	{"rd.luks.key=/k db=\"a b\" x", "rd.luks.key=xx db=\"x x\" x"},
	{"\"note=my words\" quiet", "\"note=xx xxxxx\" quiet"},
	{"MyPassPhrase quiet", "xxxxxxxxxxxx quiet"},
	{"quiet -- sesame --open=it", "quiet -- xxxxxx xxxxxxxxx"},
	{"a==b=c", "a=xxxx"},
	{"=secretvalue", "xxxxxxxxxxxx"},
	{"unclosed=\"a b c", "unclosed=\"x x x"},
};

static void test_cmdline(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(cmdlines); i++) {
		char *p = strdup(cmdlines[i].in);

		redact_cmdline(p, strlen(p));
		check_string(cmdlines[i].in, p, cmdlines[i].want);
		free(p);
	}
}

/* The kernel stops at a NUL byte; a file does not. */
static void test_cmdline_nul(void **state unused)
{
	char line[] = "quiet\0secret=1";

	redact_cmdline(line, sizeof(line) - 1);
	assert_memory_equal(line, "quiet xxxxxxxx", sizeof(line) - 1);
}

static const struct redact_case texts[] = {
	{"", ""},
	{"a 9b7c1f6e-0000-4000-8000-1234567890ab b",
	 "a xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx b"},
	{"UUID=1A2B-3C4D", "UUID=xxxx-xxxx"},
	{"0a:1b:2c:3d:4e:5f", "xx:xx:xx:xx:xx:xx"},
	{"0000:01:00.0 [10ee:5000] 10ee:5000:10ee:000e:120000:ffffff",
	 "0000:01:00.0 [10ee:5000] 10ee:5000:10ee:000e:120000:ffffff"},
	{"serial=00-0a-35-ff-ff-00-12-34,x", "serial=00-00-00-00-00-00-00-00,x"},
	{"path=00:01.0/00.0+10de:2489", "path=00:01.0/00.0+10de:2489"},
	{"6.1.0-18-amd64", "6.1.0-18-amd64"},
	{"0a:1b:2c:3d:4e:5", "0a:1b:2c:3d:4e:5"},
};

static void test_redact_text(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char *p = strdup(texts[i].in);

		redact_text(p, strlen(p), false);
		check_string(texts[i].in, p, texts[i].want);
		free(p);
	}
}

static void test_serial_is_told(void **state unused)
{
	char p[] = "serial=00-0a-35-ff-ff-00-12-34";

	redact_text(p, strlen(p), true);
	assert_string_equal(p, "serial=00-0a-35-ff-ff-00-12-34");
}

static void test_comments(void **state unused)
{
	char p[] = "bind 1:00.0 # mine\n#all\nbind slot=a#b\n";

	redact_comments(p, strlen(p));
	assert_string_equal(p, "bind 1:00.0 #     \n#   \nbind slot=a#b\n");
}

static void put_u32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> 8 * i);
}

/* A circle of capabilities, one behind the end, and sizes at which nothing is whole. */
static void test_config_space(void **state unused)
{
	for (size_t n = 0; n <= 4096; n += n < 0x180 ? 1 : 16) {
		unsigned char *p = malloc(n + 1);

		memset(p, 0xff, n + 1);
		if (n >= 0x104)
			put_u32(p + 0x100, 0x150 << 20 | 0x10001);
		if (n >= 0x15c) {
			put_u32(p + 0x150, 0x100u << 20 | 0x10003);
			memset(p + 0x154, 0x12, 8);
		}
		redact_config_space(p, n);
		if (n >= 0x15c)
			assert_memory_equal(p + 0x154, "\0\0\0\0\0\0\0\0", 8);
		assert_int_equal(p[n], 0xff);
		free(p);
	}
}

struct seen {
	char text[4096];
	size_t used;
};

static int each(void *arg, struct text key, struct text value)
{
	struct seen *seen = arg;

	seen->used +=
		(size_t)snprintf(seen->text + seen->used, sizeof(seen->text) - seen->used,
				 "%.*s=%.*s:%u\n", (int)key.n, key.p, (int)value.n,
				 value.p, (unsigned)index_priority(value));
	return 0;
}

static void check_index(struct index_entry *entries, size_t count, const char *want)
{
	struct arena arena = test_arena(32 * 1024 * 1024);
	struct seen seen = {.text = ""};
	struct text bytes;

	assert_int_equal(index_write(entries, count, &arena, &bytes), 0);
	assert_int_equal(index_each(bytes, each, &seen), 0);
	assert_string_equal(seen.text, want);
	test_arena_free(&arena);
}

static void test_index(void **state unused)
{
	struct index_entry many[] = {
		{"vfio_pci", "kernel/vfio-pci.ko:", 3},
		{"vfio", "b", 9},
		{"vfio", "a", 2},
		{"", "empty", 0},
		{"x\xc3", "", 1},
		{"vfio_pci_core", "c", 4},
	};
	struct index_entry one[] = {{"pci:v*", "m", 7}};

	check_index(NULL, 0, "");
	check_index(one, 1, "pci:v*=m:7\n");
	check_index(many, ARRAY_SIZE(many),
		    "=empty:0\nvfio=a:2\nvfio=b:9\nvfio_pci=kernel/vfio-pci.ko::3\n"
		    "vfio_pci_core=c:4\nx\xc3=:1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cmdline),	    cmocka_unit_test(test_cmdline_nul),
		cmocka_unit_test(test_redact_text), cmocka_unit_test(test_serial_is_told),
		cmocka_unit_test(test_comments),    cmocka_unit_test(test_config_space),
		cmocka_unit_test(test_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
