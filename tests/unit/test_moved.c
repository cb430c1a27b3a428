/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules whose device is not where they say: it is named. */
#include "elsewhere.h"

static void test_named(void **state unused)
{
	static const struct {
		void (*change)(struct machine *m);
		const char *rules;
		const char *want; /* what is planned */
		const char *missing; /* the start of that message; "" for none */
	} cases[] = {
		/* Another device is in its place. */
		{moved, "bind 01:00.0+10ee:5000",
		 CARD " refuse identity-mismatch (144d:a80a is there now; a 10ee:5000 is "
		      "at 0000:03:00.0)",
		 ""},
		{moved, "bind 01:00.0+serial=" SERIAL,
		 CARD " refuse identity-mismatch (144d:a80a (without a serial number) is "
		      "there now; the card with this serial number is now at "
		      "0000:03:00.0)",
		 ""},
		{moved, "bind path=00:1c.0+10ee:5001",
		 CARD " refuse identity-mismatch (144d:a80a is there now; a 10ee:5001 is "
		      "at 0000:03:00.1)",
		 ""},
		{replaced, "bind path=00:01.0/00.0+serial=" SERIAL,
		 CARD " refuse identity-mismatch (10ee:5000 (serial number " OTHER
		      ") is there now; the card with this serial number is now at " FAR
		      ")",
		 ""},
		/* One of its functions is enough for the whole card. */
		{replaced, "bind 01:00.1+10ee:5000",
		 CARD_1 " refuse identity-mismatch (10ee:5001 is there now; a 10ee:5000 "
			"is at " CARD ", " FAR ")",
		 ""},
		{moved, "bind 01:00.0+10ee:*",
		 CARD " refuse identity-mismatch (144d:a80a is there now; a 10ee:5000 is "
		      "at 0000:03:00.0)",
		 ""},
		/* Nothing is there. */
		{pulled, "bind 01:00.0+serial=" SERIAL, "",
		 "no such device is present, but the card with this serial number is now "
		 "at " FAR MISSING_ASK},
		{pulled, "bind path=00:01.0/00.1+serial=" SERIAL, "",
		 "no such device is present, but the card with this serial number is now "
		 "at " FAR_1 MISSING_ASK},
		{pulled, "bind path=00:01.0+10ee:5000", "",
		 "no such device is present, but a 10ee:5000 is at " FAR MISSING_ASK},
		{slots, "bind slot=4+10ee:5000", "",
		 "no such device is present, but a 10ee:5000 is at " FAR MISSING_ASK},
		{slots, "bind slot=4+serial=" SERIAL, "",
		 "no such device is present, but the card with this serial number is now "
		 "at " FAR MISSING_ASK},
		{slots, "bind slot=6+serial=" OTHER, "",
		 "no such device is present" MISSING_ASK},
		{several, "bind 01:00.0+10ee:5000", "",
		 "no such device is present, but a 10ee:5000 is at " FAR
		 ", 0000:42:00.0, 0000:43:00.0 and 1 more places" MISSING_ASK},
		{several, "bind 01:00.0+10ee:*+serial=" OTHER, "",
		 "no such device is present, but the card with this serial number is now "
		 "at 0000:42:00.0, 0000:43:00.0, 0000:44:00.0" MISSING_ASK},
		{pulled, "bind 01:00.*+10ee:*", "",
		 "no such device is present, but a 10ee:5000 is at " FAR MISSING_ASK},
		{pulled, "bind 01:00.0+*:5000", "",
		 "no such device is present" MISSING_ASK},
		{pulled, "bind 01:00.0", "", "no such device is present" MISSING_ASK},
		{pulled, "bind 01:00.0+1234:*", "",
		 "no such device is present" MISSING_ASK},
		{pulled, "bind 01:00.0+10ee:5000 optional", "", ""},
		{pulled, "keep 01:00.0+10ee:5000", "", ""},
		{pulled, "bind 01:00.0+10ee:5000\nbind 41:00.0", FAR " bind",
		 "no such device is present, but a 10ee:5000 is at " FAR MISSING_ASK},
		/* The same card says that it is another one. */
		{reflashed, "bind serial=" SERIAL "+10ee:5000", "",
		 "no such device is present, but the card with this serial number is "
		 "10ee:d000 at " CARD " now (was it reflashed?)" MISSING_ASK},
		{reflashed, "bind 01:00.0+serial=" SERIAL "+10ee:5000",
		 CARD " refuse identity-mismatch (10ee:d000 is there now; the card with "
		      "this serial number is 10ee:d000 at " CARD
		      " now (was it reflashed?))",
		 ""},
		{reflashed_and_moved, "bind 01:00.0+serial=" SERIAL "+10ee:5000", "",
		 "no such device is present, but the card with this serial number is "
		 "10ee:d000 at " FAR " now (was it reflashed?)" MISSING_ASK},
		/* Not looked for among those of others */
		{reflashed, "bind serial=" SERIAL "+10de:5000", "",
		 "no such device is present" MISSING_ASK},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine *m = machine_new(true);

		cases[i].change(m);
		make_plan(m, cases[i].rules);
		check_string(cases[i].rules, planned(m), cases[i].want);
		check_string(cases[i].rules, missing(m), cases[i].missing);
		check_int(cases[i].rules, m->run.inventory.unread_count, 0);
		machine_free(m);
	}
}

/* What cannot be read for a name alone is no obstacle for another rule. */
static void test_not_told(void **state unused)
{
	static const uint32_t config[FAKE_CONFIG_WORDS];
	struct machine *m = machine_new(true);

	pulled(m);
	device(m, FAR)->serial_number = NULL;
	device(m, FAR)->config = config;
	device(m, FAR)->config_size = 2;
	device(m, FAR_1)->link = "garbage";
	make_plan(m, "bind 01:00.0+serial=" SERIAL "\nbind path=00:1d.0+1234:*\n"
		     "bind 41:00.*");
	check_string("bound", planned(m), FAR " bind; " FAR_1 " bind");
	check_string("not told", missing(m),
		     "no such device is present, but the card with this serial number is "
		     "now at " FAR_1 MISSING_ASK
		     "; no such device is present" MISSING_ASK);
	assert_int_equal(m->run.inventory.unread_count, 0);
	machine_free(m);
}

/* What the kernel hangs in is left alone, and no more than that. */
static void test_hang(void **state unused)
{
	struct machine *m = machine_new(true);
	uint64_t before;

	hangs(m);
	before = m->w->bus.now;
	make_plan(m, "bind 01:00.0+serial=" SERIAL "\nbind 41:00.0,00:14.0");
	check_string("bound", planned(m), "0000:00:14.0 recover");
	assert_int_equal(m->run.inventory.unread_count, 1);
	/* However many hang */
	assert_true(m->w->bus.now - before <= (uint64_t)FAKE_SECOND * 3 / 2);
	machine_free(m);
}

static void hangs_first(struct machine *m)
{
	device(m, DISPLAY)->config_time = FAKE_FOREVER;
	device(m, GPU)->config_time = FAKE_FOREVER;
	add(m, "0000:03:00.0", 0x10ee, 0x5000, NULL)->config_time = FAKE_FOREVER;
	device(m, CARD)->serial_number = OTHER;
}

/* The time for names is no time of what must be known. */
static void test_times(void **state unused)
{
	struct machine *m = machine_new(true);

	hangs_first(m);
	add(m, FAR, 0x10ef, 0x5000, SERIAL);
	make_plan(m, "bind 09:00.0+serial=" SERIAL "\nbind serial=" SERIAL "+10ef:*");
	check_string("found", planned(m), FAR " bind");
	check_string("named", missing(m),
		     "no such device is present, but the card with this serial number is "
		     "now at " FAR MISSING_ASK);
	assert_int_equal(m->run.inventory.unread_count, 0);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_not_told),
		cmocka_unit_test(test_hang),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
