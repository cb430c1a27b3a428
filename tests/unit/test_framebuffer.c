/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Firmware framebuffers: found in what the kernel writes, and released once the device is bound. */
#include "test.h"

#include "fake_check.h"
#include "framebuffer.h"

#define GPU  "0000:02:00.0"
#define BIND "rd.earlybind.bind=02:00.0;allow=console"
#define DARK \
	GPU " drives the screen, which goes dark now; the machine goes on: see a serial " \
	    "console, the network, or /run/earlybind/report.json"

/* ---- the texts ---- */

#define NONE "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
#define BAR0 "0x00000000e0000000 0x00000000efffffff 0x000000000014220c\n"
#define IO   "0x000000000000e000 0x000000000000e07f 0x0000000000040101\n"

static const struct {
	const char *label, *resource, *iomem;
	const char *want; /* driver; NULL for none */
} texts[] = {
	{"efifb", BAR0, "e0000000-efffffff : 0000:02:00.0\n  e0000000-e02fffff : efifb\n",
	 "efi-framebuffer"},
	{"vesafb in the last BAR", NONE NONE NONE NONE NONE BAR0,
	 "e0000000-e02fffff : vesafb\n", "vesa-framebuffer"},
	{"drivers of DRM", BAR0, "e0000000-e02fffff : efidrm\n", "efi-framebuffer"},
	{"the platform device's own", IO BAR0,
	 "e0000000-e02fffff : BOOTFB\n  e0000000-e02fffff : simpledrm\n",
	 "simple-framebuffer"},
	{"in the middle", BAR0, "e8000000-e82fffff : efifb", "efi-framebuffer"},
	{"its last byte", BAR0, "efffffff-ffffffff : efifb\n", "efi-framebuffer"},
	{"behind it", BAR0, "f0000000-ffffffff : efifb\n", NULL},
	{"hidden addresses", "0x0000000000000000 0x00000000efffffff 0x000000000014220c\n",
	 "00000000-00000000 : efifb\n", NULL},
	{"before it", BAR0, "d0000000-dfffffff : efifb\n", NULL},
	{"above 4 GiB", "0x0000006000000000 0x0000006fffffffff 0x000000000014220c\n",
	 "6000000000-60002fffff : efifb\n", "efi-framebuffer"},
	{"the ROM is no BAR", NONE NONE NONE NONE NONE NONE BAR0,
	 "e0000000-e02fffff : efifb\n", NULL},
	{"ports are no memory", IO, "0000e000-0000e07f : efifb\n", NULL},
	{"not root", BAR0, "00000000-00000000 : efifb\n", NULL},
	{"a driver of the device", BAR0, "e0000000-e02fffff : nvidia\n", NULL},
	{"a name that begins so", BAR0, "e0000000-e02fffff : efifb2\n", NULL},
	{"no BAR", NONE, "00000000-ffffffff : efifb\n", NULL},
	{"BARs that are empty",
	 "0x00000000e0000000 0x00000000e0000000 0x000000000014220c\n",
	 "e0000000-e02fffff : efifb\n", NULL},
	{"nothing", "", "", NULL},
	{"garbage", "0x 0x 0x\n\n0xe0000000\nxyz", "e0000000- : efifb\n-\n:\nefifb",
	 NULL},
	{"garbage around it", "?\n" BAR0,
	 "\n: :\ne0000000\n e0000000-e02fffff: efifb\n"
	 "e0000000-e02fffff : efifb\n",
	 "efi-framebuffer"},
	{"too many digits", BAR0, "10000000000000000-1ffffffffffffffff : efifb\n", NULL},
	{"backwards", BAR0, "ffffffff-00000000 : efifb\n", NULL},
};

static void test_texts(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const struct framebuffer *found = framebuffer_find(
			text_of(texts[i].resource), text_of(texts[i].iomem));

		check_string(texts[i].label, found ? found->driver : "",
			     texts[i].want ? texts[i].want : "");
	}
	assert_null(framebuffer_find((struct text){0}, (struct text){0}));
}

static void test_hidden(void **state unused)
{
	assert_true(iomem_is_hidden((struct text){0}));
	assert_true(iomem_is_hidden(TEXT("00000000-00000000 : Reserved\n"
					 "  00000000-00000000 : efifb\n")));
	assert_false(iomem_is_hidden(TEXT("00000000-00000fff : Reserved\n")));
}

/* ---- whole runs ---- */

static struct fake_world *machine(enum fake_kernel kernel, unsigned class,
				  const char *cmdline)
{
	struct fake_world *w = fake_new();
	struct fake_device *gpu;

	fake_load_machine(w, "alveo", false);
	w->cmdline = cmdline;
	w->bus.kernel = kernel;
	gpu = fake_find_device(&w->bus, GPU);
	gpu->ids.class = class;
	/* Only VGA controllers have the attribute (drivers/pci/pci-sysfs.c). */
	gpu->is_boot_vga = class == 0x030000;
	w->bus.framebuffer = (struct fake_framebuffer){.driver = "vesa-framebuffer",
						       .region = "vesafb",
						       .on = gpu,
						       .is_bound = true,
						       .remove_time = 3000};
	return w;
}

/* What must have come of it, in words. */
struct expectation {
	enum verdict verdict;
	enum reason reason;
	const char *trace, *log; /* parts of it; NULL: not looked at */
	bool is_dark; /* it was said beforehand */
	bool is_released;
};

static void boot_and_check(const char *label, struct fake_world *w,
			   struct expectation want)
{
	struct fake_boot boot;
	const struct outcome *o;
	const char *message, *dark, *bound;

	fake_boot(w, NULL, &boot);
	message = fake_check(w, &boot);
	if (message)
		fail_msg("%s: %s\n%s%s", label, message, w->trace, w->log);
	o = fake_outcome(&boot, GPU);
	assert_non_null(o);
	check_string(label, verdict_name(o->verdict), verdict_name(want.verdict));
	check_string(label, reason_word(o->reason), reason_word(want.reason));
	if (want.trace)
		check_contains(label, w->trace, want.trace);
	if (want.log)
		check_contains(label, w->log, want.log);
	dark = strstr(w->log, "<3>" DARK "\n");
	bound = strstr(w->log, " bound to vfio-pci");
	check_int(label, dark != NULL, want.is_dark);
	/* Once, and first. */
	check_true(label, !dark || !bound || dark < bound);
	check_true(label, !dark || !strstr(dark + sizeof(DARK), "goes dark"));
	check_int(label, w->bus.framebuffer.is_bound, !want.is_released);
	fake_boot_free(&boot);
	fake_free(w);
}

#define RELEASED \
	((struct expectation){ \
		.verdict = VERDICT_BOUND, .is_dark = true, .is_released = true})

static void test_released(void **state unused)
{
	static const struct {
		const char *label;
		enum fake_kernel kernel;
		unsigned class;
		bool is_ours; /* vfio-pci does not do it */
	} cases[] = {
		{"5.10, VGA", FAKE_5_10, 0x030000, true},
		{"5.10, 3D controller", FAKE_5_10, 0x030200, true},
		{"6.1, VGA", FAKE_6_1, 0x030000, false},
		{"6.1, 3D controller", FAKE_6_1, 0x030200, true},
		{"6.1, display controller", FAKE_6_1, 0x038000, true},
		{"7.1, VGA", FAKE_7_1, 0x030000, false},
		{"7.1, XGA", FAKE_7_1, 0x030100, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_world *w = machine(cases[i].kernel, cases[i].class, BIND);
		struct expectation want = RELEASED;

		if (cases[i].is_ours) {
			want.trace = "platform/drivers/vesa-framebuffer/unbind "
				     "vesa-framebuffer.0\n";
			want.log = GPU ": the firmware's framebuffer (vesa-framebuffer) "
				       "is released\n";
		}
		boot_and_check(cases[i].label, w, want);
	}
}

/* Where vfio-pci has done it, nothing is written; and it is the last thing that is done. */
static void test_order(void **state unused)
{
	struct fake_world *w = machine(FAKE_6_1, 0x030000, BIND);
	struct fake_boot boot;

	fake_boot(w, NULL, &boot);
	assert_null(strstr(w->trace, "platform"));
	fake_boot_free(&boot);
	fake_free(w);

	w = machine(FAKE_6_1, 0x038000, BIND);
	fake_boot(w, NULL, &boot);
	assert_string_equal(w->trace, "devices/" GPU "/driver_override vfio-pci\n"
				      "load vfio_iommu_type1\n"
				      "load vfio_pci\n"
				      "platform/drivers/vesa-framebuffer/unbind "
				      "vesa-framebuffer.0\n");
	fake_boot_free(&boot);
	fake_free(w);
}

/* Not in /proc/iomem: it could not reserve the memory, or the map is hidden. */
static void test_child(void **state unused)
{
	struct fake_world *w = machine(FAKE_7_1, 0x038000, BIND);

	w->bus.framebuffer.region = NULL;
	w->bus.framebuffer.is_child = true;
	boot_and_check("child", w, RELEASED);

	/* That of another device, or one that no driver has any more. */
	w = machine(FAKE_7_1, 0x038000, BIND);
	w->bus.framebuffer.region = NULL;
	boot_and_check("not a child", w, (struct expectation){.verdict = VERDICT_BOUND});
	w = machine(FAKE_7_1, 0x038000, BIND);
	w->bus.framebuffer.region = NULL;
	w->bus.framebuffer.is_child = true;
	w->bus.framebuffer.is_bound = false;
	boot_and_check(
		"no driver", w,
		(struct expectation){.verdict = VERDICT_BOUND, .is_released = true});
	w = machine(FAKE_7_1, 0x038000, BIND);
	w->bus.framebuffer.on = fake_find_device(&w->bus, "0000:00:02.0");
	w->bus.framebuffer.is_child = true;
	boot_and_check("another's", w, (struct expectation){.verdict = VERDICT_BOUND});
}

/* A device that is not bound keeps its screen. */
static void test_not_bound(void **state unused)
{
	struct fake_world *w = machine(FAKE_6_1, 0x038000, BIND);

	fake_find_device(&w->bus, GPU)->vfio_error = -EINVAL;
	boot_and_check("refused by vfio-pci", w,
		       (struct expectation){VERDICT_RESTORED, REASON_BIND_REFUSED,
					    .is_dark = true});
	w = machine(FAKE_6_1, 0x038000, BIND);
	fake_find_module(w, "vfio_pci")->state = MODULE_IS_MISSING;
	boot_and_check(
		"no module", w,
		(struct expectation){VERDICT_RESTORED, REASON_NO_VFIO, .is_dark = true});
}

/* A display with the firmware's framebuffer is the console, whatever its class. */
static void test_refused(void **state unused)
{
	static const unsigned classes[] = {0x030000, 0x030200, 0x038000};

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		boot_and_check(
			"without allow=console",
			machine(FAKE_6_1, classes[i], "rd.earlybind.bind=02:00.0"),
			(struct expectation){
				VERDICT_REFUSED, REASON_CONSOLE,
				.log = "<3>" GPU " [10de:2489] not bound: it drives the "
				       "console: add allow=console to the rule if the local "
				       "screen may go dark\n"});
}

#define STAYS(driver, why) \
	"<3>" GPU \
	" [10de:2489] bound to vfio-pci, group 1, 0 ms, but no VM can use it: the " \
	"firmware's framebuffer (" driver why ") keeps its memory; add " \
	"initcall_blacklist=sysfb_init to the kernel command line\n"

static void test_stays(void **state unused)
{
	struct expectation want = {VERDICT_BOUND, REASON_FRAMEBUFFER, .is_dark = true};
	struct fake_world *w = machine(FAKE_6_1, 0x038000, BIND);

	w->bus.framebuffer.error = -EBUSY;
	want.log = STAYS("vesa-framebuffer", ": busy (EBUSY)");
	boot_and_check("its driver does not let go", w, want);

	w = machine(FAKE_6_1, 0x038000, BIND);
	w->bus.framebuffer.remove_time = FAKE_FOREVER;
	want.log = STAYS("vesa-framebuffer", ": timed out (ETIMEDOUT)");
	boot_and_check("its driver hangs", w, want);

	/* The memory is the platform device's own: the screen is left as it is. */
	w = machine(FAKE_6_1, 0x038000, BIND);
	w->bus.framebuffer.driver = "simple-framebuffer";
	w->bus.framebuffer.region = "BOOTFB";
	w->bus.framebuffer.keeps_region = true;
	want.log = STAYS("simple-framebuffer", "");
	boot_and_check("simple-framebuffer", w, want);
}

/* What was on vfio-pci before the run passed no guard: nobody has allowed to darken it. */
static void test_done(void **state unused)
{
	struct fake_world *w = machine(FAKE_6_1, 0x038000, "rd.earlybind.bind=02:00.0");
	struct fake_driver *vfio = fake_find_driver(&w->bus, "vfio-pci");

	vfio->state = DRIVER_REGISTERED;
	fake_find_module(w, "vfio_pci")->state = MODULE_IS_BUILTIN;
	fake_bind_now(fake_find_device(&w->bus, GPU), vfio);
	boot_and_check("done", w,
		       (struct expectation){VERDICT_BOUND, REASON_FRAMEBUFFER,
					    .log = "but no VM can use it"});
}

/* What was lent for a look at /proc/iomem goes back to the arena, as it was. */
static void test_memory(void **state unused)
{
	struct fake_world *w = machine(FAKE_6_1, 0x038000, BIND);
	struct arena arena = test_arena((size_t)1024 * 1024);
	struct inventory inv;
	size_t used, rest;
	char *left;

	assert_int_equal(inventory_read(&w->world, &arena, NULL, NULL, &inv), 0);
	used = arena.used;
	for (size_t i = 0; i < inv.count; i++)
		inv.devices[i].is_interesting = true;
	framebuffers_read(&w->world, &arena, &inv);
	assert_int_equal(arena.used, used);
	rest = arena.size - used - ARENA_RED_ZONE - 16;
	left = arena_alloc(&arena, rest, 1);
	assert_non_null(left);
	for (size_t i = 0; i < rest; i++)
		assert_int_equal(left[i], 0);
	arena_rewind(&arena, used);
	/* Without memory nothing is seen, and nothing else happens. */
	arena.size = used + 1000;
	for (size_t i = 0; i < inv.count; i++)
		inv.devices[i].framebuffer = NULL;
	framebuffers_read(&w->world, &arena, &inv);
	for (size_t i = 0; i < inv.count; i++)
		assert_null(inv.devices[i].framebuffer);
	free(arena.base);
	fake_free(w);
}

/* A run about other devices does not look. */
static void test_unasked(void **state unused)
{
	struct fake_world *w = machine(FAKE_6_1, 0x038000, "vfio-pci.ids=10ee:5000");
	struct fake_boot boot;
	unsigned accesses;

	fake_boot(w, NULL, &boot);
	accesses = w->accesses;
	fake_boot_free(&boot);
	fake_free(w);
	w = machine(FAKE_6_1, 0x020000, "vfio-pci.ids=10ee:5000");
	fake_boot(w, NULL, &boot);
	check_true("fewer for what is no display", accesses >= w->accesses);
	assert_true(accesses - w->accesses < 8);
	assert_null(strstr(w->log, "dark"));
	fake_boot_free(&boot);
	fake_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),	 cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_released), cmocka_unit_test(test_order),
		cmocka_unit_test(test_child),	 cmocka_unit_test(test_not_bound),
		cmocka_unit_test(test_refused),	 cmocka_unit_test(test_stays),
		cmocka_unit_test(test_done),	 cmocka_unit_test(test_memory),
		cmocka_unit_test(test_unasked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
