/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tells an initramfs from the live systems that look like one. */
#include "test.h"

#include "initramfs.h"

static void test_mountinfo(void **state unused)
{
	static const struct {
		const char *name, *mountinfo;
		bool is_rootfs;
	} cases[] = {
		{"initramfs-tools",
		 "1 1 0:2 / / rw - rootfs rootfs rw,size=745552k\n"
		 "20 1 0:19 / /sys rw,nosuid - sysfs sysfs rw\n",
		 true},
		{"shared", "1 1 0:2 / / rw shared:1 - rootfs none rw\n", true},
		{"the last line without an end", "1 1 0:2 / / rw - rootfs rootfs rw",
		 true},
		{"with the real root mounted",
		 "1 1 0:2 / / rw - rootfs rootfs rw\n"
		 "30 1 259:1 / /sysroot ro,relatime - ext4 /dev/nvme0n1p1 ro\n",
		 true},
		{"real root", "28 1 259:2 / / rw shared:1 - ext4 /dev/nvme0n1p2 rw\n",
		 false},
		{"live system in memory", "28 1 0:24 / / rw - tmpfs root rw\n", false},
		{"live system, overlay",
		 "28 1 0:24 / / rw - overlay overlay rw,lowerdir=/rofs\n"
		 "29 28 0:25 / /run rw - tmpfs tmpfs rw\n",
		 false},
		{"systemd-nspawn --volatile",
		 "500 400 0:60 / / rw shared:9 master:1 - tmpfs tmpfs rw\n", false},
		{"chroot whose / is no mount", "30 28 0:24 / /proc rw - proc proc rw\n",
		 false},
		{"something mounted over it",
		 "1 1 0:2 / / rw - rootfs rootfs rw\n40 1 0:50 / / rw - tmpfs new rw\n",
		 false},
		{"a source with that name", "28 1 0:24 / / rw - tmpfs rootfs rw\n",
		 false},
		{"cut", "1 1 0:2 / /", false},
		{"cut behind the mark", "1 1 0:2 / / rw -", false},
		{"nothing", "", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text t = test_text(cases[i].mountinfo);

		check_int(cases[i].name, initramfs_is_rootfs(t), cases[i].is_rootfs);
		test_text_free(t);
	}
}

/* Wherever the tests run, a container whose / is in memory among them. */
static void test_here(void **state unused)
{
	struct world *world;

	assert_int_equal(world_open(NULL, &world), 0);
	assert_false(initramfs_is_here(world));
	world_close(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mountinfo),
		cmocka_unit_test(test_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
