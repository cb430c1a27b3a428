/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A unified kernel image: a program of EFI (PE) whose sections are a kernel, its initramfs and
 * its command line (systemd-stub(7)).
 */
#pragma once

#include <stdbool.h>

#include "compiler.h"
#include "text.h"

#define UKI_SECTIONS_MAX 96 /* as Windows and EFI allow */

/* Views of the file; p is NULL for a section that is not there. The first of a name counts. */
struct uki {
	struct text linux_image, initrd, cmdline, uname, ucode;
};

/* Whether @bytes begin as a program of EFI does: a kernel with its stub does, too. */
bool uki_is_program(struct text bytes);

/* -EBADMSG with a sentence in @ret_message if it is damaged. */
int uki_parse(struct text bytes, struct uki *ret, const char **ret_message) must_check
	nonnull(2, 3);
