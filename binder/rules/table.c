/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "table.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

static void put_u32(uint8_t at[4], uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get_u32(const uint8_t at[4])
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

static uint32_t checksum(const char *text, size_t n)
{
	return (uint32_t)crc32(crc32(0, NULL, 0), (const unsigned char *)text,
			       (unsigned)n);
}

int table_decode(const void *bytes, size_t n, struct text *ret)
{
	const struct table_section *section = bytes;
	const size_t head = offsetof(struct table_section, text);
	uint32_t length;

	if (n < head || memcmp(section->magic, TABLE_MAGIC, sizeof(section->magic)) != 0)
		return -EBADMSG;
	if (get_u32(section->version) != TABLE_VERSION)
		return -EPROTONOSUPPORT;
	length = get_u32(section->length);
	if (length > n - head || length > get_u32(section->capacity))
		return -EBADMSG;
	if (checksum(section->text, length) != get_u32(section->checksum))
		return -EBADMSG;
	*ret = (struct text){section->text, length};
	return 0;
}

int table_encode(struct text t, struct table_section *ret)
{
	if (t.n > TABLE_CAPACITY)
		return -ENOSPC;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->magic, TABLE_MAGIC, sizeof(ret->magic));
	put_u32(ret->version, TABLE_VERSION);
	put_u32(ret->capacity, TABLE_CAPACITY);
	put_u32(ret->length, (uint32_t)t.n);
	put_u32(ret->checksum, checksum(t.p, t.n));
	if (t.n > 0)
		memcpy(ret->text, t.p, t.n);
	return 0;
}
