/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules with follow: a card that is elsewhere is bound there. */
#include "elsewhere.h"

#define NOTE(place, address) \
	": followed: the rule says " place ", the card is at " address " now"

static void test_followed(void **state unused)
{
	static const struct {
		void (*change)(struct machine *m);
		const char *rules, *want, *missing;
	} cases[] = {
		/* What sits in its old place is nobody's business. */
		{moved, "bind 01:00.0+10ee:5000 follow",
		 "0000:03:00.0 recover" NOTE(CARD, "0000:03:00.0"), ""},
		{moved, "bind 01:00.0+serial=" SERIAL " follow",
		 "0000:03:00.0 recover" NOTE(CARD, "0000:03:00.0"), ""},
		{moved, "bind 01:00.*+10ee:* follow",
		 "0000:03:00.0 recover" NOTE(
			 "0000:01:00.*",
			 "0000:03:00.0") "; 0000:03:00.1 recover" NOTE("0000:01:00.*",
								       "0000:03:00.1"),
		 ""},
		{moved, "bind path=00:1c.0+serial=" SERIAL " follow",
		 "0000:03:00.0 recover" NOTE(
			 "path=0000:00:1c.0",
			 "0000:03:00.0") "; 0000:03:00.1 recover" NOTE("path=0000:00:1c.0",
								       "0000:03:00.1"),
		 ""},
		/* Only the function that the place means */
		{moved, "bind path=00:1c.0/00.1+serial=" SERIAL " follow",
		 "0000:03:00.1 recover" NOTE("path=0000:00:1c.0/00.1", "0000:03:00.1"),
		 ""},
		{pulled, "bind 01:00.1+serial=" SERIAL " follow",
		 FAR_1 " bind" NOTE(CARD_1, FAR_1), ""},
		{slots, "bind slot=4+10ee:5000 follow", FAR " bind" NOTE("slot=4", FAR),
		 ""},
		/* It is where the rule says, too. */
		{replaced, "bind 01:00.0+10ee:5000 follow", CARD " recover", ""},
		/* The identity is enough for one, not for several. */
		{several, "bind 01:00.0+serial=" SERIAL " follow",
		 FAR " bind" NOTE(CARD, FAR), ""},
		{several, "bind 01:00.0+10ee:5000 follow", "",
		 "no such device is present, but a 10ee:5000 is at " FAR
		 ", 0000:42:00.0, 0000:43:00.0 and 1 more places: not followed, since "
		 "there are several" MISSING_ASK},
		{replaced, "bind path=00:01.1+10ee:5000 follow",
		 GPU " refuse identity-mismatch (10de:2489 is there now; a 10ee:5000 is "
		     "at " CARD ", " FAR
		     ": not followed, since there are several); " AUDIO
		     " refuse identity-mismatch (10de:228b is there now; a 10ee:5000 is "
		     "at " CARD ", " FAR ": not followed, since there are several)",
		 ""},
		{pulled, "bind 01:00.0+10ee:5001 follow", "",
		 "no such device is present, but a 10ee:5001 is at " FAR_1
		 ": not followed, since it is another function" MISSING_ASK},
		/* What says that it is something else is not followed. */
		{reflashed_and_moved, "bind 01:00.0+serial=" SERIAL "+10ee:5000 follow",
		 "",
		 "no such device is present, but the card with this serial number is "
		 "10ee:d000 at " FAR " now (was it reflashed?)" MISSING_ASK},
		/* Other rules, and the guards, have their say. */
		{pulled, "bind 01:00.0+10ee:5000 follow\nkeep 41:00.0", FAR " keep kept",
		 ""},
		{pulled, "bind 01:00.0+10ee:5000 follow\nbind 10ee:5000", FAR " bind",
		 ""},
		{pulled, "bind 05:00.0+10de:2489 follow",
		 GPU " refuse console" NOTE("0000:05:00.0", GPU), ""},
		{pulled, "bind 05:00.0+10de:2489 follow allow=console",
		 GPU " recover" NOTE("0000:05:00.0", GPU), ""},
		{pulled, "critical 41:00.0 storage /\nbind 01:00.0+10ee:5000 follow",
		 FAR " refuse critical-storage" NOTE(CARD, FAR), ""},
		{pulled,
		 "critical 41:00.0 storage /\nbind 01:00.0+10ee:5000 follow allow=storage",
		 FAR " bind" NOTE(CARD, FAR), ""},
		/* Who claims the old place otherwise is refused as ever. */
		{moved, "bind 01:00.0+10ee:5000 follow\nbind 01:00.0+1234:*",
		 CARD " refuse identity-mismatch (144d:a80a is there now); 0000:03:00.0 "
		      "recover" NOTE(CARD, "0000:03:00.0"),
		 ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine *m = machine_new(true);

		cases[i].change(m);
		make_plan(m, cases[i].rules);
		check_string(cases[i].rules, planned(m), cases[i].want);
		check_string(cases[i].rules, missing(m), cases[i].missing);
		machine_free(m);
	}
}

/* One that could not be read may be the second one. */
static void test_doubt(void **state unused)
{
	struct machine *m = machine_new(true);

	pulled(m);
	add(m, "0000:42:00.0", 0x10ee, 0x5000, NULL)->link = "garbage";
	make_plan(m, "bind 01:00.0+10ee:5000 follow\nkeep path=00:1d.0");
	check_string("doubt", planned(m), "");
	check_string(
		"doubt", missing(m),
		"no such device is present, but a 10ee:5000 is at " FAR
		": not followed, since not every function could be read" MISSING_ASK);
	make_plan(m, "bind 01:00.0+serial=" SERIAL " follow\nkeep path=00:1d.0");
	check_string("by its number", planned(m), FAR " bind" NOTE(CARD, FAR));
	machine_free(m);
}

/* A bridge is never followed, whether or not another rule has it read. */
static void test_bridge(void **state unused)
{
	static const struct {
		const char *rules, *want;
	} cases[] = {
		{"bind 01:00.*+10ee:* follow", ""},
		{"bind 01:00.*+10ee:* follow\nkeep 41:00.2", "; 0000:41:00.2 keep kept"},
		{"bind slot=4+10ee:* follow\ncritical 41:00.2 storage /", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine *m = machine_new(true);
		const char *place = i == 2 ? "slot=4" : "0000:01:00.*";
		char want[512];

		slots(m);
		add(m, "0000:41:00.2", 0x10ee, 0x5002, NULL)->ids.class = 0x060100;
		make_plan(m, cases[i].rules);
		snprintf(want, sizeof(want),
			 FAR " bind" NOTE("%s", FAR) "; " FAR_1
						     " bind" NOTE("%s", FAR_1) "%s",
			 place, place, cases[i].want);
		check_string(cases[i].rules, planned(m), want);
		assert_int_equal(m->run.plan.rule_matches[0], 2);
		machine_free(m);
	}
}

/* A card appears after the boot's run, in another place than it had. */
static void test_late(void **state unused)
{
	static const struct {
		const char *table, *address, *driver;
	} cases[] = {
		{"bind 01:00.0+serial=" SERIAL " follow\n", FAR, "vfio-pci"},
		{"bind 01:00.0+serial=" SERIAL " follow\n", FAR_1, ""},
		{"bind slot=9+10ee:5000 follow\n", FAR, "vfio-pci"},
		{"bind 01:00.0+10ee:5000\n", FAR, ""},
		{"bind 01:00.0+1234:5678 follow\n", FAR, ""},
		/* The one that is meant is there: the other one is not it. */
		{"bind 02:00.0+10de:2489 follow\nbind 05:00.0+10ee:* follow\n", GPU,
		 "nvidia"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine *m = machine_new(true);
		struct fake_boot boot;

		pulled(m);
		fake_late(m->w, cases[i].table, cases[i].address, false, &boot);
		check_string(cases[i].table, fake_driver_of(device(m, cases[i].address)),
			     cases[i].driver);
		fake_boot_free(&boot);
		machine_free(m);
	}
}

/* One of the same kind as one that is where its rule says. */
static void test_late_twin(void **state unused)
{
	struct machine *m = machine_new(true);
	struct fake_boot boot;

	replaced(m);
	fake_late(m->w, "bind 01:00.0+10ee:5000 follow\n", FAR, false, &boot);
	check_string("twin", fake_driver_of(device(m, FAR)), "");
	assert_int_equal(boot.code, EXIT_ALL_BOUND);
	fake_boot_free(&boot);
	machine_free(m);
}

static void test_grammar(void **state unused)
{
	static const struct {
		const char *rule, *want; /* NULL: fine */
	} cases[] = {
		{"bind 01:00.0+10ee:5000 follow", NULL},
		{"bind slot=4+serial=" SERIAL " follow optional", NULL},
		{"bind 10ee:5000 follow",
		 "follow needs a place (an address, path= or slot=) and an identity "
		 "(serial= or an ID)"},
		{"bind 01:00.0 follow", "follow needs a place"},
		{"bind path=00:01.0+class=12 follow", "follow needs a place"},
		{"bind 01:00.0+*:* follow", "follow needs a place"},
		{"keep 01:00.0+10ee:5000 follow", "follow is for bind rules only"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arena arena = test_arena((size_t)1024 * 1024);
		struct policy policy;

		assert_int_equal(policy_init(&policy, &arena), 0);
		config_parse(&policy, SOURCE_CONFIG, TEXT("conf"),
			     text_of(cases[i].rule));
		check_int(cases[i].rule, policy.problem_count, cases[i].want ? 1 : 0);
		check_int(cases[i].rule, policy.rule_count, cases[i].want ? 0 : 1);
		if (cases[i].want)
			check_contains(cases[i].rule, policy.problems[0].message,
				       cases[i].want);
		test_arena_free(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_followed),  cmocka_unit_test(test_doubt),
		cmocka_unit_test(test_bridge),	  cmocka_unit_test(test_late),
		cmocka_unit_test(test_late_twin), cmocka_unit_test(test_grammar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
