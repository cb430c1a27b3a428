/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads cpio archives as the kernel does (init/initramfs.c): the formats newc and crc, fed
 * piece by piece, NUL bytes between archives, and every header at a multiple of four.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "text.h"

#define CPIO_HEADER_SIZE 110
#define CPIO_PATH_MAX	 4096 /* the kernel's PATH_MAX, with the NUL */

struct cpio_entry {
	uint32_t ino;
	uint32_t mode;
	uint32_t nlink;
	uint32_t size;
	uint32_t major;
	uint32_t minor;
	const char *name;
	struct text target; /* of a symbolic link */
};

struct cpio_sink {
	/*
	 * An entry, in the order of the archive. A regular file may set *ret_data to where
	 * its @size bytes go. 0, or -errno, which ends the reading.
	 */
	int (*entry)(void *arg, const struct cpio_entry *entry, char **ret_data);
	/* The end of an archive: hard links do not reach beyond it. */
	void (*trailer)(void *arg);
	void *arg;
};

enum cpio_state {
	CPIO_RESET, /* between entries */
	CPIO_HEADER,
	CPIO_NAME,
	CPIO_DATA,
	CPIO_SKIP,
};

struct cpio {
	const struct cpio_sink *sink;
	uint64_t offset; /* in the archive's own bytes: what must be a multiple of four */
	size_t entry_count;
	bool has_trailer; /* the last entry was one */
	const char *message; /* why cpio_feed() failed */

	enum cpio_state state;
	struct cpio_entry entry;
	bool has_checksum;
	uint32_t checksum; /* what the header says, minus what was read */
	char buf[CPIO_HEADER_SIZE + 2 * CPIO_PATH_MAX + 8];
	size_t filled, wanted;
	char *data;
	uint64_t left; /* of the data, or of what is skipped */
	uint64_t next; /* the offset of the next header */
};

/* Longer names are passed over by the kernel, silently: with its NUL, PATH_MAX is all. */
#define CPIO_NAME_MAX 4095
/* What cpio(1) pads archives to: a second one behind this one begins where it should. */
#define CPIO_BLOCK 512

struct cpio_writer {
	int (*put)(void *arg, struct text bytes); /* 0 or -errno */
	void *arg;
	uint32_t mtime; /* of all entries, in seconds since 1970 */
	uint32_t inode; /* of the last entry */
	uint64_t written; /* bytes */
};

/* @offset: of the first byte that will be fed. */
void cpio_start(struct cpio *cpio, const struct cpio_sink *sink, uint64_t offset)
	nonnull(1, 2);

/*
 * Takes bytes until they are used up, or until an archive has ended and something follows
 * that is no header: *ret_taken. -EBADMSG with cpio->message; -errno of the sink.
 */
int cpio_feed(struct cpio *cpio, struct text bytes, size_t *ret_taken) must_check
	nonnull(1, 3);

/* Whether it stands between entries: what ends elsewhere was cut. */
bool cpio_is_between(const struct cpio *cpio) nonnull(1);

/* ---- cpio write ---- */

/*
 * Writes a cpio archive of the format newc, as the kernel unpacks it (init/initramfs.c). The
 * same entries give the same bytes: owner root, one time for all, inodes counted.
 */

/*
 * @name is relative and has no slash at its end. Errors: -ENAMETOOLONG; -EINVAL for a name
 * that would mean something else; -EFBIG for a file that the format has no digits for, from
 * 4 GiB on; those of put().
 */
int cpio_put_dir(struct cpio_writer *w, const char *name) must_check nonnull(1, 2);
int cpio_put_file(struct cpio_writer *w, const char *name, unsigned mode,
		  struct text bytes) must_check nonnull(1, 2);

/* The trailer, and NUL bytes up to a multiple of CPIO_BLOCK. */
int cpio_put_end(struct cpio_writer *w) must_check nonnull(1);
