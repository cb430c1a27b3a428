/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules on physical slots: what is read for them, and what they name. */
#include "identity.h"

static void pair(struct machine *m)
{
	fake_add_slot(&m->w->bus, "4", "0000:01:00");
	fake_add_slot(&m->w->bus, "4-1", "0000:02:00");
}

static void whole_bus(struct machine *m)
{
	fake_add_slot(&m->w->bus, "U78D2.001=P1#C1", "0000:01");
	fake_add_slot(&m->w->bus, "other", "0001:01");
}

/* A card of several, in a slot of a chassis that is in a slot itself. */
static void nested(struct machine *m)
{
	device(m, "0000:00:01.0")->bus_behind = 1;
	fake_add_slot(&m->w->bus, "chassis", "0000:00:01");
	fake_add_slot(&m->w->bus, "inner", "0000:01:00");
}

static void moved(struct machine *m)
{
	renumber(m);
	fake_add_slot(&m->w->bus, "7", "0000:03:00");
	fake_add_slot(&m->w->bus, "8", "0000:01:00");
}

/* The second function's virtual functions are on a bus of their own. */
static void functions(struct machine *m)
{
	struct fake_device *vf;

	fake_add_slot(&m->w->bus, "4", "0000:01:00");
	vf = fake_add_device(&m->w->bus, "0000:05:00.0",
			     (struct pci_ids){0x10ee, 0x5002, 0, 0, 0x120000}, 30);
	vf->link = "../../../devices/pci0000:00/0000:00:01.0/0000:05:00.0";
	vf->physfn = CARD;
}

static void two_names(struct machine *m)
{
	fake_add_slot(&m->w->bus, "4", "0000:01:00");
	fake_add_slot(&m->w->bus, "Slot4", "0000:01");
	fake_add_slot(&m->w->bus, "3", "0000:01:00");
}

static void gone(struct machine *m)
{
	pair(m);
	fake_add_slot(&m->w->bus, "pulled", NULL);
}

static void odd(struct machine *m)
{
	fake_add_slot(&m->w->bus, "4", "0000:01:00");
	fake_add_slot(&m->w->bus, "a name with blanks", "0000:01:00");
	fake_add_slot(&m->w->bus,
		      "1234567890123456789012345678901234567890123456789012345678901234",
		      "0000:02:00");
}

static void damaged(struct machine *m)
{
	pair(m);
	fake_add_slot(&m->w->bus, "5", "0000-03-00");
}

static void test_slots(void **state unused)
{
	static const char both[] = CARD " recover; " CARD_1 " recover";
	static const struct {
		void (*change)(struct machine *m);
		const char *rules, *want;
		unsigned lists, reads, unread;
	} cases[] = {
		{pair, "bind slot=4", both, 1, 2, 0},
		{pair, "bind slot=4+10ee:5001", CARD_1 " recover", 1, 2, 0},
		{pair, "bind slot=4,slot=4-1 allow=console",
		 CARD " recover; " CARD_1 " recover; " GPU " recover; " AUDIO " recover",
		 1, 2, 0},
		/* A slot is not looked for where another term says no. */
		{pair, "bind 10ee:5000\nkeep slot=4-1+1234:*", CARD " recover", 0, 0, 0},
		{pair, "keep slot=4\nbind 10ee:*",
		 CARD " keep kept; " CARD_1 " keep kept", 1, 2, 0},
		{pair, "bind slot=5", "", 1, 2, 0},
		{pair, "bind slot=04", "", 1, 2, 0},
		{pair, "bind 10ee:5000", CARD " recover", 0, 0, 0},
		{whole_bus, "bind slot=U78D2.001=P1#C1", both, 1, 2, 0},
		{whole_bus, "bind slot=other", "", 1, 2, 0},
		/* In both, and the ports themselves in none */
		{nested, "bind slot=inner", both, 1, 2, 0},
		{nested, "bind slot=chassis",
		 CARD " recover; " CARD_1 " recover; " GPU " refuse console; " AUDIO
		      " recover",
		 1, 2, 0},
		{moved, "bind slot=7", "0000:03:00.0 recover; 0000:03:00.1 recover", 1, 2,
		 0},
		{moved, "bind slot=8+144d:*", CARD " bind", 1, 2, 0},
		{functions, "bind slot=4+10ee:5002", "0000:05:00.0 bind", 1, 1, 0},
		{gone, "bind slot=4", both, 1, 3, 0},
		{odd, "bind slot=4", both, 1, 2, 0},
		/* What slot it is in cannot be known: no rule acts on it. */
		{damaged, "bind 10ee:5000\nkeep slot=4+10ee:*", "", 1, 3, 2},
		/* In the order of names, not in that of the folder */
		{two_names, "bind slot=9+01:00.0",
		 CARD
		 " refuse identity-mismatch (10ee:5000 (slot 3/4/Slot4) is there now)",
		 2, 6, 0},
		/* Another device is in the slot. */
		{pair, "bind slot=4+1234:5678",
		 CARD " refuse identity-mismatch (10ee:5000 is there now); " CARD_1
		      " refuse identity-mismatch (10ee:5001 is there now)",
		 1, 2, 0},
		{pair, "bind slot=4+02:00.1",
		 CARD " refuse identity-mismatch (10ee:5000 is there now); " CARD_1
		      " refuse identity-mismatch (10ee:5001 is there now); " AUDIO
		      " refuse identity-mismatch (10de:228b (slot 4-1) is there now)",
		 2, 4, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine *m = machine_new(true);

		cases[i].change(m);
		make_plan(m, cases[i].rules);
		check_string(cases[i].rules, planned(m), cases[i].want);
		check_int(cases[i].rules, m->w->slot_lists, cases[i].lists);
		check_int(cases[i].rules, m->w->slot_reads, cases[i].reads);
		check_int(cases[i].rules, m->run.inventory.unread_count, cases[i].unread);
		machine_free(m);
	}
}

static void test_too_many(void **state unused)
{
	struct machine *m = machine_new(true);

	fake_add_slot(&m->w->bus, "4", "0000:01:00");
	/* The same name again and again: the binder counts. */
	m->w->bus.slot_repeats = SLOTS_MAX - 1;
	make_plan(m, "bind slot=4+10ee:5000");
	check_string("as many as possible", planned(m), CARD " recover");
	m->w->bus.slot_repeats++;
	make_plan(m, "bind slot=4+10ee:5000");
	check_string("one more", planned(m), "");
	assert_int_equal(m->run.inventory.unread_count, 1);
	machine_free(m);
}

/* A card is plugged in, and slot= is asked of it alone. */
static void test_late(void **state unused)
{
	static const struct {
		const char *table, *driver;
	} cases[] = {
		{"bind slot=4\n", "vfio-pci"},
		{"bind slot=4-1\n", ""},
		{"bind slot=4+10ee:5001\n", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine *m = machine_new(true);
		struct fake_boot boot;

		pair(m);
		fake_bind_now(device(m, CARD), NULL);
		fake_late(m->w, cases[i].table, CARD, false, &boot);
		check_string(cases[i].table, fake_driver_of(device(m, CARD)),
			     cases[i].driver);
		fake_boot_free(&boot);
		machine_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
