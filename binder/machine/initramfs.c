/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initramfs.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#define MOUNTINFO_SIZE 65536 /* / is among the first lines */

bool initramfs_is_memory(void)
{
	struct statfs fs;

	return statfs("/", &fs) == 0 &&
	       (fs.f_type == RAMFS_MAGIC || fs.f_type == TMPFS_MAGIC);
}

/* "1 1 0:2 / / rw shared:1 - rootfs rootfs rw": what is mounted over it comes behind it. */
bool initramfs_is_rootfs(struct text mountinfo)
{
	bool is_rootfs = false;
	struct text line, word;

	while (text_cut(&mountinfo, '\n', &line)) {
		bool is_root = false;

		for (int i = 0; i < 5 && text_word(&line, &word); i++)
			is_root = i == 4 && text_is(word, "/");
		if (!is_root)
			continue;
		while (text_word(&line, &word) && !text_is(word, "-"))
			;
		is_rootfs = text_word(&line, &word) && text_is(word, "rootfs");
	}
	return is_rootfs;
}

bool initramfs_is_here(struct world *world)
{
	static char buf[MOUNTINFO_SIZE];
	int n;

	if (!initramfs_is_memory())
		return false;
	n = world->ops->read(world, WORLD_PROC, "self/mountinfo", buf, sizeof(buf));
	if (n == -E2BIG)
		n = sizeof(buf);
	return n < 0 || initramfs_is_rootfs((struct text){buf, (size_t)n});
}
