/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For cleanup_with(). */
#pragma once

#include <unistd.h>

static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
