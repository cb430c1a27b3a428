/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decompress.h"

#include <bzlib.h>
#include <errno.h>
#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* lib/decompress_unlz4.c: LZ4_DEFAULT_UNCOMPRESSED_CHUNK_SIZE */
#define LZ4_BLOCK_SIZE ((size_t)8 * 1024 * 1024)
/* lib/decompress_unlzo.c: LZO_BLOCK_SIZE */
#define LZO_BLOCK_SIZE ((size_t)256 * 1024)

#define LZ4_MAGIC 0x184c2102u

/* lib/decompress_unlzo.c: parse_header() */
static const uint8_t lzop_magic[] = {0x89, 0x4c, 0x5a, 0x4f, 0x00,
				     0x0d, 0x0a, 0x1a, 0x0a};
#define LZOP_VERSION_LEVEL 0x0940 /* from here on there is a level, and a longer time */
#define LZOP_HAS_FILTER	   0x00000800u

static const char cut[] = "it ends too early";
static const char damaged[] = "it is damaged";

static int fail(const char **ret_message, const char *message)
{
	*ret_message = message;
	return -EBADMSG;
}

static uint32_t get_le32(const char *p)
{
	const uint8_t *b = (const uint8_t *)p;

	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
	       (uint32_t)b[3] << 24;
}

static uint32_t get_be32(const char *p)
{
	return __builtin_bswap32(get_le32(p));
}

/* Moves on to the next chunk: 0, or 1 at the end of the stream. */
static int lz4_head(struct text bytes, size_t *used, uint32_t *ret_size,
		    const char **ret_message)
{
	for (;;) {
		uint32_t size;

		if (bytes.n - *used < 4)
			return 1;
		size = get_le32(bytes.p + *used);
		if (*used == 0 && size != LZ4_MAGIC)
			return fail(ret_message, damaged);
		/* A stream that follows directly belongs to this one; NULs end it. */
		if (size != LZ4_MAGIC && size == 0)
			return 1;
		*used += 4;
		if (size == LZ4_MAGIC)
			continue;
		if (size > bytes.n - *used)
			return fail(
				ret_message,
				"a block is longer than what is left: it is cut, or "
				"something was appended without NUL bytes in between, "
				"which LZ4 needs");
		*ret_size = size;
		return 0;
	}
}

/*
 * Decode the block at @used of @bytes into @block, which has room for one; 0 and a length of 0
 * at the end. @used moves on. The head of a stream counts as part of its first block: @used
 * is 0 there. -EBADMSG with a sentence.
 */
static int lz4_block(struct text bytes, size_t *used, char *block, size_t *ret_length,
		     const char **ret_message)
{
	uint32_t size = 0;
	int r, n;

	r = lz4_head(bytes, used, &size, ret_message);
	if (r < 0)
		return r;
	*ret_length = 0;
	if (r > 0)
		return 0;
	n = size > INT32_MAX ? -1
			     : LZ4_decompress_safe(bytes.p + *used, block, (int)size,
						   (int)LZ4_BLOCK_SIZE);
	/* A block of nothing would end the stream for our caller, but not for the kernel. */
	if (n <= 0)
		return fail(ret_message, damaged);
	*used += size;
	*ret_length = (size_t)n;
	return 0;
}

static int lzo_head(struct text bytes, size_t *used, const char **ret_message)
{
	const size_t fixed = sizeof(lzop_magic) + 7;
	size_t at = fixed;
	bool has_level;

	if (bytes.n < fixed)
		return fail(ret_message, cut);
	if (memcmp(bytes.p, lzop_magic, sizeof(lzop_magic)) != 0)
		return fail(ret_message, damaged);
	has_level = get_be32(bytes.p + sizeof(lzop_magic)) >> 16 >= LZOP_VERSION_LEVEL;
	at += has_level;
	if (bytes.n < at + 4)
		return fail(ret_message, cut);
	at += get_be32(bytes.p + at) & LZOP_HAS_FILTER ? 8 : 4;
	at += has_level ? 12 : 8; /* mode and time */
	if (bytes.n <= at)
		return fail(ret_message, cut);
	at += 1 + (size_t)(uint8_t)bytes.p[at] + 4; /* name and checksum */
	if (bytes.n < at)
		return fail(ret_message, cut);
	*used = at;
	return 0;
}

/*
 * Decode the block at @used of @bytes into @block, which has room for one; 0 and a length of 0
 * at the end. @used moves on. The head of a stream counts as part of its first block: @used
 * is 0 there. -EBADMSG with a sentence.
 */
static int lzo_block(struct text bytes, size_t *used, char *block, size_t *ret_length,
		     const char **ret_message)
{
	uint32_t length, size;
	lzo_uint got;
	int r;

	if (*used == 0) {
		r = lzo_head(bytes, used, ret_message);
		if (r < 0)
			return r;
	}
	if (bytes.n - *used < 4)
		return fail(ret_message, cut);
	length = get_be32(bytes.p + *used);
	if (length == 0) {
		*used += 4;
		*ret_length = 0;
		return 0;
	}
	if (bytes.n - *used < 12)
		return fail(ret_message, cut);
	size = get_be32(bytes.p + *used + 4);
	if (length > LZO_BLOCK_SIZE || size == 0 || size > length)
		return fail(ret_message, damaged);
	*used += 12;
	if (size > bytes.n - *used)
		return fail(ret_message, cut);
	got = length;
	if (size == length)
		memcpy(block, bytes.p + *used, size);
	else if (lzo1x_decompress_safe((const uint8_t *)bytes.p + *used, size,
				       (uint8_t *)block, &got, NULL) != LZO_E_OK ||
		 got != length)
		return fail(ret_message, damaged);
	*used += size;
	*ret_length = length;
	return 0;
}

#define PIECE_SIZE ((size_t)256 * 1024)
/* Dictionaries; xz -9 needs 64 MiB. */
#define MEMORY_MAX (UINT64_C(256) * 1024 * 1024)
/* What the older interfaces take at a time: their counts have 32 bits. */
#define INPUT_MAX ((size_t)1 << 30)

struct decompressor {
	const struct format *format;
	struct text bytes;
	size_t used;
	bool is_ended;
	char *piece;
	union {
		z_stream zlib;
		bz_stream bzip2;
		lzma_stream lzma;
		ZSTD_DStream *zstd;
	} state;
};

/* What an attempt came to. */
enum outcome {
	OUTCOME_MORE,
	OUTCOME_END,
	OUTCOME_DAMAGED,
	OUTCOME_MEMORY, /* its dictionary is larger than MEMORY_MAX */
	OUTCOME_CHECK, /* an integrity check that the kernel does not know */
};

struct format {
	const char *name;
	uint8_t magic[2];
	size_t piece_size;
	bool (*open)(struct decompressor *d);
	/* Fills @piece_size bytes at most: *ret of them. */
	enum outcome (*next)(struct decompressor *d, size_t *ret);
	void (*close)(struct decompressor *d);
	/* In place of @next. */
	int (*block)(struct text bytes, size_t *used, char *block, size_t *ret_length,
		     const char **ret_message);
};

/* ---- gzip -------------------------------------------------------------------------------- */

static bool open_gzip(struct decompressor *d)
{
	return inflateInit2(&d->state.zlib, 16 + MAX_WBITS) == Z_OK;
}

static enum outcome next_gzip(struct decompressor *d, size_t *ret)
{
	z_stream *z = &d->state.zlib;
	const unsigned given = (unsigned)MIN(d->bytes.n - d->used, INPUT_MAX);
	int r;

	z->next_in = (z_const Bytef *)d->bytes.p + d->used;
	z->avail_in = given;
	z->next_out = (Bytef *)d->piece;
	z->avail_out = (unsigned)PIECE_SIZE;
	r = inflate(z, Z_NO_FLUSH);
	d->used += given - z->avail_in;
	*ret = PIECE_SIZE - z->avail_out;
	if (r == Z_STREAM_END)
		return OUTCOME_END;
	return r == Z_OK || r == Z_BUF_ERROR ? OUTCOME_MORE : OUTCOME_DAMAGED;
}

static void close_gzip(struct decompressor *d)
{
	inflateEnd(&d->state.zlib);
}

/* ---- bzip2 ------------------------------------------------------------------------------- */

static bool open_bzip2(struct decompressor *d)
{
	return BZ2_bzDecompressInit(&d->state.bzip2, 0, 0) == BZ_OK;
}

static enum outcome next_bzip2(struct decompressor *d, size_t *ret)
{
	bz_stream *b = &d->state.bzip2;
	const unsigned given = (unsigned)MIN(d->bytes.n - d->used, INPUT_MAX);
	int r;

	b->next_in = (char *)d->bytes.p + d->used;
	b->avail_in = given;
	b->next_out = d->piece;
	b->avail_out = (unsigned)PIECE_SIZE;
	r = BZ2_bzDecompress(b);
	d->used += given - b->avail_in;
	*ret = PIECE_SIZE - b->avail_out;
	if (r == BZ_STREAM_END)
		return OUTCOME_END;
	return r == BZ_OK ? OUTCOME_MORE : OUTCOME_DAMAGED;
}

static void close_bzip2(struct decompressor *d)
{
	BZ2_bzDecompressEnd(&d->state.bzip2);
}

/* ---- lzma and xz ------------------------------------------------------------------------- */

static bool open_lzma(struct decompressor *d)
{
	return lzma_alone_decoder(&d->state.lzma, MEMORY_MAX) == LZMA_OK;
}

static bool open_xz(struct decompressor *d)
{
	return lzma_stream_decoder(&d->state.lzma, MEMORY_MAX, 0) == LZMA_OK;
}

/* The kernel's decoder has CRC-32 only (Documentation/staging/xz.rst). */
static bool has_kernel_check(const struct decompressor *d)
{
	return d->bytes.n < 8 || d->bytes.p[7] == LZMA_CHECK_NONE ||
	       d->bytes.p[7] == LZMA_CHECK_CRC32;
}

static enum outcome next_lzma(struct decompressor *d, size_t *ret)
{
	lzma_stream *l = &d->state.lzma;
	lzma_ret r;

	l->next_in = (const uint8_t *)d->bytes.p + d->used;
	l->avail_in = d->bytes.n - d->used;
	l->next_out = (uint8_t *)d->piece;
	l->avail_out = PIECE_SIZE;
	r = lzma_code(l, LZMA_RUN);
	d->used = d->bytes.n - l->avail_in;
	*ret = PIECE_SIZE - l->avail_out;
	if (r == LZMA_STREAM_END)
		return OUTCOME_END;
	if (r == LZMA_MEMLIMIT_ERROR || r == LZMA_MEM_ERROR)
		return OUTCOME_MEMORY;
	return r == LZMA_OK || r == LZMA_BUF_ERROR ? OUTCOME_MORE : OUTCOME_DAMAGED;
}

static enum outcome next_xz(struct decompressor *d, size_t *ret)
{
	return has_kernel_check(d) ? next_lzma(d, ret) : OUTCOME_CHECK;
}

static void close_lzma(struct decompressor *d)
{
	lzma_end(&d->state.lzma);
}

/* ---- zstd -------------------------------------------------------------------------------- */

/* Windows beyond 128 MiB are refused, as by the kernel (lib/decompress_unzstd.c). */
static bool open_zstd(struct decompressor *d)
{
	d->state.zstd = ZSTD_createDStream();
	return d->state.zstd != NULL;
}

static enum outcome next_zstd(struct decompressor *d, size_t *ret)
{
	ZSTD_inBuffer in = {d->bytes.p, d->bytes.n, d->used};
	ZSTD_outBuffer out = {d->piece, PIECE_SIZE, 0};
	size_t r = ZSTD_decompressStream(d->state.zstd, &out, &in);

	d->used = in.pos;
	*ret = out.pos;
	if (ZSTD_isError(r))
		return OUTCOME_DAMAGED;
	return r == 0 ? OUTCOME_END : OUTCOME_MORE;
}

static void close_zstd(struct decompressor *d)
{
	ZSTD_freeDStream(d->state.zstd);
}

/* ------------------------------------------------------------------------------------------ */

static const struct format formats[] = {
	[COMPRESSION_NONE] = {.name = "cpio"},
	[COMPRESSION_GZIP] = {.name = "gzip",
			      .magic = {0x1f, 0x8b},
			      .piece_size = PIECE_SIZE,
			      .open = open_gzip,
			      .next = next_gzip,
			      .close = close_gzip},
	[COMPRESSION_BZIP2] = {.name = "bzip2",
			       .magic = {0x42, 0x5a},
			       .piece_size = PIECE_SIZE,
			       .open = open_bzip2,
			       .next = next_bzip2,
			       .close = close_bzip2},
	[COMPRESSION_LZMA] = {.name = "lzma",
			      .magic = {0x5d, 0x00},
			      .piece_size = PIECE_SIZE,
			      .open = open_lzma,
			      .next = next_lzma,
			      .close = close_lzma},
	[COMPRESSION_XZ] = {.name = "xz",
			    .magic = {0xfd, 0x37},
			    .piece_size = PIECE_SIZE,
			    .open = open_xz,
			    .next = next_xz,
			    .close = close_lzma},
	[COMPRESSION_LZO] = {.name = "lzo",
			     .magic = {0x89, 0x4c},
			     .piece_size = LZO_BLOCK_SIZE,
			     .block = lzo_block},
	[COMPRESSION_LZ4] = {.name = "lz4",
			     .magic = {0x02, 0x21},
			     .piece_size = LZ4_BLOCK_SIZE,
			     .block = lz4_block},
	[COMPRESSION_ZSTD] = {.name = "zstd",
			      .magic = {0x28, 0xb5},
			      .piece_size = PIECE_SIZE,
			      .open = open_zstd,
			      .next = next_zstd,
			      .close = close_zstd},
};

const char *compression_name(enum compression compression)
{
	return formats[compression].name;
}

enum compression compression_of(struct text bytes)
{
	for (size_t i = COMPRESSION_NONE + 1; i < ARRAY_SIZE(formats); i++)
		if (bytes.n >= 2 && (uint8_t)bytes.p[0] == formats[i].magic[0] &&
		    (uint8_t)bytes.p[1] == formats[i].magic[1])
			return (enum compression)i;
	return COMPRESSION_NONE;
}

int decompress_open(enum compression compression, struct text bytes,
		    struct decompressor **ret)
{
	const struct format *format = &formats[compression];
	struct decompressor *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->bytes = bytes;
	d->piece = malloc(format->piece_size);
	if (d->piece && (!format->open || format->open(d))) {
		d->format = format;
		*ret = d;
		return 0;
	}
	free(d->piece);
	free(d);
	return -ENOMEM;
}

static int next_piece(struct decompressor *d, struct text *ret, const char **ret_message)
{
	size_t n = 0, used = d->used;

	switch (d->format->next(d, &n)) {
	case OUTCOME_END:
		d->is_ended = true;
		break;
	case OUTCOME_MORE:
		/* Nothing in, nothing out: it waits for bytes that are not there. */
		if (n == 0 && d->used == used)
			return fail(ret_message, "it ends too early");
		break;
	case OUTCOME_DAMAGED:
		return fail(ret_message, "it is damaged");
	case OUTCOME_MEMORY:
		return fail(ret_message, "its dictionary is too large");
	case OUTCOME_CHECK:
		return fail(ret_message, "the kernel does not know its integrity check: "
					 "compress it with xz --check=crc32");
	}
	*ret = (struct text){d->piece, n};
	return 0;
}

int decompress_next(struct decompressor *decompressor, struct text *ret,
		    const char **ret_message)
{
	struct decompressor *d = decompressor;
	struct text piece = {d->piece, 0};
	int r = 0;

	if (d->format->block)
		r = d->format->block(d->bytes, &d->used, d->piece, &piece.n, ret_message);
	else
		/* A header alone gives nothing yet. */
		while (r == 0 && piece.n == 0 && !d->is_ended)
			r = next_piece(d, &piece, ret_message);
	if (r == 0)
		*ret = piece;
	return r;
}

size_t decompress_used(const struct decompressor *decompressor)
{
	return decompressor->used;
}

void decompress_close(struct decompressor *decompressor)
{
	if (!decompressor)
		return;
	if (decompressor->format->close)
		decompressor->format->close(decompressor);
	free(decompressor->piece);
	free(decompressor);
}
