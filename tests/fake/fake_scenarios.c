/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_scenarios.h"

#include <errno.h>

#include "fake_set_ups.h"

#define CARD   "0000:01:00.0"
#define CARD_1 "0000:01:00.1"
#define GPU    "0000:02:00.0"
#define AUDIO  "0000:02:00.1"
#define FAR    "10000:01:00.0" /* behind a VMD: its domain is wider than 16 bits */
#define BOTH   "vfio-pci.ids=10ee:5000,10ee:5001"

static struct fake_device *device(struct fake_world *w, const char *address)
{
	struct fake_device *d = fake_find_device(&w->bus, address);

	if (!d)
		fake_abort("no %s", address);
	return d;
}

/* A card in a group of its own, free. */
static struct fake_device *add_card(struct fake_world *w, const char *address,
				    uint16_t number, int group)
{
	return fake_add_device(&w->bus, address,
			       (struct pci_ids){0x10ee, number, 0x10ee, 14, 0x120000},
			       group);
}

/* ---- drivers that have the card, and their ways ---- */

static void own_groups(struct fake_world *w)
{
	device(w, CARD)->group = 12;
	device(w, CARD_1)->group = 13;
}

/* Its probe began half a second ago. */
static void slow_probe(struct fake_world *w)
{
	struct fake_driver *driver = fake_find_driver(&w->bus, "xclmgmt");

	driver->probe_time = 4 * FAKE_SECOND;
	(void)fake_start(&w->bus, OP_REGISTER, NULL, driver);
	fake_run(&w->bus, w->bus.now + FAKE_SECOND / 2, NULL);
}

/* Longer than the time of the run, shorter than a recovery. */
static void very_slow_probe(struct fake_world *w)
{
	struct fake_driver *driver = fake_find_driver(&w->bus, "xclmgmt");

	driver->probe_time = 20 * (uint64_t)FAKE_SECOND;
	(void)fake_start(&w->bus, OP_REGISTER, NULL, driver);
	fake_run(&w->bus, w->bus.now + FAKE_SECOND / 2, NULL);
}

static void hung_probe(struct fake_world *w)
{
	struct fake_driver *driver = fake_find_driver(&w->bus, "xclmgmt");

	driver->probe_time = FAKE_FOREVER;
	(void)fake_start(&w->bus, OP_REGISTER, NULL, driver);
	fake_run(&w->bus, w->bus.now + FAKE_SECOND / 2, NULL);
}

/* One driver for two cards: it has the first, is in its probe of the second. */
static void still_registering(struct fake_world *w)
{
	struct fake_driver *driver = fake_find_driver(&w->bus, "xclmgmt");

	add_card(w, "0000:03:00.0", 0x5000, 14);
	driver->probe_time = 3 * FAKE_SECOND;
	(void)fake_start(&w->bus, OP_REGISTER, NULL, driver);
	fake_run(&w->bus, w->bus.now + 3 * FAKE_SECOND + FAKE_SECOND / 2, NULL);
}

static void slow_remove(struct fake_world *w)
{
	fake_give(w, CARD, "xclmgmt")->remove_time = 20 * (uint64_t)FAKE_SECOND;
	fake_give(w, CARD_1, "xocl")->remove_time = 7 * (uint64_t)FAKE_SECOND;
}

static void hung_remove(struct fake_world *w)
{
	fake_give(w, CARD, "xclmgmt")->remove_time = FAKE_FOREVER;
	fake_give(w, CARD_1, "xocl");
}

static void no_unbind(struct fake_world *w)
{
	fake_give(w, CARD, "xclmgmt")->has_no_bind_files = true;
	fake_give(w, CARD_1, "xocl");
}

static void register_native(struct fake_bus *bus, void *arg)
{
	struct fake_driver *driver = arg;

	if (driver->state == DRIVER_ABSENT)
		(void)fake_start(bus, OP_REGISTER, NULL, driver);
}

/* udev is there already, and loads it in the middle of the run. */
static void native_meanwhile(struct fake_world *w)
{
	fake_at(&w->bus, w->bus.now + 300, register_native,
		fake_find_driver(&w->bus, "xclmgmt"));
	fake_at(&w->bus, w->bus.now + 2500, register_native,
		fake_find_driver(&w->bus, "xocl"));
}

static void slow_match(struct fake_world *w)
{
	native_meanwhile(w);
	fake_find_driver(&w->bus, "xclmgmt")->link_time = 700;
	fake_find_driver(&w->bus, "xocl")->link_time = 2500;
}

static void async_native(struct fake_world *w)
{
	struct fake_driver *driver = fake_find_driver(&w->bus, "nvidia");

	driver->is_async = true;
	driver->probe_time = 2 * FAKE_SECOND;
	(void)fake_start(&w->bus, OP_REGISTER, NULL, driver);
}

static void hung_async_native(struct fake_world *w)
{
	async_native(w);
	fake_find_driver(&w->bus, "nvidia")->probe_time = FAKE_FOREVER;
}

/* Somebody makes the driver let go of the card: what is stored for it has to wait. */
static void in_hand(struct fake_world *w)
{
	struct fake_driver *driver = fake_give(w, CARD, "xclmgmt");

	driver->remove_time = 8 * (uint64_t)FAKE_SECOND;
	(void)fake_start(&w->bus, OP_UNBIND, device(w, CARD), driver);
	fake_run(&w->bus, w->bus.now + 1000, NULL);
}

/* Its claim is not written before its time. */
static void variant_in_hand(struct fake_world *w)
{
	set_up_variant(w);
	in_hand(w);
}

static void in_hand_refused(struct fake_world *w)
{
	in_hand(w);
	device(w, CARD)->vfio_error = -ENOMEM;
	device(w, CARD_1)->is_dead = true;
}

/* ---- rules of every kind ---- */

static const uint32_t numbered[FAKE_CONFIG_WORDS] = {0x00010003, 1};

static void serial(struct fake_world *w)
{
	device(w, CARD)->config = numbered;
}

/* In slot 4, and in another place than it was. */
static void slots(struct fake_world *w)
{
	fake_add_slot(&w->bus, "4", "0000:01:00");
	fake_add_slot(&w->bus, "5", "0000:02:00");
}

static void serial_asleep(struct fake_world *w)
{
	device(w, CARD)->config = numbered;
	device(w, CARD)->power_state = "D0";
	device(w, CARD_1)->power_state = "D3cold";
}

static void modprobe_ids(struct fake_world *w)
{
	w->modprobe_ids = "10ee:5000,10ee:5001";
}

static void modprobe_and_gpu(struct fake_world *w)
{
	w->modprobe_ids = "10de:2489";
	fake_give(w, GPU, "nvidia");
}

static void cards(struct fake_world *w)
{
	fake_give(w, CARD, "xclmgmt");
	add_card(w, "0000:03:00.0", 0x5000, 14);
	fake_give(w, "0000:03:00.0", "xclmgmt");
	add_card(w, "0000:04:00.0", 0x5000, 15);
	add_card(w, FAR, 0x5000, 16);
}

/* A screen of the firmware's that vfio-pci does not take away. */
static void framebuffer(struct fake_world *w)
{
	struct fake_device *gpu = device(w, GPU);

	gpu->ids.class = 0x038000;
	w->bus.framebuffer = (struct fake_framebuffer){.driver = "efi-framebuffer",
						       .region = "efifb",
						       .on = gpu,
						       .is_child = true,
						       .is_bound = true,
						       .remove_time = 3000};
}

/* A card with two virtual functions, one of which is wanted. */
static void functions(struct fake_world *w)
{
	struct fake_device *d = add_card(w, "0000:03:00.0", 0x7000, 20);

	d->vf_count = 2;
	fake_give(w, "0000:03:00.0", "xclmgmt");
	add_card(w, "0000:03:00.4", 0x7001, 21)->physfn = "0000:03:00.0";
	add_card(w, "0000:03:00.5", 0x7001, 22)->physfn = "0000:03:00.0";
}

static void dracut_files(struct fake_world *w)
{
	fake_put_file(w, WORLD_ETC, "cmdline.d/20-vfio.conf",
		      TEXT("rd.earlybind.bind=10ee:5001"));
}

/* ---- a card that appears later ---- */

static void native_loaded(struct fake_world *w)
{
	fake_find_driver(&w->bus, "xclmgmt")->state = DRIVER_REGISTERED;
}

#define AUTO "rd.earlybind.bind=10ee:*;driver=auto"
#define STUB "rd.earlybind.bind=01:00.0;driver=pci-stub rd.earlybind.bind=01:00.1"
#define PAIR .wanted = {CARD, CARD_1}
#define V5   .kernel = FAKE_5_10
#define V7   .kernel = FAKE_7_1
#define HELD " rd.earlybind.on_failure=hold"

const struct fake_scenario fake_scenarios[] = {
	{"free", BOTH, .set_up = NULL, PAIR},
	{"free, 5.10", BOTH, V5, PAIR},
	{"free, 7.1", BOTH, V7, PAIR},
	{"pid 1", BOTH, .is_pid1 = true, PAIR},
	{"one rule", "rd.earlybind.bind=10ee:*", .set_up = own_groups, PAIR},
	{"grabbed", BOTH, .set_up = set_up_grabbed, PAIR},
	{"grabbed, 5.10", BOTH, .set_up = set_up_grabbed, V5, PAIR},
	{"grabbed, hold", BOTH HELD, .set_up = set_up_refusal, PAIR},
	{"slow probe", BOTH, .set_up = slow_probe, PAIR},
	{"slow probe, 5.10", BOTH, .set_up = slow_probe, V5, PAIR},
	{"slow probe, 7.1", BOTH, .set_up = slow_probe, V7, PAIR},
	{"very slow probe", BOTH, .set_up = very_slow_probe, PAIR},
	{"very slow probe, 7.1", BOTH, .set_up = very_slow_probe, V7, PAIR},
	{"hung probe", BOTH, .set_up = hung_probe, PAIR},
	{"hung probe, 7.1", BOTH, .set_up = hung_probe, V7, PAIR},
	{"still registering", BOTH, .set_up = still_registering,
	 .wanted = {CARD, CARD_1, "0000:03:00.0"}},
	{"still registering, 7.1", BOTH, .set_up = still_registering, V7,
	 .wanted = {CARD, CARD_1, "0000:03:00.0"}},
	{"slow remove", BOTH, .set_up = slow_remove, PAIR},
	{"hung remove", BOTH, .set_up = hung_remove, PAIR},
	{"in hand", BOTH, .set_up = in_hand, PAIR},
	{"in hand, refused", BOTH, .set_up = in_hand_refused, PAIR},
	{"in hand, 7.1", BOTH, .set_up = in_hand, V7, PAIR},
	{"lost claim", BOTH, .set_up = set_up_lost_claim, PAIR},
	{"no unbind", BOTH, .set_up = no_unbind, PAIR},
	{"native meanwhile", BOTH, .set_up = native_meanwhile, PAIR},
	{"slow match, 7.1", BOTH, .set_up = slow_match, V7, PAIR},
	{"async probe", BOTH, .set_up = async_native, PAIR},
	{"hung async probe", BOTH " rd.earlybind.timeout=3", .set_up = hung_async_native,
	 PAIR},
	{"vfio-pci built in", BOTH, .set_up = set_up_built_in, PAIR},
	{"no index of modules", BOTH, .set_up = set_up_no_index, PAIR},
	{"missing module", BOTH, .set_up = set_up_missing_module, PAIR},
	{"hung module", BOTH, .set_up = set_up_hung_module, PAIR},
	{"refusal", BOTH, .set_up = set_up_refusal, PAIR},
	{"refusal, 5.10", BOTH, .set_up = set_up_refusal, V5, PAIR},
	{"refusal, slow native", BOTH, .set_up = set_up_slow_native_back, PAIR},
	{"refusal, failing native", BOTH, .set_up = set_up_failing_native_back, PAIR},
	{"refusal, hung native", BOTH, .set_up = set_up_hung_native_back, PAIR},
	{"hold, free", BOTH HELD, .set_up = set_up_refusal_free, PAIR},
	{"hold by rule",
	 "rd.earlybind.bind=10ee:*;on-failure=hold rd.earlybind.bind=02:00.1 "
	 "rd.earlybind.timeout=3",
	 .set_up = set_up_refusal, .wanted = {CARD, CARD_1, AUDIO}},
	{"shell", "rd.earlybind.bind=10ee:*;on-failure=shell rd.earlybind.timeout=3",
	 .set_up = set_up_refusal, PAIR},
	{"deferred", BOTH " rd.earlybind.timeout=2", .set_up = set_up_deferred_for_ever,
	 PAIR},
	{"supplier", BOTH " rd.earlybind.timeout=2", .set_up = set_up_supplier, PAIR},
	{"late group", BOTH, .set_up = set_up_late_group, PAIR},
	{"no IOMMU", BOTH, .set_up = set_up_no_iommu, PAIR},
	{"serial", "rd.earlybind.bind=serial=00-00-00-00-00-00-00-01+10ee:*",
	 .set_up = serial, .wanted = {CARD}},
	{"serial, asleep", "rd.earlybind.bind=serial=00-00-00-00-00-00-00-01+10ee:*",
	 .set_up = serial_asleep, .wanted = {CARD}},
	{"path", "rd.earlybind.bind=path=00:01.0,path=00:01.1/00.0+10ee:*", PAIR},
	{"slot", "rd.earlybind.bind=slot=4+10ee:*", .set_up = slots, PAIR},
	{"followed", "rd.earlybind.bind=09:00.0+serial=00-00-00-00-00-00-00-01;follow",
	 .set_up = serial, .wanted = {CARD}},
	{"followed by slot", "rd.earlybind.bind=slot=5+10ee:5001;follow", .set_up = slots,
	 .wanted = {CARD_1}},
	{"class", "rd.earlybind.bind=class=12 rd.earlybind.bind=0000:02:00.1",
	 .table = "", .wanted = {CARD, CARD_1, AUDIO}},
	{"modprobe.d", "quiet", .set_up = modprobe_ids, PAIR},
	{"dracut's files", "vfio-pci.ids=10ee:5000", .set_up = dracut_files, PAIR},
	{"profile", "rd.earlybind.profile=p",
	 "bind 01:00.0\n[profile p]\nbind 10ee:5001\n", PAIR},
	{"optional", "quiet", "bind 1234:* optional\nbind 10ee:* optional\n", PAIR},
	{"missing", "quiet", "bind 1234:*\nbind 10ee:*\n", .wanted = {CARD, "none"}},
	{"functions", "rd.earlybind.bind=01:00.*+10ee:*", PAIR},
	{"with=functions", "rd.earlybind.bind=10ee:5001;with=functions",
	 .set_up = set_up_grabbed, PAIR},
	{"with=group", "quiet", "bind 10ee:5000 with=group allow=console\n",
	 .set_up = set_up_grabbed, .wanted = {CARD, CARD_1, GPU, AUDIO}},
	{"with=group, host", "quiet",
	 "bind 10ee:5000 with=group\n"
	 "critical serial=00-00-00-00-00-00-00-01+10ee:5001 storage\n",
	 .wanted = {CARD, CARD_1, "none"}},
	{"keep", BOTH, "keep 01:00.1\nbind 02:00.0 allow=console\n",
	 .set_up = modprobe_and_gpu, .wanted = {CARD, GPU}},
	{"keep, taken", BOTH, "keep 01:00.1\n", .set_up = set_up_taken_by_ids,
	 .wanted = {CARD}},
	{"keep, taken before", BOTH, "keep 01:00.1\n", .set_up = set_up_taken_before,
	 .wanted = {CARD}},
	{"keep, taken before, 7.1", BOTH, "keep 01:00.1\n", .set_up = set_up_taken_before,
	 V7, .wanted = {CARD}},
	{"keep, taken for long", BOTH, "keep 01:00.1\n", .set_up = set_up_taken_for_long,
	 .wanted = {CARD}},
	{"keep, taken by hand", BOTH, "keep 01:00.1\n", .set_up = set_up_taken_by_hand,
	 .wanted = {CARD}},
	{"critical", "rd.earlybind.bind=10ee:*",
	 "critical path=00:01.0/00.0+10ee:5000 storage /\n", .wanted = {CARD_1, "none"}},
	{"critical, allowed", "quiet",
	 "critical 01:00.0 network eth0\nbind 10ee:* allow=network\n", PAIR},
	{"framebuffer", "vfio-pci.ids=10ee:5000 rd.earlybind.bind=02:00.0;allow=console",
	 .set_up = framebuffer, .wanted = {CARD, GPU}},
	{"cards", "vfio-pci.ids=10ee:5000", .set_up = cards,
	 .wanted = {CARD, "0000:03:00.0", "0000:04:00.0", FAR}},
	{"virtual functions", "rd.earlybind.bind=10ee:7001 rd.earlybind.bind=10ee:7000",
	 .set_up = functions, .wanted = {"0000:03:00.4", "0000:03:00.5", "none"}},
	{"variant", AUTO, .set_up = set_up_variant, .driver = VARIANT, PAIR},
	{"variant, 7.1", AUTO, .set_up = set_up_variant, .driver = VARIANT, V7, PAIR},
	{"variant, grabbed", AUTO, .set_up = set_up_variant_of_grabbed, .driver = VARIANT,
	 PAIR},
	{"variant, in hand", AUTO, .set_up = variant_in_hand, .driver = VARIANT, PAIR},
	{"variant fails", AUTO, .set_up = set_up_variant_fails, PAIR},
	{"another driver", STUB, .set_up = set_up_stub, .driver = "pci-stub", PAIR},
	{"another driver, grabbed", STUB, .set_up = set_up_stub_grabbed,
	 .driver = "pci-stub", PAIR},
	{"missing driver", STUB, .set_up = set_up_missing_stub,
	 .wanted = {CARD_1, "none"}},
	{"late, variant", AUTO, .set_up = set_up_variant, .is_late = true,
	 .driver = VARIANT, .wanted = {CARD}},
	{"dry run", BOTH " rd.earlybind.dry_run=1", .set_up = set_up_grabbed,
	 .wanted = {NULL}},
	{"late", "vfio-pci.ids=10ee:5000", .is_late = true, .wanted = {CARD}},
	{"late, coldplug", "quiet", "bind 10ee:*\n", .is_late = true,
	 .is_synthetic = true, .wanted = {CARD}},
	{"late, with=group", "quiet", "bind 02:00.1 with=group allow=console\n",
	 .is_late = true, .wanted = {CARD}},
	{"late, grabbed", "quiet", "bind 10ee:*\n", .set_up = native_loaded,
	 .is_late = true, .wanted = {CARD}},
	{"late, slow, 7.1", "vfio-pci.ids=10ee:5000", .is_late = true,
	 .delay = FAKE_SECOND, V7, .wanted = {CARD}},
	{"late, 5.10", "vfio-pci.ids=10ee:5000", .set_up = native_loaded, .is_late = true,
	 .delay = 3000, V5, .wanted = {CARD}},
};
const size_t fake_scenario_count = ARRAY_SIZE(fake_scenarios);
