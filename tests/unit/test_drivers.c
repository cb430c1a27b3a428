/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices that shall go to other drivers than vfio-pci, and driver=auto. */
#include "boot.h"

#include "driver.h"
#include "modalias.h"
#include "variant.h"

/* ---- names ---- */

static void test_names(void **state unused)
{
	static const struct {
		const char *text;
		bool is_name;
	} names[] = {
		{"vfio-pci", true},
		{"xen-pciback", true},
		{"A_9", true},
		{"", false},
		{"a b", false},
		{"../a", false},
		{"a.b", false},
		{"\xc3\xa4", false},
		{"123456789012345678901234567890123456789012345678901234567890123", true},
		{"1234567890123456789012345678901234567890123456789012345678901234",
		 false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct text t = test_text(names[i].text);

		check_int(names[i].text, driver_is_name(t), names[i].is_name);
		test_text_free(t);
	}
	assert_true(driver_is_same("nvgrace-gpu-vfio-pci", "nvgrace_gpu_vfio_pci"));
	assert_false(driver_is_same("vfio-pci", "vfio-pci-core"));
	assert_string_equal(driver_kernel_name("xen-pciback"), "pciback");
	assert_string_equal(driver_kernel_name("xen_pciback"), "pciback");
	assert_string_equal(driver_kernel_name("pciback"), "pciback");
	assert_string_equal(driver_module("pciback"), "xen_pciback");
	assert_string_equal(driver_module("pci-stub"), "pci-stub");
	assert_string_equal(driver_module("vfio-pci"), "vfio_pci");
	assert_true(driver_is_vfio("vfio-pci") && driver_is_vfio("mlx5_vfio_pci"));
	assert_false(driver_is_vfio("uio_pci_generic") || driver_is_vfio("pci-stub"));
}

/* ---- the best variant ---- */

#define ANY "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\n"

static bool is_there(void *arg, const char *module)
{
	return !arg || strcmp(arg, module) != 0;
}

static void test_variant(void **state unused)
{
	static const struct {
		const char *name, *aliases;
		const char *want; /* NULL: none */
		const char *missing; /* from the image */
	} cases[] = {
		{"nothing", "", NULL, NULL},
		{"vfio-pci itself", ANY, NULL, NULL},
		{"by ID", ANY "alias vfio_pci:v000010EEd00005000sv*sd*bc*sc*i* a_vfio\n",
		 "a_vfio", NULL},
		{"fewest '*'",
		 "alias vfio_pci:v000010EEd*sv*sd*bc*sc*i* a\n"
		 "alias vfio_pci:v000010EEd00005000sv*sd*bc12sc*i* b\n"
		 "alias vfio_pci:v000010EEd00005000sv*sd*bc*sc*i* c\n",
		 "b", NULL},
		{"the first of equals",
		 "alias vfio_pci:v000010EEd00005000sv*sd*bc*sc*i* a\n"
		 "alias vfio_pci:v000010EEd00005000sv*sd*bc*sc*i* b\n",
		 "a", NULL},
		{"all fields",
		 "alias vfio_pci:v000010EEd00005000sv000010EEsd0000000Ebc12sc00i00 a\n",
		 "a", NULL},
		{"not in the image",
		 "alias vfio_pci:v000010EEd00005000sv*sd*bc12sc*i* b\n"
		 "alias vfio_pci:v000010EEd00005000sv*sd*bc*sc*i* c\n",
		 "c", "b"},
		{"the only one is not in the image",
		 ANY "alias vfio_pci:v000010EEd00005000sv*sd*bc12sc*i* b\n", NULL, "b"},
		{"another device", "alias vfio_pci:v000010EEd00005001sv*sd*bc*sc*i* a\n",
		 NULL, NULL},
		{"another class", "alias vfio_pci:v*d*sv*sd*bc03sc*i* a\n", NULL, NULL},
		{"another prefix", "alias pci:v000010EEd00005000sv*sd*bc*sc*i* a\n", NULL,
		 NULL},
		{"no alias", "softdep vfio_pci:v000010EEd00005000sv*sd*bc*sc*i* a\n",
		 NULL, NULL},
		{"cut", "alias vfio_pci:v000010EEd00005000sv*sd*bc*sc* a\n", NULL, NULL},
		{"more", "alias vfio_pci:v000010EEd00005000sv*sd*bc*sc*i*x* a\n", NULL,
		 NULL},
		{"too few digits", "alias vfio_pci:v10EEd5000sv*sd*bc*sc*i* a\n", NULL,
		 NULL},
		{"no module", "alias vfio_pci:v000010EEd00005000sv*sd*bc*sc*i*\n", NULL,
		 NULL},
		{"a module that is none",
		 "alias vfio_pci:v000010EEd00005000sv*sd*bc*sc*i* ../a\n", NULL, NULL},
		{"no line end", "alias vfio_pci:v000010EEd00005000sv*sd*bc*sc*i* a", "a",
		 NULL},
	};
	const struct pci_ids ids = {0x10ee, 0x5000, 0x10ee, 14, 0x120000};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text t = test_text(cases[i].aliases);
		char name[DRIVER_NAME_SIZE] = "";
		int r = variant_find(t, &ids, is_there, (void *)cases[i].missing, name);

		check_int(cases[i].name, r, cases[i].want ? 0 : -ENOENT);
		check_string(cases[i].name, name, cases[i].want ? cases[i].want : "");
		test_text_free(t);
	}
	assert_null(
		variant_of_line(TEXT("alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci")).p);
	assert_true(text_is(variant_of_line(TEXT("alias vfio_pci:v*d*sv*sd*bc*sc*i* a")),
			    "a"));
}

/* ---- boots ---- */

#define VARIANT "nvgrace-gpu-vfio-pci"
#define MODULE	"nvgrace_gpu_vfio_pci"
#define AUTO	"rd.earlybind.bind=10ee:*;driver=auto"
#define STUB	"rd.earlybind.bind=01:00.0;driver=pci-stub"
#define ALIASES ANY "alias vfio_pci:v000010EEd00005000sv*sd*bc*sc*i* " MODULE "\n"

static struct fake_world *with_variant(const char *cmdline, const char *driver)
{
	struct fake_world *w = alveo(cmdline);

	fake_put_file(w, WORLD_PROC, "sys/kernel/osrelease", TEXT("6.1.0\n"));
	fake_add_module(w, MODULE, driver, true);
	w->aliases = ALIASES;
	return w;
}

/* The module has another name than its driver: known when it is loaded, claimed before. */
static void test_auto(void **state unused)
{
	struct fake_world *w = with_variant(AUTO, VARIANT);

	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_BOUND, REASON_NONE, 0, VARIANT});
	assert_string_equal(fake_driver_of(device(w, CARD_1)), "vfio-pci");
	assert_string_equal(
		w->trace,
		"variant for pci:v000010EEd00005000sv00000000sd00000000bc12sc00i00\n"
		"variant for pci:v000010EEd00005001sv00000000sd00000000bc12sc00i00\n"
		"devices/0000:01:00.0/driver_override " MODULE "\n"
		"devices/0000:01:00.1/driver_override vfio-pci\n"
		"load vfio_iommu_type1\n"
		"load vfio_pci\n"
		"load " MODULE "\n"
		"devices/0000:01:00.0/driver_override " VARIANT "\n"
		"drivers/" VARIANT "/bind 0000:01:00.0\n");
	check_contains("log", w->log, "bound to " VARIANT ", group 1");
	check_contains("report", w->report, "\"wanted\": \"" VARIANT "\"");
	fake_free(w);
}

/* The same name: its registration binds what is claimed for it. */
static void test_auto_same_name(void **state unused)
{
	struct fake_world *w = with_variant(AUTO, MODULE);

	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_BOUND, REASON_NONE, 0, MODULE});
	check_true("trace", !strstr(w->trace, "/bind"));
	fake_free(w);
}

/* It is on plain vfio-pci, or on another driver: it is recovered. One that has it is done. */
static void test_auto_recovered(void **state unused)
{
	static const char *const drivers[] = {"vfio-pci", "xclmgmt"};

	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		struct fake_world *w = with_variant(AUTO, VARIANT);

		fake_give(w, CARD, drivers[i]);
		boot_and_check(
			w, NULL,
			(struct expectation){VERDICT_BOUND, REASON_NONE, 0, VARIANT});
		check_contains("trace", w->trace, "/unbind 0000:01:00.0");
		fake_free(w);
	}
}

static void test_auto_done(void **state unused)
{
	struct fake_world *w =
		with_variant("rd.earlybind.bind=01:00.0;driver=auto", VARIANT);

	fake_give(w, CARD, VARIANT);
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_BOUND, REASON_NONE, 0, VARIANT});
	check_true("trace", !strstr(w->trace, "driver_override"));
	check_contains("report", w->report, "\"action\": \"done\"");
	check_contains("report", w->report, "\"wanted\": \"" VARIANT "\"");
	fake_free(w);
}

/* It cannot be loaded: plain vfio-pci, with a note and the module's error. */
static void test_auto_falls_back(void **state unused)
{
	static const struct {
		int error;
		const char *says;
	} cases[] = {
		{-ENOEXEC, "plain vfio-pci, since its variant " MODULE
			   " could not be loaded: " MODULE " does not fit the kernel"},
		{-ENOENT, "plain vfio-pci, since its variant " MODULE
			  " is not in this image: rebuild the image"},
	};
	static const char *const before[] = {NULL, "vfio-pci", "xclmgmt"};

	for (size_t i = 0; i < ARRAY_SIZE(cases) * ARRAY_SIZE(before); i++) {
		struct fake_world *w = with_variant(AUTO, VARIANT);
		const char *driver = before[i / ARRAY_SIZE(cases)];

		fake_find_module(w, MODULE)->error = cases[i % ARRAY_SIZE(cases)].error;
		if (driver)
			fake_give(w, CARD, driver);
		boot_and_check(w, NULL, BOUND);
		check_contains("log", w->log, cases[i % ARRAY_SIZE(cases)].says);
		check_contains("report", w->report, cases[i % ARRAY_SIZE(cases)].says);
		check_contains("report", w->report, "\"outcome\": \"failed\"");
		fake_free(w);
	}
}

static void test_auto_without_index(void **state unused)
{
	struct fake_world *w = with_variant(AUTO, VARIANT);

	w->aliases_error = -ENOMEM;
	boot_and_check(w, NULL, BOUND);
	check_contains(
		"log", w->log,
		"which variants of vfio-pci there are cannot be read, so that it is "
		"plain vfio-pci");
	fake_free(w);
}

/* Nothing of vfio is asked for, nor is a group of use. */
static void test_stub(void **state unused)
{
	struct fake_world *w = alveo(STUB);

	fake_add_module(w, "pci-stub", "pci-stub", false);
	w->is_without_iommu = true;
	device(w, CARD)->group = FAKE_NO_GROUP;
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_BOUND, REASON_NONE, 0, "pci-stub"});
	assert_string_equal(w->trace, "devices/0000:01:00.0/driver_override pci-stub\n"
				      "load pci-stub\n");
	check_contains("report", w->report, "\"groups\": []");
	fake_free(w);
}

/* A part of the kernel; its own driver has the device. */
static void test_stub_built_in(void **state unused)
{
	struct fake_world *w = alveo(STUB);

	fake_add_module(w, "pci-stub", "pci-stub", false)->state = MODULE_IS_MISSING;
	fake_find_driver(&w->bus, "pci-stub")->state = DRIVER_REGISTERED;
	fake_give(w, CARD, "xclmgmt");
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_BOUND, REASON_NONE, 0, "pci-stub"});
	check_contains("report", w->report, "\"outcome\": \"builtin\"");
	fake_free(w);
}

/* Both names mean it, and the module has a third one. */
static void test_pciback(void **state unused)
{
	static const char *const lines[] = {
		"rd.earlybind.bind=01:00.0;driver=xen-pciback",
		"rd.earlybind.bind=01:00.0;driver=pciback"};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct fake_world *w = alveo(lines[i]);

		fake_add_module(w, "xen_pciback", "pciback", false);
		boot_and_check(
			w, NULL,
			(struct expectation){VERDICT_BOUND, REASON_NONE, 0, "pciback"});
		assert_string_equal(w->trace,
				    "devices/0000:01:00.0/driver_override pciback\n"
				    "load xen_pciback\n");
		fake_free(w);
	}
}

/* Only the devices that want it fail. */
static void test_no_driver(void **state unused)
{
	static const struct {
		int error;
		enum reason reason;
		const char *says;
	} cases[] = {
		{0, REASON_NO_DRIVER, "there is no driver uio_pci_generic: "},
		{-EPERM, REASON_MODULE_FAILED,
		 "the module uio_pci_generic could not be loaded: the kernel may not load"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_world *w =
			alveo("rd.earlybind.bind=01:00.0;driver=uio_pci_generic "
			      "rd.earlybind.bind=01:00.1");
		struct fake_module *m =
			fake_add_module(w, "uio_pci_generic", "uio_pci_generic", false);

		m->error = cases[i].error;
		m->state = m->error ? MODULE_IS_FILE : MODULE_IS_MISSING;
		boot_and_check(w, NULL,
			       (struct expectation){VERDICT_RESTORED, cases[i].reason,
						    m->error ? -m->error : ENOENT, ""});
		assert_string_equal(fake_driver_of(device(w, CARD_1)), "vfio-pci");
		check_contains("log", w->log, cases[i].says);
		check_true("log", !strstr(w->log, "nothing was done"));
		fake_free(w);
	}
}

/* vfio-pci is not there, and that concerns vfio's devices only. */
static void test_no_vfio(void **state unused)
{
	struct fake_world *w = alveo(STUB " rd.earlybind.bind=01:00.1");

	fake_add_module(w, "pci-stub", "pci-stub", false);
	fake_find_module(w, "vfio_pci")->state = MODULE_IS_MISSING;
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_BOUND, REASON_NONE, 0, "pci-stub"});
	check_contains("log", w->log, "the module vfio_pci is not in this image");
	check_true("log", !strstr(w->log, "nothing was done"));
	fake_free(w);
}

/* The module's name says nothing about its driver's. */
static void test_other_name(void **state unused)
{
	struct fake_world *w = alveo("rd.earlybind.bind=01:00.0;driver=some_module");

	fake_add_module(w, "some_module", "its-driver", false);
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_BOUND, REASON_NONE, 0, "its-driver"});
	fake_free(w);
}

/* A rule that names a driver wins over one that does not. */
static void test_which_rule(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE " " STUB);

	fake_add_module(w, "pci-stub", "pci-stub", false);
	boot_and_check(w, NULL,
		       (struct expectation){VERDICT_BOUND, REASON_NONE, 0, "pci-stub"});
	assert_string_equal(fake_driver_of(device(w, CARD_1)), "vfio-pci");
	fake_free(w);
}

/* The kernel refuses: vfio's reasons are not the ones. */
static void test_refused(void **state unused)
{
	struct fake_world *w = alveo(STUB);

	fake_add_module(w, "pci-stub", "pci-stub", false)->driver->probe_error = -EINVAL;
	boot_and_check(
		w, NULL,
		(struct expectation){VERDICT_RESTORED, REASON_BIND_REFUSED, EINVAL, ""});
	check_contains(
		"log", w->log,
		"pci-stub refused it: invalid argument (EINVAL); see the kernel log");
	fake_free(w);
}

/* A function on pci-stub leaves its group viable; one on uio does not. */
static void test_groups(void **state unused)
{
	static const struct {
		const char *driver;
		bool is_viable;
	} cases[] = {{"pci-stub", true}, {"uio_pci_generic", false}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char line[256];
		struct fake_world *w;

		snprintf(line, sizeof(line),
			 "rd.earlybind.bind=01:00.0;driver=%s rd.earlybind.bind=01:00.1",
			 cases[i].driver);
		w = alveo(line);
		for (size_t k = 0; k < w->bus.device_count; k++)
			w->bus.devices[k].group = 20 + (int)k;
		device(w, CARD)->group = device(w, CARD_1)->group = 7;
		fake_add_module(w, cases[i].driver, cases[i].driver, false);
		boot_and_check(w, NULL,
			       (struct expectation){VERDICT_BOUND, REASON_NONE, 0,
						    cases[i].driver});
		check_contains(cases[i].driver, w->report,
			       cases[i].is_viable ? "\"viable\": true"
						  : "\"viable\": false");
		fake_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_variant),
		cmocka_unit_test(test_auto),
		cmocka_unit_test(test_auto_same_name),
		cmocka_unit_test(test_auto_recovered),
		cmocka_unit_test(test_auto_done),
		cmocka_unit_test(test_auto_falls_back),
		cmocka_unit_test(test_auto_without_index),
		cmocka_unit_test(test_stub),
		cmocka_unit_test(test_stub_built_in),
		cmocka_unit_test(test_pciback),
		cmocka_unit_test(test_no_driver),
		cmocka_unit_test(test_no_vfio),
		cmocka_unit_test(test_other_name),
		cmocka_unit_test(test_which_rule),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
