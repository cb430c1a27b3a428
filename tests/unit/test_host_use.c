/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Started late: what the running system uses is not torn away. */
#include "test.h"

#include "fake_check.h"
#include "host_use.h"

#define CARD   "0000:01:00.0"
#define PLACE  "../../devices/pci0000:00/0000:00:01.0/" CARD
#define LOST   " and cannot run without it: take it out of the rule, or add allow=storage"
#define MOUNTS "28 1 259:2 / / rw shared:1 - ext4 /dev/nvme0n1p2 rw\n"

struct thing {
	enum world_root root;
	const char *path, *bytes;
};

static const struct thing disk[] = {
	{WORLD_SYS, "class/block/nvme0n1", PLACE "/nvme/nvme0/nvme0n1"},
	{WORLD_SYS, "class/block/nvme0n1/dev", "259:0\n"},
	{WORLD_SYS, "class/block/nvme0n1p2", PLACE "/nvme/nvme0/nvme0n1/nvme0n1p2"},
	{WORLD_SYS, "class/block/nvme0n1p2/dev", "259:2\n"},
	{WORLD_SYS, "class/block/loop0", "../../devices/virtual/block/loop0"},
	{WORLD_SYS, "class/block/loop0/dev", "7:0\n"},
};

static const struct thing multipath[] = {
	{WORLD_SYS, "class/block/nvme0c1n1", PLACE "/nvme/nvme1/nvme0c1n1"},
	{WORLD_SYS, "class/block/nvme0n1",
	 "../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1"},
	{WORLD_SYS, "class/block/nvme0n1/dev", "259:0\n"},
	{WORLD_SYS, "class/block/nvme0n1p2",
	 "../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p2"},
	{WORLD_SYS, "class/block/nvme0n1p2/dev", "259:2\n"},
};

static const struct thing interface[] = {
	{WORLD_SYS, "class/net/lo", "../../devices/virtual/net/lo"},
	{WORLD_SYS, "class/net/lo/flags", "0x9\n"},
	{WORLD_SYS, "class/net/eth0", PLACE "/virtio0/net/eth0"},
};

static void put_all(struct fake_world *w, const struct thing *things, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fake_put_file(w, things[i].root, things[i].path,
			      text_of(things[i].bytes));
}

/* The card has a driver of its own, as it would late in a boot. */
static struct fake_world *late_machine(const char *cmdline)
{
	struct fake_world *w = fake_new();
	struct fake_driver *driver;

	fake_load_machine(w, "alveo", false);
	driver = fake_find_driver(&w->bus, "xclmgmt");
	driver->state = DRIVER_REGISTERED;
	fake_bind_now(fake_find_device(&w->bus, CARD), driver);
	w->cmdline = cmdline;
	return w;
}

static void test_uses(void **state unused)
{
	static const struct {
		const char *name;
		const struct thing *things;
		size_t count;
		struct thing more[2];
		const char *reason; /* NULL: it is taken */
		const char *log;
	} cases[] = {
		{"no disk, no network", NULL, 0, {{0}}, NULL, ""},
		{"a disk that is not mounted", disk, ARRAY_SIZE(disk), {{0}}, NULL, ""},
		{"mounted, by number",
		 disk,
		 ARRAY_SIZE(disk),
		 {{WORLD_PROC, "self/mountinfo",
		   "28 1 259:2 / / rw - ext4 /dev/root rw\n"}},
		 "critical-storage",
		 "(nvme0n1p2 is mounted)" LOST},
		{"mounted, by name",
		 disk,
		 ARRAY_SIZE(disk),
		 {{WORLD_PROC, "self/mountinfo",
		   "28 1 0:31 /@ / rw shared:1 - btrfs /dev/nvme0n1p2 rw\n"}},
		 "critical-storage",
		 "(nvme0n1p2 is mounted)" LOST},
		{"another one is mounted",
		 disk,
		 ARRAY_SIZE(disk),
		 {{WORLD_PROC, "self/mountinfo",
		   "28 1 259:21 / /259:2 rw - ext4 /dev/nvme0n1p22 rw\n"
		   "29 1 7:0 / /snap rw - squashfs /dev/loop0 ro\n"}},
		 NULL,
		 ""},
		{"swap",
		 disk,
		 ARRAY_SIZE(disk),
		 {{WORLD_PROC, "swaps",
		   "Filename Type Size Used Priority\n/dev/nvme0n1p2 partition 1 0 -2\n"}},
		 "critical-storage",
		 "(nvme0n1p2 is swap space)" LOST},
		{"a part of a volume group",
		 disk,
		 ARRAY_SIZE(disk),
		 {{WORLD_SYS, "class/block/nvme0n1p2/holders/dm-0", ""}},
		 "critical-storage",
		 "(nvme0n1p2 is a part of another device)" LOST},
		{"multipath",
		 multipath,
		 ARRAY_SIZE(multipath),
		 {{WORLD_PROC, "self/mountinfo", MOUNTS}},
		 "critical-storage",
		 "(nvme0n1p2 is mounted through it)" LOST},
		{"multipath, not mounted",
		 multipath,
		 ARRAY_SIZE(multipath),
		 {{0}},
		 NULL,
		 ""},
		{"an interface that is up",
		 interface,
		 ARRAY_SIZE(interface),
		 {{WORLD_SYS, "class/net/eth0/flags", "0x1003\n"}},
		 "critical-network",
		 "(eth0 is up) and would be out of reach without it"},
		{"an interface that is down",
		 interface,
		 ARRAY_SIZE(interface),
		 {{WORLD_SYS, "class/net/eth0/flags", "0x1002\n"}},
		 NULL,
		 ""},
		{"an interface of which it cannot be told",
		 interface,
		 ARRAY_SIZE(interface),
		 {{WORLD_SYS, "class/net/eth0/flags", "up\n"}},
		 "critical-network",
		 "(eth0 is up)"},
	};
	static const char *const cmdlines[] = {
		"rd.earlybind.bind=01:00.0",
		"rd.earlybind.bind=01:00.0;allow=storage,network",
		"rd.earlybind.bind=01:00.0;allow=console",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(cmdlines); k++) {
			struct fake_world *w = late_machine(cmdlines[k]);
			bool is_taken = k == 1 || !cases[i].reason;
			struct fake_boot boot;
			const char *message;

			put_all(w, cases[i].things, cases[i].count);
			for (size_t m = 0; m < 2 && cases[i].more[m].path; m++)
				put_all(w, &cases[i].more[m], 1);
			fake_boot(w, NULL, &boot);
			message = fake_check(w, &boot);
			if (message)
				fail_msg("%s: %s", cases[i].name, message);
			check_string(cases[i].name,
				     fake_driver_of(fake_find_device(&w->bus, CARD)),
				     is_taken ? "vfio-pci" : "xclmgmt");
			if (!is_taken) {
				check_string(
					cases[i].name,
					reason_word(fake_outcome(&boot, CARD)->reason),
					cases[i].reason);
				check_contains(cases[i].name, w->log, cases[i].log);
				check_int(cases[i].name,
					  fake_find_device(&w->bus, CARD)->writes, 0);
			}
			fake_boot_free(&boot);
			fake_free(w);
		}
	}
}

/* More mounts than can be read: every disk may be among them. */
static void test_too_many_mounts(void **state unused)
{
	struct fake_world *w = late_machine("rd.earlybind.bind=01:00.0");
	size_t n = (size_t)2 * 1024 * 1024;
	char *bytes = malloc(n);
	struct fake_boot boot;

	assert_non_null(bytes);
	memset(bytes, ' ', n);
	put_all(w, disk, ARRAY_SIZE(disk));
	fake_put_file(w, WORLD_PROC, "self/mountinfo", (struct text){bytes, n});
	fake_boot(w, NULL, &boot);
	check_contains("log", w->log, "may be mounted)" LOST);
	fake_boot_free(&boot);
	fake_free(w);
	free(bytes);
}

/* Before udev nothing has a driver: nothing is asked. */
static void test_nothing_is_read_early(void **state unused)
{
	unsigned accesses[2];

	for (int i = 0; i < 2; i++) {
		struct fake_world *w = fake_new();
		struct fake_boot boot;

		fake_load_machine(w, "alveo", false);
		w->cmdline = "rd.earlybind.bind=01:00.0";
		if (i == 1) {
			put_all(w, disk, ARRAY_SIZE(disk));
			fake_put_file(w, WORLD_PROC, "self/mountinfo", TEXT(MOUNTS));
		}
		fake_boot(w, NULL, &boot);
		assert_int_equal(boot.code, EXIT_ALL_BOUND);
		accesses[i] = w->accesses;
		fake_boot_free(&boot);
		fake_free(w);
	}
	assert_int_equal(accesses[0], accesses[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uses),
		cmocka_unit_test(test_too_many_mounts),
		cmocka_unit_test(test_nothing_is_read_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
