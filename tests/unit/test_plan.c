/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to be done with each function, and why not: rules and machine in, plan out. */
#include "group.h"
#include "test.h"

#include "fake_check.h"

#define CARD	"0000:01:00.0"
#define CARD_1	"0000:01:00.1"
#define GPU	"0000:02:00.0"
#define DISPLAY "0000:00:02.0"

struct planned {
	struct fake_world *w;
	struct arena arena;
	struct run run;
};

/* The plan for the Alveo machine as it is when all its drivers are there, or before udev. */
static struct planned *prepare(bool is_running)
{
	struct planned *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->w = fake_new();
	fake_load_machine(p->w, "alveo", is_running);
	p->arena = test_arena((size_t)1024 * 1024);
	return p;
}

static void make_plan(struct planned *p, const char *cmdline)
{
	struct run_options options = {.cmdline = text_of(cmdline)};

	assert_int_equal(run_read_policy(&p->w->world, &p->arena, &options, &p->run), 0);
	assert_int_equal(run_plan(&p->w->world, &p->arena, &p->run), 0);
}

static void finish(struct planned *p)
{
	test_arena_free(&p->arena);
	fake_free(p->w);
	free(p);
}

/* "action reason", or "" where the plan does not name the device. */
static const char *planned_for(const struct planned *p, const char *address)
{
	static char buf[64];

	for (size_t i = 0; i < p->run.plan.device_count; i++) {
		const struct plan_device *pd = &p->run.plan.devices[i];
		char name[BDF_SIZE];

		if (strcmp(bdf_format(pd->device->bdf, name), address) != 0)
			continue;
		snprintf(buf, sizeof(buf), "%s%s%s", action_name(pd->action),
			 pd->reason ? " " : "", reason_word(pd->reason));
		return buf;
	}
	return "";
}

struct scenario {
	const char *name;
	void (*change)(struct fake_world *w); /* NULL for none */
	const char *cmdline;
	const char *address;
	const char *want;
};

static struct fake_device *card(struct fake_world *w)
{
	return fake_find_device(&w->bus, CARD);
}

static void make_bridge(struct fake_world *w)
{
	card(w)->has_bus_behind = true;
}

static void make_iommu(struct fake_world *w)
{
	card(w)->ids.class = 0x080600;
}

static void make_qat(struct fake_world *w)
{
	card(w)->ids = (struct pci_ids){0x8086, 0x37c8, 0, 0, 0x0b4000};
}

static void make_dsa(struct fake_world *w)
{
	card(w)->ids = (struct pci_ids){0x8086, 0x0b25, 0, 0, 0x088000};
}

static void give_vfs(struct fake_world *w)
{
	card(w)->vf_count = 2;
}

static void take_group(struct fake_world *w)
{
	card(w)->group = FAKE_NO_GROUP;
}

static void take_iommu(struct fake_world *w)
{
	w->is_without_iommu = true;
}

static void release_card(struct fake_world *w)
{
	fake_bind_now(card(w), NULL);
}

static void release_and_take_group(struct fake_world *w)
{
	release_card(w);
	take_group(w);
}

static void bind_vfio(struct fake_world *w)
{
	fake_bind_now(card(w), fake_find_driver(&w->bus, "vfio-pci"));
}

static void bind_vfio_without_iommu(struct fake_world *w)
{
	bind_vfio(w);
	take_iommu(w);
}

static void darken(struct fake_world *w)
{
	fake_find_device(&w->bus, GPU)->is_boot_vga = false;
}

static void pull_display(struct fake_world *w)
{
	darken(w);
	fake_vanish(&w->bus, fake_find_device(&w->bus, DISPLAY));
}

static void make_xga(struct fake_world *w)
{
	pull_display(w);
	fake_find_device(&w->bus, GPU)->ids.class = 0x030100;
}

static void bind_display_to_vfio(struct fake_world *w)
{
	darken(w);
	fake_bind_now(fake_find_device(&w->bus, DISPLAY),
		      fake_find_driver(&w->bus, "vfio-pci"));
}

static void add_compute_gpu(struct fake_world *w)
{
	pull_display(w);
	(void)fake_add_device(&w->bus, "0000:03:00.0",
			      (struct pci_ids){0x10de, 0x20b0, 0, 0, 0x030200}, 9);
}

static void add_virtual_display(struct fake_world *w)
{
	pull_display(w);
	fake_add_device(&w->bus, "0000:03:10.0",
			(struct pci_ids){0x8086, 0x56c0, 0, 0, 0x038000}, 9)
		->physfn = "0000:03:00.0";
}

static const struct scenario scenarios[] = {
	/* Whose it is */
	{"taken", NULL, "vfio-pci.ids=10ee:5000", CARD, "recover"},
	{"free", release_card, "vfio-pci.ids=10ee:5000", CARD, "bind"},
	{"done", bind_vfio, "vfio-pci.ids=10ee:5000", CARD, "done"},
	{"not named", NULL, "vfio-pci.ids=10ee:5000", CARD_1, ""},
	{"neighbour", NULL, "vfio-pci.ids=10ee:5000", GPU, ""},

	/* Guards of the device */
	{"bridge by class", NULL, "rd.earlybind.bind=00:01.0", "0000:00:01.0",
	 "refuse bridge"},
	{"bridge by header", make_bridge, "rd.earlybind.bind=01:00.0", CARD,
	 "refuse bridge"},
	{"iommu", make_iommu, "rd.earlybind.bind=01:00.0", CARD, "refuse iommu-device"},
	{"denylist", make_qat, "rd.earlybind.bind=01:00.0", CARD, "refuse denylisted"},
	{"denylist, newer", make_dsa, "rd.earlybind.bind=01:00.0", CARD,
	 "refuse denylisted"},
	{"denylist off", make_qat,
	 "rd.earlybind.bind=01:00.0 vfio-pci.disable_denylist=1", CARD, "recover"},
	{"denylist on", make_qat, "rd.earlybind.bind=01:00.0 vfio-pci.disable_denylist=0",
	 CARD, "refuse denylisted"},
	{"virtual functions", give_vfs, "rd.earlybind.bind=01:00.0", CARD,
	 "refuse has-vfs"},

	/* Guards of the machine */
	{"no iommu", take_iommu, "rd.earlybind.bind=01:00.0", CARD, "refuse iommu-off"},
	{"no iommu, but done", bind_vfio_without_iommu, "rd.earlybind.bind=01:00.0", CARD,
	 "done"},
	{"no iommu, no matter", take_iommu,
	 "rd.earlybind.bind=01:00.0 vfio.enable_unsafe_noiommu_mode=1", CARD, "recover"},
	{"no group", take_group, "rd.earlybind.bind=01:00.0", CARD,
	 "refuse no-iommu-group"},
	{"no group, free", release_and_take_group, "rd.earlybind.bind=01:00.0", CARD,
	 "bind"},

	/* Displays */
	{"console", NULL, "vfio-pci.ids=10de:2489", GPU, "refuse console"},
	{"console, allowed", NULL, "rd.earlybind.bind=02:00.0;allow=console", GPU,
	 "recover"},
	{"console, allowed something else", NULL,
	 "rd.earlybind.bind=02:00.0;allow=storage,network", GPU, "refuse console"},
	{"console, allowed by another rule", NULL,
	 "vfio-pci.ids=10de:2489 rd.earlybind.bind=02:00.0;allow=console", GPU,
	 "recover"},
	{"console, allowed by a later rule", NULL,
	 "rd.earlybind.bind=10de:2489 rd.earlybind.bind=02:00.0;allow=console", GPU,
	 "recover"},
	{"only display, XGA", make_xga, "vfio-pci.ids=10de:2489", GPU,
	 "refuse last-display"},
	{"other display", darken, "vfio-pci.ids=10de:2489", GPU, "recover"},
	{"display controller", NULL, "vfio-pci.ids=8086:3e98", DISPLAY, "recover"},
	{"only display", pull_display, "vfio-pci.ids=10de:2489", GPU,
	 "refuse last-display"},
	{"only display, allowed", pull_display, "rd.earlybind.bind=02:00.0;allow=console",
	 GPU, "recover"},
	{"the other one is gone already", bind_display_to_vfio, "vfio-pci.ids=10de:2489",
	 GPU, "refuse last-display"},
	{"the other one will go", darken, "vfio-pci.ids=10de:2489,8086:3e98", DISPLAY,
	 "recover"},
	{"the one before goes", darken, "vfio-pci.ids=10de:2489,8086:3e98", GPU,
	 "refuse last-display"},
	{"the other one goes by its own rule", darken,
	 "vfio-pci.ids=8086:3e98 rd.earlybind.bind=02:00.0;allow=console", DISPLAY,
	 "refuse last-display"},
	{"that one may", darken,
	 "vfio-pci.ids=8086:3e98 rd.earlybind.bind=02:00.0;allow=console", GPU,
	 "recover"},
	{"a virtual function is no display", add_virtual_display,
	 "vfio-pci.ids=10de:2489", GPU, "refuse last-display"},
	{"a compute GPU is no display", add_compute_gpu, "rd.earlybind.bind=03:00.0",
	 "0000:03:00.0", "bind"},
	{"nor does one replace a display", add_compute_gpu, "vfio-pci.ids=10de:2489", GPU,
	 "refuse last-display"},
	{"audio is no display", NULL, "rd.earlybind.bind=02:00.1", "0000:02:00.1",
	 "recover"},

	/* Addresses with an ID */
	{"as claimed", NULL, "rd.earlybind.bind=01:00.0+10ee:5000", CARD, "recover"},
	{"another one", NULL, "rd.earlybind.bind=01:00.0+10de:*", CARD,
	 "refuse identity-mismatch"},
	{"another one, but a rule matches", NULL,
	 "rd.earlybind.bind=01:00.0+10de:* vfio-pci.ids=10ee:5000", CARD, "recover"},
	{"any function", NULL, "rd.earlybind.bind=01:00.*+10ee:5001", CARD_1, "recover"},

	/* Profiles that nobody asked for are not there. */
	{"nothing", NULL, "", CARD, ""},
};

static void test_scenarios(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
		struct planned *p = prepare(true);

		if (scenarios[i].change)
			scenarios[i].change(p->w);
		make_plan(p, scenarios[i].cmdline);
		check_string(scenarios[i].name, planned_for(p, scenarios[i].address),
			     scenarios[i].want);
		assert_string_equal(p->w->trace, "");
		finish(p);
	}
}

/* Rules of all kinds for one device, in any order. */
static void test_keep_wins(void **state unused)
{
	static const char *const tables[] = {
		"keep 01:00.0\nbind 10ee:*\n",
		"bind 10ee:*\nkeep 01:00.0\n",
		"bind 01:00.0\nkeep class=12\nkeep 10ee:5000\n",
		"bind 01:00.0\nkeep 01:00.0+10ee:*\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		struct fake_world *w = fake_new();
		struct fake_boot boot;
		const struct outcome *o;

		fake_load_machine(w, "alveo", true);
		fake_boot(w, tables[i], &boot);
		o = fake_outcome(&boot, CARD);
		check_true(tables[i], o && o->plan->action == ACTION_KEEP);
		check_true(tables[i], o->reason == REASON_KEPT);
		check_contains(tables[i], o->detail, "table:");
		check_true(tables[i], !fake_check(w, &boot));
		fake_boot_free(&boot);
		fake_free(w);
	}
}

static void test_keep_that_is_bound(void **state unused)
{
	struct planned *p = prepare(true);
	const struct origin origin = {.source = SOURCE_ARGUMENT};
	struct run_options options = {.cmdline = TEXT("vfio-pci.ids=10ee:5000")};

	bind_vfio(p->w);
	assert_int_equal(run_read_policy(&p->w->world, &p->arena, &options, &p->run), 0);
	policy_add_rule(&p->run.policy, RULE_KEEP, TEXT("01:00.0"),
			(struct text){NULL, 0}, ' ', &origin, (struct text){"", 0});
	assert_int_equal(run_plan(&p->w->world, &p->arena, &p->run), 0);
	assert_string_equal(planned_for(p, CARD), "keep kept-bound");
	finish(p);
}

static void test_rule_matches(void **state unused)
{
	static const size_t want[] = {2, 1, 0, 0};
	struct planned *p = prepare(true);

	make_plan(p, "rd.earlybind.bind=10ee:*,01:00.1,1234:*,01:00.0+10de:*,class=");
	assert_int_equal(p->run.policy.rule_count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(p->run.plan.rule_matches[i], want[i]);
	/* The first rule that names it counts. */
	assert_ptr_equal(p->run.plan.devices[1].rule, &p->run.policy.rules[0]);
	assert_true(report_has_rule_missing(&p->run.report, 2));
	assert_false(report_has_rule_missing(&p->run.report, 0));
	finish(p);
}

static void test_groups(void **state unused)
{
	struct planned *p = prepare(true);
	const struct plan_group *g;

	make_plan(p, "rd.earlybind.bind=10ee:*,00:14.0,00:12.0");
	assert_int_equal(p->run.plan.group_count, 3);
	for (size_t i = 1; i < 3; i++)
		assert_true(p->run.plan.groups[i - 1].id < p->run.plan.groups[i].id);
	g = &p->run.plan.groups[0];
	assert_int_equal(g->id, 1);
	assert_false(g->is_viable);
	assert_int_equal(g->blocker_count, 2);
	assert_string_equal(plan_blockers(g, &p->arena), "0000:02:00.0 and 0000:02:00.1");
	assert_true(p->run.plan.groups[1].is_viable);
	finish(p);

	/* What is bound to another driver than vfio's is in the way, too. */
	p = prepare(true);
	make_plan(p, "rd.earlybind.bind=10ee:* rd.earlybind.bind=02:00.*;driver=xocl");
	g = &p->run.plan.groups[0];
	assert_string_equal(plan_blockers(g, &p->arena), "0000:02:00.0 and 0000:02:00.1");
	finish(p);

	/* The user function alone: the management function of the card is named. */
	p = prepare(true);
	make_plan(p, "rd.earlybind.bind=01:00.1");
	g = &p->run.plan.groups[0];
	check_string("management", reason_word(g->reason), "management-in-group");
	check_contains("management", g->detail,
		       CARD ", the card's management function (as well as 0000:02:00.0 "
			    "and 0000:02:00.1),");
	finish(p);

	/* Before udev, what has no driver will get one. */
	p = prepare(false);
	/* A bridge needs none. */
	fake_bind_now(fake_find_device(&p->w->bus, "0000:00:01.1"), NULL);
	make_plan(p, "rd.earlybind.bind=01:00.0");
	assert_true(p->run.plan.groups[0].is_viable);
	p->run.inventory.is_early = true;
	assert_int_equal(
		plan_make(&p->run.policy, &p->run.inventory, &p->arena, &p->run.plan), 0);
	assert_string_equal(plan_blockers(&p->run.plan.groups[0], &p->arena),
			    "0000:01:00.1, 0000:02:00.0 and 0000:02:00.1");
	finish(p);
}

/* Of a group that nobody wants to use, nothing is said. */
static void test_group_of_what_is_kept(void **state unused)
{
	struct planned *p = prepare(true);
	const struct origin origin = {.source = SOURCE_ARGUMENT};
	struct run_options options = {.cmdline = TEXT("rd.earlybind.bind=00:14.0")};

	assert_int_equal(run_read_policy(&p->w->world, &p->arena, &options, &p->run), 0);
	policy_add_rule(&p->run.policy, RULE_KEEP, TEXT("02:00.*"),
			(struct text){NULL, 0}, ' ', &origin, (struct text){"", 0});
	assert_int_equal(run_plan(&p->w->world, &p->arena, &p->run), 0);
	assert_int_equal(p->run.plan.group_count, 1);
	assert_int_equal(p->run.plan.groups[0].id, 4);
	finish(p);
}

static void test_friendly_drivers(void **state unused)
{
	static const char *const friendly[] = {
		"",	    "vfio-pci", "mlx5-vfio-pci",
		"pci-stub", "pcieport", "nvgrace-gpu-vfio-pci"};
	static const char *const others[] = {"nvidia", "xclmgmt", "shpchp", "pci-stub2"};

	for (size_t i = 0; i < ARRAY_SIZE(friendly); i++)
		check_true(friendly[i], driver_is_group_friendly(friendly[i]));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		check_true(others[i], !driver_is_group_friendly(others[i]));
}

/* The module's own ids= must not take what the plan leaves alone, nor wait for a driver. */
static void test_safe_ids(void **state unused)
{
	static const struct {
		const char *cmdline;
		bool is_running, is_safe;
	} cases[] = {
		{"vfio-pci.ids=10ee:5000", false, true},
		{"vfio-pci.ids=10ee:5000", true, false},
		{"vfio-pci.ids=10ee:5000,10de:2489", false, false},
		{"vfio-pci.ids=10ee:5000,1234:5678", false, true},
		{"vfio-pci.ids=10ee:5000 rd.earlybind.bind=02:00.0", false, true},
		{"vfio-pci.ids=10ee:5000 rd.earlybind.bind=10ee:5001", true, false},
		{"rd.earlybind.bind=10ee:*", true, true},
		{"vfio-pci.ids=10ee:5000 -- vfio-pci.ids=1:1", false, true},
		{"vfio-pci.ids=10ee:5000,\"", false, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct planned *p = prepare(cases[i].is_running);

		make_plan(p, cases[i].cmdline);
		check_int(cases[i].cmdline, p->run.plan.is_ids_safe, cases[i].is_safe);
		/* What could not be read cannot be judged. */
		p->run.inventory.unread_count = 1;
		assert_int_equal(plan_make(&p->run.policy, &p->run.inventory, &p->arena,
					   &p->run.plan),
				 0);
		check_true(cases[i].cmdline, !p->run.plan.is_ids_safe);
		finish(p);
	}
}

static void test_ids_that_do_not_fit(void **state unused)
{
	char line[2000];

	for (size_t n = 1023; n <= 1024; n++) {
		struct planned *p = prepare(false);

		memset(line, ',', sizeof(line));
		memcpy(line, "vfio-pci.ids=10ee:5000", 22);
		line[13 + n] = '\0';
		make_plan(p, line);
		assert_int_equal(p->run.plan.is_ids_safe, n == 1023);
		finish(p);
	}
}

static void test_memory(void **state unused)
{
	struct planned *p = prepare(true);
	bool has_fit = false;

	make_plan(p, "rd.earlybind.bind=10ee:*,02:00.1");
	for (size_t size = 1; size < 16384; size += 111) {
		struct arena arena = test_arena(size);
		struct plan plan;
		int r = plan_make(&p->run.policy, &p->run.inventory, &arena, &plan);

		assert_true(r == 0 || r == -ENOMEM);
		has_fit = has_fit || r == 0;
		test_arena_free(&arena);
	}
	assert_true(has_fit);
	finish(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenarios),
		cmocka_unit_test(test_keep_wins),
		cmocka_unit_test(test_keep_that_is_bound),
		cmocka_unit_test(test_rule_matches),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_group_of_what_is_kept),
		cmocka_unit_test(test_friendly_drivers),
		cmocka_unit_test(test_safe_ids),
		cmocka_unit_test(test_ids_that_do_not_fit),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
