/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IOMMU groups: what keeps one from a VM. */
#pragma once

#include "plan.h"

/*
 * The members of an IOMMU group that keep it from a VM, by the drivers in @inventory and,
 * unless @plan is NULL, by what the plan will make of them. -ENOMEM.
 */
int group_make(const struct inventory *inventory, const struct plan *plan, int id,
	       struct arena *arena, struct plan_group *ret) must_check nonnull(1, 4, 5);

/* A driver that may hold a function of a group that a VM uses. */
bool driver_is_group_friendly(const char *driver) nonnull(1);

/*
 * The addresses of a group's blockers as "A, B and C", or "A, B and 50 more", into @arena; NULL
 * if out of memory.
 */
const char *plan_blockers(const struct plan_group *group, struct arena *arena)
	nonnull(1, 2);
