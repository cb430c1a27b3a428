/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image_read.h"

#include <errno.h>
#include <string.h>

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
		if (n->parent == parent && n->name.n == name.n &&
		    memcmp(n->name.p, name.p, name.n) == 0)
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

static void tree_end_archive(void *arg)
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
