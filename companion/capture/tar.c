/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tar.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BLOCK	     TAR_BLOCK
#define SIZE_MAX_TAR 077777777777ull

/* Types of entries. */
#define TYPE_FILE '0'
#define TYPE_LINK '2'
#define TYPE_DIR  '5'
#define TYPE_PAX  'x' /* records about the next entry */

struct header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char target[100];
	char magic[6];
	char version[2];
	char owner[32];
	char group[32];
	char major[8];
	char minor[8];
	char prefix[155];
	char rest[12];
};

_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

/* A field of text needs no NUL where it is full. */
static void set_text(char *field, size_t size, const char *text, size_t n)
{
	memcpy(field, text, n < size ? n : size);
}

static int put_header(struct tar_writer *w, struct header *h, uint64_t size)
{
	const uint8_t *bytes = (const uint8_t *)h;
	unsigned sum = 0;

	snprintf(h->mode, sizeof(h->mode), "%07o",
		 h->type == TYPE_DIR	? 0755u
		 : h->type == TYPE_LINK ? 0777u
					: 0644u);
	snprintf(h->uid, sizeof(h->uid), "%07o", 0u);
	snprintf(h->gid, sizeof(h->gid), "%07o", 0u);
	snprintf(h->size, sizeof(h->size), "%011llo", (unsigned long long)size);
	snprintf(h->mtime, sizeof(h->mtime), "%011o", 0u);
	memcpy(h->magic, "ustar", sizeof(h->magic));
	memcpy(h->version, "00", sizeof(h->version));
	snprintf(h->major, sizeof(h->major), "%07o", 0u);
	snprintf(h->minor, sizeof(h->minor), "%07o", 0u);
	/* The checksum counts itself as blanks. */
	memset(h->checksum, ' ', sizeof(h->checksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += bytes[i];
	snprintf(h->checksum, sizeof(h->checksum), "%06o", sum);
	return w->put(w->arg, (struct text){(const char *)h, sizeof(*h)});
}

static int put_bytes(struct tar_writer *w, struct text bytes)
{
	static const char zeros[BLOCK];
	size_t pad = (BLOCK - bytes.n % BLOCK) % BLOCK;
	int r = bytes.n > 0 ? w->put(w->arg, bytes) : 0;

	return r == 0 && pad > 0 ? w->put(w->arg, (struct text){zeros, pad}) : r;
}

/* "LENGTH KEY=VALUE\n", where the length counts itself. */
static int put_record(struct tar_writer *w, const char *key, const char *value)
{
	size_t n = strlen(key) + strlen(value) + 3, digits = 1;
	struct header h = {.name = "pax", .type = TYPE_PAX};
	char record[PATH_MAX + 64];
	int r, length;

	for (size_t ten = 10; n + digits >= ten; ten *= 10)
		digits++;
	length = snprintf(record, sizeof(record), "%zu %s=%s\n", n + digits, key, value);
	if (length < 0 || (size_t)length >= sizeof(record))
		return -ENAMETOOLONG;
	r = put_header(w, &h, (uint64_t)length);
	return r < 0 ? r : put_bytes(w, (struct text){record, (size_t)length});
}

/* Puts the name into its field, or its two; false if it does not fit. */
static bool set_name(struct header *h, const char *name)
{
	size_t n = strlen(name);

	if (n <= sizeof(h->name)) {
		set_text(h->name, sizeof(h->name), name, n);
		return true;
	}
	/* Split at the first slash behind which the rest fits. */
	for (size_t i = n - sizeof(h->name) - 1; i <= sizeof(h->prefix) && i < n; i++) {
		if (name[i] != '/' || i == 0)
			continue;
		set_text(h->prefix, sizeof(h->prefix), name, i);
		set_text(h->name, sizeof(h->name), name + i + 1, n - i - 1);
		return true;
	}
	return false;
}

static int put(struct tar_writer *w, char type, const char *name, const char *target,
	       struct text bytes)
{
	struct header h = {.type = type};
	size_t n = strlen(name);
	int r = 0;

	if (n == 0 || name[0] == '/' || name[n - 1] == '/')
		return -EINVAL;
	if (n >= PATH_MAX || strlen(target) >= PATH_MAX)
		return -ENAMETOOLONG;
	if (bytes.n > SIZE_MAX_TAR)
		return -EFBIG;
	if (!set_name(&h, name)) {
		set_text(h.name, sizeof(h.name), name, n);
		r = put_record(w, "path", name);
	}
	if (r == 0 && strlen(target) > sizeof(h.target))
		r = put_record(w, "linkpath", target);
	set_text(h.target, sizeof(h.target), target, strlen(target));
	if (r == 0)
		r = put_header(w, &h, bytes.n);
	return r < 0 ? r : put_bytes(w, bytes);
}

int tar_put_dir(struct tar_writer *w, const char *name)
{
	return put(w, TYPE_DIR, name, "", TEXT(""));
}

int tar_put_file(struct tar_writer *w, const char *name, struct text bytes)
{
	return put(w, TYPE_FILE, name, "", bytes);
}

int tar_put_link(struct tar_writer *w, const char *name, const char *target)
{
	return put(w, TYPE_LINK, name, target, TEXT(""));
}

/* Two blocks of zeros. */
int tar_put_end(struct tar_writer *w)
{
	static const char zeros[2 * BLOCK];

	return w->put(w->arg, (struct text){zeros, sizeof(zeros)});
}

/* ---- reading -------------------------------------------------------------------------------- */

/* Octal digits up to a blank or a NUL; -EBADMSG. */
static int get_octal(const char *field, size_t size, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i = 0;

	while (i < size && field[i] >= '0' && field[i] <= '7')
		value = value << 3 | (uint64_t)(field[i++] - '0');
	if (i == 0 || (i < size && field[i] != ' ' && field[i] != '\0'))
		return -EBADMSG;
	*ret = value;
	return 0;
}

static bool has_checksum(const unsigned char *block, const struct header *h)
{
	size_t start = offsetof(struct header, checksum);
	uint64_t want;
	unsigned sum = 0;

	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= start && i < start + sizeof(h->checksum) ? ' ' : block[i];
	return get_octal(h->checksum, sizeof(h->checksum), &want) == 0 && want == sum;
}

int tar_read_header(const unsigned char block[TAR_BLOCK], struct tar_entry *e)
{
	static const unsigned char zeros[BLOCK];
	struct header h;

	if (memcmp(block, zeros, BLOCK) == 0)
		return -ENOENT;
	memcpy(&h, block, sizeof(h));
	if (memcmp(h.magic, "ustar", 5) != 0 || !has_checksum(block, &h) ||
	    get_octal(h.size, sizeof(h.size), &e->size) < 0)
		return -EBADMSG;
	e->is_pax = h.type == TYPE_PAX;
	if (e->is_pax)
		return 0;
	if (h.type != TYPE_FILE && h.type != '\0' && h.type != TYPE_DIR &&
	    h.type != TYPE_LINK)
		return -ENOTSUP;
	e->type = h.type == TYPE_DIR	? TAR_DIR
		  : h.type == TYPE_LINK ? TAR_LINK
					: TAR_FILE;
	/* GNU's magic ends in a blank, and has other things where the prefix is. */
	if (!e->has_name)
		snprintf(e->name, sizeof(e->name), "%.*s%s%.*s",
			 h.magic[5] == '\0' ? (int)sizeof(h.prefix) : 0, h.prefix,
			 h.magic[5] == '\0' && h.prefix[0] != '\0' ? "/" : "",
			 (int)sizeof(h.name), h.name);
	if (!e->has_target)
		snprintf(e->target, sizeof(e->target), "%.*s", (int)sizeof(h.target),
			 h.target);
	return 0;
}

static int set_field(struct text value, char field[PATH_MAX], bool *ret)
{
	if (value.n == 0 || value.n >= PATH_MAX || memchr(value.p, '\0', value.n))
		return -EBADMSG;
	memcpy(field, value.p, value.n);
	field[value.n] = '\0';
	*ret = true;
	return 0;
}

int tar_read_pax(struct text records, struct tar_entry *e)
{
	while (records.n > 0) {
		struct text rest = records, digits, key;
		uint64_t length;
		int r = 0;

		if (!text_cut(&rest, ' ', &digits) ||
		    text_decimal(digits, records.n, &length) < 0 ||
		    length < digits.n + 3 || records.p[length - 1] != '\n')
			return -EBADMSG;
		rest = (struct text){records.p + digits.n + 1,
				     (size_t)length - digits.n - 2};
		if (!text_cut(&rest, '=', &key) || !rest.p)
			return -EBADMSG;
		if (text_is(key, "path"))
			r = set_field(rest, e->name, &e->has_name);
		else if (text_is(key, "linkpath"))
			r = set_field(rest, e->target, &e->has_target);
		if (r < 0)
			return r;
		records.p += length;
		records.n -= length;
	}
	return 0;
}
