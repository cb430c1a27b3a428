/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "fake_world.h"
#include "inventory.h"
#include "modalias.h"

static unsigned is_card(const void *arg unused, const struct pci_device *d)
{
	return d->ids.vendor == 0x10ee ? FACT_WANTED : 0;
}

static unsigned is_nothing(const void *arg unused, const struct pci_device *d unused)
{
	return 0;
}

static struct fake_world *machine(const char *name)
{
	struct fake_world *w = fake_new();

	fake_load_machine(w, name, true);
	return w;
}

static void test_modalias(void **state unused)
{
	static const struct {
		const char *text;
		int error;
	} cases[] = {
		{"pci:v000010EEd00005000sv000010EEsd0000000Ebc12sc00i00", 0},
		{"pci:v000010eed00005000sv000010eesd0000000ebc12sc00i00", 0},
		{"", -EINVAL},
		{"pci:", -EINVAL},
		{"usb:v000010EEd00005000sv000010EEsd0000000Ebc12sc00i00", -EINVAL},
		{"pci:v000010EEd00005000sv000010EEsd0000000Ebc12sc00i0", -EINVAL},
		{"pci:v000010EEd00005000sv000010EEsd0000000Ebc12sc00i000", -EINVAL},
		{"pci:v000110EEd00005000sv000010EEsd0000000Ebc12sc00i00", -EINVAL},
		{"pci:v000010EEd00015000sv000010EEsd0000000Ebc12sc00i00", -EINVAL},
		{"pci:v*d00005000sv000010EEsd0000000Ebc12sc00i00", -EINVAL},
		{"pci:v000010EEd00005000sv000010EEsd0000000Ebc12sc00iGG", -EINVAL},
		{"pci:v000010EEd00005000sd0000000Esv000010EEbc12sc00i00", -EINVAL},
		{" pci:v000010EEd00005000sv000010EEsd0000000Ebc12sc00i00", -EINVAL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text t = test_text(cases[i].text);
		struct pci_ids ids = {0};

		check_int(cases[i].text, modalias_parse(t, &ids), cases[i].error);
		check_int(cases[i].text, ids.vendor, cases[i].error ? 0 : 0x10ee);
		if (cases[i].error == 0) {
			check_int(cases[i].text, ids.device, 0x5000);
			check_int(cases[i].text, ids.subvendor, 0x10ee);
			check_int(cases[i].text, ids.subdevice, 0x000e);
			check_int(cases[i].text, ids.class, 0x120000);
		}
		test_text_free(t);
	}
}

static void test_everything_in_order(void **state unused)
{
	struct fake_world *w = machine("hpe-haswell");
	struct arena arena = test_arena((size_t)1024 * 1024);
	struct inventory inv;

	assert_int_equal(inventory_read(&w->world, &arena, NULL, NULL, &inv), 0);
	assert_int_equal(inv.count, w->bus.device_count);
	assert_int_equal(inv.function_count, inv.count);
	assert_int_equal(inv.unread_count, 0);
	assert_false(inv.iommu.is_on);
	for (size_t i = 1; i < inv.count; i++)
		assert_true(bdf_compare(inv.devices[i - 1].bdf, inv.devices[i].bdf) < 0);
	for (size_t i = 0; i < inv.count; i++) {
		assert_ptr_equal(inventory_find(&inv, inv.devices[i].bdf),
				 &inv.devices[i]);
		assert_true(inv.devices[i].is_interesting);
	}
	assert_null(inventory_find(&inv, (struct bdf){0, 0xee, 0, 0}));
	test_arena_free(&arena);
	fake_free(w);
}

/* What matches, its group, and every display. */
static void test_filter(void **state unused)
{
	static const struct {
		const char *address, *driver;
		int group;
		bool is_interesting, is_bridge, is_boot_vga;
	} want[] = {
		{"0000:00:01.0", "pcieport", 1, false, true, false},
		{"0000:00:01.1", "pcieport", 1, false, true, false},
		{"0000:00:02.0", "i915", 2, false, false, false},
		{"0000:01:00.0", "xclmgmt", 1, true, false, false},
		{"0000:01:00.1", "xocl", 1, true, false, false},
		{"0000:02:00.0", "nvidia", 1, false, false, true},
		{"0000:02:00.1", "snd_hda_intel", 1, false, false, false},
	};
	struct fake_world *w = machine("alveo");
	struct arena arena = test_arena(65536);
	struct inventory inv;

	assert_int_equal(inventory_read(&w->world, &arena, is_card, NULL, &inv), 0);
	assert_true(inv.iommu.is_on);
	assert_int_equal(inv.function_count, 9);
	assert_int_equal(inv.count, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		const struct pci_device *d = &inv.devices[i];
		char address[BDF_SIZE];

		check_string("address", bdf_format(d->bdf, address), want[i].address);
		check_string(address, d->driver, want[i].driver);
		check_int(address, d->iommu_group, want[i].group);
		check_int(address, d->is_interesting, want[i].is_interesting);
		check_int(address, d->is_bridge, want[i].is_bridge);
		check_int(address, d->is_boot_vga, want[i].is_boot_vga);
	}
	test_arena_free(&arena);
	fake_free(w);
}

static unsigned is_card_or_display(const void *arg unused, const struct pci_device *d)
{
	return d->ids.vendor == 0x10ee || d->ids.device == 0x3e98 ? FACT_WANTED : 0;
}

/* Each group's members are added, whichever group came before. */
static void test_neighbours_of_every_group(void **state unused)
{
	struct fake_world *w = machine("alveo");
	struct arena arena = test_arena(65536);
	struct inventory inv;

	assert_int_equal(
		inventory_read(&w->world, &arena, is_card_or_display, NULL, &inv), 0);
	assert_int_equal(inv.count, 7);
	test_arena_free(&arena);
	fake_free(w);
}

static void test_few_reads_where_nothing_matches(void **state unused)
{
	struct fake_world *w = machine("hpe-haswell");
	struct arena arena = test_arena((size_t)1024 * 1024);
	struct inventory inv;

	assert_int_equal(inventory_read(&w->world, &arena, is_nothing, NULL, &inv), 0);
	/* The one display. */
	assert_int_equal(inv.count, 1);
	/* One read for each function, and a few more. */
	assert_true(w->accesses < w->bus.device_count + 20);
	test_arena_free(&arena);
	fake_free(w);
}

static void test_attributes(void **state unused)
{
	struct fake_world *w = machine("alveo");
	struct fake_device *card = fake_find_device(&w->bus, "0000:01:00.0");
	struct arena arena = test_arena(65536);
	const struct pci_device *d;
	struct inventory inv;

	card->vf_count = 4;
	card->has_bus_behind = true;
	card->group = FAKE_NO_GROUP;
	fake_bind_now(card, NULL);
	assert_int_equal(inventory_read(&w->world, &arena, is_card, NULL, &inv), 0);
	d = inventory_find(&inv, card->bdf);
	assert_non_null(d);
	assert_int_equal(d->vf_count, 4);
	assert_true(d->is_bridge);
	assert_int_equal(d->iommu_group, NO_GROUP);
	assert_string_equal(d->driver, "");
	test_arena_free(&arena);
	fake_free(w);
}

/* Class 06 is a bridge, but for 0680, which NVSwitch has. */
static void test_bridges_by_class(void **state unused)
{
	static const struct {
		uint32_t class;
		bool is_bridge;
	} cases[] = {{0x060000, true},	{0x060100, true},  {0x060400, true},
		     {0x068000, false}, {0x0680ff, false}, {0x120000, false}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_world *w = fake_new();
		struct arena arena = test_arena(4096);
		struct inventory inv;

		(void)fake_add_device(&w->bus, "0000:00:1f.0",
				      (struct pci_ids){0x10de, 1, 0, 0, cases[i].class},
				      0);
		assert_int_equal(inventory_read(&w->world, &arena, NULL, NULL, &inv), 0);
		assert_int_equal(inv.devices[0].is_bridge, cases[i].is_bridge);
		test_arena_free(&arena);
		fake_free(w);
	}
}

static void test_driver_of_one(void **state unused)
{
	struct fake_world *w = machine("alveo");
	struct fake_device *card = fake_find_device(&w->bus, "0000:01:00.0");
	char driver[DRIVER_NAME_SIZE];

	assert_int_equal(inventory_read_driver(&w->world, card->bdf, driver), 0);
	assert_string_equal(driver, "xclmgmt");
	fake_bind_now(card, NULL);
	assert_int_equal(inventory_read_driver(&w->world, card->bdf, driver), 0);
	assert_string_equal(driver, "");
	fake_vanish(&w->bus, card);
	assert_int_equal(inventory_read_driver(&w->world, card->bdf, driver), -ENODEV);
	fake_free(w);
}

static void test_unread_functions_are_counted(void **state unused)
{
	unsigned seen = 0;

	for (unsigned at = 1; at < 60; at++) {
		struct fake_world *w = machine("alveo");
		struct arena arena = test_arena(65536);
		struct inventory inv = {0};

		w->fault_at = at;
		w->fault = FAULT_ERROR;
		if (inventory_read(&w->world, &arena, is_card, NULL, &inv) == 0 &&
		    w->accesses >= at) {
			/* Of the seven, none is lost without a word. */
			assert_true(inv.count + inv.unread_count >= 7 ||
				    inv.unread_count > 0);
			seen += inv.unread_count > 0;
		}
		test_arena_free(&arena);
		fake_free(w);
	}
	assert_true(seen > 10);
}

static void test_memory(void **state unused)
{
	struct fake_world *w = machine("alveo");
	bool has_fit = false;

	for (size_t size = 1; size < 8192; size += 61) {
		struct arena arena = test_arena(size);
		struct inventory inv;
		int r = inventory_read(&w->world, &arena, NULL, NULL, &inv);

		assert_true(r == 0 || r == -ENOMEM);
		has_fit = has_fit || r == 0;
		test_arena_free(&arena);
	}
	assert_true(has_fit);
	fake_free(w);
}

static void test_no_bus_and_no_function(void **state unused)
{
	struct fake_world *w = fake_new();
	struct arena arena = test_arena(4096);
	struct inventory inv;

	assert_int_equal(inventory_read(&w->world, &arena, NULL, NULL, &inv), 0);
	assert_int_equal(inv.count, 0);
	assert_null(inventory_find(&inv, (struct bdf){0}));
	w->is_without_bus = true;
	assert_int_equal(inventory_read(&w->world, &arena, NULL, NULL, &inv), -ENOENT);
	test_arena_free(&arena);
	fake_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modalias),
		cmocka_unit_test(test_everything_in_order),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_neighbours_of_every_group),
		cmocka_unit_test(test_few_reads_where_nothing_matches),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_bridges_by_class),
		cmocka_unit_test(test_driver_of_one),
		cmocka_unit_test(test_unread_functions_are_counted),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_no_bus_and_no_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
