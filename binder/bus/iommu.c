/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iommu.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel_cmdline.h"

static const struct iommu_table tables[] = {
	{"DMAR", "VT-d", IOMMU_INTEL, "DMAR", "CONFIG_INTEL_IOMMU"},
	{"IVRS", "AMD-Vi", IOMMU_AMD, "AMD-Vi", "CONFIG_AMD_IOMMU"},
	{"IORT", "an SMMU", IOMMU_ARM, "smmu", "CONFIG_ARM_SMMU_V3"},
	{"RIMT", "a RISC-V IOMMU", IOMMU_OTHER, "riscv-iommu", "CONFIG_RISCV_IOMMU"},
	{"VIOT", "a virtio-iommu", IOMMU_UNKNOWN, "iommu", "CONFIG_VIRTIO_IOMMU"},
};

/* NULL: it is of something else. */
static const struct iommu_table *iommu_find_table(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		if (strcmp(name, tables[i].name) == 0)
			return &tables[i];
	return NULL;
}

enum iommu_cause iommu_cause(const struct iommu *i)
{
	if (i->place == IOMMU_PLACE_DOM0)
		return IOMMU_CAUSE_DOM0;
	if (i->place == IOMMU_PLACE_GUEST && !i->table)
		return IOMMU_CAUSE_GUEST;
	if (i->off)
		return IOMMU_CAUSE_CMDLINE;
	if (!i->is_table_known)
		return i->maker == IOMMU_UNKNOWN ||
				       (i->maker == IOMMU_INTEL && !i->is_asked)
			       ? IOMMU_CAUSE_UNKNOWN
			       : IOMMU_CAUSE_KERNEL;
	if (!i->table)
		return IOMMU_CAUSE_FIRMWARE;
	/* intel/iommu.c: dmar_disabled, unless CONFIG_INTEL_IOMMU_DEFAULT_ON */
	if (i->table->maker == IOMMU_INTEL && !i->is_asked)
		return IOMMU_CAUSE_UNASKED;
	return IOMMU_CAUSE_KERNEL;
}

/* The firmware's, or what one of this maker would be. */
static const struct iommu_table *expected_table(const struct iommu *i)
{
	for (size_t k = 0; !i->table && k < ARRAY_SIZE(tables); k++)
		if (tables[k].maker == i->maker)
			return &tables[k];
	return i->table;
}

static const char *explain_firmware(const struct iommu *i)
{
	switch (i->maker) {
	case IOMMU_INTEL:
		return i->is_asked
			       ? "the firmware offers none (no ACPI table DMAR): enable "
				 "VT-d in its setup"
			       : "the firmware offers none (no ACPI table DMAR): enable "
				 "VT-d in its setup and add intel_iommu=on to the "
				 "kernel command line";
	case IOMMU_AMD:
		return "the firmware offers none (no ACPI table IVRS): enable AMD-Vi, mostly "
		       "called IOMMU, in its setup";
	case IOMMU_ARM:
		return "the firmware offers none (no ACPI table IORT): enable the SMMU in "
		       "its setup, if it has one";
	case IOMMU_OTHER:
		return "the firmware describes none, and no parameter turns one on";
	case IOMMU_UNKNOWN:
		break;
	}
	return "the firmware offers none (no ACPI table DMAR, IVRS, IORT or VIOT): enable "
	       "VT-d or AMD-Vi in its setup; a VM must be given one by its host";
}

/* The kernel did not start it. NULL if there is nothing to say of this kind of machine. */
static const char *explain_kernel(const struct iommu *i, struct arena *arena)
{
	const struct iommu_table *table = expected_table(i);

	if (!i->table && (i->maker == IOMMU_ARM || i->maker == IOMMU_OTHER))
		return "the kernel started none: the device tree describes none for PCI, as "
		       "on many boards, or the kernel lacks its driver; no parameter helps";
	if (!table)
		return NULL;
	if (table->maker == IOMMU_ARM)
		return "the kernel started none: see smmu in its log; the firmware's table "
		       "IORT may describe none";
	if (!i->table)
		return arena_printf(
			arena,
			"the kernel started none: see %s in its log, and enable "
			"%s in the firmware's setup",
			table->log, table->what);
	return arena_printf(
		arena,
		"the firmware offers %s (ACPI table %s), but the kernel did not "
		"start it: see %s in its log, or boot a kernel that has its "
		"driver",
		table->what, table->name, table->log);
}

const char *iommu_explain(const struct iommu *i, enum iommu_cause cause,
			  struct arena *arena)
{
	const char *text = NULL;

	switch (cause) {
	case IOMMU_CAUSE_UNKNOWN:
		break;
	case IOMMU_CAUSE_DOM0:
		return "Xen has it, and vfio cannot work in dom0: write "
		       "driver=xen-pciback into the rule";
	case IOMMU_CAUSE_GUEST:
		return "this VM has none, and nothing inside it turns one on: its host must "
		       "give it a virtual IOMMU";
	case IOMMU_CAUSE_CMDLINE:
		text = strcmp(i->off, "intel_iommu=off") == 0
			       ? "intel_iommu=off is on the kernel command line: write "
				 "intel_iommu=on in its place"
			       : arena_printf(arena,
					      "%s is on the kernel command line: remove "
					      "it%s",
					      i->off,
					      i->maker == IOMMU_INTEL && !i->is_asked
						      ? " and add intel_iommu=on"
						      : "");
		break;
	case IOMMU_CAUSE_FIRMWARE:
		return explain_firmware(i);
	case IOMMU_CAUSE_UNASKED:
		return "the firmware offers VT-d, but this kernel leaves it off unless "
		       "asked: add intel_iommu=on to the kernel command line";
	case IOMMU_CAUSE_KERNEL:
		text = explain_kernel(i, arena);
		break;
	}
	return text ? text
		    : "enable VT-d or AMD-Vi in the firmware, and on an Intel processor add "
		      "intel_iommu=on to the kernel command line";
}

const char *iommu_why_off(const struct iommu *iommu, struct arena *arena)
{
	return iommu_explain(iommu, iommu_cause(iommu), arena);
}

bool iommu_is_interrupt_unsafe(const struct iommu *iommu)
{
	return iommu->is_on && iommu->remapping == REMAPPING_OFF && !iommu->is_unsafe;
}

const char *iommu_why_not_remapped(const struct iommu *i)
{
	if (i->remapping_off && strcmp(i->remapping_off, "nointremap") == 0)
		return "remove nointremap from the kernel command line";
	if (i->remapping_off)
		return "remove intremap=off from the kernel command line";
	if (i->is_intel && !i->is_remapping_offered)
		return "the firmware does not offer it (ACPI table DMAR): enable "
		       "interrupt remapping or x2APIC in its setup";
	return "the kernel did not turn it on: see \"remapping\" in its log, an update of "
	       "the firmware may help";
}

#define IOMMUS	     "class/iommu"
#define TABLES	     "firmware/acpi/tables"
#define UNSAFE	     "module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"
#define CPUINFO_MAX  4096 /* the first processor will do */
#define LINE_MAX     ((size_t)40 * 1024) /* of the kernel: policy.c */
#define INTERRUPTS   ((size_t)64 * 1024) /* some lines, on thousands of processors */
#define REGIONS_MAX  4096 /* an attribute has a page */
#define DMAR_FLAGS   37 /* include/acpi/actbl1.h: struct acpi_table_dmar */
#define ECAP_REMAPS  8u /* drivers/iommu/intel/iommu.h: ecap_ir_support() */
#define STRICT_MAJOR 6
#define STRICT_MINOR 6

static bool contains(struct text t, const char *word)
{
	return t.n > 0 && memmem(t.p, t.n, word, strlen(word));
}

/* ---- what is there ------------------------------------------------------------------------- */

struct units {
	struct world *world;
	bool is_any, is_intel, is_arm;
	bool is_remapping_missing; /* a unit of Intel's cannot do it */
};

static int note_unit(void *arg, const char *name)
{
	struct units *u = arg;
	char path[JOB_PATH_SIZE], buf[32];
	uint64_t ecap;
	struct text t;

	u->is_any = true;
	u->is_arm = u->is_arm || text_has_prefix(text_of(name), "smmu");
	if (!text_has_prefix(text_of(name), "dmar"))
		return 0;
	u->is_intel = true;
	snprintf(path, sizeof(path), IOMMUS "/%.64s/intel-iommu/ecap", name);
	if (world_read_text(u->world, WORLD_SYS, path, buf, sizeof(buf), &t) == 0 &&
	    text_hex(t, UINT64_MAX, &ecap) == 0 && !(ecap & ECAP_REMAPS))
		u->is_remapping_missing = true;
	return 0;
}

static int note_table(void *arg, const char *name)
{
	const struct iommu_table **found = arg, *table = iommu_find_table(name);

	if (table)
		*found = table;
	return 0;
}

/* By the first processor: arch/x86/kernel/cpu/proc.c, arch/arm64/kernel/cpuinfo.c. */
static void read_processor(struct world *world, struct iommu *i)
{
	static const struct {
		const char *vendor;
		enum iommu_maker maker;
	} vendors[] = {
		{"GenuineIntel", IOMMU_INTEL}, {"CentaurHauls", IOMMU_INTEL},
		{"Shanghai", IOMMU_INTEL},     {"AuthenticAMD", IOMMU_AMD},
		{"HygonGenuine", IOMMU_AMD},
	};
	char buf[CPUINFO_MAX];
	struct text info = world_read_start(world, WORLD_PROC, "cpuinfo", buf,
					    sizeof(buf)),
		    line, name;
	enum iommu_maker maker = info.n > 0 ? IOMMU_OTHER : IOMMU_UNKNOWN;

	while (text_cut(&info, '\n', &line)) {
		if (!text_cut(&line, ':', &name))
			continue;
		name = text_trim(name);
		if (text_is(name, "CPU implementer"))
			maker = IOMMU_ARM;
		/* cpufeatures.h: X86_FEATURE_HYPERVISOR */
		if (text_is(name, "flags") && contains(line, " hypervisor"))
			i->place = IOMMU_PLACE_GUEST;
		for (size_t k = 0; k < ARRAY_SIZE(vendors); k++)
			if (text_is(name, "vendor_id") &&
			    text_is(text_trim(line), vendors[k].vendor))
				maker = vendors[k].maker;
	}
	if (i->maker == IOMMU_UNKNOWN)
		i->maker = maker;
}

/* Whether the file of sysfs has this word in its beginning. */
static bool says(struct world *world, const char *path, const char *word)
{
	char buf[64];

	return contains(world_read_start(world, WORLD_SYS, path, buf, sizeof(buf)), word);
}

/*
 * drivers/xen/sys-hypervisor.c: the uuid of dom0 is zero; a guest with a firmware is a "HVM domU"
 * by that. dom0 has the processor's flag of a guest, too.
 */
static void read_place(struct world *world, struct iommu *i)
{
	static const char product[] = "class/dmi/id/product_name",
			  uuid[] = "hypervisor/uuid";

	if (says(world, "hypervisor/type", "xen"))
		i->place = says(world, product, "domU") ||
					   (says(world, uuid, "-") &&
					    !says(world, uuid, "00000000-0000-"))
				   ? IOMMU_PLACE_GUEST
				   : IOMMU_PLACE_DOM0;
	/* ARM's: of QEMU, Hyper-V and with a device tree */
	else if (says(world, product, "Virtual Machine") ||
		 says(world, "firmware/devicetree/base/model", "linux,dummy-virt"))
		i->place = IOMMU_PLACE_GUEST;
}

/* ---- the command line ---------------------------------------------------------------------- */

/* Whether one of the parts between commas begins so: the kernel compares no further. */
static bool has_part(struct text list, const char *start)
{
	struct text part;

	while (text_cut(&list, ',', &part))
		if (text_has_prefix(part, start))
			return true;
	return false;
}

/* The last one of "on" and "off" counts. 1, 0, or -1 if there is neither. */
static int read_on_off(struct text list)
{
	struct text part;
	int r = -1;

	while (text_cut(&list, ',', &part))
		r = text_has_prefix(part, "off")  ? 0
		    : text_has_prefix(part, "on") ? 1
						  : r;
	return r;
}

/* What the words that keep something off say by the end of the line. */
struct words {
	bool has_iommu, has_acpi, has_intel, has_amd; /* "=off" */
	bool has_intremap, has_nointremap;
};

/*
 * intel/iommu.c: intel_iommu_setup(), amd/init.c: parse_amd_iommu_options(), irq_remapping.c:
 * setup_irqremap(), arch/x86/kernel/pci-dma.c: iommu_setup(), arch/x86/kernel/acpi/boot.c:
 * parse_acpi(). Their names are compared as those of modules' parameters are.
 */
static void note_arg(struct iommu *i, struct words *w, const struct cmdline_arg *arg)
{
	struct text value = arg->value.p ? arg->value : (struct text){NULL, 0};
	int on_off;

	if (text_is_param(arg->name, "intel_iommu")) {
		on_off = read_on_off(value);
		if (on_off >= 0) {
			i->is_asked = on_off == 1;
			w->has_intel = on_off == 0;
		}
	} else if (text_is_param(arg->name, "amd_iommu")) {
		w->has_amd = w->has_amd || has_part(value, "off");
	} else if (text_is(arg->name, "iommu")) {
		w->has_iommu = w->has_iommu || has_part(value, "off");
	} else if (text_is(arg->name, "acpi")) {
		w->has_acpi = w->has_acpi || text_is(value, "off");
	} else if (text_is(arg->name, "nointremap")) {
		w->has_nointremap = true;
	} else if (text_is(arg->name, "intremap")) {
		on_off = read_on_off(value);
		if (on_off >= 0) {
			w->has_intremap = on_off == 0;
			w->has_nointremap = w->has_nointremap && on_off == 0;
		}
	} else if (text_is_param(arg->name, "vfio_iommu_type1.allow_unsafe_interrupts")) {
		if (cmdline_bool(arg, &i->is_unsafe) < 0)
			i->is_unsafe = false;
	}
}

static void read_words(struct world *world, struct arena *arena, struct iommu *i)
{
	size_t used = arena->used;
	struct text line =
		world_read_arena(world, WORLD_PROC, "cmdline", arena, LINE_MAX);
	struct cmdline_arg arg;
	struct words w = {0};

	if (!line.p)
		return;
	while (cmdline_next(&line, &arg) && !cmdline_is_end(&arg))
		note_arg(i, &w, &arg);
	/* Elsewhere none of these words is known. */
	if (i->maker != IOMMU_ARM && i->maker != IOMMU_OTHER)
		i->off = w.has_iommu				? "iommu=off"
			 : w.has_acpi				? "acpi=off"
			 : w.has_intel && i->maker != IOMMU_AMD ? "intel_iommu=off"
			 : w.has_amd && i->maker != IOMMU_INTEL ? "amd_iommu=off"
								: NULL;
	i->remapping_off = w.has_intremap     ? "intremap=off"
			   : w.has_nointremap ? "nointremap"
					      : NULL;
	arena_rewind(arena, used);
}

/* ---- interrupts ---------------------------------------------------------------------------- */

/*
 * From the names of interrupt controllers: "IR-IO-APIC" where the IOMMU remaps
 * (arch/x86/kernel/apic/io_apic.c: mp_irqdomain_alloc()), "ITS-PCI-MSI" on ARM.
 */
static enum iommu_remapping read_interrupts(struct world *world, struct arena *arena)
{
	size_t used = arena->used;
	struct text t =
		world_read_arena(world, WORLD_PROC, "interrupts", arena, INTERRUPTS);
	enum iommu_remapping r = REMAPPING_UNKNOWN;

	if (!t.p)
		return r;
	if (contains(t, " IR-") || contains(t, " ITS-"))
		r = REMAPPING_ON;
	else if (contains(t, " IO-APIC"))
		r = REMAPPING_OFF;
	arena_rewind(arena, used);
	return r;
}

/* Whether Intel's table offers it: bit 0 of its flags (DMAR_INTR_REMAP). */
static int read_dmar(struct world *world)
{
	char buf[DMAR_FLAGS + 1];
	struct text t =
		world_read_start(world, WORLD_SYS, TABLES "/DMAR", buf, sizeof(buf));

	return t.n == sizeof(buf) ? buf[DMAR_FLAGS] & 1 : -ENOENT;
}

static void read_remapping(struct world *world, struct arena *arena,
			   const struct units *units, struct iommu *i)
{
	int dmar = units->is_intel ? read_dmar(world) : -ENOENT;

	i->is_remapping_offered = dmar == 1 && !units->is_remapping_missing;
	i->remapping = read_interrupts(world, arena);
	if (i->remapping != REMAPPING_UNKNOWN || dmar < 0)
		return;
	/* intel/irq_remapping.c: intel_prepare_irq_remapping() wants it of every unit. */
	i->remapping = i->is_remapping_offered && !i->remapping_off ? REMAPPING_ON
								    : REMAPPING_OFF;
}

void iommu_read_unsafe(struct world *world, struct iommu *iommu)
{
	char buf[16];
	struct text t;

	if (world_read_text(world, WORLD_SYS, UNSAFE, buf, sizeof(buf), &t) == 0)
		iommu->is_unsafe = text_is(t, "Y") || text_is(t, "1");
}

/* ---- all of it ----------------------------------------------------------------------------- */

void iommu_read(struct world *world, struct arena *arena, struct iommu *ret)
{
	struct units units = {.world = world};
	const struct iommu_table *table = NULL;
	struct iommu i = {0};

	(void)world->ops->list(world, WORLD_SYS, IOMMUS, note_unit, &units);
	i.is_intel = units.is_intel;
	i.is_on =
		units.is_any || world_has_entry(world, WORLD_SYS, SYSFS_IOMMU_GROUPS) > 0;
	i.is_table_known =
		world->ops->list(world, WORLD_SYS, TABLES, note_table, &table) >= 0;
	i.table = table;
	if (table)
		i.maker = table->maker;
	/* Not where it can be helped: 5.10 asks every processor for its clock, and waits. */
	if (i.maker == IOMMU_UNKNOWN)
		i.maker = units.is_intel ? IOMMU_INTEL
			  : units.is_arm ? IOMMU_ARM
					 : IOMMU_UNKNOWN;
	if (!i.is_on || i.maker == IOMMU_UNKNOWN)
		read_processor(world, &i);
	if (!i.is_on)
		read_place(world, &i);
	read_words(world, arena, &i);
	if (i.is_on)
		read_remapping(world, arena, &units, &i);
	iommu_read_unsafe(world, &i);
	*ret = i;
}

/* ---- memory of the firmware ---------------------------------------------------------------- */

static bool is_number(struct text t)
{
	uint64_t value;

	return text_has_prefix(t, "0x") &&
	       text_hex((struct text){t.p + 2, t.n - 2}, UINT64_MAX, &value) == 0;
}

bool regions_find_direct(struct text regions, struct text *ret_start,
			 struct text *ret_end)
{
	struct text line, start, end, type;

	while (text_cut(&regions, '\n', &line))
		if (text_word(&line, &start) && text_word(&line, &end) &&
		    text_word(&line, &type) && text_is(type, "direct") &&
		    is_number(start) && is_number(end)) {
			*ret_start = start;
			*ret_end = end;
			return true;
		}
	return false;
}

/* Whether the running kernel is at least STRICT; one that cannot be told is. */
static bool is_strict(struct world *world)
{
	uint64_t major, minor;
	struct text t, part;
	char buf[128];

	if (world_read_text(world, WORLD_PROC, "sys/kernel/osrelease", buf, sizeof(buf),
			    &t) < 0 ||
	    !text_cut(&t, '.', &part) || text_decimal(part, 1000, &major) < 0)
		return true;
	part = t;
	while (part.n > 0 && (part.p[part.n - 1] < '0' || part.p[part.n - 1] > '9'))
		part.n--;
	(void)text_cut(&t, '.', &part);
	return major > STRICT_MAJOR ||
	       (major == STRICT_MAJOR &&
		(text_decimal(part, 1000, &minor) < 0 || minor >= STRICT_MINOR));
}

const char *iommu_find_direct(struct world *world, const struct iommu *iommu, int group,
			      struct arena *arena)
{
	char path[JOB_PATH_SIZE], buf[REGIONS_MAX];
	struct text start, end;

	snprintf(path, sizeof(path), SYSFS_IOMMU_GROUPS "/%d/reserved_regions", group);
	if (!regions_find_direct(
		    world_read_start(world, WORLD_SYS, path, buf, sizeof(buf)), &start,
		    &end) ||
	    (!iommu->is_intel && !is_strict(world)))
		return NULL;
	return arena_printf(arena, "%.*s to %.*s", (int)start.n, start.p, (int)end.n,
			    end.p);
}
