/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of an image: an initramfs, or a unified kernel image that has one in it. Whoever
 * made it may mean harm, so a confined child takes it apart (confined.h) and tells what is in
 * it; here the tree is built of that, by the code that builds it of an archive.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "image_read.h"
#include "uki.h"

/*
 * Reads @file. @ret_uki: cmdline and uname are copies, and initrd.p is NULL if the file is no
 * unified kernel image. 0, or -errno with a sentence in @ret_message: nothing could be read.
 */
int image_file_read(const char *file, struct arena *arena,
		    bool (*wants)(const char *path), struct uki *ret_uki,
		    struct image *ret, const char **ret_message) must_check
	nonnull(1, 2, 3, 4, 5, 6);
