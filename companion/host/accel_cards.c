/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "accel_cards.h"

#include <stddef.h>

/* The lists of mk/accel.awk. */
#define ACCEL_LEAF(...)
#define ACCEL_SUB(...)
#define ACCEL_VENDOR(...)

static const char *const names[] = {
#define ACCEL_GROUP(...)
#define ACCEL_ENTRY(device, subsystem, leaf, name) name,
#include "accel.inc"
#undef ACCEL_GROUP
#undef ACCEL_ENTRY
};

static const char *const descriptions[] = {
#define ACCEL_ENTRY(...)
#define ACCEL_GROUP(name, leaves, description) description,
#include "accel.inc"
};

const char *accel_card_name(int entry)
{
	return entry >= 0 && (size_t)entry < ARRAY_SIZE(names) ? names[entry] : "";
}

const char *accel_group_description(unsigned group)
{
	return group < ARRAY_SIZE(descriptions) ? descriptions[group] : NULL;
}
