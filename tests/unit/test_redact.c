/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a recording must not tell; and the index that it has of modules. */
#include "test.h"

#include "depmod_index.h"
#include "redact.h"

static struct arena arena;
static struct redact redact;

static void begin(bool has_serial)
{
	arena = test_arena(32 * 1024 * 1024);
	redact_init(&redact, &arena, has_serial);
}

struct redact_case {
	const char *in, *want;
};

static const struct redact_case cmdlines[] = {
	{"", ""},
	{"quiet ro\n", "quiet ro\n"},
	{"root=UUID=1234-ABCD rw", "root=UUID=x1xxxxxxx rw"},
	{"root=/dev/sda1 intel_iommu=on", "root=/dev/sda1 intel_iommu=on"},
	{"root=/dev/mapper/alice--vg-root", "root=/dev/mapper/x1xxxxxxxxxxxx"},
	{"intel-iommu=on vfio_pci.ids=10ee:5000",
	 "intel-iommu=on vfio_pci.ids=10ee:5000"},
	{"intel_iommu=hunter2 vfio_pci.ids=10.0.0.5",
	 "intel_iommu=x1xxxxx vfio_pci.ids=x2xxxxxx"},
	{"vfio_pci.ids=0a:1b:2c:3d:4e:5f", "vfio_pci.ids=x1xxxxxxxxxxxxxxx"},
	{"rd.earlybind.bind=01:00.0;optional", "rd.earlybind.bind=01:00.0;optional"},
	{"rd.earlybind.bnd=01:00.0", "rd.earlybind.bnd=01:00.0"},
	{"rd.luks.key=/k db=\"a b\" x", "rd.luks.key=/x1 x2=\"x3 x4\" x5"},
	{"\"note=my words\" quiet", "\"x1xx=x2 x3xxx\" quiet"},
	{"MyPassPhrase quiet", "x1xxxxxxxxxx quiet"},
	{"quiet -- sesame --open=it", "quiet -- x1xxxx x2xxxx=x3"},
	{"a==b=c", "x1==x2=x3"},
	{"=secretvalue", "=x1xxxxxxxxx"},
	{"unclosed=\"a b c", "x1xxxxxx=\"x2 x3 x4"},
	{"module_blacklist=nouveau,alicesmod", "module_blacklist=nouveau,x1xxxxxxx"},
	{"pci=disable_acs_redir=00:1c.0;0000:40:01.0/00.0,noaer",
	 "pci=disable_acs_redir=00:1c.0;0000:40:01.0/00.0,noaer"},
	{"pci=config_acs=xx0xxx1@00:1c.0;1@pci:8086:a110",
	 "pci=config_acs=xx0xxx1@00:1c.0;1@pci:8086:a110"},
	{"pci=config_acs=alice@00:1c.0", "pci=config_acs=x1xxxxxxxxxxx"},
	{"same=alice alice", "x1xx=x2xxx x2xxx"},
};

static void test_cmdline(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(cmdlines); i++) {
		struct text got;

		begin(false);
		got = redact_cmdline(&redact, text_of(cmdlines[i].in));
		check_string(cmdlines[i].in, arena_copy(&arena, got), cmdlines[i].want);
		assert_false(redact.is_full);
		test_arena_free(&arena);
	}
}

/* The kernel stops at a NUL byte; a file does not. */
static void test_cmdline_nul(void **state unused)
{
	const char line[] = "quiet\0secret=1";
	struct text got;

	begin(false);
	got = redact_cmdline(&redact, (struct text){line, sizeof(line) - 1});
	check_string("NUL", arena_copy(&arena, got), "quiet x1xxxx=x2");
	test_arena_free(&arena);
}

static const struct redact_case texts[] = {
	{"", ""},
	{"on 9b7c1f6e-0000-4000-8000-1234567890ab",
	 "on x1xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
	{"luks-9b7c1f6e-0000-4000-8000-1234567890ab",
	 "x1xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
	{"UUID=1A2B-3C4D", "UUID=x1xxxxxxx"},
	{"0a:1b:2c:3d:4e:5f", "x1xxxxxxxxxxxxxxx"},
	{"0a-1b-2c-3d-4e-5f 0a_1b_2c_3d_4e_5f", "x1xxxxxxxxxxxxxxx x2xxxxxxxxxxxxxxx"},
	{"enx0a1b2c3d4e5f enp65s0f1np1 eno1", "x1xxxxxxxxxxxxx enp65s0f1np1 eno1"},
	{"10.0.0.5 fe80::1 2001:db8::7", "x1xxxxxx x2xxxxx x3xxxxxxxxx"},
	{"db1.example.com", "x1xxxxxxxxxxxxx"},
	{"/etc/keys/hunter2", "/etc/x1xx/x2xxxxx"},
	{"0000:01:00.0 [10ee:5000] 10ee:5000:10ee:000e:120000:ffffff",
	 "0000:01:00.0 [10ee:5000] 10ee:5000:10ee:000e:120000:ffffff"},
	{"serial=00-0a-35-ff-ff-00-12-34,x 00-0A-35-ff-ff-00-12-34",
	 "serial=00-00-00-00-00-00-00-01,x1 00-00-00-00-00-00-00-01"},
	{"path=00:01.0/00.0+10de:2489", "path=00:01.0/00.0+10de:2489"},
	{"nvme0n1p2 sda1 dm-0 md127 br0", "nvme0n1p2 sda1 dm-0 md127 br0"},
	/* Almost such a name: an address behind it, a longer number, a connector's or a disk's. */
	{"en00:1b:2c:3d:4d:5f eth10.0.0.5 eth0.100",
	 "x1xxxxxxxxxxxxxxxxx x2xxxxxxxxx eth0.100"},
	{"PNP0A08:00 AMDI0010:01 LNXSYSTM:00 ALICESPC:00",
	 "PNP0A08:00 AMDI0010:01 LNXSYSTM:00 x1xxxxxxxxx"},
	{"target0:0:0 usb1-1.4:1.0 2-1.4:1.0", "target0:0:0 usb1-1.4:1.0 2-1.4:1.0"},
	{"enp12345s0 enp123456s0", "enp12345s0 x1xxxxxxxxx"},
	{"card123-HDMI-A-1 card1234-HDMI-A-1", "card123-HDMI-A-1 x1xxxxxxxxxxxxxxx"},
	{"sdzz12 sdzzz1 vdanna", "sdzz12 x1xxxx x2xxxx"},
	{"pci:v000010EEd00005000sv000010EEsd0000000Ebc12sc00i00",
	 "pci:v000010EEd00005000sv000010EEsd0000000Ebc12sc00i00"},
	{"pci:v000010EEd00005000sv000010EEsd0alice0Ebc12sc00i00",
	 "x1xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
	{"install nouveau /bin/sh -c 'mail alice'",
	 "install nouveau /bin/x1 x2 'x3xx x4xxx'"},
	{"a\xc3\xa4\x1b[2J", "x1xx[x2"},
};

static void test_words(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct text got;

		begin(false);
		got = redact_words(&redact, text_of(texts[i].in), REDACT_ALL);
		check_string(texts[i].in, arena_copy(&arena, got), texts[i].want);
		assert_false(redact.is_full);
		test_arena_free(&arena);
	}
}

static const struct redact_case kernels[] = {
	{"6.1.0-18-amd64", "6.1.0-18-amd64"},
	{"5.14.0-362.el9.x86_64", "5.14.0-362.el9.x86_64"},
	{"6.8.12-4-pve", "6.8.12-4-pve"},
	{"6.6.1-alice+", "6.6.1-x1xxx+"},
};

static void test_kernels(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		begin(false);
		check_string(kernels[i].in,
			     redact_kernel(&redact, text_of(kernels[i].in)),
			     kernels[i].want);
		test_arena_free(&arena);
	}
}

/* What is known by another name has it wherever it is met, also before a line's number. */
static void test_alias(void **state unused)
{
	begin(false);
	redact_set_alias(&redact, text_of("alice.conf"), "ax001.conf");
	redact_keep_module(&redact, text_of("alices_mod"));
	check_string(
		"alias",
		arena_copy(&arena,
			   redact_words(&redact, text_of("alice.conf:3 alices-mod alice"),
					REDACT_ALL)),
		"ax001.conf:3 alices-mod x1xxx");
	test_arena_free(&arena);
}

/* JSON stays JSON: a backslash belongs to its word. */
static void test_json(void **state unused)
{
	begin(false);
	check_string("JSON",
		     arena_copy(&arena,
				redact_words(&redact,
					     text_of("{\"message\": \"a\\u001b\\\"z\"}"),
					     REDACT_ALL | REDACT_JSON)),
		     "{\"message\": \"x1xxxxxxxx\"}");
	test_arena_free(&arena);
}

static void test_serial_is_told(void **state unused)
{
	static const char text[] = "serial=00-0a-35-ff-ff-00-12-34";

	begin(true);
	check_string("serial",
		     arena_copy(&arena, redact_words(&redact, text_of(text), REDACT_ALL)),
		     text);
	test_arena_free(&arena);
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
		memset(p, 0, MIN(n, (size_t)64));
		if (n >= 0x104)
			put_u32(p + 0x100, 0x150 << 20 | 0x10001);
		if (n >= 0x15c) {
			put_u32(p + 0x150, 0x100u << 20 | 0x10003);
			memset(p + 0x154, 0x12, 8);
		}
		begin(false);
		redact_config_space(&redact, p, n);
		if (n >= 0x15c)
			assert_memory_equal(p + 0x154, "\1\0\0\0\0\0\0\0", 8);
		/* What belongs to no capability that is known is not told. */
		for (size_t i = 64; i < MIN(n, (size_t)0x100); i++)
			assert_int_equal(p[i], 0);
		test_arena_free(&arena);
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
	struct seen seen = {.text = ""};
	struct text bytes;

	arena = test_arena(32 * 1024 * 1024);
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
		cmocka_unit_test(test_cmdline),	       cmocka_unit_test(test_cmdline_nul),
		cmocka_unit_test(test_words),	       cmocka_unit_test(test_kernels),
		cmocka_unit_test(test_alias),	       cmocka_unit_test(test_json),
		cmocka_unit_test(test_serial_is_told), cmocka_unit_test(test_comments),
		cmocka_unit_test(test_config_space),   cmocka_unit_test(test_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
