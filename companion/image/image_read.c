/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image_read.h"

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

static int fail_format(const char **ret_message, const char *message)
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
			return fail_format(ret_message, damaged);
		/* A stream that follows directly belongs to this one; NULs end it. */
		if (size != LZ4_MAGIC && size == 0)
			return 1;
		*used += 4;
		if (size == LZ4_MAGIC)
			continue;
		if (size > bytes.n - *used)
			return fail_format(
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
		return fail_format(ret_message, damaged);
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
		return fail_format(ret_message, cut);
	if (memcmp(bytes.p, lzop_magic, sizeof(lzop_magic)) != 0)
		return fail_format(ret_message, damaged);
	has_level = get_be32(bytes.p + sizeof(lzop_magic)) >> 16 >= LZOP_VERSION_LEVEL;
	at += has_level;
	if (bytes.n < at + 4)
		return fail_format(ret_message, cut);
	at += get_be32(bytes.p + at) & LZOP_HAS_FILTER ? 8 : 4;
	at += has_level ? 12 : 8; /* mode and time */
	if (bytes.n <= at)
		return fail_format(ret_message, cut);
	at += 1 + (size_t)(uint8_t)bytes.p[at] + 4; /* name and checksum */
	if (bytes.n < at)
		return fail_format(ret_message, cut);
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
		return fail_format(ret_message, cut);
	length = get_be32(bytes.p + *used);
	if (length == 0) {
		*used += 4;
		*ret_length = 0;
		return 0;
	}
	if (bytes.n - *used < 12)
		return fail_format(ret_message, cut);
	size = get_be32(bytes.p + *used + 4);
	if (length > LZO_BLOCK_SIZE || size == 0 || size > length)
		return fail_format(ret_message, damaged);
	*used += 12;
	if (size > bytes.n - *used)
		return fail_format(ret_message, cut);
	got = length;
	if (size == length)
		memcpy(block, bytes.p + *used, size);
	else if (lzo1x_decompress_safe((const uint8_t *)bytes.p + *used, size,
				       (uint8_t *)block, &got, NULL) != LZO_E_OK ||
		 got != length)
		return fail_format(ret_message, damaged);
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

/* By the first two bytes, as decompress_method() does; COMPRESSION_NONE for none. */
static enum compression compression_of(struct text bytes)
{
	for (size_t i = COMPRESSION_NONE + 1; i < ARRAY_SIZE(formats); i++)
		if (bytes.n >= 2 && (uint8_t)bytes.p[0] == formats[i].magic[0] &&
		    (uint8_t)bytes.p[1] == formats[i].magic[1])
			return (enum compression)i;
	return COMPRESSION_NONE;
}

/* Starts with the stream at the front of @bytes. -ENOMEM. */
static int decompress_open(enum compression compression, struct text bytes,
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
			return fail_format(ret_message, "it ends too early");
		break;
	case OUTCOME_DAMAGED:
		return fail_format(ret_message, "it is damaged");
	case OUTCOME_MEMORY:
		return fail_format(ret_message, "its dictionary is too large");
	case OUTCOME_CHECK:
		return fail_format(ret_message,
				   "the kernel does not know its integrity check: "
				   "compress it with xz --check=crc32");
	}
	*ret = (struct text){d->piece, n};
	return 0;
}

/*
 * The next piece, valid until the next call; an empty one at the end of the stream. -EBADMSG:
 * the stream is damaged, cut, or of a kind that the kernel refuses; @ret_message says which.
 */
static int decompress_next(struct decompressor *decompressor, struct text *ret,
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

/* How many bytes of the input were used: at the end, the length of the stream. */
static size_t decompress_used(const struct decompressor *decompressor)
{
	return decompressor->used;
}

static void decompress_close(struct decompressor *decompressor)
{
	if (!decompressor)
		return;
	if (decompressor->format->close)
		decompressor->format->close(decompressor);
	free(decompressor->piece);
	free(decompressor);
}

#define BUCKETS 16384

struct tree_hard_link {
	uint32_t ino, major, minor;
	struct tree_file *file;
};

bool tree_is_file(const struct tree_node *node)
{
	return node && S_ISREG(node->file->mode);
}

bool tree_is_folder(const struct tree_node *node)
{
	return node && S_ISDIR(node->file->mode);
}

bool tree_is_link(const struct tree_node *node)
{
	return node && S_ISLNK(node->file->mode);
}

static int fail(struct tree *t, int r, const char *message)
{
	t->message = message;
	return r;
}

static size_t hash(const struct tree_node *parent, struct text name)
{
	uint64_t h = 14695981039346656037u ^ (uintptr_t)parent;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (uint8_t)name.p[i]) * 1099511628211u;
	return (size_t)(h ^ h >> 29) % BUCKETS;
}

/* *ret_length, which may be NULL: how many names have the same hash. */
static struct tree_node *child(const struct tree *t, const struct tree_node *parent,
			       struct text name, size_t *ret_length)
{
	struct tree_node *n;
	size_t length = 0;

	for (n = t->buckets[hash(parent, name)]; n; n = n->chain, length++)
		if (n->parent == parent && text_is_same(n->name, name))
			break;
	if (ret_length)
		*ret_length = length;
	return n;
}

/* ---- paths ------------------------------------------------------------------------------- */

/*
 * Walks to the folder that holds the last component of @path, which is left in @ret_last: ""
 * if the path is the folder itself. NULL if there is no such folder. @links counts down.
 */
static struct tree_node *walk(const struct tree *t, struct tree_node *at,
			      struct text path, unsigned *links, bool is_followed,
			      struct text *ret_last)
{
	struct text part;

	if (path.n > 0 && path.p[0] == '/')
		at = t->root;
	*ret_last = TEXT("");
	while (text_cut(&path, '/', &part)) {
		struct tree_node *next;
		bool is_last = !path.p || strspn(path.p, "/") >= path.n;

		if (part.n == 0 || text_is(part, "."))
			continue;
		if (!tree_is_folder(at))
			return NULL;
		if (text_is(part, "..")) {
			at = at->parent;
			continue;
		}
		next = child(t, at, part, NULL);
		if (is_last && (!next || !tree_is_link(next) || !is_followed)) {
			*ret_last = part;
			return at;
		}
		if (next && tree_is_link(next)) {
			struct text last;

			if ((*links)-- == 0)
				return NULL;
			next = walk(t, at, next->file->target, links, true, &last);
			if (is_last) {
				*ret_last = last;
				return next;
			}
			if (next && last.n > 0)
				next = child(t, next, last, NULL);
		}
		if (!next)
			return NULL;
		at = next;
	}
	return at;
}

static struct tree_node *find(const struct tree *t, const char *path, bool is_followed)
{
	unsigned links = TREE_LINKS_MAX;
	struct tree_node *folder;
	struct text last;

	folder = walk(t, t->root, text_of(path), &links, is_followed, &last);
	if (!folder || last.n == 0)
		return folder;
	return child(t, folder, last, NULL);
}

const struct tree_node *tree_find(const struct tree *tree, const char *path)
{
	return find(tree, path, true);
}

const struct tree_node *tree_find_link(const struct tree *tree, const char *path)
{
	return find(tree, path, false);
}

const char *tree_path(const struct tree_node *node, char buf[static CPIO_PATH_MAX])
{
	size_t at = CPIO_PATH_MAX - 1;

	buf[at] = '\0';
	for (; node->parent != node; node = node->parent) {
		size_t n = node->name.n, slash = buf[at] != '\0';

		if (n + slash > at)
			return "";
		at -= slash;
		if (slash)
			buf[at] = '/';
		at -= n;
		memcpy(buf + at, node->name.p, n);
	}
	return buf + at;
}

/* ---- entries ----------------------------------------------------------------------------- */

static struct tree_node *attach(struct tree *t, struct tree_node *parent,
				struct text name, struct tree_file *file)
{
	struct tree_node *n = arena_alloc(t->arena, 1, sizeof(*n));
	char *copy = arena_copy(t->arena, name);
	struct tree_node **bucket;

	if (!n || !copy)
		return NULL;
	*n = (struct tree_node){
		.parent = parent ? parent : n, .name = {copy, name.n}, .file = file};
	t->node_count++;
	if (!parent)
		return n;
	bucket = &t->buckets[hash(parent, n->name)];
	n->chain = *bucket;
	*bucket = n;
	n->next = parent->children;
	parent->children = n;
	return n;
}

static void detach(struct tree *t, struct tree_node *node)
{
	struct tree_node **at = &t->buckets[hash(node->parent, node->name)];

	while (*at != node)
		at = &(*at)->chain;
	*at = node->chain;
	for (at = &node->parent->children; *at != node; at = &(*at)->next)
		;
	*at = node->next;
}

/* clean_path(): what is of another kind goes, if it can. True if nothing is left of it. */
static bool clean(struct tree *t, struct tree_node *node, uint32_t mode)
{
	if (!node)
		return true;
	if (((node->file->mode ^ mode) & S_IFMT) == 0 || node == t->root ||
	    node->children)
		return false;
	detach(t, node);
	return true;
}

/* The file that an earlier name of this archive made; or remembers it. maybe_link() */
static int hard_link(struct tree *t, const struct cpio_entry *e, struct tree_file **file)
{
	struct tree_hard_link *l = t->hard_links;

	for (size_t i = 0; i < t->hard_link_count; i++, l++) {
		if (l->ino != e->ino || l->major != e->major || l->minor != e->minor ||
		    ((l->file->mode ^ e->mode) & S_IFMT) != 0)
			continue;
		*file = l->file;
		return 1;
	}
	if (t->hard_link_count == TREE_HARD_LINKS_MAX)
		return fail(t, -E2BIG, "too many hard links in one archive");
	*l = (struct tree_hard_link){e->ino, e->major, e->minor, *file};
	t->hard_link_count++;
	return 0;
}

/* Room for the data of a file, if somebody wants them. */
static int keep(struct tree *t, const struct tree_node *node, const struct cpio_entry *e,
		char **ret_data)
{
	struct tree_file *f = node->file;
	char path[CPIO_PATH_MAX];
	char *data;

	/* The second name of a file gives nothing new, or its data. */
	f->is_wanted = f->is_wanted || t->wants(tree_path(node, path));
	if (e->nlink >= 2 && e->size == 0)
		return 0;
	f->size = e->size;
	f->data = (struct text){NULL, 0};
	if (e->size > TREE_KEEP_MAX || !f->is_wanted)
		return 0;
	if (e->size > TREE_KEEP_ALL_MAX - t->kept)
		return fail(t, -E2BIG, "the files that matter are too large");
	data = arena_alloc(t->arena, e->size + 1, 1);
	if (!data)
		return fail(t, -ENOMEM, "out of memory");
	t->kept += e->size;
	f->data = (struct text){data, e->size};
	*ret_data = data;
	return 0;
}

int tree_add(void *arg, const struct cpio_entry *entry, char **ret_data)
{
	struct tree *t = arg;
	unsigned links = TREE_LINKS_MAX;
	struct tree_node *folder, *node;
	struct tree_file *file;
	struct text last;
	size_t chain;
	int is_linked = 0;

	folder = walk(t, t->root, text_of(entry->name), &links, false, &last);
	if (!tree_is_folder(folder)) {
		t->lost_count++;
		return 0;
	}
	if (last.n == 0)
		return 0; /* "." */
	node = child(t, folder, last, &chain);
	if (!clean(t, node, S_ISLNK(entry->mode) ? 0 : entry->mode)) {
		/* The old one stays: a folder, or a file that gets other data. */
		if (!S_ISREG(entry->mode) || !tree_is_file(node))
			return 0;
	} else {
		node = NULL;
	}
	if (t->node_count >= TREE_NODES_MAX || chain > TREE_CHAIN_MAX)
		return fail(t, -E2BIG, "too many files");
	file = node ? node->file : arena_alloc(t->arena, 1, sizeof(*file));
	if (!file)
		return fail(t, -ENOMEM, "out of memory");
	file->mode = entry->mode;
	if (S_ISLNK(entry->mode)) {
		char *target = arena_copy(t->arena, entry->target);

		if (!target)
			return fail(t, -ENOMEM, "out of memory");
		file->target = (struct text){target, entry->target.n};
	}
	if (S_ISREG(entry->mode) && entry->nlink >= 2) {
		is_linked = hard_link(t, entry, &file);
		if (is_linked < 0)
			return is_linked;
	}
	if (!node)
		node = attach(t, folder, last, file);
	if (!node)
		return fail(t, -ENOMEM, "out of memory");
	node->file = file;
	return S_ISREG(entry->mode) ? keep(t, node, entry, ret_data) : 0;
}

void tree_end_archive(void *arg)
{
	struct tree *t = arg;

	t->hard_link_count = 0;
}

int tree_init(struct tree *tree, struct arena *arena, bool (*wants)(const char *path))
{
	static const char *const folders[] = {"dev", "root"};

	*tree = (struct tree){.arena = arena, .wants = wants, .message = ""};
	tree->buckets = arena_alloc(arena, BUCKETS, sizeof(void *));
	tree->hard_links =
		arena_alloc(arena, TREE_HARD_LINKS_MAX, sizeof(*tree->hard_links));
	for (size_t i = 0; tree->buckets && tree->hard_links && i <= ARRAY_SIZE(folders);
	     i++) {
		struct tree_file *file = arena_alloc(arena, 1, sizeof(*file));
		struct tree_node *node;

		if (!file)
			return -ENOMEM;
		file->mode = S_IFDIR | 0755;
		node = attach(tree, i == 0 ? NULL : tree->root,
			      i == 0 ? TEXT("") : text_of(folders[i - 1]), file);
		if (!node)
			return -ENOMEM;
		if (i == 0)
			tree->root = node;
	}
	return tree->root ? 0 : -ENOMEM;
}

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
	struct text piece = {NULL, 0};
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
	       const struct cpio_sink *sink, struct image *ret)
{
	const struct cpio_sink tree_sink = {tree_add, tree_end_archive, &ret->tree};
	static struct reader r;

	*ret = (struct image){0};
	r = (struct reader){
		.image = ret,
		.arena = arena,
		.bytes = bytes,
		.sink = sink ? *sink : tree_sink,
	};
	if (tree_init(&ret->tree, arena, wants) < 0)
		return -ENOMEM;
	(void)read_segments(&r);
	return 0;
}
