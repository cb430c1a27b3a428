/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The embedded table: a section of the binder's own file, empty in the package, filled in
 * the copy that goes into an image. It holds the configuration text in its normal form.
 */
#pragma once

#include <stdint.h>

#include "compiler.h"
#include "text.h"

#define TABLE_SECTION_NAME ".earlybind.table"
#define TABLE_MAGIC	   "earlybnd"
#define TABLE_VERSION	   1

#define TABLE_SECTION_SIZE 65536
#define TABLE_CAPACITY	   (TABLE_SECTION_SIZE - 24)

/* All numbers little-endian. Version 1: the text is a configuration, earlybind.conf(5). */
struct table_section {
	char magic[8];
	uint8_t version[4];
	uint8_t capacity[4];
	uint8_t length[4];
	uint8_t checksum[4]; /* CRC-32 of the text, as in zlib */
	char text[TABLE_CAPACITY];
};

/* The binder's own. Read through table_embedded(), or the compiler believes it is empty. */
extern const struct table_section embedded_table;
struct text table_embedded(void);

/*
 * The text of a table section of @n bytes; empty where none was filled in.
 * -EBADMSG: truncated, no magic, lengths that do not fit, or a wrong checksum;
 * -EPROTONOSUPPORT: of a version that this program does not know.
 */
int table_decode(const void *bytes, size_t n, struct text *ret) must_check nonnull(1, 3);

/* Fills a whole section with @t. -ENOSPC if it is longer than the capacity. */
int table_encode(struct text t, struct table_section *ret) must_check nonnull(2);
