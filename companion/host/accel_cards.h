/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What only people want to know of the accelerator table: names of cards, and what groups are. */
#pragma once

#include "compiler.h"

/* "Alveo U200": the entry is of accel_find(). */
const char *accel_card_name(int entry);

/* "AMD Instinct": what is in the group; NULL behind the last. */
const char *accel_group_description(unsigned group);
