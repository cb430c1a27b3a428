/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decompress.h"

#include <bzlib.h>
#include <errno.h>
#include <lzma.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "lz4_lzo.h"

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

static int fail(const char **ret_message, const char *message)
{
	*ret_message = message;
	return -EBADMSG;
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
