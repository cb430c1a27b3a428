/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What cards were when the image was built: how it is read, and what is said at boot. */
#include "config.h"
#include "machine.h"
#include "policy.h"
#include "rules.h"

#define CARD   "0000:01:00.0"
#define CARD_1 "0000:01:00.1"
#define SERIAL "serial=00-0a-35-ff-ff-00-12-34"
#define OLD    "10ee:d000:10ee:000e"

static void test_lines(void **state unused)
{
	static const struct {
		const char *line;
		const char *want; /* selector and IDs */
		const char *message;
	} cases[] = {
		{"known 01:00.0 " OLD, "0000:01:00.0 " OLD, NULL},
		{"known path=0:1.0/0.0+class=12 " OLD "," OLD,
		 "path=0000:00:01.0/00.0+class=12 " OLD "," OLD, NULL},
		{"known serial=00-0A-35-FF-FF-00-12-34 " OLD "  # later", SERIAL " " OLD,
		 NULL},
		{"known", NULL, "a selector is missing"},
		{"known 01:00.0", NULL,
		 "a known ID is vendor:device:subvendor:subdevice"},
		{"known 01:00.0 10ee:5000", NULL, "a known ID is vendor:device:subv"},
		{"known 01:00.0 " OLD ",", NULL, "a known ID is vendor:device:subv"},
		{"known 01:00.0 " OLD " optional", NULL,
		 "a known ID is vendor:device:subv"},
		{"known 01:00.0 10ee:5000:10ee:00zz", NULL,
		 "a known ID is vendor:device"},
		{"known 01:00.0 path=00:01.0/00.0+x", NULL,
		 "a known ID is vendor:device"},
		{"known 10ee:5000 " OLD, NULL, "a known card is named by its place or"},
		{"known 01:00.0+10ee:5000 " OLD, NULL,
		 "a known card is named by its place or"},
		{"known class=12 " OLD, NULL, "a known card is named by its place or"},
		{"known 01:00.9 " OLD, NULL, "the function is a digit from 0 to 7"},
		{"known 01:00.0," OLD " " OLD, NULL, "an address is "},
		{"known 01:00.* " OLD "," OLD "," OLD "," OLD "," OLD "," OLD "," OLD
		 "," OLD "," OLD,
		 NULL, "a card is known by 8 IDs at most"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arena arena = test_arena((size_t)1024 * 1024);
		struct policy policy;
		char got[512] = "";

		assert_int_equal(policy_init(&policy, &arena), 0);
		config_parse(&policy, SOURCE_CONFIG, TEXT("c"), text_of(cases[i].line));
		check_int(cases[i].line, policy.rule_count, 0);
		check_int(cases[i].line, policy.known_count, cases[i].want ? 1 : 0);
		check_int(cases[i].line, policy.problem_count, cases[i].want ? 0 : 1);
		if (cases[i].want) {
			const struct known *known = &policy.known[0];

			snprintf(got, sizeof(got), "%s %.*s", known->selector,
				 (int)known->ids.n, known->ids.p);
			check_string(cases[i].line, got, cases[i].want);
		} else {
			check_contains(cases[i].line, policy.problems[0].message,
				       cases[i].message);
			assert_true(policy.problems[0].is_error);
		}
		test_arena_free(&arena);
	}
}

static void test_too_many(void **state unused)
{
	struct arena arena = test_arena((size_t)1024 * 1024);
	char text[KNOWN_MAX * 64 + 64] = "";
	struct policy policy;

	for (int i = 0; i <= KNOWN_MAX; i++)
		sprintf(text + strlen(text), "known %02x:00.0 " OLD "\n", i);
	assert_int_equal(policy_init(&policy, &arena), 0);
	config_parse(&policy, SOURCE_CONFIG, TEXT("c"), text_of(text));
	assert_int_equal(policy.known_count, KNOWN_MAX);
	assert_int_equal(policy.problem_count, 1);
	check_contains("message", policy.problems[0].message, "more than 64 known cards");
	test_arena_free(&arena);
}

static const struct {
	const char *name, *table;
	const char *notes[2]; /* of the card's two functions; NULL for none */
} cases[] = {
	{"nothing known", "bind 01:00.*\n", {NULL, NULL}},
	{"what it was",
	 "bind 01:00.0\nknown 01:00.0 10ee:5000:0000:0000\n",
	 {NULL, NULL}},
	{"by its address",
	 "bind 01:00.0\nknown 01:00.0 " OLD "\n",
	 {"its ID changed: 10ee:d000 when the image was built (reflashed, or another "
	  "card?)",
	  NULL}},
	{"with a maker",
	 "bind 01:00.0+10ee:*\nknown 01:00.0+10ee:* " OLD "\n",
	 {"its ID changed: 10ee:d000 when the image was built (reflashed, or another "
	  "card?)",
	  NULL}},
	{"by its path",
	 "known path=0000:00:01.0/00.0 " OLD "\nbind path=0:1.0/0.0\n",
	 {"its ID changed: 10ee:d000 when the image was built (reflashed, or another "
	  "card?)",
	  NULL}},
	{"by its slot",
	 "bind slot=4\nknown slot=4 " OLD "\n",
	 {"its ID changed: 10ee:d000 when the image was built (reflashed, or another "
	  "card?)",
	  "its ID changed: 10ee:d000 when the image was built (reflashed, or another "
	  "card?)"}},
	{"by its serial number",
	 "bind " SERIAL " optional\nknown " SERIAL " " OLD "\n",
	 {"its ID changed: 10ee:d000 when the image was built (reflashed?)",
	  "its ID changed: 10ee:d000 when the image was built (reflashed?)"}},
	{"both functions",
	 "bind 01:00.*\nknown 01:00.* " OLD ",10ee:d001:10ee:000e\n",
	 {"its ID changed: 10ee:d000 or 10ee:d001 when the image was built (reflashed, "
	  "or another card?)",
	  "its ID changed: 10ee:d000 or 10ee:d001 when the image was built (reflashed, "
	  "or another card?)"}},
	{"one of two",
	 "bind 01:00.*\nknown 01:00.* 10ee:5000:0000:0000,10ee:d001:10ee:000e\n",
	 {NULL,
	  "its ID changed: 10ee:d001 when the image was built (reflashed, or another "
	  "card?)"}},
	{"one more, such as a virtual function",
	 "bind 01:00.*\nknown 01:00.* 10ee:5000:0000:0000\n",
	 {NULL, NULL}},
	{"only its subsystem",
	 "bind 01:00.0\nknown 01:00.0 10ee:5000:10ee:000e\n",
	 {"its ID changed: 10ee:5000:10ee:000e when the image was built (reflashed, or "
	  "another card?)",
	  NULL}},
	{"several lines",
	 "bind 01:00.0\nknown 01:00.0 " OLD "\nknown 01:00.0 10ee:5000:0000:0000\n",
	 {NULL, NULL}},
	{"of another rule", "bind 01:00.0\nknown 01:00.* " OLD "\n", {NULL, NULL}},
	{"a rule with an ID",
	 "bind 01:00.0+10ee:5000\nknown 01:00.0 " OLD "\n",
	 {NULL, NULL}},
	{"kept", "keep 01:00.0\nbind 01:00.0\nknown 01:00.0 " OLD "\n", {NULL, NULL}},
	{"refused",
	 "bind 01:00.0\nknown 01:00.0 " OLD "\ncritical 01:00.0 storage /\n",
	 {"its ID changed: 10ee:d000 when the image was built (reflashed, or another "
	  "card?)",
	  NULL}},
	{"of a profile that counts not",
	 "bind 10ee:*\n[profile p]\nbind 01:00.0\nknown 01:00.0 " OLD "\n",
	 {NULL, NULL}},
};

static const struct plan_device *find(const struct machine *m, const char *address)
{
	struct pci_device d = {0};

	assert_int_equal(bdf_parse(text_of(address), &d.bdf), 0);
	return plan_find(&m->run.plan, &d);
}

static void test_notes(void **state unused)
{
	static const char *const functions[] = {CARD, CARD_1};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine *m = machine_new(false);
		struct run_options options = {.cmdline = TEXT("quiet")};

		fake_find_device(&m->w->bus, CARD)->serial_number =
			"00-0a-35-ff-ff-00-12-34";
		fake_add_slot(&m->w->bus, "4", "0000:01:00");
		assert_int_equal(
			run_read_policy(&m->w->world, &m->arena, &options, &m->run), 0);
		config_parse(&m->run.policy, SOURCE_TABLE, TEXT("t"),
			     text_of(cases[i].table));
		assert_int_equal(m->run.policy.problem_count, 0);
		assert_int_equal(run_plan(&m->w->world, &m->arena, &m->run), 0);
		for (size_t k = 0; k < ARRAY_SIZE(functions); k++) {
			const struct plan_device *pd = find(m, functions[k]);
			const char *note = pd && pd->note ? pd->note : "";

			check_string(cases[i].name, note,
				     cases[i].notes[k] ? cases[i].notes[k] : "");
		}
		machine_free(m);
	}
}

/* A whole boot, and the same card when it has been reflashed at run time. */
static void test_boot(void **state unused)
{
	static const char table[] =
		"bind 01:00.0\n"
		"#: " RECORDED ":1\nknown 01:00.0 10ee:5000:0000:0000\n";
	struct machine *m = machine_new(false);
	struct fake_device *card = fake_find_device(&m->w->bus, CARD);
	struct fake_boot boot;

	card->ids.device = 0xd000;
	fake_boot(m->w, table, &boot);
	assert_null(fake_check(m->w, &boot));
	assert_int_equal(boot.code, EXIT_ALL_BOUND);
	check_contains("log", m->w->log,
		       "<5>0000:01:00.0 [10ee:d000] bound to vfio-pci, group 1, ");
	check_contains("log", m->w->log,
		       "; its ID changed: 10ee:5000 when the image was built (reflashed, "
		       "or another card?)\n");
	check_contains("report", m->w->report, "\"note\": \"its ID changed: 10ee:5000 ");
	fake_boot_free(&boot);
	m->w->trace[0] = m->w->log[0] = m->w->report[0] = '\0';

	/* It went, and came back as another. */
	card->ids.device = 0xd001;
	card->driver = NULL;
	card->has_link = false;
	card->has_override = card->is_bound = false;
	fake_late(m->w, NULL, CARD, false, &boot);
	assert_int_equal(boot.code, EXIT_ALL_BOUND);
	check_contains("late", m->w->log, "[10ee:d001] bound to vfio-pci, group 1, ");
	check_contains("late", m->w->log, "; its ID changed: 10ee:5000 when the image ");
	fake_boot_free(&boot);
	m->w->trace[0] = '\0';
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_boot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
