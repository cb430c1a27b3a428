/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a machine's IOMMU needs on the kernel command line. */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "iommu.h"

/* "Intel" */
const char *iommu_maker_name(enum iommu_maker maker);

/*
 * The parameter that @iommu needs, whatever stands on the command line; NULL for none, and
 * then *ret_why says why.
 */
const char *iommu_parameter(const struct iommu *iommu, const char **ret_why)
	nonnull(1, 2);

/* What else keeps it off than a missing parameter; NULL if nothing does. */
const char *iommu_obstacle(const struct iommu *iommu, struct arena *arena) nonnull(1, 2);
