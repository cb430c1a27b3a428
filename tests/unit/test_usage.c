/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host uses functions for, over trees as the kernel makes them and over damaged ones. */
#include "tree.h"

#include "usage.h"

#define PARTS_MAX  32
#define ARENA_SIZE ((size_t)16 * 1024 * 1024)

#define NVME "pci0000:00/0000:00:01.0/0000:01:00.0/nvme/nvme0"
#define NIC  "pci0000:00/0000:00:02.0/0000:02:00.0/net"
#define USB  "pci0000:00/0000:00:14.0/usb3/3-1/3-1:1.0"
#define KEYS "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe\n"
#define GPU  "pci0000:00/0000:00:03.0/0000:03:00.0/drm"

struct part {
	/* A class device: "CLASS NAME" and its folder below /sys/devices; or a file of the
	 * tree and its text; or a folder, with ""; or "@", a link and its target. */
	const char *name, *value;
};

struct usage_case {
	const char *name;
	struct part parts[PARTS_MAX];
	const char *want; /* a line per usage; '!' in use, '!!' critical */
};

static const struct usage_case cases[] = {
	{"nothing", {{NULL}}, ""},
	{"root on a partition",
	 {{"block nvme0n1", NVME},
	  {"block nvme0n1p1", NVME "/nvme0n1"},
	  {"sys/class/block/nvme0n1p1/dev", "259:1\n"},
	  {"proc/self/mountinfo",
	   "25 1 259:1 / / rw - ext4 /dev/root rw\n"
	   "26 25 259:1 /x /mnt/my\\040x rw shared:1 - ext4 /dev/root rw\n"}},
	 "0000:01:00.0 nvme0n1: mounted on /, /mnt/my\\040x !!\n= on a disk\n"},
	{"not mounted",
	 {{"block nvme0n1", NVME},
	  {"sys/class/block/nvme0n1/dev", "259:0\n"},
	  {"proc/self/mountinfo", "25 1 259:1 / / rw - ext4 /dev/vda rw\n"}},
	 "0000:01:00.0 nvme0n1: not mounted\n"},
	{"dm-crypt, LVM, swap",
	 {{"block nvme0n1", NVME},
	  {"block nvme0n1p3", NVME "/nvme0n1"},
	  {"block dm-0", "virtual/block"},
	  {"block dm-1", "virtual/block"},
	  {"block dm-2", "virtual/block"},
	  {"sys/class/block/dm-0/slaves/nvme0n1p3/x", ""},
	  {"sys/class/block/dm-1/slaves/dm-0/x", ""},
	  {"sys/class/block/dm-2/slaves/dm-0/x", ""},
	  {"sys/class/block/dm-1/dm/name", "vg-home\n"},
	  {"sys/class/block/dm-2/dm/name", "vg-swap\n"},
	  {"proc/mounts",
	   "/dev/mapper/vg-home /home ext4 rw 0 0\nproc /proc proc rw 0 0\n"},
	  {"proc/swaps", "Filename Type Size Used Priority\n"
			 "/dev/dm-2 partition 1 0 -2\n/swapfile file 1 0 -3\n"}},
	 "0000:01:00.0 nvme0n1: mounted on /home, swap !!\n"},
	{"active and not mounted",
	 {{"block nvme0n1", NVME},
	  {"block md0", "virtual/block"},
	  {"sys/class/block/md0/slaves/nvme0n1/x", ""}},
	 "0000:01:00.0 nvme0n1: part of md0 !\n"},
	{"md of two disks",
	 {{"block sda", "pci0000:00/0000:00:17.0/ata1/host0/block"},
	  {"block nvme0n1", NVME},
	  {"block md0", "virtual/block"},
	  {"sys/class/block/md0/dev", "9:0\n"},
	  {"sys/class/block/md0/slaves/nvme0n1/x", ""},
	  {"sys/class/block/md0/slaves/sda/x", ""},
	  {"proc/self/mountinfo", "25 1 9:0 / /srv rw - ext4 /dev/md0 rw\n"}},
	 "0000:00:17.0 sda: mounted on /srv !\n0000:01:00.0 nvme0n1: mounted on /srv !\n"},
	{"multipath of NVMe",
	 {{"block nvme0c0n1", NVME},
	  {"block nvme0c1n1", "pci0000:00/0000:04:00.0/nvme/nvme1"},
	  {"block nvme0n1", "virtual/nvme-subsystem/nvme-subsys0"},
	  {"sys/class/block/nvme0n1/dev", "259:0\n"},
	  {"proc/self/mountinfo", "25 1 259:0 / /boot/efi rw - vfat x rw\n"}},
	 "0000:01:00.0 nvme0n1: mounted on /boot/efi !!\n"
	 "0000:04:00.0 nvme0n1: mounted on /boot/efi !!\n"},
	{"btrfs of two disks",
	 {{"block nvme0n1", NVME},
	  {"block sda", "pci0000:00/0000:00:17.0/ata1/host0/block"},
	  {"sys/fs/btrfs/1234/devices/sda/x", ""},
	  {"sys/fs/btrfs/1234/devices/nvme0n1/x", ""},
	  {"proc/self/mountinfo", "25 1 0:25 /root / rw - btrfs /dev/sda rw\n"}},
	 "0000:00:17.0 sda: mounted on / !!\n0000:01:00.0 nvme0n1: mounted on / !!\n"
	 "= on a disk\n"},
	{"behind Intel VMD: lost with both",
	 {{"block nvme0n1",
	   "pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:01.0/10000:e1:00.0/nvme/nvme0"},
	  {"sys/class/block/nvme0n1/dev", "259:0\n"},
	  {"proc/self/mountinfo", "25 1 259:0 / /mnt rw - ext4 x rw\n"}},
	 "0000:00:0e.0 nvme0n1: mounted on /mnt !\n"
	 "10000:e1:00.0 nvme0n1: mounted on /mnt !\n"},
	{"many mounts",
	 {{"block nvme0n1", NVME},
	  {"proc/mounts", "/dev/nvme0n1 /a x x 0 0\n/dev/nvme0n1 /b x x 0 0\n"
			  "/dev/nvme0n1 /c x x 0 0\n/dev/nvme0n1 /d x x 0 0\n"
			  "/dev/nvme0n1 /e x x 0 0\n/dev/nvme0n1 / x x 0 0\n"
			  "/dev/nvme0n1 /f x x 0 0\n"}},
	 "0000:01:00.0 nvme0n1: mounted on /, /a, /b, /c, /d and 2 more !!\n"
	 "= on a disk\n"},
	{"interfaces",
	 {{"net eth0", NIC},
	  {"net eth1", NIC},
	  {"net eth2", NIC},
	  {"net lo", "virtual/net"},
	  {"sys/class/net/eth0/flags", "0x1003\n"},
	  {"sys/class/net/eth0/carrier", "1\n"},
	  {"sys/class/net/eth1/flags", "0x1003\n"},
	  {"sys/class/net/eth1/carrier", "0\n"},
	  {"sys/class/net/eth2/flags", "0x1002\n"}},
	 "0000:02:00.0 eth0: up !\n0000:02:00.0 eth1: no carrier\n0000:02:00.0 eth2: down\n"},
	{"the default route through a bond and a bridge",
	 {{"net eth0", NIC},
	  {"net bond0", "virtual/net"},
	  {"net br0", "virtual/net"},
	  {"sys/class/net/eth0/flags", "0x1003\n"},
	  {"sys/class/net/eth0/carrier", "1\n"},
	  {"sys/class/net/eth0/upper_bond0/x", ""},
	  {"sys/class/net/bond0/upper_br0/x", ""},
	  {"proc/net/route",
	   "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU\n"
	   "br0 00000000 0101A8C0 0003 0 0 0 00000000 0 0 0\n"}},
	 "0000:02:00.0 eth0: up, part of bond0, default route !!\n"},
	{"the default route of IPv6; no route of IPv4",
	 {{"net eth0", NIC},
	  {"net eth1", NIC},
	  {"proc/net/route", "eth1 00000000 00000000 0003 0 0 0 0000FFFF 0 0 0\n"
			     "eth1 00000000 00000000 0000 0 0 0 00000000 0 0 0\n"},
	  {"proc/net/ipv6_route",
	   "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
	   "fe800000000000000000000000000001 00000400 00000003 00000000 00000003 eth0\n"}},
	 "0000:02:00.0 eth0: down, default route !!\n0000:02:00.0 eth1: down\n"},
	{"cards",
	 {{"drm card0", GPU},
	  {"drm card0-DP-1", GPU "/card0"},
	  {"drm card0-HDMI-A-1", GPU "/card0"},
	  {"sys/class/drm/card0-DP-1/status", "connected\n"},
	  {"sys/class/drm/card0-HDMI-A-1/status", "disconnected\n"},
	  {"drm renderD128", GPU},
	  {"drm card1", "pci0000:00/0000:05:00.0/drm"},
	  {"drm card1-DP-2", "pci0000:00/0000:05:00.0/drm/card1"},
	  {"drm card1-Writeback-1", "pci0000:00/0000:05:00.0/drm/card1"},
	  {"drm card2", "pci0000:00/0000:06:00.0/drm"}},
	 "0000:03:00.0 card0: a monitor on DP-1 !\n0000:05:00.0 card1: no monitor\n"
	 "0000:06:00.0 card2: no connector\n"},
	{"the console",
	 {{"graphics fb0", "pci0000:00/0000:00:03.0/0000:03:00.0/graphics"},
	  {"graphics fbcon", "virtual/graphics"},
	  {"drm card0", GPU},
	  {"drm card1", "pci0000:00/0000:05:00.0/drm"},
	  {"drm card1-DP-2", "pci0000:00/0000:05:00.0/drm/card1"},
	  {"sys/bus/pci/devices/0000:05:00.0/boot_vga", "0\n"}},
	 "0000:03:00.0 card0: the console !!\n0000:05:00.0 card1: no monitor\n"},
	{"the only display",
	 {{"drm card1", GPU}, {"drm card1-eDP-1", GPU "/card1"}},
	 "0000:03:00.0 card1: the only display !!\n"},
	{"the system of an OSTree is below",
	 {{"block sda3", "pci0000:00/0000:00:17.0/ata1/host0/block/sda"},
	  {"block sda", "pci0000:00/0000:00:17.0/ata1/host0/block"},
	  {"sys/class/block/sda3/dev", "8:3\n"},
	  {"proc/self/mountinfo", "25 1 0:20 / / rw - overlay composefs rw\n"
				  "26 25 8:3 / /sysroot ro - xfs /dev/sda3 rw\n"}},
	 "0000:00:17.0 sda: mounted on /sysroot !!\n= on a disk\n"},
	{"bcache of a disk and an SSD",
	 {{"block bcache0", "virtual/block"},
	  {"block sda", "pci0000:00/0000:00:17.0/ata1/host0/block"},
	  {"block nvme0n1", NVME},
	  {"sys/class/block/bcache0/dev", "252:0\n"},
	  {"sys/class/block/bcache0/slaves/sda/x", ""},
	  {"@sys/class/block/bcache0/bcache/cache/cache0",
	   "../../../../../../devices/" NVME "/nvme0n1/bcache"},
	  {"proc/self/mountinfo", "25 1 252:0 / / rw - ext4 /dev/bcache0 rw\n"}},
	 "0000:00:17.0 sda: mounted on / !!\n0000:01:00.0 nvme0n1: mounted on / !!\n"
	 "= on a disk\n"},
	{"bcachefs of two disks",
	 {{"block sda", "pci0000:00/0000:00:17.0/ata1/host0/block"},
	  {"block nvme0n1", NVME},
	  {"@sys/fs/bcachefs/12-34/dev-0/block", "../../../../devices/" NVME "/nvme0n1"},
	  {"@sys/fs/bcachefs/12-34/dev-1/block", "x/sda"},
	  {"proc/self/mountinfo",
	   "25 1 0:25 / / rw - bcachefs /dev/nvme0n1:/dev/sda rw\n"}},
	 "0000:00:17.0 sda: mounted on / !!\n0000:01:00.0 nvme0n1: mounted on / !!\n"
	 "= on a disk\n"},
	{"swap in a file, and a file that is mounted",
	 {{"block sda", "pci0000:00/0000:00:17.0/ata1/host0/block"},
	  {"block nvme0n1", NVME},
	  {"block loop0", "virtual/block"},
	  {"block loop1", "virtual/block"},
	  {"sys/class/block/sda/dev", "8:0\n"},
	  {"sys/class/block/nvme0n1/dev", "259:0\n"},
	  {"sys/class/block/loop0/dev", "7:0\n"},
	  {"sys/class/block/loop0/loop/backing_file", "/data/system/root.img\n"},
	  {"sys/class/block/loop1/dev", "7:1\n"},
	  {"sys/class/block/loop1/loop/backing_file", "/snaps/core.snap\n"},
	  {"proc/self/mountinfo", "25 1 7:0 / / rw - ext4 /dev/loop0 rw\n"
				  "26 1 8:0 / /data rw - ext4 /dev/sda rw\n"
				  "27 1 259:0 / /snaps rw - ext4 /dev/nvme0n1 rw\n"
				  "28 1 7:1 / /snap/core ro - squashfs /dev/loop1 ro\n"},
	  {"proc/swaps", "Filename Type Size Used Priority\n"
			 "/snaps/swap file 1 0 -3\n"}},
	 "0000:00:17.0 sda: mounted on /, /data !!\n"
	 "0000:01:00.0 nvme0n1: mounted on /snaps, swap !!\n= on a disk\n"},
	{"hibernation, by UUID on the command line",
	 {{"block nvme0n1", NVME},
	  {"@dev/disk/by-uuid/12-34", "../../nvme0n1"},
	  {"proc/cmdline", "quiet resume=UUID=12-34 resume_offset=34816\n"}},
	 "0000:01:00.0 nvme0n1: hibernation !!\n"},
	{"hibernation, as the kernel has it",
	 {{"block nvme0n1", NVME},
	  {"sys/class/block/nvme0n1/dev", "259:0\n"},
	  {"sys/power/resume", "259:0\n"}},
	 "0000:01:00.0 nvme0n1: hibernation !!\n"},
	{"hibernation, by initramfs-tools",
	 {{"block nvme0n1", NVME},
	  {"block sda", "pci0000:00/0000:00:17.0/ata1/host0/block"},
	  {"@dev/mapper/vg-swap", "../nvme0n1"},
	  {"etc/initramfs-tools/conf.d/resume",
	   "# RESUME=/dev/sda\nRESUME=\"/dev/mapper/vg-swap\"\nRESUME=auto\n"}},
	 "0000:00:17.0 sda: not mounted\n0000:01:00.0 nvme0n1: hibernation !!\n"},
	{"no hibernation",
	 {{"block nvme0n1", NVME},
	  {"sys/class/block/nvme0n1/dev", "259:0\n"},
	  {"sys/power/resume", "0:0\n"},
	  {"proc/cmdline", "resume noresume resume= resume=UUID=12-34 xresume=259:0\n"}},
	 "0000:01:00.0 nvme0n1: not mounted\n"},
	{"the root over the network",
	 {{"net eth0", NIC},
	  {"net eth1", NIC},
	  {"sys/class/net/eth0/flags", "0x1003\n"},
	  {"sys/class/net/eth0/carrier", "1\n"},
	  {"proc/self/mountinfo", "25 1 0:20 / / rw - nfs4 10.0.0.1:/srv rw\n"}},
	 "0000:02:00.0 eth0: up, the machine boots from it !!\n0000:02:00.0 eth1: down\n"
	 "= on the network\n"},
	{"the root over iSCSI",
	 {{"net eth0", NIC},
	  {"block sda", "platform/host3/session1/target3:0:0/3:0:0:0/block"},
	  {"sys/class/block/sda/dev", "8:0\n"},
	  {"sys/class/net/eth0/flags", "0x1003\n"},
	  {"sys/class/net/eth0/carrier", "1\n"},
	  {"proc/self/mountinfo", "25 1 8:0 / / rw - ext4 /dev/sda rw\n"}},
	 "0000:02:00.0 eth0: up, the machine boots from it !!\n= on the network\n"},
	{"what the command line boots from",
	 {{"net eth0", NIC},
	  {"net eth1", NIC},
	  {"net eth2", NIC},
	  {"net bond0", "virtual/net"},
	  {"sys/class/net/eth0/upper_bond0/x", ""},
	  {"sys/class/net/eth1/address", "52:54:00:12:34:5F\n"},
	  {"proc/cmdline", "ip=10.0.0.2::10.0.0.1:255.255.255.0::bond0:none ip=dhcp ip "
			   "BOOTIF=01-52-54-00-12-34-5f\n"}},
	 "0000:02:00.0 eth0: down, part of bond0, the machine boots from it !!\n"
	 "0000:02:00.0 eth1: down, the machine boots from it !!\n0000:02:00.0 eth2: down\n"},
	{"keyboards",
	 {{"input input3", USB "/input"},
	  {"input input4", USB "/input"},
	  {"input input9", "pci0000:00/0000:00:1f.3/input"},
	  {"sys/class/input/input3/capabilities/key", KEYS},
	  {"sys/class/input/input4/capabilities/key", "1f0000 0 0 0 0\n"},
	  {"sys/class/tty/console/active", "ttyS0 tty0\n"}},
	 "0000:00:14.0 input3: the only keyboard !!\n"},
	{"keyboards of two controllers",
	 {{"input input3", USB "/input"},
	  {"input input4", "pci0000:00/0000:00:1a.0/usb1/1-1/input"},
	  {"input input5", "virtual/input"},
	  {"sys/class/input/input3/capabilities/key", KEYS},
	  {"sys/class/input/input4/capabilities/key", KEYS},
	  {"sys/class/input/input5/capabilities/key", KEYS},
	  {"sys/class/tty/console/active", "tty0\n"}},
	 "0000:00:14.0 input3: a keyboard !\n0000:00:1a.0 input4: a keyboard !\n"},
	{"a keyboard without PCI",
	 {{"input input3", USB "/input"},
	  {"input input0", "platform/i8042/serio0/input"},
	  {"sys/class/input/input3/capabilities/key", KEYS},
	  {"sys/class/input/input0/capabilities/key", KEYS},
	  {"sys/class/tty/console/active", "tty0\n"}},
	 "0000:00:14.0 input3: a keyboard\n"},
	{"a console on a serial line",
	 {{"input input3", USB "/input"},
	  {"sys/class/input/input3/capabilities/key", KEYS},
	  {"sys/class/tty/console/active", "ttyS0\n"}},
	 "0000:00:14.0 input3: a keyboard\n"},
	{"ZFS",
	 {{"block nvme0n1", NVME},
	  {"proc/self/mountinfo", "25 1 0:25 / / rw - zfs rpool/ROOT/debian rw\n"}},
	 "0000:01:00.0 nvme0n1: not mounted\n= somewhere\n"},
	{"a container",
	 {{"block nvme0n1", NVME},
	  {"sys/class/block/nvme0n1/dev", "259:0\n"},
	  {"run/systemd/container", "lxc\n"},
	  {"proc/self/mountinfo", "25 1 259:0 / / rw - ext4 /dev/nvme0n1 rw\n"}},
	 "0000:01:00.0 nvme0n1: mounted on / !!\n"},
	{"a chroot in a folder that is mounted",
	 {{"block nvme0n1", NVME},
	  {"sys/class/block/nvme0n1/dev", "259:0\n"},
	  {"proc/self/mountinfo",
	   "25 1 259:0 /srv/chroot / rw - ext4 /dev/nvme0n1 rw\n"}},
	 "0000:01:00.0 nvme0n1: mounted on / !!\n"},
	/* Damaged trees. */
	{"loops",
	 {{"block dm-0", "virtual/block"},
	  {"block dm-1", "virtual/block"},
	  {"block nvme0n1", NVME},
	  {"sys/class/block/dm-0/slaves/dm-1/x", ""},
	  {"sys/class/block/dm-1/slaves/dm-0/x", ""},
	  {"sys/class/block/dm-1/slaves/dm-1/x", ""},
	  {"sys/class/block/dm-1/dev", "253:1"},
	  {"net eth0", NIC},
	  {"net br0", "virtual/net"},
	  {"sys/class/net/eth0/upper_br0/x", ""},
	  {"sys/class/net/br0/upper_eth0/x", ""},
	  {"sys/class/net/br0/upper_br0/x", ""},
	  {"sys/class/net/eth0/upper_nobody/x", ""},
	  {"proc/self/mountinfo", "25 1 253:1 / / rw - ext4 x rw\n"}},
	 "0000:01:00.0 nvme0n1: not mounted\n"
	 "0000:02:00.0 eth0: down, part of br0, nobody\n= somewhere\n"},
	{"garbage",
	 {{"block nvme0n1", NVME},
	  {"block nvme99999999999c1n1", NVME},
	  {"sys/class/block/plain", "no link"},
	  {"sys/class/net/plain/flags", "0x1003"},
	  {"sys/class/block/nvme0n1/dev", "\n"},
	  {"net eth0", NIC},
	  {"sys/class/net/eth0/flags", "0x100000000000000003\n"},
	  {"proc/self/mountinfo",
	   "\n - - -\n1 2 3\n1 2 3 4 5\n25 1 259:0 / / - ext4\n- \xff\n"
	   "1 2 3 4 5 - x /dev/\n1 2 3 4 5 - x /dev/mapper/\n"},
	  {"proc/swaps", "\n/dev/nvme0n1\n/dev/nvme0n1 partitionx\n/dev/ partition\n"},
	  {"proc/net/route", "eth0\neth0 0 0 0 0 0 0\n\t\t\neth0 zz 0 0003 0 0 0 0\n"},
	  {"proc/net/ipv6_route", "0 0 0 0 0 0 0 0 0\n0 0 0 0 0 0 0 0 fffffffff eth0\n"}},
	 "0000:01:00.0 nvme0n1: not mounted\n"
	 "0000:01:00.0 nvme99999999999c1n1: not mounted\n0000:02:00.0 eth0: down\n"},
};

static int read_tree(const char *root, size_t size, struct usages *ret)
{
	struct arena arena = {.base = calloc(1, size), .size = size};
	static char *kept;
	struct world *world;
	int r;

	free(kept);
	kept = arena.base;
	assert_int_equal(world_open(root, &world), 0);
	r = usages_read(world, &arena, ret);
	world_close(world);
	return r;
}

static void test_cases(void **state unused)
{
	static const char *const roots[] = {
		[ROOT_UNKNOWN] = "",
		[ROOT_OTHER] = "= somewhere\n",
		[ROOT_NETWORK] = "= on the network\n",
		[ROOT_DISK] = "= on a disk\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *root = tree_new();
		struct usages usages;
		char got[2048] = "";

		for (const struct part *p = cases[i].parts; p->name; p++)
			if (strchr(p->name, ' '))
				tree_class_device(root, p->name, p->value);
			else if (p->name[0] == '@')
				tree_link(root, p->name + 1, p->value);
			else
				tree_write(root, p->name, p->value);
		check_int(cases[i].name, read_tree(root, ARENA_SIZE, &usages), 0);
		for (size_t k = 0; k < usages.count; k++) {
			const struct usage *u = &usages.items[k];
			char address[BDF_SIZE];
			size_t used = strlen(got), count;

			snprintf(got + used, sizeof(got) - used, "%s %s: %s%s\n",
				 bdf_format(u->bdf, address), u->name, u->what,
				 u->is_critical ? " !!"
				 : u->is_in_use ? " !"
						: "");
			check_true(cases[i].name, u->is_in_use || !u->is_critical);
			assert_non_null(usages_find(&usages, u->bdf, &count));
			assert_in_range(count, 1, usages.count);
		}
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s",
			 roots[usages.root]);
		check_string(cases[i].name, got, cases[i].want);
		tree_remove(root);
	}
}

static void test_find(void **state unused)
{
	const struct bdf bdfs[] = {
		{0, 1, 0, 0}, {0, 1, 0, 1}, {0, 1, 0, 1}, {0, 2, 0, 0}};
	struct usage items[ARRAY_SIZE(bdfs)];
	struct usages usages = {.items = items, .count = ARRAY_SIZE(bdfs)};
	size_t count;

	for (size_t i = 0; i < ARRAY_SIZE(bdfs); i++)
		items[i] = (struct usage){.bdf = bdfs[i]};
	assert_ptr_equal(usages_find(&usages, bdfs[0], &count), &items[0]);
	assert_int_equal(count, 1);
	assert_ptr_equal(usages_find(&usages, bdfs[1], &count), &items[1]);
	assert_int_equal(count, 2);
	assert_null(usages_find(&usages, (struct bdf){0, 1, 0, 2}, &count));
	assert_int_equal(count, 0);
	usages.count = 0;
	assert_null(usages_find(&usages, bdfs[0], &count));
}

/* Without memory there is an error, never half a truth. */
static void test_memory(void **state unused)
{
	const char *root = tree_new();
	struct usages usages;

	tree_class_device(root, "block nvme0n1", NVME);
	tree_class_device(root, "net eth0", NIC);
	tree_class_device(root, "drm card0", GPU);
	for (size_t size = 16; size < 4096; size += 16)
		assert_int_equal(read_tree(root, size, &usages), -ENOMEM);
	tree_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
