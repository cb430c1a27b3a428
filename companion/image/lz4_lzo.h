/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two formats of blocks whose frames the kernel reads by itself: LZ4's legacy frame and
 * lzop. Memory of the block is given by the caller.
 */
#pragma once

#include "compiler.h"
#include "text.h"

/* lib/decompress_unlz4.c: LZ4_DEFAULT_UNCOMPRESSED_CHUNK_SIZE */
#define LZ4_BLOCK_SIZE ((size_t)8 * 1024 * 1024)
/* lib/decompress_unlzo.c: LZO_BLOCK_SIZE */
#define LZO_BLOCK_SIZE ((size_t)256 * 1024)

/*
 * Decode the block at @used of @bytes into @block, which has room for one; 0 and a length of 0
 * at the end. @used moves on. The head of a stream counts as part of its first block: @used
 * is 0 there. -EBADMSG with a sentence.
 */
int lz4_block(struct text bytes, size_t *used, char *block, size_t *ret_length,
	      const char **ret_message) must_check nonnull(2, 3, 4, 5);
int lzo_block(struct text bytes, size_t *used, char *block, size_t *ret_length,
	      const char **ret_message) must_check nonnull(2, 3, 4, 5);
