/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file is a section of a table, with its checksum. */
#include "earlier_rules.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "edit_file.h"
#include "files.h"
#include "paths.h"

#define OLD_MAX ((size_t)1024 * 1024) /* of another version, or damaged */

static int check(const void *arg unused, struct text bytes)
{
	struct text table;

	return table_decode(bytes.p, bytes.n, &table);
}

void earlier_rules_keep(struct arena *arena, const char *sysroot, struct text table)
{
	const struct edit_file f = {.name = EARLIER_RULES_FILE,
				    .sysroot = sysroot,
				    .mode = 0644,
				    .check = check};
	struct table_section *section = arena_alloc(arena, 1, sizeof(*section));
	char date[EARLIER_DATE_SIZE];
	struct text old;
	int r, lock;

	if (!section || table_encode(table, section) < 0)
		return;
	if (earlier_rules_read(arena, sysroot, &old, date) == 0 &&
	    text_is_same(old, table))
		return;
	if (edit_lock(sysroot, EDIT_WAIT_SECONDS, &lock) < 0)
		return;
	r = edit_file_read(&f, arena, OLD_MAX, &old);
	if (r == 0)
		r = edit_file_replace(
			&f, old, (struct text){(const char *)section, sizeof(*section)},
			arena);
	edit_unlock(&lock);
	(void)r;
}

int earlier_rules_read(struct arena *arena, const char *sysroot, struct text *ret,
		       char ret_date[static EARLIER_DATE_SIZE])
{
	const char *path = path_below(arena, sysroot, EARLIER_RULES_FILE);
	struct text bytes;
	struct stat st;
	struct tm tm;
	int r;

	*ret = (struct text){"", 0};
	if (!path)
		return -ENOMEM;
	if (stat(path, &st) < 0)
		return -errno;
	/* A pipe would have us wait. */
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	r = file_read(path, arena, sizeof(struct table_section), &bytes, NULL);
	if (r == 0)
		r = table_decode(bytes.p, bytes.n, ret);
	if (r < 0)
		return r;
	/* Of the file, not of today: the same rules give the same image. */
	if (!gmtime_r(&st.st_mtime, &tm) ||
	    strftime(ret_date, EARLIER_DATE_SIZE, "%Y-%m-%d", &tm) == 0)
		return -EBADMSG;
	return 0;
}
