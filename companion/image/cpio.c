/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpio.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAGIC_SIZE 6

static int fail(struct cpio *c, const char *message)
{
	c->message = message;
	return -EBADMSG;
}

void cpio_start(struct cpio *cpio, const struct cpio_sink *sink, uint64_t offset)
{
	*cpio = (struct cpio){.sink = sink, .offset = offset};
}

bool cpio_is_between(const struct cpio *cpio)
{
	return cpio->state == CPIO_RESET;
}

static void take(struct cpio *c, struct text *bytes, size_t n)
{
	bytes->p += n;
	bytes->n -= n;
	c->offset += n;
}

/* The name with the header in front is padded to a multiple of four. */
static size_t padded_name(size_t n)
{
	return ((n + 1) & ~(size_t)3) + 2;
}

/* do_reset(): NULs, then the next header. True if there is something else. */
static int reset(struct cpio *c, struct text *bytes, bool *ret_is_end)
{
	size_t n = 0;

	while (n < bytes->n && bytes->p[n] == '\0')
		n++;
	take(c, bytes, n);
	if (bytes->n == 0)
		return 0;
	if (c->offset % 4 != 0)
		return fail(c, "what follows does not begin at a multiple of 4");
	if (c->has_trailer || bytes->p[0] != '0') {
		*ret_is_end = true;
		return 0;
	}
	c->state = CPIO_HEADER;
	c->filled = 0;
	c->wanted = CPIO_HEADER_SIZE;
	return 0;
}

/* Collects into the buffer. True when there is enough. */
static bool collect(struct cpio *c, struct text *bytes)
{
	size_t n = MIN(c->wanted - c->filled, bytes->n);

	memcpy(c->buf + c->filled, bytes->p, n);
	c->filled += n;
	take(c, bytes, n);
	return c->filled == c->wanted;
}

/* The kernel takes any digits (simple_strntoul); what is no number here never is there. */
static bool get_field(const char *header, size_t i, uint32_t *ret)
{
	const struct text digits = {header + MAGIC_SIZE + 8 * i, 8};
	uint64_t value;

	if (text_hex(digits, UINT32_MAX, &value) < 0)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static void skip(struct cpio *c)
{
	c->state = CPIO_SKIP;
	c->left = c->next - c->offset;
}

static int header(struct cpio *c)
{
	const char *magic = c->buf;
	uint32_t field[13];
	size_t name;

	if (memcmp(magic, "070707", MAGIC_SIZE) == 0)
		return fail(c, "it is of the old format of cpio: make it with -H newc");
	c->has_checksum = memcmp(magic, "070702", MAGIC_SIZE) == 0;
	if (!c->has_checksum && memcmp(magic, "070701", MAGIC_SIZE) != 0)
		return fail(c, "there is no header of cpio");
	for (size_t i = 0; i < ARRAY_SIZE(field); i++)
		if (!get_field(c->buf, i, &field[i]))
			return fail(c, "a header of cpio is damaged");
	c->entry = (struct cpio_entry){
		.ino = field[0],
		.mode = field[1],
		.nlink = field[4],
		.size = field[6],
		.major = field[7],
		.minor = field[8],
	};
	c->checksum = field[12];
	name = field[11];
	c->next = c->offset + padded_name(name) + field[6];
	c->next = (c->next + 3) & ~(uint64_t)3;
	c->entry_count++;
	c->has_trailer = false;
	/* Skipped by the kernel without a word. */
	if (name == 0 || name > CPIO_PATH_MAX ||
	    (S_ISLNK(c->entry.mode) && c->entry.size > CPIO_PATH_MAX) ||
	    (!S_ISREG(c->entry.mode) && !S_ISLNK(c->entry.mode) && c->entry.size > 0)) {
		skip(c);
		return 0;
	}
	c->state = CPIO_NAME;
	c->entry.name = c->buf;
	c->filled = 0;
	c->wanted = padded_name(name);
	if (S_ISLNK(c->entry.mode))
		c->wanted += c->entry.size;
	/* The name ends in its NUL, which the padding does not replace. */
	c->left = name;
	return 0;
}

static int name(struct cpio *c)
{
	size_t n = (size_t)c->left;
	int r = 0;

	if (c->buf[n - 1] != '\0')
		return fail(c, "a name of cpio has no end");
	c->data = NULL;
	if (strcmp(c->buf, "TRAILER!!!") == 0) {
		c->has_trailer = true;
		c->sink->trailer(c->sink->arg);
	} else {
		if (S_ISLNK(c->entry.mode))
			c->entry.target = (struct text){
				c->buf + padded_name(n),
				strnlen(c->buf + padded_name(n), c->entry.size)};
		r = c->sink->entry(c->sink->arg, &c->entry, &c->data);
		if (r < 0)
			return r;
	}
	if (S_ISREG(c->entry.mode) && c->entry.size > 0 && !c->has_trailer) {
		c->state = CPIO_DATA;
		c->left = c->entry.size;
		return 0;
	}
	skip(c);
	return 0;
}

static int data(struct cpio *c, struct text *bytes)
{
	size_t n = (size_t)MIN(c->left, (uint64_t)bytes->n);

	if (c->data) {
		memcpy(c->data, bytes->p, n);
		c->data += n;
	}
	if (c->has_checksum)
		for (size_t i = 0; i < n; i++)
			c->checksum -= (uint8_t)bytes->p[i];
	take(c, bytes, n);
	c->left -= n;
	if (c->left > 0)
		return 0;
	if (c->has_checksum && c->checksum != 0)
		return fail(c, "the checksum of a file is wrong");
	skip(c);
	return 0;
}

int cpio_feed(struct cpio *cpio, struct text bytes, size_t *ret_taken)
{
	const size_t given = bytes.n;
	bool is_end = false;
	int r = 0;

	while (r == 0 && !is_end &&
	       (bytes.n > 0 || (cpio->state == CPIO_SKIP && cpio->left == 0))) {
		switch (cpio->state) {
		case CPIO_RESET:
			r = reset(cpio, &bytes, &is_end);
			break;
		case CPIO_HEADER:
			if (collect(cpio, &bytes))
				r = header(cpio);
			break;
		case CPIO_NAME:
			if (collect(cpio, &bytes))
				r = name(cpio);
			break;
		case CPIO_DATA:
			r = data(cpio, &bytes);
			break;
		case CPIO_SKIP: {
			size_t n = (size_t)MIN(cpio->left, (uint64_t)bytes.n);

			take(cpio, &bytes, n);
			cpio->left -= n;
			if (cpio->left == 0)
				cpio->state = CPIO_RESET;
			break;
		}
		}
	}
	*ret_taken = given - bytes.n;
	return r;
}

#define TRAILER	    "TRAILER!!!"
#define HEADER_SIZE 110 /* "070701" and 13 numbers of eight digits */

static int put(struct cpio_writer *w, struct text bytes)
{
	int r = bytes.n > 0 ? w->put(w->arg, bytes) : 0;

	if (r == 0)
		w->written += bytes.n;
	return r;
}

static int pad(struct cpio_writer *w, size_t to)
{
	static const char zeros[CPIO_BLOCK];

	return put(w, (struct text){zeros, (to - w->written % to) % to});
}

static int put_entry(struct cpio_writer *w, const char *name, unsigned mode,
		     uint32_t mtime, struct text bytes)
{
	size_t n = strlen(name);
	char header[HEADER_SIZE + 1];
	int r;

	if (n > CPIO_NAME_MAX)
		return -ENAMETOOLONG;
	if (bytes.n > UINT32_MAX)
		return -EFBIG;
	/*
	 * inode, mode, owner and group, links, mtime, size, the device that it is on and the
	 * one that it is, length of the name with its NUL, checksum. One link: the kernel
	 * looks no further for the other names of a file (maybe_link()).
	 */
	snprintf(header, sizeof(header),
		 "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", w->inode,
		 mode, 0u, 0u, S_ISDIR(mode) ? 2u : 1u, mtime, (unsigned)bytes.n, 0u, 0u,
		 0u, 0u, (unsigned)n + 1, 0u);
	r = put(w, (struct text){header, HEADER_SIZE});
	if (r == 0)
		r = put(w, (struct text){name, n + 1});
	if (r == 0)
		r = pad(w, 4);
	if (r == 0)
		r = put(w, bytes);
	return r < 0 ? r : pad(w, 4);
}

static int put_named(struct cpio_writer *w, const char *name, unsigned mode,
		     struct text bytes)
{
	size_t n = strlen(name);

	if (n == 0 || name[0] == '/' || name[n - 1] == '/' || strcmp(name, TRAILER) == 0)
		return -EINVAL;
	w->inode++;
	return put_entry(w, name, mode, w->mtime, bytes);
}

int cpio_put_dir(struct cpio_writer *w, const char *name)
{
	return put_named(w, name, S_IFDIR | 0755, TEXT(""));
}

int cpio_put_file(struct cpio_writer *w, const char *name, unsigned mode,
		  struct text bytes)
{
	return put_named(w, name, S_IFREG | (mode & 07777), bytes);
}

int cpio_put_end(struct cpio_writer *w)
{
	int r;

	w->inode = 0;
	r = put_entry(w, TRAILER, 0, 0, TEXT(""));
	return r < 0 ? r : pad(w, CPIO_BLOCK);
}
