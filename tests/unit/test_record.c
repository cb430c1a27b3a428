/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The critical devices of a machine, as rules: whole trees in, lines out. */
#include "rules.h"
#include "tree.h"

#include "config.h"
#include "sources.h"

#define PARTS_MAX  40
#define ARENA_SIZE ((size_t)16 * 1024 * 1024)

#define NVME	"pci0000:00/0000:00:1d.0/0000:04:00.0"
#define NVME_2	"pci0000:00/0000:00:1d.4/0000:05:00.0"
#define SATA	"pci0000:00/0000:00:17.0"
#define NIC	"pci0000:00/0000:00:1c.0/0000:02:00"
#define USB	"pci0000:00/0000:00:14.0"
#define USB_KEY USB "/usb1/1-4/1-4:1.0/host6/target6:0:0/6:0:0:0/block"
#define KEYS	"1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe\n"

struct part {
	/* "pci VENDOR:DEVICE" and its place in sys/devices; "CLASS NAME" and its folder; or
	 * a file and its text. */
	const char *name, *value;
};

#define ROOT_IS(number) "25 1 " number " / / rw - ext4 /dev/root rw\n"

static const struct {
	const char *name;
	struct part parts[PARTS_MAX];
	const char *want;
	const char *why; /* a part of it; NULL: none */
} cases[] = {
	{"LVM on LUKS on NVMe",
	 {{"pci 144d:a808", NVME},
	  {"pci 8086:a352", SATA},
	  {"block nvme0n1", NVME "/nvme/nvme0"},
	  {"block nvme0n1p3", NVME "/nvme/nvme0/nvme0n1"},
	  {"block sda", SATA "/ata1/host0/block"},
	  {"block dm-0", "virtual/block"},
	  {"block dm-1", "virtual/block"},
	  {"block dm-2", "virtual/block"},
	  {"sys/class/block/dm-1/dev", "253:1\n"},
	  {"sys/class/block/dm-0/slaves/nvme0n1p3/x", ""},
	  {"sys/class/block/dm-1/slaves/dm-0/x", ""},
	  {"sys/class/block/dm-2/slaves/dm-0/x", ""},
	  {"proc/self/mountinfo", ROOT_IS("253:1")},
	  {"proc/swaps", "x\n/dev/dm-2 partition 1 0 -2\n"}},
	 "critical path=0000:00:1d.0/00.0+144d:a808 storage nvme0n1: mounted on /, swap\n",
	 NULL},
	{"md over two controllers",
	 {{"pci 144d:a808", NVME},
	  {"pci 8086:a352", SATA},
	  {"block nvme0n1", NVME "/nvme/nvme0"},
	  {"block sda", SATA "/ata1/host0/block"},
	  {"block sda1", SATA "/ata1/host0/block/sda"},
	  {"block md0", "virtual/block"},
	  {"sys/class/block/md0/dev", "9:0\n"},
	  {"sys/class/block/md0/slaves/nvme0n1/x", ""},
	  {"sys/class/block/md0/slaves/sda1/x", ""},
	  {"proc/self/mountinfo", ROOT_IS("9:0")}},
	 "critical path=0000:00:17.0+8086:a352 storage sda: mounted on /\n"
	 "critical path=0000:00:1d.0/00.0+144d:a808 storage nvme0n1: mounted on /\n",
	 NULL},
	{"btrfs over two disks",
	 {{"pci 144d:a808", NVME},
	  {"pci 144d:a808", NVME_2},
	  {"block nvme0n1", NVME "/nvme/nvme0"},
	  {"block nvme1n1", NVME_2 "/nvme/nvme1"},
	  {"sys/fs/btrfs/12-34/devices/nvme0n1/x", ""},
	  {"sys/fs/btrfs/12-34/devices/nvme1n1/x", ""},
	  {"proc/self/mountinfo", "25 1 0:25 /@ / rw - btrfs /dev/nvme1n1 rw\n"}},
	 "critical path=0000:00:1d.0/00.0+144d:a808 storage nvme0n1: mounted on /\n"
	 "critical path=0000:00:1d.4/00.0+144d:a808 storage nvme1n1: mounted on /\n",
	 NULL},
	{"a bond over two cards in a bridge",
	 {{"pci 144d:a808", NVME},
	  {"pci 8086:1521", NIC ".0"},
	  {"pci 8086:1521", NIC ".1"},
	  {"block nvme0n1", NVME "/nvme/nvme0"},
	  {"sys/class/block/nvme0n1/dev", "259:0\n"},
	  {"proc/self/mountinfo", ROOT_IS("259:0")},
	  {"net eno1", NIC ".0/net"},
	  {"net eno2", NIC ".1/net"},
	  {"net bond0", "virtual/net"},
	  {"net br0", "virtual/net"},
	  {"sys/class/net/eno1/flags", "0x1003\n"},
	  {"sys/class/net/eno1/carrier", "1\n"},
	  {"sys/class/net/eno1/upper_bond0/x", ""},
	  {"sys/class/net/eno2/upper_bond0/x", ""},
	  {"sys/class/net/bond0/upper_br0/x", ""},
	  {"proc/net/route", "x\nbr0 00000000 0101A8C0 0003 0 0 0 00000000 0 0 0\n"}},
	 "critical path=0000:00:1c.0/00.0+8086:1521 network "
	 "eno1: up, part of bond0, default route\n"
	 "critical path=0000:00:1c.0/00.1+8086:1521 network "
	 "eno2: down, part of bond0, default route\n"
	 "critical path=0000:00:1d.0/00.0+144d:a808 storage nvme0n1: mounted on /\n",
	 NULL},
	{"root and keyboard on one controller",
	 {{"pci 8086:a36d", USB},
	  {"block sdb", USB_KEY},
	  {"sys/class/block/sdb/dev", "8:16\n"},
	  {"proc/self/mountinfo", ROOT_IS("8:16")},
	  {"input input3", USB "/usb1/1-5/1-5:1.0/0003:046D:C31C.0001/input"},
	  {"sys/class/input/input3/capabilities/key", KEYS},
	  {"sys/class/tty/console/active", "tty0\n"}},
	 "critical path=0000:00:14.0+8086:a36d storage sdb: mounted on /\n"
	 "critical path=0000:00:14.0+8086:a36d console input3: the only keyboard\n",
	 NULL},
	{"virtio and SD cards",
	 {{"pci 1af4:1042", "pci0000:00/0000:00:05.0"},
	  {"pci 1217:8621", "pci0000:00/0000:00:1c.3/0000:03:00.0"},
	  {"block vda", "pci0000:00/0000:00:05.0/virtio2/block"},
	  {"block mmcblk0",
	   "pci0000:00/0000:00:1c.3/0000:03:00.0/mmc_host/mmc0/mmc0:0001/block"},
	  {"sys/class/block/vda/dev", "254:0\n"},
	  {"sys/class/block/mmcblk0/dev", "179:0\n"},
	  {"proc/self/mountinfo",
	   ROOT_IS("254:0") "26 25 179:0 / /boot rw - ext4 x rw\n"}},
	 "critical path=0000:00:05.0+1af4:1042 storage vda: mounted on /\n"
	 "critical path=0000:00:1c.3/00.0+1217:8621 storage mmcblk0: mounted on /boot\n",
	 NULL},
	{"a virtual function has no path of its own",
	 {{"pci 144d:a808", NVME},
	  {"block nvme0n1", NVME "/nvme/nvme0"},
	  {"sys/class/block/nvme0n1/dev", "259:0\n"},
	  {"proc/self/mountinfo", ROOT_IS("259:0")},
	  {"@sys/devices/" NVME "/physfn", "../0000:06:00.0"}},
	 "critical 0000:04:00.0+144d:a808 storage nvme0n1: mounted on /\n",
	 NULL},
	{"names that could be a comment",
	 {{"pci 8086:1521", NIC ".0"},
	  {"net #x", NIC ".0/net"},
	  {"proc/cmdline", "ip=#x:dhcp\n"},
	  {"proc/self/mountinfo", "25 1 0:9 / / rw - nfs 10.0.0.1:/ rw\n"}},
	 "critical path=0000:00:1c.0/00.0+8086:1521 network "
	 "?x: down, the machine boots from it\n",
	 NULL},
	{"more than a line holds",
	 {{"pci 144d:a808", NVME},
	  {"block nvme0n1", NVME "/nvme/nvme0"},
	  {"sys/class/block/nvme0n1/dev", "259:0\n"},
	  {"proc/self/mountinfo",
	   ROOT_IS("259:0") "26 1 259:0 / /boot/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb rw "
			    "- ext4 x rw\n"}},
	 "critical path=0000:00:1d.0/00.0+144d:a808 storage nvme0n1: mounted on /, "
	 "/boot/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb...\n",
	 NULL},
	{"a container",
	 {{"pci 144d:a808", NVME},
	  {"block nvme0n1", NVME "/nvme/nvme0"},
	  {"sys/class/block/nvme0n1/dev", "259:0\n"},
	  {"proc/swaps", "x\n/dev/nvme0n1 partition 1 0 -2\n"},
	  {"proc/self/mountinfo", "25 1 0:30 / / rw - overlay overlay rw\n"}},
	 "",
	 "not the machine that the image is for"},
	{"a chroot",
	 {{"proc/self/mountinfo", "22 1 0:5 / /proc rw - proc proc rw\n"}},
	 "",
	 "not the machine that the image is for"},
	{"nothing", {{NULL}}, "", "not the machine that the image is for"},
	{"ZFS",
	 {{"pci 8086:1521", NIC ".0"},
	  {"net eth0", NIC ".0/net"},
	  {"proc/net/route", "x\neth0 00000000 0101A8C0 0003 0 0 0 00000000 0 0 0\n"},
	  {"proc/self/mountinfo", "25 1 0:25 / / rw - zfs rpool/ROOT rw\n"}},
	 "critical path=0000:00:1c.0/00.0+8086:1521 network eth0: down, default route\n",
	 "the disks of / are unknown (ZFS"},
	{"a disk without PCI",
	 {{"block mmcblk0", "platform/soc/mmc_host/mmc0/mmc0:0001/block"},
	  {"sys/class/block/mmcblk0/dev", "179:0\n"},
	  {"proc/self/mountinfo", ROOT_IS("179:0")}},
	 "",
	 "the disks of / are unknown"},

	/* Damaged trees */
	{"the function is gone",
	 {{"block nvme0n1", NVME "/nvme/nvme0"},
	  {"sys/class/block/nvme0n1/dev", "259:0\n"},
	  {"proc/self/mountinfo", ROOT_IS("259:0")}},
	 "",
	 "no PCI device is critical"},
	{"loops",
	 {{"pci 144d:a808", NVME},
	  {"block nvme0n1", NVME "/nvme/nvme0"},
	  {"block dm-0", "virtual/block"},
	  {"block dm-1", "virtual/block"},
	  {"block loop0", "virtual/block"},
	  {"sys/class/block/dm-0/dev", "253:0\n"},
	  {"sys/class/block/loop0/dev", "7:0\n"},
	  {"sys/class/block/loop0/loop/backing_file", "/boot/x\n"},
	  {"sys/class/block/dm-0/slaves/dm-1/x", ""},
	  {"sys/class/block/dm-0/slaves/nobody/x", ""},
	  {"sys/class/block/dm-1/slaves/dm-0/x", ""},
	  {"sys/class/block/dm-1/slaves/loop0/x", ""},
	  {"sys/class/block/dm-1/slaves/nvme0n1/x", ""},
	  {"proc/self/mountinfo",
	   ROOT_IS("253:0") "26 25 7:0 / /boot rw - ext4 /dev/loop0 rw\n"}},
	 "critical path=0000:00:1d.0/00.0+144d:a808 storage nvme0n1: mounted on /\n",
	 NULL},
	{"garbage",
	 {{"pci 144d:a808", NVME},
	  {"block nvme0n1", NVME "/nvme/nvme0"},
	  {"block loop0", "virtual/block"},
	  {"block bcache0", "virtual/block"},
	  {"input input1", USB "/input"},
	  {"sys/class/block/nvme0n1/dev", "259:0\n"},
	  {"sys/class/block/loop0/loop/backing_file", "\n"},
	  {"@sys/class/block/bcache0/bcache/cache/cache0", "x"},
	  {"@sys/class/block/bcache0/bcache/cache/cache1", "/"},
	  {"@sys/fs/bcachefs/1/dev-0/block", "nobody"},
	  {"sys/fs/bcachefs/1/dev-1/block", "no link"},
	  {"sys/class/input/input1/capabilities/key", "zz\n"},
	  {"sys/class/tty/console/active", "\n\n"},
	  {"sys/power/resume", "\n"},
	  {"etc/initramfs-tools/conf.d/resume", "RESUME=\nRESUME=\"\nRESUME=UUID=\n"},
	  {"proc/cmdline", "resume=\" ip=: BOOTIF= BOOTIF=01 resume=/dev/\n"},
	  {"proc/self/mountinfo", ROOT_IS("259:0") "1 2 3:3 / / - bcachefs :\n"}},
	 "critical path=0000:00:1d.0/00.0+144d:a808 storage nvme0n1: mounted on /\n",
	 NULL},
};

static void make_function(const char *root, const char *id, const char *place)
{
	const char *address = strrchr(place, '/') + 1;
	char path[512], target[512], upper[] = "VVVV:DDDD";

	for (size_t i = 0; id[i] != '\0' && i < sizeof(upper) - 1; i++)
		upper[i] = (char)(id[i] >= 'a' ? id[i] - 'a' + 'A' : id[i]);
	snprintf(path, sizeof(path), "sys/devices/%s/modalias", place);
	snprintf(target, sizeof(target),
		 "pci:v0000%.4sd0000%.4ssv00000000sd00000000bc01sc08i02\n", upper,
		 upper + 5);
	tree_write(root, path, target);
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", address);
	snprintf(target, sizeof(target), "../../../devices/%s", place);
	tree_link(root, path, target);
}

static const char *make_tree(const struct part *parts)
{
	const char *root = tree_new();

	for (const struct part *p = parts; p->name; p++)
		if (strncmp(p->name, "pci ", 4) == 0)
			make_function(root, p->name + 4, p->value);
		else if (p->name[0] == '@')
			tree_link(root, p->name + 1, p->value);
		else if (strchr(p->name, ' '))
			tree_class_device(root, p->name, p->value);
		else
			tree_write(root, p->name, p->value);
	return root;
}

static void test_cases(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *root = make_tree(cases[i].parts);
		struct arena arena = test_arena(ARENA_SIZE);
		struct recorded critical;
		struct policy policy;
		struct world *world;
		char got[4096];

		assert_int_equal(world_open(root, &world), 0);
		critical_read(world, &arena, &critical);
		world_close(world);
		snprintf(got, sizeof(got), "%.*s", (int)critical.lines.n,
			 critical.lines.p);
		check_string(cases[i].name, got, cases[i].want);
		if (cases[i].why)
			check_contains(cases[i].name, critical.why, cases[i].why);
		else
			check_true(cases[i].name, !critical.why);
		/* And it is what the binder reads. */
		assert_int_equal(policy_init(&policy, &arena), 0);
		config_parse(&policy, SOURCE_CONFIG, TEXT(RECORDED), critical.lines);
		check_int(cases[i].name, policy.problem_count, 0);
		check_int(cases[i].name, policy.rule_count, critical.count);
		test_arena_free(&arena);
		tree_remove(root);
	}
}

/* With little memory it says so, and never half a line. */
static void test_memory(void **state unused)
{
	const char *root = make_tree(cases[0].parts);
	struct world *world;

	assert_int_equal(world_open(root, &world), 0);
	for (size_t size = 64; size < 65536; size += 512) {
		struct arena arena = test_arena(size);
		struct recorded critical;

		critical_read(world, &arena, &critical);
		if (critical.count == 0)
			check_string("why", critical.why, "out of memory");
		else
			check_int("lines", critical.lines.n, strlen(cases[0].want));
		test_arena_free(&arena);
	}
	world_close(world);
	tree_remove(root);
}

/* What is recorded goes behind the files, is cut off again, and gives way to rules. */
static void test_table(void **state unused)
{
	static const struct part conf = {"etc/earlybind.conf",
					 "[profile a]\nbind 10ee:*\n"};
	static struct sources sources;
	static const struct strings none;
	const char *root = make_tree(cases[0].parts);
	struct arena arena = test_arena(ARENA_SIZE);
	const struct table_section *section;
	struct policy policy;
	struct world *world;
	struct text text;
	size_t length;

	tree_write(root, conf.name, conf.value);
	assert_int_equal(world_open(root, &world), 0);
	assert_int_equal(sources_read(world, &arena, &none, &sources), 0);
	assert_int_equal(policy_init(&policy, &arena), 0);
	sources_parse(&sources, &policy);
	sources_add_critical(world, &arena, &sources, &policy);
	check_string("rules", describe_rules(&policy),
		     "bind 10ee:* profile=a @/etc/earlybind.conf:2:6\n"
		     "critical path=0000:00:1d.0/00.0+144d:a808 allow @" RECORDED
		     ":1:10\n");
	assert_int_equal(sources_encode(&sources, &policy, &arena, &section, &length), 0);
	assert_int_equal(table_decode(section, sizeof(*section), &text), 0);
	assert_int_equal(policy_init(&policy, &arena), 0);
	config_parse(&policy, SOURCE_TABLE, TEXT(""), text);
	/* The section of the file before does not go on. */
	check_string("rules", describe_rules(&policy),
		     "bind 10ee:* profile=a @/etc/earlybind.conf:2\n"
		     "critical path=0000:00:1d.0/00.0+144d:a808 allow @" RECORDED ":1\n");
	assert_true(rule_is_recorded(&policy.rules[1]));
	check_text("cut", sources_cut_recorded(text),
		   "#: /etc/earlybind.conf:1\n[profile a]\n"
		   "#: /etc/earlybind.conf:2\nbind 10ee:*\n");
	check_text("cut", sources_cut_recorded(TEXT("")), "");
	world_close(world);
	test_arena_free(&arena);
	tree_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
