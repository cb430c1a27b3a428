/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the rest of the machine from waiting for a driver that is in its remove().
 *
 * An unbind holds the device's lock until remove() is done, and some files of the device wait
 * for that lock when they are read: "uevent" since 6.1.93 (drivers/base/core.c: uevent_show()),
 * "driver_override" before 7.0. udev reads the former of every device, and journald of every
 * device that a line of the kernel log is about: where remove() never returns, a boot would
 * end there. So during an unbind other files are mounted over these two. Those of a device
 * that the kernel is stuck with stay; they move to the real root with /sys.
 */
#pragma once

#include "compiler.h"
#include "steps.h"

/* What cannot be covered is not: the device is unbound all the same. */
void cover_device(struct steps *s, const struct outcome *o) nonnull(1, 2);
void uncover_device(struct steps *s, const struct outcome *o) nonnull(1, 2);
