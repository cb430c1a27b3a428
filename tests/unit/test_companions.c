/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes along with the functions that a rule names: with=functions and with=group. */
#include "machine.h"

#include "config.h"
#include "hotplug.h"

#define CARD   "0000:01:00.0"
#define CARD_1 "0000:01:00.1"
#define GPU    "0000:02:00.0"
#define AUDIO  "0000:02:00.1"
#define BOTH   "bind 10ee:5000,10ee:5001"

static void make_plan(struct machine *m, const char *rules)
{
	struct run_options options = {.cmdline = TEXT("")};

	assert_int_equal(run_read_policy(&m->w->world, &m->arena, &options, &m->run), 0);
	config_parse(&m->run.policy, SOURCE_CONFIG, TEXT("conf"), text_of(rules));
	assert_int_equal(m->run.policy.problem_count, 0);
	m->run.is_boot = true;
	assert_int_equal(run_plan(&m->w->world, &m->arena, &m->run), 0);
}

/* "01:00.0 bind, 02:00.0 refuse host-device" */
static const char *planned(const struct machine *m)
{
	static char buf[1024];
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < m->run.plan.device_count; i++) {
		const struct plan_device *pd = &m->run.plan.devices[i];
		char address[BDF_SIZE];

		used += (size_t)snprintf(
			buf + used, sizeof(buf) - used, "%s%s %s%s%s", i > 0 ? ", " : "",
			bdf_format(pd->device->bdf, address) + 5, action_name(pd->action),
			pd->reason ? " " : "", reason_word(pd->reason));
	}
	return buf;
}

static const struct plan_device *find(const struct machine *m, const char *address)
{
	struct bdf bdf;

	assert_int_equal(bdf_parse(text_of(address), &bdf), 0);
	for (size_t i = 0; i < m->run.plan.device_count; i++)
		if (bdf_compare(m->run.plan.devices[i].device->bdf, bdf) == 0)
			return &m->run.plan.devices[i];
	fail_msg("%s is not in the plan: %s", address, planned(m));
	return NULL;
}

static struct fake_device *device(struct fake_world *w, const char *address)
{
	struct fake_device *d = fake_find_device(&w->bus, address);

	assert_non_null(d);
	return d;
}

static void make_header_bridge(struct fake_world *w)
{
	device(w, CARD_1)->has_bus_behind = true;
}

static void lead_with_bridge(struct fake_world *w)
{
	device(w, CARD)->has_bus_behind = true;
}

static void give_vfs(struct fake_world *w)
{
	device(w, CARD_1)->vf_count = 2;
}

static void make_qat(struct fake_world *w)
{
	device(w, CARD_1)->ids = (struct pci_ids){0x8086, 0x37c8, 0, 0, 0x0b4000};
}

/* The four functions are what a host may live on. */
static void make_disk(struct fake_world *w)
{
	device(w, GPU)->ids = (struct pci_ids){0x144d, 0xa808, 0, 0, 0x010802};
}

static void make_network(struct fake_world *w)
{
	device(w, GPU)->ids = (struct pci_ids){0x8086, 0x1533, 0, 0, 0x020000};
}

static void make_usb(struct fake_world *w)
{
	device(w, GPU)->ids = (struct pci_ids){0x8086, 0xa36d, 0, 0, 0x0c0330};
}

static void make_fpga(struct fake_world *w)
{
	device(w, GPU)->ids = (struct pci_ids){0x10ee, 0x9038, 0, 0, 0x120000};
}

static void two_groups(struct fake_world *w)
{
	device(w, CARD_1)->group = 30;
	device(w, AUDIO)->group = 31;
}

static void move_gpu(struct fake_world *w)
{
	device(w, GPU)->group = 31;
}

static void no_group(struct fake_world *w)
{
	device(w, CARD)->group = FAKE_NO_GROUP;
}

static void bind_gpu(struct fake_world *w)
{
	fake_bind_now(device(w, GPU), fake_find_driver(&w->bus, "vfio-pci"));
}

static void add_twin(struct fake_world *w)
{
	const struct pci_ids *ids = &device(w, CARD)->ids;

	(void)fake_add_device(&w->bus, "0000:03:00.0", *ids, 40);
	(void)fake_add_device(&w->bus, "0000:03:00.1",
			      (struct pci_ids){0x10ee, 0x5001, 0, 0, 0x120000}, 40);
}

/* One rule names a function of the GPU as well, in a group of its own. */
static void make_twin_of_audio(struct fake_world *w)
{
	device(w, AUDIO)->ids = device(w, CARD)->ids;
	device(w, AUDIO)->group = 31;
}

static void make_twin_before(struct fake_world *w)
{
	make_twin_of_audio(w);
	device(w, CARD)->bdf.bus = 3;
	device(w, CARD_1)->bdf.bus = 3;
}

/* A network card of the chipset, in the slot of the named function. */
static void make_chipset(struct fake_world *w)
{
	device(w, CARD_1)->ids = (struct pci_ids){0x8086, 0x1533, 0, 0, 0x020000};
	device(w, CARD_1)->bdf = (struct bdf){.bus = 0, .device = 0x1f, .function = 4};
	device(w, CARD)->bdf = (struct bdf){.bus = 0, .device = 0x1f, .function = 3};
}

#define CARD_ONLY  "01:00.0 bind, 01:00.1 bind"
#define GPU_STAYS  ", 02:00.0 refuse host-device, 02:00.1 refuse host-device"
#define WHOLE	   CARD_ONLY ", 02:00.0 bind, 02:00.1 bind"
#define AUDIO_GOES CARD_ONLY ", 02:00.0 refuse host-device, 02:00.1 bind"

static const struct {
	const char *name;
	void (*change)(struct fake_world *w);
	const char *rules, *want;
} plans[] = {
	{"another group's function is named", make_twin_of_audio,
	 "bind 10ee:5000 with=group",
	 CARD_ONLY ", 02:00.0 refuse host-device, 02:00.1 bind"},
	{"the same in another order", make_twin_before, "bind 10ee:5000 with=group",
	 "02:00.0 refuse host-device, 02:00.1 bind, 03:00.0 bind, 03:00.1 bind"},
	{"nothing", NULL, "bind 10ee:5001", "01:00.1 bind"},
	{"functions", NULL, "bind 10ee:5001 with=functions", CARD_ONLY},
	{"functions, first", NULL, "bind 10ee:5000 with=functions", CARD_ONLY},
	{"functions by address", NULL, "bind 01:00.1 with=functions", CARD_ONLY},
	{"functions by path", NULL, "bind path=00:01.0/00.1 with=functions", CARD_ONLY},
	{"of all functions", NULL, "bind 01:00.* with=functions", CARD_ONLY},
	{"in other groups", two_groups, "bind 10ee:5000 with=functions", CARD_ONLY},
	{"without a group", no_group, "bind 10ee:5000 with=functions", CARD_ONLY},
	{"of no device", NULL, "bind 1234:5678 with=functions", ""},
	{"of another device there", NULL, "bind 01:00.0+10de:* with=functions",
	 "01:00.0 refuse identity-mismatch"},
	{"of two cards", add_twin, "bind 10ee:5000 with=functions",
	 CARD_ONLY ", 03:00.0 bind, 03:00.1 bind"},

	/* A display that a rule names is no matter of with=. */
	{"GPU by ID", NULL, "bind 10de:2489 with=functions",
	 "02:00.0 refuse console, 02:00.1 bind"},
	{"GPU by its audio", NULL, "bind 10de:228b with=functions",
	 "02:00.0 refuse console, 02:00.1 bind"},
	{"GPU by its audio, allowed", NULL, "bind 10de:228b with=functions allow=console",
	 "02:00.0 bind, 02:00.1 bind"},
	{"group of its audio", NULL, "bind 10de:228b with=group allow=console", WHOLE},
	/* On its own card a function is no host device: its guard is another one. */
	{"group of its audio, not allowed", NULL, "bind 10de:228b with=group",
	 CARD_ONLY ", 02:00.0 refuse console, 02:00.1 bind"},

	/* Groups */
	{"group", NULL, BOTH " with=group", CARD_ONLY GPU_STAYS},
	{"group, allowed", NULL, BOTH " with=group allow=console", WHOLE},
	{"group, wrong word", NULL, BOTH " with=group allow=storage,network",
	 CARD_ONLY GPU_STAYS},
	{"group of one", NULL, "bind 10ee:5000 with=group allow=console", WHOLE},
	{"group, allowed by another", NULL,
	 "bind 10ee:5000 with=group\nbind 10ee:5001 with=group allow=console", WHOLE},
	{"allowed by one that does not bring it", NULL,
	 "bind 10ee:5000 with=group\nbind 10ee:5001 allow=console", CARD_ONLY GPU_STAYS},
	{"named", NULL, BOTH " with=group\nbind 02:00.0 allow=console", WHOLE},
	{"named, not allowed", NULL, BOTH " with=group\nbind 02:00.0",
	 CARD_ONLY ", 02:00.0 refuse console, 02:00.1 bind"},
	{"audio named", NULL, BOTH " with=group\nbind 02:00.1", AUDIO_GOES},
	{"GPU is done", bind_gpu, BOTH " with=group",
	 CARD_ONLY ", 02:00.0 done, 02:00.1 bind"},
	{"named for another device", NULL,
	 BOTH " with=group allow=console\nbind 02:00.0+1002:*",
	 CARD_ONLY ", 02:00.0 refuse identity-mismatch, 02:00.1 bind"},
	{"disk", make_disk, BOTH " with=group", CARD_ONLY GPU_STAYS},
	{"disk, allowed", make_disk, BOTH " with=group allow=storage", WHOLE},
	{"disk, wrong word", make_disk, BOTH " with=group allow=console",
	 CARD_ONLY GPU_STAYS},
	{"network", make_network, BOTH " with=group", CARD_ONLY GPU_STAYS},
	{"network, allowed", make_network, BOTH " with=group allow=network", WHOLE},
	{"USB", make_usb, BOTH " with=group", CARD_ONLY GPU_STAYS},
	{"USB, allowed", make_usb, BOTH " with=group allow=console", WHOLE},
	{"network of the chipset", make_chipset, "bind 10ee:5000 with=group",
	 "00:1f.3 bind, 00:1f.4 refuse host-device" GPU_STAYS},
	{"network of the chipset, allowed", make_chipset,
	 "bind 10ee:5000 with=group allow=network",
	 "00:1f.3 bind, 00:1f.4 bind" GPU_STAYS},
	{"no host lives on it", make_fpga, BOTH " with=group", WHOLE},
	{"the GPU in another group", move_gpu, BOTH " with=group",
	 CARD_ONLY ", 02:00.1 bind"},
	{"the card in two groups", two_groups, "bind 10ee:5000 with=group",
	 "01:00.0 bind, 02:00.0 refuse host-device"},
	{"the card without one", no_group, "bind 10ee:5000 with=group", "01:00.0 bind"},

	/* Keep */
	{"kept", NULL, BOTH " with=group allow=console\nkeep 02:00.*",
	 CARD_ONLY ", 02:00.0 keep kept, 02:00.1 keep kept"},
	{"GPU kept", NULL, BOTH " with=group allow=console\nkeep 02:00.0",
	 CARD_ONLY ", 02:00.0 keep kept, 02:00.1 refuse host-device"},
	{"function kept", NULL, "bind 10ee:5000 with=functions\nkeep 10ee:5001",
	 "01:00.0 bind, 01:00.1 keep kept"},
	{"nothing comes along with what is kept", NULL,
	 "bind 10ee:5000 with=functions\nkeep 01:00.0", "01:00.0 keep kept"},
	{"one of two cards kept", add_twin, "bind 10ee:5000 with=group\nkeep 01:00.0",
	 "01:00.0 keep kept, 03:00.0 bind, 03:00.1 bind"},

	/* Guards of companions */
	{"bridge by header", make_header_bridge, "bind 10ee:5000 with=functions",
	 "01:00.0 bind"},
	{"with a bridge", lead_with_bridge, "bind 10ee:5000 with=functions",
	 "01:00.0 refuse bridge"},
	{"with a port", NULL, "bind 00:01.0 with=group allow=console",
	 "00:01.0 refuse bridge"},
	{"virtual functions", give_vfs, "bind 10ee:5000 with=functions",
	 "01:00.0 bind, 01:00.1 refuse has-vfs"},
	{"denylist", make_qat, "bind 10ee:5000 with=functions",
	 "01:00.0 bind, 01:00.1 refuse denylisted"},
	{"critical by path", NULL,
	 "bind 10ee:5000 with=functions\ncritical path=00:01.0/00.1+10ee:5001 storage /",
	 "01:00.0 bind, 01:00.1 refuse critical-storage"},
	{"critical, allowed", NULL,
	 "bind 10ee:5000 with=functions allow=storage\n"
	 "critical path=00:01.0/00.1+10ee:5001 storage /",
	 CARD_ONLY},
	{"critical in the group", NULL,
	 "bind 10ee:5000 with=group allow=console\ncritical path=00:01.1/00.0 network x",
	 CARD_ONLY ", 02:00.0 refuse critical-network, 02:00.1 bind"},

	/* Profiles that nobody asked for */
	{"profile", NULL, "bind 10ee:5000\n[profile x]\nbind 10ee:5000 with=functions",
	 "01:00.0 bind"},
};

static void test_plans(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(plans); i++) {
		struct machine *m = machine_new(false);

		if (plans[i].change)
			plans[i].change(m->w);
		make_plan(m, plans[i].rules);
		check_string(plans[i].name, planned(m), plans[i].want);
		assert_string_equal(m->w->trace, "");
		machine_free(m);
	}
}

/* Which rule has a companion, and what a rule counts. */
static void test_rules(void **state unused)
{
	struct machine *m = machine_new(false);
	const struct rule *rules;

	make_plan(m, "bind 1234:* with=group\n"
		     "bind 10ee:5001 with=group on-failure=hold\n"
		     "bind 10ee:5000 with=group allow=console on-failure=shell\n"
		     "bind 02:00.1 on-failure=restore\n");
	rules = m->run.policy.rules;
	assert_ptr_equal(find(m, CARD)->rule, &rules[2]);
	assert_ptr_equal(find(m, CARD_1)->rule, &rules[1]);
	assert_ptr_equal(find(m, GPU)->rule, &rules[1]);
	assert_ptr_equal(find(m, AUDIO)->rule, &rules[3]);
	assert_string_equal(find(m, GPU)->note, "comes along with " CARD_1);
	assert_null(find(m, CARD_1)->note);
	assert_null(find(m, AUDIO)->note);
	for (size_t i = 0; i < m->run.policy.rule_count; i++) {
		check_int("matches", m->run.plan.rule_matches[i], i > 0);
		check_int("missing", report_has_rule_missing(&m->run.report, i), i == 0);
	}
	machine_free(m);
}

static void test_sentences(void **state unused)
{
	struct machine *m = machine_new(false);
	char message[REASON_MESSAGE_SIZE];
	const struct plan_device *pd;

	make_plan(m, BOTH " with=group");
	pd = find(m, GPU);
	assert_string_equal(
		reason_message(pd->reason, pd->detail, message),
		"no rule names it, only the whole IOMMU group of " CARD ", and it is a "
		"display of the host: add allow=console to the rule, or name it in one");
	pd = find(m, AUDIO);
	assert_string_equal(
		reason_message(pd->reason, pd->detail, message),
		"no rule names it, only the whole IOMMU group of " CARD ", and " GPU
		" of the same card is a display of the host: add allow=console to the "
		"rule, or name both in one");
	/* That it would come along is said by the reason. */
	assert_null(pd->note);
	/* The group is of no use then. */
	assert_int_equal(m->run.plan.group_count, 1);
	assert_false(m->run.plan.groups[0].is_viable);
	assert_string_equal(m->run.plan.groups[0].detail, GPU " and " AUDIO);
	machine_free(m);

	m = machine_new(false);
	make_plan(m, BOTH " with=group allow=console\nkeep 02:00.0");
	pd = find(m, AUDIO);
	assert_string_equal(reason_message(pd->reason, pd->detail, message),
			    "no rule names it, only the whole IOMMU group of " CARD
			    ", and " GPU " of the same card, a display, is kept");
	machine_free(m);

	m = machine_new(false);
	make_disk(m->w);
	make_plan(m, BOTH " with=group");
	pd = find(m, GPU);
	assert_string_equal(reason_message(pd->reason, pd->detail, message),
			    "no rule names it, only the whole IOMMU group of " CARD
			    ", and it is a storage controller of "
			    "the host: add allow=storage to the rule, or name it in one");
	machine_free(m);

	m = machine_new(false);
	make_plan(m, BOTH " with=group allow=console");
	assert_true(m->run.plan.groups[0].is_viable);
	machine_free(m);
}

/* vfio-pci's own ids= are not about what comes along. */
static void test_safe_ids(void **state unused)
{
	static const struct {
		const char *rules;
		bool is_safe;
	} cases[] = {
		{"bind 10ee:5000 with=functions", true},
		/* A companion that is refused, and that the module would take. */
		{"bind 10ee:5000 with=functions\ncritical 10ee:5001 storage", false},
		/* It would not. */
		{"bind 10ee:5000 with=group", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine *m = machine_new(false);

		m->w->modprobe_ids = "10ee:5000,10ee:5001";
		make_plan(m, cases[i].rules);
		check_int(cases[i].rules, m->run.plan.is_ids_safe, cases[i].is_safe);
		machine_free(m);
	}
}

/*
 * Whether a companion is critical is known from its serial number. If that cannot be read, no
 * rule acts on it, nor on function 0, which may have been asked for it.
 */
static void test_unread_companion(void **state unused)
{
	struct run_options options = {.cmdline = TEXT("")};
	unsigned seen = 0;

	for (unsigned at = 1, last = 1; at <= last; at++) {
		struct machine *m = machine_new(false);
		struct fake_world *w = m->w;
		const struct pci_device *d;

		w->fault_at = at;
		w->fault = FAULT_HANG;
		assert_int_equal(run_read_policy(&w->world, &m->arena, &options, &m->run),
				 0);
		config_parse(&m->run.policy, SOURCE_CONFIG, TEXT("conf"),
			     TEXT("bind 10ee:5000 with=functions\n"
				  "critical serial=00-00-00-00-00-00-00-01+10ee:5001 "
				  "storage\n"));
		if (run_plan(&w->world, &m->arena, &m->run) == 0) {
			d = inventory_find(&m->run.inventory, (struct bdf){0, 1, 0, 1});
			assert_non_null(d);
			assert_true(d->is_companion);
			check_string("plan", planned(m), d->is_unread ? "" : CARD_ONLY);
			check_int("unread", m->run.inventory.unread_count > 0,
				  d->is_unread);
			seen += d->is_unread;
		}
		last = w->accesses;
		machine_free(m);
	}
	/* Its own, and that of function 0. */
	assert_int_equal(seen, 2);
}

static void test_memory(void **state unused)
{
	struct machine *m = machine_new(false);
	bool has_fit = false;

	make_plan(m, BOTH " with=group allow=console");
	for (size_t size = 1; size < 32768; size += 111) {
		struct arena arena = test_arena(size);
		struct plan plan;
		int r = plan_make(&m->run.policy, &m->run.inventory, &arena, &plan);

		assert_true(r == 0 || r == -ENOMEM);
		has_fit = has_fit || r == 0;
		test_arena_free(&arena);
	}
	assert_true(has_fit);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plans),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_safe_ids),
		cmocka_unit_test(test_unread_companion),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
