/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section itself, in a unit of its own: no reader may see its initial value. */
#include "table.h"

__attribute__((section(TABLE_SECTION_NAME), used, aligned(64))) //
const struct table_section embedded_table = {
	.magic = {'e', 'a', 'r', 'l', 'y', 'b', 'n', 'd'},
	.version = {TABLE_VERSION},
	.capacity = {TABLE_CAPACITY & 0xff, TABLE_CAPACITY >> 8 & 0xff,
		     TABLE_CAPACITY >> 16},
};

struct text table_embedded(void)
{
	const char *start = (const char *)&embedded_table;

	/* The file was changed after the compiler saw it. */
	__asm__("" : "+r"(start));
	return (struct text){start, sizeof(embedded_table)};
}
