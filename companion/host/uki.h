/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A unified kernel image: a program of EFI (PE) whose sections are a kernel, its initramfs and
 * its command line (systemd-stub(7)).
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"

#define UKI_SECTIONS_MAX 96 /* as Windows and EFI allow */

/* Views of the file; p is NULL for a section that is not there. The first of a name counts. */
struct uki {
	struct text linux_image, initrd, cmdline, uname, ucode;
};

/* Whether @bytes begin as a program of EFI does: a kernel with its stub does, too. */
bool uki_is_program(struct text bytes);

/* The texts of a unified kernel image, for who does not unpack it. */
struct uki_texts {
	struct text cmdline, uname; /* p is NULL for a section that is not there */
};

#define UKI_TEXT_MAX ((size_t)64 * 1024) /* of each */

/*
 * The texts of @bytes, read by a confined child (confined.h). -EBADMSG if they are damaged;
 * another -errno if the child came to no end.
 */
int uki_read_texts(struct text bytes, struct arena *arena,
		   struct uki_texts *ret) must_check nonnull(2, 3);

/* -EBADMSG with a sentence in @ret_message if it is damaged. */
int uki_parse(struct text bytes, struct uki *ret, const char **ret_message) must_check
	nonnull(2, 3);
