/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An initramfs image: archives of cpio one after the other, plain or compressed, unpacked into
 * a tree by the rules of the kernel (init/initramfs.c: unpack_to_rootfs()).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "arena.h"
#include "compiler.h"
#include "cpio.h"
#include "text.h"

enum compression {
	COMPRESSION_NONE,
	COMPRESSION_GZIP,
	COMPRESSION_BZIP2,
	COMPRESSION_LZMA,
	COMPRESSION_XZ,
	COMPRESSION_LZO,
	COMPRESSION_LZ4,
	COMPRESSION_ZSTD,
};

struct decompressor;

#define TREE_NODES_MAX	    262144
#define TREE_CHAIN_MAX	    128 /* names with the same hash: more is no accident */
#define TREE_KEEP_MAX	    ((size_t)16 * 1024 * 1024) /* of one file */
#define TREE_KEEP_ALL_MAX   ((size_t)128 * 1024 * 1024)
#define TREE_LINKS_MAX	    40 /* symbolic links in one path, as in the kernel */
#define TREE_HARD_LINKS_MAX 4096 /* files with several names in one archive */

/* What hard links share. */
struct tree_file {
	uint32_t mode;
	uint64_t size;
	struct text target; /* of a symbolic link */
	struct text data; /* p is NULL unless they are kept */
	bool is_wanted; /* under one of its names */
};

struct tree_node {
	struct tree_node *parent; /* the root's is itself */
	struct tree_node *children, *next; /* in no order */
	struct tree_node *chain;
	struct text name;
	struct tree_file *file;
};

struct tree {
	struct arena *arena;
	/* Whether the data of the file at this path (no link in it, no '/' in front) count. */
	bool (*wants)(const char *path);
	struct tree_node *root;
	struct tree_node **buckets;
	size_t node_count;
	size_t kept; /* bytes */
	size_t lost_count; /* entries whose folder does not exist */
	struct tree_hard_link *hard_links;
	size_t hard_link_count;
	const char *message; /* the limit that was passed */
};

#define IMAGE_SIZE_MAX	   ((uint64_t)4 << 30)
#define IMAGE_UNPACKED_MAX ((uint64_t)4 << 30) /* of all streams */
#define IMAGE_SEGMENTS_MAX 256
#define IMAGE_ENTRIES_MAX  ((size_t)4 << 20)

struct image_segment {
	uint64_t offset;
	uint64_t size;
	uint64_t unpacked; /* bytes of cpio */
	enum compression compression;
	size_t entry_count;
};

struct image {
	struct tree tree;
	struct image_segment segments[IMAGE_SEGMENTS_MAX];
	size_t segment_count;
	size_t entry_count;
	/* Where and why the kernel stops; NULL if it comes to the end. */
	const char *message;
	uint64_t error_offset;
};

/* ---- decompress ---- */

/*
 * The compressions of initramfs images, as the kernel knows them (lib/decompress.c): one
 * stream after the other, piece by piece.
 */

/* ---- lz4 lzo ---- */

/*
 * The two formats of blocks whose frames the kernel reads by itself: LZ4's legacy frame and
 * lzop. Memory of the block is given by the caller.
 */

const char *compression_name(enum compression compression);

/* ---- image tree ---- */

/*
 * The files that an image unpacks to: what the kernel's root file system would hold when
 * /init starts. Later entries replace earlier ones, paths lead through symbolic links, and an
 * entry whose folder does not exist is lost, all as in init/initramfs.c.
 */

/* An empty tree with what every kernel has in it: /dev and /root. -ENOMEM. */
int tree_init(struct tree *tree, struct arena *arena,
	      bool (*wants)(const char *path)) must_check nonnull(1, 2, 3);

/* For struct cpio_sink; arg is the tree. -E2BIG or -ENOMEM with tree->message. */
int tree_add(void *arg, const struct cpio_entry *entry, char **ret_data) must_check
	nonnull(1, 2, 3);

/* For struct cpio_sink as well: hard links do not reach beyond the archive that ends here. */
void tree_end_archive(void *arg) nonnull(1);

/* The file at a path, through symbolic links; NULL if there is none. */
const struct tree_node *tree_find(const struct tree *tree, const char *path)
	nonnull(1, 2);
/* The same, and the last component is not followed. */
const struct tree_node *tree_find_link(const struct tree *tree, const char *path)
	nonnull(1, 2);

bool tree_is_file(const struct tree_node *node); /* @node may be NULL here */
bool tree_is_folder(const struct tree_node *node);
bool tree_is_link(const struct tree_node *node);

/* "usr/lib/modules": into @buf; "" for the root, and if it is too long. */
const char *tree_path(const struct tree_node *node, char buf[static CPIO_PATH_MAX])
	nonnull(1);

/*
 * Unpacks @bytes. A damaged image is no error: what comes before the damage is in the tree, as
 * it is for the kernel, and ret->message tells. -ENOMEM. Each entry goes to @sink; NULL: into
 * the tree, which nobody else fills.
 */
int image_read(struct text bytes, struct arena *arena, bool (*wants)(const char *path),
	       const struct cpio_sink *sink, struct image *ret) must_check
	nonnull(2, 3, 5);
