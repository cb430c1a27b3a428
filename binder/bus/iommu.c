/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iommu.h"

#include <string.h>

static const struct iommu_table tables[] = {
	{"DMAR", "VT-d", IOMMU_INTEL, "DMAR", "CONFIG_INTEL_IOMMU"},
	{"IVRS", "AMD-Vi", IOMMU_AMD, "AMD-Vi", "CONFIG_AMD_IOMMU"},
	{"IORT", "an SMMU", IOMMU_ARM, "smmu", "CONFIG_ARM_SMMU_V3"},
	{"VIOT", "a virtio-iommu", IOMMU_UNKNOWN, "iommu", "CONFIG_VIRTIO_IOMMU"},
};

const struct iommu_table *iommu_find_table(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		if (strcmp(name, tables[i].name) == 0)
			return &tables[i];
	return NULL;
}

enum iommu_cause iommu_cause(const struct iommu *i)
{
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
	case IOMMU_UNKNOWN:
		break;
	}
	return "the firmware offers none (no ACPI table DMAR, IVRS, IORT or VIOT): enable "
	       "VT-d or AMD-Vi in its setup; a VM must be given one by its host";
}

const char *iommu_explain(const struct iommu *i, enum iommu_cause cause,
			  struct arena *arena)
{
	const struct iommu_table *table = expected_table(i);
	const char *text = NULL;

	switch (cause) {
	case IOMMU_CAUSE_UNKNOWN:
		break;
	case IOMMU_CAUSE_CMDLINE:
		text = strcmp(i->off, "intel_iommu=off") == 0
			       ? "intel_iommu=off is on the kernel command line: write "
				 "intel_iommu=on in its place"
			       : arena_printf(arena,
					      "%s is on the kernel command line: take it "
					      "away%s",
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
		if (table && i->table)
			text = arena_printf(
				arena,
				"the firmware offers %s (ACPI table %s), but the kernel did "
				"not start it: see %s in its log, or boot a kernel that has "
				"its driver",
				table->what, table->name, table->log);
		else if (table)
			text = arena_printf(arena,
					    "the kernel started none: see %s in its log, "
					    "and enable %s in the firmware's setup",
					    table->log, table->what);
		break;
	}
	return text ? text
		    : "add intel_iommu=on (or amd_iommu=on) to the kernel command line and "
		      "enable VT-d/AMD-Vi in the firmware";
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
		return "take nointremap off the kernel command line";
	if (i->remapping_off)
		return "take intremap=off off the kernel command line";
	if (i->is_intel && !i->is_remapping_offered)
		return "the firmware offers it not (ACPI table DMAR): enable interrupt "
		       "remapping or x2APIC in its setup";
	return "the kernel did not turn it on: see \"remapping\" in its log, an update of "
	       "the firmware may help";
}
