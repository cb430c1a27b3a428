/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An initramfs image: archives of cpio one after the other, plain or compressed, unpacked into
 * a tree by the rules of the kernel (init/initramfs.c: unpack_to_rootfs()).
 */
#pragma once

#include <stdint.h>

#include "arena.h"
#include "compiler.h"
#include "decompress.h"
#include "text.h"
#include "image_tree.h"

#define IMAGE_SIZE_MAX	   ((uint64_t)4 << 30)
#define IMAGE_UNPACKED_MAX ((uint64_t)4 << 30) /* of all streams */
#define IMAGE_SEGMENTS_MAX 256
#define IMAGE_ENTRIES_MAX  ((size_t)4 << 20)

struct image_segment {
	uint64_t offset;
	uint64_t size;
	uint64_t unpacked; /* bytes of cpio */
	enum compression compression;
	size_t entry_count;
};

struct image {
	struct tree tree;
	struct image_segment segments[IMAGE_SEGMENTS_MAX];
	size_t segment_count;
	size_t entry_count;
	/* Where and why the kernel stops; NULL if it comes to the end. */
	const char *message;
	uint64_t error_offset;
};

/*
 * Unpacks @bytes. A damaged image is no error: what comes before the damage is in the tree, as
 * it is for the kernel, and ret->message tells. -ENOMEM.
 */
int image_read(struct text bytes, struct arena *arena, bool (*wants)(const char *path),
	       struct image *ret) must_check nonnull(2, 3, 4);
