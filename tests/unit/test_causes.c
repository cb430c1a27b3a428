/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a device is not bound, or is of no use: each cause of docs/causes.md once, in a whole run
 * over the fake machine. What counts is the sentence, in the log and in the report.
 */
#include "test.h"

#include "fake_check.h"

#define CARD   "0000:01:00.0"
#define IDS    "vfio-pci.ids=10ee:5000"
#define TABLES "firmware/acpi/tables/"

static struct fake_device *card(struct fake_world *w)
{
	return fake_find_device(&w->bus, CARD);
}

static void grab(struct fake_world *w)
{
	fake_give(w, CARD, "xclmgmt");
}

static void put(struct fake_world *w, enum world_root root, const char *path,
		const char *text)
{
	fake_put_file(w, root, path, text_of(text));
}

/* ---- the IOMMU is off ---- */

static void turn_off(struct fake_world *w)
{
	grab(w);
	w->is_without_iommu = true;
}

static void put_dmar(struct fake_world *w, char flags)
{
	char table[48] = "DMAR";

	table[37] = flags;
	fake_put_file(w, WORLD_SYS, TABLES "DMAR", (struct text){table, sizeof(table)});
}

static void have_dmar(struct fake_world *w)
{
	turn_off(w);
	put_dmar(w, 1);
}

static void have_ivrs(struct fake_world *w)
{
	turn_off(w);
	put(w, WORLD_SYS, TABLES "IVRS", "IVRS");
}

static void have_no_table(struct fake_world *w)
{
	turn_off(w);
	put(w, WORLD_SYS, TABLES "FACP", "FACP");
}

static void have_no_intel_table(struct fake_world *w)
{
	have_no_table(w);
	put(w, WORLD_PROC, "cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\n");
}

static void have_no_amd_table(struct fake_world *w)
{
	have_no_table(w);
	put(w, WORLD_PROC, "cpuinfo", "processor\t: 0\nvendor_id\t: AuthenticAMD\n");
}

static void have_arm(struct fake_world *w)
{
	turn_off(w);
	put(w, WORLD_PROC, "cpuinfo", "processor\t: 0\nCPU implementer\t: 0x41\n");
}

static void have_arm_table(struct fake_world *w)
{
	have_arm(w);
	put(w, WORLD_SYS, TABLES "IORT", "IORT");
}

static void have_power(struct fake_world *w)
{
	turn_off(w);
	put(w, WORLD_PROC, "cpuinfo", "processor\t: 0\ncpu\t\t: POWER9 (raw)\n");
}

static void have_riscv(struct fake_world *w)
{
	have_no_table(w);
	put(w, WORLD_PROC, "cpuinfo", "processor\t: 0\nhart\t\t: 2\n");
}

#define GUEST "vendor_id\t: GenuineIntel\nflags\t\t: fpu vme hypervisor lahf_lm\n"

static void be_guest(struct fake_world *w)
{
	have_no_table(w);
	put(w, WORLD_PROC, "cpuinfo", GUEST);
}

static void be_guest_with_iommu(struct fake_world *w)
{
	have_dmar(w);
	put(w, WORLD_PROC, "cpuinfo", GUEST);
}

static void be_arm_guest(struct fake_world *w)
{
	have_arm(w);
	put(w, WORLD_SYS, "class/dmi/id/product_name", "KVM Virtual Machine\n");
}

static void be_arm_guest_by_device_tree(struct fake_world *w)
{
	have_arm(w);
	put(w, WORLD_SYS, "firmware/devicetree/base/model", "linux,dummy-virt");
}

static void be_dom0(struct fake_world *w)
{
	be_guest(w);
	put(w, WORLD_SYS, "hypervisor/type", "xen\n");
	put(w, WORLD_SYS, "hypervisor/uuid", "00000000-0000-0000-0000-000000000000\n");
}

static void be_dom0_without_uuid(struct fake_world *w)
{
	turn_off(w);
	put(w, WORLD_SYS, "hypervisor/type", "xen\n");
}

static void be_domu(struct fake_world *w)
{
	be_dom0(w);
	put(w, WORLD_SYS, "hypervisor/uuid", "3d1f26d0-29a1-4c3c-a4f7-0fd9c0a55f1b\n");
}

/* As a capture has it, without the uuid. */
static void be_domu_by_firmware(struct fake_world *w)
{
	be_dom0_without_uuid(w);
	put(w, WORLD_SYS, "class/dmi/id/product_name", "HVM domU\n");
}

/* As of the kernel's driver vmd: the disk's domain is one of its own. */
static void be_behind_vmd(struct fake_world *w)
{
	const struct pci_ids vmd = {.vendor = 0x8086,
				    .device = 0x9a0b,
				    .class = 0x010400},
			     disk = {.vendor = 0x144d,
				     .device = 0xa80a,
				     .class = 0x010802};

	(void)fake_add_device(&w->bus, "0000:00:0e.0", vmd, 3);
	(void)fake_add_device(&w->bus, "10000:e1:00.0", disk, 3);
}

static void have_no_group(struct fake_world *w)
{
	grab(w);
	card(w)->group = FAKE_NO_GROUP;
}

/* ---- interrupts are not remapped ---- */

#define PLAIN	 "            CPU0\n  0:   44   IO-APIC   2-edge      timer\n"
#define REMAPPED "            CPU0\n  0:   44   IR-IO-APIC   2-edge      timer\n"

static void do_not_remap(struct fake_world *w)
{
	put(w, WORLD_PROC, "interrupts", PLAIN);
	put_dmar(w, 0);
}

static void do_not_remap_though_offered(struct fake_world *w)
{
	put(w, WORLD_PROC, "interrupts", PLAIN);
	put_dmar(w, 1);
}

static void have_poor_unit(struct fake_world *w)
{
	put_dmar(w, 1);
	put(w, WORLD_SYS, "class/iommu/dmar0/intel-iommu/ecap", "f00f52\n");
}

static void have_amd(struct fake_world *w)
{
	w->iommu = "ivhd0";
	put(w, WORLD_SYS, TABLES "IVRS", "IVRS");
	put(w, WORLD_PROC, "interrupts", PLAIN);
}

static void remap(struct fake_world *w)
{
	put_dmar(w, 0);
	put(w, WORLD_PROC, "interrupts", REMAPPED);
}

static void have_good_unit(struct fake_world *w)
{
	put_dmar(w, 1);
	put(w, WORLD_SYS, "class/iommu/dmar0/intel-iommu/ecap", "f0105a\n");
}

static void allow_unsafe(struct fake_world *w)
{
	do_not_remap(w);
	put(w, WORLD_SYS, "module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
	    "Y\n");
}

static void deny_unsafe(struct fake_world *w)
{
	do_not_remap(w);
	put(w, WORLD_SYS, "module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
	    "N\n");
}

/* ---- memory of the firmware ---- */

#define REGIONS "kernel/iommu_groups/1/reserved_regions"
#define RMRR \
	"0x000000007d6f6000 0x000000007d711fff direct\n" \
	"0x00000000fee00000 0x00000000feefffff msi\n"

static void have_rmrr(struct fake_world *w)
{
	grab(w);
	put(w, WORLD_SYS, REGIONS, RMRR);
}

static void have_relaxed_rmrr(struct fake_world *w)
{
	put(w, WORLD_SYS, REGIONS,
	    "0x000000007d6f6000 0x000000007d711fff direct-relaxable\n"
	    "0x00000000fee00000 0x00000000feefffff msi\n"
	    "0x000000fd00000000 0x000000ffffffffff reserved\n");
}

static void have_amd_of(struct fake_world *w, const char *release)
{
	have_rmrr(w);
	w->iommu = "ivhd0";
	put(w, WORLD_PROC, "sys/kernel/osrelease", release);
}

static void have_old_amd(struct fake_world *w)
{
	have_amd_of(w, "6.1.0-50-amd64\n");
}

static void have_new_amd(struct fake_world *w)
{
	have_amd_of(w, "6.12.107+deb13-amd64\n");
}

/* ---- the device ---- */

static void be_qat(struct fake_world *w)
{
	card(w)->ids = (struct pci_ids){0x8086, 0x37c8, 0, 0, 0x0b4000};
}

static void be_bridge(struct fake_world *w)
{
	card(w)->has_bus_behind = true;
}

static void have_vfs(struct fake_world *w)
{
	card(w)->vf_count = 2;
}

static void hang(struct fake_world *w)
{
	grab(w);
	card(w)->driver->remove_time = FAKE_FOREVER;
}

static void move_gpu(struct fake_world *w)
{
	fake_find_device(&w->bus, "0000:02:00.0")->group = 50;
	fake_find_device(&w->bus, "0000:02:00.1")->group = 50;
}

/* Somebody has put a FIFO into modprobe.d. */
static void hang_modprobe(struct fake_world *w)
{
	w->modprobe_time = FAKE_FOREVER;
}

static void be_slow(struct fake_world *w)
{
	fake_find_module(w, "vfio_iommu_type1")->time = 20 * FAKE_SECOND;
}

/* ---- modules ---- */

#define FILE "/lib/modules/6.1.0-50-amd64/kernel/drivers/vfio/vfio.ko"

static void miss_module(struct fake_world *w)
{
	grab(w);
	fake_find_module(w, "vfio_pci")->state = MODULE_IS_MISSING;
}

static struct fake_module *break_module(struct fake_world *w, const char *name, int error)
{
	struct fake_module *m = fake_find_module(w, name);

	if (strcmp(name, "vfio_pci") == 0)
		grab(w);
	m->error = error;
	m->file = FILE;
	return m;
}

static void cut_module(struct fake_world *w)
{
	break_module(w, "vfio_pci", -ENOEXEC)->is_damaged = true;
}

static void misbuild_module(struct fake_world *w)
{
	break_module(w, "vfio_pci", -ENOEXEC)->built_for = "6.1.0-49-amd64";
}

/* Its signature is checked first. */
static void misbuild_signed_module(struct fake_world *w)
{
	break_module(w, "vfio_pci", -EKEYREJECTED)->built_for = "6.1.0-49-amd64";
}

static void misfit_module(struct fake_world *w)
{
	(void)break_module(w, "vfio_pci", -ENOEXEC);
}

static void mismatch_symbols(struct fake_world *w)
{
	(void)break_module(w, "vfio_pci", -EINVAL);
}

static void reject_signature(struct fake_world *w)
{
	(void)break_module(w, "vfio_pci", -EKEYREJECTED);
}

static void not_know_key(struct fake_world *w)
{
	(void)break_module(w, "vfio_pci", -ENOKEY);
}

static void damage_signature(struct fake_world *w)
{
	(void)break_module(w, "vfio_pci", -EBADMSG);
}

static void lock_down(struct fake_world *w)
{
	(void)break_module(w, "vfio_pci", -EPERM);
}

static void lengthen_parameter(struct fake_world *w)
{
	(void)break_module(w, "vfio_pci", -ENOSPC);
}

static void build_without_modules(struct fake_world *w)
{
	fake_find_module(w, "vfio_pci")->error = -ENOSYS;
}

static void run_out_of_memory(struct fake_world *w)
{
	(void)break_module(w, "vfio_pci", -ENOMEM);
}

static void break_otherwise(struct fake_world *w)
{
	(void)break_module(w, "vfio_pci", -EIO);
}

static void misbuild_type1(struct fake_world *w)
{
	break_module(w, "vfio_iommu_type1", -ENOEXEC)->built_for = "6.1.0-49-amd64";
}

/* ---- all of them ---- */

struct cause {
	const char *name;
	void (*change)(struct fake_world *w); /* NULL for none */
	const char *cmdline; /* NULL: a very long one, see below */
	const char *address; /* NULL: the sentence is not of a device */
	const char *reason; /* of the device; "" where it is bound */
	const char *sentence; /* "" for none: nothing is wrong */
};

#define OFF	 "the IOMMU is off: "
#define NO_VM	 "bound, but no VM can use it: "
#define UNMAPPED NO_VM "interrupts are not remapped: "
#define REMEDY \
	"; for guests that you trust, vfio_iommu_type1.allow_unsafe_interrupts=1 is enough"
#define IN_GUEST \
	"this VM has none, and nothing inside it turns one on: its host must give it a " \
	"virtual IOMMU\""
#define MODULE "the module vfio_pci could not be loaded: "

static const struct cause causes[] = {
	{"cause-iommu-firmware", have_no_table, IDS, CARD, "iommu-off",
	 OFF
	 "the firmware offers none (no ACPI table DMAR, IVRS, IORT or VIOT): enable VT-d "
	 "or AMD-Vi in its setup; a VM must be given one by its host"},
	{"cause-iommu-firmware-intel", have_no_intel_table, IDS, CARD, "iommu-off",
	 OFF
	 "the firmware offers none (no ACPI table DMAR): enable VT-d in its setup and add "
	 "intel_iommu=on to the kernel command line"},
	{"cause-iommu-firmware-intel-asked", have_no_intel_table, "intel_iommu=on " IDS,
	 CARD, "iommu-off",
	 OFF "the firmware offers none (no ACPI table DMAR): enable VT-d in its setup\""},
	{"cause-iommu-firmware-amd", have_no_amd_table, IDS, CARD, "iommu-off",
	 OFF
	 "the firmware offers none (no ACPI table IVRS): enable AMD-Vi, mostly called "
	 "IOMMU, in its setup"},
	{"cause-iommu-unasked", have_dmar, IDS, CARD, "iommu-off",
	 OFF "the firmware offers VT-d, but this kernel leaves it off unless asked: add "
	     "intel_iommu=on to the kernel command line"},
	{"cause-iommu-unasked-igfx", have_dmar, "intel_iommu=igfx_off iommu=pt " IDS,
	 CARD, "iommu-off",
	 OFF "the firmware offers VT-d, but this kernel leaves it off"},
	{"cause-iommu-cmdline-intel", have_dmar, "intel_iommu=on,off " IDS, CARD,
	 "iommu-off",
	 OFF "intel_iommu=off is on the kernel command line: write intel_iommu=on in its "
	     "place"},
	{"cause-iommu-cmdline-any", have_dmar, "intel_iommu=on iommu=pt,off " IDS, CARD,
	 "iommu-off", OFF "iommu=off is on the kernel command line: remove it\""},
	{"cause-iommu-cmdline-acpi", have_no_intel_table, "acpi=off " IDS, CARD,
	 "iommu-off",
	 OFF "acpi=off is on the kernel command line: remove it and add intel_iommu=on"},
	{"cause-iommu-cmdline-amd", have_ivrs, "amd_iommu=off " IDS, CARD, "iommu-off",
	 OFF "amd_iommu=off is on the kernel command line: remove it\""},
	{"cause-iommu-kernel", have_ivrs, "iommu=pt intel_iommu=off " IDS, CARD,
	 "iommu-off",
	 OFF
	 "the firmware offers AMD-Vi (ACPI table IVRS), but the kernel did not start it: "
	 "see AMD-Vi in its log, or boot a kernel that has its driver"},
	{"cause-iommu-kernel-asked", have_dmar, "intel_iommu=off intel_iommu=on " IDS,
	 CARD, "iommu-off",
	 OFF
	 "the firmware offers VT-d (ACPI table DMAR), but the kernel did not start it"},
	{"cause-iommu-behind-end", have_dmar, IDS " -- intel_iommu=off", CARD,
	 "iommu-off", OFF "the firmware offers VT-d, but this kernel leaves it off"},
	{"cause-iommu-arm", have_arm, IDS, CARD, "iommu-off",
	 OFF
	 "the kernel started none: the device tree describes none for PCI, as on many "
	 "boards, or the kernel lacks its driver; no parameter helps\""},
	{"cause-iommu-arm-words", have_arm, "iommu=off intel_iommu=off acpi=off " IDS,
	 CARD, "iommu-off",
	 OFF "the kernel started none: the device tree describes none"},
	{"cause-iommu-arm-table", have_arm_table, IDS, CARD, "iommu-off",
	 OFF
	 "the kernel started none: see smmu in its log; the firmware's table IORT may "
	 "describe none\""},
	{"cause-iommu-power", have_power, IDS, CARD, "iommu-off",
	 OFF "the kernel started none: the device tree describes none for PCI"},
	{"cause-iommu-riscv", have_riscv, IDS, CARD, "iommu-off",
	 OFF "the firmware describes none, and no parameter turns one on\""},
	{"cause-iommu-guest", be_guest, "intel_iommu=off " IDS, CARD, "iommu-off",
	 OFF IN_GUEST},
	{"cause-iommu-guest-offered", be_guest_with_iommu, IDS, CARD, "iommu-off",
	 OFF "the firmware offers VT-d, but this kernel leaves it off unless asked: add "
	     "intel_iommu=on to the kernel command line"},
	{"cause-iommu-guest-arm", be_arm_guest, IDS, CARD, "iommu-off", OFF IN_GUEST},
	{"cause-iommu-guest-device-tree", be_arm_guest_by_device_tree, IDS, CARD,
	 "iommu-off", OFF IN_GUEST},
	{"cause-iommu-domu", be_domu, IDS, CARD, "iommu-off", OFF IN_GUEST},
	{"cause-iommu-domu-firmware", be_domu_by_firmware, IDS, CARD, "iommu-off",
	 OFF IN_GUEST},
	{"cause-iommu-dom0", be_dom0, "intel_iommu=off " IDS, CARD, "iommu-off",
	 OFF
	 "Xen has it, and vfio cannot work in dom0: write driver=xen-pciback into the "
	 "rule\""},
	{"cause-iommu-dom0-type", be_dom0_without_uuid, IDS, CARD, "iommu-off",
	 OFF "Xen has it, and vfio cannot work in dom0"},
	{"cause-iommu-unknown", turn_off, IDS, CARD, "iommu-off",
	 OFF "enable VT-d or AMD-Vi in the firmware, and on an Intel processor add "
	     "intel_iommu=on to the kernel command line"},
	{"cause-no-group", have_no_group, IDS, CARD, "no-iommu-group",
	 "the IOMMU is on but does not cover this device: use a slot that it covers, if the "
	 "machine has one"},

	{"cause-remapping-firmware", do_not_remap, "intel_iommu=on " IDS, NULL, "",
	 UNMAPPED
	 "the firmware does not offer it (ACPI table DMAR): enable interrupt remapping or "
	 "x2APIC in its setup" REMEDY},
	{"cause-remapping-unit", have_poor_unit, IDS, NULL, "",
	 UNMAPPED "the firmware does not offer it (ACPI table DMAR)"},
	{"cause-remapping-cmdline", do_not_remap_though_offered,
	 "intremap=nosid,off " IDS, NULL, "",
	 UNMAPPED "remove intremap=off from the kernel command line" REMEDY},
	{"cause-remapping-nointremap", do_not_remap_though_offered, "nointremap " IDS,
	 NULL, "", UNMAPPED "remove nointremap from the kernel command line" REMEDY},
	{"cause-remapping-kernel", have_amd, IDS, NULL, "",
	 UNMAPPED
	 "the kernel did not turn it on: see \\\"remapping\\\" in its log, an update "
	 "of the firmware may help" REMEDY},
	{"cause-remapping-denied", deny_unsafe,
	 "vfio_iommu_type1.allow_unsafe_interrupts=1 " IDS, NULL, "", UNMAPPED},
	{"fine-remapping", remap, "intremap=off intremap=on " IDS, CARD, "", ""},
	{"fine-remapping-unit", have_good_unit, IDS, CARD, "", ""},
	{"fine-remapping-allowed", allow_unsafe, IDS, CARD, "", ""},
	{"fine-remapping-allowed-cmdline", do_not_remap,
	 "vfio_iommu_type1.allow_unsafe_interrupts " IDS, CARD, "", ""},

	{"cause-rmrr", have_rmrr, IDS, CARD, "rmrr",
	 "the firmware reserves memory in its IOMMU group (RMRR, 0x000000007d6f6000 to "
	 "0x000000007d711fff), so no VM can have it: in the firmware's setup exclude its slot or "
	 "disable what uses the memory, or use another slot"},
	{"cause-rmrr-amd", have_new_amd, IDS, CARD, "rmrr",
	 "the firmware reserves memory"},
	{"fine-rmrr-old-amd", have_old_amd, IDS, CARD, "", ""},
	{"fine-rmrr-relaxed", have_relaxed_rmrr, IDS, CARD, "", ""},

	{"cause-denylisted", be_qat, "rd.earlybind.bind=01:00.0", CARD, "denylisted",
	 "vfio-pci refuses this model because a guest could crash the machine with it: add "
	 "vfio-pci.disable_denylist=1 only for a guest that you trust"},
	{"cause-bridge", be_bridge, IDS, CARD, "bridge",
	 "it is a bridge, which stays with the host: name other devices"},
	{"cause-vmd", be_behind_vmd, "rd.earlybind.bind=10000:e1:00.0", "10000:e1:00.0",
	 "behind-vmd",
	 "it is behind the VMD controller 0000:00:0e.0 and goes with it: name the "
	 "controller, or disable VMD in the firmware's setup"},
	{"cause-has-vfs", have_vfs, IDS, CARD, "has-vfs",
	 "its virtual functions exist (2 of them): name those instead, or write 0 to its "
	 "sriov_numvfs"},
	{"cause-identity", NULL, "rd.earlybind.bind=01:00.0+10de:2489", CARD,
	 "identity-mismatch",
	 "another device sits in this place: 10ee:5000 is there now; a 10de:2489 is at "
	 "0000:02:00.0; correct the rule"},
	{"cause-missing", NULL, "rd.earlybind.bind=05:00.0", NULL, "",
	 "no such device is present: look it up with \"earlybind list\", or mark the rule "
	 "optional"},
	{"cause-group", NULL, IDS, NULL, "",
	 NO_VM
	 "0000:01:00.1, 0000:02:00.0 and 0000:02:00.1 in the same IOMMU group must leave "
	 "the host too, or the card needs a slot of its own group"},
	{"cause-management", NULL, "rd.earlybind.bind=10ee:5001", NULL, "",
	 NO_VM
	 "0000:01:00.0, the card's management function (as well as 0000:02:00.0 and "
	 "0000:02:00.1), is in the same IOMMU group and stays with the host: bind it as well "
	 "(with=functions or with=group), or, if the card's functions have ACS, use a slot whose port has it too"},
	{"cause-management-alone", move_gpu, "rd.earlybind.bind=10ee:5001", NULL, "",
	 NO_VM
	 "0000:01:00.0, the card's management function, is in the same IOMMU group and "
	 "stays with the host: "},
	{"cause-stuck", hang, IDS " rd.earlybind.recovery_timeout=2", CARD, "stuck",
	 "the kernel did not come back from unbind: the device is not touched again, and a "
	 "reboot may hang"},
	{"cause-deadline", hang_modprobe, IDS, CARD, "timeout",
	 "the time limit passed before its turn: raise rd.earlybind.timeout=, or find in the "
	 "log above what was slow"},
	{"cause-module-late", be_slow, IDS, CARD, "module-failed",
	 MODULE
	 "vfio_pci was not loaded when the time was up: raise rd.earlybind.timeout=, or "
	 "find what is slow in the kernel log"},

	{"cause-module-missing", miss_module, IDS, CARD, "no-vfio",
	 "the module vfio_pci is not in this image for the running kernel: rebuild it with "
	 "update-initramfs -u -k all or dracut --regenerate-all --force"},
	{"cause-module-damaged", cut_module, IDS, CARD, "module-failed",
	 MODULE FILE " is damaged: reinstall the kernel's package and rebuild the image"},
	{"cause-module-version", misbuild_module, IDS, CARD, "module-failed",
	 MODULE FILE
	 " is built for kernel 6.1.0-49-amd64, and another one runs: rebuild the "
	 "image with update-initramfs -u -k all or dracut --regenerate-all --force"},
	{"cause-module-version-signed", misbuild_signed_module, IDS, CARD,
	 "module-failed",
	 MODULE FILE " is built for kernel 6.1.0-49-amd64, and another one runs"},
	{"cause-module-misfit", misfit_module, IDS, CARD, "module-failed",
	 MODULE FILE " does not fit the kernel that runs (ENOEXEC): rebuild the image"},
	{"cause-module-symbols", mismatch_symbols, IDS, CARD, "module-failed",
	 MODULE
	 "the kernel refuses " FILE " (EINVAL): it is of another build of the kernel, or "
	 "an option of modprobe.d is wrong: see the kernel log and rebuild the image"},
	{"cause-module-signature", reject_signature, IDS, CARD, "module-failed",
	 MODULE "the kernel rejects the signature of " FILE " (EKEYREJECTED): use the "
		"distribution's module, or enroll your key with mokutil --import"},
	{"cause-module-key", not_know_key, IDS, CARD, "module-failed",
	 MODULE FILE
	 " is signed with a key that the kernel does not know (ENOKEY): use the "
	 "distribution's module, or enroll your key with mokutil --import"},
	{"cause-module-bad-signature", damage_signature, IDS, CARD, "module-failed",
	 MODULE "the signature of " FILE " is damaged (EBADMSG): reinstall the kernel's "
		"package and rebuild the image"},
	{"cause-module-lockdown", lock_down, IDS, CARD, "module-failed",
	 MODULE "the kernel may not load " FILE
		" (EPERM): it is locked down and the file is "
		"not signed, or kernel.modules_disabled is set: use a signed module"},
	{"cause-module-parameter", lengthen_parameter, IDS, CARD, "module-failed",
	 MODULE "a parameter of " FILE
		" is longer than the kernel takes (ENOSPC): shorten the "
		"options of modprobe.d and of the command line"},
	{"cause-module-memory", run_out_of_memory, IDS, CARD, "module-failed",
	 MODULE "there is no memory for " FILE " (ENOMEM): the machine is short of it"},
	{"cause-module-none", build_without_modules, IDS, CARD, "module-failed",
	 MODULE "the kernel that runs loads no modules, and vfio_pci is no part of it "
		"(ENOSYS): boot a kernel that has it"},
	{"cause-module-other", break_otherwise, IDS, CARD, "module-failed",
	 MODULE FILE
	 ": input/output error (EIO): see the kernel log and rebuild the image"},
	{"cause-module-type1", misbuild_type1, IDS, NULL, "",
	 "the module vfio_iommu_type1 could not be loaded: " FILE " is built for kernel "
	 "6.1.0-49-amd64"},

	{"cause-ids-too-long", NULL, NULL, NULL, "",
	 "vfio-pci refuses ids= of more than 1023 characters: its module is loaded without "
	 "them"},
	{"cause-cmdline-cut", NULL, NULL, NULL, "",
	 "the command line is as long as the kernel allows and may have been cut here: check "
	 "the last ID"},
	{"cause-cmdline-bootconfig", NULL, NULL, NULL, "",
	 "bootconfig made the command line longer than a boot loader's may be, which may have "
	 "been cut here: check the last ID"},
};

/* A command line of so many characters, most of them in ids=. */
static char *long_line(const char *name)
{
	size_t n = strcmp(name, "cause-ids-too-long") == 0  ? 1200
		   : strcmp(name, "cause-cmdline-cut") == 0 ? 2047
							    : 3000;
	char *line = malloc(n + 1);

	assert_non_null(line);
	memset(line, ',', n);
	memcpy(line, IDS, strlen(IDS));
	memcpy(line + n - 9, "10ee:5001", 9);
	line[n] = '\0';
	return line;
}

/* The report has quotes around a sentence, and escapes those in it; the log has neither. */
static const char *strip(const char *text, char *buf, size_t size)
{
	size_t used = 0;

	for (; *text && used + 1 < size; text++)
		if (*text != '"' && *text != '\\')
			buf[used++] = *text;
	buf[used] = '\0';
	return buf;
}

static void try(const struct cause *c)
{
	struct fake_world *w = fake_new();
	char *line = c->cmdline ? NULL : long_line(c->name);
	struct fake_boot boot;
	const char *message;

	fake_load_machine(w, "alveo", false);
	w->cmdline = line ? line : c->cmdline;
	if (c->change)
		c->change(w);
	fake_boot(w, NULL, &boot);
	message = fake_check(w, &boot);
	if (message)
		fail_msg("%s: %s\n%s%s", c->name, message, w->trace, w->log);
	if (c->sentence[0] != '\0') {
		char log[FAKE_LOG_SIZE], sentence[512];

		check_contains(c->name, strip(w->log, log, sizeof(log)),
			       strip(c->sentence, sentence, sizeof(sentence)));
	} else {
		check_true(c->name, !strstr(w->log, "no VM can use it: interrupts"));
		check_true(c->name, !strstr(w->log, "RMRR"));
	}
	if (c->address) {
		const struct outcome *o = fake_outcome(&boot, c->address);

		assert_non_null(o);
		check_string(c->name, reason_word(o->reason), c->reason);
		if (c->reason[0] != '\0')
			check_contains(c->name, w->report, c->sentence);
	}
	fake_boot_free(&boot);
	fake_free(w);
	free(line);
}

static void test_causes(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++)
		try(&causes[i]);
}

/* Where the machine as a whole cannot bind, nobody loses a driver. */
static void test_nothing_is_unbound(void **state unused)
{
	static void (*const machines[])(struct fake_world *) = {
		turn_off, have_rmrr, miss_module, cut_module, reject_signature};

	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		struct fake_world *w = fake_new();
		struct fake_boot boot;

		fake_load_machine(w, "alveo", false);
		w->cmdline = IDS;
		machines[i](w);
		fake_boot(w, NULL, &boot);
		check_true(w->trace, !strstr(w->trace, "unbind"));
		check_string(w->trace, fake_driver_of(card(w)), "xclmgmt");
		fake_boot_free(&boot);
		fake_free(w);
	}
}

/* The report says so of each group, whether something else is wrong with it or not. */
static void test_group_reasons(void **state unused)
{
	struct fake_world *w = fake_new();
	struct fake_boot boot;

	fake_load_machine(w, "alveo-acs", false);
	w->cmdline = IDS;
	do_not_remap(w);
	fake_boot(w, NULL, &boot);
	assert_int_equal(boot.run.report.group_count, 1);
	assert_true(boot.run.report.groups[0].group.is_viable ||
		    boot.run.report.groups[0].group.blocker_count > 0);
	check_contains("report", w->report, "\"reason\": \"");
	fake_boot_free(&boot);
	fake_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_nothing_is_unbound),
		cmocka_unit_test(test_group_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
