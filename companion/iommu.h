/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a machine's IOMMU needs on the kernel command line. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"
#include "world.h"

enum iommu_maker {
	IOMMU_UNKNOWN,
	IOMMU_INTEL,
	IOMMU_AMD,
	IOMMU_ARM,
};

struct iommu {
	enum iommu_maker maker;
	bool has_table; /* of the firmware: DMAR, IVRS or IORT */
	bool is_table_known; /* the firmware's tables can be looked at */
	bool is_on; /* the kernel has an IOMMU at work */
};

void iommu_read(struct world *world, struct arena *arena, struct iommu *ret)
	nonnull(1, 2, 3);

/* "Intel" */
const char *iommu_maker_name(enum iommu_maker maker);

/*
 * The parameter that @iommu needs, whatever stands on the command line; NULL for none, and
 * then *ret_why says why.
 */
const char *iommu_parameter(const struct iommu *iommu, const char **ret_why)
	nonnull(1, 2);

/* What else keeps it off, though @cmdline has the parameter; NULL if nothing does. */
const char *iommu_obstacle(const struct iommu *iommu, struct text cmdline) nonnull(1);
