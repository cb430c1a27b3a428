/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The boot loaders' own files: what they start. */
#include "test.h"

#include "boot_entries.h"

static struct boot_entries found;
static struct arena arena; /* of the test that runs */

static int open_arena(void **state unused)
{
	arena = test_arena(64 * 1024);
	return 0;
}

static int close_arena(void **state unused)
{
	test_arena_free(&arena);
	return 0;
}

typedef int parse_fn(struct boot_entries *entries, struct arena *arena,
		     const char *source, struct text bytes);

static const struct boot_entry *parse(parse_fn *fn, const char *bytes, size_t count)
{
	found = (struct boot_entries){0};
	assert_int_equal(fn(&found, &arena, "/x", text_of(bytes)), 0);
	assert_int_equal(found.count, count);
	return found.items;
}

static void test_specification(void **state unused)
{
	const struct boot_entry *e =
		parse(boot_entries_add_specification,
		      "# c\ntitle  My Linux \nversion 6.1\nlinux \\m\\linux\n"
		      "initrd /ucode\ninitrd m/initrd.img-6.1\noptions a\noptions b c\n",
		      1);

	assert_string_equal(e->title, "My Linux");
	assert_string_equal(e->version, "6.1");
	assert_string_equal(e->kernel, "/m/linux");
	assert_int_equal(e->initrd_count, 2);
	assert_string_equal(e->initrds[1], "/m/initrd.img-6.1");
	assert_string_equal(e->options, "a b c");
	assert_true(parse(boot_entries_add_specification, "uki /EFI/x.efi", 1)->is_uki);
	parse(boot_entries_add_specification, "title none\n", 0);
	parse(boot_entries_add_specification, "linux\nlinux \n", 0);
	parse(boot_entries_add_specification, "linux /a/../b\n", 0);
	parse(boot_entries_add_specification, "linux \\a\\..\\b\n", 0);
	parse(boot_entries_add_specification, "", 0);
}

static void test_grub(void **state unused)
{
	const struct boot_entry *e = parse(
		boot_entries_add_grub,
		"set default=0\nmenuentry 'A B' --class x {\n linux /vmlinuz-1 ro q\n"
		" initrd /u.img ($root)/initrd.img-1\n}\nsubmenu 'S' {\n"
		"menuentry \"C\" {\n\tlinuxefi \"/@/boot/vmlinuz-2\"\n}\n"
		"menuentry 'firmware' {\n fwsetup\n}\n}\n",
		2);

	assert_string_equal(e->title, "A B");
	assert_string_equal(e->kernel, "/vmlinuz-1");
	assert_string_equal(e->options, "ro q");
	assert_int_equal(e->initrd_count, 2);
	assert_string_equal(e->initrds[1], "/initrd.img-1");
	assert_string_equal(e[1].kernel, "/@/boot/vmlinuz-2");
	assert_int_equal(e[1].initrd_count, 0);
	parse(boot_entries_add_grub, "linux /x\ninitrd /y\n'", 0);
	parse(boot_entries_add_grub, "menuentry 'open", 0);
}

static void test_syslinux(void **state unused)
{
	const struct boot_entry *e = parse(
		boot_entries_add_syslinux,
		"DEFAULT l0\nlabel l0\n LINUX ../vmlinuz\nlabel l1\n kernel /vmlinuz-1\n"
		" append root=x initrd=/a,/b ro\nlabel l2\nlinux /k\ninitrd /c\n",
		2);

	assert_string_equal(e->title, "l1");
	assert_int_equal(e->initrd_count, 2);
	assert_string_equal(e->initrds[0], "/a");
	assert_string_equal(e->initrds[1], "/b");
	assert_string_equal(e[1].initrds[0], "/c");
}

static void test_limits(void **state unused)
{
	static char menu[BOOT_ENTRIES_MAX * 64];
	size_t n = 0;

	for (size_t i = 0; i <= BOOT_ENTRIES_MAX; i++)
		n += (size_t)sprintf(menu + n, "menuentry 'x' {\nlinux /k\n}\n");
	parse(boot_entries_add_grub, menu, BOOT_ENTRIES_MAX);
	assert_true(found.is_cut);
	parse(boot_entries_add_syslinux,
	      "label x\nlinux /k\ninitrd /a,/b,/c,/d,/e,/f,/g,/h,/i\n", 1);
	assert_true(found.is_cut);
	assert_int_equal(found.items[0].initrd_count, BOOT_INITRDS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_specification, open_arena,
						close_arena),
		cmocka_unit_test_setup_teardown(test_grub, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(test_syslinux, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(test_limits, open_arena, close_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
