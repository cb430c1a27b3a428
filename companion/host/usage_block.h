/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block devices and what they are made of: partitions, device mapper, md, bcache, NVMe
 * multipath, and the other devices of a btrfs or bcachefs.
 */
#pragma once

#include "compiler.h"
#include "text.h"
#include "usage_parts.h"

struct edge {
	struct block *to;
	bool is_loop; /* a file on it: led on to by what is critical only */
	struct edge *next;
};

/* Some names of many. */
struct mention {
	const char *text; /* NULL: none */
	size_t shown, more;
};

struct block {
	const char *name;
	const char *number; /* "259:1" */
	const char *map; /* its name in /dev/mapper, or "" */
	struct owners owners;
	struct block *disk; /* of a partition */
	struct block *head; /* of a path of an NVMe namespace: what is mounted */
	struct edge *below; /* what it is made of */
	size_t visit; /* the last use that came here */

	/* Of a disk: */
	struct mention critical, others; /* mount points */
	struct mention holders; /* what it is a part of */
	bool has_swap;
	bool has_resume;
};

struct disks {
	struct collector *c;
	struct block *items; /* sorted by name */
	size_t count;
	size_t visits;
	bool has_disk, is_remote; /* what the last use came to */
	struct mount *mounts; /* in the order of mountinfo */
};

/* What is mounted, of which some are in files again. */
struct mount {
	struct text point; /* as mountinfo has it: blanks as \\040 */
	struct text root; /* the part of the file system that is mounted there */
	struct text type;
	struct block *block; /* NULL where there is none that is known */
	struct mount *next;
};

/* Reads all block devices, and what each is made of. */
void blocks_read(struct disks *d) nonnull(1);

/* @from is lost with @to. Either may be NULL. */
void blocks_add_edge(struct disks *d, struct block *from, struct block *to) nonnull(1);

/* By its name, by "/dev/sda1" or "/dev/mapper/vg-root", by "259:1"; NULL if there is none. */
struct block *blocks_find_name(const struct disks *d, const char *name) nonnull(1, 2);
struct block *blocks_find_source(const struct disks *d, struct text source) nonnull(1);
struct block *blocks_find_number(const struct disks *d, struct text number) nonnull(1);

/* By a source, or as in root= and resume=: "UUID=...", "259:1" and the like; or NULL. */
struct block *blocks_find_spec(struct disks *d, struct text spec) nonnull(1);

/* Whether its data come over the network: iSCSI, NVMe over Fabrics, nbd, rbd. */
bool block_is_remote(struct disks *d, const struct block *b) nonnull(1, 2);
