/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report that was published, read back. */
#pragma once

#include "fake_check.h"

/*
 * NULL, or what is wrong (static): it is no JSON, or says something else about the run, its
 * code, a device or a group than what came of them.
 */
const char *fake_check_report(const struct fake_world *w, const struct fake_boot *boot);
