/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules for udev that call the binder for devices that appear after it ran. */
#pragma once

#include "compiler.h"
#include "policy.h"

#define UDEV_RULES_NAME \
	"00-earlybind.rules" /* in front of what loads modules: 80-drivers */
#define UDEV_RULES_SIZE ((size_t)64 * 1024)

/*
 * Writes rules into @buf that run "binder --device" for every PCI function that an active
 * bind rule of @policy may name, and for few others: the binder decides. Nothing but
 * formatted numbers is taken over. What does not fit is replaced by one rule for all
 * functions. Returns the length, or -E2BIG if @size does not even hold that.
 */
int udev_rules_write(const struct policy *policy, char *buf, size_t size) must_check
	nonnull(1, 2);
