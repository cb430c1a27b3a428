/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The compressions of initramfs images, as the kernel knows them (lib/decompress.c): one
 * stream after the other, piece by piece.
 */
#pragma once

#include "compiler.h"
#include "text.h"

enum compression {
	COMPRESSION_NONE,
	COMPRESSION_GZIP,
	COMPRESSION_BZIP2,
	COMPRESSION_LZMA,
	COMPRESSION_XZ,
	COMPRESSION_LZO,
	COMPRESSION_LZ4,
	COMPRESSION_ZSTD,
};

struct decompressor;

/* ---- lz4 lzo ---- */

/*
 * The two formats of blocks whose frames the kernel reads by itself: LZ4's legacy frame and
 * lzop. Memory of the block is given by the caller.
 */

const char *compression_name(enum compression compression);

/* By the first two bytes, as decompress_method() does; COMPRESSION_NONE for none. */
enum compression compression_of(struct text bytes);

/* Starts with the stream at the front of @bytes. -ENOMEM. */
int decompress_open(enum compression compression, struct text bytes,
		    struct decompressor **ret) must_check nonnull(3);

/*
 * The next piece, valid until the next call; an empty one at the end of the stream. -EBADMSG:
 * the stream is damaged, cut, or of a kind that the kernel refuses; @ret_message says which.
 */
int decompress_next(struct decompressor *decompressor, struct text *ret,
		    const char **ret_message) must_check nonnull(1, 2, 3);

/* How many bytes of the input were used: at the end, the length of the stream. */
size_t decompress_used(const struct decompressor *decompressor) nonnull(1);

void decompress_close(struct decompressor *decompressor);
