/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why vfio-pci did not take a device. */
#pragma once

#include "compiler.h"
#include "report.h"
#include "steps.h"

/*
 * Sets the reason for a bind that ended in @error, a negative errno, and returns it. What the
 * errno leaves open is looked up in sysfs: kernels before 5.14 say ENODEV to everything
 * (drivers/base/bus.c: bind_store()).
 */
int explain_refusal(struct steps *s, struct outcome *o, int error) nonnull(1, 2);
