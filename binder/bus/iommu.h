/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine's IOMMU: whether it is on, and if not, who keeps it off; whether it remaps
 * interrupts; what memory the firmware keeps for itself. Read once, then only judged.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"
#include "world.h"

#define SYSFS_IOMMU_GROUPS "kernel/iommu_groups"

enum iommu_maker {
	IOMMU_UNKNOWN,
	IOMMU_INTEL,
	IOMMU_AMD,
	IOMMU_ARM,
	IOMMU_OTHER, /* of POWER, RISC-V, s390: no parameter turns it on */
};

/* Where this kernel runs, as far as it decides who has the IOMMU. Looked at while it is off. */
enum iommu_place {
	IOMMU_PLACE_MACHINE, /* or it cannot be told */
	IOMMU_PLACE_GUEST,
	IOMMU_PLACE_DOM0, /* Xen's: the hypervisor has the IOMMU */
};

enum iommu_remapping {
	REMAPPING_UNKNOWN,
	REMAPPING_ON,
	REMAPPING_OFF,
};

/* What describes an IOMMU among the ACPI tables of the firmware. */
struct iommu_table {
	const char *name; /* "DMAR" */
	const char *what; /* "VT-d" */
	enum iommu_maker maker;
	const char *log; /* how the kernel's lines about it begin */
	const char *config; /* the kernel's option for its driver */
};

struct iommu {
	bool is_on;
	bool is_intel; /* at work: a unit of Intel's is registered */
	bool is_table_known; /* the firmware's tables can be looked at */
	bool is_asked; /* intel_iommu=on is on the command line */
	bool is_unsafe; /* vfio_iommu_type1 was told to do without remapping */
	enum iommu_maker maker; /* by the firmware's table, or of the processor */
	enum iommu_place place;
	const struct iommu_table *table; /* of the firmware; NULL if there is none */
	const char *off; /* what keeps it off on the command line, or NULL */

	enum iommu_remapping remapping; /* unknown while it is off */
	const char *remapping_off; /* what keeps that off on the command line, or NULL */
	bool is_remapping_offered; /* by Intel's table, and by every unit */
};

/* Why it is off. */
enum iommu_cause {
	IOMMU_CAUSE_UNKNOWN, /* nothing can be told */
	IOMMU_CAUSE_DOM0, /* the hypervisor has it */
	IOMMU_CAUSE_GUEST, /* the host gave this VM none */
	IOMMU_CAUSE_CMDLINE, /* a word on the command line */
	IOMMU_CAUSE_FIRMWARE, /* the firmware describes none */
	IOMMU_CAUSE_UNASKED, /* Intel's, which most kernels leave off unless asked */
	IOMMU_CAUSE_KERNEL, /* the kernel did not start it */
};

/*
 * Reads what the kernel, the firmware's tables and the running command line say. @arena is
 * used for a moment only. What cannot be read is unknown.
 */
void iommu_read(struct world *world, struct arena *arena, struct iommu *ret)
	nonnull(1, 2, 3);

/* Reads is_unsafe anew: the module's own word, once it is loaded. */
void iommu_read_unsafe(struct world *world, struct iommu *iommu) nonnull(1, 2);

enum iommu_cause iommu_cause(const struct iommu *iommu) nonnull(1);

/* The cause and what to do about it, behind "the IOMMU is off: ". */
const char *iommu_explain(const struct iommu *iommu, enum iommu_cause cause,
			  struct arena *arena) nonnull(1, 3);

/* The same for the cause that is found. */
const char *iommu_why_off(const struct iommu *iommu, struct arena *arena) nonnull(1, 2);

/* Whether vfio refuses every device to a VM because interrupts are not remapped. */
bool iommu_is_interrupt_unsafe(const struct iommu *iommu) nonnull(1);

/* Why they are not, and what to do about it, behind "interrupts are not remapped: ". */
const char *iommu_why_not_remapped(const struct iommu *iommu) nonnull(1);

/*
 * The memory that the firmware wants mapped as it is for a device of the group (RMRR), as
 * "0x... to 0x...", if that keeps the group from every VM; NULL if there is none. On Intel
 * always (intel/iommu.c: device_is_rmrr_locked()), elsewhere since Linux 6.6 (iommu.c:
 * require_direct). Memory of USB controllers and displays is "direct-relaxable" and is fine.
 */
const char *iommu_find_direct(struct world *world, const struct iommu *iommu, int group,
			      struct arena *arena) nonnull(1, 2, 4);

/* The first region of type direct in the text of the attribute reserved_regions. */
bool regions_find_direct(struct text regions, struct text *ret_start,
			 struct text *ret_end) nonnull(2, 3);
