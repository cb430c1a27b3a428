/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this kind of machine needs for its IOMMU, for all commands: the parameter, if there is
 * one, and whether anything can be done at all. The causes are those of iommu.h.
 */
#pragma once

#include <stdbool.h>

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

/* The parameter that spares the host's own devices the IOMMU; NULL if it is of no use. */
const char *iommu_passthrough(const struct iommu *iommu) nonnull(1);

/* What else keeps it off than a missing parameter; NULL if nothing does. */
const char *iommu_obstacle(const struct iommu *iommu, struct arena *arena) nonnull(1, 2);

/* Whether nothing can be done about an IOMMU that is off, from within this system. */
bool iommu_is_hopeless(const struct iommu *iommu) nonnull(1);

/*
 * The next step while it is off, without a full stop: for a rule that wants vfio, or for the
 * device at @address, which no rule names.
 */
const char *iommu_next(const struct iommu *iommu, const char *address,
		       struct arena *arena) nonnull(1, 3);
