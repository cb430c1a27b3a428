/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules on the path and the serial number: what is read for them, and what they name. */
#include "identity.h"

/* One capability: the number of SERIAL. */
static const uint32_t with_serial[FAKE_CONFIG_WORDS] = {0x00010003, 0xff001234,
							0x000a35ff};
static const uint32_t without_serial[FAKE_CONFIG_WORDS] = {0x00020001};

static void test_paths(void **state unused)
{
	static const struct {
		const char *rules;
		bool is_renumbered;
		const char *want;
	} cases[] = {
		{"bind path=00:01.0/00.0", false, CARD " recover"},
		{"bind path=00:01.0/00.0", true, "0000:03:00.0 recover"},
		{"bind path=00:01.0/00.0+10ee:5000", true, "0000:03:00.0 recover"},
		{"bind path=00:01.0/00.*", true,
		 "0000:03:00.0 recover; 0000:03:00.1 recover"},
		/* The card in the slot, never the port itself */
		{"bind path=00:01.0", true, "0000:03:00.0 recover; 0000:03:00.1 recover"},
		{"bind path=00:01.0+10ee:5001", true, "0000:03:00.1 recover"},
		{"bind path=00:01.*+class=12", true,
		 "0000:03:00.0 recover; 0000:03:00.1 recover"},
		/* On a root bus itself */
		{"bind path=00:14.0", false, "0000:00:14.0 recover"},
		{"bind path=00:1c.0", true, CARD " bind"},
		/* An address is not told by its path. */
		{"bind 01:00.0+10ee:5000", true,
		 CARD
		 " refuse identity-mismatch (144d:a80a is there now; a 10ee:5000 is at 0000:03:00.0)"},
		{"keep path=00:01.0\nbind 10ee:*", true,
		 "0000:03:00.0 keep kept; 0000:03:00.1 keep kept"},
		/* Another device there, by all that says so */
		{"bind path=00:1c.0/00.0+10ee:5000", true,
		 CARD
		 " refuse identity-mismatch (144d:a80a is there now; a 10ee:5000 is at 0000:03:00.0)"},
		{"bind path=00:01.0+10de:*", true,
		 "0000:03:00.0 refuse identity-mismatch (10ee:5000 is there now; a 10de:2489 is at 0000:02:00.0); "
		 "0000:03:00.1 refuse identity-mismatch (10ee:5001 is there now; a 10de:2489 is at 0000:02:00.0)"},
		{"bind path=00:01.0/00.0+01:00.0", true,
		 CARD
		 " refuse identity-mismatch (144d:a80a (path 0000:00:1c.0/00.0) is there now); "
		 "0000:03:00.0 refuse identity-mismatch (10ee:5000 is there now)"},
		{"keep path=00:01.0+10de:*", true, ""},
		/* Nothing there */
		{"bind path=00:01.0/01.0", true, ""},
		{"bind path=00:01.1/00.2", true, ""},
		{"bind path=00:1d.0+10ee:5000", true, ""},
		{"bind path=1:00:01.0", true, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine *m = machine_new(true);

		if (cases[i].is_renumbered)
			renumber(m);
		make_plan(m, cases[i].rules);
		check_string(cases[i].rules, planned(m), cases[i].want);
		machine_free(m);
	}
}

/* What has a bus below other things than bridges. */
static void test_odd_links(void **state unused)
{
	static const struct {
		const char *link, *rules, *want;
	} cases[] = {
		{"../../../devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/"
		 "0000:01:00.0",
		 "bind path=00:0e.0/06.0/00.0", CARD " recover"},
		{"../../../devices/platform/soc/pci0000:00/0000:00:1b.0/0000:01:00.0",
		 "bind path=00:1b.0", CARD " recover"},
		{"garbage", "bind path=00:01.0+10ee:5000", ""},
		{"", "bind path=00:01.0+10ee:5000", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine *m = machine_new(true);

		device(m, CARD)->link = cases[i].link;
		make_plan(m, cases[i].rules);
		if (cases[i].want[0])
			check_string(cases[i].link, planned(m), cases[i].want);
		else
			check_true(cases[i].link, m->run.inventory.unread_count > 0);
		machine_free(m);
	}
}

/* One of a card's many virtual functions is on a bus of its own, as function 00.0 too. */
static void test_virtual_functions(void **state unused)
{
	struct machine *m = machine_new(true);
	struct fake_device *vf;

	vf = fake_add_device(&m->w->bus, "0000:05:00.0",
			     (struct pci_ids){0x10ee, 0x5002, 0, 0, 0x120000}, 30);
	vf->link = "../../../devices/pci0000:00/0000:00:01.0/0000:05:00.0";
	vf->physfn = CARD;
	vf = fake_add_device(&m->w->bus, "0000:01:00.4",
			     (struct pci_ids){0x10ee, 0x5002, 0, 0, 0x120000}, 31);
	vf->physfn = CARD;
	make_plan(m, "bind path=00:01.0/00.0,path=00:01.0/00.4");
	check_string("virtual", planned(m), CARD " recover; 0000:01:00.4 bind");
	machine_free(m);
}

static void test_links_that_are_read(void **state unused)
{
	static const struct {
		const char *rules;
		unsigned targets;
	} cases[] = {
		{"bind 10ee:5000", 0},
		{"bind path=00:01.0/00.0+10ee:5000", 1},
		{"bind path=00:01.0+10ee:*", 2},
		{"keep path=00:01.0+10de:2489\nbind 10ee:5000", 1},
		/* 9 functions, 2 of them bridges */
		{"bind path=00:01.0", 7},
		{"bind path=00:01.0,path=00:01.1", 7},
		/* The card is not there: then all are asked for what is. */
		{"bind path=00:01.1/00.0+10ee:5000", 1 + 7},
		{"bind path=00:01.1/00.0+10ee:6000", 0 + 7},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine *m = machine_new(true);

		make_plan(m, cases[i].rules);
		check_int(cases[i].rules, m->w->targets, cases[i].targets);
		machine_free(m);
	}
}

static void give_config(struct machine *m)
{
	device(m, CARD)->config = with_serial;
	device(m, CARD_1)->config = without_serial;
	device(m, GPU)->config = without_serial;
}

static void give_attribute(struct machine *m)
{
	device(m, CARD)->serial_number = SERIAL;
	device(m, GPU)->serial_number = OTHER;
}

/* Two cards in one, each with a number: both say so. */
static void give_both(struct machine *m)
{
	give_attribute(m);
	device(m, CARD_1)->serial_number = OTHER;
}

static void give_to_second(struct machine *m)
{
	device(m, CARD_1)->config = with_serial;
	device(m, CARD)->config = without_serial;
}

static void switch_off(struct machine *m)
{
	give_config(m);
	device(m, CARD)->power_state = "D3cold";
	device(m, CARD_1)->power_state = "D0";
}

static void switch_first_off(struct machine *m)
{
	give_both(m);
	device(m, CARD)->power_state = "D3cold";
}

static void damage_attribute(struct machine *m)
{
	give_config(m);
	device(m, CARD)->serial_number = "00-0a-35";
}

static void swap_cards(struct machine *m)
{
	give_config(m);
	renumber(m);
}

static void take_privilege(struct machine *m)
{
	give_config(m);
	device(m, CARD)->config_size = 8;
}

static void hang(struct machine *m)
{
	give_config(m);
	device(m, CARD)->config_time = FAKE_FOREVER;
	device(m, CARD_1)->serial_number = OTHER;
}

static void hang_first(struct machine *m)
{
	hang(m);
	device(m, CARD_1)->serial_number = NULL;
}

static void test_serials(void **state unused)
{
	static const char both[] = CARD " recover; " CARD_1 " recover";
	static const struct {
		const char *name;
		void (*change)(struct machine *m);
		const char *rules, *want;
		unsigned reads; /* of config space */
		unsigned unread;
	} cases[] = {
		{"config", give_config, "bind serial=" SERIAL, both, 7 + 2, 0},
		{"attribute", give_attribute, "bind serial=" SERIAL, both, 5, 0},
		{"with an ID", give_config, "bind serial=" SERIAL "+10ee:5000",
		 CARD " recover", 1, 0},
		{"with a path", give_config, "bind serial=" SERIAL "+path=00:01.0/00.1",
		 CARD_1 " recover", 2, 0},
		{"other ID", give_config, "bind serial=" SERIAL "+10de:*", "",
		 2 * (2 + 1), 0},
		{"own number", give_both, "bind serial=" SERIAL "+10ee:*",
		 CARD " recover", 0, 0},
		{"own number of .1", give_to_second, "bind serial=" SERIAL "+10ee:*",
		 CARD_1 " recover", 2, 0},
		{"kept", give_config, "keep serial=" SERIAL "\nbind 10ee:5000",
		 CARD " keep kept; " CARD_1 " keep kept", 9, 0},
		{"off", switch_off, "bind serial=" SERIAL "+10ee:*", "", 2, 0},
		{"first off", switch_first_off, "bind serial=" OTHER "+10ee:*",
		 CARD_1 " recover", 0, 0},
		{"odd attribute", damage_attribute, "bind serial=" SERIAL "+10ee:5000",
		 CARD " recover", 1, 0},
		{"moved", swap_cards, "bind serial=" SERIAL "+10ee:*",
		 "0000:03:00.0 recover; 0000:03:00.1 recover", 3, 0},
		{"another card there", give_both, "bind 01:00.0+serial=" OTHER,
		 CARD " refuse identity-mismatch (10ee:5000 (serial number " SERIAL
		      ") is there now; the card with this serial number is now at " CARD_1
		      ", " GPU ")",
		 4, 0},
		{"no number there", give_config, "bind 02:00.0+serial=" OTHER,
		 GPU
		 " refuse identity-mismatch (10de:2489 (without a serial number) is there now)",
		 10, 0},
		{"nowhere", give_config, "bind serial=" OTHER "+10ee:*", "", 6, 0},
		/* What cannot be known is not bound: a keep rule might be about it. */
		{"privilege", take_privilege, "keep serial=" SERIAL "\nbind 10ee:5000",
		 "", 9, 2},
		{"hangs", hang, "bind serial=" OTHER "+10ee:*", CARD_1 " recover", 1, 1},
		/* The look that hung was for the other function. */
		{"hangs, first", hang_first,
		 "bind serial=" SERIAL "+10ee:5001\nbind 10ee:5000", "", 5, 2},
		{"hangs, kept", hang, "keep serial=" SERIAL "\nbind 10ee:*",
		 CARD_1 " recover", 7, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine *m = machine_new(true);
		unsigned reads = 0;

		cases[i].change(m);
		make_plan(m, cases[i].rules);
		check_string(cases[i].name, planned(m), cases[i].want);
		for (size_t k = 0; k < m->w->bus.device_count; k++)
			reads += m->w->bus.devices[k].config_reads;
		check_int(cases[i].name, reads, cases[i].reads);
		check_int(cases[i].name, m->run.inventory.unread_count, cases[i].unread);
		machine_free(m);
	}
}

/* However many hang, the boot goes on soon. */
static void test_time(void **state unused)
{
	struct machine *m = machine_new(true);
	uint64_t before = m->w->bus.now;

	for (size_t i = 0; i < m->w->bus.device_count; i++)
		m->w->bus.devices[i].config_time = FAKE_FOREVER;
	make_plan(m, "bind serial=" SERIAL "\nbind 00:14.0");
	assert_true(m->w->bus.now - before < (uint64_t)5 * FAKE_SECOND / 2);
	assert_int_equal(m->run.inventory.unread_count, 7);
	machine_free(m);
}

/* A whole boot: the worker that is lost with one card binds the others. */
static void test_boot(void **state unused)
{
	struct machine *m = machine_new(true);
	struct fake_boot boot;

	hang(m);
	device(m, GPU)->config = with_serial;
	device(m, GPU)->config_time = 100;
	fake_boot(m->w, "bind serial=" SERIAL " allow=console\n", &boot);
	assert_null(fake_check(m->w, &boot));
	assert_int_equal(boot.code, EXIT_NOT_ALL);
	check_string("driver", fake_driver_of(device(m, CARD)), "xclmgmt");
	check_string("driver", fake_driver_of(device(m, GPU)), "vfio-pci");
	check_string("driver", fake_driver_of(device(m, AUDIO)), "vfio-pci");
	fake_boot_free(&boot);
	machine_free(m);
}

static void test_late(void **state unused)
{
	static const struct {
		const char *table, *address, *driver;
	} cases[] = {
		{"bind path=00:01.0/00.0+10ee:*\n", CARD, "vfio-pci"},
		{"bind path=00:01.0\n", CARD_1, "vfio-pci"},
		{"bind path=00:01.1+10ee:*\n", CARD, ""},
		{"bind serial=" SERIAL "\n", CARD, "vfio-pci"},
		{"bind serial=" SERIAL "\n", CARD_1, "vfio-pci"},
		{"bind serial=" OTHER "\n", CARD, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine *m = machine_new(true);
		struct fake_boot boot;

		give_config(m);
		fake_bind_now(device(m, cases[i].address), NULL);
		fake_late(m->w, cases[i].table, cases[i].address, false, &boot);
		check_string(cases[i].table, fake_driver_of(device(m, cases[i].address)),
			     cases[i].driver);
		fake_boot_free(&boot);
		machine_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_odd_links),
		cmocka_unit_test(test_virtual_functions),
		cmocka_unit_test(test_links_that_are_read),
		cmocka_unit_test(test_serials),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_boot),
		cmocka_unit_test(test_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
