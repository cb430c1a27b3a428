/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IOMMU and interrupt remapping: whether they are on, and if not, who keeps them off. */
#include <errno.h>
#include <string.h>

#include "doctor.h"
#include "files.h"
#include "message.h"
#include "paths.h"

#define TABLES	   "firmware/acpi/tables"
#define IOMMUS	   "class/iommu"
#define GROUPS	   "kernel/iommu_groups"
#define CONFIG_MAX ((size_t)1024 * 1024)

/* What the firmware's table says is there. */
static const struct iommu {
	const char *table, *name;
	const char *config; /* of its driver */
	const char *
		default_on; /* the option that turns it on without a parameter, or NULL */
	const char *on; /* the parameter that turns it on, or NULL */
} iommus[] = {
	{"DMAR", "VT-d", "CONFIG_INTEL_IOMMU", "CONFIG_INTEL_IOMMU_DEFAULT_ON",
	 "intel_iommu"},
	{"IVRS", "AMD-Vi", "CONFIG_AMD_IOMMU", NULL, NULL},
	{"IORT", "an SMMU", "CONFIG_ARM_SMMU_V3", NULL, NULL},
	{"VIOT", "virtio-iommu", "CONFIG_VIRTIO_IOMMU", NULL, NULL},
};

static int see_table(void *arg, const char *name)
{
	const struct iommu **found = arg;

	for (size_t i = 0; i < ARRAY_SIZE(iommus); i++)
		if (strcmp(name, iommus[i].table) == 0)
			*found = &iommus[i];
	return 0;
}

/* How the setup of this processor's maker calls it. */
static const char *name_in_setup(struct doctor *d)
{
	struct text cpu;

	if (doctor_read(d, WORLD_PROC, "cpuinfo", &cpu) == 0) {
		if (memmem(cpu.p, cpu.n, "GenuineIntel", 12))
			return "VT-d (\"Intel Virtualization for Directed I/O\")";
		if (memmem(cpu.p, cpu.n, "AuthenticAMD", 12))
			return "AMD-Vi (mostly called \"IOMMU\")";
		if (memmem(cpu.p, cpu.n, "CPU implementer", 15))
			return "the SMMU";
	}
	return "VT-d (Intel), AMD-Vi, mostly called IOMMU (AMD), or the SMMU (ARM)";
}

/* 'y', 'm' or 'n' for an option of the running kernel; 0 if that cannot be told. */
static char kernel_option(struct doctor *d, const char *option)
{
	static const char *const places[][2] = {{BOOT_PATH "/config-", ""},
						{MODULES_PATH "/", "/config"}};
	struct text config = {NULL, 0}, line;
	size_t n = strlen(option);

	for (size_t i = 0; d->running && !config.p && i < ARRAY_SIZE(places); i++) {
		const char *path =
			doctor_print(d, "%s%s%s%s", d->sysroot ? d->sysroot : "",
				     places[i][0], d->running, places[i][1]);

		if (file_read(path, d->arena, CONFIG_MAX, &config, NULL) < 0)
			config.p = NULL;
	}
	if (!config.p)
		return 0;
	while (text_cut(&config, '\n', &line))
		if (line.n > n + 1 && memcmp(line.p, option, n) == 0 && line.p[n] == '=')
			return line.p[n + 1];
	return 'n';
}

/* The parameter of the running command line that keeps it off, or NULL. */
static const char *find_off(const struct doctor *d)
{
	/* intel/iommu.c: intel_iommu_setup(), amd/init.c: parse_amd_iommu_options(),
	 * arch/x86/kernel/pci-dma.c: iommu_setup() */
	static const struct {
		const char *name, *value, *shown;
	} offs[] = {
		{"intel_iommu", "off", "intel_iommu=off"},
		{"amd_iommu", "off", "amd_iommu=off"},
		{"iommu", "off", "iommu=off"},
		{"acpi", "off", "acpi=off"},
	};
	struct text value;

	for (size_t i = 0; i < ARRAY_SIZE(offs); i++)
		if (doctor_parameter(d, offs[i].name, &value) &&
		    list_has(value, offs[i].value))
			return offs[i].shown;
	return NULL;
}

/* The firmware has it and the kernel does not use it. */
static void say_unused(struct doctor *d, const struct iommu *iommu)
{
	const char *release = d->running ? d->running : "that runs";
	struct text value;

	if (kernel_option(d, iommu->config) == 'n')
		doctor_say(
			d, FINDING_FAIL,
			"the firmware offers %s, but kernel %s is built without its driver "
			"(%s): boot another kernel",
			iommu->name, release, iommu->config);
	else if (iommu->on &&
		 !(doctor_parameter(d, iommu->on, &value) && list_has(value, "on")) &&
		 kernel_option(d, iommu->default_on) != 'y')
		doctor_say(
			d, FINDING_FAIL,
			"the firmware offers %s, but this kernel leaves it off: add %s=on "
			"to the kernel command line (\"earlybind cmdline\" knows where) and "
			"reboot",
			iommu->name, iommu->on);
	else
		doctor_say(
			d, FINDING_FAIL,
			"the firmware offers %s (ACPI table %s), but the kernel made no "
			"use of it: its log says why (journalctl -k -g %s); an update of "
			"the firmware may help",
			iommu->name, iommu->table,
			strcmp(iommu->table, "DMAR") == 0 ? "DMAR" : "IOMMU");
}

static void say_off(struct doctor *d)
{
	const struct iommu *iommu = NULL;
	const char *off = find_off(d);
	int r = d->world->ops->list(d->world, WORLD_SYS, TABLES, see_table, &iommu);

	if (d->run.policy.has_noiommu)
		doctor_say(
			d, FINDING_NOTE,
			"vfio's no-IOMMU mode was asked for: devices can write to all of "
			"the memory");
	if (off)
		doctor_say(
			d, FINDING_FAIL,
			"it is off: %s is on the kernel command line: take that away and "
			"reboot",
			off);
	else if (iommu)
		say_unused(d, iommu);
	else if (r >= 0)
		doctor_say(
			d, FINDING_FAIL,
			"the firmware offers none (there is no ACPI table DMAR, IVRS, IORT "
			"or VIOT): enable %s in its setup; a VM must be given one by its "
			"host",
			name_in_setup(d));
	else
		doctor_say(
			d, FINDING_FAIL,
			"it is off, and without ACPI tables nobody can tell why: enable %s "
			"in the firmware, and on Intel add intel_iommu=on to the kernel "
			"command line",
			name_in_setup(d));
}

void doctor_iommu(struct doctor *d)
{
	const char *names = "";
	int count = doctor_list(d, WORLD_SYS, IOMMUS, &names);
	int groups = doctor_list(d, WORLD_SYS, GROUPS, NULL);

	if (groups > 0)
		doctor_say(d, FINDING_PASS, "it is on%s%s: %d group%s",
			   count > 0 ? ": " : "", names, groups, plural((size_t)groups));
	else if (groups == -EACCES)
		doctor_say(d, FINDING_UNKNOWN,
			   "its groups cannot be read: run this as root");
	else if (count > 0)
		doctor_say(
			d, FINDING_FAIL,
			"%s is there, but no device is in a group of it: see the kernel's "
			"log (journalctl -k -g -i iommu)",
			names);
	else
		say_off(d);
}

/* ---- interrupt remapping ----------------------------------------------------------------- */

static bool contains(struct text t, const char *word)
{
	return t.n > 0 && memmem(t.p, t.n, word, strlen(word));
}

static bool is_yes(struct doctor *d, const char *path)
{
	struct text t;

	return doctor_read(d, WORLD_SYS, path, &t) == 0 &&
	       (text_is(t, "Y") || text_is(t, "1"));
}

/*
 * From the names of interrupt controllers: "IR-PCI-MSI" where the IOMMU remaps
 * (drivers/iommu/intel/irq_remapping.c, amd/iommu.c), "ITS-PCI-MSI" on ARM.
 */
static int read_interrupts(struct doctor *d)
{
	struct text t;

	if (doctor_read(d, WORLD_PROC, "interrupts", &t) < 0)
		return -ENOENT;
	if (contains(t, " IR-") || contains(t, "ITS-"))
		return 1;
	return contains(t, "IO-APIC") || contains(t, "PCI-MSI") ? 0 : -ENOENT;
}

/* DMAR: struct acpi_table_dmar has its flags at byte 37, INTR_REMAP is bit 0. */
static int read_dmar(struct doctor *d)
{
	struct text t;

	if (doctor_read(d, WORLD_SYS, TABLES "/DMAR", &t) < 0 || t.n < 38)
		return -ENOENT;
	return t.p[37] & 1;
}

static void say_not_remapped(struct doctor *d, const char *why)
{
	doctor_say(
		d, FINDING_FAIL,
		"interrupts are not remapped (%s), and vfio refuses every device then: "
		"enable x2APIC or interrupt remapping in the firmware, or, only for "
		"guests that you trust, add vfio_iommu_type1.allow_unsafe_interrupts=1",
		why);
}

void doctor_interrupts(struct doctor *d)
{
	bool is_unsafe =
		is_yes(d, "module/vfio_iommu_type1/parameters/allow_unsafe_interrupts");
	int seen = read_interrupts(d), dmar = read_dmar(d);
	struct text value;

	/* Without an IOMMU there is nothing to say. */
	if (doctor_list(d, WORLD_SYS, GROUPS, NULL) <= 0)
		return;
	if (seen == 1) {
		doctor_say(d, FINDING_PASS, "they are remapped");
	} else if (is_unsafe) {
		doctor_say(
			d, FINDING_NOTE,
			"vfio_iommu_type1.allow_unsafe_interrupts=1 is set: a guest can "
			"raise any interrupt of the host");
		return;
	} else if (doctor_parameter(d, "nointremap", &value) ||
		   (doctor_parameter(d, "intremap", &value) && list_has(value, "off"))) {
		doctor_say(
			d, FINDING_FAIL,
			"the kernel command line turns remapping off: take intremap=off or "
			"nointremap away");
		return;
	} else if (seen == 0) {
		say_not_remapped(d, dmar == 0 ? "the firmware's table DMAR says so"
					      : "/proc/interrupts shows it");
		return;
	} else if (dmar == 0) {
		say_not_remapped(d, "the firmware's table DMAR says so");
		return;
	} else if (dmar == 1) {
		doctor_say(d, FINDING_PASS, "the firmware offers remapping");
	} else {
		doctor_say(d, FINDING_UNKNOWN,
			   "whether they are remapped: neither /proc/interrupts nor the "
			   "firmware's table can be read; run this as root");
	}
	if (is_unsafe)
		doctor_say(
			d, FINDING_NOTE,
			"vfio_iommu_type1.allow_unsafe_interrupts=1 is not needed here: "
			"take it away");
}
