/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image_read.h"

#include <errno.h>
#include <string.h>

struct reader {
	struct image *image;
	struct arena *arena;
	struct text bytes;
	struct cpio_sink sink;
	struct cpio cpio;
	uint64_t unpacked;
};

static int stop(struct reader *r, uint64_t offset, const char *message)
{
	r->image->message = message;
	r->image->error_offset = offset;
	return -EBADMSG;
}

/* What the cpio reader or the tree said; -errno of neither is -ENOMEM. */
static int stop_cpio(struct reader *r, int error, uint64_t offset)
{
	if (error == -EBADMSG)
		return stop(r, offset, r->cpio.message);
	return stop(r, offset, r->image->tree.message);
}

static struct image_segment *begin(struct reader *r, uint64_t offset,
				   enum compression compression)
{
	struct image *image = r->image;
	struct image_segment *s;

	if (image->segment_count == IMAGE_SEGMENTS_MAX) {
		(void)stop(r, offset, "there are more segments than any image has");
		return NULL;
	}
	s = &image->segments[image->segment_count++];
	*s = (struct image_segment){.offset = offset, .compression = compression};
	return s;
}

/* Sees to it that hostile archives come to an end. */
static int check_limits(struct reader *r, uint64_t offset)
{
	if (r->image->entry_count + r->cpio.entry_count > IMAGE_ENTRIES_MAX)
		return stop(r, offset, "there are more files than any image has");
	if (r->unpacked > IMAGE_UNPACKED_MAX)
		return stop(r, offset, "it unpacks to more than 4 GiB");
	return 0;
}

/* Neither NUL, nor a header, nor a known compression. */
static int refuse(struct reader *r, size_t at)
{
	static const char lz4_frame[] = "\x04\x22\x4d\x18";
	struct text t = {r->bytes.p + at, r->bytes.n - at};

	if (at % 4 != 0 && (compression_of(t) != COMPRESSION_NONE ||
			    (t.n >= 5 && memcmp(t.p, "07070", 5) == 0)))
		return stop(
			r, at,
			"what was appended begins at no multiple of 4: the kernel will "
			"say \"invalid magic\" or \"broken padding\" and boot without "
			"it; fill up with NUL bytes before appending");
	if (t.n >= 4 && memcmp(t.p, lz4_frame, 4) == 0)
		return stop(
			r, at,
			"the kernel knows only the legacy format of LZ4: compress with "
			"lz4 -l");
	return stop(r, at,
		    "there is neither cpio nor a compression that the kernel knows");
}

/* A plain archive at @at, which moves behind it and the NULs that follow. */
static int read_plain(struct reader *r, size_t *at)
{
	struct image_segment *s = begin(r, *at, COMPRESSION_NONE);
	struct text rest = {r->bytes.p + *at, r->bytes.n - *at};
	size_t n;
	int e;

	if (!s)
		return -EBADMSG;
	cpio_start(&r->cpio, &r->sink, *at);
	e = cpio_feed(&r->cpio, rest, &n);
	s->size = s->unpacked = n;
	s->entry_count = r->cpio.entry_count;
	r->image->entry_count += s->entry_count;
	*at += n;
	if (e == -EBADMSG && cpio_is_between(&r->cpio))
		return refuse(r, *at);
	if (e < 0)
		return stop_cpio(r, e, *at);
	if (!cpio_is_between(&r->cpio))
		return stop(r, *at, "the image ends in the middle of a file: it was cut");
	return 0;
}

/* Pieces of a stream; "junk within compressed archive" is what is no header. */
static int feed(struct reader *r, struct text piece, uint64_t offset)
{
	while (piece.n > 0) {
		size_t n;
		int e = cpio_feed(&r->cpio, piece, &n);

		if (e < 0)
			return stop_cpio(r, e, offset);
		piece.p += n;
		piece.n -= n;
		if (piece.n == 0)
			break;
		if (piece.p[0] != '0')
			return stop(r, offset,
				    "what is compressed is no archive of cpio");
		/* Another archive in the same stream. */
		r->cpio.has_trailer = false;
	}
	return 0;
}

static int stop_stream(struct reader *r, uint64_t offset, enum compression compression,
		       const char *why)
{
	const char *message = arena_printf(
		r->arena, "what is compressed with %s cannot be unpacked: %s",
		compression_name(compression), why);

	return stop(r, offset, message ? message : why);
}

static int read_stream(struct reader *r, size_t *at, enum compression compression)
{
	struct image_segment *s = begin(r, *at, compression);
	const char *message = "";
	struct decompressor *d;
	struct text piece;
	int e;

	if (!s)
		return -EBADMSG;
	e = decompress_open(compression,
			    (struct text){r->bytes.p + *at, r->bytes.n - *at}, &d);
	if (e < 0)
		return stop(r, *at, "out of memory");
	cpio_start(&r->cpio, &r->sink, 0);
	do {
		e = decompress_next(d, &piece, &message);
		if (e < 0) {
			e = stop_stream(r, *at, compression, message);
			break;
		}
		s->unpacked += piece.n;
		r->unpacked += piece.n;
		e = feed(r, piece, *at);
		if (e == 0)
			e = check_limits(r, *at);
	} while (e == 0 && piece.n > 0);
	s->size = decompress_used(d);
	s->entry_count = r->cpio.entry_count;
	r->image->entry_count += s->entry_count;
	decompress_close(d);
	*at += s->size;
	if (e == 0 && !cpio_is_between(&r->cpio))
		e = stop(r, s->offset, "what is compressed ends in the middle of a file");
	return e;
}

static int read_segments(struct reader *r)
{
	size_t at = 0;
	int e = 0;

	while (e == 0 && at < r->bytes.n) {
		struct text rest = {r->bytes.p + at, r->bytes.n - at};
		enum compression compression = compression_of(rest);

		if (rest.p[0] == '0' && at % 4 == 0)
			e = read_plain(r, &at);
		else if (rest.p[0] == '\0')
			at++;
		else if (compression != COMPRESSION_NONE)
			e = read_stream(r, &at, compression);
		else
			e = refuse(r, at);
	}
	return e;
}

int image_read(struct text bytes, struct arena *arena, bool (*wants)(const char *path),
	       struct image *ret)
{
	static struct reader r;

	*ret = (struct image){0};
	r = (struct reader){
		.image = ret,
		.arena = arena,
		.bytes = bytes,
		.sink = {tree_add, tree_end_archive, &ret->tree},
	};
	if (tree_init(&ret->tree, arena, wants) < 0)
		return -ENOMEM;
	(void)read_segments(&r);
	return 0;
}
