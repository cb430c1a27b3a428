/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical slots: what /sys/bus/pci/slots calls the place that a card is plugged into. The
 * kernel has them where a hot-plug driver or the firmware registered them.
 */
#pragma once

#include <stdbool.h>

#include "compiler.h"
#include "text.h"

#define SLOT_NAME_MAX 63

/*
 * A name that a rule can say: printable ASCII but blanks, quotation marks, ',', '+', ';' and
 * '/'. -EINVAL with position and reason. *ret is a view of @t.
 */
int slot_parse(struct text t, struct text *ret, struct parse_error *reterr) must_check
	nonnull(2, 3);

/* Whether @name is one of @names, which are joined by '/' (a name in sysfs has none). */
bool slot_has_name(const char *names, struct text name) nonnull(1);
