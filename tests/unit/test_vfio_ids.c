/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vfio_pci_fill_ids() and vsscanf() of the kernel make of a value of "ids". */
#include "test.h"

#include "vfio_ids.h"

#define ANY PCI_ANY

static const struct {
	const char *entry;
	enum ids_warning warning;
	struct pci_match match;
} entries[] = {
	{"10ee:5000", IDS_FINE, {0x10ee, 0x5000, ANY, ANY, 0, 0}},
	{"10EE:5000", IDS_FINE, {0x10ee, 0x5000, ANY, ANY, 0, 0}},
	{"10ee:5000:10ee:000e", IDS_FINE, {0x10ee, 0x5000, 0x10ee, 0xe, 0, 0}},
	{"10ee:5000:10ee", IDS_FINE, {0x10ee, 0x5000, 0x10ee, ANY, 0, 0}},
	{"1:2:3:4:50000:ff0000", IDS_FINE, {1, 2, 3, 4, 0x50000, 0xff0000}},
	{"ffffffff:ffffffff:ffffffff:ffffffff:120000:ffff00",
	 IDS_FINE,
	 {ANY, ANY, ANY, ANY, 0x120000, 0xffff00}},

	/* "0x", blanks before a number */
	{"0x10ee:0x5000", IDS_FINE, {0x10ee, 0x5000, ANY, ANY, 0, 0}},
	{"0X10EE:0X5000", IDS_FINE, {0x10ee, 0x5000, ANY, ANY, 0, 0}},
	{" 10ee: 5000", IDS_FINE, {0x10ee, 0x5000, ANY, ANY, 0, 0}},
	{"\t10ee:\xa0"
	 "5000",
	 IDS_FINE,
	 {0x10ee, 0x5000, ANY, ANY, 0, 0}},
	{"0x:0x", IDS_FINE, {0, 0, ANY, ANY, 0, 0}},
	{"0:0", IDS_FINE, {0, 0, ANY, ANY, 0, 0}},
	{"00000010ee:0005000", IDS_FINE, {0x10ee, 0x5000, ANY, ANY, 0, 0}},

	/* ffff is a number like others, not "any" */
	{"ffff:ffff", IDS_FINE, {0xffff, 0xffff, ANY, ANY, 0, 0}},

	/* Text behind two fields is ignored */
	{"10ee:5000 ", IDS_TRAILING, {0x10ee, 0x5000, ANY, ANY, 0, 0}},
	{"10ee:5000:", IDS_TRAILING, {0x10ee, 0x5000, ANY, ANY, 0, 0}},
	{"10ee:5000:*", IDS_TRAILING, {0x10ee, 0x5000, ANY, ANY, 0, 0}},
	{"10ee:5000;10ee:5001", IDS_TRAILING, {0x10ee, 0x5000, ANY, ANY, 0, 0}},
	{"10ee:5000 10ee:5001", IDS_TRAILING, {0x10ee, 0x5000, ANY, ANY, 0, 0}},
	{"10ee:5000x", IDS_TRAILING, {0x10ee, 0x5000, ANY, ANY, 0, 0}},
	{"10ee:5000:10ee :1", IDS_TRAILING, {0x10ee, 0x5000, 0x10ee, ANY, 0, 0}},
	{"1:2:3:4:5:6:7", IDS_TRAILING, {1, 2, 3, 4, 5, 6}},

	/* Class without a mask: compares nothing */
	{"1:2:3:4:50000", IDS_CLASS_UNUSED, {1, 2, 3, 4, 0x50000, 0}},

	/* Wider than a device's field */
	{"1:2:3:10004", IDS_TOO_WIDE, {1, 2, 3, 0x10004, 0, 0}},
	{"10ee:15000", IDS_TOO_WIDE, {0x10ee, 0x15000, ANY, ANY, 0, 0}},
	{"10ee5000:1", IDS_TOO_WIDE, {0x10ee5000, 1, ANY, ANY, 0, 0}},
	/* Cut to 32 bits, wrapped at 64 */
	{"1000010ee:5000", IDS_FINE, {0x10ee, 0x5000, ANY, ANY, 0, 0}},
	{"123456789000010ee:5000", IDS_FINE, {0x000010ee, 0x5000, ANY, ANY, 0, 0}},

	/* Fewer than two fields */
	{"10ee", IDS_INVALID, {0}},
	{"10ee:", IDS_INVALID, {0}},
	{":5000", IDS_INVALID, {0}},
	{"10ee :5000", IDS_INVALID, {0}},
	{"10ee-5000", IDS_INVALID, {0}},
	{"-1:1", IDS_INVALID, {0}},
	{"*:*", IDS_INVALID, {0}},
	{"xyz", IDS_INVALID, {0}},
	{" ", IDS_INVALID, {0}},
	{"0x10ee.5000", IDS_INVALID, {0}},
	{"\"10ee:5000", IDS_INVALID, {0}},
};

static void test_entries(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		const struct pci_match *want = &entries[i].match;
		struct text whole = test_text(entries[i].entry), rest = whole;
		struct ids_entry entry;

		check_true(entries[i].entry, ids_next(&rest, &entry));
		check_text(entries[i].entry, entry.text, entries[i].entry);
		check_int(entries[i].entry, entry.warning, entries[i].warning);
		if (entry.warning != IDS_INVALID) {
			check_int(entries[i].entry, entry.match.vendor, want->vendor);
			check_int(entries[i].entry, entry.match.device, want->device);
			check_int(entries[i].entry, entry.match.subvendor,
				  want->subvendor);
			check_int(entries[i].entry, entry.match.subdevice,
				  want->subdevice);
			check_int(entries[i].entry, entry.match.class, want->class);
			check_int(entries[i].entry, entry.match.class_mask,
				  want->class_mask);
		}
		check_true(entries[i].entry, !ids_next(&rest, &entry));
		test_text_free(whole);
	}
}

static void test_lists(void **state unused)
{
	static const struct {
		const char *value;
		const char *entries[4];
	} lists[] = {
		{"", {NULL}},
		{",", {NULL}},
		{",,,", {NULL}},
		{"a:b", {"a:b"}},
		{",a:b,,c:d,", {"a:b", "c:d"}},
		{"a:b, c:d", {"a:b", " c:d"}},
		{"junk,a:b", {"junk", "a:b"}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct text whole = test_text(lists[i].value), rest = whole;
		struct ids_entry entry;
		size_t n = 0;

		while (ids_next(&rest, &entry)) {
			check_true(lists[i].value, lists[i].entries[n]);
			check_text(lists[i].value, entry.text, lists[i].entries[n++]);
		}
		check_true(lists[i].value, !lists[i].entries[n]);
		test_text_free(whole);
	}
}

static void test_messages(void **state unused)
{
	static const enum ids_warning warnings[] = {IDS_INVALID, IDS_TRAILING,
						    IDS_CLASS_UNUSED, IDS_TOO_WIDE};

	assert_string_equal(ids_warning_message(IDS_FINE), "");
	for (size_t i = 0; i < ARRAY_SIZE(warnings); i++)
		assert_true(strlen(ids_warning_message(warnings[i])) > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
