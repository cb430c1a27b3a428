/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "efi_entry.h"

#include <errno.h>
#include <stdint.h>

#include "files.h"

#define VARIABLES    "firmware/efi/efivars/"
#define GLOBAL	     "8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define VARIABLE_MAX ((size_t)16 * 1024)

#define EFIVARFS_SIZE 4 /* attributes of the variable */
#define HEAD_SIZE     6 /* attributes of the entry, and the length of its path */
#define NODE_SIZE     4 /* type, subtype, length */
#define NODE_MEDIA    4
#define MEDIA_DISK    1
#define MEDIA_FILE    4

static struct text skip(struct text t, size_t n)
{
	return (struct text){t.p + n, t.n - n};
}

static size_t put_utf8(char *p, uint32_t c)
{
	if (c < 0x80) {
		p[0] = (char)c;
		return 1;
	}
	/* Half of a pair: no label of a loader has one. */
	if (c >= 0xd800 && c < 0xe000)
		c = '?';
	if (c < 0x800) {
		p[0] = (char)(0xc0 | c >> 6);
		p[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	p[0] = (char)(0xe0 | c >> 12);
	p[1] = (char)(0x80 | (c >> 6 & 0x3f));
	p[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

/* UTF-16 up to its end or a zero; *ret_used is what it takes with that. NULL without memory. */
static const char *read_utf16(struct text t, struct arena *arena, size_t *ret_used)
{
	char *text = arena_alloc(arena, t.n / 2 * 3 + 1, 1), *p = text;
	size_t at = 0;

	for (; text && at + 2 <= t.n; at += 2) {
		uint32_t c = text_le(t, at, 2);

		if (c == 0)
			break;
		p += put_utf8(p, c);
	}
	if (!text)
		return NULL;
	*p = '\0';
	*ret_used = MIN(at + 2, t.n);
	return text;
}

/* The partition and the file, from the nodes of a device path. */
static int read_path(struct text path, struct arena *arena, struct efi_entry *entry)
{
	size_t used;

	while (path.n >= NODE_SIZE) {
		uint32_t type = text_le(path, 0, 1), subtype = text_le(path, 1, 1);
		size_t size = text_le(path, 2, 2);

		if (size < NODE_SIZE || size > path.n)
			return -EBADMSG;
		if (type == NODE_MEDIA && subtype == MEDIA_DISK && size >= NODE_SIZE + 4)
			entry->partition = text_le(path, NODE_SIZE, 4);
		if (type == NODE_MEDIA && subtype == MEDIA_FILE) {
			entry->program = read_utf16(
				(struct text){path.p + NODE_SIZE, size - NODE_SIZE},
				arena, &used);
			if (!entry->program)
				return -ENOMEM;
		}
		path = skip(path, size);
	}
	return 0;
}

int efi_entry_parse(struct text bytes, struct arena *arena, struct efi_entry *ret)
{
	struct efi_entry entry = {.number = ret->number};
	size_t path, used = 0;
	int r;

	if (bytes.n < EFIVARFS_SIZE + HEAD_SIZE)
		return -EBADMSG;
	path = text_le(bytes, EFIVARFS_SIZE + 4, 2);
	bytes = skip(bytes, EFIVARFS_SIZE + HEAD_SIZE);
	entry.label = read_utf16(bytes, arena, &used);
	if (!entry.label)
		return -ENOMEM;
	bytes = skip(bytes, used);
	if (path > bytes.n)
		return -EBADMSG;
	r = read_path((struct text){bytes.p, path}, arena, &entry);
	if (r < 0)
		return r;
	entry.options = read_utf16(skip(bytes, path), arena, &used);
	if (!entry.options)
		return -ENOMEM;
	*ret = entry;
	return 0;
}

int efi_entry_read(struct world *world, struct arena *arena, struct efi_entry *ret)
{
	struct text bytes;
	const char *name;
	int r = file_read_world(world, WORLD_SYS, VARIABLES "BootCurrent-" GLOBAL, arena,
				VARIABLE_MAX, &bytes);

	if (r < 0)
		return r;
	if (bytes.n != EFIVARFS_SIZE + 2)
		return -EBADMSG;
	ret->number = text_le(bytes, EFIVARFS_SIZE, 2);
	name = arena_printf(arena, VARIABLES "Boot%04X-" GLOBAL, ret->number);
	if (!name)
		return -ENOMEM;
	r = file_read_world(world, WORLD_SYS, name, arena, VARIABLE_MAX, &bytes);
	return r < 0 ? r : efi_entry_parse(bytes, arena, ret);
}
