/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpio_write.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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
