/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes into the table behind the configuration: of the machine that the image is made on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

struct recorded {
	struct text lines; /* as in earlybind.conf(5) */
	size_t count; /* of them */
	const char *why; /* why there is none, or not all; or NULL */
	bool is_left_out; /* since the table has no room for them */
};

#define NOT_THIS_MACHINE \
	"this is not the machine that the image is for: / is not on a disk of it (a container, " \
	"a chroot or a live system)"
