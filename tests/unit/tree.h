/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trees of files in a temporary folder, for tests of what reads files. */
#pragma once

#include "test.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static inline const char *tree_path(const char *root, const char *path)
{
	static char buf[2][PATH_MAX];
	static unsigned turn;

	turn ^= 1;
	snprintf(buf[turn], sizeof(buf[turn]), "%s/%s", root, path);
	return buf[turn];
}

/* A new folder; removed by tree_remove(). */
static inline const char *tree_new(void)
{
	static char root[64];

	strcpy(root, "/tmp/earlybind-test-XXXXXX");
	if (!mkdtemp(root))
		fail_msg("no temporary folder: %s", strerror(errno));
	return root;
}

static inline void tree_mkdir(const char *root, const char *path)
{
	char buf[PATH_MAX];

	snprintf(buf, sizeof(buf), "%s/%s", root, path);
	for (char *p = buf + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		(void)mkdir(buf, 0755);
		*p = '/';
	}
	if (mkdir(buf, 0755) < 0 && errno != EEXIST)
		fail_msg("%s: %s", buf, strerror(errno));
}

/* With the folders above it. */
static inline void tree_write(const char *root, const char *path, const char *content)
{
	char folder[PATH_MAX];
	FILE *file;

	snprintf(folder, sizeof(folder), "%s", path);
	if (strrchr(folder, '/')) {
		*strrchr(folder, '/') = '\0';
		tree_mkdir(root, folder);
	}
	file = fopen(tree_path(root, path), "w");
	if (!file || fputs(content, file) < 0 || fclose(file) != 0)
		fail_msg("%s: %s", path, strerror(errno));
}

/* A link, with the folders above it. */
static inline void tree_link(const char *root, const char *path, const char *target)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s", path);
	*strrchr(folder, '/') = '\0';
	tree_mkdir(root, folder);
	if (symlink(target, tree_path(root, path)) < 0)
		fail_msg("%s: %s", path, strerror(errno));
}

/* "CLASS NAME" below /sys/devices/FOLDER: a relative link to it, as in sysfs. */
static inline void tree_class_device(const char *root, const char *name,
				     const char *folder)
{
	char path[512], target[512];
	const char *blank = strchr(name, ' ');

	snprintf(path, sizeof(path), "sys/devices/%s/%s", folder, blank + 1);
	tree_mkdir(root, path);
	snprintf(target, sizeof(target), "../../devices/%s/%s", folder, blank + 1);
	snprintf(path, sizeof(path), "sys/class/%.*s/%s", (int)(blank - name), name,
		 blank + 1);
	tree_link(root, path, target);
}

/* The content of a file, static. */
static inline const char *tree_read(const char *root, const char *path)
{
	static char buf[8192];
	FILE *file = fopen(tree_path(root, path), "r");
	size_t n;

	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	n = fread(buf, 1, sizeof(buf) - 1, file);
	buf[n] = '\0';
	fclose(file);
	return buf;
}

static inline int tree_remove_one(const char *path, const struct stat *st unused,
				  int type unused, struct FTW *ftw unused)
{
	return remove(path);
}

static inline void tree_remove(const char *root)
{
	(void)nftw(root, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
