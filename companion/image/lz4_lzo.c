/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lz4_lzo.h"

#include <errno.h>
#include <lz4.h>
#include <lzo/lzo1x.h>
#include <stdint.h>
#include <string.h>

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

int lz4_block(struct text bytes, size_t *used, char *block, size_t *ret_length,
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

int lzo_block(struct text bytes, size_t *used, char *block, size_t *ret_length,
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
